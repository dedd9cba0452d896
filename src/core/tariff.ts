// A tariff from records: the prices of one model in one tier between two changes, class by class from the first record that has one. Not
// here: which records are in force (book.ts). Invariant: where a class takes another class's price, a rule's or a discount, the price's
// version says so; a class of which nothing is known has no price.

import { parseRate, parseUsd, type Rate, scaleRate } from "./money.ts";
import {
  type ClassPrice,
  type ClassTerms,
  type Derivation,
  type Discount,
  type PricedStep,
  type PriceRecord,
  standard,
  type Tariff,
} from "./price.ts";
import type { UsageClass } from "./usage.ts";

/** Between the version of the price that was scaled and the rule that says by how much. */
export const ruleMark = " by ";

export interface TariffParts {
  readonly provider: string;
  readonly model: string;
  readonly rule: string;
  readonly tier: string;
  readonly contextWindow: number | null;
  /** The first that has a class gives its price. `fills`: only where no rule does. */
  readonly records: readonly { readonly record: PriceRecord; readonly own: boolean; readonly fills: boolean }[];
  /** `SOURCE@VERSION` of the lists that fill in: what a rule reckons from their prices goes after what they say themselves. */
  readonly fillers: readonly string[];
  /** Of the same time in the standard tier, whence rules reckon; null in the standard tier itself. */
  readonly base: Tariff | null;
  readonly derivations: readonly Derivation[];
  /** They multiply, in order; the user's own prices are what is paid, and have none. */
  readonly discounts: readonly Discount[];
}

type Steps = readonly PricedStep[];
type Prices = { [name in UsageClass]?: Steps };

/** @throws RangeError or SyntaxError when a record's price is no decimal number. */
export function makeTariff(parts: TariffParts): Tariff {
  const { provider, model, rule, tier, contextWindow, records, discounts } = parts;
  const prices: Prices = {};
  const filled: Prices = {};
  const mine = new Set<Steps | undefined>();
  const terms: { [name in UsageClass]?: ClassTerms } = {};
  for (const { record, own, fills } of records)
    for (const name of Object.keys(record.prices) as UsageClass[]) {
      if (prices[name] !== undefined) continue;
      const price = record.prices[name] as ClassPrice;
      const steps = readSteps(price, `${record.id}#${name}`);
      prices[name] = own ? steps : discounted(steps, name, tier, discounts);
      if (fills) filled[name] = prices[name];
      if (own) mine.add(prices[name]);
      const { marginal = false, atLeast = 0 } = price;
      if (marginal || atLeast > 0) terms[name] = { marginal, atLeast };
    }
  const included: Prices = {};
  for (const name of Object.keys(includedIn) as UsageClass[]) {
    // What a cached token costs in a tier of its own is not what an uncached one does; a write is a write.
    const levels = tier === standard || !name.startsWith("cache_") ? includedIn[name] : writes[name];
    // Where the standard tier prices a class by itself, the tier does as well, and at what is not known.
    const isApart = parts.base?.prices[name]?.[0]?.price.split("#").at(-1)?.split(/[> ]/)[0] === name;
    const steps = prices[name] === undefined && !isApart ? include(prices, levels) : undefined;
    if (steps !== undefined) included[name] = steps;
  }
  const derived = derive(parts, parts.base?.prices ?? { ...prices, ...included });
  // A vendor's rule says more of a class than the one that includes it, unless that one has the user's own price.
  for (const name of Object.keys(derived) as UsageClass[]) if (!mine.has(included[name])) delete included[name];
  const least = records.find(({ record }) => record.minimumUsd !== undefined)?.record;
  return {
    provider,
    model,
    rule,
    tier,
    contextWindow,
    own: records.some(({ own }) => own),
    prices: { ...derived, ...prices, ...ruledOver(derived, filled, parts.fillers), ...included },
    terms,
    minimum: least?.minimumUsd === undefined ? null : { costPico: parseUsd(least.minimumUsd), price: `${least.id}#minimum` },
  };
}

/** Of what rules give, that which goes before a list that fills in: all but what is reckoned from such a list's own prices. */
function ruledOver(derived: Prices, filled: Prices, fillers: readonly string[]): Prices {
  const prices: Prices = {};
  for (const name of Object.keys(filled) as UsageClass[]) {
    const steps = derived[name];
    if (steps !== undefined && !fillers.some((filler) => steps[0]?.price.startsWith(`${filler}/`))) prices[name] = steps;
  }
  return prices;
}

function readSteps(price: ClassPrice, id: string): Steps {
  return price.steps.map(({ aboveTokens, usd }) => ({
    aboveTokens,
    rate: parseRate(usd, BigInt(price.per)),
    price: aboveTokens < 0 ? id : `${id}>${aboveTokens}`,
  }));
}

function discounted(steps: Steps, name: UsageClass, tier: string, discounts: readonly Discount[]): Steps {
  let scaled = steps;
  for (const { id, classes, tiers, times } of discounts)
    if ((classes === null || classes.includes(name)) && (tiers === null || tiers.includes(tier))) scaled = scale(scaled, times, id);
  return scaled;
}

function scale(steps: Steps, times: string, id: string): Steps {
  return steps.map(({ aboveTokens, rate, price }) => ({ aboveTokens, rate: scaleRate(rate, times), price: `${price}${ruleMark}${id}` }));
}

/**
 * Where a class without a price of its own looks, nearest first: genai-prices charges such tokens at the price of the class that
 * includes them. Two names at one distance: whichever is priced, and none when both are. A one-hour write is not among them: it costs
 * more than the write it would fall back to.
 */
const includedIn: { readonly [name in UsageClass]?: readonly (readonly UsageClass[])[] } = {
  cache_read: [["input"]],
  cache_write: [["cache_write_5m"], ["input"]],
  cache_write_5m: [["cache_write"], ["input"]],
  reasoning: [["output"]],
  input_audio: [["input"]],
  input_image: [["input"]],
  input_video: [["input"]],
  cache_read_audio: [["cache_read", "input_audio"], ["input"]],
  cache_read_image: [["cache_read", "input_image"], ["input"]],
  output_audio: [["output"]],
  output_image: [["output"]],
  output_video: [["output"]],
};

const writes: typeof includedIn = { cache_write: [["cache_write_5m"]], cache_write_5m: [["cache_write"]] };

/** `prices` has the classes with a price of their own only: a fallback is never taken from another fallback. */
function include(prices: Prices, levels: readonly (readonly UsageClass[])[] = []): Steps | undefined {
  for (const level of levels) {
    const priced = level.filter((other) => prices[other] !== undefined);
    if (priced.length > 1) return undefined;
    if (priced[0] !== undefined) return prices[priced[0]];
  }
  return undefined;
}

const free: Rate = { pico: 0n, per: 1n };

function derive({ provider, model, tier, derivations }: TariffParts, base: Tariff["prices"]): Prices {
  const prices: Prices = {};
  for (const rule of derivations) {
    if (rule.provider !== provider || rule.tier !== tier) continue;
    for (const name of rule.classes) {
      if (rule.except.some((other) => other.model === model && other.class === name)) continue;
      if (rule.times === "0") prices[name] = [{ aboveTokens: -1, rate: free, price: rule.id }];
      else {
        const steps = base[rule.from ?? name];
        if (steps !== undefined) prices[name] = scale(steps, rule.times, rule.id);
      }
    }
  }
  return prices;
}
