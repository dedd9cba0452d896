// OpenAI's Responses, rendered: JSON and events, as the API reference and recorded answers have them.
// Not here: lengths and text (serving.ts), keeping answers for later (kept.ts). Invariant: the terminal event carries the JSON answer.

import { type Ask, type Fields, Prompt, type Tool, checkNumbers, toCount, toFields, toFlag, toModel, toText } from "./ask.ts";
import { toTier } from "./chat.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused } from "./refused.ts";
import type { Choice, Serving } from "./serving.ts";

export function responses(fields: Fields): Exchange {
  const ask = parseResponses(fields);
  const background = toFlag(fields, "background");
  const store = fields["store"] === undefined || fields["store"] === null ? true : toFlag(fields, "store");
  if (background && !store) throw new Refused("background requires store to be true", "background");
  const echo = toEcho(fields);
  const pending = (serving: Serving, status: string) => toBody(serving, echo, status, "[]", "null");
  return {
    ask,
    wording: "openai",
    idPrefix: "resp_",
    timedWrites: false,
    failsAsError: false,
    json: (serving) => toJson(serving, echo),
    events: (serving) => toEvents(serving, echo),
    ...(store ? { stored: { background, pending } } : {}),
  };
}

export function parseResponses(fields: Fields): Ask {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const tools = toTools(fields["tools"]);
  if (Array.isArray(fields["tools"]) && fields["tools"].length > 0) prompt.add(JSON.stringify(fields["tools"]));
  prompt.add(toText(fields, "instructions") ?? "");
  const { items, lastUser } = addInput(prompt, fields["input"]);
  checkNumbers(fields, "temperature", "top_p");
  return {
    model,
    streamed: toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: toCount(fields, "max_output_tokens"),
    choices: 1,
    stops: [],
    tier: toTier(toText(fields, "service_tier")),
    tools,
    toolForced: toForced(fields["tool_choice"]),
    lastUser,
    turns: () => [
      { text: JSON.stringify([fields["tools"] ?? [], fields["instructions"] ?? ""]) },
      ...items.map((item) => ({ text: JSON.stringify(item) })),
    ],
  };
}

function addInput(prompt: Prompt, input: unknown): { items: readonly unknown[]; lastUser: string } {
  if (typeof input === "string") {
    prompt.add(input);
    return { items: [input], lastUser: input };
  }
  if (!Array.isArray(input)) throw new Refused("input must be a string or an array of items", "input");
  let lastUser = "";
  for (const [index, item] of input.entries()) {
    const param = `input[${index}]`;
    const { role, content, output, arguments: given } = toFields(item, param);
    const text = prompt.addContent(content, `${param}.content`);
    if (role === "user") lastUser = text;
    if (output !== undefined) prompt.add(typeof output === "string" ? output : JSON.stringify(output));
    if (typeof given === "string") prompt.add(given);
  }
  return { items: input, lastUser };
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("tools must be an array", "tools");
  return value.flatMap((item: unknown, index) => {
    const { type, name, parameters } = toFields(item, `tools[${index}]`);
    if (type !== "function") return [];
    if (typeof name !== "string") throw new Refused(`tools[${index}].name must be a string`, "tools");
    return [{ name, schema: parameters }];
  });
}

function toForced(choice: unknown): string | boolean {
  if (choice === "required") return true;
  if (typeof choice !== "object" || choice === null) return false;
  const { name } = choice as Fields;
  return typeof name === "string" ? name : false;
}

/** Settings that the API repeats in its answer, as JSON without braces. */
function toEcho(fields: Fields): string {
  const echo = {
    instructions: fields["instructions"] ?? null,
    max_output_tokens: fields["max_output_tokens"] ?? null,
    max_tool_calls: fields["max_tool_calls"] ?? null,
    parallel_tool_calls: fields["parallel_tool_calls"] ?? true,
    previous_response_id: fields["previous_response_id"] ?? null,
    prompt_cache_key: fields["prompt_cache_key"] ?? null,
    reasoning: fields["reasoning"] ?? { effort: null, summary: null },
    safety_identifier: fields["safety_identifier"] ?? null,
    store: fields["store"] ?? true,
    temperature: fields["temperature"] ?? 1,
    text: fields["text"] ?? { format: { type: "text" }, verbosity: "medium" },
    tool_choice: fields["tool_choice"] ?? "auto",
    tools: fields["tools"] ?? [],
    top_logprobs: 0,
    top_p: fields["top_p"] ?? 1,
    truncation: fields["truncation"] ?? "disabled",
    user: fields["user"] ?? null,
    metadata: fields["metadata"] ?? {},
  };
  return `"background":${fields["background"] === true},${JSON.stringify(echo).slice(1, -1)}`;
}

function toBody(serving: Serving, echo: string, status: string, output: string, usage: string): string {
  const done = status === "completed" ? serving.createdS : "null";
  const error = status === "failed" ? `{"code":"server_error","message":"The sandbox failed, as it was asked to."}` : "null";
  const incomplete = status === "incomplete" ? `{"reason":"max_output_tokens"}` : "null";
  return (
    `{"id":"resp_${serving.id}","object":"response","created_at":${serving.createdS},"status":"${status}","completed_at":${done},` +
    `"error":${error},"incomplete_details":${incomplete},"model":${JSON.stringify(serving.model)},"output":${output},` +
    `"service_tier":${JSON.stringify(serving.tier)},${echo},"usage":${usage}}`
  );
}

function toJson(serving: Serving, echo: string): string {
  const output = toItems(serving).map((item) => item.whole);
  // A usage that is to be missing is null, as in answers that the real provider did not count.
  return toBody(serving, echo, statusOf(serving.choices[0]), `[${output.join(",")}]`, toUsage(serving));
}

function statusOf(choice: Choice): "completed" | "incomplete" | "failed" {
  switch (choice.finish) {
    case "length":
      return "incomplete";
    case "failed":
      return "failed";
    case "stop":
    case "stop_sequence":
    case "tool_use":
      return "completed";
  }
}

/** An output item: how it reads whole, how it starts in a stream, and the events between. */
interface Item {
  readonly whole: string;
  readonly start: string;
  /** Event type, further fields as JSON without braces, tokens. */
  readonly between: readonly (readonly [type: string, fields: string, tokens: number])[];
}

function toItems(serving: Serving): readonly Item[] {
  const [choice] = serving.choices;
  const items: Item[] = [];
  if (serving.usage.reasoning > 0) {
    const whole = `{"id":"rs_${serving.id}","type":"reasoning","summary":[]}`;
    items.push({ whole, start: whole, between: [] });
  }
  for (let search = 0; search < serving.usage.web_search; search += 1) items.push(searchItem(serving, search, items.length));
  if (choice.tool === null) items.push(messageItem(serving, choice, items.length));
  else items.push(toolItem(serving, choice, choice.tool, items.length));
  return items;
}

function searchItem(serving: Serving, search: number, index: number): Item {
  const id = `ws_${serving.id}${search}`;
  const fields = `"output_index":${index},"item_id":"${id}"`;
  return {
    whole: `{"id":"${id}","type":"web_search_call","status":"completed","action":{"type":"search","query":"sandbox ${search + 1}"}}`,
    start: `{"id":"${id}","type":"web_search_call","status":"in_progress"}`,
    between: ["in_progress", "searching", "completed"].map((step) => [`response.web_search_call.${step}`, fields, 0]),
  };
}

function messageItem(serving: Serving, choice: Choice, index: number): Item {
  const id = `msg_${serving.id}`;
  const place = `"content_index":0,"item_id":"${id}","output_index":${index}`;
  const state = choice.finish === "length" || choice.finish === "failed" ? "incomplete" : "completed";
  const wordless = choice.pieces.length === 0 ? choice.tokens : 0;
  return {
    whole: `{"id":"${id}","type":"message","status":"${state}","content":[${textPart(choice.text)}],"role":"assistant"}`,
    start: `{"id":"${id}","type":"message","status":"in_progress","content":[],"role":"assistant"}`,
    between: [
      ["response.content_part.added", `${place},"part":${textPart("")}`, 0],
      ...choice.pieces.map(
        (piece, row) =>
          ["response.output_text.delta", `${place},"delta":"${piece}","logprobs":[]`, tokensOf(choice, row, serving.chunkTokens)] as const,
      ),
      ["response.output_text.done", `${place},"logprobs":[],"text":"${choice.text}"`, wordless],
      ["response.content_part.done", `${place},"part":${textPart(choice.text)}`, 0],
    ],
  };
}

function textPart(text: string): string {
  return `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`;
}

function toolItem(serving: Serving, choice: Choice, tool: { name: string; input: string }, index: number): Item {
  const id = `fc_${serving.id}`;
  const place = `"item_id":"${id}","output_index":${index}`;
  const item = (status: string, input: string) =>
    JSON.stringify({ id, type: "function_call", status, arguments: input, call_id: `call_${serving.id}`, name: tool.name });
  return {
    whole: item("completed", tool.input),
    start: item("in_progress", ""),
    between: [
      ["response.function_call_arguments.delta", `${place},"delta":${JSON.stringify(tool.input)}`, choice.tokens],
      ["response.function_call_arguments.done", `${place},"arguments":${JSON.stringify(tool.input)}`, 0],
    ],
  };
}

function toEvents(serving: Serving, echo: string): readonly Event[] {
  const events: Event[] = [];
  const push = (type: string, fields: string, tokens = 0, usage = false): void => {
    events.push({ text: `event: ${type}\ndata: {"type":"${type}","sequence_number":${events.length},${fields}}\n\n`, tokens, usage });
  };
  const started = toBody(serving, echo, "in_progress", "[]", "null");
  push("response.created", `"response":${started}`);
  push("response.in_progress", `"response":${started}`);
  for (const [index, item] of toItems(serving).entries()) {
    push("response.output_item.added", `"output_index":${index},"item":${item.start}`);
    for (const [type, fields, tokens] of item.between) push(type, fields, tokens);
    push("response.output_item.done", `"output_index":${index},"item":${item.whole}`);
  }
  push(`response.${statusOf(serving.choices[0])}`, `"response":${toJson(serving, echo)}`, 0, serving.claim !== "missing");
  return events;
}

function toUsage(serving: Serving): string {
  if (serving.claim === "missing") return "null";
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const input = (usage.input + usage.cache_read + usage.cache_write) * zero;
  const output = (usage.output + usage.reasoning) * zero;
  const total = input + output + (serving.claim === "wrong" ? 7 : 0);
  const writes = usage.cache_write > 0 ? `,"cache_write_tokens":${usage.cache_write * zero}` : "";
  return (
    `{"input_tokens":${input},"input_tokens_details":{"cached_tokens":${usage.cache_read * zero}${writes}},` +
    `"output_tokens":${output},"output_tokens_details":{"reasoning_tokens":${usage.reasoning * zero}},"total_tokens":${total}}`
  );
}
