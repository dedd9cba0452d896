// `npx tsx scripts/tiers.ts MAP.json --published DATE`: what the base list leaves out, from LiteLLM's price map, as a list of its own in
// data/prices/tiers-DAY/: prices of priority, flex, batch and fast that no rule gives, searches, reranking. Not here: rules (rules.json).
// Invariant: a tier's price is taken only where both lists give the model the same standard price, and is valid no longer than that one.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createPriceBook, type Slice } from "../src/core/book.ts";
import type { MatchRule } from "../src/core/match.ts";
import { parseRate, type Rate } from "../src/core/money.ts";
import { type ClassPrice, type PricedStep, type PriceRecord, standard } from "../src/core/price.ts";
import type { UsageClass } from "../src/core/usage.ts";
import type { PriceList } from "../src/prices/list.ts";
import { parseList } from "../src/prices/parse.ts";
import { readDerivations } from "../src/prices/rules.ts";
import { readFallbacks, readSnapshotLists } from "../src/prices/snapshot.ts";

const { values, positionals } = parseArgs({ options: { published: { type: "string" } }, allowPositionals: true });
const [path] = positionals;
const { published } = values;
if (path === undefined || published === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(published))
  fail("usage: npx tsx scripts/tiers.ts MAP.json --published DATE");
/** The day of the latest of its sources: OpenAI renamed its priority and cut the prices of GPT-5.6. */
const known = "2026-07-30";
const folder = fileURLToPath(new URL(`../data/prices/tiers-${known}`, import.meta.url));
const atMs = Date.parse(published);
const name = `tiers@${known}`;

const text = readFileSync(path, "utf8");
const map = parseList(text, { format: "litellm", source: null, published }, Date.now()).list;
const [base] = readSnapshotLists().toReversed();
if (base === undefined) fail("there is no snapshot to stand beside");
const book = createPriceBook({
  layers: [{ ...base, name: "base", own: false }],
  derivations: readDerivations(),
  fallbacks: readFallbacks(),
  pricesOf: {},
});

/**
 * Dollars per million tokens in, in from the cache, and out, from OpenAI's own page (openai.com/api-priority-processing, since 30 July 2026
 * openai.com/api-fast-mode, read 2026-11-21), which excludes long context: a long prompt is not served in that tier. Where the map differs,
 * this goes (GPT-5.5).
 */
const openaiPriority: Readonly<Record<string, readonly [string, string | null, string]>> = {
  "gpt-5.5": ["12.5", "1.25", "75"],
  "gpt-5.4-mini": ["1.5", "0.15", "9"],
  "gpt-5.4": ["5", "0.5", "30"],
  "gpt-5.2": ["3.5", "0.35", "28"],
  "gpt-5.1": ["2.5", "0.25", "20"],
  "gpt-5": ["2.5", "0.25", "20"],
  "gpt-5-mini": ["0.45", "0.045", "3.6"],
  "gpt-5.1-codex": ["2.5", "0.25", "20"],
  "gpt-4.1": ["3.5", "0.875", "14"],
  "gpt-4.1-mini": ["0.7", "0.175", "2.8"],
  "gpt-4.1-nano": ["0.2", "0.05", "0.8"],
  "gpt-4o": ["4.25", "2.125", "17"],
  "gpt-4o-2024-05-13": ["8.75", null, "26.25"],
  "gpt-4o-mini": ["0.25", "0.125", "1"],
};
/** GPT-5.6 since its standard prices were cut, from the same page. */
const openaiSince = [
  { model: "gpt-5.6-terra", from: "2026-07-30", said: ["4", "0.4", "24"] },
  { model: "gpt-5.6-luna", from: "2026-07-30", said: ["0.4", "0.04", "2.4"] },
] as const;
/** The map has twice the standard price for GPT-5.5, and OpenAI says two and a half times: what it says of Azure's nobody else confirms. */
const doubtful = /^gpt-5\.5\b/;
/**
 * What cached tokens of GPT-5.4 cost in flex and in a batch: half the standard price, rounded up, and half of that of long prompts
 * (developers.openai.com/api/docs/pricing of 3 April 2026, as quoted in BerriAI/litellm pull request 25003).
 */
const cachedInHalf = {
  per: 1_000_000,
  steps: [
    { aboveTokens: -1, usd: "0.13" },
    { aboveTokens: 271_999, usd: "0.25" },
  ],
} as const;
const entries = new Map(Object.entries(JSON.parse(text) as Record<string, Record<string, unknown>>));
/** What a tier may cost of the standard price; beyond it the map has made a mistake (gpt-5-nano in priority at 50 times). */
const bounds: Readonly<Record<string, readonly [bigint, bigint, bigint, bigint]>> = {
  priority: [11n, 10n, 27n, 10n],
  fast: [11n, 10n, 80n, 10n],
  flex: [3n, 10n, 10n, 10n],
  batch: [3n, 10n, 10n, 10n],
};

const tiered = [...tierRecords(), ...sinceRecords(), ...halfRecords()];
const records = [...tiered, ...renamed(tiered), ...searchRecords(), ...rerankRecords(), ...titanRecords()];
const list: PriceList = {
  source: "tiers",
  version: known,
  origin: `prices of tiers, searches and reranking from LiteLLM's price map of ${published} (github.com/BerriAI/litellm, MIT) and, for priority and GPT-5.4's cached tokens, OpenAI's pages (openai.com/api-fast-mode, developers.openai.com/api/docs/pricing), held against genai-prices ${base.version}`,
  published: known,
  records: records.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  discounts: [],
  // The base list takes every Titan embedding for the first one.
  choices: [{ provider: "aws", match: titanRule(), source: "tiers" }],
};
if (existsSync(folder)) fail(`${folder} is there already: a list is never written again.`);
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/list.json`, format(list));
process.stderr.write(`${records.length} records in ${folder}\n`);

function tierRecords(): readonly PriceRecord[] {
  const kept: PriceRecord[] = [];
  const providers = new Set(["openai", "anthropic", "google", "azure", "aws"]);
  for (const record of [...map.records.filter((one) => !isReplaced(one)), ...shortPriority()]) {
    if (record.tier === standard || record.region !== null || !providers.has(record.provider)) continue;
    const { provider, model, tier } = record;
    const slice = sliceOf(provider, model, atMs);
    const plain = map.records.find(
      (one) => one.provider === provider && one.model === model && one.tier === standard && one.region === null,
    );
    if (slice === null || plain === undefined || !agree(plain, slice, "input") || !agree(plain, slice, "output")) continue;
    const derived = book.find({ provider, model, tier, region: null, atMs });
    const prices: { [type in UsageClass]?: ClassPrice } = {};
    for (const type of Object.keys(record.prices) as UsageClass[]) {
      const price = record.prices[type] as ClassPrice;
      if (type === "web_search" || !agree(plain, slice, type) || !isWithinBounds(tier, price, plain.prices[type])) continue;
      if (sameSteps(price, derived?.prices[type])) continue;
      prices[type] = price;
    }
    if (Object.keys(prices).length > 0)
      kept.push({
        ...toRecord(provider, model, snapshotRule(model), prices, slice),
        tier,
        id: `${name}/${provider}/${model}@tier=${tier}`,
      });
  }
  // A dated snapshot at its alias's price is matched by the alias's rule.
  return kept.filter((one) => {
    const alias = one.model.replace(/-20\d{2}-?\d{2}-?\d{2}$/, "");
    return (
      alias === one.model ||
      !kept.some(
        (other) =>
          other.model === alias &&
          other.provider === one.provider &&
          other.tier === one.tier &&
          sorted(other.prices) === sorted(one.prices),
      )
    );
  });
}

function sinceRecords(): readonly PriceRecord[] {
  return openaiSince.map(({ model, from, said: [input, cached, output] }) => {
    const slice = sliceOf("openai", model, Date.parse(from));
    const prices = { input: million(input), cache_read: million(cached), output: million(output) };
    return {
      ...toRecord("openai", model, snapshotRule(model), prices, slice),
      tier: "priority",
      id: `${name}/openai/${model}@${from}@tier=priority`,
    };
  });
}

function halfRecords(): readonly PriceRecord[] {
  return ["flex", "batch"].map((tier) => ({
    ...toRecord("openai", "gpt-5.4", snapshotRule("gpt-5.4"), { cache_read: cachedInHalf }, null),
    tier,
    id: `${name}/openai/gpt-5.4@tier=${tier}`,
  }));
}

/** OpenAI's priority has been called fast since 30 July 2026; an answer may have either name. */
function renamed(all: readonly PriceRecord[]): readonly PriceRecord[] {
  return all
    .filter(({ provider, tier }) => provider === "openai" && tier === "priority")
    .map((record) => ({ ...record, tier: "fast", id: record.id.replace("@tier=priority", "@tier=fast") }));
}

function sliceOf(provider: string, model: string, ms: number): Slice | null {
  return book.slices({ provider, model, tier: null, region: null })?.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs) ?? null;
}

function sorted(prices: PriceRecord["prices"]): string {
  return JSON.stringify(Object.entries(prices).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** OpenAI's priority prices: its page's, and the map's of models that have a step for long prompts, which the reader of the map leaves out. */
function shortPriority(): readonly PriceRecord[] {
  const classes = {
    input: "input_cost_per_token_priority",
    output: "output_cost_per_token_priority",
    cache_read: "cache_read_input_token_cost_priority",
  } as const;
  return map.records.flatMap((record): readonly PriceRecord[] => {
    if (record.provider !== "openai" || record.tier !== standard || record.region !== null) return [];
    const said = openaiPriority[record.model];
    if (said !== undefined) {
      const [input, cached, output] = said;
      const all = { input: million(input), ...(cached === null ? {} : { cache_read: million(cached) }), output: million(output) };
      return [{ ...record, tier: "priority", prices: all }];
    }
    const entry = entries.get(record.model);
    if (doubtful.test(record.model) || entry === undefined || (record.prices.input?.steps.length ?? 1) === 1) return [];
    const prices: { [type in UsageClass]?: ClassPrice } = {};
    for (const [type, field] of Object.entries(classes) as [keyof typeof classes, string][]) {
      const value = entry[field];
      if (typeof value === "number" && entry[field.replace("_priority", "_above_272k_tokens_priority")] === undefined)
        prices[type] = million(perMillion(value));
    }
    return Object.keys(prices).length === 0 ? [] : [{ ...record, tier: "priority", prices }];
  });
}

/** What the map says of a tier that the vendor's page prices, or that is doubtful. */
function isReplaced({ provider, model, tier }: PriceRecord): boolean {
  if (tier !== "priority" || (provider !== "openai" && provider !== "azure")) return false;
  return doubtful.test(model) || (provider === "openai" && openaiPriority[model] !== undefined);
}

function million(usd: string): ClassPrice {
  return { per: 1_000_000, steps: [{ aboveTokens: -1, usd }] };
}

function perMillion(value: number): string {
  const { pico, per } = parseRate(String(value), 1n);
  const units = pico * 1_000_000n;
  if (units % per !== 0n) fail(`finer than a picodollar for a million: ${value}`);
  const digits = (units / per).toString().padStart(13, "0");
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, "");
}

/** Grounding with Google Search: $35 for 1,000 grounded prompts up to Gemini 2.5, $14 for 1,000 queries from Gemini 3 on, where the map says so of all. */
function searchRecords(): readonly PriceRecord[] {
  const older = /^gemini-(?:live-)?[12]\b/;
  for (const record of map.records) {
    const usd = record.prices.web_search?.steps[0]?.usd;
    if (record.provider !== "google" || record.tier !== standard || usd === undefined || !/^gemini-(live-)?\d/.test(record.model)) continue;
    if (usd !== (older.test(record.model) ? "35" : "14")) fail(`${record.model} searches for ${usd}`);
  }
  return base!.records
    .flatMap((record) => {
      if (
        record.provider !== "google" ||
        !/^gemini-(live-)?\d/.test(record.model) ||
        /embedding|image|tts|1\.0/.test(record.model) ||
        record.prices.input === undefined
      )
        return [];
      const prices = { web_search: { per: 1000, steps: [{ aboveTokens: -1, usd: older.test(record.model) ? "35" : "14" }] } };
      return [
        { ...record, id: `${name}/google/${record.model}`, prices, validFromMs: null, validToMs: null, window: null, contextWindow: null },
      ];
    })
    .filter((record, index, all) => all.findIndex((other) => other.id === record.id) === index);
}

function rerankRecords(): readonly PriceRecord[] {
  return map.records.flatMap((record) => {
    const { provider, model, prices } = record;
    if (prices.rerank === undefined || !["cohere", "azure", "aws"].includes(provider)) return [];
    return [toRecord(provider, model, { equals: model.toLowerCase() }, { rerank: prices.rerank }, null)];
  });
}

function titanRecords(): readonly PriceRecord[] {
  const record = map.records.find(
    ({ provider, model, region }) => provider === "aws" && model === "amazon.titan-embed-text-v2:0" && region === null,
  );
  if (record?.prices.input === undefined) fail("the map has no amazon.titan-embed-text-v2:0");
  return [toRecord("aws", record.model, titanRule(), { input: record.prices.input }, null)];
}

function titanRule(): MatchRule {
  return { contains: "amazon.titan-embed-text-v2" };
}

function toRecord(provider: string, model: string, match: MatchRule, prices: PriceRecord["prices"], slice: Slice | null): PriceRecord {
  return {
    id: `${name}/${provider}/${model}`,
    provider,
    model,
    match,
    contextWindow: null,
    tier: standard,
    region: null,
    prices,
    validFromMs: finite(slice?.fromMs),
    validToMs: finite(slice?.toMs),
    window: null,
  };
}

function finite(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) ? null : ms;
}

/** A name and its dated snapshots. */
function snapshotRule(model: string): MatchRule {
  const equals = model.toLowerCase();
  const escaped = equals.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return { or: [{ equals }, { regex: `^${escaped}[-@]20\\d{2}-?\\d{2}-?\\d{2}$` }] };
}

function rateOf(price: ClassPrice | undefined): Rate | null {
  const usd = price?.steps[0]?.usd;
  return price === undefined || usd === undefined ? null : parseRate(usd, BigInt(price.per));
}

/** Whether both lists give a class the same standard price; one that only one of them has is no contradiction. */
function agree(plain: PriceRecord, slice: Slice, type: UsageClass): boolean {
  const [ours, theirs] = [slice.tariff.prices[type]?.[0], rateOf(plain.prices[type])];
  if (ours === undefined || theirs === null)
    return ours === undefined || !ours.price.endsWith(`#${type}`) || type.startsWith("cache_write");
  return ours.rate.pico * theirs.per === theirs.pico * ours.rate.per;
}

function isWithinBounds(tier: string, price: ClassPrice, plain: ClassPrice | undefined): boolean {
  const [rate, standardRate, bound] = [rateOf(price), rateOf(plain), bounds[tier]];
  if (rate === null || standardRate === null || bound === undefined) return false;
  const [lowTop, lowBottom, highTop, highBottom] = bound;
  const [a, b] = [rate.pico * standardRate.per, standardRate.pico * rate.per];
  return a * lowBottom >= b * lowTop && a * highBottom <= b * highTop;
}

function sameSteps(price: ClassPrice, steps: readonly PricedStep[] | undefined): boolean {
  return (
    steps?.length === price.steps.length &&
    price.steps.every(({ aboveTokens, usd }, index) => {
      const [step, rate] = [steps[index], parseRate(usd, BigInt(price.per))];
      return step?.aboveTokens === aboveTokens && step.rate.pico * rate.per === rate.pico * step.rate.per;
    })
  );
}

/** One line a record: a changed price is one changed line. */
function format({ records: all, ...head }: PriceList): string {
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "records": [\n${all.map((record) => `    ${JSON.stringify(record)}`).join(",\n")}\n  ]\n}\n`;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
