// Price books for tests: what a list says and what is the user's own, as layers.

import { type Book, createPriceBook } from "./book.ts";
import type { PriceLayer, PriceRecord, PriceSources } from "./price.ts";

export interface BookParts extends Partial<Omit<PriceSources, "layers">> {
  readonly listed?: readonly PriceRecord[];
  readonly own?: readonly PriceRecord[];
  readonly layers?: readonly PriceLayer[];
}

export function toLayer(source: string, records: readonly PriceRecord[], changes: Partial<PriceLayer> = {}): PriceLayer {
  return { name: `${source}@1`, source, origin: `a list of ${source}`, own: false, records, discounts: [], choices: [], ...changes };
}

/** The user's own before the list, and both before further layers. */
export function bookOf({ listed = [], own = [], layers = [], ...rest }: BookParts): Book {
  const all = [toLayer("own", own, { own: true }), toLayer("list", listed), ...layers];
  return createPriceBook({ derivations: [], fallbacks: {}, pricesOf: {}, ...rest, layers: all });
}
