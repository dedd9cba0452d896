// Budgets: what may be spent, by whom, in which time. Not here: who is refused (guard.ts). Invariant: a budget's windows follow each other
// without gap or overlap, and a time is in exactly one of them; a rolling window counts whole buckets, and so errs towards counting too much.

import { offsetAt, offsetsOf, toUtc, type ZoneOffset } from "./zone.ts";

export const budgetFields = [
  "org",
  "key",
  "team",
  "agent",
  "feature",
  "customer",
  "user",
  "type",
  "root",
  "task",
  "provider",
  "model",
] as const;

export type BudgetField = (typeof budgetFields)[number];

/** What a call is known by. A null was not said, and is under no budget that names the field. */
export type Scope = { readonly [field in BudgetField]?: string | null };

/** What is counted: picodollars, tokens (input and output), or calls. */
export type Measure = "money" | "tokens" | "calls";

export const calendarUnits = ["minute", "hour", "day", "week", "month", "quarter", "year"] as const;

export type CalendarUnit = (typeof calendarUnits)[number];

export type Period =
  /** For ever: a budget that is used up and not filled again. */
  | { readonly kind: "total" }
  /** Weeks begin on Monday. */
  | { readonly kind: "calendar"; readonly unit: CalendarUnit; readonly zone: string }
  /** The last `buckets` buckets of `bucketMs` and the one under way: never less than `buckets × bucketMs`, and up to one bucket more. */
  | { readonly kind: "rolling"; readonly bucketMs: number; readonly buckets: number };

export interface Budget {
  readonly id: string;
  readonly owner: string;
  /** A call is under it when all of these are its own. Empty: every call. */
  readonly scope: Scope;
  readonly measure: Measure;
  readonly limit: bigint;
  readonly period: Period;
  /** `hard` refuses, `soft` warns, `shadow` only records what it would have done. */
  readonly mode: "hard" | "soft" | "shadow";
  /** Of a calendar's unused rest, the most that the next window gets; null: nothing. */
  readonly carryMax: bigint | null;
  /** Whether calls of which nobody can say what they cost at most are let in, uncovered. */
  readonly unbounded: "refuse" | "allow";
}

/** Part of the time, numbered; `toMs` is exclusive, and infinite for what never ends. */
export interface Span {
  readonly index: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The window of a calendar, the bucket of a rolling period, or all time. @throws RangeError for a zone that is not one. */
export function spanAt(period: Period, atMs: number): Span {
  if (period.kind === "total") return { index: 0, fromMs: -Infinity, toMs: Infinity };
  if (period.kind === "rolling") {
    const index = Math.floor(atMs / period.bucketMs);
    return { index, fromMs: index * period.bucketMs, toMs: (index + 1) * period.bucketMs };
  }
  return calendarSpan(period.unit, zoneOf(period.zone), atMs);
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** 1970 began on a Thursday. */
const mondayMs = -3 * dayMs;

/** Local midnight and month's end, as that zone has them. Minutes and hours are the zone's own too: some are off by half an hour. */
function calendarSpan(unit: CalendarUnit, offsets: readonly ZoneOffset[], atMs: number): Span {
  const localMs = atMs + offsetAt(offsets, atMs);
  if (unit === "minute" || unit === "hour") {
    const lengthMs = unit === "minute" ? minuteMs : hourMs;
    // Steps of real time: an hour that the clock repeats is two windows.
    const offset = offsetAt(offsets, atMs) % lengthMs;
    const index = Math.floor((atMs + offset) / lengthMs);
    return { index, fromMs: index * lengthMs - offset, toMs: (index + 1) * lengthMs - offset };
  }
  const [index, fromLocal, toLocal] = localSpan(unit, localMs);
  return { index, fromMs: toUtc(offsets, fromLocal), toMs: toUtc(offsets, toLocal) };
}

function localSpan(unit: Exclude<CalendarUnit, "minute" | "hour">, localMs: number): readonly [number, number, number] {
  if (unit === "day" || unit === "week") {
    const [lengthMs, zeroMs] = unit === "day" ? [dayMs, 0] : [7 * dayMs, mondayMs];
    const index = Math.floor((localMs - zeroMs) / lengthMs);
    return [index, zeroMs + index * lengthMs, zeroMs + (index + 1) * lengthMs];
  }
  const months = { month: 1, quarter: 3, year: 12 }[unit];
  const date = new Date(localMs);
  const index = Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months);
  return [index, monthMs(index * months), monthMs((index + 1) * months)];
}

/** `month` counts from January of the year 0. */
function monthMs(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12);
}

function zoneOf(zone: string): readonly ZoneOffset[] {
  const offsets = offsetsOf(zone, null, null);
  if (offsets === null) throw new RangeError(`no such time zone: ${zone}`);
  return offsets;
}
