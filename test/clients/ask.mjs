// What the client scripts share that watch the wire: one line of JSON for each question a client was asked. Judges nothing.

import { takeExchanges } from "./watch.mjs";

/**
 * Asks, and says what came: `seen` is what the client's own objects held, `error` the status and the message of what it threw,
 * `exchanges` the requests it took.
 */
export async function ask(name, question) {
  takeExchanges();
  let line;
  try {
    line = { seen: (await question()) ?? null };
  } catch (error) {
    line = { error: { status: statusOf(error), message: String(error?.message ?? error).slice(0, 2_000) } };
  }
  process.stdout.write(`${JSON.stringify({ name, ...line, exchanges: takeExchanges() })}\n`);
}

/** Each library has a place of its own for the status of an answer that was an error. */
function statusOf(error) {
  const places = [error?.status, error?.statusCode, error?.status_code, error?.$metadata?.httpStatusCode, error?.response?.status];
  return places.find((value) => typeof value === "number") ?? null;
}

/** All of a stream, as a list. */
export async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}
