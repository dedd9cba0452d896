// What customers pay: amounts for spans of time, and subscriptions that go on from month to month. Not here: what customers cost.
// Invariant: the parts of an amount by day add up to it, to the last digit; what was not said is unknown, never zero.

import { type Pico, toPico, zero } from "./money.ts";
import { monthOf, monthSpan } from "./month.ts";
import { dayMs } from "./time.ts";

/** One amount for a span, or one for each month of it. The first of an id stands. */
export interface Revenue {
  /** Names it for ever: another one of the same id changes nothing. */
  readonly id: string;
  /** A token. null: nobody's in particular, and not in any customer's margin. */
  readonly customer: string | null;
  readonly plan: string | null;
  readonly feature: string | null;
  /** `once`: the amount is for the whole span. `month`: so much for each calendar month, UTC; a part of a month counts by its days. */
  readonly every: "once" | "month";
  /** Signed: a refund or a credit is below zero. */
  readonly amountPico: Pico;
  /** ms UTC, whole days: from inclusive, to exclusive. `toMs` null: it goes on (only `month`). */
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly bookedMs: number;
  /** Who says so: `declared`, `csv`, `stripe`, `settings`. */
  readonly witness: string;
  readonly key: string | null;
}

/** Longest span of one amount: ten years. */
export const revenueMsMax = 3_660 * dayMs;
/** Largest amount, either way: a billion dollars. */
export const revenuePicoMax = toPico(10n ** 21n);

const dateMsMin = Date.UTC(2000, 0);
const dateMsMax = Date.UTC(2200, 0);

/** Part of an amount that belongs to the days of one calendar month. */
export interface Earned {
  /** `2026-10`. */
  readonly month: string;
  /** ms UTC, whole days within the month. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly days: number;
  readonly amountPico: Pico;
}

/** What is wrong with its span or amount; null: nothing. */
export function faultOf({ every, amountPico, fromMs, toMs }: Pick<Revenue, "every" | "amountPico" | "fromMs" | "toMs">): string | null {
  if (fromMs % dayMs !== 0 || (toMs !== null && toMs % dayMs !== 0)) return "revenue is of whole days, UTC: say dates, such as 2026-11-01";
  if (toMs === null && every === "once") return "an amount for a span needs its end (to); only what comes every month goes on";
  if (toMs !== null && toMs <= fromMs) return "from is not before to";
  if (fromMs < dateMsMin || fromMs >= dateMsMax) return "from is not between the years 2000 and 2200";
  if (toMs !== null && toMs - fromMs > revenueMsMax) return `the span is longer than ${revenueMsMax / dayMs} days`;
  if (amountPico > revenuePicoMax || amountPico < -revenuePicoMax) return "the amount is beyond a billion dollars";
  return null;
}

/**
 * What is earned in the days from `fromMs` to `toMs`, ms UTC of whole days; null: none of them is covered.
 * By days, as `allocate` divides: what does not divide goes to the first days, a picodollar each.
 */
export function earnedIn(revenue: Pick<Revenue, "every" | "amountPico" | "fromMs" | "toMs">, fromMs: number, toMs: number): Pico | null {
  const low = Math.max(revenue.fromMs, fromMs);
  const high = Math.min(revenue.toMs ?? Number.POSITIVE_INFINITY, toMs);
  if (low >= high) return null;
  const { amountPico } = revenue;
  if (revenue.every === "once") return between(amountPico, revenue.fromMs, revenue.toMs ?? revenue.fromMs, low, high);
  let total = 0n;
  for (let at = low; at < high;) {
    const month = monthSpan(monthOf(at));
    const end = Math.min(high, month.toMs);
    total += between(amountPico, month.fromMs, month.toMs, at, end);
    at = end;
  }
  return toPico(total);
}

/** By calendar month, the earliest first, up to `untilMs`, which is needed where it has no end. */
export function byMonth(revenue: Pick<Revenue, "every" | "amountPico" | "fromMs" | "toMs">, untilMs = Number.POSITIVE_INFINITY): Earned[] {
  const end = Math.min(revenue.toMs ?? Number.POSITIVE_INFINITY, untilMs);
  if (end === Number.POSITIVE_INFINITY) throw new RangeError("what goes on has no last month: say until when");
  const parts: Earned[] = [];
  for (let at = revenue.fromMs; at < end;) {
    const month = monthOf(at);
    const toMs = Math.min(end, monthSpan(month).toMs);
    parts.push({ month, fromMs: at, toMs, days: (toMs - at) / dayMs, amountPico: earnedIn(revenue, at, toMs) ?? zero });
    at = toMs;
  }
  return parts;
}

/** Of an amount that is divided evenly over the days from `startMs` to `endMs`, that of those from `lowMs` to `highMs`. */
function between(amount: Pico, startMs: number, endMs: number, lowMs: number, highMs: number): Pico {
  const days = BigInt((endMs - startMs) / dayMs);
  const sign = amount < 0n ? -1n : 1n;
  const [each, rest] = [(amount * sign) / days, (amount * sign) % days];
  const first = (ms: number): bigint => {
    const count = BigInt((ms - startMs) / dayMs);
    return each * count + (count < rest ? count : rest);
  };
  return toPico(sign * (first(highMs) - first(lowMs)));
}
