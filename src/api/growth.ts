// Growth against margin of one span, from what customers bring in and cost: Rule of 40, payback, lifetime value, what is absorbed and how long that can be
// carried. Not here: the formulas (economics/growth.ts). Invariant: what the question does not say is unknown, and its figures say so.

import { divideHalfEven, formatUsd, type Pico, toPico, zero } from "../core/money.ts";
import { monthOf, monthSpan } from "../core/month.ts";
import { dayMs } from "../core/time.ts";
import {
  absorbed,
  acquisitionCost,
  type Figure,
  lifetimeToCac,
  lifetimeValue,
  type MarginKind,
  payback,
  ruleOf40,
  runway,
} from "../economics/growth.ts";
import type { MarginLine, Margins } from "../economics/margin.ts";
import type { MarginAnswer } from "./margined.ts";

/** Shortest spans whose growth is brought to a year. */
const monthsMin = 2.9;

export interface GrowthAsked {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly cacPico: Pico | null;
  readonly churn: number | null;
  readonly cashPico: Pico | null;
  readonly burnGrowth: number;
  readonly kind: MarginKind;
  /** By a definition other than gross. */
  readonly profitPico: Pico | null;
}

export interface GrowthFacts {
  readonly margins: Margins;
  /** All revenue and all cost of the span, nobody's too; null: nobody says. */
  readonly revenuePico: Pico | null;
  readonly costPico: Pico;
  /** Revenue of the same days a year before, and of as many days just before. */
  readonly yearBeforePico: Pico | null;
  readonly justBeforePico: Pico | null;
  readonly newCustomers: number;
  /** Whether all cost of customers whose revenue is known has a price. */
  readonly isCostWhole: boolean;
}

export function growthOf(asked: GrowthAsked, facts: GrowthFacts): NonNullable<MarginAnswer["growth"]> {
  const { margins, revenuePico, costPico, yearBeforePico, justBeforePico, newCustomers } = facts;
  const { cacPico, churn, cashPico, kind } = asked;
  const months = monthsOf(asked);
  const isYear = yearBeforePico !== null;
  const apart = isYear ? 12 : Number(months.top) / Number(months.bottom);
  // Of a month or two, brought to a year, growth is whatever chance made of it.
  const revenueBeforePico = yearBeforePico ?? (apart >= monthsMin ? justBeforePico : null);
  const profitPico = kind === "gross" ? (revenuePico === null ? null : toPico(revenuePico - costPico)) : asked.profitPico;
  const paying = margins.lines.filter((line): line is Paying => line.revenuePico !== null && line.revenuePico > 0n);
  const perMonth = (amount: bigint, among = 1n): Pico => toPico(divideHalfEven(amount * months.bottom, months.top * among));
  const revenue = paying.reduce((total, line) => total + line.revenuePico, 0n);
  const margin = paying.reduce((total, line) => total + line.marginPico, 0n);
  const arpaPico = paying.length === 0 ? null : perMonth(revenue, BigInt(paying.length));
  const account = { arpaPico, grossMargin: paying.length === 0 ? null : Number(margin) / Number(revenue) };
  const lost = absorbed(margins.lines.map(({ key, revenuePico: pays, costPico: costs }) => ({ key, revenuePico: pays, costPico: costs })));
  const spentPico = cacPico === null ? null : toPico(cacPico * BigInt(newCustomers));
  const withLosses = acquisitionCost({ spentPico, absorbedPico: lost.absorbedPico, newCustomers });
  const burnPico = perMonth(lost.absorbedPico);
  const score = ruleOf40({ revenuePico, revenueBeforePico: revenueBeforePico ?? zero, profitPico, margin: kind, months: apart });
  return {
    ruleOf40: { ...score },
    definition: definitionOf(kind, isYear ? null : apart),
    revenueBefore: revenueBeforePico === null ? null : formatUsd(revenueBeforePico),
    accounts: paying.length,
    arpa: arpaPico === null ? null : formatUsd(arpaPico),
    accountMargin: account.grossMargin,
    isCostWhole: facts.isCostWhole,
    payback: { ...payback(account, cacPico) },
    paybackByCustomer: cacPico === null || paying.length === 0 ? null : byCustomer(paying, cacPico, perMonth),
    lifetimeValue: inUsd(lifetimeValue(account, churn)),
    lifetimeToCac: { ...lifetimeToCac(account, churn, cacPico) },
    absorbed: {
      customers: lost.customers,
      revenue: formatUsd(lost.revenuePico),
      cost: formatUsd(lost.costPico),
      absorbed: formatUsd(lost.absorbedPico),
      perMonth: formatUsd(burnPico),
      unknown: { customers: lost.unknown.customers, cost: formatUsd(lost.unknown.costPico) },
    },
    newCustomers,
    cacWithLosses: inUsd(withLosses),
    paybackWithLosses: withLosses.value === null ? { value: null, reason: withLosses.reason } : { ...payback(account, withLosses.value) },
    runway: { ...runway({ cashPico, burnPico, growth: asked.burnGrowth }) },
  };
}

type Paying = MarginLine & { readonly revenuePico: Pico; readonly marginPico: Pico };

/** A mean hides those that lose: each one's own margin pays back its own winning. */
function byCustomer(
  paying: readonly Paying[],
  cacPico: Pico,
  perMonth: (amount: bigint) => Pico,
): NonNullable<MarginAnswer["growth"]>["paybackByCustomer"] {
  const all = paying
    .map(
      ({ revenuePico, margin }) =>
        payback({ arpaPico: perMonth(revenuePico), grossMargin: margin }, cacPico).value ?? Number.POSITIVE_INFINITY,
    )
    .toSorted((a, b) => a - b);
  const at = (percent: number): number | null => {
    const value = all[Math.ceil((percent * all.length) / 100) - 1];
    return value === undefined || value === Number.POSITIVE_INFINITY ? null : value;
  };
  return {
    p10: at(10),
    p50: at(50),
    p90: at(90),
    never: all.filter((value) => value === Number.POSITIVE_INFINITY).length,
    customers: all.length,
  };
}

/** Calendar months where they are whole, else days of 365.25 ÷ 12 = 487 ÷ 16 a month. */
function monthsOf({ sinceMs, untilMs }: Pick<GrowthAsked, "sinceMs" | "untilMs">): { readonly top: bigint; readonly bottom: bigint } {
  let count = 0n;
  let at = sinceMs;
  for (; at < untilMs && monthSpan(monthOf(at)).fromMs === at; count++) at = monthSpan(monthOf(at)).toMs;
  return at === untilMs ? { top: count, bottom: 1n } : { top: BigInt((untilMs - sinceMs) / dayMs) * 16n, bottom: 487n };
}

/** @param months of each span, where they are next to each other; null: a year lies between. */
function definitionOf(kind: MarginKind, months: number | null): string {
  const margins = { gross: "gross margin after the cost of models", fcf: "margin of free cash flow", ebitda: "EBITDA margin" };
  const growth =
    months === null || months < monthsMin
      ? "against the same days a year before"
      : `against as many days just before, ${round(months)} months, brought to a year`;
  const warning = kind === "gross" ? "; the customary margins are FCF and EBITDA, and with gross margin the score is higher" : "";
  return `growth of revenue in percent ${growth}, plus ${margins[kind]} in percent${warning}`;
}

function inUsd({ value, reason }: Figure<Pico>) {
  return value === null ? { value, reason } : { value: formatUsd(value), reason: null };
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
