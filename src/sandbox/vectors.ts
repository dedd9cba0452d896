// Google's embeddings, rendered: embedContent and batchEmbedContents of the Gemini API, embedContent and predict of Vertex.
// Invariant: the counts of the parts of a batch add up to what was served.

import { type Ask, type Fields, Prompt, toFields, toList, toText } from "./ask.ts";
import { addContent, pick, pickCount } from "./contents.ts";
import { toVector } from "./embeddings.ts";
import type { Exchange } from "./exchange.ts";
import { share } from "./serving.ts";
import type { Serving } from "./serving.ts";

const dimensionsDefault = 64;

/** An ask for vectors: it has a prompt and nothing else. */
export function embedAsk(model: string, prompt: Prompt, lastUser: string): Ask {
  return {
    model,
    streamed: false,
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: 0,
    choices: 1,
    stops: [],
    tier: null,
    tools: [],
    toolForced: false,
    lastUser,
    turns: () => [],
  };
}

export function embedContent(fields: Fields, model: string): Exchange {
  const prompt = new Prompt(model);
  const vector = toOne(fields, prompt, "content");
  return embedding(model, prompt, [vector], (serving) => ({ embedding: { values: toValues(vector) }, ...toUsage(serving) }));
}

export function batchEmbedContents(fields: Fields, model: string): Exchange {
  const prompt = new Prompt(model);
  const vectors = toList(fields, "requests").map((item, index) => toOne(toFields(item, `requests[${index}]`), prompt, "content"));
  return embedding(model, prompt, vectors, (serving) => ({
    embeddings: vectors.map((vector) => ({ values: toValues(vector) })),
    ...toUsage(serving),
  }));
}

/** Vertex's older way: texts as instances, and the count of each beside its vector. */
export function predict(fields: Fields, model: string): Exchange {
  const prompt = new Prompt(model);
  const parameters = toFields(fields["parameters"] ?? {}, "parameters");
  const dimensions = pickCount(parameters, "outputDimensionality", 4096) ?? dimensionsDefault;
  const vectors = toList(fields, "instances").map((item, index): Vector => {
    const text = toText(toFields(item, `instances[${index}]`), "content") ?? "";
    prompt.add(text);
    return { text, dimensions };
  });
  return embedding(model, prompt, vectors, (serving) => {
    const total = serving.claim === "zero" ? 0 : serving.usage.input;
    const predictions = vectors.map((vector, index) => {
      const statistics = { token_count: share(total, vectors.length, index), truncated: false };
      const counted = serving.claim === "missing" ? {} : { statistics };
      return { embeddings: { values: toValues(vector), ...counted } };
    });
    const billableCharacterCount = vectors.reduce((sum, { text }) => sum + text.replace(/\s/g, "").length, 0);
    return { predictions, metadata: { billableCharacterCount } };
  });
}

interface Vector {
  readonly text: string;
  readonly dimensions: number;
}

function toOne(fields: Fields, prompt: Prompt, name: string): Vector {
  const config = toFields(pick(fields, "embedContentConfig") ?? fields, "embedContentConfig");
  const dimensions = pickCount(config, "outputDimensionality", 4096) ?? dimensionsDefault;
  return { text: addContent(prompt, fields[name], name), dimensions };
}

function embedding(model: string, prompt: Prompt, vectors: readonly Vector[], render: (serving: Serving) => object): Exchange {
  return {
    ask: embedAsk(model, prompt, vectors.at(-1)?.text ?? ""),
    wording: "google",
    idPrefix: null,
    timedWrites: false,
    failsAsError: true,
    json: (serving) => JSON.stringify(render(serving)),
    events: () => [],
  };
}

function toValues({ text, dimensions }: Vector): readonly number[] {
  return [...toVector(text, dimensions)];
}

function toUsage(serving: Serving): object {
  if (serving.claim === "missing") return {};
  const tokens = serving.claim === "zero" ? 0 : serving.usage.input;
  const details = tokens === 0 ? {} : { promptTokensDetails: [{ modality: "TEXT", tokenCount: tokens }] };
  return { usageMetadata: { promptTokenCount: tokens, totalTokenCount: tokens + (serving.claim === "wrong" ? 7 : 0), ...details } };
}
