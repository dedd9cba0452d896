// A streamed JSON array as a framing: each element is an event, with the bracket or the comma before it, and so is the bracket that closes
// the array. An object alone is one event. Not a parser: it looks for where values end, and strings keep their brackets to themselves.
// Invariant: what is no JSON array or object after all passes unread.

import type { AnswerStream } from "./format.ts";
import { type Ending, follow, type Framing, type Reader } from "./frames.ts";

/** Follows a stream of elements. The closing bracket comes as an event of its own, `]`. An element larger than `limit` bytes passes unread. */
export function followElements(reader: Reader, limit?: number): AnswerStream {
  return follow(reader, new Elements(), limit);
}

const quote = 34;
const comma = 44;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

class Elements implements Framing {
  /** `over`: the array or object has ended; `rest`: what comes after it, or what never was one. */
  #place: "start" | "inside" | "over" | "rest" = "start";
  /** Brackets and braces that are open. */
  #depth = 0;
  /** How many are open where an element has ended: the array's own, or none around an object alone. */
  #floor = 0;
  #quoted = false;
  /** The last byte was a backslash that escapes the next one. */
  #escaped = false;
  /** An element has come whole. */
  #begun = false;

  begin(): number {
    return 0;
  }

  end(text: string, from: number): number {
    if (this.#place === "over") this.#place = "rest";
    let at = this.#place === "start" ? this.#open(text, from) : from;
    if (this.#place === "rest") return text.length;
    while (at < text.length) {
      if (this.#quoted) {
        at = this.#close(text, at);
        if (!this.#quoted && this.#depth === this.#floor) {
          this.#begun = true;
          return at;
        }
        continue;
      }
      const code = text.charCodeAt(at++);
      if (code === quote) this.#quoted = true;
      else if (code === openBrace || code === openBracket) this.#depth++;
      else if (code === closeBrace || code === closeBracket) {
        if (--this.#depth > this.#floor) continue;
        if (this.#depth < 1) this.#place = "over";
        else this.#begun = true;
        return at;
      }
    }
    return -1;
  }

  data(event: string): string {
    if (this.#place === "rest") return "";
    const text = event.trimStart();
    const code = text.charCodeAt(0);
    return code === openBracket || code === comma ? text.slice(1).trimStart() : text;
  }

  /** Endings are elements too, and the array is closed behind them; nothing comes after an object alone. */
  write(endings: readonly Ending[]): readonly Buffer[] | null {
    if (this.#place === "rest") return null;
    if (this.#place === "over") return [];
    const list = endings.map(({ data }) => data).join(",\n");
    return [Buffer.from(`${!this.#begun ? "[" : list === "" ? "" : ",\n"}${list}]`, "latin1")];
  }

  /** Finds the first bracket or brace. */
  #open(text: string, from: number): number {
    let at = from;
    while (isBlank(text.charCodeAt(at))) at++;
    if (at === text.length) return at;
    const code = text.charCodeAt(at);
    this.#place = code === openBracket || code === openBrace ? "inside" : "rest";
    this.#depth = 1;
    this.#floor = code === openBracket ? 1 : 0;
    return at + 1;
  }

  /** Where the string ends that goes on at `from`; the end of the text when it does not end there. */
  #close(text: string, from: number): number {
    let at = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (;;) {
      const found = text.indexOf('"', at);
      const end = found < 0 ? text.length : found;
      let slashes = end;
      while (slashes > at && text.charCodeAt(slashes - 1) === backslash) slashes--;
      const isEscaped = ((end - slashes) & 1) === 1;
      if (found < 0) {
        this.#escaped = isEscaped;
        return end;
      }
      if (!isEscaped) {
        this.#quoted = false;
        return found + 1;
      }
      at = found + 1;
    }
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
