// What the store's process and its parent say to each other. Plain data only: it is copied between processes.

import type { Position } from "../../core/entry.ts";
import type { ErrorCode } from "../../error.ts";
import type { DriversQuery } from "../drivers.ts";
import type { FindQuery, SaidQuery } from "../find.ts";
import type { RerateQuery } from "../rerate.ts";
import type { MarginQuery, RevenueQuery } from "../margin.ts";
import type { ShapeQuery } from "../shape.ts";
import type { BusyQuery, CallsQuery, ChargesQuery, ReportQuery, RunsQuery, Span, SuccessQuery, UnpricedQuery } from "../store.ts";
import type { TrendQuery } from "../trend.ts";
import type { OddsQuery, TriesQuery } from "../tries.ts";

export interface DuckDBOptions {
  readonly threads: number;
  /** As DuckDB takes it, e.g. `1GB`. */
  readonly memory: string;
}

export const defaultOptions: DuckDBOptions = { threads: 2, memory: "1GB" };

export interface Setup extends DuckDBOptions {
  /** The data folder: the journal is in `journal/`, the store's file beside it. */
  readonly folder: string;
}

export type Question =
  | { readonly method: "report"; readonly query: ReportQuery }
  | { readonly method: "totals"; readonly spans: readonly Span[] }
  | { readonly method: "calls"; readonly query: CallsQuery }
  | { readonly method: "call"; readonly id: string }
  | { readonly method: "scan"; readonly after: string | null; readonly limit: number }
  | { readonly method: "charges"; readonly query: ChargesQuery }
  | { readonly method: "charge"; readonly id: string }
  | { readonly method: "runs"; readonly query: RunsQuery }
  | { readonly method: "run"; readonly id: string; readonly limit: number }
  | { readonly method: "success"; readonly query: SuccessQuery }
  | { readonly method: "drivers"; readonly query: DriversQuery }
  | { readonly method: "tries"; readonly query: TriesQuery }
  | { readonly method: "odds"; readonly query: OddsQuery }
  | { readonly method: "shape"; readonly query: ShapeQuery }
  | { readonly method: "revenue"; readonly query: RevenueQuery }
  | { readonly method: "margin"; readonly query: MarginQuery }
  | { readonly method: "outcomes"; readonly task: string }
  | { readonly method: "rework"; readonly task: string }
  | { readonly method: "waiting"; readonly limit: number }
  | { readonly method: "find"; readonly query: FindQuery }
  | { readonly method: "said"; readonly query: SaidQuery }
  | { readonly method: "chargesOf"; readonly ids: readonly string[] }
  | { readonly method: "incidents"; readonly query: ChargesQuery }
  | { readonly method: "unpriced"; readonly query: UnpricedQuery }
  | { readonly method: "trend"; readonly query: TrendQuery }
  | { readonly method: "busy"; readonly query: BusyQuery }
  | { readonly method: "chargesNamed"; readonly prefix: string; readonly limit: number }
  | { readonly method: "rerate"; readonly query: RerateQuery }
  | { readonly method: "rerate.next" }
  | { readonly method: "rerate.close" }
  | { readonly method: "status" };

/** To the process. */
export type Message =
  | { readonly kind: "setup"; readonly setup: Setup }
  | { readonly kind: "advance"; readonly position: Position }
  | { readonly kind: "close" }
  | ({ readonly kind: "ask"; readonly number: number } & Question);

export type Answer =
  | { readonly kind: "answer"; readonly number: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly number: number; readonly code: ErrorCode; readonly message: string };

/** Told unasked. `trouble` is for the log: `error` when an operator should look. */
export type News =
  | { readonly kind: "opened"; readonly applied: Position | null }
  | { readonly kind: "applied"; readonly applied: Position }
  | { readonly kind: "trouble"; readonly level: "info" | "error"; readonly detail: string };
