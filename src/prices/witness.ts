// What each source says by itself: a book of one list alone. Not here: which of them is in force. Invariant: no vendor's rule and no other list
// fills in what a source does not say.

import { type Book, createPriceBook } from "../core/book.ts";
import type { PriceLayer, PriceSources } from "../core/price.ts";
import { layersOf, type StandingList } from "./history.ts";

export interface Witness {
  readonly layer: PriceLayer;
  readonly book: Book;
}

const books = new WeakMap<PriceLayer["records"], Book>();

/** In order of precedence, as known then; null: as known now. */
export function witnessesAt(
  lists: readonly StandingList[],
  knownMs: number | null,
  pricesOf: PriceSources["pricesOf"],
): readonly Witness[] {
  return layersOf(lists.filter(({ taken }) => knownMs === null || taken.knownMs <= knownMs)).map((layer) => {
    let book = books.get(layer.records);
    if (book === undefined)
      books.set(layer.records, (book = createPriceBook({ layers: [layer], derivations: [], fallbacks: {}, pricesOf })));
    return { layer, book };
  });
}
