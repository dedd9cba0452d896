// The paths of Cohere, and its embeddings and rerankings, rendered. Not here: its chat (cohere.ts).
// Invariant: a reranking is charged in search units and in nothing else.

import { type Fields, Prompt, parseBody, toCount, toFields, toList, toModel, toText } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import { cohere } from "./cohere.ts";
import type { Controls } from "./controls.ts";
import { answerJson, converse } from "./converse.ts";
import { senseless, toVector } from "./embeddings.ts";
import type { Exchange } from "./exchange.ts";
import { generator, hash } from "./random.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";
import { turn } from "./turn.ts";
import { embedAsk } from "./vectors.ts";

const wording = "cohere";
const chatSenseless: readonly (keyof Controls)[] = [
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "webSearches",
  "compaction",
  "cache",
  "servedModel",
  "servedTier",
];
const vectorSenseless: readonly (keyof Controls)[] = [...senseless, "servedModel", "servedTier"];

export const coherePaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v2\/chat$/, wording, answer: (call) => converse(call, cohere(parseBody(call.body)), chatSenseless) },
  { method: "POST", pattern: /^\/v1\/chat$/, wording, answer: (call) => converse(call, turn(parseBody(call.body)), chatSenseless) },
  { method: "POST", pattern: /^\/v[12]\/embed$/, wording, answer: (call) => converse(call, embed(parseBody(call.body)), vectorSenseless) },
  {
    method: "POST",
    pattern: /^\/v[12]\/rerank$/,
    wording,
    answer: (call) => converse(call, rerank(parseBody(call.body)), [...vectorSenseless, "inputTokens"]),
  },
  { method: "POST", pattern: /^\/v1\/tokenize$/, wording, answer: tokenize },
];

const common = { wording, idPrefix: "", timedWrites: false, failsAsError: true, events: () => [] } as const;
const api_version = { version: "2" };
const encodings: ReadonlySet<unknown> = new Set(["float", "int8", "uint8", "binary", "ubinary", "base64"]);

function embed(fields: Fields): Exchange {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  if (toText(fields, "input_type") === null) throw new Refused("invalid request: input_type is required", "input_type");
  const texts =
    fields["inputs"] === undefined
      ? toList(fields, "texts").map((text) => {
          if (typeof text !== "string") throw new Refused("invalid request: texts must hold strings", "texts");
          prompt.add(text);
          return text;
        })
      : toList(fields, "inputs").map((input, index) =>
          prompt.addContent(toFields(input, `inputs[${index}]`)["content"], `inputs[${index}].content`),
        );
  const types: readonly unknown[] = fields["embedding_types"] === undefined ? ["float"] : toList(fields, "embedding_types");
  if (types.some((type) => !encodings.has(type))) throw new Refused("invalid request: embedding_types", "embedding_types");
  const dimensions = toCount(fields, "output_dimension", 4096) ?? 64;
  return {
    ...common,
    ask: embedAsk(model, prompt, texts.at(-1) ?? ""),
    json: (serving) => {
      const embeddings = Object.fromEntries(
        types.map((type) => [type, texts.map((text) => encode(toVector(text, dimensions), String(type)))]),
      );
      const tokens = serving.claim === "zero" ? 0 : serving.usage.input + (serving.claim === "wrong" ? 7 : 0);
      return JSON.stringify({
        id: serving.id,
        ...(fields["inputs"] === undefined ? { texts } : {}),
        embeddings,
        ...toMeta(serving, { input_tokens: tokens }),
        response_type: "embeddings_by_type",
      });
    },
  };
}

function encode(vector: Float32Array, type: string): unknown {
  switch (type) {
    case "int8":
      return [...vector].map((value) => Math.round(value * 127));
    case "uint8":
      return [...vector].map((value) => Math.round(value * 127) + 128);
    case "binary":
      return toBits(vector).map((byte) => byte - 128);
    case "ubinary":
      return toBits(vector);
    case "base64":
      return Buffer.from(vector.buffer).toString("base64");
    default:
      return [...vector];
  }
}

/** One bit a number, eight to a byte. */
function toBits(vector: Float32Array): number[] {
  return Array.from({ length: Math.ceil(vector.length / 8) }, (_, byte) =>
    vector.slice(byte * 8, byte * 8 + 8).reduce((bits, value, bit) => bits | (value > 0 ? 128 >> bit : 0), 0),
  );
}

const chunkTokens = 500;
const unitDocuments = 100;

function rerank(fields: Fields): Exchange {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const query = toText(fields, "query");
  if (query === null || query === "") throw new Refused("invalid request: query is required", "query");
  prompt.add(query);
  const texts = toList(fields, "documents").map((document, index) => {
    const text = typeof document === "string" ? document : JSON.stringify(toFields(document, `documents[${index}]`));
    prompt.add(text);
    return text;
  });
  const top = toCount(fields, "top_n") ?? texts.length;
  return {
    ...common,
    ask: { ...embedAsk(model, prompt, query), units: { rerank: toUnits(query, texts) } },
    json: (serving) => {
      const results = texts.map((text, index) => ({ index, relevance_score: generator(hash(text, hash(query)))() }));
      const best = results.toSorted((one, other) => other.relevance_score - one.relevance_score).slice(0, top);
      const units = serving.claim === "zero" ? 0 : serving.usage.rerank + (serving.claim === "wrong" ? 7 : 0);
      return JSON.stringify({ id: serving.id, results: best, ...toMeta(serving, { search_units: units }) });
    },
  };
}

/**
 * Search units: one for a query with up to 100 documents, where what is longer than 500 tokens together with the query counts once for each
 * part of that size (Cohere's page of prices).
 */
function toUnits(query: string, texts: readonly string[]): number {
  const own = Math.ceil(Buffer.byteLength(query) / 4);
  const room = Math.max(1, chunkTokens - own);
  const documents = texts.reduce((sum, text) => sum + Math.max(1, Math.ceil(Math.ceil(Buffer.byteLength(text) / 4) / room)), 0);
  return Math.ceil(documents / unitDocuments);
}

function toMeta(serving: Serving, billed_units: object): object {
  return { meta: { api_version, ...(serving.claim === "missing" ? {} : { billed_units }) } };
}

function tokenize(call: Call): undefined {
  const words = (toText(parseBody(call.body), "text") ?? "").split(/(?=\s)/);
  const tokens = words.map((_, index) => index);
  return answerJson(call, JSON.stringify({ tokens, token_strings: words, meta: { api_version: { version: "1" } } }));
}
