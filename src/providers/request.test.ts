// What is read of requests, and the splices that ask streams for their usage.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { line } from "./format.fixture.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import type { Format, RequestFacts } from "./format.ts";
import { responses } from "./responses.ts";

const read = (format: Format, value: unknown): RequestFacts => format.request(Buffer.from(JSON.stringify(value)), line());

const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const image = (length: number): object => ({ type: "image", source: { type: "base64", data: "A".repeat(length) } });
const id = (value: string): unknown => read(anthropic, { metadata: { user_id: value } }).hints;

function spliced(text: string): string {
  let bytes = Buffer.from(text);
  for (const { at, remove, insert } of [...chat.request(bytes, line()).splices].reverse())
    bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + remove)]);
  return bytes.toString();
}

describe("the usage option of streams", () => {
  it.each([
    ['{"stream":true}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['{ "stream" : true }\n', '{ "stream" : true ,"stream_options":{"include_usage":true}}\n'],
    ['{"stream":true,"stream_options":null,"n":1}', '{"stream":true,"stream_options":{"include_usage":true},"n":1}'],
    ['{"stream_options":{},"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'],
    [
      '{"stream_options":{"include_obfuscation":false},"stream":true}',
      '{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true}',
    ],
    ['{"stream":true,"stream_options":{"include_usage": false}}', '{"stream":true,"stream_options":{"include_usage": true}}'],
    ['{"stream":true,"x":"é","stream_options":{"include_usage":null}}', '{"stream":true,"x":"é","stream_options":{"include_usage":true}}'],
    ['{"stream":true,"stream_options":{"include_usage":true}}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['{"stream":true,"stream_options":"?"}', '{"stream":true,"stream_options":"?"}'],
    ['{"stream":false}', '{"stream":false}'],
    ["{}", "{}"],
  ])("%s", (before, after) => {
    expect(spliced(before)).toBe(after);
    expect(chat.request(Buffer.from(before), line()).edits).toEqual(before === after ? [] : ["stream_options.include_usage"]);
  });

  it("changes nothing else of any body", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (extra) => {
        const body = { ...extra, stream: true };
        const given = JSON.parse(JSON.stringify(body)) as Record<string, unknown>;
        const options = given["stream_options"];
        if (options !== undefined && options !== null) return;
        expect(JSON.parse(spliced(JSON.stringify(body)))).toEqual({ ...given, stream_options: { include_usage: true } });
      }),
    );
  });
});

describe("Chat Completions", () => {
  const body = {
    model: "gpt-é",
    service_tier: "flex",
    max_tokens: 5,
    max_completion_tokens: 7,
    n: 3,
    reasoning_effort: "high",
    user: "u1",
    prompt_cache_key: "s1",
    metadata: { task: "t", n: 4 },
    tools: [
      { type: "function", function: { name: "look_up" } },
      { type: "custom", custom: { name: "draw" } },
    ],
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "first" },
      { role: "assistant", content: "answer" },
      { role: "tool", content: "42" },
      { role: "user", content: "last" },
    ],
  };

  it("reads what a request asks for", () => {
    expect(read(chat, body)).toMatchObject({
      model: "gpt-é",
      streamed: false,
      background: false,
      tier: "flex",
      cap: 7,
      choices: 3,
      effort: "high",
      unbounded: null,
      toolNames: ["look_up", "draw"],
      hints: { user: "u1", session: "s1", previousResponse: null, metadata: { task: "t" } },
    });
  });

  it("tells the prompt's bytes by part, and its blocks in cache order", () => {
    const bytes = Buffer.from(JSON.stringify(body));
    const facts = chat.request(bytes, line());
    const [system, first, answer, result, last] = body.messages;
    expect(facts.promptBytes).toEqual({
      system: size(system),
      tools: size(body.tools),
      user: size(last),
      earlier: size(first) + size(answer),
      toolResults: size(result),
    });
    expect(facts.blocks.map(([start, end]) => JSON.parse(bytes.toString("utf8", start, end)) as unknown)).toEqual([
      body.tools,
      ...body.messages,
    ]);
    expect(bytes.toString("utf8", ...(facts.modelSpan as [number, number]))).toBe('"gpt-é"');
  });

  it.each([
    [{ web_search_options: {} }, "server tools without a cap: web_search"],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x/y.png" } }] }] }, "media by URL: image_url"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA" } }] }] },
      "media of unknown tokens: image_url",
    ],
    [{ messages: [{ role: "user", content: [{ type: "file", file: { file_id: "f1" } }] }] }, "media held by the provider: file"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "https://x data: hi" }] }] }, null],
  ])("%j is unbounded: %s", (value, reason) => expect(read(chat, value).unbounded).toBe(reason));

  it("does not count base64 as prompt bytes", () => {
    const image = "A".repeat(10_000);
    const facts = read(chat, {
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }] }],
    });
    expect(facts.promptBytes.user).toBeLessThan(100);
  });

  it.each(["", "null", "[]", "1", '"x"', "{", '{"a":}', "\u0000"])("refuses %j with the byte where it breaks", (text) => {
    expect(() => chat.request(Buffer.from(text), line())).toThrow(/at byte \d/);
  });

  it("takes wrong types for what they are: not said", () => {
    const facts = read(chat, { model: 4, stream: "yes", max_tokens: -1, n: 2.5, messages: "?", tools: {}, metadata: [], user: {} });
    expect(facts).toMatchObject({ model: null, streamed: false, cap: null, choices: 1, blocks: [], hints: { user: null, metadata: {} } });
  });
});

describe("Responses", () => {
  it("reads what a request asks for", () => {
    const facts = read(responses, {
      model: "gpt-5",
      stream: true,
      background: true,
      max_output_tokens: 9,
      reasoning: { effort: "low" },
      instructions: "be brief",
      previous_response_id: "resp_1",
      tools: [{ type: "web_search" }, { type: "function", name: "f" }],
      input: [
        { role: "user", content: "a" },
        { type: "function_call", name: "f", arguments: "{}" },
        { type: "function_call_output", output: "42" },
      ],
    });
    expect(facts).toMatchObject({
      model: "gpt-5",
      streamed: true,
      background: true,
      cap: 9,
      effort: "low",
      toolNames: ["web_search", "f"],
      edits: [],
    });
    expect(facts.hints.previousResponse).toBe("resp_1");
    expect(facts.unbounded).toBe(
      "server tools without a cap: web_search; context held by the provider: previous_response_id; background work",
    );
    expect(facts.promptBytes.toolResults).toBe(Buffer.byteLength('{"type":"function_call_output","output":"42"}'));
    expect(facts.blocks).toHaveLength(5);
  });

  it("takes a plain string as the user's turn", () => {
    expect(read(responses, { input: "hello" })).toMatchObject({ unbounded: null, promptBytes: { user: 7 } });
  });

  it("names the cap of server tools", () => {
    expect(read(responses, { tools: [{ type: "file_search" }], max_tool_calls: 3 }).unbounded).toBe(
      "server tools capped at 3 calls: file_search",
    );
  });
});

describe("Messages", () => {
  const user = `user_${"ab".repeat(8)}_account_1111-2222_session_3333-4444`;

  it("reads what a request asks for", () => {
    const facts = read(anthropic, {
      model: "claude",
      max_tokens: 100,
      speed: "fast",
      thinking: { type: "enabled", budget_tokens: 64 },
      metadata: { user_id: user },
      system: [{ type: "text", text: "s" }],
      tools: [{ name: "f" }, { type: "bash_20250124", name: "bash" }, { type: "web_search_20250305", name: "web_search", max_uses: 2 }],
      messages: [
        { role: "user", content: "question" },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "42" }] },
      ],
    });
    expect(facts).toMatchObject({
      model: "claude",
      cap: 100,
      tier: "fast",
      effort: "budget:64",
      unbounded: "server tools capped at 2 calls: web_search_20250305",
      toolNames: ["f", "bash", "web_search"],
      hints: { user: `user_${"ab".repeat(8)}_account_1111-2222`, session: "3333-4444" },
    });
    expect(facts.promptBytes.user).toBe(Buffer.byteLength('{"role":"user","content":"question"}'));
    expect(facts.promptBytes.toolResults).toBeGreaterThan(40);
    expect(facts.blocks).toHaveLength(5);
  });

  it("reads the session out of a user id in JSON, and leaves other ids alone", () => {
    expect(id('{"device_id":"d","account_uuid":"a","session_id":"s"}')).toMatchObject({ user: "a", session: "s" });
    expect(id("someone")).toMatchObject({ user: "someone", session: null });
    expect(id("{broken")).toMatchObject({ user: "{broken", session: null });
  });

  it("tells tool results from the turn they come in, with media in both", () => {
    const result = (size: number): object => ({
      type: "tool_result",
      tool_use_id: "1",
      content: [{ type: "text", text: "42" }, image(size)],
    });
    const facts = read(anthropic, {
      messages: [{ role: "user", content: [result(9_000), image(5_000), { type: "text", text: "and this?" }] }],
    });
    // Without media each is as long as with an empty one, but for the quotes.
    const results = size(result(0)) - 2;
    expect(facts.promptBytes.toolResults).toBe(results);
    expect(facts.promptBytes.user).toBe(
      size({ role: "user", content: [result(0), image(0), { type: "text", text: "and this?" }] }) - 4 - results,
    );
  });

  it("survives content nested without end", () => {
    let content: unknown = "x";
    for (let level = 0; level < 400; level++) content = [{ type: "tool_result", content }];
    expect(read(anthropic, { messages: [{ role: "user", content }] }).unbounded).toBe("content nested too deep");
  });
});

describe("Embeddings", () => {
  it("reads what a request asks for", () => {
    expect(read(embeddings, { model: "e", input: ["a", "b"], user: "u" })).toMatchObject({
      model: "e",
      cap: 0,
      hints: { user: "u" },
      promptBytes: { user: 9 },
    });
  });
});

describe("a model that the path names", () => {
  it.each([
    ["chat", chat],
    ["embeddings", embeddings],
    ["Messages", anthropic],
  ])("is the one that is asked for, whatever the body says: %s", (_name, format) => {
    const body = Buffer.from('{"model":"gpt-3.5-turbo"}');
    expect(format.request(body, line("/openai/deployments/our-large/chat/completions", "our-large"))).toMatchObject({
      model: "our-large",
      modelSpan: null,
    });
    expect(format.request(body, line())).toMatchObject({ model: "gpt-3.5-turbo", modelSpan: [9, 24] });
  });
});

describe("refusals", () => {
  const refusal = { status: 429, code: "budget_exceeded", message: "no" };
  it("have the shape of the format", () => {
    expect(JSON.parse(chat.refusal(refusal).text)).toEqual({
      error: { message: "no", type: "rate_limit_error", param: null, code: "budget_exceeded" },
    });
    expect(JSON.parse(anthropic.refusal(refusal).text)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "no", code: "budget_exceeded" },
    });
  });
});
