// Which headers go up to the provider and which come down to the client: all of them, save for those of one connection,
// credentials, and what is Pennyworth's own.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { PennyworthError } from "../error.ts";
import type { Auth } from "../providers/table.ts";
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
const kept = new Set([
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "cookie",
  "origin",
  "referer",
  "accept-encoding",
  "baggage",
  // What AWS's clients sign with: it was for this address, and is made anew for the provider's.
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
  // A method is what the request line says: what is metered as one must not be served as another.
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
]);
const own = ["x-pennyworth-", "helicone-", "x-portkey-"];

/**
 * A client's request headers as they go upstream: flat name, value pairs with their case kept. One in which a key of Pennyworth's stands,
 * wherever that may be, stays here.
 * @param except lower-case names that the settings say otherwise.
 */
export function headersUp(request: Pick<IncomingMessage, "rawHeaders" | "headers">, except: ReadonlySet<string> | null): string[] {
  const raw = request.rawHeaders;
  const up: string[] = [];
  const named = connectionNames(request.headers.connection);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    // HTTP/2 has the request line among its headers.
    if (name.startsWith(":")) continue;
    if (connection.has(name) || kept.has(name) || named?.has(name) || except?.has(name) || own.some((prefix) => name.startsWith(prefix)))
      continue;
    if (holdsKey(raw[i + 1] as string)) continue;
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

/** What a request brings to show who it is: to us, and to the provider. */
export interface Shown {
  /** A Pennyworth key, from its own header or from a provider's slot. */
  readonly key: string | null;
  /** The client's own credential for the provider; `unusable` where it showed one that is worth nothing elsewhere. */
  readonly own: string | null;
  /** The headers that carry it, as they came: name, value. */
  readonly ownHeaders: readonly string[];
  /** The part of the query that carries it: `key=…`, as Google's clients may send it; empty when it is not there. */
  readonly ownQuery: string;
  /** The query without it, and without its question mark. */
  readonly query: string;
}

/** A signature was made for Pennyworth's address; the key it was made with is not in the request. */
export const unusable = "(a signature)";

const slots = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
const awsSignature = "AWS4-HMAC-SHA256";
/** Pennyworth's own: keys and the admin token as it makes them (ledger/keys.ts, main.ts). */
const keyShape = /pwa?_[A-Za-z0-9_-]{32,}/;

/**
 * @param query without its question mark.
 * @param isOurs whether a credential is Pennyworth's: such a one never goes upstream.
 * @throws PennyworthError `path_invalid` when a key of Pennyworth's stands elsewhere in the query.
 */
export function readShown(headers: IncomingHttpHeaders, query: string, isOurs: (credential: string) => boolean): Shown {
  let key = text(headers["x-pennyworth-key"]);
  let own: string | null = null;
  const ownHeaders: string[] = [];
  for (const name of slots) {
    const value = text(headers[name]);
    if (value === null) continue;
    const credential = name === "authorization" ? value.replace(/^Bearer\s+/i, "") : value;
    if (credential === "") continue;
    // Of a signature by AWS's rules the id of the key counts: ours may stand there, and the signature proves nothing.
    const id = value.startsWith(awsSignature) ? (/Credential=([^/,\s]+)/.exec(value)?.[1] ?? "") : credential;
    const ours = isOurs(id) ? id : keyShape.exec(value)?.[0];
    if (ours !== undefined) key ??= ours;
    else if (value.startsWith(awsSignature)) own ??= id === "sandbox" ? id : unusable;
    else {
      own ??= credential;
      ownHeaders.push(name, value);
    }
  }
  const parts = query === "" ? [] : query.split("&");
  const inQuery = parts.find((part) => part.startsWith("key="));
  const credential = inQuery === undefined ? "" : decode(inQuery.slice("key=".length));
  const isKey = credential !== "" && (isOurs(credential) || holdsKey(credential));
  const rest = parts.filter((part) => !part.startsWith("key=")).join("&");
  if (holdsKey(decode(rest)))
    throw new PennyworthError("path_invalid", { detail: "a Pennyworth key stands in its query: send it as x-pennyworth-key" });
  return {
    key: key ?? (isKey ? credential : null),
    own: own ?? (isKey || credential === "" ? null : credential),
    ownHeaders,
    ownQuery: isKey || inQuery === undefined ? "" : inQuery,
    query: rest,
  };
}

/** Whether a key of Pennyworth's stands in a text. */
export function holdsKey(value: string): boolean {
  return value.includes("pw") && keyShape.test(value);
}

/** The slots in which a provider of one kind looks for a credential: what a client put into another was meant for somebody else. */
const slotsOf: Readonly<Record<Auth, readonly string[]>> = {
  bearer: ["authorization"],
  // Subscriptions of Anthropic's come as bearers.
  "x-api-key": ["x-api-key", "authorization"],
  "api-key": ["api-key", "authorization"],
  "x-goog-api-key": ["x-goog-api-key", "authorization"],
  aws: ["authorization"],
  google: ["authorization", "x-goog-api-key"],
  none: [],
};

/** The client's own credential as this kind of provider is shown it: one header; flat name, value. */
export function ownFor(auth: Auth, { ownHeaders }: Shown): readonly string[] {
  for (const slot of slotsOf[auth])
    for (let i = 0; i < ownHeaders.length; i += 2) if (ownHeaders[i] === slot) return ownHeaders.slice(i, i + 2);
  return [];
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return value;
  }
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
