// OpenAI's legacy text completions. Not here: reading answers (completion.ts). A request without a cap has none here: OpenAI then stops at 16
// tokens, but llama.cpp and others who speak the format do not.

import { capper } from "./capping.ts";
import { clippedOf, hintCharactersMax, modelOf } from "./clip.ts";
import { choicePlaces, usageEdit, usageSplices } from "./chat.ts";
import { readCompletion, textStream } from "./completion.ts";
import type { Format, RequestFacts, RequestLine } from "./format.ts";
import { mostCap, mostChoices } from "./most.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { isTrue, member, type Node } from "./scan.ts";
import { isEventStream } from "./sse.ts";

export const completions: Format = {
  name: "openai-completions",
  request: readRequest,
  answer: readCompletion,
  isStream: isEventStream,
  stream: textStream,
  refusal: openaiRefusal,
};

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const cap = mostCap(body, root, places);
  const suffix = member(root, "suffix");
  if (suffix !== undefined && suffix.kind !== "null") prompt.earlier(suffix);
  const text = member(root, "prompt");
  if (text !== undefined && text.kind !== "null") {
    prompt.user(text);
    prompt.block(text);
  }
  const streamed = isTrue(body, member(root, "stream"));
  const splices = streamed ? usageSplices(body, root) : [];
  return {
    model: line.model ?? modelOf(body, member(root, "model")),
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
    streamed,
    background: false,
    tier: null,
    cap,
    capField: cap === null ? null : "max_tokens",
    setCap: capper(root, places, [null, "max_tokens"]),
    thinking: null,
    // Of each prompt `best_of` answers are generated, and paid, of which `n` come back.
    choices: promptsOf(text) * mostChoices(prompt, choicePlaces),
    effort: null,
    unbounded: prompt.unbounded,
    reach: prompt.reach({ contexts: promptsOf(text) }),
    promptBytes: prompt.bytes,
    toolNames: [],
    blocks: prompt.blocks,
    hints: { user: clippedOf(body, member(root, "user"), hintCharactersMax), session: null, previousResponse: null, metadata: {} },
    splices,
    edits: splices.length > 0 ? [usageEdit] : [],
  };
}

const places = [[null, "max_tokens"]] as const;

/** A list of texts, or of lists of tokens, is as many prompts; a list of tokens is one. */
function promptsOf(node: Node | undefined): number {
  if (node?.kind !== "array") return 1;
  return Math.max(1, node.values.filter(({ kind }) => kind === "string" || kind === "array").length);
}
