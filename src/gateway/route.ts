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
  if (address.pinned !== null) return { targets: [target(table, address.pinned, format, path)], retry: once };
  if (credential === sandbox || model?.startsWith(sandbox)) return { targets: [target(table, sandbox, format, path)], retry: once };
  const rule = model === null ? undefined : table.routes.find((candidate) => matches(candidate.model, model));
  if (rule !== undefined) {
    return {
      targets: rule.targets.map((named) => ({
        ...target(table, named.provider, format, path),
        model: named.model ?? null,
        pool: named.pool ?? "shared",
      })),
      retry: toRetry(rule),
    };
  }
  const usual = format === "anthropic-messages" ? "anthropic" : "openai";
  if (credential === null && !table.credentialed.has(usual)) {
    if (table.credentialed.size === 0) return { targets: [target(table, sandbox, format, path)], retry: once };
    throw new PennyworthError("provider_key_missing", { provider: usual, variable: table.providers.get(usual)?.keyFrom ?? "" });
  }
  return { targets: [target(table, usual, format, path)], retry: once };
}

function toRetry({ retry, targets }: RouteSettings): Retry {
  if (retry === undefined) return { ...once, triesMax: targets.length, on: ["429", "5xx", "timeout", "connect"] };
  return { ...retry, triesMax: retry.triesMax ?? Math.max(2, targets.length) };
}

function target(table: RouteTable, name: string, format: FormatName, path: string): Target {
  const provider = table.providers.get(name);
  if (provider === undefined)
    throw new PennyworthError("provider_unknown", { provider: name, known: [...table.providers.keys()].join(", ") });
  if (!provider.formats.includes(format)) throw new PennyworthError("provider_format", { provider: name, path });
  return { provider, model: null, pool: "shared" };
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

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
