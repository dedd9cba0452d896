// Ollama over real HTTP. Expected numbers are written by hand from the controls, or added up here; the witness is held against them.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, number, post } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { WitnessedCall } from "./witness.ts";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7 });
});
afterAll(() => sandbox.close());

const routes = ["/api/chat", "/api/generate"] as const;
const say = (route: string, text: string, more: object = {}): object =>
  route === "/api/chat"
    ? { model: "llama3.2", messages: [{ role: "user", content: text }], ...more }
    : { model: "llama3.2", prompt: text, ...more };
const textOf = (part: unknown): string => String(at(part, "message", "content") ?? at(part, "response"));
const last = (): WitnessedCall => {
  const row = sandbox.witness.calls.at(-1);
  if (row === undefined) throw new Error("the witness is empty");
  return row;
};
async function lines(route: string, body: object, headers: Record<string, string> = {}): Promise<readonly unknown[]> {
  const response = await fetch(sandbox.url + route, { method: "POST", body: JSON.stringify(body), headers });
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const text = await response.text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe.each(routes)("%s", (route) => {
  const headers = {
    "x-sandbox-input-tokens": "100",
    "x-sandbox-cache-read-tokens": "60",
    "x-sandbox-output-tokens": "30",
    "x-sandbox-reasoning-tokens": "10",
    "x-sandbox-chunk-tokens": "3",
  };

  it("streams unless told not to; the last line counts, cached tokens and thinking included", async () => {
    const { json } = await post(sandbox.url, route, say(route, "hi", { stream: false }), headers);
    expect(json).toMatchObject({ model: "llama3.2", done: true, done_reason: "stop" });
    expect(json).toMatchObject({ prompt_eval_count: 100, prompt_eval_cached_count: 60, eval_count: 30 });
    const parts = ["load_duration", "prompt_eval_duration", "eval_duration"].map((name) => number(json, name));
    expect(number(json, "total_duration")).toBeGreaterThanOrEqual(parts.reduce((sum, part) => sum + part, 0));
    expect(last().usage).toMatchObject({ input: 40, cache_read: 60, output: 20, reasoning: 10 });
    const all = await lines(route, say(route, "hi"), headers);
    expect(all.map(textOf).join("")).toBe(textOf(json));
    expect(all.slice(0, -1).every((part) => at(part, "done") === false && at(part, "eval_count") === undefined)).toBe(true);
    expect(all.at(-1)).toMatchObject({ done: true, prompt_eval_count: 100, prompt_eval_cached_count: 60, eval_count: 30 });
    expect([last().tokensSent, last().usageSent, last().streamed, last().responseId]).toEqual([30, true, true, null]);
    expect(textOf(json).split(" ")).toHaveLength(20);
  });

  it.each([
    ["missing", { eval_count: 5 }],
    ["zero", { prompt_eval_count: 0, eval_count: 0 }],
    ["wrong", { prompt_eval_count: 10, prompt_eval_cached_count: 17, eval_count: 5 }],
  ])("x-sandbox-usage: %s", async (claim, counts) => {
    const wished = { "x-sandbox-usage": claim, "x-sandbox-input-tokens": "10", "x-sandbox-output-tokens": "5" };
    const { json } = await post(sandbox.url, route, say(route, "hi", { stream: false }), wished);
    expect(Object.fromEntries(Object.entries(json).filter(([name]) => name.endsWith("_count")))).toEqual(counts);
    expect([last().claim, last().usage?.input, last().usage?.output]).toEqual([claim, 10, 5]);
  });

  it("ends at the cap, has none below zero, breaks into an error when asked to", async () => {
    const capped = await post(sandbox.url, route, say(route, "hi", { stream: false, options: { num_predict: 7 } }));
    expect(capped.json).toMatchObject({ done_reason: "length", eval_count: 7 });
    const free = { ...headers, "x-sandbox-reasoning-tokens": "0" };
    expect(
      (await post(sandbox.url, route, say(route, "hi", { stream: false, options: { num_predict: -1 } }), free)).json["eval_count"],
    ).toBe(30);
    const broken = await lines(route, say(route, "hi"), { "x-sandbox-finish": "failed", "x-sandbox-output-tokens": "40" });
    expect(at(broken.at(-1), "error")).toContain("failed");
    expect([last().tokensSent, last().usageSent]).toEqual([20, false]);
    const refused = await post(sandbox.url, route, say(route, "hi"), { "x-sandbox-fail": "503" });
    expect([refused.status, typeof refused.json["error"]]).toEqual([503, "string"]);
    await expect(lines(route, say(route, "hi"), { "x-sandbox-cut-after": "2", "x-sandbox-output-tokens": "40" })).rejects.toThrow();
    expect([last().status, last().tokensSent]).toEqual(["cut", 8]);
  });

  it("loads or lets go of a model without a question, for nothing", async () => {
    const empty = route === "/api/chat" ? { model: "m", messages: [] } : { model: "m" };
    expect((await post(sandbox.url, route, empty)).json).toMatchObject({ done: true, done_reason: "load" });
    expect((await post(sandbox.url, route, { ...empty, keep_alive: 0 })).json).toMatchObject({ done: true, done_reason: "unload" });
    expect(last().usage).toBeNull();
  });

  it("bad requests get a 400 in its words", async () => {
    const bodies = ["", "[]", {}, { model: 7 }, say(route, "x", { stream: "no" }), say(route, "x", { options: 7 })];
    const more = route === "/api/chat" ? [{ model: "m", messages: [7] }, say(route, "x", { tools: [{}] })] : [{ model: "m", prompt: 7 }];
    for (const body of [...bodies, ...more]) {
      const { status, json } = await post(sandbox.url, route, body);
      expect([status, typeof json["error"]], JSON.stringify(body)).toEqual([400, "string"]);
    }
    expect((await post(sandbox.url, route, say(route, "x"), { "x-sandbox-web-searches": "1" })).status).toBe(400);
  });
});

it("calls a tool as an object, whole and streamed", async () => {
  const tools = [
    {
      type: "function",
      function: { name: "weather", parameters: { type: "object", properties: { place: { type: "string" } }, required: ["place"] } },
    },
  ];
  const call = { function: { name: "weather", arguments: { place: "sandbox" } } };
  const asked = say("/api/chat", "hi", { tools });
  const wish = { "x-sandbox-finish": "tool_use" };
  const { json } = await post(sandbox.url, "/api/chat", { ...asked, stream: false }, wish);
  expect(at(json, "message", "tool_calls")).toEqual([call]);
  const all = await lines("/api/chat", asked, wish);
  expect(all.map((part) => at(part, "message", "tool_calls")).filter((calls) => calls !== undefined)).toEqual([[call]]);
  expect(number(all.at(-1), "eval_count")).toBe(last().tokensSent);
});

it("embeds with a count, and the older way without one", async () => {
  const { json } = await post(sandbox.url, "/api/embed", { model: "e", input: ["12345678", "1234"] });
  expect([at(json, "embeddings"), number(json, "prompt_eval_count"), last().usage?.input]).toEqual([
    [expect.any(Array), expect.any(Array)],
    3,
    3,
  ]);
  const old = await post(sandbox.url, "/api/embeddings", { model: "e", prompt: "12345678" });
  expect(Object.keys(old.json)).toEqual(["embedding"]);
  expect([last().usage?.input, last().claim, last().usageSent]).toEqual([2, "missing", false]);
});

it("tells of its models and of itself", async () => {
  const read = async (path: string) => (await (await fetch(sandbox.url + path)).json()) as object;
  expect(typeof at(await read("/api/tags"), "models", 0, "name")).toBe("string");
  expect(at(await read("/api/ps"), "models")).toHaveLength(1);
  expect(at(await read("/api/version"), "version")).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await post(sandbox.url, "/api/show", { model: "m" })).json["capabilities"]).toContain("completion");
  expect((await fetch(`${sandbox.url}/api/nothing`)).status).toBe(404);
});
