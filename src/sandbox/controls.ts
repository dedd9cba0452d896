// Controls: what a client asks of the sandbox, in `x-sandbox-…` headers or a `[[sandbox key=value …]]` in the last user message.
// Headers win. Invariant: a control that is unknown or out of bounds is refused by name, never passed over.

import { Refused } from "./refused.ts";

export interface Controls {
  id?: string;
  /** The whole prompt, cached parts included, in every format. */
  inputTokens?: number;
  /** All output, reasoning and audio included; over all choices. */
  outputTokens?: number;
  reasoningTokens?: number;
  cacheReadTokens?: number;
  cacheWrite5mTokens?: number;
  cacheWrite1hTokens?: number;
  audioInputTokens?: number;
  audioOutputTokens?: number;
  webSearches?: number;
  delayMs?: number;
  tokensPerSecond?: number;
  chunkTokens?: number;
  fail?: "400" | "401" | "403" | "429" | "500" | "503" | "529" | "connection-reset";
  failTimes?: number;
  failKey?: string;
  retryAfterS?: number;
  cutAfter?: number;
  silence?: number;
  usage?: "missing" | "wrong" | "zero";
  finish?: "length" | "stop" | "tool_use" | "failed" | "incomplete";
  servedModel?: string;
  servedTier?: string;
  compaction?: number;
  compactionModel?: string;
  compress?: "gzip";
  cache?: "on" | "off";
  /** Parts of the prompt. */
  imageInputTokens?: number;
  audioSeconds?: number;
  audioUsage?: "tokens" | "duration";
  /** As it is to be written. */
  cost?: string;
  /** Whether a stream says unasked, with its last choice, what it used. */
  streamUsage?: "sent";
  spillover?: "on" | "off";
  batchPolls?: number;
  trainedTokens?: number;
  /** Beside the prompt, not in it. */
  toolPromptTokens?: number;
}

type Key = keyof Controls;
type Rule =
  | { readonly key: Key; readonly kind: "number"; readonly min: number; readonly max: number }
  | { readonly key: Key; readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly key: Key; readonly kind: "text"; readonly lengthMax: number }
  | { readonly key: Key; readonly kind: "decimal" };

const count = (key: Key, max = 10_000_000, min = 0): Rule => ({ key, kind: "number", min, max });
const choice = (key: Key, ...values: string[]): Rule => ({ key, kind: "choice", values });
const words = (key: Key): Rule => ({ key, kind: "text", lengthMax: 200 });

/** Every control by its name, without `x-sandbox-`. docs/sandbox.md lists the same. */
export const rules: Readonly<Record<string, Rule>> = {
  id: words("id"),
  "input-tokens": count("inputTokens"),
  "output-tokens": count("outputTokens", 200_000),
  "reasoning-tokens": count("reasoningTokens", 200_000),
  "cache-read-tokens": count("cacheReadTokens"),
  "cache-write-5m-tokens": count("cacheWrite5mTokens"),
  "cache-write-1h-tokens": count("cacheWrite1hTokens"),
  "audio-input-tokens": count("audioInputTokens"),
  "audio-output-tokens": count("audioOutputTokens", 200_000),
  "web-searches": count("webSearches", 100),
  "delay-ms": count("delayMs", 3_600_000),
  "tokens-per-second": count("tokensPerSecond", 1_000_000, 1),
  "chunk-tokens": count("chunkTokens", 200_000, 1),
  fail: choice("fail", "400", "401", "403", "429", "500", "503", "529", "connection-reset"),
  "fail-times": count("failTimes", 1_000_000),
  "fail-key": words("failKey"),
  "retry-after": count("retryAfterS", 3600),
  "cut-after": count("cutAfter", 1_000_000),
  silence: count("silence", 1_000_000),
  usage: choice("usage", "missing", "wrong", "zero"),
  finish: choice("finish", "length", "stop", "tool_use", "failed", "incomplete"),
  "served-model": words("servedModel"),
  "served-tier": words("servedTier"),
  compaction: count("compaction", 100),
  "compaction-model": words("compactionModel"),
  compress: choice("compress", "gzip"),
  cache: choice("cache", "on", "off"),
  "image-input-tokens": count("imageInputTokens"),
  "audio-seconds": count("audioSeconds", 1_000_000),
  "audio-usage": choice("audioUsage", "tokens", "duration"),
  cost: { key: "cost", kind: "decimal" },
  "stream-usage": choice("streamUsage", "sent"),
  spillover: choice("spillover", "on", "off"),
  "batch-polls": count("batchPolls", 1000),
  "trained-tokens": count("trainedTokens", 100_000_000),
  "tool-prompt-tokens": count("toolPromptTokens"),
};

/** Controls of a few formats only: the others refuse them without being told. */
export const particular: readonly Key[] = [
  "imageInputTokens",
  "audioSeconds",
  "audioUsage",
  "cost",
  "streamUsage",
  "spillover",
  "batchPolls",
  "trainedTokens",
  "toolPromptTokens",
];

export const noControls: Readonly<Controls> = Object.freeze({});

/**
 * Controls from raw headers (name, value, name, value …).
 * @throws Refused naming the header that is not known or not in bounds.
 */
export function parseHeaders(raw: readonly string[]): Readonly<Controls> {
  let controls: Controls | null = null;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    // Cheap test first: most headers are no controls.
    if (name.length < 11 || (name.charCodeAt(0) | 32) !== 120 || name.slice(0, 10).toLowerCase() !== "x-sandbox-") continue;
    controls ??= {};
    put(controls, name.slice(10).toLowerCase(), raw[index + 1] ?? "", name.toLowerCase());
  }
  return controls ?? noControls;
}

/**
 * The controls with those that the last user message gives beneath them.
 * @throws Refused naming the key that is not known or not in bounds.
 */
export function parseDirectives(message: string, over: Readonly<Controls>): Readonly<Controls> {
  let controls: Controls | null = null;
  for (let at = message.indexOf("[[sandbox"); at !== -1; at = message.indexOf("[[sandbox", at + 1)) {
    const end = message.indexOf("]]", at);
    const inside = end === -1 ? "" : message.slice(at + 9, end);
    if (end === -1 || (inside !== "" && !/^\s/.test(inside)))
      throw new Refused("[[sandbox …]] is not closed or not of the form key=value", "sandbox");
    controls ??= {};
    for (const pair of inside.split(/\s+/).filter((part) => part !== "")) {
      const equals = pair.indexOf("=");
      put(controls, equals === -1 ? pair : pair.slice(0, equals), equals === -1 ? "" : pair.slice(equals + 1), `[[sandbox ${pair}]]`);
    }
  }
  return controls === null ? over : { ...controls, ...over };
}

function put(controls: Controls, name: string, value: string, shown: string): void {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined) throw new Refused(`${shown} is no control of the sandbox; see docs/sandbox.md`, shown);
  Object.assign(controls, { [rule.key]: parseValue(rule, value.trim(), shown) });
}

function parseValue(rule: Rule, value: string, shown: string): string | number {
  switch (rule.kind) {
    case "number": {
      const number = Number(value);
      if (!/^\d{1,9}$/.test(value) || number < rule.min || number > rule.max)
        throw new Refused(`${shown} must be a whole number from ${rule.min} to ${rule.max}, not ${JSON.stringify(value)}`, shown);
      return number;
    }
    case "choice":
      if (!rule.values.includes(value))
        throw new Refused(`${shown} must be one of ${rule.values.join(", ")}, not ${JSON.stringify(value)}`, shown);
      return value;
    case "decimal":
      if (!/^(?:0|[1-9]\d{0,8})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/.test(value))
        throw new Refused(`${shown} must be a decimal number that is not negative, not ${JSON.stringify(value)}`, shown);
      return value;
    case "text":
      if (value === "" || value.length > rule.lengthMax) throw new Refused(`${shown} must have 1 to ${rule.lengthMax} characters`, shown);
      return value;
  }
}
