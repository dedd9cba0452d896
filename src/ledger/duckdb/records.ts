// Records by position: the text of single entries, read from the journal's segments. A sealed segment is decompressed once and kept for the
// next question. Not here: following the journal in order. Invariant: no text is given back whose checksum does not hold.

import { open, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Position } from "../../core/entry.ts";
import { damaged } from "../codec.ts";
import { readLine } from "../frame.ts";
import { segmentPath } from "../segments.ts";

/** Where the texts of journaled entries come from: by the positions where they end. */
export interface Records {
  read(positions: readonly Position[]): Promise<readonly string[]>;
}

const unzip = promisify(gunzip);
/** Most lines are shorter; longer ones take another read. */
const pieceBytes = 16 * 1024;

export class JournalRecords implements Records {
  readonly #folder: string;
  /** The last decompressed segment. */
  #kept: { readonly segment: number; readonly bytes: Promise<Buffer> } | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws PennyworthError `journal_damaged` when there is no whole line that ends at one of the positions. */
  async read(positions: readonly Position[]): Promise<readonly string[]> {
    const texts = Array.from({ length: positions.length }, () => "");
    const bySegment = new Map<number, number[]>();
    positions.forEach((position, index) => {
      const indexes = bySegment.get(position.segment);
      if (indexes === undefined) bySegment.set(position.segment, [index]);
      else indexes.push(index);
    });
    for (const [segment, indexes] of bySegment) {
      const read = await this.#reader(segment);
      try {
        for (const index of indexes) texts[index] = await read.line(positions[index] as Position);
      } finally {
        await read.close();
      }
    }
    return texts;
  }

  async #reader(segment: number): Promise<{ line(at: Position): Promise<string>; close(): Promise<void> }> {
    if (this.#kept?.segment !== segment) {
      try {
        const file = await open(segmentPath(this.#folder, segment));
        const line = async (at: Position): Promise<string> => {
          for (let length = Math.min(at.offset, pieceBytes); ; length = Math.min(at.offset, length * 8)) {
            const buffer = Buffer.allocUnsafe(length);
            await file.read(buffer, 0, length, at.offset - length);
            const text = lineBefore(buffer, length, length === at.offset);
            if (text !== null) return text;
            if (length === at.offset) throw damaged("no line that ends here", at);
          }
        };
        return { line, close: () => file.close() };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      }
      const path = `${segmentPath(this.#folder, segment)}.gz`;
      this.#kept = { segment, bytes: readFile(path).then((bytes) => unzip(bytes)) };
      this.#kept.bytes.catch(() => (this.#kept = null));
    }
    const bytes = await this.#kept.bytes;
    const line = (at: Position): Promise<string> => {
      const text = at.offset <= bytes.length ? lineBefore(bytes, at.offset, true) : null;
      return text === null ? Promise.reject(damaged("no line that ends here", at)) : Promise.resolve(text);
    };
    return { line, close: () => Promise.resolve() };
  }
}

/** The JSON of the line that ends at `end`, newline included; null when it begins before the buffer, or is no line. */
function lineBefore(buffer: Buffer, end: number, whole: boolean): string | null {
  if (end < 2 || buffer[end - 1] !== 10) return null;
  const from = buffer.lastIndexOf(10, end - 2) + 1;
  return from === 0 && !whole ? null : readLine(buffer, from, end - 1);
}
