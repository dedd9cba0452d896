// Growth against margin: Rule of 40, payback and lifetime value of a customer, what losing customers cost as if it were acquisition, and how long
// that can be carried. Not here: margins by customer (margin.ts). Invariant: a figure whose denominator is nothing, or less, is null with a reason.

import { divideHalfEven, type Pico, sum, toPico } from "../core/money.ts";
import type { MarginRow } from "./margin.ts";

/** Why a figure cannot be said. The words are the surfaces'. */
export type GrowthReason =
  /** A number it needs is not known. */
  | "unknown"
  /** There was no revenue to grow from. */
  | "no_revenue_before"
  /** There is no revenue now. */
  | "no_revenue"
  /** A customer leaves no margin, so nothing is ever paid back. */
  | "no_margin"
  /** Nobody leaves, so a lifetime has no end. */
  | "no_churn"
  /** A customer costs nothing to win. */
  | "no_acquisition_cost"
  | "no_new_customers"
  /** Nothing is burnt: cash lasts for ever. */
  | "no_burn"
  /** The burn shrinks so fast that cash never runs out. */
  | "burn_fades";

/** A figure, or why there is none. */
export type Figure<T> = { readonly value: T; readonly reason: null } | { readonly value: null; readonly reason: GrowthReason };

/** Which margin: after cost of revenue, of free cash flow, or before interest, taxes, depreciation and amortisation. */
export type MarginKind = "gross" | "fcf" | "ebitda";

export interface RuleOf40 {
  readonly growthPercent: number;
  readonly marginPercent: number;
  /** Growth and margin added. */
  readonly score: number;
  readonly isMet: boolean;
  /** The definition, to be shown with the score: which margin, and growth over how many months, brought to a year where these are not twelve. */
  readonly margin: MarginKind;
  readonly months: number;
  readonly isAnnualised: boolean;
}

/**
 * Rule of 40: growth of revenue in percent a year + margin in percent ≥ 40. The two revenues are of equally long spans that began `months` apart;
 * growth over other than 12 months is compounded to a year: (now ÷ before)^(12 ÷ months) − 1. The customary margins are FCF and EBITDA; with gross
 * margin the score is higher and not to be compared. Percentages to nine decimals.
 * @param input `profitPico` is of the same span as `revenuePico`, by the definition that `margin` names.
 * @throws RangeError when months are not above zero.
 */
export function ruleOf40(input: {
  readonly revenuePico: Pico | null;
  readonly revenueBeforePico: Pico | null;
  readonly profitPico: Pico | null;
  readonly margin: MarginKind;
  readonly months?: number;
}): Figure<RuleOf40> {
  const { revenuePico, revenueBeforePico, profitPico, margin, months = 12 } = input;
  if (!(months > 0 && Number.isFinite(months))) throw new RangeError(`months between two revenues are above zero: ${months}`);
  if (revenuePico === null || revenueBeforePico === null || profitPico === null) return none("unknown");
  if (revenueBeforePico <= 0n) return none("no_revenue_before");
  if (revenuePico <= 0n) return none("no_revenue");
  const isAnnualised = months !== 12;
  const growthPercent = isAnnualised
    ? 100 * (Math.exp((12 / months) * Math.log(Number(revenuePico) / Number(revenueBeforePico))) - 1)
    : ratio(100n * (revenuePico - revenueBeforePico), revenueBeforePico);
  const marginPercent = ratio(100n * profitPico, revenuePico);
  // Added as one fraction where it can be, so that a score of 40 is 40.
  const score = isAnnualised
    ? Math.round((growthPercent + marginPercent) * 1e9) / 1e9
    : ratio(100n * ((revenuePico - revenueBeforePico) * revenuePico + profitPico * revenueBeforePico), revenueBeforePico * revenuePico);
  return said({ growthPercent, marginPercent, score, isMet: score >= 40, margin, months, isAnnualised });
}

/** What a customer brings and costs. */
export interface Account {
  /** ARPA: revenue per account and month, of one customer or the mean of many. */
  readonly arpaPico: Pico | null;
  /** The gross margin of that revenue, at most 1; best each customer's own, for a mean hides those that lose. To twelve decimals. */
  readonly grossMargin: number | null;
}

/**
 * CAC payback in months: CAC ÷ (ARPA · GM).
 * @throws RangeError when CAC is below zero, or a margin is above 1.
 */
export function payback(account: Account, cacPico: Pico | null): Figure<number> {
  const monthly = contribution(account);
  checkCac(cacPico);
  if (monthly === null || cacPico === null) return none("unknown");
  if (monthly <= 0n) return none("no_margin");
  return said(ratio(cacPico * fine, monthly));
}

/**
 * LTV: ARPA · GM ÷ churn. An estimate: it takes margin and churn to stay as they are. Below zero where the margin is: then every such customer costs.
 * @param churn part of customers that leave in a month, 0 to 1.
 * @throws RangeError when churn is no part, or a margin is above 1.
 */
export function lifetimeValue(account: Account, churn: number | null): Figure<Pico> {
  const monthly = contribution(account);
  if (churn !== null && !(churn >= 0 && churn <= 1)) throw new RangeError(`churn is a part of customers a month, 0 to 1: ${churn}`);
  if (monthly === null || churn === null) return none("unknown");
  const leaving = toFine(churn);
  return leaving === 0n ? none("no_churn") : said(toPico(divideHalfEven(monthly, leaving)));
}

/**
 * LTV ÷ CAC.
 * @throws RangeError as `lifetimeValue` and `payback`.
 */
export function lifetimeToCac(account: Account, churn: number | null, cacPico: Pico | null): Figure<number> {
  const value = lifetimeValue(account, churn);
  checkCac(cacPico);
  if (value.value === null) return value;
  if (cacPico === null) return none("unknown");
  return cacPico === 0n ? none("no_acquisition_cost") : said(ratio(value.value, cacPico));
}

/** What is absorbed for customers that lose money: an acquisition cost that no marketing budget shows. */
export interface Absorbed {
  /** How many lose money. */
  readonly customers: number;
  /** What they pay and what they cost, other cost of revenue included. */
  readonly revenuePico: Pico;
  readonly costPico: Pico;
  /** The cost beyond what they pay. */
  readonly absorbedPico: Pico;
  /** Customers of whom nobody knows what they pay; in none of the above. */
  readonly unknown: { readonly customers: number; readonly costPico: Pico };
}

/** Of one row for each customer and period. A customer who pays nothing is absorbed whole. */
export function absorbed(rows: Iterable<MarginRow>): Absorbed {
  const losing: { revenuePico: Pico; costPico: Pico }[] = [];
  const unknown: Pico[] = [];
  for (const { revenuePico, costPico, otherPico = 0n } of rows) {
    const allPico = toPico(costPico + otherPico);
    if (revenuePico === null) unknown.push(allPico);
    else if (allPico > revenuePico) losing.push({ revenuePico, costPico: allPico });
  }
  const revenuePico = sum(losing.map((row) => row.revenuePico));
  const costPico = sum(losing.map((row) => row.costPico));
  return {
    customers: losing.length,
    revenuePico,
    costPico,
    absorbedPico: toPico(costPico - revenuePico),
    unknown: { customers: unknown.length, costPico: sum(unknown) },
  };
}

/**
 * CAC, per new paying customer: what was spent on winning them, with what was absorbed where that is to count, ÷ how many they are. Rounded.
 * @throws RangeError when the count is no whole number, or what was spent is below zero.
 */
export function acquisitionCost(input: {
  readonly spentPico: Pico | null;
  readonly absorbedPico: Pico | null;
  readonly newCustomers: number | null;
}): Figure<Pico> {
  const { spentPico, absorbedPico, newCustomers } = input;
  checkCac(spentPico);
  checkCac(absorbedPico);
  if (newCustomers !== null && !(Number.isSafeInteger(newCustomers) && newCustomers >= 0)) {
    throw new RangeError(`new customers are a whole number, zero or more: ${newCustomers}`);
  }
  if (spentPico === null || absorbedPico === null || newCustomers === null) return none("unknown");
  return newCustomers === 0 ? none("no_new_customers") : said(toPico(divideHalfEven(spentPico + absorbedPico, BigInt(newCustomers))));
}

/**
 * How many months cash lasts: cash ÷ burn; with a burn that grows by `growth` a month (0.1: a tenth), b + b(1 + g) + … = cash. The first month burns
 * `burnPico`; within a month the burn is even, so the last one counts by the part of it that cash carries. A higher growth never lasts longer. An estimate.
 * @throws RangeError when cash is below zero, or a month's growth is not above -1.
 */
export function runway(input: {
  readonly cashPico: Pico | null;
  readonly burnPico: Pico | null;
  readonly growth?: number;
}): Figure<number> {
  const { cashPico, burnPico, growth = 0 } = input;
  if (!(growth > -1 && Number.isFinite(growth))) throw new RangeError(`growth of a burn is above -1 (-1 would be none at all): ${growth}`);
  if (cashPico !== null && cashPico < 0n) throw new RangeError(`cash is zero or more: ${cashPico} picodollars`);
  if (cashPico === null || burnPico === null) return none("unknown");
  if (burnPico <= 0n) return none("no_burn");
  const months = ratio(cashPico, burnPico);
  if (growth === 0) return said(months);
  return growth * months <= -1 ? none("burn_fades") : said(grownMonths(months, growth));
}

/** @param months cash ÷ the first month's burn. After n whole months ((1 + g)ⁿ − 1) ÷ g of these are spent. */
function grownMonths(months: number, growth: number): number {
  const each = Math.log1p(growth);
  const part = (whole: number): number => (months - Math.expm1(whole * each) / growth) / Math.exp(whole * each);
  // A float may miss a whole number of months from below.
  const near = Math.round(Math.log1p(growth * months) / each);
  const whole = part(near) < 0 ? near - 1 : near;
  return whole + Math.min(1, Math.max(0, part(whole)));
}

const fine = 1_000_000_000_000n;

/** A part as a whole number of its twelfth decimals. */
function toFine(part: number): bigint {
  return BigInt(Math.round(part * Number(fine)));
}

/** ARPA · GM in 10⁻¹² picodollars; null: not known. */
function contribution({ arpaPico, grossMargin }: Account): bigint | null {
  if (grossMargin !== null && !(grossMargin <= 1 && Number.isFinite(grossMargin))) {
    throw new RangeError(`a gross margin is a number, at most 1 (0.8 is 80 %): ${grossMargin}`);
  }
  return arpaPico === null || grossMargin === null ? null : arpaPico * toFine(grossMargin);
}

function checkCac(cacPico: Pico | null): void {
  if (cacPico !== null && cacPico < 0n) throw new RangeError(`a cost of acquisition is zero or more: ${cacPico} picodollars`);
}

/** To nine decimals, the denominator above zero: the same inputs always give the same number. */
function ratio(numerator: bigint, denominator: bigint): number {
  return Number(divideHalfEven(numerator * 1_000_000_000n, denominator)) / 1e9;
}

function said<T>(value: T): Figure<T> {
  return { value, reason: null };
}

function none(reason: GrowthReason): Figure<never> {
  return { value: null, reason };
}
