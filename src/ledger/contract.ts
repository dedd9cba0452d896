// The store's contract: a queryable projection of the journal, which can be dropped and rebuilt from it. One test suite (store.suite.ts)
// holds every implementation to it. Invariant: rows and the journal position they reflect are committed together.

import type { Entry, Position } from "../core/entry.ts";
import type { Outcome } from "../core/outcome.ts";
import type { DriverSums, DriversQuery } from "./drivers.ts";
import type { FindQuery, Found, Said, SaidQuery } from "./find.ts";
import type { WaitingPage } from "./waiting.ts";
import type { MarginQuery, MarginSums, RevenuePage, RevenueQuery } from "./margin.ts";
import type { ShapePage, ShapeQuery } from "./shape.ts";
import type { Trend, TrendQuery } from "./trend.ts";
import type { TrialsPage, TrialsQuery } from "./trials.ts";
import type { OddsPage, OddsQuery, TriesPage, TriesQuery } from "./tries.ts";
import type {
  BusyPage,
  BusyQuery,
  CallRecord,
  CallsPage,
  CallsQuery,
  ChargeRecord,
  ChargesPage,
  ChargesQuery,
  IncidentsPage,
  Report,
  ReportQuery,
  Rework,
  Run,
  RunsPage,
  RunsQuery,
  Span,
  SuccessPage,
  SuccessQuery,
  Totals,
  UnpricedPage,
  UnpricedQuery,
} from "./store.ts";

export interface Store {
  /** Opens or creates the projection. @returns the last position applied; null when empty. */
  open(): Promise<Position | null>;
  /** Applies entries in journal order, in one transaction. Entries at or before the applied position are passed over. */
  apply(entries: readonly { readonly entry: Entry; readonly position: Position }[]): Promise<void>;
  report(query: ReportQuery): Promise<Report>;
  /** Of each span what `report` gives as its total, all as of one position. @throws PennyworthError `query_invalid`. */
  totals(spans: readonly Span[]): Promise<Totals>;
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
  /** Period charges of these ids, those that there are, in any order. */
  chargesOf(ids: readonly string[]): Promise<readonly ChargeRecord[]>;
  /** What belongs together as one piece of work: a root task with its subtasks, or a task that names no root. */
  runs(query: RunsQuery): Promise<RunsPage>;
  /** null when no call names this task, and it is not on record without one. */
  run(id: string, limit: number): Promise<Run | null>;
  /** What tasks cost and how they ended, told apart by what they are. */
  success(query: SuccessQuery): Promise<SuccessPage>;
  /** What calls of two spans used and cost, by what kind of work they were for and where they ran. */
  drivers(query: DriversQuery): Promise<DriverSums>;
  /** Tasks one by one, by what they are told apart by. */
  trials(query: TrialsQuery): Promise<TrialsPage>;
  /** What the tasks of candidates add up to, as tries at pieces of work. @throws PennyworthError `query_invalid`. */
  tries(query: TriesQuery): Promise<TriesPage>;
  /** What came to the first try at pieces of work, to the second after one that failed, and so on. @throws PennyworthError `query_invalid`. */
  odds(query: OddsQuery): Promise<OddsPage>;
  /** Where tokens and money go within tasks of a type. */
  shape(query: ShapeQuery): Promise<ShapePage>;
  /** What customers are said to pay, voided ones too, the latest beginning first. */
  revenue(query: RevenueQuery): Promise<RevenuePage>;
  /** What customers or features bring in and cost in a span, and month by month. */
  margin(query: MarginQuery): Promise<MarginSums>;
  /** What was said of how a task ended, the earliest first; empty: nothing was. */
  outcomes(task: string): Promise<readonly Outcome[]>;
  /** What a task makes good, and what makes it good. */
  rework(task: string): Promise<Rework>;
  /** Statements of tasks that nobody has heard of. */
  waiting(limit: number): Promise<WaitingPage>;
  /** Which tasks are on record, and which belong to responses of providers. */
  find(query: FindQuery): Promise<Found>;
  /** Which tasks began and what was said of how tasks ended, by ids. */
  said(query: SaidQuery): Promise<Said>;
  /** Newest first. */
  incidents(query: ChargesQuery): Promise<IncidentsPage>;
  /** What calls used that has no price; the models with the most such calls first. */
  unpriced(query: UnpricedQuery): Promise<UnpricedPage>;
  /** What one model's priced lines came to over time, the earliest first. */
  trend(query: TrendQuery): Promise<Trend>;
  /** How busy calls kept a machine in a span. */
  busy(query: BusyQuery): Promise<BusyPage>;
  /** Period charges whose ids begin so, voided ones too, the last id first. */
  chargesNamed(prefix: string, limit: number): Promise<readonly ChargeRecord[]>;
  close(): Promise<void>;
}
