// Re-rating: what is asked, and what one step of the pass over the calls gives back. Not here: the pass itself (duckdb/rerate.ts), and putting
// corrections on record. Invariant: a step changes nothing; what it gives back may be put on record, in whole or in part.

import type { Rerated } from "../core/entry.ts";
import type { PriceSources } from "../core/price.ts";

export interface RerateQuery {
  /** Start of the call, ms UTC: from inclusive, to exclusive. Of one that was first heard of after its month was closed: when it is booked. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** null: every one. */
  readonly provider: string | null;
  /** The model that answered, else the one that was sent. */
  readonly model: string | null;
  /** What the price book is made of. */
  readonly sources: PriceSources;
  /** Where each provider's calls are billed: for calls that only later witnesses saw. */
  readonly regions: Readonly<Record<string, string | null>>;
}

/** What changes for one model on one day. Amounts are decimal strings of dollars. */
export interface RerateDay {
  readonly provider: string;
  readonly model: string | null;
  /** UTC, `2026-11-21`. */
  readonly day: string;
  /** Calls that come to something else, or whose price's version is another. */
  readonly calls: number;
  /** Of them, those that had something without a price, and have none by now. */
  readonly priced: number;
  /** Of them, those that have something without a price by now, and had none. */
  readonly lost: number;
  readonly before: string;
  readonly after: string;
}

export interface ReratePage {
  /** Calls of the span that were looked at, or did not need to be. */
  readonly done: number;
  readonly total: number;
  /** Corrections found since the last page. */
  readonly calls: readonly Rerated[];
  /** Whether this is the last one; then it has the days. */
  readonly days: readonly RerateDay[] | null;
}

/** A pass under way. */
export interface Rerating {
  /** The next page; the last one has the days. @throws PennyworthError `store_busy` when the store's process is another by now. */
  next(): Promise<ReratePage>;
  close(): Promise<void>;
}
