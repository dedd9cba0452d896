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

/**
 * A client's request headers as they go upstream: flat name, value pairs with their case kept.
 * @param except lower-case names that the settings say otherwise.
 */
export function headersUp(request: IncomingMessage, except: ReadonlySet<string> | null): string[] {
  const raw = request.rawHeaders;
  const up: string[] = [];
  const named = connectionNames(request.headers.connection);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (connection.has(name) || kept.has(name) || named?.has(name) || except?.has(name) || own.some((prefix) => name.startsWith(prefix)))
      continue;
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

export interface Credentials {
  /** A Pennyworth key, from its own header or from a provider's slot. */
  readonly key: string | null;
  /** The client's own credential for the provider. */
  readonly own: string | null;
  /** The headers that carry it, as they came: name, value. */
  readonly ownHeaders: readonly string[];
}

/**
 * What a request brings to show who it is: to us, and to the provider.
 * @param isOurs whether a credential is Pennyworth's: such a one never goes upstream.
 */
export function readCredentials(headers: IncomingHttpHeaders, isOurs: (credential: string) => boolean): Credentials {
  let key = text(headers["x-pennyworth-key"]);
  let own: string | null = null;
  const ownHeaders: string[] = [];
  for (const name of ["authorization", "x-api-key", "api-key"]) {
    const value = text(headers[name]);
    const credential = name === "authorization" ? (value?.replace(/^Bearer\s+/i, "") ?? null) : value;
    if (value === null || credential === null || credential === "") continue;
    if (isOurs(credential)) key ??= credential;
    else {
      own ??= credential;
      ownHeaders.push(name, value);
    }
  }
  return { key, own, ownHeaders };
}

function text(value: string | string[] | undefined): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function connectionNames(value: string | undefined): Set<string> | null {
  if (value === undefined || value === "keep-alive" || value === "close") return null;
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}

function toText(value: Buffer | string): string {
  return typeof value === "string" ? value : value.toString("latin1");
}
