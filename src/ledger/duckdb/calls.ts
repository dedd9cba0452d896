// Calls one by one, newest first, page by page. Not here: their records (recall.ts), sums of them (query.ts). Invariant: a page goes on where the one
// before ended, and a call that ends meanwhile is on one of them.

import type { DuckDBValue } from "@duckdb/node-api";
import { PennyworthError } from "../../error.ts";
import type { CallsPage, CallsQuery } from "../store.ts";
import { summaryColumns, toSummary } from "./answer.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { type Sql, type Value, where } from "./field.ts";
import { bounded } from "./query.ts";

/** One more than the limit says that there are more. @throws PennyworthError `query_invalid`. */
export function callsSql(query: CallsQuery): Sql {
  const limit = bounded(query.limit);
  const source = where(query.sinceMs, query.untilMs, query.filters, query.zone);
  const after = query.cursor === null ? null : readCursor(query.cursor);
  const values: Value[] = [...source.values];
  let condition = source.text === "" ? "WHERE true" : source.text;
  if (query.filters.some((filter) => filter.field === "class"))
    throw new PennyworthError("query_invalid", { detail: "calls cannot be filtered by class; report them by class instead" });
  if (after !== null) {
    condition += " AND c.startMs <= ?::BIGINT AND (c.startMs < ?::BIGINT OR c.id < ?::VARCHAR)";
    values.push(after.startMs, after.startMs, after.id);
  }
  // One statement, so that a call that ends meanwhile is in exactly one of the two tables.
  const newest = (table: string): string =>
    `(SELECT ${summaryColumns.map((name) => `c."${name}"`).join(", ")} FROM ${table} AS c ${condition} ORDER BY c.startMs DESC, c.id DESC LIMIT ${limit + 1})`;
  const text = `SELECT * FROM (${newest("calls")} UNION ALL ${newest("open")}) AS c ORDER BY c.startMs DESC, c.id DESC LIMIT ${limit + 1}`;
  return { text, values: [...values, ...values] };
}

export function toPage(rows: readonly (readonly DuckDBValue[])[], { limit }: CallsQuery): CallsPage {
  const calls = rows.slice(0, limit).map(toSummary);
  const last = calls.at(-1);
  return { calls, cursor: rows.length > limit && last !== undefined ? writeCursor(last) : null };
}
