// Writes calls into the journal, and keeps the promise when it cannot: new calls are refused, or by explicit setting let through with
// the gap on record; ends of calls that were already under way are kept and written as soon as the journal can be written again.

import type { CallEnd, CallStart, Observation } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";

export interface Log {
  append(entry: Entry): unknown;
  synced(): Promise<void>;
}

export interface RecorderOptions {
  readonly durability: "batched" | "sync";
  readonly whenUnwritable: "refuse" | "pass";
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** Told of what later witnesses say. */
  readonly observed?: (observation: Observation) => void;
}

/** How long until an entry that could not be written is tried again. */
const retryMs = 200;

export class Recorder {
  readonly #log: Log;
  readonly #options: RecorderOptions;
  #waiting: Entry[] = [];
  #gap: { fromMs: number; calls: number; cause: string } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(log: Log, options: RecorderOptions) {
    this.#log = log;
    this.#options = options;
  }

  /**
   * Puts a call's start on record.
   * @returns false when the call goes through unmetered, by setting.
   * @throws PennyworthError `journal_unwritable`.
   */
  start(call: CallStart): boolean {
    try {
      this.put({ kind: "start", call });
      return true;
    } catch (error) {
      if (this.#options.whenUnwritable === "refuse") throw error;
      const cause = error instanceof PennyworthError ? error.message : "unknown";
      this.#gap ??= { fromMs: this.#options.now(), calls: 0, cause };
      this.#gap.calls += 1;
      this.#later();
      return false;
    }
  }

  /** Puts a call's end on record; never refuses. */
  end(call: CallEnd): void {
    this.#keep({ kind: "end", call });
  }

  observe(observation: Observation): void {
    this.note({ kind: "observation", observation });
  }

  /** A call's response id is known before its end is: should this process die, a later witness finds the call by it. */
  seen(id: string, responseId: string): void {
    this.#keep({ kind: "seen", id, responseId });
  }

  /** Puts something on record now, or not at all. @throws PennyworthError `journal_unwritable`. */
  put(entry: Entry): void {
    if (this.#waiting.length > 0 || this.#gap !== null) this.#flush();
    this.#log.append(entry);
  }

  /** Puts something else than a call on record: work, a charge. Never refuses. */
  note(entry: Entry): void {
    this.#keep(entry);
    if (entry.kind === "observation") this.#options.observed?.(entry.observation);
  }

  /** The wall clock jumped. */
  clock(byMs: number): void {
    this.#keep({ kind: "clock", atMs: this.#options.now(), byMs });
  }

  /** @throws PennyworthError `journal_unwritable` while entries are waiting for the journal. */
  requireWritable(): void {
    if (this.pending > 0) this.#flush();
  }

  /** Runs `release` when what was recorded so far is as durable as the settings ask for: at once, or after a sync. */
  whenDurable(release: () => void): void {
    if (this.#options.durability === "batched") release();
    else this.#log.synced().then(release, (error: unknown) => this.#options.warn(`an answer was kept back: ${String(error)}`));
  }

  /** Calls let through unmetered and not yet on record, and ends not yet written. */
  get pending(): number {
    return this.#waiting.length + (this.#gap?.calls ?? 0);
  }

  /** Tries once more to write what is waiting. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      this.#flush();
    } catch (error) {
      this.#options.warn(`${this.pending} entries could not be written at shutdown: ${String(error)}`);
    }
  }

  #keep(entry: Entry): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(entry);
      return;
    }
    try {
      this.#log.append(entry);
    } catch (error) {
      this.#waiting.push(entry);
      this.#options.warn(`an entry is kept in memory until the journal can be written: ${String(error)}`);
      this.#later();
    }
  }

  #flush(): void {
    while (this.#waiting.length > 0) {
      this.#log.append(this.#waiting[0] as Entry);
      this.#waiting.shift();
    }
    if (this.#gap !== null) {
      this.#log.append({ kind: "gap", ...this.#gap, toMs: this.#options.now() });
      this.#gap = null;
    }
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      try {
        this.#flush();
      } catch {
        this.#later();
      }
    }, retryMs).unref();
  }
}
