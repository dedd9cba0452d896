// What the control plane asks of the guard, as one record of effects. Not here: HTTP, the book itself (core/guard.ts), what it decides (guard.ts).
// Invariant: what is shown is what the next call would be judged by.

import type { Budget, Scope } from "../core/budget.ts";
import type { BudgetOrigin, Grant } from "../core/entry.ts";
import type { Halt, Refused } from "../core/refusal.ts";

/** One allowance: of a budget, or of one value of its `each` fields. Amounts are in the budget's measure. */
export interface Standing {
  readonly budget: Budget;
  readonly values: readonly string[];
  /** The window under way; a rolling one began `buckets × bucketMs` before its bucket. ms UTC; null: it has no such end. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** The limit, with grants and what was carried over. */
  readonly allowance: bigint;
  readonly granted: bigint;
  readonly carried: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly presumed: bigint;
  /** allowance − spent − held − presumed: below zero where more was taken than allowed. */
  readonly left: bigint;
}

export interface BudgetView {
  readonly budget: Budget;
  readonly origin: BudgetOrigin;
  readonly setMs: number;
  /** The fullest first. A budget without `each` has exactly one. */
  readonly standings: readonly Standing[];
  /** How many there are in all. */
  readonly total: number;
}

/** Why a call was let in, or not. */
export type Why =
  | { readonly kind: "refused"; readonly refused: Refused }
  | {
      readonly kind: "open" | "settled" | "presumed";
      readonly call: string;
      readonly atMs: number;
      readonly boundPico: bigint | null;
      readonly takenPico: bigint | null;
      /** Names of standings: the budget's id, or id and values. */
      readonly budgets: readonly string[];
      readonly uncovered: readonly string[];
      readonly warned: readonly string[];
    };

export interface RefusedQuery {
  readonly sinceMs: number | null;
  /** Only by this budget. */
  readonly budget: string | null;
  readonly limit: number;
}

/** What the guard itself cost: answers paid for and thrown away. Since the server started. */
export interface GuardTally {
  readonly admitted: number;
  readonly refused: number;
  /** Caps put in, and caps made lower. */
  readonly capped: number;
  readonly lowered: number;
  readonly degraded: number;
  readonly waited: number;
  /** Streams ended because the money was gone, and what they had cost by then. */
  readonly cut: number;
  readonly cutPico: bigint;
  /** Answers that ended at a cap that the guard had put in or made lower, and what they cost. */
  readonly shortened: number;
  readonly shortenedPico: bigint;
  /** Settlements above their hold: a bound that did not hold. */
  readonly breaches: number;
}

/** Something the guard did, for those who are told. */
export interface GuardEvent {
  readonly kind: "refused" | "cut" | "degraded" | "warned" | "shadow" | "stopped" | "halted" | "resumed" | "breached";
  readonly atMs: number;
  /** null: it was not about a budget. */
  readonly budget: string | null;
  readonly values: readonly string[];
  readonly owner: string | null;
  /** What it was about, where that is no budget: a task, a halted scope, a model. */
  readonly subject: string | null;
  readonly call: string | null;
  /** In words, without names. */
  readonly detail: string;
}

export interface TreeView {
  readonly root: string;
  readonly startedMs: number;
  readonly lastMs: number;
  readonly tasks: number;
  readonly calls: number;
  /** What it has spent since it showed something new. */
  readonly idlePico: bigint;
  readonly state: "running" | "warned" | "slowed" | "stopped";
  /** Why, in words; null while it runs. */
  readonly reason: string | null;
}

export interface GuardAccess {
  /** In order of id. `standings`: at most so many of each. */
  budgets(standings: number): readonly BudgetView[];
  budget(id: string, standings: number): BudgetView | null;
  /** Defines a budget, or gives it other terms. @throws PennyworthError `budget_fixed` for one of the settings, `journal_unwritable`. */
  set(budget: Budget): void;
  /** @returns whether there was one. @throws PennyworthError `budget_fixed`, `journal_unwritable`. */
  unset(id: string): boolean;
  /** @returns `known`: a grant of this id was made before, and nothing was done. @throws PennyworthError `budget_unknown`, `budget_values`. */
  grant(grant: Omit<Grant, "atMs">): "granted" | "known";
  /** The newest first. */
  refused(query: RefusedQuery): readonly Refused[];
  /** null: it is under no budget, not known, or too old to be remembered. */
  why(call: string): Why | null;
  halts(): readonly Halt[];
  halt(scope: Scope, by: string, note: string | null): Halt;
  /** @returns whether there was such a halt. */
  resume(id: string, by: string): boolean;
  /** What a presumed call really cost, for budgets. @returns false: no presumed call has this id. */
  settle(call: string, costPico: bigint, by: string): boolean;
  /** What somebody said that a presumed call cost; null: nobody did, or too long ago to be remembered. */
  said(call: string): bigint | null;
  /** Presumed calls, the oldest first. */
  presumed(limit: number): readonly { readonly call: string; readonly atMs: number; readonly boundPico: bigint | null }[];
  /** Calls that wait for their turn. */
  waiting(): number;
  trees(limit: number): readonly TreeView[];
  /** Lets a stopped tree go on. @returns whether it was stopped. */
  resumeTree(root: string, by: string): boolean;
  /** Something came of a task: its tree gets on. Of one that is not known, nothing is. */
  progress(task: string, atMs: number): void;
  tally(): GuardTally;
}
