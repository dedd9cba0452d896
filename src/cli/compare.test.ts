// A comparison as the command line says it, from what the control API answers. Not here: its figures (api/compare.test.ts).

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { compareAnswer } from "../api/compared.ts";
import { createMemory, nowMs } from "../api/memory.fixture.ts";
import { describeCompare } from "./compare.ts";

/** Forty tasks each: `good` never fails and costs a dollar, `bad` always does and costs three. */
async function told(isSame: boolean, unpriced: readonly number[] = []): Promise<string> {
  const context = createMemory([]);
  const trials = ["good", "bad"].flatMap((candidate) =>
    Array.from({ length: 40 }, (_, index) => ({
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
