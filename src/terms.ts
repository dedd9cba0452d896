// Budgets, rates, caps on trees and the guard's own settings, as shapes: the settings file and the control API take the same. Not here: what
// the words mean (guard/settings.ts, guard/trees.ts). Invariant: an unknown word is an error, and no amount is a number that could lose digits.

import { z } from "zod";

/** What a thing is called in the settings. */
export const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "expected up to 64 of a-z, 0-9, dot, dash and underscore");

/** What people say of budgets and rates beside their id, as text that guard/settings.ts reads. The control API takes the same. */
const words = (what: string) => z.string({ error: `expected text, ${what}` }).max(200);
const terms = {
  /** Who answers for it. */
  owner: z.string({ error: "expected who answers for it: a person or a team" }).trim().min(1).max(100),
  for: z.record(z.string(), words("in quotes where it is a number").min(1)).default({}),
  each: z.array(z.string()).max(4).default([]),
  limit: words('such as "$500 per month"'),
  mode: z.enum(["hard", "soft", "shadow"]).default("hard"),
  unbounded: z.enum(["refuse", "allow"]).default("refuse"),
};
export const budgetTerms = z.strictObject({
  ...terms,
  /** IANA name; UTC when absent. */
  zone: z.string().max(100).optional(),
  carry: words("such as $100, all or none").default("none"),
  caps: z.enum(["inject", "lower"]).default("inject"),
  /** Output tokens; the median answer of the call's task type when absent. */
  useful: z.int().min(0).max(1_000_000).optional(),
  degrade: z
    .array(
      z.strictObject({
        at: words("such as 80%"),
        model: z.string().min(1).max(200).optional(),
        cap: z.int().min(1).optional(),
        wait: words("such as 30s").optional(),
      }),
    )
    .max(10)
    .default([]),
  alerts: z.array(words("such as 80%")).max(10).default(["80%", "100%"]),
});
export const rateTerms = z.strictObject({
  ...terms,
  alerts: z.array(words("such as 80%")).max(10).default([]),
  /** How many at once each value of a field is sure of. */
  shares: z.record(z.string(), z.record(z.string(), z.int().min(1))).optional(),
  priority: z.int().min(0).max(9).default(0),
});
export const budgetSchema = budgetTerms.extend({ id: name });
export const rateSchema = rateTerms.extend({ id: name });

/** The most that passes: a number beyond which it stops, or one for each answer. */
const steps = <Value extends z.ZodType>(value: Value, example: string) =>
  z.union([value, z.strictObject({ warn: value.optional(), slow: value.optional(), stop: value.optional() })], {
    error: `expected, for example, ${example}, or { warn: …, slow: …, stop: ${example} }`,
  });
const counted = (min: number) => steps(z.int().min(min).max(1_000_000), "5").optional();
export const treeSchema = z.strictObject({
  id: name,
  for: z.record(z.string(), words("in quotes where it is a number").min(1)).default({}),
  /** Levels below the root. */
  depth: counted(0),
  /** Children of one task. */
  fanOut: counted(1),
  taskCalls: counted(1),
  /** Of the whole tree. */
  calls: counted(1),
  tries: counted(1),
  time: steps(z.string().max(200), "2h").optional(),
  loop: counted(1),
  noProgress: steps(z.string().max(200), "$5").optional(),
});

export const guardSchema = z.strictObject({
  /** How long a call that a rate refuses may wait for its turn; 0: not at all. */
  waitMsMax: z.int().min(0).max(600_000).default(0),
  /** Calls that wait at the same time. */
  waitingMax: z.int().min(1).max(100_000).default(1_000),
  /** Whose turn it is: a heavy one of these slows only itself. */
  fair: z.enum(["key", "team", "agent", "feature", "customer", "user"]).default("key"),
  /** Budgets and rates. */
  budgetsMax: z.int().min(1).max(1_000_000).default(10_000),
  /** Refusals that can be listed; older ones are in the journal. */
  refusalsMax: z.int().min(1).max(1_000_000).default(10_000),
});

export type BudgetTerms = z.infer<typeof budgetTerms>;
export type RateTerms = z.infer<typeof rateTerms>;
export type TreeSettings = z.infer<typeof treeSchema>;
