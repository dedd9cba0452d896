// What the journal does to its files: the few calls on the way of an entry, as a record that tests replace. Not here: reading.

import { closeSync, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";

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

/** Makes names given or taken in the folder last. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
