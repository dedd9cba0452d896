// What a call is known by to budgets, trees and halts. Not here: which of them it is under (core/under.ts, core/refusal.ts).
// Invariant: it is under every task that it says it is below, and under all that those are known to be below: nobody leaves a budget by saying less.

import type { CallScope } from "../core/budget.ts";
import type { TreeBook } from "../core/tree.ts";
import type { Asking } from "./asking.ts";

export type Known = Pick<Asking, "attribution" | "key" | "provider" | "model">;

/** @param placed the task that its tree counts it under; null: it was not put into its tree yet, or has none. Of its tasks the root is last. */
export function scopeOf(
  trees: Pick<TreeBook, "ancestors">,
  { attribution, key, provider, model }: Known,
  placed: string | null,
): CallScope {
  const { team, agent, feature, customer, user, type, project, environment, task, parent, root } = attribution;
  const scope = { key, team, agent, feature, customer, user, type, project, environment, provider, model };
  const above = new Set<string>();
  for (const named of [task, placed, parent, root])
    if (named !== null && !above.has(named)) for (const one of trees.ancestors(named)) above.add(one);
  return above.size === 0 ? scope : { task: [...above], ...scope };
}
