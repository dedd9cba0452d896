// Entries: what the journal says, in the order it was said. The one definition of the log's vocabulary.
// Invariant: an entry that was ever written can be read for ever; a change of shape is a new version, upgraded on reading.
// In JSON, bigints are decimal strings of digits; nulls and empty lists are left out (see ledger/codec.ts).

import type { Budget } from "./budget.ts";
import type { CallEnd, CallStart, Observation } from "./call.ts";
import type { Charge } from "./charge.ts";
import type { Pico } from "./money.ts";
import type { Outcome, TaskBegun } from "./outcome.ts";
import type { PeriodCharge } from "./period.ts";
import type { Halt, Refused } from "./refusal.ts";
import type { Revenue } from "./revenue.ts";
import type { UsageClass } from "./usage.ts";
import type { Work, WorkStatus } from "./work.ts";

export type Role = "use" | "read" | "administer";

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly team: string | null;
  readonly role: Role;
  /** SHA-256 of the key, hex. The key itself is shown once and never stored. */
  readonly hash: string;
  readonly createdMs: number;
}

/** A price list that took effect: from then on it stands in place of what its source said before. */
export interface TakenList {
  readonly source: string;
  readonly version: string;
  /** SHA-256, hex, of its text in DATA/prices/; null: it is part of Pennyworth. */
  readonly hash: string | null;
  /** Since when it is known, ms UTC: for a list of the past, when it was published. */
  readonly knownMs: number;
  readonly takenMs: number;
  /** The user's own: goes before all others. */
  readonly own: boolean;
  /** How many prices it has; with none, its source is left out from then on. */
  readonly records: number;
}

/** What one call costs by a re-rating. */
export interface Rerated {
  readonly call: string;
  /** Of the end it amends (`markOf`): a later one, by better evidence, was rated anew and is left alone. */
  readonly of: string;
  readonly charges: readonly Charge[];
  readonly unpriced: readonly UsageClass[];
}

/** A month that moves no more. */
export interface Closing {
  /** `2026-10`, UTC. */
  readonly month: string;
  readonly atMs: number;
  readonly costPico: Pico;
  readonly calls: number;
  /** SHA-256, hex, of its statement: sums by day, provider, model and class. */
  readonly statement: string;
}

/** How a provider's statement and the ledger compared. The whole of it is in DATA/statements/, under `hash`. */
export interface Reconciled {
  readonly id: string;
  readonly atMs: number;
  readonly provider: string;
  /** Days, ms UTC: from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** null: the statement has no amounts. */
  readonly statedPico: Pico | null;
  /** What its quantities come to at the ledger's prices, where it has no amounts; null: it has them, or it was kept before this was. */
  readonly valuedPico: Pico | null;
  readonly ledgerPico: Pico;
  readonly hash: string;
}

/** Who defined a budget: the settings, somebody at the control plane, or a task's own header. */
export type BudgetOrigin = "settings" | "api" | "task";

/** Money, tokens or calls put into a window of a budget, or, below zero, taken out. */
export interface Grant {
  readonly id: string;
  readonly budget: string;
  /** Of the budget's `each` fields: whose allowance it goes to; empty without any. */
  readonly values: readonly string[];
  readonly amount: bigint;
  readonly atMs: number;
  readonly note: string | null;
}

/** What was taken, in a window that is under way, before its budget was defined. */
export interface Opening {
  readonly values: readonly string[];
  readonly atMs: number;
  readonly amount: bigint;
}

export type Entry =
  /** A gateway process began: its calls are those until the next `run`. */
  | { readonly kind: "run"; readonly run: string; readonly atMs: number; readonly version: string }
  | { readonly kind: "start"; readonly call: CallStart }
  | { readonly kind: "end"; readonly call: CallEnd }
  /** The provider's response id of a call that has not ended: a later witness may find it by that. */
  | { readonly kind: "seen"; readonly id: string; readonly responseId: string }
  | { readonly kind: "observation"; readonly observation: Observation }
  /** Said again of work that is open, it changes nothing. */
  | { readonly kind: "work.begun"; readonly work: Work }
  /** The time at which a cache goes by itself was moved. */
  | { readonly kind: "work.moved"; readonly id: string; readonly atMs: number; readonly expiresMs: number }
  | { readonly kind: "work.ended"; readonly id: string; readonly atMs: number; readonly status: WorkStatus }
  /** The first one of an id stands. */
  | { readonly kind: "charge"; readonly charge: PeriodCharge }
  /** A correction: the charge of this id was a mistake, and counts for nothing. */
  | { readonly kind: "charge.voided"; readonly id: string; readonly atMs: number }
  /** A price list took effect. */
  | { readonly kind: "prices.taken"; readonly list: TakenList }
  /** Corrections by one re-rating. Of calls in a closed month they count in the month in which they were made. */
  | { readonly kind: "rerated"; readonly rerate: string; readonly atMs: number; readonly calls: readonly Rerated[] }
  | { readonly kind: "closed"; readonly closing: Closing }
  | { readonly kind: "reconciled"; readonly reconciled: Reconciled }
  /** A budget is defined, or has other terms from now on. */
  | { readonly kind: "budget.set"; readonly atMs: number; readonly origin: BudgetOrigin; readonly budget: Budget }
  | { readonly kind: "budget.unset"; readonly atMs: number; readonly id: string }
  /** The first one of an id stands. */
  | { readonly kind: "budget.granted"; readonly grant: Grant }
  | { readonly kind: "budget.opened"; readonly atMs: number; readonly id: string; readonly openings: readonly Opening[] }
  | { readonly kind: "refused"; readonly refused: Refused }
  | { readonly kind: "halted"; readonly halt: Halt }
  | { readonly kind: "resumed"; readonly atMs: number; readonly id: string; readonly by: string }
  /** An operator says what a call really cost of which nobody knew how it ended. For budgets alone: the call stays as it is on record. */
  | { readonly kind: "presumed.settled"; readonly atMs: number; readonly call: string; readonly costPico: Pico; readonly by: string }
  /** The first one of a task stands. */
  | { readonly kind: "task.begun"; readonly task: TaskBegun }
  /** The first one of an id stands. Of a task that nobody has heard of yet, it waits for it. */
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  /** The first one of an id stands. It is no cost, and counts where it belongs, in closed months too. */
  | { readonly kind: "revenue"; readonly revenue: Revenue }
  /** A correction: the revenue of this id was a mistake, and counts for nothing. */
  | { readonly kind: "revenue.voided"; readonly id: string; readonly atMs: number }
  | { readonly kind: "key.created"; readonly atMs: number; readonly key: Key }
  | { readonly kind: "key.revoked"; readonly atMs: number; readonly id: string }
  /** `calls` calls went through unmetered, by setting, while the journal could not be written. */
  | { readonly kind: "gap"; readonly fromMs: number; readonly toMs: number; readonly calls: number; readonly cause: string }
  /** The wall clock jumped against the monotonic one by `byMs`. */
  | { readonly kind: "clock"; readonly atMs: number; readonly byMs: number };

/** What is said of budgets, and of what the guard does. */
export type GuardEntry = Extract<
  Entry,
  {
    readonly kind:
      | "budget.set"
      | "budget.unset"
      | "budget.granted"
      | "budget.opened"
      | "refused"
      | "halted"
      | "resumed"
      | "presumed.settled";
  }
>;

/** Where an entry ends in the journal: segment number from 1, byte offset in its uncompressed text. Ordered. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export function comparePositions(a: Position, b: Position): number {
  return a.segment - b.segment || a.offset - b.offset;
}
