// The guard's book: holds of calls on all budgets they are under, or on none, and what becomes of them. Not here: which bound a call has
// (bound.ts), one allowance over time (account.ts), clocks, the journal. Invariants: a settlement is never refused, and lands in the window
// of its hold; what is held is what the calls that are open hold, to the last digit.

import {
  type Account,
  accountName,
  advance,
  amend,
  amountOf,
  type Amounts,
  fitsAt,
  isSameWindow,
  isUntouched,
  leftOf,
  openAccount,
  parseName,
  post,
  type Posted,
  type Slot,
  slotAt,
  type Taken,
} from "./account.ts";
import type { Budget, CallScope, Measure } from "./budget.ts";
import { ScopeIndex } from "./under.ts";

export type Decision =
  | {
      readonly kind: "admitted";
      /** Budgets that warn (`soft`) or would have refused (`shadow`). */
      readonly warned: readonly Account[];
      /** Budgets that let it in without a bound: they do not cover it. */
      readonly uncovered: readonly Account[];
    }
  | {
      readonly kind: "refused";
      /** Every hard budget in the way, the one with the least left first. */
      readonly by: readonly Account[];
      readonly reason: "used up" | "no bound";
      /** When it fits if nothing else happens, ms UTC; null: not by waiting, or nobody can say. */
      readonly fitsMs: number | null;
    };

/** What one call holds. `slots` are those of `accounts` at the time of the hold. */
export interface Hold {
  readonly call: string;
  readonly atMs: number;
  readonly accounts: readonly Account[];
  readonly slots: readonly Slot[];
  /** null: nobody could say. Then nothing is held, and it counts when it is settled. */
  readonly money: bigint | null;
  readonly tokens: bigint | null;
}

/** A budget's allowances: one, or one for each value of its `each` fields. */
interface Ledger {
  budget: Budget;
  /** Since when: an allowance that is first used later is as old. */
  readonly sinceMs: number;
  readonly accounts: Map<string, Account>;
  /** The only one there is; null where there are `each` fields. */
  single: Account | null;
}

const unheld: Taken = { money: 0n, tokens: 0n };

export class GuardBook {
  readonly #ledgers = new Map<string, Ledger>();
  readonly #index = new ScopeIndex<Ledger>();
  readonly #open = new Map<string, Hold>();
  readonly #presumed = new Map<string, Hold>();

  /** Defines a budget, or gives it other terms; what was spent under it stays, unless it counts otherwise now. */
  define(budget: Budget, nowMs: number): void {
    const before = this.#ledgers.get(budget.id);
    if (before !== undefined) this.#index.remove(before.budget.scope, before);
    const stays = before !== undefined && isSameWindow(before.budget, budget);
    const ledger: Ledger = stays ? before : { budget, sinceMs: nowMs, accounts: new Map(), single: null };
    for (const account of ledger.accounts.values()) amend(account, budget);
    ledger.budget = budget;
    this.#ledgers.set(budget.id, ledger);
    this.#index.add(budget.scope, ledger);
    if (budget.each.length === 0) ledger.single ??= accountIn(ledger, []);
  }

  /** Calls under way settle as if it were there, and count nowhere. */
  remove(id: string): void {
    const ledger = this.#ledgers.get(id);
    if (ledger === undefined) return;
    this.#ledgers.delete(id);
    this.#index.remove(ledger.budget.scope, ledger);
  }

  /** Whether no call is under any budget. */
  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  budget(id: string): Budget | null {
    return this.#ledgers.get(id)?.budget ?? null;
  }

  /** In order of definition. */
  budgets(): Budget[] {
    return [...this.#ledgers.values()].map(({ budget }) => budget);
  }

  /** Money put into the window of that time; one that is over is not changed. */
  grant(id: string, values: readonly string[], amount: bigint, atMs: number): void {
    const account = this.#named(id, values);
    if (account === null) return;
    advance(account, atMs);
    const slot = slotAt(account, atMs);
    if (slot === null) return;
    slot.granted += amount;
    account.allowance += amount;
  }

  /** What was taken at a time before the budget was there. */
  opening(id: string, values: readonly string[], amount: bigint, atMs: number): void {
    const account = this.#named(id, values);
    const slot = account === null ? null : slotAt(account, atMs);
    if (account === null || slot === null) return;
    slot.spent += amount;
    account.used += amount;
  }

  /** The allowances a call is under, moved on to a time. Of `each` budgets those of its values, which are opened if they are new. */
  find(scope: CallScope, nowMs: number): Account[] {
    const accounts: Account[] = [];
    for (const ledger of this.#index.find(scope)) {
      const account = ledger.single ?? accountOf(ledger, scope);
      if (account === null) continue;
      advance(account, nowMs);
      accounts.push(account);
    }
    return accounts;
  }

  /** Takes a call's holds on all of these, or on none. They must be as `find` gave them, at the same time. */
  admit(call: string, accounts: readonly Account[], bound: Amounts, nowMs: number): Decision {
    let refused: Account[] | null = null;
    let unbounded: Account[] | null = null;
    let warned: Account[] | null = null;
    let uncovered: Account[] | null = null;
    for (const account of accounts) {
      const amount = amountOf(account.measure, bound);
      if (amount === null) {
        const { unbounded: policy, mode } = account.budget;
        if (policy === "allow" || mode !== "hard") (uncovered ??= []).push(account);
        // Nothing left is nothing left, whatever the policy.
        if (mode === "hard" && leftOf(account) <= 0n) (refused ??= []).push(account);
        else if (mode === "hard" && policy === "refuse") (unbounded ??= []).push(account);
      } else if (amount > 0n && amount > leftOf(account)) {
        if (account.budget.mode === "hard") (refused ??= []).push(account);
        else (warned ??= []).push(account);
      }
    }
    if (refused !== null || unbounded !== null) {
      const by = (refused ?? unbounded ?? []).sort((a, b) => (leftOf(a) < leftOf(b) ? -1 : 1));
      return {
        kind: "refused",
        by,
        reason: refused === null ? "no bound" : "used up",
        fitsMs: refused === null ? null : latest(by, bound),
      };
    }
    this.#hold(call, accounts, bound, nowMs);
    return { kind: "admitted", warned: warned ?? [], uncovered: uncovered ?? [] };
  }

  /** Holds as the journal says that a call did, whatever is left. */
  restore(call: string, names: readonly string[], bound: Amounts, atMs: number): void {
    const accounts: Account[] = [];
    for (const name of names) {
      const { id, values } = parseName(name);
      const account = this.#named(id, values);
      if (account === null) continue;
      advance(account, atMs);
      accounts.push(account);
    }
    this.#hold(call, accounts, bound, atMs);
  }

  /** Posts what a call really took, also past its hold. @returns its hold; null: it has none. */
  settle(call: string, taken: Taken): Hold | null {
    const hold = this.#take(call);
    if (hold !== null) postAll(hold, "spent", taken, 1n);
    return hold;
  }

  /** Nothing was sent: the hold is undone. */
  release(call: string): Hold | null {
    return this.#take(call);
  }

  /**
   * Sent, and nobody knows how it ended: it counts as its bound, or as `least` where that is more or there is no bound, until somebody does.
   */
  presume(call: string, least: Taken): Hold | null {
    const hold = this.#take(call);
    if (hold === null) return null;
    const presumed = { ...hold, money: most(hold.money, least.money), tokens: most(hold.tokens, least.tokens) };
    postAll(presumed, "presumed", presumed, 1n);
    this.#presumed.set(call, presumed);
    return presumed;
  }

  /** Somebody knows now what a presumed call took. */
  correct(call: string, taken: Taken): Hold | null {
    const hold = this.#presumed.get(call);
    if (hold === undefined) return null;
    this.#presumed.delete(call);
    postAll(hold, "presumed", { money: hold.money ?? 0n, tokens: hold.tokens ?? 0n }, -1n);
    postAll(hold, "spent", taken, 1n);
    return hold;
  }

  /** Posts what was taken by something that held nothing: work whose cost comes later. */
  take(scope: CallScope, taken: Taken, atMs: number): void {
    for (const account of this.find(scope, atMs)) post(account, slotAt(account, atMs) ?? account.current, "spent", taken, 1n);
  }

  opened(call: string): Hold | null {
    return this.#open.get(call) ?? null;
  }

  presumed(call: string): Hold | null {
    return this.#presumed.get(call) ?? null;
  }

  get allOpen(): ReadonlyMap<string, Hold> {
    return this.#open;
  }

  get allPresumed(): ReadonlyMap<string, Hold> {
    return this.#presumed;
  }

  /** A budget's allowances, moved on to a time. Those of `each` that were not used are not there. */
  accounts(id: string, nowMs: number): readonly Account[] {
    const accounts = [...(this.#ledgers.get(id)?.accounts.values() ?? [])];
    for (const account of accounts) advance(account, nowMs);
    return accounts;
  }

  /** Lets go of what `each` budgets opened and nobody uses any more. */
  sweep(nowMs: number): void {
    for (const { accounts, single } of this.#ledgers.values()) {
      if (single !== null) continue;
      for (const [name, account] of accounts) {
        advance(account, nowMs);
        if (isUntouched(account)) accounts.delete(name);
      }
    }
  }

  /** The account as it was kept in a snapshot stands in place of the one that is there. */
  replace(account: Account): void {
    const ledger = this.#ledgers.get(account.budget.id);
    if (ledger === undefined) return;
    ledger.accounts.set(account.name, account);
    if (ledger.single !== null) ledger.single = account;
  }

  /** As kept in a snapshot. Its amounts are in the slots already. */
  keep(hold: Hold, what: "held" | "presumed"): void {
    (what === "held" ? this.#open : this.#presumed).set(hold.call, hold);
  }

  #hold(call: string, accounts: readonly Account[], { money, tokens }: Amounts, atMs: number): void {
    const slots: Slot[] = [];
    for (const account of accounts) {
      slots.push(account.current);
      account.calls += 1;
    }
    const hold = { call, atMs, accounts, slots, money, tokens };
    postAll(hold, "held", money === null || tokens === null ? amountsOf(hold) : (hold as Taken), 1n);
    this.#open.set(call, hold);
  }

  #take(call: string): Hold | null {
    const hold = this.#open.get(call);
    if (hold === undefined) return null;
    this.#open.delete(call);
    postAll(hold, "held", amountsOf(hold), -1n);
    for (const account of hold.accounts) account.calls -= 1;
    return hold;
  }

  #named(id: string, values: readonly string[]): Account | null {
    const ledger = this.#ledgers.get(id);
    return ledger === undefined || ledger.budget.each.length !== values.length ? null : accountIn(ledger, values);
  }
}

/** Of an `each` budget, the allowance of a call's own values; null: it does not say one of them. */
function accountOf(ledger: Ledger, scope: CallScope): Account | null {
  const values: string[] = [];
  for (const field of ledger.budget.each) {
    // Every tree of tasks: its root is the last.
    const value = field === "task" ? scope.task?.at(-1) : scope[field];
    if (value === undefined || value === null) return null;
    values.push(value);
  }
  return accountIn(ledger, values);
}

function accountIn({ accounts, budget, sinceMs }: Ledger, values: readonly string[]): Account {
  const name = accountName(budget.id, values);
  let account = accounts.get(name);
  if (account === undefined) accounts.set(name, (account = openAccount(budget, values, sinceMs)));
  return account;
}

/** The least that is left of a measure under the hard ones of these; null: there is none. */
export function leastLeft(accounts: readonly Account[], measure: Measure): bigint | null {
  let least: bigint | null = null;
  for (const account of accounts) {
    if (account.budget.mode !== "hard" || account.measure !== measure) continue;
    const left = leftOf(account);
    if (least === null || left < least) least = left;
  }
  return least;
}

function amountsOf({ money, tokens }: Amounts): Taken {
  return money === null && tokens === null ? unheld : { money: money ?? 0n, tokens: tokens ?? 0n };
}

function most(bound: bigint | null, least: bigint): bigint {
  return bound === null || bound < least ? least : bound;
}

function latest(by: readonly Account[], bound: Amounts): number | null {
  let last = 0;
  for (const account of by) {
    const atMs = fitsAt(account, amountOf(account.measure, bound) ?? 1n);
    if (atMs === null) return null;
    last = Math.max(last, atMs);
  }
  return last;
}

/** To all budgets of a hold, each in its own measure. */
function postAll({ accounts, slots }: Hold, what: Posted, taken: Taken, sign: 1n | -1n): void {
  for (let index = 0; index < accounts.length; index += 1) post(accounts[index] as Account, slots[index] as Slot, what, taken, sign);
}
