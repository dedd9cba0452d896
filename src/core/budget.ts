// Budgets: what may be spent, by whom, in which time. Not here: who is refused (guard.ts). Invariant: a budget's windows follow each other
// without gap or overlap, and a time is in exactly one of them; a rolling window counts whole buckets, and so errs towards counting too much.

import { dayMs, hourMs, minuteMs } from "./time.ts";
import { offsetAt, offsetsOf, toUtc, type ZoneOffset } from "./zone.ts";

/** `task`: the tree under that task, itself included. No field at all: everything, the whole organisation. */
export const budgetFields = [
  "key",
  "team",
  "agent",
  "feature",
  "customer",
  "user",
  "type",
  "project",
  "environment",
  "provider",
  "model",
  "task",
] as const;

export type BudgetField = (typeof budgetFields)[number];

/** Of a budget, what a call must be to be under it. A field that is null or absent asks for nothing. */
export type Scope = { readonly [field in BudgetField]?: string | null };

/** What a call is known by. A null was not said, and is under no budget that names the field. `task`: its own, and all those above it. */
export type CallScope = { readonly [field in Exclude<BudgetField, "task">]?: string | null } & { readonly task?: readonly string[] };

/** What is counted: picodollars, tokens (input and output), calls, or calls that are under way at the same time. */
export const measures = ["money", "tokens", "calls", "open"] as const;

export type Measure = (typeof measures)[number];

export const calendarUnits = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"] as const;

export type CalendarUnit = (typeof calendarUnits)[number];

export type Period =
  /** For ever: a budget that is used up and not filled again. */
  | { readonly kind: "total" }
  /** Weeks begin on Monday. */
  | { readonly kind: "calendar"; readonly unit: CalendarUnit; readonly zone: string }
  /** The last `buckets` buckets of `bucketMs` and the one under way: never less than `buckets × bucketMs`, and up to one bucket more. */
  | { readonly kind: "rolling"; readonly bucketMs: number; readonly buckets: number };

/** What is done instead of going on as asked, from so much use on. */
export interface Degrade {
  /** Of the allowance, in whole per cents, held and presumed money included. */
  readonly usedPercent: number;
  readonly to:
    /** Another model of the same format, at the same provider. */
    | { readonly kind: "model"; readonly model: string }
    /** At most so many output tokens. */
    | { readonly kind: "cap"; readonly tokens: number }
    /** Waits until it can go on as asked, at most so long. */
    | { readonly kind: "wait"; readonly msMax: number };
}

export interface Budget {
  readonly id: string;
  /** Who answers for it: one person or team, in words. */
  readonly owner: string;
  /** `rate`: a limit on how fast, whose refusals say "later" (429). `budget`: an allowance, whose refusals say "no" (402). */
  readonly kind: "budget" | "rate";
  /** A call is under it when all of these are its own. Empty: every call. */
  readonly scope: Scope;
  /** Every value of these fields has the whole allowance to itself. A call that does not say one of them is not under it. */
  readonly each: readonly BudgetField[];
  readonly measure: Measure;
  readonly limit: bigint;
  readonly period: Period;
  /** `hard` refuses, `soft` warns, `shadow` only records what it would have done. */
  readonly mode: "hard" | "soft" | "shadow";
  /** Of a calendar's unused rest, the most that the next window gets; null: nothing. */
  readonly carryMax: bigint | null;
  /** Whether calls of which nobody can say what they cost at most are let in, uncovered. */
  readonly unbounded: "refuse" | "allow";
  /** `inject`: a missing cap on the output is put in. `lower`: the client's own is lowered, too, where the money asks for it. */
  readonly caps: "inject" | "lower";
  /** An answer of fewer output tokens is of no use: such a call is refused. null: the median answer of its task type. */
  readonly usefulTokens: number | null;
  readonly degrade: readonly Degrade[];
  /** Whole per cents of the allowance at which somebody is told. */
  readonly alerts: readonly number[];
  /** Of calls at once: what each value of a field is sure of. What one does not use is lent to the others. null: nobody is sure of anything. */
  readonly shares: { readonly field: Exclude<BudgetField, "task">; readonly of: Readonly<Record<string, number>> } | null;
  /** Calls with a lower number go first where calls wait. Of a call, that of the first budget it is under; 0 is the usual. */
  readonly priority: number;
}

/** The terms of a budget of which only scope and limit are said. */
export const usualTerms = {
  kind: "budget",
  scope: {},
  each: [],
  measure: "money",
  mode: "hard",
  carryMax: null,
  unbounded: "refuse",
  caps: "inject",
  usefulTokens: null,
  degrade: [],
  alerts: [80, 100],
  shares: null,
  priority: 0,
} as const satisfies Partial<Budget>;

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

const lengthsMs = { second: 1_000, minute: minuteMs, hour: hourMs } as const;
/** 1970 began on a Thursday. */
const mondayMs = -3 * dayMs;

/** Local midnight and month's end, as that zone has them. Minutes and hours are the zone's own too: some are off by half an hour. */
function calendarSpan(unit: CalendarUnit, offsets: readonly ZoneOffset[], atMs: number): Span {
  const localMs = atMs + offsetAt(offsets, atMs);
  if (unit === "second" || unit === "minute" || unit === "hour") {
    const lengthMs = lengthsMs[unit];
    // Steps of real time: an hour that the clock repeats is two windows.
    const offset = offsetAt(offsets, atMs) % lengthMs;
    const index = Math.floor((atMs + offset) / lengthMs);
    return { index, fromMs: index * lengthMs - offset, toMs: (index + 1) * lengthMs - offset };
  }
  const [index, fromLocal, toLocal] = localSpan(unit, localMs);
  return { index, fromMs: toUtc(offsets, fromLocal), toMs: toUtc(offsets, toLocal) };
}

function localSpan(unit: Exclude<CalendarUnit, keyof typeof lengthsMs>, localMs: number): readonly [number, number, number] {
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
