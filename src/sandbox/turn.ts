// Cohere's older chat (v1), rendered: one message with its history, answered in JSON, or in lines of JSON of which the last says all of it
// once more. It counts as the newer one does (cohere.ts).

import { type Ask, type Fields, Prompt, type Tool, toFields, toModel, toText } from "./ask.ts";
import { toAsk, toUsage } from "./cohere.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused } from "./refused.ts";
import type { Choice, Finish, Serving } from "./serving.ts";

const roles: ReadonlySet<unknown> = new Set(["USER", "CHATBOT", "SYSTEM", "TOOL"]);

export function turn(fields: Fields): Exchange {
  const ask = parseAsk(fields);
  return {
    ask,
    wording: "cohere",
    idPrefix: "",
    timedWrites: false,
    failsAsError: true,
    json: (serving) => JSON.stringify(toWhole(serving)),
    events: toLines,
    streamType: "application/stream+json",
  };
}

function parseAsk(fields: Fields): Ask {
  const model = toModel(fields);
  const message = toText(fields, "message");
  if (message === null || message === "") throw new Refused("invalid request: message must be at least 1 token long", "message");
  const prompt = new Prompt(model);
  for (const name of ["tools", "tool_results", "documents", "preamble"])
    if (fields[name] !== undefined) prompt.add(JSON.stringify(fields[name]));
  const history = fields["chat_history"] ?? [];
  if (!Array.isArray(history)) throw new Refused("invalid request: chat_history must be an array", "chat_history");
  for (const [index, value] of history.entries()) {
    const said = toFields(value, `chat_history[${index}]`);
    if (!roles.has(said["role"])) throw new Refused(`invalid request: chat_history[${index}].role`, "chat_history");
    prompt.add(toText(said, "message") ?? "");
  }
  prompt.add(message);
  return toAsk(fields, prompt, { model, tools: toTools(fields["tools"]), toolForced: false, lastUser: message });
}

/** Parameters are named one by one, by Python's types, and each says whether it is required. */
function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("invalid request: tools must be an array", "tools");
  return value.map((item: unknown, index) => {
    const { name, parameter_definitions: definitions } = toFields(item, `tools[${index}]`);
    if (typeof name !== "string") throw new Refused(`invalid request: tools[${index}].name must be a string`, "tools");
    const named = Object.entries(toFields(definitions ?? {}, `tools[${index}].parameter_definitions`));
    const properties = Object.fromEntries(named.map(([key]) => [key, { type: "string" }]));
    const required = named.filter(([, definition]) => toFields(definition, "parameter")["required"] === true).map(([key]) => key);
    return { name, schema: { type: "object", properties, required } };
  });
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "COMPLETE",
  stop_sequence: "STOP_SEQUENCE",
  length: "MAX_TOKENS",
  tool_use: "COMPLETE",
  failed: "ERROR",
};

function toWhole(serving: Serving): object {
  const [choice] = serving.choices;
  const { usage } = toUsage(serving) as { usage?: object };
  return {
    response_id: serving.id,
    text: choice.tool === null ? choice.text : "",
    generation_id: `generation-${serving.id}`,
    chat_history: [],
    finish_reason: finishes[choice.finish],
    ...toCalls(choice),
    meta: { api_version: { version: "1" }, ...usage },
  };
}

function toCalls({ tool }: Choice): object {
  return tool === null ? {} : { tool_calls: [{ name: tool.name, parameters: JSON.parse(tool.input) as unknown }] };
}

function toLines(serving: Serving): readonly Event[] {
  const [choice] = serving.choices;
  const lines: Event[] = [line("stream-start", { generation_id: `generation-${serving.id}` })];
  const failed = choice.finish === "failed";
  const pieces = failed ? choice.pieces.slice(0, Math.ceil(choice.pieces.length / 2)) : choice.pieces;
  if (choice.tool === null)
    for (const [row, text] of pieces.entries()) lines.push(line("text-generation", { text }, tokensOf(choice, row, serving.chunkTokens)));
  else lines.push(line("tool-calls-generation", toCalls(choice), choice.tokens));
  const wordless = choice.tool === null && pieces.length === 0 ? choice.tokens : 0;
  const whole = failed ? { response: { text: "", finish_reason: "ERROR" } } : { response: toWhole(serving) };
  const ending = line("stream-end", { finish_reason: finishes[choice.finish], ...whole }, wordless);
  return [...lines, { ...ending, usage: !failed && serving.claim !== "missing" }];
}

function line(event_type: string, more: object, tokens = 0): Event {
  return { text: `${JSON.stringify({ is_finished: event_type === "stream-end", event_type, ...more })}\n`, tokens, usage: false };
}
