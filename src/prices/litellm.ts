// Reads LiteLLM's price map (BerriAI/litellm, model_prices_and_context_window.json): dollars for one unit, by fields whose names hold class,
// tier and threshold. Not here: whose model a key means (names.ts). Invariant: a field is priced exactly, or counted as left out with its
// reason; a 0 that may mean unknown is not taken for free.

import type { MatchRule } from "../core/match.ts";
import { formatRate, parseRate, scaleRate } from "../core/money.ts";
import { type ClassPrice, type PriceRecord, standard } from "../core/price.ts";
import { type UsageClass, usageClasses } from "../core/usage.ts";
import { nameOfLitellm } from "./names.ts";
import { decimalOf, forUnits, formatTime, hashOf, invalid, isObject, parseJson, placeOfKeys, type Read, Skips } from "./reader.ts";
import type { ListOptions } from "./view.ts";

/** An entry's fields, as they stand in the map; decimal text will do for a number. */
export type LitellmEntry = Readonly<Record<string, unknown>>;

/** What an entry says of one tier in one region. */
export interface LitellmTariff {
  readonly provider: string;
  readonly model: string;
  readonly match: MatchRule;
  readonly contextWindow: number | null;
  readonly tier: string;
  readonly region: string | null;
  readonly prices: PriceRecord["prices"];
}

/** A field's name without threshold and tier → its class, and for how many units its price is given in the book. */
const fields: Readonly<Record<string, readonly [UsageClass, number]>> = {
  input_cost_per_token: ["input", 1_000_000],
  output_cost_per_token: ["output", 1_000_000],
  output_cost_per_reasoning_token: ["reasoning", 1_000_000],
  cache_read_input_token_cost: ["cache_read", 1_000_000],
  // An older name of the same price.
  input_cost_per_token_cache_hit: ["cache_read", 1_000_000],
  cache_creation_input_token_cost: ["cache_write", 1_000_000],
  cache_creation_input_token_cost_above_1hr: ["cache_write_1h", 1_000_000],
  input_cost_per_audio_token: ["input_audio", 1_000_000],
  output_cost_per_audio_token: ["output_audio", 1_000_000],
  cache_read_input_audio_token_cost: ["cache_read_audio", 1_000_000],
  cache_read_input_token_cost_per_audio_token: ["cache_read_audio", 1_000_000],
  input_cost_per_image_token: ["input_image", 1_000_000],
  output_cost_per_image_token: ["output_image", 1_000_000],
  cache_read_input_image_token_cost: ["cache_read_image", 1_000_000],
  input_cost_per_video_token: ["input_video", 1_000_000],
  output_cost_per_video_token: ["output_video", 1_000_000],
  citation_cost_per_token: ["citation", 1_000_000],
  input_cost_per_request: ["request", 1000],
  ocr_cost_per_page: ["input_pages", 1000],
  input_cost_per_audio_per_second: ["input_audio_seconds", 3600],
};

/** Fields whose meaning hangs on what the model does. */
const fieldsOfModes: Readonly<Record<string, Readonly<Record<string, readonly [UsageClass, number]>>>> = {
  rerank: { input_cost_per_query: ["rerank", 1000] },
  audio_transcription: { input_cost_per_second: ["input_audio_seconds", 3600] },
  image_generation: { output_cost_per_image: ["images", 1] },
  image_edit: { output_cost_per_image: ["images", 1] },
};

/** Fields that name money and are no price of a class: why. */
const unusable: readonly (readonly [RegExp, string])[] = [
  [/character/, "characters are not counted"],
  [/pixel/, "pixels are not counted"],
  [/dbu/, "in Databricks units, and not in dollars"],
  [/per_image/, "pictures that go in, or that a chat gives out, are not counted by the piece"],
  [/per_second|per_credit|per_query/, "what is paid by the second, the credit or the query of such a model is not counted"],
  [/cache_creation_input_audio/, "audio written to a cache is not counted apart"],
  [/annotation/, "annotated pages are not counted apart"],
  [/per_session/, "sessions are not counted"],
  [/computer_use|per_gb_per_day/, "no usage of a call"],
];

const isMoney = /cost|price|pricing/;
const thresholdAndTier = /^(.*?)(?:_above_(\d+)k_tokens)?(?:_(priority|flex|batches))?$/;

/** @throws PennyworthError `prices_invalid` with line and reason. */
export function readLitellm(text: string, options: ListOptions & { readonly provider?: string | null }): Read {
  const map = parseJson(text);
  if (!isObject(map)) throw invalid("line 1, column 1", "expected a mapping of models");
  const source = options.source ?? "litellm";
  const version = hashOf(text);
  const skips = new Skips();
  const records = new Map<string, PriceRecord>();
  for (const [key, entry] of Object.entries(map)) {
    if (key === "sample_spec" || !isObject(entry) || typeof entry["litellm_provider"] !== "string") {
      skips.add(key, "no model");
      continue;
    }
    for (const [field, value] of Object.entries(entry)) checkField(text, key, field, value);
    for (const tariff of toTariffs(key, entry, skips)) {
      if (options.provider !== undefined && options.provider !== null && tariff.provider !== options.provider) continue;
      addRecord(records, toRecord(`${source}@${version}`, tariff, null, null), key, skips);
    }
  }
  const origin = `LiteLLM's price map, github.com/BerriAI/litellm (MIT)${options.published === null ? "" : `, of ${options.published}`}`;
  const list = { source, version, origin, published: options.published, records: [...records.values()], discounts: [], choices: [] };
  return { list, skipped: skips.list() };
}

/** Two keys may mean one model: the first that says something stands, and a contradiction is counted. */
export function addRecord(records: Map<string, PriceRecord>, record: PriceRecord, key: string, skips: Skips): void {
  const place = record.id.toLowerCase();
  const known = records.get(place);
  if (known === undefined) records.set(place, record);
  else if (JSON.stringify(known.prices) !== JSON.stringify(record.prices))
    skips.add(key, "an earlier entry for the same model says otherwise");
}

export function toRecord(name: string, tariff: LitellmTariff, fromMs: number | null, toMs: number | null): PriceRecord {
  const { provider, model, match, contextWindow, tier, region, prices } = tariff;
  const marks = [
    fromMs === null ? "" : `@${formatTime(fromMs)}`,
    tier === standard ? "" : `@tier=${tier}`,
    region === null ? "" : `@region=${region}`,
  ];
  const id = `${name}/${provider}/${model}${marks.join("")}`;
  return { id, provider, model, match, contextWindow, tier, region, prices, validFromMs: fromMs, validToMs: toMs, window: null };
}

/** A sum that is none refuses the file; one of a model that is left out, too. */
function checkField(text: string, key: string, field: string, value: unknown): void {
  if (!isMoney.test(field) || isObject(value) || Array.isArray(value)) return;
  if (decimalOf(value) === null) throw invalid(placeOfKeys(text, [key, field]), `${key}: ${field} is no price: ${JSON.stringify(value)}`);
}

/** What an entry says: one tariff for each tier and region it prices. What cannot be said is counted in `skips`. */
export function toTariffs(key: string, entry: LitellmEntry, skips: Skips): readonly LitellmTariff[] {
  const named = nameOfLitellm(String(entry["litellm_provider"]), key);
  if (typeof named === "string") {
    skips.add(key, named);
    return [];
  }
  const tiers = new Map<string, Steps>();
  for (const [field, value] of Object.entries(entry)) if (isMoney.test(field)) addField(tiers, key, entry, field, value, skips);
  const tariffs: LitellmTariff[] = [];
  const rest = { ...named, match: matchOf(named.model), contextWindow: windowOf(entry) };
  const base = tiers.get(standard);
  for (const [tier, steps] of tiers) {
    const prices = toPrices(key, tier, steps, tier === standard ? undefined : base, skips);
    if (Object.keys(prices).length > 0) tariffs.push({ ...rest, tier, prices });
  }
  dropRepeated(tariffs.map(({ prices }) => prices));
  if (tariffs.length === 0) skips.add(key, "no price is given that could be used");
  return [...tariffs, ...multiplied(tariffs, entry)];
}

/** Classes whose tokens are billed as another's where they have no price of their own. */
const repeats: readonly (readonly [UsageClass, UsageClass])[] = [
  ["reasoning", "output"],
  ["input_audio", "input"],
  ["input_image", "input"],
  ["input_video", "input"],
  ["output_audio", "output"],
  ["output_image", "output"],
  ["output_video", "output"],
];

/** What is said twice, in every tier, is no price of its own: it would stay behind when another list's price of the other changes. */
export function dropRepeated(all: readonly PriceRecord["prices"][]): void {
  for (const [name, other] of repeats)
    if (all.every((prices) => prices[name] === undefined || JSON.stringify(prices[name]) === JSON.stringify(prices[other])))
      for (const prices of all) delete (prices as { [type in UsageClass]?: ClassPrice })[name];
}

/** class → input tokens above which → dollars for one. */
type Steps = Map<UsageClass, Map<number, { readonly text: string; readonly per: number }>>;

function addField(tiers: Map<string, Steps>, key: string, entry: LitellmEntry, field: string, value: unknown, skips: Skips): void {
  const mode = String(entry["mode"]);
  if (field.startsWith("regional_processing_uplift")) return;
  if (field === "tiered_pricing") return addRanges(tiers, key, entry, value, skips);
  if (field === "search_context_cost_per_query") return addSearch(tiers, key, entry, value, skips);
  const [, name = field, above, suffix] = thresholdAndTier.exec(field) ?? [];
  const known = fieldsOfModes[mode]?.[name] ?? fields[name];
  const text = decimalOf(value);
  if (known === undefined || text === null) {
    // For speech the map says the price of a second twice, or 0 for what comes out.
    if (name === "output_cost_per_second" && mode === "audio_transcription") return;
    const why = unusable.find(([pattern]) => pattern.test(name))?.[1] ?? "no usage class is known for it";
    skips.add(`${key}: ${field}`, why, `${name}: ${why}`);
    return;
  }
  const [type, per] = known;
  if (Number(text) === 0 && !isFree(key, entry, type)) {
    skips.add(`${key}: ${field}`, "0 may mean unknown, and is not taken for free");
    return;
  }
  const tier = suffix === undefined ? standard : suffix === "batches" ? "batch" : suffix;
  put(tiers, tier, type, above === undefined ? -1 : Number(above) * 1000, text, per);
}

function put(tiers: Map<string, Steps>, tier: string, type: UsageClass, above: number, text: string, per: number): void {
  let classes = tiers.get(tier);
  if (classes === undefined) tiers.set(tier, (classes = new Map()));
  let steps = classes.get(type);
  if (steps === undefined) classes.set(type, (steps = new Map()));
  if (!steps.has(above)) steps.set(above, { text, per });
}

/** `[{range: [0, 32000], input_cost_per_token: …}, …]`: the whole request has the price of its length. */
function addRanges(tiers: Map<string, Steps>, key: string, entry: LitellmEntry, value: unknown, skips: Skips): void {
  for (const step of Array.isArray(value) ? (value as unknown[]) : []) {
    const from = isObject(step) && Array.isArray(step["range"]) ? Number(step["range"][0]) : NaN;
    if (!isObject(step) || !Number.isSafeInteger(from)) {
      skips.add(`${key}: tiered_pricing`, "steps by something else than tokens");
      return;
    }
    for (const [field, price] of Object.entries(step)) {
      const known = fields[field];
      const text = decimalOf(price);
      if (known === undefined || text === null) continue;
      if (Number(text) === 0 && !isFree(key, entry, known[0]))
        skips.add(`${key}: ${field}`, "0 may mean unknown, and is not taken for free");
      else put(tiers, standard, known[0], from === 0 ? -1 : from, text, known[1]);
    }
  }
}

function addSearch(tiers: Map<string, Steps>, key: string, entry: LitellmEntry, value: unknown, skips: Skips): void {
  const sizes = new Set(isObject(value) ? Object.values(value).map(decimalOf) : []);
  const [text = null] = sizes;
  if (sizes.size !== 1 || text === null)
    skips.add(`${key}: search_context_cost_per_query`, "a search's price hangs on the size of its context, which is not known");
  else if (Number(text) > 0 || isFree(key, entry, "web_search")) put(tiers, standard, "web_search", -1, text, 1000);
  else skips.add(`${key}: search_context_cost_per_query`, "0 may mean unknown, and is not taken for free");
}

/**
 * Whether a 0 is meant: the model's name says so, moderation is free by nature, or what the model does has no such part.
 * (ccusage issue 1348: a stored 0 that meant unknown was shown as a price.)
 */
function isFree(key: string, entry: LitellmEntry, type: UsageClass): boolean {
  const sums = Object.entries(entry).filter(([field, value]) => isMoney.test(field) && decimalOf(value) !== null);
  const isAllFree = sums.every(([, value]) => Number(value) === 0);
  if (isAllFree) return entry["mode"] === "moderation" || /[:/-]free$/i.test(key);
  const isPaid = (field: string): boolean => Number(entry[field] ?? 0) > 0;
  return entry["mode"] === "rerank" && (type === "input" || type === "output") && isPaid("input_cost_per_query");
}

function toPrices(key: string, tier: string, steps: Steps, base: Steps | undefined, skips: Skips): PriceRecord["prices"] {
  const prices: { [name in UsageClass]?: ClassPrice } = {};
  for (const [type, byLength] of steps) {
    if (!byLength.has(-1)) {
      skips.add(`${key}: ${type}${tier === standard ? "" : ` in ${tier}`}`, "priced for long prompts alone");
      continue;
    }
    if (base !== undefined && byLength.size === 1 && (base.get(type)?.size ?? 1) > 1) {
      skips.add(`${key}: ${type} in ${tier}`, "the standard price has a step for long prompts, and what it is in this tier is not said");
      continue;
    }
    const ordered = [...byLength].sort(([a], [b]) => a - b);
    const per = ordered[0]?.[1].per ?? 1;
    prices[type] = { per, steps: ordered.map(([aboveTokens, { text }]) => ({ aboveTokens, usd: forUnits(text, per) })) };
  }
  return prices;
}

/** Anthropic's fast mode and its inference in the US alone, OpenAI's regional processing: so many times the price of every token. */
function multiplied(tariffs: readonly LitellmTariff[], entry: LitellmEntry): readonly LitellmTariff[] {
  const special = isObject(entry["provider_specific_entry"]) ? entry["provider_specific_entry"] : {};
  const fast = decimalOf(special["fast"]);
  const plain = tariffs.find(({ tier }) => tier === standard);
  const added = fast === null || plain === undefined ? [] : [{ ...plain, tier: "fast", prices: timesTokens(plain.prices, fast) }];
  const all = [...tariffs, ...added];
  const regions = [
    ["us", decimalOf(special["us"]) ?? decimalOf(entry["regional_processing_uplift_multiplier_us"])],
    ["eu", decimalOf(entry["regional_processing_uplift_multiplier_eu"])],
  ] as const;
  for (const [region, times] of regions)
    if (times !== null) added.push(...all.map((tariff) => ({ ...tariff, region, prices: timesTokens(tariff.prices, times) })));
  return added;
}

function timesTokens(prices: PriceRecord["prices"], times: string): PriceRecord["prices"] {
  const scaled: { [name in UsageClass]?: ClassPrice } = {};
  for (const [name, price] of Object.entries(prices) as [UsageClass, ClassPrice][])
    scaled[name] =
      usageClasses[name].unit !== "token"
        ? price
        : { ...price, steps: price.steps.map((step) => ({ ...step, usd: timesText(step.usd, times) })) };
  return scaled;
}

function timesText(usd: string, times: string): string {
  return formatRate(scaleRate(parseRate(usd, 1n), times), 1n) ?? usd;
}

/** `ft:` begins the names of all models tuned from one. */
function matchOf(model: string): MatchRule {
  const name = model.toLowerCase();
  return name.startsWith("ft:") ? { or: [{ equals: name }, { starts_with: `${name}:` }] } : { equals: name };
}

/** The map bounds what goes in and what comes out; the sum bounds a call, and may be more than the model takes. */
function windowOf(entry: LitellmEntry): number | null {
  const input = entry["max_input_tokens"];
  const output = entry["max_output_tokens"];
  if (typeof input !== "number" || !Number.isSafeInteger(input) || input <= 0) return null;
  return typeof output === "number" && Number.isSafeInteger(output) && output > 0 ? input + output : input;
}
