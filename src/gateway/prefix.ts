// The chain of keyed hashes over a prompt's blocks. Equal prefixes give equal chains, so that what was sent again is seen without
// storing a word of it. Keyed: without the data folder's secret nobody can test a guess at a prompt.

import { createHash } from "node:crypto";

/** Links kept of one chain: the first blocks (tools, system) and the last ones, which the next turn repeats. */
const headMax = 4;
const tailMax = 20;

/**
 * @param blocks spans [start, end) of the body in the order the provider caches them.
 * @returns links `hash:bytes`: 16 hex digits of the chained hash, and the bytes of all blocks up to and including this one.
 */
export function chain(key: Buffer, body: Buffer, blocks: readonly (readonly [number, number])[]): string[] {
  const links: string[] = [];
  let before: Buffer = key;
  let bytes = 0;
  for (let i = 0; i < blocks.length; i++) {
    const [start, end] = blocks[i] as readonly [number, number];
    bytes += end - start;
    before = createHash("sha256").update(key).update(before).update(body.subarray(start, end)).digest();
    if (i < headMax || i >= blocks.length - tailMax) links.push(`${before.toString("hex", 0, 8)}:${bytes}`);
  }
  return links;
}
