// What the store notes with a batch: up to where the journal is in its tables, and a mark of the last entry; what it goes on from; and what went wrong, in
// words. Not here: when (store.ts). Invariant: the mark tells one journal from another of the same length.

import { crc32 } from "node:zlib";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Position } from "../../core/entry.ts";
import { type Closed, closeAfter } from "../../core/month.ts";
import { PennyworthError } from "../../error.ts";
import { decodeEntry } from "../codec.ts";
import type { OpenCall } from "./batch.ts";
import type { Kinds } from "./commit.ts";
import { toPosition } from "./evidence.ts";
import type { Records } from "./records.ts";
import { schemaVersion } from "./schema.ts";
import { rowsOf } from "./transaction.ts";

export const setApplied = `UPDATE applied SET segment = ?::BIGINT, "offset" = ?::BIGINT, mark = ?::VARCHAR`;

export function markOf(text: string): string {
  return crc32(text).toString(16);
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What the next batch goes on from. */
export interface State {
  readonly applied: Position | null;
  readonly open: Map<string, OpenCall>;
  readonly some: Kinds;
  /** Up to where the books are closed. */
  readonly books: Closed | null;
}

/** @throws PennyworthError `store_failed` when the tables are of another version. */
export async function readState(writer: DuckDBConnection, records: Records): Promise<State> {
  const [row] = await rowsOf(writer, `SELECT version, segment, "offset" FROM applied`);
  if (row === undefined || row[0] !== schemaVersion)
    throw new PennyworthError("store_failed", { detail: `its layout is version ${String(row?.[0])}, not ${schemaVersion}` });
  // A call that ended after its month was closed stays in `open`, and has ended all the same.
  const opened = await rowsOf(writer, `SELECT startSegment, startOffset, startMs FROM open WHERE id NOT IN (SELECT "call" FROM late)`);
  const begun = opened.flatMap(([segment, offset, bookedMs]) => {
    const position = toPosition(segment, offset);
    return position === null ? [] : [{ position, bookedMs: Number(bookedMs) }];
  });
  const texts = await records.read(begun.map(({ position }) => position));
  const open = new Map<string, OpenCall>();
  begun.forEach(({ position, bookedMs }, index) => {
    const entry = decodeEntry(texts[index] as string, position);
    if (entry.kind === "start") open.set(entry.call.id, { start: entry.call, position, bookedMs });
  });
  const counts = ["evidence", "corrections", "links", "sought"].map((table) => `(SELECT count(*) FROM ${table}) > 0`);
  const [some = []] = await rowsOf(writer, `SELECT ${counts.join(", ")}`);
  let books: Closed | null = null;
  for (const [month, atMs] of await rowsOf(writer, `SELECT "month", atMs FROM closings ORDER BY rowid`))
    books = closeAfter(books, { month: String(month), atMs: Number(atMs) });
  return {
    applied: toPosition(row[1], row[2]),
    open,
    some: { evidence: some[0] === true, corrections: some[1] === true, links: some[2] === true, parts: some[3] === true },
    books,
  };
}
