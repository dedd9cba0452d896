// Bedrock Converse and ConverseStream: requests. Not here: answers (reply.ts). The model stands in the path, whether to stream too.
// The cap on output covers reasoning: Bedrock refuses a thinking budget that is not below it. Invariant: nothing is spliced.

import { capper } from "./capping.ts";
import { clippedOf, wordCharactersMax } from "./clip.ts";
import { tierOf } from "./bedrock.ts";
import { isMessageStream } from "./eventstream.ts";
import type { Format, RequestFacts, RequestLine } from "./format.ts";
import { mostCap } from "./most.ts";
import { metadataOf, Prompt } from "./prompt.ts";
import { bedrockRefusal } from "./refuse.ts";
import { readReply, replyStream } from "./reply.ts";
import { member, type Node, open, stringOf, wholeOf } from "./scan.ts";

export const bedrockConverse: Format = {
  name: "bedrock-converse",
  request: readConverse,
  answer: readReply,
  isStream: isMessageStream,
  stream: replyStream,
  refusal: bedrockRefusal,
};

const media = new Set(["audio", "document", "image", "video"]);
/** A tool result holds content; nothing in it holds content again. */
const levelsMax = 1;

/** Nova's own requests have the same shape, but for the name of the cap and for the place of the reasoning effort. */
export function readConverse(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const config = member(root, "inferenceConfig");
  const extra = member(root, "additionalModelRequestFields");
  const word = (node: Node | undefined): string | null => clippedOf(body, node, wordCharactersMax);

  readTools(prompt, member(member(root, "toolConfig"), "tools"));
  prompt.tools(member(extra, "tools"), (tool) => stringOf(body, member(open(body, tool, 1), "name")));
  const system = member(root, "system");
  let systemBytes = 0;
  if (system !== undefined && system.kind !== "null") {
    prompt.block(system);
    systemBytes = system.end - system.start;
    for (const part of system.values) systemBytes -= mediaBytes(prompt, part, 0);
  }
  const turns = readTurns(prompt, member(root, "messages"));

  const isContinued = line.model?.includes(":prompt/") === true || (member(root, "promptVariables")?.keys.length ?? 0) > 0;
  if (isContinued) prompt.unbound("context held by the provider: prompt");
  if (member(root, "guardrailConfig")?.kind === "object") prompt.unbound("billed apart: guardrail");

  return {
    model: line.model,
    modelSpan: null,
    streamed: line.path.endsWith("-stream"),
    background: false,
    tier: tierOf(word(member(member(root, "serviceTier"), "type")), word(member(member(root, "performanceConfig"), "latency"))),
    capField: mostCap(body, root, places.slice(0, 1)) === null ? null : "maxTokens",
    setCap: capper(root, places, ["inferenceConfig", "maxTokens"]),
    thinking: budgetOf(body, extra) ?? budgetOf(body, root),
    // Which of two caps a model would follow is not known: the larger one bounds.
    cap: mostCap(body, root, places),
    choices: 1,
    effort: effortOf(body, extra) ?? effortOf(body, config) ?? effortOf(body, root),
    unbounded: prompt.unbounded,
    reach: prompt.reach({
      writes: body.includes("cachePoint") || body.includes("cache_control") || body.includes("\\u00") ? "any" : "none",
    }),
    promptBytes: { system: systemBytes, tools: prompt.bytes.tools, ...turns },
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    isContinued,
    hints: { user: null, session: null, previousResponse: null, metadata: metadataOf(body, member(root, "requestMetadata")) },
    splices: [],
    edits: [],
  };
}

function readTools(prompt: Prompt, tools: Node | undefined): void {
  const { body } = prompt;
  const named = (tool: Node, kind: string): string | null => stringOf(body, member(member(open(body, tool, 2), kind), "name"));
  prompt.tools(tools, (tool) => named(tool, "toolSpec") ?? named(tool, "systemTool"));
  for (const tool of tools?.values ?? [])
    if (member(tool, "systemTool") !== undefined) {
      const name = clippedOf(body, member(member(open(body, tool, 2), "systemTool"), "name"), wordCharactersMax);
      prompt.unbound(`server tools without a cap: ${name ?? "systemTool"}`);
    }
}

/** Tool results come inside user messages; one that holds nothing else is no turn of the user's. */
function readTurns(prompt: Prompt, messages: Node | undefined): { user: number; earlier: number; toolResults: number } {
  const bytes = { user: 0, earlier: 0, toolResults: 0 };
  for (const message of messages?.kind === "array" ? messages.values : []) {
    prompt.block(message);
    const content = member(message, "content");
    let all = message.end - message.start;
    let results = 0;
    let others = 0;
    for (const part of content?.values ?? []) {
      const inside = mediaBytes(prompt, part, 0);
      all -= inside;
      const kind = part.kind === "object" ? open(prompt.body, part, 1).keys[0] : undefined;
      if (kind === "toolResult") results += part.end - part.start - inside;
      else if (kind !== "cachePoint") others++;
    }
    if (stringOf(prompt.body, member(message, "role")) !== "user") bytes.earlier += all;
    else if (results > 0 && others === 0) bytes.toolResults += all;
    else {
      bytes.earlier += bytes.user;
      bytes.user = all - results;
      bytes.toolResults += results;
    }
  }
  return bytes;
}

/** Bytes of media in a content block: base64 says nothing of tokens. */
function mediaBytes(prompt: Prompt, shut: Node, level: number): number {
  if (shut.kind !== "object") return 0;
  const block = open(prompt.body, shut, 4);
  let bytes = 0;
  for (const [index, key] of block.keys.entries()) {
    const value = block.values[index];
    if (media.has(key)) bytes += sourceBytes(prompt, key, member(value, "source"));
    else if (key === "guardContent") bytes += sourceBytes(prompt, "image", member(member(value, "image"), "source"));
    else if (key === "toolResult") {
      const content = member(value, "content")?.values ?? [];
      if (level >= levelsMax && content.length > 0) prompt.widen("content nested too deep");
      else for (const part of content) bytes += mediaBytes(prompt, part, level + 1);
    }
  }
  return bytes;
}

/** A document may also be given as text, which its bytes bound. */
function sourceBytes(prompt: Prompt, kind: string, source: Node | undefined): number {
  if (member(source, "s3Location") !== undefined) addMedium(prompt, `media by URL: ${kind}`, kind, source as Node, 0);
  const data = member(source, "bytes");
  if (data === undefined) return 0;
  addMedium(prompt, `media of unknown tokens: ${kind}`, kind, data, data.end - data.start);
  return data.end - data.start;
}

function addMedium(prompt: Prompt, reason: string, kind: string, node: Node, bytes: number): void {
  if (kind === "image") prompt.image(reason, node, bytes);
  else prompt.widen(reason);
}

const places = [
  ["inferenceConfig", "maxTokens"],
  ["inferenceConfig", "max_new_tokens"],
  ["additionalModelRequestFields", "max_tokens"],
  ["additionalModelRequestFields", "max_completion_tokens"],
  ["additionalModelRequestFields", "max_gen_len"],
] as const;

/** How much a model shall think, in the words of Anthropic, Amazon or OpenAI. */
function effortOf(body: Buffer, fields: Node | undefined): string | null {
  const word = (node: Node | undefined): string | null => clippedOf(body, node, wordCharactersMax);
  const said =
    word(member(member(fields, "output_config"), "effort")) ??
    word(member(member(fields, "reasoningConfig"), "maxReasoningEffort")) ??
    word(member(fields, "reasoning_effort"));
  if (said !== null) return said;
  const budget = budgetOf(body, fields);
  return budget === null ? null : `budget:${budget}`;
}

function budgetOf(body: Buffer, fields: Node | undefined): number | null {
  return wholeOf(body, member(member(fields, "thinking") ?? member(fields, "reasoning_config"), "budget_tokens"));
}
