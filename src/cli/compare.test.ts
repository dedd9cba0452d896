// A comparison as the command line says it, from what the control API answers. Not here: its figures (api/compare.test.ts).

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { compareAnswer } from "../api/compared.ts";
import { createMemory, nowMs } from "../api/memory.fixture.ts";
import { describeCompare } from "./compare.ts";

/** Forty tasks each: `good` never fails and costs a dollar, `bad` and so many others always do and cost three. */
async function told(isSame: boolean, unpriced: readonly number[] = [], { tasks = 40, others = 0 } = {}): Promise<string> {
  const context = createMemory([]);
  const names = ["good", "bad", ...Array.from({ length: others }, (_, index) => `bad ${index}`)];
  const trials = names.flatMap((candidate) =>
    Array.from({ length: tasks }, (_, index) => ({
      candidate,
      task: `${candidate} ${index}`,
      case: isSame ? `case ${index}` : null,
      startMs: nowMs - 1_000_000 + index,
      ending: candidate === "good" ? ("success" as const) : ("failure" as const),
      cost: unpriced.includes(index) ? null : candidate === "good" ? "1" : "3",
    })),
  );
  context.tasks.trials = { trials, truncated: false, position: null };
  const response = await createApi(context).request("/api/v1/compare", { headers: { authorization: "Bearer reader" } });
  return describeCompare(compareAnswer.parse(await response.json()));
}

const of = async (unpriced: readonly number[]): Promise<string> => (await told(false, unpriced)).replaceAll(/ {2,}/g, " ");

it("a success costs at least what is known where tasks have no price", async () => {
  // Thirty-nine dollars over forty.
  expect(await of([7])).toMatch(/^ ?good .* ≥ 0\.975 \(\d/m);
  expect(await of([7])).toContain("2 tasks used something without a price: ≥, at least; $ a task is of the others.");
  expect(await of([])).not.toContain("≥");
  expect(await of(Array.from({ length: 40 }, (_, index) => index))).toMatch(/^ ?good .* unknown unknown not placed/m);
});

describe("who is dominated", () => {
  it("surely is so by whoever did the same work, and not by whoever did other", async () => {
    expect(await told(true)).toMatch(/dominated by good, surely\n/);
    const unlike = await told(false);
    expect(unlike).toMatch(/dominated by good\s*\n/);
    expect(unlike).toContain("They did different work (few shared cases)");
  });
});

it("of few tasks each figure stands with a ?, and what that is is said", async () => {
  const few = await told(false, [], { tasks: 29 });
  expect(few.replaceAll(/ {2,}/g, " ")).toMatch(/^ ?good 29 100 % \(88–100 %\) 1\.00 \(\?\) 1\.00 \(\?\) on it$/m);
  expect(few).toContain("(?): one or two tasks or pieces of work, or fewer than 30 alike, say nothing of how far it may be off.");
  expect(await told(false, [], { tasks: 30 })).not.toContain("(?)");
});

it("of more candidates than are compared says so before the table, and that the frontier is that of these alone", async () => {
  const text = await told(false, [], { tasks: 2, others: 23 });
  expect(text.split("\n").slice(0, 2)).toEqual([
    "1 more candidate (2 tasks) is left out: name them with --candidates. Who is on the frontier is so among these 24 alone.",
    "",
  ]);
  // As many tasks each: the one that always succeeds is among them, whatever its name.
  expect(text).toMatch(/^good {2}/m);
  expect(text).not.toMatch(/fewer tasks/);
  expect(await told(false, [], { tasks: 2, others: 22 })).not.toContain("left out");
});
