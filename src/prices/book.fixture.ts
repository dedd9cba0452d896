// The price book that a new ledger begins with, for tests and the bench: all that is shipped, and the prices of settings.

import type { PriceSettings } from "../config.ts";
import type { Book } from "../core/book.ts";
import { createHistory } from "./history.ts";
import { readSettings } from "./settings.ts";
import { takeShipped } from "./shelf.ts";
import { readShipped } from "./snapshot.ts";

export function shippedBook(prices: readonly PriceSettings[] = [], pricesOf: Readonly<Record<string, readonly string[]>> = {}): Book {
  const shipped = readShipped();
  const settings = readSettings(prices);
  const { source, version, records } = settings;
  const own = { source, version, hash: "", knownMs: 0, takenMs: 0, own: true, records: records.length };
  const standing = takeShipped(shipped, 0).map((taken, index) => ({ taken, list: shipped[index] as (typeof shipped)[number] }));
  return createHistory([...standing, { taken: own, list: settings }], pricesOf).at(null);
}
