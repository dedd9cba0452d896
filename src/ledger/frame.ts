// A line of the journal: eight hex digits of CRC-32 over the JSON's UTF-8 bytes, a space, the JSON, a newline. Not here: what the JSON says.
// Invariant: a line that was cut, or changed in any bit, is not taken for a line.

import { crc32 } from "node:zlib";

/** Bytes of a line before its JSON: the check and a space. */
export const checkBytes = 9;
const space = 0x20;
const newline = 0x0a;
const digits = Buffer.from("0123456789abcdef", "latin1");
const values = new Int8Array(256).fill(-1).map((_, byte) => digits.indexOf(byte));

/** Bytes that always suffice for the line of `text`: three for each UTF-16 unit, and the frame. */
export function lineBytesMax(text: string): number {
  return text.length * 3 + checkBytes + 1;
}

/** Writes the line of `text` into the buffer at `at`. @returns where it ends, newline included. */
export function writeLine(buffer: Buffer, at: number, text: string): number {
  const from = at + checkBytes;
  const end = from + buffer.write(text, from, "utf8");
  let check = crc32(buffer.subarray(from, end));
  for (let i = at + checkBytes - 2; i >= at; i--) {
    buffer[i] = digits[check & 15] as number;
    check >>>= 4;
  }
  buffer[from - 1] = space;
  buffer[end] = newline;
  return end + 1;
}

/** The JSON of the line whose bytes are [from, end), newline excluded; null when its checksum does not hold. */
export function readLine(buffer: Buffer, from: number, end: number): string | null {
  const start = from + checkBytes;
  if (end <= start || buffer[start - 1] !== space) return null;
  let check = 0;
  for (let i = from; i < start - 1; i++) {
    const value = values[buffer[i] as number] as number;
    if (value < 0) return null;
    check = (check << 4) | value;
  }
  return crc32(buffer.subarray(start, end)) === check >>> 0 ? buffer.toString("utf8", start, end) : null;
}

/** Where the next newline is, from `from` on and before `filled`; -1 when there is none. */
export function lineEnd(buffer: Buffer, from: number, filled: number): number {
  const at = buffer.indexOf(newline, from);
  return at < 0 || at >= filled ? -1 : at;
}
