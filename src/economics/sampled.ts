// How far what tasks on record cost and took to check may be off for those to come: an interval for each mean, or none where the sample says nothing.
// Not here: what follows for a verdict (verdict.ts). Invariant: the rule of what is too few is that of sample.ts and success.ts, and an interval holds the figure.

import { type Pico, toPico, zero } from "../core/money.ts";
import { bootstrapRatio, normalDeviate, type Resampling } from "./interval.ts";
import { studentQuantile } from "./normal.ts";
import type { Quantiles } from "./quantile.ts";
import { tasksLeast } from "./sample.ts";
import { neededFor } from "./success.ts";

/** From `low` to `high`; a high of null: no upper bound. */
export interface Span<T> {
  readonly low: T;
  readonly high: T | null;
}

export interface Costs {
  /** Of the tasks that have ended. */
  readonly meanPico: Pico;
  /** How many these are. */
  readonly tasks: number;
  /** Spend, in picodollars, of each task, or of groups of them by hash: of groups the interval is the wider, for their sizes count as chance too. */
  readonly units: readonly number[];
  readonly quantiles: Quantiles | null;
}

/**
 * The bootstrap's interval of 95 % for what a task costs. Open tasks are among the units, and so it is taken relative to the mean of these.
 * @returns null: not enough data, fewer tasks than max(30, 10·e^σ²) as for a success.
 * @throws RangeError on a cost that is no finite number.
 */
export function costSpan({ meanPico, tasks, units, quantiles }: Costs, resampling: Resampling = {}): Span<Pico> | null {
  if (tasks < tasksLeast) return null;
  // Nothing is spent on any of them: as alike as can be.
  if (units.length > 0 && units.every((cost) => cost === 0)) return { low: zero, high: zero };
  const needed = quantiles === null ? null : neededFor(quantiles);
  if (needed === null || tasks < needed) return null;
  const found = bootstrapRatio(
    units.map((top) => ({ top, bottom: 1 })),
    resampling,
  );
  if (found === null) return null;
  const mean = units.reduce((all, one) => all + one, 0) / units.length;
  // All alike: no rounding stands between.
  if (found.low === found.high) return { low: meanPico, high: meanPico };
  const of = (end: number): Pico => toPico(BigInt(Math.round((end / mean) * Number(meanPico))));
  return { low: of(found.low), high: found.high === null ? null : of(found.high) };
}

export interface Reviews {
  /** Of people, over all tasks of which it was said, and its squares; ms. */
  readonly millis: bigint;
  readonly squares: bigint;
  /** Tasks of which it was said. */
  readonly said: number;
  /** Tasks that have ended: of the others among them nobody said it. */
  readonly tasks: number;
}

/**
 * Minutes of checking a task: Student's interval of 95 % for those of which it was said. At the low end the others took no time, at the high end as
 * much as these.
 * @returns null: not enough data, fewer than 30 said it.
 */
export function reviewSpan({ millis, squares, said, tasks }: Reviews): { readonly low: number; readonly high: number } | null {
  if (said < tasksLeast || tasks < 1) return null;
  const count = BigInt(said);
  // n·Σx² − (Σx)² is exact, and of tasks alike exactly nothing.
  const variance = Number(count * squares - millis * millis) / (said * (said - 1));
  const half = studentQuantile(normalDeviate(0.95), said - 1) * Math.sqrt(Math.max(0, variance) / said);
  const mean = Number(millis) / said;
  const figure = Number(millis) / tasks;
  const low = Math.min(figure, Math.max(0, mean - half) * Math.min(1, said / tasks));
  return { low: low / 60_000, high: Math.max(figure, mean + half) / 60_000 };
}
