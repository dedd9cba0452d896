// Applies a format's edits to a request body: bytes are moved, never parsed and written again.

import type { Splice } from "../providers/format.ts";

/** @param splices in ascending order, not overlapping. Without splices the very same body comes back. */
export function splice(body: Buffer, splices: readonly Splice[]): Buffer {
  if (splices.length === 0) return body;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const edit of splices) {
    pieces.push(body.subarray(at, edit.at), Buffer.from(edit.insert));
    at = edit.at + edit.remove;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}
