// What the journal does to its files: the few calls on the way of an entry, as a record that tests replace; and its folders.
// Not here: reading.

import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { PennyworthError } from "../error.ts";

export interface JournalFiles {
  /** @returns how many bytes were written, perhaps fewer than asked for. */
  write(file: number, buffer: Buffer, from: number, length: number, position: number): number;
  truncate(file: number, length: number): void;
  sync(file: number, done: (error: Error | null) => void): void;
  syncNow(file: number): void;
}

export const realFiles: JournalFiles = { write: writeSync, truncate: ftruncateSync, sync: fdatasync, syncNow: fdatasyncSync };

/** Writes the bytes [from, end) at `position`. @throws what the system throws; then any part of them may be written. */
export function writeAll(files: JournalFiles, file: number, buffer: Buffer, from: number, end: number, position: number): void {
  for (let done = from; done < end;) {
    const written = files.write(file, buffer, done, end - done, position + done - from);
    if (written <= 0) throw new Error("nothing was written");
    done += written;
  }
}

/**
 * Makes a folder and those above it, for its owner alone. One by one: Node's own recursive way does not return where nothing can be made.
 * @throws PennyworthError `config_invalid` naming the folder and the cause.
 */
export function makeFolder(path: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      if (dirname(path) !== path) makeFolder(dirname(path));
      mkdirSync(path, { mode: 0o700 });
    }
    if (!statSync(path).isDirectory()) throw Object.assign(new Error("it is not a folder"), { code: "ENOTDIR" });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    if (cause instanceof PennyworthError) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new PennyworthError(
      "config_invalid",
      { detail: `the data folder ${path} cannot be used (${reason}); name another with --data` },
      cause,
    );
  }
}

/** Makes names given or taken in the folder last. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
