// Tables as text: comma, semicolon or tab between the cells, names of columns in the first line. Not here: what the columns mean.
// Invariant: a row keeps its line number, and one with more or fewer cells than there are columns is refused.

import { type Info, parse } from "csv-parse/sync";
import { failAt } from "./fail.ts";

export interface Table {
  /** As they are spelt, in order. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly record: readonly string[];
  /** Index by the column's name in small letters without anything but letters and digits: `lineItem/UsageType` is `lineitemusagetype`. */
  readonly columns: ReadonlyMap<string, number>;
  /** `line 12`. */
  readonly place: string;
}

/** @throws Fault, with the line. */
export function parseTable(text: string): Table {
  const first = text.replace(/^\uFEFF/, "").slice(0, (text.indexOf("\n") + 1 || text.length + 1) - 1);
  const delimiter = ["\t", ";", ","].toSorted((a, b) => first.split(b).length - first.split(a).length)[0] ?? ",";
  let records: { readonly record: string[]; readonly info: Info }[];
  try {
    const options = { info: true, bom: true, trim: true, skip_empty_lines: true, delimiter } as const;
    records = parse(text, options) as unknown as typeof records;
  } catch (cause) {
    const { lines, message } = cause as { readonly lines?: number; readonly message: string };
    throw failAt(lines === undefined ? "" : `line ${lines}`, message, cause);
  }
  const [head, ...rest] = records;
  if (head === undefined) throw failAt("", "the file is empty");
  const columns = new Map(head.record.map((name, index) => [nameOf(name), index]));
  return {
    columns: head.record,
    rows: rest.map(({ record, info }) => ({ record, columns, place: `line ${info.lines}` })),
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
