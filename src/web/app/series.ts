// From the rows of a report by time to what a chart draws: every bucket of the span, those without calls too, for each group.
// Invariant: the exact amounts stay beside the numbers that are drawn.

import type { Latency, Report, Row, Sums } from "./api.ts";
import { type AdditiveMeasure, isAdditive, type Measure, nameValues } from "./fields.ts";
import { add, compact, count, exact, short, toAxis, toGeometry } from "./money.ts";
import {
  addDays,
  day,
  dayMs,
  duration,
  hourMs,
  longDay,
  minuteMs,
  month,
  shortClock,
  type Span,
  startOfDay,
  startOfMonth,
  startOfWeek,
} from "./time.ts";

export const buckets = { minute: "Minute", hour: "Hour", day: "Day", week: "Week", month: "Month" } as const;

export type Bucket = keyof typeof buckets;

export function isBucket(text: string | undefined): text is Bucket {
  return text !== undefined && Object.hasOwn(buckets, text);
}

/** So many bars that each can be seen. */
export function pickBucket({ sinceMs, untilMs }: Span, nowMs: number): Bucket {
  if (sinceMs === null) return "week";
  const lengthMs = (untilMs ?? nowMs) - sinceMs;
  if (lengthMs <= 2 * hourMs) return "minute";
  if (lengthMs <= 4 * dayMs) return "hour";
  if (lengthMs <= 100 * dayMs) return "day";
  return lengthMs <= 800 * dayMs ? "week" : "month";
}

/** Bars at most: a finer bucket than that would not be seen, and not be answered whole. */
export const barsMax = 1_000;

const lengths = { minute: minuteMs, hour: hourMs, day: dayMs, week: 7 * dayMs, month: 30 * dayMs } as const;

export function fits(bucket: Bucket, { sinceMs, untilMs }: Span, nowMs: number): boolean {
  return sinceMs === null ? lengths[bucket] >= dayMs : ((untilMs ?? nowMs) - sinceMs) / lengths[bucket] <= barsMax;
}

export function startOf(bucket: Bucket, ms: number): number {
  if (bucket === "minute" || bucket === "hour") return Math.floor(ms / lengths[bucket]) * lengths[bucket];
  return bucket === "day" ? startOfDay(ms) : bucket === "week" ? startOfWeek(ms) : startOfMonth(ms);
}

export function next(bucket: Bucket, ms: number): number {
  if (bucket === "minute" || bucket === "hour") return ms + lengths[bucket];
  return bucket === "month" ? startOfMonth(ms, 1) : addDays(ms, bucket === "week" ? 7 : 1);
}

/** A group's text, as the report writes it, as its first moment. */
export function parseBucket(text: string): number {
  if (/^\d{4}-\d{2}$/.test(text)) return new Date(`${text}-01T00:00`).getTime();
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00`).getTime() : Date.parse(text);
}

/** @param isLong it stands among those of several days. */
export function labelBucket(bucket: Bucket, ms: number, isLong: boolean): string {
  if (bucket === "minute" || bucket === "hour") return isLong ? `${day(ms)}, ${shortClock(ms)}` : shortClock(ms);
  return bucket === "month" ? month(ms) : day(ms);
}

/** A bucket's name where there is room. */
export function nameBucket(bucket: Bucket, ms: number): string {
  if (bucket === "minute") return `${longDay(ms)}, ${shortClock(ms)}`;
  if (bucket === "hour") return `${longDay(ms)}, ${shortClock(ms)} – ${shortClock(ms + hourMs)}`;
  if (bucket === "day") return longDay(ms);
  return bucket === "week" ? `Week of ${longDay(ms)}` : month(ms);
}

export interface Line {
  readonly name: string;
  /** As `keyOf` has it: one value per field. */
  readonly key: string;
  readonly isRest: boolean;
  /** One per bucket, for the chart; null where nothing is known. */
  readonly heights: readonly (number | null)[];
  /** One per bucket, as text that is exact. */
  readonly texts: readonly string[];
  /** Over all buckets, as decimal text; null for what does not add up. */
  readonly sum: string | null;
}

export interface Series {
  readonly bucket: Bucket;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** One per bucket, of all lines together, as decimal text; none for what does not add up. */
  readonly totals: readonly string[];
}

export function formatMeasure(measure: Measure, row: Sums): string {
  if (measure === "cost") return exact(row.cost);
  const number = read(measure, row);
  if (number === null) return "—";
  return isAdditive(measure) ? count(number) : duration(number);
}

/** A measure that is a plain number; null where nothing is known of it. */
export function read(measure: Exclude<Measure, "cost">, row: Sums): number | null {
  return isAdditive(measure) ? (row[measure as AdditiveMeasure] ?? null) : (row.latency?.[measure as keyof Latency] ?? null);
}

export function toHeight(measure: Measure, row: Sums): number | null {
  return measure === "cost" ? toGeometry(row.cost) : read(measure, row);
}

/** Decimal text of a measure as it stands on a chart: short, from exact digits. `decimals`: of amounts under a thousand. */
export function shorten(measure: Measure, text: string, decimals = 2): string {
  return measure === "cost" ? short(text, decimals) : compact(text);
}

function toText(measure: Measure, row: Row): string {
  return measure === "cost" ? row.cost : String(read(measure, row) ?? 0);
}

export function formatAxis(measure: Measure, value: number): string {
  if (measure === "cost") return toAxis(value);
  return isAdditive(measure) ? Intl.NumberFormat(undefined, { notation: "compact" }).format(value) : duration(value);
}

/** What tells a group from others: its values, in the order of the fields. */
export function keyOf(row: Row, fields: readonly string[]): string {
  return JSON.stringify(fields.map((field) => row.group[field] ?? null));
}

/** Every bucket of a span, for each group of `fields` (none: all calls together), those that matter most first. */
export function toSeries(
  report: Report,
  {
    bucket,
    fields,
    measure,
    span,
    nowMs,
  }: {
    readonly bucket: Bucket;
    readonly fields: readonly string[];
    readonly measure: Measure;
    readonly span: Span;
    readonly nowMs: number;
  },
): Series {
  const groups = new Map<string, { readonly name: string; readonly isRest: boolean; readonly rows: Map<number, Row> }>();
  let firstMs = span.sinceMs === null ? Number.POSITIVE_INFINITY : startOf(bucket, span.sinceMs);
  for (const row of report.rows) {
    const text = row.group[bucket];
    if (text === null || text === undefined) continue;
    const atMs = parseBucket(text);
    firstMs = Math.min(firstMs, atMs);
    const isRest = row.rest === true;
    const key = isRest ? "rest" : keyOf(row, fields);
    const values = fields.map((field) => row.group[field] ?? null);
    const name = isRest ? "All others" : fields.length === 0 ? "All calls" : nameValues(fields, values);
    const group = groups.get(key) ?? { name, isRest, rows: new Map<number, Row>() };
    groups.set(key, group);
    group.rows.set(atMs, row);
  }
  const lastMs = (span.untilMs ?? nowMs) - 1;
  const times: number[] = [];
  for (let ms = firstMs; ms <= lastMs && times.length < 5_000; ms = next(bucket, ms)) times.push(ms);
  const nothing = isAdditive(measure) ? 0 : null;
  const zero = isAdditive(measure) ? (measure === "cost" ? exact("0") : "0") : "—";
  const sumOf = (rows: ReadonlyMap<number, Row>): number => [...rows.values()].reduce((sum, row) => sum + (toHeight(measure, row) ?? 0), 0);
  const sums = new Map([...groups].map(([key, { rows }]) => [key, sumOf(rows)]));
  const lines = [...groups]
    .toSorted(([a, one], [b, other]) => Number(one.isRest) - Number(other.isRest) || (sums.get(b) ?? 0) - (sums.get(a) ?? 0))
    .map(([key, { name, isRest, rows }]) => {
      const found = times.map((ms) => rows.get(ms));
      return {
        key,
        name,
        isRest,
        sum: isAdditive(measure) ? add([...rows.values()].map((row) => toText(measure, row))) : null,
        heights: found.map((row) => (row === undefined ? nothing : toHeight(measure, row))),
        texts: found.map((row) => (row === undefined ? zero : formatMeasure(measure, row))),
      };
    });
  const all = [...groups.values()];
  const totalAt = (ms: number): string => add(all.flatMap(({ rows }) => rows.get(ms) ?? []).map((row) => toText(measure, row)));
  return { bucket, times, lines, totals: isAdditive(measure) ? times.map(totalAt) : [] };
}
