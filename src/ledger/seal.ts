// Compression of sealed segments: 00000001.jsonl becomes 00000001.jsonl.gz. Takes seconds of CPU, so never in the server's event loop.
// Invariant: at every moment one whole file of the segment is there, and the raw one goes only when the other is proved equal to it.

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { syncFolder } from "./files.ts";
import { readHeader } from "./header.ts";
import { listSegments, segmentPath } from "./segments.ts";

export interface Compressed {
  /** Segments that were compressed now. */
  readonly segments: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Sealed segments that do not match the hash in their successor's header: left as they are, for `verifyChain` to name. */
  readonly skipped: readonly number[];
}

/** Compresses every sealed segment that is still raw. One caller at a time; safe while others read, and wherever it is broken off. */
export async function compressSealed(folder: string): Promise<Compressed> {
  let segments = 0;
  let bytesBefore = 0;
  let bytesAfter = 0;
  const skipped: number[] = [];
  const all = await listSegments(folder);
  for (const segment of all.slice(0, -1)) {
    if (!segment.raw) continue;
    const expected = (await readHeader(folder, segment.number + 1)).previous;
    const path = segmentPath(folder, segment.number);
    const temporary = `${path}.gz.tmp`;
    await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(temporary, { mode: 0o600 }));
    const hash = createHash("sha256");
    let before = 0;
    await pipeline(createReadStream(temporary), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        before += chunk.length;
      }
    });
    if (hash.digest("hex") !== expected) {
      await rm(temporary, { force: true });
      skipped.push(segment.number);
      continue;
    }
    const file = await open(temporary, "r+");
    try {
      await file.sync();
      bytesAfter += (await file.stat()).size;
    } finally {
      await file.close();
    }
    await rename(temporary, `${path}.gz`);
    syncFolder(folder);
    await rm(path);
    segments++;
    bytesBefore += before;
  }
  return { segments, bytesBefore, bytesAfter, skipped };
}
