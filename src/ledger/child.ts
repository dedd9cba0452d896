// The store's own process: follows the journal into the store and answers questions. Low priority, bounded threads and memory, gone when
// its parent is. Not here: what a row is. Invariant: it only reads the journal; whatever happens to the store's file, the journal can
// rebuild it.

import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Position, comparePositions } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { Line } from "./duckdb/batch.ts";
import { dropStore, storeFile } from "./duckdb/place.ts";
import { JournalRecords } from "./duckdb/records.ts";
import { DuckDBStore } from "./duckdb/store.ts";
import type { Answer, Message, News, Setup } from "./duckdb/wire.ts";
import { compressSealed } from "./seal.ts";
import { readLines, segmentPath } from "./segments.ts";

/** Entries of one transaction. Large ones are faster by far: rows in whole groups of 122,880 go straight to the file, others through its log. */
const batchEntriesMax = 500_000;
/** How long the first entry that is not shown yet waits for others. */
const delayMs = 100;
/** Questions that may wait for an answer. */
const waitingMax = 256;
const idleMs = 1000;
const compressEveryMs = 60_000;

class Follower {
  readonly #setup: Setup;
  readonly #journal: string;
  #store: DuckDBStore;
  #wake: (() => void) | null = null;
  #closing = false;
  #waiting = 0;
  #followed: Promise<void> = Promise.resolve();

  constructor(setup: Setup) {
    this.#setup = setup;
    this.#journal = join(setup.folder, "journal");
    this.#store = this.#createStore();
  }

  /** Opens the store, or drops its file when it cannot be used, is of another version or knows another journal. */
  async open(): Promise<void> {
    await mkdir(this.#journal, { recursive: true, mode: 0o700 });
    try {
      await this.#store.open();
      const reason = await this.#mismatch();
      if (reason !== null) await this.#drop(reason);
    } catch (cause) {
      await this.#drop(messageOf(cause));
    }
    tell({ kind: "opened", applied: this.#store.applied });
  }

  /** Follows the journal until closed. */
  follow(): Promise<void> {
    this.#followed = this.#run();
    return this.#followed;
  }

  async #run(): Promise<void> {
    let compressedMs = Date.now();
    while (!this.#closing) {
      const before = this.#store.applied;
      try {
        await this.#catchUp();
      } catch (cause) {
        await this.#degrade(cause);
      }
      const after = this.#store.applied;
      const moved = after !== null && (before === null || comparePositions(after, before) > 0);
      if (moved) tell({ kind: "applied", applied: after });
      else if (Date.now() - compressedMs > compressEveryMs) {
        compressedMs = Date.now();
        await compressSealed(this.#journal).catch((cause: unknown) => tell({ kind: "trouble", detail: messageOf(cause) }));
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Also without news, which may be lost with a restart.
        setTimeout(resolve, idleMs);
      });
      if (!this.#closing) await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  advance(position: Position): void {
    const { applied } = this.#store;
    if (applied === null || comparePositions(position, applied) > 0) this.#wake?.();
  }

  async answer(message: Extract<Message, { kind: "ask" }>): Promise<unknown> {
    if (this.#waiting >= waitingMax) throw new PennyworthError("store_busy", { detail: `${waitingMax} questions wait already` });
    this.#waiting++;
    try {
      switch (message.method) {
        case "report":
          return await this.#store.report(message.query);
        case "calls":
          return await this.#store.calls(message.query);
        case "call":
          return await this.#store.call(message.id);
        case "scan":
          return await this.#store.scan(message.after, message.limit);
        case "status":
          return { applied: this.#store.applied, refused: await this.#store.refused() };
      }
    } finally {
      this.#waiting--;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    await this.#followed.catch(() => undefined);
    await this.#store.close();
  }

  #createStore(): DuckDBStore {
    return new DuckDBStore(storeFile(this.#setup.folder), new JournalRecords(this.#journal), {
      threads: this.#setup.threads,
      memory: this.#setup.memory,
    });
  }

  /** One batch is committed while the next is parsed. */
  async #catchUp(): Promise<void> {
    let pending: Promise<void> = Promise.resolve();
    const flush = async (): Promise<void> => {
      const batch = await this.#store.seal();
      await pending;
      if (batch === null) return;
      pending = this.#store.commit(batch).then(() => {
        if (this.#store.applied !== null) tell({ kind: "applied", applied: this.#store.applied });
      });
      // Awaited with the next batch; it must not count as unhandled until then.
      pending.catch(() => undefined);
    };
    for await (const { texts, ends } of readLines(this.#journal, this.#store.applied)) {
      const lines = texts.map((text, index) => ({ text, position: ends[index] as Position }));
      if ((await this.#store.add(lines)) >= batchEntriesMax) await flush();
      if (this.#closing) break;
    }
    await flush();
    await pending;
  }

  /** A batch failed: halves are tried until the entry is found that cannot be taken in; it is set aside, visibly. */
  async #degrade(cause: unknown): Promise<void> {
    if (this.#closing) return;
    if (cause instanceof PennyworthError && cause.code === "journal_damaged") {
      tell({ kind: "trouble", detail: messageOf(cause) });
      return;
    }
    tell({ kind: "trouble", detail: `${messageOf(cause)}; its entries are tried one part at a time` });
    for await (const { texts, ends } of readLines(this.#journal, this.#store.applied)) {
      await this.#applyParts(texts.map((text, index) => ({ text, position: ends[index] as Position })));
      return;
    }
  }

  async #applyParts(lines: readonly Line[]): Promise<void> {
    try {
      await this.#store.add(lines);
      const batch = await this.#store.seal();
      if (batch !== null) await this.#store.commit(batch);
    } catch (cause) {
      const [only] = lines;
      if (only === undefined) return;
      if (lines.length === 1) {
        tell({
          kind: "trouble",
          detail: `the entry at ${only.position.segment}:${only.position.offset} was set aside: ${messageOf(cause)}`,
        });
        await this.#store.refuse(only, messageOf(cause));
        return;
      }
      const half = lines.length >> 1;
      await this.#applyParts(lines.slice(0, half));
      await this.#applyParts(lines.slice(half));
    }
  }

  async #drop(reason: string): Promise<void> {
    tell({ kind: "trouble", detail: `the store is rebuilt from the journal: ${reason}` });
    await this.#store.close();
    dropStore(this.#setup.folder);
    this.#store = this.#createStore();
    await this.#store.open();
  }

  /** Whether the applied position is a place in this journal: it may have been put back from a backup, or lost a tail never synced. */
  async #mismatch(): Promise<string | null> {
    const { applied } = this.#store;
    if (applied === null) return null;
    const raw = segmentPath(this.#journal, applied.segment);
    if (!existsSync(raw)) return existsSync(`${raw}.gz`) ? null : `segment ${applied.segment} is not in the journal`;
    if (statSync(raw).size < applied.offset) return "it has more than the journal";
    const mark = await this.#store.mark();
    return mark === null || mark === markAt(raw, applied.offset) ? null : "it was made from another journal";
  }
}

/** CRC-32 of the JSON of the line that ends at `offset`; null when there is none in the last megabyte before it. */
function markAt(path: string, offset: number): number | null {
  const length = Math.min(offset, 1 << 20);
  const buffer = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    readSync(file, buffer, 0, length, offset - length);
  } finally {
    closeSync(file);
  }
  const from = buffer.lastIndexOf(10, length - 2) + 1;
  return buffer[length - 1] === 10 ? crc32(buffer.subarray(from + 9, length - 1)) : null;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function tell(news: News | Answer): void {
  if (process.connected) process.send?.(news);
}

let follower: Follower | null = null;

async function receive(message: Message): Promise<void> {
  if (message.kind === "setup") {
    follower = new Follower(message.setup);
    await follower.open();
    await follower.follow();
    return;
  }
  if (follower === null) return;
  if (message.kind === "advance") follower.advance(message.position);
  else if (message.kind === "close") {
    await follower.close();
    process.disconnect();
  } else {
    try {
      tell({ kind: "answer", number: message.number, value: await follower.answer(message) });
    } catch (cause) {
      const code = cause instanceof PennyworthError ? cause.code : "store_failed";
      tell({ kind: "failure", number: message.number, code, message: messageOf(cause) });
    }
  }
}

if (process.send !== undefined) {
  // Nicer than the gateway: it must never wait for a report.
  setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  // The parent closes the channel, or dies: either way there is nobody left to answer. Signals to the group are the parent's to handle.
  process.on("disconnect", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.on("message", (message: Message) => {
    receive(message).catch((cause: unknown) => {
      tell({ kind: "trouble", detail: messageOf(cause) });
      process.exitCode = 1;
      process.disconnect?.();
    });
  });
}
