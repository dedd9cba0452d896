// The chain of keyed hashes over a prompt's blocks. Equal prefixes give equal chains, so that what was sent again is seen without
// storing a word of it. Keyed: without the data folder's secret nobody can test a guess at a prompt.

import { createHash, hash } from "node:crypto";

/** Links kept of one chain: the first blocks (tools, system) and the last ones, which the next turn repeats. */
const headMax = 4;
const tailMax = 20;

/** Blocks up to this many bytes are copied behind key and chain and hashed in one go: a hash object costs more than the copy. */
const scratchBytes = 16 * 1024;
const scratch = Buffer.allocUnsafe(64 + scratchBytes);

/**
 * @param key 32 bytes.
 * @param blocks spans [start, end) of the body in the order the provider caches them.
 * @returns links `hash:bytes`: 16 hex digits of the chained hash, and the bytes of all blocks up to and including this one.
 */
export function chain(key: Buffer, body: Buffer, blocks: readonly (readonly [number, number])[]): string[] {
  const links: string[] = [];
  let before = key;
  let bytes = 0;
  for (let i = 0; i < blocks.length; i++) {
    const [start, end] = blocks[i] as readonly [number, number];
    bytes += end - start;
    before = link(key, before, body, start, end);
    if (i < headMax || i >= blocks.length - tailMax) links.push(`${before.toString("hex", 0, 8)}:${bytes}`);
  }
  return links;
}

/** SHA-256 of key, the link before, and the block. */
function link(key: Buffer, before: Buffer, body: Buffer, start: number, end: number): Buffer {
  if (end - start > scratchBytes) return createHash("sha256").update(key).update(before).update(body.subarray(start, end)).digest();
  key.copy(scratch, 0);
  before.copy(scratch, 32);
  body.copy(scratch, 64, start, end);
  return hash("sha256", scratch.subarray(0, 64 + end - start), "buffer");
}
