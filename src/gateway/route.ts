// Where a request goes: which endpoint its path is, which targets a model has, and with what credential. Pure: settings and
// records in, a decision out. No request can name an address; only providers that are configured.

import type { IncomingHttpHeaders } from "node:http";
import type { RouteSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { type Api, type ApiName, apis, type Endpoint, type EndpointKind } from "../providers/api.ts";
import type { FormatName } from "../providers/format.ts";
import { placeOf, type ProviderRecord } from "../providers/table.ts";

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
 * @throws PennyworthError `route_unknown`, `method_not_allowed`, `provider_unknown`.
 */
export function readAddress(providers: ReadonlyMap<string, ProviderRecord>, method: string, path: string, hint: ApiName | null): Address {
  const match = /^\/to\/([^/]+)(\/.*)$/.exec(path);
  const pinned = match === null ? null : decodeName(match[1] as string);
  const rest = match === null ? path : (match[2] as string);
  const named = pinned === null ? null : find(providers, pinned);
  // Made when it is thrown: an error that nobody sees costs more than the rest of this.
  const unknown = (): PennyworthError => new PennyworthError("route_unknown", { method, path });
  if (rest.split("/").some(climbs)) throw unknown();
  let known = false;
  let foreign = false;
  let found: readonly [Api, Endpoint] | null = null;
  for (const candidate of served) {
    const [api, endpoint] = candidate;
    if (!endpoint.pattern.test(rest)) continue;
    known = true;
    if (endpoint.method !== method) continue;
    if (named !== null && placeOf(named, api.name) === null) {
      foreign ||= endpoint.kind === "metered";
      continue;
    }
    found ??= candidate;
    if (hint === null || api.name === hint) {
      found = candidate;
      break;
    }
  }
  if (found !== null) {
    const [api, { kind, format, pattern }] = found;
    const model = modelIn(rest, pattern);
    // An encoded slash is part of a model's name, or a way around what the path says.
    const [start, end] = model?.span ?? [0, 0];
    if (!rest.startsWith("/v1/models/") && `${rest.slice(0, start)}${rest.slice(end)}`.split("/").some(isSplit)) throw unknown();
    return { kind, api, format, pinned, path: rest, model };
  }
  // A call that could be metered is not let through unread because a record does not say that its provider speaks this API.
  if (named !== null && foreign) throw new PennyworthError("provider_format", { provider: named.name, path: rest });
  const owner = named === null ? undefined : apis.find((api) => placeOf(named, api.name) !== null && rest.startsWith(`${api.root}/`));
  if (owner !== undefined) return { kind: "unmetered", api: owner, format: null, pinned, path: rest, model: null };
  if (known) throw new PennyworthError("method_not_allowed", { method, path });
  throw unknown();
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
 * @param credential the client's own provider credential, if any.
 * @throws PennyworthError `provider_unknown`, `provider_format`, `provider_key_missing`.
 */
export function route(table: RouteTable, address: Address, model: string | null, credential: string | null): Route {
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
    if (table.credentialed.size === 0) return { targets: [at(sandbox)], retry: once };
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

function modelIn(path: string, pattern: RegExp): Address["model"] {
  const written = pattern.exec(path)?.groups?.["model"];
  if (written === undefined) return null;
  const start = path.lastIndexOf(`/${written}`) + 1;
  return { name: decodeName(written), span: [start, start + written.length] };
}

/** Whether a segment of a path might be read by a provider as a way up. */
function climbs(segment: string): boolean {
  return decodeName(segment)
    .split(/[/\\]/)
    .some((part) => part === "." || part === "..");
}

function isSplit(segment: string): boolean {
  return /[/\\]/.test(decodeName(segment));
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
