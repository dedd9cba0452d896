// OpenAI Chat Completions, as OpenAI and many others speak it; legacy completions are read too, where a provider serves them on this path.
// Not here: reading answers (completion.ts). Streams are asked for their usage by splice, and the extra event is hidden from clients that did
// not ask; `usage: null` on the other events is left as it is: clients pass over it, and bytes stay as they came.

import { capper } from "./capping.ts";
import { chatFieldsOf } from "./caps.ts";
import { clippedOf, hintCharactersMax, modelOf, wordCharactersMax } from "./clip.ts";
import { completionStream, readCompletion } from "./completion.ts";
import type { Format, RequestFacts, RequestLine, Splice } from "./format.ts";
import { mostCap, mostChoices } from "./most.ts";
import { metadataOf, Prompt, spanOf } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { isTrue, member, type Node, stringOf, wholeOf } from "./scan.ts";
import { isEventStream } from "./sse.ts";

export const chat: Format = {
  name: "openai-chat",
  request: readRequest,
  answer: readCompletion,
  isStream: isEventStream,
  stream: completionStream,
  refusal: openaiRefusal,
};

export const usageEdit = "stream_options.include_usage";

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const text = (key: string, max = hintCharactersMax): string | null => clippedOf(body, member(root, key), max);

  prompt.tools(member(root, "tools"), (tool) => toolName(body, tool));
  prompt.tools(member(root, "functions"), (tool) => stringOf(body, member(tool, "name")));
  const messages = member(root, "messages");
  if (messages?.kind === "array") for (const message of messages.values) readMessage(prompt, message);
  const legacy = member(root, "prompt");
  if (legacy !== undefined && legacy.kind !== "null") {
    prompt.user(legacy);
    prompt.block(legacy);
  }
  if (member(root, "web_search_options")?.kind === "object") prompt.unbound("server tools without a cap: web_search");
  readOthers(prompt);

  const streamed = isTrue(body, member(root, "stream"));
  const splices = streamed ? usageSplices(body, root) : [];
  const model = line.model ?? modelOf(body, member(root, "model"));
  const cap = mostCap(body, root, places);
  const isNewer = (member(root, "max_completion_tokens")?.kind ?? "null") !== "null";
  return {
    model,
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
    streamed,
    background: false,
    tier: text("service_tier", wordCharactersMax),
    cap,
    capField: cap === null ? null : isNewer ? "max_completion_tokens" : "max_tokens",
    setCap: capper(root, places, [null, chatFieldsOf({ vendors: [], model }).usual]),
    // OpenRouter's.
    thinking: wholeOf(body, member(member(root, "reasoning"), "max_tokens")),
    choices: mostChoices(prompt, choicePlaces),
    effort: text("reasoning_effort", wordCharactersMax) ?? clippedOf(body, member(member(root, "reasoning"), "effort"), wordCharactersMax),
    unbounded: prompt.unbounded,
    reach: prompt.reach({ predictedBytes: predictedBytes(root) }),
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    hints: {
      user: text("user") ?? text("safety_identifier"),
      session: text("prompt_cache_key"),
      previousResponse: null,
      metadata: metadataOf(body, member(root, "metadata")),
    },
    splices,
    edits: splices.length > 0 ? [usageEdit] : [],
  };
}

const places = [
  [null, "max_completion_tokens"],
  [null, "max_tokens"],
] as const;

/** Of `best_of` answers, which are generated and paid, `n` come back. */
export const choicePlaces = [
  [null, "n"],
  [null, "best_of"],
] as const;

/** What others who speak the format add to it: tools that they run, and models that may answer instead. */
function readOthers(prompt: Prompt): void {
  const { body, root } = prompt;
  for (const tool of member(root, "tools")?.values ?? []) {
    const type = clippedOf(body, member(tool, "type"), wordCharactersMax);
    if (type !== null && type !== "function" && type !== "custom") prompt.unbound(`server tools without a cap: ${type}`);
  }
  for (const key of ["plugins", "search_parameters"]) {
    const node = member(root, key);
    if ((node?.values.length ?? 0) > 0) prompt.unbound(`server tools without a cap: ${key}`);
  }
  if ((member(root, "models")?.values.length ?? 0) > 0) prompt.unbound("other models may answer: models");
}

/** A predicted output: its text, or parts of text. */
function predictedBytes(root: Node): number {
  const content = member(member(root, "prediction"), "content");
  return content === undefined ? 0 : content.end - content.start;
}

function readMessage(prompt: Prompt, message: Node): void {
  prompt.block(message);
  const role = stringOf(prompt.body, member(message, "role"));
  // What the model said before, by its id.
  if (member(message, "audio")?.kind === "object") prompt.widen("context held by the provider: audio");
  if (role === "system" || role === "developer") prompt.system(message);
  else if (role === "tool" || role === "function") prompt.result(message);
  else if (role === "user") prompt.user(message);
  else prompt.earlier(message);
}

function toolName(body: Buffer, tool: Node): string | null {
  const type = stringOf(body, member(tool, "type"));
  return (
    stringOf(body, member(member(tool, "function"), "name")) ??
    stringOf(body, member(member(tool, "custom"), "name")) ??
    stringOf(body, member(tool, "name")) ??
    type
  );
}

/** Asks for the usage of the stream, where the client does not already. Options of a wrong type are the provider's to refuse. */
export function usageSplices(body: Buffer, root: Node): Splice[] {
  const options = member(root, "stream_options");
  const asked = '{"include_usage":true}';
  if (options === undefined) return [insert(root, `"stream_options":${asked}`)];
  if (options.kind === "null") return [{ at: options.start, remove: options.end - options.start, insert: asked }];
  if (options.kind !== "object") return [];
  const option = member(options, "include_usage");
  if (option === undefined) return [insert(options, '"include_usage":true')];
  if (isTrue(body, option)) return [];
  return [{ at: option.start, remove: option.end - option.start, insert: "true" }];
}

function insert(object: Node, text: string): Splice {
  return { at: object.end - 1, remove: 0, insert: object.keys.length > 0 ? `,${text}` : text };
}
