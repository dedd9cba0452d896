// What happens to Larkspur, and when: growth, a whale, a model switch, prices that change, caches, an outage, a runaway night, a launch, a script
// that goes around Pennyworth. And the rhythm of its days. Pure: a span of time in, dates and rates out. Invariant: all of it follows from the days on which the span begins and ends.

import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import type { Draw } from "./random.ts";

/** A kind of work that people or clocks begin. `search` and `suggest` are single calls, made while somebody types. */
export const kinds = ["ticket", "insight", "invoice", "digest", "change", "campaign", "search", "suggest"] as const;
export type Kind = (typeof kinds)[number];

interface Pace {
  /** On a usual weekday at the end of the history, against the others. */
  readonly perDay: number;
  /** Calls that one of them makes, about. */
  readonly calls: number;
  readonly weekend: number;
  /** Weight of each hour of the day, UTC. */
  readonly hours: readonly number[];
}

/** People in Europe and America. */
const office = [1, 1, 1, 1, 1, 2, 4, 9, 14, 16, 16, 14, 13, 16, 18, 17, 15, 12, 9, 7, 6, 4, 2, 1];
const dawn = [0, 0, 0, 2, 9, 12, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const engineering = [0, 0, 0, 0, 0, 0, 1, 5, 12, 15, 14, 8, 10, 14, 15, 14, 10, 5, 3, 3, 2, 1, 0, 0];

export const paces: Readonly<Record<Kind, Pace>> = {
  ticket: { perDay: 30, calls: 5.7, weekend: 0.45, hours: office },
  insight: { perDay: 5, calls: 5.6, weekend: 0.2, hours: office },
  invoice: { perDay: 22, calls: 1.1, weekend: 0.1, hours: office },
  digest: { perDay: 8, calls: 2, weekend: 0.3, hours: dawn },
  change: { perDay: 3.4, calls: 13.5, weekend: 0.15, hours: engineering },
  campaign: { perDay: 0.7, calls: 2, weekend: 0, hours: engineering },
  search: { perDay: 70, calls: 1, weekend: 0.5, hours: office },
  suggest: { perDay: 18, calls: 1, weekend: 0.45, hours: office },
};

export interface Story {
  readonly startMs: number;
  /** Midnight before the history's end. */
  readonly todayMs: number;
  readonly whaleMs: number;
  /** The resolver goes over to a smaller model. */
  readonly switchMs: number;
  /** A negotiated price comes into force: a first of a month, where the span has one. */
  readonly priceMs: number;
  /** That price is announced. */
  readonly announcedMs: number;
  /** A list of somebody else's is imported, which disagrees. */
  readonly importedMs: number;
  /** From the first of next month on the machine of its own costs more: `riseMs` is that day, `riseKnownMs` when it becomes known. */
  readonly riseMs: number;
  readonly riseKnownMs: number;
  /** The month whose invoices are checked last: the one before that in which they are, which is at least three days old. */
  readonly invoiced: Span;
  /** A discount is agreed on, in force since the invoiced month began. */
  readonly agreedMs: number;
  /** The invoices are in. */
  readonly checkedMs: number;
  /** Three days of the invoiced month on which a script asks a provider without Pennyworth. */
  readonly around: Span;
  /** Triage tries a model of its own, which no price list has. */
  readonly trialMs: number;
  readonly outage: Span;
  readonly runaway: Span;
  /** Search as one types is launched. */
  readonly launchMs: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export function tell(startMs: number, untilMs: number): Story {
  const todayMs = Math.floor(untilMs / dayMs) * dayMs;
  const first = Math.floor(startMs / dayMs) * dayMs;
  const length = todayMs - first;
  /** So many days before today, or, in a short history, as far into it. */
  const ago = (days: number): number => todayMs - Math.round(days * Math.min(1, length / (60 * dayMs))) * dayMs;
  const runawayMs = ago(9);
  const outageMs = ago(3) + 13 * hourMs;
  const priceMs = firstOfMonth(ago(33));
  const invoiced = { fromMs: firstOfMonth(todayMs - 3 * dayMs, -1), toMs: firstOfMonth(todayMs - 3 * dayMs) };
  return {
    startMs: first,
    todayMs,
    whaleMs: first + Math.round((0.4 * length) / dayMs) * dayMs,
    switchMs: ago(24),
    priceMs,
    announcedMs: Math.max(first, priceMs - 6 * dayMs) + 9 * hourMs,
    importedMs: ago(20) + 10 * hourMs,
    riseMs: firstOfMonth(todayMs, 1),
    riseKnownMs: ago(5) + 11 * hourMs,
    invoiced,
    agreedMs: invoiced.toMs + dayMs + 15 * hourMs,
    checkedMs: invoiced.toMs + 2 * dayMs + 9 * hourMs,
    around: { fromMs: invoiced.fromMs + 13 * dayMs, toMs: invoiced.fromMs + 16 * dayMs },
    trialMs: ago(12),
    outage: { fromMs: outageMs, toMs: outageMs + 110 * minuteMs },
    runaway: { fromMs: runawayMs + 50 * minuteMs, toMs: runawayMs + 5 * hourMs + 40 * minuteMs },
    launchMs: ago(6),
  };
}

/** `2026-10-01` */
export function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** @param on so many months later. */
export function firstOfMonth(ms: number, on = 0): number {
  const day = new Date(ms);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + on, 1);
}

export function isWithin({ fromMs, toMs }: Span, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}

/** How much of a prompt's fixed part is read from a cache: nothing at first, most of it in the end. */
export function cached(story: Story, atMs: number): number {
  const share = progress(story, atMs);
  return Math.min(0.92, Math.max(0, (share - 0.25) * 1.5));
}

/** How many of a kind are to be expected on the day that begins at `dayStartMs`, before scaling. */
export function expected(story: Story, kind: Kind, dayStartMs: number): number {
  if (kind === "search" && dayStartMs < story.launchMs) return 0;
  const { perDay, weekend } = paces[kind];
  const weekday = new Date(dayStartMs).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  // Digests go out on Mondays, and at the beginning of a month.
  const isDigestDay = weekday === 1 || new Date(dayStartMs).getUTCDate() === 1;
  const rhythm = kind === "digest" ? (isDigestDay ? 3 : isWeekend ? weekend : 0.6) : isWeekend ? weekend : 1;
  const growth = 0.35 + 0.65 * progress(story, dayStartMs) ** 1.3;
  return perDay * rhythm * growth;
}

/** Times of day, ms since midnight, of so many of a kind. */
export function timesOfDay(kind: Kind, count: number, draw: Draw): number[] {
  const hours = paces[kind].hours.map((weight, hour) => ({ weight, hour })) as unknown as readonly [
    { readonly weight: number; readonly hour: number },
  ];
  return Array.from({ length: count }, () => Math.floor((draw.weighted(hours).hour + draw.share()) * hourMs)).sort((a, b) => a - b);
}

/** From 0 at the start to 1 today. */
function progress({ startMs, todayMs }: Story, atMs: number): number {
  return Math.min(1, Math.max(0, (atMs - startMs) / Math.max(dayMs, todayMs - startMs)));
}
