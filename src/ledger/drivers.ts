// What the ledger knows of two spans for the question why a bill moved: sums by what kind of work, where it ran and at which tier.
// Not here: what follows from them (economics/drivers.ts). Invariant: over all cells and other charges the costs are those of a report.

import type { Position } from "../core/entry.ts";
import type { UsageClass } from "../core/usage.ts";
import type { ZoneOffset } from "../core/zone.ts";
import type { Filter, Span } from "./store.ts";

/** What cells can be told apart by, besides type, provider, model and tier. */
export const driverFields = ["agent", "feature", "customer", "team", "environment"] as const;

export type DriverField = (typeof driverFields)[number];

/** In place of values of `by` that are not told apart. */
export const others = "\u0000";

/** Most cells of values of `by` that are told apart: as many of the dearest as fit. And most customers, whose cells are not kept by the day. */
export const toldCellsMax = 4_000;
export const toldCustomersMax = 10;

/**
 * Fast where it is told apart and filtered by what calls say they are for (type, agent, feature, team, environment) and where they ran (provider, model,
 * tier); or by customer, or step, besides the type and where they ran: all else is read call by call.
 */
export interface DriversQuery {
  readonly before: Span;
  readonly after: Span;
  readonly by: DriverField | null;
  readonly filters: readonly Filter[];
  readonly zone?: readonly ZoneOffset[];
  /** Values of `by` that are told apart, whatever they cost; absent: the dearest in both spans, as many as there is room for. */
  readonly told?: readonly (string | null)[];
}

/** A cell's calls in one span. Amounts are decimal strings of dollars. */
export interface DriverUsage {
  readonly calls: number;
  /** Tries that were no retry and no fallback. */
  readonly firstTries: number;
  readonly cost: string;
  /** Calls with usage that has no price. */
  readonly unpriced: number;
  /** By class; `cost` null: no price. What of a class has a price and what has none are two lines. */
  readonly lines: readonly { readonly class: UsageClass; readonly quantity: number; readonly cost: string | null }[];
}

export interface DriverSumsCell {
  /** null: its calls name no task; "": they do, and no type. */
  readonly type: string | null;
  readonly provider: string;
  readonly model: string | null;
  /** As served, else as asked; null: nobody said. */
  readonly tier: string | null;
  /** The value of `by`, or `others`; null where it was not said, or nothing was asked. */
  readonly group: string | null;
  /** null: no calls. */
  readonly before: DriverUsage | null;
  readonly after: DriverUsage | null;
}

/** What a span costs besides what is said, and nobody knows: counted as a report counts it. */
export interface DriverGaps {
  /** Calls that used something without a price. */
  readonly unpriced: number;
  /** Calls without usage though something was sent. */
  readonly unmetered: number;
  /** Days of period charges without a price. */
  readonly periodUnpriced: number;
}

export interface DriverSums {
  readonly cells: readonly DriverSumsCell[];
  /**
   * How many tasks calls of a type name in each span, their own ones and not their roots: counted one by one, by hashes of 64 bits. The types are
   * those of the cells, but null.
   */
  readonly tasks: readonly { readonly type: string; readonly before: number; readonly after: number }[];
  /** What belongs to no call and has a price: period charges, by `PROVIDER CLASS`, and what was booked for closed months, by `PROVIDER corrections`. */
  readonly other: readonly { readonly key: string; readonly before: string; readonly after: string }[];
  readonly gaps: { readonly before: DriverGaps; readonly after: DriverGaps };
  /** How many values of `by` are not told apart. */
  readonly left: number;
  readonly position: Position | null;
}
