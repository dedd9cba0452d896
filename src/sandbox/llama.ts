// The paths of Ollama: chat, generate, its two kinds of embeddings, and what it says of its models. Not here: how a call reads (ollama.ts).

import { Prompt, parseBody, toFlag, toModel, toText } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import type { Controls } from "./controls.ts";
import { answerJson, converse } from "./converse.ts";
import { modelNames, senseless, toVector } from "./embeddings.ts";
import { ollama, toIdle } from "./ollama.ts";
import { Refused } from "./refused.ts";
import { embedAsk } from "./vectors.ts";

const wording = "ollama";
const vectorSenseless: readonly (keyof Controls)[] = [...senseless, "servedTier"];
const talkSenseless: readonly (keyof Controls)[] = [
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "webSearches",
  "compaction",
  "servedTier",
];
/** Its version, its models' age, and until when they are in memory, are made up. */
const version = "0.12.6";
const since = "2026-01-01T00:00:00Z";
const details = {
  parent_model: "",
  format: "gguf",
  family: "sandbox",
  families: ["sandbox"],
  parameter_size: "1B",
  quantization_level: "Q4_K_M",
};

export const ollamaPaths: readonly Path[] = [
  { method: "POST", pattern: /^\/api\/chat$/, wording, answer: (call) => talk(call, "chat") },
  { method: "POST", pattern: /^\/api\/generate$/, wording, answer: (call) => talk(call, "generate") },
  { method: "POST", pattern: /^\/api\/embed$/, wording, answer: embed },
  { method: "POST", pattern: /^\/api\/embeddings$/, wording, answer: embedOne },
  {
    method: "GET",
    pattern: /^\/api\/tags$/,
    wording,
    answer: (call) => answerJson(call, JSON.stringify({ models: modelNames.map(toCard) })),
  },
  {
    method: "GET",
    pattern: /^\/api\/ps$/,
    wording,
    answer: (call) => {
      const loaded = { ...toCard("sandbox-small"), expires_at: "2036-01-01T00:00:00Z", size_vram: 0 };
      return answerJson(call, JSON.stringify({ models: [loaded] }));
    },
  },
  { method: "GET", pattern: /^\/api\/version$/, wording, answer: (call) => answerJson(call, JSON.stringify({ version })) },
  { method: "POST", pattern: /^\/api\/show$/, wording, answer: show },
];

function talk(call: Call, route: "chat" | "generate"): Promise<void> | undefined {
  const fields = parseBody(call.body);
  const idle = toIdle(fields, route, call.state.now());
  if (idle === null) return converse(call, ollama(fields, route), talkSenseless);
  call.wire.row.model = toModel(fields);
  return answerJson(call, idle);
}

function embed(call: Call): Promise<void> | undefined {
  const fields = parseBody(call.body);
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const input = fields["input"];
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input];
  const texts = inputs.map((text) => {
    if (typeof text !== "string") throw new Refused("invalid input type", "input");
    prompt.add(text);
    return text;
  });
  toFlag(fields, "truncate");
  return converse(
    call,
    {
      ask: embedAsk(model, prompt, texts.at(-1) ?? ""),
      wording,
      idPrefix: null,
      timedWrites: false,
      failsAsError: true,
      json: (serving) => {
        const tokens = serving.claim === "zero" ? 0 : serving.usage.input + (serving.claim === "wrong" ? 7 : 0);
        const counted = serving.claim === "missing" ? {} : { prompt_eval_count: tokens };
        const embeddings = texts.map(toValues);
        return JSON.stringify({ model: serving.model, embeddings, total_duration: 12_000_000, load_duration: 10_000_000, ...counted });
      },
      events: () => [],
    },
    vectorSenseless,
  );
}

/** The older of the two: one text, and no count. */
function embedOne(call: Call): Promise<void> | undefined {
  const fields = parseBody(call.body);
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const text = toText(fields, "prompt") ?? "";
  prompt.add(text);
  return converse(
    call,
    {
      ask: embedAsk(model, prompt, text),
      wording,
      idPrefix: null,
      timedWrites: false,
      failsAsError: true,
      silent: true,
      json: () => JSON.stringify({ embedding: toValues(text) }),
      events: () => [],
    },
    [...vectorSenseless, "servedModel", "usage"],
  );
}

function show(call: Call): undefined {
  const fields = parseBody(call.body);
  const model = toText(fields, "model") ?? toText(fields, "name");
  if (model === null || model === "") throw new Refused("model is required", "model");
  const model_info = { "general.architecture": "sandbox", "sandbox.context_length": 131_072 };
  const capabilities = ["completion", "tools", "thinking"];
  const about = { license: "", modelfile: `FROM ${model}`, parameters: "", template: "{{ .Prompt }}", details, model_info, capabilities };
  return answerJson(call, JSON.stringify({ ...about, modified_at: since }));
}

function toValues(text: string): readonly number[] {
  return [...toVector(text, 64)];
}

function toCard(name: string): object {
  return { name, model: name, modified_at: since, size: 0, digest: "0".repeat(64), details };
}
