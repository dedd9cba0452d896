// What was known of prices, and when: the price book of any moment, from the lists that had been taken by then. Not here: reading and keeping
// lists (shelf.ts). Invariant: the book of a moment depends on the lists known by then and on nothing else, in whatever order they came.

import { type Book, createPriceBook } from "../core/book.ts";
import type { TakenList } from "../core/entry.ts";
import { compareText } from "../core/order.ts";
import type { PriceBook, PriceLayer, PriceSources } from "../core/price.ts";
import type { PriceList } from "./list.ts";
import { readDerivations, readPeriods } from "./rules.ts";
import { readFallbacks } from "./snapshot.ts";

/** A list and how it came into the book. */
export interface StandingList {
  readonly taken: TakenList;
  /** Read anew from the shelf each time, once a newer one stands in its place. */
  readonly list: PriceList;
  /** How it is read anew; absent: it is kept in memory. */
  readonly again?: () => PriceList;
  /** The list's, there without reading it, where the list itself is not kept. */
  readonly origin?: string;
}

export interface History {
  /** As known then, ms UTC; null: as known now. */
  at(knownMs: number | null): Book;
  /** As it would be known now with one more list. */
  with(list: StandingList): Book;
  /** What the book as known then is made of: plain data, for another process. */
  sources(knownMs: number | null): PriceSources;
  /** As known now, whatever will be taken: one object for ever. */
  readonly live: PriceBook;
  readonly lists: readonly StandingList[];
  add(list: StandingList): void;
}

/** The list that prices what nobody has said anything else of. */
export const baseSource = "genai-prices";

/** Books of the past that are kept: one for each time that was asked for lately. */
const booksMax = 4;

/** `pricesOf`: provider → whose lists apply to it, in order; its own where it is not named. */
export function createHistory(lists: readonly StandingList[], pricesOf: Readonly<Record<string, readonly string[]>>): History {
  const standing: StandingList[] = [];
  /** What versions begin with, of every list that ever was → where it came from. */
  const origins = new Map<string, string>();
  const books = new Map<string, Book>();
  const [derivations, periods, fallbacks] = [readDerivations(), readPeriods(), readFallbacks()];
  let now: Book | null = null;

  function at(knownMs: number | null): Book {
    if (knownMs === null) return (now ??= make(standing));
    const known = standing.filter(({ taken }) => taken.knownMs <= knownMs);
    const mark = JSON.stringify(known.map(({ taken }) => [taken.source, taken.version, taken.knownMs]).sort());
    let book = books.get(mark);
    if (book === undefined) {
      if (books.size >= booksMax) books.clear();
      books.set(mark, (book = make(known)));
    }
    return book;
  }

  function learn(one: StandingList): void {
    standing.push(one);
    for (const { id } of [...one.list.records, ...one.list.discounts]) {
      const start = id.slice(0, id.indexOf("/"));
      if (!origins.has(start)) origins.set(start, one.list.origin);
    }
  }

  /** Lists that are not in force any more make room; who asks for the past reads them anew. */
  function shed(): void {
    const newest = newestOf(standing);
    for (const [index, one] of standing.entries())
      if (one.origin === undefined && one.again !== undefined && newest.get(one.taken.source) !== one)
        standing[index] = toPast(one, one.again);
  }

  function make(known: readonly StandingList[]): Book {
    return createPriceBook(sourcesOf(known));
  }

  function sourcesOf(known: readonly StandingList[]): PriceSources {
    return { layers: layersOf(known), derivations, periods, fallbacks, pricesOf };
  }

  for (const one of lists) learn(one);
  shed();

  return {
    at,
    with: (list) => make([...standing, list]),
    sources: (knownMs) => sourcesOf(standing.filter(({ taken }) => knownMs === null || taken.knownMs <= knownMs)),
    live: {
      find: (query) => at(null).find(query),
      findAll: (query) => at(null).findAll(query),
      findPeriod: (query, name) => at(null).findPeriod(query, name),
      source: (version) => at(null).source(version) ?? origins.get(version.slice(0, version.indexOf("/"))) ?? null,
    },
    get lists() {
      return standing;
    },
    add(list) {
      learn(list);
      shed();
      now = null;
      books.clear();
    },
  };
}

/**
 * In order of precedence: the user's own, those set by command before the settings; the base list and what Pennyworth ships beside it; imported ones by name. Of a
 * source the newest list stands. What is shipped adds up: a newer snapshot goes first, and an older one still says what was.
 */
export function layersOf(lists: readonly StandingList[]): readonly PriceLayer[] {
  const newest = newestOf(lists);
  const standing = lists.filter((one) => (one.taken.hash === null ? !isDropped(one, lists) : newest.get(one.taken.source) === one));
  return standing
    .filter(({ taken }) => taken.records > 0)
    .toSorted((a, b) => rankOf(a) - rankOf(b) || compareText(a.taken.source, b.taken.source) || compareKnown(a, b))
    .map((one) => ({ ...one, fills: rankOf(one) === 3 }))
    .map(({ taken, list, fills }) => ({
      name: `${list.source}@${list.version}`,
      source: list.source,
      origin: list.origin,
      own: taken.own,
      fills,
      records: list.records,
      discounts: list.discounts,
      choices: list.choices,
    }));
}

function newestOf(lists: readonly StandingList[]): ReadonlyMap<string, StandingList> {
  const newest = new Map<string, StandingList>();
  for (const one of lists) {
    const other = newest.get(one.taken.source);
    if (other === undefined || compareKnown(one, other) < 0) newest.set(one.taken.source, one);
  }
  return newest;
}

function toPast({ taken, list: { origin } }: StandingList, again: () => PriceList): StandingList {
  return {
    taken,
    origin,
    again,
    get list() {
      return again();
    },
  };
}

/** Whether its source was left out since then. */
export function isDropped({ taken }: Pick<StandingList, "taken">, lists: readonly StandingList[]): boolean {
  return lists.some((other) => other.taken.source === taken.source && other.taken.records === 0 && other.taken.knownMs > taken.knownMs);
}

function rankOf({ taken }: StandingList): number {
  if (taken.own) return 0;
  if (taken.source === baseSource) return 1;
  return taken.hash === null ? 2 : 3;
}

/** The later known first; no two of a source are known since one moment. */
function compareKnown(a: StandingList, b: StandingList): number {
  return b.taken.knownMs - a.taken.knownMs || compareText(a.taken.source, b.taken.source) || compareText(a.taken.version, b.taken.version);
}
