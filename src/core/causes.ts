// Why a statement and the ledger differ: rules, each with its evidence, in the order of how sure they are. A rule corrects the ledger's side where its
// evidence holds and nowhere else; what no rule explains stays unexplained. Not here: rules that look at ratios of prices (ratios.ts).

import {
  atRate,
  Corrections,
  byPeriodAndModel,
  type Cell,
  type CauseKind,
  groupCells,
  isOpen,
  magnitude,
  type Part,
  type PriceOf,
  residual,
  valueOf,
  volumeOf,
} from "./cell.ts";
import { divideHalfEven } from "./money.ts";
import { explainRatios } from "./ratios.ts";
import { dayMs } from "./time.ts";
import type { UsageClass } from "./usage.ts";

/** A statement younger than this may lack usage of its last day, ms: Anthropic says minutes, OpenAI and the clouds up to two days. */
export const lateMsMax = 2 * dayMs;

/** Lets every rule look at the cells, the surest first. @param nowMs when the statement was read. */
export function explain(cells: readonly Cell[], priceOf: PriceOf, nowMs: number): Corrections {
  const book = new Corrections(cells);
  explainOther(book);
  explainUnseen(book);
  explainPresumed(book);
  explainEstimated(book);
  explainUnpriced(book);
  explainTtl(book, priceOf);
  explainRatios(book, priceOf);
  explainNeighbours(book);
  explainLastDay(book, nowMs);
  explainMore(book);
  explainRounding(book);
  return book;
}

function explainOther(book: Corrections): void {
  for (const cell of book.cells) if (cell.isOther) book.correct("other", cell, residual(cell), "no usage of a model");
}

function explainUnseen(book: Corrections): void {
  for (const cell of book.cells)
    if (!cell.isSeen && !cell.isOther && residual(cell) > 0n)
      book.correct("bypassed", cell, residual(cell), "no call of this model is in the ledger");
}

/** A presumed call is charged at the most it may have cost: what the ledger has too much is its. */
function explainPresumed(book: Corrections): void {
  const why = "calls nobody saw the end of are counted at their bound";
  for (const cell of book.cells) {
    for (const part of cell.parts ?? []) {
      const quantity = Math.min(part.ledger - part.stated, part.presumed);
      if (quantity > 0)
        book.correct("presumed", cell, -divideHalfEven(part.presumedPico * BigInt(quantity), BigInt(part.presumed)), why, part, -quantity);
    }
    const over = -residual(cell);
    if (cell.parts === null && over > cell.tolerancePico && cell.presumedPico > 0n)
      book.correct("presumed", cell, -(over < cell.presumedPico ? over : cell.presumedPico), why);
  }
}

function explainEstimated(book: Corrections): void {
  for (const cell of book.cells)
    for (const part of cell.parts ?? []) {
      const quantity = part.stated - part.ledger;
      const value = valueOf(part, quantity);
      if (quantity !== 0 && value !== null && Math.abs(quantity) <= part.guessed)
        book.correct("estimated", cell, value, "the ledger's quantities are estimates", part, quantity);
    }
}

function explainUnpriced(book: Corrections): void {
  for (const cell of book.cells) {
    const left = residual(cell);
    if (cell.unpriced === 0 || left <= cell.tolerancePico) continue;
    const [only, ...others] = cell.parts ?? [];
    const isPart = only !== undefined && others.length === 0 && only.stated > only.unpriced;
    // What is priced here, and what is not, are one line of the statement: it is divided by quantity.
    const share = isPart ? divideHalfEven(cell.statedPico * BigInt(only.unpriced), BigInt(only.stated)) : left;
    book.correct("unpriced", cell, share < left ? share : left, "the ledger has the usage, and no price for it", isPart ? only : null);
  }
}

const writes = new Set<UsageClass>(["cache_write", "cache_write_5m", "cache_write_1h"]);

/** The same tokens, filed under another lifetime of the cache. */
function explainTtl(book: Corrections, priceOf: PriceOf): void {
  for (const group of groupCells(book.cells, (cell) => (cell.class !== null && writes.has(cell.class) ? byPeriodAndModel(cell) : null))) {
    if (group.length < 2) continue;
    for (const from of group)
      for (const to of group) {
        const [less, more] = [from.parts?.[0], to.parts?.[0]];
        if (less !== undefined && more !== undefined) shiftTtl(book, from, less, to, more, priceOf);
        else if (from.parts === null && to.parts === null) shiftTtlByCost(book, from, to, priceOf);
      }
  }
}

function shiftTtl(book: Corrections, from: Cell, less: Part, to: Cell, more: Part, priceOf: PriceOf): void {
  const quantity = Math.min(less.ledger - less.stated, more.stated - more.ledger);
  if (quantity <= 0) return;
  const out = valueOf(less, quantity);
  const into = valueOf(more, quantity) ?? priceAt(priceOf, to, more.class, quantity) ?? shareOf(to.statedPico, quantity, more.stated);
  if (out === null) return;
  const why = `${from.class} here is ${to.class} there`;
  book.correct("cache_ttl", from, -out, why, less, -quantity);
  book.correct("cache_ttl", to, into, why, more, quantity);
}

/** Without quantities: one is too dear and the other too cheap by amounts that stand to each other as their prices do. */
function shiftTtlByCost(book: Corrections, from: Cell, to: Cell, priceOf: PriceOf): void {
  const [out, into] = [-residual(from), residual(to)];
  if (from.model === null || from.class === null || to.class === null || out <= from.tolerancePico || into <= to.tolerancePico) return;
  const [one, other] = [priceOf(from.model, from.class, null, from.fromMs), priceOf(from.model, to.class, null, to.fromMs)];
  if (one === null || other === null || one.pico === 0n) return;
  const wanted = divideHalfEven(out * other.pico * one.per, one.pico * other.per);
  if (magnitude(wanted - into) > from.tolerancePico * 2n + to.tolerancePico + magnitude(into) / 1_000n) return;
  const why = `${from.class} here is ${to.class} there`;
  book.correct("cache_ttl", from, -out, why);
  book.correct("cache_ttl", to, into, why);
}

/** Usage that one side has a day before or after the other: two days in a row whose gaps are of opposite signs, in every class. */
function explainNeighbours(book: Corrections): void {
  for (const group of groupCells(book.cells, (cell) => (cell.isOther ? null : (cell.model ?? "")))) {
    const periods = groupCells(group, (cell) => String(cell.period)).toSorted(([a], [b]) => (a?.period ?? 0) - (b?.period ?? 0));
    for (const [index, before] of periods.entries()) {
      const after = periods[index + 1];
      if (after?.[0]?.fromMs === (before[0]?.fromMs ?? 0) + dayMs) shiftDays(book, before, after);
    }
  }
}

/** One class on two days in a row; of each the sign of its gap. */
interface Neighbours {
  readonly cell: Cell;
  readonly other: Cell;
  readonly part: Part | null;
  readonly otherPart: Part | null;
  readonly one: number;
  readonly two: number;
}

/** Of a cell's gap in cost, beyond rounding. */
function signOf(cell: Cell): number {
  return isOpen(cell) ? (residual(cell) > 0n ? 1 : -1) : 0;
}

function shiftDays(book: Corrections, before: readonly Cell[], after: readonly Cell[]): void {
  const gaps = before.flatMap((cell): Neighbours[] => {
    const other = after.find((one) => one.class === cell.class);
    if (other === undefined) return [];
    if (cell.parts === null || other.parts === null)
      return [{ cell, other, part: null, otherPart: null, one: signOf(cell), two: signOf(other) }];
    return cell.parts.flatMap((part) => {
      const otherPart = other.parts?.find((candidate) => candidate.class === part.class);
      if (otherPart === undefined) return [];
      return [
        { cell, other, part, otherPart, one: Math.sign(part.stated - part.ledger), two: Math.sign(otherPart.stated - otherPart.ledger) },
      ];
    });
  });
  const uneven = gaps.filter(({ one, two }) => one !== 0 && two !== 0);
  const [first] = uneven;
  // Every class has moved the same way, or none has: else it is chance.
  if (first === undefined || uneven.some(({ one, two }) => one === two || one !== first.one)) return;
  for (const { cell, other, part, otherPart, one } of uneven) {
    const [much, little] = one < 0 ? [cell, other] : [other, cell];
    const [muchPart, littlePart] = one < 0 ? [part, otherPart] : [otherPart, part];
    const why = `the statement has it a day ${one < 0 ? "later" : "earlier"}`;
    if (muchPart === null || littlePart === null) {
      const amount = lesser(magnitude(residual(much)), magnitude(residual(little)));
      book.correct("late", much, -amount, why);
      book.correct("late", little, amount, why);
      continue;
    }
    const quantity = Math.min(muchPart.ledger - muchPart.stated, littlePart.stated - littlePart.ledger);
    const value = quantity > 0 ? valueOf(muchPart, quantity) : null;
    if (value === null) continue;
    book.correct("late", much, -value, why, muchPart, -quantity);
    book.correct("late", little, value, why, littlePart, quantity);
  }
}

/** A statement that was read soon after its last day may not have all of it yet. */
function explainLastDay(book: Corrections, nowMs: number): void {
  const last = book.cells.reduce((most, cell) => Math.max(most, cell.period), 0);
  const cells = book.cells.filter((cell) => cell.period === last && !cell.isOther);
  if (cells.length === 0 || nowMs - (cells[0]?.fromMs ?? 0) - dayMs > lateMsMax) return;
  for (const group of groupCells(cells, byPeriodAndModel)) {
    if (!isOneWay(group, -1)) continue;
    takeVolume(book, group, "late", "the statement was read soon after its last day");
  }
}

/** The provider counted more in every class: calls of which the ledger knows no usage, or that it never saw. */
function explainMore(book: Corrections): void {
  for (const group of groupCells(book.cells, byPeriodAndModel)) {
    if (!isOneWay(group, 1)) continue;
    const unmetered = Math.max(0, ...group.map((cell) => cell.unmetered));
    if (unmetered > 0) takeVolume(book, group, "unmetered", "calls are in the ledger of which no usage is known");
    else takeVolume(book, group, "bypassed", "the provider counted more of everything");
  }
}

/** Whether every gap of the cells has this sign, and there is one: in quantity, or in cost where no quantity is stated. */
function isOneWay(cells: readonly Cell[], sign: 1 | -1): boolean {
  let some = false;
  for (const cell of cells) {
    const gaps = cell.parts === null ? [signOf(cell)] : cell.parts.map((part) => part.stated - part.ledger);
    for (const gap of gaps) {
      if (gap * sign < 0) return false;
      if (gap !== 0) some = true;
    }
  }
  return some;
}

function takeVolume(book: Corrections, cells: readonly Cell[], kind: CauseKind, why: string): void {
  for (const cell of cells) {
    if (cell.parts === null) {
      if (isOpen(cell)) book.correct(kind, cell, residual(cell), why);
      continue;
    }
    const uneven = cell.parts.filter((part) => part.stated !== part.ledger);
    if (uneven.length === 0) continue;
    const volume = volumeOf(cell);
    const left = residual(cell);
    // What is missing may have had a longer context or another tier than what is here: its cost is all that is left, if that can be its price.
    const isLikely =
      volume === null
        ? left > 0n === quantityOf(uneven) > 0
        : left > 0n === volume > 0n && magnitude(left) * 4n >= magnitude(volume) && magnitude(volume) * 4n >= magnitude(left);
    if (isLikely) {
      book.correct(kind, cell, left, why, null, quantityOf(uneven));
      for (const one of uneven) one.ledger = one.stated;
    } else if (volume !== null)
      for (const one of uneven) {
        const quantity = one.stated - one.ledger;
        book.correct(kind, cell, valueOf(one, quantity) ?? 0n, why, one, quantity);
      }
  }
}

function quantityOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.stated - part.ledger, 0);
}

function explainRounding(book: Corrections): void {
  for (const cell of book.cells) if (!isOpen(cell)) book.correct("rounding", cell, residual(cell), "within the precision of the amounts");
}

function priceAt(priceOf: PriceOf, cell: Cell, name: UsageClass, quantity: number): bigint | null {
  const rate = cell.model === null ? null : priceOf(cell.model, name, null, cell.fromMs);
  return rate === null ? null : atRate(rate, quantity);
}

function shareOf(pico: bigint, quantity: number, whole: number): bigint {
  return whole === 0 ? 0n : divideHalfEven(pico * BigInt(quantity), BigInt(whole));
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
