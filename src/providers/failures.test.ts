// Known failures of other tools that concern reading answers, each named after its symptom, and the fixtures that stand in for recordings.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { following, head } from "./format.fixture.ts";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import type { AnswerFacts, Format } from "./format.ts";
import { responses } from "./responses.ts";

const fixture = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../../test/fixtures/streams/${name}.txt`, import.meta.url)));
const counted = ({ usage }: AnswerFacts): Quantities | null => (usage === null ? null : totalQuantities(usage));

function feed(format: Format, body: Buffer | string, pieces = 1, hide = false): { facts: AnswerFacts; out: string; held: string } {
  const bytes = Buffer.from(body);
  const stream = format.stream(following(hide));
  const out: Buffer[] = [];
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let at = 0; at < bytes.length; at += size) out.push(...stream.push(bytes.subarray(at, at + size)));
  const rest = stream.end();
  return { facts: stream.facts(), out: Buffer.concat(out).toString(), held: Buffer.concat([...stream.held, ...rest]).toString() };
}

const events = (...all: readonly object[]): string => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
const chunk = (n: number, finish: string | null): object => ({
  id: "c",
  model: "m",
  choices: [{ delta: { content: "x" }, finish_reason: finish }],
  usage: { prompt_tokens: 11, completion_tokens: n, total_tokens: 11 + n },
});
const chatAnswer = (usage: unknown, content = "hello"): AnswerFacts =>
  chat.answer(JSON.stringify({ id: "c", model: "m", choices: [{ message: { content }, finish_reason: "stop" }], usage }), head());
const message = (usage: unknown): AnswerFacts =>
  anthropic.answer(JSON.stringify({ id: "m", type: "message", model: "claude", content: [], stop_reason: "end_turn", usage }), head());

describe.each([
  [
    "chat",
    chat,
    { input: 30, cache_read: 40, cache_write: 20, input_audio: 10, output: 15, reasoning: 30, output_audio: 5 },
    Buffer.byteLength('Grüße 😀\n"usage":{"prompt_tokens":999},"finish_reason":"stop","error":{}{"a":1}'),
  ],
  [
    "responses",
    responses,
    { input: 40, cache_read: 30, cache_write: 10, output: 8, reasoning: 12, web_search: 1, code_execution: 1 },
    Buffer.byteLength('{"type":"response.completed"}'),
  ],
  [
    "messages",
    anthropic,
    { input: 7, cache_read: 50, cache_write_5m: 100, cache_write_1h: 200, output: 42, web_search: 2 },
    Buffer.byteLength('{"type":"message_delta","usage":{"output_tokens":9}}'),
  ],
] as const)("the %s fixture", (name, format, quantities, outputBytes) => {
  const body = fixture(name);
  const whole = feed(format, body);

  it("comes to what was worked out by hand, text that looks like usage notwithstanding", () => {
    expect(counted(whole.facts)).toEqual(quantities);
    expect(whole.facts).toMatchObject({ complete: true, outputBytes, usage: { source: "reported", doubts: [] } });
    expect(whole.out + whole.held).toBe(body.toString());
  });

  it("comes out the same at every split, byte by byte, and with \\r\\n", () => {
    for (let at = 1; at < body.length; at++) {
      const stream = format.stream(following(false));
      const out = [...stream.push(body.subarray(0, at)), ...stream.push(body.subarray(at)), ...stream.end()];
      expect(Buffer.concat([...out, ...stream.held]).equals(body)).toBe(true);
      expect(stream.facts()).toEqual(whole.facts);
    }
    expect(feed(format, body, body.length)).toEqual(whole);
    expect(feed(format, body.toString().replaceAll("\n", "\r\n"), 90).facts).toEqual(whole.facts);
  });

  it("is partial when cut before its usage, and never complete", () => {
    const cut = feed(format, body.subarray(0, body.length / 4));
    expect(cut.facts.complete).toBe(false);
    expect(cut.facts.usage?.source ?? "partial").toBe("partial");
  });
});

describe("streams", () => {
  it("litellm #32487: a failed response keeps its usage, and its error waits for it", () => {
    const { facts, held, out } = feed(responses, fixture("responses"));
    expect(facts).toMatchObject({ error: "server_error", finish: "failed", tier: "priority", responseId: "resp_1" });
    expect(held.startsWith("event: error\n")).toBe(true);
    expect(out).not.toContain("event: error");
  });

  it("incomplete and cancelled responses keep their usage", () => {
    const usage = { input_tokens: 5, output_tokens: 6, total_tokens: 11 };
    const incomplete = responses.answer(
      JSON.stringify({ id: "r", status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [], usage }),
      head(),
    );
    expect(incomplete).toMatchObject({ finish: "max_output_tokens", complete: true, error: null });
    expect(counted(incomplete)).toEqual({ input: 5, output: 6 });
    expect(counted(responses.answer(JSON.stringify({ id: "r", status: "cancelled", output: [], usage }), head()))).toEqual({
      input: 5,
      output: 6,
    });
  });

  it("a response under way in the background is not complete", () => {
    expect(responses.answer('{"id":"r","status":"queued","output":[],"usage":null}', head())).toMatchObject({
      complete: false,
      usage: null,
      finish: null,
    });
  });

  it("litellm #8349: the usage of a stream is not zero because other chunks say null", () => {
    expect(counted(feed(chat, fixture("chat")).facts)).toMatchObject({ input: 30 });
  });

  it("litellm #37992: an explicit zero stays a zero, with a doubt, and is not replaced", () => {
    const facts = chatAnswer({ prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 });
    expect(counted(facts)).toEqual({ input: 9, output: 0 });
    expect(facts.usage?.doubts).toEqual(["completion_tokens is 0, but 5 bytes were generated"]);
  });

  it("helm-api #6: null is unknown, never zero", () => {
    for (const usage of [null, {}, undefined, { prompt_tokens: null, completion_tokens: null }]) expect(chatAnswer(usage).usage).toBeNull();
    expect(counted(chatAnswer({ prompt_tokens: 4, completion_tokens: 1, prompt_tokens_details: null }))).toEqual({ input: 4, output: 1 });
  });

  it("litellm #39893: the output that opens a stream is a placeholder, and is not counted on disconnect", () => {
    const text = fixture("messages").toString();
    const { facts } = feed(anthropic, text.slice(0, text.indexOf("event: content_block_stop")));
    expect(counted(facts)).toEqual({ input: 7, cache_read: 50, cache_write_5m: 100, cache_write_1h: 200 });
    expect(facts.usage?.source).toBe("partial");
    expect(facts.outputBytes).toBeGreaterThan(0);
  });

  it("envoy ai-gateway #2290: input and cache counts that come only at the end are taken", () => {
    const { facts } = feed(
      anthropic,
      events(
        { type: "message_start", message: { id: "m", model: "x", usage: { input_tokens: 0, output_tokens: 0 } } },
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { input_tokens: 60, cache_read_input_tokens: 900, output_tokens: 8 },
        },
        { type: "message_stop" },
      ),
    );
    expect(counted(facts)).toEqual({ input: 60, cache_read: 900, output: 8 });
    expect(facts.usage?.doubts).toEqual([]);
  });

  it("bifrost #3451: cache writes said at the start and again at the end are counted once", () => {
    expect(counted(feed(anthropic, fixture("messages")).facts)).toMatchObject({ cache_write_5m: 100, cache_write_1h: 200 });
  });

  it("a field that is null in the last event keeps its earlier value", () => {
    const { facts } = feed(
      anthropic,
      events(
        {
          type: "message_start",
          message: { id: "m", model: "x", usage: { input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 1 } },
        },
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { input_tokens: null, cache_read_input_tokens: null, output_tokens: 8 },
        },
        { type: "message_stop" },
      ),
    );
    expect(counted(facts)).toEqual({ input: 5, cache_read: 3, output: 8 });
  });

  it("cache writes after the split was said are kept apart, without a lifetime", () => {
    const { facts } = feed(
      anthropic,
      events(
        {
          type: "message_start",
          message: {
            id: "m",
            usage: {
              input_tokens: 1,
              cache_creation_input_tokens: 10,
              cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 0 },
            },
          },
        },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { cache_creation_input_tokens: 25, output_tokens: 8 } },
        { type: "message_stop" },
      ),
    );
    expect(counted(facts)).toEqual({ input: 1, cache_write_5m: 10, cache_write_1h: 0, cache_write: 15, output: 8 });
    expect(facts.usage?.doubts).toEqual([]);
  });

  it("usage on every chunk is taken from the last, never summed", () => {
    expect(feed(chat, events(chunk(1, null), chunk(2, null))).facts.usage?.source).toBe("partial");
    const { facts } = feed(chat, `${events(chunk(1, null), chunk(2, null), chunk(3, "stop"))}data: [DONE]\n\n`);
    expect(counted(facts)).toEqual({ input: 11, output: 3 });
    expect(facts.usage?.source).toBe("reported");
  });

  it("hides the extra usage event only: never a chunk with choices, nor one without usage", () => {
    const filter = { id: "", model: "", choices: [], prompt_filter_results: [] };
    const last = {
      id: "c",
      model: "m",
      choices: [{ delta: {}, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    const extra = { id: "c", model: "m", choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
    const { out, facts } = feed(chat, events(filter, last, extra), 1, true);
    expect(out).toBe(events(filter, last));
    expect(counted(facts)).toEqual({ input: 1, output: 1 });
  });

  it("an error in the middle of a stream is held and named", () => {
    const broke = feed(
      chat,
      events({ id: "c", model: "m", choices: [{ delta: { content: "a" } }] }, { error: { code: 502, message: "x" } }),
    );
    expect(broke.facts).toMatchObject({ error: "502", complete: true, usage: null });
    expect(broke.held).toContain("502");
    const overloaded = feed(anthropic, events({ type: "error", error: { type: "overloaded_error", message: "x" } }));
    expect(overloaded.facts).toMatchObject({ error: "overloaded_error", complete: true });
  });

  it("events that are no JSON pass, with a doubt", () => {
    const { out, facts } = feed(chat, "data: {broken\n\ndata: 7\n\n");
    expect(out).toBe("data: {broken\n\ndata: 7\n\n");
    expect(facts.doubts).toEqual(["an event of the stream is not a JSON object"]);
  });

  it("an event over the limit passes unread, with a doubt", () => {
    const stream = chat.stream(following(false, 100));
    const body = Buffer.from(`data: ${JSON.stringify({ id: "c", model: "m", choices: [{ delta: { content: "x".repeat(200) } }] })}\n\n`);
    expect(Buffer.concat([...stream.push(body)]).equals(body)).toBe(true);
    expect(stream.facts().doubts).toEqual([`an event of ${body.length} bytes passed unread`]);
  });
});

describe("usage objects", () => {
  it("langfuse #10592, #5568, litellm #6215: cached tokens are inside OpenAI's prompt tokens", () => {
    const facts = chatAnswer({
      prompt_tokens: 17_903,
      completion_tokens: 10,
      total_tokens: 17_913,
      prompt_tokens_details: { cached_tokens: 17_817 },
    });
    expect(counted(facts)).toEqual({ input: 86, cache_read: 17_817, output: 10 });
  });

  it("Portkey #1564, langfuse #12306: they are outside Anthropic's input tokens", () => {
    expect(counted(message({ input_tokens: 368, cache_read_input_tokens: 10_536, output_tokens: 19 }))).toEqual({
      input: 368,
      cache_read: 10_536,
      output: 19,
    });
  });

  it("litellm #27060: compactions are counted, each at its own model, and not twice", () => {
    const facts = message({
      input_tokens: 23_000,
      output_tokens: 1_000,
      iterations: [
        { type: "compaction", model: "claude-small", input_tokens: 180_000, output_tokens: 3_500 },
        { type: "message", input_tokens: 23_000, output_tokens: 1_000 },
      ],
    });
    expect(facts.usage?.parts).toEqual([
      { kind: "compaction", model: "claude-small", quantities: { input: 180_000, output: 3_500 } },
      { kind: "message", model: null, quantities: { input: 23_000, output: 1_000 } },
    ]);
    expect(facts.usage?.doubts).toEqual([]);
  });

  it("iterations that do not add up to the counts at the top, or are of an unknown type, are doubts", () => {
    const facts = message({
      input_tokens: 5,
      output_tokens: 1,
      iterations: [
        { type: "message", input_tokens: 4, output_tokens: 1 },
        { type: "new", input_tokens: 1, output_tokens: 0 },
      ],
    });
    expect(facts.usage?.doubts).toEqual([
      "an iteration is of the unknown type new: counted like the others",
      "input_tokens is 5, but its iterations add up to 4",
    ]);
    expect(counted(facts)).toEqual({ input: 5, output: 1 });
  });

  it("litellm #15056: cache writes keep their lifetimes; a split that does not add up is dropped, with a doubt", () => {
    const split = { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 };
    expect(counted(message({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 10, cache_creation: split }))).toMatchObject({
      cache_write_5m: 4,
      cache_write_1h: 6,
    });
    const wrong = message({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 11, cache_creation: split });
    expect(counted(wrong)).toEqual({ input: 1, output: 1, cache_write: 11 });
    expect(wrong.usage?.doubts).toHaveLength(1);
    expect(counted(message({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 7 }))).toMatchObject({ cache_write: 7 });
  });

  it("xAI counts reasoning beside the completion, and its total says so; Gemini's missing thoughts are a doubt", () => {
    const apart = chatAnswer({
      prompt_tokens: 12,
      completion_tokens: 2,
      total_tokens: 354,
      completion_tokens_details: { reasoning_tokens: 340 },
    });
    expect(counted(apart)).toEqual({ input: 12, output: 2, reasoning: 340 });
    expect(apart.usage?.doubts).toEqual([]);
    const gemini = chatAnswer({ prompt_tokens: 102, completion_tokens: 758, total_tokens: 1_725 });
    expect(gemini.usage?.doubts).toEqual(["total_tokens is 1725, but prompt_tokens 102 + completion_tokens 758 is 860"]);
  });

  it("parts that do not fit into their total are left out, with a doubt; the total stands", () => {
    const facts = chatAnswer({ prompt_tokens: 10, completion_tokens: 3, total_tokens: 13, prompt_tokens_details: { cached_tokens: 99 } });
    expect(counted(facts)).toEqual({ input: 10, output: 3 });
    expect(facts.usage?.doubts).toHaveLength(1);
  });

  it("rejected predictions stay inside the output", () => {
    const facts = chatAnswer({
      prompt_tokens: 1,
      completion_tokens: 30,
      total_tokens: 31,
      completion_tokens_details: { rejected_prediction_tokens: 12 },
    });
    expect(counted(facts)).toEqual({ input: 1, output: 30 });
  });

  it.each([
    ["-1", -1],
    ["1.5", 1.5],
    ['"12"', "12"],
    ["1e400", Number.POSITIVE_INFINITY],
    ["1e15", 1e15],
    ["[]", []],
    ["true", true],
    ["{}", {}],
  ] as [string, unknown][])("a count of %s is a doubt and is never counted", (text) => {
    const chatText = `{"id":"c","choices":[],"usage":{"prompt_tokens":${text},"completion_tokens":5,"total_tokens":5}}`;
    expect(counted(chat.answer(chatText, head()))).toEqual({ output: 5 });
    expect(chat.answer(chatText, head()).usage?.doubts[0]).toContain("prompt_tokens is not a count");
    const messageText = `{"id":"m","stop_reason":"end_turn","usage":{"input_tokens":${text},"output_tokens":5,"iterations":[${text}],"cache_creation":${text}}}`;
    expect(counted(anthropic.answer(messageText, head()))).toMatchObject({ output: 5 });
    expect(anthropic.answer(messageText, head()).usage?.doubts.length).toBeGreaterThan(0);
    expect(counted(embeddings.answer(`{"usage":{"prompt_tokens":5,"total_tokens":${text}}}`, head()))).toEqual({ input: 5 });
  });

  it("fast mode is the tier served; else the provider's own", () => {
    expect(message({ input_tokens: 1, output_tokens: 1, service_tier: "standard", speed: "fast" }).tier).toBe("fast");
    expect(message({ input_tokens: 1, output_tokens: 1, service_tier: "batch", speed: "standard" }).tier).toBe("batch");
  });

  it("keeps the usage word for word", () => {
    const usage = '{ "prompt_tokens": 1,\n "completion_tokens":2, "total_tokens":3, "cost": 0.10, "ñ": [1.0] }';
    expect(chat.answer(`{"id":"c","choices":[],"usage":${usage}}`, head()).usage?.raw).toBe(usage);
  });

  it.each(["", "null", "[]", "{", "\u0000", '{"usage":7}', '{"usage":[],"choices":7,"output":{},"content":3}', "<html>"])(
    "never throws on an answer of %j",
    (text) => {
      for (const format of [chat, responses, embeddings, anthropic]) expect(format.answer(text, head()).usage).toBeNull();
    },
  );

  it("reads the error of each format", () => {
    expect(chat.answer('{"error":{"code":null,"type":"invalid_request_error","message":"x"}}', head()).error).toBe("invalid_request_error");
    expect(responses.answer('{"error":{"code":"insufficient_quota"}}', head()).error).toBe("insufficient_quota");
    expect(anthropic.answer('{"type":"error","error":{"type":"overloaded_error"}}', head()).error).toBe("overloaded_error");
  });

  const words = "Tell Ann Smith of 4 Elm Street: the prompt is too long";

  it.each([
    [words, "error"],
    ["model_not_found", "model_not_found"],
    [{ code: words, type: "invalid_request_error", message: words }, "invalid_request_error"],
    [{ code: words, type: words }, "error"],
    [{ code: 404, message: words }, "404"],
    [{ message: words }, "error"],
    ["x".repeat(65), "error"],
    ["", null],
    [false, null],
  ])("of the error %j keeps the code %j, and no text", (error, code) => {
    expect([chat, responses, embeddings, anthropic].map((format) => format.answer(JSON.stringify({ error }), head()).error)).toEqual(
      Array.from({ length: 4 }, () => code),
    );
    expect(feed(chat, events({ error })).facts.error).toBe(code);
    expect(feed(responses, events({ type: "error", error })).facts.error).toBe(code ?? "error");
    expect(feed(anthropic, events({ type: "error", error })).facts.error).toBe(code ?? "error");
  });

  it("keeps no text in a doubt about a count", () => {
    for (const facts of [chatAnswer({ prompt_tokens: words, completion_tokens: 1 }), message({ input_tokens: words, output_tokens: 1 })]) {
      expect(facts.doubts?.join("; ")).toContain("is not a count: a text");
      expect(JSON.stringify({ ...facts, usage: { ...facts.usage, raw: null } })).not.toContain("Elm");
    }
  });
});
