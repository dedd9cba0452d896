// Gemini and Vertex over real HTTP. Expected numbers are written by hand from the controls, or added up here from what came over the wire;
// what the witness says is held against them.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, number, post, readEvents } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { WitnessedCall } from "./witness.ts";

const generate = "/v1beta/models/gemini-2.5-flash:generateContent";
const stream = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
const vertex = "/v1/projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-pro";
const claude = "/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929";
const say = (text: string, more: object = {}): object => ({ contents: [{ role: "user", parts: [{ text }] }], ...more });
const everything = {
  "x-sandbox-input-tokens": "1000",
  "x-sandbox-cache-read-tokens": "400",
  "x-sandbox-audio-input-tokens": "20",
  "x-sandbox-image-input-tokens": "30",
  "x-sandbox-tool-prompt-tokens": "40",
  "x-sandbox-output-tokens": "90",
  "x-sandbox-reasoning-tokens": "30",
  "x-sandbox-audio-output-tokens": "10",
};
let nowMs = Date.parse("2026-10-01T00:00:00Z");
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 7, now: () => nowMs });
});
afterAll(() => sandbox.close());

const last = (): WitnessedCall => {
  const row = sandbox.witness.calls.at(-1);
  if (row === undefined) throw new Error("the witness is empty");
  return row;
};
const textOf = (bodies: readonly unknown[]): string =>
  bodies
    .flatMap((body) => at(body, "candidates", 0, "content", "parts") as readonly unknown[])
    .filter((part) => at(part, "thought") !== true)
    .map((part) => at(part, "text") ?? "")
    .join("");
async function parts(path: string, body: object, headers: Record<string, string> = {}): Promise<readonly unknown[]> {
  const response = await fetch(sandbox.url + path, { method: "POST", body: JSON.stringify(body), headers });
  const text = await response.text();
  return path.includes("alt=sse") ? readEvents(text) : (JSON.parse(text) as readonly unknown[]);
}

const line = (text: string, key: string): object => ({ request: say(text), metadata: { key } });
const look = async (name: unknown): Promise<object> => (await (await fetch(`${sandbox.url}/v1beta/${String(name)}`)).json()) as object;

const fetchJson = async (name: string, method = "GET", body?: object) => {
  const response = await fetch(`${sandbox.url}/v1beta/${name}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as object };
};

const content = (text: string): object => ({ content: { parts: [{ text }] } });

describe("generateContent", () => {
  it("counts cached tokens in the prompt, thoughts beside the candidates, tools' prompts beside the prompt", async () => {
    const { json } = await post(sandbox.url, generate, say("hi"), { ...everything, "x-sandbox-web-searches": "2" });
    expect(at(json, "usageMetadata")).toEqual({
      promptTokenCount: 1000,
      candidatesTokenCount: 60,
      totalTokenCount: 1130,
      cachedContentTokenCount: 400,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 950 },
        { modality: "AUDIO", tokenCount: 20 },
        { modality: "IMAGE", tokenCount: 30 },
      ],
      cacheTokensDetails: [{ modality: "TEXT", tokenCount: 400 }],
      candidatesTokensDetails: [
        { modality: "TEXT", tokenCount: 50 },
        { modality: "AUDIO", tokenCount: 10 },
      ],
      toolUsePromptTokenCount: 40,
      toolUsePromptTokensDetails: [{ modality: "TEXT", tokenCount: 40 }],
      thoughtsTokenCount: 30,
    });
    expect(last().usage).toMatchObject({ input: 550, cache_read: 400, input_audio: 20, input_image: 30, tool_prompt: 40 });
    expect(last().usage).toMatchObject({ output: 50, reasoning: 30, output_audio: 10, web_search: 2 });
    expect([last().responseId, last().model, last().claim]).toEqual([json["responseId"], "gemini-2.5-flash", "true"]);
    expect(at(json, "candidates", 0, "content", "parts", 0, "thought")).toBe(true);
    expect(at(json, "candidates", 0, "groundingMetadata", "webSearchQueries")).toHaveLength(2);
    expect([json["modelVersion"], at(json, "candidates", 0, "finishReason")]).toEqual(["gemini-2.5-flash", "STOP"]);
  });

  it("names nothing that was not used", async () => {
    const { json } = await post(sandbox.url, generate, say("four"), { "x-sandbox-output-tokens": "0" });
    expect(at(json, "usageMetadata")).toEqual({
      promptTokenCount: 1,
      totalTokenCount: 1,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 1 }],
    });
  });

  it.each([
    ["missing", undefined],
    ["zero", { promptTokenCount: 0, candidatesTokenCount: 0, totalTokenCount: 0 }],
    ["wrong", { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 22 }],
  ])("x-sandbox-usage: %s", async (claim, usage) => {
    const headers = { "x-sandbox-usage": claim, "x-sandbox-input-tokens": "10", "x-sandbox-output-tokens": "5" };
    const { json } = await post(sandbox.url, generate, say("hi"), headers);
    if (usage === undefined) expect(json).not.toHaveProperty("usageMetadata");
    else expect(at(json, "usageMetadata")).toMatchObject(usage);
    expect([last().claim, last().usage?.input, last().usage?.output]).toEqual([claim, 10, 5]);
  });

  it("takes the names of protocol buffers, caps, candidates and stops", async () => {
    const snake = { generation_config: { max_output_tokens: 12, candidate_count: 2 }, system_instruction: { parts: [{ text: "four" }] } };
    const { json } = await post(sandbox.url, generate, say("12345678", snake), {});
    expect(at(json, "usageMetadata")).toMatchObject({ promptTokenCount: 3, candidatesTokenCount: 24, totalTokenCount: 27 });
    expect((at(json, "candidates") as readonly unknown[]).map((one) => at(one, "finishReason"))).toEqual(["MAX_TOKENS", "MAX_TOKENS"]);
    const stopped = await post(sandbox.url, generate, say("x", { generationConfig: { stopSequences: ["sandbox"] } }));
    expect(textOf([stopped.json])).toBe("This is Pennyworth's");
    expect(at(stopped.json, "usageMetadata", "candidatesTokenCount")).toBe(3);
  });

  it("calls a function that must be called, with arguments that fit a schema in capitals", async () => {
    const parameters = {
      type: "OBJECT",
      properties: { place: { type: "STRING" }, days: { type: "INTEGER" } },
      required: ["place", "days"],
    };
    const tools = [{ googleSearch: {} }, { functionDeclarations: [{ name: "weather", parameters }] }];
    const toolConfig = { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } };
    const { json } = await post(sandbox.url, generate, say("weather?", { tools, toolConfig }));
    expect(at(json, "candidates", 0, "content", "parts", 0, "functionCall")).toEqual({
      name: "weather",
      args: { place: "sandbox", days: 1 },
    });
    const events = await parts(`${stream}?alt=sse`, say("weather?", { tools, toolConfig }));
    expect(at(events.at(-1), "candidates", 0, "content", "parts", 0, "functionCall", "name")).toBe("weather");
    expect(at(events.at(-1), "usageMetadata")).toEqual(at(json, "usageMetadata"));
  });
});

describe("streamGenerateContent", () => {
  it.each([`${stream}?alt=sse`, stream])("%s says the same as the JSON answer, and counts up", async (path) => {
    const headers = { ...everything, "x-sandbox-chunk-tokens": "7" };
    const whole = await post(sandbox.url, generate, say("hi"), headers);
    const all = await parts(path, say("hi"), headers);
    expect(textOf(all)).toBe(textOf([whole.json]));
    expect(at(all.at(-1), "usageMetadata")).toEqual(at(whole.json, "usageMetadata"));
    expect(at(all.at(-1), "candidates", 0, "finishReason")).toBe("STOP");
    let before = -1;
    for (const part of all) {
      const candidates = (at(part, "usageMetadata", "candidatesTokenCount") ?? 0) as number;
      const sum = 1000 + 40 + candidates + number(part, "usageMetadata", "thoughtsTokenCount");
      expect(number(part, "usageMetadata", "totalTokenCount")).toBe(sum);
      expect(candidates).toBeGreaterThanOrEqual(before);
      before = candidates;
    }
    expect([last().tokensSent, last().eventsSent, last().usageSent, last().streamed]).toEqual([90, all.length, true, true]);
  });

  it("an array comes in parts of JSON; two candidates take turns", async () => {
    const response = await fetch(`${sandbox.url}${stream}`, {
      method: "POST",
      body: JSON.stringify(say("hi", { generationConfig: { candidateCount: 2, maxOutputTokens: 9 } })),
    });
    expect(response.headers.get("content-type")).toBe("application/json; charset=UTF-8");
    const all = JSON.parse(await response.text()) as readonly unknown[];
    expect(new Set(all.map((part) => at(part, "candidates", 0, "index")))).toEqual(new Set([0, 1]));
    expect(number(all.at(-1), "usageMetadata", "candidatesTokenCount")).toBe(18);
    expect(last().tokensSent).toBe(18);
  });

  it("breaks into an error when asked to, and is cut where asked to", async () => {
    const broken = await parts(stream, say("hi"), { "x-sandbox-finish": "failed", "x-sandbox-output-tokens": "40" });
    expect(at(broken.at(-1), "error", "status")).toBe("INTERNAL");
    expect([last().usageSent, last().tokensSent]).toEqual([false, 20]);
    await expect(parts(`${stream}?alt=sse`, say("hi"), { "x-sandbox-cut-after": "2", "x-sandbox-output-tokens": "40" })).rejects.toThrow();
    expect([last().status, last().tokensSent, last().usageSent]).toEqual(["cut", 8, false]);
  });
});

describe("Vertex", () => {
  it.each([
    ["on demand", {}, "ON_DEMAND"],
    ["dedicated", { "x-vertex-ai-llm-request-type": "dedicated" }, "PROVISIONED_THROUGHPUT"],
    ["priority", { "x-vertex-ai-llm-shared-request-type": "priority" }, "ON_DEMAND_PRIORITY"],
    ["spilled", { "x-vertex-ai-llm-request-type": "dedicated", "x-sandbox-served-tier": "on_demand" }, "ON_DEMAND"],
    ["flex", { "x-sandbox-served-tier": "flex" }, "ON_DEMAND_FLEX"],
  ])("%s traffic says what it was", async (_, headers, traffic) => {
    const { json } = await post(sandbox.url, `${vertex}:generateContent`, say("hi"), headers);
    expect(at(json, "usageMetadata", "trafficType")).toBe(traffic);
    const events = await parts(`${vertex}:streamGenerateContent?alt=sse`, say("hi"), headers);
    expect(events.length).toBeGreaterThan(2);
    expect(events.slice(0, -1).map((event) => at(event, "usageMetadata"))).toEqual(
      events.slice(0, -1).map(() => ({ trafficType: traffic })),
    );
    expect(at(events.at(-1), "usageMetadata")).toEqual(at(json, "usageMetadata"));
  });

  it("serves Anthropic's models by the path, whole and streamed", async () => {
    const body = { anthropic_version: "vertex-2023-10-16", max_tokens: 20, messages: [{ role: "user", content: "hi" }] };
    const { json } = await post(sandbox.url, `${claude}:rawPredict`, body);
    expect([json["type"], json["model"]]).toEqual(["message", "claude-sonnet-4-5@20250929"]);
    expect(at(json, "usage")).toMatchObject({ input_tokens: last().usage?.input, output_tokens: 20 });
    const response = await fetch(`${sandbox.url}${claude}:streamRawPredict`, {
      method: "POST",
      body: JSON.stringify({ ...body, stream: true }),
    });
    const events = readEvents(await response.text());
    expect(at(events[0], "message", "id")).toBe(last().responseId);
    expect([at(events.at(-1), "type"), last().model]).toEqual(["message_stop", "claude-sonnet-4-5@20250929"]);
    const counting = "/v1/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict";
    const counted = await post(sandbox.url, counting, { ...body, model: "claude-sonnet-4-5" });
    expect(counted.json["input_tokens"]).toBe(at(json, "usage", "input_tokens"));
    expect((await post(sandbox.url, `${claude}:rawPredict`, { max_tokens: 1 })).json["type"]).toBe("error");
  });
});

describe("errors are Google's", () => {
  it.each([
    [400, "INVALID_ARGUMENT"],
    [401, "UNAUTHENTICATED"],
    [403, "PERMISSION_DENIED"],
    [429, "RESOURCE_EXHAUSTED"],
    [500, "INTERNAL"],
    [503, "UNAVAILABLE"],
  ])("%d is %s, in a list where a list was asked for", async (status, name) => {
    const headers = { "x-sandbox-fail": String(status) };
    const plain = await post(sandbox.url, generate, say("hi"), headers);
    expect([plain.status, at(plain.json, "error", "code"), at(plain.json, "error", "status")]).toEqual([status, status, name]);
    const listed = await post(sandbox.url, stream, say("hi"), headers);
    expect([listed.status, at(listed.json, 0, "error", "status")]).toEqual([status, name]);
    const events = await post(sandbox.url, `${stream}?alt=sse`, say("hi"), headers);
    expect(at(events.json, "error", "status")).toBe(name);
    expect(last().usage).toBeNull();
  });

  it("for bad requests too, which never crash it", async () => {
    const bodies = ["", "[]", {}, { contents: [] }, { contents: "x" }, { contents: [7] }, { contents: [{ role: "user", parts: [7] }] }];
    const more = [say("x", { tools: 7 }), say("x", { generationConfig: { maxOutputTokens: -1 } }), say("x", { cachedContent: 7 })];
    for (const body of [...bodies, ...more]) {
      const { status, json } = await post(sandbox.url, generate, body);
      expect([status, at(json, "error", "status")], JSON.stringify(body)).toEqual([400, "INVALID_ARGUMENT"]);
    }
    expect(at((await post(sandbox.url, stream, {})).json, 0, "error", "code")).toBe(400);
    expect(at((await post(sandbox.url, "/v1beta/nothing", {})).json, "error", "status")).toBe("NOT_FOUND");
    const senseless = await post(sandbox.url, generate, say("hi"), { "x-sandbox-cache-write-5m-tokens": "5" });
    expect(at(senseless.json, "error", "message")).toContain("x-sandbox-cache-write-5m-tokens");
    const foreign = await post(sandbox.url, "/v1/embeddings", { model: "m", input: "x" }, { "x-sandbox-tool-prompt-tokens": "5" });
    expect(foreign.status).toBe(400);
  });
});

describe("counts and embeddings", () => {
  it("counts a prompt as the call will", async () => {
    const body = say("count these words", { systemInstruction: { parts: [{ text: "You are brief." }] } });
    const called = await post(sandbox.url, generate, body);
    const prompt = number(called.json, "usageMetadata", "promptTokenCount");
    const path = "/v1beta/models/gemini-2.5-flash:countTokens";
    expect(number((await post(sandbox.url, path, { generateContentRequest: body })).json, "totalTokens")).toBe(prompt);
    expect(number((await post(sandbox.url, `${vertex}:countTokens`, body)).json, "totalTokens")).toBe(prompt);
    expect(last().usage).toBeNull();
  });

  it("embeds one, many, and instances whose counts add up", async () => {
    const one = await post(sandbox.url, "/v1beta/models/e:embedContent", { ...content("12345678"), outputDimensionality: 3 });
    expect(at(one.json, "embedding", "values")).toHaveLength(3);
    expect([number(one.json, "usageMetadata", "promptTokenCount"), last().usage?.input]).toEqual([2, 2]);
    const requests = [content("12345678"), content("1234"), content("12345678")];
    const many = await post(sandbox.url, "/v1/models/e:batchEmbedContents", { requests });
    expect(at(many.json, "embeddings", 0)).toEqual(at(many.json, "embeddings", 2));
    expect([number(many.json, "usageMetadata", "promptTokenCount"), last().usage?.input]).toEqual([5, 5]);
    const instances = ["one", "another", "the third of them"].map((text) => ({ content: text }));
    const predicted = await post(sandbox.url, `${vertex}:predict`, { instances }, { "x-sandbox-input-tokens": "100" });
    const counts = [0, 1, 2].map((index) => number(predicted.json, "predictions", index, "embeddings", "statistics", "token_count"));
    expect([counts.reduce((sum, count) => sum + count, 0), last().usage?.input]).toEqual([100, 100]);
  });

  it("lists models, also where other APIs have the same path", async () => {
    const beta = (await (await fetch(`${sandbox.url}/v1beta/models`)).json()) as object;
    expect(at(beta, "models", 0, "name")).toMatch(/^models\//);
    const shared = (await (await fetch(`${sandbox.url}/v1/models/gemini-2.5-flash?key=k`)).json()) as object;
    expect(at(shared, "name")).toBe("models/gemini-2.5-flash");
  });
});

describe("cached contents", () => {
  const path = "/v1beta/cachedContents";
  const create = async (more: object): Promise<Record<string, unknown>> =>
    (await post(sandbox.url, path, { model: "models/gemini-2.5-flash", ...say("x".repeat(4000)), ...more })).json;

  it("are read from, changed, listed and deleted; what has expired is not found", async () => {
    const made = await create({ ttl: "60s", displayName: "long" });
    expect(made).toMatchObject({
      model: "models/gemini-2.5-flash",
      displayName: "long",
      createTime: "2026-10-01T00:00:00.000Z",
      expireTime: "2026-10-01T00:01:00.000Z",
      usageMetadata: { totalTokenCount: 1000 },
    });
    expect([last().responseId, last().usage]).toEqual([made["name"], null]);
    const name = String(made["name"]);
    const called = await post(sandbox.url, generate, say("four", { cachedContent: name }));
    expect(at(called.json, "usageMetadata")).toMatchObject({ promptTokenCount: 1001, cachedContentTokenCount: 1000 });
    expect(last().usage).toMatchObject({ input: 1, cache_read: 1000 });
    const other = await post(sandbox.url, "/v1beta/models/another:generateContent", say("x", { cachedContent: name }));
    expect(at(other.json, "error", "status")).toBe("INVALID_ARGUMENT");
    nowMs += 30_000;
    const changed = await fetchJson(name, "PATCH", { ttl: "120.5s" });
    expect(at(changed.json, "expireTime")).toBe("2026-10-01T00:02:30.500Z");
    expect(at((await fetchJson("cachedContents")).json, "cachedContents", 0, "name")).toBe(name);
    nowMs += 120_500;
    expect((await fetchJson(name)).status).toBe(403);
    expect((await post(sandbox.url, generate, say("x", { cachedContent: name }))).status).toBe(403);
    const dated = await create({ expireTime: "2026-11-01T00:00:00Z" });
    expect((await fetchJson(String(dated["name"]), "DELETE")).json).toEqual({});
    expect((await fetchJson(String(dated["name"]))).status).toBe(403);
    expect((await fetchJson("cachedContents")).json).toEqual({});
    expect((await post(sandbox.url, path, { model: "m", ...say("x"), ttl: "soon" })).status).toBe(400);
  });
});

describe("batches", () => {
  const path = "/v1beta/models/gemini-2.5-flash:batchGenerateContent";
  const begin = async (lines: readonly object[], headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
    (await post(sandbox.url, path, { batch: { displayName: "d", inputConfig: { requests: { requests: lines } } } }, headers)).json;

  it("are pending, running, done; each request is a row whose numbers are its answer's", async () => {
    const headers = { "x-sandbox-batch-polls": "2" };
    const begun = await begin([line("one", "a"), line("two [[sandbox fail=429]]", "b"), line("three", "c")], headers);
    expect([at(begun, "metadata", "state"), at(begun, "metadata", "batchStats", "requestCount")]).toEqual(["BATCH_STATE_PENDING", "3"]);
    const before = sandbox.witness.calls.length;
    expect(at(await look(begun["name"]), "metadata", "state")).toBe("BATCH_STATE_PENDING");
    expect(at(await look(begun["name"]), "metadata", "state")).toBe("BATCH_STATE_RUNNING");
    const done = await look(begun["name"]);
    expect([at(done, "metadata", "state"), at(done, "done")]).toEqual(["BATCH_STATE_SUCCEEDED", true]);
    expect(at(done, "metadata", "batchStats")).toEqual({ requestCount: "3", successfulRequestCount: "2", failedRequestCount: "1" });
    const answers = at(done, "response", "inlinedResponses", "inlinedResponses") as readonly unknown[];
    expect(answers).toEqual(at(done, "metadata", "output", "inlinedResponses", "inlinedResponses"));
    expect(answers.map((answer) => at(answer, "metadata", "key"))).toEqual(["a", "b", "c"]);
    expect(at(answers[1], "error", "code")).toBe(8);
    expect(await look(begun["name"])).toEqual(done);
    const rows = sandbox.witness.calls.slice(before).filter((row) => row.batch === begun["name"]);
    expect(rows.map((row) => row.usage === null)).toEqual([false, true, false]);
    for (const index of [0, 2]) {
      const usage = at(answers[index], "response", "usageMetadata");
      expect(rows[index]?.responseId).toBe(at(answers[index], "response", "responseId"));
      expect(rows[index]?.usage).toMatchObject({ input: number(usage, "promptTokenCount"), output: number(usage, "candidatesTokenCount") });
    }
  });

  it("serve nothing when they are cancelled, and are gone when deleted", async () => {
    const { name } = await begin([line("one", "a")]);
    expect((await post(sandbox.url, `/v1beta/${String(name)}:cancel`, "")).json).toEqual({});
    await look(name);
    expect(at(await look(name), "metadata", "state")).toBe("BATCH_STATE_CANCELLED");
    expect(sandbox.witness.calls.filter((row) => row.batch === name)).toEqual([]);
    await fetch(`${sandbox.url}/v1beta/${String(name)}`, { method: "DELETE" });
    expect(at(await look(name), "error", "status")).toBe("NOT_FOUND");
    expect(at((await post(sandbox.url, path, { batch: { inputConfig: { fileName: "files/x" } } })).json, "error", "code")).toBe(400);
  });
});
