// Amazon Bedrock's Converse, rendered: JSON and event-stream frames, as the API reference and recorded answers have them; and Nova's own
// bodies, which differ in little. Not here: lengths and text (serving.ts), other models' bodies (invoke.ts).
// Invariant: inputTokens excludes what the cache read and wrote, totalTokens includes it; reasoning is in outputTokens, without a split.

import { type Ask, type Fields, Prompt, type Tool, checkNumbers, toCount, toFields, toList, toStops, toText } from "./ask.ts";
import { eventStreamType, toEventFrame, toExceptionFrame } from "./eventstream.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused, toAwsType } from "./refused.ts";
import type { Choice, Finish, Serving } from "./serving.ts";

export function dialogue(model: string, streamed: boolean, fields: Fields): Exchange {
  const echo = toEcho(fields);
  return {
    ask: parseDialogue(model, streamed, fields),
    wording: "aws",
    idPrefix: "",
    timedWrites: true,
    failsAsError: true,
    failsInStream: true,
    streamType: eventStreamType,
    json: (serving) => toJson(serving, echo),
    events: (serving) => toSteps(serving, { ...toUsage(serving), ...toTierField(serving), ...echo }).map(toEvent),
  };
}

export function parseDialogue(model: string, streamed: boolean, fields: Fields): Ask {
  const messages = toList(fields, "messages");
  const prompt = new Prompt(model);
  const { tools, toolForced } = toTools(fields["toolConfig"]);
  if (tools.length > 0) prompt.add(JSON.stringify(fields["toolConfig"]));
  if (fields["system"] !== undefined && fields["system"] !== null) addBlocks(prompt, fields["system"], "system");
  let lastUser = "";
  for (const [index, message] of messages.entries()) {
    const param = `messages.${index}`;
    const { role, content } = toFields(message, param);
    if (role !== "user" && role !== "assistant") throw new Refused(`${param}.role must be user or assistant`, param);
    const text = addBlocks(prompt, content, `${param}.content`);
    if (role === "user") lastUser = text;
  }
  const config = fields["inferenceConfig"] === undefined ? {} : toFields(fields["inferenceConfig"], "inferenceConfig");
  checkNumbers(config, "temperature", "topP");
  return {
    model,
    streamed,
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: toCount(config, "maxTokens") ?? toCount(config, "max_new_tokens"),
    choices: 1,
    stops: toStops(config, "stopSequences"),
    tier: toTier(fields),
    tools,
    toolForced,
    lastUser,
    turns: () => [
      { text: JSON.stringify([fields["toolConfig"] ?? {}, fields["system"] ?? []]) },
      ...messages.map((message) => ({ text: JSON.stringify(message) })),
    ],
  };
}

/** Text of content blocks: `text`, a tool's input, the content of its result. Media and cache points carry none. Returns the plain text. */
function addBlocks(prompt: Prompt, content: unknown, param: string): string {
  if (!Array.isArray(content)) throw new Refused(`${param} must be a list of content blocks`, param);
  let whole = "";
  for (const [index, block] of content.entries()) {
    const fields = toFields(block, `${param}.${index}`);
    const text = toText(fields, "text");
    if (text !== null) {
      prompt.add(text);
      whole += text;
    }
    if (fields["json"] !== undefined) prompt.add(JSON.stringify(fields["json"]));
    if (fields["toolUse"] !== undefined) prompt.add(JSON.stringify(toFields(fields["toolUse"], param)["input"] ?? {}));
    if (fields["toolResult"] !== undefined) addBlocks(prompt, toFields(fields["toolResult"], param)["content"] ?? [], `${param}.${index}`);
  }
  return whole;
}

function toTools(value: unknown): { tools: readonly Tool[]; toolForced: string | boolean } {
  if (value === undefined || value === null) return { tools: [], toolForced: false };
  const { tools: list, toolChoice } = toFields(value, "toolConfig");
  if (!Array.isArray(list)) throw new Refused("toolConfig.tools must be a list", "toolConfig");
  const tools = list.flatMap((item: unknown, index) => {
    const param = `toolConfig.tools.${index}`;
    const spec = toFields(item, param)["toolSpec"];
    if (spec === undefined) return [];
    const { name, inputSchema } = toFields(spec, param);
    if (typeof name !== "string") throw new Refused(`${param}.toolSpec.name must be a string`, "toolConfig");
    return [{ name, schema: inputSchema === undefined ? {} : toFields(inputSchema, param)["json"] }];
  });
  if (toolChoice === undefined) return { tools, toolForced: false };
  const { any, tool } = toFields(toolChoice, "toolConfig.toolChoice");
  const name = tool === undefined ? null : toText(toFields(tool, "toolConfig.toolChoice.tool"), "name");
  return { tools, toolForced: name ?? any !== undefined };
}

function toTier(fields: Fields): string | null {
  return fields["serviceTier"] === undefined ? null : toText(toFields(fields["serviceTier"], "serviceTier"), "type");
}

/** What the answer repeats of the request. */
function toEcho(fields: Fields): Readonly<Record<string, unknown>> {
  return fields["performanceConfig"] === undefined ? {} : { performanceConfig: toFields(fields["performanceConfig"], "performanceConfig") };
}

const stopReasons: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tool_use: "tool_use",
  failed: "end_turn",
};

/** The message and why it ended, as Converse and Nova both have them. */
export function toMessage(serving: Serving): { output: object; stopReason: string } {
  const [choice] = serving.choices;
  const content: object[] = [];
  if (serving.usage.reasoning > 0)
    content.push({ reasoningContent: { reasoningText: { text: thinking, signature: toSignature(serving) } } });
  if (choice.tool === null) content.push({ text: choice.text });
  else
    content.push({
      toolUse: { toolUseId: `tooluse_${serving.id}`, name: choice.tool.name, input: JSON.parse(choice.tool.input) as unknown },
    });
  return { output: { message: { content, role: "assistant" } }, stopReason: stopReasons[choice.finish] };
}

const thinking = "The sandbox does not think. These tokens were asked for.";

function toSignature(serving: Serving): string {
  return Buffer.from(serving.id).toString("base64");
}

function toJson(serving: Serving, echo: object): string {
  return JSON.stringify({ metrics: toMetrics(serving), ...toMessage(serving), ...toUsage(serving), ...toTierField(serving), ...echo });
}

/** The sandbox measures nothing here: equal answers say equal times. */
function toMetrics(serving: Serving): object {
  return { latencyMs: 1 + serving.choices[0].tokens };
}

function toTierField(serving: Serving): object {
  return serving.tier === null ? {} : { serviceTier: { type: serving.tier } };
}

function toUsage(serving: Serving): object {
  if (serving.claim === "missing") return {};
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const writes = usage.cache_write_5m + usage.cache_write_1h;
  const output = usage.output + usage.reasoning;
  const details = [
    { ttl: "1h", inputTokens: usage.cache_write_1h },
    { ttl: "5m", inputTokens: usage.cache_write_5m },
  ].filter((detail) => detail.inputTokens > 0 && zero === 1);
  return {
    usage: {
      cacheReadInputTokens: usage.cache_read * zero,
      cacheWriteInputTokens: writes * zero,
      ...(details.length === 0 ? {} : { cacheDetails: details }),
      inputTokens: usage.input * zero,
      outputTokens: output * zero,
      serverToolUsage: {},
      totalTokens: (usage.input + usage.cache_read + writes + output) * zero + (serving.claim === "wrong" ? 7 : 0),
    },
  };
}

/** One step of a streamed answer: its name, its fields, the output tokens that it carries. */
export interface Step {
  readonly type: "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop" | "metadata" | "exception";
  readonly fields: object;
  readonly tokens: number;
  readonly usage: boolean;
}

/** The steps of the answer, metadata last. `more`: what metadata says beside its metrics. */
export function toSteps(serving: Serving, more: object): readonly Step[] {
  const [choice] = serving.choices;
  const step = (type: Step["type"], fields: object, tokens = 0): Step => ({ type, fields, tokens, usage: false });
  const steps = [step("messageStart", { role: "assistant" })];
  const failed = choice.finish === "failed";
  const reasoning = serving.usage.reasoning;
  let index = 0;
  if (reasoning > 0) {
    steps.push(step("contentBlockDelta", reasoningDelta({ text: thinking }), reasoning));
    if (failed) return [...steps, toFault(serving)];
    steps.push(
      step("contentBlockDelta", reasoningDelta({ signature: toSignature(serving) })),
      step("contentBlockStop", { contentBlockIndex: 0 }),
    );
    index = 1;
  }
  const deltas = choice.tool === null ? textSteps(choice, reasoning, index, serving.chunkTokens) : toolSteps(serving, choice.tool, index);
  if (failed) return [...steps, ...deltas.slice(0, Math.ceil(deltas.length / 2)), toFault(serving)];
  const wordless = deltas.length === 0 ? choice.tokens - reasoning : 0;
  steps.push(
    ...deltas,
    step("contentBlockStop", { contentBlockIndex: index }),
    step("messageStop", { stopReason: stopReasons[choice.finish] }, wordless),
  );
  steps.push({ ...step("metadata", { metrics: toMetrics(serving), ...more }), usage: serving.claim !== "missing" });
  return steps;
}

function reasoningDelta(reasoningContent: object): object {
  return { contentBlockIndex: 0, delta: { reasoningContent } };
}

function textSteps(choice: Choice, hidden: number, index: number, chunkTokens: number): readonly Step[] {
  const visible = { ...choice, tokens: choice.tokens - hidden };
  return choice.pieces.map((text, row) => ({
    type: "contentBlockDelta",
    fields: { contentBlockIndex: index, delta: { text } },
    tokens: tokensOf(visible, row, chunkTokens),
    usage: false,
  }));
}

function toolSteps(serving: Serving, tool: { name: string; input: string }, index: number): readonly Step[] {
  const half = Math.ceil(tool.input.length / 2);
  const tokens = serving.choices[0].tokens - serving.usage.reasoning;
  const delta = (input: string, carried: number): Step => ({
    type: "contentBlockDelta",
    fields: { contentBlockIndex: index, delta: { toolUse: { input } } },
    tokens: carried,
    usage: false,
  });
  const start = { contentBlockIndex: index, start: { toolUse: { toolUseId: `tooluse_${serving.id}`, name: tool.name } } };
  return [
    { type: "contentBlockStart", fields: start, tokens: 0, usage: false },
    delta(tool.input.slice(0, half), 0),
    delta(tool.input.slice(half), tokens),
  ];
}

const message = "The sandbox failed in the middle of its answer, as it was asked to.";

/** The exception that `x-sandbox-fail` names, or the model's own. */
function toFault(serving: Serving): Step {
  const status = serving.fault === null || serving.fault === "connection-reset" ? null : Number(serving.fault);
  const name = status === null ? "modelStreamErrorException" : toStreamed(toAwsType(status));
  const fields = status === null ? { message, originalMessage: message, originalStatusCode: 500 } : { message };
  return { type: "exception", fields: { name, fields }, tokens: 0, usage: false };
}

/** Streams know five exceptions; what has no place among them is the server's. */
function toStreamed(type: string): string {
  const name = type.slice(0, 1).toLowerCase() + type.slice(1);
  return ["throttlingException", "validationException", "serviceUnavailableException"].includes(name) ? name : "internalServerException";
}

/** The frame of a step that breaks off. */
export function toExceptionText(step: Step): string {
  const { name, fields } = step.fields as { readonly name: string; readonly fields: object };
  return toExceptionFrame(name, JSON.stringify(fields));
}

function toEvent(step: Step): Event {
  const { tokens, usage } = step;
  const text = step.type === "exception" ? toExceptionText(step) : toEventFrame(step.type, JSON.stringify(step.fields));
  return { text, tokens, usage };
}
