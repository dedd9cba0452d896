// The sandbox over real HTTP: shapes, truthful usage by each provider's identity, determinism, bad input, and its independence.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Path, ask, at, number, post, stream, wordsIn } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

const talks: readonly Path[] = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7 });
});
afterAll(() => sandbox.close());

describe("usage without controls", () => {
  it.each(talks)("%s: input is a quarter of the prompt's bytes, rounded up; output is the words on the wire", async (path) => {
    const { status, json } = await post(sandbox.url, path, ask(path, "Grüße an alle, über 🌍!"));
    expect(status).toBe(200);
    // "Grüße an alle, über 🌍!" has 19 ASCII bytes, three letters of two bytes, one of four: by hand.
    const bytes = [..."Grüße an alle, über 🌍!"].reduce(
      (sum, letter) => sum + (letter === "🌍" ? 4 : letter.charCodeAt(0) > 127 ? 2 : 1),
      0,
    );
    const names = path === "/v1/chat/completions" ? ["prompt_tokens", "completion_tokens"] : ["input_tokens", "output_tokens"];
    expect(number(json, "usage", names[0] ?? "")).toBe(Math.ceil(bytes / 4));
    expect(number(json, "usage", names[1] ?? "")).toBe(wordsIn(path, json));
  });

  it("lengths follow a lognormal with a median near 150", async () => {
    const lengths: number[] = [];
    for (let index = 0; index < 400; index += 1) {
      const { json } = await post(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", `question ${index}`));
      lengths.push(number(json, "usage", "completion_tokens"));
    }
    const logs = lengths.map(Math.log).sort((a, b) => a - b);
    expect(Math.exp(logs[200] ?? 0)).toBeGreaterThan(125);
    expect(Math.exp(logs[200] ?? 0)).toBeLessThan(180);
    const mean = logs.reduce((sum, value) => sum + value, 0) / 400;
    const deviation = Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400);
    expect(deviation).toBeGreaterThan(0.7);
    expect(deviation).toBeLessThan(0.9);
  });

  it.each([
    ["/v1/chat/completions", { max_tokens: 3 }, ["choices", 0, "finish_reason"], "length", ["usage", "completion_tokens"]],
    ["/v1/responses", { max_output_tokens: 3 }, ["status"], "incomplete", ["usage", "output_tokens"]],
    ["/v1/messages", { max_tokens: 3 }, ["stop_reason"], "max_tokens", ["usage", "output_tokens"]],
  ] as const)("%s: the cap holds and is said", async (path, cap, finishAt, finish, outputAt) => {
    const { json } = await post(sandbox.url, path, ask(path, "hello", cap));
    expect(at(json, ...finishAt)).toBe(finish);
    expect(number(json, ...outputAt)).toBe(3);
    expect(wordsIn(path, json)).toBe(3);
  });

  it("n choices are all counted", async () => {
    const { json } = await post(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", "hello", { n: 3 }));
    const choices = at(json, "choices") as readonly unknown[];
    const words = choices.reduce<number>((sum, choice) => sum + String(at(choice, "message", "content")).split(" ").length, 0);
    expect(choices).toHaveLength(3);
    expect(number(json, "usage", "completion_tokens")).toBe(words);
  });

  it("stops at a stop sequence, which Anthropic names", async () => {
    const chat = await post(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", "hello", { stop: [" asked"] }));
    expect(at(chat.json, "choices", 0, "message", "content")).toBe("This is Pennyworth's sandbox answering; no model was");
    expect(number(chat.json, "usage", "completion_tokens")).toBe(8);
    const message = await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hello", { stop_sequences: ["model"] }));
    expect(at(message.json, "stop_reason")).toBe("stop_sequence");
    expect(at(message.json, "stop_sequence")).toBe("model");
    expect(number(message.json, "usage", "output_tokens")).toBe(6);
  });
});

describe("streams", () => {
  it("chat: pieces make the JSON answer's text; usage comes only when asked for, once, before [DONE]", async () => {
    const body = ask("/v1/chat/completions", "a stream");
    const { json } = await post(sandbox.url, "/v1/chat/completions", body);
    const silent = await stream(sandbox.url, "/v1/chat/completions", body);
    const text = silent.map((event) => at(event, "choices", 0, "delta", "content") ?? "").join("");
    expect(text).toBe(at(json, "choices", 0, "message", "content"));
    expect(silent.filter((event) => at(event, "usage") !== undefined)).toHaveLength(0);
    const telling = await stream(sandbox.url, "/v1/chat/completions", { ...body, stream_options: { include_usage: true } });
    expect(telling.at(-1)).toBe("[DONE]");
    expect(at(telling.at(-2), "choices")).toEqual([]);
    expect(at(telling.at(-2), "usage")).toEqual(at(json, "usage"));
    expect(telling.slice(0, -2).every((event) => at(event, "usage") === null)).toBe(true);
  });

  it("responses: numbered events, and the last one is the JSON answer", async () => {
    const body = ask("/v1/responses", "a stream");
    const { json } = await post(sandbox.url, "/v1/responses", body);
    const events = await stream(sandbox.url, "/v1/responses", body);
    expect(events.map((event) => at(event, "sequence_number"))).toEqual(events.map((_, index) => index));
    expect(at(events.at(-1), "type")).toBe("response.completed");
    expect(at(events.at(-1), "response", "usage")).toEqual(at(json, "usage"));
    const text = events.filter((event) => at(event, "type") === "response.output_text.delta").map((event) => at(event, "delta"));
    expect(text.join("")).toBe(at(json, "output", 0, "content", 0, "text"));
  });

  it("messages: the opening output count is a placeholder, the delta is final and has no split of writes", async () => {
    const body = ask("/v1/messages", "a stream");
    const headers = { "x-sandbox-cache-write-5m-tokens": "30", "x-sandbox-cache-write-1h-tokens": "12" };
    const { json } = await post(sandbox.url, "/v1/messages", body, headers);
    const events = await stream(sandbox.url, "/v1/messages", body, headers);
    expect(number(events[0], "message", "usage", "output_tokens")).toBe(1);
    expect(at(events[0], "message", "usage", "cache_creation")).toEqual({ ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 12 });
    const delta = events.find((event) => at(event, "type") === "message_delta");
    expect(number(delta, "usage", "output_tokens")).toBe(number(json, "usage", "output_tokens"));
    expect(number(delta, "usage", "cache_creation_input_tokens")).toBe(42);
    expect(at(delta, "usage", "cache_creation")).toBeUndefined();
    expect(at(events.at(-1), "type")).toBe("message_stop");
    const text = events.filter((event) => at(event, "delta", "type") === "text_delta").map((event) => at(event, "delta", "text"));
    expect(text.join("")).toBe(at(json, "content", 0, "text"));
  });
});

it("a stream far larger than one portion arrives whole", async () => {
  const headers = { "x-sandbox-output-tokens": "20000", "x-sandbox-chunk-tokens": "1", "x-sandbox-id": "large" };
  const events = await stream(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", "much"), headers);
  expect(events).toHaveLength(20_003);
  const row = sandbox.witness.calls.find((call) => call.client === "large");
  expect([row?.status, row?.eventsSent, row?.tokensSent]).toEqual(["answered", 20_003, 20_000]);
});

describe("determinism", () => {
  it("one request answers alike whatever came before, however it is written; another seed answers otherwise", async () => {
    const [again, other] = [await startSandbox({ seed: 7 }), await startSandbox({ seed: 8 })];
    const body = ask("/v1/chat/completions", "the same question");
    const content = async (url: string) => at((await post(url, "/v1/chat/completions", body)).json, "choices", 0, "message", "content");
    await post(again.url, "/v1/chat/completions", ask("/v1/chat/completions", "something before"));
    expect(await content(again.url)).toBe(await content(sandbox.url));
    expect(await content(other.url)).not.toBe(await content(sandbox.url));
    const ids = [sandbox, again].map(({ witness }) => witness.calls.map((call) => call.responseId));
    expect(new Set(ids.flat()).size).toBe(ids.flat().length);
    await Promise.all([again.close(), other.close()]);
  });
});

describe("other endpoints", () => {
  it("embeddings: unit vectors, alike for equal texts, in base64 the same", async () => {
    const body = { model: "m", input: ["one", "two", "one"], dimensions: 8 };
    const { json } = await post(sandbox.url, "/v1/embeddings", body);
    const vectors = (at(json, "data") as readonly unknown[]).map((item) => at(item, "embedding") as readonly number[]);
    expect(vectors[0]).toEqual(vectors[2]);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect((vectors[0] ?? []).reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    expect(at(json, "usage")).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    const coded = await post(sandbox.url, "/v1/embeddings", { ...body, encoding_format: "base64" });
    const bytes = Buffer.from(String(at(coded.json, "data", 0, "embedding")), "base64");
    expect(Array.from({ length: 8 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(vectors[0]);
  });

  it("tokens are counted as the call will count them", async () => {
    const body = ask("/v1/messages", "count these tokens, please", { system: "You are brief.", tools: [{ name: "t", input_schema: {} }] });
    const counted = await post(sandbox.url, "/v1/messages/count_tokens", body);
    const called = await post(sandbox.url, "/v1/messages", body);
    expect(number(counted.json, "input_tokens")).toBe(number(called.json, "usage", "input_tokens"));
  });

  it("models are listed in the client's format", async () => {
    const openai = (await (await fetch(`${sandbox.url}/v1/models`)).json()) as object;
    expect(at(openai, "object")).toBe("list");
    const anthropic = (await (
      await fetch(`${sandbox.url}/v1/models`, { headers: { "anthropic-version": "2023-06-01" } })
    ).json()) as object;
    expect(at(anthropic, "has_more")).toBe(false);
  });

  it("responses are fetched, cancelled and deleted by id; a cancelled one has no usage and was not served", async () => {
    const { json } = await post(sandbox.url, "/v1/responses", ask("/v1/responses", "keep this"));
    const path = `${sandbox.url}/v1/responses/${String(json["id"])}`;
    expect(await (await fetch(path)).json()).toEqual(json);
    expect((await fetch(path, { method: "DELETE" })).status).toBe(200);
    expect((await fetch(path)).status).toBe(404);
    const slow = { "x-sandbox-delay-ms": "60000" };
    const background = await post(sandbox.url, "/v1/responses", ask("/v1/responses", "later", { background: true }), slow);
    expect(at(background.json, "status")).toBe("queued");
    expect(at(background.json, "usage")).toBeNull();
    const cancelled = await post(sandbox.url, `/v1/responses/${String(background.json["id"])}/cancel`, "");
    expect(at(cancelled.json, "status")).toBe("cancelled");
    const later = (await (await fetch(`${sandbox.url}/v1/responses/${String(background.json["id"])}`)).json()) as object;
    expect([at(later, "status"), at(later, "usage")]).toEqual(["cancelled", null]);
    expect(sandbox.witness.calls.find((call) => call.responseId === background.json["id"])?.usage).toBeNull();
    const quick = await post(sandbox.url, "/v1/responses", ask("/v1/responses", "soon", { background: true }));
    const done = (await (await fetch(`${sandbox.url}/v1/responses/${String(quick.json["id"])}`)).json()) as object;
    expect(at(done, "status")).toBe("completed");
    expect(number(done, "usage", "total_tokens")).toBe(number(done, "usage", "input_tokens") + number(done, "usage", "output_tokens"));
  });
});

describe("bad input gets a clear 400, never a crash", () => {
  const bodies: readonly unknown[] = [
    "",
    "{",
    "[]",
    "null",
    "\u0000\u0001\ufffd",
    "[".repeat(100_000),
    {},
    { model: 7, messages: [], input: [] },
    { model: "m", max_tokens: 5, messages: "hello", input: 7 },
    { model: "m", max_tokens: 5, messages: [null], input: [null] },
    { model: "m", max_tokens: 5, messages: [{ role: "user", content: 7 }], input: [{ role: "user", content: 7 }] },
    { model: "m", max_tokens: -1, max_output_tokens: -1, messages: [{ role: "user", content: "x" }], input: "x" },
    { model: "m", max_tokens: 5, stream: "yes", messages: [{ role: "user", content: "x" }], input: "x" },
    { model: "m", max_tokens: 5, tools: [7], messages: [{ role: "user", content: "x" }], input: "x" },
    `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],"input":"x","tools":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    `{"model":"m","max_tokens":5,"input":"x","messages":[{"role":"user","content":${'[{"content":'.repeat(20_000)}"x"${"}]".repeat(20_000)}}]}`.replace(
      '"input":"x"',
      '"input":7',
    ),
    { model: "m", max_tokens: 5, temperature: "hot", messages: [{ role: "user", content: "x" }], input: "x" },
  ];

  it.each(talks)("%s", async (path) => {
    for (const body of bodies) {
      const { status, json } = await post(sandbox.url, path, body);
      expect([status, at(json, "error", "type")], JSON.stringify(body).slice(0, 80)).toEqual([400, "invalid_request_error"]);
    }
  });

  it("bytes that are no HTTP, headers without end and a body cut short leave it standing", async () => {
    const { hostname, port } = new URL(sandbox.url);
    const before = sandbox.witness.totals.unfinished;
    const cases = [
      "\u0016\u0003\u0001 nonsense\r\n\r\n",
      `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${"a".repeat(100_000)}\r\n\r\n`,
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"model":',
    ];
    for (const bytes of cases) {
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket.on("error", () => undefined).resume();
      await once(socket, "close");
    }
    await expect.poll(() => sandbox.witness.totals.unfinished).toBe(before + 1);
    expect((await post(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", "still there?"))).status).toBe(200);
  });

  it("unknown paths and wrong methods are named", async () => {
    expect((await post(sandbox.url, "/v1/nothing", {})).status).toBe(404);
    expect((await fetch(`${sandbox.url}/v1/messages`)).status).toBe(405);
  });
});

describe("the house", () => {
  /** Others' readers, by which tests read what the sandbox writes. */
  const decoders = new Set(["@smithy/eventstream-codec"]);

  it("imports nothing of Pennyworth outside its folder: it is an independent witness", () => {
    const folder = import.meta.dirname;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
      const source = readFileSync(join(folder, file), "utf8");
      const imported = [...source.matchAll(/^(?:import|\} from|export .* from)\b[^"\n]*"([^"]+)";$/gm)].map((match) => match[1] ?? "");
      if (source.includes("\nimport ")) expect(imported, file).not.toEqual([]);
      expect(
        imported.filter((name) => !/^(\.\/[a-z.]+|node:[a-z_/]+|vitest)$/.test(name) && !(file.endsWith(".test.ts") && decoders.has(name))),
        file,
      ).toEqual([]);
    }
  });

  it("runs as a process: one line with its address, and ends on SIGTERM", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "main.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { url: string };
    expect((await post(url, "/v1/responses", ask("/v1/responses", "hi"))).status).toBe(200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
