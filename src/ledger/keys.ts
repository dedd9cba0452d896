// Pennyworth's own keys: made, checked, revoked. What is kept is in the journal, and of the key itself only its SHA-256.
// Not here: who may do what with a role. Invariant: a key's text is returned once, by `create`, and is nowhere else.

import { createHash, randomBytes } from "node:crypto";
import type { Entry, Key, Position, Role } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { KeyRecord } from "./state.ts";

/** What a ring needs of the journal. */
export interface KeyJournal {
  keys(): ReadonlyMap<string, KeyRecord>;
  append(entry: Entry): Position;
}

export interface KeyEffects {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  random(bytes: number): Buffer;
}

const realEffects: KeyEffects = { now: Date.now, random: randomBytes };

export const keyPrefix = "pw_";
const secretCharacters = 32;
const idCharacters = 12;
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export class KeyRing {
  readonly #journal: KeyJournal;
  readonly #effects: KeyEffects;
  readonly #byHash = new Map<string, KeyRecord>();

  constructor(journal: KeyJournal, effects: KeyEffects = realEffects) {
    this.#journal = journal;
    this.#effects = effects;
    for (const key of journal.keys().values()) this.#byHash.set(key.hash, key);
  }

  /**
   * Makes a key. `secret` is `pw_` and 32 characters of base 62 (190 bits), shown this once.
   * A name may be used again when the key that had it is revoked.
   * @throws PennyworthError `key_name_taken`, `journal_unwritable`.
   */
  create(wanted: { readonly name: string; readonly team: string | null; readonly role: Role }): { key: Key; secret: string } {
    if (this.#named(wanted.name) !== null) throw new PennyworthError("key_name_taken", { name: wanted.name });
    const atMs = this.#effects.now();
    const secret = keyPrefix + this.#characters(secretCharacters);
    const { name, team, role } = wanted;
    const key: Key = { id: `key_${this.#characters(idCharacters)}`, name, team, role, hash: hashOf(secret), createdMs: atMs };
    this.#journal.append({ kind: "key.created", atMs, key });
    this.#byHash.set(key.hash, { ...key, revokedMs: null });
    return { key, secret };
  }

  /**
   * Revokes a key, given by its id or by the name of one in force. Revoking twice changes nothing.
   * @returns the key; null when there is none.
   * @throws PennyworthError `journal_unwritable`.
   */
  revoke(idOrName: string): KeyRecord | null {
    const key = this.#journal.keys().get(idOrName) ?? this.#named(idOrName);
    if (key === null || key.revokedMs !== null) return key;
    const revokedMs = this.#effects.now();
    this.#journal.append({ kind: "key.revoked", atMs: revokedMs, id: key.id });
    const revoked = { ...key, revokedMs };
    this.#byHash.set(key.hash, revoked);
    return revoked;
  }

  /** All keys, revoked ones too, oldest first. */
  list(): KeyRecord[] {
    return [...this.#journal.keys().values()];
  }

  /** How many keys are in force. */
  get size(): number {
    let count = 0;
    for (const key of this.#byHash.values()) if (key.revokedMs === null) count++;
    return count;
  }

  /**
   * Whose key this is. A look-up by hash: its time says nothing of how near a wrong key came.
   * @throws PennyworthError `key_unknown`, `key_revoked`.
   */
  check(secret: string): Key {
    const key = this.#byHash.get(hashOf(secret));
    if (key === undefined) throw new PennyworthError("key_unknown");
    if (key.revokedMs !== null) throw new PennyworthError("key_revoked");
    return key;
  }

  #named(name: string): KeyRecord | null {
    for (const key of this.#byHash.values()) if (key.name === name && key.revokedMs === null) return key;
    return null;
  }

  /** Bytes from 248 on are thrown away, so that all 62 characters are equally likely. */
  #characters(count: number): string {
    let text = "";
    while (text.length < count)
      for (const byte of this.#effects.random(count)) if (byte < 248 && text.length < count) text += alphabet[byte % 62];
    return text;
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
