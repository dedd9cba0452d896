// InvokeModel: each model's own shapes, whole and streamed, against sums done by hand. There are no recordings of it: shapes are the documented
// ones, and the counts marked so are from public threads in which somebody showed what Bedrock sent.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { chunk, event, exception } from "./eventstream.fixture.ts";
import { head, line } from "./format.fixture.ts";
import type { AnswerFacts, RequestFacts } from "./format.ts";
import { bedrockInvoke } from "./invoke.ts";

const id = "a976e3fc-0e45-4241-9954-b9bdd80ab407";
const metrics = (input: number, output: number, more: object = {}): object => ({
  "amazon-bedrock-invocationMetrics": {
    inputTokenCount: input,
    outputTokenCount: output,
    invocationLatency: 5,
    firstByteLatency: 1,
    ...more,
  },
});
const counts = (input: number, output: number, more: object = {}): Record<string, string> => ({
  "x-amzn-requestid": id,
  "x-amzn-bedrock-input-token-count": String(input),
  "x-amzn-bedrock-output-token-count": String(output),
  ...more,
});
const counted = ({ usage }: AnswerFacts): Quantities | null => (usage === null ? null : totalQuantities(usage));
const answer = (value: unknown, headers: Record<string, string> = {}, status = 200): AnswerFacts =>
  bedrockInvoke.answer(JSON.stringify(value), head("application/json", headers, status));

const request = (value: unknown, model = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x", path = "invoke"): RequestFacts =>
  bedrockInvoke.request(Buffer.from(JSON.stringify(value)), line(`/model/x/${path}`, model));

interface Fed {
  readonly out: string;
  readonly held: string;
  readonly facts: AnswerFacts;
}

function feed(chunks: readonly Buffer[], headers: Record<string, string> = { "x-amzn-requestid": id }): Fed {
  const stream = bedrockInvoke.stream({ hideUsage: true, head: head("application/vnd.amazon.eventstream", headers) });
  const out: Buffer[] = [];
  for (const piece of chunks) out.push(...stream.push(piece));
  const rest = stream.end();
  return {
    out: Buffer.concat(out).toString("latin1"),
    held: Buffer.concat([...stream.held, ...rest]).toString("latin1"),
    facts: stream.facts(),
  };
}

const claude = (usage: object, stop: object, output: object = { output_tokens: 60 }): Buffer[] => [
  chunk({
    type: "message_start",
    message: { id: "msg_bdrk_1", type: "message", role: "assistant", model: "claude-sonnet-4", content: [], usage },
  }),
  chunk({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  chunk({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Grüße" } }),
  chunk({ type: "content_block_stop", index: 0 }),
  chunk({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: output }),
  chunk({ type: "message_stop", ...stop }),
];

const converseLike = (name: string, value: object): object => ({ [name]: value });

describe.each<[string, readonly Buffer[], Quantities, string, string, number]>([
  [
    "Anthropic",
    claude(
      { input_tokens: 7, cache_read_input_tokens: 14_486, cache_creation_input_tokens: 2_238, output_tokens: 1 },
      metrics(7, 126, { cacheReadInputTokenCount: 14_486, cacheWriteInputTokenCount: 2_238 }),
      { output_tokens: 126 },
    ),
    { input: 7, cache_read: 14_486, cache_write: 2_238, output: 126 },
    "end_turn",
    "msg_bdrk_1",
    7,
  ],
  [
    "Amazon Nova",
    [
      chunk(converseLike("messageStart", { role: "assistant" })),
      chunk(converseLike("contentBlockDelta", { delta: { text: "Hello" }, contentBlockIndex: 0 })),
      chunk(converseLike("contentBlockStop", { contentBlockIndex: 0 })),
      chunk(converseLike("messageStop", { stopReason: "end_turn" })),
      chunk({
        ...converseLike("metadata", {
          usage: { inputTokens: 4, outputTokens: 38, cacheReadInputTokenCount: 5, cacheWriteInputTokenCount: 6 },
          metrics: {},
        }),
        ...metrics(4, 38, { cacheReadInputTokenCount: 5, cacheWriteInputTokenCount: 6 }),
      }),
    ],
    { input: 4, cache_read: 5, cache_write: 6, output: 38 },
    "end_turn",
    id,
    5,
  ],
  [
    "Meta Llama",
    [
      chunk({ generation: "\n\n", prompt_token_count: 10, generation_token_count: 1, stop_reason: null }),
      chunk({ generation: "Hi", prompt_token_count: null, generation_token_count: 2, stop_reason: null }),
      chunk({ generation: "", prompt_token_count: null, generation_token_count: 3, stop_reason: "stop", ...metrics(10, 3) }),
    ],
    { input: 10, output: 3 },
    "stop",
    id,
    4,
  ],
  [
    "Amazon Titan",
    [
      chunk({
        outputText: "Bot: Hello!",
        index: 0,
        totalOutputTextTokenCount: 13,
        completionReason: "FINISH",
        inputTextTokenCount: 3,
        ...metrics(3, 13),
      }),
    ],
    { input: 3, output: 13 },
    "FINISH",
    id,
    11,
  ],
  [
    "Mistral, as text",
    [
      chunk({ outputs: [{ text: "Bon", stop_reason: null }] }),
      chunk({ outputs: [{ text: "jour", stop_reason: "stop" }], ...metrics(11, 16) }),
    ],
    { input: 11, output: 16 },
    "stop",
    id,
    7,
  ],
  [
    "Mistral, as a chat",
    [
      chunk({ choices: [{ index: 0, message: { role: "assistant", content: "Bonjour" }, stop_reason: null }] }),
      chunk({ choices: [{ index: 0, message: { role: "assistant", content: "" }, stop_reason: "stop" }], ...metrics(63, 263) }),
    ],
    { input: 63, output: 263 },
    "stop",
    id,
    7,
  ],
  [
    "Cohere",
    [
      chunk({ is_finished: false, event_type: "text-generation", text: "Hi" }),
      chunk({ is_finished: true, event_type: "stream-end", finish_reason: "COMPLETE", response: { text: "Hi" }, ...metrics(8, 2) }),
    ],
    { input: 8, output: 2 },
    "COMPLETE",
    id,
    2,
  ],
  [
    "OpenAI",
    [
      chunk({ id: "chatcmpl-1", model: "openai.gpt-oss-20b-1:0", choices: [{ index: 0, delta: { content: "Hi" }, finish_reason: null }] }),
      chunk({
        id: "chatcmpl-1",
        model: "openai.gpt-oss-20b-1:0",
        choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
        usage: {
          prompt_tokens: 70,
          completion_tokens: 30,
          total_tokens: 100,
          prompt_tokens_details: { cached_tokens: 20 },
          completion_tokens_details: { reasoning_tokens: 12 },
        },
        ...metrics(70, 30),
      }),
    ],
    { input: 50, cache_read: 20, output: 18, reasoning: 12 },
    "stop",
    "chatcmpl-1",
    2,
  ],
])("a stream of %s", (_, messages, quantities, finish, responseId, outputBytes) => {
  const body = Buffer.concat(messages);
  const whole = feed([body]);

  it("comes to what was worked out by hand, and its last event is held", () => {
    expect(counted(whole.facts)).toEqual(quantities);
    expect(whole.facts).toMatchObject({
      finish,
      responseId,
      outputBytes,
      complete: true,
      error: null,
      doubts: [],
      usage: { source: "reported" },
    });
    expect(whole.held).toBe(messages.at(-1)?.toString("latin1"));
    expect(whole.out + whole.held).toBe(body.toString("latin1"));
  });

  it("comes out the same at every split and byte by byte", () => {
    const step = Math.ceil(body.length / 200);
    for (let at = 1; at < body.length; at += step) expect(feed([body.subarray(0, at), body.subarray(at)])).toEqual(whole);
    expect(feed(Array.from(body, (_byte, at) => body.subarray(at, at + 1)))).toEqual(whole);
  });

  it("is not complete, nor its usage final, before its end", () => {
    const { facts } = feed([body.subarray(0, Math.floor(body.length / 3))]);
    expect(facts.complete).toBe(false);
    expect(facts.usage?.source ?? "partial").toBe("partial");
  });

  it("that ends in an exception is an error, and complete", () => {
    const got = feed([messages[0] as Buffer, exception("modelStreamErrorException")]);
    if (messages.length > 1) expect(got.facts).toMatchObject({ error: "modelStreamErrorException", complete: true });
    expect(got.held.endsWith(exception("modelStreamErrorException").toString("latin1"))).toBe(true);
  });
});

describe("what Bedrock counts beside a model's own usage", () => {
  it("is taken where they differ, with a doubt (shown in public: 365 in, 41 out, where the message said 60)", () => {
    const { facts } = feed([Buffer.concat(claude({ input_tokens: 365, output_tokens: 2 }, metrics(365, 41)))]);
    expect(counted(facts)).toEqual({ input: 365, output: 41 });
    expect(facts.usage?.doubts).toEqual(["Bedrock counts 41 of output, the model's own usage 60: Bedrock's was taken"]);
    expect(JSON.parse(facts.usage?.raw ?? "")).toHaveLength(2);
  });

  it("does not undo finer classes that add up to it", () => {
    const usage = {
      input_tokens: 4,
      cache_read_input_tokens: 50,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      output_tokens: 1,
    };
    const cache = { cacheReadInputTokenCount: 50, cacheWriteInputTokenCount: 300 };
    for (const beside of [metrics(4, 60, cache), metrics(4, 60)]) {
      const { facts } = feed([Buffer.concat(claude(usage, beside))]);
      expect(counted(facts)).toEqual({ input: 4, cache_read: 50, cache_write_5m: 100, cache_write_1h: 200, output: 60 });
      expect(facts.usage?.doubts).toEqual([]);
    }
  });

  it("tells the cache apart where the model's own usage does not", () => {
    const facts = answer(
      {
        choices: [{ message: { content: "x" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 },
      },
      counts(60, 5, { "x-amzn-bedrock-cache-read-input-token-count": "40" }),
    );
    expect(counted(facts)).toEqual({ input: 60, cache_read: 40, output: 5 });
    expect(facts.doubts).toEqual([]);
  });

  it("fills in what the model did not say", () => {
    const facts = answer({ choices: [{ text: "hm", stop_reason: "stop" }] }, counts(9, 4));
    expect(facts).toMatchObject({ finish: "stop", usage: { source: "reported" }, outputBytes: 2, doubts: [] });
    expect(counted(facts)).toEqual({ input: 9, output: 4 });
  });

  it("is doubted where it is no count", () => {
    const facts = answer({ generation: "x", stop_reason: "stop" }, { "x-amzn-bedrock-input-token-count": "many" });
    expect(facts).toMatchObject({ usage: null, doubts: ['x-amzn-bedrock-input-token-count is not a count: "many"'] });
  });

  it("completes the answer even where it comes after the model's own end", () => {
    const { facts, held } = feed([...claude({ input_tokens: 3, output_tokens: 1 }, {}), chunk(metrics(3, 60))]);
    expect(counted(facts)).toEqual({ input: 3, output: 60 });
    expect(held.length).toBe(chunk({ type: "message_stop" }).length + chunk(metrics(3, 60)).length);
  });
});

describe("a whole answer", () => {
  it.each<[string, object, Record<string, string>, Quantities, string | null]>([
    [
      "Anthropic",
      {
        id: "msg_bdrk_1",
        type: "message",
        content: [{ type: "text", text: "x" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 3 },
      },
      counts(5, 3, { "x-amzn-bedrock-cache-read-input-token-count": "2", "x-amzn-bedrock-cache-write-input-token-count": "0" }),
      { input: 5, cache_read: 2, output: 3 },
      "end_turn",
    ],
    [
      "Amazon Nova",
      {
        output: { message: { content: [{ text: "x" }] } },
        stopReason: "end_turn",
        usage: { inputTokens: 4, outputTokens: 38, totalTokens: 42 },
      },
      counts(4, 38),
      { input: 4, output: 38 },
      "end_turn",
    ],
    [
      "Meta Llama",
      { generation: "x", prompt_token_count: 10, generation_token_count: 3, stop_reason: "stop" },
      {},
      { input: 10, output: 3 },
      "stop",
    ],
    [
      "Amazon Titan",
      {
        inputTextTokenCount: 3,
        results: [
          { tokenCount: 13, outputText: "x", completionReason: "FINISH" },
          { tokenCount: 4, outputText: "y", completionReason: "LENGTH" },
        ],
      },
      {},
      { input: 3, output: 17 },
      "LENGTH",
    ],
    ["Titan's embeddings", { embedding: [0.1], inputTextTokenCount: 6 }, counts(6, 0), { input: 6 }, null],
    [
      "Cohere's embeddings",
      { id: "x", embeddings: [[0.1]], texts: ["hi"], response_type: "embeddings_floats" },
      counts(2, 0),
      { input: 2, output: 0 },
      null,
    ],
    [
      "Cohere Command",
      { generations: [{ text: "x", finish_reason: "COMPLETE" }], id: "1" },
      counts(8, 2),
      { input: 8, output: 2 },
      "COMPLETE",
    ],
    ["Mistral", { outputs: [{ text: "x", stop_reason: "stop" }] }, counts(8, 2), { input: 8, output: 2 }, "stop"],
  ])("of %s comes to what was worked out by hand", (_, body, headers, quantities, finish) => {
    const facts = answer(body, headers);
    expect(counted(facts)).toEqual(quantities);
    expect(facts).toMatchObject({ finish, complete: true, error: null, doubts: [], usage: { source: "reported" } });
  });

  it("says the tier and the id from its headers, and no name that Bedrock does not know", () => {
    const body = { generation: "x", prompt_token_count: 1, generation_token_count: 1, stop_reason: "stop" };
    const said = answer(body, { "x-amzn-requestid": id, "x-amzn-bedrock-service-tier": "flex" });
    expect(said).toMatchObject({ responseId: id, tier: "flex", pool: "shared", model: null });
    expect(answer(body, { "x-amzn-bedrock-performanceconfig-latency": "optimized" }).tier).toBe("latency-optimized");
    expect(answer({ type: "message", model: "claude-sonnet-4-5-20250929", content: [] }).model).toBe(null);
    expect(answer({ choices: [], model: "openai.gpt-oss-20b-1:0" }).model).toBe("openai.gpt-oss-20b-1:0");
    expect(answer({ choices: [], model: "claude-3.5-sonnet" }).model).toBe(null);
  });

  it("that a guardrail looked at is doubted", () => {
    const body = { generation: "x", stop_reason: "stop", "amazon-bedrock-guardrailAction": "NONE" };
    expect(answer(body, counts(1, 1)).doubts).toEqual(["a guardrail was applied: its own fee is not counted here"]);
  });

  it("with an error's status is an error", () => {
    const facts = answer({ message: "no" }, { "x-amzn-errortype": "AccessDeniedException:http://x/" }, 403);
    expect(facts).toMatchObject({ error: "AccessDeniedException", usage: null, complete: true });
  });

  it("never throws", () => {
    const keys = ["type", "output", "choices", "results", "generation", "usage", "outputs", "amazon-bedrock-trace"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (value) => {
        answer(value, counts(1, 1));
        feed([chunk(value), chunk({ ...value, ...metrics(1, 1) })]);
      }),
    );
    expect(bedrockInvoke.answer("<html>", head())).toMatchObject({ complete: false, usage: null });
  });
});

it("an input that came before the stream broke off is partial", () => {
  const { facts } = feed([chunk({ generation: "x", prompt_token_count: 10, generation_token_count: null, stop_reason: null })]);
  expect(counted(facts)).toEqual({ input: 10 });
  expect(facts).toMatchObject({ complete: false, usage: { source: "partial" } });
});

describe("a damaged stream", () => {
  it("passes whole, with a doubt, and what can be read is read", () => {
    const messages = claude({ input_tokens: 3, output_tokens: 1 }, metrics(3, 60));
    const bad = Buffer.from(messages[2] as Buffer);
    bad.writeUInt8(bad.readUInt8(bad.length - 6) ^ 1, bad.length - 6);
    const body = Buffer.concat([messages[0] as Buffer, bad, event("chunk", { bytes: 7 }), ...messages.slice(3)]);
    const { facts, out, held } = feed([body]);
    expect(out + held).toBe(body.toString("latin1"));
    expect(counted(facts)).toEqual({ input: 3, output: 60 });
    expect(facts.doubts).toEqual(["a part of the stream could not be read", "an event of the stream is not a JSON object"]);
  });
});

describe("a request of InvokeModel", () => {
  const messages = [{ role: "user", content: [{ type: "text", text: "hi" }] }];

  it.each<[string, object, number | null, string | null]>([
    ["Anthropic", { anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages }, 100, null],
    [
      "Amazon Nova",
      { schemaVersion: "messages-v1", messages: [{ role: "user", content: [{ text: "hi" }] }], inferenceConfig: { max_new_tokens: 50 } },
      50,
      null,
    ],
    ["OpenAI", { messages, max_completion_tokens: 30, stream: true }, 30, null],
    ["AI21 and Mistral", { messages, max_tokens: 20 }, 20, null],
    ["Meta Llama", { prompt: "hi", max_gen_len: 512 }, 512, null],
    ["Mistral and DeepSeek", { prompt: "hi", max_tokens: 64 }, 64, null],
    ["older Anthropic", { prompt: "\n\nHuman: hi", max_tokens_to_sample: 300 }, 300, null],
    ["Amazon Titan", { inputText: "hi", textGenerationConfig: { maxTokenCount: 70 } }, 70, null],
    ["Titan's embeddings", { inputText: "hi", dimensions: 256 }, 0, null],
    ["Cohere's embeddings", { texts: ["hi"], input_type: "search_document" }, 0, null],
    ["Cohere's embeddings of images", { images: ["data:image/png;base64,AA"], input_type: "image" }, 0, "media of unknown tokens: images"],
    ["Cohere Command R", { message: "hi", chat_history: [{ role: "USER", message: "a" }], max_tokens: 40 }, 40, null],
    ["Llama with images", { prompt: "hi", images: ["AAAA"], max_gen_len: 5 }, 5, "media of unknown tokens: images"],
    ["a model that draws", { text_prompts: [{ text: "a cat" }] }, null, "unknown request shape"],
    ["another that draws", { prompt: "a cat", mode: "text-to-image" }, null, "unknown request shape"],
    ["anything under a guardrail", { prompt: "hi", max_gen_len: 5, "amazon-bedrock-guardrailConfig": {} }, 5, "billed apart: guardrail"],
    ["an empty body", {}, null, "unknown request shape"],
  ])("of %s", (_, body, cap, unbounded) => {
    const facts = request(body, undefined, "invoke-with-response-stream");
    expect(facts).toMatchObject({ cap, unbounded, streamed: true, modelSpan: null, splices: [], edits: [] });
    expect(facts.model).toMatch(/^arn:/);
    expect(request(body).streamed).toBe(false);
    expect(Object.values(facts.promptBytes).reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(unbounded === null ? 4 : 0);
  });

  it("knows embeddings by their model, and several answers", () => {
    expect(request({ inputText: "hi" }, "amazon.titan-embed-text-v2:0").cap).toBe(0);
    expect(request({ inputText: "hi" }, "amazon.titan-text-lite-v1").cap).toBe(null);
    expect(request({ prompt: "hi", max_tokens: 5, num_generations: 3 }).choices).toBe(3);
  });

  it("does not believe the model in the body", () => {
    const facts = request({ anthropic_version: "bedrock-2023-05-31", model: "other", max_tokens: 1, messages }, "anthropic.claude-3-haiku");
    expect(facts).toMatchObject({ model: "anthropic.claude-3-haiku", modelSpan: null });
  });

  it("that is no JSON object is refused", () => {
    expect(() => bedrockInvoke.request(Buffer.from("x"), line())).toThrow(/at byte 0/);
  });

  it("asks for a tier of 64 characters at most", () => {
    const asked = line("/v1/test", null, "", { "x-amzn-bedrock-service-tier": "p".repeat(500) });
    expect(bedrockInvoke.request(Buffer.from("{}"), asked).tier).toBe("p".repeat(64));
  });
});
