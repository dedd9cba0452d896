// Where a page of calls ended, as the opaque text that its reader gives back for the next one.

import { PennyworthError } from "../../error.ts";

export interface Cursor {
  readonly startMs: number;
  readonly id: string;
}

export function writeCursor(call: Cursor): string {
  return Buffer.from(JSON.stringify([call.startMs, call.id])).toString("base64url");
}

/** @throws PennyworthError `query_invalid` when it is not one that was given out. */
export function readCursor(text: string): Cursor {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch (cause) {
    throw new PennyworthError("query_invalid", { detail: "the cursor is not one of ours" }, cause);
  }
  if (!Array.isArray(read) || !Number.isSafeInteger(read[0]) || typeof read[1] !== "string")
    throw new PennyworthError("query_invalid", { detail: "the cursor is not one of ours" });
  return { startMs: read[0] as number, id: read[1] };
}
