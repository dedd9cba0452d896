// The price book's reader: the dated snapshots in data/prices/, the rules of vendors beside them, and the user's own prices from the
// settings, as records for core/price.ts. Not here: which price is in force. Invariant: an error in a price refuses the book, with its place.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { PriceSettings } from "./config.ts";
import { type MatchRule, wildcardRule } from "./core/match.ts";
import { parseRate } from "./core/money.ts";
import {
  type ClassPrice,
  createPriceBook,
  type DailyWindow,
  type Derivation,
  type PeriodRecord,
  type PriceBook,
  type PriceRecord,
  standard,
} from "./core/price.ts";
import { periodClasses } from "./core/period.ts";
import { isUsageClass, type UsageClass, usageClasses, usageClassNames } from "./core/usage.ts";
import { PennyworthError } from "./error.ts";

/** One provider of one snapshot, as scripts/prices.ts writes it: the source's own keys, prices as exact decimal text. */
export interface SnapshotFile {
  readonly source: string;
  readonly licence: string;
  readonly package: string;
  readonly version: string;
  /** Days, UTC: when the source published it, and when it was copied. */
  readonly knownFrom: string;
  readonly taken: string;
  readonly provider: string;
  readonly name: string;
  readonly pricingUrls: readonly string[];
  readonly fallbacks: readonly string[];
  readonly models: readonly SnapshotModel[];
}

export interface SnapshotModel {
  readonly id: string;
  readonly match: MatchRule;
  readonly contextWindow: number | null;
  readonly deprecated?: boolean;
  readonly comments?: string;
  readonly prices: readonly SnapshotPrice[];
}

/** Days, UTC: `from` inclusive, `to` exclusive. `window`: times of day with their zone. Rates are dollars per the unit the key names. */
export interface SnapshotPrice {
  readonly from: string | null;
  readonly to: string | null;
  readonly window: { readonly from: string; readonly to: string } | null;
  readonly rates: Readonly<
    Record<string, string | { readonly base: string; readonly tiers: readonly { readonly start: number; readonly price: string }[] }>
  >;
}

/** What of the settings bears on prices. */
export interface PriceOptions {
  readonly prices: readonly PriceSettings[];
  /** Provider → whose lists apply to it, in order; its own where it is not named. */
  readonly pricesOf: Readonly<Record<string, readonly string[]>>;
  /** When the user's prices were read, ms UTC. */
  readonly nowMs: number;
}

/** Keys of genai-prices with a class of ours, and how many units their price is for. Others are in the snapshot and price nothing yet. */
export const snapshotKeys: Readonly<Record<string, readonly [UsageClass, number]>> = {
  input_mtok: ["input", 1_000_000],
  cache_read_mtok: ["cache_read", 1_000_000],
  cache_write_mtok: ["cache_write", 1_000_000],
  cache_write_5m_mtok: ["cache_write_5m", 1_000_000],
  cache_write_1h_mtok: ["cache_write_1h", 1_000_000],
  output_mtok: ["output", 1_000_000],
  output_reasoning_mtok: ["reasoning", 1_000_000],
  input_audio_mtok: ["input_audio", 1_000_000],
  cache_audio_read_mtok: ["cache_read_audio", 1_000_000],
  output_audio_mtok: ["output_audio", 1_000_000],
  input_image_mtok: ["input_image", 1_000_000],
  cache_image_read_mtok: ["cache_read_image", 1_000_000],
  output_image_mtok: ["output_image", 1_000_000],
  input_video_mtok: ["input_video", 1_000_000],
  output_video_mtok: ["output_video", 1_000_000],
  web_searches_kcount: ["web_search", 1000],
  storage_searches_kcount: ["file_search", 1000],
  code_executions_kcount: ["code_execution", 1000],
  input_document_kpages: ["input_pages", 1000],
  // An hour is priced; seconds are counted. `audio_hours` is the same price under an older name.
  input_audio_hours: ["input_audio_seconds", 3600],
  output_citation_mtok: ["citation", 1_000_000],
  requests_kcount: ["request", 1000],
};

/** From src/ and from dist/ alike. */
const folder = fileURLToPath(new URL("../data/prices/", import.meta.url));

/**
 * Reads every price there is: the snapshots, the vendors' rules, and the user's own.
 * @throws PennyworthError `config_invalid` when one of the user's prices cannot be used, and which; any other error is damage to data/.
 */
export function readPrices(options: PriceOptions): PriceBook {
  const files = readSnapshots();
  return createPriceBook({
    listed: files.flatMap(toRecords),
    own: options.prices.map((price, index) => toOwnRecord(price, index, options.nowMs)),
    derivations: readDerivations(),
    periods: readPeriods(),
    fallbacks: Object.fromEntries(files.map((file) => [file.provider, file.fallbacks])),
    pricesOf: options.pricesOf,
  });
}

/** All snapshots, the oldest first. */
export function readSnapshots(): readonly SnapshotFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith(".tmp"))
    .flatMap((entry) =>
      readdirSync(`${folder}${entry.name}`)
        .filter((name) => name.endsWith(".json"))
        .map((name) => JSON.parse(readFileSync(`${folder}${entry.name}/${name}`, "utf8")) as SnapshotFile),
    )
    .sort((a, b) => (a.knownFrom < b.knownFrom ? -1 : a.knownFrom > b.knownFrom ? 1 : 0));
}

/** The rules of vendors that lists do not spell out, kept by hand in data/prices/rules.json. */
export function readDerivations(): readonly Derivation[] {
  const path = `${folder}rules.json`;
  return existsSync(path) ? rulesSchema.parse(JSON.parse(readFileSync(path, "utf8"))).rules : [];
}

/** Prices of periods, kept by hand in data/prices/periods.json: the lists of prices of calls have no place for them. */
export function readPeriods(): readonly PeriodRecord[] {
  const { records } = periodsSchema.parse(JSON.parse(readFileSync(`${folder}periods.json`, "utf8")));
  return records.map(({ id, provider, model, match, class: name, perMillion, from, to, source }) => ({
    id: `${id}/${provider}/${model}#${name}${from === undefined ? "" : `@${from}`}`,
    provider,
    model,
    match,
    class: name,
    usd: perMillion,
    per: 1_000_000 * unitsPerQuoted(name),
    validFromMs: from === undefined ? null : Date.parse(from),
    validToMs: to === undefined ? null : Date.parse(to),
    source,
  }));
}

/** Storage is quoted by the token-hour, and counted in token-seconds. */
function unitsPerQuoted(name: UsageClass): number {
  return usageClasses[name].unit === "token_second" ? 3600 : 1;
}

const classSchema = z.enum(usageClassNames as [UsageClass, ...UsageClass[]]);
const rulesSchema = z.object({
  rules: z.array(
    z.strictObject({
      id: z.string(),
      provider: z.string(),
      tier: z.string(),
      classes: z.array(classSchema).min(1),
      from: classSchema.nullable(),
      times: z.string().regex(/^\d+(\.\d+)?$/),
      except: z.array(z.strictObject({ model: z.string(), class: classSchema })),
      source: z.string(),
    }),
  ),
});

const periodsSchema = z.object({
  records: z.array(
    z.strictObject({
      id: z.string().regex(/^[\w-]+@[\d-]+$/),
      provider: z.string(),
      model: z.string(),
      match: z.union([z.strictObject({ equals: z.string() }), z.strictObject({ starts_with: z.string() })]),
      class: z.enum(periodClasses),
      perMillion: z.string().regex(/^\d+(\.\d+)?$/),
      from: z.iso.date().optional(),
      to: z.iso.date().optional(),
      source: z.string(),
    }),
  ),
});

export function toRecords(file: SnapshotFile): readonly PriceRecord[] {
  const knownFromMs = Date.parse(file.knownFrom);
  const name = `${file.package.slice(file.package.lastIndexOf("/") + 1)}@${file.version}`;
  const source = `${file.package} ${file.version} (${file.licence}), published ${file.knownFrom}, ${file.source}`;
  return file.models.flatMap((model) =>
    model.prices.map((price) => ({
      id: `${name}/${file.provider}/${model.id}${price.from === null ? "" : `@${price.from}`}${price.window === null ? "" : `@${hours(price.window)}`}`,
      provider: file.provider,
      model: model.id,
      match: model.match,
      contextWindow: model.contextWindow,
      tier: standard,
      region: null,
      prices: toClassPrices(price.rates),
      validFromMs: price.from === null ? null : Date.parse(price.from),
      validToMs: price.to === null ? null : Date.parse(price.to),
      knownFromMs,
      source,
      window: price.window === null ? null : toWindow(price.window),
    })),
  );
}

function toClassPrices(rates: SnapshotPrice["rates"]): PriceRecord["prices"] {
  const prices: { [name in UsageClass]?: ClassPrice } = {};
  for (const key in rates) {
    const known = snapshotKeys[key];
    const price = rates[key];
    if (known === undefined || price === undefined) continue;
    const [name, per] = known;
    prices[name] =
      typeof price === "string"
        ? { per, steps: [{ aboveTokens: -1, usd: price }] }
        : {
            per,
            steps: [
              { aboveTokens: -1, usd: price.base },
              ...price.tiers.map(({ start, price: usd }) => ({ aboveTokens: start, usd })).sort((a, b) => a.aboveTokens - b.aboveTokens),
            ],
          };
  }
  return prices;
}

function hours(window: { readonly from: string; readonly to: string }): string {
  return `${window.from.slice(0, 5)}-${window.to.slice(0, 5)}`;
}

function toWindow(window: { readonly from: string; readonly to: string }): DailyWindow {
  return { fromMs: timeOfDay(window.from), toMs: timeOfDay(window.to) };
}

/** `00:30:00Z` in ms after midnight, UTC. */
function timeOfDay(text: string): number {
  const ms = Date.parse(`1970-01-02T${text}`);
  if (Number.isNaN(ms)) throw new RangeError(`not a time of day with its zone: ${text}`);
  return ms % 86_400_000;
}

function toOwnRecord(price: PriceSettings, index: number, nowMs: number): PriceRecord {
  const place = `prices.${index} (${price.provider}/${price.model})`;
  const prices: { [name in UsageClass]?: ClassPrice } = {};
  for (const [key, per] of [
    ["perMillion", 1_000_000],
    ["perThousand", 1000],
  ] as const)
    for (const [name, usd] of Object.entries(price[key] ?? {})) {
      if (!isUsageClass(name)) throw invalid(`${place}: ${key}.${name} is no usage class; there are ${usageClassNames.join(", ")}`);
      if (prices[name] !== undefined) throw invalid(`${place}: ${name} is priced twice`);
      try {
        parseRate(usd, 1n);
      } catch (cause) {
        throw invalid(`${place}: ${key}.${name} is no decimal number: ${usd}`, cause);
      }
      prices[name] = { per: per * unitsPerQuoted(name), steps: [{ aboveTokens: -1, usd }] };
    }
  if (Object.keys(prices).length === 0) throw invalid(`${place}: no price is given (perMillion or perThousand)`);
  const from = price.validFrom === undefined ? null : Date.parse(price.validFrom);
  const to = price.validTo === undefined ? null : Date.parse(price.validTo);
  if (from !== null && to !== null && to <= from) throw invalid(`${place}: validTo is not after validFrom`);
  const version = createHash("sha256").update(JSON.stringify(price)).digest("hex").slice(0, 12);
  return {
    id: `own@${version}/${price.provider}/${price.model}`,
    provider: price.provider,
    model: price.model,
    match: wildcardRule(price.model),
    contextWindow: null,
    tier: standard,
    region: null,
    prices,
    validFromMs: from,
    validToMs: to,
    knownFromMs: nowMs,
    source: `your own price, prices.${index} of the settings`,
    window: null,
  };
}

function invalid(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("config_invalid", { detail }, cause);
}
