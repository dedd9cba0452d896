// Counting before sending: the request that asks a provider how many tokens an input has, made from the bytes of the call, and what it
// answers. Not here: asking (the gateway's business), and when it is worth a round trip. Invariant: what a count leaves out is said by its
// margin; where a count would not hold for what is billed, there is none.

import type { FormatName, RequestFacts } from "./format.ts";
import { parseText } from "./completion.ts";
import { member, type Node, scan, textOf } from "./scan.ts";
import { fieldsOf } from "./tally.ts";

/** A request to a provider's count endpoint; the method is POST, the content JSON, the credential that of the call. */
export interface CountRequest {
  readonly path: string;
  readonly body: Buffer;
}

/** How far a count may be from what is billed: so many parts of a thousand more, and so many tokens. */
export interface Margin {
  readonly perThousand: number;
  readonly tokens: number;
}

/** The members of a call that Responses' count takes: its reference has these and no others. */
const counted = new Set([
  "conversation",
  "input",
  "instructions",
  "model",
  "parallel_tool_calls",
  "personality",
  "previous_response_id",
  "reasoning",
  "text",
  "tool_choice",
  "tools",
  "truncation",
]);

/** As Anthropic's count_tokens has them. */
const countedMessages = new Set(["cache_control", "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"]);

/**
 * The request that counts the input of a call.
 * @param path of the call as it goes to the provider, without query: as in RequestLine.
 * @param model as it is sent, where a route names another than the body or the path does; null: as they name it.
 * @returns null where the provider has no such endpoint, or where its count would say nothing of what is billed: of several steps, of what
 * nothing bounds, of a body that cannot be read.
 */
export function countRequest(
  format: FormatName,
  path: string,
  model: string | null,
  body: Buffer,
  facts: RequestFacts,
): CountRequest | null {
  if (facts.reach.steps > 1 || facts.reach.unbounded !== null) return null;
  switch (format) {
    case "openai-responses":
      return path.endsWith("/responses") ? { path: `${path}/input_tokens`, body: named(body, counted, model) } : null;
    case "anthropic-messages":
      if (path.endsWith("/v1/messages")) return { path: `${path}/count_tokens`, body: named(body, countedMessages, model) };
      return vertexMessages(path, model, body);
    case "gemini-generate":
      return gemini(path, model, body);
    case "bedrock-converse":
      return counts(path, /\/converse(?:-stream)?$/, model) ? wrapped(path, model, '{"input":{"converse":', converseOf(body), "}}") : null;
    case "bedrock-invoke":
      return counts(path, /\/invoke(?:-with-response-stream)?$/, model)
        ? wrapped(path, model, '{"input":{"invokeModel":{"body":"', Buffer.from(body.toString("base64")), '"}}}')
        : null;
    default:
      return null;
  }
}

/**
 * The number of input tokens that a count endpoint answered; null when it said none.
 * @param text the answer's body.
 */
export function readCount(format: FormatName, text: string): number | null {
  const answer = fieldsOf(parseText(text));
  const value =
    format === "gemini-generate" ? answer["totalTokens"] : format.startsWith("bedrock") ? answer["inputTokens"] : answer["input_tokens"];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/**
 * By how much a count may fall short of what is billed. OpenAI calls its count exact, and Bedrock says that it matches what is charged.
 * Anthropic calls its own an estimate, off by a small number of tokens, and adds some of its own that are not billed; Google says nothing.
 * The figures for these two are ours: assumptions, which every settlement checks.
 */
export function marginOf(format: FormatName): Margin {
  if (format === "openai-responses" || format.startsWith("bedrock")) return { perThousand: 0, tokens: 0 };
  return format === "anthropic-messages" ? { perThousand: 20, tokens: 64 } : { perThousand: 50, tokens: 256 };
}

/** The most that is billed where so many tokens were counted. */
export function mostOf(format: FormatName, tokens: number): number {
  const { perThousand, tokens: more } = marginOf(format);
  return tokens + Math.ceil((tokens * perThousand) / 1_000) + more;
}

/** Claude on Vertex AI: at a path of its own, the model in the body. */
function vertexMessages(path: string, model: string | null, body: Buffer): CountRequest | null {
  const match = /^(.*\/publishers\/anthropic\/models\/)[^/]+:(?:rawPredict|streamRawPredict)$/.exec(path);
  if (match === null || model === null) return null;
  return { path: `${match[1]}count-tokens:rawPredict`, body: named(body, countedMessages, model) };
}

/** Those of the call's members that are counted, of the model that is sent. */
function named(body: Buffer, keys: ReadonlySet<string>, model: string | null): Buffer {
  const rest = only(body, keys);
  return model === null ? rest : withFirst(rest, `"model":${JSON.stringify(model)}`);
}

/** At the Gemini API the whole request goes inside, with the model's name; at Vertex AI its members stand for themselves. */
function gemini(path: string, sent: string | null, body: Buffer): CountRequest | null {
  const match = /^(.*\/(models|tunedModels|endpoints)\/)([^/:]+):(?:generateContent|streamGenerateContent)$/.exec(path);
  if (match === null) return null;
  const [, before = "", kind = "", segment = ""] = match;
  const model = sent ?? decodeURIComponent(segment);
  const at = `${before}${spelt(segment, model)}:countTokens`;
  if (/\/(?:publishers|endpoints)\//.test(path)) return { path: at, body: only(body, vertexCounted) };
  const inner = withFirst(body, `"model":${JSON.stringify(`${kind}/${model}`)}`);
  return { path: at, body: Buffer.concat([Buffer.from('{"generateContentRequest":'), inner, Buffer.from("}")]) };
}

/** A model's name in a path: as it stands there, where it is the same. */
function spelt(segment: string, model: string): string {
  return decodeURIComponent(segment) === model ? segment : encodeURIComponent(model);
}

const vertexCounted = new Set(["contents", "generationConfig", "generation_config", "systemInstruction", "system_instruction", "tools"]);

/** What Bedrock's count takes of a Converse request. */
function converseOf(body: Buffer): Buffer {
  return only(body, new Set(["additionalModelRequestFields", "messages", "system", "toolConfig"]));
}

/** Bedrock counts for Anthropic's models, by their own ids: neither an inference profile nor an ARN. */
function counts(path: string, action: RegExp, model: string | null): model is string {
  return action.test(path) && model !== null && model.startsWith("anthropic.");
}

function wrapped(path: string, model: string, before: string, body: Buffer, after: string): CountRequest {
  const segments = path.split("/");
  const at = [...segments.slice(0, -2), spelt(segments.at(-2) ?? "", model), "count-tokens"].join("/");
  return { path: at, body: Buffer.concat([Buffer.from(before), body, Buffer.from(after)]) };
}

/** The object with those of its members alone, each word for word. */
function only(body: Buffer, keys: ReadonlySet<string>): Buffer {
  const root = scan(body, 1);
  const kept = root.values.flatMap((value: Node, index) => {
    const key = root.keys[index] as string;
    return keys.has(key) ? [`${JSON.stringify(key)}:${textOf(body, value)}`] : [];
  });
  return Buffer.from(`{${kept.join(",")}}`);
}

function withFirst(body: Buffer, text: string): Buffer {
  const root = scan(body, 1);
  const isEmpty = root.keys.length === 0;
  // A member of that name would be a second one.
  const rest =
    member(root, "model") === undefined
      ? body.subarray(root.start + 1, root.end)
      : only(body, new Set(root.keys.filter((key) => key !== "model"))).subarray(1);
  return Buffer.concat([Buffer.from(`{${text}${isEmpty ? "" : ","}`), rest]);
}
