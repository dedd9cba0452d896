// The ledger of a data folder, opened: its lock, its journal, its store, its names, keys and prices. Not here: who serves it (main.ts).
// Invariant: what was opened is closed in reverse, also where opening fails half-way.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import type { Entry } from "./core/entry.ts";
import type { PriceBook, PriceSources } from "./core/price.ts";
import { createCredentials, withRegion } from "./credentials.ts";
import type { Credentials } from "./gateway/credential.ts";
import { openStore, type StoreClient } from "./ledger/duckdb/client.ts";
import { Journal } from "./ledger/journal.ts";
import { KeyRing } from "./ledger/keys.ts";
import { acquire, type Lock } from "./ledger/lock.ts";
import { type Names, openNames } from "./ledger/names.ts";
import { createDesk, openLists } from "./prices/desk.ts";
import { createHistory } from "./prices/history.ts";
import { readAllowances } from "./prices/prepaid.ts";
import { readSettings } from "./prices/settings.ts";
import { readLists, Shelf } from "./prices/shelf.ts";
import type { PricesAccess } from "./prices/view.ts";
import { mergeProviders, type ProviderRecord, sandboxRecord } from "./providers/table.ts";

export interface OpenLedger {
  readonly lock: Lock;
  readonly journal: Journal;
  readonly store: StoreClient;
  readonly names: Names;
  readonly keys: KeyRing;
  readonly book: PriceBook;
  readonly prices: PricesAccess;
  /** What the book is made of, as known then; null: now. */
  readonly sources: (knownMs: number | null) => PriceSources;
  readonly providers: ReadonlyMap<string, ProviderRecord>;
  readonly credentials: Credentials;
  /** The time that entries are said to be of. */
  readonly now: () => number;
  close(): Promise<void>;
}

/** `serving`: the time that entries are said to be of; null when nobody serves, and only what is asked for is put on record. */
export async function openLedger(config: Config, log: Logger, serving: (() => number) | null): Promise<OpenLedger> {
  const now = serving ?? Date.now;
  const { settings } = config;
  const folder = settings.data;
  const lock = await acquire(folder);
  const opened: (() => Promise<void>)[] = [() => lock.release()];
  const close = async (): Promise<void> => {
    for (const step of opened.toReversed()) await step();
  };
  try {
    const journal = await Journal.open(join(folder, "journal"), {
      ...settings.journal,
      now,
      onFatal: (error) => {
        // What the kernel holds may never reach the disk: go on, and the ledger would lie. The next start repairs.
        log.fatal(error, "the journal could not be synced");
        process.exit(70);
      },
    });
    opened.push(() => journal.close());
    const names = await openNames(folder);
    opened.push(async () => names.close());
    const store = await openStore(folder, { log: (message, level) => log[level](message) });
    opened.push(() => store.close());
    store.advance(journal.position);
    journal.onSynced((position) => store.advance(position));
    const providers = new Map([...mergeProviders(settings.providers)].map(([name, record]) => [name, withRegion(config, record)]));
    return {
      lock,
      journal,
      store,
      names,
      keys: new KeyRing(journal, { now, random: randomBytes }),
      ...openPrices(settings, journal, providers, serving),
      providers,
      credentials: createCredentials(config, providers),
      now,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The price book, and the desk at which it is asked. `now`: puts on record what the ledger has not taken yet; null when nobody serves. */
function openPrices(
  settings: Config["settings"],
  journal: Journal,
  providers: ReadonlyMap<string, ProviderRecord>,
  now: (() => number) | null,
): Pick<OpenLedger, "book" | "prices" | "sources"> {
  const pricesOf = Object.fromEntries([sandboxRecord, ...providers.values()].map((provider) => [provider.name, provider.pricesOf]));
  readAllowances(settings.allowances);
  const shelf = new Shelf(settings.data);
  const { standing: taken, waiting: untaken } = readLists(shelf, journal.prices());
  const clock = now ?? Date.now;
  const record = now === null ? null : (entry: Entry): void => void journal.append(entry);
  const { standing: lists, waiting } = openLists(taken, untaken, readSettings(settings.prices, settings.machines), shelf, clock(), record);
  const history = createHistory(lists, pricesOf);
  const desk = createDesk({ history, shelf, waiting, pricesOf, now: clock, record: (entry) => void journal.append(entry) });
  return { book: history.live, prices: desk, sources: (knownMs) => history.sources(knownMs) };
}
