// One allowance over time: its windows, what is spent, held and presumed in each, and what is left. Not here: which calls are under it
// (under.ts), holds on several at once (guard.ts). Invariant: what is posted to a window stays in that window, also when it is over.

import { type Budget, type Measure, type Span, spanAt } from "./budget.ts";

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

/** A part of the time of one allowance, with what was posted to it. */
export interface Slot {
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

export type Posted = "spent" | "held" | "presumed";

export interface Account {
  /** The budget's id; where it has `each` fields, with their values: see `accountName`. */
  readonly name: string;
  readonly values: readonly string[];
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
  /** Calls under way that hold on it. */
  calls: number;
}

/** `search`, or `per-customer/n_1f/eu`: no two lists of values make one name. */
export function accountName(id: string, values: readonly string[]): string {
  return values.length === 0 ? id : `${id}/${values.map(encodeURIComponent).join("/")}`;
}

/** A budget's id has no slash. @returns the id and the values. */
export function parseName(name: string): { readonly id: string; readonly values: readonly string[] } {
  const [id = "", ...values] = name.split("/");
  return { id, values: values.map(decodeURIComponent) };
}

export function openAccount(budget: Budget, values: readonly string[], nowMs: number): Account {
  const current = slotOf(spanAt(budget.period, nowMs), null);
  const { measure, limit: allowance, id } = budget;
  const name = accountName(id, values);
  return { name, values, budget, measure, current, toMs: current.span.toMs, used: 0n, allowance, earlier: [], calls: 0 };
}

/** Other terms of the same period and measure; what was spent stays. */
export function amend(account: Account, budget: Budget): void {
  account.allowance += budget.limit - account.budget.limit;
  account.budget = budget;
}

export function isSameWindow(a: Budget, b: Budget): boolean {
  return a.measure === b.measure && JSON.stringify([a.period, a.each]) === JSON.stringify([b.period, b.each]);
}

export function slotOf(span: Span, before: Slot | null): Slot {
  return { span, spent: 0n, held: 0n, presumed: 0n, granted: 0n, before, counts: true };
}

/** What a call asks of it; null: nobody can say. */
export function amountOf(measure: Measure, { money, tokens }: Amounts): bigint | null {
  return measure === "money" ? money : measure === "tokens" ? tokens : 1n;
}

/** `sign`: put there, or taken away again. What is under way at once is only ever held. */
export function post(account: Account, slot: Slot, what: Posted, taken: Taken, sign: 1n | -1n): void {
  const { measure } = account;
  const plus = measure === "money" ? taken.money : measure === "tokens" ? taken.tokens : measure === "calls" || what === "held" ? 1n : 0n;
  const amount = sign === 1n ? plus : -plus;
  slot[what] += amount;
  if (slot.counts) account.used += amount;
}

/** Moves an account on to the window of a time. Time that goes backwards moves nothing. */
export function advance(account: Account, nowMs: number): void {
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

/** Whether it is as if it had just been opened. */
export function isUntouched({ calls, used, allowance, budget, current: { before } }: Account): boolean {
  const isFresh = before === null || (before.spent === 0n && before.held === 0n && before.presumed === 0n && before.granted === 0n);
  return calls === 0 && used === 0n && allowance === budget.limit && isFresh;
}

/** The slot that a time is in, where it still counts; null: it is over, or ahead. For what is only learnt later. */
export function slotAt(account: Account, atMs: number): Slot | null {
  const { index } = spanAt(account.budget.period, atMs);
  if (account.current.span.index === index) return account.current;
  return account.earlier.find((slot) => slot.span.index === index) ?? null;
}

export function leftOf(account: Account): bigint {
  const { allowance, used, current } = account;
  return current.before === null ? allowance - used : allowance + carriedOver(account.budget, current.before) - used;
}

/** All that is allowed now. */
export function allowanceOf({ allowance, current, budget }: Account): bigint {
  return current.before === null ? allowance : allowance + carriedOver(budget, current.before);
}

export function carriedOver({ limit, carryMax }: Budget, before: Slot): bigint {
  const rest = limit + before.granted - before.spent - before.held - before.presumed;
  return carryMax === null || rest <= 0n ? 0n : rest < carryMax ? rest : carryMax;
}

/**
 * The earliest time at which `needed` fits if nothing else happens, ms UTC; null: not by waiting, or nobody can say (calls at once).
 * What is held counts as if it stayed.
 */
export function fitsAt(account: Account, needed: bigint): number | null {
  const { budget, current, earlier } = account;
  const { period } = budget;
  if (account.measure === "open" || period.kind === "total") return null;
  if (period.kind === "calendar") return needed <= budget.limit ? current.span.toMs : null;
  let left = leftOf(account);
  for (const slot of [...earlier, current]) {
    left += slot.spent + slot.held + slot.presumed - slot.granted;
    if (needed <= left) return (slot.span.index + period.buckets + 1) * period.bucketMs;
  }
  return null;
}

/** When its window ends, and what was taken is allowed anew; null: never. Of a rolling one, when the oldest bucket in use goes out. */
export function resetsAt({ budget: { period, measure }, current, earlier }: Account): number | null {
  if (period.kind === "total" || measure === "open") return null;
  if (period.kind === "calendar") return current.span.toMs;
  const oldest = [...earlier, current].find((slot) => slot.spent + slot.held + slot.presumed > 0n) ?? current;
  return (oldest.span.index + period.buckets + 1) * period.bucketMs;
}

/** The sums of all that counts. */
export function sumsOf({ current, earlier }: Account): {
  readonly spent: bigint;
  readonly held: bigint;
  readonly presumed: bigint;
  readonly granted: bigint;
} {
  const sums = { spent: 0n, held: 0n, presumed: 0n, granted: 0n };
  for (const slot of [...earlier, current]) {
    sums.spent += slot.spent;
    sums.held += slot.held;
    sums.presumed += slot.presumed;
    sums.granted += slot.granted;
  }
  return sums;
}
