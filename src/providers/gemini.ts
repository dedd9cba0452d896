// Gemini's generateContent and streamGenerateContent, at the Gemini API and at Vertex AI. The model and whether to stream are in the path.
// Keys come in camelCase or snake_case and lists of one without their brackets, as protobuf's JSON allows. Not here: answers
// (candidates.ts), embeddings (vectors.ts).

import { candidateStream, isCandidateStream, readCandidates, tierOf } from "./candidates.ts";
import { capper, type Place } from "./capping.ts";
import { clippedOf, wordCharactersMax } from "./clip.ts";
import type { Format, RequestFacts, RequestLine } from "./format.ts";
import { mostCap, mostChoices, quotedOf } from "./most.ts";
import { metadataOf, Prompt } from "./prompt.ts";
import { geminiRefusal } from "./refuse.ts";
import { member, type Node, open, stringOf } from "./scan.ts";

export const geminiGenerate: Format = {
  name: "gemini-generate",
  request: readRequest,
  answer: readCandidates,
  isStream: isCandidateStream,
  stream: candidateStream,
  refusal: geminiRefusal,
};

/** The parts of a tool's result may hold media; nothing known nests further. */
const levelsMax = 2;

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  readTools(prompt, member(root, "tools"));
  const system = pick(root, "systemInstruction");
  if (system !== undefined && system.kind !== "null") {
    prompt.add("system", size(system) - mediaBytes(prompt, system));
    prompt.block(system);
  }
  for (const content of each(member(root, "contents"))) readContent(prompt, content);
  const isContinued = (pick(root, "cachedContent")?.kind ?? "null") !== "null";
  if (isContinued) prompt.unbound("context held by the provider: cachedContent");

  const config = pick(root, "generationConfig");
  const cap = mostCap(body, root, places, quotedOf);
  return {
    model: line.model,
    modelSpan: null,
    streamed: line.path.endsWith(":streamGenerateContent"),
    background: false,
    // Vertex AI is asked for a tier in a header.
    tier: tierOf(line.header("x-vertex-ai-llm-shared-request-type") ?? clippedOf(body, pick(root, "serviceTier"), wordCharactersMax)),
    // Thoughts count against it: 478 of them and 18 tokens of text filled a cap of 500 (vectorize-io/hindsight issue 3365), though Google's
    // page on thinking has said otherwise (googleapis/python-genai issue 2062).
    cap,
    choices: mostChoices(prompt, countPlaces),
    effort: effortOf(body, pick(config, "thinkingConfig")),
    unbounded: prompt.unbounded,
    reach: prompt.reach({ declared: prompt.toolNames.includes("computerUse") ? 1 : 0 }),
    capField: cap === null ? null : "maxOutputTokens",
    setCap: capper(root, places, placeIn(root)),
    thinking: quotedOf(body, pick(pick(config, "thinkingConfig"), "thinkingBudget")),
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    isContinued,
    hints: { user: null, session: null, previousResponse: null, metadata: metadataOf(body, member(root, "labels")) },
    splices: [],
    edits: [],
  };
}

const inConfig = (...keys: readonly string[]): readonly Place[] =>
  ["generationConfig", "generation_config"].flatMap((object) => keys.map((key) => [object, key] as const));
const places = inConfig("maxOutputTokens", "max_output_tokens");
const countPlaces = inConfig("candidateCount", "candidate_count");

/** In the spelling of the config that the body has. */
function placeIn(root: Node): readonly [string, string] {
  const isSnake = member(root, "generationConfig") === undefined && member(root, "generation_config") !== undefined;
  return isSnake ? ["generation_config", "max_output_tokens"] : ["generationConfig", "maxOutputTokens"];
}

/** All tools but functions are run by Google, each feeding tokens back into the same call; using a computer comes with functions of its own. */
function readTools(prompt: Prompt, tools: Node | undefined): void {
  const list = each(tools);
  if (tools === undefined || list.length === 0) return;
  prompt.block(tools);
  prompt.add("tools", size(tools));
  for (const shut of list) {
    const tool = open(prompt.body, shut, 2);
    for (const [index, key] of tool.keys.entries()) {
      const name = camel(key);
      const value = tool.values[index] as Node;
      if (value.kind === "null") continue;
      if (name !== "functionDeclarations") {
        prompt.toolName(name);
        if (name === "computerUse") prompt.note("tools declared by the provider: computerUse");
        else prompt.unbound(`server tools without a cap: ${name.slice(0, wordCharactersMax)}`);
        continue;
      }
      for (const declaration of each(value)) {
        const function_ = stringOf(prompt.body, member(open(prompt.body, declaration, 1), "name"));
        if (function_ !== null) prompt.toolName(function_);
      }
    }
  }
}

/** Who says nothing of a role is the user. Results of functions come inside user turns; older clients give them a role of their own. */
function readContent(prompt: Prompt, content: Node): void {
  prompt.block(content);
  const role = stringOf(prompt.body, member(content, "role")) ?? "user";
  const all = size(content) - mediaBytes(prompt, content);
  if (role === "function" || role === "tool") return prompt.add("toolResults", all);
  if (role !== "user") return prompt.add("earlier", all);
  let results = 0;
  let others = 0;
  for (const shut of each(member(content, "parts"))) {
    const part = open(prompt.body, shut, 1);
    if (pick(part, "functionResponse") === undefined) others++;
    else results += size(shut) - partMedia(prompt, shut, 0);
  }
  if (results > 0 && others === 0) return prompt.add("toolResults", all);
  prompt.add("toolResults", results);
  prompt.add("user", all - results);
}

/** Bytes of the media inside a content: base64 says nothing of tokens. */
export function mediaBytes(prompt: Prompt, content: Node): number {
  let bytes = 0;
  for (const part of each(member(content, "parts"))) bytes += partMedia(prompt, part, 0);
  return bytes;
}

function partMedia(prompt: Prompt, shut: Node, level: number): number {
  const part = open(prompt.body, shut, 2);
  const inline = pick(part, "inlineData");
  const file = pick(part, "fileData");
  if (file !== undefined && file.kind !== "null") addMedium(prompt, "media by URL", file, 0);
  if (inline !== undefined && inline.kind !== "null") {
    const data = member(inline, "data");
    const bytes = data?.kind === "string" ? size(data) : 0;
    addMedium(prompt, "media of unknown tokens", inline, bytes);
    return bytes;
  }
  const result = pick(part, "functionResponse");
  if (result === undefined) return 0;
  let bytes = 0;
  for (const inner of each(member(open(prompt.body, result, 2), "parts"))) {
    if (level < levelsMax) bytes += partMedia(prompt, inner, level + 1);
    else prompt.widen("content nested too deep");
  }
  return bytes;
}

function addMedium(prompt: Prompt, where: string, data: Node, bytes: number): void {
  const medium = mediumOf(prompt.body, data);
  if (medium === "image") prompt.image(`${where}: ${medium}`, data, bytes);
  else prompt.widen(`${where}: ${medium}`);
}

/** `image`, `audio`, `video`, or what else its type begins with. */
function mediumOf(body: Buffer, data: Node): string {
  const type = clippedOf(body, pick(data, "mimeType"), wordCharactersMax) ?? "";
  return /^[a-z]+(?=\/)/.exec(type)?.[0] ?? "file";
}

/** The level, or the budget of tokens: -1 leaves it to the model. */
function effortOf(body: Buffer, config: Node | undefined): string | null {
  const level = clippedOf(body, pick(config, "thinkingLevel"), wordCharactersMax);
  if (level !== null) return level.toLowerCase();
  const node = pick(config, "thinkingBudget");
  const budget = quotedOf(body, node);
  if (budget !== null) return `budget:${budget}`;
  return node?.kind === "number" ? "budget:auto" : null;
}

/** A member by its name in camelCase, or in snake_case. */
export function pick(node: Node | undefined, name: string): Node | undefined {
  return (
    member(node, name) ??
    member(
      node,
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
  );
}

/** The objects of a list, or the one object that stands for a list of one. */
export function each(node: Node | undefined): readonly Node[] {
  if (node?.kind === "object") return [node];
  return node?.kind === "array" ? node.values.filter((value) => value.kind === "object") : [];
}

export function size(node: Node): number {
  return node.end - node.start;
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
