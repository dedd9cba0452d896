// Quantiles of amounts by nearest rank: always an amount that somebody really spent, never one between two. Not here: estimates from sketches.
// Invariant: exact; no float touches an amount.

import type { Pico } from "../core/money.ts";

/** The distribution of cost per task. */
export interface Quantiles {
  readonly medianPico: Pico;
  readonly p90Pico: Pico;
  readonly p99Pico: Pico;
}

/** @returns null where there is no amount. */
export function quantilesOf(amounts: readonly Pico[]): Quantiles | null {
  if (amounts.length === 0) return null;
  const sorted = sortPico(amounts);
  return { medianPico: nearestRank(sorted, 0.5), p90Pico: nearestRank(sorted, 0.9), p99Pico: nearestRank(sorted, 0.99) };
}

/**
 * The smallest amount that at least this share of the amounts does not exceed: the ⌈share·n⌉-th.
 * @param sorted ascending.
 * @throws RangeError where there is no amount, or `share` is not from 0 to 1.
 */
export function nearestRank(sorted: readonly Pico[], share: number): Pico {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`nearestRank: the share must be from 0 to 1, such as 0.9: ${share}`);
  // 0.07 · 100 is 7.000000000000001 in floating point, and its ceiling would be one too many.
  const exact = share * sorted.length;
  const rank = Math.abs(exact - Math.round(exact)) < 1e-9 * sorted.length ? Math.round(exact) : Math.ceil(exact);
  const amount = sorted[Math.max(1, rank) - 1];
  if (amount === undefined) throw new RangeError("nearestRank: there is no amount; leave the quantile out");
  return amount;
}

/** A sorted copy, ascending. */
export function sortPico(amounts: readonly Pico[]): Pico[] {
  return [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
