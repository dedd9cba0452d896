// The audit of the journal: every checksum, every hash, no segment missing. Reads all of it, changes nothing, and goes on behind a problem,
// so that one run names them all. Not here: whether the receipts hold (that is the domain's business).

import { createHash } from "node:crypto";
import { lineEnd, readLine } from "./frame.ts";
import { parseHeader } from "./header.ts";
import { listSegments, noPrevious, openSegment } from "./segments.ts";

export interface Problem {
  readonly segment: number;
  /** Byte in the uncompressed segment. */
  readonly offset: number;
  readonly what: string;
}

export interface Verified {
  readonly segments: number;
  readonly entries: number;
  /** Uncompressed. */
  readonly bytes: number;
  readonly problems: readonly Problem[];
}

const problemsMax = 1000;
const bufferBytes = 4 << 20;

/**
 * Verifies the chain in `folder`. `onProgress` is told after each segment how many of how many are done.
 * A last line that is still being written is no problem, and is not counted.
 */
export async function verifyChain(folder: string, onProgress?: (done: number, segments: number) => void): Promise<Verified> {
  const problems: Problem[] = [];
  const report = (segment: number, offset: number, what: string): void => {
    if (problems.length < problemsMax) problems.push({ segment, offset, what });
  };
  const numbers = (await listSegments(folder)).map((segment) => segment.number);
  const last = numbers.at(-1) ?? 0;
  let entries = 0;
  let bytes = 0;
  let previous: string | null = noPrevious;
  for (let number = 1; number <= last; number++) {
    if (!numbers.includes(number)) {
      report(number, 0, "the segment is missing");
      previous = null;
    } else {
      const seen = await verifySegment(folder, number, previous, number === last, report);
      entries += seen.entries;
      bytes += seen.bytes;
      previous = seen.hash;
    }
    onProgress?.(number, last);
  }
  return { segments: numbers.length, entries, bytes, problems };
}

async function verifySegment(
  folder: string,
  segment: number,
  previous: string | null,
  newest: boolean,
  report: (segment: number, offset: number, what: string) => void,
): Promise<{ entries: number; bytes: number; hash: string | null }> {
  const hash = createHash("sha256");
  let entries = 0;
  let bytes = 0;
  let offset = 0;
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let filled = 0;
  try {
    const source = await openSegment(folder, segment);
    try {
      for (let read = await source.read(buffer, filled); read > 0; read = await source.read(buffer, filled)) {
        hash.update(buffer.subarray(filled, filled + read));
        bytes += read;
        filled += read;
        let from = 0;
        for (let end = lineEnd(buffer, from, filled); end >= 0; end = lineEnd(buffer, from, filled)) {
          const text = readLine(buffer, from, end);
          if (text === null) report(segment, offset, "the checksum of a line does not hold");
          else if (offset > 0) entries++;
          else checkHeader(text);
          offset += end + 1 - from;
          from = end + 1;
        }
        buffer.copyWithin(0, from, filled);
        filled -= from;
        if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    report(segment, offset, (error as Error).message);
    return { entries, bytes, hash: null };
  }
  if (filled > 0 && !newest) report(segment, offset, "the last line is cut");
  if (filled > 0 && newest) bytes -= filled;
  return { entries, bytes, hash: hash.digest("hex") };

  function checkHeader(text: string): void {
    const header = parseHeader(text, segment);
    if (previous !== null && header.previous !== previous)
      report(segment, 0, "the hash of the segment before is not the one its successor was chained to");
  }
}
