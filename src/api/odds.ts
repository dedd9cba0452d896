// GET /api/v1/odds: what one more try is likely to cost and to bring, given what has failed so far at the same piece of work. Not here: the arithmetic
// (economics/odds.ts). Invariant: the odds are of tries that were made after such failures; what independence would have it stands beside them, apart.

import { createRoute, z } from "@hono/zod-openapi";
import { formatUsd, parseUsd, type Pico, toPico, toUsd } from "../core/money.ts";
import { oddsFrom, type Try, type Worth, worthTrying } from "../economics/odds.ts";
import { tasksLeast } from "../economics/sample.ts";
import type { CandidateOdds } from "../ledger/tries.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toName } from "./names.ts";
import { invalid } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { count, freshness, position, text, usd } from "./schema.ts";
import { toEnds } from "./success.ts";
import { amounts, fieldsText, parseTries, pause, share, trialsAnswer, trialsQuery } from "./tried.ts";

const candidatesMax = 24;
/** Further tries are in `further`. */
const triesMax = 10;
/** Draws of one answer: some ten nanoseconds each. */
const drawsMax = 4_000_000;
const valuePicoMax = 1_000_000_000n * 1_000_000_000_000n;

export const oddsQuery = z.strictObject({
  ...trialsQuery,
  by: z
    .string()
    .optional()
    .openapi({
      description: `Whose tries are told apart, one of ${fieldsText}; agent unless told. With type, tries of all at one piece of work are one history.`,
      example: "model",
    }),
  value: z
    .string()
    .max(100)
    .optional()
    .openapi({ description: "Dollars that a success is worth: gives a verdict on each try.", example: "5" }),
  review: z
    .string()
    .max(100)
    .optional()
    .openapi({ description: "Dollars that checking one try costs; none unless told.", example: "0.50" }),
});

const verdict = z.enum(["yes", "no", "not-enough-data"] satisfies Worth["verdict"][]);

export const oddsTry = z
  .object({
    attempt: count,
    failures: count.openapi({ description: "All tries before it failed: so many." }),
    tries: count.openapi({ description: "Pieces of work that came to it and of which it is known how it ended." }),
    successes: count,
    unknown: count.openapi({ description: "That came to it, and nobody knows how it ended, or it has not." }),
    gaveUp: count.openapi({
      description: "That failed so far and were not tried again. If they were hopeless, the odds of the others flatter.",
    }),
    rate: share.nullable().openapi({ description: "How often this try succeeds, given that all before failed; null: not known." }),
    low: share,
    high: share.openapi({ description: "Wilson's interval of 95 %." }),
    cost: usd.nullable().openapi({ description: "Its mean cost; null: not known." }),
    interval: amounts.nullable().openapi({
      description: `95 % of that, by bootstrap; null: it cannot be said, as of one or two, or fewer than ${tasksLeast} alike; a null high: no upper end.`,
    }),
    unpriced: count.openapi({ description: "That came to it at a cost that is not known." }),
    within: share.nullable().openapi({ description: "Chance of a success by this try, if all who fail go on." }),
    independent: z
      .object({ rate: share, within: share })
      .nullable()
      .openapi({ description: "What these would be if tries were independent, each as good as the first. For comparison alone." }),
    worth: z
      .object({
        verdict: verdict.openapi({ description: `yes, no: over all that is known of odds and cost, of ${tasksLeast} tries or more.` }),
        spend: usd.openapi({ description: "Cost of the try and of checking it." }),
        brings: usd.nullable().openapi({ description: "Odds times value." }),
        bringsLow: usd,
        bringsHigh: usd,
        breakEven: z
          .number()
          .nullable()
          .openapi({ description: "The chance from which on it pays; above 1 it never does; null: nothing is to be had." }),
      })
      .nullable()
      .openapi({ description: "With `value`; null: its cost is not known." }),
  })
  .openapi("Try");

export const oddsRow = z
  .object({
    candidate: text.openapi({ description: "null: not said." }),
    cases: count.openapi({ description: "Pieces of work with a name." }),
    repeated: count.openapi({ description: "Of these, those tried more than once." }),
    nameless: count.openapi({
      description: "Tasks without the tag `case`: first tries, of which no second is known. They are in no figure.",
    }),
    tries: z.array(oddsTry),
    further: count.openapi({ description: "Attempts beyond those that are shown." }),
  })
  .openapi("Odds");

export const oddsAnswer = z
  .object({
    ...trialsAnswer,
    value: usd.nullable(),
    review: usd.nullable(),
    rows: z.array(oddsRow).openapi({ description: "Most tasks first." }),
    leftOut: z.object({ candidates: count, tasks: count }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("OddsAnswer");

export function addOdds(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/odds",
    summary: "What one more try costs and brings, after those that failed",
    description:
      "Tries at one piece of work are the root tasks that carry the same tag `case`, in the order in which they began. Rework is part of the task that caused it, and no try of its own.",
    security,
    middleware: needs("read", context),
    request: { query: oddsQuery },
    responses: { 200: json("Try by try.", oddsAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const value = parseAmount("value", asked.value);
    const review = parseAmount("review", asked.review);
    const freshly = await waited(context, asked.fresh);
    const { query, told } = parseTries(context, asked, "agent");
    const found = await context.ledger.odds({ ...query, most: candidatesMax });
    const units = found.candidates.reduce((all, { came }) => all + came.reduce((sum, one) => sum + one.units.length, 0), 0);
    const samples = Math.max(120, Math.min(1_000, Math.floor(drawsMax / Math.max(1, units))));
    const rows: z.infer<typeof oddsRow>[] = [];
    for (const one of found.candidates) {
      rows.push(toRow(await toName(told.by, one.value, context.names), one, samples, value, review));
      await pause();
    }
    return c.json(
      {
        ...told,
        tasks: found.tasks,
        truncated: found.truncated,
        value: toUsd(value),
        review: toUsd(review),
        rows,
        leftOut: found.others,
        position: found.position,
        ...freshly,
      },
      200,
    );
  });
}

function parseAmount(name: string, said: string | undefined): Pico | null {
  if (said === undefined) return null;
  try {
    const amount = parseUsd(said.replace(/^\$/, ""));
    if (amount >= 0n && amount <= valuePicoMax) return amount;
  } catch {
    // As below.
  }
  throw invalid(`${name} is ${JSON.stringify(said)}: expected dollars, 0 to ${formatUsd(valuePicoMax)}, such as 5`);
}

function toRow(
  candidate: string | null,
  { cases, repeated, nameless, came }: CandidateOdds,
  samples: number,
  value: Pico | null,
  review: Pico | null,
): z.infer<typeof oddsRow> {
  const tries = oddsFrom(
    came.slice(0, triesMax).map(({ costPico, units, ...sums }) => ({
      ...sums,
      costPico: toPico(costPico),
      units: units.map(({ pico, count: bottom }) => ({ top: Number(pico), bottom })),
    })),
    0.95,
    { samples },
  );
  const first = tries[0]?.rate ?? null;
  return {
    candidate,
    cases,
    repeated,
    nameless,
    tries: tries.map((one) => toTry(one, first, value, review)),
    further: Math.max(0, came.length - triesMax),
  };
}

function toTry(one: Try, first: number | null, value: Pico | null, review: Pico | null): z.infer<typeof oddsTry> {
  return {
    attempt: one.attempt,
    failures: one.attempt - 1,
    tries: one.tries,
    successes: one.successes,
    unknown: one.unknown,
    gaveUp: one.gaveUp,
    rate: one.rate,
    low: one.interval.low,
    high: one.interval.high,
    cost: toUsd(one.costPico),
    interval: toEnds(one.costInterval),
    unpriced: one.uncosted,
    within: one.within,
    independent: first === null || one.withinIfIndependent === null ? null : { rate: first, within: one.withinIfIndependent },
    worth: value === null || one.costPico === null || one.costPico < 0n ? null : toWorth(one, value, review ?? parseUsd("0")),
  };
}

function toWorth(one: Try, valuePico: Pico, reviewPico: Pico): NonNullable<z.infer<typeof oddsTry>["worth"]> {
  const found = worthTrying(one, { valuePico, reviewPico });
  return {
    verdict: found.verdict,
    spend: formatUsd(found.spendPico),
    brings: toUsd(found.bringsPico),
    bringsLow: formatUsd(found.bringsLowPico),
    bringsHigh: formatUsd(found.bringsHighPico),
    breakEven: found.breakEven,
  };
}
