// Where the store's files are in a data folder. They are only ever a projection: whoever owns the folder may remove them.
// Not here: DuckDB itself, so that the server can import this without loading it.

import { rmSync } from "node:fs";
import { join } from "node:path";

export function storeFile(folder: string): string {
  return join(folder, "store.duckdb");
}

/** Removes the store's files, of whatever version or state. */
export function dropStore(folder: string): void {
  const file = storeFile(folder);
  for (const path of [file, `${file}.wal`]) rmSync(path, { force: true });
  rmSync(spoolFolder(file), { recursive: true, force: true });
}

/** For batches on their way in, and what does not fit in memory. Emptied at every start. */
export function spoolFolder(file: string): string {
  return `${file}.spool`;
}
