// What two spans used, at prices that did not move, at those in force at the time, and as it was charged: what drivers are told apart by. Not here:
// how a change is divided (economics/drivers.ts), what the store sums (ledger/drivers.ts). Invariant: a price that is not known makes an amount
// unknown, and never zero; what is charged is the ledger's, to the last digit.

import { keyOf } from "../core/key.ts";
import { cost, formatUsd, parseUsd, type Pico, type Rate, toPico, zero } from "../core/money.ts";
import { priceTier, standard } from "../core/price.ts";
import { uncachedClass, type UsageClass, usageClasses } from "../core/usage.ts";
import type { CellPeriod } from "../economics/chain.ts";
import type { DriverCell } from "../economics/drivers.ts";
import type { DriverSumsCell, DriverUsage } from "../ledger/drivers.ts";
import type { Span } from "../ledger/store.ts";
import type { PriceSpan, PricesAccess } from "../prices/view.ts";

export type Side = "before" | "after";
export const sides = ["before", "after"] as const;
export type Both<Value> = { readonly [side in Side]: Value };

/** A model's list price that changed within a span: then, or as it came to be known then. */
export interface PriceMove {
  readonly provider: string;
  readonly model: string;
  readonly atMs: number;
}

export interface Cuts {
  /** Where the span is to be cut, so that no list price changes within a piece. Ascending. */
  readonly edges: readonly number[];
  readonly moves: readonly PriceMove[];
  /** Changes for which the span is not cut, since there are too many. */
  readonly left: number;
}

/** One cell in words, and what it was in each span. */
export interface Figures {
  readonly provider: string;
  readonly model: string | null;
  readonly group: string | null;
  readonly before: CellPeriod | null;
  readonly after: CellPeriod | null;
}

export interface Valued {
  readonly cells: readonly DriverCell[];
  /** By `cellName`. */
  readonly figures: ReadonlyMap<string, Figures>;
  /** Models that were paid for and have no list price at one of the times that matter. */
  readonly unlisted: readonly { readonly provider: string; readonly model: string | null }[];
}

type Rates = ReadonlyMap<UsageClass, Rate>;
type Lines = DriverUsage["lines"];

/** What one model's list said, and what was paid by it in a tier. */
export interface Quotes {
  /** The standard price of a list; of classes that no list prices, one's own. `knownMs` null: as known now. */
  list(provider: string, model: string, atMs: number, knownMs: number | null): Rates;
  /** What is paid, one's own prices and discounts included. */
  paid(provider: string, model: string, tier: string | null, atMs: number, knownMs: number | null): Rates;
  /** When the list price of a model changes, as known now. */
  edges(provider: string, model: string): readonly number[];
  /** When lists came to be known after a time. */
  known(sinceMs: number): readonly number[];
}

/** Pieces of one span at most, besides the last. */
const piecesMax = 6;
/** Lists of the past are read anew. */
const knownMax = 4;
const noonMs = 43_200_000;

export function createQuotes(prices: PricesAccess): Quotes {
  const spans = new Map<string, readonly PriceSpan[]>();
  const rates = new Map<string, Rates>();
  const lists = [...new Set(prices.lists().flatMap(({ taken }) => (taken === null ? [] : [taken.knownMs])))].toSorted((a, b) => a - b);
  const last = lists.at(-1) ?? -Infinity;
  function spansOf(isList: boolean, provider: string, model: string, tier: string | null, knownMs: number | null): readonly PriceSpan[] {
    const name = keyOf(isList ? "list" : "own", provider, model, tier, String(knownMs));
    let found = spans.get(name);
    if (found === undefined) {
      const book = isList ? prices.listed(knownMs) : prices;
      spans.set(name, (found = book.history({ provider, model, tier, region: null, knownMs }) ?? []));
    }
    return found;
  }
  /** Cells are many, and what they are priced by is not. */
  function kept(name: string, make: () => Rates): Rates {
    let found = rates.get(name);
    if (found === undefined) rates.set(name, (found = make()));
    return found;
  }
  return {
    list: (provider, model, atMs, knownMs) =>
      kept(`${atMs} ${knownMs} ${keyOf(provider, model)}`, () => {
        const [own, listed] = [false, true].map((isList) => ratesAt(spansOf(isList, provider, model, null, knownMs), atMs));
        return new Map([...(own ?? []), ...(listed ?? [])]);
      }),
    paid: (provider, model, tier, atMs, knownMs) =>
      kept(`${atMs} ${knownMs} ${keyOf(provider, model, tier)}`, () => {
        const asked = priceTier(tier);
        return ratesAt(spansOf(false, provider, model, asked === standard ? null : asked, knownMs), atMs);
      }),
    edges: (provider, model) =>
      [...spansOf(true, provider, model, null, null), ...spansOf(false, provider, model, null, null)].flatMap(({ fromMs }) =>
        fromMs === null ? [] : [fromMs],
      ),
    known: (sinceMs) => (sinceMs >= last ? [] : lists.filter((knownMs) => knownMs > sinceMs).slice(-knownMax)),
  };
}

/** Where prices differ by the hour, those of noon UTC are meant; of long requests, the price of short ones. */
function ratesAt(spans: readonly PriceSpan[], atMs: number): Rates {
  const found = spans.find(
    ({ fromMs, toMs, window }) => (fromMs ?? -Infinity) <= atMs && atMs < (toMs ?? Infinity) && (window === null || hasNoon(window)),
  );
  return new Map(
    (found?.lines ?? []).filter((line) => line.aboveTokens === 0).map((line) => [line.class, { pico: line.ratePico, per: line.ratePer }]),
  );
}

function hasNoon({ fromMs, toMs }: NonNullable<PriceSpan["window"]>): boolean {
  return fromMs <= toMs ? fromMs <= noonMs && noonMs < toMs : fromMs <= noonMs || noonMs < toMs;
}

/** Where a span is cut by changes of the list prices of what was used in it; for the dearest models first, where there are many. */
export function cutsOf(cells: readonly DriverSumsCell[], side: Side, { sinceMs, untilMs }: Span, quotes: Quotes): Cuts {
  const used = new Map<string, { provider: string; model: string; classes: Set<UsageClass>; pico: bigint; readonly seen: Set<Side> }>();
  for (const cell of cells) {
    const { provider, model, [side]: usage } = cell;
    if (model === null) continue;
    const name = keyOf(provider, model);
    let one = used.get(name);
    if (one === undefined) used.set(name, (one = { provider, model, classes: new Set(), pico: 0n, seen: new Set() }));
    for (const which of sides) if (cell[which] !== null) one.seen.add(which);
    if (usage === null) continue;
    for (const line of usage.lines) if (line.cost !== null) one.classes.add(line.class);
    one.pico += parseUsd(usage.cost);
  }
  // Of a model that is new or gone no price is asked for: its whole cost is the mix's.
  const inBoth = [...used.values()].filter(({ seen }) => seen.size === sides.length);
  const within = (atMs: number): boolean => sinceMs < atMs && atMs < untilMs;
  const known = quotes.known(sinceMs).filter(within);
  const edges = new Set<number>();
  const moves: PriceMove[] = [];
  let left = 0;
  for (const { provider, model, classes } of inBoth.toSorted((a, b) => (a.pico === b.pico ? 0 : a.pico < b.pico ? 1 : -1))) {
    const list = (atMs: number, knownMs: number | null): Rates => quotes.list(provider, model, atMs, knownMs);
    const changed = new Set([
      ...quotes.edges(provider, model).filter((atMs) => within(atMs) && isOther(list(atMs, null), list(atMs - 1, null), classes)),
      ...known.filter((atMs) => isOther(list(atMs, atMs), list(atMs - 1, atMs - 1), classes)),
    ]);
    for (const atMs of changed) {
      if (!edges.has(atMs) && edges.size >= piecesMax) left += 1;
      else moves.push({ provider, model, atMs });
      if (edges.size < piecesMax) edges.add(atMs);
    }
  }
  return { edges: [...edges].toSorted((a, b) => a - b), moves: moves.toSorted((a, b) => a.atMs - b.atMs), left };
}

function isOther(a: Rates, b: Rates, classes: ReadonlySet<UsageClass>): boolean {
  return [...classes].some((name) => {
    const [one, other] = [a.get(name), b.get(name)];
    return one?.pico !== other?.pico || one?.per !== other?.per;
  });
}

/** Pieces of a span: `edges` cut it, and the store's sums of all pieces but the last are given. */
export interface Cut {
  readonly span: Span;
  readonly edges: readonly number[];
  readonly pieces: readonly (readonly DriverSumsCell[])[];
}

/**
 * Tiers of one model are one cell: what the standard price makes of it and what was paid are told apart within. The reference is the list in force
 * when the earlier span ended.
 */
export function valuedOf(cells: readonly DriverSumsCell[], cuts: Both<Cut>, quotes: Quotes): Valued {
  const groups = new Map<string, DriverSumsCell[]>();
  for (const cell of cells) {
    const name = nameOf(cell);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [cell]);
    else group.push(cell);
  }
  const pieces = { before: piecesOf(cuts.before, "before"), after: piecesOf(cuts.after, "after") };
  const referenceMs = cuts.before.span.untilMs - 1;
  const figures = new Map<string, Figures>();
  const unlisted = new Map<string, { provider: string; model: string | null }>();
  const valued: DriverCell[] = [];
  for (const [name, group] of groups) {
    const [first] = group;
    if (first === undefined) continue;
    const { type, provider, model } = first;
    const charged = chargedIn(group);
    const priced = group.map((cell) => priceCell(cell, pieces, referenceMs, charged, quotes));
    const found = { before: addUp(priced.map((one) => one.before)), after: addUp(priced.map((one) => one.after)) };
    const isMissing = sides.some((side) => {
      const usage = found[side];
      return usage !== null && (usage.atReference === null || usage.listPico === null);
    });
    const isPaid = sides.some((side) => (found[side]?.chargedPico ?? 0n) > 0n);
    // Where a cell is in one span alone, its price says nothing.
    if (isMissing && isPaid && found.before !== null && found.after !== null) unlisted.set(keyOf(provider, model), { provider, model });
    valued.push({ type, key: placeOf(first), ...found });
    figures.set(name, { provider, model, group: first.group, ...found });
  }
  return { cells: valued, figures, unlisted: [...unlisted.values()] };
}

/** Names a cell among all: tiers apart it is the store's. */
export function cellName(type: string | null, key: string): string {
  return keyOf(type, key);
}

/** Of a cell within its type. */
function placeOf({ provider, model, group }: DriverSumsCell): string {
  return keyOf(provider, model, group);
}

export function nameOf(cell: DriverSumsCell): string {
  return cellName(cell.type, placeOf(cell));
}

/** Classes that have a price in one of the cells. */
function chargedIn(cells: readonly DriverSumsCell[]): ReadonlySet<UsageClass> {
  const found = new Set<UsageClass>();
  for (const cell of cells)
    for (const side of sides) for (const line of cell[side]?.lines ?? []) if (line.cost !== null) found.add(line.class);
  return found;
}

/** A piece of a cell's usage, and when it began. */
interface Piece {
  readonly atMs: number;
  readonly usage: DriverUsage;
}

/** A cell's usage, piece by piece: what the store gave of the earlier pieces, and what is left of the whole. */
function piecesOf({ span, edges, pieces }: Cut, side: Side): (cell: DriverSumsCell) => readonly Piece[] {
  const starts = [span.sinceMs, ...edges];
  const found = pieces.map(
    (cells) => new Map(cells.flatMap((cell) => (cell[side] === null ? [] : [[keyOf(nameOf(cell), cell.tier), cell[side]]]))),
  );
  return (cell) => {
    const whole = cell[side];
    if (whole === null) return [];
    if (found.length === 0) return [{ atMs: span.sinceMs, usage: whole }];
    const name = keyOf(nameOf(cell), cell.tier);
    const earlier = found.map((usages) => usages.get(name) ?? null);
    const last = earlier.reduce<DriverUsage>((rest, usage) => (usage === null ? rest : without(rest, usage)), whole);
    return [...earlier, last].flatMap((usage, index) => (usage === null ? [] : [{ atMs: starts[index] ?? span.sinceMs, usage }]));
  };
}

/** What came in between two questions may be in the later one alone: no less than nothing is left. */
function without(whole: DriverUsage, part: DriverUsage): DriverUsage {
  return {
    calls: Math.max(0, whole.calls - part.calls),
    firstTries: Math.max(0, whole.firstTries - part.firstTries),
    cost: less(whole.cost, part.cost),
    unpriced: Math.max(0, whole.unpriced - part.unpriced),
    lines: whole.lines.map((line) => {
      const other = part.lines.find((one) => isSameLine(one, line));
      if (other === undefined) return line;
      const spent = line.cost === null ? null : less(line.cost, other.cost ?? "0");
      return { class: line.class, quantity: Math.max(0, line.quantity - other.quantity), cost: spent };
    }),
  };
}

/** A class may be there twice: what of it has a price, and what has none. */
export function isSameLine(a: Lines[number], b: Lines[number]): boolean {
  return a.class === b.class && (a.cost === null) === (b.cost === null);
}

function less(a: string, b: string): string {
  const rest = parseUsd(a) - parseUsd(b);
  return rest < 0n ? "0" : formatUsd(rest);
}

function priceCell(
  cell: DriverSumsCell,
  pieces: Both<(cell: DriverSumsCell) => readonly Piece[]>,
  referenceMs: number,
  charged: ReadonlySet<UsageClass>,
  quotes: Quotes,
): Both<CellPeriod | null> {
  const { provider, model, tier } = cell;
  const knownOf = (piece: Piece): number | null => (model === null ? null : chargedBy(piece, provider, model, tier, quotes));
  const found = { before: pieces.before(cell), after: pieces.after(cell) };
  const last = found.before.at(-1) ?? found.after[0];
  const reference = model === null || last === undefined ? noRates : quotes.list(provider, model, referenceMs, knownOf(last));
  const priceSide = (side: Side): CellPeriod | null => {
    const usage = cell[side];
    if (usage === null) return null;
    const lines = usage.lines.filter((line) => charged.has(line.class));
    const [noCachePico, withCachePico] = [amountOf(lines, uncached(reference)), amountOf(lines, reference)];
    const listed = found[side].map((piece) => {
      const own = piece.usage.lines.filter((line) => charged.has(line.class));
      // What was not charged for want of a price has none here, whatever is known of it by now.
      if (own.some((line) => line.cost === null && line.quantity > 0)) return null;
      return amountOf(own, model === null ? noRates : quotes.list(provider, model, piece.atMs, knownOf(piece)));
    });
    return {
      firstTries: usage.firstTries,
      calls: usage.calls,
      tokens: usage.lines.reduce((sum, line) => sum + (usageClasses[line.class].unit === "token" ? line.quantity : 0), 0),
      atReference: noCachePico === null || withCachePico === null ? null : { noCachePico, withCachePico },
      listPico: total(listed),
      chargedPico: parseUsd(usage.cost),
    };
  };
  return { before: priceSide("before"), after: priceSide("after") };
}

const noRates: Rates = new Map();

/**
 * By what was known when it was used or by what is known now: a list may have come late, and a re-rating may have made up for it. The one that comes
 * nearer to what was charged; null: now.
 */
function chargedBy({ atMs, usage }: Piece, provider: string, model: string, tier: string | null, quotes: Quotes): number | null {
  if (quotes.known(atMs).length === 0) return null;
  const off = (knownMs: number | null): bigint | null => {
    const rates = quotes.paid(provider, model, tier, atMs, knownMs);
    let sum = 0n;
    for (const line of usage.lines) {
      if (line.cost === null || line.class === "minimum") continue;
      const rate = rates.get(line.class);
      if (rate === undefined) return null;
      const gap = cost(rate, line.quantity) - parseUsd(line.cost);
      sum += gap < 0n ? -gap : gap;
    }
    return sum;
  };
  const now = off(null);
  if (now === 0n) return null;
  const then = off(atMs);
  return then !== null && (now === null || then < now) ? atMs : null;
}

/** null: a class of which something was used has no price. What a least amount adds is as it was charged. */
function amountOf(lines: Lines, rates: Rates): Pico | null {
  let amount = 0n;
  for (const line of lines) {
    if (line.class === "minimum") amount += line.cost === null ? 0n : parseUsd(line.cost);
    else if (line.quantity > 0) {
      const rate = rates.get(line.class);
      if (rate === undefined) return null;
      amount += cost(rate, line.quantity);
    }
  }
  return toPico(amount);
}

const uncachedOf = new WeakMap<Rates, Rates>();

function uncached(rates: Rates): Rates {
  let found = uncachedOf.get(rates);
  if (found === undefined) {
    const pairs = [...rates].flatMap(([name, rate]): [UsageClass, Rate][] => {
      const other = uncachedClass[name];
      const fresh = other === undefined ? rate : rates.get(other);
      return fresh === undefined ? [] : [[name, fresh]];
    });
    uncachedOf.set(rates, (found = new Map(pairs)));
  }
  return found;
}

function addUp(periods: readonly (CellPeriod | null)[]): CellPeriod | null {
  const given = periods.filter((period) => period !== null);
  if (given.length === 0) return null;
  const add = (of: (period: CellPeriod) => number): number => given.reduce((sum, period) => sum + of(period), 0);
  const noCachePico = total(given.map((period) => period.atReference?.noCachePico ?? null));
  const withCachePico = total(given.map((period) => period.atReference?.withCachePico ?? null));
  return {
    firstTries: add((period) => period.firstTries),
    calls: add((period) => period.calls),
    tokens: add((period) => period.tokens),
    atReference: noCachePico === null || withCachePico === null ? null : { noCachePico, withCachePico },
    listPico: total(given.map((period) => period.listPico)),
    chargedPico: total(given.map((period) => period.chargedPico)) ?? zero,
  };
}

/** null: one of them is not known. */
function total(amounts: readonly (Pico | null)[]): Pico | null {
  let all = 0n;
  for (const amount of amounts) {
    if (amount === null) return null;
    all += amount;
  }
  return toPico(all);
}
