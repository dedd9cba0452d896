// Tasks as tries at pieces of work, added up: what candidates (agents, models, prompt versions) are compared by, and the odds of one more try. Not here:
// what follows from them (economics/contest.ts, repeats.ts, odds.ts). Invariant: a task's cost and ending are those that `success` counts, and every
// task that was asked for is in the sums once, or in what is said to be left.

import type { Position } from "../core/entry.ts";
import type { SuccessQuery, TaskField } from "./store.ts";

export interface TriesQuery extends Pick<SuccessQuery, "sinceMs" | "untilMs" | "filters" | "nowMs" | "openMs"> {
  /** What candidates are told apart by. */
  readonly by: TaskField;
  /** The latest so many tasks alone, of all candidates; null: all. */
  readonly limit: number | null;
  /** Candidates that are asked for: those with the most tasks, so many; among as many tasks those with the most successes. */
  readonly most: number;
  /** None but these; null: all. */
  readonly only: readonly string[] | null;
  /** One that is among them however few its tasks are; null: none. */
  readonly always: string | null;
}

export interface TriesPage {
  /** Most tasks first, of as many those with the most successes, then by value. */
  readonly candidates: readonly CandidateTries[];
  readonly pieces: Pieces;
  /** All that were looked at, those that nobody named and those of no candidate here among them. */
  readonly tasks: number;
  /** Tasks of which nobody said what they are told apart by. */
  readonly unnamed: number;
  /** Candidates that are not here: the values of the first of them, a thousand at most. */
  readonly others: { readonly candidates: number; readonly tasks: number; readonly values: readonly string[] };
  /** There are more than `limit`. */
  readonly truncated: boolean;
  readonly position: Position | null;
}

/** A candidate. Its tasks alone are those that no other task was a try at the same piece of work with; all others are in `pieces`. */
export interface CandidateTries {
  readonly value: string;
  readonly tasks: number;
  readonly alone: TriesAlone;
  /** One by one, in no order that says anything, where they are few; null: more than a thousand. */
  readonly each: readonly TryAlone[] | null;
  /** In up to 256 groups by name. */
  readonly buckets: readonly TriesBucket[];
  /** Of what is known of the cost of each of its tasks, by nearest rank. */
  readonly quantiles: { readonly p50: bigint; readonly p90: bigint; readonly p99: bigint };
}

export interface TryAlone {
  readonly isSuccess: boolean;
  readonly isOpen: boolean;
  /** All of its cost is known. */
  readonly isCosted: boolean;
  /** What is known of it. */
  readonly pico: bigint;
}

export interface TriesAlone {
  readonly success: number;
  readonly failure: number;
  readonly unknown: number;
  readonly open: number;
  /** Whose cost is not known: something of it has no price. */
  readonly uncosted: number;
  /** Picodollars that are known of the cost of all, of these too. */
  readonly spentPico: bigint;
  /** Ended ones whose cost is known. */
  readonly costed: number;
  readonly costPico: bigint;
  /** Sum of the squares of these costs, in squares of picodollars. */
  readonly squares: bigint;
  /** Of those above zero: how many, and the sums of the first four powers of ln(cost in dollars) − `logMiddle`, each by its scale. */
  readonly logs: number;
  readonly powers: readonly [bigint, bigint, bigint, bigint];
}

/** Whole numbers, so that the order in which they are added is in no sum. */
export const logMiddle = Math.log(0.01);
export const logScales = [2 ** 50, 2 ** 50, 2 ** 42, 2 ** 36] as const;

export interface TriesBucket {
  readonly bucket: number;
  readonly tasks: number;
  readonly successes: number;
  /** As in `TriesAlone`. */
  readonly spentPico: bigint;
  readonly costed: number;
  readonly costPico: bigint;
}

/** Columns, a row for each piece of work and candidate that tried it, in the order of the pieces: of those alone that several tasks are tries at. */
export interface Pieces {
  /** The same number for the same piece. */
  readonly piece: Int32Array;
  /** Place in `candidates`. */
  readonly candidate: Uint8Array;
  readonly bucket: Uint8Array;
  readonly tries: Int32Array;
  readonly ended: Int32Array;
  readonly decided: Int32Array;
  readonly successes: Int32Array;
  /** Tries whose cost is not known. */
  readonly uncosted: Int32Array;
  /** Ended ones whose cost is known. */
  readonly costed: Int32Array;
  /** Decided ones whose cost is not known, or below nothing. */
  readonly unfit: Int32Array;
  /** Picodollars that are known of the cost of all tries. */
  readonly spentPico: readonly bigint[];
  /** Of tries whose cost is known: of ended ones, of decided ones. */
  readonly costPico: readonly bigint[];
  readonly decidedPico: readonly bigint[];
}

export interface OddsQuery extends Omit<TriesQuery, "only" | "always"> {}

export interface OddsPage {
  /** Most tasks first, of as many those with the most successes, then by value; null: not said. */
  readonly candidates: readonly CandidateOdds[];
  readonly tasks: number;
  readonly others: { readonly candidates: number; readonly tasks: number };
  readonly truncated: boolean;
  readonly position: Position | null;
}

export interface CandidateOdds {
  readonly value: string | null;
  readonly tasks: number;
  /** Without a piece of work that has a name. */
  readonly nameless: number;
  readonly cases: number;
  /** Those that were tried more than once. */
  readonly repeated: number;
  /** The first tries, the second ones, and so on, of pieces at which all tries before failed: as many as somebody came to. */
  readonly came: readonly TriesCame[];
}

export interface TriesCame {
  readonly tasks: number;
  readonly successes: number;
  readonly failures: number;
  /** Ended ones whose cost is known. */
  readonly costed: number;
  readonly costPico: bigint;
  /** Of few each, of more than a thousand in up to 256 groups of pieces: cost in picodollars, and of how many. */
  readonly units: readonly { readonly pico: bigint; readonly count: number }[];
}
