// What the tasks of a candidate (an agent, a model, a prompt version) add up to: all that is asked of them, however many they are. Not here: what
// follows from it (contest.ts, repeats.ts), where the sums come from. Invariant: an open task is in its count and in spend alone.

import type { Pico } from "../core/money.ts";
import type { Side } from "./compare.ts";
import type { Unit } from "./interval.ts";
import type { Quantiles } from "./quantile.ts";

export interface Gathered {
  readonly id: string;
  readonly counts: Readonly<Record<"success" | "failure" | "unknown" | "open", number>>;
  /** Tasks whose cost is not known. */
  readonly uncosted: number;
  /** On all tasks, so far as it is known: of those without a price the part that has one. The least that was spent. */
  readonly spentPico: Pico;
  /** Different pieces of work. */
  readonly cases: number;
  /** Of what is known of the cost of each task. null: there is none. */
  readonly quantiles: Quantiles | null;
  /** By piece of work, or by groups of them: cost of ended tasks over their number, where it is known. */
  readonly costUnits: readonly Unit[];
  /** Likewise: all spend, so far as it is known, over successes. */
  readonly spendUnits: readonly Unit[];
  /** Pieces of work that were ended: one try or more. */
  readonly ended: Side;
  /** Pieces of work with two decided tries or more. */
  readonly repeated: ReadonlyMap<string | number, Repeat>;
  /** Those with one or more. */
  readonly decidedCases: number;
}

/** Decided tries at one piece of work. */
export interface Repeat {
  readonly attempts: number;
  readonly successes: number;
  readonly costPico: Pico;
  /** Every try's cost is known, and none is below nothing. */
  readonly isCosted: boolean;
}
