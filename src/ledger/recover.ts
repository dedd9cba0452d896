// What the journal does first: reads its last segment, cuts off what a crash tore, and knows its state again. The torn bytes are kept in a
// file beside the segments. Invariant: nothing is cut off that a whole line follows; that is damage, and a person must look.

import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../core/entry.ts";
import type { TaskBegun } from "../core/outcome.ts";
import { damaged, decodeEntry, peekCall } from "./codec.ts";
import { type JournalFiles, writeAll } from "./files.ts";
import { lineEnd, readLine } from "./frame.ts";
import { parseHeader } from "./header.ts";
import { listSegments, segmentPath } from "./segments.ts";
import { applyEntry, decodeState, type LedgerState } from "./state.ts";

export interface Torn {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  /** Where the torn bytes are now. */
  readonly file: string;
}

export interface Recovered {
  /** Open for reading and writing. */
  readonly file: number;
  readonly segment: number;
  /** Where the last whole line ends. */
  readonly offset: number;
  /** Over all bytes before `offset`. */
  readonly hash: Hash;
  readonly state: LedgerState;
  readonly torn: Torn | null;
  /** Whether any entry is in it. */
  readonly hasEntries: boolean;
  /** Tasks that were begun by name in it, in their order. */
  readonly begun: readonly TaskBegun[];
}

const bufferBytes = 4 << 20;

/**
 * null when there is no segment yet.
 * @throws PennyworthError `journal_damaged` with segment and byte. Errors of the file system pass as they are.
 */
export async function recover(folder: string, files: JournalFiles): Promise<Recovered | null> {
  const last = (await listSegments(folder)).at(-1);
  if (last === undefined) return null;
  if (!last.raw) throw damaged("no segment that is being written; one is missing", { segment: last.number + 1, offset: 0 });
  rmSync(`${segmentPath(folder, last.number + 1)}.tmp`, { force: true });
  const file = openSync(segmentPath(folder, last.number), "r+");
  try {
    const scanned = scan(file, last.number);
    const torn = scanned.rest === 0 ? null : cutOff(folder, file, last.number, scanned.offset, scanned.rest, files);
    files.syncNow(file);
    return { file, segment: last.number, ...scanned, torn };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Reads all lines. Starts are decoded only if they have no end, ends not at all: so ten million calls cost a restart no more than ten. */
function scan(
  file: number,
  segment: number,
): Pick<Recovered, "offset" | "hash" | "state" | "begun" | "hasEntries"> & { readonly rest: number } {
  const hash = createHash("sha256");
  const starts = new Map<string, string>();
  const others: Entry[] = [];
  let state: LedgerState | null = null;
  let hasEntries = false;
  let offset = 0;
  let bad: number | null = null;
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let filled = 0;
  let position = 0;
  for (;;) {
    if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    const read = readSync(file, buffer, filled, buffer.length - filled, position);
    if (read === 0) break;
    position += read;
    filled += read;
    let from = 0;
    const good = offset;
    for (let end = lineEnd(buffer, from, filled); end >= 0; end = lineEnd(buffer, from, filled)) {
      const text = readLine(buffer, from, end);
      if (text !== null && bad !== null) throw damaged("a line whose checksum does not hold", { segment, offset: bad });
      if (text === null && hidesLine(buffer, from, end))
        throw damaged("a line whose checksum does not hold", { segment, offset: bad ?? offset });
      if (text === null) bad ??= offset;
      else if (state === null) state = decodeState(parseHeader(text, segment).state);
      else {
        note(text, state);
        hasEntries = true;
      }
      from = end + 1;
      if (bad === null) offset = position - filled + from;
    }
    hash.update(buffer.subarray(0, offset - good));
    buffer.copyWithin(0, from, filled);
    filled -= from;
  }
  if (state === null) throw damaged("no header", { segment, offset: 0 });
  for (const text of starts.values()) applyEntry(state, decodeEntry(text));
  for (const entry of others) applyEntry(state, entry);
  const begun = others.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task] : []));
  return { offset, rest: position - offset, hash, state, begun, hasEntries };

  function note(text: string, state: LedgerState): void {
    const call = peekCall(text);
    if (call === null) others.push(decodeEntry(text, { segment, offset }));
    else if (call.kind === "start") starts.set(call.id, text);
    else {
      starts.delete(call.id);
      state.open.delete(call.id);
      state.seen.delete(call.id);
    }
  }
}

/** Whether a whole line ends here, though it does not begin here: a newline before it was damaged. */
function hidesLine(buffer: Buffer, from: number, end: number): boolean {
  for (const match of buffer.toString("latin1", from, end).matchAll(/[0-9a-f]{8} \{/g))
    if (readLine(buffer, from + match.index, end) !== null) return true;
  return false;
}

function cutOff(folder: string, file: number, segment: number, offset: number, bytes: number, files: JournalFiles): Torn {
  const buffer = Buffer.allocUnsafe(bytes);
  let read = 0;
  while (read < bytes) read += readSync(file, buffer, read, bytes - read, offset + read);
  const path = keep(folder, segment, buffer, files);
  files.truncate(file, offset);
  return { segment, offset, bytes, file: path };
}

function keep(folder: string, segment: number, bytes: Buffer, files: JournalFiles): string {
  for (let count = 1; ; count++) {
    const path = join(folder, `torn-${segment}${count === 1 ? "" : `-${count}`}`);
    let file: number;
    try {
      file = openSync(path, "wx", 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    try {
      writeAll(files, file, bytes, 0, bytes.length, 0);
      files.syncNow(file);
    } finally {
      closeSync(file);
    }
    return path;
  }
}
