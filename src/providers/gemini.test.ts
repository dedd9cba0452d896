// What is read of requests to Google: generateContent and the ways to write it, and refusals in Google's shape.

import { describe, expect, it } from "vitest";
import { head, line } from "./format.fixture.ts";
import type { RequestFacts } from "./format.ts";
import { geminiGenerate } from "./gemini.ts";

const path = "/v1beta/models/gemini-2.5-flash:generateContent";
const read = (value: unknown, at = path): RequestFacts =>
  geminiGenerate.request(Buffer.from(JSON.stringify(value)), line(at, "gemini-2.5-flash"));
const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const user = (...parts: object[]): object => ({ role: "user", parts });
const image = (length: number): object => ({ inlineData: { mimeType: "image/png", data: "A".repeat(length) } });

const camel = {
  systemInstruction: { parts: [{ text: "be brief" }] },
  contents: [
    user({ text: "first" }),
    { role: "model", parts: [{ functionCall: { name: "look_up", args: {} }, thoughtSignature: "c2ln" }] },
    user({ functionResponse: { name: "look_up", response: { x: "42" } } }),
    user({ text: "last" }),
  ],
  tools: [{ functionDeclarations: [{ name: "look_up", description: "finds" }, { name: "draw" }] }],
  generationConfig: { maxOutputTokens: 500, candidateCount: 2, thinkingConfig: { thinkingBudget: 64, includeThoughts: true } },
  serviceTier: "flex",
  labels: { task: "t", n: 4 },
};
const expected = {
  model: "gemini-2.5-flash",
  modelSpan: null,
  streamed: false,
  background: false,
  tier: "flex",
  cap: 500,
  choices: 2,
  effort: "budget:64",
  unbounded: null,
  toolNames: ["look_up", "draw"],
  hints: { user: null, session: null, previousResponse: null, metadata: { task: "t" } },
  splices: [],
  edits: [],
};

describe("generateContent", () => {
  it("reads what a request asks for", () => {
    const facts = read(camel);
    expect(facts).toMatchObject(expected);
    expect(facts.promptBytes).toEqual({
      system: size(camel.systemInstruction),
      tools: size(camel.tools),
      user: size(camel.contents[3]),
      earlier: size(camel.contents[0]) + size(camel.contents[1]),
      toolResults: size(camel.contents[2]),
    });
    const text = JSON.stringify(camel);
    expect(facts.blocks.map(([start, end]) => JSON.parse(text.slice(start, end)) as unknown)).toEqual([
      camel.tools,
      camel.systemInstruction,
      ...camel.contents,
    ]);
  });

  it("reads the same in snake_case, with single objects for lists, numbers in quotes and the tier's long name", () => {
    const facts = read({
      system_instruction: { parts: { text: "be brief" } },
      contents: { parts: { text: "last" } },
      tools: { function_declarations: [{ name: "look_up" }, { name: "draw" }] },
      generation_config: { max_output_tokens: "500", candidate_count: 2, thinking_config: { thinking_budget: 64 } },
      service_tier: "SERVICE_TIER_FLEX",
      labels: { task: "t" },
    });
    expect(facts).toMatchObject(expected);
    expect(facts.promptBytes).toMatchObject({ user: size({ parts: { text: "last" } }), system: size({ parts: { text: "be brief" } }) });
    expect(facts.blocks).toHaveLength(3);
  });

  it("is streamed when its path says so", () => {
    expect(read(camel, "/v1beta/models/gemini-2.5-flash:streamGenerateContent").streamed).toBe(true);
    expect(read({ ...camel, stream: true }).streamed).toBe(false);
  });

  it.each([
    [{ thinkingLevel: "HIGH" }, "high"],
    [{ thinkingBudget: 0 }, "budget:0"],
    [{ thinkingBudget: -1 }, "budget:auto"],
    [{ includeThoughts: true }, null],
  ])("effort of %j", (thinkingConfig, effort) => {
    expect(read({ contents: [], generationConfig: { thinkingConfig } }).effort).toBe(effort);
  });

  it.each([
    [{ tools: [{ googleSearch: {} }] }, "server tools without a cap: googleSearch"],
    [
      { tools: [{ google_search: {} }, { url_context: {} }] },
      "server tools without a cap: googleSearch; server tools without a cap: urlContext",
    ],
    [{ tools: [{ googleSearchRetrieval: { dynamicRetrievalConfig: {} } }] }, "server tools without a cap: googleSearchRetrieval"],
    [{ tools: [{ codeExecution: {} }] }, "server tools without a cap: codeExecution"],
    [{ tools: [{ functionDeclarations: [], tool_of_tomorrow: {} }] }, "server tools without a cap: toolOfTomorrow"],
    [{ tools: [{ computerUse: { environment: "x" } }] }, "tools declared by the provider: computerUse"],
    [{ cachedContent: "cachedContents/1" }, "context held by the provider: cachedContent"],
    [{ cached_content: "cachedContents/1" }, "context held by the provider: cachedContent"],
    [{ contents: [user(image(9))] }, "media of unknown tokens: image"],
    [{ contents: [user({ inline_data: { mime_type: "application/pdf", data: "x" } })] }, "media of unknown tokens: application"],
    [{ contents: [user({ fileData: { fileUri: "gs://b/a.mp4", mimeType: "video/mp4" } })] }, "media by URL: video"],
    [{ contents: [user({ file_data: { file_uri: "https://youtu.be/x" } })] }, "media by URL: file"],
    [{ systemInstruction: { parts: [image(9)] } }, "media of unknown tokens: image"],
    [{ contents: [user({ functionResponse: { name: "f", parts: [image(9)] } })] }, "media of unknown tokens: image"],
    [{ tools: [{ functionDeclarations: [{ name: "f" }] }], cachedContent: null }, null],
    [{ tools: [{ googleSearch: null }] }, null],
    [{ contents: [user({ text: "inlineData cachedContent" })] }, null],
  ])("%j has no bound: %s", (body, unbounded) => {
    expect(read({ contents: [], ...body }).unbounded).toBe(unbounded);
  });

  it("does not count media as bytes of the prompt, wherever they stand", () => {
    const results = (length: number): object => ({ functionResponse: { name: "f", response: {}, parts: [image(length)] } });
    const facts = read({ contents: [user({ text: "see" }, image(9_000), results(5_000))] });
    const bare = size(results(0)) - 2;
    expect(facts.promptBytes).toMatchObject({ toolResults: bare, user: size(user({ text: "see" }, image(0), results(0))) - 4 - bare });
  });

  it("content nested without end is no bound, and no harm", () => {
    let part: object = { text: "x" };
    for (let level = 0; level < 400; level++) part = { functionResponse: { parts: [part] } };
    expect(read({ contents: [user(part)] }).unbounded).toBe("content nested too deep");
  });

  it("takes wrong types for what they are: not said", () => {
    expect(
      read({ contents: 4, tools: "x", systemInstruction: null, generationConfig: [], serviceTier: 3, labels: [], cachedContent: null }),
    ).toMatchObject({ tier: null, cap: null, choices: 1, effort: null, unbounded: null, blocks: [], toolNames: [] });
    expect(read({ contents: [7, { parts: [null, 5, { inlineData: null, fileData: null }] }] }).unbounded).toBeNull();
    expect(read({ generationConfig: { maxOutputTokens: "many", candidateCount: -1 } })).toMatchObject({ cap: null, choices: 1 });
  });

  it.each(["", "[]", "{", '{"contents":}'])("refuses %j with the byte where it breaks", (text) => {
    expect(() => geminiGenerate.request(Buffer.from(text), line(path))).toThrow(/at byte \d/);
  });
});

const refused = (status: number): unknown => JSON.parse(geminiGenerate.refusal({ status, code: "budget_exceeded", message: "no" }).text);

describe("refusals", () => {
  it("have Google's shape, with our code as their reason", () => {
    expect(refused(429)).toEqual({
      error: {
        code: 429,
        message: "no",
        status: "RESOURCE_EXHAUSTED",
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "BUDGET_EXCEEDED", domain: "pennyworth" }],
      },
    });
    for (const [status, name] of [
      [400, "INVALID_ARGUMENT"],
      [413, "INVALID_ARGUMENT"],
      [401, "UNAUTHENTICATED"],
      [500, "INTERNAL"],
      [503, "UNAVAILABLE"],
    ] as const)
      expect(refused(status)).toMatchObject({ error: { code: status, status: name } });
    expect(geminiGenerate.answer(geminiGenerate.refusal({ status: 404, code: "x", message: "m" }).text, head()).error).toBe("NOT_FOUND");
  });
});
