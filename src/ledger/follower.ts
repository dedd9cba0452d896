// Follows the journal into the store, batch by batch, and answers questions about it. Not here: the process this runs in (child.ts).
// Invariant: an entry is in the tables, or set aside and counted, or still to come. Trouble of the machine sets nothing aside: whatever step
// it struck, the store goes back to what is committed and the same lines are tried again.

import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Position, comparePositions } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { Line } from "./duckdb/batch.ts";
import { dropStore, storeFile } from "./duckdb/place.ts";
import { JournalRecords } from "./duckdb/records.ts";
import type { RerateJob } from "./duckdb/rerate.ts";
import { DuckDBStore } from "./duckdb/store.ts";
import { isContent, isEnded, isMachine } from "./duckdb/trouble.ts";
import type { Message, News, Setup } from "./duckdb/wire.ts";
import { checkBytes } from "./frame.ts";
import { compressSealed } from "./seal.ts";
import { type Lines, readLines, segmentPath } from "./segments.ts";

export interface Pace {
  /** Entries of one transaction. Large ones are faster by far: rows in whole groups of 122,880 go straight to the file, others through its log. */
  readonly batchEntriesMax: number;
  /** How long the first entry that is not shown yet waits for others. */
  readonly delayMs: number;
  /** How long until what failed is tried again: doubled each time, up to `retryMsMax`. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

const defaultPace: Pace = { batchEntriesMax: 500_000, delayMs: 100, retryMs: 250, retryMsMax: 5000 };
/** Questions that may wait for an answer. */
const waitingMax = 256;
const idleMs = 1000;
const compressEveryMs = 60_000;
/** Where the start of a line is looked for at first; few lines are longer. */
const lookBackBytes = 1 << 20;
const newline = 10;

export class Follower {
  readonly #setup: Setup;
  readonly #tell: (news: News) => void;
  readonly #pace: Pace;
  readonly #journal: string;
  #store: DuckDBStore;
  #opened = false;
  /** What is being tried again; told once. */
  #trouble: string | null = null;
  #notCompressed = "";
  #wake: (() => void) | null = null;
  #stop: (() => void) | null = null;
  #closing = false;
  #waiting = 0;
  #rerate: RerateJob | null = null;
  #followed: Promise<void> = Promise.resolve();

  constructor(setup: Setup, tell: (news: News) => void, pace: Pace = defaultPace) {
    this.#setup = setup;
    this.#tell = tell;
    this.#pace = pace;
    this.#journal = join(setup.folder, "journal");
    this.#store = this.#createStore();
  }

  /** Opens the store. Where the machine does not let it, `follow` tries again. */
  async open(): Promise<void> {
    try {
      await this.#openStore();
    } catch (cause) {
      this.#fail(cause);
    }
    this.#tell({ kind: "opened", applied: this.#store.applied });
  }

  /** Follows the journal until closed. @throws when the store will answer nothing any more in this process. */
  follow(): Promise<void> {
    this.#followed = this.#run();
    return this.#followed;
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
        case "totals":
          return await this.#store.totals(message.spans);
        case "calls":
          return await this.#store.calls(message.query);
        case "call":
          return await this.#store.call(message.id);
        case "scan":
          return await this.#store.scan(message.after, message.limit);
        case "charges":
          return await this.#store.charges(message.query);
        case "charge":
          return await this.#store.charge(message.id);
        case "runs":
          return await this.#store.runs(message.query);
        case "run":
          return await this.#store.run(message.id, message.limit);
        case "success":
          return await this.#store.success(message.query);
        case "drivers":
          return await this.#store.drivers(message.query);
        case "tries":
          return await this.#store.tries(message.query);
        case "odds":
          return await this.#store.odds(message.query);
        case "shape":
          return await this.#store.shape(message.query);
        case "revenue":
          return await this.#store.revenue(message.query);
        case "margin":
          return await this.#store.margin(message.query);
        case "rework":
          return await this.#store.rework(message.task);
        case "outcomes":
          return await this.#store.outcomes(message.task);
        case "waiting":
          return await this.#store.waiting(message.limit);
        case "said":
          return await this.#store.said(message.query);
        case "find":
          return await this.#store.find(message.query);
        case "chargesOf":
          return await this.#store.chargesOf(message.ids);
        case "incidents":
          return await this.#store.incidents(message.query);
        case "unpriced":
          return await this.#store.unpriced(message.query);
        case "trend":
          return await this.#store.trend(message.query);
        case "busy":
          return await this.#store.busy(message.query);
        case "chargesNamed":
          return await this.#store.chargesNamed(message.prefix, message.limit);
        case "rerate":
          if (this.#rerate !== null) throw new PennyworthError("store_busy", { detail: "it rates calls anew already" });
          this.#rerate = await this.#store.rerate(message.query);
          return null;
        case "rerate.next":
          if (this.#rerate === null) throw new PennyworthError("store_busy", { detail: "it was started again while it rated calls anew" });
          return await this.#rerate.next();
        case "rerate.close":
          this.#rerate?.close();
          this.#rerate = null;
          return null;
        case "status":
          return { applied: this.#store.applied, refused: this.#opened ? await this.#store.refused() : 0, trouble: this.#trouble };
      }
    } finally {
      this.#waiting--;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    this.#stop?.();
    await this.#followed.catch(() => undefined);
    this.#rerate?.close();
    await this.#store.close();
  }

  async #run(): Promise<void> {
    let compressedMs = Date.now();
    let failures = 0;
    while (!this.#closing) {
      const before = this.#store.applied;
      failures = (await this.#attempt()) ? 0 : failures + 1;
      const after = this.#store.applied;
      const moved = after !== null && (before === null || comparePositions(after, before) > 0);
      if (moved) this.#tell({ kind: "applied", applied: after });
      else if (failures === 0 && Date.now() - compressedMs > compressEveryMs) {
        compressedMs = Date.now();
        await this.#compress();
      }
      if (failures > 0) {
        await this.#pause(Math.min(this.#pace.retryMs * 2 ** (failures - 1), this.#pace.retryMsMax));
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Also without news, which may be lost with a restart.
        setTimeout(resolve, idleMs);
      });
      await this.#pause(this.#pace.delayMs);
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#closing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stop = resolve;
      setTimeout(resolve, ms);
    });
  }

  /** Takes in what the journal has. @returns whether it could. */
  async #attempt(): Promise<boolean> {
    try {
      await this.#openStore();
      await this.#takeIn();
    } catch (cause) {
      if (isEnded(cause)) throw cause;
      this.#fail(cause);
      return false;
    }
    if (this.#trouble !== null) this.#tell({ kind: "trouble", level: "info", detail: "the store takes in what is recorded again" });
    this.#trouble = null;
    return true;
  }

  #fail(cause: unknown): void {
    const before = this.#trouble;
    this.#trouble = messageOf(cause);
    if (before !== null || this.#closing) return;
    const detail = `reports fall behind, and nothing is lost: ${this.#trouble}; it is tried again until it goes`;
    this.#tell({ kind: "trouble", level: "error", detail });
  }

  async #takeIn(): Promise<void> {
    while (!this.#closing) {
      await this.#store.recover();
      try {
        await this.#catchUp();
        return;
      } catch (cause) {
        if (!isContent(cause)) throw cause;
        await this.#store.recover();
        await this.#setAside();
      }
    }
  }

  /** One batch is committed while the next is parsed. */
  async #catchUp(): Promise<void> {
    let pending: Promise<void> = Promise.resolve();
    const flush = async (): Promise<void> => {
      const batch = await this.#store.seal();
      await pending;
      if (batch === null) return;
      pending = this.#store.commit(batch).then(() => {
        if (this.#store.applied !== null) this.#tell({ kind: "applied", applied: this.#store.applied });
      });
      // Awaited with the next batch; it must not count as unhandled until then.
      pending.catch(() => undefined);
    };
    try {
      for await (const lines of readLines(this.#journal, this.#store.applied)) {
        if ((await this.#store.add(placed(lines))) >= this.#pace.batchEntriesMax) await flush();
        if (this.#closing) break;
      }
      await flush();
      await pending;
    } catch (cause) {
      // What stands before damage in the journal is taken in all the same.
      if (!this.#store.failed) await flush().catch(() => undefined);
      throw cause;
    } finally {
      await pending.catch(() => undefined);
    }
  }

  /** Some entry cannot become a row: halves are tried until it is found. It is set aside, visibly, and what follows is taken in. */
  async #setAside(): Promise<void> {
    for await (const lines of readLines(this.#journal, this.#store.applied)) {
      if ((await this.#applyParts(placed(lines))) > 0 || this.#closing) return;
    }
  }

  /** @returns how many were set aside. */
  async #applyParts(lines: readonly Line[]): Promise<number> {
    try {
      await this.#store.add(lines);
      const batch = await this.#store.seal();
      if (batch !== null) await this.#store.commit(batch);
      return 0;
    } catch (cause) {
      if (!isContent(cause)) throw cause;
      await this.#store.recover();
      const [only] = lines;
      if (only === undefined) return 0;
      if (lines.length === 1) {
        await this.#store.refuse(only, messageOf(cause));
        const { segment, offset } = only.position;
        this.#tell({ kind: "trouble", level: "error", detail: `the entry at ${segment}:${offset} was set aside: ${messageOf(cause)}` });
        return 1;
      }
      const half = lines.length >> 1;
      return (await this.#applyParts(lines.slice(0, half))) + (await this.#applyParts(lines.slice(half)));
    }
  }

  async #compress(): Promise<void> {
    try {
      await compressSealed(this.#journal);
      this.#notCompressed = "";
    } catch (cause) {
      const detail = `sealed segments stay as they are: ${messageOf(cause)}`;
      if (detail !== this.#notCompressed) this.#tell({ kind: "trouble", level: "error", detail });
      this.#notCompressed = detail;
    }
  }

  /** Drops the store's file when it cannot be used, is of another version or knows another journal; not when the machine is in trouble. */
  async #openStore(): Promise<void> {
    if (this.#opened) return;
    await mkdir(this.#journal, { recursive: true, mode: 0o700 });
    let reason: string | null;
    try {
      await this.#store.open();
      reason = await this.#mismatch();
    } catch (cause) {
      if (isMachine(cause)) throw cause;
      reason = messageOf(cause);
    }
    if (reason !== null) await this.#drop(reason);
    this.#opened = true;
  }

  async #drop(reason: string): Promise<void> {
    this.#tell({ kind: "trouble", level: "info", detail: `the store is rebuilt from the journal: ${reason}` });
    await this.#store.close();
    dropStore(this.#setup.folder);
    this.#store = this.#createStore();
    await this.#store.open();
  }

  #createStore(): DuckDBStore {
    return new DuckDBStore(storeFile(this.#setup.folder), new JournalRecords(this.#journal), {
      threads: this.#setup.threads,
      memory: this.#setup.memory,
    });
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

function placed({ texts, ends }: Lines): Line[] {
  return texts.map((text, index) => ({ text, position: ends[index] as Position }));
}

/** CRC-32 of the JSON of the line that ends at `offset`, however long it is; null when no line ends there. */
function markAt(path: string, offset: number): number | null {
  const file = openSync(path, "r");
  try {
    for (let length = Math.min(offset, lookBackBytes); ; length = Math.min(offset, length * 4)) {
      const buffer = Buffer.alloc(length);
      readSync(file, buffer, 0, length, offset - length);
      if (buffer[length - 1] !== newline) return null;
      const before = length < 2 ? -1 : buffer.lastIndexOf(newline, length - 2);
      if (before >= 0 || length === offset) return crc32(buffer.subarray(before + 1 + checkBytes, length - 1));
    }
  } finally {
    closeSync(file);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
