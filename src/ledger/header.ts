// The first line of a segment: its number, the hash of the one before, and the state that a restart needs. Not here: files and their order.

import { damaged } from "./codec.ts";
import { lineEnd, readLine } from "./frame.ts";
import { openSegment, type SegmentHeader } from "./segments.ts";

/** @throws PennyworthError `journal_damaged` when the text is not the header of segment `segment`. */
export function parseHeader(text: string, segment: number): SegmentHeader {
  const at = { segment, offset: 0 };
  let header: SegmentHeader;
  try {
    header = JSON.parse(text) as SegmentHeader;
  } catch (cause) {
    throw damaged("a header that is not JSON", at, cause);
  }
  if (header.kind !== "segment" || header.number !== segment) throw damaged("a header that is not this segment's", at);
  if (header.v !== 1) throw damaged(`a version ${JSON.stringify(header.v)}; a newer Pennyworth may have written it`, at);
  return header;
}

/** Reads the header of a segment, compressed or not. */
export async function readHeader(folder: string, segment: number): Promise<SegmentHeader> {
  const source = await openSegment(folder, segment);
  try {
    let buffer = Buffer.allocUnsafe(64 * 1024);
    for (let filled = 0; ;) {
      if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const read = await source.read(buffer, filled);
      filled += read;
      const end = lineEnd(buffer, 0, filled);
      const text = end < 0 ? null : readLine(buffer, 0, end);
      if (text !== null) return parseHeader(text, segment);
      if (end >= 0 || read === 0) throw damaged("no header", { segment, offset: 0 });
    }
  } finally {
    await source.close();
  }
}
