// Anthropic's Messages, rendered: JSON and events, as the API reference and recorded answers have them; and its count of tokens.
// Not here: lengths and text (serving.ts). Invariant: input_tokens excludes cached ones, output_tokens includes thinking,
// and neither includes compaction iterations.

import {
  type Ask,
  type Fields,
  Prompt,
  type Tool,
  checkNumbers,
  toCount,
  toFields,
  toFlag,
  toList,
  toModel,
  toStops,
  toText,
} from "./ask.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused } from "./refused.ts";
import type { Finish, Serving } from "./serving.ts";
import type { Served } from "./witness.ts";

export function messages(fields: Fields): Exchange {
  if (toCount(fields, "max_tokens") === null) throw new Refused("max_tokens: Field required", "max_tokens");
  return {
    ask: parseMessages(fields),
    wording: "anthropic",
    idPrefix: "msg_",
    timedWrites: true,
    failsAsError: true,
    json: toJson,
    events: toEvents,
  };
}

export function parseMessages(fields: Fields): Ask {
  const model = toModel(fields);
  const list = toList(fields, "messages");
  const prompt = new Prompt(model);
  const tools = toTools(fields["tools"]);
  if (fields["tools"] !== undefined) prompt.add(JSON.stringify(fields["tools"]));
  prompt.addContent(fields["system"], "system");
  let lastUser = "";
  for (const [index, message] of list.entries()) {
    const param = `messages.${index}`;
    const { role, content } = toFields(message, param);
    if (role !== "user" && role !== "assistant" && role !== "system")
      throw new Refused(`${param}.role: Input should be 'user' or 'assistant'`, param);
    if (content === undefined || content === null) throw new Refused(`${param}.content: Field required`, param);
    const text = prompt.addContent(content, `${param}.content`);
    if (role === "user") lastUser = text;
  }
  checkNumbers(fields, "temperature", "top_p", "top_k");
  return {
    model,
    streamed: toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: toCount(fields, "max_tokens"),
    choices: 1,
    stops: toStops(fields, "stop_sequences"),
    tier: toTier(toText(fields, "service_tier")),
    tools,
    toolForced: toForced(fields["tool_choice"]),
    lastUser,
    turns: () => [
      { text: JSON.stringify([fields["tools"] ?? [], fields["system"] ?? ""]) },
      ...list.map((message) => ({ text: JSON.stringify(message) })),
    ],
  };
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("tools: Input should be a valid array", "tools");
  return value.flatMap((item: unknown, index) => {
    const { name, input_schema: schema } = toFields(item, `tools.${index}`);
    if (typeof name !== "string") throw new Refused(`tools.${index}.name: Input should be a valid string`, "tools");
    // Server tools have no schema of their own: they are not the client's to run.
    return schema === undefined ? [] : [{ name, schema }];
  });
}

function toForced(choice: unknown): string | boolean {
  if (typeof choice !== "object" || choice === null) return false;
  const { type, name } = choice as Fields;
  if (type === "tool" && typeof name === "string") return name;
  return type === "any";
}

/** `auto` may be served at priority where it was bought; the sandbox sells none. */
function toTier(asked: string | null): string {
  return asked === null || asked === "auto" || asked === "standard_only" ? "standard" : asked;
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tool_use: "tool_use",
  failed: "end_turn",
};

/** A content block: how it reads whole, how it starts in a stream, and the deltas that fill it. */
interface Block {
  readonly whole: object;
  readonly start: object;
  readonly deltas: readonly { readonly delta: object; readonly tokens: number }[];
}

function toBlocks(serving: Serving): readonly Block[] {
  const [choice] = serving.choices;
  const blocks: Block[] = [];
  if (serving.usage.reasoning > 0) blocks.push(thinkingBlock(serving));
  for (let search = 0; search < serving.usage.web_search; search += 1) blocks.push(...searchBlocks(serving, search));
  if (choice.tool !== null) {
    const opened = { type: "tool_use", id: `toolu_${serving.id}`, name: choice.tool.name };
    const half = Math.ceil(choice.tool.input.length / 2);
    blocks.push({
      whole: { ...opened, input: JSON.parse(choice.tool.input) as unknown },
      start: { ...opened, input: {} },
      deltas: [
        inputDelta("", 0),
        inputDelta(choice.tool.input.slice(0, half), 0),
        inputDelta(choice.tool.input.slice(half), choice.tokens - serving.usage.reasoning),
      ],
    });
    return blocks;
  }
  const visible = { ...choice, tokens: choice.tokens - serving.usage.reasoning };
  blocks.push({
    whole: { type: "text", text: choice.text },
    start: { type: "text", text: "" },
    deltas: choice.pieces.map((text, row) => ({
      delta: { type: "text_delta", text },
      tokens: tokensOf(visible, row, serving.chunkTokens),
    })),
  });
  return blocks;
}

function inputDelta(text: string, tokens: number): Block["deltas"][number] {
  return { delta: { type: "input_json_delta", partial_json: text }, tokens };
}

function thinkingBlock(serving: Serving): Block {
  const thinking = "The sandbox does not think. These tokens were asked for.";
  const signature = Buffer.from(serving.id).toString("base64");
  return {
    whole: { type: "thinking", thinking, signature },
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      { delta: { type: "thinking_delta", thinking }, tokens: serving.usage.reasoning },
      { delta: { type: "signature_delta", signature }, tokens: 0 },
    ],
  };
}

function searchBlocks(serving: Serving, search: number): readonly Block[] {
  const id = `srvtoolu_${serving.id}${search}`;
  const opened = { type: "server_tool_use", id, name: "web_search" };
  const input = { query: `sandbox ${search + 1}` };
  const result = { type: "web_search_tool_result", tool_use_id: id, content: [] };
  const delta = { type: "input_json_delta", partial_json: JSON.stringify(input) };
  return [
    { whole: { ...opened, input }, start: { ...opened, input: {} }, deltas: [{ delta, tokens: 0 }] },
    { whole: result, start: result, deltas: [] },
  ];
}

function toJson(serving: Serving): string {
  const [choice] = serving.choices;
  const content =
    choice.tool === null && serving.usage.reasoning === 0 && serving.usage.web_search === 0
      ? `[{"type":"text","text":"${choice.text}"}]`
      : JSON.stringify(toBlocks(serving).map((block) => block.whole));
  const usage = toUsage(serving, serving.usage.output + serving.usage.reasoning);
  return (
    `{"model":${JSON.stringify(serving.model)},"id":"msg_${serving.id}","type":"message","role":"assistant","content":${content},` +
    `"stop_reason":"${finishes[choice.finish]}","stop_sequence":${JSON.stringify(choice.stop)}${usage}}`
  );
}

function toEvents(serving: Serving): readonly Event[] {
  const [choice] = serving.choices;
  const message = {
    model: serving.model,
    id: `msg_${serving.id}`,
    type: "message",
    role: "assistant",
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  // The opening count of output is a placeholder, as with the real provider: it must not be charged for.
  const opening = toUsage({ ...serving, iterations: [] }, Math.min(1, choice.tokens));
  const events: Event[] = [event("message_start", `"message":${JSON.stringify(message).slice(0, -1)}${opening}}`)];
  for (const [index, block] of toBlocks(serving).entries()) {
    events.push(event("content_block_start", `"index":${index},"content_block":${JSON.stringify(block.start)}`));
    if (index === 0) events.push(event("ping", ""));
    const failed = choice.finish === "failed";
    const deltas = failed ? block.deltas.slice(0, Math.ceil(block.deltas.length / 2)) : block.deltas;
    for (const { delta, tokens } of deltas)
      events.push(event("content_block_delta", `"index":${index},"delta":${JSON.stringify(delta)}`, tokens));
    if (failed) return [...events, failure()];
    events.push(event("content_block_stop", `"index":${index}`));
  }
  const wordless = choice.tool === null && choice.pieces.length === 0 ? choice.tokens - serving.usage.reasoning : 0;
  const delta = { stop_reason: finishes[choice.finish], stop_sequence: choice.stop };
  const closing = serving.claim === "missing" ? "" : `,"usage":${toDeltaUsage(serving)}`;
  events.push({ ...event("message_delta", `"delta":${JSON.stringify(delta)}${closing}`, wordless), usage: serving.claim !== "missing" });
  events.push(event("message_stop", ""));
  return events;
}

function event(type: string, fields: string, tokens = 0): Event {
  return { text: `event: ${type}\ndata: {"type":"${type}"${fields === "" ? "" : `,${fields}`}}\n\n`, tokens, usage: false };
}

function failure(): Event {
  const error = { type: "overloaded_error", message: "The sandbox failed in the middle of its answer, as it was asked to." };
  return event("error", `"error":${JSON.stringify(error)}`);
}

/** `,"usage":{…}` of the message, or nothing when it is to be missing. */
function toUsage(serving: Serving, output: number): string {
  if (serving.claim === "missing") return "";
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const geo = `"service_tier":${JSON.stringify(serving.tier)},"inference_geo":"not_available"`;
  return `,"usage":{${toInput(serving, true)},"output_tokens":${output * zero}${toDetails(usage, zero)}${toIterations(serving)},${geo}}`;
}

/** The closing usage: cumulative, without the split of writes and the tier, as with the real provider. */
function toDeltaUsage(serving: Serving): string {
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const output = (usage.output + usage.reasoning) * zero;
  return `{${toInput(serving, false)},"output_tokens":${output}${toDetails(usage, zero)}${toIterations(serving)}}`;
}

function toInput(serving: Serving, split: boolean): string {
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const writes = (usage.cache_write_5m + usage.cache_write_1h + (serving.claim === "wrong" ? 7 : 0)) * zero;
  const parts = split
    ? `,"cache_creation":{"ephemeral_5m_input_tokens":${usage.cache_write_5m * zero},"ephemeral_1h_input_tokens":${usage.cache_write_1h * zero}}`
    : "";
  return `"input_tokens":${usage.input * zero},"cache_creation_input_tokens":${writes},"cache_read_input_tokens":${usage.cache_read * zero}${parts}`;
}

function toDetails(usage: Served, zero: number): string {
  const thinking = usage.reasoning > 0 ? `,"output_tokens_details":{"thinking_tokens":${usage.reasoning * zero}}` : "";
  const tools = usage.web_search > 0 ? `,"server_tool_use":{"web_search_requests":${usage.web_search * zero},"web_fetch_requests":0}` : "";
  return thinking + tools;
}

/** Compaction steps with their own model, then the message itself: the sum of all is what is billed. */
function toIterations(serving: Serving): string {
  if (serving.iterations.length === 0 || serving.claim === "zero") return "";
  const steps = [
    ...serving.iterations.map((iteration) => toIteration("compaction", iteration, iteration.model)),
    toIteration("message", serving.usage, serving.model),
  ];
  return `,"iterations":${JSON.stringify(steps)}`;
}

function toIteration(type: string, usage: Served, model: string): object {
  return {
    type,
    model,
    input_tokens: usage.input,
    output_tokens: usage.output + usage.reasoning,
    cache_creation_input_tokens: usage.cache_write_5m + usage.cache_write_1h,
    cache_read_input_tokens: usage.cache_read,
    cache_creation: { ephemeral_5m_input_tokens: usage.cache_write_5m, ephemeral_1h_input_tokens: usage.cache_write_1h },
  };
}
