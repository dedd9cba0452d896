// How many calls a journal tells of, counted from its lines alone: what the store must say as well. For `doctor`.
// Not here: checksums of segments against each other (verify.ts). Invariant: shares nothing with the store but the reading of lines.

import type { Entry, Position } from "../core/entry.ts";
import { decodeEntry, peekCall } from "./codec.ts";
import { readLines } from "./segments.ts";

/**
 * Calls that began, and responses that only a later witness knew of, up to and with `until` (null: none).
 * @throws PennyworthError `journal_damaged` when a line's checksum does not hold.
 */
export async function countCalls(folder: string, until: Position | null): Promise<number> {
  if (until === null) return 0;
  let calls = 0;
  /** Response id → providers. */
  const observed = new Map<string, Set<string>>();
  for await (const text of textsOf(folder, until)) {
    if (peekCall(text)?.kind === "start") calls++;
    if (!text.slice(0, 40).includes('"kind":"observation"')) continue;
    const entry = decode(text);
    if (entry?.kind !== "observation") continue;
    const { provider, responseId } = entry.observation;
    observed.set(responseId, (observed.get(responseId) ?? new Set()).add(provider));
  }
  if (observed.size === 0) return calls;

  // The provider is in the start and the response in the end: only calls that were observed are kept in memory.
  const answered = new Map<string, Set<string>>();
  for await (const text of textsOf(folder, until)) {
    const entry = peekCall(text)?.kind === "end" ? decode(text) : null;
    if (entry?.kind !== "end" || entry.call.responseId === null || !observed.has(entry.call.responseId)) continue;
    answered.set(entry.call.id, (answered.get(entry.call.id) ?? new Set()).add(entry.call.responseId));
  }
  for await (const text of textsOf(folder, until)) {
    const peeked = peekCall(text);
    if (peeked?.kind !== "start" || !answered.has(peeked.id)) continue;
    const entry = decode(text);
    if (entry?.kind !== "start") continue;
    for (const responseId of answered.get(peeked.id) ?? []) observed.get(responseId)?.delete(entry.call.provider);
  }
  for (const providers of observed.values()) calls += providers.size;
  return calls;
}

async function* textsOf(folder: string, until: Position): AsyncGenerator<string> {
  for await (const { texts } of readLines(folder, null, until)) yield* texts;
}

/** null: it cannot be read, and the store has set it aside. */
function decode(text: string): Entry | null {
  try {
    return decodeEntry(text);
  } catch {
    return null;
  }
}
