// Ids: 26 Crockford base-32 characters, 48 bits of time and 80 random ones, so that they sort by time. A ULID, made in bulk.

import { randomFillSync } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const pool = Buffer.alloc(4096);
let next = pool.length;

/** A new id that sorts by `nowMs`. */
export function createId(nowMs: number): string {
  if (next + 16 > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  let text = "";
  let time = nowMs;
  for (let i = 0; i < 10; i++) {
    text = alphabet[time % 32] + text;
    time = Math.floor(time / 32);
  }
  for (let i = 0; i < 16; i++) text += alphabet[(pool[next++] as number) & 31];
  return text;
}
