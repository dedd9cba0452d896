// A guard in memory, for the tests of the control plane and the command line: the real book, and what is said of it. Not for use outside tests.
// Invariant: it keeps to GuardAccess as the real one does: what the settings define cannot be changed, and a grant counts once.

import { type Account, allowanceOf, carriedOver, leftOf, sumsOf } from "../core/account.ts";
import type { CallScope } from "../core/budget.ts";
import type { BudgetOrigin } from "../core/entry.ts";
import { GuardBook } from "../core/guard.ts";
import type { Halt, Refused } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import type { BudgetView, GuardAccess, GuardTally, Standing, TreeView } from "./access.ts";

export interface MemoryGuard extends GuardAccess {
  readonly book: GuardBook;
  readonly refusals: Refused[];
  readonly stopped: TreeView[];
  /** Tasks of which something came, in order. */
  readonly progressed: string[];
  /** Budgets that the settings define: by id. */
  readonly fixed: Set<string>;
  readonly counted: { -readonly [name in keyof GuardTally]: GuardTally[name] };
  /** A call holds `money` picodollars, and takes as many tokens; then it is ended as told. */
  call(id: string, scope: CallScope, money: bigint, end: "open" | "settled" | "presumed"): void;
}

export function guardInMemory(nowMs: number): MemoryGuard {
  const book = new GuardBook();
  const origins = new Map<string, { readonly origin: BudgetOrigin; readonly setMs: number }>();
  const [grants, fixed] = [new Set<string>(), new Set<string>()];
  const [refusals, stopped, halts]: [Refused[], TreeView[], Halt[]] = [[], [], []];
  const progressed: string[] = [];
  const counted = {
    admitted: 0,
    refused: 0,
    capped: 0,
    lowered: 0,
    degraded: 0,
    waited: 0,
    cut: 0,
    cutPico: 0n,
    shortened: 0,
    shortenedPico: 0n,
    breaches: 0,
  };
  const view = (id: string, most: number): BudgetView | null => {
    const budget = book.budget(id);
    if (budget === null) return null;
    const accounts = [...book.accounts(id, nowMs)].sort((a, b) => (leftOf(a) < leftOf(b) ? -1 : 1));
    const { origin, setMs } = origins.get(id) ?? { origin: "api", setMs: nowMs };
    return {
      budget,
      origin: fixed.has(id) ? "settings" : origin,
      setMs,
      standings: accounts.slice(0, most).map(toStanding),
      total: accounts.length,
    };
  };
  const requireFree = (id: string): void => {
    if (fixed.has(id)) throw new PennyworthError("budget_fixed", { id });
  };
  return {
    book,
    refusals,
    stopped,
    progressed,
    fixed,
    counted,
    call: (id, scope, money, end) => {
      book.admit(id, book.find(scope, nowMs), { money, tokens: money }, nowMs);
      if (end === "settled") book.settle(id, { money, tokens: money });
      if (end === "presumed") book.presume(id, { money, tokens: money });
    },
    budgets: (most) =>
      book
        .budgets()
        .map(({ id }) => view(id, most) as BudgetView)
        .sort((a, b) => (a.budget.id < b.budget.id ? -1 : 1)),
    budget: view,
    set: (budget) => {
      requireFree(budget.id);
      book.define(budget, nowMs);
      origins.set(budget.id, { origin: "api", setMs: nowMs });
    },
    unset: (id) => {
      requireFree(id);
      const was = book.budget(id) !== null;
      book.remove(id);
      return was;
    },
    grant: ({ id, budget, values, amount }) => {
      if (grants.has(id)) return "known";
      grants.add(id);
      book.grant(budget, values, amount, nowMs);
      return "granted";
    },
    refused: ({ sinceMs, budget, limit }) =>
      refusals
        .filter(
          (one) => (sinceMs === null || one.atMs >= sinceMs) && (budget === null || one.against.some((other) => other.budget === budget)),
        )
        .toReversed()
        .slice(0, limit),
    said: () => null,
    why: (call) => {
      const refused = refusals.find(({ id }) => id === call);
      if (refused !== undefined) return { kind: "refused", refused };
      const hold = book.opened(call) ?? book.presumed(call);
      if (hold === null) return null;
      const kind = book.opened(call) === null ? "presumed" : "open";
      const budgets = hold.accounts.map(({ name }) => name);
      return { kind, call, atMs: hold.atMs, boundPico: hold.money, takenPico: null, budgets, uncovered: [], warned: [] };
    },
    halts: () => halts,
    halt: (scope, by, note) => {
      const halt = { id: `halt_${halts.length + 1}`, scope, atMs: nowMs, by, note };
      halts.push(halt);
      return halt;
    },
    resume: (id) => {
      const index = halts.findIndex((one) => one.id === id);
      if (index >= 0) halts.splice(index, 1);
      return index >= 0;
    },
    settle: (call, costPico) => book.correct(call, { money: costPico, tokens: 0n }) !== null,
    presumed: (limit) => [...book.allPresumed.values()].slice(0, limit).map(({ call, atMs, money }) => ({ call, atMs, boundPico: money })),
    waiting: () => 0,
    trees: (limit) => stopped.slice(0, limit),
    resumeTree: (root) => {
      const index = stopped.findIndex((one) => one.root === root && one.state === "stopped");
      if (index >= 0) stopped.splice(index, 1);
      return index >= 0;
    },
    progress: (task) => void progressed.push(task),
    tally: () => counted,
  };
}

function toStanding(account: Account): Standing {
  const { budget, values, current } = account;
  return {
    budget,
    values,
    fromMs: Number.isFinite(current.span.fromMs) ? current.span.fromMs : null,
    toMs: Number.isFinite(current.span.toMs) ? current.span.toMs : null,
    allowance: allowanceOf(account),
    ...sumsOf(account),
    carried: current.before === null ? 0n : carriedOver(budget, current.before),
    left: leftOf(account),
  };
}
