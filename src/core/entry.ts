// Entries: what the journal says, in the order it was said. The one definition of the log's vocabulary.
// Invariant: an entry that was ever written can be read for ever; a change of shape is a new version, upgraded on reading.
// In JSON, bigints are decimal strings of digits; nulls and empty lists are left out (see ledger/codec.ts).

import type { CallEnd, CallStart, Observation } from "./call.ts";
import type { PeriodCharge } from "./period.ts";
import type { Work, WorkStatus } from "./work.ts";

export type Role = "use" | "read" | "administer";

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly team: string | null;
  readonly role: Role;
  /** SHA-256 of the key, hex. The key itself is shown once and never stored. */
  readonly hash: string;
  readonly createdMs: number;
}

export type Entry =
  /** A gateway process began: its calls are those until the next `run`. */
  | { readonly kind: "run"; readonly run: string; readonly atMs: number; readonly version: string }
  | { readonly kind: "start"; readonly call: CallStart }
  | { readonly kind: "end"; readonly call: CallEnd }
  /** The provider's response id of a call that has not ended: a later witness may find it by that. */
  | { readonly kind: "seen"; readonly id: string; readonly responseId: string }
  | { readonly kind: "observation"; readonly observation: Observation }
  /** Said again of work that is open, it changes nothing. */
  | { readonly kind: "work.begun"; readonly work: Work }
  /** The time at which a cache goes by itself was moved. */
  | { readonly kind: "work.moved"; readonly id: string; readonly atMs: number; readonly expiresMs: number }
  | { readonly kind: "work.ended"; readonly id: string; readonly atMs: number; readonly status: WorkStatus }
  /** The first one of an id stands. */
  | { readonly kind: "charge"; readonly charge: PeriodCharge }
  /** A correction: the charge of this id was a mistake, and counts for nothing. */
  | { readonly kind: "charge.voided"; readonly id: string; readonly atMs: number }
  | { readonly kind: "key.created"; readonly atMs: number; readonly key: Key }
  | { readonly kind: "key.revoked"; readonly atMs: number; readonly id: string }
  /** `calls` calls went through unmetered, by setting, while the journal could not be written. */
  | { readonly kind: "gap"; readonly fromMs: number; readonly toMs: number; readonly calls: number; readonly cause: string }
  /** The wall clock jumped against the monotonic one by `byMs`. */
  | { readonly kind: "clock"; readonly atMs: number; readonly byMs: number };

/** Where an entry ends in the journal: segment number from 1, byte offset in its uncompressed text. Ordered. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export function comparePositions(a: Position, b: Position): number {
  return a.segment - b.segment || a.offset - b.offset;
}
