// Which days a margin is of, as asked: whole ones, UTC, none of them to come; the same of the year before, and the months to look back over; and when the day
// under way ends, in a zone. Not here: what is in them (margin.ts, drivers.ts). Invariant: what is not such a span is refused by name.

import { monthOf, monthSpan } from "../core/month.ts";
import { dayMs } from "../core/time.ts";
import { offsetAt, toUtc, type ZoneOffset } from "../core/zone.ts";
import type { MarginAsked } from "./margined.ts";
import { invalid, parseTime, refuseFuture } from "./query.ts";

/** Months that are looked back for when losses began. */
export const monthsBack = 12;
/** Longest span, days: a question adds up whole months, and a few days by themselves. */
const daysMax = 3_660;

/** @throws PennyworthError `query_invalid` where days are not whole, are to come, or none lies between. */
export function spanOf({ since, until }: MarginAsked, nowMs: number): { readonly sinceMs: number; readonly untilMs: number } {
  const tomorrow = endOfDay(nowMs);
  const today = tomorrow - dayMs;
  const whole = (name: "since" | "until", said: string | undefined, usual: number): number => {
    const atMs = parseTime(name, said, nowMs);
    if (atMs === null) return usual;
    if (/^\d{1,6}[smhdw]$/.test(said ?? "")) return Math.floor(atMs / dayMs) * dayMs;
    if (atMs % dayMs !== 0) throw invalid(`${name} is ${JSON.stringify(said)}: margins are of whole days, UTC, such as 2026-11-01`);
    return atMs;
  };
  const untilMs = whole("until", until, today);
  const twoBefore = monthSpan(monthOf(monthSpan(monthOf(monthSpan(monthOf(untilMs - 1)).fromMs - 1)).fromMs - 1)).fromMs;
  const sinceMs = whole("since", since, twoBefore);
  if (since !== undefined) refuseFuture("since", sinceMs, nowMs);
  if (untilMs > tomorrow)
    throw invalid(
      `until is ${dayOf(untilMs)}, and days to come have no margin yet: ${dayOf(tomorrow)} at the latest, which takes in the day under way (UTC)`,
    );
  if (sinceMs < Date.UTC(2000, 0)) throw invalid("since is before the year 2000");
  if (sinceMs >= untilMs) {
    const hint = until === undefined && sinceMs === today ? `: margins end with yesterday unless until is said (${dayOf(tomorrow)})` : "";
    throw invalid(`no whole day lies between since (${dayOf(sinceMs)}) and until (${dayOf(untilMs)})${hint}`);
  }
  if (untilMs - sinceMs > daysMax * dayMs) throw invalid(`the span is longer than ${daysMax} days`);
  return { sinceMs, untilMs };
}

/** When the day under way ends, ms UTC: of a zone, or UTC. A span that ends then takes it in; days after it are to come. */
export function endOfDay(nowMs: number, offsets: readonly ZoneOffset[] = []): number {
  const localMs = nowMs + offsetAt(offsets, nowMs);
  return toUtc(offsets, (Math.floor(localMs / dayMs) + 1) * dayMs);
}

export function yearBefore({ sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number }) {
  return { sinceMs: back(sinceMs), untilMs: back(untilMs) };
}

export function monthsUntil(last: string): string[] {
  const months = [last];
  while (months.length < monthsBack) months.unshift(monthOf(monthSpan(months[0] as string).fromMs - 1));
  return months;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The same day of the year before; 29 February is the 28th. */
function back(ms: number): number {
  const date = new Date(ms);
  const [year, month] = [date.getUTCFullYear() - 1, date.getUTCMonth()];
  return Date.UTC(year, month, Math.min(date.getUTCDate(), new Date(Date.UTC(year, month + 1, 0)).getUTCDate()));
}
