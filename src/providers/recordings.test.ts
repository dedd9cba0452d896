// Whole answers of real providers, each against a sum done here by other code: JSON.parse of everything, and plain arithmetic.
// Streams are fed whole, in every pair of pieces or a sample of them, and byte by byte: bytes and facts must come out the same.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { following, head } from "./format.fixture.ts";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import type { AnswerFacts, Format } from "./format.ts";
import { responses } from "./responses.ts";

const folder = "../shared/data/recordings";
const here = existsSync(folder);

interface Loose {
  [key: string]: unknown;
}

const chats =
  /^(alibaba|groq|mistral|moonshotai|perplexity)\/|^openai\/(chat|completion)--|^openai-compatible\/chat|^deepseek\/chat|^xai\/xai-|^azure\/azure-deepseek/;
const responsesFiles = /^(openai|xai|open-responses)\/responses--|^azure\/azure-(?!deepseek)/;
const damaged = "openai/responses--parallel-tool-call-wrapper.1.chunks.txt";
const messages = /^anthropic\/(?!skills)/;

function files(pattern: RegExp, ending: string): string[] {
  if (!here) return [];
  return readdirSync(folder)
    .flatMap((provider) => readdirSync(join(folder, provider)).map((file) => `${provider}/${file}`))
    .filter((name) => name.endsWith(ending) && pattern.test(name))
    .sort();
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** What the usage comes to by a calculation of its own; nulls and absent counts fall out. */
function sums(entries: Record<string, number | null | undefined>): Quantities {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => typeof value === "number")) as Quantities;
}

function chatSum(usage: Loose): Quantities {
  const u = JSON.parse(JSON.stringify(usage)) as Record<string, number> & Record<string, Record<string, number> | null>;
  const inner = (u["prompt_tokens_details"] ?? {}) as Record<string, number>;
  const outer = (u["completion_tokens_details"] ?? {}) as Record<string, number>;
  const cached = inner["cached_tokens"] ?? u["cached_tokens"];
  const thought = outer["reasoning_tokens"] ?? u["reasoning_tokens"];
  const [prompt, completion, total] = [
    u["prompt_tokens"] as number,
    u["completion_tokens"] as number | undefined,
    u["total_tokens"] as number,
  ];
  const apart = completion !== undefined && total - prompt > completion;
  return sums({
    input: prompt - (cached ?? 0) - (inner["audio_tokens"] ?? 0) - (inner["image_tokens"] ?? 0),
    cache_read: cached,
    input_audio: inner["audio_tokens"],
    input_image: inner["image_tokens"],
    output: completion === undefined ? undefined : completion - (apart ? 0 : (thought ?? 0)) - (outer["audio_tokens"] ?? 0),
    reasoning: thought,
    output_audio: outer["audio_tokens"],
  });
}

function responseSum(response: Loose): Quantities {
  const r = response as unknown as {
    usage?: Record<string, number> & Record<string, Record<string, number>>;
    output: Record<string, never>[];
  };
  if (r.usage === undefined || r.usage === null) return {};
  const cached = r.usage["input_tokens_details"]?.["cached_tokens"];
  const written = r.usage["input_tokens_details"]?.["cache_write_tokens"];
  const thought = r.usage["output_tokens_details"]?.["reasoning_tokens"];
  const kinds = r.output.map(
    (item) => `${String(item["type"])} ${String((item["action"] as { type?: string } | undefined)?.type ?? "search")}`,
  );
  const searches = kinds.filter((kind) => kind === "web_search_call search").length;
  const containers = new Set(r.output.filter((item) => item["type"] === "code_interpreter_call").map((item) => item["container_id"])).size;
  const counted = (response["tool_usage"] as { web_search?: { num_requests: number } } | undefined)?.web_search?.num_requests;
  return sums({
    input: (r.usage["input_tokens"] as number) - (cached ?? 0) - (written ?? 0),
    cache_read: cached,
    cache_write: written,
    output: (r.usage["output_tokens"] as number) - (thought ?? 0),
    reasoning: thought,
    web_search: searches > 0 ? (counted ?? searches) : undefined,
    file_search: kinds.filter((kind) => kind.startsWith("file_search_call")).length || undefined,
    code_execution: containers || undefined,
  });
}

function messageSum(said: readonly Loose[]): Quantities {
  const flat: Record<string, number> = {};
  let iterations: Record<string, never>[] = [];
  let split: Record<string, number> = {};
  for (const usage of said) {
    for (const [key, value] of Object.entries(usage as Record<string, unknown>)) {
      if (typeof value === "number") flat[key] = value;
      if (key === "cache_creation" && value !== null) split = value as Record<string, number>;
      if (key === "server_tool_use" && value !== null) Object.assign(flat, value);
      if (key === "output_tokens_details" && value !== null) Object.assign(flat, value);
      if (key === "iterations" && value !== null) iterations = value as Record<string, never>[];
    }
  }
  const over = (field: string): number | undefined =>
    iterations.length > 0 ? iterations.reduce((total, entry) => total + ((entry[field] as number | undefined) ?? 0), 0) : flat[field];
  const [short, long] = [split["ephemeral_5m_input_tokens"], split["ephemeral_1h_input_tokens"]];
  const written = over("cache_creation_input_tokens");
  const untimed = written === undefined ? undefined : written - (short ?? 0) - (long ?? 0);
  const bare = short === undefined || (iterations.length > 0 && iterations.every((entry) => entry["cache_creation"] === undefined));
  return sums({
    input: over("input_tokens"),
    output: (over("output_tokens") as number) - (flat["thinking_tokens"] ?? 0),
    reasoning: flat["thinking_tokens"],
    cache_read: over("cache_read_input_tokens"),
    cache_write_5m: bare ? undefined : short,
    cache_write_1h: bare ? undefined : long,
    cache_write: bare ? written : untimed === 0 ? undefined : untimed,
    web_search: flat["web_search_requests"],
    web_fetch: flat["web_fetch_requests"],
  });
}

function quantities(facts: AnswerFacts): Quantities {
  return facts.usage === null ? {} : totalQuantities(facts.usage);
}

interface Fed {
  readonly out: string;
  readonly held: string;
  readonly facts: AnswerFacts;
}

function feed(format: Format, chunks: Iterable<Buffer>, hide = false): Fed {
  const stream = format.stream(following(hide));
  const out: Buffer[] = [];
  for (const chunk of chunks) out.push(...stream.push(chunk));
  const rest = stream.end();
  const held = Buffer.concat([...stream.held, ...rest]);
  return { out: Buffer.concat([...out, held]).toString("latin1"), held: held.toString("latin1"), facts: stream.facts() };
}

function* bytewise(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at++) yield body.subarray(at, at + 1);
}

function expectSplitsAlike(format: Format, body: Buffer, whole: Fed): void {
  expect(whole.out).toBe(body.toString("latin1"));
  const step = body.length <= 4_000 ? 1 : Math.ceil(body.length / 25);
  for (let at = 1; at < body.length; at += step) {
    const halves = feed(format, [body.subarray(0, at), body.subarray(at)]);
    if (halves.out !== whole.out || halves.held !== whole.held) expect.fail(`bytes differ when split at ${at}`);
    expect(halves.facts).toEqual(whole.facts);
  }
  if (body.length > 120_000) return;
  const crumbs = feed(format, bytewise(body));
  expect(crumbs.facts).toEqual(whole.facts);
  expect(crumbs.out === whole.out && crumbs.held === whole.held, "byte by byte").toBe(true);
}

function lines(name: string): { text: string; event: Loose }[] {
  return read(name)
    .split("\n")
    .filter((text) => text.trim() !== "")
    .map((text) => ({ text, event: JSON.parse(text) as Loose }));
}

describe("recordings", () => {
  it("are here", ({ skip }) => {
    if (!here) skip("skipped: ../shared/data is not here");
  });
});

describe.skipIf(!here)("recorded Chat Completions", () => {
  it.each(files(chats, ".json"))("%s", (name) => {
    const answer = JSON.parse(read(name)) as Loose & { usage: Loose; id: string; choices: { finish_reason: string }[] };
    const facts = chat.answer(read(name), head());
    expect(quantities(facts)).toEqual(chatSum(answer.usage));
    expect(facts.usage?.doubts).toEqual([]);
    expect(facts).toMatchObject({ responseId: answer.id, complete: true, finish: answer.choices[0]?.finish_reason, error: null });
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(answer.usage);
    expect(read(name)).toContain(facts.usage?.raw);
  });

  it.each(files(chats, ".chunks.txt"))("%s", (name) => {
    const events = lines(name);
    const body = Buffer.from(`${events.map(({ text }) => `data: ${text}\n\n`).join("")}data: [DONE]\n\n`);
    const whole = feed(chat, [body]);
    const usages = events
      .flatMap(({ event }) => [event["usage"] ?? (event["x_groq"] as { usage?: never } | undefined)?.usage ?? []])
      .flat();
    expect(quantities(whole.facts)).toEqual(chatSum(usages.at(-1) as unknown as Loose));
    expect(whole.facts.usage).toMatchObject({ source: "reported", doubts: [] });
    expect(whole.held).toBe("data: [DONE]\n\n");
    expect(whole.facts.outputBytes).toBe(
      events.reduce((total, { event }) => total + deltaSize(event["choices"] as unknown as Record<string, unknown>[]), 0),
    );
    expectSplitsAlike(chat, body, whole);

    const extra = events.filter(
      ({ event }) => (event["choices"] as unknown[]).length === 0 && event["usage"] !== undefined && event["usage"] !== null,
    );
    const hidden = feed(chat, [body], true);
    let shown = body.toString("latin1");
    for (const { text } of extra) shown = shown.replace(Buffer.from(`data: ${text}\n\n`).toString("latin1"), "");
    expect(hidden.out).toBe(shown);
    expect(hidden.facts).toEqual(whole.facts);
  });
});

/** Bytes generated, by walking everything in a chunk's deltas that is text of the model's. */
function deltaSize(choices: Record<string, unknown>[]): number {
  const size = (value: unknown): number => {
    if (typeof value === "string") return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.reduce((total: number, entry) => total + size(entry), 0);
    if (typeof value !== "object" || value === null) return 0;
    const fields = value as Record<string, unknown>;
    return ["content", "reasoning_content", "reasoning", "refusal", "arguments", "text", "thinking", "function", "tool_calls"].reduce(
      (total, key) => total + size(fields[key]),
      0,
    );
  };
  return choices.reduce((total, choice) => total + size(choice["delta"]) + size(choice["text"]), 0);
}

describe.skipIf(!here)("recorded Responses", () => {
  it("a recording whose JSON is damaged passes byte for byte, with a doubt", () => {
    const body = Buffer.from(
      read(damaged)
        .split("\n")
        .map((text) => `data: ${text}\n\n`)
        .join(""),
    );
    const whole = feed(responses, [body]);
    expect(whole.out).toBe(body.toString("latin1"));
    expect(whole.facts.doubts).toEqual(["an event of the stream is not a JSON object"]);
    expectSplitsAlike(responses, body, whole);
  });

  it.each(files(responsesFiles, ".json"))("%s", (name) => {
    const answer = JSON.parse(read(name)) as Loose & { usage?: Loose; error?: { code: string }; id?: string };
    const facts = responses.answer(read(name), head());
    expect(quantities(facts)).toEqual(responseSum(answer));
    expect(facts.complete).toBe(true);
    expect(facts.doubts).toEqual([]);
    expect(facts.error).toBe(answer.error?.code ?? null);
    expect(facts.responseId).toBe(answer.id ?? null);
    if (answer.usage !== undefined) expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(answer.usage);
  });

  it.each(files(responsesFiles, ".chunks.txt").filter((name) => name !== damaged))("%s", (name) => {
    for (const events of runs(lines(name), "response.created")) {
      const body = Buffer.from(events.map(({ text, event }) => `event: ${String(event["type"])}\ndata: ${text}\n\n`).join(""));
      const whole = feed(responses, [body]);
      const last = events.findLast(({ event }) => event["response"] !== undefined)?.event as Loose;
      expect(quantities(whole.facts)).toEqual(responseSum(last["response"] as Loose));
      const doubts = whole.facts.doubts ?? [];
      expect(doubts.filter((doubt) => !doubt.includes("web searches"))).toEqual([]);
      expect(whole.facts).toMatchObject({ complete: true, responseId: (last["response"] as { id: string }).id });
      expect(whole.held.startsWith(`event: ${String(events.at(-1)?.event["type"])}\n`) || whole.held.startsWith("event: error\n")).toBe(
        true,
      );
      const text = events.filter(({ event }) => String(event["type"]).endsWith(".delta") && typeof event["delta"] === "string");
      expect(whole.facts.outputBytes).toBe(text.reduce((total, { event }) => total + Buffer.byteLength(event["delta"] as string), 0));
      expectSplitsAlike(responses, body, whole);
    }
  });
});

describe.skipIf(!here)("recorded Messages", () => {
  it.each(files(messages, ".json"))("%s", (name) => {
    const answer = JSON.parse(read(name)) as Loose & { usage: Loose; id: string; model: string; stop_reason: string };
    const facts = anthropic.answer(read(name), head());
    expect(quantities(facts)).toEqual(messageSum([answer.usage]));
    expect(facts.usage).toMatchObject({ source: "reported", doubts: [] });
    expect(facts).toMatchObject({ responseId: answer.id, model: answer.model, finish: answer.stop_reason, complete: true });
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(answer.usage);
  });

  it.each(files(messages, ".chunks.txt"))("%s", (name) => {
    const spliced = name.includes("spliced");
    for (const events of spliced ? [lines(name)] : runs(lines(name), "message_start", "message_stop")) {
      const body = Buffer.from(events.map(({ text, event }) => `event: ${String(event["type"])}\ndata: ${text}\n\n`).join(""));
      const whole = feed(anthropic, [body]);
      const said = events
        .flatMap(({ event }) => [event["usage"] ?? (event["message"] as { usage?: never } | undefined)?.usage ?? []])
        .flat();
      expect(quantities(whole.facts)).toEqual(messageSum(said as unknown as Loose[]));
      expect(whole.facts.usage?.source).toBe("reported");
      expect(whole.facts.usage?.doubts).toHaveLength(spliced ? 1 : 0);
      expect(JSON.parse(whole.facts.usage?.raw ?? "")).toEqual(said.length === 1 ? said[0] : said);
      expect(whole.held).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n');
      expectSplitsAlike(anthropic, body, whole);
    }
  });
});

describe.skipIf(!here)("recorded Embeddings", () => {
  it("openai/embedding--openai-embedding.json", () => {
    const text = read("openai/embedding--openai-embedding.json");
    expect(embeddings.answer(text, head())).toMatchObject({ model: "text-embedding-3-small", complete: true, outputBytes: 0, doubts: [] });
    expect(quantities(embeddings.answer(text, head()))).toEqual({ input: 12 });
  });
});

/** Some recordings hold several streams one after another: each begins with `first`, after `last` where that is given. */
function runs<T extends { event: Loose }>(events: readonly T[], first: string, last?: string): T[][] {
  const found: T[][] = [];
  let before: string | undefined;
  for (const entry of events) {
    const type = entry.event["type"] as string;
    if (found.length === 0 || (type === first && (last === undefined || before === last))) found.push([]);
    found.at(-1)?.push(entry);
    before = type;
  }
  return found;
}
