// Where a request goes: which endpoint its path is, which targets a model has, and with what credential. Pure: settings and
// records in, a decision out. No request can name an address; only providers that are configured.

import type { IncomingHttpHeaders } from "node:http";
import type { RouteSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { type Api, type ApiName, apis, type Endpoint, type EndpointKind, meteredTail } from "../providers/api.ts";
import type { FormatName } from "../providers/format.ts";
import { addressOf, placeOf, type ProviderRecord } from "../providers/table.ts";
import { holdsKey, unusable } from "./headers.ts";

export interface Address {
  /** `unmetered`: nothing is known of this path but whose it is; it passes unread, and is on record. */
  readonly kind: EndpointKind | "unmetered";
  readonly api: Api;
  /** null for `unmetered` paths: their bodies have no format that is known. */
  readonly format: FormatName | null;
  /** The provider named in `/to/<provider>/…`; null: routes decide. */
  readonly pinned: string | null;
  /** Without `/to/<provider>`. */
  readonly path: string;
  /** The model that the path names, decoded, and where it stands in the path; null when it names none. */
  readonly model: { readonly name: string; readonly span: readonly [number, number] } | null;
}

/** All endpoints in the order in which they are looked at. */
const served: readonly (readonly [Api, Endpoint])[] = apis.flatMap((api) => api.endpoints.map((endpoint) => [api, endpoint] as const));

/**
 * @param path without query.
 * @param hint whose headers the request carries: that decides whose `/v1/models` is meant, where several APIs have such a path.
 * @throws PennyworthError `path_invalid`, `route_unknown`, `method_not_allowed`, `provider_unknown`, `provider_format`.
 */
export function readAddress(providers: ReadonlyMap<string, ProviderRecord>, method: string, path: string, hint: ApiName | null): Address {
  const problem = findOddity(path);
  if (problem !== null) throw new PennyworthError("path_invalid", { detail: problem });
  const match = /^\/to\/([^/]+)(\/.*)$/.exec(path);
  const pinned = match === null ? null : decodeURIComponent(match[1] as string);
  const named = pinned === null ? null : find(providers, pinned);
  const rest = match === null ? path : (match[2] as string);
  const seen = lookUp(named, method, rest, hint);
  if (seen.address !== null) return { ...seen.address, pinned };
  if (named === null) throw new PennyworthError(seen.isKnown ? "method_not_allowed" : "route_unknown", { method, path });
  const known = lookUp(named, method, atRoot(named, rest), hint);
  if (known.address !== null) return { ...known.address, pinned };
  // What could be metered is not let through unread: not because a record is incomplete, nor by another method or spelling.
  if (seen.isForeign) throw new PennyworthError("provider_format", { provider: named.name, path: rest });
  if (seen.isMetered || known.isMetered) throw new PennyworthError("method_not_allowed", { method, path });
  const likeness = meteredTail.exec(canonical(rest))?.[0];
  if (likeness !== undefined) {
    const detail = `it ends as metered calls do (${likeness}), and is none: docs/providers.md says how those are spelt`;
    throw new PennyworthError("path_invalid", { detail });
  }
  const owner = ownerOf(named, rest);
  if (owner === undefined) throw new PennyworthError("route_unknown", { method, path });
  return { kind: "unmetered", api: owner, format: null, pinned, path: rest, model: null };
}

interface Seen {
  readonly address: Omit<Address, "pinned"> | null;
  /** Some endpoint has this path, whatever the method; one that is metered; one of an API that the named provider does not speak. */
  readonly isKnown: boolean;
  readonly isMetered: boolean;
  readonly isForeign: boolean;
}

function lookUp(named: ProviderRecord | null, method: string, path: string, hint: ApiName | null): Seen {
  let isMetered = false;
  let isForeign = false;
  let isKnown = false;
  let found: readonly [Api, Endpoint] | null = null;
  for (const candidate of served) {
    const [api, endpoint] = candidate;
    if (!endpoint.pattern.test(path)) continue;
    isKnown = true;
    isMetered ||= endpoint.kind === "metered";
    if (endpoint.method !== method) continue;
    if (named !== null && placeOf(named, api.name) === null) {
      isForeign ||= endpoint.kind === "metered";
      continue;
    }
    found ??= candidate;
    if (hint === null || api.name === hint) {
      found = candidate;
      break;
    }
  }
  return { address: found === null ? null : toAddress(found, path), isKnown, isMetered, isForeign };
}

function toAddress([api, { kind, format, pattern }]: readonly [Api, Endpoint], path: string): Omit<Address, "pinned"> {
  const model = modelIn(path, pattern);
  // An encoded slash is part of a model's name, or a way around what the path says.
  const [start, end] = model?.span ?? [0, 0];
  if (!path.startsWith("/v1/models/") && isSplit(path.slice(0, start) + path.slice(end)))
    throw new PennyworthError("path_invalid", { detail: "an escape in it stands for a slash, outside a model's name" });
  return { kind, api, format, path, model };
}

/** People write the path that they know from the provider: its own place instead of the API's root. */
function atRoot(record: ProviderRecord, path: string): string {
  for (const { name, root } of apis) {
    const place = placeOf(record, name);
    if (place !== null && place !== "" && place !== root && path.startsWith(`${place}/`)) return root + path.slice(place.length);
  }
  return path;
}

/** Whose a path is that nothing is known of: that of the first API of the provider's record, its own, whose paths begin so. */
function ownerOf({ apis: spoken }: ProviderRecord, path: string): Api | undefined {
  for (const name of Object.keys(spoken)) {
    const api = apis.find((candidate) => candidate.name === name);
    if (api !== undefined && path.startsWith(`${api.root}/`)) return api;
  }
  return undefined;
}

/** Whose client a request comes from, by the headers that only its own clients send. */
export function readHint(headers: IncomingHttpHeaders, query: string): ApiName | null {
  if (headers["anthropic-version"] !== undefined) return "anthropic";
  return headers["x-goog-api-key"] !== undefined || /(?:^|&)key=/.test(query) ? "gemini" : null;
}

export interface Target {
  readonly provider: ProviderRecord;
  /** The model to send instead of the one asked for; null: as asked. */
  readonly model: string | null;
  readonly pool: string;
  /** The client's own credential may go there: it named this provider, or speaks to the one its API belongs to. */
  readonly own: boolean;
}

export interface Retry {
  readonly triesMax: number;
  readonly totalMsMax: number;
  readonly waitMs: number;
  readonly on: readonly ("429" | "5xx" | "timeout" | "connect")[];
}

export interface Route {
  /** In order: the first is tried, the others are fallbacks. */
  readonly targets: readonly Target[];
  readonly retry: Retry;
}

/** Transparent by default: one try, since official SDKs retry themselves. */
const once: Retry = { triesMax: 1, totalMsMax: 600_000, waitMs: 0, on: [] };

export interface RouteTable {
  readonly providers: ReadonlyMap<string, ProviderRecord>;
  readonly routes: readonly RouteSettings[];
  /** Providers whose credential is configured. */
  readonly credentialed: ReadonlySet<string>;
}

/** The word that, as a credential or at the head of a model's name, asks for the sandbox. */
export const sandbox = "sandbox";

/**
 * The targets of one request. Without any provider credential configured and none in the request, the sandbox answers.
 * @param shown the client's own provider credential, if any; `unusable` when it showed one that cannot go to a provider.
 * @throws PennyworthError `provider_unknown`, `provider_format`, `provider_key_missing`.
 */
export function route(table: RouteTable, address: Address, model: string | null, shown: string | null): Route {
  const credential = shown === unusable ? null : shown;
  const usual = address.api.provider;
  const at = (name: string): Target => target(table, name, address, name === address.pinned || name === usual);
  if (address.pinned !== null) return { targets: [at(address.pinned)], retry: once };
  if (credential === sandbox || model?.startsWith(sandbox)) return { targets: [at(sandbox)], retry: once };
  const rule = model === null ? undefined : table.routes.find((candidate) => matches(candidate.model, model));
  if (rule !== undefined) {
    const targets = rule.targets.map((named) => ({ ...at(named.provider), model: named.model ?? null, pool: named.pool ?? "shared" }));
    // A client's credential never goes to a company that it was not meant for; what has none of its own is passed over.
    const reachable = targets.filter(({ provider, own }) => hasCredential(table, provider) || (own && credential !== null));
    if (reachable.length === 0) throw keyMissing((targets[0] as Target).provider);
    return { targets: reachable, retry: toRetry(rule) };
  }
  const record = find(table.providers, usual);
  if (credential === null && !hasCredential(table, record)) {
    if (table.credentialed.size === 0 && shown === null) return { targets: [at(sandbox)], retry: once };
    throw keyMissing(record);
  }
  return { targets: [at(usual)], retry: once };
}

/**
 * Looks at the routes before anything is served.
 * @throws PennyworthError `config_invalid` for a target that no request could ever reach.
 */
export function checkRoutes(providers: ReadonlyMap<string, ProviderRecord>, routes: readonly RouteSettings[]): void {
  for (const { model, targets } of routes) {
    const records = targets.map(({ provider }) => {
      const record = providers.get(provider);
      if (record === undefined) throw invalid(model, `no provider is called ${provider}; known: ${[...providers.keys()].join(", ")}`);
      return record;
    });
    const [first, ...others] = records as [ProviderRecord, ...ProviderRecord[]];
    for (const record of others)
      if (!record.formats.some((format) => first.formats.includes(format)))
        throw invalid(model, `${record.name} speaks no format that ${first.name} speaks, and cannot stand in for it`);
  }
}

function invalid(model: string, detail: string): PennyworthError {
  return new PennyworthError("config_invalid", { detail: `routes: ${model}: ${detail}` });
}

function find(providers: ReadonlyMap<string, ProviderRecord>, name: string): ProviderRecord {
  const record = providers.get(name);
  if (record === undefined) throw new PennyworthError("provider_unknown", { provider: name, known: [...providers.keys()].join(", ") });
  return record;
}

function hasCredential(table: RouteTable, provider: ProviderRecord): boolean {
  return provider.auth === "none" || table.credentialed.has(provider.name);
}

function keyMissing({ name, keyFrom }: ProviderRecord): PennyworthError {
  return new PennyworthError("provider_key_missing", { provider: name, variable: keyFrom ?? `providers.${name}.keyFrom` });
}

function toRetry({ retry, targets }: RouteSettings): Retry {
  if (retry === undefined) return { ...once, triesMax: targets.length, on: ["429", "5xx", "timeout", "connect"] };
  return { ...retry, triesMax: retry.triesMax ?? Math.max(2, targets.length) };
}

function target(table: RouteTable, name: string, { kind, api, format, path }: Address, own: boolean): Target {
  const provider = find(table.providers, name);
  const isSpoken = kind === "metered" || kind === "kept" ? format !== null && provider.formats.includes(format) : true;
  if (!isSpoken || placeOf(provider, api.name) === null) throw new PennyworthError("provider_format", { provider: name, path });
  // Asked for here, so that nothing is put on record that could not be sent.
  addressOf(provider);
  return { provider, model: null, pool: "shared", own: own && provider.auth !== "none" };
}

/** `*` matches any run of characters. */
function matches(pattern: string, model: string): boolean {
  if (!pattern.includes("*")) return pattern === model;
  return new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
      .join(".*")}$`,
    "s",
  ).test(model);
}

const located = new Map<RegExp, RegExp>();

function modelIn(path: string, pattern: RegExp): Address["model"] {
  if (!pattern.source.includes("(?<model>")) return null;
  let placed = located.get(pattern);
  if (placed === undefined) located.set(pattern, (placed = new RegExp(pattern.source, "d")));
  const match = placed.exec(path);
  const written = match?.groups?.["model"];
  const span = match?.indices?.groups?.["model"];
  return written === undefined || span === undefined ? null : { name: decodeURIComponent(written), span };
}

/**
 * What in a path a provider might read in another way than we do, in words; null when there is nothing. Servers differ in what they make of
 * fragments, parameters, doubled slashes and escapes that need not be, and what passes here as one thing must not arrive as another.
 */
function findOddity(path: string): string | null {
  if (/[^\x21-\x7e]/.test(path)) return "it has characters that a path cannot have";
  if (holdsKey(path)) return "a Pennyworth key stands in it: send it as x-pennyworth-key";
  if (/[#;\\?]/.test(path)) return "it has a #, a ; or a backslash";
  if (path.includes("//")) return "it has two slashes in a row";
  if (!path.includes("%") && !path.includes("/.")) return null;
  for (const [escape] of path.matchAll(/%.{0,2}/g)) {
    if (!/^%[0-9a-f]{2}$/i.test(escape)) return "it has a % that begins no escape";
    const code = Number.parseInt(escape.slice(1), 16);
    if (code < 0x21 || code === 0x7f || /[A-Za-z0-9._~#;?%\\-]/.test(String.fromCharCode(code)))
      return `it has the escape ${escape}, which no name in a path needs`;
  }
  try {
    const climbs = decodeURIComponent(path)
      .split("/")
      .some((segment) => segment === "." || segment === "..");
    return climbs ? "it climbs" : null;
  } catch {
    return "its escapes are no text";
  }
}

/** As the most lenient of servers would read it. */
function canonical(path: string): string {
  return decodeURIComponent(path).toLowerCase().replace(/\/+$/, "");
}

function isSplit(path: string): boolean {
  return /%2f/i.test(path);
}
