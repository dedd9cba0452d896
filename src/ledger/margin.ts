// What the ledger knows of what customers and features bring in and cost: the statements of revenue, and sums over a span. Not here: what follows
// from them (economics/margin.ts). Invariant: over all keys the costs are those of a report, and the revenue is that of all statements, to the last
// digit.

import type { Position } from "../core/entry.ts";
import type { Revenue } from "../core/revenue.ts";

export interface RevenueQuery {
  /** Only those of these ids; null: of any. */
  readonly ids: readonly string[] | null;
  /** Only those that touch this span, ms UTC: `since` inclusive, `until` exclusive. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Only those of this token; undefined: of anybody. */
  readonly customer?: string;
  readonly limit: number;
}

export interface RevenueRecord {
  readonly revenue: Revenue;
  /** When it was voided; null: it counts. */
  readonly voidedMs: number | null;
}

export interface RevenuePage {
  /** The latest beginning first. */
  readonly revenues: readonly RevenueRecord[];
  readonly truncated: boolean;
}

export interface MarginQuery {
  readonly by: "customer" | "feature";
  /** ms UTC, whole days. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Calendar months next to each other, `2026-10`, the earliest first, of which each key's revenue and cost are wanted, too. */
  readonly months: readonly string[];
  /** Spans of whole days of which only the revenue of all is wanted. */
  readonly spans: readonly { readonly sinceMs: number; readonly untilMs: number }[];
}

/** What a key's calls and charges cost in the span, as a report has it. Amounts are decimal strings of dollars. */
export interface KeyCost {
  /** null: nobody's. */
  readonly key: string | null;
  readonly calls: number;
  readonly cost: string;
  /** Of `cost`: what belongs to periods, and to no call. */
  readonly periodCost: string;
  readonly tokens: number;
  /** Calls, and days of period charges, of which something has no price, or no usage. */
  readonly unpriced: number;
}

/** What a key is said to have paid for the days of the span under one plan. */
export interface KeyEarned {
  readonly key: string | null;
  readonly plan: string | null;
  readonly amount: string;
  /** Days that statements cover, each by itself. */
  readonly days: number;
}

/**
 * A key's last months of those asked for, the last one last: both lists are as long. Of one that did not cost more in the last month than it brought
 * in, that month alone.
 */
export interface KeyMonths {
  readonly key: string;
  /** null: it had no calls and no charges. */
  readonly costs: readonly (string | null)[];
  /** null: no statement covers a day of it. */
  readonly earned: readonly (string | null)[];
}

export interface MarginSums {
  readonly costs: readonly KeyCost[];
  readonly earned: readonly KeyEarned[];
  /** Of each key that has any cost or revenue in them. */
  readonly months: readonly KeyMonths[];
  /** One for each of `spans`; null: no statement covers a day of it. */
  readonly spans: readonly (string | null)[];
  /** Keys whose first day of all statements is in the span, nobody's left out; 0 where no months are asked for. */
  readonly newKeys: number;
  readonly position: Position | null;
}
