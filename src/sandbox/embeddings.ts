// OpenAI's Embeddings and the lists of models, rendered. The vectors mean nothing: equal texts have equal ones, and that is all.
// Invariant: every vector has length 1, as with the real provider.

import { type Ask, type Fields, Prompt, toCount, toModel, toText } from "./ask.ts";
import type { Controls } from "./controls.ts";
import { type Exchange } from "./exchange.ts";
import { generator, hash } from "./random.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";

const dimensionsDefault = 64;

export function embeddings(fields: Fields): Exchange {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const { inputs, tokens } = toInputs(fields["input"], prompt);
  const encoding = toText(fields, "encoding_format") ?? "float";
  if (encoding !== "float" && encoding !== "base64") throw new Refused("encoding_format must be float or base64", "encoding_format");
  const dimensions = toCount(fields, "dimensions", 4096) ?? dimensionsDefault;
  const ask: Ask = {
    model,
    streamed: false,
    promptBytes: prompt.bytes + 4 * tokens,
    hash: prompt.hash,
    cap: 0,
    choices: 1,
    stops: [],
    tier: null,
    tools: [],
    toolForced: false,
    lastUser: inputs.at(-1) ?? "",
    turns: () => [],
  };
  return {
    ask,
    wording: "openai",
    idPrefix: "emb-",
    timedWrites: false,
    failsAsError: true,
    json: (serving) => toJson(serving, inputs, dimensions, encoding),
    events: () => [],
  };
}

/** Controls that an embedding has no use for. */
export const senseless: readonly (keyof Controls)[] = [
  "outputTokens",
  "reasoningTokens",
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "webSearches",
  "compaction",
  "finish",
];

/** A text, several texts, a list of tokens, or several such lists. */
function toInputs(input: unknown, prompt: Prompt): { inputs: readonly string[]; tokens: number } {
  const list: readonly unknown[] = Array.isArray(input) && typeof input[0] !== "number" ? input : [input];
  if (list.length === 0 || list.length > 2048) throw new Refused("input must hold 1 to 2048 elements", "input");
  let tokens = 0;
  const inputs = list.map((item) => {
    if (typeof item === "string" && item !== "") {
      prompt.add(item);
      return item;
    }
    if (!Array.isArray(item) || item.length === 0 || item.some((token) => !Number.isInteger(token)))
      throw new Refused("input must be a string that is not empty, or an array of such strings or of tokens", "input");
    tokens += item.length;
    return item.join(" ");
  });
  return { inputs, tokens };
}

function toJson(serving: Serving, inputs: readonly string[], dimensions: number, encoding: string): string {
  const data = inputs.map((input, index) => {
    const vector = toVector(input, dimensions);
    const embedding = encoding === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const prompt = serving.claim === "zero" ? 0 : serving.usage.input;
  const usage = { prompt_tokens: prompt, total_tokens: prompt + (serving.claim === "wrong" ? 7 : 0) };
  return JSON.stringify({ object: "list", data, model: serving.model, ...(serving.claim === "missing" ? {} : { usage }) });
}

/** A vector of length 1 that follows from the text alone. */
export function toVector(input: string, dimensions: number): Float32Array {
  const random = generator(hash(input));
  const vector = Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export const modelNames = [
  "sandbox-small",
  "sandbox-large",
  "gpt-5-mini",
  "gpt-5",
  "claude-haiku-4-5",
  "claude-sonnet-4-5",
  "gemini-2.5-flash",
  "text-embedding-3-small",
];

/** Any name is served; these are listed. */
export function listModels(wording: "openai" | "anthropic"): string {
  const data = modelNames.map((id) => toModelCard(id, wording));
  if (wording === "openai") return JSON.stringify({ object: "list", data });
  return JSON.stringify({ data, has_more: false, first_id: modelNames[0], last_id: modelNames.at(-1) });
}

export function toModelCard(id: string, wording: "openai" | "anthropic"): object {
  if (wording === "openai") return { id, object: "model", created: 1_767_225_600, owned_by: "pennyworth-sandbox" };
  return { type: "model", id, display_name: `Sandbox for ${id}`, created_at: "2026-01-01T00:00:00Z" };
}
