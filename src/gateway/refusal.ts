// An error of Pennyworth's own as an HTTP answer: in the shape of the client's format where that is known, else in one that clients of
// every format read. The one place that says what a refusal looks like on the wire.

import type { PennyworthError } from "../error.ts";
import { GuardRefusal } from "../guard/words.ts";
import type { Format } from "../providers/format.ts";
import { plainRefusal } from "../providers/refuse.ts";

export interface RefusalAnswer {
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** @param bodyRead whether the request has come in whole; if not, its connection cannot be used again. */
export function toAnswer(error: PennyworthError, bodyRead: boolean, format: Format | null): RefusalAnswer {
  const { status, code, message } = error;
  const refusal = (format?.refusal ?? plainRefusal)({ status, code, message });
  const body = Buffer.from(refusal.text);
  const headers = ["content-type", "application/json", "content-length", String(body.length), ...refusal.headers];
  if (error instanceof GuardRefusal) headers.push(...error.headers);
  if (status === 503) headers.push("retry-after", "1");
  if (!bodyRead) headers.push("connection", "close");
  return { headers, body };
}
