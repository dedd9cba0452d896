// The connections that answer questions, one at a time each. Not here: SQL, the connection that writes. Invariant: a question is planned with the rows
// that it is answered from: a statement that was prepared and is run again after rows came in has their old statistics in its plan, and DuckDB
// (1.5) then gives wrong values, since it packs columns by them.

import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api";
import type { Sql, Value } from "./field.ts";
import { rowsOf } from "./transaction.ts";

/** Questions answered at the same time. */
const readersMax = 3;

/** A row that is being read: its value in a column. */
export type Row = (column: number) => DuckDBValue;

/** Puts a question, and has each row of its answer read where it lies: of many rows no list is made. */
export type Rows = (sql: Sql, read: (row: Row) => void) => Promise<void>;

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
  rows(text: string, values: readonly Value[]): Promise<DuckDBValue[][]> {
    return this.#with((reader) => rowsOf(reader, text, values));
  }

  /** Several questions about the same rows, whatever is committed in between. @throws what DuckDB throws. */
  together<T>(use: (ask: Rows) => Promise<T>): Promise<T> {
    return this.#with(async (reader) => {
      await reader.run("BEGIN TRANSACTION READ ONLY");
      try {
        return await use((sql, read) => readEach(reader, sql, read));
      } finally {
        await reader.run("ROLLBACK");
      }
    });
  }

  async #with<T>(use: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    const reader = this.#free.pop() ?? (await new Promise<DuckDBConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(reader);
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

async function readEach(reader: DuckDBConnection, { text, values }: Sql, read: (row: Row) => void): Promise<void> {
  const result = await reader.run(text, [...values]);
  for (const chunk of await result.fetchAllChunks()) {
    const columns = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnVector(index));
    for (let row = 0; row < chunk.rowCount; row += 1) read((column) => columns[column]?.getItem(row) ?? null);
  }
}
