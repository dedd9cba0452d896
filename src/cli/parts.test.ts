// Files in parts: what stays together, and what is said where a part fails after others went on record.

import { afterEach, expect, it, vi } from "vitest";
import { PennyworthError } from "../error.ts";
import { sendParts, toParts } from "./parts.ts";

interface Row {
  readonly place: string;
  readonly key: string | null;
}
const row = (index: number, key: string | null = null): Row => ({ place: `line ${index + 2}`, key });
const rows = (count: number): Row[] => Array.from({ length: count }, (_, index) => row(index));
const indexes = (parts: ReturnType<typeof toParts<Row>>): number[][] => parts.map((part) => part.map(({ index }) => index));
const keyOf = ({ key }: Row): string | null => key;

/** What went on record, and to standard error. */
function watch(failing: (first: string, isCheck: boolean) => Error | null) {
  const sent: string[] = [];
  const errors: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors.push(String(text));
    return true;
  });
  const send = async (part: readonly Row[], isCheck: boolean): Promise<number> => {
    const first = part[0]?.place ?? "";
    const error = failing(first, isCheck);
    if (error !== null) throw error;
    if (!isCheck) sent.push(...part.map(({ place }) => place));
    return part.length;
  };
  return { sent, errors, send };
}
afterEach(() => {
  vi.restoreAllMocks();
});

const refusal = (count: number, what = "outcomes"): Error =>
  new PennyworthError("request_malformed", { detail: `2 of ${count} ${what} are wrong, and none was recorded: line 9: cost: no` });

it("rows go in the order of the file, and those of one key together", () => {
  expect(indexes(toParts(rows(7), keyOf, 3))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  const mixed = [row(0, "a"), row(1), row(2, "b"), row(3), row(4, "a"), row(5, "b")];
  expect(indexes(toParts(mixed, keyOf, 3))).toEqual([
    [0, 4, 1],
    [2, 5, 3],
  ]);
  // A key of more rows than a part has is a part of its own.
  expect(indexes(toParts([...mixed, row(6, "a"), row(7, "a")], keyOf, 3))).toEqual([[0, 4, 6, 7], [1, 2, 5], [3]]);
  expect(toParts([], keyOf, 3)).toEqual([]);
});

it("every part is checked before the first goes on record", async () => {
  const { sent, errors, send } = watch((first, isCheck) => (isCheck && first === "line 8" ? refusal(1) : null));
  await expect(sendParts(toParts(rows(7), keyOf, 3), send)).rejects.toThrow("2 of 7 outcomes are wrong, and none was recorded: line 9");
  expect([sent, errors]).toEqual([[], []]);
  const early = watch((first) => (first === "line 5" ? refusal(3, "amounts") : null));
  await expect(sendParts(toParts(rows(7), keyOf, 3), early.send)).rejects.toThrow("2 or more of 7 amounts are wrong");
});

it("one part alone is sent as it is", async () => {
  const calls: boolean[] = [];
  const { send } = watch((_, isCheck) => (calls.push(isCheck), null));
  expect(await sendParts(toParts(rows(3), keyOf, 3), send)).toEqual([3]);
  expect(calls).toEqual([false]);
});

it("where a part is refused that was not wrong before, the lines that are on record are named", async () => {
  const mixed = [row(0, "a"), row(1), row(2), row(3, "a"), row(4), row(5), row(6)];
  const { sent, errors, send } = watch((first, isCheck) => (!isCheck && first === "line 6" ? refusal(3) : null));
  await expect(sendParts(toParts(mixed, keyOf, 2), send)).rejects.toThrow("2 of 3 outcomes are wrong, and none of these 2 was recorded");
  expect(sent).toEqual(["line 2", "line 5", "line 3", "line 4"]);
  expect(errors.join("")).toBe("On record: lines 2–5. The same file can be sent again: what is on record counts once.\n");
});

it("where nobody answers, the lines of which nothing is known are named too", async () => {
  const gone = new PennyworthError("server_unreachable", { url: "x", cause: "ECONNRESET" });
  const { errors, send } = watch((first, isCheck) => (!isCheck && first === "line 5" ? gone : null));
  await expect(sendParts(toParts(rows(7), keyOf, 3), send)).rejects.toBe(gone);
  expect(errors.join("")).toBe(
    "On record: lines 2–4; perhaps lines 5–7. The same file can be sent again: what is on record counts once.\n",
  );
  const first = watch((_, isCheck) => (isCheck ? null : gone));
  await expect(sendParts(toParts(rows(4), keyOf, 3), first.send)).rejects.toBe(gone);
  expect(first.errors.join("")).toMatch(/^Nothing of the file is on record, but perhaps lines 2–4\. /);
});

it("what has no lines is named by its places", async () => {
  const placed = ["data[0] in_1", "data[1] in_2", "data[2] in_3"].map((place) => ({ place, key: null }));
  const { errors, send } = watch((first, isCheck) => (!isCheck && first === "data[2] in_3" ? new Error("no") : null));
  await expect(sendParts(toParts(placed, keyOf, 2), send)).rejects.toThrow("no");
  expect(errors.join("")).toMatch(/^On record: data\[0\] in_1 to data\[1\] in_2; perhaps data\[2\] in_3\. /);
});
