// DATA/prices/: every list that was ever taken, under the hash of its text, and never changed. The journal says which took effect when. Not
// here: what a list says. Invariant: a list is on disk before the journal names it, and is the one that was named.

import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TakenList } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import { replaceFile } from "../replace.ts";
import type { StandingList } from "./history.ts";
import type { PriceList } from "./list.ts";
import { inSlices, type Work } from "./pace.ts";
import { readShipped } from "./snapshot.ts";

/** Lists of the past that are kept in memory, those asked for last. */
const pastMax = 8;

export class Shelf {
  readonly #folder: string;
  readonly #past = new Map<string, PriceList>();

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
      throw this.#unwritable(cause);
    }
    return hash;
  }

  /** The same while calls pass: the list is written out in slices, and nobody waits for the disk. */
  async put(list: PriceList): Promise<string> {
    const parts = await inSlices(textOf(list));
    const digest = createHash("sha256");
    for (const part of parts) digest.update(part);
    const hash = digest.digest("hex");
    const file = join(this.#folder, `${hash}.json`);
    const text = Buffer.concat(parts);
    if (
      await readFile(file).then(
        (kept) => kept.equals(text),
        () => false,
      )
    )
      return hash;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await replaceFile(file, text);
    } catch (cause) {
      throw this.#unwritable(cause);
    }
    return hash;
  }

  /** As `read`, of a list that a newer one stands in place of: the last few are kept. */
  recall(hash: string): PriceList {
    const list = this.#past.get(hash) ?? this.read(hash);
    this.#past.delete(hash);
    this.#past.set(hash, list);
    for (const oldest of this.#past.keys()) {
      if (this.#past.size <= pastMax) break;
      this.#past.delete(oldest);
    }
    return list;
  }

  #unwritable(cause: unknown): PennyworthError {
    return new PennyworthError(
      "prices_unwritable",
      { folder: this.#folder, cause: (cause as NodeJS.ErrnoException).code ?? String(cause) },
      cause,
    );
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

/** What `JSON.stringify` makes of it and an end of line, in parts. */
function* textOf(list: PriceList): Work<readonly Buffer[]> {
  const parts: Buffer[] = [];
  let text = "{";
  for (const [index, [key, value]] of Object.entries(list).entries()) {
    text += `${index === 0 ? "" : ","}${JSON.stringify(key)}:`;
    if (!Array.isArray(value)) text += JSON.stringify(value);
    else {
      text += "[";
      for (const [place, item] of value.entries()) {
        text += `${place === 0 ? "" : ","}${JSON.stringify(item)}`;
        if (place % 50 !== 49) continue;
        parts.push(Buffer.from(text));
        text = "";
        yield;
      }
      text += "]";
    }
  }
  parts.push(Buffer.from(`${text}}\n`));
  return parts;
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

/** A list that is on the shelf; one in whose place a newer one stands is read when it is asked for. */
function stand(shelf: Shelf, taken: TakenList, hash: string, isPast: boolean): StandingList {
  const again = (): PriceList => shelf.recall(hash);
  if (!isPast) return { taken, list: shelf.read(hash), again };
  return {
    taken,
    again,
    get list() {
      return again();
    },
  };
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
    const isPast = taken.some((other) => other.source === one.source && other.knownMs > one.knownMs);
    if (one.hash !== null) return [stand(shelf, one, one.hash, isPast)];
    const list = byName.get(named(one));
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
