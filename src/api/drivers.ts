// GET /api/v1/drivers: why a bill moved between two spans: sums of the store, priced (valued.ts), divided by economics/drivers.ts, and as a bridge of
// gross margin. Invariants: what both spans cost is what a report says of them; the lines add up to the change, and each line's contributors and
// rest to the line, to the last digit.

import { createRoute, z } from "@hono/zod-openapi";
import { formatRatio, formatUsd, parseUsd, type Pico } from "../core/money.ts";
import { dayMs, hourMs } from "../core/time.ts";
import { offsetAt, toUtc, type ZoneOffset } from "../core/zone.ts";
import { bridgeOf, formatPoints } from "../economics/bridge.ts";
import { type Contribution, driverFactors, type DriverFactor, type Drivers, driversOf } from "../economics/drivers.ts";
import { type DriverField, driverFields, type DriverSums, type DriversQuery, others } from "../ledger/drivers.ts";
import type { Span } from "../ledger/store.ts";
import { nearest } from "../near.ts";
import { boundOf } from "./bounds.ts";
import type { ApiContext } from "./context.ts";
import { endOfDay } from "./days.ts";
import { waited } from "./fresh.ts";
import { gapFields, toGaps, unpricedBy } from "./gaps.ts";
import { factorNames, nameCharge, nameOther, sentenceOf } from "./moved.ts";
import { toName, toTokens } from "./names.ts";
import { clipZone, invalid, parseFilters, parseLimit, parsePast, parseTime, parseZone, refuseFuture } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { count, filter, fresh, freshness, ms, position, text, time, usd, zone } from "./schema.ts";
import { type Both, cellName, createQuotes, type Cut, cutsOf, type Quotes, type Side, sides, valuedOf } from "./valued.ts";

const contributorsUsual = 10;
const contributorsMax = 100;

const factor = z.enum(driverFactors as unknown as [DriverFactor, ...DriverFactor[]]).openapi({
  description:
    "new_work and stopped_work: task types that are in one span alone. volume: tasks. type_mix: types among tasks. calls_per_task: first tries of " +
    "a task. model_mix: models, providers and values of `by` among a type's first tries. retries: all tries over first ones. tokens_per_call. " +
    "token_kind: input, output and other kinds. cache: what was read from it. price_list: the lists' standard prices. tier_and_discount: what is " +
    "charged over that. unexplained: where a price is not known. other_charges: what belongs to no call.",
});

export const driversQuery = z.strictObject({
  since: time("Calls from this start on; 30d unless told."),
  until: time("Calls before this start; now unless told. Days to come are refused; the day under way may be taken in."),
  against: z.string().max(100).optional().openapi({
    description:
      "The span before: `previous` (as long, right before; unless told), `month` or `year` (the same days of the month or year before), or FROM..TO.",
    example: "2026-10-01..2026-11-01",
  }),
  by: z
    .string()
    .max(100)
    .optional()
    .openapi({ description: `What calls are told apart by, besides type and model: one of ${driverFields.join(", ")}.` }),
  filter,
  zone,
  limit: z
    .string()
    .optional()
    .openapi({ description: `Most contributors named for a line, 1 to ${contributorsMax}; ${contributorsUsual} unless told.` }),
  fresh,
});

const figures = z
  .object({
    calls: count,
    firstTries: count,
    tokens: count,
    cost: usd,
    unpriced: count.openapi({ description: "Calls of it that used something without a price: it cost at least what is said." }),
  })
  .openapi({ description: "What it was in that span." });

export const contributor = z
  .object({
    type: text.openapi({ description: "Task type; null: calls of no task. Empty: of tasks without a type." }),
    provider: text,
    model: text,
    group: text.openapi({ description: "The value of `by`; null: not said." }),
    others: z.boolean().openapi({ description: "All values of `by` that are not told apart, since there are too many." }),
    charge: text.openapi({ description: "Of `other_charges`: which; all else is null then." }),
    chargeName: text.openapi({ description: "The same in words.", example: "costs of tasks from elsewhere" }),
    change: usd,
    before: figures.nullable().openapi({ description: "null: no calls." }),
    after: figures.nullable(),
  })
  .openapi("Contributor");

const side = z.object({
  sinceMs: ms,
  untilMs: ms,
  cost: usd,
  calls: count,
  tasks: count,
  ...gapFields,
  revenue: usd
    .nullable()
    .openapi({ description: "What customers paid for the days, UTC, that begin in the span; null: not known, or not asked." }),
});
const points = z.string().openapi({ description: "Percentage points, to four decimals.", example: "-3.2057" });

export const driversAnswer = z
  .object({
    by: z.enum(driverFields).nullable(),
    zone: z.string(),
    against: z.string(),
    before: side.openapi({
      description: "`cost` is what a report of the span says; what it counts as unknown is counted here as well.",
    }),
    after: side,
    change: usd,
    bound: z.enum(["exact", "at least", "at most", "none"]).openapi({
      description:
        "Which way the change of cost is bound; that of the margin is bound the other way. `at least`: some cost after is unknown; `at most`: some " +
        "before; `none`: both, and it may be more or less.",
    }),
    changePercent: z.string().nullable().openapi({ description: "Of what it was before; null: nothing.", example: "12.5" }),
    summary: z.string().openapi({ description: "In one sentence." }),
    lines: z.array(
      z
        .object({
          factor,
          name: z.string().openapi({ description: "In words.", example: "tokens per call" }),
          change: usd,
          from: usd.openapi({ description: "The cost before this step of the waterfall, and after it." }),
          to: usd,
          contributors: z.array(contributor).openapi({ description: "The largest first." }),
          rest: usd.openapi({ description: "All others together." }),
        })
        .openapi("DriverLine"),
    ),
    shapley: z.array(z.object({ factor, change: usd })).openapi({
      description: "The same change divided by Shapley values, as a cross-check: it adds up too, and differs where much changed at once.",
    }),
    maxGap: z.object({ factor, amount: usd }).openapi({ description: "Where the two differ most." }),
    referenceMs: ms.openapi({ description: "Whose list prices stand for unmoved ones: those when the earlier span ended." }),
    priceMoves: z
      .array(z.object({ provider: z.string(), model: z.string(), atMs: ms }))
      .openapi({ description: "List prices that changed within a span: it was reckoned piece by piece." }),
    lacking: z
      .object({
        prices: z
          .array(z.object({ provider: z.string(), model: text }))
          .openapi({ description: "Models without a list price: see unexplained." }),
        priceMoves: count.openapi({ description: "Changes of prices within a span that were passed over, since there are too many." }),
        groups: count.openapi({ description: "Values of `by` that are not told apart: only the dearest are." }),
      })
      .openapi({ description: "What could not be known." }),
    margin: z
      .object({
        before: points,
        after: points,
        change: points,
        steps: z.array(z.object({ factor: z.union([z.literal("revenue"), factor]), points, from: points, to: points })),
      })
      .nullable()
      .openapi({
        description:
          "The change of gross margin, in points: revenue first, then the cost's drivers. A margin is at most that where `isCostWhole` is not.",
      }),
    noMargin: z
      .object({
        period: z.enum(["before", "after"]).nullable(),
        reason: z.enum(["revenue_unknown", "revenue_zero", "revenue_negative", "filtered", "not_whole_days"]).openapi({
          description:
            "filtered: revenue is not known by what the filters say. not_whole_days: it is known by the day, UTC, and the spans are not so long " +
            "as the days that begin in them.",
        }),
      })
      .nullable()
      .openapi({ description: "Why there is no margin; null: there is." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Drivers");

type Asked = z.infer<typeof driversQuery>;

export function addDrivers(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/drivers",
    summary: "Why the bill moved: the change of cost between two spans, driver by driver",
    description: "An exact decomposition by logarithmic means (LMDI), with Shapley values beside it.",
    security,
    middleware: needs("read", context),
    request: { query: driversQuery },
    responses: { 200: json("The drivers.", driversAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const offsets = parseZone(asked.zone, nowMs);
    const { spans, name } = spansOf(asked, nowMs, offsets);
    const by = parseDriverField(asked.by);
    const limit = parseLimit(asked.limit, contributorsUsual, contributorsMax);
    const clipped = clipZone(
      offsets,
      Math.min(spans.before.sinceMs, spans.after.sinceMs),
      Math.max(spans.before.untilMs, spans.after.untilMs),
    );
    const filters = toTokens(parseFilters(asked.filter), context.names);
    const freshly = await waited(context, asked.fresh);
    const query: DriversQuery = { ...spans, by, filters, ...(clipped === undefined ? {} : { zone: clipped }) };
    const [sums, revenue] = await Promise.all([context.ledger.drivers(query), revenueOf(context, spans, filters.length > 0)]);
    const quotes = createQuotes(context.prices);
    const found = await cut(context, query, sums, quotes);
    const valued = valuedOf(sums.cells, found.cuts, quotes);
    const drivers = driversOf(valued.cells, sums.tasks, sums.other.map(toCharge), limit);
    const { bridge, none } = marginOf(revenue, drivers);
    const isWhole = { before: toGaps(sums.gaps.before).isCostWhole, after: toGaps(sums.gaps.after).isCostWhole };
    const bare = unpricedBy(sums);
    const other = nameOther(sums.other.filter(({ before, after }) => before !== after).map(({ key }) => key));
    const named = async ({ type, key, pico }: Contribution, of: DriverFactor): Promise<z.infer<typeof contributor>> => {
      const place = cellName(type, key);
      const cell = of === "other_charges" ? undefined : valued.figures.get(place);
      const charge = of === "other_charges" ? key : null;
      const isRest = cell?.group === others;
      const group = by === null || isRest ? null : await toName(by, cell?.group ?? null, context.names);
      const shown = (which: Side): z.infer<typeof figures> | null => {
        const usage = cell?.[which] ?? null;
        if (usage === null) return null;
        const { calls, firstTries, tokens, chargedPico } = usage;
        return { calls, firstTries, tokens, cost: formatUsd(chargedPico), unpriced: bare.get(place)?.[which] ?? 0 };
      };
      return {
        type,
        provider: cell?.provider ?? null,
        model: cell?.model ?? null,
        group,
        others: isRest,
        charge,
        chargeName: charge === null ? null : nameCharge(charge),
        change: formatUsd(pico),
        before: shown("before"),
        after: shown("after"),
      };
    };
    const lines = drivers.lines.map(async (line) => ({
      factor: line.factor,
      name: line.factor === "other_charges" ? other : factorNames[line.factor],
      change: formatUsd(line.pico),
      from: formatUsd(line.fromPico),
      to: formatUsd(line.toPico),
      contributors: await Promise.all(line.byKey.map((one) => named(one, line.factor))),
      rest: formatUsd(line.restPico),
    }));
    return c.json(
      {
        by,
        zone: asked.zone ?? "UTC",
        against: asked.against ?? "previous",
        before: toSide(sums, spans.before, drivers, "before", revenue),
        after: toSide(sums, spans.after, drivers, "after", revenue),
        change: formatUsd(drivers.changePico),
        // What is not known of the later span can only raise it, of the earlier one only lower it.
        bound: boundOf(isWhole.after, isWhole.before),
        changePercent: drivers.beforePico > 0n ? toPercent(drivers) : null,
        summary: sentenceOf(drivers, name, isWhole, other),
        lines: await Promise.all(lines),
        shapley: drivers.shapley.map(({ factor: of, pico }) => ({ factor: of, change: formatUsd(pico) })),
        maxGap: { factor: drivers.maxGap.factor, amount: formatUsd(drivers.maxGap.pico) },
        referenceMs: spans.before.untilMs - 1,
        priceMoves: found.moves,
        lacking: { prices: [...valued.unlisted], priceMoves: found.left, groups: sums.left },
        margin: bridge === null ? null : toShown(bridge),
        noMargin: none,
        position: sums.position,
        ...freshly,
      },
      200,
    );
  });
}

/** Of days that begin in the spans. null: filtered, and nobody knows whose. */
interface Revenue {
  /** Dollars; null: not known, or no day begins in it. */
  readonly of: Both<string | null>;
  /** Whether something is known of the days that a span touches. */
  readonly isKnown: Both<boolean>;
  /** Whether those days are what the spans are, so that cost and revenue are of the same time. */
  readonly isWhole: boolean;
}

/** Revenue is known by the day, UTC: of a span, that of the days that begin in it, so that thirty days of calls stand beside thirty of revenue. */
async function revenueOf(context: ApiContext, spans: Both<Span>, isFiltered: boolean): Promise<Revenue | null> {
  if (isFiltered) return null;
  const begun = { before: daysOf(spans.before, Math.ceil), after: daysOf(spans.after, Math.ceil) };
  // Where none begins, the day that it lies in says whether there is revenue at all.
  const asked = sides.map((which) => (daysIn(begun[which]) > 0 ? begun[which] : daysOf(spans[which], Math.floor, Math.ceil)));
  // Costs come from the drivers: of the keys, next to nothing is asked.
  const first = Math.min(...asked.map(({ sinceMs }) => sinceMs));
  const least = { by: "feature" as const, sinceMs: first, untilMs: first + dayMs, months: [] };
  const [before = null, after = null] = (await context.ledger.margin({ ...least, spans: asked })).spans;
  return {
    of: { before: daysIn(begun.before) > 0 ? before : null, after: daysIn(begun.after) > 0 ? after : null },
    isKnown: { before: before !== null, after: after !== null },
    isWhole: isWhole(spans, { before: daysIn(begun.before), after: daysIn(begun.after) }),
  };
}

function daysOf({ sinceMs, untilMs }: Span, first: (days: number) => number, end = first): Span {
  return { sinceMs: first(sinceMs / dayMs) * dayMs, untilMs: end(untilMs / dayMs) * dayMs };
}

function daysIn({ sinceMs, untilMs }: Span): number {
  return (untilMs - sinceMs) / dayMs;
}

/**
 * Each span as long as its days: then months of other lengths may be compared. Or both as long as each other, with as many days, and the part of a
 * day by which these are longer or shorter is no more than a twentieth: a month under way. A day of a zone may have an hour more or less.
 */
function isWhole({ before, after }: Both<Span>, days: Both<number>): boolean {
  if (days.before === 0 || days.after === 0) return false;
  const offs = [offBy(before, days.before), offBy(after, days.after)];
  if (offs.every((ms) => ms <= hourMs)) return true;
  return days.before === days.after && offBy(before, daysIn(after)) <= hourMs && offs.every((ms) => ms * 20 <= days.after * dayMs);
}

function offBy({ sinceMs, untilMs }: Span, days: number): number {
  return Math.abs(untilMs - sinceMs - days * dayMs);
}

function marginOf(revenue: Revenue | null, drivers: Drivers) {
  if (revenue === null) return { bridge: null, none: { period: null, reason: "filtered" as const } };
  const unknown = sides.find((which) => !revenue.isKnown[which]);
  if (unknown !== undefined) return { bridge: null, none: { period: unknown, reason: "revenue_unknown" as const } };
  if (!revenue.isWhole) return { bridge: null, none: { period: null, reason: "not_whole_days" as const } };
  return bridgeOf({ beforePico: fromUsd(revenue.of.before), afterPico: fromUsd(revenue.of.after) }, drivers);
}

function fromUsd(amount: string | null): Pico | null {
  return amount === null ? null : parseUsd(amount);
}

/** The earlier pieces of spans within which list prices changed. */
async function cut(context: ApiContext, asked: DriversQuery, sums: DriverSums, quotes: Quotes) {
  // What is told apart in the whole is in each piece.
  const groups = new Set(sums.cells.flatMap(({ group }) => (group === others ? [] : [group])));
  const query = sums.left > 0 ? { ...asked, told: [...groups] } : asked;
  const wanted = { before: cutsOf(sums.cells, "before", query.before, quotes), after: cutsOf(sums.cells, "after", query.after, quotes) };
  const pieces = { before: spansBetween(query.before, wanted.before.edges), after: spansBetween(query.after, wanted.after.edges) };
  const found: { before: DriverSums["cells"][]; after: DriverSums["cells"][] } = { before: [], after: [] };
  for (let index = 0; index < Math.max(pieces.before.length, pieces.after.length); index += 1) {
    const [before, after] = [pieces.before[index], pieces.after[index]];
    // One question for a piece of each; where one has none left, next to nothing is asked of it.
    const { cells } = await context.ledger.drivers({ ...query, before: before ?? least(query.before), after: after ?? least(query.after) });
    if (before !== undefined) found.before.push(cells);
    if (after !== undefined) found.after.push(cells);
  }
  const toCut = (which: Side): Cut => ({ span: query[which], edges: wanted[which].edges, pieces: found[which] });
  return {
    cuts: { before: toCut("before"), after: toCut("after") } satisfies Both<Cut>,
    moves: sides.flatMap((which) => wanted[which].moves),
    left: wanted.before.left + wanted.after.left,
  };
}

function least({ sinceMs }: Span): Span {
  return { sinceMs, untilMs: sinceMs + 1 };
}

/** All but the last piece. */
function spansBetween({ sinceMs }: Span, edges: readonly number[]): readonly Span[] {
  return edges.map((untilMs, index) => ({ sinceMs: edges[index - 1] ?? sinceMs, untilMs }));
}

/**
 * Which spans are compared, and what the earlier one is called in a sentence.
 * @throws PennyworthError `query_invalid`.
 */
export function spansOf(
  asked: Pick<Asked, "since" | "until" | "against">,
  nowMs: number,
  offsets?: readonly ZoneOffset[],
): { readonly spans: Both<Span>; readonly name: string } {
  const { sinceMs, untilMs } = parsePast({ since: asked.since ?? "30d", until: asked.until }, nowMs, offsets);
  if (sinceMs === null || untilMs === null) throw invalid("both ends of the span are needed");
  refuseToCome("until", untilMs, nowMs, offsets);
  const after = { sinceMs, untilMs };
  const against = asked.against ?? "previous";
  if (against === "previous")
    return { spans: { before: { sinceMs: 2 * sinceMs - untilMs, untilMs: sinceMs }, after }, name: lengthOf(after) };
  if (against === "month" || against === "year") {
    const months = against === "month" ? 1 : 12;
    const before = { sinceMs: monthsBefore(sinceMs, months, offsets), untilMs: monthsBefore(untilMs, months, offsets) };
    if (before.sinceMs >= before.untilMs)
      throw invalid(`against=${against}: no such days were in the ${against} before; give the span as FROM..TO`);
    return { spans: { before, after }, name: `the same days of the ${against} before` };
  }
  const [, from, to] = /^(.+?)\.\.(.+)$/.exec(against) ?? [];
  if (from === undefined || to === undefined) {
    const [near] = nearest(against, ["previous", "month", "year"], 1);
    throw invalid(
      `against is ${JSON.stringify(against)}: expected previous, month, year or FROM..TO, as in 2026-10-01..2026-11-01${near === undefined ? "" : `; near it: ${near}`}`,
    );
  }
  const before = { sinceMs: parseTime("against", from, nowMs, offsets), untilMs: parseTime("against", to, nowMs, offsets) };
  if (before.sinceMs === null || before.untilMs === null || before.sinceMs >= before.untilMs)
    throw invalid(`against is ${JSON.stringify(against)}: its end is not after its beginning`);
  refuseFuture("against", before.sinceMs, nowMs);
  refuseToCome("against", before.untilMs, nowMs, offsets);
  const found = { sinceMs: before.sinceMs, untilMs: before.untilMs };
  return { spans: { before: found, after }, name: nameOf(found, offsets) };
}

/** Of days to come revenue may be known, and not what calls cost: the one would stand beside a part of the other. */
function refuseToCome(name: "until" | "against", endMs: number, nowMs: number, offsets: readonly ZoneOffset[] = []): void {
  const latestMs = endOfDay(nowMs, offsets);
  if (endMs <= latestMs) return;
  const say = (atMs: number): string => show(atMs + offsetAt(offsets, atMs), 16).replace(" 00:00", "");
  const [ends, remedy] = name === "until" ? ["is", "leave it out to end now, or say"] : ["ends", "end it on"];
  throw invalid(
    `${name} ${ends} ${say(endMs)}, and days to come cannot be compared yet: ${remedy} ${say(latestMs)} at the latest, which takes in the day under way${offsets.length === 0 ? " (UTC)" : ""}`,
  );
}

/** By its days, both included; by its ends where these are no days. */
function nameOf({ sinceMs, untilMs }: Span, offsets: readonly ZoneOffset[] = []): string {
  const local = (atMs: number): number => atMs + (offsets.length === 0 ? 0 : offsetAt(offsets, atMs));
  const [first, end] = [local(sinceMs), local(untilMs)];
  if (first % dayMs !== 0 || end % dayMs !== 0) return `${show(first, 16)} to ${show(end, 16)}`;
  const [from, to] = [show(first, 10), show(end - dayMs, 10)];
  return from === to ? from : `${from} to ${to}`;
}

function show(localMs: number, length: number): string {
  return new Date(localMs).toISOString().slice(0, length).replace("T", " ");
}

function lengthOf({ sinceMs, untilMs }: Span): string {
  const length = untilMs - sinceMs;
  for (const [unitMs, one, many] of [
    [dayMs, "day", "days"],
    [hourMs, "hour", "hours"],
  ] as const) {
    const units = Math.round(length / unitMs);
    // A day on which clocks change has an hour more or less.
    if (units >= 1 && Math.abs(length - units * unitMs) <= (unitMs === dayMs && units > 1 ? hourMs : 1_000))
      return units === 1 ? `the ${one} before` : `the ${units} ${many} before`;
  }
  return "the same length of time before";
}

/** The same day and time so many months before; the last day of a month that has no such day. */
function monthsBefore(atMs: number, months: number, offsets: readonly ZoneOffset[] = []): number {
  const local = new Date(atMs + (offsets.length === 0 ? 0 : offsetAt(offsets, atMs)));
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth() - months, local.getUTCDate()];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const localMs = Date.UTC(year, month, Math.min(day, last)) + (((local.getTime() % dayMs) + dayMs) % dayMs);
  return offsets.length === 0 ? localMs : toUtc(offsets, localMs);
}

function parseDriverField(name: string | undefined): DriverField | null {
  if (name === undefined || name === "") return null;
  if ((driverFields as readonly string[]).includes(name)) return name as DriverField;
  const near = nearest(name, driverFields);
  const said = near.length > 0 ? `near it: ${near.join(", ")}; ` : "";
  throw invalid(`by is ${JSON.stringify(name)}; ${said}drivers are told apart by one of ${driverFields.join(", ")}`);
}

function toCharge({ key, before, after }: DriverSums["other"][number]) {
  return { key, beforePico: parseUsd(before), afterPico: parseUsd(after) };
}

function toSide(sums: DriverSums, span: Span, drivers: Drivers, which: Side, revenue: Revenue | null): z.infer<typeof side> {
  const usages = sums.cells.flatMap((cell) => cell[which] ?? []);
  return {
    ...span,
    cost: formatUsd(which === "before" ? drivers.beforePico : drivers.afterPico),
    calls: usages.reduce((all, { calls }) => all + calls, 0),
    tasks: sums.tasks.reduce((all, one) => all + one[which], 0),
    ...toGaps(sums.gaps[which]),
    revenue: revenue?.of[which] ?? null,
  };
}

function toPercent({ beforePico, changePico }: Drivers): string {
  return formatRatio(changePico * 100n, beforePico, 1);
}

function toShown({ beforePoints, afterPoints, changePoints, steps }: NonNullable<ReturnType<typeof bridgeOf>["bridge"]>) {
  return {
    before: formatPoints(beforePoints),
    after: formatPoints(afterPoints),
    change: formatPoints(changePoints),
    steps: steps.map(({ factor: of, points: moved, fromPoints, toPoints }) => ({
      factor: of,
      points: formatPoints(moved),
      from: formatPoints(fromPoints),
      to: formatPoints(toPoints),
    })),
  };
}
