// Newline-delimited JSON as a framing: each line is an event.

import type { AnswerStream } from "./format.ts";
import { follow, type Framing, type Reader } from "./frames.ts";

/** Follows a stream of lines; empty ones say nothing. A line longer than `limit` bytes passes unread. */
export function followLines(reader: Reader, limit?: number): AnswerStream {
  return follow(reader, lines, limit);
}

const lines: Framing = {
  begin: () => 0,
  end: (text, from) => text.indexOf("\n", from) + 1 || -1,
  data: (event) => event.trim(),
  write: (endings) => endings.map(({ data }) => Buffer.from(`${data}\n`, "latin1")),
};
