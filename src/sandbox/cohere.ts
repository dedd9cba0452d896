// Cohere's chat, rendered: JSON and events. Not here: its other paths (rerank.ts). Billed units are what was served; its count of tokens has also what
// its template adds, which is not billed and is read from a cache for the most part. Invariant: billed units never exceed tokens.

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

/** Tokens around each prompt, of these in the cache, and after each answer, as in answers recorded from the provider. */
export const templateTokens = { input: 495, cached: 448, output: 3 } as const;

const wording = "cohere";
export function cohere(fields: Fields): Exchange {
  return {
    ask: parseAsk(fields),
    wording,
    idPrefix: "",
    timedWrites: false,
    failsAsError: true,
    json: toJson,
    events: toEvents,
  };
}

function parseAsk(fields: Fields): Ask {
  const model = toModel(fields);
  const messages = toList(fields, "messages");
  const prompt = new Prompt(model);
  for (const name of ["tools", "documents"]) if (fields[name] !== undefined) prompt.add(JSON.stringify(fields[name]));
  let lastUser = "";
  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}]`;
    const { role, content, tool_calls: calls } = toFields(message, param);
    if (role !== "system" && role !== "user" && role !== "assistant" && role !== "tool")
      throw new Refused(`invalid request: ${param}.role is not one of system, user, assistant, tool`, "messages");
    const text = prompt.addContent(content, `${param}.content`);
    if (calls !== undefined && calls !== null) prompt.add(JSON.stringify(calls));
    if (role === "user") lastUser = text;
  }
  return toAsk(fields, prompt, {
    model,
    tools: toTools(fields["tools"]),
    toolForced: toText(fields, "tool_choice") === "REQUIRED",
    lastUser,
  });
}

/** What Cohere's chats, this and the older one, ask for in the same words. */
export function toAsk(fields: Fields, prompt: Prompt, said: Pick<Ask, "model" | "tools" | "toolForced" | "lastUser">): Ask {
  checkNumbers(fields, "temperature", "p", "k", "seed", "frequency_penalty", "presence_penalty");
  return {
    ...said,
    streamed: toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: toCount(fields, "max_tokens"),
    choices: 1,
    stops: toStops(fields, "stop_sequences"),
    tier: null,
    turns: () => [],
  };
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("invalid request: tools must be an array", "tools");
  return value.map((item: unknown, index) => {
    const { name, parameters } = toFields(toFields(item, `tools[${index}]`)["function"], `tools[${index}].function`);
    if (typeof name !== "string") throw new Refused(`invalid request: tools[${index}].function.name must be a string`, "tools");
    return { name, schema: parameters };
  });
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "COMPLETE",
  stop_sequence: "STOP_SEQUENCE",
  length: "MAX_TOKENS",
  tool_use: "TOOL_CALL",
  failed: "ERROR",
};
const thinking = "The sandbox does not think. These tokens were asked for.";
const plan = "The sandbox calls the tool that it was asked to.";

function toCall(serving: Serving, tool: { readonly name: string; readonly input: string }, input = tool.input): object {
  return { id: `${tool.name}_${serving.id}`, type: "function", function: { name: tool.name, arguments: input } };
}

function toJson(serving: Serving): string {
  const [choice] = serving.choices;
  const thoughts = serving.usage.reasoning === 0 ? [] : [{ type: "thinking", thinking }];
  const content = choice.tool === null ? [...thoughts, { type: "text", text: choice.text }] : thoughts;
  const message = {
    role: "assistant",
    ...(choice.tool === null ? {} : { tool_plan: plan, tool_calls: [toCall(serving, choice.tool)] }),
    ...(content.length === 0 ? {} : { content }),
  };
  return JSON.stringify({ id: serving.id, message, finish_reason: finishes[choice.finish], ...toUsage(serving) });
}

export function toUsage(serving: Serving): object {
  const { claim, usage } = serving;
  if (claim === "missing") return {};
  if (claim === "zero") {
    const none = { input_tokens: 0, output_tokens: 0 };
    return { usage: { billed_units: none, tokens: none, cached_tokens: 0 } };
  }
  const output = usage.output + usage.reasoning;
  // Wrong: fewer tokens than are billed.
  const input = claim === "wrong" ? Math.max(0, usage.input - 7) : usage.input + templateTokens.input;
  return {
    usage: {
      billed_units: { input_tokens: usage.input, output_tokens: output },
      tokens: { input_tokens: input, output_tokens: output + templateTokens.output },
      cached_tokens: templateTokens.cached,
    },
  };
}

function toEvents(serving: Serving): readonly Event[] {
  const [choice] = serving.choices;
  const { reasoning } = serving.usage;
  const visible = { ...choice, tokens: choice.tokens - reasoning };
  const started = { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } };
  const events: Event[] = [event("message-start", { id: serving.id }, { delta: started })];
  const block = (
    index: number,
    type: "text" | "thinking",
    texts: readonly (readonly [text: string, tokens: number])[],
    whole = true,
  ): void => {
    const delta = (content: object): object => ({ index, delta: { message: { content } } });
    events.push(event("content-start", {}, delta({ type, [type]: "" })));
    for (const [text, tokens] of texts) events.push(event("content-delta", {}, delta({ [type]: text }), tokens));
    if (whole) events.push(event("content-end", {}, { index }));
  };
  if (reasoning > 0) block(0, "thinking", [[thinking, reasoning]]);
  const texts = choice.pieces.map((text, row) => [text, tokensOf(visible, row, serving.chunkTokens)] as const);
  const next = reasoning > 0 ? 1 : 0;
  if (choice.finish === "failed") {
    block(next, "text", texts.slice(0, Math.ceil(texts.length / 2)), false);
    const error = "The sandbox failed in the middle of its answer, as it was asked to.";
    return [...events, event("message-end", {}, { delta: { error, finish_reason: "ERROR" } })];
  }
  if (choice.tool === null) block(next, "text", texts);
  else events.push(...toolEvents(serving, choice.tool, visible.tokens));
  const wordless = choice.tool === null && texts.length === 0 ? visible.tokens : 0;
  const ending = event("message-end", {}, { delta: { finish_reason: finishes[choice.finish], ...toUsage(serving) } }, wordless);
  return [...events, { ...ending, usage: serving.claim !== "missing" }];
}

function toolEvents(serving: Serving, tool: { readonly name: string; readonly input: string }, tokens: number): readonly Event[] {
  const half = Math.ceil(tool.input.length / 2);
  return [
    event("tool-plan-delta", {}, { delta: { message: { tool_plan: plan } } }),
    event("tool-call-start", {}, { index: 0, delta: { message: { tool_calls: toCall(serving, tool, "") } } }),
    event("tool-call-delta", {}, toInput(tool.input.slice(0, half))),
    event("tool-call-delta", {}, toInput(tool.input.slice(half)), tokens),
    event("tool-call-end", {}, { index: 0 }),
  ];
}

function toInput(given: string): object {
  return { index: 0, delta: { message: { tool_calls: { function: { arguments: given } } } } };
}

function event(type: string, before: object, after: object, tokens = 0): Event {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ ...before, type, ...after })}\n\n`, tokens, usage: false };
}
