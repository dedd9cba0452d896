// The paths of Gemini's cached contents. Not here: what is kept of them (caches.ts).

import { type Fields, parseBody, toFields } from "./ask.ts";
import { type Cached, toModelName } from "./caches.ts";
import type { Call, Path } from "./call.ts";
import { countBytes, pick, pickText } from "./contents.ts";
import { answerJson, toCallId } from "./converse.ts";
import { Refused } from "./refused.ts";

const lifetimeDefaultMs = 3_600_000;
const one = /^\/v1(?:beta|alpha)?\/(?<name>cachedContents\/[^/]+)$/;
const all = /^\/v1(?:beta|alpha)?\/cachedContents$/;
const wording = "google";

export const cachingPaths: readonly Path[] = [
  { method: "POST", pattern: all, wording, answer: create },
  {
    method: "GET",
    pattern: all,
    wording,
    answer: (call) => {
      const cachedContents = call.state.caches.list(call.state.now()).map(toCard);
      return answerJson(call, JSON.stringify(cachedContents.length === 0 ? {} : { cachedContents }));
    },
  },
  { method: "GET", pattern: one, wording, answer: (call) => answerJson(call, JSON.stringify(toCard(find(call)))) },
  { method: "PATCH", pattern: one, wording, answer: update },
  { method: "DELETE", pattern: one, wording, answer: remove },
];

function create(call: Call): undefined {
  const fields = parseBody(call.body);
  const model = pickText(fields, "model");
  if (model === null || model === "") throw new Refused("model is required", "model");
  const nowMs = call.state.now();
  const { row } = call.wire;
  const cached: Cached = {
    name: `cachedContents/${toCallId(call.state, row.n)}`,
    model: toModelName(model),
    displayName: pickText(fields, "displayName"),
    tokens: call.controls.inputTokens ?? Math.max(1, Math.ceil(countBytes(fields, model) / 4)),
    createdMs: nowMs,
    updatedMs: nowMs,
    expiresMs: toExpiry(fields, nowMs) ?? nowMs + lifetimeDefaultMs,
  };
  call.state.caches.put(cached);
  row.responseId = cached.name;
  row.model = model;
  return answerJson(call, JSON.stringify(toCard(cached)));
}

function update(call: Call): undefined {
  const cached = find(call);
  const nowMs = call.state.now();
  const expiresMs = toExpiry(parseBody(call.body), nowMs);
  if (expiresMs === null) throw new Refused("Only ttl and expireTime can be updated.");
  const updated = { ...cached, updatedMs: nowMs, expiresMs };
  call.state.caches.put(updated);
  return answerJson(call, JSON.stringify(toCard(updated)));
}

function remove(call: Call): undefined {
  call.state.caches.remove(find(call).name);
  return answerJson(call, "{}");
}

function find(call: Call): Cached {
  const name = call.parts["name"] ?? "";
  call.wire.row.responseId = name;
  return call.state.caches.read(name, call.state.now());
}

/** When it ends, ms since 1970: by `ttl` ("300s") or `expireTime`; null where neither is given. */
function toExpiry(fields: Fields, nowMs: number): number | null {
  const inner = pick(fields, "cachedContent");
  const given = inner === undefined ? fields : toFields(inner, "cachedContent");
  const ttl = pickText(given, "ttl");
  if (ttl !== null) {
    const seconds = /^(\d{1,10}(?:\.\d{1,9})?)s$/.exec(ttl)?.[1];
    if (seconds === undefined) throw new Refused(`ttl must be seconds followed by s, not ${JSON.stringify(ttl.slice(0, 50))}`, "ttl");
    return nowMs + Math.round(Number(seconds) * 1000);
  }
  const time = pickText(given, "expireTime");
  if (time === null) return null;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new Refused("expireTime must be a time", "expireTime");
  return ms;
}

function toCard(cached: Cached): object {
  return {
    name: cached.name,
    model: cached.model,
    ...(cached.displayName === null ? {} : { displayName: cached.displayName }),
    createTime: new Date(cached.createdMs).toISOString(),
    updateTime: new Date(cached.updatedMs).toISOString(),
    expireTime: new Date(cached.expiresMs).toISOString(),
    usageMetadata: { totalTokenCount: cached.tokens },
  };
}
