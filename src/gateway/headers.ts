// Which headers go up to the provider and which come down to the client: all of them, save for those of one connection,
// credentials, and what is Pennyworth's own.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { foreignBaggage } from "./identify.ts";

/** Headers of one connection (RFC 9110, 7.6.1), and those the forwarding itself decides. */
const connection = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
]);

/** Never sent upstream: credentials are set anew, cookies and origins are ours, encodings must be readable to be metered. */
const kept = new Set(["authorization", "x-api-key", "api-key", "cookie", "origin", "referer", "accept-encoding", "baggage"]);
const own = ["x-pennyworth-", "helicone-", "x-portkey-"];

/** A client's request headers as they go upstream: flat name, value pairs with their case kept. */
export function headersUp(request: IncomingMessage): string[] {
  const raw = request.rawHeaders;
  const up: string[] = [];
  const named = connectionNames(request.headers.connection);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (connection.has(name) || kept.has(name) || named?.has(name) || own.some((prefix) => name.startsWith(prefix))) continue;
    up.push(raw[i] as string, raw[i + 1] as string);
  }
  const baggage = request.headers["baggage"];
  if (typeof baggage === "string") {
    const rest = foreignBaggage(baggage);
    if (rest !== null) up.push("baggage", rest);
  }
  up.push("accept-encoding", "identity");
  return up;
}

/**
 * A provider's response headers as they go down: flat name, value pairs.
 * @param except lower-case names to leave out.
 */
export function headersDown(rawHeaders: readonly (Buffer | string)[], except: readonly string[] = []): string[] {
  const down: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = toText(rawHeaders[i] as Buffer | string);
    const lower = name.toLowerCase();
    if (connection.has(lower) || except.includes(lower) || lower.startsWith("x-pennyworth-")) continue;
    down.push(name, toText(rawHeaders[i + 1] as Buffer | string));
  }
  return down;
}

/** The client's own credential: what stands in the provider's slot, unless it is a key of ours. */
export function readCredential(headers: IncomingHttpHeaders): string | null {
  const bearer = headers.authorization?.match(/^Bearer\s+(.+)$/i)?.[1];
  const key = headers["x-api-key"] ?? headers["api-key"];
  return bearer?.trim() ?? (typeof key === "string" && key !== "" ? key : null);
}

function connectionNames(value: string | undefined): Set<string> | null {
  if (value === undefined || value === "keep-alive" || value === "close") return null;
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}

function toText(value: Buffer | string): string {
  return typeof value === "string" ? value : value.toString("latin1");
}
