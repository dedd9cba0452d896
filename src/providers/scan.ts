// A JSON scanner that keeps the bytes: where each value of a body begins and ends, down to a given depth, in one pass.
// Not a parser: it checks structure, numbers and literals, and leaves what is inside strings to whoever reads them.
// Works on the bytes themselves: turning 400 KB into a string first costs more than scanning it. Invariant: positions are bytes.

import { PennyworthError } from "../error.ts";

export type NodeKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** A value at [start, end). `keys` and `values` are filled for objects, `values` for arrays, unless deeper than was asked for. */
export interface Node {
  readonly kind: NodeKind;
  readonly start: number;
  readonly end: number;
  readonly keys: readonly string[];
  readonly values: readonly Node[];
}

/**
 * Scans the one JSON value that `bytes` hold. Values nested deeper than `depthMax` are checked and passed over, without recursion.
 * @throws PennyworthError `request_malformed` with the byte where it stops being JSON.
 */
export function scan(bytes: Buffer, depthMax: number): Node {
  const scanner = new Scanner(bytes);
  const node = scanner.value(scanner.space(0), depthMax);
  const after = scanner.space(node.end);
  if (after !== bytes.length) scanner.fail(after, "something follows the value");
  return node;
}

/**
 * The same value, opened `depth` levels down: for what a first scan passed over. Never throws: its structure was checked then, and a key that is
 * no valid string stands for itself.
 */
export function open(bytes: Buffer, node: Node, depth: number): Node {
  return new Scanner(bytes, true).value(node.start, depth);
}

/** The value of a member; of duplicates the last, as in JSON.parse. undefined when there is none. */
export function member(node: Node | undefined, key: string): Node | undefined {
  if (node === undefined || node.kind !== "object") return undefined;
  const at = node.keys.lastIndexOf(key);
  return at < 0 ? undefined : node.values[at];
}

/** The text of a value as it stands in the bytes. */
export function textOf(bytes: Buffer, node: Node): string {
  return bytes.toString("utf8", node.start, node.end);
}

/** A value, parsed; undefined when there is none, or a string in it is not valid. */
export function parseNode(bytes: Buffer, node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  try {
    return JSON.parse(textOf(bytes, node)) as unknown;
  } catch {
    return undefined;
  }
}

/** A string value; null when it is no string, or not a valid one. */
export function stringOf(bytes: Buffer, node: Node | undefined): string | null {
  if (node === undefined || node.kind !== "string") return null;
  const text = bytes.toString("utf8", node.start, node.end);
  if (plain.test(text)) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

/** A whole number, zero or more; null for anything else. */
export function wholeOf(bytes: Buffer, node: Node | undefined): number | null {
  if (node === undefined || node.kind !== "number") return null;
  const value = Number(bytes.toString("latin1", node.start, node.end));
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function isTrue(bytes: Buffer, node: Node | undefined): boolean {
  return node !== undefined && node.kind === "boolean" && bytes[node.start] === 116;
}

const plain = /^"[ !#-[\]-~]*"$/;
const none: readonly never[] = [];

const quote = 34;
const backslash = 92;
const comma = 44;
const colon = 58;
const openBrace = 123;
const closeBrace = 125;
const openBracket = 91;
const closeBracket = 93;

class Scanner {
  readonly bytes: Buffer;
  readonly isChecked: boolean;

  constructor(bytes: Buffer, isChecked = false) {
    this.bytes = bytes;
    this.isChecked = isChecked;
  }

  fail(at: number, detail: string): never {
    const { length } = this.bytes;
    throw new PennyworthError("request_malformed", {
      detail: at >= length ? `the JSON ends too early, at byte ${length}` : `${detail}, at byte ${at}`,
    });
  }

  /** The next position that is not white space. */
  space(from: number): number {
    let at = from;
    for (;;) {
      const code = this.bytes[at];
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
      at++;
    }
  }

  value(at: number, depth: number): Node {
    const code = this.bytes[at];
    if (code === quote) return leaf("string", at, this.string(at));
    if (code === openBrace) return depth > 0 ? this.object(at, depth) : leaf("object", at, this.skip(at));
    if (code === openBracket) return depth > 0 ? this.array(at, depth) : leaf("array", at, this.skip(at));
    return leaf(code === 110 ? "null" : code === 116 || code === 102 ? "boolean" : "number", at, this.scalar(at));
  }

  object(start: number, depth: number): Node {
    const keys: string[] = [];
    const values: Node[] = [];
    let at = this.space(start + 1);
    if (this.bytes[at] === closeBrace) return { kind: "object", start, end: at + 1, keys, values };
    for (;;) {
      const keyEnd = this.key(at);
      keys.push(this.keyText(at, keyEnd));
      const node = this.value(this.space(this.colon(keyEnd)), depth - 1);
      values.push(node);
      at = this.space(node.end);
      const code = this.bytes[at];
      if (code === closeBrace) return { kind: "object", start, end: at + 1, keys, values };
      if (code !== comma) this.fail(at, "expected a comma or }");
      at = this.space(at + 1);
    }
  }

  array(start: number, depth: number): Node {
    const values: Node[] = [];
    let at = this.space(start + 1);
    if (this.bytes[at] === closeBracket) return { kind: "array", start, end: at + 1, keys: none, values };
    for (;;) {
      const node = this.value(at, depth - 1);
      values.push(node);
      at = this.space(node.end);
      const code = this.bytes[at];
      if (code === closeBracket) return { kind: "array", start, end: at + 1, keys: none, values };
      if (code !== comma) this.fail(at, "expected a comma or ]");
      at = this.space(at + 1);
    }
  }

  /** Passes over an object or array with a stack of its own: however deep it nests, the call stack stays flat. */
  skip(start: number): number {
    const open: number[] = [];
    let at = start;
    for (;;) {
      // At the first byte of a value.
      const code = this.bytes[at];
      if (code === openBrace || code === openBracket) {
        const inside = this.space(at + 1);
        const close = code + 2;
        if (this.bytes[inside] !== close) {
          open.push(close);
          at = code === openBrace ? this.space(this.colon(this.key(inside))) : inside;
          continue;
        }
        at = inside + 1;
      } else at = code === quote ? this.string(at) : this.scalar(at);
      // After a value.
      for (;;) {
        const close = open[open.length - 1];
        if (close === undefined) return at;
        at = this.space(at);
        const next = this.bytes[at];
        if (next === comma) {
          at = this.space(at + 1);
          if (close === closeBrace) at = this.space(this.colon(this.key(at)));
          break;
        }
        if (next !== close) this.fail(at, `expected a comma or ${close === closeBrace ? "}" : "]"}`);
        open.pop();
        at++;
      }
    }
  }

  key(at: number): number {
    if (this.bytes[at] !== quote) this.fail(at, "expected a key in quotes");
    return this.string(at);
  }

  /** Keys repeat from message to message: a small table of those seen saves making each string anew. */
  keyText(start: number, end: number): string {
    const length = end - start - 2;
    if (length > 32) return this.keyMade(start, end);
    let slot = length;
    for (let at = start + 1; at < end - 1; at++) slot = (slot * 31 + (this.bytes[at] as number)) & 255;
    const known = seen[slot];
    if (known !== undefined && known.length === length) {
      let same = 0;
      while (same < length && known.charCodeAt(same) === this.bytes[start + 1 + same]) same++;
      if (same === length) return known;
    }
    const made = this.keyMade(start, end);
    if (made.length === length && plain.test(`"${made}"`)) seen[slot] = made;
    return made;
  }

  keyMade(start: number, end: number): string {
    const made = stringOf(this.bytes, { kind: "string", start, end, keys: none, values: none });
    if (made !== null) return made;
    return this.isChecked ? this.bytes.toString("utf8", start + 1, end - 1) : this.fail(start, "the key is not a valid string");
  }

  colon(keyEnd: number): number {
    const at = this.space(keyEnd);
    if (this.bytes[at] !== colon) this.fail(at, "expected a colon");
    return at + 1;
  }

  /** Where the string that begins at `start` ends. It is walked at first, then searched; where escaped quotes are dense, walked further. */
  string(start: number): number {
    const { bytes } = this;
    const { length } = bytes;
    let at = start + 1;
    let walk = 64;
    for (;;) {
      const walked = Math.min(at + walk, length);
      while (at < walked) {
        const code = bytes[at];
        if (code === quote) return at + 1;
        at += code === backslash ? 2 : 1;
      }
      const found = bytes.indexOf(quote, at);
      if (found < 0 || at >= length) this.fail(length, "");
      let slashes = found;
      while (slashes > at && bytes[slashes - 1] === backslash) slashes--;
      if (((found - slashes) & 1) === 0) return found + 1;
      // A native search costs as much as a walk over some twelve bytes: one gap as short as that means little, several in a row a walk.
      if (found - at >= 12) walk = 0;
      else walk = walk === 0 ? 1 : Math.min(walk * 8, 4_096);
      at = found + 1;
    }
  }

  scalar(start: number): number {
    const { bytes } = this;
    const code = bytes[start];
    if (code === 116 || code === 102 || code === 110) {
      const word = code === 116 ? "true" : code === 102 ? "false" : "null";
      for (let at = 1; at < word.length; at++)
        if (bytes[start + at] !== word.charCodeAt(at)) this.fail(Math.min(start + at, bytes.length), `expected ${word}`);
      return start + word.length;
    }
    let at = code === 45 ? start + 1 : start;
    at = bytes[at] === 48 ? at + 1 : this.digits(at, "expected a value");
    if (bytes[at] === 46) at = this.digits(at + 1, "expected a digit");
    if (bytes[at] === 101 || bytes[at] === 69) {
      at++;
      at = this.digits(bytes[at] === 43 || bytes[at] === 45 ? at + 1 : at, "expected a digit");
    }
    return at;
  }

  digits(from: number, expected: string): number {
    let at = from;
    for (;;) {
      const code = this.bytes[at];
      if (code === undefined || code < 48 || code > 57) break;
      at++;
    }
    if (at === from) this.fail(at, expected);
    return at;
  }
}

const seen: (string | undefined)[] = Array.from({ length: 256 }, () => undefined);

function leaf(kind: NodeKind, start: number, end: number): Node {
  return { kind, start, end, keys: none, values: none };
}
