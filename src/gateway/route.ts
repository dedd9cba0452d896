// Where a request goes: which kind of endpoint its path is, which targets a model has, and with what credential. Pure: settings and
// records in, a decision out. No request can name an address; only providers that are configured.

import type { RouteSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import type { FormatName } from "../providers/format.ts";
import { paths, type ProviderRecord } from "../providers/table.ts";

/**
 * `metered`: one call to one model. `response`: a stored response read or cancelled: a witness of the call that made it.
 * `free`: providers bill nothing for it; passed through without a record.
 */
export type Endpoint =
  | { readonly kind: "metered"; readonly format: FormatName; readonly path: string }
  | { readonly kind: "response"; readonly format: "openai-responses"; readonly path: string }
  | { readonly kind: "free"; readonly format: FormatName; readonly path: string };

export interface Address {
  readonly endpoint: Endpoint;
  /** The provider named in `/to/<provider>/…`; null: routes decide. */
  readonly pinned: string | null;
}

/** Method, path and the format whose provider serves it. */
const free: readonly (readonly [string, RegExp, FormatName])[] = [
  ["GET", /^\/v1\/models(\/[^/]+)*$/, "openai-chat"],
  ["POST", /^\/v1\/messages\/count_tokens$/, "anthropic-messages"],
  ["POST", /^\/v1\/responses\/input_tokens$/, "openai-responses"],
  ["GET", /^\/v1\/responses\/[^/]+\/input_items$/, "openai-responses"],
  ["DELETE", /^\/v1\/responses\/[^/]+$/, "openai-responses"],
  ["GET", /^\/v1\/chat\/completions(\/[^/]+(\/messages)?)?$/, "openai-chat"],
];

/**
 * @param path without query. `anthropic`: the request carries Anthropic's own headers, which decides whose `/v1/models` is meant.
 * @throws PennyworthError `route_unknown`, `method_not_allowed`.
 */
export function readAddress(method: string, path: string, anthropic: boolean): Address {
  const match = /^\/to\/([^/]+)(\/.*)$/.exec(path);
  const pinned = match === null ? null : decodeName(match[1] as string);
  const rest = match === null ? path : (match[2] as string);
  const isModel = rest.startsWith("/v1/models/");
  if (rest.split("/").some((segment) => climbs(segment, isModel))) throw new PennyworthError("route_unknown", { method, path });
  const format = Object.hasOwn(paths, rest) ? paths[rest] : undefined;
  if (format !== undefined && method === "POST") return { pinned, endpoint: { kind: "metered", format, path: rest } };
  for (const [verb, pattern, owner] of free) {
    if (verb !== method || !pattern.test(rest)) continue;
    return {
      pinned,
      endpoint: { kind: "free", format: rest.startsWith("/v1/models") && anthropic ? "anthropic-messages" : owner, path: rest },
    };
  }
  if (/^\/v1\/responses\/[^/]+$/.test(rest) && method === "GET")
    return { pinned, endpoint: { kind: "response", format: "openai-responses", path: rest } };
  if (/^\/v1\/responses\/[^/]+\/cancel$/.test(rest) && method === "POST") {
    return { pinned, endpoint: { kind: "response", format: "openai-responses", path: rest } };
  }
  if (format !== undefined) throw new PennyworthError("method_not_allowed", { method, path });
  throw new PennyworthError("route_unknown", { method, path });
}

export interface Target {
  readonly provider: ProviderRecord;
  /** The model to send instead of the one asked for; null: as asked. */
  readonly model: string | null;
  readonly pool: string;
  /** The client's own credential may go there: it named this provider, or speaks to the one its format belongs to. */
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
  const { format, path } = address.endpoint;
  const at = (name: string): Target => target(table, name, format, path, name === address.pinned || name === usualProvider(format));
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
  const usual = at(usualProvider(format));
  if (credential === null && !hasCredential(table, usual.provider)) {
    if (table.credentialed.size === 0) return { targets: [at(sandbox)], retry: once };
    throw keyMissing(usual.provider);
  }
  return { targets: [usual], retry: once };
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

function usualProvider(format: FormatName): string {
  return format === "anthropic-messages" ? "anthropic" : "openai";
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

function target(table: RouteTable, name: string, format: FormatName, path: string, own: boolean): Target {
  const provider = table.providers.get(name);
  if (provider === undefined)
    throw new PennyworthError("provider_unknown", { provider: name, known: [...table.providers.keys()].join(", ") });
  if (!provider.formats.includes(format)) throw new PennyworthError("provider_format", { provider: name, path });
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

/** Whether a segment of a path might be read by a provider as more than one, or as a way up. Models alone have names with slashes. */
function climbs(segment: string, isModel: boolean): boolean {
  const parts = decodeName(segment).split(/[/\\]/);
  return parts.some((part) => part === "." || part === "..") || (parts.length > 1 && !isModel);
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
