// Amazon Bedrock's InvokeModel, rendered: each family of models with bodies of its own (Anthropic, Nova, Llama, embeddings by Titan and
// Cohere), counts in headers, and metrics in the last chunk of a stream. Not here: lengths and text (serving.ts), Converse (dialogue.ts).
// Invariant: headers and metrics count as Converse does: input without what the cache read and wrote.

import { type Ask, type Fields, plainAsk, Prompt, toCount, toList, toStops, toText } from "./ask.ts";
import { parseDialogue, toExceptionText, toMessage, toSteps } from "./dialogue.ts";
import { toVector } from "./embeddings.ts";
import { eventStreamType, toEventFrame, toExceptionFrame } from "./eventstream.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { messages } from "./messages.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";

/** A model's own way of answering: whole, and as the JSON texts of its chunks. */
interface Family {
  readonly ask: Ask;
  json(serving: Serving): string;
  chunks(serving: Serving): readonly Event[];
}

/** @throws Refused when the body is none of the families'. */
export function invoke(model: string, streamed: boolean, fields: Fields, tierAsked: string | null): Exchange {
  const family = toFamily(model, streamed, fields);
  const ask = tierAsked === null ? family.ask : { ...family.ask, tier: tierAsked };
  return {
    ask,
    wording: "aws",
    idPrefix: "",
    timedWrites: true,
    failsAsError: true,
    failsInStream: true,
    streamType: eventStreamType,
    json: (serving) => family.json(serving),
    events: (serving) => toFrames(family.chunks(serving), serving),
    headers: (serving) => [
      ...(streamed ? ["x-amzn-bedrock-content-type", "application/json"] : toHeaders(serving)),
      ...toTierHeader(serving, tierAsked),
    ],
  };
}

function toFamily(model: string, streamed: boolean, fields: Fields): Family {
  if (fields["anthropic_version"] !== undefined) return anthropic(model, streamed, fields);
  if (model.includes("embed")) return embed(model, streamed, fields);
  if (Array.isArray(fields["messages"]) && model.includes("nova")) return nova(model, streamed, fields);
  if (typeof fields["prompt"] === "string") return llama(model, streamed, fields);
  throw new Refused(
    "Malformed input request: the sandbox knows the bodies of Anthropic, Nova, Llama, and of embeddings by Titan and Cohere.",
  );
}

function anthropic(model: string, streamed: boolean, fields: Fields): Family {
  const exchange = messages({ ...fields, model, stream: streamed });
  return {
    ask: exchange.ask,
    json: exchange.json,
    chunks: (serving) =>
      exchange.events(serving).flatMap((event) => {
        const text = event.text.slice(event.text.indexOf("\ndata: ") + 7).trimEnd();
        return text === `{"type":"ping"}` ? [] : [{ ...event, text }];
      }),
  };
}

function nova(model: string, streamed: boolean, fields: Fields): Family {
  return {
    ask: parseDialogue(model, streamed, fields),
    json: (serving) => JSON.stringify({ ...toMessage(serving), ...toNovaUsage(serving) }),
    chunks: (serving) =>
      toSteps(serving, toNovaUsage(serving)).map((step) => ({
        text: step.type === "exception" ? toExceptionText(step) : JSON.stringify({ [step.type]: step.fields }),
        tokens: step.tokens,
        usage: step.usage,
      })),
  };
}

function toNovaUsage(serving: Serving): object {
  if (serving.claim === "missing") return {};
  const { input, output, read, write } = toCounts(serving);
  const total = input + output + read + write + (serving.claim === "wrong" ? 7 : 0);
  return {
    usage: {
      inputTokens: input,
      outputTokens: output,
      totalTokens: total,
      cacheReadInputTokenCount: read,
      cacheWriteInputTokenCount: write,
    },
  };
}

function llama(model: string, streamed: boolean, fields: Fields): Family {
  const prompt = new Prompt(model);
  const text = toText(fields, "prompt") ?? "";
  prompt.add(text);
  return {
    ask: { ...plainAsk(model, streamed, prompt, text), cap: toCount(fields, "max_gen_len"), stops: toStops(fields, "stop") },
    json: (serving) =>
      JSON.stringify({
        generation: serving.choices[0].text,
        ...toLlamaCounts(serving, serving.choices[0].tokens),
        stop_reason: toLlamaStop(serving),
      }),
    chunks: toLlamaChunks,
  };
}

function toLlamaCounts(serving: Serving, output: number): object {
  if (serving.claim === "missing") return {};
  const zero = serving.claim === "zero" ? 0 : 1;
  return { prompt_token_count: serving.usage.input * zero, generation_token_count: output * zero };
}

function toLlamaStop(serving: Serving): string {
  return serving.choices[0].finish === "length" ? "length" : "stop";
}

/** Each chunk counts what was made so far; the first alone counts the prompt, the last has no words and the reason to stop. */
function toLlamaChunks(serving: Serving): readonly Event[] {
  const [choice] = serving.choices;
  const failed = choice.finish === "failed";
  const pieces = failed ? choice.pieces.slice(0, Math.ceil(choice.pieces.length / 2)) : choice.pieces;
  let made = 0;
  const chunks = pieces.map((generation, row): Event => {
    const tokens = tokensOf(choice, row, serving.chunkTokens);
    made += tokens;
    const counts = { ...toLlamaCounts(serving, made), ...(row === 0 || serving.claim === "missing" ? {} : { prompt_token_count: null }) };
    return { text: JSON.stringify({ generation, ...counts, stop_reason: null }), tokens, usage: false };
  });
  if (failed) return [...chunks, toFault()];
  const last = {
    generation: "",
    ...(serving.claim === "missing"
      ? {}
      : { prompt_token_count: null, generation_token_count: serving.claim === "zero" ? 0 : choice.tokens }),
  };
  return [
    ...chunks,
    {
      text: JSON.stringify({ ...last, stop_reason: toLlamaStop(serving) }),
      tokens: choice.tokens - made,
      usage: serving.claim !== "missing",
    },
  ];
}

function toFault(): Event {
  const message = "The sandbox failed in the middle of its answer, as it was asked to.";
  return { text: toExceptionFrame("modelStreamErrorException", JSON.stringify({ message })), tokens: 0, usage: false };
}

function embed(model: string, streamed: boolean, fields: Fields): Family {
  if (streamed) throw new Refused("The model is unsupported for streaming.");
  const several = fields["texts"] !== undefined;
  const texts = several ? toList(fields, "texts") : [fields["inputText"]];
  const prompt = new Prompt(model);
  const inputs = texts.map((text) => {
    if (typeof text !== "string" || text === "") throw new Refused(`${several ? "texts" : "inputText"} must be text that is not empty`);
    prompt.add(text);
    return text;
  });
  const dimensions = toCount(fields, "dimensions", 4096) ?? 64;
  return {
    ask: { ...plainAsk(model, false, prompt, inputs.at(-1) ?? ""), cap: 0 },
    json: (serving) => {
      const vectors = inputs.map((input) => [...toVector(input, dimensions)]);
      if (several) return JSON.stringify({ id: serving.id, response_type: "embeddings_floats", embeddings: vectors, texts: inputs });
      const count = serving.claim === "missing" ? {} : { inputTextTokenCount: toCounts(serving).input };
      return JSON.stringify({ embedding: vectors[0], embeddingsByType: { float: vectors[0] }, ...count });
    },
    chunks: () => [],
  };
}

/** What the answer is to say it used. */
function toCounts(serving: Serving): { input: number; output: number; read: number; write: number } {
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  return {
    input: usage.input * zero,
    output: (usage.output + usage.reasoning) * zero,
    read: usage.cache_read * zero,
    write: (usage.cache_write_5m + usage.cache_write_1h) * zero,
  };
}

/** A wrong count of output differs from the body's own. */
function toWrong(serving: Serving): number {
  return serving.claim === "wrong" ? 7 : 0;
}

function toHeaders(serving: Serving): readonly string[] {
  if (serving.claim === "missing") return [];
  const { input, output, read, write } = toCounts(serving);
  return [
    ...countHeader("input", input),
    ...countHeader("output", output + toWrong(serving)),
    ...(read + write === 0 ? [] : [...countHeader("cache-read-input", read), ...countHeader("cache-write-input", write)]),
    "x-amzn-bedrock-invocation-latency",
    String(1 + serving.choices[0].tokens),
  ];
}

function countHeader(name: string, value: number): readonly string[] {
  return [`x-amzn-bedrock-${name}-token-count`, String(value)];
}

function toTierHeader(serving: Serving, asked: string | null): readonly string[] {
  return asked === null || serving.tier === null ? [] : ["x-amzn-bedrock-service-tier", serving.tier];
}

/** Frames around the chunks; the last one has the metrics of the whole call. */
function toFrames(chunks: readonly Event[], serving: Serving): readonly Event[] {
  return chunks.map((chunk, index) => {
    // What broke off is a frame of its own already, or an error in the model's own words.
    if (!chunk.text.startsWith("{")) return chunk;
    if (chunk.text.startsWith(`{"type":"error"`)) return toFault();
    const last = index === chunks.length - 1 && serving.claim !== "missing";
    const text = last ? `${chunk.text.slice(0, -1)},"amazon-bedrock-invocationMetrics":${JSON.stringify(toMetrics(serving))}}` : chunk.text;
    const bytes = Buffer.from(text).toString("base64");
    return { text: toEventFrame("chunk", JSON.stringify({ bytes })), tokens: chunk.tokens, usage: chunk.usage || last };
  });
}

function toMetrics(serving: Serving): object {
  const { input, output, read, write } = toCounts(serving);
  const latency = 1 + serving.choices[0].tokens;
  return {
    inputTokenCount: input,
    outputTokenCount: output + toWrong(serving),
    invocationLatency: latency,
    firstByteLatency: 1,
    ...(read + write === 0 ? {} : { cacheReadInputTokenCount: read, cacheWriteInputTokenCount: write }),
  };
}
