// One allowance over time: its windows, what is spent, held and presumed in each, and what is left. Not here: which calls are under it
// (under.ts), holds on several at once (guard.ts). Invariant: what is posted to a window stays in that window, also when it is over.

import { type Budget, type Measure, type Span, spanAt } from "./budget.ts";
import { addTo, clear, isBelow, type Parts, type Place, Places, readRunning, takeFrom, toParts } from "./running.ts";

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

export type Posted = "spent" | "held" | "presumed";

/**
 * What every call changes, in an account's cells: `spent` and `held` are those of its current slot, `untilMs` is when that ends, and `calls` how many
 * calls may still post to it: those under way that hold on it, and those presumed that may be corrected.
 */
const running = { left: 0, spent: 2, held: 4, untilMs: 6, calls: 7 } as const;
const runningCells = 8;

/** @param count how many accounts get their cells at once, beside each other. */
export function newPlaces(count = 1_024): Places {
  return new Places(runningCells, count);
}

/** A part of the time of one allowance, with what was posted to it. */
export class Slot {
  readonly span: Span;
  presumed = 0n;
  granted = 0n;
  /** Of the calendar window before: its rest may be carried over. */
  before: Slot | null = null;
  /** Whether what is posted to it still counts: a bucket that has gone out of a rolling period does not. */
  counts = true;
  #spent = 0n;
  #held = 0n;
  /** The account's, as long as it is the current one there. */
  #running: Place | null;

  constructor(span: Span, place: Place | null = null) {
    this.span = span;
    this.#running = place;
  }

  get spent(): bigint {
    return this.#running === null ? this.#spent : readRunning(this.#running.cells, this.#running.at + running.spent);
  }

  get held(): bigint {
    return this.#running === null ? this.#held : readRunning(this.#running.cells, this.#running.at + running.held);
  }

  /** All that was taken, or may yet be. */
  get taken(): bigint {
    return this.spent + this.held + this.presumed;
  }

  get isEmpty(): boolean {
    return this.spent === 0n && this.held === 0n && this.presumed === 0n && this.granted === 0n;
  }

  post(what: Posted, amount: bigint): void {
    if (what === "presumed") this.presumed += amount;
    else if (this.#running !== null) addTo(this.#running.cells, this.#running.at + running[what], toParts(amount));
    else if (what === "spent") this.#spent += amount;
    else this.#held += amount;
  }

  /** Another slot is the current one from now on. */
  close(): void {
    if (this.#running === null) return;
    this.#spent = this.spent;
    this.#held = this.held;
    const { cells, at } = this.#running;
    clear(cells, at + running.spent);
    clear(cells, at + running.held);
    this.#running = null;
  }
}

export interface Account extends Place {
  /** Read at every call, and so kept at hand: the budget's own. */
  readonly measure: Measure;
  current: Slot;
  /** Whether a rest is carried over. */
  carries: boolean;
  /**
   * Its cells: a call under many budgets looks at little else. `left` is the allowance, less all that was posted to the slots that count, without what
   * is carried over: see `leftOf`.
   */
  readonly cells: Float64Array;
  readonly at: number;
  budget: Budget;
  /** The budget's id; where it has `each` fields, with their values: see `accountName`. */
  readonly name: string;
  readonly values: readonly string[];
  /** Limit and grants of all slots that count, without what is carried over. */
  allowance: bigint;
  /** Of a rolling period, the slots before the current one that count, the oldest first. */
  readonly earlier: Slot[];
}

/** `search`, or `per-customer/n_1f/eu`: no two lists of values make one name. */
export function accountName(id: string, values: readonly string[]): string {
  let name = id;
  for (const value of values) name += `/${escapeValue(value)}`;
  return name;
}

/** A budget's id has no slash. @returns the id and the values. */
export function parseName(name: string): { readonly id: string; readonly values: readonly string[] } {
  const [id = "", ...values] = name.split("/");
  return { id, values: values.map(unescapeValue) };
}

/** Half of a character, without the other half: JSON can say it, UTF-8 cannot. */
const half = /\p{Surrogate}/gu;

/** Most values are: at every call under an `each` budget they are looked at. */
const plain = /^[\w.~-]*$/;

function escapeValue(value: string): string {
  if (plain.test(value)) return value;
  if (value.search(half) < 0) return encodeURIComponent(value);
  return value.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (part) =>
    part.search(half) < 0 ? encodeURIComponent(part) : `%u${part.charCodeAt(0).toString(16)}`,
  );
}

function unescapeValue(text: string): string {
  const parts = text.split(/%u([0-9a-f]{4})/);
  return parts.map((part, index) => (index % 2 === 0 ? decodeURIComponent(part) : String.fromCharCode(parseInt(part, 16)))).join("");
}

export function openAccount(budget: Budget, values: readonly string[], nowMs: number, places = newPlaces(1)): Account {
  const place = places.take();
  const { cells, at } = place;
  const current = new Slot(spanAt(budget.period, nowMs), place);
  const { measure, limit: allowance, id, carryMax } = budget;
  addTo(cells, at + running.left, toParts(allowance));
  cells[at + running.untilMs] = current.span.toMs;
  return { measure, current, carries: carryMax !== null, cells, at, budget, name: accountName(id, values), values, allowance, earlier: [] };
}

/** One call more may post to it, or, below zero, one less. */
export function count({ cells, at }: Account, more: 1 | -1): void {
  cells[at + running.calls] = callsOf({ cells, at }) + more;
}

/** How many calls may still post to it. */
export function callsOf({ cells, at }: Place): number {
  return cells[at + running.calls] as number;
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

/** What a call asks of it; null: nobody can say. */
export function amountOf(measure: Measure, { money, tokens }: Amounts): bigint | null {
  return measure === "money" ? money : measure === "tokens" ? tokens : 1n;
}

/** More, or less, is allowed. */
function allow(account: Account, amount: bigint): void {
  account.allowance += amount;
  addTo(account.cells, account.at + running.left, toParts(amount));
}

/** More is allowed in a slot's window. */
export function grant(account: Account, slot: Slot, amount: bigint): void {
  slot.granted += amount;
  if (slot.counts) allow(account, amount);
}

/** Puts an amount into a slot, or, below zero, takes it out again. */
export function post(account: Account, slot: Slot, what: Posted, amount: bigint): void {
  slot.post(what, amount);
  if (slot.counts) takeFrom(account.cells, account.at + running.left, toParts(amount));
}

/** As `post` of what a call holds in the current slot: every call comes through here. */
export function hold({ cells, at }: Account, amount: Parts): void {
  addTo(cells, at + running.held, amount);
  takeFrom(cells, at + running.left, amount);
}

/** What was held in the current slot is spent: every call comes through here, too. */
export function spend({ cells, at }: Account, held: Parts, taken: Parts): void {
  takeFrom(cells, at + running.held, held);
  addTo(cells, at + running.left, held);
  addTo(cells, at + running.spent, taken);
  takeFrom(cells, at + running.left, taken);
}

/** What was taken, or held where that is said, in a measure. What is under way at once is only ever held. */
export function quantityOf(measure: Measure, what: Posted, { money, tokens }: Taken): bigint {
  return measure === "money" ? money : measure === "tokens" ? tokens : measure === "calls" || what === "held" ? 1n : 0n;
}

/** Moves an account on to the window of a time. Time that goes backwards moves nothing. */
export function advance(account: Account, nowMs: number): void {
  const { cells, at } = account;
  if (nowMs < (cells[at + running.untilMs] as number)) return;
  const { period } = account.budget;
  const last = account.current;
  const span = spanAt(period, nowMs);
  cells[at + running.untilMs] = span.toMs;
  last.close();
  account.current = new Slot(span, { cells, at });
  if (period.kind === "calendar") account.current.before = previous(last, period, span);
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
  addTo(account.cells, account.at + running.left, toParts(slot.taken));
  allow(account, -slot.granted);
}

/** The window before that of a time, also when nothing happened in it. What was carried into it is not carried on. */
function previous(last: Slot, period: Budget["period"], { fromMs }: Span): Slot {
  const span = spanAt(period, fromMs - 1);
  // A chain of windows would hold all history.
  last.before = null;
  return span.index === last.span.index ? last : slotOver(span);
}

/** One that nothing counts in any more. */
export function slotOver(span: Span): Slot {
  const slot = new Slot(span);
  slot.counts = false;
  return slot;
}

/** Whether one that is opened anew would be the same, now and from now on. */
export function isUntouched(account: Account): boolean {
  const { allowance, budget, current, earlier, cells, at } = account;
  if (callsOf(account) > 0 || allowance !== budget.limit || readRunning(cells, at + running.left) !== allowance) return false;
  return (current.before?.isEmpty ?? true) && earlier.every(({ isEmpty }) => isEmpty);
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
  const slot = new Slot(span);
  slot.counts = budget.period.kind === "rolling" && span.index >= current.span.index - budget.period.buckets;
  if (slot.counts) {
    const after = earlier.findIndex((one) => one.span.index > span.index);
    earlier.splice(after < 0 ? earlier.length : after, 0, slot);
  }
  return slot;
}

export function leftOf({ budget, current, carries, cells, at }: Account): bigint {
  const left = readRunning(cells, at + running.left);
  return carries && current.before !== null ? left + carriedOver(budget, current.before) : left;
}

/** Whether less is left than a call asks for. @param parts of the amount. */
export function isShort(account: Account, amount: bigint, parts: Parts): boolean {
  return account.carries ? leftOf(account) < amount : isBelow(account.cells, account.at + running.left, parts);
}

/** All that is allowed now. */
export function allowanceOf({ allowance, current, budget }: Account): bigint {
  return current.before === null ? allowance : allowance + carriedOver(budget, current.before);
}

export function carriedOver({ limit, carryMax }: Budget, before: Slot): bigint {
  const rest = limit + before.granted - before.taken;
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
    left += slot.taken - slot.granted;
    if (needed <= left) return (slot.span.index + period.buckets + 1) * period.bucketMs;
  }
  return null;
}

/** When its window ends, and what was taken is allowed anew; null: never. Of a rolling one, when the oldest bucket in use goes out. */
export function resetsAt({ budget: { period, measure }, current, earlier }: Account): number | null {
  if (period.kind === "total" || measure === "open") return null;
  if (period.kind === "calendar") return current.span.toMs;
  const oldest = [...earlier, current].find(({ taken }) => taken > 0n) ?? current;
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
