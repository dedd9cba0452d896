// What a restart must know of the past: the keys, and the calls that began and have not ended. Each segment's header carries it, so that a
// start-up reads the last segment alone. Invariant: a state is the same, whether read from a header or built from every entry before it.

import type { CallStart } from "../core/call.ts";
import type { Entry, Key } from "../core/entry.ts";
import { decodeEntry, encodeEntry } from "./codec.ts";

export interface KeyRecord extends Key {
  /** null: in force. */
  readonly revokedMs: number | null;
}

export interface LedgerState {
  readonly keys: Map<string, KeyRecord>;
  readonly open: Map<string, CallStart>;
  /** Open call → the provider's id of its response, where that is known already. */
  readonly seen: Map<string, string>;
}

export function emptyState(): LedgerState {
  return { keys: new Map(), open: new Map(), seen: new Map() };
}

/** May not refuse: the entry is history. */
export function applyEntry(state: LedgerState, entry: Entry): void {
  switch (entry.kind) {
    case "start":
      state.open.set(entry.call.id, entry.call);
      break;
    case "end":
      state.open.delete(entry.call.id);
      state.seen.delete(entry.call.id);
      break;
    case "seen":
      if (state.open.has(entry.id)) state.seen.set(entry.id, entry.responseId);
      break;
    case "key.created":
      state.keys.set(entry.key.id, { ...entry.key, revokedMs: null });
      break;
    case "key.revoked": {
      const key = state.keys.get(entry.id);
      if (key !== undefined && key.revokedMs === null) state.keys.set(entry.id, { ...key, revokedMs: entry.atMs });
      break;
    }
    case "run":
    case "observation":
    case "gap":
    case "clock":
      break;
  }
}

/** As a JSON list of the entries that rebuild it. */
export function encodeState(state: LedgerState): string {
  const texts: string[] = [];
  for (const { revokedMs, ...key } of state.keys.values()) {
    texts.push(encodeEntry({ kind: "key.created", atMs: key.createdMs, key }));
    if (revokedMs !== null) texts.push(encodeEntry({ kind: "key.revoked", atMs: revokedMs, id: key.id }));
  }
  for (const call of state.open.values()) texts.push(encodeEntry({ kind: "start", call }));
  for (const [id, responseId] of state.seen) texts.push(encodeEntry({ kind: "seen", id, responseId }));
  return `{"entries":[${texts.join(",")}]}`;
}

/** @throws PennyworthError `journal_damaged` when an entry in it cannot be read. */
export function decodeState(json: { readonly entries: readonly unknown[] }): LedgerState {
  const state = emptyState();
  for (const entry of json.entries) applyEntry(state, decodeEntry(JSON.stringify(entry)));
  return state;
}
