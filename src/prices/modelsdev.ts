// Reads models.dev's api.json (github.com/anomalyco/models.dev, packages/core/src/schema.ts): dollars per million tokens by provider and
// model, with steps for long prompts. Not here: tiers and fees, which it does not have. Invariant: a 0 that may mean unknown, or that a
// subscription pays, is not taken for free.

import { type ClassPrice, type PriceRecord, standard } from "../core/price.ts";
import type { UsageClass } from "../core/usage.ts";
import { addRecord, dropRepeated, toRecord } from "./litellm.ts";
import { nameOfModelsDev } from "./names.ts";
import { decimalOf, forUnits, hashOf, invalid, isObject, parseJson, placeOfKeys, type Read, Skips } from "./reader.ts";
import type { ListOptions } from "./view.ts";

const fields: Readonly<Record<string, UsageClass>> = {
  input: "input",
  output: "output",
  reasoning: "reasoning",
  cache_read: "cache_read",
  cache_write: "cache_write",
  input_audio: "input_audio",
  output_audio: "output_audio",
};

/** @throws PennyworthError `prices_invalid` with line and reason. */
export function readModelsDev(text: string, options: ListOptions & { readonly provider?: string | null }): Read {
  const providers = parseJson(text);
  if (!isObject(providers)) throw invalid("line 1, column 1", "expected a mapping of providers");
  const source = options.source ?? "models.dev";
  const name = `${source}@${hashOf(text)}`;
  const skips = new Skips();
  const records = new Map<string, PriceRecord>();
  for (const [id, provider] of Object.entries(providers)) {
    const models = isObject(provider) ? provider["models"] : undefined;
    if (!isObject(models)) throw invalid(placeOfKeys(text, [id]), `${id} has no models`);
    for (const [key, model] of Object.entries(models)) {
      const named = nameOfModelsDev(id, key);
      if (options.provider !== undefined && options.provider !== null && named.provider !== options.provider) continue;
      const cost = isObject(model) ? model["cost"] : undefined;
      if (!isObject(model) || cost === undefined) {
        skips.add(`${id}/${key}`, "no price is given");
        continue;
      }
      if (!isObject(cost)) throw invalid(placeOfKeys(text, [id, "models", key, "cost"]), `${id}/${key}: cost is no mapping`);
      const fail = (field: string, value: unknown): never => {
        throw invalid(
          placeOfKeys(text, [id, "models", key, "cost", field]),
          `${id}/${key}: ${field} is no price: ${JSON.stringify(value)}`,
        );
      };
      const prices = toPrices(`${id}/${key}`, cost, fail, skips);
      dropRepeated([prices]);
      if (Object.keys(prices).length === 0) continue;
      const limit = isObject(model["limit"]) ? model["limit"]["context"] : null;
      const contextWindow = typeof limit === "number" && Number.isSafeInteger(limit) && limit > 0 ? limit : null;
      const match = { equals: named.model.toLowerCase() };
      addRecord(records, toRecord(name, { ...named, match, contextWindow, tier: standard, prices }, null, null), `${id}/${key}`, skips);
    }
  }
  const origin = `models.dev's price map (MIT)${options.published === null ? "" : `, of ${options.published}`}`;
  const list = {
    source,
    version: hashOf(text),
    origin,
    published: options.published,
    records: [...records.values()],
    discounts: [],
    choices: [],
  };
  return { list, skipped: skips.list() };
}

type Fail = (field: string, value: unknown) => never;

function toPrices(name: string, cost: Readonly<Record<string, unknown>>, fail: Fail, skips: Skips): PriceRecord["prices"] {
  const prices: { [type in UsageClass]?: ClassPrice } = {};
  const longer = stepsOf(name, cost, fail, skips);
  const isAllFree = Object.keys(fields).every((field) => Number(cost[field] ?? 0) === 0);
  const isFree = isAllFree && /[:/-]free$/i.test(name);
  for (const [field, value] of Object.entries(cost)) {
    if (field === "tiers" || field === "context_over_200k") continue;
    const type = fields[field];
    if (type === undefined) {
      skips.add(`${name}: ${field}`, `no usage class is known for ${field}`);
      continue;
    }
    const usd = decimalOf(value) ?? fail(field, value);
    if (Number(usd) === 0 && !isFree) {
      skips.add(`${name}: ${field}`, "0 may mean unknown, or that a subscription pays, and is not taken for free");
      continue;
    }
    const steps = [{ aboveTokens: -1, usd: forUnits(usd, 1) }];
    for (const { above, rates } of longer) {
      const rate = rates[field];
      if (rate === undefined) continue;
      const text = decimalOf(rate) ?? fail(field, rate);
      if (Number(text) > 0 || isFree) steps.push({ aboveTokens: above, usd: forUnits(text, 1) });
      else
        skips.add(`${name}: ${field} above ${above} tokens`, "0 may mean unknown, or that a subscription pays, and is not taken for free");
    }
    prices[type] = { per: 1_000_000, steps };
  }
  return prices;
}

/** Steps for long prompts: `tiers`, or where there are none the older `context_over_200k`, which says the same of one. */
function stepsOf(
  name: string,
  cost: Readonly<Record<string, unknown>>,
  fail: Fail,
  skips: Skips,
): readonly { readonly above: number; readonly rates: Readonly<Record<string, unknown>> }[] {
  const { tiers, context_over_200k: over } = cost;
  if (tiers === undefined)
    return isObject(over) ? [{ above: 200_000, rates: over }] : over === undefined ? [] : fail("context_over_200k", over);
  if (!Array.isArray(tiers)) return fail("tiers", tiers);
  const steps: { above: number; rates: Readonly<Record<string, unknown>> }[] = [];
  for (const tier of tiers as unknown[]) {
    const kind = isObject(tier) && isObject(tier["tier"]) ? tier["tier"] : fail("tiers", tier);
    const above = kind["size"];
    if (kind["type"] !== "context") skips.add(`${name}: tiers`, "steps by something else than tokens");
    else if (typeof above === "number" && Number.isSafeInteger(above) && above > 0)
      steps.push({ above, rates: tier as Record<string, unknown> });
    else return fail("tiers", tier);
  }
  return steps.sort((a, b) => a.above - b.above);
}
