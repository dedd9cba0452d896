// Text as it comes in files and requests: what is not UTF-8 is found before it is taken for other words; which line a place is on, and what stands between the cells of a
// table. Not here: what tables say (api/sheet.ts, ingest/table.ts). Invariant: a line ends with LF, CRLF or CR, and each counts once, within quotes too.

import { isAscii, isUtf8 } from "node:buffer";

const [tab, feed, page, back, space] = [0x09, 0x0a, 0x0c, 0x0d, 0x20];

/** What is wrong with how a text is written: `line 2 is not UTF-8`; null: it is UTF-8, with or without its mark. */
export function faultOfText(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // No text that comes here begins with a NUL, or has one after its first letter.
  if (isMarked || (bytes.length > 1 && (first === 0 || second === 0))) return "it is UTF-16, not UTF-8";
  if (isUtf8(bytes)) return null;
  let from = 0;
  for (let line = 1; from < bytes.length; line++) {
    const end = endOfLine(bytes, from);
    if (!isUtf8(bytes.subarray(from, end))) return `line ${line} is not UTF-8`;
    from = end;
  }
  return "it is not UTF-8";
}

/** What is wrong with a text that is said to be in a charset: what is named otherwise, and is the same in UTF-8, is taken. */
export function faultOfCharset(bytes: Uint8Array, charset: string): string | null {
  const isSame = /^("?)(utf-?8|us-ascii)\1$/i.test(charset) || isAscii(bytes);
  return faultOfText(bytes) ?? (isSame ? null : `its charset is ${charset.slice(0, 40)}, not UTF-8`);
}

/** Without its mark. @throws RangeError with the line, and what helps. */
export function parseText(bytes: Uint8Array): string {
  const fault = faultOfText(bytes);
  if (fault !== null) throw new RangeError(`${fault}: save the file as UTF-8`);
  return new TextDecoder().decode(bytes);
}

/** After the break of the line that begins there. */
function endOfLine(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === feed) return at + 1;
    if (bytes[at] === back) return bytes[at + 1] === feed ? at + 2 : at + 1;
  }
  return bytes.length;
}

/** Comma, semicolon or tab: whichever the first line has most of that has anything. */
export function delimiterOf(text: string): string {
  const [first = ""] = /[^\r\n]*/.exec(text.trimStart()) ?? [];
  return ["\t", ";", ","].toSorted((a, b) => first.split(b).length - first.split(a).length)[0] ?? ",";
}

/** On which lines the records of a table begin, asked for in their order. The parser's own count names the last line of a record, and takes CRLF within quotes for two. */
export class Lines {
  readonly #bytes: Uint8Array;
  readonly #delimiter: number;
  #at = 0;
  #line = 1;

  constructor(bytes: Uint8Array, delimiter: string) {
    this.#bytes = bytes;
    this.#delimiter = delimiter.charCodeAt(0);
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  /** Of the record that follows on the last one. @param end where it ends, in bytes. */
  next(end: number): number {
    this.#passBlank();
    const line = this.#line;
    while (this.#at < end) this.#pass();
    return line;
  }

  /** Of the first that is not blank from there on. */
  from(start: number): number {
    while (this.#at < start) this.#pass();
    this.#passBlank();
    return this.#line;
  }

  #passBlank(): void {
    while (this.#at < this.#bytes.length && this.#isBlank(this.#bytes[this.#at])) this.#pass();
  }

  #isBlank(byte: number | undefined): boolean {
    return byte !== this.#delimiter && (byte === space || byte === feed || byte === back || byte === tab || byte === page);
  }

  #pass(): void {
    const byte = this.#bytes[this.#at];
    if (byte === feed || (byte === back && this.#bytes[this.#at + 1] !== feed)) this.#line += 1;
    this.#at += 1;
  }
}

/** A parser's complaint without the line that it counted. */
export function withoutLine(message: string): string {
  return message.replace(/ (at|on) line \d+/, "");
}
