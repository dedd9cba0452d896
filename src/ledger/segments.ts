// The journal's files: 00000001.jsonl (raw) and 00000001.jsonl.gz (sealed and compressed), and how they are read. Reading changes nothing and
// goes on while the writer appends, rotates and compresses. Invariant: no line is given out whose checksum does not hold, none is left out.

import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import type { Entry, Position } from "../core/entry.ts";
import { damaged, decodeEntry } from "./codec.ts";
import { lineEnd, readLine } from "./frame.ts";

/** What the first line of a segment says. */
export interface SegmentHeader {
  readonly kind: "segment";
  readonly v: 1;
  readonly number: number;
  /** SHA-256 of the previous segment's uncompressed bytes, hex; 64 zeros in the first. */
  readonly previous: string;
  readonly createdMs: number;
  readonly state: { readonly entries: readonly unknown[] };
}

export interface Segment {
  readonly number: number;
  readonly raw: boolean;
  readonly compressed: boolean;
}

/** JSON texts of entries in the journal's order, and where each ends. */
export interface Lines {
  readonly texts: string[];
  readonly ends: Position[];
}

export const noPrevious = "0".repeat(64);
const batchBytes = 1 << 20;
const bufferBytes = 4 << 20;
const fileName = /^(\d{8,})\.jsonl(\.gz)?$/;

export function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, "0")}.jsonl`);
}

/** All segments there are, oldest first. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const found = new Map<number, Segment>();
  for (const name of await readdir(folder)) {
    const match = fileName.exec(name);
    if (match === null) continue;
    const number = Number(match[1]);
    const known = found.get(number) ?? { number, raw: false, compressed: false };
    found.set(number, match[2] === undefined ? { ...known, raw: true } : { ...known, compressed: true });
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/**
 * The lines after `after` (null: from the beginning) up to and with `until` (absent: up to what is there now), in batches of some megabytes.
 * A last line that is still being written is left for the next time.
 * @throws PennyworthError `journal_damaged` with segment and byte when a checksum does not hold or a segment is missing.
 */
export async function* readLines(folder: string, after: Position | null, until?: Position): AsyncGenerator<Lines> {
  let segment = after?.segment ?? 1;
  let offset = after?.offset ?? 0;
  const lastWanted = until?.segment ?? Number.POSITIVE_INFINITY;
  const newest = await newestSegment(folder);
  while (segment <= newest && segment <= lastWanted) {
    const limit = until?.segment === segment ? until.offset : Number.POSITIVE_INFINITY;
    let rest = 0;
    for await (const piece of readSegment(folder, segment, offset, limit)) {
      offset = piece.offset;
      rest = piece.rest;
      if (piece.texts.length > 0) yield { texts: piece.texts, ends: piece.ends };
    }
    if (offset >= limit) return;
    // What came meanwhile, even in newer segments, is for the next time.
    if (segment === newest) return;
    if (rest > 0) throw damaged("a line that was cut", { segment, offset });
    segment++;
    offset = 0;
  }
}

/** As `readLines`, decoded. */
export async function* readEntries(
  folder: string,
  after: Position | null,
  until?: Position,
): AsyncGenerator<readonly { readonly entry: Entry; readonly position: Position }[]> {
  for await (const { texts, ends } of readLines(folder, after, until))
    yield texts.map((text, index) => {
      const position = ends[index] as Position;
      return { entry: decodeEntry(text, position), position };
    });
}

interface Piece extends Lines {
  /** Where the last whole line ends. */
  readonly offset: number;
  /** Bytes behind it that are no whole line yet. */
  readonly rest: number;
}

async function* readSegment(folder: string, segment: number, start: number, limit: number): AsyncGenerator<Piece> {
  let buffer = Buffer.allocUnsafe(bufferBytes);
  let filled = 0;
  let offset = start;
  const source = await openSegment(folder, segment, start);
  try {
    for (let more = true; more;) {
      if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const read = await source.read(buffer, filled);
      more = read > 0;
      filled += read;
      if (more && filled < batchBytes) continue;
      const texts: string[] = [];
      const ends: Position[] = [];
      let from = 0;
      for (let end = lineEnd(buffer, from, filled); end >= 0 && offset < limit; end = lineEnd(buffer, from, filled)) {
        const text = readLine(buffer, from, end);
        if (text === null) throw damaged("a line whose checksum does not hold", { segment, offset });
        const header = offset === 0;
        offset += end + 1 - from;
        from = end + 1;
        if (offset > limit) throw damaged(`no line that ends at byte ${limit}`, { segment, offset });
        if (header) continue;
        texts.push(text);
        ends.push({ segment, offset });
      }
      buffer.copyWithin(0, from, filled);
      filled -= from;
      yield { texts, ends, offset, rest: filled };
      if (offset >= limit) return;
    }
  } finally {
    await source.close();
  }
}

/** The bytes of a segment, uncompressed, from `start` on. */
export interface SegmentBytes {
  /** Fills the buffer from `at` on. @returns how many bytes came; 0 at the end. */
  read(buffer: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens the raw file, or else the compressed one: the second is in its place before the first goes. */
export async function openSegment(folder: string, number: number, start = 0): Promise<SegmentBytes> {
  const path = segmentPath(folder, number);
  const raw = await openIfThere(path);
  if (raw !== null) {
    if (start > 0 && (await raw.stat()).size < start) {
      await raw.close();
      throw damaged("fewer bytes than were read before", { segment: number, offset: start });
    }
    let position = start;
    return {
      async read(buffer, at) {
        const { bytesRead } = await raw.read(buffer, at, buffer.length - at, position);
        position += bytesRead;
        return bytesRead;
      },
      close: () => raw.close(),
    };
  }
  const compressed = await openIfThere(`${path}.gz`);
  if (compressed === null) throw damaged("a segment that is missing", { segment: number, offset: 0 });
  return uncompress(compressed, number, start);
}

function uncompress(file: FileHandle, segment: number, start: number): SegmentBytes {
  const input = createReadStream("", { fd: file, highWaterMark: 256 * 1024 });
  const output = input.pipe(createGunzip({ chunkSize: 256 * 1024 }));
  input.on("error", (error) => output.destroy(error));
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let chunk: Buffer = Buffer.alloc(0);
  let skip = start;
  return {
    async read(buffer, at) {
      while (chunk.length <= skip) {
        skip -= chunk.length;
        const next = await chunks.next().catch((cause: unknown) => {
          throw damaged("compressed bytes that cannot be read", { segment, offset: 0 }, cause);
        });
        if (next.done === true) {
          chunk = Buffer.alloc(0);
          return 0;
        }
        chunk = next.value;
      }
      const copied = chunk.copy(buffer, at, skip);
      chunk = chunk.subarray(skip + copied);
      skip = 0;
      return copied;
    },
    async close() {
      output.destroy();
      input.destroy();
      await file.close();
    },
  };
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function newestSegment(folder: string): Promise<number> {
  return (await listSegments(folder)).at(-1)?.number ?? 0;
}
