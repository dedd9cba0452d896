// What a restart must know of the past: the keys, the calls that began and have not ended, the work that is open, the price lists that took
// effect, the closed months and what statements said. Each segment's header carries it, so that a
// start-up reads the last segment alone. Invariant: a state is the same, whether read from a header or built from every entry before it.

import type { CallStart } from "../core/call.ts";
import type { Closing, Entry, Key, Reconciled, TakenList } from "../core/entry.ts";
import type { Work } from "../core/work.ts";
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
  /** Work that has not ended. */
  readonly works: Map<string, Work>;
  /** Every price list that took effect, in that order. */
  readonly prices: TakenList[];
  /** The first closing of a month stands. In the order in which they were said. */
  readonly closings: Closing[];
  /** The last one of each provider and month. */
  readonly reconciled: Map<string, Reconciled>;
}

export function emptyState(): LedgerState {
  return { keys: new Map(), open: new Map(), seen: new Map(), works: new Map(), prices: [], closings: [], reconciled: new Map() };
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
    case "work.begun":
      if (!state.works.has(entry.work.id)) state.works.set(entry.work.id, entry.work);
      break;
    case "work.moved": {
      const work = state.works.get(entry.id);
      if (work !== undefined) state.works.set(entry.id, { ...work, expiresMs: entry.expiresMs });
      break;
    }
    case "work.ended":
      state.works.delete(entry.id);
      break;
    case "key.created":
      state.keys.set(entry.key.id, { ...entry.key, revokedMs: null });
      break;
    case "key.revoked": {
      const key = state.keys.get(entry.id);
      if (key !== undefined && key.revokedMs === null) state.keys.set(entry.id, { ...key, revokedMs: entry.atMs });
      break;
    }
    case "prices.taken":
      state.prices.push(entry.list);
      break;
    case "closed":
      if (!state.closings.some(({ month }) => month === entry.closing.month)) state.closings.push(entry.closing);
      break;
    case "reconciled": {
      const key = reconciledKey(entry.reconciled);
      // The last one said comes last, in a state read from a header as well.
      state.reconciled.delete(key);
      state.reconciled.set(key, entry.reconciled);
      break;
    }
    case "run":
    case "observation":
    case "rerated":
    case "charge":
    case "charge.voided":
    case "gap":
    case "clock":
    case "budget.set":
    case "budget.unset":
    case "budget.granted":
    case "budget.opened":
    case "refused":
    case "halted":
    case "resumed":
    case "presumed.settled":
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
  for (const work of state.works.values()) texts.push(encodeEntry({ kind: "work.begun", work }));
  for (const list of state.prices) texts.push(encodeEntry({ kind: "prices.taken", list }));
  for (const closing of state.closings) texts.push(encodeEntry({ kind: "closed", closing }));
  for (const reconciled of state.reconciled.values()) texts.push(encodeEntry({ kind: "reconciled", reconciled }));
  return `{"entries":[${texts.join(",")}]}`;
}

/** @throws PennyworthError `journal_damaged` when an entry in it cannot be read. */
export function decodeState(json: { readonly entries: readonly unknown[] }): LedgerState {
  const state = emptyState();
  for (const entry of json.entries) applyEntry(state, decodeEntry(JSON.stringify(entry)));
  return state;
}

/** Provider and month, UTC. */
function reconciledKey({ provider, fromMs }: Reconciled): string {
  return JSON.stringify([new Date(fromMs).toISOString().slice(0, 7), provider]);
}
