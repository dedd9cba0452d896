// A try on its way through the guard: what its tree said of it, what it is under, and what came of looking at both. Types alone.

import type { Account } from "../core/account.ts";
import type { CallScope } from "../core/budget.ts";
import type { Admitted, Asking } from "./asking.ts";
import type { Degraded, Plan } from "./plan.ts";

/** A try before the guard. */
export interface Way {
  readonly asking: Asking;
  readonly scope: CallScope;
  readonly nowMs: number;
  readonly accounts: readonly Account[];
  readonly tree: TreeSaid;
}

export interface TreeSaid {
  /** The task that it is counted under; null: none. */
  readonly task: string | null;
  readonly delayMs: number;
  readonly warnings: readonly string[];
}

export type Judged = Admitted | { readonly kind: "count" } | { readonly kind: "wait"; readonly policy: Degraded; readonly planned: Plan };
