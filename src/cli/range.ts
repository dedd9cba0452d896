// Estimates with their intervals, as lines for people. Not here: exact amounts (table.ts). Invariant: an estimate whose interval is not known says so.

import { short } from "./successes.ts";

/** `0.0123 (0.011–0.014)`; `?`: no bound, or none that could be said. */
export function toMean(usd: string, interval: { readonly low: string; readonly high: string | null } | null): string {
  if (interval === null) return `${short(usd)} (?)`;
  return `${short(usd)} (${short(interval.low)}–${interval.high === null ? "?" : short(interval.high)})`;
}

/** `83 % (71–91 %)`. */
export function toSure(share: number | null, { low, high }: { readonly low: number; readonly high: number }): string {
  return share === null ? "—" : `${toPercent(share)} (${toPercent(low, false)}–${toPercent(high)})`;
}

export function toPercent(share: number, hasUnit = true): string {
  const text = (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0);
  return hasUnit ? `${text} %` : text;
}
