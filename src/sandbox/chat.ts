// OpenAI's Chat Completions, rendered: JSON and chunks, as the API reference and recorded answers have them.
// Not here: lengths and text (serving.ts). Invariant: prompt_tokens includes cached ones, completion_tokens includes reasoning.

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
import type { Choice, Finish, Serving } from "./serving.ts";

const roles: ReadonlySet<unknown> = new Set(["system", "developer", "user", "assistant", "tool", "function"]);

export function chat(fields: Fields): Exchange {
  const includeUsage = wantsUsage(fields);
  const ask = parseAsk(fields);
  return {
    ask,
    wording: "openai",
    idPrefix: "chatcmpl-",
    timedWrites: false,
    failsAsError: true,
    takes: ["cost", "streamUsage"],
    json: toJson,
    events: (serving) => toEvents(serving, includeUsage),
  };
}

function parseAsk(fields: Fields): Ask {
  const model = toModel(fields);
  const messages = toList(fields, "messages");
  const prompt = new Prompt(model);
  const tools = toTools(fields["tools"]);
  if (tools.length > 0) prompt.add(JSON.stringify(fields["tools"]));
  let lastUser = "";
  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}]`;
    const { role, content, tool_calls: calls } = toFields(message, param);
    if (!roles.has(role)) throw new Refused(`${param}.role is not one of ${[...roles].join(", ")}`, `${param}.role`);
    const text = prompt.addContent(content, `${param}.content`);
    if (calls !== undefined && calls !== null) prompt.add(JSON.stringify(calls));
    if (role === "user") lastUser = text;
  }
  checkNumbers(fields, "temperature", "top_p", "frequency_penalty", "presence_penalty");
  return {
    model,
    streamed: toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: toCount(fields, "max_completion_tokens") ?? toCount(fields, "max_tokens"),
    choices: toCount(fields, "n", 128) ?? 1,
    stops: toStops(fields, "stop"),
    tier: toTier(toText(fields, "service_tier")),
    tools,
    toolForced: toForced(fields["tool_choice"]),
    lastUser,
    turns: () => [{ text: JSON.stringify(fields["tools"] ?? []) }, ...messages.map((message) => ({ text: JSON.stringify(message) }))],
  };
}

function wantsUsage(fields: Fields): boolean {
  const options = fields["stream_options"];
  if (options === undefined || options === null) return false;
  if (!toFlag(fields, "stream")) throw new Refused("stream_options is only allowed when stream is true", "stream_options");
  return toFlag(toFields(options, "stream_options"), "include_usage");
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("tools must be an array", "tools");
  return value.flatMap((item: unknown, index) => {
    const tool = toFields(item, `tools[${index}]`);
    if (tool["type"] !== "function") return [];
    const { name, parameters } = toFields(tool["function"], `tools[${index}].function`);
    if (typeof name !== "string") throw new Refused(`tools[${index}].function.name must be a string`, "tools");
    return [{ name, schema: parameters }];
  });
}

function toForced(choice: unknown): string | boolean {
  if (choice === "required") return true;
  if (typeof choice !== "object" || choice === null) return false;
  const named = (choice as Fields)["function"];
  const name = typeof named === "object" && named !== null ? (named as Fields)["name"] : undefined;
  return typeof name === "string" ? name : false;
}

/** Asked `auto` or nothing, OpenAI serves `default` and says so. */
export function toTier(asked: string | null): string {
  return asked === null || asked === "auto" ? "default" : asked;
}

function toJson(serving: Serving): string {
  const choices = serving.choices.map(
    (choice, index) =>
      `{"index":${index},"message":{"role":"assistant",${toMessage(choice, serving, index)},"refusal":null,"annotations":[]},` +
      `"logprobs":null,"finish_reason":"${finishes[choice.finish]}"}`,
  );
  return `${opening(serving, "chat.completion")},"choices":[${choices.join(",")}]${toUsageField(serving)}}`;
}

function toMessage(choice: Choice, serving: Serving, index: number): string {
  if (choice.tool === null) return `"content":"${choice.text}"`;
  const { name, input } = choice.tool;
  const made = { name, arguments: input };
  return `"content":null,"tool_calls":[{"id":"call_${serving.id}${index}","type":"function","function":${JSON.stringify(made)}}]`;
}

function opening(serving: Serving, object: string): string {
  return (
    `{"id":"chatcmpl-${serving.id}","object":"${object}","created":${serving.createdS},"model":${JSON.stringify(serving.model)},` +
    `"service_tier":${JSON.stringify(serving.tier)},"system_fingerprint":"fp_sandbox"`
  );
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "stop",
  stop_sequence: "stop",
  length: "length",
  tool_use: "tool_calls",
  failed: "stop",
};

function toEvents(serving: Serving, includeUsage: boolean): readonly Event[] {
  const before = `data: ${opening(serving, "chat.completion.chunk")},"choices":[`;
  const after = includeUsage ? `],"usage":null}\n\n` : `]}\n\n`;
  const chunk = (index: number, delta: string, finish: string, tokens: number, last = after): Event => ({
    text: `${before}{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${finish}}${last}`,
    tokens,
    usage: last !== after,
  });
  const events: Event[] = serving.choices.map((choice, index) =>
    chunk(
      index,
      choice.tool === null ? `{"role":"assistant","content":"","refusal":null}` : `{"role":"assistant","content":null}`,
      "null",
      0,
    ),
  );
  if (serving.choices[0].finish === "failed") return [...events, ...failing(serving, chunk)];
  let row = 0;
  for (let left = true; left; row += 1) {
    left = false;
    for (const [index, choice] of serving.choices.entries()) {
      const piece = choice.pieces[row];
      if (piece === undefined) continue;
      left = true;
      events.push(chunk(index, `{"content":"${piece}"}`, "null", tokensOf(choice, row, serving.chunkTokens)));
    }
  }
  for (const [index, choice] of serving.choices.entries()) {
    if (choice.tool !== null) events.push(...toolChunks(choice, choice.tool, serving, index, chunk));
    const tokens = choice.pieces.length === 0 && choice.tool === null ? choice.tokens : 0;
    const isLast = serving.usageUnasked && !includeUsage && index === serving.choices.length - 1 && serving.claim !== "missing";
    events.push(chunk(index, "{}", `"${finishes[choice.finish]}"`, tokens, isLast ? `]${toUsageField(serving)}}\n\n` : after));
  }
  if (includeUsage && serving.claim !== "missing") events.push({ text: `${before}]${toUsageField(serving)}}\n\n`, tokens: 0, usage: true });
  events.push({ text: "data: [DONE]\n\n", tokens: 0, usage: false });
  return events;
}

type Chunk = (index: number, delta: string, finish: string, tokens: number) => Event;

/** Half of the words, then an error in the stream, and no `[DONE]`. */
function failing(serving: Serving, chunk: Chunk): readonly Event[] {
  const { pieces } = serving.choices[0];
  const half = pieces.slice(0, Math.ceil(pieces.length / 2));
  const error = {
    message: "The sandbox failed in the middle of its answer, as it was asked to.",
    type: "server_error",
    param: null,
    code: null,
  };
  return [
    ...half.map((piece) => chunk(0, `{"content":"${piece}"}`, "null", serving.chunkTokens)),
    { text: `data: ${JSON.stringify({ error })}\n\n`, tokens: 0, usage: false },
  ];
}

function toolChunks(
  choice: Choice,
  tool: { name: string; input: string },
  serving: Serving,
  index: number,
  chunk: Chunk,
): readonly Event[] {
  const half = Math.ceil(tool.input.length / 2);
  const opened = { id: `call_${serving.id}${index}`, type: "function", function: { name: tool.name, arguments: "" } };
  return [
    chunk(index, callDelta(opened), "null", 0),
    chunk(index, callDelta({ function: { arguments: tool.input.slice(0, half) } }), "null", 0),
    chunk(index, callDelta({ function: { arguments: tool.input.slice(half) } }), "null", choice.tokens),
  ];
}

function callDelta(fields: object): string {
  return JSON.stringify({ tool_calls: [{ index: 0, ...fields }] });
}

function toUsageField(serving: Serving): string {
  if (serving.claim === "missing") return "";
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const prompt = (usage.input + usage.cache_read + usage.cache_write + usage.input_audio) * zero;
  const completion = (usage.output + usage.reasoning + usage.output_audio) * zero;
  const total = prompt + completion + (serving.claim === "wrong" ? 7 : 0);
  const writes = usage.cache_write > 0 ? `"cache_write_tokens":${usage.cache_write * zero},` : "";
  return (
    `,"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion},"total_tokens":${total},` +
    `"prompt_tokens_details":{"cached_tokens":${usage.cache_read * zero},${writes}"audio_tokens":${usage.input_audio * zero}},` +
    `"completion_tokens_details":{"reasoning_tokens":${usage.reasoning * zero},"audio_tokens":${usage.output_audio * zero},` +
    `"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}${serving.cost === null ? "" : `,"cost":${serving.cost}`}}`
  );
}
