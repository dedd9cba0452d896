// Where the tokens go, as the command line says it, from what the control API answers to sums that a hand can add.

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory } from "../api/memory.fixture.ts";
import { shapeAnswer } from "../api/shape.ts";
import type { ShapePage, StepSums } from "../ledger/shape.ts";
import { describeShape } from "./shapes.ts";

const edit: StepSums = {
  step: "edit\u001b[31m",
  provider: "openai",
  model: "gpt-5-mini",
  calls: 10,
  cost: "2",
  unpriced: 0,
  unmetered: 0,
  retries: 3,
  failed: 2,
  failedCost: "0.3",
  repeated: 1,
  repeatedCost: "0.1",
  inputTokens: 100_000,
  outputTokens: 2_000,
  tools: 7,
  toolsUnknown: 1,
  prompt: { system: 1_000, tools: 500, user: 100, earlier: 8_000, toolResults: 400 },
  promptUnknown: 0,
  continued: 8,
  grownTokens: 12_000,
  resentTokens: 40_000,
  resentCost: "0.01",
  resentUnpriced: 0,
  inputTokensMax: 40_000,
  classes: [],
};
const none = {
  failed: 0,
  failedCost: "0",
  repeated: 0,
  repeatedCost: "0",
  continued: 0,
  grownTokens: 0,
  resentTokens: 0,
  resentCost: "0",
  retries: 0,
};
const page = {
  steps: [edit, { ...edit, ...none, step: null, provider: "own", model: "m", calls: 2, cost: "0", unpriced: 2, tools: 0, toolsUnknown: 2 }],
  tasks: 4,
  callsMax: 9,
  depth: { max: 3, sum: 5 },
};

async function told(found: Partial<ShapePage>, query = ""): Promise<string[]> {
  const context = createMemory([]);
  Object.assign(context.tasks.shape, found);
  const response = await createApi(context).request(`/api/v1/shape${query}`, { headers: { authorization: "Bearer reader" } });
  return describeShape(shapeAnswer.parse(await response.json()))
    .replaceAll(/ {2,}/g, "  ")
    .split("\n");
}

describe("where the tokens go", () => {
  it("is said line by line: steps, prompt, context, waste, and what is not known", async () => {
    const lines = await told(page, "?type=fix");
    expect(lines.slice(0, 3)).toEqual([
      "fix: 12 calls of 4 tasks (3 a task, 9 at most; 1.3 deep, 3 at most), 3 retries, ≥ $2.00",
      "Calls whose own task is of this type; what its parts of other types cost is under those.",
      "By kind of step: act $2.00, other unknown",
    ]);
    // Nobody knows how many tools two calls called, nor what they cost; a name cannot colour the terminal.
    expect(lines).toContain("edit\\u001b[31m  act  10  3  2  1  ≥ 7  100,000  1,500  10 %  2.00  100 %  0.4");
    expect(lines).toContain("—  —  2  0  0  0  ?  100,000  —  —  unknown  0");
    expect(lines).toContain("total  12  3  2  1  ≥ 7  200,000  1,500  10 %  ≥ 2.00  100 %  0.4");
    expect(lines.slice(-5)).toEqual([
      "The prompts by bytes, with tokens by estimate: system 10 % (~20,000), tools’ descriptions 5.0 % (~10,000), earlier turns 80 % (~160,000), tools’ results 4.0 % (~8,000), last turn 1.0 % (~2,000).",
      "The longest prompt: 40,000 tokens. The fullest window: 10 % of 400,000 (gpt-5-mini).",
      "Sent again and not read from a cache: 40,000 tokens for $0.01. What a cache would have saved is not known: there is no price of one.",
      "The most wasteful step: edit\\u001b[31m. Without its waste, $0.4 less (20 %): $0.3 on calls that failed, $0.1 on the same asked again.",
      "2 calls used something without a price: ≥, at least.",
    ]);
  });

  it("of nothing is no table, and names the types there are", async () => {
    expect(await told({})).toEqual([
      "No call in this span. --since looks further back. A call names its step with the header x-pennyworth-step.",
    ]);
    expect(await told({ types: [{ type: "fix", calls: 1, cost: "1" }] }, "?type=fxi")).toEqual([
      "No call of such a task in this span. Types there are: fix.",
    ]);
  });
});
