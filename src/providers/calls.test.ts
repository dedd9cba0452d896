// How many tools an answer calls: recordings against a count done here by other means, whole and in pieces, and shapes of which no recording is here.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { cohereChat } from "./cohere.ts";
import { bedrockConverse } from "./converse.ts";
import { chunk, event } from "./eventstream.fixture.ts";
import { following, head } from "./format.fixture.ts";
import type { AnswerFacts, AnswerHead, Format } from "./format.ts";
import { geminiGenerate } from "./gemini.ts";
import { bedrockInvoke } from "./invoke.ts";
import { ollamaGenerate } from "./ollama.ts";
import { responses } from "./responses.ts";

const folder = "../shared/data/recordings";
const here = existsSync(folder);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const files = (pattern: RegExp, ending: string): string[] =>
  here
    ? readdirSync(folder)
        .flatMap((provider) => readdirSync(join(folder, provider)).map((file) => `${provider}/${file}`))
        .filter((name) => name.endsWith(ending) && pattern.test(name))
        .sort()
    : [];

interface Loose {
  readonly [key: string]: Loose;
}
const lines = (name: string): Loose[] =>
  read(name)
    .split("\n")
    .flatMap((text) => (text.trim() === "" ? [] : [JSON.parse(text) as Loose]));

/** Every object in it, however deep. */
function* objects(value: unknown): Iterable<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objects(inner);
}
const count = (value: unknown, holds: (object: Record<string, unknown>) => boolean): number => [...objects(value)].filter(holds).length;

/** Whole, and byte by byte. */
function follow(format: Format, body: Buffer, answer: AnswerHead = head("text/event-stream")): AnswerFacts {
  const run = (pieces: readonly Buffer[]): AnswerFacts => {
    const stream = format.stream({ hideUsage: false, head: answer });
    for (const piece of pieces) stream.push(piece);
    stream.end();
    return stream.facts();
  };
  const facts = run([body]);
  const step = Math.max(1, Math.floor(body.length / 2_000));
  const pieces = Array.from({ length: Math.ceil(body.length / step) }, (_, at) => body.subarray(at * step, (at + 1) * step));
  expect(run(pieces).tools).toBe(facts.tools);
  return facts;
}
const events = (list: readonly unknown[]): Buffer => Buffer.from(list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));
const deltas = (...list: readonly object[]): AnswerFacts =>
  follow(chat, events(list.map((delta) => ({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason: null }] }))));

// Pieces of answers.
const call = (index: number | undefined, id: string | null, name: string | null, text = ""): object => ({
  ...(index === undefined ? {} : { index }),
  ...(id === null ? {} : { id }),
  function: { ...(name === null ? {} : { name }), arguments: text },
});
const item = (type: string, call_id: string, more: object = {}): object => ({
  type: "response.output_item.done",
  item: { type, call_id, ...more },
});
const block = (type: string, index: number): object => ({
  type: "content_block_start",
  index,
  content_block: { type, name: "f", input: {} },
});
const part = (functionCall: object): object => ({ candidates: [{ content: { parts: [{ functionCall }] } }] });
const line = (more: object): string =>
  `${JSON.stringify({ model: "m", message: { tool_calls: [{ function: { name: "f" } }] }, ...more })}\n`;
const delta = (type: string, call: object): object => ({ type, delta: { message: { tool_calls: call } } });

describe("recordings", () => {
  it("are here", ({ skip }) => {
    if (!here) skip("skipped: ../shared/data is not here");
    expect(files(/./, ".json").length).toBeGreaterThan(90);
  });
});

const chats = /^(alibaba|groq|mistral|moonshotai|perplexity)\/|^openai\/chat--|^deepseek\/chat|^xai\/xai-/;
const clients = /^(function|custom_tool|local_shell|apply_patch|computer)_call$/;
const asksClient = (item: Record<string, unknown>): boolean => clients.test(String(item["type"])) || item["execution"] === "client";

describe.skipIf(!here)("tools that recorded answers call", () => {
  it.each(files(chats, ".json"))("%s", (name) => {
    const calls = (JSON.parse(read(name)) as { choices: { message: { tool_calls?: unknown[] } }[] }).choices;
    expect(chat.answer(read(name), head()).tools).toBe(calls.reduce((sum, { message }) => sum + (message.tool_calls?.length ?? 0), 0));
  });

  it.each(files(chats, ".chunks.txt"))("%s", (name) => {
    const ids = lines(name).flatMap((line) => [...objects(line)].flatMap((one) => (one["function"] === undefined ? [] : [one["id"]])));
    expect(follow(chat, events(lines(name))).tools).toBe(new Set(ids.filter((id) => typeof id === "string" && id !== "")).size);
  });

  it.each(files(/^(openai|xai|azure)\/(responses--|azure-(?!deepseek))/, ".json"))("%s", (name) => {
    const { output } = JSON.parse(read(name)) as { output: unknown };
    const isHosted = read(name).includes('"shell_call_output"');
    const shells = isHosted ? 0 : count(output, ({ type }) => type === "shell_call");
    expect(responses.answer(read(name), head()).tools).toBe(count(output, asksClient) + shells);
  });

  it.each(files(/^openai\/responses--.*(function|tool-delete|apply-patch|custom|local-shell|shell|tool-search)/, ".chunks.txt"))(
    "%s",
    (name) => {
      const added = lines(name).flatMap((line) => ((line["type"] as unknown) === "response.output_item.added" ? [line["item"]] : []));
      const shells = read(name).includes('"shell_call_output"') ? 0 : count(added, ({ type }) => type === "shell_call");
      const wanted = count(added, asksClient) + shells;
      const started = lines(name).filter((line) => (line["type"] as unknown) === "response.created").length;
      if (started === 1) expect(follow(responses, events(lines(name))).tools).toBe(wanted);
    },
  );

  it.each(files(/^anthropic\/(?!skills)/, ".json"))("%s", (name) => {
    const { content } = JSON.parse(read(name)) as { content: { type: string }[] };
    expect(anthropic.answer(read(name), head()).tools).toBe(content.filter(({ type }) => type === "tool_use").length);
  });

  it.each(files(/^anthropic\/(?!skills|.*spliced)/, ".chunks.txt"))("%s", (name) => {
    const text = read(name);
    if (text.split('"type":"message_start"').length > 2) return;
    const wanted = lines(name).filter(({ content_block: block }) => (block?.["type"] as unknown) === "tool_use").length;
    expect(follow(anthropic, events(lines(name))).tools).toBe(wanted);
  });

  it.each(files(/^google\/google-/, ".json"))("%s", (name) => {
    const wanted = count(JSON.parse(read(name)), (one) => typeof (one["functionCall"] as Loose | undefined)?.["name"] === "string");
    expect(geminiGenerate.answer(read(name), head()).tools).toBe(wanted);
  });

  it.each(files(/^google\/google-/, ".chunks.txt"))("%s", (name) => {
    const wanted = count(lines(name), (one) => typeof (one["functionCall"] as Loose | undefined)?.["name"] === "string");
    expect(wanted).toBeGreaterThan(0);
    expect(follow(geminiGenerate, events(lines(name))).tools).toBe(wanted);
  });

  it.each(files(/^amazon-bedrock\//, ".json"))("%s", (name) => {
    const wanted = count(JSON.parse(read(name)), (one) => one["toolUseId"] !== undefined);
    expect(bedrockConverse.answer(read(name), head()).tools).toBe(wanted);
  });

  it.each(files(/^amazon-bedrock\//, ".chunks.txt"))("%s", (name) => {
    const list = lines(name);
    const body = Buffer.concat(list.flatMap((line) => Object.entries(line).map(([type, payload]) => event(type, payload))));
    const wanted = count(list, (one) => one["toolUseId"] !== undefined);
    expect(follow(bedrockConverse, body, head("application/vnd.amazon.eventstream")).tools).toBe(wanted);
  });
});

describe("tools that a chat's answer calls", () => {
  it.each<[string, readonly object[], number]>([
    ["none", [{ content: "hello" }], 0],
    ["one in pieces", [{ tool_calls: [call(0, "a", "f")] }, { tool_calls: [call(0, null, null, "{")] }], 1],
    ["one whose name and id are said with each piece", [{ tool_calls: [call(0, "a", "f")] }, { tool_calls: [call(0, "a", "f", "{")] }], 1],
    ["one with an empty name in later pieces", [{ tool_calls: [call(0, "a", "f")] }, { tool_calls: [call(0, "", "", "{")] }], 1],
    ["one of older vLLM: another id with each piece", [{ tool_calls: [call(0, "a", "f")] }, { tool_calls: [call(0, "b", null, "{")] }], 1],
    ["two side by side", [{ tool_calls: [call(0, "a", "f"), call(1, "b", "f")] }, { tool_calls: [call(1, null, null, "{")] }], 2],
    ["two at one index, as Gemini's endpoint sends them", [{ tool_calls: [call(0, "a", "f")] }, { tool_calls: [call(0, "b", "f")] }], 2],
    ["two without an index", [{ tool_calls: [call(undefined, "a", "f"), call(undefined, "b", "f")] }], 2],
    ["two without index and id", [{ tool_calls: [call(undefined, null, "f"), call(undefined, null, "f")] }], 2],
    ["a function call of old", [{ function_call: { name: "f", arguments: "" } }, { function_call: { arguments: "{}" } }], 1],
    ["a custom tool", [{ tool_calls: [{ index: 0, id: "a", type: "custom", custom: { name: "f", input: "" } }] }], 1],
    ["what is no list", [{ tool_calls: null, function_call: null }, { tool_calls: {} }], 0],
  ])("%s", (_, pieces, wanted) => {
    expect(deltas(...pieces).tools).toBe(wanted);
  });

  it("are those of all choices", () => {
    const choices = [0, 1].map((index) => ({ index, message: { tool_calls: [call(undefined, "a", "f"), call(undefined, "b", "g")] } }));
    expect(chat.answer(JSON.stringify({ id: "c", choices }), head()).tools).toBe(4);
  });

  it("are not known where a part of the answer passed unread", () => {
    const stream = chat.stream(following(false, 100));
    for (const text of ["hello", "x".repeat(200)]) stream.push(events([{ id: "c", model: "m", choices: [{ delta: { content: text } }] }]));
    stream.push(Buffer.from("data: [DONE]\n\n"));
    expect(stream.facts()).toMatchObject({ complete: true });
    expect(stream.facts()).not.toHaveProperty("tools");
    expect(chat.answer("no JSON", head())).not.toHaveProperty("tools");
    expect(anthropic.answer("[]", head())).not.toHaveProperty("tools");
  });
});

describe("tools that answers of others call", () => {
  it("Responses whose last event lists no output", () => {
    const list = [
      { type: "response.created", response: { id: "r", status: "in_progress", output: [] } },
      item("function_call", "1", { name: "f", arguments: "x".repeat(100) }),
      item("web_search_call", "2"),
      item("shell_call", "3"),
      item("shell_call_output", "3"),
      item("shell_call", "4"),
      { type: "response.completed", response: { id: "r", status: "completed", output: [] } },
    ];
    const facts = follow(responses, events(list));
    expect(facts).toMatchObject({ tools: 2, complete: true, usage: { parts: [{ quantities: { web_search: 1 } }] } });
  });

  it("Messages: what the provider runs itself is none of the client's", () => {
    const list = [block("tool_use", 0), block("server_tool_use", 1), block("mcp_tool_use", 2), block("tool_use", 3)];
    expect(follow(anthropic, events([{ type: "message_start", message: { id: "m" } }, ...list, { type: "message_stop" }])).tools).toBe(2);
  });

  it("Gemini's, whose arguments may come in pieces", () => {
    const list = [part({ name: "f", willContinue: true }), part({ partialArgs: [], willContinue: true }), part({}), part({ name: "g" })];
    expect(follow(geminiGenerate, events(list)).tools).toBe(2);
  });

  it("Ollama's", () => {
    expect(ollamaGenerate.answer(line({ done: true }), head()).tools).toBe(1);
    expect(follow(ollamaGenerate, Buffer.from(line({}) + line({ done: true })), head("application/x-ndjson")).tools).toBe(2);
  });

  it("Cohere's, of both versions", () => {
    const named = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
    const older = [
      { name: "f", parameters: {} },
      { name: "g", parameters: {} },
    ];
    expect(cohereChat.answer(JSON.stringify({ id: "c", message: { tool_calls: [named, named] } }), head()).tools).toBe(2);
    expect(cohereChat.answer(JSON.stringify({ response_id: "c", text: "", tool_calls: older }), head()).tools).toBe(2);
    const list = [
      delta("tool-call-start", named),
      delta("tool-call-delta", { function: { arguments: "{" } }),
      { type: "message-end", delta: {} },
    ];
    expect(follow(cohereChat, events(list)).tools).toBe(1);
    const olderList = [
      { event_type: "tool-calls-generation", tool_calls: older },
      { event_type: "stream-end", response: { tool_calls: older } },
    ];
    expect(follow(cohereChat, events(olderList)).tools).toBe(2);
  });

  it("Bedrock's models, each in its own shape", () => {
    const binary = head("application/vnd.amazon.eventstream");
    const own = [
      { type: "message_start", message: { id: "m" } },
      { type: "content_block_start", index: 0, content_block: { type: "tool_use", name: "f", input: {} } },
      { type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 1, outputTokenCount: 1 } },
    ];
    expect(follow(bedrockInvoke, Buffer.concat(own.map(chunk)), binary).tools).toBe(1);
    expect(follow(bedrockInvoke, chunk({ generation: "hello", stop_reason: "stop" }), binary)).not.toHaveProperty("tools");
  });
});
