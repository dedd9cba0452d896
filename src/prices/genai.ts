// Reads genai-prices' own data (github.com/pydantic/genai-prices, prices/data.json: a list of providers), and turns one of its providers into
// the shape in which its snapshots are kept here. Not here: what its keys mean (snapshot.ts). Invariant: a price is copied as its shortest
// decimal text and never calculated with.

import { compileMatch, type MatchRule } from "../core/match.ts";
import type { PriceRecord } from "../core/price.ts";
import { decimalOf, forUnits, hashOf, invalid, isObject, parseJson, placeOf, type Read, Skips } from "./reader.ts";
import { type SnapshotModel, type SnapshotPrice, snapshotKeys, toModelRecords } from "./snapshot.ts";
import type { ListOptions } from "./view.ts";

/** A price that holds from a day, or in a part of the day. */
export interface ConditionalRates {
  readonly constraint?:
    | { readonly type?: "start_date"; readonly start_date: string }
    | { readonly type?: "time_of_date"; readonly start_time: string; readonly end_time: string }
    | undefined;
  readonly prices: Rates;
}

export type Rates = Readonly<
  Record<
    string,
    number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] } | undefined
  >
>;

/** @throws PennyworthError `prices_invalid` with line and reason. */
export function readGenai(text: string, options: ListOptions & { readonly provider?: string | null }): Read {
  const providers = parseJson(text);
  if (!Array.isArray(providers)) throw invalid("line 1, column 1", "expected a list of providers");
  const source = options.source ?? "genai-prices";
  const version = hashOf(text);
  const skips = new Skips();
  const records: PriceRecord[] = [];
  for (const provider of providers as unknown[]) {
    if (!isObject(provider) || typeof provider["id"] !== "string" || !Array.isArray(provider["models"]))
      throw invalid("line 1, column 1", "a provider has no id or no models");
    const id = provider["id"];
    if (options.provider !== undefined && options.provider !== null && id !== options.provider) continue;
    for (const model of provider["models"] as unknown[]) records.push(...readModel(text, `${source}@${version}`, id, model, skips));
  }
  const origin = `genai-prices' data, github.com/pydantic/genai-prices (MIT)${options.published === null ? "" : `, of ${options.published}`}`;
  const list = { source, version, origin, published: options.published, records, discounts: [], choices: [] };
  return { list, skipped: skips.list() };
}

function readModel(text: string, name: string, provider: string, model: unknown, skips: Skips): readonly PriceRecord[] {
  if (!isObject(model) || typeof model["id"] !== "string") throw invalid("line 1, column 1", `a model of ${provider} has no id`);
  const id = model["id"];
  const fail = (reason: string, cause?: unknown): never => {
    const listed = Math.max(0, text.indexOf(JSON.stringify(provider)));
    throw invalid(placeOf(text, Math.max(0, text.indexOf(JSON.stringify(id), listed))), `${provider}/${id}: ${reason}`, cause);
  };
  const match = model["match"] as MatchRule;
  try {
    compileMatch(match)("");
  } catch (cause) {
    fail("its rule cannot be read", cause);
  }
  if (isSlow(match)) fail("its rule could take very long over some names: a repeated group, or more than three repetitions");
  const prices = model["prices"];
  for (const one of Array.isArray(prices) ? (prices as unknown[]).map((entry) => (isObject(entry) ? entry["prices"] : entry)) : [prices]) {
    if (!isObject(one)) return fail("its prices are no mapping");
    for (const [key, price] of Object.entries(one)) {
      const sums = isObject(price)
        ? [
            price["base"],
            ...((Array.isArray(price["tiers"]) ? price["tiers"] : fail(`${key} has no tiers`)) as { price?: unknown }[]).map(
              (tier) => tier.price,
            ),
          ]
        : [price];
      if (sums.some((sum) => decimalOf(sum) === null)) fail(`${key} is no price: ${JSON.stringify(price)}`);
      if (snapshotKeys[key] === undefined) skips.add(`${provider}/${id}: ${key}`, `no usage class is known for ${key}`);
    }
  }
  const window = model["context_window"];
  const spans = toSpans(prices as Rates | readonly ConditionalRates[]) ?? fail("the order of its prices is not understood");
  const snapshot: SnapshotModel = { id, match, contextWindow: typeof window === "number" ? window : null, prices: spans };
  return toModelRecords(name, provider, snapshot);
}

/**
 * The package tries its list from the last entry to the first; we say the same with spans that do not overlap. Its list cannot give a
 * daily window a start date; its comments say that windows belong to the dated price they follow, so they are valid from that date.
 * @returns null for an order that is none of these.
 */
export function toSpans(prices: Rates | readonly ConditionalRates[]): readonly SnapshotPrice[] | null {
  if (!Array.isArray(prices)) return [toSpan(prices as Rates, null, null)];
  const all = prices as readonly ConditionalRates[];
  const dated = all.filter(({ constraint }) => constraint === undefined || constraint === null || "start_date" in constraint);
  const starts = dated.map(({ constraint }) =>
    constraint !== undefined && constraint !== null && "start_date" in constraint ? constraint.start_date : null,
  );
  const isOrdered = starts.every(
    (start, index) => (start === null) === (index === 0) && (index < 2 || (starts[index - 1] ?? "") < (start ?? "")),
  );
  if (!isOrdered || dated.some((price, index) => price !== all[index])) return null;
  const spans = dated.map((price, index) => toSpan(price.prices, starts[index] ?? null, starts[index + 1] ?? null));
  for (const { constraint, prices: rates } of all.slice(dated.length)) {
    if (constraint === undefined || !("start_time" in constraint)) return null;
    spans.push({ ...toSpan(rates, starts.at(-1) ?? null, null), window: { from: constraint.start_time, to: constraint.end_time } });
  }
  return spans;
}

function toSpan(prices: Rates, from: string | null, to: string | null): SnapshotPrice {
  const rates: Record<string, SnapshotPrice["rates"][string]> = {};
  for (const [key, price] of Object.entries(prices)) {
    if (price === undefined || price === null) continue;
    rates[key] =
      typeof price === "object"
        ? { base: textOf(price.base), tiers: price.tiers.map((tier) => ({ start: tier.start, price: textOf(tier.price) })) }
        : textOf(price);
  }
  return { from, to, window: null, rates };
}

function textOf(price: number | string): string {
  return forUnits(String(price), 1);
}

/** Whether a pattern may try a great many ways of matching: names come from outside, and each call waits for the answer. */
function isSlow(rule: MatchRule): boolean {
  if ("or" in rule) return rule.or.some(isSlow);
  if ("and" in rule) return rule.and.some(isSlow);
  if (!("regex" in rule)) return false;
  const bare = rule.regex.replace(/\\./g, "_").replace(/\[[^\]]*\]/g, "_");
  return /\)[*+{]/.test(bare) || (bare.match(/[*+{]/g) ?? []).length > 3;
}
