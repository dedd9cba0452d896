// What a store is asked, and says, of one model's priced lines over time. Types alone. Not here: how it is answered (duckdb/trend.ts).
// Invariant: no line spans a change of price, so that each can be held against one.

import type { UsageClass } from "../core/usage.ts";

export interface TrendQuery {
  readonly provider: string;
  /** As charges name it: the price book's. */
  readonly model: string;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly by: "day" | "week" | "month";
  /** Times at which one of its prices begins or ends, and times of day in UTC, ms after midnight: no line spans one. */
  readonly changesMs: readonly number[];
  readonly dailyMs: readonly number[];
  /** Most rows, lines and buckets together. */
  readonly limit: number;
}

/** Units of one class in one bucket between two changes of price. */
export interface TrendLine {
  readonly bucket: string;
  /** Start of the first call, ms UTC: all of them have the price of that moment. */
  readonly atMs: number;
  readonly class: UsageClass;
  readonly quantity: number;
  readonly cost: string;
}

export interface TrendBucket {
  readonly bucket: string;
  readonly calls: number;
  /** Root tasks with such calls, and what those calls cost in all. */
  readonly tasks: number;
  readonly taskCost: string;
}

export interface Trend {
  readonly lines: readonly TrendLine[];
  readonly buckets: readonly TrendBucket[];
  readonly truncated: boolean;
}
