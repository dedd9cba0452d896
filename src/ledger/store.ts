// The store's contract: a queryable projection of the journal, which can be dropped and rebuilt from it. One test suite (store.suite.ts)
// holds every implementation to it. Invariant: rows and the journal position they reflect are committed together.

import { type Attribution, attributionFields, type CallEnd, type CallStart } from "../core/call.ts";
import type { Entry, Position } from "../core/entry.ts";
import type { PeriodCharge } from "../core/period.ts";
import type { UsageClass } from "../core/usage.ts";

export interface Store {
  /** Opens or creates the projection. @returns the last position applied; null when empty. */
  open(): Promise<Position | null>;
  /** Applies entries in journal order, in one transaction. Entries at or before the applied position are passed over. */
  apply(entries: readonly { readonly entry: Entry; readonly position: Position }[]): Promise<void>;
  report(query: ReportQuery): Promise<Report>;
  /** Newest first. */
  calls(query: CallsQuery): Promise<CallsPage>;
  /** null when no call has this id. */
  call(id: string): Promise<CallRecord | null>;
  /** Every call in order of id, for verification: `after` is exclusive. */
  scan(after: string | null, limit: number): Promise<readonly CallRecord[]>;
  /** Period charges, voided ones too, newest first. */
  charges(query: ChargesQuery): Promise<ChargesPage>;
  /** null when no period charge has this id. */
  charge(id: string): Promise<ChargeRecord | null>;
  close(): Promise<void>;
}

/** Fields a report can group by and a filter can name, besides `class`, `day` and `hour`. Tags are `tag.NAME`. */
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
  "witness",
  "call",
] as const;

export type ReportField = (typeof reportFields)[number] | "class" | "day" | "hour" | `tag.${string}`;

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
  readonly truncated: boolean;
}

export interface CallsQuery {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  /** Opaque; from the page before. */
  readonly cursor: string | null;
  readonly limit: number;
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
  /** The resolution of all observations; null while under way. */
  readonly end: CallEnd | null;
  readonly witnesses: readonly string[];
}
