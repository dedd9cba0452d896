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
  /** Of the calendar window before: its rest may be carried over. */
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
  /**
   * The allowance, less all that counts but what the current slot has spent and holds, which every call changes: see `leftOf`. An amount
   * that is kept is a new object each time, and so there are as few of them as can be.
   */
  room: bigint;
  /** Limit and grants of all slots that count, without what is carried over. */
  allowance: bigint;
  /** Of a rolling period, the slots before the current one that count, the oldest first. */
  readonly earlier: Slot[];
  /** Whether a rest is carried over. */
  carries: boolean;
  /** Calls that may still post to it: those under way that hold on it, and those presumed that may be corrected. */
  calls: number;
}

/** `search`, or `per-customer/n_1f/eu`: no two lists of values make one name. */
export function accountName(id: string, values: readonly string[]): string {
  return values.length === 0 ? id : `${id}/${values.map(escapeValue).join("/")}`;
}

/** A budget's id has no slash. @returns the id and the values. */
export function parseName(name: string): { readonly id: string; readonly values: readonly string[] } {
  const [id = "", ...values] = name.split("/");
  return { id, values: values.map(unescapeValue) };
}

/** Half of a character, without the other half: JSON can say it, UTF-8 cannot. */
const half = /\p{Surrogate}/gu;

function escapeValue(value: string): string {
  if (value.search(half) < 0) return encodeURIComponent(value);
  return value.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (part) =>
    part.search(half) < 0 ? encodeURIComponent(part) : `%u${part.charCodeAt(0).toString(16)}`,
  );
}

function unescapeValue(text: string): string {
  const parts = text.split(/%u([0-9a-f]{4})/);
  return parts.map((part, index) => (index % 2 === 0 ? decodeURIComponent(part) : String.fromCharCode(parseInt(part, 16)))).join("");
}

export function openAccount(budget: Budget, values: readonly string[], nowMs: number): Account {
  const current = slotOf(spanAt(budget.period, nowMs), null);
  const { measure, limit: allowance, id } = budget;
  const name = accountName(id, values);
  const carries = budget.carryMax !== null;
  return { name, values, budget, measure, current, toMs: current.span.toMs, room: allowance, allowance, earlier: [], carries, calls: 0 };
}

/** Other terms of the same period and measure; what was spent stays. */
export function amend(account: Account, budget: Budget): void {
  allow(account, budget.limit - account.budget.limit);
  account.budget = budget;
  account.carries = budget.carryMax !== null;
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

/** More, or less, is allowed in the window under way. */
export function allow(account: Account, amount: bigint): void {
  account.allowance += amount;
  account.room += amount;
}

/** Puts an amount into a slot, or, below zero, takes it out again. */
export function post(account: Account, slot: Slot, what: Posted, amount: bigint): void {
  slot[what] += amount;
  if (slot.counts && (slot !== account.current || what === "presumed")) account.room -= amount;
}

/** What was taken, or held where that is said, in a measure. What is under way at once is only ever held. */
export function quantityOf(measure: Measure, what: Posted, { money, tokens }: Taken): bigint {
  return measure === "money" ? money : measure === "tokens" ? tokens : measure === "calls" || what === "held" ? 1n : 0n;
}

/** Moves an account on to the window of a time. Time that goes backwards moves nothing. */
export function advance(account: Account, nowMs: number): void {
  if (nowMs < account.toMs) return;
  const { period } = account.budget;
  const last = account.current;
  const span = spanAt(period, nowMs);
  account.toMs = span.toMs;
  account.current = slotOf(span, period.kind === "calendar" ? previous(last, period, span) : null);
  account.room -= last.spent + last.held;
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
  account.room += slot.spent + slot.held + slot.presumed - slot.granted;
  account.allowance -= slot.granted;
}

/** The window before that of a time, also when nothing happened in it. What was carried into it is not carried on. */
function previous(last: Slot, period: Budget["period"], { fromMs }: Span): Slot {
  const span = spanAt(period, fromMs - 1);
  // A chain of windows would hold all history.
  last.before = null;
  return span.index === last.span.index ? last : { ...slotOf(span, null), counts: false };
}

/** Whether one that is opened anew would be the same, now and from now on. */
export function isUntouched(account: Account): boolean {
  const { calls, allowance, budget, current, earlier } = account;
  if (calls > 0 || allowance !== budget.limit || plainLeft(account) !== allowance) return false;
  return (current.before === null || isEmpty(current.before)) && earlier.every(isEmpty);
}

function isEmpty({ spent, held, presumed, granted }: Slot): boolean {
  return spent === 0n && held === 0n && presumed === 0n && granted === 0n;
}

/** The slot that a time is in, where it still counts; null: it is over, or ahead. For what is only learnt later. */
export function slotAt({ budget, current, earlier }: Account, atMs: number): Slot | null {
  const { index } = spanAt(budget.period, atMs);
  if (current.span.index === index) return current;
  return earlier.find((slot) => slot.span.index === index) ?? null;
}

/**
 * The slot of a time that is not ahead, made where it is not there any more: of a rolling period it counts for as long as any of its age,
 * of a calendar's window that is over what is carried over still goes by it, and any other counts for nothing.
 */
export function slotOfPast(account: Account, atMs: number): Slot {
  const { budget, current, earlier } = account;
  const span = spanAt(budget.period, atMs);
  const known = span.index >= current.span.index ? current : earlier.find((slot) => slot.span.index === span.index);
  if (known !== undefined) return known;
  if (current.before?.span.index === span.index) return current.before;
  const slot = slotOf(span, null);
  slot.counts = budget.period.kind === "rolling" && span.index >= current.span.index - budget.period.buckets;
  if (slot.counts) {
    const after = earlier.findIndex((one) => one.span.index > span.index);
    earlier.splice(after < 0 ? earlier.length : after, 0, slot);
  }
  return slot;
}

export function leftOf(account: Account): bigint {
  const { current, carries } = account;
  const left = plainLeft(account);
  return carries && current.before !== null ? left + carriedOver(account.budget, current.before) : left;
}

/** Without what is carried over. */
function plainLeft({ room, current: { spent, held } }: Account): bigint {
  return room - spent - held;
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
