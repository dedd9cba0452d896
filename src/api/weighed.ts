// The shapes of `/api/v1/worth`: what may be asked about an agent against a person, and what is answered. Not here: the reckoning (weigh.ts). Invariant:
// an impossible probability, a negative time, an amount that is no dollars and a field that nobody knows are refused by their names.

import { z } from "@hono/zod-openapi";
import { parseUsd } from "../core/money.ts";
import { reasons } from "../economics/verdict.ts";
import { minutesMax } from "../economics/worth.ts";
import { count, ms, text, time, usd } from "./schema.ts";

const usdMax = "1000000000000";
const needed = "is needed";
const amountWords = `must be dollars as text, such as "0.0585": from 0 to ${usdMax}, with at most twelve decimals`;
const amount = z
  .string({ error: ({ input }) => (input === undefined ? needed : amountWords) })
  .refine((said) => /^\d{1,13}(\.\d{1,12})?$/.test(said) && parseUsd(said) <= parseUsd(usdMax), { error: amountWords })
  .openapi({ example: "0.0585" });
const minutesWords = ({ input }: { readonly input?: unknown }): string =>
  `must be minutes, a number from 0 to ${minutesMax}${typeof input === "number" ? `, not ${input}` : ""}`;
const minutes = z
  .number({ error: ({ input }) => (input === undefined ? needed : minutesWords({ input })) })
  .min(0, { error: minutesWords })
  .max(minutesMax, { error: minutesWords });
const shareWords = (said: unknown): string =>
  `must be a probability, from 0 to 1${typeof said === "number" && said >= 2 && said <= 100 ? `; ${said} % is ${said / 100}` : ""}`;
const shareError = { error: ({ input }: { readonly input?: unknown }) => shareWords(input) };
const share = z.number(shareError).min(0, shareError).max(1, shareError);
const wholeWords = "must be a whole number, zero or more";
const whole = z
  .number({ error: wholeWords })
  .refine((said) => Number.isSafeInteger(said) && said >= 0, { error: wholeWords })
  .openapi({ type: "integer", minimum: 0 });

const successWords = 'must be a probability (0.68), a range ({"low": 0.6, "high": 0.75}) or counts ({"successes": 41, "tasks": 60})';
export const success = z
  .union(
    [
      share,
      z
        .strictObject({ low: share, high: share })
        .refine(({ low, high }) => low <= high, { path: ["low"], error: "must not be above high" }),
      z
        .strictObject({
          successes: whole,
          tasks: whole,
          confidence: z
            .number()
            .min(0.5, "must be from 0.5 to 0.999")
            .max(0.999, "must be from 0.5 to 0.999")
            .optional()
            .openapi({ description: "Of the interval; 0.95 unless told." }),
        })
        .refine(({ successes, tasks }) => successes <= tasks, { path: ["successes"], error: "must not be above the tasks" }),
    ],
    { error: successWords },
  )
  .openapi({ description: "How often a run succeeds: said, said as a range, or counted. Left out: nobody knows." });

export type SaidSuccess = z.infer<typeof success>;

const typeWords = "must name a task type";
const typeName = z
  .string({ error: ({ input }) => (input === undefined ? needed : typeWords) })
  .trim()
  .min(1, typeWords)
  .max(1_000);

/** Of one way to have a task done by an agent. */
const way = {
  reviewMinutes: minutes.optional().openapi({ description: "Of a person, to check a run, however it ended; none unless told." }),
  reviewRate: amount.optional().openapi({ description: "Dollars for an hour of it; the person's unless told." }),
  success: success.optional(),
  cleanupMinutes: minutes.optional().openapi({ description: "To clean up after a failure, beyond doing the task again." }),
  cleanupRate: amount.optional(),
  cleanup: amount.optional().openapi({ description: "What a failure costs besides labour." }),
  detection: share.optional().openapi({ description: "The share of failures that are found; 1 unless told. A person then does the task." }),
  damage: amount.optional().openapi({ description: "Done by a failure that is not found." }),
  irreversible: amount.optional().openapi({ description: "Added to the damage where what was done cannot be undone." }),
};

export const ledgerWanted = {
  agent: z.string().trim().min(1).max(1_000).optional().openapi({ description: "Tasks of this agent alone." }),
  since: time("Tasks that began from then on."),
  until: time("Tasks that began before."),
};

export const worthWanted = z
  .strictObject({
    person: z
      .strictObject({ minutes, rate: amount })
      .optional()
      .openapi({ description: "Who would do it otherwise: minutes for a task, and dollars for an hour." }),
    value: amount.optional().openapi({ description: "Of a finished task, where nobody would do it otherwise." }),
    agent: z.strictObject({
      cost: amount.optional().openapi({ description: "Of a run, however it ends. Needed, unless it comes from the ledger." }),
      ...way,
      unreviewed: share.optional().openapi({ description: "The share of failures that come to light without a review; none unless told." }),
      minutes: minutes.optional().openapi({ description: "That a run takes: for the times of GDPval's two ways." }),
    }),
    dearer: z
      .strictObject({ cost: amount, ...way })
      .optional()
      .openapi({ description: "A dearer model or agent for the same task. What is left out is as with the agent." }),
    tasks: whole.optional().openapi({ description: "How many; 1 unless told." }),
    fromLedger: z
      .strictObject({ type: typeName, ...ledgerWanted })
      .optional()
      .openapi({ description: "Take cost, review time and success of tasks of this type from the ledger, where they are not said." }),
  })
  .superRefine(({ person, value, agent, dearer, fromLedger }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: "custom", path: path.split("."), message });
    if ((person === undefined) === (value === undefined))
      refuse(
        "person",
        person === undefined ? "is needed, or else value" : "and value exclude each other: an agent stands against one of them",
      );
    if (agent.cost === undefined && fromLedger === undefined) refuse("agent.cost", "is needed");
    if (person !== undefined) return;
    const rates = { reviewRate: agent.reviewRate, cleanupRate: agent.cleanupRate };
    for (const [name, one, rate] of [
      ["agent", agent, {}],
      ["dearer", dearer, rates],
    ] as const)
      for (const labour of ["review", "cleanup"] as const)
        if ((one?.[`${labour}Minutes`] ?? 0) > 0 && { ...rate, ...one }[`${labour}Rate`] === undefined)
          refuse(`${name}.${labour}Rate`, "is needed, since there is no person whose rate could be taken");
  })
  .openapi("WorthWanted");

export type WorthWanted = z.infer<typeof worthWanted>;

const ratio = z.number().nullable();
const breakEven = z
  .object({
    kind: z.enum(["at", "always", "never"]).openapi({ description: "at: above `p`. always, never: at every probability, at none." }),
    p: ratio.openapi({ description: "As the formula gives it, so it may lie outside 0 to 1; null: success does not matter." }),
  })
  .openapi("BreakEven");
const known = z
  .object({
    low: z.number(),
    at: ratio.openapi({ description: "The best guess; null: a range has none." }),
    high: z.number(),
    kind: z.enum(["said", "range", "counted"]),
    successes: count.nullable(),
    tasks: count.nullable(),
    confidence: ratio,
  })
  .openapi("KnownSuccess");

export const expectation = z
  .object({
    p: z.number(),
    agent: usd,
    parts: z
      .object({ run: usd, review: usd, cleanup: usd, redo: usd, damage: usd })
      .openapi({ description: "They add up to `agent`. redo: a person does after all what the agent failed at." }),
    other: usd.openapi({ description: "Done by the person, or the value in expectation." }),
    saved: usd.openapi({ description: "other − agent; below zero: lost." }),
    savedPercent: text.openapi({ description: "Of `other`, to two decimals." }),
    peopleHours: z.number().openapi({ description: "With the agent: checking, cleaning up, doing it after all." }),
    savedHours: ratio.openapi({ description: "null: nobody would do it otherwise." }),
  })
  .openapi("Expectation");
const pair = z.object({ perTask: expectation, all: expectation });

const value = z.union([z.number(), z.string()]);
const bar = z
  .object({
    input: z.enum([
      "success",
      "detection",
      "minutes",
      "reviewMinutes",
      "cleanupMinutes",
      "cost",
      "cleanup",
      "damage",
      "rate",
      "personRate",
      "reviewRate",
      "cleanupRate",
      "value",
    ]),
    unit: z.enum(["share", "minutes", "dollars", "dollars_per_hour"]),
    now: value,
    low: value,
    high: value,
    lowCost: usd.openapi({ description: "What the agent then costs above what stands against it, per task; below zero, it is worth it." }),
    highCost: usd,
    width: usd,
    flips: z.boolean().openapi({ description: "Worth it at one end, and not at the other." }),
    turnsAt: value.nullable().openapi({ description: "Where it turns, all else as it is; null: nowhere that is possible." }),
  })
  .openapi("SensitivityBar");

const gdpvalWay = z.object({ minutes: ratio, cost: usd.nullable(), speedup: ratio, saving: ratio });
const from = z.enum(["said", "ledger", "none"]);
export const ledgerFacts = z
  .object({
    type: z.string(),
    agent: text,
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    successes: count,
    failures: count,
    unknown: count,
    open: count,
    cost: usd.nullable().openapi({ description: "Of a task that has ended, with its rework; null: none has." }),
    costInterval: z.object({ low: usd, high: usd.nullable() }).nullable().openapi({
      description:
        "95 % of `cost`, an estimate by bootstrap over tasks; a high of null: no upper bound; null: not enough data, or nobody knows the cost.",
    }),
    reviewMinutes: ratio.openapi({ description: "Of people, per task that has ended; null: nobody said." }),
    reviewed: count.openapi({ description: "Tasks of which somebody said it." }),
    reviewInterval: z.object({ low: z.number(), high: z.number() }).nullable().openapi({
      description:
        "95 % of `reviewMinutes`, Student's: where nobody said it, from no time to as much as where somebody did; null: not enough data, fewer than 30 said it.",
    }),
    unpriced: count.openapi({ description: "Tasks whose cost is not known in full." }),
    contradictory: count,
  })
  .openapi("LedgerTasks");

export const worthAnswer = z
  .object({
    tasks: count,
    verdict: z.enum(["go", "no", "not_enough_data"]).openapi({
      description: "Of the ledger's success, go or no only where it would stand had every task without a known end failed, or succeeded.",
    }),
    reason: z.enum(reasons).openapi({
      description: "ends_unknown: the known ends would decide it, and those that are open or that nobody said could turn it.",
    }),
    summary: z.string().openapi({ description: "The verdict in one plain sentence, rounded." }),
    success: known.nullable().openapi({ description: "null: nothing is known." }),
    breakEven,
    saved: z.object({ low: usd.nullable(), at: usd.nullable(), high: usd }).nullable().openapi({
      description:
        "Per task, at the worst and the best of what is known of success and of the ledger's cost and time to check; a low of null: no bound. Of the ledger's success, tasks of which nobody said how they ended are failures at the worst and successes at the best.",
    }),
    moreTasks: z
      .object({ likely: count.nullable(), least: count })
      .nullable()
      .openapi({ description: "How many more outcomes would settle it, if they go on so, and at the least." }),
    basis: z
      .object({ p: z.number(), of: z.enum(["said", "observed", "middle"]) })
      .nullable()
      .openapi({ description: "The success that sums are made at." }),
    expected: z
      .object({ low: pair.nullable(), basis: pair, high: pair })
      .nullable()
      .openapi({ description: "At the worst, at `basis`, and at the best of what is known, as `saved`." }),
    review: z
      .object({ pays: z.boolean(), cost: usd, gain: usd, belowP: ratio, unreviewed: z.number(), isHarmless: z.boolean() })
      .nullable()
      .openapi({
        description: "Whether checking is worth its price; null: nothing is checked, or nothing is known. isHarmless: no damage is said.",
      }),
    sensitivity: z
      .object({ p: z.number(), base: usd, bars: z.array(bar) })
      .nullable()
      .openapi({ description: "The widest first." }),
    dearer: z
      .object({
        p: z.number(),
        isAssumed: z.boolean().openapi({ description: "Nothing was said of its success: it is taken to be the agent's." }),
        saved: usd.openapi({ description: "Per task, over the agent; below zero: lost." }),
        savedLow: usd.nullable().openapi({ description: "The same over what is known, as `saved` of the agent; null: no bound." }),
        savedHigh: usd.nullable(),
        needed: breakEven.openapi({ description: "The success from which it is worth its price." }),
        reviewMinutes: ratio.openapi({ description: "The most minutes of checking at which it is." }),
        cost: usd.nullable().openapi({ description: "The most that a run of it may cost." }),
        expected: expectation,
      })
      .nullable(),
    gdpval: z
      .object({ once: gdpvalWay, untilAccepted: gdpvalWay, breakEven: z.object({ time: ratio, cost: ratio }) })
      .nullable()
      .openapi({ description: "GDPval's arithmetic on the same numbers, without clean-up, detection and damage." }),
    used: z.object({
      cost: z.object({ value: usd, from: from.exclude(["none"]) }),
      reviewMinutes: z.object({ value: z.number(), from }),
      success: z.object({ value: success.nullable(), from }),
    }),
    ledger: ledgerFacts.nullable().openapi({ description: "What the ledger has; `used` says what of it was taken." }),
    notes: z.array(z.string()),
  })
  .openapi("Worth");

const typesMax = 100;
export const mapWanted = z
  .strictObject({
    rate: amount.openapi({ description: "Dollars for an hour of who would do the tasks." }),
    reviewRate: amount.optional().openapi({ description: "Dollars for an hour of checking; `rate` unless told." }),
    cleanupMinutes: minutes.optional(),
    cleanup: amount.optional(),
    detection: share.optional().openapi({ description: "The share of failures that are found; 1 unless told." }),
    irreversible: amount.optional(),
    damage: amount.optional().openapi({ description: "Of types that say none of their own; left out: not known." }),
    types: z
      .array(
        z.strictObject({
          type: typeName,
          minutes: minutes.nullish().openapi({ description: "That a person needs to do it." }),
          reviewMinutes: minutes.nullish().openapi({ description: "That a person needs to check it." }),
          cost: amount.nullish().openapi({ description: "Of a run of the agent." }),
          damage: amount.nullish().openapi({ description: "Done by a failure that is not found; `damage` of the question unless told." }),
          success: success.nullish(),
        }),
      )
      .max(typesMax, `takes at most ${typesMax} types`),
    fromLedger: z.strictObject(ledgerWanted).optional().openapi({
      description:
        "Fill in cost, review time and success of these types, where the ledger has enough data, and add the ledger's other types.",
    }),
  })
  .superRefine(({ types }, context) => {
    const seen = new Set<string>();
    for (const [index, { type }] of types.entries()) {
      if (seen.has(type))
        context.addIssue({ code: "custom", path: ["types", index, "type"], message: `names ${JSON.stringify(type)} twice` });
      seen.add(type);
    }
  })
  .openapi("WorthMapWanted");

export type MapWanted = z.infer<typeof mapWanted>;

const place = z.enum(["person", "risky", "review", "sweet"]);
export const mapAnswer = z
  .object({
    points: z.array(
      z
        .object({
          type: z.string(),
          minutes: ratio,
          reviewMinutes: ratio,
          cost: usd.nullable(),
          damage: usd.nullable(),
          costInterval: z
            .object({ low: usd, high: usd })
            .nullable()
            .openapi({ description: "Of the ledger's cost; null: it is said, or not known." }),
          reviewInterval: z.object({ low: z.number(), high: z.number() }).nullable(),
          from: z.object({ reviewMinutes: from, cost: from, success: from }),
          ratio: ratio.openapi({ description: "Time to check over time to do." }),
          success: known.nullable(),
          classes: z.object({ low: place, at: place.nullable(), high: place }).nullable().openapi({
            description:
              "At the worst and the best of what is known of success, ends that nobody said too, and of the ledger's cost and time to check, and at the best guess. person: the agent saves nothing; risky: not with twice the damage; review: not with twice the checking; sweet: even then.",
          }),
          isSettled: z.boolean(),
          mostDamage: usd.nullable().openapi({ description: "The most damage at which it is worth it." }),
          missing: z.array(z.enum(["minutes", "reviewMinutes", "cost", "damage", "success"])),
          edge: z.array(z.object({ minutes: z.number(), reviewMinutes: z.number(), sweetMinutes: ratio })).openapi({
            description: "For tasks like these in all but time: the longest checking that is worth it, and at which it is sweet.",
          }),
        })
        .openapi("WorthPoint"),
    ),
    untilMinutes: z.number().openapi({ description: "Up to where the edges are drawn." }),
    truncated: z.boolean().openapi({ description: "The ledger has more types than are given." }),
    notes: z.array(z.string()),
  })
  .openapi("WorthMap");
