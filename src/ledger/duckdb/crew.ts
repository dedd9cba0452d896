// How many threads work for the store: one for what takes some milliseconds, since waking others for it and waiting for them costs half as much
// again; all of them while anything larger is under way, and for a moment after. Not here: what is large. Invariant: while anything large is under way,
// the threads are not taken away.

import type { DuckDBConnection } from "@duckdb/node-api";

/** So long the threads stay for more, ms: DuckDB gives back its memory with them, and what comes next has to fetch it again. */
const lingerMs = 1_000;

export class Crew {
  readonly #connection: DuckDBConnection;
  readonly #most: number;
  #large = 0;
  #threads = 1;
  #leaving: NodeJS.Timeout | null = null;
  /** Changes come one after another. */
  #changes: Promise<unknown> = Promise.resolve();

  /** @param connection nothing else uses it; its instance has one thread. */
  constructor(connection: DuckDBConnection, most: number) {
    this.#connection = connection;
    this.#most = most;
  }

  /** Has all threads at hand for as long as this work takes. */
  async all<T>(work: () => Promise<T>): Promise<T> {
    this.#large += 1;
    if (this.#leaving !== null) clearTimeout(this.#leaving);
    this.#leaving = null;
    await this.#be(this.#most);
    try {
      return await work();
    } finally {
      this.#large -= 1;
      if (this.#large === 0) this.#leaving = setTimeout(() => void this.#be(1), lingerMs).unref();
    }
  }

  async close(): Promise<void> {
    if (this.#leaving !== null) clearTimeout(this.#leaving);
    await this.#changes;
    this.#connection.closeSync();
  }

  #be(threads: number): Promise<unknown> {
    if (this.#threads === threads) return this.#changes;
    this.#threads = threads;
    // Fewer threads make nothing wrong: that they could not be had is nobody's trouble.
    this.#changes = this.#changes.then(() => this.#connection.run(`SET threads = ${threads}`)).catch(() => undefined);
    return this.#changes;
  }
}
