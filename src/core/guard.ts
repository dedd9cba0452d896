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
  count,
  fitsAt,
  grant,
  hold as holdOn,
  isSameWindow,
  isShort,
  isUntouched,
  leftOf,
  newPlaces,
  openAccount,
  parseName,
  post,
  type Posted,
  quantityOf,
  type Slot,
  slotAt,
  slotOfPast,
  spend,
  type Taken,
} from "./account.ts";
import type { Budget, CallScope, Measure } from "./budget.ts";
import { Recent } from "./recent.ts";
import { type Parts, type Places, splitAmount, toParts } from "./running.ts";
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
  /** What it held at first, where it holds more by now. */
  readonly bound?: bigint | null;
}

/** What a call was held to cost at most, before it ran. */
export function boundOf({ money, bound }: Hold): bigint | null {
  return bound === undefined ? money : bound;
}

/** A budget's allowances: one, or one for each value of its `each` fields. */
interface Ledger {
  budget: Budget;
  /** Since when: an allowance that is first used later is as old. */
  readonly sinceMs: number;
  readonly accounts: Map<string, Account>;
  /** Where those of all budgets have their cells. */
  readonly places: Places;
  /** So many of an `each` budget are looked through before it gets more, for those that nobody uses any more. */
  sweepAt: number;
  /** The only one there is; null where there are `each` fields. */
  single: Account | null;
}

const unheld: Taken = { money: 0n, tokens: 0n };
const [none, one] = [toParts(0n), toParts(1n)];
const admitted: Decision = { kind: "admitted", warned: [], uncovered: [] };

/** Presumed calls that a later witness can still correct. Of more, the oldest stay as they were presumed, for good. */
const presumedMax = 100_000;
const sweepMin = 1_000;

export class GuardBook {
  /** Where all accounts have their cells, those of a snapshot too. */
  readonly places = newPlaces();
  readonly #ledgers = new Map<string, Ledger>();
  /** Of a budget without `each` fields, its one allowance: a call under many has fewer places in memory to go to. */
  readonly #index = new ScopeIndex<Ledger | Account>();
  readonly #open = new Map<string, Hold>();
  readonly #presumed = new Recent<string, Hold>(presumedMax, (_, hold) => letGo(hold));

  /** Defines a budget, or gives it other terms; what was spent under it stays, unless it counts otherwise now. */
  define(budget: Budget, nowMs: number): void {
    const before = this.#ledgers.get(budget.id);
    if (before !== undefined) this.#index.remove(before.budget.scope, before.single ?? before);
    const stays = before !== undefined && isSameWindow(before.budget, budget);
    const ledger: Ledger = stays
      ? before
      : { budget, sinceMs: nowMs, accounts: new Map(), places: this.places, sweepAt: sweepMin, single: null };
    for (const account of ledger.accounts.values()) amend(account, budget);
    ledger.budget = budget;
    if (budget.each.length === 0) ledger.single ??= accountIn(ledger, []);
    this.#ledgers.set(budget.id, ledger);
    this.#index.add(budget.scope, ledger.single ?? ledger);
  }

  /** Calls under way settle as if it were there, and count nowhere. */
  remove(id: string): void {
    const ledger = this.#ledgers.get(id);
    if (ledger === undefined) return;
    this.#ledgers.delete(id);
    this.#index.remove(ledger.budget.scope, ledger.single ?? ledger);
  }

  /** Whether no call is under any budget. */
  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  /** Since when it counts, ms UTC; null: there is none. */
  since(id: string): number | null {
    return this.#ledgers.get(id)?.sinceMs ?? null;
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
    if (slot !== null) grant(account, slot, amount);
  }

  /** What was taken at a time before the budget was there. */
  opening(id: string, values: readonly string[], amount: bigint, atMs: number): void {
    const account = this.#named(id, values);
    if (account === null) return;
    // Nobody may have looked at it since an earlier window.
    advance(account, atMs);
    post(account, slotOfPast(account, atMs), "spent", amount);
  }

  /** The allowances a call is under, moved on to a time. Of `each` budgets those of its values, which are opened if they are new. */
  find(scope: CallScope, nowMs: number): Account[] {
    const accounts: Account[] = [];
    for (const found of this.#index.of(scope)) {
      const account = "accounts" in found ? accountOf(found, scope, nowMs) : found;
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
    const split = splitInto(asked, amountsOf(bound));
    for (const account of accounts) {
      const amount = amountOf(account.measure, bound);
      if (amount === null) {
        const { unbounded: policy, mode } = account.budget;
        if (policy === "allow" || mode !== "hard") (uncovered ??= []).push(account);
        // Nothing left is nothing left, whatever the policy.
        if (mode === "hard" && leftOf(account) <= 0n) (refused ??= []).push(account);
        else if (mode === "hard" && policy === "refuse") (unbounded ??= []).push(account);
      } else if (amount > 0n && isShort(account, amount, partOf(account.measure, "held", split))) {
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
    const slots = accounts.map(({ current }) => current);
    this.#hold({ call, atMs: nowMs, accounts, slots, money: bound.money, tokens: bound.tokens }, split);
    return warned === null && uncovered === null ? admitted : { kind: "admitted", warned: warned ?? [], uncovered: uncovered ?? [] };
  }

  /** Holds as the journal says that a call did, whatever is left, in the windows of that time. One that holds already does so once. */
  restore(call: string, names: readonly string[], bound: Amounts, atMs: number): void {
    if (this.#open.has(call)) return;
    const accounts: Account[] = [];
    const slots: Slot[] = [];
    for (const name of names) {
      const { id, values } = parseName(name);
      const account = this.#named(id, values);
      if (account === null) continue;
      advance(account, atMs);
      accounts.push(account);
      slots.push(slotOfPast(account, atMs));
    }
    this.#hold({ call, atMs, accounts, slots, money: bound.money, tokens: bound.tokens }, splitInto(asked, amountsOf(bound)));
  }

  /** Posts what a call really took, also past its hold. @returns its hold; null: it has none. */
  settle(call: string, taken: Taken): Hold | null {
    return this.#end(call, "spent", taken);
  }

  /** A call under way has used more money than it holds: it holds that much, past any limit. */
  raise(call: string, money: bigint): void {
    const hold = this.#open.get(call);
    if (hold === undefined || money <= (hold.money ?? 0n)) return;
    const more = money - (hold.money ?? 0n);
    for (const [index, account] of hold.accounts.entries())
      if (account.measure === "money") post(account, hold.slots[index] as Slot, "held", more);
    this.#open.set(call, { bound: boundOf(hold), ...hold, money });
  }

  /** Nothing was sent: the hold is undone. */
  release(call: string): Hold | null {
    const hold = this.#open.get(call);
    if (hold === undefined) return null;
    this.#open.delete(call);
    postAll(hold, "held", amountsOf(hold), -1n);
    for (const account of hold.accounts) count(account, -1);
    return hold;
  }

  /**
   * Sent, and nobody knows how it ended: it counts as the most it can have been, until somebody does. @param taken null: its bound.
   */
  presume(call: string, taken: Taken | null): Hold | null {
    const hold = this.#open.get(call);
    if (hold === undefined) return null;
    const presumed = { ...hold, ...(taken ?? amountsOf(hold)) };
    this.#end(call, "presumed", presumed);
    this.#presumed.set(call, presumed);
    // Until it is corrected somebody holds on to the accounts.
    for (const account of presumed.accounts) count(account, 1);
    return presumed;
  }

  /** Somebody knows now what a presumed call took. */
  correct(call: string, taken: Taken): Hold | null {
    const hold = this.#forget(call);
    if (hold === null) return null;
    postAll(hold, "presumed", amountsOf(hold), -1n);
    postAll(hold, "spent", taken, 1n);
    return hold;
  }

  /** Posts what was taken by something that held nothing, and is only learnt now: where its window is over, to the one under way. */
  take(scope: CallScope, taken: Taken, atMs: number, nowMs: number): void {
    for (const account of this.find(scope, nowMs)) {
      const past = slotOfPast(account, atMs);
      post(account, past.counts ? past : account.current, "spent", quantityOf(account.measure, "spent", taken));
    }
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
    for (const ledger of this.#ledgers.values()) sweep(ledger, nowMs);
  }

  /** The account as it was kept in a snapshot stands in place of the one that is there. */
  replace(account: Account): void {
    const ledger = this.#ledgers.get(account.budget.id);
    if (ledger === undefined) return;
    ledger.accounts.set(account.name, account);
    if (ledger.single === null) return;
    this.#index.remove(ledger.budget.scope, ledger.single);
    this.#index.add(ledger.budget.scope, account);
    this.places.give(ledger.single);
    ledger.single = account;
  }

  /** As kept in a snapshot. Its amounts are in the slots already. */
  keep(hold: Hold, what: "held" | "presumed"): void {
    (what === "held" ? this.#open : this.#presumed).set(hold.call, hold);
    for (const account of hold.accounts) count(account, 1);
  }

  #hold(hold: Hold, held: Split): void {
    const { accounts, slots } = hold;
    for (let index = 0; index < accounts.length; index += 1) {
      const account = accounts[index] as Account;
      count(account, 1);
      const slot = slots[index] as Slot;
      const { measure } = account;
      if (slot === account.current) holdOn(account, partOf(measure, "held", held));
      else post(account, slot, "held", quantityOf(measure, "held", amountsOf(hold)));
    }
    this.#open.set(hold.call, hold);
  }

  /** Of every slot of a hold, what was held becomes what was taken: in one pass, for every call comes through here. */
  #end(call: string, what: "spent" | "presumed", taken: Taken): Hold | null {
    const hold = this.#open.get(call);
    if (hold === undefined) return null;
    this.#open.delete(call);
    const { accounts, slots } = hold;
    const held = amountsOf(hold);
    const [before, after] = [splitInto(asked, held), splitInto(given, taken)];
    for (let index = 0; index < accounts.length; index += 1) {
      const account = accounts[index] as Account;
      count(account, -1);
      const { measure } = account;
      const slot = slots[index] as Slot;
      if (slot === account.current && what === "spent") spend(account, partOf(measure, "held", before), partOf(measure, what, after));
      else {
        post(account, slot, "held", -quantityOf(measure, "held", held));
        post(account, slot, what, quantityOf(measure, what, taken));
      }
    }
    return hold;
  }

  #forget(call: string): Hold | null {
    const hold = this.#presumed.get(call);
    if (hold === undefined) return null;
    this.#presumed.delete(call);
    letGo(hold);
    return hold;
  }

  #named(id: string, values: readonly string[]): Account | null {
    const ledger = this.#ledgers.get(id);
    return ledger === undefined || ledger.budget.each.length !== values.length ? null : accountIn(ledger, values);
  }
}

/** Of an `each` budget, the allowance of a call's own values; null: it does not say one of them. */
function accountOf(ledger: Ledger, scope: CallScope, nowMs: number): Account | null {
  const values: string[] = [];
  for (const field of ledger.budget.each) {
    // Every tree of tasks: its root is the last.
    const value = field === "task" ? scope.task?.at(-1) : scope[field];
    if (value === undefined || value === null) return null;
    values.push(value);
  }
  if (ledger.accounts.size >= ledger.sweepAt) sweep(ledger, nowMs);
  return accountIn(ledger, values);
}

/** Goes through all of them only when there are twice as many as it left the last time. */
function sweep(ledger: Ledger, nowMs: number): void {
  if (ledger.single !== null) return;
  for (const [name, account] of ledger.accounts) {
    advance(account, nowMs);
    if (!isUntouched(account)) continue;
    ledger.accounts.delete(name);
    ledger.places.give(account);
  }
  ledger.sweepAt = Math.max(sweepMin, ledger.accounts.size * 2);
}

function accountIn({ accounts, budget, sinceMs, places }: Ledger, values: readonly string[]): Account {
  const name = accountName(budget.id, values);
  let account = accounts.get(name);
  if (account === undefined) accounts.set(name, (account = openAccount(budget, values, sinceMs, places)));
  return account;
}

/** Nobody will post to its accounts any more. */
function letGo({ accounts }: Hold): void {
  for (const account of accounts) count(account, -1);
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

/** Amounts of a call, as they are put to all its budgets. */
interface Split {
  readonly money: Writable<Parts>;
  readonly tokens: Writable<Parts>;
}

type Writable<Fields> = { -readonly [name in keyof Fields]: Fields[name] };

/** Written anew for every call, and read before the next: to make them for each would be a third of the work. */
const [asked, given]: readonly [Split, Split] = [
  { money: toParts(0n), tokens: toParts(0n) },
  { money: toParts(0n), tokens: toParts(0n) },
];

function splitInto(split: Split, { money, tokens }: Taken): Split {
  splitAmount(split.money, money);
  splitAmount(split.tokens, tokens);
  return split;
}

/** As `quantityOf`. */
function partOf(measure: Measure, what: "held" | "spent", { money, tokens }: Split): Parts {
  return measure === "money" ? money : measure === "tokens" ? tokens : measure === "calls" || what === "held" ? one : none;
}

function amountsOf({ money, tokens }: Amounts): Taken {
  return money === null && tokens === null ? unheld : { money: money ?? 0n, tokens: tokens ?? 0n };
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
  for (let index = 0; index < accounts.length; index += 1) {
    const account = accounts[index] as Account;
    const amount = quantityOf(account.measure, what, taken);
    post(account, slots[index] as Slot, what, sign === 1n ? amount : -amount);
  }
}
