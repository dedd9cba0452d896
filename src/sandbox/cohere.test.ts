// Cohere over real HTTP. Expected numbers are written by hand from the controls and from what its template adds (495 tokens in, 448 of them
// cached, 3 out, as in recorded answers); the witness is held against them.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, number, post, readEvents } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { WitnessedCall } from "./witness.ts";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7 });
});
afterAll(() => sandbox.close());

const say = (text: string, more: object = {}): object => ({
  model: "command-a-03-2025",
  messages: [{ role: "user", content: text }],
  ...more,
});
const wishes = { "x-sandbox-input-tokens": "12", "x-sandbox-output-tokens": "30", "x-sandbox-reasoning-tokens": "10" };
const last = (): WitnessedCall => {
  const row = sandbox.witness.calls.at(-1);
  if (row === undefined) throw new Error("the witness is empty");
  return row;
};
async function events(body: object, headers: Record<string, string> = {}): Promise<readonly unknown[]> {
  const response = await fetch(`${sandbox.url}/v2/chat`, { method: "POST", body: JSON.stringify({ ...body, stream: true }), headers });
  return readEvents(await response.text());
}

describe("chat", () => {
  const usage = {
    billed_units: { input_tokens: 12, output_tokens: 30 },
    tokens: { input_tokens: 507, output_tokens: 33 },
    cached_tokens: 448,
  };

  it("bills what was served, and counts its template besides; a stream ends in the same", async () => {
    const { json } = await post(sandbox.url, "/v2/chat", say("hi"), wishes);
    expect(json).toMatchObject({ id: last().responseId, finish_reason: "COMPLETE", usage });
    expect(last().usage).toMatchObject({ input: 12, output: 20, reasoning: 10, cache_read: 0 });
    expect(at(json, "message", "content", 0, "type")).toBe("thinking");
    const all = await events(say("hi"), { ...wishes, "x-sandbox-chunk-tokens": "3" });
    const deltas = all
      .filter((event) => at(event, "type") === "content-delta")
      .map((event) => at(event, "delta", "message", "content", "text"));
    expect(deltas.join("")).toBe(at(json, "message", "content", 1, "text"));
    expect(at(all.at(-1), "delta")).toEqual({ finish_reason: "COMPLETE", usage });
    expect([at(all[0], "type"), at(all[0], "id"), at(all.at(-1), "type")]).toEqual(["message-start", last().responseId, "message-end"]);
    expect([last().tokensSent, last().usageSent]).toEqual([30, true]);
  });

  it.each([
    ["missing", undefined],
    ["zero", { billed_units: { input_tokens: 0, output_tokens: 0 }, tokens: { input_tokens: 0, output_tokens: 0 }, cached_tokens: 0 }],
    ["wrong", { ...usage, tokens: { input_tokens: 5, output_tokens: 33 } }],
  ])("x-sandbox-usage: %s", async (claim, said) => {
    const headers = { ...wishes, "x-sandbox-usage": claim };
    const { json } = await post(sandbox.url, "/v2/chat", say("hi"), headers);
    expect(json["usage"]).toEqual(said);
    expect(at((await events(say("hi"), headers)).at(-1), "delta", "usage")).toEqual(said);
    expect([last().claim, last().usage?.input, last().usageSent]).toEqual([claim, 12, claim !== "missing"]);
  });

  it("calls a tool that it must call, in pieces that make up its arguments", async () => {
    const parameters = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
    const body = say("weather?", { tools: [{ type: "function", function: { name: "weather", parameters } }], tool_choice: "REQUIRED" });
    const { json } = await post(sandbox.url, "/v2/chat", body);
    expect([json["finish_reason"], at(json, "message", "content")]).toEqual(["TOOL_CALL", undefined]);
    expect(at(json, "message", "tool_calls", 0, "function")).toEqual({ name: "weather", arguments: '{"place":"sandbox"}' });
    const all = await events(body);
    const given = all
      .filter((event) => at(event, "type") === "tool-call-delta")
      .map((event) => at(event, "delta", "message", "tool_calls", "function", "arguments"));
    expect(given.join("")).toBe('{"place":"sandbox"}');
    expect(at(all.at(-1), "delta", "usage", "billed_units", "output_tokens")).toBe(last().tokensSent);
  });

  it("caps, stops, fails and refuses in its own words", async () => {
    expect((await post(sandbox.url, "/v2/chat", say("hi", { max_tokens: 7 }))).json).toMatchObject({
      finish_reason: "MAX_TOKENS",
      usage: { billed_units: { output_tokens: 7 } },
    });
    expect((await post(sandbox.url, "/v2/chat", say("hi", { stop_sequences: ["sandbox"] }))).json["finish_reason"]).toBe("STOP_SEQUENCE");
    const broken = await events(say("hi"), { "x-sandbox-finish": "failed", "x-sandbox-output-tokens": "40" });
    expect(at(broken.at(-1), "delta")).toEqual({ finish_reason: "ERROR", error: expect.any(String) as string });
    expect([last().tokensSent, last().usageSent]).toEqual([20, false]);
    const bad = [
      "",
      {},
      say("x", { messages: [] }),
      say("x", { max_tokens: "1" }),
      { model: "m", messages: [{ role: "x", content: "x" }] },
    ];
    for (const body of bad) {
      const { status, json } = await post(sandbox.url, "/v2/chat", body);
      expect([status, typeof json["message"]], JSON.stringify(body)).toEqual([400, "string"]);
    }
    expect((await post(sandbox.url, "/v2/chat", say("x"), { "x-sandbox-fail": "429" })).status).toBe(429);
    expect((await post(sandbox.url, "/v2/chat", say("x"), { "x-sandbox-cache-read-tokens": "1" })).status).toBe(400);
  });
});

it("embeddings are billed by their tokens, in each encoding asked for", async () => {
  const embedding_types = ["float", "int8", "uint8", "binary", "ubinary", "base64"];
  const body = { model: "embed-v4.0", input_type: "search_query", texts: ["12345678", "1234"], output_dimension: 16, embedding_types };
  const { json } = await post(sandbox.url, "/v2/embed", body);
  expect(at(json, "meta", "billed_units")).toEqual({ input_tokens: 3 });
  expect([last().usage?.input, json["response_type"], Object.keys(json["embeddings"] as object)]).toEqual([
    3,
    "embeddings_by_type",
    embedding_types,
  ]);
  expect(at(json, "embeddings", "ubinary", 0)).toHaveLength(2);
  const floats = at(json, "embeddings", "float", 0) as readonly number[];
  const coded = Buffer.from(String(at(json, "embeddings", "base64", 0)), "base64");
  expect(floats.map((_, index) => coded.readFloatLE(index * 4))).toEqual(floats);
  const bits = (at(json, "embeddings", "ubinary", 0) as readonly number[]).map((byte) => byte.toString(2).padStart(8, "0")).join("");
  expect([...bits]).toEqual(floats.map((value) => (value > 0 ? "1" : "0")));
  const inputs = [{ content: [{ type: "text", text: "12345678" }] }];
  const other = await post(sandbox.url, "/v2/embed", { model: "embed-v4.0", input_type: "classification", inputs });
  expect(number(other.json, "meta", "billed_units", "input_tokens")).toBe(2);
  expect((await post(sandbox.url, "/v2/embed", { model: "m", texts: ["x"] })).status).toBe(400);
});

describe("rerank", () => {
  it.each([
    [1, 10, 1],
    [100, 10, 1],
    [101, 10, 2],
    // 2,000 bytes are 500 tokens; with a query of one token they are two parts, and 60 such documents are 120.
    [60, 2000, 2],
    [50, 1996, 1],
  ])("%d documents of %d bytes take %d search units, and no tokens", async (count, bytes, units) => {
    const documents = Array.from({ length: count }, () => "x".repeat(bytes));
    const { json } = await post(sandbox.url, "/v2/rerank", { model: "rerank-v3.5", query: "four", documents, top_n: 3 });
    expect(at(json, "meta", "billed_units")).toEqual({ search_units: units });
    expect(last().usage).toMatchObject({ rerank: units, input: 0, output: 0 });
    expect([at(json, "results"), last().responseId]).toEqual([expect.objectContaining({ length: Math.min(3, count) }), json["id"]]);
  });

  it("puts the best first", async () => {
    const { json } = await post(sandbox.url, "/v2/rerank", { model: "r", query: "q", documents: ["a", "b", { text: "c" }] });
    const scores = (json["results"] as readonly unknown[]).map((result) => number(result, "relevance_score"));
    expect(scores).toEqual(scores.toSorted((one, other) => other - one));
    expect((await post(sandbox.url, "/v2/rerank", { model: "r", documents: ["a"] })).status).toBe(400);
  });
});

describe("the older chat (v1)", () => {
  const ask = { model: "command-a-03-2025", message: "hi" };
  const sized = { "x-sandbox-input-tokens": "12", "x-sandbox-output-tokens": "30" };
  const meta = {
    billed_units: { input_tokens: 12, output_tokens: 30 },
    tokens: { input_tokens: 507, output_tokens: 33 },
    cached_tokens: 448,
  };

  it("bills what was served; a stream of lines ends in the whole answer", async () => {
    const { json } = await post(sandbox.url, "/v1/chat", ask, sized);
    expect(at(json, "meta")).toMatchObject(meta);
    expect(last()).toMatchObject({ usage: { input: 12, output: 30 }, responseId: at(json, "response_id") });
    const body = JSON.stringify({ ...ask, stream: true });
    const response = await fetch(`${sandbox.url}/v1/chat`, { method: "POST", body, headers: sized });
    expect(response.headers.get("content-type")).toBe("application/stream+json");
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(at(lines.at(-1), "response", "meta")).toMatchObject(meta);
    expect(lines.map((line) => at(line, "text") ?? "").join("")).toBe(at(json, "text"));
    expect(last()).toMatchObject({ streamed: true, usageSent: true, tokensSent: 30 });
  });

  it("calls a tool, remembers nothing, and refuses what it cannot read", async () => {
    const tools = [{ name: "weather", parameter_definitions: { city: { type: "str", required: true } } }];
    const { json } = await post(sandbox.url, "/v1/chat", { ...ask, tools }, { "x-sandbox-finish": "tool_use" });
    expect(at(json, "tool_calls", 0, "name")).toBe("weather");
    expect(at(json, "tool_calls", 0, "parameters", "city")).toEqual(expect.any(String));
    expect((await post(sandbox.url, "/v1/chat", { model: "m" })).status).toBe(400);
    expect((await post(sandbox.url, "/v1/chat", { ...ask, chat_history: [{ role: "user", message: "x" }] })).status).toBe(400);
  });
});
