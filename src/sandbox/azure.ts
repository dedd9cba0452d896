// The paths of Azure OpenAI: OpenAI's own, under a deployment or /openai. Its answers name a dated snapshot of the model, and say which
// deployment answered. Not here: how answers read. Source of the spillover headers: Microsoft's guide to spillover for provisioned
// deployments (read 2026-11).

import type { Call, Path } from "./call.ts";
import type { Controls } from "./controls.ts";
import type { Event, Exchange } from "./exchange.ts";
import { openaiPaths } from "./openai.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";

const deployed =
  /^\/openai\/deployments\/(?<deployment>[^/]+)(?<rest>\/(?:chat\/completions|completions|embeddings|images\/(?:generations|edits)|audio\/(?:transcriptions|translations|speech)))$/;
const newer = /^\/openai\/v1(?<rest>\/.+)$/;
const older = /^\/openai(?<rest>\/(?:responses|models|files|batches|fine_tuning)(?:\/.+)?)$/;

export const azurePaths: readonly Path[] = [
  { method: "POST", pattern: deployed, wording: "openai", answer: (call) => answer(call, true) },
  ...["GET", "POST", "DELETE"].flatMap((method): readonly Path[] => [
    { method, pattern: newer, wording: "openai", answer: (call) => answer(call, false) },
    { method, pattern: older, wording: "openai", answer: (call) => answer(call, true) },
  ]),
];

/** What OpenAI has at the same path, in Azure's dress. */
function answer(call: Call, versioned: boolean): Promise<void> | undefined {
  if (versioned && call.query.get("api-version") === null)
    throw new Refused("Missing required query parameter: api-version", "api-version");
  const { deployment = "" } = call.parts;
  const path = `/v1${call.parts["rest"] ?? ""}`;
  const entry = openaiPaths.find((one) => one.method === call.method && one.pattern.test(path));
  if (entry === undefined) throw new Refused("Resource not found", null, 404);
  const groups = entry.pattern.exec(path)?.groups ?? {};
  return entry.answer({
    ...call,
    parts: { ...groups },
    dress: (exchange) => toDressed(exchange, path),
    ...(deployment === "" ? {} : { model: deployment }),
  });
}

/** Dated snapshots that answer for a deployment, whatever it is called. */
const snapshots: Readonly<Record<string, string>> = {
  "/v1/completions": "gpt-3.5-turbo-instruct",
  "/v1/embeddings": "text-embedding-3-small",
};

function toDressed(exchange: Exchange, path: string): Exchange {
  const { ask } = exchange;
  const filtered = path === "/v1/chat/completions" || path === "/v1/completions";
  return {
    ...exchange,
    ask: { ...ask, served: snapshots[path] ?? "gpt-4o-2024-08-06" },
    takes: [...(exchange.takes ?? []), "spillover"],
    json: (serving) => (filtered ? withFilters(exchange.json(serving)) : exchange.json(serving)),
    events: (serving) => (filtered ? [filters, ...exchange.events(serving)] : exchange.events(serving)),
    headers: (serving, controls) => [...(exchange.headers?.(serving, controls) ?? []), ...toHeaders(ask.model, serving, controls)],
  };
}

const safe = { filtered: false, severity: "safe" };
const results = JSON.stringify([
  {
    prompt_index: 0,
    content_filter_results: { hate: safe, jailbreak: { filtered: false, detected: false }, self_harm: safe, sexual: safe, violence: safe },
  },
]);

/** The first chunk of a stream has no choice, no id and no model. */
const filters: Event = {
  text: `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":${results}}\n\n`,
  tokens: 0,
  usage: false,
};

function withFilters(json: string): string {
  return `${json.slice(0, -1)},"prompt_filter_results":${results}}`;
}

function toHeaders(deployment: string, serving: Serving, controls: Readonly<Controls>): readonly string[] {
  const spilled = controls.spillover === "on";
  const name = encodeURIComponent(deployment);
  return [
    "apim-request-id",
    serving.id,
    "x-ms-region",
    "Sandbox",
    "x-ms-deployment-name",
    spilled ? `${name}-spillover` : name,
    ...(spilled ? ["x-ms-spillover-from-deployment", name, "x-ms-spillover-error", "429"] : []),
  ];
}
