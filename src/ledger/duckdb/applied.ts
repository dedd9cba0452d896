// What the store notes with a batch: up to where the journal is in its tables, and a mark of the last entry; and what went wrong, in words. Not here: when
// (store.ts). Invariant: the mark tells one journal from another of the same length.

import { crc32 } from "node:zlib";

export const setApplied = `UPDATE applied SET segment = ?::BIGINT, "offset" = ?::BIGINT, mark = ?::VARCHAR`;

export function markOf(text: string): string {
  return crc32(text).toString(16);
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
