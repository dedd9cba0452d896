// Revenue less cost, per customer, feature or plan, and in all. Not here: who pays whose shared cost (shares.ts), how long losses can be carried
// (growth.ts). It describes all keys of a period, so nothing here is a sample; how many keys a figure is of stands beside it. Invariant: lines add
// up to the totals, and revenue that is not known is never counted as none.

import { type Pico, sum, toPico, zero } from "../core/money.ts";

export interface MarginRow {
  /** A customer, a feature, a plan. */
  readonly key: string;
  /** Null: not known. */
  readonly revenuePico: Pico | null;
  /** What models cost. */
  readonly costPico: Pico;
  /** Other cost of revenue (hosting, support), where it is counted. Absent: this row has none of it counted. */
  readonly otherPico?: Pico;
}

export interface MarginLine {
  readonly key: string;
  readonly revenuePico: Pico | null;
  readonly costPico: Pico;
  readonly otherPico: Pico;
  /** Revenue less both costs. Null: the revenue is not known. */
  readonly marginPico: Pico | null;
  /** The margin as a part of revenue: at most 1 unless a cost is a credit. Null: the revenue is not known, or not above zero. */
  readonly margin: number | null;
}

export interface Margins {
  /** In the order in which keys first came. */
  readonly lines: readonly MarginLine[];
  /** Everything, whether its revenue is known or not. */
  readonly total: { readonly keys: number; readonly costPico: Pico; readonly otherPico: Pico };
  /** Keys whose revenue is known. */
  readonly known: {
    readonly keys: number;
    readonly revenuePico: Pico;
    readonly costPico: Pico;
    readonly otherPico: Pico;
    readonly marginPico: Pico;
  };
  /** Keys whose revenue is not known, and what they cost. */
  readonly unknown: { readonly keys: number; readonly costPico: Pico; readonly otherPico: Pico };
  /** Whether any row had other cost of revenue. Where not, the margin is that after the cost of models alone. */
  readonly isOtherCounted: boolean;
  /** Margin of totals: (Σ revenue − Σ cost) ÷ Σ revenue over known keys. Null: their revenue is not above zero. */
  readonly grossMargin: number | null;
  /** The same with the cost of unknown keys taken in and no revenue for it: it cannot be lower, unless such revenue is below zero. */
  readonly grossMarginMin: number | null;
  /** Cost of models ÷ revenue, over known keys. */
  readonly costShare: number | null;
  /** The same with the cost of unknown keys taken in: it cannot be higher, unless their revenue is below zero. */
  readonly costShareMax: number | null;
  /** Mean of margins: each key with revenue counts alike, a small one as much as a large one. Not the margin of totals. */
  readonly meanMargin: number | null;
  /** Of the margins as parts of revenue, keys with revenue only. Empty: there is none. */
  readonly quantiles: readonly { readonly percent: number; readonly margin: number }[];
  /** Of the margins in money, all known keys. */
  readonly amounts: readonly { readonly percent: number; readonly marginPico: Pico }[];
  /** Known keys that lose money; `share` is theirs of known keys, null when none is known; `lostPico` is above zero. */
  readonly belowZero: { readonly keys: number; readonly share: number | null; readonly lostPico: Pico };
  /** Known keys that bring in nothing, or less: they have a margin in money and none as a part of revenue. */
  readonly withoutRevenue: { readonly keys: number; readonly costPico: Pico };
}

/**
 * Margins by key. Rows of one key are added up; revenue that is partly unknown is unknown.
 * @param percents which quantiles, by nearest rank: the smallest value that so many percent of all are at or below.
 * @throws RangeError when a percent is not above 0 and at most 100.
 */
export function margins(rows: Iterable<MarginRow>, percents: readonly number[] = [10, 25, 50, 75, 90]): Margins {
  const byKey = new Map<string, MarginRow>();
  let isOtherCounted = false;
  for (const row of rows) {
    isOtherCounted ||= row.otherPico !== undefined;
    byKey.set(row.key, add(byKey.get(row.key), row));
  }
  const lines = [...byKey.values()].map(toLine);
  const known = lines.filter(isKnown);
  const unknown = lines.filter((line) => line.revenuePico === null);
  const paying = known.filter((line): line is KnownLine & { margin: number } => line.margin !== null);
  const losers = known.filter(({ marginPico }) => marginPico < 0n);
  const free = known.filter(({ margin }) => margin === null);

  const revenuePico = sum(known.map((line) => line.revenuePico));
  const marginPico = sum(known.map((line) => line.marginPico));
  const ofKnown = costsOf(known);
  const ofUnknown = costsOf(unknown);
  const rising = paying.toSorted(byMargin);
  return {
    lines,
    total: {
      keys: lines.length,
      costPico: toPico(ofKnown.costPico + ofUnknown.costPico),
      otherPico: toPico(ofKnown.otherPico + ofUnknown.otherPico),
    },
    known: { keys: known.length, revenuePico, ...ofKnown, marginPico },
    unknown: { keys: unknown.length, ...ofUnknown },
    isOtherCounted,
    grossMargin: partOf(marginPico, revenuePico),
    grossMarginMin: partOf(marginPico - ofUnknown.costPico - ofUnknown.otherPico, revenuePico),
    costShare: partOf(ofKnown.costPico, revenuePico),
    costShareMax: partOf(ofKnown.costPico + ofUnknown.costPico, revenuePico),
    meanMargin: paying.length === 0 ? null : paying.reduce((a, { margin }) => a + margin, 0) / paying.length,
    quantiles: quantilesOf(rising, percents).map(({ percent, value }) => ({ percent, margin: value.margin })),
    amounts: quantilesOf(known.toSorted(byAmount), percents).map(({ percent, value }) => ({ percent, marginPico: value.marginPico })),
    belowZero: {
      keys: losers.length,
      share: known.length === 0 ? null : losers.length / known.length,
      lostPico: toPico(-sum(losers.map((line) => line.marginPico))),
    },
    withoutRevenue: { keys: free.length, costPico: costsOf(free).costPico },
  };
}

type KnownLine = MarginLine & { readonly revenuePico: Pico; readonly marginPico: Pico };

function isKnown(line: MarginLine): line is KnownLine {
  return line.revenuePico !== null;
}

function add(a: MarginRow | undefined, b: MarginRow): MarginRow {
  if (a === undefined) return b;
  return {
    key: b.key,
    revenuePico: a.revenuePico === null || b.revenuePico === null ? null : toPico(a.revenuePico + b.revenuePico),
    costPico: toPico(a.costPico + b.costPico),
    otherPico: toPico((a.otherPico ?? 0n) + (b.otherPico ?? 0n)),
  };
}

function toLine({ key, revenuePico, costPico, otherPico = zero }: MarginRow): MarginLine {
  if (revenuePico === null) return { key, revenuePico, costPico, otherPico, marginPico: null, margin: null };
  const marginPico = toPico(revenuePico - costPico - otherPico);
  return { key, revenuePico, costPico, otherPico, marginPico, margin: partOf(marginPico, revenuePico) };
}

function costsOf(lines: readonly MarginLine[]): { readonly costPico: Pico; readonly otherPico: Pico } {
  return { costPico: sum(lines.map((line) => line.costPico)), otherPico: sum(lines.map((line) => line.otherPico)) };
}

/** Null: the whole is not above zero, and a part of it says nothing. */
function partOf(part: bigint, whole: bigint): number | null {
  return whole > 0n ? Number(part) / Number(whole) : null;
}

function quantilesOf<T>(sorted: readonly T[], percents: readonly number[]): { readonly percent: number; readonly value: T }[] {
  const found: { percent: number; value: T }[] = [];
  for (const percent of percents) {
    if (!(percent > 0 && percent <= 100)) throw new RangeError(`a quantile's percent is above 0 and at most 100: ${percent}`);
    const value = sorted[Math.ceil((percent * sorted.length) / 100) - 1];
    if (value !== undefined) found.push({ percent, value });
  }
  return found;
}

function byMargin(a: KnownLine, b: KnownLine): number {
  // Crosswise, so that no two are taken for equal that are not: both revenues are above zero.
  const left = a.marginPico * b.revenuePico;
  const right = b.marginPico * a.revenuePico;
  return left === right ? 0 : left < right ? -1 : 1;
}

function byAmount(a: KnownLine, b: KnownLine): number {
  return a.marginPico === b.marginPico ? 0 : a.marginPico < b.marginPico ? -1 : 1;
}
