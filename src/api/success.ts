// GET /api/v1/success: what a success costs, by what tasks are: sums of the store, and what economics/success.ts makes of them. Not here: how
// tasks end (outcomes.ts). Invariants: amounts are the ledger's to the last digit; an estimate stands with its interval, and with what the
// data lack.

import { createRoute, z } from "@hono/zod-openapi";
import type { Quantiles } from "../economics/quantile.ts";
import type { ReturnInterval } from "../economics/returns.ts";
import { type Economics, groups, type Lack, type Part, type SpendInterval, spendPerSuccess } from "../economics/success.ts";
import { formatUsd, parseUsd, type Pico, sum, toUsd } from "../core/money.ts";
import { type SuccessRow, type SuccessUnit, type TaskField, taskFields } from "../ledger/store.ts";
import { nearest } from "../near.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toName, toTokens } from "./names.ts";
import { invalid, parseFiltersOf, parseLimit, parsePast, parseZone } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { count, filter, fresh, freshness, ms, position, text, time, usd, zone } from "./schema.ts";

const rowsMax = 200;
const fieldsMax = 2;
const reviewRatePicoMax = 1_000_000n * 1_000_000_000_000n;

/** The same question has the same answer. */
const seed = 1;
/** Draws of one answer, over all its rows and figures: some ten nanoseconds each. */
const drawsMax = 7_000_000;
const samplesMin = 120;
const samplesMax = 1_000;

const share = z.number().openapi({ description: "0 to 1." });
const sums = z.object({ tasks: count, cost: usd });
const spendInterval = z.object({ low: usd, high: usd.nullable() }).nullable();
const returnInterval = z.object({ low: z.number().nullable(), high: z.number().nullable() }).nullable();
const lack = z.enum(["no-success", "few-tasks", "heavy-tail", "wide", "unknown-outcomes", "unpriced"] satisfies (Lack | "unpriced")[]);

export const successQuery = z.strictObject({
  by: z
    .string()
    .optional()
    .openapi({ description: `At most two, comma-separated, of ${taskFields.join(", ")}; type unless told.`, example: "type,model" }),
  since: time("From this beginning of a task on."),
  until: time("Before this beginning of a task."),
  filter,
  zone,
  limit: z
    .string()
    .optional()
    .openapi({ description: `Most rows given, 1 to ${rowsMax}; 50 unless told.` }),
  reviewRate: z.string().max(100).optional().openapi({ description: "Dollars for an hour of a person who checks.", example: "32" }),
  fresh,
});

export const successRow = z
  .object({
    group: z.record(z.string(), text).openapi({ description: "One value per field of `by`; null: not said." }),
    tasks: count,
    calls: count,
    spend: usd.openapi({
      description: "All of it: of tasks that failed or of which nobody knows, and of rework that is booked here, too.",
    }),
    success: sums,
    failure: sums,
    unknown: sums.openapi({ description: "Nobody said how they ended." }),
    open: sums.openapi({ description: "They may still end." }),
    perSuccess: usd.nullable().openapi({
      description:
        "Spend over successes; null: there is none yet, or no part of the spend is known. Where tasks are unpriced, at least that.",
    }),
    interval: spendInterval.openapi({
      description:
        "95 % of it, an estimate by bootstrap over tasks. A high end of null: no upper bound, as where tasks are unpriced; or are three; null: it cannot be said, as of one or two tasks, or fewer than 30 alike.",
    }),
    perSuccessLeast: usd.nullable().openapi({ description: "Had every unknown and open task succeeded." }),
    rate: z
      .object({
        decided: count.openapi({ description: "Tasks that ended in success or failure." }),
        observed: share.nullable(),
        low: share,
        high: share,
        worst: share.nullable().openapi({ description: "Over all tasks, had every unknown and open one failed." }),
        best: share.nullable().openapi({ description: "Had every one of them succeeded." }),
      })
      .openapi({ description: "Successes over decided tasks, with Wilson's interval of 95 %." }),
    distribution: z
      .object({ p50: usd, p90: usd, p99: usd })
      .nullable()
      .openapi({ description: "Of a task's cost, by nearest rank; null: there is no task." }),
    shares: z
      .object({ failures: share, unknown: share, open: share, retries: share, rework: share, failedCalls: share })
      .nullable()
      .openapi({ description: "Parts of the spend. The last three overlap with the others; null: nothing was spent." }),
    value: usd.nullable().openapi({ description: "Of the tasks whose value is known; null: none is." }),
    returns: z
      .object({
        gain: usd.openapi({ description: "Value less spend." }),
        ratio: z.number().openapi({ description: "Gain over spend. A value that is unknown adds nothing." }),
        interval: returnInterval.openapi({
          description:
            "95 % of the ratio as it stands, an estimate by the same bootstrap: what is unknown moves it with the ratio. An end of null: no bound; null: it cannot be said.",
        }),
        unvaluedShare: share.openapi({
          description:
            "Of the spend, that on tasks whose value is unknown: where it is not 0, the ratio and its interval are the least that they can be.",
        }),
      })
      .nullable(),
    review: z
      .object({
        minutes: z.number().nullable().openapi({ description: "What people spent checking; null: nobody said." }),
        unknown: count.openapi({ description: "Tasks of which nobody said it: amounts here are the least that they can be." }),
        cost: usd.nullable(),
        perSuccess: usd.nullable().openapi({ description: "Spend and review together, per success." }),
        interval: spendInterval.openapi({
          description:
            "95 % of it, as of spend per success. A high end of null: no upper bound, as where tasks are unpriced or `unknown` is not 0.",
        }),
        returnRatio: z
          .number()
          .nullable()
          .openapi({ description: "Value less spend and review, over both; null: not known. At most that, where `unknown` is not 0." }),
        returnInterval: returnInterval.openapi({ description: "95 % of it as it stands, as of the return." }),
        share: share.nullable(),
      })
      .openapi({ description: "Amounts need `reviewRate`." }),
    enough: z
      .object({
        isEnough: z.boolean(),
        lacks: z.array(lack),
        tasksNeeded: count.nullable().openapi({ description: "Decided tasks that costs as spread as these call for; null: not known." }),
      })
      .openapi({ description: "Whether the data suffice to say what a success costs, and if not, why." }),
    contradictory: count.openapi({ description: "Tasks of which sources say different things." }),
    unpriced: count.openapi({ description: "Tasks with usage that has no price: they cost at least what is said." }),
    presumed: count.openapi({ description: "Tasks with calls of which nobody knows what they used." }),
  })
  .openapi("SuccessRow");

export const successAnswer = z
  .object({
    by: z.array(z.string()),
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    zone: z.string(),
    openMs: ms.openapi({ description: "A task may end until this long after its last call (tasks.openFor)." }),
    reviewRate: usd.nullable(),
    rows: z.array(successRow).openapi({ description: "Most tasks first." }),
    total: successRow,
    truncated: z.boolean(),
    waiting: count.openapi({ description: "Statements about tasks of which nothing else is known." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Success");

export function addSuccess(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/success",
    summary: "What a success costs, and how often there is one",
    description: "Of root tasks with all below them. One that is rework counts where it is booked.",
    security,
    middleware: needs("read", context),
    request: { query: successQuery },
    responses: { 200: json("By what tasks are.", successAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const by = parseBy(asked.by);
    const span = parsePast(asked, nowMs, parseZone(asked.zone, nowMs));
    const filters = parseFiltersOf(asked.filter, parseTaskField);
    const rate = parseRate(asked.reviewRate);
    const limit = parseLimit(asked.limit, 50, rowsMax);
    const freshly = await waited(context, asked.fresh);
    const found = await context.ledger.success({
      by,
      ...span,
      filters: toTokens(filters, context.names) as typeof filters,
      nowMs: context.entryMs(),
      openMs: context.openMs,
      limit,
    });
    const samples = samplesOf([...found.rows, found.total]);
    const rows: z.infer<typeof successRow>[] = [];
    for (const row of found.rows) {
      const pairs = by.map(async (field, index) => [field, await toName(field, row.group[index] ?? null, context.names)] as const);
      rows.push(toShown(row, Object.fromEntries(await Promise.all(pairs)), rate, samples));
      // Calls that wait have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return c.json(
      {
        by,
        ...span,
        zone: asked.zone ?? "UTC",
        openMs: context.openMs,
        reviewRate: rate === null ? null : formatUsd(rate),
        rows,
        total: toShown(found.total, {}, rate, samples),
        truncated: found.truncated,
        waiting: found.waiting,
        position: found.position,
        ...freshly,
      },
      200,
    );
  });
}

/** @throws PennyworthError `query_invalid` with the nearest known name. */
export function parseTaskField(name: string): TaskField {
  if ((taskFields as readonly string[]).includes(name)) return name as TaskField;
  const near = nearest(name, taskFields);
  const said = near.length > 0 ? `near it: ${near.join(", ")}; ` : "";
  throw invalid(`tasks are not told apart by ${JSON.stringify(name.slice(0, 100))}; ${said}known: ${taskFields.join(", ")}`);
}

function parseBy(said: string | undefined): TaskField[] {
  if (said === undefined) return ["type"];
  const names = said
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length > fieldsMax) throw invalid(`by takes at most ${fieldsMax} fields, not ${names.length}`);
  if (names.length === 2 && names[0] === names[1]) throw invalid(`by names ${JSON.stringify(names[0])} twice`);
  return names.map(parseTaskField);
}

function parseRate(said: string | undefined): Pico | null {
  if (said === undefined) return null;
  try {
    const rate = parseUsd(said);
    if (rate >= 0n && rate <= reviewRatePicoMax) return rate;
  } catch {
    // As below.
  }
  throw invalid(`reviewRate is ${JSON.stringify(said)}: expected dollars an hour, 0 to ${formatUsd(reviewRatePicoMax)}, such as 32`);
}

/** Fewer where there are many rows. */
export function samplesOf(rows: readonly SuccessRow[]): number {
  const units = rows.reduce((all, row) => all + row.units.length + besides(row) * Math.min(groups, row.units.length), 0);
  return Math.max(samplesMin, Math.min(samplesMax, Math.floor(drawsMax / Math.max(1, units))));
}

/** How many figures have an interval beside spend per success: the return, and both with review. */
function besides({ value, reviewMillis }: SuccessRow): number {
  return (value === null ? 0 : 1) * (reviewMillis === null ? 1 : 2) + (reviewMillis === null ? 0 : 1);
}

/** What follows from a row of the store. @param reviewPicoPerHour null: not known. */
export function economicsOf(row: SuccessRow, reviewPicoPerHour: Pico | null, samples = samplesMax): Economics {
  const { success, failure, unknown, open } = row;
  return spendPerSuccess(
    {
      successes: success.tasks,
      failures: failure.tasks,
      unknown: unknown.tasks,
      open: open.tasks,
      onSuccessesPico: parseUsd(success.cost),
      onFailuresPico: parseUsd(failure.cost),
      onUnknownPico: parseUsd(unknown.cost),
      onOpenPico: parseUsd(open.cost),
      onRetriesPico: parseUsd(row.retryCost),
      onReworkPico: parseUsd(row.reworkCost),
      reviewMillis: row.reviewMillis === null ? null : BigInt(row.reviewMillis),
      valuePico: row.value === null ? null : parseUsd(row.value),
      onUnvaluedPico: parseUsd(row.unvaluedCost),
    },
    {
      units: row.units.map(toPart),
      quantiles: toQuantiles(row),
      reviewPicoPerHour,
      samples,
      seed,
    },
  );
}

function toQuantiles({ quantiles }: SuccessRow): Quantiles | null {
  if (quantiles === null) return null;
  return { medianPico: parseUsd(quantiles.p50), p90Pico: parseUsd(quantiles.p90), p99Pico: parseUsd(quantiles.p99) };
}

/** Weights of a statistic, and no amounts that anybody adds up. */
function toPart({ cost, successes, value, reviewMillis }: SuccessUnit): Part {
  return {
    top: Number(cost) * 1e12,
    bottom: successes,
    value: value === undefined ? 0 : Number(value) * 1e12,
    reviewMillis: reviewMillis === undefined ? 0 : Number(reviewMillis),
  };
}

/** @param hasHigh not where something has no price: then nothing bounds it from above. */
export function toEnds(interval: SpendInterval | null, hasHigh = true): z.infer<typeof spendInterval> {
  return interval === null ? null : { low: formatUsd(interval.lowPico), high: toUsd(hasHigh ? interval.highPico : null) };
}

function toReturn(interval: ReturnInterval | null): z.infer<typeof returnInterval> {
  return interval === null ? null : { ...interval };
}

function toShown(
  row: SuccessRow,
  group: Record<string, string | null>,
  reviewRate: Pico | null,
  samples: number,
): z.infer<typeof successRow> {
  const found = economicsOf(row, reviewRate, samples);
  const { rate, review, shares, enough, interval } = found;
  // What has no price costs something: figures of spend are the least that they can be, and those that only fall with it cannot be said.
  const isPriced = row.unpriced === 0;
  const isKnown = isPriced || found.spendPico > 0n;
  const returns = isPriced ? found.returns : null;
  const { success, failure, unknown, open } = row;
  return {
    group,
    tasks: found.tasks,
    calls: row.calls,
    spend: formatUsd(sum([success, failure, unknown, open].map(({ cost }) => parseUsd(cost)))),
    success: { ...success },
    failure: { ...failure },
    unknown: { ...unknown },
    open: { ...open },
    perSuccess: toUsd(isKnown ? found.perSuccessPico : null),
    interval: isKnown ? toEnds(interval, isPriced) : null,
    perSuccessLeast: toUsd(isKnown ? found.perSuccessLeastPico : null),
    rate: {
      decided: rate.decided,
      observed: rate.observed,
      low: rate.interval.low,
      high: rate.interval.high,
      worst: rate.worst,
      best: rate.best,
    },
    distribution: row.quantiles === null ? null : { ...row.quantiles },
    shares: shares === null ? null : { ...shares, failedCalls: Number(parseUsd(row.failedCost)) / Number(found.spendPico) },
    value: row.value,
    returns:
      returns === null
        ? null
        : {
            gain: formatUsd(returns.gainPico),
            ratio: returns.ratio,
            interval: toReturn(returns.interval),
            unvaluedShare: returns.unvaluedShare,
          },
    review: {
      minutes: row.reviewMillis === null ? null : Number(row.reviewMillis) / 60_000,
      unknown: row.unreviewed,
      cost: toUsd(review.costPico),
      perSuccess: toUsd(isKnown ? review.perSuccessPico : null),
      interval: isKnown ? toEnds(review.interval, isPriced && row.unreviewed === 0) : null,
      returnRatio: isPriced ? review.returnRatio : null,
      returnInterval: isPriced ? toReturn(review.returnInterval) : null,
      share: isPriced ? review.share : null,
    },
    enough: {
      isEnough: enough.isEnough && isPriced,
      lacks: [...enough.lacks, ...(isPriced ? [] : (["unpriced"] as const))],
      tasksNeeded: enough.tasksNeeded,
    },
    contradictory: row.contradictory,
    unpriced: row.unpriced,
    presumed: row.presumed,
  };
}
