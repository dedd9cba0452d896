// The transaction that a batch is committed in, as the parts of a commit see it. Not here: when it begins and ends.

import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import type { Value } from "./field.ts";

export interface Transaction {
  rows(text: string, values: readonly Value[]): Promise<DuckDBValue[][]>;
  run(text: string, values: readonly Value[]): Promise<void>;
}

/** Puts lines into a file that DuckDB reads, for as long as it is used. */
export type Spool = (rows: readonly string[], use: (file: string) => Promise<void>) => Promise<void>;

/** Longest line the reader takes: rows hold names and charges, no text of prompts. */
const lineBytesMax = 8 << 20;

/** The lines of such a file, whose path is a parameter, as rows of these columns with their types. */
export function spooled(columns: Readonly<Record<string, string>>): string {
  const listed = Object.entries(columns).map(([name, type]) => `"${name}": '${type}'`);
  return `read_json(?::VARCHAR, format = 'newline_delimited', maximum_object_size = ${lineBytesMax}, columns = {${listed.join(", ")}})`;
}

export function transactionOf(writer: DuckDBConnection): Transaction {
  return {
    rows: (text, values) => rowsOf(writer, text, values),
    run: (text, values) => writer.run(text, [...values]).then(() => undefined),
  };
}

export async function rowsOf(connection: DuckDBConnection, text: string, values: readonly Value[] = []): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(text, [...values])).getRows();
}
