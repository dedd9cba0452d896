// The journal: the append-only truth, one writer. `append` returns when the entry is with the kernel; a group sync brings it to disk.
// Not here: reading it back (segments.ts), repair at the start (recover.ts), compression (seal.ts). Invariant: the file ends after a whole line,
// whatever failed, and what was appended is never changed.

import { createHash, type Hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import type { CallStart } from "../core/call.ts";
import type { Closing, Entry, Position, Reconciled, TakenList } from "../core/entry.ts";
import type { TaskBegun } from "../core/outcome.ts";
import type { Work } from "../core/work.ts";
import { PennyworthError } from "../error.ts";
import { encodeEntry } from "./codec.ts";
import { type JournalFiles, realFiles, syncFolder, writeAll } from "./files.ts";
import { lineBytesMax, writeLine } from "./frame.ts";
import { type Recovered, recover, type Torn } from "./recover.ts";
import { noPrevious, type SegmentHeader, segmentPath } from "./segments.ts";
import { applyEntry, emptyState, encodeState, type KeyRecord, type LedgerState } from "./state.ts";

export interface JournalOptions {
  /** A segment that has passed this many bytes is sealed, and the next one begun. */
  readonly segmentBytesMax: number;
  /** Batched: the longest time between an append and the sync that follows it. */
  readonly syncMs: number;
  /** `sync`: a sync begins as soon as somebody waits for `synced`. */
  readonly durability: "batched" | "sync";
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** A sync failed: what is on disk is not known any more, and the process must end. Called once. */
  onFatal(error: Error): void;
  readonly files?: JournalFiles;
}

const bufferBytes = 128 * 1024;
/** How much more a segment takes when the next one could not be begun. */
const postponeBytes = 1 << 20;

export class Journal {
  readonly #folder: string;
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #state: LedgerState;
  readonly #onAppend: ((position: Position) => void)[] = [];
  readonly #onSynced: ((position: Position) => void)[] = [];

  #file: number;
  #segment: number;
  #offset: number;
  #rotateAt: number;
  #hash: Hash;
  /** Lines written since the hash was last fed are [hashed, used). */
  #buffer = Buffer.allocUnsafe(bufferBytes);
  #hashed = 0;
  #used = 0;

  #unwritable: string | null = null;
  /** Bytes of a failed write are behind the last line and could not be cut off yet. */
  #dirty = false;
  #failed: Error | null = null;
  #closed = false;

  #appended = 0;
  #synced = 0;
  #syncing = false;
  #timer: NodeJS.Timeout | null = null;
  #prompt = false;
  #waiting: { readonly upTo: number; resolve(): void; reject(error: Error): void }[] = [];
  #retired: number[] = [];
  /** When it was opened. */
  readonly #hadEntries: boolean;

  /** What a crash had left behind the last whole line, and where it was put; null when the journal ended well. */
  readonly torn: Torn | null;
  /** Tasks that were begun by name in the last segment, when it was opened, in their order. */
  readonly begun: readonly TaskBegun[];

  private constructor(folder: string, options: JournalOptions, from: Recovered) {
    this.#folder = folder;
    this.#options = options;
    this.#files = options.files ?? realFiles;
    this.#file = from.file;
    this.#segment = from.segment;
    this.#offset = from.offset;
    this.#hadEntries = from.segment > 1 || from.hasEntries;
    this.#hash = from.hash;
    this.#state = from.state;
    this.#rotateAt = options.segmentBytesMax;
    this.torn = from.torn;
    this.begun = from.begun;
  }

  /**
   * Opens the journal in `folder`, or begins one. A torn tail is cut off and kept in a file beside it; nothing else is ever removed.
   * @throws PennyworthError `journal_damaged` when the last segment is damaged before its end, `journal_unwritable` when it cannot be begun.
   */
  static async open(folder: string, options: JournalOptions): Promise<Journal> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = options.files ?? realFiles;
    try {
      const found = await recover(folder, files);
      if (found !== null) return new Journal(folder, options, found);
      const state = emptyState();
      return new Journal(folder, options, {
        ...beginSegment(folder, 1, noPrevious, state, options.now(), files),
        state,
        segment: 1,
        torn: null,
        hasEntries: false,
        begun: [],
      });
    } catch (cause) {
      if (cause instanceof PennyworthError) throw cause;
      throw unwritable(cause);
    }
  }

  /**
   * Appends one entry. When it returns, the entry is with the kernel and outlives this process, though not yet a loss of power.
   * @returns where the entry ends.
   * @throws PennyworthError `journal_unwritable`; then the entry is not in the journal, and the next append tries again.
   */
  append(entry: Entry): Position {
    if (this.#failed !== null) throw unwritable(this.#failed);
    if (this.#closed) throw unwritable(new Error("it is closed"));
    const text = encodeEntry(entry);
    try {
      if (this.#dirty) this.#cut();
      if (this.#offset >= this.#rotateAt) this.#rotate();
      this.#write(text);
    } catch (cause) {
      const error = unwritable(cause);
      this.#unwritable = nameOf(cause);
      throw error;
    }
    this.#unwritable = null;
    applyEntry(this.#state, entry);
    this.#appended++;
    if (this.#timer === null && !this.#syncing) this.#timer = setTimeout(this.#sync, this.#options.syncMs);
    const position = this.position;
    for (const listener of this.#onAppend) listener(position);
    return position;
  }

  /**
   * Resolves when everything appended so far is on disk.
   * @throws PennyworthError `journal_unwritable` when the sync fails.
   */
  synced(): Promise<void> {
    if (this.#failed !== null) return Promise.reject(unwritable(this.#failed));
    if (this.#synced === this.#appended) return Promise.resolve();
    if (this.#options.durability === "sync") this.#hasten();
    return new Promise((resolve, reject) => this.#waiting.push({ upTo: this.#appended, resolve, reject }));
  }

  /** Where the last entry ends; where the header ends in a segment without entries. */
  get position(): Position {
    return { segment: this.#segment, offset: this.#offset };
  }

  /** Whether anything is on record at all. */
  get isEmpty(): boolean {
    return !this.#hadEntries && this.#appended === 0;
  }

  /** Why the last append failed (`ENOSPC`, `EIO` …); null when it did not. */
  get unwritable(): string | null {
    return this.#failed === null ? this.#unwritable : nameOf(this.#failed);
  }

  /** Calls with a start and without an end: at the opening, those that a crash left behind. */
  openCalls(): ReadonlyMap<string, CallStart> {
    return this.#state.open;
  }

  /** Of the open calls, those whose response the provider has named already: call's id → response's id. */
  responseIds(): ReadonlyMap<string, string> {
    return this.#state.seen;
  }

  /** Work that has not ended, by id. */
  works(): ReadonlyMap<string, Work> {
    return this.#state.works;
  }

  /** Pennyworth's own keys by id, revoked ones too. */
  keys(): ReadonlyMap<string, KeyRecord> {
    return this.#state.keys;
  }

  /** Every price list that took effect, in that order. */
  prices(): readonly TakenList[] {
    return this.#state.prices;
  }

  /** Months that move no more, in the order in which they were closed. */
  closings(): readonly Closing[] {
    return this.#state.closings;
  }

  /** How statements compared: the last one of each provider and month. */
  reconciled(): readonly Reconciled[] {
    return [...this.#state.reconciled.values()];
  }

  /** Calls `listener` after every append, with where it ends. It must not throw, and must not append. */
  onAppend(listener: (position: Position) => void): void {
    this.#onAppend.push(listener);
  }

  /**
   * Calls `listener` after every sync, with where the entries on disk end. This is as far as a projection may go: it must not know what a
   * loss of power can still take from the journal.
   */
  onSynced(listener: (position: Position) => void): void {
    this.#onSynced.push(listener);
  }

  /** Syncs and closes. Nothing can be appended from the call on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#failed === null && this.#synced < this.#appended) {
        this.#hasten();
        await new Promise<void>((resolve, reject) => this.#waiting.push({ upTo: this.#appended, resolve, reject }));
      }
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer);
      closeSync(this.#file);
    }
  }

  #write(text: string): void {
    const need = lineBytesMax(text);
    if (this.#used + need > this.#buffer.length) this.#feedHash();
    const fits = this.#used + need <= this.#buffer.length;
    const buffer = fits ? this.#buffer : Buffer.allocUnsafe(need);
    const from = fits ? this.#used : 0;
    const end = writeLine(buffer, from, text);
    try {
      writeAll(this.#files, this.#file, buffer, from, end, this.#offset);
    } catch (cause) {
      this.#dirty = true;
      try {
        this.#cut();
      } catch {
        // The next append cuts before it writes, and reports the failure if that fails again.
      }
      throw cause;
    }
    this.#offset += end - from;
    if (fits) this.#used = end;
    else this.#hash.update(buffer.subarray(0, end));
  }

  /** Back to the end of the last whole line. */
  #cut(): void {
    this.#files.truncate(this.#file, this.#offset);
    this.#dirty = false;
  }

  #feedHash(): void {
    this.#hash.update(this.#buffer.subarray(this.#hashed, this.#used));
    this.#hashed = 0;
    this.#used = 0;
  }

  /** Seals the segment and begins the next one. Where that cannot be written, the old one takes a little more. */
  #rotate(): void {
    this.#feedHash();
    try {
      // First: a segment that has a successor must be whole on disk.
      this.#files.syncNow(this.#file);
    } catch (error) {
      this.#fail(error as Error);
      throw error;
    }
    this.#settle(this.#appended, this.position);
    let next: Pick<Recovered, "file" | "offset" | "hash">;
    try {
      const previous = this.#hash.copy().digest("hex");
      next = beginSegment(this.#folder, this.#segment + 1, previous, this.#state, this.#options.now(), this.#files);
    } catch (cause) {
      if (cause instanceof FolderNotSynced) {
        this.#fail(cause);
        throw cause;
      }
      this.#rotateAt = this.#offset + postponeBytes;
      return;
    }
    if (this.#syncing) this.#retired.push(this.#file);
    else closeSync(this.#file);
    this.#file = next.file;
    this.#segment++;
    this.#offset = next.offset;
    this.#hash = next.hash;
    this.#rotateAt = Math.max(this.#options.segmentBytesMax, next.offset + 1);
  }

  #hasten(): void {
    if (this.#syncing || this.#prompt) return;
    this.#prompt = true;
    // Not at once: all that this turn of the event loop appends shares one sync.
    setImmediate(this.#sync);
  }

  readonly #sync = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#prompt = false;
    if (this.#syncing || this.#failed !== null || this.#synced === this.#appended) return;
    this.#syncing = true;
    const upTo = this.#appended;
    const position = this.position;
    this.#files.sync(this.#file, (error) => {
      this.#syncing = false;
      for (const file of this.#retired.splice(0)) closeSync(file);
      if (error !== null) return this.#fail(error);
      this.#settle(upTo, position);
      if (this.#synced === this.#appended) return;
      if (this.#closed || (this.#options.durability === "sync" && this.#waiting.length > 0)) this.#hasten();
      else this.#timer ??= setTimeout(this.#sync, this.#options.syncMs);
    });
  };

  #settle(upTo: number, position: Position): void {
    if (upTo <= this.#synced) return;
    this.#synced = upTo;
    const ready = this.#waiting.filter((one) => one.upTo <= this.#synced);
    this.#waiting = this.#waiting.filter((one) => one.upTo > this.#synced);
    for (const one of ready) one.resolve();
    for (const listener of this.#onSynced) listener(position);
  }

  /** Never tried again: after a failed sync the kernel may call the lost pages clean. */
  #fail(cause: Error): void {
    if (this.#failed !== null) return;
    this.#failed = cause;
    const error = unwritable(cause);
    for (const one of this.#waiting.splice(0)) one.reject(error);
    this.#options.onFatal(error);
  }
}

/** The new segment's name is there, and whether it stays is not known. */
class FolderNotSynced extends Error {}

/** A segment gets its name only when its header is on disk: there is none without one. */
function beginSegment(
  folder: string,
  number: number,
  previous: string,
  state: LedgerState,
  createdMs: number,
  files: JournalFiles,
): Pick<Recovered, "file" | "offset" | "hash"> {
  const head: Omit<SegmentHeader, "state"> = { kind: "segment", v: 1, number, previous, createdMs };
  const text = `${JSON.stringify(head).slice(0, -1)},"state":${encodeState(state)}}`;
  const buffer = Buffer.allocUnsafe(lineBytesMax(text));
  const end = writeLine(buffer, 0, text);
  const path = segmentPath(folder, number);
  const file = openSync(`${path}.tmp`, "w+", 0o600);
  try {
    writeAll(files, file, buffer, 0, end, 0);
    files.syncNow(file);
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    closeSync(file);
    rmSync(`${path}.tmp`, { force: true });
    throw error;
  }
  try {
    syncFolder(folder);
  } catch (cause) {
    closeSync(file);
    throw new FolderNotSynced("the journal's folder could not be synced", { cause });
  }
  return { file, offset: end, hash: createHash("sha256").update(buffer.subarray(0, end)) };
}

function unwritable(cause: unknown): PennyworthError {
  return new PennyworthError("journal_unwritable", { cause: nameOf(cause) }, cause);
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}
