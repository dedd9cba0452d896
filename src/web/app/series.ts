// From the rows of a report by time to what a chart draws: every bucket of the span, those without calls too, for each group.
// Invariant: the exact amounts stay beside the numbers that are drawn.

import type { Latency, Report, Row, Sums } from "./api.ts";
import { type AdditiveMeasure, isAdditive, type Measure } from "./fields.ts";
import { count, exact, toAxis, toGeometry } from "./money.ts";
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

export function labelBucket(bucket: Bucket, ms: number): string {
  if (bucket === "minute" || bucket === "hour") return shortClock(ms);
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
  /** null: not recorded. */
  readonly value: string | null;
  readonly isRest: boolean;
  /** One per bucket, for the chart; null where nothing is known. */
  readonly heights: readonly (number | null)[];
  /** One per bucket, as text that is exact. */
  readonly texts: readonly string[];
}

export interface Series {
  readonly bucket: Bucket;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
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

export function formatAxis(measure: Measure, value: number): string {
  if (measure === "cost") return toAxis(value);
  return isAdditive(measure) ? Intl.NumberFormat(undefined, { notation: "compact" }).format(value) : duration(value);
}

/** @param field the one beside the time; null: all calls together. `order`: values as the legend has them, dearest first. */
export function toSeries(
  report: Report,
  {
    bucket,
    field,
    measure,
    span,
    nowMs,
    name,
  }: {
    readonly bucket: Bucket;
    readonly field: string | null;
    readonly measure: Measure;
    readonly span: Span;
    readonly nowMs: number;
    readonly name: (value: string | null) => string;
  },
): Series {
  const groups = new Map<string, { value: string | null; isRest: boolean; rows: Map<number, Row> }>();
  let firstMs = span.sinceMs === null ? Number.POSITIVE_INFINITY : startOf(bucket, span.sinceMs);
  for (const row of report.rows) {
    const text = row.group[bucket];
    if (text === null || text === undefined) continue;
    const atMs = parseBucket(text);
    firstMs = Math.min(firstMs, atMs);
    const value = field === null ? null : (row.group[field] ?? null);
    const isRest = row.rest === true;
    const place = isRest ? "rest" : `=${value ?? ""}${value === null ? "null" : ""}`;
    const group = groups.get(place) ?? { value, isRest, rows: new Map<number, Row>() };
    groups.set(place, group);
    group.rows.set(atMs, row);
  }
  const lastMs = (span.untilMs ?? nowMs) - 1;
  const times: number[] = [];
  for (let ms = firstMs; ms <= lastMs && times.length < 5_000; ms = next(bucket, ms)) times.push(ms);
  const nothing = isAdditive(measure) ? 0 : null;
  const zero = isAdditive(measure) ? (measure === "cost" ? exact("0") : "0") : "—";
  const lines = [...groups.values()]
    .map((group) => ({ ...group, height: [...group.rows.values()].reduce((sum, row) => sum + (toHeight(measure, row) ?? 0), 0) }))
    .toSorted((a, b) => Number(a.isRest) - Number(b.isRest) || b.height - a.height)
    .map(({ value, isRest, rows }) => ({
      name: isRest ? "All others" : name(value),
      value,
      isRest,
      heights: times.map((ms) => (rows.has(ms) ? toHeight(measure, rows.get(ms) as Row) : nothing)),
      texts: times.map((ms) => (rows.has(ms) ? formatMeasure(measure, rows.get(ms) as Row) : zero)),
    }));
  return { bucket, times, lines };
}
