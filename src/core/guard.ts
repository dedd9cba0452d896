// The guard's book: what is spent, held and presumed under every budget, and whether a call may begin. Not here: which bound a call has
// (bound.ts), clocks, the journal. Invariants: a hold is on all its budgets or on none; a settlement is never refused, and lands in the window
// of its hold; what is held is what the calls that are open hold, to the last digit.

import { type Budget, type Measure, type Scope, type Span, spanAt } from "./budget.ts";
import { ScopeIndex } from "./under.ts";

/** What one call takes of each measure. A null bound is not known. */
export interface Amounts {
  readonly money: bigint | null;
  readonly tokens: bigint | null;
}

/** What one call took. */
export interface Taken {
  readonly money: bigint;
  readonly tokens: bigint;
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
  /** Whether what is posted to it still counts: a bucket that has gone out of a rolling period does not. */
  counts: boolean;
}

interface Account {
  budget: Budget;
  /** The budget's own: read at every call, and so kept at hand. */
  readonly measure: Measure;
  current: Slot;
  /** Of the current slot. */
  toMs: number;
  /** Spent, held and presumed in all slots that count, in one: what every admission looks at. */
  used: bigint;
  /** Limit and grants of all slots that count, without what is carried over. */
  allowance: bigint;
  /** Of a rolling period, the slots before the current one that count, the oldest first. */
  readonly earlier: Slot[];
}

/** `slots` are those of `accounts` at the time of the hold. */
interface Hold {
  readonly accounts: readonly Account[];
  readonly slots: readonly Slot[];
  readonly money: bigint;
  readonly tokens: bigint;
}

type Posted = "spent" | "held" | "presumed";

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
    account.allowance += budget.limit - account.budget.limit;
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
    account.allowance += amount;
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
      const amount = amountOf(account.measure, bound);
      if (amount === null) {
        const { budget } = account;
        if (budget.unbounded === "allow" || budget.mode !== "hard") (uncovered ??= []).push(budget);
        else (unbounded ??= []).push(account);
      } else if (amount > 0n && amount > leftOf(account)) {
        if (account.budget.mode === "hard") (refused ??= []).push(account);
        else (warned ??= []).push(standingOf(account));
      }
    }
    if (refused !== null || unbounded !== null) {
      const by = (refused ?? unbounded ?? []).map(standingOf).sort((a, b) => (restOf(a) < restOf(b) ? -1 : 1));
      return { kind: "refused", by, reason: refused === null ? "no bound" : "used up" };
    }
    const slots = accounts.map((account) => account.current);
    const hold = { accounts, slots, money: bound.money ?? 0n, tokens: bound.tokens ?? 0n };
    post(hold, "held", hold, 1n);
    this.#open.set(call, hold);
    return { kind: "admitted", warned: warned ?? [], uncovered: uncovered ?? [] };
  }

  /** Posts what a call really took, also past its hold. */
  settle(call: string, taken: Taken): void {
    const hold = this.#take(call);
    if (hold !== null) post(hold, "spent", taken, 1n);
  }

  /** Nothing was sent: the hold is undone. */
  release(call: string): void {
    this.#take(call);
  }

  /** Sent, and nobody knows how it ended: it counts as its bound until somebody does. */
  presume(call: string): void {
    const hold = this.#take(call);
    if (hold === null) return;
    post(hold, "presumed", hold, 1n);
    this.#presumed.set(call, hold);
  }

  /** Somebody knows now what a presumed call took. */
  correct(call: string, taken: Taken): void {
    const hold = this.#presumed.get(call);
    if (hold === undefined) return;
    this.#presumed.delete(call);
    post(hold, "presumed", hold, -1n);
    post(hold, "spent", taken, 1n);
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
    post(hold, "held", hold, -1n);
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

/** To all budgets of a hold, each in its own measure. */
function post({ accounts, slots }: Hold, what: Posted, { money, tokens }: Taken, sign: 1n | -1n): void {
  const [ofMoney, ofTokens] = sign === 1n ? [money, tokens] : [-money, -tokens];
  for (let index = 0; index < accounts.length; index += 1) {
    const account = accounts[index] as Account;
    const slot = slots[index] as Slot;
    const { measure } = account;
    const amount = measure === "money" ? ofMoney : measure === "tokens" ? ofTokens : sign;
    slot[what] += amount;
    if (slot.counts) account.used += amount;
  }
}

function open(budget: Budget, nowMs: number): Account {
  const current = slotOf(spanAt(budget.period, nowMs), null);
  return { budget, measure: budget.measure, current, toMs: current.span.toMs, used: 0n, allowance: budget.limit, earlier: [] };
}

function slotOf(span: Span, before: Slot | null): Slot {
  return { span, spent: 0n, held: 0n, presumed: 0n, granted: 0n, before, counts: true };
}

/** Moves an account on to the window of a time. Time that goes backwards moves nothing. */
function advance(account: Account, nowMs: number): void {
  if (nowMs < account.toMs) return;
  const { period, carryMax } = account.budget;
  const last = account.current;
  const span = spanAt(period, nowMs);
  account.toMs = span.toMs;
  account.current = slotOf(span, carryMax === null || period.kind !== "calendar" ? null : previous(last, period, span));
  if (period.kind !== "rolling") {
    leave(account, last);
    return;
  }
  account.earlier.push(last);
  let gone = 0;
  while (gone < account.earlier.length && (account.earlier[gone] as Slot).span.index < span.index - period.buckets) {
    leave(account, account.earlier[gone] as Slot);
    gone += 1;
  }
  if (gone > 0) account.earlier.splice(0, gone);
}

/** What was posted to it counts no more. */
function leave(account: Account, slot: Slot): void {
  slot.counts = false;
  account.used -= slot.spent + slot.held + slot.presumed;
  account.allowance -= slot.granted;
}

/** The window before that of a time, also when nothing happened in it. What was carried into it is not carried on. */
function previous(last: Slot, period: Budget["period"], { fromMs }: Span): Slot {
  const span = spanAt(period, fromMs - 1);
  // A chain of windows would hold all history.
  last.before = null;
  return span.index === last.span.index ? last : slotOf(span, null);
}

function leftOf(account: Account): bigint {
  const { allowance, used, current } = account;
  return current.before === null ? allowance - used : allowance + carriedOver(account.budget, current.before) - used;
}

function carriedOver({ limit, carryMax }: Budget, before: Slot): bigint {
  const rest = limit + before.granted - before.spent - before.held - before.presumed;
  return carryMax === null || rest <= 0n ? 0n : rest < carryMax ? rest : carryMax;
}

function standingOf(account: Account): Standing {
  const { budget, current, earlier } = account;
  const sums = { spent: current.spent, held: current.held, presumed: current.presumed };
  for (const slot of earlier) {
    sums.spent += slot.spent;
    sums.held += slot.held;
    sums.presumed += slot.presumed;
  }
  const carried = current.before === null ? 0n : carriedOver(budget, current.before);
  return { budget, span: current.span, allowance: account.allowance + carried, ...sums };
}

/** What is left; below zero when more was taken than allowed. */
export function restOf({ allowance, spent, held, presumed }: Standing): bigint {
  return allowance - spent - held - presumed;
}
