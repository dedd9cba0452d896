// The price book: which records are in force for a model at a time, of all that the lists say. Not here: what a record says (price.ts), how
// a tariff is put together (tariff.ts), what was known when (src/prices/history.ts). Invariant: what it answers depends on the set of its
// layers' records alone, and a name is never priced by a rule that does not match it.

import { compileMatch, type Matcher, type MatchRule, modelCharactersMax, spellDates } from "./match.ts";
import { parseRate } from "./money.ts";
import {
  type DailyWindow,
  type Discount,
  type PriceBook,
  type PriceChoice,
  type PriceLayer,
  type PriceQuery,
  type PriceRecord,
  type PriceSources,
  priceTier,
  standard,
  type Tariff,
} from "./price.ts";
import { makeTariff, ruleMark, type TariffParts } from "./tariff.ts";
import { dayMs } from "./time.ts";

/** Names that are kept resolved, per provider: a bound, since names come from outside. */
const namesMax = 16_384;
const tiersMax = 32;

/** One model of one layer. */
interface Row {
  readonly provider: string;
  readonly model: string;
  readonly match: Matcher;
  readonly records: PriceRecord[];
}

/** The models of one provider in one layer. */
interface Rows {
  readonly rows: readonly Row[];
  /** Whole name → the first row that is for it and no other name, by its place. */
  readonly whole: ReadonlyMap<string, number>;
  /** Places of the rows whose rule must be tried. */
  readonly tried: readonly number[];
}

interface Layer {
  readonly layer: PriceLayer;
  readonly rows: ReadonlyMap<string, Rows>;
  readonly choices: readonly { readonly choice: PriceChoice; readonly match: Matcher }[];
  readonly discounts: readonly { readonly discount: Discount; readonly match: Matcher | null }[];
}

/** The prices between two changes: `fromMs` inclusive, `toMs` exclusive; within a part of each day, if there is a window. */
export interface Slice {
  readonly fromMs: number;
  readonly toMs: number;
  readonly window: DailyWindow | null;
  readonly tariff: Tariff;
}

interface Found {
  readonly layer: PriceLayer;
  /** Prices only what nothing before it does; a list that was chosen prices what it prices. */
  readonly fills: boolean;
  readonly row: Row;
  readonly rule: string;
}

interface Resolved {
  /** In order of precedence. */
  readonly found: readonly Found[];
  readonly discounts: readonly Discount[];
  /** By tier, then region as asked. */
  readonly slices: Map<string, Map<string, readonly Slice[]>>;
}

export interface Book extends PriceBook {
  /** All there is of a model in a tier and region, the earliest first; null when no list names it. */
  slices(query: Omit<PriceQuery, "atMs">): readonly Slice[] | null;
}

/** @throws RangeError or SyntaxError when a record's price or rule is not one; prices are read when their model is first asked for. */
export function createPriceBook(sources: PriceSources): Book {
  const layers = sources.layers.map(toLayer);
  const resolved = new Map<string, Map<string, Resolved | null>>();
  const periods = (sources.periods ?? []).map((record) => ({ record, match: lazy(record.match) }));
  let origins: ReadonlyMap<string, string> | null = null;

  function slicesFor(query: Omit<PriceQuery, "atMs">): readonly Slice[] | null {
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
      regions.set(region, (slices = cut(found, tier, query.region, sources)));
    }
    return slices;
  }

  function listsOf(provider: string): readonly string[] {
    return own(sources.pricesOf, provider) ?? [provider];
  }

  function resolve(provider: string, model: string): Resolved | null {
    const lists = listsOf(provider);
    const chain = lists.flatMap((list) => [list].concat(own(sources.fallbacks, list) ?? []));
    const all = [provider, ...chain];
    const names = spellings(model, all);
    const chosen = layers
      .flatMap(({ choices }) => choices)
      .find(({ choice, match }) => all.includes(choice.provider) && names.some((name) => match(name) !== null))?.choice.source;
    const found: Found[] = [];
    for (const { layer, rows } of layers) {
      if (layer.own) for (const mine of lookUpAll(rows, all, names)) found.push({ layer, fills: false, ...mine });
      const hit = layer.own ? null : lookUp(rows, chain, names);
      if (hit !== null) found.push({ layer, fills: layer.fills === true && layer.source !== chosen, ...hit });
    }
    if (found.length === 0) return null;
    const rank = ({ layer }: Found): number => (layer.own ? 0 : layer.source === chosen ? 1 : 2);
    const discounts = layers
      .flatMap((layer) => layer.discounts)
      .filter(({ discount, match }) => discount.provider === provider && (match === null || names.some((name) => match(name) !== null)))
      .map(({ discount }) => discount);
    return { found: found.toSorted((a, b) => rank(a) - rank(b)), discounts, slices: new Map() };
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
      const lists = listsOf(query.provider);
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
      const slices = (slicesFor(query) ?? []).filter((slice) => covers(slice, query.atMs));
      return [...new Set(slices.map((slice) => slice.tariff))];
    },
    slices: slicesFor,
    source(version) {
      origins ??= originsOf(sources);
      const [record = "", ...rules] = version.split(ruleMark);
      const keys = [record.slice(0, record.indexOf("/")), record, ...rules.flatMap((rule) => [rule, rule.slice(0, rule.indexOf("/"))])];
      const known = keys.map((key) => origins?.get(key)).filter((part) => part !== undefined);
      return known.length === 0 ? null : [...new Set(known)].join("; ");
    },
  };
}

/** By what a version begins with, `SOURCE@VERSION`, and by the ids of rules. */
function originsOf(sources: PriceSources): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  for (const { origin, records, discounts } of sources.layers)
    for (const { id } of [...records, ...discounts]) origins.set(id.slice(0, id.indexOf("/")), origin);
  for (const { id, source } of sources.periods ?? []) origins.set(id, source);
  for (const { id, source } of sources.derivations) origins.set(id, source);
  return origins;
}

/** A list is in every book that is made after it: its models are sorted out once. */
const indexed = new WeakMap<readonly PriceRecord[], ReadonlyMap<string, Rows>>();
const indexedOwn = new WeakMap<readonly PriceRecord[], ReadonlyMap<string, Rows>>();

function toLayer(layer: PriceLayer): Layer {
  const { records } = layer;
  const kept = layer.own ? indexedOwn : indexed;
  let rows = kept.get(records);
  if (rows === undefined) kept.set(records, (rows = index(layer.own ? records.toSorted(byWildcards) : records)));
  return {
    layer,
    rows,
    choices: layer.choices.map((choice) => ({ choice, match: lazy(choice.match) })),
    discounts: layer.discounts.map((discount) => ({ discount, match: discount.match === null ? null : lazy(discount.match) })),
  };
}

/** The user's own in order of how much they say: a whole name before wildcards, and of these the one with more text. */
function byWildcards(a: PriceRecord, b: PriceRecord): number {
  const [one, other] = [a.model, b.model].map((model) => ({ isWild: model.includes("*"), text: model.replaceAll("*", "").length }));
  if (one === undefined || other === undefined || !(one.isWild || other.isWild)) return 0;
  return Number(one.isWild) - Number(other.isWild) || other.text - one.text;
}

/** Records of one model stand together, in the order in which the list names its models: the first rule that matches wins. */
function index(records: readonly PriceRecord[]): ReadonlyMap<string, Rows> {
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
      toRows(
        [...models].map(([model, { record, records: same }]) => ({ provider, model, match: lazy(record.match), records: same })),
        [...models.values()].map(({ record }) => record.match),
      ),
    ]),
  );
}

function toRows(rows: readonly Row[], rules: readonly MatchRule[]): Rows {
  const whole = new Map<string, number>();
  const tried: number[] = [];
  for (const [place, rule] of rules.entries())
    if (!("equals" in rule)) tried.push(place);
    else if (!whole.has(rule.equals.toLowerCase())) whole.set(rule.equals.toLowerCase(), place);
  return { rows, whole, tried };
}

/** A provider may have the name of what every object has. */
function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
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
  layer: ReadonlyMap<string, Rows>,
  providers: readonly string[],
  names: readonly string[],
): { readonly row: Row; readonly rule: string } | null {
  for (const name of names)
    for (const provider of providers) {
      const rows = layer.get(provider);
      const hit = rows === undefined ? null : firstOf(rows, name);
      if (hit !== null) return hit;
    }
  return null;
}

/** Every row whose rule matches, the one that says most first: where one has no price for a time or a class, the next one may. */
function lookUpAll(
  layer: ReadonlyMap<string, Rows>,
  providers: readonly string[],
  names: readonly string[],
): readonly { readonly row: Row; readonly rule: string }[] {
  const found = new Map<Row, string>();
  for (const name of names)
    for (const provider of providers)
      for (const row of layer.get(provider)?.rows ?? []) {
        const rule = found.has(row) ? null : row.match(name);
        if (rule !== null) found.set(row, rule);
      }
  return [...found].map(([row, rule]) => ({ row, rule }));
}

/** The first whose rule matches. Most rules are a whole name, and are not tried one by one. */
function firstOf({ rows, whole, tried }: Rows, name: string): { readonly row: Row; readonly rule: string } | null {
  const exact = whole.get(name) ?? Infinity;
  for (const place of [...tried.filter((one) => one < exact), exact]) {
    const row = rows[place];
    const rule = row?.match(name) ?? null;
    if (row !== undefined && rule !== null) return { row, rule };
  }
  return null;
}

/** All tariffs of a model in a tier, the earliest first: time is cut wherever a record or a discount begins or ends. */
function cut(resolved: Resolved, tier: string, region: string | null, sources: PriceSources): readonly Slice[] {
  const chosen = resolved.found.map((found) => ({ ...found, records: recordsOf(found.row, tier, region) }));
  const bases = tier === standard ? [] : cut(resolved, standard, region, sources);
  const spans: readonly (PriceRecord | Discount)[] = [...chosen.flatMap(({ records }) => records), ...resolved.discounts];
  const edges = new Set(bases.flatMap(({ fromMs, toMs }) => [fromMs, toMs]));
  for (const { validFromMs, validToMs } of spans) edges.add(validFromMs ?? -Infinity).add(validToMs ?? Infinity);
  edges.add(-Infinity).add(Infinity);
  const times = [...edges].sort((a, b) => a - b);
  const windows = [...chosen.flatMap(({ records }) => records.map(({ window }) => window)), ...bases.map(({ window }) => window)];
  const slices: Slice[] = [];
  const made = new Map<string, Tariff | null>();
  for (const [index, fromMs] of times.slice(0, -1).entries())
    for (const window of partsOfDay(windows)) {
      const inForce = chosen.flatMap(({ layer, fills, records }) => {
        return records.filter((one) => holds(one, fromMs, window)).map((record) => ({ record, own: layer.own, fills }));
      });
      const base =
        bases.find((slice) => covers(slice, fromMs) && (slice.window === null || includes(slice.window, window)))?.tariff ?? null;
      const discounts = resolved.discounts.filter((discount) => isValid(discount, fromMs));
      const mark = [
        ...inForce.map(({ record }) => spans.indexOf(record)),
        ...discounts.map((one) => spans.indexOf(one)),
        bases.findIndex((slice) => slice.tariff === base),
      ].join();
      let tariff = made.get(mark);
      if (tariff === undefined) made.set(mark, (tariff = tariffOf(resolved, tier, inForce, base, discounts, sources)));
      const toMs = times[index + 1] as number;
      if (tariff !== null) slices.push({ fromMs, toMs, window, tariff });
    }
  return join(slices);
}

function tariffOf(
  { found }: Resolved,
  tier: string,
  records: TariffParts["records"],
  base: Tariff | null,
  discounts: readonly Discount[],
  { derivations }: PriceSources,
): Tariff | null {
  if (records.length === 0 && base === null) return null;
  const { row } = found.find(({ layer }) => !layer.own) ?? (found[0] as Found);
  // A price of one's own that is for another time or tier is no rule by which this one was found.
  const bears = ({ layer, row: { records: all } }: Found): boolean => !layer.own || records.some(({ record }) => all.includes(record));
  const bearing = found.some(bears) ? found.filter(bears) : found;
  const rules = bearing.map(({ layer, rule }) => (layer.own ? `own price: ${rule}` : rule));
  return makeTariff({
    provider: row.provider,
    model: row.model,
    rule: [...new Set(rules)].join("; "),
    tier,
    contextWindow: found.flatMap((one) => one.row.records.map((record) => record.contextWindow)).find((window) => window !== null) ?? null,
    records,
    base: tier === standard ? null : base,
    fillers: found.filter(({ fills }) => fills).map(({ layer }) => layer.name),
    derivations,
    discounts,
  });
}

/** Class by class the first that has it goes: of the region before those of none, of a part of the day, what began last, what the list says last. */
function recordsOf(row: Row, tier: string, region: string | null): readonly PriceRecord[] {
  return row.records
    .filter((record) => record.tier === tier && (record.region === null || record.region === region))
    .toReversed()
    .toSorted(
      (a, b) =>
        Number(a.region === null) - Number(b.region === null) ||
        Number(a.window === null) - Number(b.window === null) ||
        (b.validFromMs ?? -Infinity) - (a.validFromMs ?? -Infinity) ||
        0,
    );
}

/** The day cut wherever a window begins or ends; no window: the whole of it. */
function partsOfDay(windows: readonly (DailyWindow | null)[]): readonly (DailyWindow | null)[] {
  const edges = [...new Set(windows.flatMap((window) => (window === null ? [] : [window.fromMs, window.toMs])))].sort((a, b) => a - b);
  if (edges.length < 2) return [null];
  return edges.map((fromMs, index) => ({ fromMs, toMs: edges[index + 1] ?? (edges[0] as number) }));
}

/** Neighbours of one tariff are one slice, where the whole day is meant. */
function join(slices: readonly Slice[]): readonly Slice[] {
  const joined: Slice[] = [];
  for (const slice of slices) {
    const last = joined.at(-1);
    const isSame = last?.tariff === slice.tariff && last.toMs === slice.fromMs && last.window === null && slice.window === null;
    if (last !== undefined && isSame) joined[joined.length - 1] = { ...last, toMs: slice.toMs };
    else joined.push(slice);
  }
  return joined;
}

function holds(record: PriceRecord, atMs: number, part: DailyWindow | null): boolean {
  return isValid(record, atMs) && (record.window === null || includes(record.window, part));
}

function isValid(
  { validFromMs, validToMs }: { readonly validFromMs: number | null; readonly validToMs: number | null },
  atMs: number,
): boolean {
  return (validFromMs ?? -Infinity) <= atMs && atMs < (validToMs ?? Infinity);
}

/** Whether a part of the day that lies wholly within or without a window lies within. */
function includes(window: DailyWindow, part: DailyWindow | null): boolean {
  return part === null || isWithin(window, part.fromMs);
}

function covers(slice: Slice, atMs: number): boolean {
  return slice.fromMs <= atMs && atMs < slice.toMs;
}

function isWithin(window: DailyWindow, atMs: number): boolean {
  const ms = ((atMs % dayMs) + dayMs) % dayMs;
  return window.fromMs <= window.toMs ? window.fromMs <= ms && ms < window.toMs : window.fromMs <= ms || ms < window.toMs;
}
