// Costs that providers report, digit by digit. The oracle of recorded ones is the price list, by hand: tokens times dollars a million.

import * as fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reportedCost } from "./cost.ts";
import { Doubts } from "./tally.ts";

const folder = "../shared/data/recordings";
const here = existsSync(folder);

function cost(raw: string | null): string | undefined {
  return reportedCost(raw, new Doubts());
}

describe("a reported cost", () => {
  it.each([
    // OpenRouter: a credit is a dollar.
    ['{"cost": 0.00014, "is_byok": false}', "0.00014"],
    ['{"cost":1.2e-05}', "0.000012"],
    ['{"cost":1.25E-5}', "0.0000125"],
    ['{"cost":2.5e+1}', "25"],
    ['{"cost":3e2}', "300"],
    ['{"cost":0}', "0"],
    ['{"cost":0.0}', "0"],
    ['{"cost":10.00}', "10"],
    // Finer than a picodollar, and finer than a float can tell.
    ['{"cost":0.1000000000000000000001}', "0.1000000000000000000001"],
    ['{"cost":1.5e-13}', "0.00000000000015"],
    // A key of one's own: the maker's bill and the fee, added without a float (0.1 + 0.2).
    ['{"cost":0.1,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2}}', "0.3"],
    ['{"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":1.9e-05}}', "0.000019"],
    // Not one's own: the maker's bill is inside the cost.
    ['{"cost":0.95,"is_byok":false,"cost_details":{"upstream_inference_cost":0.95}}', "0.95"],
    ['{"cost":0.95,"cost_details":{"upstream_inference_cost":19}}', "0.95"],
    // Perplexity.
    ['{"cost":{"input_tokens_cost":2.1e-05,"request_cost":0.006,"total_cost":0.006043}}', "0.006043"],
    // xAI: 10^10 ticks a dollar; the example of its page.
    ['{"cost_in_usd_ticks":37756000}', "0.0037756"],
    ['{"cost_in_usd_ticks":200000000}', "0.02"],
    ['{"cost_in_usd_ticks":1}', "0.0000000001"],
    // None.
    ["{}", undefined],
    ['{"cost":null,"cost_in_usd_ticks":null}', undefined],
    ['{"cost":{"currency":"USD"}}', undefined],
    ['{"note":"\\"cost\\":5"}', undefined],
    [null, undefined],
  ])("%s is %s", (raw, dollars) => {
    const doubts = new Doubts();
    expect(reportedCost(raw, doubts)).toBe(dollars);
    expect(doubts.said).toEqual([]);
  });

  it.each(['{"cost":"0.1"}', '{"cost":-1}', '{"cost":[1]}', '{"cost":1e999}', '{"cost":{"total_cost":true}}', '{"cost_in_usd_ticks":-5}'])(
    "%s is no amount: a doubt, and no cost",
    (raw) => {
      const doubts = new Doubts();
      expect(reportedCost(raw, doubts)).toBeUndefined();
      expect(doubts.said).toHaveLength(1);
    },
  );

  it("with a key of one's own and no bill is only a part: a doubt, and no cost", () => {
    const doubts = new Doubts();
    expect(reportedCost('{"cost":0.001,"is_byok":true,"cost_details":{"upstream_inference_cost":null}}', doubts)).toBeUndefined();
    expect(doubts.said).toHaveLength(1);
  });

  it("is what JSON means, however it is written", () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.integer({ min: 0, max: 20 }), fc.integer({ min: -20, max: 20 }), (digits, point, exponent) => {
        const text = digits.toString().padStart(point + 1, "0");
        const mantissa = point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
        const dollars = cost(`{"cost":${mantissa.replace(/^0+(?=\d)/, "")}e${exponent}}`) ?? "none";
        const [whole = "", fraction = ""] = dollars.split(".");
        // digits × 10^(exponent − point), compared as whole numbers of 10^-40.
        expect(BigInt(whole + fraction.padEnd(40, "0"))).toBe(BigInt(digits) * 10n ** BigInt(40 + exponent - point));
        expect(fraction.endsWith("0")).toBe(false);
      }),
    );
  });
});

describe.skipIf(!here)("recorded costs of xAI (skipped: ../shared/data is not here)", () => {
  // grok-3-mini: $0.30 a million in, $0.075 cached, $0.50 out; reasoning is beside the completion, and billed as output.
  it.each([
    "xai/xai-text.json",
    "xai/xai-tool-call.json",
    "openai-compatible/chat--xai-text.json",
    "openai-compatible/chat--xai-tool-call.json",
  ])("%s costs what its tokens come to", (name) => {
    const { usage } = JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as { usage: Record<string, never> };
    const u = usage as unknown as {
      prompt_tokens: number;
      completion_tokens: number;
      prompt_tokens_details: { cached_tokens: number };
      completion_tokens_details: { reasoning_tokens: number };
    };
    const cached = u.prompt_tokens_details.cached_tokens;
    // In thousandths of a microdollar.
    const nano =
      (u.prompt_tokens - cached) * 300 + cached * 75 + (u.completion_tokens + u.completion_tokens_details.reasoning_tokens) * 500;
    const dollars = `0.${String(nano).padStart(9, "0")}`.replace(/0+$/, "");
    expect(cost(JSON.stringify(usage))).toBe(dollars);
  });
});
