// Prices: dated records of what a provider asks, and the book that finds the ones in force for a call. Not here: reading files
// (prices.ts), arithmetic (money.ts), what a usage costs (rating.ts). Invariant: a price that is not known is absent, never 0 and never
// another tier's; where a class takes another class's price, the price's version says which.

import { compileMatch, type Matcher, type MatchRule, modelCharactersMax, spellDates } from "./match.ts";
import { parseRate, type Rate, scaleRate } from "./money.ts";
import type { UsageClass } from "./usage.ts";

/** Dollars for `per` units, as exact decimal text; each step holds for calls with more input tokens than `aboveTokens`. */
export interface ClassPrice {
  readonly per: number;
  /** Ascending; the first is above -1 tokens: the price of every call. */
  readonly steps: readonly { readonly aboveTokens: number; readonly usd: string }[];
}

export type ClassPrices = { readonly [name in UsageClass]?: ClassPrice };

/** A time of day in UTC, in ms after midnight: from inclusive, to exclusive; `to` below `from` goes over midnight. */
export interface DailyWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What one model at one provider costs in one tier over one span of time, as one source knew it. */
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
  /** When it was learned. */
  readonly knownFromMs: number;
  /** Where it was read, in words. */
  readonly source: string;
  readonly window: DailyWindow | null;
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
  readonly listed: readonly PriceRecord[];
  /** The user's own: these go before the listed ones, class by class. */
  readonly own: readonly PriceRecord[];
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

/** Names that are kept resolved, per provider: a bound, since names come from outside. */
const namesMax = 16_384;
const tiersMax = 32;
/** Between the version of the price that was scaled and the rule that says by how much. */
const ruleMark = " by ";
const dayMs = 86_400_000;

interface Row {
  readonly provider: string;
  readonly model: string;
  readonly match: Matcher;
  readonly records: PriceRecord[];
}

interface Slice {
  readonly fromMs: number;
  readonly toMs: number;
  readonly window: DailyWindow | null;
  readonly tariff: Tariff;
}

interface Resolved {
  readonly own: Row | null;
  readonly listed: Row | null;
  readonly rule: string;
  /** By tier, then region as asked. */
  readonly slices: Map<string, Map<string, readonly Slice[]>>;
}

/** @throws RangeError or SyntaxError when a record's price or rule is not one; prices are read when their model is first asked for. */
export function createPriceBook(sources: PriceSources): PriceBook {
  const listed = index(sources.listed);
  const own = index(sources.own);
  const resolved = new Map<string, Map<string, Resolved | null>>();
  const periods = (sources.periods ?? []).map((record) => ({ record, match: lazy(record.match) }));
  let origins: ReadonlyMap<string, string> | null = null;

  function slicesFor(query: PriceQuery): readonly Slice[] | null {
    let names = resolved.get(query.provider);
    if (names === undefined) resolved.set(query.provider, (names = new Map()));
    let found = names.get(query.model);
    if (found === undefined) {
      if (query.model.length > modelCharactersMax) return null;
      if (names.size >= namesMax) names.clear();
      found = resolve(query.provider, query.model);
      names.set(query.model, found);
    }
    if (found === null) return null;
    const tier = query.tier === null ? standard : priceTier(query.tier);
    let regions = found.slices.get(tier);
    if (regions === undefined) {
      if (found.slices.size >= tiersMax) found.slices.clear();
      found.slices.set(tier, (regions = new Map()));
    }
    const region = query.region ?? "";
    let slices = regions.get(region);
    if (slices === undefined) {
      if (regions.size >= tiersMax) regions.clear();
      regions.set(region, (slices = cut(found, tier, query.region, sources.derivations)));
    }
    return slices;
  }

  function resolve(provider: string, model: string): Resolved | null {
    const lists = sources.pricesOf[provider] ?? [provider];
    const chain = lists.flatMap((list) => [list].concat(sources.fallbacks[list] ?? []));
    const names = spellings(model, [provider, ...chain]);
    const mine = lookUp(own, [provider, ...chain], names);
    const theirs = lookUp(listed, chain, names);
    if (mine === null && theirs === null) return null;
    const rule = [mine === null ? null : `own price: ${mine.rule}`, theirs?.rule].filter((part) => part !== null && part !== undefined);
    return { own: mine?.row ?? null, listed: theirs?.row ?? null, rule: rule.join("; "), slices: new Map() };
  }

  function find(query: PriceQuery): Tariff | null {
    const slices = slicesFor(query);
    if (slices === null) return null;
    for (const slice of slices)
      if (covers(slice, query.atMs) && (slice.window === null || isWithin(slice.window, query.atMs))) return slice.tariff;
    return null;
  }

  return {
    find,
    findPeriod(query, name) {
      const tariff = find(query);
      const [step] = tariff?.prices[name] ?? [];
      if (tariff !== null && step !== undefined) return { model: tariff.model, step };
      if (query.model.length > modelCharactersMax) return null;
      const lists = sources.pricesOf[query.provider] ?? [query.provider];
      const names = spellings(query.model, [query.provider, ...lists]);
      for (const { record, match } of periods) {
        const isValid = (record.validFromMs ?? -Infinity) <= query.atMs && query.atMs < (record.validToMs ?? Infinity);
        if (record.class !== name || !isValid || !lists.includes(record.provider) || !names.some((one) => match(one) !== null)) continue;
        const rate = parseRate(record.usd, BigInt(record.per));
        return { model: record.model, step: { aboveTokens: -1, rate, price: record.id } };
      }
      return null;
    },
    findAll(query) {
      return (slicesFor(query) ?? []).filter((slice) => covers(slice, query.atMs)).map((slice) => slice.tariff);
    },
    source(version) {
      origins ??= originsOf(sources);
      const [record = "", rule] = version.split(ruleMark);
      const parts = [record.slice(0, record.indexOf("/")), record, rule].map((key) => (key === undefined ? undefined : origins?.get(key)));
      const known = parts.filter((part) => part !== undefined);
      return known.length === 0 ? null : known.join("; ");
    },
  };
}

/** By what a version begins with, `SOURCE@VERSION`, and by the ids of rules. */
function originsOf(sources: PriceSources): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  for (const { id, source } of [...sources.own, ...sources.listed]) origins.set(id.slice(0, id.indexOf("/")), source);
  for (const { id, source } of sources.periods ?? []) origins.set(id, source);
  for (const { id, source } of sources.derivations) origins.set(id, source);
  return origins;
}

/** Records of one model stand together, in the order in which the list names its models: the first rule that matches wins. */
function index(records: readonly PriceRecord[]): ReadonlyMap<string, readonly Row[]> {
  const providers = new Map<string, Map<string, { record: PriceRecord; records: PriceRecord[] }>>();
  for (const record of records) {
    let models = providers.get(record.provider);
    if (models === undefined) providers.set(record.provider, (models = new Map()));
    const model = models.get(record.model);
    if (model === undefined) models.set(record.model, { record, records: [record] });
    else model.records.push(record);
  }
  return new Map(
    [...providers].map(([provider, models]) => [
      provider,
      [...models].map(([model, { record, records }]) => ({ provider, model, match: lazy(record.match), records })),
    ]),
  );
}

function lazy(rule: MatchRule): Matcher {
  let matcher: Matcher | null = null;
  return (name) => (matcher ??= compileMatch(rule))(name);
}

/** The name as it came, with its date spelled out, and both without a leading `provider/` that names who is asked. */
function spellings(model: string, providers: readonly string[]): readonly string[] {
  const name = model.trim().toLowerCase();
  const slash = name.indexOf("/");
  const bare = slash > 0 && providers.includes(name.slice(0, slash)) ? [name.slice(slash + 1)] : [];
  return [...new Set([name, ...bare].flatMap((spelling) => [spelling, spellDates(spelling)]))];
}

function lookUp(
  lists: ReadonlyMap<string, readonly Row[]>,
  providers: readonly string[],
  names: readonly string[],
): { readonly row: Row; readonly rule: string } | null {
  for (const name of names)
    for (const provider of providers)
      for (const row of lists.get(provider) ?? []) {
        const rule = row.match(name);
        if (rule !== null) return { row, rule };
      }
  return null;
}

/** All tariffs of a model in a tier, the one that goes first standing first: own prices, then daily windows, then what was learned last. */
function cut(found: Resolved, tier: string, region: string | null, derivations: readonly Derivation[]): readonly Slice[] {
  const own = recordsOf(found.own, tier, region);
  const listed = recordsOf(found.listed, tier, region);
  const pairs: [PriceRecord | null, PriceRecord | null][] = [
    ...own.flatMap((mine) => listed.filter((theirs) => overlap(mine, theirs)).map((theirs): [PriceRecord, PriceRecord] => [mine, theirs])),
    ...own.map((mine): [PriceRecord, null] => [mine, null]),
    ...listed.map((theirs): [null, PriceRecord] => [null, theirs]),
  ];
  if (pairs.length > 0) return pairs.map(([mine, theirs]) => slice(found, tier, mine, theirs, derivations));
  if (tier === standard) return [];
  return cut(found, standard, region, derivations).map(({ fromMs, toMs, window, tariff }) => ({
    fromMs,
    toMs,
    window,
    tariff: deriveTier(tariff, tier, derivations),
  }));
}

function recordsOf(row: Row | null, tier: string, region: string | null): readonly PriceRecord[] {
  const inTier = (row?.records ?? []).filter((record) => record.tier === tier);
  const regional = region === null ? [] : inTier.filter((record) => record.region === region);
  const chosen = regional.length > 0 ? regional : inTier.filter((record) => record.region === null);
  return chosen.toSorted((a, b) => Number(a.window === null) - Number(b.window === null) || b.knownFromMs - a.knownFromMs);
}

function overlap(a: PriceRecord, b: PriceRecord): boolean {
  return (a.validFromMs ?? -Infinity) < (b.validToMs ?? Infinity) && (b.validFromMs ?? -Infinity) < (a.validToMs ?? Infinity);
}

function slice(
  found: Resolved,
  tier: string,
  mine: PriceRecord | null,
  theirs: PriceRecord | null,
  derivations: readonly Derivation[],
): Slice {
  const records = [mine, theirs].filter((record) => record !== null);
  const row = (found.listed ?? found.own) as Row;
  const own: { [name in UsageClass]?: { readonly record: PriceRecord; readonly price: ClassPrice } } = {};
  for (const record of records.toReversed())
    for (const name of Object.keys(record.prices) as UsageClass[]) own[name] = { record, price: record.prices[name] as ClassPrice };
  const prices: { [name in UsageClass]?: readonly PricedStep[] } = {};
  for (const name of Object.keys(own) as UsageClass[]) {
    const { record, price } = own[name] as NonNullable<(typeof own)[UsageClass]>;
    prices[name] = readSteps(price, `${record.id}#${name}`);
  }
  const included: { [name in UsageClass]?: readonly PricedStep[] } = {};
  for (const name of Object.keys(includedIn) as UsageClass[]) {
    const steps = prices[name] ?? include(prices, name);
    if (steps !== undefined) included[name] = steps;
  }
  const tariff = {
    provider: row.provider,
    model: row.model,
    rule: found.rule,
    tier,
    contextWindow: row.records[0]?.contextWindow ?? null,
    own: mine !== null,
    prices: { ...prices, ...included },
  };
  return {
    fromMs: Math.max(...records.map((record) => record.validFromMs ?? -Infinity)),
    toMs: Math.min(...records.map((record) => record.validToMs ?? Infinity)),
    window: mine?.window ?? theirs?.window ?? null,
    tariff: tier === standard ? addDerived(tariff, derivations) : tariff,
  };
}

function readSteps(price: ClassPrice, id: string): readonly PricedStep[] {
  return price.steps.map(({ aboveTokens, usd }) => ({
    aboveTokens,
    rate: parseRate(usd, BigInt(price.per)),
    price: aboveTokens < 0 ? id : `${id}>${aboveTokens}`,
  }));
}

/** `prices` has the classes with a price of their own only: a fallback is never taken from another fallback. */
function include(prices: Tariff["prices"], name: UsageClass): readonly PricedStep[] | undefined {
  for (const level of includedIn[name] ?? []) {
    const priced = level.filter((other) => prices[other] !== undefined);
    if (priced.length > 1) return undefined;
    if (priced[0] !== undefined) return prices[priced[0]];
  }
  return undefined;
}

function addDerived(tariff: Tariff, derivations: readonly Derivation[]): Tariff {
  const derived = derive(tariff, standard, derivations);
  return { ...tariff, prices: { ...derived, ...tariff.prices } };
}

function deriveTier(base: Tariff, tier: string, derivations: readonly Derivation[]): Tariff {
  return { ...base, tier, prices: derive(base, tier, derivations) };
}

function derive(base: Tariff, tier: string, derivations: readonly Derivation[]): Tariff["prices"] {
  const prices: { [name in UsageClass]?: readonly PricedStep[] } = {};
  for (const rule of derivations) {
    if (rule.provider !== base.provider || rule.tier !== tier) continue;
    for (const name of rule.classes) {
      if (rule.except.some((other) => other.model === base.model && other.class === name)) continue;
      if (rule.times === "0") {
        prices[name] = [{ aboveTokens: -1, rate: { pico: 0n, per: 1n }, price: rule.id }];
        continue;
      }
      const steps = base.prices[rule.from ?? name];
      if (steps === undefined) continue;
      prices[name] = steps.map((step) => ({
        aboveTokens: step.aboveTokens,
        rate: scaleRate(step.rate, rule.times),
        price: `${step.price}${ruleMark}${rule.id}`,
      }));
    }
  }
  return prices;
}

function covers(slice: Slice, atMs: number): boolean {
  return slice.fromMs <= atMs && atMs < slice.toMs;
}

function isWithin(window: DailyWindow, atMs: number): boolean {
  const ms = ((atMs % dayMs) + dayMs) % dayMs;
  return window.fromMs <= window.toMs ? window.fromMs <= ms && ms < window.toMs : window.fromMs <= ms || ms < window.toMs;
}
