// The desk at which prices are asked for and lists are handed in: what the control API knows of the price book. Not here: reading a file of
// prices (parse.ts), what was known when (history.ts), what a call costs. Invariant: nothing takes effect that was not asked for, and a list
// is on disk before the journal names it.

import { createHash } from "node:crypto";
import { type Book, createPriceBook } from "../core/book.ts";
import type { Entry, TakenList } from "../core/entry.ts";
import { showRate } from "../core/money.ts";
import { compareText } from "../core/order.ts";
import type { PricedStep, Tariff } from "../core/price.ts";
import { listUnits } from "../core/quote.ts";
import type { UsageClass } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { turns } from "../turn.ts";
import { disputesOf } from "./dispute.ts";
import { parseApart } from "./fork.ts";
import { baseSource, type History, isDropped, type StandingList } from "./history.ts";
import type { PriceList } from "./list.ts";
import { previewOf } from "./preview.ts";
import type { Read } from "./reader.ts";
import { without } from "./unset.ts";
import { settingsSource } from "./settings.ts";
import { type Shelf, takeShipped } from "./shelf.ts";
import { readShipped } from "./snapshot.ts";
import type {
  ListedModel,
  ListedPrices,
  ListOptions,
  ListPreview,
  PriceFound,
  PriceLine,
  PriceQuery,
  PricesAccess,
  PriceSpan,
} from "./view.ts";
import { witnessesAt } from "./witness.ts";

/** The list to which `prices set` adds. */
export const ownSource = "own";

/** Prices, discounts and choices of that list: each change of one of them keeps the list again. */
export const ownMax = 5_000;

export interface DeskEffects {
  readonly history: History;
  readonly shelf: Shelf;
  /** Lists that are part of Pennyworth and were not taken. */
  readonly waiting: readonly PriceList[];
  readonly pricesOf: Readonly<Record<string, readonly string[]>>;
  readonly now: () => number;
  /** @throws PennyworthError `journal_unwritable`. */
  readonly record: (entry: Extract<Entry, { kind: "prices.taken" }>) => void;
}

export function createDesk({ history, shelf, waiting, pricesOf, now, record }: DeskEffects): PricesAccess {
  const still = [...waiting];
  /** One change at a time: what it was decided by holds until it is on record. */
  const inTurn = turns();
  let listedLast: { readonly mark: string; readonly book: Book } | null = null;

  function note(list: PriceList, taken: TakenList): ListedPrices {
    const { hash } = taken;
    record({ kind: "prices.taken", list: taken });
    history.add({ taken, list, ...(hash === null || taken.records === 0 ? {} : { again: () => shelf.recall(hash) }) });
    return toListed({ taken, list }, history.lists);
  }

  /** Now, or right after what was last heard of the source: no two of its lists are known since one moment. */
  function nextOf(source: string, nowMs: number): number {
    const own = history.lists.filter(({ taken }) => taken.source === source);
    return Math.max(nowMs, ...own.map(({ taken }) => taken.knownMs + 1));
  }

  async function take(list: PriceList, known: number | null): Promise<ListedPrices> {
    const nowMs = now();
    const knownMs = known ?? nextOf(list.source, nowMs);
    if (known !== null && known > nowMs)
      throw new PennyworthError("prices_invalid", { detail: "a list cannot be known from a time that is yet to come" });
    const twin = history.lists.find(({ taken }) => taken.source === list.source && taken.knownMs === knownMs);
    if (twin !== undefined)
      throw new PennyworthError("list_taken", { source: list.source, known: new Date(knownMs).toISOString(), version: twin.taken.version });
    const isShipped = still.indexOf(list);
    const hash = isShipped < 0 ? await shelf.put(list) : null;
    if (isShipped >= 0) still.splice(isShipped, 1);
    const own = list.source === ownSource;
    return note(list, {
      source: list.source,
      version: list.version,
      hash,
      knownMs,
      takenMs: nowMs,
      own,
      records: sizeOf(list),
    });
  }

  async function takeNamed(list: PriceList, known: number | null): Promise<ListedPrices> {
    if (list.source === ownSource && known !== null)
      throw new PennyworthError("prices_invalid", {
        detail: "one's own prices are known from when they are set: leave the time out, or give the list a name of its own",
      });
    const shipped = still.find((one) => nameOf(one) === nameOf(list));
    return take(shipped ?? list, known ?? (shipped === undefined ? null : now()));
  }

  async function preview({ list, skipped }: Read): Promise<ListPreview> {
    const nowMs = now();
    return { ...(await previewOf(list, { ...toTaken(list, nowMs), hash: "preview" }, history, nowMs)), skipped };
  }

  async function read(text: string, options: ListOptions): Promise<Read> {
    const read = await parseApart(text, options, now());
    refuseReserved(read.list, still);
    return read;
  }

  /** As it would be taken: what is said of one's own prices is added to them. */
  function added({ list, skipped }: Read): Read {
    return { list: list.source === ownSource ? refuseLarge(merge(ownList(), list)) : list, skipped };
  }

  /** What the lists alone say: the user's choices between them, and none of their own prices and discounts. */
  function listBook(knownMs: number | null): Book {
    const mark = `${knownMs ?? "now"} ${history.lists.length}`;
    if (listedLast?.mark !== mark) {
      const sources = history.sources(knownMs);
      const layers = sources.layers.map((layer) => (layer.own ? { ...layer, records: [], discounts: [] } : layer));
      listedLast = { mark, book: createPriceBook({ ...sources, layers }) };
    }
    return listedLast.book;
  }

  function findWaiting(name: string): PriceList {
    const list = still.find((one) => nameOf(one) === name || one.source === name);
    if (list === undefined) throw new PennyworthError("list_unknown", { name, known: still.map(nameOf).join(", ") || "none waits" });
    return list;
  }

  /** The user's own list as it stands, or that of the settings. */
  function ownList(source = ownSource): PriceList | null {
    const mine = history.lists.filter(({ taken }) => taken.source === source);
    return mine.toSorted((a, b) => b.taken.knownMs - a.taken.knownMs)[0]?.list ?? null;
  }

  return {
    find: (query) => findIn(history.at(query.knownMs), query, history.live.source),
    history: (query) => historyIn(history.at(query.knownMs), query, history.live.source),
    listed(knownMs) {
      const book = listBook(knownMs);
      return {
        find: (query) => findIn(book, query, history.live.source),
        history: (query) => historyIn(book, query, history.live.source),
      };
    },
    disputes: (query) => disputesOf(witnessesAt(history.lists, query.knownMs, pricesOf), query),
    models: ({ atMs, knownMs, provider, search }) => modelsAt(history, pricesOf, { atMs, knownMs, provider, search }),
    source: (version) => history.live.source(version),
    lists() {
      const taken = history.lists.map((one) => toListed(one, history.lists));
      const open = still.map((list): ListedPrices => ({
        source: list.source,
        version: list.version,
        origin: list.origin,
        own: false,
        taken: null,
        superseded: false,
        records: sizeOf(list),
      }));
      return [...open, ...taken.toSorted((a, b) => (b.taken?.takenMs ?? 0) - (a.taken?.takenMs ?? 0))];
    },
    readWaiting: findWaiting,
    preview: async (text, options) => preview(added(await read(text, options))),
    previewWaiting: async (name) => preview({ list: findWaiting(name), skipped: [] }),
    take: (list, knownMs) => inTurn(() => takeNamed(list, knownMs)),
    takeFile: async (text, options, knownMs) => {
      const one = await read(text, options);
      return inTurn(() => takeNamed(added(one).list, knownMs));
    },
    set: async (text) => {
      const options: ListOptions = { format: "pennyworth", source: ownSource, published: null };
      const { list, skipped } = await parseApart(text, options, now());
      return inTurn(async () => {
        refuseUnknown(list, history.lists);
        const merged = refuseLarge(merge(ownList(), list));
        const changed = await preview({ list: merged, skipped });
        await take(merged, null);
        return changed;
      });
    },
    unset: (place) =>
      inTurn(async () => {
        const { list, undone } = without(ownList(), place, ownList(settingsSource));
        const left = merge(list, { ...list, records: [], discounts: [], choices: [] });
        const changed = await preview({ list: left, skipped: [] });
        await take(left, null);
        return { ...changed, undone };
      }),
    drop: (source) =>
      inTurn(async () => {
        const known = [...new Set(history.lists.map(({ taken }) => taken.source))];
        if (!known.includes(source)) throw new PennyworthError("list_unknown", { name: source, known: known.join(", ") });
        const nowMs = nextOf(source, now());
        const empty: PriceList = { source, version: "none", origin: "dropped", published: null, records: [], discounts: [], choices: [] };
        note(empty, { ...toTaken(empty, nowMs), hash: "none", records: 0 });
        // What is part of Pennyworth waits from then on, and can be taken again.
        const shipped = history.lists.filter(({ taken }) => taken.source === source && taken.hash === null);
        for (const { list } of shipped) if (!still.includes(list)) still.push(list);
      }),
    book: (knownMs) => history.at(knownMs),
  };
}

/** Names of lists that no file may speak for; genai-prices' own data may. */
function refuseReserved({ source, origin }: PriceList, waiting: readonly PriceList[]): void {
  const isTheirs = source === baseSource && !origin.startsWith("the price file");
  const shipped = new Set([settingsSource, baseSource, ...readShipped().map((list) => list.source), ...waiting.map((list) => list.source)]);
  if (shipped.has(source) && !isTheirs)
    throw new PennyworthError("prices_invalid", { detail: `source: ${source} is Pennyworth's own name of a list; give the file another` });
}

function refuseLarge(list: PriceList): PriceList {
  if (sizeOf(list) > ownMax)
    throw new PennyworthError("prices_invalid", {
      detail: `your own list would have ${sizeOf(list)} prices, discounts and choices, and ${ownMax} is the most: give the file a source of its own`,
    });
  return list;
}

/** A choice of what nobody says would change nothing, in silence. */
function refuseUnknown({ choices }: PriceList, lists: readonly StandingList[]): void {
  const known = [...new Set(lists.map(({ taken }) => taken.source))];
  for (const { provider, source } of choices)
    if (!known.includes(source))
      throw new PennyworthError("prices_invalid", {
        detail: `choices (${provider}): there is no list of ${source}; there are ${known.join(", ")}`,
      });
}

/** The lists as the journal has them; what is missing of a new ledger's, or of changed settings, is put on record by `record`. */
export function openLists(
  standing: readonly StandingList[],
  shipped: readonly PriceList[],
  settings: PriceList,
  shelf: Shelf,
  nowMs: number,
  record: ((entry: Extract<Entry, { kind: "prices.taken" }>) => void) | null,
): { readonly standing: readonly StandingList[]; readonly waiting: readonly PriceList[] } {
  const added: StandingList[] = [];
  const isNew = standing.every(({ taken }) => taken.hash !== null);
  if (isNew) for (const [index, taken] of takeShipped(shipped, nowMs).entries()) added.push({ taken, list: shipped[index] as PriceList });
  const before = standing.filter(({ taken }) => taken.source === settings.source).toSorted((a, b) => b.taken.knownMs - a.taken.knownMs)[0];
  if (before === undefined ? sizeOf(settings) > 0 : before.taken.version !== settings.version) {
    const knownMs = Math.max(nowMs, (before?.taken.knownMs ?? 0) + 1);
    const hash = record === null ? "unkept" : shelf.keep(settings);
    added.push({
      taken: { ...toTaken(settings, knownMs), own: true, hash },
      list: settings,
      ...(record === null ? {} : { again: () => shelf.recall(hash) }),
    });
  }
  if (record !== null) for (const { taken } of added) record({ kind: "prices.taken", list: taken });
  return { standing: [...standing, ...added], waiting: isNew ? [] : shipped };
}

function toTaken(list: PriceList, nowMs: number): TakenList {
  const { source, version } = list;
  return { source, version, hash: null, knownMs: nowMs, takenMs: nowMs, own: source === ownSource, records: sizeOf(list) };
}

/** How much a list says. */
function sizeOf({ records, discounts, choices }: PriceList): number {
  return records.length + discounts.length + choices.length;
}

function nameOf({ source, version }: { readonly source: string; readonly version: string }): string {
  return `${source}@${version}`;
}

function toListed(one: StandingList, all: readonly StandingList[]): ListedPrices {
  const { source, version, own, knownMs, takenMs, records, hash } = one.taken;
  const isNewer = (other: StandingList): boolean => other.taken.source === source && other.taken.knownMs > knownMs;
  const superseded = isDropped(one, all) || (hash !== null && all.some(isNewer));
  return { source, version, origin: one.origin ?? one.list.origin, own, taken: { takenMs, knownMs }, superseded, records };
}

/** What is for the same place is replaced. */
function merge(before: PriceList | null, added: PriceList): PriceList {
  const list = {
    source: ownSource,
    origin: "your own prices, set by command",
    published: null,
    records: join(before?.records ?? [], added.records, recordPlace),
    discounts: join(before?.discounts ?? [], added.discounts, discountPlace),
    choices: join(before?.choices ?? [], added.choices, choicePlace),
  };
  const version = createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 12);
  return { ...list, version };
}

function recordPlace({ provider, model, tier, region, window, validFromMs }: PriceList["records"][number]): string {
  return JSON.stringify([provider.toLowerCase(), model.toLowerCase(), tier, region, window, validFromMs]);
}

function discountPlace({ provider, match, classes, tiers, validFromMs }: PriceList["discounts"][number]): string {
  return JSON.stringify([provider, match, classes, tiers, validFromMs]);
}

function choicePlace({ provider, match }: PriceList["choices"][number]): string {
  return JSON.stringify([provider, match]);
}

function join<Item>(before: readonly Item[], added: readonly Item[], place: (item: Item) => string): readonly Item[] {
  const places = new Set(added.map(place));
  return [...before.filter((item) => !places.has(place(item))), ...added];
}

type SourceOf = (version: string) => string | null;

function findIn(book: Book, query: PriceQuery, sourceOf: SourceOf): PriceFound | null {
  const tariff = book.find(query);
  if (tariff === null) return null;
  const { provider, model, rule, tier, contextWindow } = tariff;
  return { provider, model, rule, tier, contextWindow, lines: linesOf(tariff, sourceOf) };
}

function historyIn(book: Book, query: Omit<PriceQuery, "atMs">, sourceOf: SourceOf): readonly PriceSpan[] | null {
  const spans = book.slices(query)?.map(({ fromMs, toMs, window, tariff }): PriceSpan => ({
    fromMs: Number.isFinite(fromMs) ? fromMs : null,
    toMs: Number.isFinite(toMs) ? toMs : null,
    window,
    lines: linesOf(tariff, sourceOf),
  }));
  return spans ?? null;
}

function linesOf(tariff: Tariff, sourceOf: SourceOf): readonly PriceLine[] {
  return (Object.entries(tariff.prices) as [UsageClass, readonly PricedStep[]][]).flatMap(([name, steps]) =>
    steps.map(({ aboveTokens, rate, price }) => ({
      class: name,
      aboveTokens: Math.max(0, aboveTokens),
      ratePico: rate.pico,
      ratePer: rate.per,
      version: price,
      source: sourceOf(price) ?? "",
    })),
  );
}

function modelsAt(
  history: History,
  pricesOf: DeskEffects["pricesOf"],
  { atMs, knownMs, provider, search }: Parameters<PricesAccess["models"]>[0],
): readonly ListedModel[] {
  const book = history.at(knownMs);
  const sources = witnessesAt(history.lists, knownMs, pricesOf);
  const wanted = search?.toLowerCase() ?? "";
  const named = new Map<string, { provider: string; model: string; tiers: Set<string>; sources: Set<string> }>();
  for (const { layer } of sources)
    for (const record of layer.records) {
      if (provider !== null && record.provider !== provider) continue;
      if (!record.model.toLowerCase().includes(wanted)) continue;
      const key = `${record.provider}/${record.model}`;
      const one = named.get(key);
      if (one === undefined)
        named.set(key, { provider: record.provider, model: record.model, tiers: new Set([record.tier]), sources: new Set([layer.source]) });
      else {
        one.tiers.add(record.tier);
        one.sources.add(layer.source);
      }
    }
  return [...named.values()]
    .map((one): ListedModel => {
      const query = { provider: one.provider, model: one.model, tier: null, region: null };
      const tariff = book.find({ ...query, atMs });
      const next = (book.slices(query) ?? []).find(({ fromMs }) => fromMs > atMs && Number.isFinite(fromMs));
      const disputes = one.sources.size < 2 ? [] : disputesOf(sources, { ...query, atMs });
      return {
        provider: one.provider,
        model: one.model,
        sources: [...one.sources],
        tiers: [...one.tiers].sort(),
        contextWindow: tariff?.contextWindow ?? null,
        prices: tariff === null ? {} : shownPrices(tariff),
        disputed: disputes.filter(({ lowest, highest }) => lowest !== highest).map((dispute) => dispute.class),
        changesMs: next?.fromMs ?? null,
      };
    })
    .toSorted((a, b) => compareText(a.provider, b.provider) || compareText(a.model, b.model));
}

function shownPrices(tariff: Tariff): ListedModel["prices"] {
  const prices: { [name in UsageClass]?: string } = {};
  for (const [name, [step]] of Object.entries(tariff.prices) as [UsageClass, readonly PricedStep[]][]) {
    if (step === undefined) continue;
    prices[name] = showRate(step.rate, BigInt(listUnits(name)));
  }
  return prices;
}
