// Rules that look at prices: the same usage at another tier's price, at a constant part of the list's, or at another price from a day on. Not here:
// rules about quantities (causes.ts). Invariant: a ratio is believed only where it holds in every cell it is said of, within rounding.

import {
  atRate,
  type Corrections,
  byPeriodAndModel,
  type Cell,
  expectedOf,
  type Factor,
  groupCells,
  isEven,
  isOpen,
  magnitude,
  type PriceOf,
} from "./cell.ts";
import { divideHalfEven, formatRatio } from "./money.ts";
import { priceTier } from "./price.ts";

/** Tiers in which a provider may have served a call unasked, or by a setting of the account. */
const otherTiers = ["batch", "flex", "priority", "fast", "scale"] as const;

export function explainRatios(book: Corrections, priceOf: PriceOf): void {
  explainTiers(book, priceOf);
  explainDiscount(book);
  explainPrices(book);
}

function explainTiers(book: Corrections, priceOf: PriceOf): void {
  for (const group of groupCells(book.cells, (cell) => (cell.model === null || cell.isOther ? null : byPeriodAndModel(cell)))) {
    if (!group.some(isMispriced)) continue;
    const tiers = new Set(group.flatMap((cell) => (cell.parts ?? []).flatMap((part) => [...part.statedByTier.keys()])));
    const said = [...tiers].some((tier) => priceTier(tier) !== "standard") ? [null] : [];
    for (const tier of [...said, ...otherTiers]) {
      const values = group.map((cell) => valueIn(cell, tier, priceOf));
      const holds = values.every((value, index) => {
        const cell = group[index] as Cell;
        return value !== null && magnitude(cell.statedPico - value) <= cell.tolerancePico + BigInt(cell.parts?.length ?? 0);
      });
      if (!holds) continue;
      const why = tier === null ? "the statement's own tiers have these prices" : `it costs what the tier ${tier} costs`;
      for (const cell of group) if (isMispriced(cell)) scaleTo(book, "tier", cell, why);
      break;
    }
  }
}

/** What the statement's quantities cost in one tier, or each in its own; null: a price is not known. */
function valueIn(cell: Cell, tier: string | null, priceOf: PriceOf): bigint | null {
  if (cell.parts === null || cell.model === null) return null;
  let sum = 0n;
  for (const part of cell.parts) {
    const shares = tier === null ? [...part.statedByTier] : ([[tier, part.stated]] as const);
    for (const [name, quantity] of shares) {
      if (quantity === 0) continue;
      const rate = priceOf(cell.model, part.class, name, cell.fromMs);
      if (rate === null) return null;
      sum += atRate(rate, quantity);
    }
  }
  return sum;
}

/** A constant part of every price: a negotiated discount, credits, or a surcharge. */
function explainDiscount(book: Corrections): void {
  const cells = book.cells.filter((cell) => !cell.isOther && cell.ledgerPico > 0n && cell.statedPico > 0n && expectedOf0(cell) > 0n);
  const names = new Set(cells.map((cell) => `${cell.model} ${cell.class}`));
  const isKnown = cells.every((cell) => cell.parts !== null);
  if (cells.length < 3 || names.size < 2) return;
  const factor = commonFactor(cells);
  // Without quantities, more of everything may as well be calls that went elsewhere.
  if (factor === null || (!isKnown && factor.numerator > factor.denominator)) return;
  const why = `every price is ${percent(factor)} of the ledger's`;
  for (const cell of cells) book.scale("discount", cell, factor, why);
}

function explainPrices(book: Corrections): void {
  for (const series of groupCells(book.cells, (cell) => (cell.isOther || cell.model === null ? null : `${cell.model} ${cell.class}`))) {
    const cells = series.filter((cell) => cell.ledgerPico > 0n && cell.statedPico > 0n).toSorted((a, b) => a.fromMs - b.fromMs);
    const from = cells.findIndex(isMispriced);
    if (from < 0) continue;
    const later = cells.slice(from);
    const day = new Date(later[0]?.fromMs ?? 0).toISOString().slice(0, 10);
    const factor = commonFactor(later);
    const isKnown = later.every((cell) => cell.parts !== null);
    if (factor !== null && (isKnown ? later.length >= 2 || later.every(isEven) : later.length >= 3)) {
      const since = from === 0 ? "all the time" : `from ${day} on`;
      for (const cell of later) book.scale("price", cell, factor, `the price is ${percent(factor)} of the ledger's, ${since}`);
      continue;
    }
    // The same units at another amount: whatever the ratio, it is the price that differs.
    for (const cell of later) if (isEven(cell) && isMispriced(cell)) scaleTo(book, "price", cell, "the same quantity has another price");
  }
}

/** Whether a cell's cost is not what its quantities explain; without quantities, whether it has a gap. */
function isMispriced(cell: Cell): boolean {
  if (cell.isOther || cell.ledgerPico === 0n || cell.statedPico === 0n) return false;
  if (cell.parts === null) return isOpen(cell);
  const expected = expectedOf(cell);
  return expected !== null && magnitude(cell.statedPico - expected) > cell.tolerancePico + BigInt(cell.parts.length);
}

function scaleTo(book: Corrections, kind: "tier" | "price", cell: Cell, why: string): void {
  const expected = expectedOf(cell);
  if (expected !== null && expected > 0n) book.scale(kind, cell, { numerator: cell.statedPico, denominator: expected }, why);
}

function expectedOf0(cell: Cell): bigint {
  return cell.parts === null ? cell.ledgerPico : (expectedOf(cell) ?? 0n);
}

/**
 * The one factor that all the cells' prices differ by, in as few decimals as will do.
 * @returns null when there is none, or it is one.
 */
export function commonFactor(cells: readonly Cell[]): Factor | null {
  const stated = cells.reduce((sum, cell) => sum + cell.statedPico, 0n);
  const expected = cells.reduce((sum, cell) => sum + expectedOf0(cell), 0n);
  if (expected <= 0n || stated <= 0n || !cells.some(isMispriced)) return null;
  const exact: Factor = { numerator: stated, denominator: expected };
  const rounded = [2, 3, 4].map((decimals) => {
    const denominator = 10n ** BigInt(decimals);
    return { numerator: divideHalfEven(stated * denominator, expected), denominator };
  });
  const found = [...rounded, exact].find((factor) => cells.every((cell) => fits(cell, factor)));
  return found === undefined || found.numerator === found.denominator ? null : found;
}

function fits(cell: Cell, { numerator, denominator }: Factor): boolean {
  const value = divideHalfEven(expectedOf0(cell) * numerator, denominator);
  return magnitude(cell.statedPico - value) <= cell.tolerancePico + BigInt(cell.parts?.length ?? 0) + 1n;
}

function percent({ numerator, denominator }: Factor): string {
  return `${formatRatio(numerator * 100n, denominator, 2)} %`;
}
