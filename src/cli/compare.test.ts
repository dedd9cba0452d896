// A comparison as the command line says it, from what the control API answers. Not here: its figures (api/compare.test.ts).

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { compareAnswer } from "../api/compared.ts";
import { createMemory, nowMs } from "../api/memory.fixture.ts";
import { describeCompare } from "./compare.ts";

/** Forty tasks each: `good` never fails and costs a dollar, `bad` always does and costs three. */
async function told(isSame: boolean): Promise<string> {
  const context = createMemory([]);
  const trials = ["good", "bad"].flatMap((candidate) =>
    Array.from({ length: 40 }, (_, index) => ({
      candidate,
      task: `${candidate} ${index}`,
      case: isSame ? `case ${index}` : null,
      startMs: nowMs - 1_000_000 + index,
      ending: candidate === "good" ? ("success" as const) : ("failure" as const),
      cost: candidate === "good" ? "1" : "3",
    })),
  );
  context.tasks.trials = { trials, truncated: false, position: null };
  const response = await createApi(context).request("/api/v1/compare", { headers: { authorization: "Bearer reader" } });
  return describeCompare(compareAnswer.parse(await response.json()));
}

describe("who is dominated", () => {
  it("surely is so by whoever did the same work, and not by whoever did other", async () => {
    expect(await told(true)).toMatch(/dominated by good, surely\n/);
    const unlike = await told(false);
    expect(unlike).toMatch(/dominated by good\s*\n/);
    expect(unlike).toContain("They did different work (few shared cases)");
  });
});
