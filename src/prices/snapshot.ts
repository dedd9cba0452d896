// The lists that are part of Pennyworth: dated snapshots of @pydantic/genai-prices in data/prices/, one folder for each version. Not here: the
// vendors' rules beside them (rules.ts). Invariant: a price is read as the exact decimal text it was copied as.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { MatchRule } from "../core/match.ts";
import { compareText } from "../core/order.ts";
import { type ClassPrice, type DailyWindow, type PriceRecord, standard } from "../core/price.ts";
import { dayMs } from "../core/time.ts";
import type { UsageClass } from "../core/usage.ts";
import type { PriceList } from "./list.ts";

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
const folder = fileURLToPath(new URL("../../data/prices/", import.meta.url));

/** All snapshots, the oldest first. */
export function readSnapshots(): readonly SnapshotFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith("genai-prices-") && !entry.name.endsWith(".tmp"))
    .flatMap((entry) =>
      readdirSync(`${folder}${entry.name}`)
        .filter((name) => name.endsWith(".json"))
        .map((name) => JSON.parse(readFileSync(`${folder}${entry.name}/${name}`, "utf8")) as SnapshotFile),
    )
    .sort((a, b) => compareText(a.knownFrom, b.knownFrom));
}

/** What is part of Pennyworth: the snapshots, and the lists beside them of what they leave out (scripts/tiers.ts). */
export function readShipped(): readonly PriceList[] {
  return [...readSnapshotLists(), ...readOverlays()];
}

/** Lists that stand beside the snapshots, each in a folder of its own, the oldest first. */
function readOverlays(): readonly PriceList[] {
  return readdirSync(folder)
    .filter((name) => /^tiers-\d{4}-\d{2}-\d{2}$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(`${folder}${name}/list.json`, "utf8")) as PriceList);
}

/** All snapshots as lists, the oldest first: one for each version. */
export function readSnapshotLists(): readonly PriceList[] {
  const files = readSnapshots();
  const versions = new Map(files.map((file) => [`${sourceOf(file)}@${file.version}`, file]));
  return [...versions.values()].map((file) => ({
    source: sourceOf(file),
    version: file.version,
    origin: `${file.package} ${file.version} (${file.licence}), published ${file.knownFrom}, ${file.source}`,
    published: file.knownFrom,
    records: files.filter((other) => other.package === file.package && other.version === file.version).flatMap(toRecords),
    discounts: [],
    choices: [],
  }));
}

/** Provider → whose list to look in next, when it resells models: as the newest snapshot says. */
export function readFallbacks(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(readSnapshots().map((file) => [file.provider, file.fallbacks]));
}

function sourceOf(file: SnapshotFile): string {
  return file.package.slice(file.package.lastIndexOf("/") + 1);
}

function toRecords(file: SnapshotFile): readonly PriceRecord[] {
  return file.models.flatMap((model) => toModelRecords(`${sourceOf(file)}@${file.version}`, file.provider, model));
}

/** `name`: `SOURCE@VERSION`. @throws RangeError when a window's time is none. */
export function toModelRecords(name: string, provider: string, model: SnapshotModel): readonly PriceRecord[] {
  return model.prices.map((price) => ({
    id: `${name}/${provider}/${model.id}${price.from === null ? "" : `@${price.from}`}${price.window === null ? "" : `@${hours(price.window)}`}`,
    provider,
    model: model.id,
    match: model.match,
    contextWindow: model.contextWindow,
    tier: standard,
    region: null,
    prices: toClassPrices(price.rates),
    validFromMs: price.from === null ? null : Date.parse(price.from),
    validToMs: price.to === null ? null : Date.parse(price.to),
    window: price.window === null ? null : toWindow(price.window),
  }));
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
  return ms % dayMs;
}
