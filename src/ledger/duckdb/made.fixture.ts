// A store in a folder of its own, for the suites that every store passes. Not here: what it must do (store.suite.ts and its neighbours).

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry, Position } from "../../core/entry.ts";
import { encodeEntry } from "../codec.ts";
import { DuckDBStore } from "./store.ts";

/** What was applied stands in for the journal. */
class TestStore extends DuckDBStore {
  readonly #texts: Map<string, string>;

  constructor(file: string, texts: Map<string, string>) {
    super(file, { read: (positions) => Promise.resolve(positions.map((position) => texts.get(JSON.stringify(position)) ?? "nothing")) });
    this.#texts = texts;
  }

  override apply(entries: readonly { readonly entry: Entry; readonly position: Position }[]): Promise<void> {
    for (const { entry, position } of entries) this.#texts.set(JSON.stringify(position), encodeEntry(entry));
    return super.apply(entries);
  }
}

/** @returns how to open it, also again, and how to do away with it. */
export const make = async () => {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-store-"));
  const texts = new Map<string, string>();
  return {
    open: async () => {
      const store = new TestStore(join(folder, "store.duckdb"), texts);
      await store.open();
      return store;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
