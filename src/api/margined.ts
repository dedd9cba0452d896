// Questions about margins and their answers, as schemas. Not here: the reckoning (margin.ts). Invariant: amounts are decimal strings of dollars; what is not
// known is null, never zero, and a figure that cannot be said comes with the reason.

import { z } from "@hono/zod-openapi";
import { shareRules } from "../economics/shares.ts";
import type { GrowthReason } from "../economics/growth.ts";
import { invalid } from "./query.ts";
import { count, fresh, freshness, ms, position, text, time, usd } from "./schema.ts";

export const marginKeys = ["customer", "feature", "plan"] as const;
export const marginOrders = ["margin", "amount", "cost", "revenue"] as const;
export const marginLimitMax = 1_000;

const dollars = (description: string) => z.string().max(100).optional().openapi({ description, example: "120" });
const part = z.number().openapi({ description: "A part: 0.25 is a quarter." });

export const marginQuery = z.strictObject({
  by: z.enum(marginKeys).optional().openapi({ description: "customer unless told." }),
  since: time("The first day; the month before last unless told. Whole days, UTC."),
  until: time("The day after the last; today unless told."),
  shared: z
    .enum(["none", ...shareRules])
    .optional()
    .openapi({
      description:
        "How what belongs to nobody is divided: none (shown apart), usage (by tokens), even, reserved (by what `reserved` says), idle apart (by tokens, of a `capacity`).",
    }),
  reserved: z
    .union([z.string().max(500), z.array(z.string().max(500)).max(1_000)])
    .optional()
    .openapi({
      description: "NAME=TOKENS that a customer or feature has reserved over the span; any number of times.",
      example: "Acme=5000000",
    }),
  capacity: z.string().max(20).optional().openapi({ description: "Tokens that there were to use over the span.", example: "20000000" }),
  losing: z.enum(["true", "false"]).optional().openapi({ description: "`true`: only lines whose margin is below zero." }),
  order: z.enum(marginOrders).optional().openapi({
    description: "margin: the lowest part of revenue first; amount: the lowest in dollars; cost, revenue: the highest. amount unless told.",
  }),
  limit: z
    .string()
    .optional()
    .openapi({ description: `Most lines given, 1 to ${marginLimitMax}; 50 unless told.` }),
  cac: dollars("What winning one customer costs, dollars."),
  churn: z.string().max(20).optional().openapi({ description: "Part of customers that leave in a month, 0 to 1.", example: "0.02" }),
  cash: dollars("What there is to carry losses, dollars."),
  burnGrowth: z.string().max(20).optional().openapi({ description: "By which part losses grow a month; 0 unless told.", example: "0.05" }),
  marginKind: z
    .enum(["gross", "fcf", "ebitda"])
    .optional()
    .openapi({ description: "Which margin the Rule of 40 takes; gross unless told. For the others, `profit` is needed." }),
  profit: dollars("Free cash flow, or EBITDA, of the span, dollars; may be below zero."),
  fresh,
});

export type MarginAsked = z.infer<typeof marginQuery>;

/** @throws PennyworthError `query_invalid` for what would be left out of the answer. */
export function refuseIdle(asked: MarginAsked): void {
  if (asked.reserved !== undefined && asked.shared !== "reserved")
    throw invalid("reserved divides what is shared by it: say shared=reserved too");
  if (asked.capacity !== undefined && asked.shared !== "reserved" && asked.shared !== "idle apart")
    throw invalid("capacity bounds what is shared by it: say shared=idle apart or shared=reserved too");
  const growth = (["cac", "churn", "cash", "burnGrowth", "marginKind", "profit"] as const).find((name) => asked[name] !== undefined);
  if (growth !== undefined && (asked.by ?? "customer") !== "customer") throw invalid(`${growth} is of customers, and by is ${asked.by}`);
  if (asked.burnGrowth !== undefined && asked.cash === undefined) throw invalid("burnGrowth says how fast cash is spent: say cash too");
  if (asked.profit !== undefined && (asked.marginKind ?? "gross") === "gross")
    throw invalid("profit is what the Rule of 40 takes in place of the gross margin: say marginKind=fcf or marginKind=ebitda too");
}

const losing = z.object({
  sinceMonth: z.string().openapi({ description: "The first month of the run that reaches the last whole month.", example: "2026-08" }),
  months: count,
  lost: usd.openapi({ description: "Over the run, above zero." }),
  lastMonth: usd.openapi({ description: "In the last whole month, above zero." }),
  isMaybeEarlier: z
    .boolean()
    .openapi({ description: "Whether it may have begun earlier: revenue of the month before is not known, or was not looked at." }),
});

export const marginLine = z
  .object({
    key: text.openapi({ description: "null: a plan that nobody names." }),
    plans: z.array(z.string()).openapi({ description: "By customer: the plans it had in the span." }),
    revenue: usd.nullable().openapi({ description: "null: nobody says." }),
    cost: usd.openapi({ description: "With its part of what is shared." }),
    shared: usd.openapi({ description: "Of the cost: its part of what belongs to nobody." }),
    margin: usd.nullable(),
    marginShare: part.nullable().openapi({ description: "Of its revenue; null: that is not known, or not above zero." }),
    calls: count.nullable().openapi({ description: "null by plan." }),
    unpriced: count.openapi({ description: "Calls, and days of charges, without a price or a usage: it costs at least what is said." }),
    isCostWhole: z.boolean().openapi({
      description:
        "Whether all of its cost, and of what is shared, has a price: else it costs at least, and its margin is at most, what is said.",
    }),
    losing: losing.nullable().openapi({ description: "By customer: whether the last whole month lost money, and since when." }),
  })
  .openapi("MarginLine");

const reasons = [
  "unknown",
  "no_revenue_before",
  "no_revenue",
  "no_margin",
  "no_churn",
  "no_acquisition_cost",
  "no_new_customers",
  "no_burn",
  "burn_fades",
] as const satisfies readonly GrowthReason[];
const reason = z.enum(reasons).nullable();
const figure = <Value extends z.ZodType>(value: Value, description: string) =>
  z.object({ value: value.nullable(), reason }).openapi({ description });

export const growthShown = z.object({
  ruleOf40: figure(
    z.object({
      growthPercent: z.number(),
      marginPercent: z.number(),
      score: z.number(),
      isMet: z.boolean(),
      margin: z.enum(["gross", "fcf", "ebitda"]),
      months: z.number().openapi({ description: "Between the two spans; where not 12, growth is brought to a year." }),
      isAnnualised: z.boolean(),
    }),
    "Growth of revenue and margin, in percent, added; 40 or more is met.",
  ),
  definition: z.string().openapi({ description: "Of the score, in words: to be shown with it." }),
  revenueBefore: usd.nullable(),
  accounts: count.openapi({ description: "Customers with revenue above zero." }),
  arpa: usd.nullable().openapi({ description: "Their revenue per account and month." }),
  accountMargin: part.nullable().openapi({
    description:
      "Their margin: of accounts alone, without what belongs to nobody or is unknown. Payback and lifetime value rest on it, not on `all.grossMargin`.",
  }),
  isCostWhole: z.boolean().openapi({
    description:
      "Whether all cost of customers has a price: else paybacks and what is absorbed are at least, lifetime values and how long it is carried at most, that.",
  }),
  payback: figure(z.number(), "Months until a customer has paid back what winning it cost, by `accountMargin`: of the mean account."),
  paybackByCustomer: z
    .object({ p10: z.number().nullable(), p50: z.number().nullable(), p90: z.number().nullable(), never: count, customers: count })
    .nullable()
    .openapi({ description: "The same by each one's own margin; a quantile of null: such a customer never pays it back." }),
  lifetimeValue: figure(usd, "Margin of a customer until it leaves."),
  lifetimeToCac: figure(z.number(), "That, over what winning it cost."),
  absorbed: z
    .object({ customers: count, revenue: usd, cost: usd, absorbed: usd, perMonth: usd, unknown: z.object({ customers: count, cost: usd }) })
    .openapi({
      description: "What is lost on customers that cost more than they pay: an acquisition cost that no marketing budget shows.",
    }),
  newCustomers: count.openapi({ description: "Whose first day of revenue is in the span." }),
  cacWithLosses: figure(usd, "What winning a customer costs with what is absorbed, per new customer."),
  paybackWithLosses: figure(z.number(), "Months to pay that back."),
  runway: figure(z.number(), "Months that the cash carries what is absorbed, at what that is a month, which grows by `burnGrowth`."),
});

export const marginAnswer = z
  .object({
    by: z.enum(marginKeys),
    sinceMs: ms,
    untilMs: ms,
    days: count,
    all: z
      .object({
        revenue: usd.nullable().openapi({ description: "Of all statements; null: there is none." }),
        cost: usd.openapi({ description: "As a report of the span has it." }),
        margin: usd.nullable(),
        grossMargin: part.nullable().openapi({ description: "Over everything; the one beside `known` is over known keys alone." }),
        costShare: part.nullable().openapi({ description: "Cost of models over revenue." }),
        isWhole: z.boolean().openapi({
          description: "Whether nobody's revenue is unknown: else revenue is at least what is said.",
        }),
        isCostWhole: z.boolean().openapi({ description: "Whether all of the cost has a price: else it is at least what is said." }),
        bound: z.enum(["exact", "at least", "at most", "none"]).openapi({
          description:
            "Which way the margin is bound; the cost's share is bound the other way. `at least`: revenue of some is unknown; `at most`: some cost has no price; `none`: both, and it may be more or less.",
        }),
      })
      .openapi({ description: "Everything: also what belongs to nobody, and keys whose revenue is not known." }),
    total: z.object({ keys: count, cost: usd }),
    known: z
      .object({
        keys: count,
        revenue: usd,
        cost: usd,
        margin: usd,
        isCostWhole: z.boolean().openapi({
          description:
            "Whether all of their cost has a price: else `grossMargin`, `meanMargin`, `quantiles`, `amounts` are at most, `belowZero` at least, what is said.",
        }),
      })
      .openapi({ description: "Keys whose revenue is known." }),
    unknown: z
      .object({ keys: count, cost: usd })
      .openapi({ description: "Keys whose revenue nobody says, in none of the figures; by plan: customers." }),
    nobody: z
      .object({
        revenue: usd.nullable(),
        cost: usd,
        periodCost: usd.openapi({ description: "Of the cost, charges of periods." }),
        rule: z.enum(["none", ...shareRules]),
        divided: usd.openapi({ description: "What lines pay of it by the rule." }),
        left: usd.openapi({ description: "What no line pays." }),
      })
      .openapi({ description: "What belongs to no key." }),
    grossMargin: part.nullable().openapi({ description: "Of totals, over known keys; over everything it is `all.grossMargin`." }),
    grossMarginMin: part.nullable().openapi({ description: "With the cost of unknown keys, and no revenue for it." }),
    costShare: part.nullable(),
    costShareMax: part.nullable(),
    meanMargin: part.nullable().openapi({ description: "Mean of margins: each key counts alike. Not the margin of totals." }),
    quantiles: z
      .array(z.object({ percent: z.number(), margin: part }))
      .openapi({ description: "Of margins, by nearest rank: of fewer than ten keys, 10 is the lowest and 90 the highest." }),
    amounts: z.array(z.object({ percent: z.number(), margin: usd })),
    bins: z
      .array(z.object({ from: part.nullable(), to: part.nullable(), keys: count }))
      .openapi({ description: "Keys by margin: from inclusive, to exclusive; null: no bound." }),
    belowZero: z.object({ keys: count, share: part.nullable(), lost: usd }),
    withoutRevenue: z.object({ keys: count, cost: usd }).openapi({ description: "Keys known to bring in nothing, or less." }),
    concentration: z
      .object({
        customers: count,
        cost: usd,
        gini: z.number().nullable(),
        tops: z.array(z.object({ top: part, customers: z.number(), share: part, cost: usd })),
        curve: z.array(z.object({ customers: count, customerShare: part, costShare: part })),
        dearest: z.array(
          z.object({
            customer: z.string(),
            cost: usd,
            share: part,
            isCostWhole: z.boolean().openapi({ description: "Whether all of it has a price: else it costs at least what is said." }),
          }),
        ),
        belowZero: z.object({ customers: count, cost: usd }),
      })
      .nullable()
      .openapi({ description: "By customer: how unevenly their own cost falls on them." }),
    losing: z
      .object({ month: z.string(), customers: count, lost: usd, unknown: z.object({ customers: count, cost: usd }) })
      .nullable()
      .openapi({ description: "By customer: those that cost more than they paid in the last whole month, by their own cost alone." }),
    growth: growthShown.nullable().openapi({ description: "By customer." }),
    lines: z.array(marginLine),
    truncated: z.boolean(),
    notes: z.array(z.string()),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Margins");

export type MarginAnswer = z.infer<typeof marginAnswer>;
export type MarginLineShown = z.infer<typeof marginLine>;
