// Who costs most and who costs more than they pay: Lorenz curve, Gini coefficient, top shares, losing customers. Not here: a model of such costs
// (lognormal.ts), margins of one period (margin.ts). They describe all customers there are, so they have no interval; how many there are is beside
// them. Invariant: amounts are added exactly, and a share is never added up.

import { divideHalfEven, type Pico, sum, toPico, zero } from "../core/money.ts";
import { isMonth } from "../core/month.ts";

export interface CustomerCost {
  readonly customer: string;
  readonly costPico: Pico;
}

/** A point of the Lorenz curve: so many customers, the cheapest, cost so much together. */
export interface LorenzPoint {
  readonly customers: number;
  readonly costPico: Pico;
  /** Of all customers on the curve, 0 to 1. */
  readonly customerShare: number;
  /** Of their cost, 0 to 1. */
  readonly costShare: number;
}

/** What the dearest `top` of customers cost. */
export interface TopShare {
  /** 0.01 is one customer in a hundred. */
  readonly top: number;
  /** `top` times the number of customers, seldom whole. */
  readonly customers: number;
  /** Of all cost, 0 to 1. */
  readonly share: number;
  /** Interpolated where `customers` is not whole: an estimate. */
  readonly costPico: Pico;
}

export interface Concentration {
  /** Customers on the curve. One that cost nothing is on it when it was given. */
  readonly customers: number;
  readonly costPico: Pico;
  /** 0: all cost the same. At most 1 - 1/customers: one costs everything. Null: there is no cost to speak of. */
  readonly gini: number | null;
  /** Empty where `gini` is null. */
  readonly tops: readonly TopShare[];
  readonly curve: readonly LorenzPoint[];
  /** The dearest, the dearest first. */
  readonly dearest: readonly (CustomerCost & { readonly share: number })[];
  /** Customers whose credits exceed their cost: a share of a cost below zero means nothing, so they are not on the curve. */
  readonly belowZero: { readonly customers: number; readonly costPico: Pico };
}

export interface ConcentrationOptions {
  /** Points of the curve for drawing, at most; two or more. */
  readonly points?: number;
  /** Which top shares, each above 0 and at most 1. */
  readonly tops?: readonly number[];
  /** How many of the dearest are named, at most. */
  readonly named?: number;
}

/**
 * How unevenly cost falls on customers. Rows of one customer are added up; cost without a customer is the caller's to show apart.
 * Gini from costs in rising order, i = 1 … n: (2·Σ i·x_i − (n + 1)·Σ x_i) ÷ (n·Σ x_i), in whole numbers, divided once.
 * A top share is 1 − L(1 − top) on the Lorenz curve L, straight between its points: a fraction of a customer counts with that fraction of its cost.
 * @throws RangeError on a top share outside 0 to 1, fewer than two points, or a number of names that is none.
 */
export function concentration(rows: Iterable<CustomerCost>, options: ConcentrationOptions = {}): Concentration {
  const { points = 101, tops = [0.01, 0.1], named = 10 } = options;
  if (!Number.isSafeInteger(named) || named < 0) throw new RangeError(`how many are named is a whole number, zero or more: ${named}`);
  if (!Number.isSafeInteger(points) || points < 2) throw new RangeError(`points of a curve are a whole number, two or more: ${points}`);
  for (const top of tops) if (!(top > 0 && top <= 1)) throw new RangeError(`a top share is above 0 and at most 1 (0.01 is 1 %): ${top}`);

  const byCustomer = new Map<string, Pico>();
  for (const { customer, costPico } of rows) byCustomer.set(customer, toPico((byCustomer.get(customer) ?? 0n) + costPico));
  const all = [...byCustomer].map(([customer, costPico]) => ({ customer, costPico }));
  const credited = all.filter(({ costPico }) => costPico < 0n);
  const rising = all.filter(({ costPico }) => costPico >= 0n).toSorted(byCost);
  const sums: Pico[] = [zero];
  for (const { costPico } of rising) sums.push(toPico((sums.at(-1) as Pico) + costPico));
  const costPico = sums.at(-1) as Pico;
  const isKnown = costPico > 0n;
  return {
    customers: rising.length,
    costPico,
    gini: isKnown ? giniOf(rising, costPico) : null,
    tops: isKnown ? tops.map((top) => topShare(rising, sums, top)) : [],
    curve: isKnown ? curveOf(sums, points) : [],
    dearest: rising
      .slice(Math.max(0, rising.length - named))
      .toReversed()
      .map((row) => ({ customer: row.customer, costPico: row.costPico, share: isKnown ? Number(row.costPico) / Number(costPico) : 0 })),
    belowZero: { customers: credited.length, costPico: sum(credited.map((row) => row.costPico)) },
  };
}

/** What a customer paid and cost in one month, UTC. */
export interface CustomerMonth {
  readonly customer: string;
  /** `2026-10`. */
  readonly month: string;
  /** Null: not known. */
  readonly revenuePico: Pico | null;
  readonly costPico: Pico;
}

export interface LosingCustomer {
  readonly customer: string;
  /** The first month of the run of losing months that reaches the month asked for. */
  readonly sinceMonth: string;
  readonly months: number;
  /** What was lost over the run, above zero. */
  readonly lostPico: Pico;
  /** What was lost in the month asked for, above zero. */
  readonly monthPico: Pico;
  /** Whether nobody can say if the month before the run lost money too: it has cost, and its revenue is not known. */
  readonly isMaybeEarlier: boolean;
}

export interface Losing {
  readonly month: string;
  /** Whoever lost most over the run comes first. */
  readonly customers: readonly LosingCustomer[];
  /** What they lost in the month asked for, together. */
  readonly monthPico: Pico;
  /** Customers with cost in that month and no known revenue: they may lose money or not. */
  readonly unknown: { readonly customers: number; readonly costPico: Pico };
}

/**
 * Who cost more than they paid in `month` (the last whole one, as a rule), and since when without a break. A month without a row had no cost and so
 * loses nothing: it ends a run. So does one whose revenue is not known, and then `isMaybeEarlier` is set. Later months are not looked at.
 * Rows of one customer and month are added up; revenue that is partly unknown is unknown.
 * @throws RangeError when a month is not written `2026-10`.
 */
export function losing(rows: Iterable<CustomerMonth>, month: string): Losing {
  const byCustomer = new Map<string, Map<string, CustomerMonth>>();
  for (const row of rows) {
    checkMonth(row.month);
    const months = byCustomer.get(row.customer) ?? new Map<string, CustomerMonth>();
    byCustomer.set(row.customer, months.set(row.month, add(months.get(row.month), row)));
  }
  checkMonth(month);
  const customers: LosingCustomer[] = [];
  const unknown: Pico[] = [];
  for (const [customer, months] of byCustomer) {
    const last = lossOf(months.get(month));
    if (last === null) unknown.push(months.get(month)?.costPico ?? zero);
    else if (last > 0n) customers.push(runOf(customer, months, month, last));
  }
  customers.sort((a, b) => (a.lostPico === b.lostPico ? byText(a.customer, b.customer) : a.lostPico < b.lostPico ? 1 : -1));
  return {
    month,
    customers,
    monthPico: sum(customers.map(({ monthPico }) => monthPico)),
    unknown: { customers: unknown.length, costPico: sum(unknown) },
  };
}

function giniOf(rising: readonly CustomerCost[], costPico: Pico): number {
  let weighted = 0n;
  rising.forEach((row, index) => (weighted += BigInt(index + 1) * row.costPico));
  const count = BigInt(rising.length);
  return Number(2n * weighted - (count + 1n) * costPico) / Number(count * costPico);
}

function topShare(rising: readonly CustomerCost[], sums: readonly Pico[], top: number): TopShare {
  const customers = top * rising.length;
  const whole = Math.floor(customers);
  const rest = customers - whole;
  const total = sums.at(-1) as Pico;
  const wholePico = total - (sums[rising.length - whole] as Pico);
  const nextPico = rising[rising.length - whole - 1]?.costPico ?? zero;
  const share = Math.min(1, (Number(wholePico) + rest * Number(nextPico)) / Number(total));
  return { top, customers, share, costPico: toPico(wholePico + partOf(nextPico, rest)) };
}

/**
 * Where there are more than can be drawn: the first and the last point in each of so many equal lengths along both axes together, for the steep end is
 * where the money is. Each is a point of the curve itself, so what is drawn is convex as well.
 */
function curveOf(sums: readonly Pico[], points: number): LorenzPoint[] {
  const count = sums.length - 1;
  const total = sums[count] as Pico;
  const all = sums.map((costPico, customers) => ({
    customers,
    costPico,
    customerShare: customers / count,
    costShare: Number(costPico) / Number(total),
  }));
  if (all.length <= points) return all;
  const lengths = Math.floor(points / 2);
  const place = (point: LorenzPoint | undefined): number =>
    point === undefined ? -1 : Math.min(lengths - 1, Math.floor(((point.customerShare + point.costShare) / 2) * lengths));
  return all.filter((point, index) => place(point) !== place(all[index - 1]) || place(point) !== place(all[index + 1]));
}

function runOf(customer: string, months: ReadonlyMap<string, CustomerMonth>, month: string, monthPico: Pico): LosingCustomer {
  const losses = [monthPico];
  let sinceMonth = month;
  let before = lossOf(months.get(monthBefore(sinceMonth)));
  while (before !== null && before > 0n) {
    losses.push(before);
    sinceMonth = monthBefore(sinceMonth);
    before = lossOf(months.get(monthBefore(sinceMonth)));
  }
  return { customer, sinceMonth, months: losses.length, lostPico: sum(losses), monthPico, isMaybeEarlier: before === null };
}

/** Above zero: lost. Null: not known, because there is cost and nobody says what came in. */
function lossOf(row: CustomerMonth | undefined): Pico | null {
  if (row === undefined) return zero;
  if (row.revenuePico === null) return row.costPico > 0n ? null : zero;
  return toPico(row.costPico - row.revenuePico);
}

function add(a: CustomerMonth | undefined, b: CustomerMonth): CustomerMonth {
  if (a === undefined) return b;
  const revenuePico = a.revenuePico === null || b.revenuePico === null ? null : toPico(a.revenuePico + b.revenuePico);
  return { ...b, revenuePico, costPico: toPico(a.costPico + b.costPico) };
}

function monthBefore(month: string): string {
  const index = Number(month.slice(5)) - 1;
  return index === 0 ? `${Number(month.slice(0, 4)) - 1}-12` : `${month.slice(0, 5)}${String(index).padStart(2, "0")}`;
}

function checkMonth(month: string): void {
  if (!isMonth(month)) throw new RangeError(`a month is written like 2026-10: ${JSON.stringify(month)}`);
}

/** A part, 0 to 1, of an amount, to a billionth of it. */
function partOf(amount: Pico, part: number): Pico {
  return toPico(divideHalfEven(amount * BigInt(Math.round(part * 1e9)), 1_000_000_000n));
}

function byCost(a: CustomerCost, b: CustomerCost): number {
  return a.costPico === b.costPico ? byText(b.customer, a.customer) : a.costPico < b.costPico ? -1 : 1;
}

function byText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
