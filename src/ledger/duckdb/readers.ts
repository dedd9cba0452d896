// The connections that answer questions, one at a time each. Not here: SQL, the connection that writes. Invariant: a question is planned with the rows
// that it is answered from: a statement that was prepared and is run again after rows came in has their old statistics in its plan, and DuckDB
// (1.5) then gives wrong values, since it packs columns by them.

import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api";
import type { Value } from "./field.ts";
import { rowsOf } from "./transaction.ts";

/** Questions answered at the same time. */
const readersMax = 3;

export class Readers {
  readonly #all: readonly DuckDBConnection[];
  readonly #free: DuckDBConnection[];
  readonly #waiting: ((reader: DuckDBConnection) => void)[] = [];

  private constructor(all: readonly DuckDBConnection[]) {
    this.#all = all;
    this.#free = [...all];
  }

  static async open(instance: DuckDBInstance): Promise<Readers> {
    const all: DuckDBConnection[] = [];
    for (let i = 0; i < readersMax; i++) all.push(await instance.connect());
    return new Readers(all);
  }

  /** @throws what DuckDB throws. */
  async rows(text: string, values: readonly Value[]): Promise<DuckDBValue[][]> {
    const reader = this.#free.pop() ?? (await new Promise<DuckDBConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      return await rowsOf(reader, text, values);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(reader);
      else next(reader);
    }
  }

  close(): void {
    for (const reader of this.#all) reader.closeSync();
    this.#free.length = 0;
  }
}
