// Prices: dated records of what a provider asks, and the lists they stand in. Not here: which ones are in force (book.ts), reading files
// (src/prices/), what a usage costs (rating.ts). Invariant: a price that is not known is absent, never 0 and never another tier's.

import type { MatchRule } from "./match.ts";
import type { Pico, Rate } from "./money.ts";
import type { UsageClass } from "./usage.ts";

/** Dollars for `per` units, as exact decimal text; each step holds for calls with more input tokens than `aboveTokens`. */
export interface ClassPrice {
  readonly per: number;
  /** Ascending; the first is above -1 tokens: the price of every call. */
  readonly steps: readonly { readonly aboveTokens: number; readonly usd: string }[];
  /** The class's own units above a step have that step's price, and those below it theirs; else the whole request has one price. */
  readonly marginal?: boolean;
  /** Fewest units of this class that a call which used any is billed for. */
  readonly atLeast?: number;
}

export type ClassPrices = { readonly [name in UsageClass]?: ClassPrice };

/** A time of day in UTC, in ms after midnight: from inclusive, to exclusive; `to` below `from` goes over midnight. */
export interface DailyWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What one model at one provider costs in one tier over one span of time, as one list says it. */
export interface PriceRecord {
  /** Names this record for ever: `SOURCE@VERSION/PROVIDER/MODEL`, then its start and window. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly match: MatchRule;
  /** Most tokens a call can have; null when not known. */
  readonly contextWindow: number | null;
  readonly tier: string;
  readonly region: string | null;
  readonly prices: ClassPrices;
  /** Valid from, inclusive, and to, exclusive; null is open. */
  readonly validFromMs: number | null;
  readonly validToMs: number | null;
  readonly window: DailyWindow | null;
  /** Least that a call costs which costs anything: exact decimal text of dollars. */
  readonly minimumUsd?: string;
}

/** What an account pays of a list's price: a negotiated discount, or the rate of a commitment. */
export interface Discount {
  /** Names it for ever: `SOURCE@VERSION/PROVIDER~TIMES`, then its start. */
  readonly id: string;
  /** The provider as it is configured: an account is a provider of its own. */
  readonly provider: string;
  /** null: every model, class or tier. */
  readonly match: MatchRule | null;
  readonly classes: readonly UsageClass[] | null;
  readonly tiers: readonly string[] | null;
  /** What is paid of each dollar of the list: decimal text, `0.85` for 15 % off. */
  readonly times: string;
  readonly validFromMs: number | null;
  readonly validToMs: number | null;
}

/** That one source's price of a model goes before all others but the user's own. */
export interface PriceChoice {
  readonly provider: string;
  readonly match: MatchRule;
  readonly source: string;
}

/** What one list says, as it stands in the book. */
export interface PriceLayer {
  /** `SOURCE@VERSION`. */
  readonly name: string;
  readonly source: string;
  /** Where it was read, in words. */
  readonly origin: string;
  /** The user's own. */
  readonly own: boolean;
  /** Other people's: prices only what nothing before it prices, rules included. */
  readonly fills?: boolean;
  readonly records: readonly PriceRecord[];
  readonly discounts: readonly Discount[];
  readonly choices: readonly PriceChoice[];
}

/** A rule of a vendor's price list that gives a price its models' records do not spell out. */
export interface Derivation {
  readonly id: string;
  readonly provider: string;
  readonly tier: string;
  readonly classes: readonly UsageClass[];
  /** The class of the standard tier it is reckoned from; null: the same class. */
  readonly from: UsageClass | null;
  /** Decimal text. A price of 0 dollars needs no `from`. */
  readonly times: string;
  /** Models for which the vendor's figure is known to be another. */
  readonly except: readonly { readonly model: string; readonly class: UsageClass }[];
  readonly source: string;
}

/** A price for a period (training, storage), which the lists of prices of calls do not hold. */
export interface PeriodRecord {
  /** Names this record for ever: `SOURCE@VERSION/PROVIDER/MODEL#CLASS`, then its start. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly match: MatchRule;
  readonly class: UsageClass;
  /** Dollars for `per` units, as exact decimal text. */
  readonly usd: string;
  readonly per: number;
  readonly validFromMs: number | null;
  readonly validToMs: number | null;
  readonly source: string;
}

export interface PriceQuery {
  readonly provider: string;
  readonly model: string;
  readonly tier: string | null;
  readonly region: string | null;
  readonly atMs: number;
}

export interface PricedStep {
  readonly aboveTokens: number;
  readonly rate: Rate;
  /** The price's version, for the charge. */
  readonly price: string;
}

/** The prices in force for one model in one tier. */
export interface Tariff {
  readonly provider: string;
  /** The price book's own name of the model. */
  readonly model: string;
  /** The rule by which the name was resolved, in words. */
  readonly rule: string;
  readonly tier: string;
  readonly contextWindow: number | null;
  /** Whether the user's own prices are in it. */
  readonly own: boolean;
  /** Steps per class, ascending, never empty. */
  readonly prices: { readonly [name in UsageClass]?: readonly PricedStep[] };
  /** Classes whose units are not simply all billed at one step. */
  readonly terms: { readonly [name in UsageClass]?: ClassTerms };
  /** Least that a call costs which costs anything, and the version that says so; null: nothing. */
  readonly minimum: { readonly costPico: Pico; readonly price: string } | null;
}

export interface ClassTerms {
  /** Units above a step have its price, and those below it theirs. */
  readonly marginal: boolean;
  /** Fewest units that are billed when there are any; 0: no such rule. */
  readonly atLeast: number;
}

export interface PriceBook {
  /** null: no such model, or nothing in force then. A model in a tier without prices is a tariff without prices. */
  find(query: PriceQuery): Tariff | null;
  /** Every tariff of that day, whatever the hour: for bounds. */
  findAll(query: PriceQuery): readonly Tariff[];
  /** The price of a class of periods: from the user's own or listed prices, else from the records of periods. null: there is none. */
  findPeriod(query: PriceQuery, name: UsageClass): { readonly model: string; readonly step: PricedStep } | null;
  /** Where a price's version comes from, in words; null when no record of the book has it. */
  source(version: string): string | null;
}

export interface PriceSources {
  /** The first that prices a class goes: the user's own, then the base list, then others, which only fill in. */
  readonly layers: readonly PriceLayer[];
  readonly derivations: readonly Derivation[];
  readonly periods?: readonly PeriodRecord[];
  /** Whose list to look in next, when a provider resells models. */
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
  /** Provider → whose lists apply to it, in order; a provider that is not named has its own. */
  readonly pricesOf: Readonly<Record<string, readonly string[]>>;
}

export const standard = "standard";

/** What providers call the tier of their list price. Any other name is a tier of its own, priced by its own records or not at all. */
const standardNames: ReadonlySet<string> = new Set(["", "default", "auto", "standard", "standard_only", "on_demand"]);

export function priceTier(tier: string | null): string {
  if (tier === null) return standard;
  const name = tier.toLowerCase();
  return standardNames.has(name) ? standard : name;
}
