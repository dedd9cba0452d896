// What the API answers about prices: models, rates, history, disputes, lists, what has no price, and trends. Not here: how it is asked (api.ts),
// what the words mean (docs/prices.md). Invariant: amounts of money stay the decimal strings that the API gave.

export interface PriceLine {
  readonly class: string;
  /** Holds for requests of more input tokens than this. */
  readonly aboveTokens: number;
  readonly ratePico: string;
  readonly ratePer: string;
  /** null: no decimal is exact. */
  readonly rateUsd: string | null;
  readonly rateUnits: number;
  readonly version: string;
  readonly source: string;
}

export interface PricesInForce {
  readonly provider: string;
  readonly pricesOf: string;
  readonly model: string;
  readonly rule: string;
  readonly tier: string;
  readonly region: string | null;
  readonly contextWindow: number | null;
  readonly atMs: number;
  readonly knownMs: number | null;
  /** None: the model is known, and has no price in this tier. */
  readonly lines: readonly PriceLine[];
}

export interface PriceSpan {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Times of day in UTC, ms after midnight; null: all day. */
  readonly window: { readonly fromMs: number; readonly toMs: number } | null;
  readonly lines: readonly PriceLine[];
}

export interface PriceHistory {
  readonly tier: string;
  readonly knownMs: number | null;
  /** What begins later is announced. */
  readonly nowMs: number;
  readonly spans: readonly PriceSpan[];
}

export interface Dispute {
  readonly class: string;
  readonly per: number;
  /** In order of precedence: the first is in force. */
  readonly said: readonly { readonly source: string; readonly version: string; readonly usd: string }[];
  readonly lowest: string;
  readonly highest: string;
  readonly differs: boolean;
}

export interface Disputes {
  readonly models: readonly { readonly provider: string; readonly model: string; readonly disputes: readonly Dispute[] }[];
  readonly truncated: boolean;
}

export interface ListedModel {
  readonly provider: string;
  readonly model: string;
  /** Whose its price of input and output is; `mixed`: not all of one; null: it has none in force. */
  readonly source: string | null;
  readonly sources: readonly string[];
  readonly tiers: readonly string[];
  readonly contextWindow: number | null;
  /** Dollars per million tokens, per thousand of what is no token, by class. */
  readonly prices: Readonly<Record<string, string | undefined>>;
  readonly disputed: readonly string[];
  readonly changesMs: number | null;
}

export interface PricedModels {
  readonly atMs: number;
  readonly knownMs: number | null;
  readonly models: readonly ListedModel[];
  readonly total: number;
  readonly disputed: number;
  readonly truncated: boolean;
}

export interface PriceList {
  readonly source: string;
  readonly version: string;
  /** SOURCE@VERSION. */
  readonly name: string;
  readonly origin: string;
  readonly own: boolean;
  /** null: it waits to be taken. */
  readonly taken: { readonly takenMs: number; readonly knownMs: number } | null;
  readonly superseded: boolean;
  readonly records: number;
}

export interface PriceLists {
  readonly lists: readonly PriceList[];
}

export interface PriceChange {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly region: string | null;
  readonly class: string;
  readonly aboveTokens: number;
  readonly before: string | null;
  readonly after: string | null;
  readonly fromMs: number | null;
}

export interface PricePreview {
  readonly list: Pick<PriceList, "source" | "version" | "name" | "origin" | "records"> & { readonly published: string | null };
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly changes: readonly PriceChange[];
  readonly truncated: boolean;
  readonly warnings: readonly {
    readonly provider: string;
    readonly model: string;
    readonly class: string | null;
    readonly detail: string;
  }[];
  readonly skipped: readonly { readonly what: string; readonly why: string; readonly count: number }[];
}

/** Calls on record as unpriced for which there is a price now. */
export interface NowPriced {
  readonly calls: number;
  readonly sinceMs: number | null;
}

export interface UnpricedModel {
  readonly provider: string;
  readonly model: string | null;
  readonly tier: string;
  readonly region: string | null;
  readonly calls: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly classes: readonly {
    readonly class: string;
    readonly unit: string;
    readonly calls: number;
    readonly quantity: number | null;
    /** There is a price by now: a re-rating books it. */
    readonly priced: boolean;
  }[];
  /** null: everything seen has a price by now. */
  readonly record: { readonly yaml: string; readonly command: string } | null;
}

export interface Unpriced {
  readonly models: readonly UnpricedModel[];
  readonly truncated: boolean;
}

export interface TrendDirection {
  readonly tokens: number;
  readonly cost: string;
  readonly perMillion: string | null;
  readonly list: string | null;
}

export interface TrendBucket {
  readonly bucket: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly calls: number;
  readonly tokens: number;
  readonly cost: string;
  readonly perMillion: string | null;
  readonly listCost: string | null;
  readonly listPerMillion: string | null;
  readonly paidShare: string | null;
  readonly input: TrendDirection;
  readonly output: TrendDirection;
  readonly tasks: number;
  readonly taskCost: string;
  readonly perTask: string | null;
  /** The first bucket that has one is 100. */
  readonly tokenIndex: string | null;
  readonly taskIndex: string | null;
}

export interface PriceTrend {
  readonly by: "day" | "week" | "month";
  readonly buckets: readonly TrendBucket[];
  readonly announced: readonly { readonly fromMs: number; readonly input: string | null; readonly output: string | null }[];
}

/** What classes are counted in that are no tokens. */
const units: Readonly<Record<string, string>> = {
  web_search: "search",
  web_fetch: "fetch",
  file_search: "search",
  code_execution: "run",
  rerank: "search",
  input_pages: "page",
  images: "image",
  input_audio_seconds: "hour of audio",
  minimum: "unit",
  request: "request",
  compute: "hour",
  hosting: "hour",
  cache_storage: "token-hour",
  task: "task",
};
const thousands: ReadonlySet<string> = new Set(["web_search", "web_fetch", "file_search", "code_execution", "rerank", "input_pages"]);
const hours: ReadonlySet<string> = new Set(["compute", "hosting", "cache_storage", "input_audio_seconds"]);

/** Classes that a price can be set for by hand, those that most models have first. */
export const setClasses: readonly string[] = [
  "input",
  "cache_read",
  "cache_write",
  "cache_write_5m",
  "cache_write_1h",
  "output",
  "reasoning",
  "input_audio",
  "cache_read_audio",
  "output_audio",
  "input_image",
  "cache_read_image",
  "output_image",
  "input_video",
  "output_video",
  "citation",
  "training",
  // What a task cost elsewhere is said as an amount, and has no price.
  ...Object.keys(units).filter((name) => name !== "task"),
];

/** In the order in which they can be chosen: what came in, what went out, then the rest. */
export function compareClasses(a: string, b: string): number {
  return placeOf(a) - placeOf(b);
}

function placeOf(name: string): number {
  const place = setClasses.indexOf(name);
  return place < 0 ? setClasses.length : place;
}

export type Quote = "perMillion" | "perThousand" | "perUnit" | "perHour";

/** How a price of a class is quoted in a price file. */
export function quoteOf(name: string): Quote {
  if (hours.has(name)) return "perHour";
  return thousands.has(name) ? "perThousand" : units[name] === undefined ? "perMillion" : "perUnit";
}

/** The same in words: `1M tokens`, `1,000 searches`, `image`. */
export function quoteWords(name: string): string {
  const unit = units[name];
  if (unit === undefined) return "1M tokens";
  return thousands.has(name) ? `1,000 ${unit === "search" ? "searches" : unit === "fetch" ? "fetches" : `${unit}s`}` : unit;
}

/** A rate's units as it is looked up: like a price file's, with hours spelt out where it is not. */
export function rateWords(name: string, rateUnits: number): string {
  const unit = units[name];
  if (unit === undefined) return rateUnits === 1_000_000 ? "1M tokens" : `${rateUnits} tokens`;
  if (name === "compute") return rateUnits === 3_600_000 ? "hour" : `${rateUnits} ms`;
  if (name === "hosting" || name === "input_audio_seconds") return rateUnits === 1 ? "second" : `${rateUnits} s`;
  if (name === "cache_storage") return rateUnits === 1 ? "token-second" : `${rateUnits} token-seconds`;
  return rateUnits === 1_000 ? quoteWords(name) : rateUnits === 1 ? unit : `${rateUnits} ${unit}s`;
}

/** Classes whose price a list of models gives for a thousand although a price file has it by the piece: what a line of a list is for. */
export function listWords(name: string): string {
  return units[name] === undefined ? "1M tokens" : "1,000";
}

export function nameClass(name: string): string {
  return name.replaceAll("_", " ");
}
