// Bedrock InvokeModel and InvokeModelWithResponseStream: requests. The body is the model's own, and its shape tells how to read it; the model
// and whether to stream stand in the path, its tier and its guardrail in headers too. Not here: answers (native.ts); the metadata that stand in
// its headers. Invariant: a body of no known shape has no bound.

import { anthropic } from "./anthropic.ts";
import { tierOf } from "./bedrock.ts";
import { capper, type Place } from "./capping.ts";
import { chat } from "./chat.ts";
import { clip, wordCharactersMax } from "./clip.ts";
import { readConverse } from "./converse.ts";
import { isMessageStream } from "./eventstream.ts";
import type { Format, RequestFacts, RequestLine } from "./format.ts";
import { nativeStream, readNative } from "./native.ts";
import { mostCap, mostChoices } from "./most.ts";
import { Prompt } from "./prompt.ts";
import { bedrockRefusal } from "./refuse.ts";
import { member, stringOf } from "./scan.ts";

export const bedrockInvoke: Format = {
  name: "bedrock-invoke",
  request: readInvoke,
  answer: readNative,
  isStream: isMessageStream,
  stream: nativeStream,
  refusal: bedrockRefusal,
};

const guardrail = "amazon-bedrock-guardrailConfig";
/** The cap as Meta, Mistral and DeepSeek, Anthropic's older models, AI21 and Amazon's older ones call it. */
const caps = ["max_gen_len", "max_tokens", "max_tokens_to_sample", "maxTokens", "max_new_tokens"];
const capPlaces: readonly Place[] = caps.map((key) => [null, key]);
const choicePlaces: readonly Place[] = [
  [null, "num_generations"],
  [null, "numResults"],
];

function readInvoke(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const facts = readShape(prompt, line);
  const isGuarded = member(prompt.root, guardrail)?.kind === "object" || line.header("x-amzn-bedrock-guardrailidentifier") !== null;
  const reasons = [facts.unbounded, isGuarded ? "billed apart: guardrail" : null];
  const asked = tierOf(line.header("x-amzn-bedrock-service-tier"), line.header("x-amzn-bedrock-performanceconfig-latency"));
  return {
    ...facts,
    // A model in the body is not what Bedrock goes by, nor an option there how it streams.
    model: line.model,
    modelSpan: null,
    streamed: line.path.endsWith("-stream"),
    tier: asked === null ? facts.tier : clip(asked, wordCharactersMax),
    unbounded: reasons.filter((reason) => reason !== null).join("; ") || null,
    reach: isGuarded
      ? { ...facts.reach, unbounded: [facts.reach.unbounded, "billed apart: guardrail"].filter((reason) => reason !== null).join("; ") }
      : facts.reach,
    splices: [],
    edits: [],
  };
}

function readShape(prompt: Prompt, line: RequestLine): RequestFacts {
  const { body, root } = prompt;
  const has = (key: string): boolean => (member(root, key)?.kind ?? "null") !== "null";
  const model = line.model ?? "";
  if (has("anthropic_version")) return anthropic.request(body, line);
  if (has("messages")) {
    const isNova = has("inferenceConfig") || has("schemaVersion") || has("toolConfig") || model.includes("amazon.nova");
    return isNova ? readConverse(body, line) : chat.request(body, line);
  }
  const medium = (key: string): void => {
    if (has(key)) prompt.widen(`media of unknown tokens: ${key}`);
  };
  const user = (key: string): void => {
    const node = member(root, key);
    if (node === undefined || node.kind === "null") return;
    prompt.user(node);
    prompt.block(node);
  };
  if (has("inputText") || has("inputImage")) {
    const embeds = ["dimensions", "embeddingConfig", "embeddingTypes", "inputImage", "normalize"].some(has) || model.includes("embed");
    medium("inputImage");
    user("inputText");
    if (embeds) return embedding(prompt);
    const place: Place = ["textGenerationConfig", "maxTokenCount"];
    return factsOf(prompt, mostCap(body, root, [place]), 1, [place], place);
  }
  if (has("texts") || (has("input_type") && (has("images") || has("inputs")))) {
    medium("images");
    medium("inputs");
    user("texts");
    return embedding(prompt);
  }
  if (has("message")) {
    prompt.tools(member(root, "tools"), (tool) => stringOf(body, member(tool, "name")));
    for (const key of ["preamble", "documents"]) {
      const node = member(root, key);
      if (node !== undefined) prompt.system(node);
    }
    const results = member(root, "tool_results");
    if (results !== undefined) prompt.result(results);
    for (const turn of member(root, "chat_history")?.values ?? []) {
      prompt.earlier(turn);
      prompt.block(turn);
    }
    user("message");
    return factsOf(prompt, mostCap(body, root, capPlaces), 1, capPlaces, [null, "max_tokens"]);
  }
  if (has("prompt") && !has("mode") && !has("aspect_ratio") && !has("output_format")) {
    medium("images");
    user("prompt");
    const choices = mostChoices(prompt, choicePlaces);
    return factsOf(prompt, mostCap(body, root, capPlaces), choices, capPlaces, usualPlace(model));
  }
  prompt.unbound("unknown request shape");
  prompt.user(root);
  return factsOf(prompt, null, 1, [], null);
}

/** By whose model it is, which its id names. */
function usualPlace(model: string): Place | null {
  if (/meta\.llama/.test(model)) return [null, "max_gen_len"];
  if (/anthropic\./.test(model)) return [null, "max_tokens_to_sample"];
  if (/ai21\.j2/.test(model)) return [null, "maxTokens"];
  return /(mistral|cohere|deepseek|writer)\./.test(model) ? [null, "max_tokens"] : null;
}

/** Texts to embed: each has a window of its own. */
function embedding(prompt: Prompt): RequestFacts {
  const facts = factsOf(prompt, 0, 1, [], null);
  return { ...facts, setCap: null, reach: prompt.reach({ unbounded: prompt.unbounded, contexts: Infinity }) };
}

function factsOf(prompt: Prompt, cap: number | null, choices: number, places: readonly Place[], usual: Place | null): RequestFacts {
  return {
    reach: prompt.reach(),
    thinking: null,
    capField: cap === null ? null : "max_tokens",
    setCap: capper(prompt.root, places, usual),
    model: null,
    modelSpan: null,
    streamed: false,
    background: false,
    tier: null,
    cap,
    choices,
    effort: null,
    unbounded: prompt.unbounded,
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}
