// Tables as text: comma, semicolon or tab between the cells, names of columns in the first line. Not here: what the columns mean.
// Invariant: a row keeps the number of its first line, and one with more or fewer cells than there are columns is refused.

import { type Info, parse } from "csv-parse/sync";
import { delimiterOf, Lines, withoutLine } from "../text.ts";
import { failAt } from "./fail.ts";

export interface Table {
  /** As they are spelt, in order. */
  readonly columns: readonly string[];
  /** Where these stand: `line 1`. */
  readonly place: string;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly record: readonly string[];
  /** Index by the column's name in small letters without anything but letters and digits: `lineItem/UsageType` is `lineitemusagetype`. */
  readonly columns: ReadonlyMap<string, number>;
  /** `line 12`: its first. */
  readonly place: string;
}

/** @throws Fault, with the line. */
export function parseTable(text: string): Table {
  const [bytes, delimiter] = [Buffer.from(text), delimiterOf(text)];
  const lines = new Lines(bytes, delimiter);
  let records: { readonly record: string[]; readonly info: Info }[];
  try {
    const options = { info: true, bom: true, trim: true, skip_empty_lines: true, relax_column_count: true, delimiter } as const;
    records = parse(bytes, options) as unknown as typeof records;
  } catch (cause) {
    const { bytes: at, message } = cause as { readonly bytes?: number; readonly message: string };
    throw failAt(at === undefined ? "" : `line ${lines.from(at)}`, withoutLine(message), cause);
  }
  const [head, ...rest] = records;
  if (head === undefined) throw failAt("", "the file is empty");
  const columns = new Map(head.record.map((name, index) => [nameOf(name), index]));
  const line = lines.next(head.info.bytes);
  return {
    columns: head.record,
    place: `line ${line}`,
    rows: rest.map(({ record, info }) => {
      const place = `line ${lines.next(info.bytes)}`;
      if (record.length !== head.record.length)
        throw failAt(place, `it has ${record.length} cells, and line ${line} names ${head.record.length} columns`);
      return { record, columns, place };
    }),
  };
}

export function nameOf(column: string): string {
  return column.toLowerCase().replace(/[^a-z0-9]/g, "");
}

export function hasColumns(table: Table, ...names: readonly string[]): boolean {
  const known = new Set(table.columns.map(nameOf));
  return names.every((name) => known.has(nameOf(name)));
}

/** The first of the columns that the row has something in; null: none has. */
export function cell(row: Row, ...names: readonly string[]): string | null {
  for (const name of names) {
    const index = row.columns.get(nameOf(name));
    const value = index === undefined ? undefined : row.record[index];
    if (value !== undefined && value !== "" && value.toLowerCase() !== "null") return value;
  }
  return null;
}
