// OpenAI's further formats and Azure's dress over real HTTP: older completions, images, audio, reported cost. Expected numbers are written by
// hand, or taken from the controls; every answer's numbers are held against the witness's row.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, at, number, post, readEvents, stream } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import type { WitnessedCall } from "./witness.ts";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

const latest = (): WitnessedCall => {
  const row = sandbox.witness.calls.at(-1);
  if (row === undefined) throw new Error("the witness has no calls");
  return row;
};

async function upload(path: string, fields: Record<string, string>, field: string, bytes: number, headers: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set(field, new File([new Uint8Array(bytes)], "file.bin"));
  return fetch(sandbox.url + path, { method: "POST", body: form, headers });
}

describe("older completions", () => {
  const path = "/v1/completions";

  it("count every choice of every prompt", async () => {
    const { json } = await post(sandbox.url, path, { model: "gpt-3.5-turbo-instruct", prompt: ["12345678", "1234"], n: 2, max_tokens: 5 });
    expect((at(json, "choices") as readonly unknown[]).length).toBe(4);
    expect(at(json, "usage")).toEqual({ prompt_tokens: 3, completion_tokens: 20, total_tokens: 23 });
    expect(at(json, "choices", 0, "finish_reason")).toBe("length");
    expect(latest().usage).toMatchObject({ input: 3, output: 20 });
  });

  it("stream the same, with usage at the end where it was asked for", async () => {
    const body = { model: "m", prompt: [1, 2, 3] };
    const { json } = await post(sandbox.url, path, body);
    expect(number(json, "usage", "prompt_tokens")).toBe(3);
    const events = await stream(sandbox.url, path, { ...body, stream_options: { include_usage: true } });
    expect(events.at(-1)).toBe("[DONE]");
    expect(at(events.at(-2), "usage")).toEqual(at(json, "usage"));
    expect(events.map((event) => at(event, "choices", 0, "text") ?? "").join("")).toBe(at(json, "choices", 0, "text"));
    expect(latest().tokensSent).toBe(number(json, "usage", "completion_tokens"));
    const failed = await stream(sandbox.url, path, body, { "x-sandbox-finish": "failed" });
    expect(at(failed.at(-1), "error", "type")).toBe("server_error");
  });
});

const withUsage = (events: readonly unknown[]): unknown[] =>
  events.filter((event) => typeof event === "object" && event !== null && "usage" in event && event.usage !== null);

describe("usage that nobody asked for", () => {
  const path = "/v1/chat/completions";
  const headers = { "x-sandbox-stream-usage": "sent" };

  it("comes with the last choice, once, and is the usage that was served", async () => {
    const events = await stream(sandbox.url, path, { model: "m", messages: [{ role: "user", content: "hi" }], n: 2 }, headers);
    const [last, ...more] = withUsage(events);
    expect(more).toEqual([]);
    expect(events.at(-2)).toBe(last);
    expect(last).toMatchObject({ choices: [{ index: 1, finish_reason: "stop" }] });
    const { input = 0, output = 0 } = latest().usage ?? {};
    expect(last).toMatchObject({ usage: { prompt_tokens: input, completion_tokens: output } });
    expect(latest().usageSent).toBe(true);
  });

  it("is said once where it was asked for, and not where it is to be missing", async () => {
    const body = { model: "m", messages: [{ role: "user", content: "hi" }] };
    expect(withUsage(await stream(sandbox.url, path, { ...body, stream_options: { include_usage: true } }, headers))).toHaveLength(1);
    expect(withUsage(await stream(sandbox.url, path, body, { ...headers, "x-sandbox-usage": "missing" }))).toHaveLength(0);
    expect((await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), headers)).status).toBe(400);
  });
});

describe("a reported cost", () => {
  const path = "/v1/chat/completions";

  it.each(["0.00123", "1.2e-05", "0"])("%s is written as given, whole and streamed", async (cost) => {
    const options = { stream_options: { include_usage: true } };
    const whole = await fetch(sandbox.url + path, {
      method: "POST",
      body: JSON.stringify(ask(path, "hi")),
      headers: { "x-sandbox-cost": cost },
    });
    expect(await whole.text()).toContain(`,"cost":${cost}}`);
    const body = JSON.stringify(ask(path, "hi", { ...options, stream: true }));
    const streamed = await (await fetch(sandbox.url + path, { method: "POST", body, headers: { "x-sandbox-cost": cost } })).text();
    expect(streamed.split(`"cost":${cost}}`)).toHaveLength(2);
    const said = `hi [[sandbox cost=${cost}]]`;
    expect(number((await post(sandbox.url, path, ask(path, said))).json, "usage", "cost")).toBe(Number(cost));
  });

  it("means nothing elsewhere, and must be a number", async () => {
    expect((await post(sandbox.url, "/v1/messages", ask("/v1/messages", "hi"), { "x-sandbox-cost": "1" })).status).toBe(400);
    for (const cost of ["-1", "NaN", "1e", "0x1", "01"])
      expect((await post(sandbox.url, path, ask(path, "hi"), { "x-sandbox-cost": cost })).status).toBe(400);
  });
});

describe("images", () => {
  const path = "/v1/images/generations";

  it("of models that count tokens: by size and quality, times n", async () => {
    const { json } = await post(sandbox.url, path, { model: "gpt-image-1", prompt: "12345678", n: 2, quality: "low", size: "1024x1536" });
    expect(at(json, "usage")).toEqual({
      input_tokens: 2,
      input_tokens_details: { text_tokens: 2, image_tokens: 0 },
      output_tokens: 816,
      output_tokens_details: { text_tokens: 0, image_tokens: 816 },
      total_tokens: 818,
    });
    expect((at(json, "data") as readonly unknown[]).length).toBe(2);
    expect(latest()).toMatchObject({ usage: { input: 2, output: 0, output_image: 816 }, usageSent: true, tokensSent: 816 });
  });

  it("stream previews and one end, which has the usage", async () => {
    const body = { model: "gpt-image-1", prompt: "x", quality: "low", size: "1024x1024", partial_images: 2 };
    const events = await stream(sandbox.url, path, body);
    expect(events.map((event) => at(event, "type"))).toEqual([
      "image_generation.partial_image",
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
    // 272 for the picture, 100 for each preview.
    expect(number(events.at(-1), "usage", "output_tokens")).toBe(472);
    expect(latest()).toMatchObject({ tokensSent: 472, usage: { output_image: 472 } });
  });

  it("edits come as a form; pictures in the prompt count apart", async () => {
    const response = await upload("/v1/images/edits", { model: "gpt-image-1", prompt: "12345678" }, "image[]", 10, {
      "x-sandbox-image-input-tokens": "194",
      "x-sandbox-output-tokens": "50",
    });
    expect(at(await response.json(), "usage")).toMatchObject({
      input_tokens: 196,
      input_tokens_details: { text_tokens: 2, image_tokens: 194 },
      total_tokens: 246,
    });
    expect(latest()).toMatchObject({ model: "gpt-image-1", usage: { input: 2, input_image: 194, output_image: 50 } });
    expect((await post(sandbox.url, "/v1/images/edits", { prompt: "x" })).status).toBe(400);
    expect((await upload("/v1/images/edits", { prompt: "x" }, "other", 1)).status).toBe(400);
  });

  it("of older models are counted themselves, and the answer says nothing of it", async () => {
    const { json } = await post(sandbox.url, path, { model: "dall-e-3", prompt: "a long prompt", n: 1 });
    expect(at(json, "usage")).toBeUndefined();
    expect(at(json, "data", 0, "url")).toContain("https://");
    expect(latest()).toMatchObject({ claim: "missing", usageSent: false, usage: { input: 0, output_image: 0, images: 1 } });
  });
});

describe("audio", () => {
  const path = "/v1/audio/transcriptions";

  it("is heard by tokens or by seconds", async () => {
    const headers = { "x-sandbox-audio-input-tokens": "40", "x-sandbox-input-tokens": "45", "x-sandbox-output-tokens": "9" };
    const tokens = await upload(path, { model: "gpt-4o-transcribe" }, "file", 1000, headers);
    expect(at(await tokens.json(), "usage")).toEqual({
      type: "tokens",
      input_tokens: 45,
      input_token_details: { text_tokens: 5, audio_tokens: 40 },
      output_tokens: 9,
      total_tokens: 54,
    });
    expect(latest().usage).toMatchObject({ input: 5, input_audio: 40, output: 9 });
    const seconds = await upload(path, { model: "whisper-1" }, "file", 64_001);
    expect(at(await seconds.json(), "usage")).toEqual({ type: "duration", seconds: 3 });
    expect(latest().usage).toMatchObject({ input: 0, input_audio: 0, output: 0, audio_seconds: 3 });
    const asked = await upload(path, { model: "any" }, "file", 1, { "x-sandbox-audio-usage": "duration", "x-sandbox-audio-seconds": "61" });
    expect(at(await asked.json(), "usage")).toEqual({ type: "duration", seconds: 61 });
    const plain = await upload(path, { model: "whisper-1", response_format: "text" }, "file", 1);
    expect(plain.headers.get("content-type")).toContain("text/plain");
    expect(latest()).toMatchObject({ claim: "missing", usage: { audio_seconds: 1 } });
  });

  it("streams its text, usage at the end", async () => {
    const response = await upload(path, { model: "gpt-4o-transcribe", stream: "true" }, "file", 100, { "x-sandbox-output-tokens": "12" });
    const events = readEvents(await response.text());
    expect(at(events.at(-1), "type")).toBe("transcript.text.done");
    expect(number(events.at(-1), "usage", "output_tokens")).toBe(12);
    const deltas = events.slice(0, -1).map((event) => at(event, "delta"));
    expect(deltas.join("")).toBe(at(events.at(-1), "text"));
    expect(latest()).toMatchObject({ streamed: true, tokensSent: 12, usage: { input_audio: 10, output: 12 } });
  });

  it("is spoken as bytes that say nothing of usage, or as events that do", async () => {
    const body = { model: "gpt-4o-mini-tts", input: "12345678", voice: "alloy" };
    const headers = { "x-sandbox-output-tokens": "20" };
    const response = await fetch(`${sandbox.url}/v1/audio/speech`, { method: "POST", body: JSON.stringify(body), headers });
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    expect((await response.arrayBuffer()).byteLength).toBe(latest().bytes);
    expect(latest()).toMatchObject({ claim: "missing", usageSent: false, usage: { input: 2, output: 0, output_audio: 20 } });
    const sse = await fetch(`${sandbox.url}/v1/audio/speech`, {
      method: "POST",
      body: JSON.stringify({ ...body, stream_format: "sse" }),
      headers,
    });
    const last = readEvents(await sse.text()).at(-1);
    expect(last).toEqual({ type: "speech.audio.done", usage: { input_tokens: 2, output_tokens: 20, total_tokens: 22 } });
    expect(latest()).toMatchObject({ claim: "true", usageSent: true, tokensSent: 20 });
    await post(sandbox.url, "/v1/audio/speech", { ...body, model: "tts-1" }).catch(() => undefined);
    expect(latest().usage).toMatchObject({ characters: 8, input: 0, output_audio: 0 });
  });
});

describe("azure", () => {
  const chat = "/openai/deployments/my-gpt/chat/completions";
  const body = { messages: [{ role: "user", content: "hi" }] };

  it("answers for a deployment with a dated model, filters first", async () => {
    const { json, status } = await post(sandbox.url, `${chat}?api-version=2024-10-21`, body, { "api-key": "secret" });
    expect([status, at(json, "model")]).toEqual([200, "gpt-4o-2024-08-06"]);
    expect(at(json, "prompt_filter_results", 0, "prompt_index")).toBe(0);
    expect(latest()).toMatchObject({ model: "my-gpt", credential: "api-key" });
    const named = await post(sandbox.url, `${chat}?api-version=1`, body, { "x-sandbox-served-model": "gpt-5-nano-2025-08-07" });
    expect(at(named.json, "model")).toBe("gpt-5-nano-2025-08-07");
    const events = await stream(sandbox.url, `${chat}?api-version=1`, { ...body, stream_options: { include_usage: true } });
    expect([at(events[0], "choices"), at(events[0], "model")]).toEqual([[], ""]);
    expect(at(events.at(-2), "usage")).toEqual(at(json, "usage"));
    expect((await post(sandbox.url, chat, body)).status).toBe(400);
  });

  it("says when a deployment spilled over", async () => {
    const headersOf = async (more: Record<string, string>) => {
      const response = await fetch(`${sandbox.url + chat}?api-version=1`, { method: "POST", body: JSON.stringify(body), headers: more });
      return ["x-ms-deployment-name", "x-ms-spillover-from-deployment", "x-ms-spillover-error"].map((name) => response.headers.get(name));
    };
    expect(await headersOf({})).toEqual(["my-gpt", null, null]);
    expect(await headersOf({ "x-sandbox-spillover": "on" })).toEqual(["my-gpt-spillover", "my-gpt", "429"]);
    expect((await post(sandbox.url, "/v1/chat/completions", { model: "m", ...body }, { "x-sandbox-spillover": "on" })).status).toBe(400);
  });

  it("has OpenAI's paths under /openai/v1, and with a version under /openai", async () => {
    const made = await post(sandbox.url, "/openai/v1/responses", { model: "my-gpt", input: "hi" });
    expect(at(made.json, "model")).toBe("gpt-4o-2024-08-06");
    const kept = await fetch(`${sandbox.url}/openai/responses/${String(made.json["id"])}?api-version=1`);
    expect(await kept.json()).toEqual(made.json);
    expect((await post(sandbox.url, "/openai/responses", { model: "m", input: "hi" })).status).toBe(400);
    expect((await post(sandbox.url, "/openai/v1/nothing", {})).status).toBe(404);
    const embedded = await post(sandbox.url, "/openai/deployments/emb/embeddings?api-version=1", { input: "1234" });
    expect([at(embedded.json, "model"), number(embedded.json, "usage", "prompt_tokens")]).toEqual(["text-embedding-3-small", 1]);
  });
});
