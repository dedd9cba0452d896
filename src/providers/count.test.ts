// Counting before sending: what is asked where, against what the vendors' references show, and that the sandbox's count is what its call bills.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { bedrockConverse } from "./converse.ts";
import { countRequest, marginOf, mostOf, readCount } from "./count.ts";
import type { Format } from "./format.ts";
import { line } from "./format.fixture.ts";
import { geminiGenerate } from "./gemini.ts";
import { bedrockInvoke } from "./invoke.ts";
import { responses } from "./responses.ts";

const claude = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const ask = (format: Format, path: string, model: string | null, value: unknown): ReturnType<typeof countRequest> => {
  const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  return countRequest(format.name, path, model, body, format.request(body, line(path, model)));
};
const sent = (...args: Parameters<typeof ask>): readonly [string, unknown] | null => {
  const request = ask(...args);
  return request === null ? null : [request.path, JSON.parse(request.body.toString())];
};

describe("the request for a count", () => {
  const turn = { role: "user", content: "Hello, world" };

  it("of Messages has what the call has, but for what is no input", () => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    const call = { model: "claude-opus-4-8", max_tokens: 9, stream: true, temperature: 0.5, metadata: { user_id: "u" } };
    expect(sent(anthropic, "/v1/messages", null, { ...call, system: "s", tools, messages: [turn] })).toEqual([
      "/v1/messages/count_tokens",
      { model: "claude-opus-4-8", system: "s", tools, messages: [turn] },
    ]);
  });

  it("of Messages on Vertex AI names the model in its body", () => {
    const path = "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-8:streamRawPredict";
    const value = { anthropic_version: "vertex-2023-10-16", max_tokens: 9, messages: [turn] };
    expect(sent(anthropic, path, "claude-opus-4-8", value)).toEqual([
      "/v1/projects/p/locations/us-east5/publishers/anthropic/models/count-tokens:rawPredict",
      { model: "claude-opus-4-8", messages: [turn] },
    ]);
  });

  it("of Responses keeps the bytes of what it takes over", () => {
    const body =
      '{"model":"gpt-5","seed":12345678901234567890,"input":[ {"role":"user","content":"\\u00e9"} ],"max_output_tokens":9,"store":false}';
    const request = ask(responses, "/v1/responses", null, body);
    expect(request?.path).toBe("/v1/responses/input_tokens");
    expect(request?.body.toString()).toBe('{"model":"gpt-5","input":[ {"role":"user","content":"\\u00e9"} ]}');
  });

  it("of Gemini holds the whole call with its model; of Vertex AI its members", () => {
    const contents = [{ role: "user", parts: [{ text: "a" }] }];
    const value = { contents, generationConfig: { maxOutputTokens: 9 }, safetySettings: [] };
    expect(sent(geminiGenerate, "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "gemini-2.5-flash", value)).toEqual([
      "/v1beta/models/gemini-2.5-flash:countTokens",
      { generateContentRequest: { model: "models/gemini-2.5-flash", ...value } },
    ]);
    const path = "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent";
    expect(sent(geminiGenerate, path, "gemini-2.5-flash", value)).toEqual([
      "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:countTokens",
      { contents, generationConfig: { maxOutputTokens: 9 } },
    ]);
    expect(sent(geminiGenerate, "/v1beta/models/g:generateContent", "g", { model: "models/other", contents })?.[1]).toEqual({
      generateContentRequest: { model: "models/g", contents },
    });
  });

  it("of Bedrock wraps what Converse takes, or a model's own body in base64", () => {
    const messages = [{ role: "user", content: [{ text: "a" }] }];
    const value = { messages, system: [{ text: "s" }], inferenceConfig: { maxTokens: 9 } };
    expect(sent(bedrockConverse, `/model/${claude}/converse-stream`, claude, value)).toEqual([
      `/model/${claude}/count-tokens`,
      { input: { converse: { messages, system: [{ text: "s" }] } } },
    ]);
    const own = { anthropic_version: "bedrock-2023-05-31", max_tokens: 9, messages: [turn] };
    const [path, wrapped] = sent(bedrockInvoke, `/model/${claude}/invoke`, claude, own) as [
      string,
      { input: { invokeModel: { body: string } } },
    ];
    expect(path).toBe(`/model/${claude}/count-tokens`);
    expect(JSON.parse(Buffer.from(wrapped.input.invokeModel.body, "base64").toString())).toEqual(own);
  });

  it("is of the model that a route sends instead", () => {
    const contents = [{ parts: [{ text: "a" }] }];
    expect(sent(anthropic, "/v1/messages", "claude-opus-5", { model: "claude-haiku-4-5", messages: [turn] })?.[1]).toMatchObject({
      model: "claude-opus-5",
    });
    expect(sent(geminiGenerate, "/v1beta/models/a:generateContent", "b", { contents })).toEqual([
      "/v1beta/models/b:countTokens",
      { generateContentRequest: { model: "models/b", contents } },
    ]);
    expect(ask(bedrockConverse, "/model/amazon.nova-pro-v1%3A0/converse", claude, {})?.path).toBe(
      `/model/${encodeURIComponent(claude)}/count-tokens`,
    );
  });

  it.each<[string, Format, string, string | null, unknown]>([
    ["chat has no such endpoint", chat, "/v1/chat/completions", null, { model: "gpt-5" }],
    [
      "of several steps only the first is counted",
      anthropic,
      "/v1/messages",
      null,
      { tools: [{ type: "web_search_20250305", max_uses: 2 }] },
    ],
    ["what nothing bounds", responses, "/v1/responses", null, { tools: [{ type: "web_search" }] }],
    ["Amazon counts for Anthropic's models", bedrockConverse, "/model/amazon.nova-pro-v1:0/converse", "amazon.nova-pro-v1:0", {}],
    ["and not for profiles", bedrockConverse, `/model/us.${claude}/converse`, `us.${claude}`, {}],
  ])("is none: %s", (_name, format, path, model, value) => expect(ask(format, path, model, value)).toBeNull());
});

it("is read from answers as the references show them", () => {
  expect(readCount("openai-responses", '{"object":"response.input_tokens","input_tokens":11}')).toBe(11);
  expect(readCount("anthropic-messages", '{"input_tokens":14}')).toBe(14);
  expect(readCount("gemini-generate", '{"totalTokens":10,"promptTokensDetails":[]}')).toBe(10);
  expect(readCount("bedrock-converse", '{"inputTokens":15}')).toBe(15);
  for (const text of ["", "[]", '{"input_tokens":"3"}', '{"input_tokens":-1}', '{"input_tokens":1.5}', '{"error":{}}'])
    expect(readCount("anthropic-messages", text)).toBeNull();
});

it("has a margin where it is no exact count", () => {
  for (const format of ["openai-responses", "bedrock-invoke"] as const) expect(marginOf(format)).toEqual({ perThousand: 0, tokens: 0 });
  expect([mostOf("openai-responses", 100), mostOf("anthropic-messages", 1_001), mostOf("gemini-generate", 100)]).toEqual([
    100,
    1_001 + 21 + 64,
    361,
  ]);
});

describe("the sandbox", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0 });
  });
  afterAll(() => sandbox.close());
  const post = async (path: string, body: string): Promise<string> => {
    const headers = { "content-type": "application/json", authorization: "Bearer x", "x-api-key": "x", "anthropic-version": "2023-06-01" };
    const answer = await fetch(sandbox.url + path, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  const words = "Some words of a conversation that goes on. ".repeat(20);

  it.each<[string, Format, string, string | null, object]>([
    ["Responses", responses, "/v1/responses", null, { model: "gpt-5", input: words, max_output_tokens: 5 }],
    [
      "Messages",
      anthropic,
      "/v1/messages",
      null,
      { model: "claude-opus-4-8", max_tokens: 5, messages: [{ role: "user", content: words }] },
    ],
    [
      "Gemini",
      geminiGenerate,
      "/v1beta/models/gemini-2.5-flash:generateContent",
      "gemini-2.5-flash",
      { contents: [{ role: "user", parts: [{ text: words }] }] },
    ],
    [
      "Vertex AI",
      geminiGenerate,
      "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent",
      "gemini-2.5-flash",
      { contents: [{ role: "user", parts: [{ text: words }] }] },
    ],
    ["Converse", bedrockConverse, `/model/${claude}/converse`, claude, { messages: [{ role: "user", content: [{ text: words }] }] }],
    [
      "Bedrock's own bodies",
      bedrockInvoke,
      `/model/${claude}/invoke`,
      claude,
      { anthropic_version: "bedrock-2023-05-31", max_tokens: 5, messages: [{ role: "user", content: words }] },
    ],
  ])("counts what it then bills: %s", async (_name, format, path, model, value) => {
    const count = ask(format, path, model, value);
    const counted = readCount(format.name, await post(count?.path ?? "", count?.body.toString() ?? ""));
    await post(path, JSON.stringify(value));
    const billed = sandbox.witness.since(0, 1_000).at(-1)?.usage?.input;
    expect(billed).toBeGreaterThan(50);
    expect(counted).toBe(billed);
  });
});
