// What is asked of the store, and what it answers: calls, sums of them, tasks, charges. Not here: the contract itself (contract.ts), and questions that
// have a file of their own. Invariant: amounts are decimal strings of dollars, and what was not recorded is null.

import { type Attribution, attributionFields, type CallEnd, type CallStart } from "../core/call.ts";
import type { Rating } from "../core/charge.ts";
import type { Position } from "../core/entry.ts";
import type { PeriodCharge } from "../core/period.ts";
import type { Correction } from "../core/resolve.ts";
import type { UsageClass } from "../core/usage.ts";
import type { ZoneOffset } from "../core/zone.ts";

/** Fields a report can group by and a filter can name, besides `class` and those of time. Tags are `tag.NAME`. */
export const reportFields = [
  ...attributionFields,
  "key",
  "provider",
  "format",
  "endpoint",
  "pool",
  "region",
  "modelAsked",
  "model",
  "tierAsked",
  "tier",
  "effort",
  "status",
  "finish",
  "error",
  "attempt",
  "reason",
  "streamed",
  "httpStatus",
  "source",
  "differs",
  "disputed",
  "unpriced",
  "unmetered",
  "doubtful",
  "presumed",
  "failed",
  "witness",
  "call",
] as const;

/** Of a call's start. `hour` and `minute` are named by the instant they begin at; `week` by its Monday. */
export const timeFields = ["minute", "hour", "day", "week", "month"] as const;

export type TimeField = (typeof timeFields)[number];

export type ReportField = (typeof reportFields)[number] | "class" | TimeField | `tag.${string}`;

export interface Filter {
  readonly field: ReportField;
  /** `null` matches what was not recorded. */
  readonly value: string | null;
  readonly operator: "=" | "!=";
}

export interface ReportQuery {
  readonly by: readonly ReportField[];
  /** Start of the call, or of a day's piece of a period charge, in ms UTC; `since` inclusive, `until` exclusive. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly limit: number;
  /** Whose hours, days, weeks and months are meant; UTC's when absent. */
  readonly zone?: readonly ZoneOffset[];
  /** Only groups whose first field contains this text, whatever the case. */
  readonly search?: string;
  /** Only this many of the dearest values of the fields that are no time are told apart; what is left is one row per time, marked `rest`. */
  readonly top?: number;
  /** Whether rows get quantiles of how long calls took. */
  readonly latency?: boolean;
}

/** Quantiles in ms, of calls that ended; null when there are none. `firstToken`: until the first piece of the answer. */
export interface Latency {
  readonly durationMsP50: number | null;
  readonly durationMsP95: number | null;
  readonly firstTokenMsP50: number | null;
  readonly firstTokenMsP95: number | null;
}

/** Amounts are decimal strings of dollars. Sums cover what was recorded; `unpriced` and `doubtful` say what is not sure. */
export interface ReportRow {
  /** One value per field of `by`; null where it was not recorded. */
  readonly group: readonly (string | null)[];
  readonly calls: number;
  readonly cost: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Units of the class, when grouped by `class`. */
  readonly quantity: number | null;
  /** Calls with a usage that has no price; without any usage though something was sent; with a usage that does not add up; presumed. */
  readonly unpriced: number;
  readonly unmetered: number;
  readonly doubtful: number;
  readonly presumed: number;
  readonly failed: number;
  /** Of `cost`: what belongs to periods, and to no call. */
  readonly periodCost: string;
  /** Days of period charges that have no price: their cost is unknown, and not in the sums. */
  readonly periodUnpriced: number;
  /** When it was asked for; never on `rest` rows. */
  readonly latency?: Latency;
  /** All groups beyond `top`, in one. */
  readonly rest?: true;
}

export interface Report {
  readonly by: readonly ReportField[];
  /** Dearest first; by time when grouped by day or hour. */
  readonly rows: readonly ReportRow[];
  /** Over all groups, also those past the limit. */
  readonly total: ReportRow;
  readonly truncated: boolean;
  /** Up to where the journal was applied. */
  readonly position: Position | null;
}

/** What the time of calls on a machine can be told apart by. */
export const busyFields = [
  "task",
  "parent",
  "root",
  "type",
  "customer",
  "user",
  "feature",
  "agent",
  "team",
  "project",
  "environment",
  "key",
  "model",
] as const satisfies readonly ReportField[];

export type BusyField = (typeof busyFields)[number];

export interface BusyQuery {
  readonly provider: string;
  /** Names as they were sent; `*` is any run of characters. */
  readonly models: readonly string[];
  /** ms UTC: from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How many machines: so many calls at once keep them all busy. */
  readonly count: number;
  readonly by: readonly BusyField[];
  readonly limit: number;
}

export interface BusyPage {
  /** Time in which a machine had a call to run, summed over the machines. */
  readonly coveredMs: number;
  /** Time of all calls, also of groups past the limit. */
  readonly busyMs: number;
  /** Calls still under way that began before the span's end. */
  readonly open: number;
  /** One value per field of `by`; the busiest first. */
  readonly groups: readonly { readonly group: readonly (string | null)[]; readonly busyMs: number }[];
  readonly truncated: boolean;
}

/** `since` inclusive, `until` exclusive, ms UTC: what a report takes. */
export interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface Totals {
  /** One for each span, in their order. */
  readonly totals: readonly ReportRow[];
  readonly position: Position | null;
}

/** Of the charges that touch a period: `since` inclusive, `until` exclusive, ms UTC. */
export interface ChargesQuery {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly limit: number;
}

export interface ChargeRecord {
  readonly charge: PeriodCharge;
  /** When it was voided; null: it counts. */
  readonly voidedMs: number | null;
}

export interface ChargesPage {
  readonly charges: readonly ChargeRecord[];
  /** What was booked in the period for calls and charges of closed months, newest first. */
  readonly bookings: readonly Booking[];
  readonly truncated: boolean;
}

/** What a call, or a period charge, of a closed month turned out to cost more or less, booked in the month in which that came to be known. */
export interface Booking {
  /** `correction:CALL:N`, from 1. */
  readonly id: string;
  /** One of the two is there: the call, or the period charge. */
  readonly call: string | null;
  readonly charge: string | null;
  /** The closed month that it amends, UTC. */
  readonly month: string;
  /** A re-rating; better evidence; an end that came after the closing; a charge that was voided. */
  readonly cause: "rerated" | "evidence" | "ended" | "voided";
  /** Id of the re-rating. */
  readonly rerate: string | null;
  /** When it counts. */
  readonly atMs: number;
  readonly provider: string;
  readonly model: string | null;
  /** Signed decimal string of dollars. */
  readonly cost: string;
  /** Differences by class, signed. */
  readonly lines: readonly { readonly class: UsageClass | null; readonly quantity: number | null; readonly cost: string }[];
}

export interface CallsQuery {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  /** Opaque; from the page before. */
  readonly cursor: string | null;
  readonly limit: number;
  readonly zone?: readonly ZoneOffset[];
}

export interface RunsQuery {
  /** Sums are of the calls of this span that pass the filters. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly zone?: readonly ZoneOffset[];
  readonly order: "newest" | "dearest";
  readonly limit: number;
  /** How runs end now, and those that do so alone; null: all. Open is a task of which nobody said how it ended for so long after its last call, ms. */
  readonly ended: TaskEnd | null;
  readonly nowMs: number;
  readonly openMs: number;
}

/** How a task ended, as all that was said of it comes to. */
export const taskEnds = ["success", "failure", "unknown", "open"] as const;
export type TaskEnd = (typeof taskEnds)[number];

/** A run as it is listed. */
export interface EndedRun extends RunRow {
  readonly ended: TaskEnd;
  /** What it was worth, dollars; null: nobody said. */
  readonly value: string | null;
  /** Sources differ on whether it was a success. */
  readonly contradictory: boolean;
}

/** One task, or a root with its subtasks. What is said of it is what its first call says. */
export interface RunRow extends Omit<ReportRow, "group" | "quantity" | "periodCost" | "periodUnpriced"> {
  readonly task: string;
  readonly parent: string | null;
  readonly type: string | null;
  readonly customer: string | null;
  readonly agent: string | null;
  readonly feature: string | null;
  readonly team: string | null;
  /** Of the first and the last call, ms UTC; `endMs` is null when none has ended. */
  readonly startMs: number;
  readonly endMs: number | null;
  /** Calls under way. */
  readonly open: number;
  /** How many tasks are in it. */
  readonly tasks: number;
}

export interface RunsPage {
  readonly runs: readonly EndedRun[];
  readonly truncated: boolean;
  readonly position: Position | null;
}

export interface Run {
  readonly run: RunRow;
  /** Its tasks, by when they began. */
  readonly nodes: readonly RunRow[];
  /** Oldest first. */
  readonly calls: readonly CallSummary[];
  readonly truncated: boolean;
}

/** What tasks can be told apart by: what was said when they began, else what their first call says; `model` is the only one of its calls. */
export const taskFields = [
  "type",
  "agent",
  "feature",
  "customer",
  "team",
  "project",
  "environment",
  "prompt",
  "key",
  "model",
] as const satisfies readonly ReportField[];

export type TaskField = (typeof taskFields)[number];

/** The value of `model` where a task's calls have several. */
export const severalModels = "several";

/** Of root tasks, each with all below it, and with the rework that is booked to it. One that is rework is no task of its own. */
export interface SuccessQuery {
  /** At most two. */
  readonly by: readonly TaskField[];
  /** When the task began, ms UTC: `since` inclusive, `until` exclusive. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly { readonly field: TaskField; readonly value: string | null; readonly operator: "=" | "!=" }[];
  /** One of which nobody said how it ended is open until this long after its last call, and unknown from then on. */
  readonly nowMs: number;
  readonly openMs: number;
  readonly limit: number;
}

/** As costs are booked: to the first cause that is known, however many make good one another. */
export interface Rework {
  /** null: it is work of its own. */
  readonly of: string | null;
  /** By name, a hundred at most. */
  readonly by: readonly string[];
}

/** Sums over tasks that ended in one way. Amounts are decimal strings of dollars. */
export interface EndSums {
  readonly tasks: number;
  readonly cost: string;
}

export interface SuccessRow {
  /** One value per field of `by`; null where it was not said. */
  readonly group: readonly (string | null)[];
  readonly success: EndSums;
  readonly failure: EndSums;
  readonly unknown: EndSums;
  readonly open: EndSums;
  readonly calls: number;
  /** Parts of the cost, whatever the end. `failedCost`: of calls that failed; `retryCost`: of tries after the first; `reworkCost`: of tasks booked here. */
  readonly failedCost: string;
  readonly retryCost: string;
  readonly reworkCost: string;
  /** Of the tasks whose value is known, what they were worth; null: none is. `unvaluedCost`: of the others. */
  readonly value: string | null;
  readonly unvaluedCost: string;
  /** Time that people spent checking, ms; null: nobody said. */
  readonly reviewMillis: string | null;
  /** The squares of it of each task, added up. */
  readonly reviewSquares: string | null;
  /** Tasks of which nobody said it. */
  readonly unreviewed: number;
  /** Tasks of which sources say different things; with calls of which something has no price, or was presumed. */
  readonly contradictory: number;
  readonly unpriced: number;
  readonly presumed: number;
  /** Of a task's cost, nearest rank. null: there is no task. */
  readonly quantiles: { readonly p50: string; readonly p90: string; readonly p99: string } | null;
  /** Of each task, or, of more than five hundred, of 256 groups of them by a hash of their names: the parts of this row. */
  readonly units: readonly SuccessUnit[];
}

/** What a row has of these, for one task or a group of them. No `value`, no `reviewMillis`: nobody said it of any. */
export interface SuccessUnit {
  readonly cost: string;
  readonly successes: number;
  readonly value?: string;
  readonly reviewMillis?: string;
}

export interface SuccessPage {
  /** Most tasks first. */
  readonly rows: readonly SuccessRow[];
  readonly total: SuccessRow;
  readonly truncated: boolean;
  /** Statements about tasks of which nothing else is known: they wait. */
  readonly waiting: number;
  readonly position: Position | null;
}

/** What is not in the numbers, or puts them in doubt. */
export type Incident =
  /** Calls that passed without being recorded, by setting, while the journal could not be written. */
  | { readonly kind: "gap"; readonly fromMs: number; readonly toMs: number; readonly calls: number; readonly cause: string }
  /** The wall clock jumped by `byMs`. */
  | { readonly kind: "clock"; readonly atMs: number; readonly byMs: number };

export interface IncidentsPage {
  readonly incidents: readonly Incident[];
  readonly truncated: boolean;
}

export interface UnpricedQuery {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  /** Most models, told apart by tier and region. */
  readonly limit: number;
}

export interface UnpricedRow {
  readonly provider: string;
  readonly model: string | null;
  /** As the provider says it was served; null: it did not say. */
  readonly tier: string | null;
  readonly region: string | null;
  readonly calls: number;
  /** Start of the first and of the last of these calls, ms UTC. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Classes without a price; a class whose quantity nobody knows is not among them. */
  readonly classes: readonly { readonly class: UsageClass; readonly calls: number; readonly quantity: number | null }[];
}

export interface UnpricedPage {
  readonly rows: readonly UnpricedRow[];
  readonly truncated: boolean;
}

export interface CallSummary {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly provider: string;
  readonly modelAsked: string | null;
  readonly model: string | null;
  readonly status: CallEnd["status"] | "open";
  readonly httpStatus: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: string;
  readonly unpriced: readonly UsageClass[];
  readonly doubtful: boolean;
  readonly attribution: Attribution;
}

export interface CallsPage {
  readonly calls: readonly CallSummary[];
  readonly cursor: string | null;
}

/** A call with everything on record. `start` is null for a call known only by a later witness. */
export interface CallRecord {
  readonly id: string;
  readonly start: CallStart | null;
  /** The resolution of all observations, with the charges that the correction in force gives; null while under way. */
  readonly end: CallEnd | null;
  readonly witnesses: readonly string[];
  /** What re-ratings said of it, the earliest first; absent: none did. */
  readonly corrections?: readonly Correction[];
  /** What it was charged with before any correction; absent where there is none. */
  readonly original?: Rating;
  /** What was booked for it in later months, since its own was closed; absent: nothing. */
  readonly bookings?: readonly Booking[];
}
