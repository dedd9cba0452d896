// Ids: 26 Crockford base-32 characters, 48 bits of time and 80 random ones, so that they sort by time. A ULID, made in bulk.

import { randomFillSync } from "node:crypto";

const alphabet = Buffer.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
const pool = Buffer.alloc(4096);
/** An id is written here, and becomes one string: put together of characters it would stay a chain of 25 strings for as long as it lives. */
const written = Buffer.alloc(26);
let next = pool.length;

/** A new id that sorts by `nowMs`, ms UTC, a part of one left out. */
export function createId(nowMs: number): string {
  if (next + 16 > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  let time = Math.floor(nowMs);
  for (let i = 9; i >= 0; i--) {
    written[i] = alphabet[time % 32] as number;
    time = Math.floor(time / 32);
  }
  for (let i = 10; i < 26; i++) written[i] = alphabet[(pool[next++] as number) & 31] as number;
  return written.toString("latin1");
}
