// Every control over real HTTP, and what the witness says of it. Expected numbers are written by hand, or added up from the controls themselves.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Path, ask, at, number, post, readEvents, stream } from "./client.fixture.ts";
import { rules } from "./controls.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { WitnessedCall } from "./witness.ts";

const chat = "/v1/chat/completions";
const talks: readonly Path[] = [chat, "/v1/responses", "/v1/messages"];
let sandbox: Sandbox;
let next = 0;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

const turn = (role: string, letter: string) => ({ role, content: letter.repeat(4000) });
const named = (): string => `call-${(next += 1)}`;
const witnessed = (id: string): WitnessedCall => {
  const call = sandbox.witness.calls.find((one) => one.client === id);
  if (call === undefined) throw new Error(`the witness has no ${id}`);
  return call;
};

describe("token controls", () => {
  const headers = {
    "x-sandbox-input-tokens": "1000",
    "x-sandbox-output-tokens": "90",
    "x-sandbox-reasoning-tokens": "30",
    "x-sandbox-cache-read-tokens": "400",
    "x-sandbox-cache-write-5m-tokens": "100",
    "x-sandbox-cache-write-1h-tokens": "50",
  };

  it("chat: the prompt includes cached tokens, the completion includes reasoning", async () => {
    const id = named();
    const audio = { "x-sandbox-audio-input-tokens": "20", "x-sandbox-audio-output-tokens": "10" };
    const { json } = await post(sandbox.url, chat, ask(chat, "hi"), { ...headers, ...audio, "x-sandbox-id": id });
    expect(at(json, "usage")).toEqual({
      prompt_tokens: 1000,
      completion_tokens: 90,
      total_tokens: 1090,
      prompt_tokens_details: { cached_tokens: 400, cache_write_tokens: 150, audio_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 10, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    });
    expect(witnessed(id).usage).toMatchObject({ input: 430, cache_read: 400, cache_write: 150, cache_write_5m: 0, input_audio: 20 });
    expect(witnessed(id).usage).toMatchObject({ output: 50, reasoning: 30, output_audio: 10, web_search: 0 });
  });

  it("responses: the input includes cached tokens, searches are items", async () => {
    const { json } = await post(sandbox.url, "/v1/responses", ask("/v1/responses", "hi"), { ...headers, "x-sandbox-web-searches": "2" });
    expect(at(json, "usage")).toEqual({
      input_tokens: 1000,
      input_tokens_details: { cached_tokens: 400, cache_write_tokens: 150 },
      output_tokens: 90,
      output_tokens_details: { reasoning_tokens: 30 },
      total_tokens: 1090,
    });
    const types = (at(json, "output") as readonly unknown[]).map((item) => at(item, "type"));
    expect(types).toEqual(["reasoning", "web_search_call", "web_search_call", "message"]);
  });

  it("messages: the input excludes cached tokens, writes are split", async () => {
    const id = named();
    const searching = { ...headers, "x-sandbox-web-searches": "2", "x-sandbox-id": id };
    const { json } = await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), searching);
    expect(at(json, "usage")).toMatchObject({
      input_tokens: 450,
      cache_creation_input_tokens: 150,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 50 },
      cache_read_input_tokens: 400,
      output_tokens: 90,
      output_tokens_details: { thinking_tokens: 30 },
      server_tool_use: { web_search_requests: 2 },
    });
    expect(witnessed(id).usage).toMatchObject({ input: 450, cache_read: 400, cache_write_5m: 100, cache_write_1h: 50, cache_write: 0 });
    expect(witnessed(id).usage).toMatchObject({ output: 60, reasoning: 30, web_search: 2 });
  });

  it("messages: compaction steps have their own model and are not in the top level; the witness counts them", async () => {
    const id = named();
    const compacting = {
      "x-sandbox-input-tokens": "600",
      "x-sandbox-output-tokens": "80",
      "x-sandbox-compaction": "2",
      "x-sandbox-id": id,
    };
    const { json } = await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), compacting);
    const steps = at(json, "usage", "iterations") as readonly unknown[];
    expect(steps.map((step) => at(step, "type"))).toEqual(["compaction", "compaction", "message"]);
    expect(at(steps[0], "model")).toBe("claude-haiku-4-5");
    expect(number(json, "usage", "input_tokens")).toBe(600);
    const sum = (name: string) => steps.reduce<number>((total, step) => total + number(step, name), 0);
    expect(witnessed(id).usage).toMatchObject({ input: sum("input_tokens"), output: sum("output_tokens") });
  });

  it.each(talks)("%s: a stream says the same as the JSON answer", async (path) => {
    const { json } = await post(sandbox.url, path, ask(path, "hi"), headers);
    const events = await stream(
      sandbox.url,
      path,
      ask(path, "hi", path === chat ? { stream_options: { include_usage: true } } : {}),
      headers,
    );
    const closing = { [chat]: -2, "/v1/responses": -1, "/v1/messages": -2 }[path as string] ?? -1;
    const usage = path === "/v1/responses" ? at(events.at(closing), "response", "usage") : at(events.at(closing), "usage");
    expect(at(json, "usage")).toMatchObject(usage as object);
  });

  it("tokens on the wire add up to the output, in every format and chunk size", async () => {
    for (const path of talks)
      for (const size of ["1", "3", "1000"]) {
        const id = named();
        await stream(sandbox.url, path, ask(path, "hi"), { ...headers, "x-sandbox-chunk-tokens": size, "x-sandbox-id": id });
        expect([witnessed(id).tokensSent, witnessed(id).status], `${path} ${size}`).toEqual([
          path === "/v1/responses" ? 90 : 90,
          "answered",
        ]);
      }
  });
});

describe("usage that is missing, zero or wrong", () => {
  it.each([...talks, "/v1/embeddings"] as const)("%s", async (path) => {
    const usage = async (kind: string) =>
      at((await post(sandbox.url, path, ask(path, "hello there"), { "x-sandbox-usage": kind })).json, "usage");
    expect((await usage("missing")) ?? null).toBeNull();
    const zero = await usage("zero");
    expect(Object.values(zero as object).filter((value) => typeof value === "number" && value !== 0)).toEqual([]);
    const wrong = await usage("wrong");
    if (path === "/v1/messages") {
      const split =
        number(wrong, "cache_creation", "ephemeral_5m_input_tokens") + number(wrong, "cache_creation", "ephemeral_1h_input_tokens");
      expect(number(wrong, "cache_creation_input_tokens")).not.toBe(split);
    } else {
      const [input, output] = path === "/v1/responses" ? ["input_tokens", "output_tokens"] : ["prompt_tokens", "completion_tokens"];
      expect(number(wrong, "total_tokens")).not.toBe(number(wrong, input ?? "") + Number(at(wrong, output ?? "") ?? 0));
    }
  });

  it("a stream without usage has no usage event, and the witness knows the truth", async () => {
    const id = named();
    const events = await stream(sandbox.url, chat, ask(chat, "hi", { stream_options: { include_usage: true } }), {
      "x-sandbox-usage": "missing",
      "x-sandbox-output-tokens": "11",
      "x-sandbox-id": id,
    });
    expect(events.filter((event) => typeof at(event, "usage") === "object" && at(event, "usage") !== null)).toEqual([]);
    expect(witnessed(id)).toMatchObject({ claim: "missing", usageSent: false, usage: { output: 11 } });
  });
});

describe("finishes, names and tiers", () => {
  const tool = { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city", "days"] };
  const tools = {
    [chat]: [{ type: "function", function: { name: "weather", parameters: tool } }],
    "/v1/responses": [{ type: "function", name: "weather", parameters: tool }],
    "/v1/messages": [{ name: "weather", input_schema: tool }],
  } as Record<string, object[]>;

  it("tool_use calls the first tool with input that fits its schema", async () => {
    const headers = { "x-sandbox-finish": "tool_use" };
    const input = { city: "sandbox", days: 1 };
    const one = (await post(sandbox.url, chat, ask(chat, "hi", { tools: tools[chat] }), headers)).json;
    expect(at(one, "choices", 0, "finish_reason")).toBe("tool_calls");
    expect(JSON.parse(String(at(one, "choices", 0, "message", "tool_calls", 0, "function", "arguments")))).toEqual(input);
    const two = (await post(sandbox.url, "/v1/responses", ask("/v1/responses", "hi", { tools: tools["/v1/responses"] }), headers)).json;
    expect(JSON.parse(String(at(two, "output", 0, "arguments")))).toEqual(input);
    const three = (await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi", { tools: tools["/v1/messages"] }), headers)).json;
    expect(at(three, "content", 0, "input")).toEqual(input);
    for (const path of talks) {
      const refused = await post(sandbox.url, path, ask(path, "hi"), headers);
      expect([refused.status, String(at(refused.json, "error", "message"))]).toEqual([400, expect.stringContaining("x-sandbox-finish")]);
      const id = named();
      const body = ask(path, "hi", { tools: tools[path] });
      await stream(sandbox.url, path, body, { ...headers, "x-sandbox-output-tokens": "33", "x-sandbox-id": id });
      expect(witnessed(id).tokensSent, path).toBe(33);
    }
  });

  it.each([
    [chat, "length", ["choices", 0, "finish_reason"], "length"],
    [chat, "stop", ["choices", 0, "finish_reason"], "stop"],
    ["/v1/responses", "incomplete", ["incomplete_details", "reason"], "max_output_tokens"],
    ["/v1/responses", "failed", ["status"], "failed"],
    ["/v1/messages", "length", ["stop_reason"], "max_tokens"],
  ] as const)("%s finishes with %s", async (path, finish, where, expected) => {
    const { json } = await post(sandbox.url, path, ask(path, "hi"), { "x-sandbox-finish": finish });
    expect(at(json, ...where)).toBe(expected);
  });

  it("failed: an error in the stream; Responses ends in response.failed with usage", async () => {
    const headers = { "x-sandbox-finish": "failed" };
    expect(at((await stream(sandbox.url, chat, ask(chat, "hi"), headers)).at(-1), "error", "type")).toBe("server_error");
    expect(at((await stream(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), headers)).at(-1), "error", "type")).toBe(
      "overloaded_error",
    );
    const last = (await stream(sandbox.url, "/v1/responses", ask("/v1/responses", "hi"), headers)).at(-1);
    expect(at(last, "type")).toBe("response.failed");
    expect(number(last, "response", "usage", "output_tokens")).toBeGreaterThan(0);
    const id = named();
    expect((await post(sandbox.url, chat, ask(chat, "hi"), { ...headers, "x-sandbox-id": id })).status).toBe(500);
    expect(witnessed(id).usage).toBeNull();
  });

  it("another model and another tier than asked", async () => {
    const headers = { "x-sandbox-served-model": "other-model", "x-sandbox-served-tier": "flex" };
    for (const path of talks) {
      const { json } = await post(sandbox.url, path, ask(path, "hi"), headers);
      expect(at(json, "model")).toBe("other-model");
      expect(path === "/v1/messages" ? at(json, "usage", "service_tier") : at(json, "service_tier")).toBe("flex");
    }
    const asked = await post(sandbox.url, chat, ask(chat, "hi", { service_tier: "priority" }));
    expect(at(asked.json, "service_tier")).toBe("priority");
  });
});

describe("faults", () => {
  it.each(["400", "401", "403", "429", "500", "503", "529"])("fail %s, in the format's words", async (status) => {
    const headers = { "x-sandbox-fail": status, "x-sandbox-retry-after": "3" };
    const response = await fetch(sandbox.url + chat, { method: "POST", body: JSON.stringify(ask(chat, "hi")), headers });
    expect([response.status, response.headers.get("retry-after")]).toEqual([Number(status), "3"]);
    expect(at(await response.json(), "error", "message")).toContain(status);
    const anthropic = await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), headers);
    expect([anthropic.status, at(anthropic.json, "type")]).toEqual([Number(status), "error"]);
  });

  it("fails so many times by key, then answers", async () => {
    const headers = { "x-sandbox-fail": "503", "x-sandbox-fail-times": "2", "x-sandbox-fail-key": "a" };
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await post(sandbox.url, chat, ask(chat, "hi"), headers)).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    expect((await post(sandbox.url, chat, ask(chat, "hi"), { ...headers, "x-sandbox-fail-key": "b" })).status).toBe(503);
  });

  it("connection-reset: no answer at all, and nothing was served", async () => {
    const id = named();
    await expect(post(sandbox.url, chat, ask(chat, "hi"), { "x-sandbox-fail": "connection-reset", "x-sandbox-id": id })).rejects.toThrow();
    expect(witnessed(id)).toMatchObject({ status: "cut", httpStatus: null, usage: null, bytes: 0 });
  });

  it("cut-after N: exactly N events arrive, then the connection breaks", async () => {
    for (const path of talks)
      for (const events of [0, 3]) {
        const id = named();
        const headers = { "x-sandbox-cut-after": String(events), "x-sandbox-id": id };
        const { text, broken } = await readBroken(path, ask(path, "hi", { stream: true }), headers);
        expect([readEvents(text).length, broken], path).toEqual([events, true]);
        expect(witnessed(id)).toMatchObject({ status: "cut", eventsSent: events, bytes: Buffer.byteLength(text), usageSent: false });
      }
  });

  it("cut-after cuts a JSON body in its middle", async () => {
    const id = named();
    const { text, broken } = await readBroken(chat, ask(chat, "hi"), { "x-sandbox-cut-after": "1", "x-sandbox-id": id });
    expect([broken, text.length > 10, text.length]).toEqual([true, true, witnessed(id).bytes]);
  });

  it("silence: N events and then nothing, until the client leaves", async () => {
    const id = named();
    const controller = new AbortController();
    const body = JSON.stringify(ask(chat, "hi", { stream: true }));
    const headers = { "x-sandbox-silence": "2", "x-sandbox-id": id };
    const response = await fetch(sandbox.url + chat, { method: "POST", body, headers, signal: controller.signal });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(readEvents(Buffer.from(first?.value ?? []).toString())).toHaveLength(2);
    const quiet = await Promise.race([reader?.read().then(() => "spoke"), new Promise((resolve) => setTimeout(resolve, 150, "quiet"))]);
    expect(quiet).toBe("quiet");
    expect(witnessed(id).status).toBe("received");
    controller.abort();
    await expect.poll(() => witnessed(id).status).toBe("aborted");
    await expect(
      fetch(sandbox.url + chat, { method: "POST", body, headers: { "x-sandbox-silence": "0" }, signal: AbortSignal.timeout(150) }),
    ).rejects.toThrow(/timeout|aborted/i);
  });
});

describe("pace", () => {
  it("delay-ms holds the first byte back, tokens-per-second the rest", async () => {
    const started = performance.now();
    await post(sandbox.url, chat, ask(chat, "hi"), { "x-sandbox-delay-ms": "120" });
    expect(performance.now() - started).toBeGreaterThan(115);
    const headers = { "x-sandbox-output-tokens": "40", "x-sandbox-tokens-per-second": "200" };
    for (const streamed of [true, false]) {
      const again = performance.now();
      await (
        await fetch(sandbox.url + chat, { method: "POST", body: JSON.stringify(ask(chat, "hi", { stream: streamed })), headers })
      ).text();
      expect(performance.now() - again).toBeGreaterThan(190);
      expect(performance.now() - again).toBeLessThan(2000);
    }
  });

  it("gzip: JSON whole, streams readable event by event", async () => {
    const headers = { "x-sandbox-compress": "gzip", "accept-encoding": "gzip" };
    const plain = await post(sandbox.url, chat, ask(chat, "hi"));
    const response = await fetch(sandbox.url + chat, { method: "POST", body: JSON.stringify(ask(chat, "hi")), headers });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(at(await response.json(), "usage")).toEqual(at(plain.json, "usage"));
    const id = named();
    const events = await stream(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), { ...headers, "x-sandbox-id": id });
    expect(at(events.at(-1), "type")).toBe("message_stop");
    expect(witnessed(id).bytes).toBeGreaterThan(0);
  });
});

describe("the prompt cache", () => {
  it("reads what was written before, and never the last turn", async () => {
    const talk = [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d"), turn("user", "e")];
    const headers = { "x-sandbox-cache": "on" };
    const usage = async (turns: number) =>
      at((await post(sandbox.url, "/v1/messages", { model: "m", max_tokens: 9, messages: talk.slice(0, turns) }, headers)).json, "usage");
    const [first, second] = [await usage(3), await usage(5)];
    expect(number(first, "cache_read_input_tokens")).toBe(0);
    expect(number(first, "cache_creation_input_tokens")).toBeGreaterThan(1900);
    expect(Math.abs(number(second, "cache_read_input_tokens") - number(first, "cache_creation_input_tokens"))).toBeLessThan(10);
    expect(number(second, "input_tokens")).toBeGreaterThan(900);
    const total =
      number(second, "input_tokens") + number(second, "cache_read_input_tokens") + number(second, "cache_creation_input_tokens");
    expect(total).toBe(5000);
    const openai = async () => at((await post(sandbox.url, chat, { model: "m", messages: talk }, headers)).json, "usage");
    expect(number(await openai(), "prompt_tokens_details", "cached_tokens")).toBe(0);
    const again = await openai();
    expect(number(again, "prompt_tokens_details", "cached_tokens")).toBeGreaterThan(3900);
    expect(number(again, "prompt_tokens")).toBe(5000);
  });
});

describe("how controls are given", () => {
  it("in the last user message, where headers cannot be set; headers win", async () => {
    const text = "Hello [[sandbox output-tokens=5 input-tokens=77]] there";
    const { json } = await post(sandbox.url, chat, ask(chat, text), { "x-sandbox-output-tokens": "6" });
    expect([number(json, "usage", "completion_tokens"), number(json, "usage", "prompt_tokens")]).toEqual([6, 77]);
    const broken = await post(sandbox.url, chat, ask(chat, "Hello [[sandbox output-tokens=x]]"));
    expect([broken.status, String(at(broken.json, "error", "message"))]).toEqual([400, expect.stringContaining("output-tokens=x")]);
    expect((await post(sandbox.url, chat, ask(chat, "Hello [[sandbox"))).status).toBe(400);
  });

  it.each(Object.keys(rules).filter((name) => !["id", "fail-key", "served-model", "served-tier", "compaction-model"].includes(name)))(
    "a bad x-sandbox-%s is refused by name",
    async (name) => {
      for (const path of talks) {
        const { status, json } = await post(sandbox.url, path, ask(path, "hi"), { [`x-sandbox-${name}`]: "-1" });
        expect([status, String(at(json, "error", "message"))]).toEqual([400, expect.stringContaining(`x-sandbox-${name}`)]);
      }
    },
  );

  it("an unknown control, parts above their whole, and a control without meaning are refused by name", async () => {
    const refusals: [Path, Record<string, string>, string][] = [
      [chat, { "x-sandbox-inptu-tokens": "1" }, "x-sandbox-inptu-tokens"],
      [chat, { "x-sandbox-input-tokens": "1", "x-sandbox-cache-read-tokens": "2" }, "x-sandbox-input-tokens"],
      [chat, { "x-sandbox-output-tokens": "1", "x-sandbox-reasoning-tokens": "2" }, "x-sandbox-output-tokens"],
      [chat, { "x-sandbox-fail": "500", "x-sandbox-fail-times": "2" }, "x-sandbox-fail-key"],
      [chat, { "x-sandbox-web-searches": "1" }, "x-sandbox-web-searches"],
      ["/v1/messages", { "x-sandbox-audio-input-tokens": "1" }, "x-sandbox-audio-input-tokens"],
      ["/v1/embeddings", { "x-sandbox-cache-write-5m-tokens": "1" }, "x-sandbox-cache-write-5m-tokens"],
    ];
    for (const [path, headers, name] of refusals) {
      const { status, json } = await post(sandbox.url, path, ask(path, "hi"), headers);
      expect([status, String(at(json, "error", "message"))]).toEqual([400, expect.stringContaining(name)]);
    }
  });
});

async function readBroken(path: string, body: object, headers: Record<string, string>): Promise<{ text: string; broken: boolean }> {
  const response = await fetch(sandbox.url + path, { method: "POST", body: JSON.stringify(body), headers });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  } catch {
    return { text, broken: true };
  }
  return { text, broken: false };
}
