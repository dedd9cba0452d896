// For tests: the lines of requests and heads of answers that a format is given beside their bodies.

import type { AnswerHead, RequestLine, StreamOptions } from "./format.ts";

export const line = (
  path = "/v1/test",
  model: string | null = null,
  query = "",
  headers: Readonly<Record<string, string>> = {},
): RequestLine => ({
  path,
  query,
  model,
  type: "application/json",
  header: (name) => headers[name] ?? null,
});

export const head = (type = "application/json", headers: Readonly<Record<string, string>> = {}, status = 200): AnswerHead => ({
  status,
  type,
  header: (name) => headers[name] ?? null,
});

export const following = (hideUsage = false, eventBytesMax?: number): StreamOptions => ({
  hideUsage,
  head: head("text/event-stream"),
  ...(eventBytesMax === undefined ? {} : { eventBytesMax }),
});
