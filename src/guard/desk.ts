// What the control plane may ask of the guard and tell it. Not here: how calls are judged (guard.ts), HTTP. Invariant: budgets of the settings
// are changed in the settings and nowhere else.

import { type Account, allowanceOf, carriedOver, leftOf, resetsAt, sumsOf } from "../core/account.ts";
import { PennyworthError } from "../error.ts";
import type { BudgetView, GuardAccess, Standing, TreeView } from "./access.ts";
import type { Guard } from "./guard.ts";

export interface DeskEffects {
  readonly now: () => number;
  /** A budget was defined: what was taken in its window before is to be found out, where that has not been done. */
  readonly opened: (id: string) => void;
  /** Everything under way below a node is to end now. */
  readonly halted: (halt: ReturnType<GuardAccess["halt"]>) => void;
}

export function createDesk(guard: Guard, { now, opened, halted }: DeskEffects): GuardAccess {
  const { register, book, memory } = guard;
  const viewOf = (id: string, most: number): BudgetView | null => {
    const budget = book.budget(id);
    const known = register.origin(id);
    if (budget === null || known === null) return null;
    const standings = book.accounts(id, now()).map(toStanding);
    standings.sort((a, b) => compareFill(b, a));
    return { budget, ...known, standings: standings.slice(0, most), total: standings.length };
  };
  const free = (id: string): void => {
    if (register.origin(id)?.origin === "settings") throw new PennyworthError("budget_fixed", { id });
  };
  return {
    budgets: (standings) =>
      book
        .budgets()
        .map(({ id }) => id)
        .sort()
        .flatMap((id) => viewOf(id, standings) ?? []),
    budget: viewOf,
    set: (budget) => {
      free(budget.id);
      register.set(budget, "api");
      opened(budget.id);
    },
    unset: (id) => {
      free(id);
      return register.unset(id);
    },
    grant: (grant) => register.grant(grant),
    refused: (query) => memory.refused(query),
    why: (call) => memory.why(call, book.opened(call) ?? null),
    halts: () => [...register.halts.values()],
    halt: (scope, by, note) => {
      const halt = register.halt(scope, by, note);
      halted(halt);
      return halt;
    },
    resume: (id, by) => register.resume(id, by),
    settle: (call, costPico, by) => guard.settle(call, costPico, by),
    said: (call) => memory.said(call),
    presumed: (limit) => [...book.allPresumed.values()].slice(0, limit).map(({ call, atMs, money }) => ({ call, atMs, boundPico: money })),
    waiting: () => guard.waiting,
    trees: (limit) => guard.trees.list(limit).map(toTree),
    resumeTree: (root, by) => guard.resumeTree(root, by),
    progress: (task, atMs) => void guard.trees.progress(task, atMs),
    tally: () => ({ ...memory.tally }),
  };
}

function toTree({ root, tasks, calls, fromMs, lastMs, idlePico, stops }: ReturnType<Guard["trees"]["list"]>[number]): TreeView {
  const [stop] = stops;
  const state = stop === undefined ? "running" : "stopped";
  return { root, startedMs: fromMs, lastMs, tasks, calls, idlePico, state, reason: stop?.why ?? null };
}

/** An allowance as it stands. */
export function toStanding(account: Account): Standing {
  const { budget, values, current, earlier } = account;
  const { granted, ...sums } = sumsOf(account);
  const fromMs = (earlier[0] ?? current).span.fromMs;
  return {
    budget,
    values,
    fromMs: Number.isFinite(fromMs) ? fromMs : null,
    toMs: resetsAt(account),
    allowance: allowanceOf(account),
    granted,
    carried: current.before === null ? 0n : carriedOver(budget, current.before),
    ...sums,
    left: leftOf(account),
  };
}

/** By the part of it that is used, exactly: without a division. */
function compareFill(a: Standing, b: Standing): number {
  const [x, y] = [(a.allowance - a.left) * b.allowance, (b.allowance - b.left) * a.allowance];
  return x < y ? -1 : x > y ? 1 : 0;
}
