// Ollama's chat and generate, rendered: one JSON object, or, unless it is asked not to, a line of JSON after the other.
// Not here: its other paths (llama.ts). Invariant: prompt_eval_count includes cached tokens, eval_count includes thinking, and only the
// last line counts.

import { type Ask, type Fields, Prompt, type Tool, checkNumbers, toFields, toFlag, toModel, toStops, toText } from "./ask.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused } from "./refused.ts";
import type { Choice, Finish, Serving } from "./serving.ts";

type Route = "chat" | "generate";

export function ollama(fields: Fields, route: Route): Exchange {
  return {
    ask: route === "chat" ? parseChat(fields) : parsePrompt(fields),
    wording: "ollama",
    idPrefix: null,
    timedWrites: false,
    failsAsError: true,
    json: (serving) => JSON.stringify(toWhole(serving, route)),
    events: (serving) => toLines(serving, route),
    streamType: "application/x-ndjson",
  };
}

/** A request without a question loads the model, or lets it go, and costs nothing; null: it has a question. */
export function toIdle(fields: Fields, route: Route, nowMs: number): string | null {
  const { messages, prompt } = fields;
  const empty = route === "chat" ? !Array.isArray(messages) || messages.length === 0 : prompt === undefined || prompt === "";
  if (!empty) return null;
  const model = toModel(fields);
  const unload = fields["keep_alive"] === 0 || fields["keep_alive"] === "0";
  const said = route === "chat" ? { message: { role: "assistant", content: "" } } : { response: "" };
  const created_at = new Date(nowMs).toISOString();
  return JSON.stringify({ model, created_at, ...said, done: true, done_reason: unload ? "unload" : "load" });
}

function parseChat(fields: Fields): Ask {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  if (fields["tools"] !== undefined) prompt.add(JSON.stringify(fields["tools"]));
  const { messages } = fields;
  if (!Array.isArray(messages)) throw new Refused("messages must be an array", "messages");
  let lastUser = "";
  for (const [index, message] of messages.entries()) {
    const { role, content, tool_calls: calls } = toFields(message, `messages[${index}]`);
    if (role !== "system" && role !== "user" && role !== "assistant" && role !== "tool") throw new Refused("invalid role", "messages");
    if (content !== undefined && typeof content !== "string") throw new Refused(`messages[${index}].content must be a string`, "messages");
    prompt.add(content ?? "");
    if (calls !== undefined) prompt.add(JSON.stringify(calls));
    if (role === "user") lastUser = content ?? "";
  }
  return toAsk(fields, model, prompt, lastUser, toTools(fields["tools"]), messages);
}

function parsePrompt(fields: Fields): Ask {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const said = toText(fields, "prompt") ?? "";
  for (const text of [toText(fields, "system"), toText(fields, "template"), said, toText(fields, "suffix")]) prompt.add(text ?? "");
  // The context of the answer before is sent back as tokens.
  const { context } = fields;
  if (Array.isArray(context)) prompt.bytes += 4 * context.length;
  return toAsk(fields, model, prompt, said, [], [said]);
}

function toAsk(fields: Fields, model: string, prompt: Prompt, lastUser: string, tools: readonly Tool[], turns: readonly unknown[]): Ask {
  const options = toFields(fields["options"] ?? {}, "options");
  checkNumbers(options, "temperature", "top_p", "top_k", "num_ctx", "num_predict", "seed");
  const limit = options["num_predict"];
  return {
    model,
    streamed: fields["stream"] === undefined || fields["stream"] === null ? true : toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    // Below zero it means no end, or the end of the context.
    cap: typeof limit === "number" && limit > 0 ? Math.floor(limit) : null,
    choices: 1,
    stops: toStops(options, "stop"),
    tier: null,
    tools,
    toolForced: false,
    lastUser,
    turns: () => [{ text: JSON.stringify(fields["tools"] ?? []) }, ...turns.map((turn) => ({ text: JSON.stringify(turn) }))],
  };
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("tools must be an array", "tools");
  return value.map((item: unknown, index) => {
    const { name, parameters } = toFields(toFields(item, `tools[${index}]`)["function"], `tools[${index}].function`);
    if (typeof name !== "string") throw new Refused(`tools[${index}].function.name must be a string`, "tools");
    return { name, schema: parameters };
  });
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "stop",
  stop_sequence: "stop",
  length: "length",
  tool_use: "stop",
  failed: "stop",
};
const thinking = "The sandbox does not think. These tokens were asked for.";

function toWhole(serving: Serving, route: Route): object {
  const [choice] = serving.choices;
  const thought = serving.usage.reasoning === 0 ? {} : { thinking };
  return { ...toHead(serving), ...toSaid(route, choice.text, thought, toCalls(choice)), ...toEnding(serving, route) };
}

function toHead(serving: Serving): object {
  return { model: serving.model, created_at: new Date(serving.createdS * 1000).toISOString() };
}

function toSaid(route: Route, text: string, thought: object, calls: object): object {
  return route === "chat" ? { message: { role: "assistant", content: text, ...thought, ...calls } } : { response: text, ...thought };
}

function toCalls(choice: Choice): object {
  if (choice.tool === null) return {};
  return { tool_calls: [{ function: { name: choice.tool.name, arguments: JSON.parse(choice.tool.input) as unknown } }] };
}

/** What ends an answer: why, how long it took (ns), and what was counted. */
function toEnding(serving: Serving, route: Route): object {
  const [choice] = serving.choices;
  const { claim, usage } = serving;
  const zero = claim === "zero" ? 0 : 1;
  const prompt = usage.input + usage.cache_read;
  const promptNs = prompt * 100_000;
  const evalNs = choice.tokens * 10_000_000;
  const cached = claim === "wrong" ? prompt + 7 : usage.cache_read * zero;
  return {
    done: true,
    done_reason: finishes[choice.finish],
    ...(route === "generate" ? { context: [1, 2, 3] } : {}),
    total_duration: 11_000_000 + promptNs + evalNs,
    load_duration: 10_000_000,
    // Older servers leave it out where the prompt was cached.
    ...(claim === "missing" ? {} : { prompt_eval_count: prompt * zero }),
    ...(claim === "missing" || (usage.cache_read === 0 && claim !== "wrong") ? {} : { prompt_eval_cached_count: cached }),
    prompt_eval_duration: promptNs,
    eval_count: choice.tokens * zero,
    eval_duration: evalNs,
  };
}

function toLines(serving: Serving, route: Route): readonly Event[] {
  const [choice] = serving.choices;
  const { reasoning } = serving.usage;
  const said = (text: string, thought: object, calls: object, tokens: number): Event =>
    line({ ...toHead(serving), ...toSaid(route, text, thought, calls), done: false }, tokens);
  const visible = { ...choice, tokens: choice.tokens - reasoning };
  const words = choice.pieces.map((text, row) => said(text, {}, {}, tokensOf(visible, row, serving.chunkTokens)));
  const thoughts = reasoning === 0 ? [] : [said("", { thinking }, {}, reasoning)];
  if (choice.finish === "failed") {
    const error = "The sandbox failed in the middle of its answer, as it was asked to.";
    return [...thoughts, ...words.slice(0, Math.ceil(words.length / 2)), line({ error }, 0)];
  }
  const calls = choice.tool === null ? [] : [said("", {}, toCalls(choice), visible.tokens)];
  const wordless = words.length === 0 && calls.length === 0 ? visible.tokens : 0;
  const ending = line(
    { ...toHead(serving), ...toSaid(route, "", {}, {}), ...toEnding(serving, route) },
    wordless,
    serving.claim !== "missing",
  );
  return [...thoughts, ...words, ...calls, ending];
}

function line(fields: object, tokens: number, usage = false): Event {
  return { text: `${JSON.stringify(fields)}\n`, tokens, usage };
}
