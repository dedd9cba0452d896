// Asks a provider how many input tokens a request has, where it has an endpoint for that. Not here: what is asked and read (providers/count.ts).
// Invariant: it costs nothing, and whatever goes wrong, the answer is that nobody knows.

import { countRequest, mostOf, readCount } from "../providers/count.ts";
import type { Format, RequestFacts } from "../providers/format.ts";
import { type Kept, read } from "./read.ts";
import type { RouteTable, Target } from "./route.ts";
import type { Upstream } from "./upstream.ts";

/** How long an answer may take, ms; and how many bytes it may have. */
const countMsMax = 5_000;
const answerBytesMax = 64 * 1024;

export interface Counted {
  readonly format: Format;
  readonly facts: RequestFacts;
  readonly body: Buffer;
  /** At Pennyworth, without query. */
  readonly path: string;
  readonly query: string;
  readonly target: Target;
  readonly model: string | null;
  readonly kept: Kept | null;
  readonly signal: AbortSignal;
}

/** The most input tokens that are billed, margin included; null: it does not say. */
export async function countInput(table: RouteTable, upstream: Upstream, asked: Counted): Promise<number | null> {
  const { format, facts, body, path, model, target, kept, signal } = asked;
  const request = countRequest(format.name, path, model, body, facts);
  if (request === null) return null;
  try {
    const reading = await read(table, upstream, countMsMax, {
      provider: target.provider.name,
      method: "POST",
      path: request.path + (asked.query === "" ? "" : `?${asked.query}`),
      body: request.body,
      kept,
      signal: AbortSignal.any([signal, AbortSignal.timeout(countMsMax)]),
    });
    if (reading.status !== 200) {
      reading.body.destroy();
      return null;
    }
    let text = "";
    for await (const chunk of reading.body) {
      text += String(chunk);
      if (text.length > answerBytesMax) return null;
    }
    const tokens = readCount(format.name, text);
    return tokens === null ? null : mostOf(format.name, tokens);
  } catch {
    return null;
  }
}
