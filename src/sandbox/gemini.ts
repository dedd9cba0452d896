// Gemini's generateContent and streamGenerateContent, rendered for the Gemini API and for Vertex: JSON, server-sent events, or one array.
// Not here: what is asked (contents.ts). Invariant: promptTokenCount includes cached tokens, candidatesTokenCount excludes thoughts, and
// totalTokenCount is prompt, tools' prompt, candidates and thoughts.

import type { Fields } from "./ask.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { type Asked, parseGenerate } from "./contents.ts";
import type { Choice, Finish, Serving } from "./serving.ts";
import type { Controls } from "./controls.ts";

export interface Dialect extends Asked {
  /** Vertex says which traffic it was, and counts in the last part of a stream only; the Gemini API counts in each. */
  readonly vertex: boolean;
  /** A stream is server-sent events; else one array, sent in parts. */
  readonly events: boolean;
}

/** Controls that Gemini has no way to show: its cache is filled without being charged for. */
export const geminiSenseless: readonly (keyof Controls)[] = ["cacheWrite5mTokens", "cacheWrite1hTokens", "compaction"];

export function gemini(fields: Fields, dialect: Dialect): Exchange {
  const listed = dialect.streamed && !dialect.events;
  return {
    ask: parseGenerate(fields, dialect),
    wording: listed ? "google-list" : "google",
    idPrefix: "",
    timedWrites: false,
    failsAsError: true,
    takes: ["toolPromptTokens", "imageInputTokens"],
    json: (serving) => toJson(serving, dialect),
    events: (serving) => toEvents(serving, dialect),
    ...(listed ? { streamType: "application/json; charset=UTF-8" } : {}),
  };
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "STOP",
  stop_sequence: "STOP",
  length: "MAX_TOKENS",
  tool_use: "STOP",
  failed: "OTHER",
};

/** The whole answer; also what a batch has for each of its requests. */
export function toJson(serving: Serving, dialect: Pick<Dialect, "vertex">): string {
  const candidates = serving.choices.map((choice, index) => ({
    content: { parts: [...toThoughts(serving, index), toPart(choice, serving, index)], role: "model" },
    ...toEnding(choice, serving, index),
  }));
  return JSON.stringify({ candidates, ...toUsage(serving, serving.usage, dialect), ...toFrame(serving, dialect) });
}

function toThoughts(serving: Serving, index: number): readonly object[] {
  if (index > 0 || serving.usage.reasoning === 0) return [];
  return [{ text: "The sandbox does not think. These tokens were asked for.", thought: true }];
}

function toPart(choice: Choice, serving: Serving, index: number): object {
  if (choice.tool === null) return { text: choice.text };
  const args = JSON.parse(choice.tool.input) as unknown;
  const thoughtSignature = Buffer.from(`${serving.id}${index}`).toString("base64");
  return { functionCall: { name: choice.tool.name, args }, thoughtSignature };
}

function toEnding(choice: Choice, serving: Serving, index: number): object {
  const searches = index === 0 ? serving.usage.web_search : 0;
  const webSearchQueries = Array.from({ length: searches }, (_, query) => `sandbox ${query + 1}`);
  return {
    finishReason: finishes[choice.finish],
    index,
    ...(choice.tool === null ? {} : { finishMessage: "Model generated function call(s)." }),
    ...(searches === 0 ? {} : { groundingMetadata: { webSearchQueries, groundingChunks: [], groundingSupports: [] } }),
  };
}

function toFrame(serving: Serving, dialect: Pick<Dialect, "vertex">): object {
  const createTime = new Date(serving.createdS * 1000).toISOString();
  return { modelVersion: serving.model, ...(dialect.vertex ? { createTime } : {}), responseId: serving.id };
}

interface Produced {
  readonly output: number;
  readonly output_audio: number;
  readonly reasoning: number;
}

/** `usageMetadata` when so much has been produced, or nothing when it is to be missing. What is none is not named, as with the real provider. */
function toUsage(serving: Serving, produced: Produced, dialect: Pick<Dialect, "vertex">): object {
  const { claim, usage } = serving;
  if (claim === "missing") return {};
  const zero = claim === "zero" ? 0 : 1;
  const prompt = usage.input + usage.cache_read + usage.input_audio + usage.input_image;
  const candidates = produced.output + produced.output_audio;
  const total = prompt + candidates + produced.reasoning + usage.tool_prompt;
  const some = (name: string, value: number): object => (value === 0 ? {} : { [name]: value * zero });
  const details = (name: string, counts: Modalities): object => (zero === 0 ? {} : toDetails(name, counts));
  return {
    usageMetadata: {
      promptTokenCount: prompt * zero,
      ...some("candidatesTokenCount", candidates),
      totalTokenCount: total * zero + (claim === "wrong" ? 7 : 0),
      ...some("cachedContentTokenCount", usage.cache_read),
      ...details("promptTokensDetails", { TEXT: usage.input + usage.cache_read, AUDIO: usage.input_audio, IMAGE: usage.input_image }),
      ...details("cacheTokensDetails", { TEXT: usage.cache_read }),
      ...(dialect.vertex || produced.output_audio > 0
        ? details("candidatesTokensDetails", { TEXT: produced.output, AUDIO: produced.output_audio })
        : {}),
      ...some("toolUsePromptTokenCount", usage.tool_prompt),
      ...details("toolUsePromptTokensDetails", { TEXT: usage.tool_prompt }),
      ...some("thoughtsTokenCount", produced.reasoning),
      ...(dialect.vertex ? { trafficType: toTraffic(serving.tier) } : serving.tier === null ? {} : { serviceTier: serving.tier }),
    },
  };
}

type Modalities = Readonly<Record<string, number>>;

function toDetails(name: string, counts: Modalities): object {
  const list = Object.entries(counts).flatMap(([modality, tokenCount]) => (tokenCount > 0 ? [{ modality, tokenCount }] : []));
  return list.length === 0 ? {} : { [name]: list };
}

const traffics: Readonly<Record<string, string>> = {
  provisioned: "PROVISIONED_THROUGHPUT",
  priority: "ON_DEMAND_PRIORITY",
  flex: "ON_DEMAND_FLEX",
  on_demand: "ON_DEMAND",
  standard: "ON_DEMAND",
};

function toTraffic(tier: string | null): string {
  return tier === null ? "ON_DEMAND" : (traffics[tier] ?? tier);
}

/** A part of a stream, before it is known how it is framed. */
interface Piece {
  readonly body: object;
  readonly tokens: number;
}

function toEvents(serving: Serving, dialect: Dialect): readonly Event[] {
  const pieces = serving.choices[0].finish === "failed" ? failing(serving, dialect) : toPieces(serving, dialect);
  const counted = serving.choices[0].finish !== "failed" && serving.claim !== "missing";
  return pieces.map(({ body, tokens }, index) => {
    const last = index === pieces.length - 1;
    const json = JSON.stringify(body);
    const text = dialect.events ? `data: ${json}\r\n\r\n` : `${index === 0 ? "[" : ",\r\n"}${json}${last ? "]" : ""}`;
    return { text, tokens, usage: last && counted };
  });
}

function toPieces(serving: Serving, dialect: Dialect): readonly Piece[] {
  const all: Piece[] = [];
  const { reasoning, output_audio: audio } = serving.usage;
  let output = 0;
  let thought = 0;
  const add = (index: number, parts: readonly object[], ending: object, tokens: number, last = false): void => {
    const candidates = [{ content: { parts, role: "model" }, index, ...ending }];
    const usage = last
      ? toUsage(serving, serving.usage, dialect)
      : toRunning(serving, { output, output_audio: 0, reasoning: thought }, dialect);
    all.push({ body: { candidates, ...usage, ...toFrame(serving, dialect) }, tokens });
  };
  for (const part of toThoughts(serving, 0)) {
    thought = reasoning;
    add(0, [part], {}, reasoning);
  }
  for (let row = 0, left = true; left; row += 1) {
    left = false;
    for (const [index, choice] of serving.choices.entries()) {
      const text = choice.pieces[row];
      if (text === undefined) continue;
      left = true;
      const own = index === 0 ? reasoning : 0;
      const tokens = tokensOf({ ...choice, tokens: choice.tokens - own }, row, serving.chunkTokens);
      // Audio is told apart at the end only: its tokens ride on the last words.
      output += index === 0 && row === choice.pieces.length - 1 ? tokens - audio : tokens;
      add(index, [{ text }], {}, tokens);
    }
  }
  for (const [index, choice] of serving.choices.entries()) {
    const wordless = choice.pieces.length === 0 ? choice.tokens - (index === 0 ? reasoning : 0) : 0;
    const parts = choice.tool === null ? [{ text: "" }] : [toPart(choice, serving, index)];
    add(index, parts, toEnding(choice, serving, index), wordless, index === serving.choices.length - 1);
  }
  return all;
}

function toRunning(serving: Serving, produced: Produced, dialect: Dialect): object {
  if (!dialect.vertex) return toUsage(serving, produced, dialect);
  return serving.claim === "missing" ? {} : { usageMetadata: { trafficType: toTraffic(serving.tier) } };
}

/** Half of the words, then an error. */
function failing(serving: Serving, dialect: Dialect): readonly Piece[] {
  const { pieces } = serving.choices[0];
  const frame = toFrame(serving, dialect);
  let output = 0;
  const half = pieces.slice(0, Math.ceil(pieces.length / 2)).map((text) => {
    output += serving.chunkTokens;
    const usage = toRunning(serving, { output, output_audio: 0, reasoning: 0 }, dialect);
    return {
      body: { candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0 }], ...usage, ...frame },
      tokens: serving.chunkTokens,
    };
  });
  const error = { code: 500, message: "The sandbox failed in the middle of its answer, as it was asked to.", status: "INTERNAL" };
  return [...half, { body: { error }, tokens: 0 }];
}
