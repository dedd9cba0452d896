// The guard's book: what is spent, held and presumed under every budget, and whether a call may begin. Not here: which bound a call has
// (bound.ts), clocks, the journal. Invariants: a hold is on all its budgets or on none; a settlement is never refused, and lands in the window
// of its hold; what is held is what the calls that are open hold, to the last digit.

import { type Budget, type Measure, type Scope, type Span, spanAt } from "./budget.ts";
import { ScopeIndex } from "./scope.ts";

/** What one call takes of each measure. A null bound is not known. */
export interface Amounts {
  readonly money: bigint | null;
  readonly tokens: bigint | null;
}

export interface Standing {
  readonly budget: Budget;
  readonly span: Span;
  /** The limit, with grants and what was carried over. */
  readonly allowance: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly presumed: bigint;
}

export type Decision =
  | {
      readonly kind: "admitted";
      /** Budgets that warn (`soft`) or would have refused (`shadow`). */
      readonly warned: readonly Standing[];
      /** Budgets that let it in without a bound: they do not cover it. */
      readonly uncovered: readonly Budget[];
    }
  /** Every hard budget in the way, the one with the least left first. */
  | { readonly kind: "refused"; readonly by: readonly Standing[]; readonly reason: "used up" | "no bound" };

/** A part of the time of one budget, with what was posted to it. */
interface Slot {
  readonly span: Span;
  spent: bigint;
  held: bigint;
  presumed: bigint;
  granted: bigint;
  /** Of the calendar window before: its rest is carried over. */
  before: Slot | null;
}

interface Account {
  budget: Budget;
  readonly slots: Map<number, Slot>;
  current: Slot;
  /** Of a rolling period, over the slots that count now; else null. */
  total: { spent: bigint; held: bigint; presumed: bigint; granted: bigint; oldest: number } | null;
}

interface Post {
  readonly account: Account;
  readonly slot: Slot;
  amount: bigint;
}

interface Hold {
  readonly posts: readonly Post[];
}

export class GuardBook {
  readonly #accounts = new Map<string, Account>();
  readonly #index = new ScopeIndex<Account>();
  readonly #open = new Map<string, Hold>();
  readonly #presumed = new Map<string, Hold>();

  /** Defines a budget, or gives it other terms; what was spent under it stays, unless it counts otherwise now. */
  define(budget: Budget, nowMs: number): void {
    const before = this.#accounts.get(budget.id);
    if (before !== undefined) this.#index.remove(before.budget.scope, before);
    const isSame = before !== undefined && samePeriod(before.budget, budget);
    const account = isSame ? before : open(budget, nowMs);
    account.budget = budget;
    this.#accounts.set(budget.id, account);
    this.#index.add(budget.scope, account);
  }

  /** Calls under way settle as if it were there, and count nowhere. */
  remove(id: string): void {
    const account = this.#accounts.get(id);
    if (account === undefined) return;
    this.#accounts.delete(id);
    this.#index.remove(account.budget.scope, account);
  }

  /** Money put into the window of that time. */
  grant(id: string, amount: bigint, atMs: number): void {
    const account = this.#accounts.get(id);
    if (account === undefined) return;
    advance(account, atMs);
    account.current.granted += amount;
    if (account.total !== null) account.total.granted += amount;
  }

  /** What is left of a measure to a call under all hard budgets it is under; null: there is no such budget. */
  left(scope: Scope, measure: Measure, nowMs: number): bigint | null {
    let least: bigint | null = null;
    for (const account of this.#index.find(scope)) {
      if (account.budget.mode !== "hard" || account.budget.measure !== measure) continue;
      advance(account, nowMs);
      const left = leftOf(account);
      if (least === null || left < least) least = left;
    }
    return least;
  }

  /** Takes a call's holds on all budgets it is under, or on none. */
  admit(call: string, scope: Scope, bound: Amounts, nowMs: number): Decision {
    const accounts = this.#index.find(scope);
    let refused: Account[] | null = null;
    let unbounded: Account[] | null = null;
    let warned: Standing[] | null = null;
    let uncovered: Budget[] | null = null;
    for (const account of accounts) {
      advance(account, nowMs);
      const { budget } = account;
      const amount = amountOf(budget.measure, bound);
      if (amount === null) {
        if (budget.unbounded === "allow" || budget.mode !== "hard") (uncovered ??= []).push(budget);
        else (unbounded ??= []).push(account);
      } else if (amount > 0n && amount > leftOf(account)) {
        if (budget.mode === "hard") (refused ??= []).push(account);
        else (warned ??= []).push(standingOf(account));
      }
    }
    if (refused !== null || unbounded !== null) {
      const by = (refused ?? unbounded ?? []).map(standingOf).sort((a, b) => (restOf(a) < restOf(b) ? -1 : 1));
      return { kind: "refused", by, reason: refused === null ? "no bound" : "used up" };
    }
    const posts = accounts.map((account) => ({ account, slot: account.current, amount: amountOf(account.budget.measure, bound) ?? 0n }));
    for (const post of posts) add(post, "held", post.amount);
    this.#open.set(call, { posts });
    return { kind: "admitted", warned: warned ?? [], uncovered: uncovered ?? [] };
  }

  /** Posts what a call really took, also past its hold. */
  settle(call: string, taken: { readonly money: bigint; readonly tokens: bigint }): void {
    const hold = this.#take(call);
    for (const post of hold?.posts ?? []) add(post, "spent", amountOf(post.account.budget.measure, taken) ?? 0n);
  }

  /** Nothing was sent: the hold is undone. */
  release(call: string): void {
    this.#take(call);
  }

  /** Sent, and nobody knows how it ended: it counts as its bound until somebody does. */
  presume(call: string): void {
    const hold = this.#take(call);
    if (hold === null) return;
    for (const post of hold.posts) add(post, "presumed", post.amount);
    this.#presumed.set(call, hold);
  }

  /** Somebody knows now what a presumed call took. */
  correct(call: string, taken: { readonly money: bigint; readonly tokens: bigint }): void {
    const hold = this.#presumed.get(call);
    if (hold === undefined) return;
    this.#presumed.delete(call);
    for (const post of hold.posts) {
      add(post, "presumed", -post.amount);
      add(post, "spent", amountOf(post.account.budget.measure, taken) ?? 0n);
    }
  }

  /** null when there is no such budget. */
  standing(id: string, nowMs: number): Standing | null {
    const account = this.#accounts.get(id);
    if (account === undefined) return null;
    advance(account, nowMs);
    return standingOf(account);
  }

  get openHolds(): number {
    return this.#open.size;
  }

  #take(call: string): Hold | null {
    const hold = this.#open.get(call);
    if (hold === undefined) return null;
    this.#open.delete(call);
    for (const post of hold.posts) add(post, "held", -post.amount);
    return hold;
  }
}

function samePeriod(a: Budget, b: Budget): boolean {
  return JSON.stringify(a.period) === JSON.stringify(b.period) && a.measure === b.measure;
}

function amountOf(measure: Measure, { money, tokens }: Amounts): bigint | null {
  if (measure === "calls") return 1n;
  return measure === "money" ? money : tokens;
}

function open(budget: Budget, nowMs: number): Account {
  const current = slot(spanAt(budget.period, nowMs), null);
  const isRolling = budget.period.kind === "rolling";
  return {
    budget,
    slots: new Map([[current.span.index, current]]),
    current,
    total: isRolling ? { spent: 0n, held: 0n, presumed: 0n, granted: 0n, oldest: current.span.index } : null,
  };
}

function slot(span: Span, before: Slot | null): Slot {
  return { span, spent: 0n, held: 0n, presumed: 0n, granted: 0n, before };
}

/** Moves an account on to the window of a time. Time that goes backwards moves nothing. */
function advance(account: Account, nowMs: number): void {
  if (nowMs < account.current.span.toMs) return;
  const { period, carryMax } = account.budget;
  const span = spanAt(period, nowMs);
  const before = carryMax === null || period.kind !== "calendar" ? null : previous(account, nowMs);
  account.current = slot(span, before);
  account.slots.set(span.index, account.current);
  if (period.kind === "rolling" && account.total !== null) {
    for (let index = account.total.oldest; index < span.index - period.buckets; index += 1) {
      const old = account.slots.get(index);
      if (old === undefined) continue;
      account.slots.delete(index);
      account.total.spent -= old.spent;
      account.total.held -= old.held;
      account.total.presumed -= old.presumed;
      account.total.granted -= old.granted;
    }
    account.total.oldest = Math.max(account.total.oldest, span.index - period.buckets);
  } else for (const index of account.slots.keys()) if (index !== span.index) account.slots.delete(index);
}

/** The window before that of a time, also when nothing happened in it. What was carried into it is not carried on. */
function previous(account: Account, nowMs: number): Slot {
  const { period } = account.budget;
  const span = spanAt(period, spanAt(period, nowMs).fromMs - 1);
  const last = account.current;
  // A chain of windows would hold all history.
  last.before = null;
  return span.index === last.span.index ? last : slot(span, null);
}

function add(post: Post, what: "spent" | "held" | "presumed", amount: bigint): void {
  post.slot[what] += amount;
  const { account, slot: to } = post;
  if (account.total !== null && account.slots.get(to.span.index) === to) account.total[what] += amount;
}

function leftOf(account: Account): bigint {
  const { spent, held, presumed } = account.total ?? account.current;
  return allowanceOf(account) - spent - held - presumed;
}

function allowanceOf({ budget, current, total }: Account): bigint {
  return budget.limit + (total ?? current).granted + carriedOver(budget, current.before);
}

function carriedOver({ limit, carryMax }: Budget, before: Slot | null): bigint {
  if (carryMax === null || before === null) return 0n;
  const rest = limit + before.granted - before.spent - before.held - before.presumed;
  return rest <= 0n ? 0n : rest < carryMax ? rest : carryMax;
}

function standingOf(account: Account): Standing {
  const { spent, held, presumed } = account.total ?? account.current;
  return { budget: account.budget, span: account.current.span, allowance: allowanceOf(account), spent, held, presumed };
}

/** What is left; below zero when more was taken than allowed. */
export function restOf({ allowance, spent, held, presumed }: Standing): bigint {
  return allowance - spent - held - presumed;
}
