// Whether a statement says the same usage twice: by the day and by the hour, or in rows that are equal to the last column. Not here: pages (pages.ts),
// and files that are each the whole of their days (read.ts). Invariant: what overlaps is refused with both its places; equal rows are never silent.

import type { Statement, StatementLine } from "../core/statement.ts";
import type { Source } from "./draft.ts";
import { failAt } from "./fail.ts";
import { nameOf, type Row } from "./table.ts";

/** Columns in which a source numbers its rows: two that are equal in them too are one row twice. */
const ids = ["identityLineItemId", "generation_id"].map(nameOf);

/** Most places that a note names. */
const placesMax = 5;

/** Files of one format that were read. `source` is what `statement` was read from. */
interface Read {
  readonly name: string;
  readonly source: Source;
  readonly statement: Statement;
}

/** @returns notes. @throws Fault. */
export function checkTwice(files: readonly Read[]): string[] {
  const rows = files.flatMap(({ name, source, statement }): Place[] => {
    const before = files.length === 1 ? "" : `${name}, `;
    const table = new Map(source.kind === "table" ? source.table.rows.map((row) => [row.place, row]) : []);
    return statement.lines.map((line) => ({ line, place: `${before}${line.place}`, row: table.get(line.place) ?? null }));
  });
  refuseOverlaps(rows);
  return equalRows(rows);
}

interface Place {
  readonly line: StatementLine;
  readonly place: string;
  /** null: not of a table. */
  readonly row: Row | null;
}

/** @throws Fault when two lines of one key are about spans that overlap and are not the same. */
function refuseOverlaps(all: readonly Place[]): void {
  const keys = new Map<string, Place[]>();
  const words = new Map<Row, string>();
  for (const one of all) {
    const { model, class: name, holds, tier, currency, account, key, region, item, quantity, costPico } = one.line;
    if (one.row !== null && !words.has(one.row)) words.set(one.row, wordsOf(one.row));
    const told = one.row === null ? "" : words.get(one.row);
    const text = JSON.stringify([
      model,
      name,
      holds,
      tier,
      currency,
      account,
      key,
      region,
      item,
      quantity === null,
      costPico === null,
      told,
    ]);
    const same = keys.get(text);
    if (same === undefined) keys.set(text, [one]);
    else same.push(one);
  }
  for (const same of keys.values()) {
    const sorted = same.toSorted((a, b) => a.line.fromMs - b.line.fromMs || b.line.toMs - a.line.toMs);
    let last: Place | null = null;
    for (const one of sorted) {
      const { fromMs, toMs } = one.line;
      if (last !== null && fromMs < last.line.toMs && (fromMs !== last.line.fromMs || toMs !== last.line.toMs))
        throw failAt(
          one.place,
          `it is about ${spanOf(one.line)}, and ${last.place} of the same about ${spanOf(last.line)}: that would be counted twice; export days or hours, not both`,
        );
      if (last === null || toMs > last.line.toMs) last = one;
    }
  }
}

/** What a row says beside its figures and times: rows that differ in it are about different things, whether the columns are known here or not. */
function wordsOf({ record }: Row): string {
  return JSON.stringify(
    record.map((text) => (/^[-+\d$.,]*(e[-+]?\d+)?$|^\d{4}-\d{2}-\d{2}|^\d{1,2}\/\d{1,2}\/\d{4}/i.test(text) ? "" : text)),
  );
}

/** @throws Fault when their source numbers them. */
function equalRows(all: readonly Place[]): string[] {
  const seen = new Map<string, Place>();
  const equal = new Map<string, string>();
  for (const one of all) {
    if (one.row === null) continue;
    const { record, columns } = one.row;
    const text = JSON.stringify(record);
    const other = seen.get(text);
    if (other === undefined) seen.set(text, one);
    // One row may be several lines.
    if (other === undefined || other.row === one.row) continue;
    const isNumbered = ids.some((name) => (record[columns.get(name) ?? -1] ?? "") !== "");
    if (isNumbered) throw failAt(one.place, `it is ${other.place} again, with the same id: it would be counted twice`);
    equal.set(one.place, other.place);
  }
  if (equal.size === 0) return [];
  const places = [...equal].slice(0, placesMax).map(([place, other]) => `${place} as ${other}`);
  const more = equal.size > placesMax ? `, and ${equal.size - placesMax} more` : "";
  return [`Rows that say the same as another, to the last column, are counted each: ${places.join("; ")}${more}.`];
}

function spanOf({ fromMs, toMs }: StatementLine): string {
  return [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16)).join(" to ");
}
