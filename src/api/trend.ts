// GET /api/v1/prices/trend: what a model's tokens cost over time, against its list price, and beside it what its tasks cost, each indexed to
// its first bucket. Not here: sums (the store), prices (the book). Invariant: each token is held against the list price of its own moment;
// what is divided is rounded once, and never added up again.

import { createRoute } from "@hono/zod-openapi";
import { cost, formatRate, formatRatio, formatUsd, parseUsd, type Pico, picoPerUsd, type Rate, sum } from "../core/money.ts";
import { dayMs } from "../core/time.ts";
import { uncachedClass, type UsageClass, usageClasses } from "../core/usage.ts";
import type { Trend, TrendBucket, TrendLine } from "../ledger/trend.ts";
import type { PriceFound, PriceSpan } from "../prices/view.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { parseMoment, unknownPrice } from "./prices.ts";
import { trend as answer, trendQuery } from "./pricing.ts";
import { invalid, parseSpan } from "./query.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";

const rowsMax = 10_000;
const million = 1_000_000n;

export function addTrend(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/prices/trend",
    summary: "What a model's tokens and tasks cost over time, against its list price",
    description:
      "Of the calls whose tokens were priced as this model's, in months, weeks or days of UTC; buckets without calls are left out. " +
      "A task counts in each bucket in which it used the model.",
    security,
    middleware: needs("read", context),
    request: { query: trendQuery },
    responses: { 200: json("The buckets, the earliest first.", answer), ...failures, ...notFound },
  });
  app.openapi(route, async (c) => {
    const { provider, model, by = "month", ...asked } = c.req.valid("query");
    const nowMs = context.now();
    const { knownMs } = parseMoment(asked, nowMs);
    const span = parseSpan(asked, nowMs);
    const place = { provider, model, knownMs, tier: null, region: null };
    const spans = context.prices.history(place);
    const inForce = (atMs: number): PriceFound | null => context.prices.find({ ...place, atMs });
    const found = inForce(nowMs) ?? inForce(spans?.[0]?.fromMs ?? nowMs);
    if (spans === null || found === null) throw unknownPrice(context, provider, model, nowMs, knownMs);
    // A model that no list knows is held against the price that its user gave it.
    const listed = context.prices.listed(knownMs);
    const listAt = (atMs: number): PriceFound | null => listed.find({ ...place, atMs }) ?? inForce(atMs);
    const all = [...spans, ...(listed.history(place) ?? [])];
    const fresh = await waited(context, asked.fresh);
    const [changesMs, dailyMs] = [timesOf(all), timesOf(all.flatMap(({ window }) => window ?? []))];
    const told = await context.ledger.trend({ provider, model: found.model, ...span, by, changesMs, dailyMs, limit: rowsMax });
    if (told.truncated) throw invalid(`the trend has more than ${rowsMax} rows: ask for a shorter span, or by month`);
    const upTo = Math.min(nowMs, span.untilMs === null ? nowMs : span.untilMs - 1);
    return c.json(
      {
        provider,
        model: found.model,
        by,
        ...span,
        knownMs,
        buckets: toIndexed(told.buckets.map((bucket) => measure(bucket, told, by, upTo, listAt))),
        announced: announcedIn(spans, nowMs),
        ...fresh,
      },
      200,
    );
  });
}

/** Every time at which something begins or ends, ascending. */
function timesOf(spans: readonly { readonly fromMs: number | null; readonly toMs: number | null }[]): number[] {
  const times = spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs]).filter((ms) => ms !== null);
  return [...new Set(times)].toSorted((a, b) => a - b);
}

interface Direction {
  readonly tokens: bigint;
  readonly pico: Pico;
}

function measure(
  bucket: TrendBucket,
  { lines: all }: Trend,
  by: "day" | "week" | "month",
  upTo: number,
  listAt: (ms: number) => PriceFound | null,
) {
  const lines = all.filter((line) => line.bucket === bucket.bucket);
  const tokens = lines.filter((line) => usageClasses[line.class].unit === "token");
  const of = (direction: "input" | "output"): Direction => {
    const own = tokens.filter((line) => usageClasses[line.class].direction === direction);
    return { tokens: tokensIn(own), pico: paidFor(own) };
  };
  const [paid, count] = [paidFor(tokens), tokensIn(tokens)];
  const listed = tokens.map((line) => listCost(line, listAt(line.atMs)));
  const list = listed.every((pico) => pico !== null) ? sum(listed) : null;
  const [fromMs, toMs] = boundsOf(bucket.bucket, by);
  const atEnd = listAt(Math.min(toMs - 1, upTo));
  const toDirection = (name: "input" | "output") => {
    const { tokens: units, pico } = of(name);
    return {
      tokens: Number(units),
      cost: formatUsd(pico),
      perMillion: average(pico, units, million),
      list: perMillion(rateOf(atEnd, name)),
    };
  };
  return {
    bucket: bucket.bucket,
    fromMs,
    toMs,
    calls: bucket.calls,
    tokens: Number(count),
    cost: formatUsd(paid),
    otherCost: formatUsd(paidFor(lines.filter((line) => !tokens.includes(line)))),
    perMillion: average(paid, count, million),
    listCost: list === null ? null : formatUsd(list),
    listPerMillion: list === null ? null : average(list, count, million),
    paidShare: list === null || list === 0n ? null : formatRatio(paid, list, 4),
    input: toDirection("input"),
    output: toDirection("output"),
    tasks: bucket.tasks,
    taskCost: bucket.taskCost,
    perTask: average(parseUsd(bucket.taskCost), BigInt(bucket.tasks), 1n),
  };
}

type Measured = ReturnType<typeof measure>;

/** With each average as a part of the first one that is not zero, which is 100. */
function toIndexed(buckets: readonly Measured[]) {
  const token = indexer(buckets, ({ cost: paid, tokens }) => [parseUsd(paid), BigInt(tokens)]);
  const task = indexer(buckets, ({ taskCost, tasks }) => [parseUsd(taskCost), BigInt(tasks)]);
  return buckets.map((bucket) => ({ ...bucket, tokenIndex: token(bucket), taskIndex: task(bucket) }));
}

function indexer(buckets: readonly Measured[], read: (bucket: Measured) => readonly [Pico, bigint]): (bucket: Measured) => string | null {
  const first = buckets.map(read).find(([pico, count]) => pico > 0n && count > 0n);
  return (bucket) => {
    const [pico, count] = read(bucket);
    return first === undefined || count === 0n ? null : formatRatio(100n * pico * first[1], first[0] * count, 2);
  };
}

/** Dollars for `units` of what was counted, to six decimals; null when nothing was. */
function average(pico: Pico, count: bigint, units: bigint): string | null {
  return count === 0n ? null : formatRatio(pico * units, count * picoPerUsd, 6);
}

function tokensIn(lines: readonly TrendLine[]): bigint {
  return lines.reduce((total, { quantity }) => total + BigInt(quantity), 0n);
}

function paidFor(lines: readonly TrendLine[]): Pico {
  return sum(lines.map((line) => parseUsd(line.cost)));
}

function listCost(line: TrendLine, list: PriceFound | null): Pico | null {
  const rate = rateOf(list, uncachedClass[line.class] ?? line.class);
  return rate === null ? null : cost(rate, line.quantity);
}

/** The rate of every call: that of the lowest step. */
function rateOf(list: Pick<PriceFound, "lines"> | null, name: UsageClass): Rate | null {
  const line = list?.lines.find((one) => one.class === name && one.aboveTokens === 0);
  return line === undefined ? null : { pico: line.ratePico, per: line.ratePer };
}

function perMillion(rate: Rate | null): string | null {
  return rate === null ? null : formatRate(rate, million);
}

/** From inclusive, to exclusive: a day, a week by its Monday, a month, UTC. */
function boundsOf(bucket: string, by: "day" | "week" | "month"): [fromMs: number, toMs: number] {
  const fromMs = Date.parse(by === "month" ? `${bucket}-01` : bucket);
  const date = new Date(fromMs);
  if (by === "month") return [fromMs, Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)];
  return [fromMs, fromMs + (by === "week" ? 7 : 1) * dayMs];
}

function announcedIn(spans: readonly PriceSpan[], nowMs: number) {
  return spans.flatMap((span) => {
    if (span.fromMs === null || span.fromMs <= nowMs) return [];
    return [{ fromMs: span.fromMs, input: perMillion(rateOf(span, "input")), output: perMillion(rateOf(span, "output")) }];
  });
}
