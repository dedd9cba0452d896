// What customers pay: amounts for spans of time, and subscriptions that go on from month to month. Not here: what customers cost.
// Invariant: the parts of an amount by day add up to it, to the last digit; what was not said is unknown, never zero.

import type { Pico } from "./money.ts";

/** One amount for a span, or one for each month of it. The first of an id stands. */
export interface Revenue {
  /** Names it for ever: another one of the same id changes nothing. */
  readonly id: string;
  /** A token. null: nobody's in particular, and not in any customer's margin. */
  readonly customer: string | null;
  readonly plan: string | null;
  readonly feature: string | null;
  /** `once`: the amount is for the whole span. `month`: so much for each calendar month, UTC; a part of a month counts by its days. */
  readonly every: "once" | "month";
  /** Signed: a refund or a credit is below zero. */
  readonly amountPico: Pico;
  /** ms UTC, whole days: from inclusive, to exclusive. `toMs` null: it goes on (only `month`). */
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly bookedMs: number;
  /** Who says so: `declared`, `csv`, `stripe`, `settings`. */
  readonly witness: string;
  readonly key: string | null;
}
