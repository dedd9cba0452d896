// DATA/prices/: every list that was ever taken, under the hash of its text, and never changed. The journal says which took effect when. Not
// here: what a list says. Invariant: a list is on disk before the journal names it, and is the one that was named.

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TakenList } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { StandingList } from "./history.ts";
import type { PriceList } from "./list.ts";
import { readShipped } from "./snapshot.ts";

export class Shelf {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, "prices");
  }

  /**
   * Keeps a list, also in place of a file of its name that was damaged.
   * @returns its hash.
   * @throws PennyworthError `prices_unwritable` when the disk does not take all of it; then nothing is kept.
   */
  keep(list: PriceList): string {
    const text = `${JSON.stringify(list)}\n`;
    const hash = createHash("sha256").update(text).digest("hex");
    const file = join(this.#folder, `${hash}.json`);
    if (isText(file, text)) return hash;
    const working = `${file}.tmp`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      // Not writeSync: on a full disk that writes a part, and says so by nothing but a number.
      synced(working, "w", (handle) => writeFileSync(handle, text));
      renameSync(working, file);
      synced(this.#folder, "r", () => undefined);
    } catch (cause) {
      discard(working);
      throw new PennyworthError(
        "prices_unwritable",
        { folder: this.#folder, cause: (cause as NodeJS.ErrnoException).code ?? String(cause) },
        cause,
      );
    }
    return hash;
  }

  /** @throws PennyworthError `prices_damaged` when it is not there, or is not what was kept. */
  read(hash: string): PriceList {
    const file = join(this.#folder, `${hash}.json`);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new PennyworthError("prices_damaged", { file, detail: "it cannot be read" }, cause);
    }
    if (createHash("sha256").update(text).digest("hex") !== hash)
      throw new PennyworthError("prices_damaged", { file, detail: "its hash is not the one on record" });
    return JSON.parse(text) as PriceList;
  }
}

function named(list: { readonly source: string; readonly version: string }): string {
  return `${list.source}@${list.version}`;
}

function isText(file: string, text: string): boolean {
  try {
    return readFileSync(file, "utf8") === text;
  } catch {
    return false;
  }
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // There is no folder it could be in.
  }
}

/** Opens a file or a folder, acts, and returns once it is on disk. */
function synced(path: string, flags: "r" | "w", act: (handle: number) => void): void {
  const handle = openSync(path, flags, 0o600);
  try {
    act(handle);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Every list that the journal names, and those that are shipped and wait. A shipped one that this version does not have any more is left out. */
export function readLists(
  shelf: Shelf,
  taken: readonly TakenList[],
): { readonly standing: readonly StandingList[]; readonly waiting: readonly PriceList[] } {
  const shipped = readShipped();
  const byName = new Map(shipped.map((list) => [named(list), list]));
  const standing = taken.flatMap((one) => {
    if (one.records === 0) return [{ taken: one, list: nothing(one) }];
    const list = one.hash === null ? byName.get(named(one)) : shelf.read(one.hash);
    return list === undefined ? [] : [{ taken: one, list }];
  });
  // What was dropped waits to be taken again.
  const isDropped = (one: TakenList): boolean =>
    taken.some((other) => other.source === one.source && other.records === 0 && other.knownMs > one.knownMs);
  const known = new Set(taken.filter((one) => one.hash === null && !isDropped(one)).map(named));
  return { standing, waiting: shipped.filter((list) => !known.has(named(list))) };
}

/** How what is shipped is taken by a ledger that has no list yet: all of it, as of the day it was published. */
export function takeShipped(lists: readonly PriceList[], nowMs: number): readonly TakenList[] {
  return lists.map(({ source, version, published, records }) => ({
    source,
    version,
    hash: null,
    knownMs: published === null ? nowMs : Date.parse(published),
    takenMs: nowMs,
    own: false,
    records: records.length,
  }));
}

/** What stands in place of a source that was dropped. */
function nothing({ source, version }: TakenList): PriceList {
  return { source, version, origin: "dropped", published: null, records: [], discounts: [], choices: [] };
}
