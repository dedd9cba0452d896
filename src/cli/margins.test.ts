// Margins in words: which way they are bound, few keys, nobody that loses. Not here: the sums (test/margin.test.ts).

import { describe, expect, it } from "vitest";
import { boundOf, notesOf } from "../api/bounds.ts";
import type { MarginAnswer } from "../api/margined.ts";
import { toPico } from "../core/money.ts";
import { describeMargin } from "./margins.ts";

/** Two plans, 100 and 50 of revenue for 40 and 60 of cost. */
function answer(known: boolean, priced: boolean): MarginAnswer {
  const line = { plans: [], shared: "0", calls: null, unpriced: priced ? 0 : 1, isCostWhole: priced, losing: null };
  return {
    by: "plan",
    sinceMs: Date.UTC(2026, 9),
    untilMs: Date.UTC(2026, 10),
    days: 31,
    all: {
      revenue: "150",
      cost: "100",
      margin: "50",
      grossMargin: 1 / 3,
      costShare: 2 / 3,
      isWhole: known,
      isCostWhole: priced,
      bound: boundOf(known, priced),
    },
    total: { keys: 2, cost: "100" },
    known: { keys: 2, revenue: "150", cost: "100", margin: "50", isCostWhole: priced },
    unknown: { keys: known ? 0 : 1, cost: "0" },
    nobody: { revenue: null, cost: "0", periodCost: "0", rule: "none", divided: "0", left: "0" },
    grossMargin: 1 / 3,
    grossMarginMin: 1 / 3,
    costShare: 2 / 3,
    costShareMax: 2 / 3,
    meanMargin: 0.2,
    quantiles: [-0.2, -0.2, -0.2, 0.6, 0.6].map((margin, index) => ({ percent: [10, 25, 50, 75, 90][index] as number, margin })),
    amounts: [],
    bins: [],
    belowZero: { keys: 1, share: 0.5, lost: "10" },
    withoutRevenue: { keys: 0, cost: "0" },
    concentration: null,
    losing: null,
    growth: null,
    lines: [
      { ...line, key: "pro", revenue: "100", cost: "40", margin: "60", marginShare: 0.6 },
      { ...line, key: "team", revenue: "50", cost: "60", margin: "-10", marginShare: -0.2 },
    ],
    truncated: false,
    notes: [],
    position: null,
    fresh: true,
  } as unknown as MarginAnswer;
}

/** Nothing but why there is no Rule of 40. */
function none(reason: string, definition: string): string {
  const no = { value: null };
  const figures = { payback: no, lifetimeValue: no, lifetimeToCac: no, cacWithLosses: no, runway: no, paybackByCustomer: null };
  const growth = { ...figures, ruleOf40: { value: null, reason }, definition, isCostWhole: true, absorbed: { customers: 0 } };
  return describeMargin({ ...answer(true, true), growth: growth as unknown as MarginAnswer["growth"] });
}

describe("a margin", () => {
  it("is bound the way that what is missing can move it, and not at all by both", () => {
    expect(describeMargin(answer(true, true))).toContain(
      "revenue $150.00, cost $100.00, gross margin $50.00 (33 %), AI cost 67 % of revenue.",
    );
    expect(describeMargin(answer(false, true))).toContain(
      "$150.00 or more, cost $100.00, gross margin $50.00 (33 %) or more, AI cost 67 % of revenue or less.",
    );
    expect(describeMargin(answer(true, false))).toContain(
      "$150.00, cost $100.00 or more, gross margin $50.00 (33 %) or less, AI cost 67 % of revenue or more.",
    );
    expect(describeMargin(answer(false, false))).toContain(
      "gross margin $50.00 (33 %), AI cost 67 % of revenue. The margin may be more or less:",
    );
    expect(notesOf("customer", 1, 2, "none", toPico(69_332_306_915_000n)).join(" ")).toMatch(
      /margins of those .* at most\. The margin of all may be more.*\$69\.33 of cost/,
    );
  });

  it("carries the bound of its cost to lines, quantiles and losses", () => {
    const said = describeMargin(answer(true, false));
    expect(said).toMatch(/pro +100\.00 +≥ 40\.00 +≤ 60\.00 +≤ 60 %/);
    expect(said).toContain("the lowest ≤ -20 %, half at ≤ -20 % or below, the highest ≤ 60 %; mean ≤ 20 %, of totals ≤ 33 %.");
    expect(said).toContain("Below zero: ≥ 1 of 2, ≥ $10.00 together.");
  });

  it("says that none loses where only those were asked for", () => {
    expect(describeMargin({ ...answer(true, true), lines: [] }, true)).toContain(
      "None loses money, of 2 plans with known revenue, in these days.",
    );
  });

  it("says why there is no Rule of 40, and not nothing", () => {
    expect(none("no_revenue_before", "growth of revenue in percent against the same days a year before, plus …")).toContain(
      "Rule of 40: not known: no revenue of the same days a year before (of three months or more, growth may be against as many days just before).",
    );
    expect(none("no_revenue_before", "growth of revenue in percent against as many days just before, 3 months, …")).toContain(
      "Rule of 40: not known: no revenue of as many days before.",
    );
    expect(none("no_revenue", "")).toContain("Rule of 40: not known: there is no revenue.");
  });
});
