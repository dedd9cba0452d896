// Server-sent events as a framing: where each ends, and its data. Lines may end in \n, \r\n or \r, mixed.

import type { AnswerHead, AnswerStream } from "./format.ts";
import { type Ending, follow, type Framing, type Reader } from "./frames.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** Follows a stream of server-sent events. An event larger than `limit` bytes passes unread. */
export function followEvents(reader: Reader, limit?: number): AnswerStream {
  return follow(reader, new Events(), limit);
}

/** An answer that says so, or one to a request for a stream that is not JSON after all: some servers name no type, or another one. */
export function isEventStream({ type, status }: AnswerHead, asked: boolean): boolean {
  return type.includes("text/event-stream") || (asked && status < 300 && !type.includes("json"));
}

export class Events implements Framing {
  /** The line under way has no bytes yet. */
  #blank = true;
  /** The last byte was a \r that ended a line: a \n that follows belongs to it. */
  #return = false;
  #first = true;
  /** Only \n ends lines in this chunk. */
  #plain = true;

  begin(text: string): number {
    this.#plain = !text.includes("\r");
    if (!this.#return) return 0;
    this.#return = false;
    return text.charCodeAt(0) === lineFeed ? 1 : 0;
  }

  end(text: string, from: number): number {
    const end = this.#plain ? this.#endPlain(text, from) : this.#endAny(text, from);
    if (end >= 0) this.#blank = true;
    return end;
  }

  data(event: string): string {
    let text = event;
    if (this.#first) {
      this.#first = false;
      if (text.startsWith("\u00ef\u00bb\u00bf")) text = text.slice(3);
    }
    // Nearly always: one data line, alone or behind one event line.
    let at = text.startsWith("data:") ? 0 : text.startsWith("event:") ? text.indexOf("\n") + 1 : -1;
    if (at >= 0 && text.startsWith("data:", at)) {
      at += text.charCodeAt(at + 5) === 32 ? 6 : 5;
      const end = text.indexOf("\n", at);
      if (end === text.length - 2 && text.charCodeAt(end + 1) === lineFeed && !text.includes("\r")) return text.slice(at, end);
    }
    const lines: string[] = [];
    for (const line of text.split(/\r\n|\n|\r/)) {
      if (line.startsWith("data:")) lines.push(line.slice(line.charCodeAt(5) === 32 ? 6 : 5));
      else if (line === "data") lines.push("");
    }
    return lines.join("\n");
  }

  write(endings: readonly Ending[]): readonly Buffer[] {
    return endings.map(({ name, data }) => Buffer.from(`${name === undefined ? "" : `event: ${name}\n`}data: ${data}\n\n`, "latin1"));
  }

  #endPlain(text: string, from: number): number {
    if (this.#blank && text.charCodeAt(from) === lineFeed) return from + 1;
    const found = text.indexOf("\n\n", from);
    if (found >= 0) return found + 2;
    this.#blank = text.charCodeAt(text.length - 1) === lineFeed;
    return -1;
  }

  #endAny(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== lineFeed && code !== carriageReturn) {
        this.#blank = false;
        continue;
      }
      let end = at + 1;
      if (code === carriageReturn) {
        if (end === text.length) this.#return = true;
        else if (text.charCodeAt(end) === lineFeed) end++;
      }
      if (this.#blank) return end;
      this.#blank = true;
      at = end - 1;
    }
    return -1;
  }
}
