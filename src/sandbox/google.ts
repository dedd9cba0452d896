// The paths of the Gemini API that are calls, counts and lists of models. Not here: caches.ts, inlined.ts, and how an answer reads (gemini.ts, vectors.ts).

import { type Fields, parseBody, toFields } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import { countBytes, pick } from "./contents.ts";
import { answerJson, converse, countTokens } from "./converse.ts";
import { modelNames, senseless } from "./embeddings.ts";
import type { Exchange } from "./exchange.ts";
import { gemini, geminiSenseless } from "./gemini.ts";
import { batchEmbedContents, embedContent } from "./vectors.ts";

const wording = "google";
const at = (rest: string): RegExp => new RegExp(`^/v1(?:beta|alpha)?/(?:models|tunedModels)/${rest}$`);
const model = "(?<model>[^/:]+)";

export const googlePaths: readonly Path[] = [
  {
    method: "POST",
    pattern: at(`${model}:generateContent`),
    wording,
    answer: (call) => generate(call, false, { vertex: false, tier: null }),
  },
  {
    method: "POST",
    pattern: at(`${model}:streamGenerateContent`),
    wording,
    answer: (call) => generate(call, true, { vertex: false, tier: null }),
  },
  { method: "POST", pattern: at(`${model}:embedContent`), wording, answer: (call) => embed(call, embedContent) },
  { method: "POST", pattern: at(`${model}:batchEmbedContents`), wording, answer: (call) => embed(call, batchEmbedContents) },
  { method: "POST", pattern: at(`${model}:countTokens`), wording, answer: (call) => count(call, false) },
  { method: "GET", pattern: /^\/v1(?:beta|alpha)\/models$/, wording, answer: listGoogle },
  { method: "GET", pattern: new RegExp(`^/v1(?:beta|alpha)/models/${model}$`), wording, answer: showGoogle },
];

/** One generateContent, of the Gemini API or of Vertex. */
export function generate(
  call: Call,
  streamed: boolean,
  { vertex, tier }: { readonly vertex: boolean; readonly tier: string | null },
): Promise<void> | undefined {
  const { caches, now } = call.state;
  const name = call.parts["model"] ?? "";
  const events = call.query.get("alt") === "sse" || call.query.get("$alt") === "sse";
  const keptTokens = (cache: string): number => caches.tokens(cache, name, now());
  return converse(call, gemini(parseBody(call.body), { model: name, streamed, tier, vertex, events, keptTokens }), geminiSenseless);
}

export function embed(call: Call, format: (fields: Fields, model: string) => Exchange): Promise<void> | undefined {
  return converse(call, format(parseBody(call.body), call.parts["model"] ?? ""), [...senseless, "servedModel", "servedTier"]);
}

/** How many tokens a prompt has; given as contents, or as the whole request that is to come. */
export function count(call: Call, vertex: boolean): Promise<void> | undefined {
  const fields = parseBody(call.body);
  const whole = pick(fields, "generateContentRequest");
  const bytes = countBytes(whole === undefined ? fields : toFields(whole, "generateContentRequest"), call.parts["model"] ?? "");
  return countTokens(call, bytes, (totalTokens) => {
    const promptTokensDetails = [{ modality: "TEXT", tokenCount: totalTokens }];
    return JSON.stringify({ totalTokens, ...(vertex ? { totalBillableCharacters: bytes } : {}), promptTokensDetails });
  });
}

/** Whether the client of a path that others have too is Google's. */
export function isGoogle(call: Call): boolean {
  return call.headers["x-goog-api-key"] !== undefined || call.query.has("key");
}

export function listGoogle(call: Call): undefined {
  return answerJson(call, JSON.stringify({ models: modelNames.map(toCard) }));
}

export function showGoogle(call: Call): undefined {
  return answerJson(call, JSON.stringify(toCard(call.parts["model"] ?? "")));
}

function toCard(id: string): object {
  return {
    name: `models/${id}`,
    version: "001",
    displayName: `Sandbox for ${id}`,
    description: "Pennyworth's sandbox: no model",
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"],
  };
}
