// The transaction that a batch is committed in, as the parts of a commit see it. Not here: when it begins and ends.

import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import type { Value } from "./field.ts";

export interface Transaction {
  rows(text: string, values: readonly Value[]): Promise<DuckDBValue[][]>;
  run(text: string, values: readonly Value[]): Promise<void>;
}

/** Puts lines into a file that DuckDB reads, for as long as it is used. */
export type Spool = (rows: readonly string[], use: (file: string) => Promise<void>) => Promise<void>;

export function transactionOf(writer: DuckDBConnection): Transaction {
  return {
    rows: (text, values) => rowsOf(writer, text, values),
    run: (text, values) => writer.run(text, [...values]).then(() => undefined),
  };
}

export async function rowsOf(connection: DuckDBConnection, text: string, values: readonly Value[] = []): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(text, [...values])).getRows();
}
