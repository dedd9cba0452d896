// Audio: what OpenAI's reference and types say of requests, answers and events.

import { describe, expect, it } from "vitest";
import { audio } from "./audio.ts";
import { asked, counted, events, feed, feedSplit, size } from "./feed.fixture.ts";
import { head, line } from "./format.fixture.ts";

const tokens = {
  type: "tokens",
  input_tokens: 14,
  input_token_details: { text_tokens: 4, audio_tokens: 10 },
  output_tokens: 45,
  total_tokens: 59,
};
const answer = (value: object) => audio.answer(JSON.stringify(value), head());

describe("a transcript", () => {
  it("counts tokens, what was heard apart from what was said beside it", () => {
    const facts = answer({ text: "Grüße", usage: tokens });
    expect(counted(facts)).toEqual({ input: 4, input_audio: 10, output: 45 });
    expect(facts).toMatchObject({ complete: true, doubts: [], outputBytes: Buffer.byteLength("Grüße") });
    expect(facts.usage?.raw).toBe(JSON.stringify(tokens));
  });

  it("counts seconds", () => {
    expect(counted(answer({ text: "a", usage: { type: "duration", seconds: 9 } }))).toEqual({ input_audio_seconds: 9 });
    const part = answer({ text: "a", usage: { type: "duration", seconds: 8.2 } });
    expect(counted(part)).toEqual({ input_audio_seconds: 9 });
    expect(part.doubts).toEqual(["seconds is 8.2: counted as 9"]);
  });

  it("with both is billed by its tokens", () => {
    const facts = answer({ text: "a", usage: { cost: 0.000508, input_tokens: 83, output_tokens: 30, seconds: 9.2, total_tokens: 113 } });
    expect(counted(facts)).toEqual({ input: 83, output: 30 });
    expect(facts).toMatchObject({ cost: "0.000508", doubts: [] });
  });

  it("of Mistral counts seconds beside tokens", () => {
    const usage = { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3264 };
    expect(counted(answer({ text: "a", usage }))).toEqual({ input: 4, output: 635, input_audio_seconds: 203 });
  });

  it("without a usage may say how long it was, and else nothing is known", () => {
    const long = answer({ text: "a", duration: 8.47 });
    expect(counted(long)).toEqual({ input_audio_seconds: 9 });
    expect(long.doubts).toHaveLength(2);
    expect(answer({ text: "a" })).toMatchObject({ usage: null, complete: true, outputBytes: 1 });
  });

  it.each(["text/plain", "application/x-subrip", "text/vtt"])("in %s is text, and says nothing of its usage", (type) => {
    expect(audio.answer("WEBVTT\n\nhällo", head(type))).toMatchObject({ usage: null, complete: true, outputBytes: 14, doubts: [] });
  });

  it.each([[-1], ["9"], [1e9], [{}]])("of %j seconds is in doubt", (seconds) => {
    const facts = answer({ usage: { type: "duration", seconds } });
    expect(facts.usage).toBeNull();
    expect(facts.doubts?.[0]).toContain("seconds is not a number of seconds");
  });

  it.each(["", "null", "[]", "{", "<html>", "{}", '{"error":{"code":"invalid_value"}}', '{"usage":[]}'])("never throws on %j", (text) => {
    expect(audio.answer(text, head()).usage).toBeNull();
  });

  it("that fails names its error", () => {
    expect(audio.answer('{"error":{"code":"invalid_value","message":"Ann"}}', head("application/json", {}, 400)).error).toBe(
      "invalid_value",
    );
  });
});

const delta = (text: string): object => ({ type: "transcript.text.delta", delta: text });

describe("a stream of a transcript", () => {
  it("is metered by the event that is done, which is held", () => {
    const done = { type: "transcript.text.done", text: "Hé you", usage: tokens };
    const fed = feedSplit(audio, events(delta("Hé"), delta(" you"), done));
    expect(counted(fed.facts)).toEqual({ input: 4, input_audio: 10, output: 45 });
    expect(fed.facts).toMatchObject({ complete: true, outputBytes: 7, doubts: [], usage: { source: "reported" } });
    expect(Buffer.from(fed.held, "latin1").toString()).toBe(events(done));
    expect(fed.started).toBe(true);
  });

  it("of Mistral has names of its own", () => {
    const usage = { prompt_audio_seconds: 5, prompt_tokens: 4, completion_tokens: 3, total_tokens: 70 };
    const done = { type: "transcription.done", model: "voxtral-mini-2602", text: "a b", usage };
    const fed = feedSplit(audio, events({ type: "transcription.text.delta", text: "a b" }, done));
    expect(counted(fed.facts)).toEqual({ input: 4, output: 3, input_audio_seconds: 5 });
    expect(fed.facts).toMatchObject({ complete: true, outputBytes: 3, doubts: [] });
    expect(fed.held).toBe(events(done));
  });

  it("that breaks off, or fails, says so", () => {
    expect(feedSplit(audio, events(delta("a"))).facts).toMatchObject({ complete: false, usage: null, outputBytes: 1 });
    expect(feedSplit(audio, events(delta("a"), { type: "error", error: { code: "server_error" } })).facts).toMatchObject({
      complete: true,
      error: "server_error",
    });
    expect(feedSplit(audio, "data: {broken\n\n").facts.doubts).toHaveLength(1);
  });
});

describe("speech", () => {
  it("in events counts what is heard as audio tokens", () => {
    const done = { type: "speech.audio.done", usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } };
    const fed = feedSplit(audio, events({ type: "speech.audio.delta", audio: "AAAA".repeat(50) }, done));
    expect(counted(fed.facts)).toEqual({ input: 14, output_audio: 101 });
    expect(fed.facts).toMatchObject({ complete: true, outputBytes: 0, doubts: [] });
    expect(fed.held).toBe(events(done));
    expect(fed.started).toBe(true);
  });

  it("as sound passes at once, as it came, and is unknown", () => {
    const sound = { hideUsage: false, head: head("audio/mpeg") };
    const stream = audio.stream(sound);
    expect(stream.started).toBe(false);
    const chunk = Buffer.from('data: {"error":1}\n\n\x00\xff', "latin1");
    const passed = stream.push(chunk);
    expect(passed[0]).toBe(chunk);
    expect(stream.facts().complete).toBe(false);
    expect([stream.end(), stream.held]).toEqual([[], []]);
    expect(stream.facts()).toMatchObject({ complete: true, usage: null, outputBytes: 0, error: null });
    expect(stream.facts().doubts).toHaveLength(1);
    expect(feed(audio, [chunk, chunk], sound).out).toBe(chunk.toString("latin1").repeat(2));
  });

  it.each([
    ["audio/mpeg", false, 200, true],
    ["application/octet-stream", false, 200, true],
    ["text/event-stream", true, 200, true],
    ["application/json", true, 200, false],
    ["application/json", false, 400, false],
    ["audio/mpeg", false, 500, false],
    ["text/plain", false, 200, false],
  ])("%s, asked %s, status %s, is a stream: %s", (type, wanted, status, expected) => {
    expect(audio.isStream(head(type, {}, status), wanted)).toBe(expected);
  });
});

describe("a request", () => {
  it("to speak is read as JSON", () => {
    const facts = asked(audio, { model: "gpt-4o-mini-tts", input: "hello", instructions: "calmly", voice: "v", stream_format: "sse" });
    expect(facts).toMatchObject({ model: "gpt-4o-mini-tts", streamed: true, cap: null, choices: 1, unbounded: null });
    expect(facts.promptBytes).toMatchObject({ user: size("hello"), system: size("calmly") });
  });

  it("to listen is a form, whose file is not looked at", async () => {
    const form = new FormData();
    form.append("file", new Blob([new Uint8Array(50_000)]), "a.mp3");
    form.append("model", "gpt-4o-transcribe");
    form.append("prompt", "names: Ann");
    form.append("stream", "true");
    const response = new Response(form);
    const type = response.headers.get("content-type") ?? "";
    const facts = audio.request(Buffer.from(await response.arrayBuffer()), { ...line("/v1/audio/transcriptions"), type });
    expect(facts).toMatchObject({
      model: "gpt-4o-transcribe",
      modelSpan: null,
      streamed: true,
      unbounded: "media of unknown tokens: audio",
      promptBytes: { user: 10, system: 0 },
    });
  });
});
