// What the guard did to calls, as it goes on record: refusals, halts, and what a call is under. Not here: why (guard.ts, tree.ts).
// Invariant: every refusal has a stable code, and says what stood in the way.

import type { Attribution } from "./call.ts";
import type { CallScope, Scope } from "./budget.ts";

/** Stable codes: the same in the answer, on record, and in docs/errors.md. */
export const refusalCodes = [
  "budget_exhausted",
  "budget_unbounded",
  "budget_too_small",
  "rate_limited",
  "tree_depth",
  "tree_fan_out",
  "tree_calls",
  "tree_tries",
  "tree_time",
  "tree_loop",
  "tree_no_progress",
  "tree_stopped",
  "halted",
] as const;

export type RefusalCode = (typeof refusalCodes)[number];

/** One budget that stood in the way, as it stood then. Amounts are in its measure. */
export interface Against {
  readonly budget: string;
  /** Of its `each` fields; empty without any. */
  readonly values: readonly string[];
  readonly left: bigint;
  readonly limit: bigint;
  /** What the call asked for; null: nobody can say. */
  readonly needed: bigint | null;
  /** When its window ends, ms UTC; null: never. */
  readonly resetsMs: number | null;
}

/** A call that was not let in. Nothing of it was sent. */
export interface Refused {
  readonly id: string;
  readonly request: string;
  readonly atMs: number;
  readonly code: RefusalCode;
  /** In words, for people. */
  readonly detail: string;
  readonly attribution: Attribution;
  readonly key: string | null;
  readonly provider: string;
  readonly model: string | null;
  readonly against: readonly Against[];
}

/** What the guard had to say of a call that was let in. */
export interface GuardMark {
  /** Budgets that it holds on: `id`, or `id` and the values of its `each` fields. */
  readonly budgets: readonly string[];
  /** Budgets that let it in without a bound: they do not cover it. */
  readonly uncovered: readonly string[];
  /** Budgets that would have refused it, were they hard. */
  readonly warned: readonly string[];
}

/** Everything under a scope is stopped until somebody resumes it. */
export interface Halt {
  readonly id: string;
  readonly scope: Scope;
  readonly atMs: number;
  /** Who threw the switch: a key's name, or `admin`. */
  readonly by: string;
  readonly note: string | null;
}

/** Whether a call is under a scope. */
export function isUnder(scope: Scope, call: CallScope): boolean {
  for (const field in scope) {
    const wanted = scope[field as keyof Scope];
    if (wanted === undefined || wanted === null) continue;
    const own = call[field as keyof CallScope];
    if (typeof own === "string" ? own !== wanted : !(own?.includes(wanted) ?? false)) return false;
  }
  return true;
}
