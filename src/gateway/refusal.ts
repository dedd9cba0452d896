// An error of Pennyworth's own as an HTTP answer: in the shape of the client's format where that is known, else in one that clients of
// every format read. The one place that says what a refusal looks like on the wire.

import type { PennyworthError } from "../error.ts";
import { GuardRefusal } from "../guard/words.ts";
import type { Format, RefusedRate } from "../providers/format.ts";
import { plainRefusal } from "../providers/refuse.ts";

export interface RefusalAnswer {
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** @param bodyRead whether the request has come in whole; if not, its connection cannot be used again. */
export function toAnswer(error: PennyworthError, bodyRead: boolean, format: Format | null): RefusalAnswer {
  const { status, code, message } = error;
  const refusal = (format?.refusal ?? plainRefusal)({ status, code, message, rate: rateOf(error) });
  const body = Buffer.from(refusal.text);
  const headers = ["content-type", "application/json", "content-length", String(body.length), ...refusal.headers];
  if (error instanceof GuardRefusal) headers.push(...error.headers);
  if (status === 503) headers.push("retry-after", "1");
  if (!bodyRead) headers.push("connection", "close");
  return { headers, body };
}

/** Of a refusal by a rate, what the formats' own headers say: of calls, at once as well, or of tokens. */
function rateOf(error: PennyworthError): RefusedRate | undefined {
  if (!(error instanceof GuardRefusal) || error.code !== "rate_limited") return undefined;
  const first = error.against.find(({ measure }) => measure !== "money");
  if (first === undefined) return undefined;
  const { measure, limit, left, resetsMs } = first;
  return { measure: measure === "tokens" ? "tokens" : "calls", limit, left: left < 0n ? 0n : left, resetsMs, waitMs: error.retryMs };
}
