// What a call can take at most, as far as its body and its model say: tools, pictures, texts in other forms, caps that are none.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { bedrockConverse } from "./converse.ts";
import { embeddings } from "./embeddings.ts";
import type { Format } from "./format.ts";
import { line } from "./format.fixture.ts";
import { geminiGenerate } from "./gemini.ts";
import { images } from "./images.ts";
import { boundRequest, capInForce, capSplices, type Target } from "./reach.ts";
import { responses } from "./responses.ts";

const target = (format: Format, vendor: string, model: string): Target => ({ format: format.name, vendors: [vendor], model });
function bounded(format: Format, vendor: string, model: string, value: unknown): ReturnType<typeof boundRequest> {
  const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  return boundRequest(target(format, vendor, model), body, format.request(body, line("/v1/test", model)));
}
const user = (content: unknown): object => ({ messages: [{ role: "user", content }] });
const base64 = "A".repeat(60_000);

describe("pictures", () => {
  const data = `data:image/png;base64,${base64}`;
  it.each<[string, Format, string, string, unknown, number, number]>([
    // 64 tokens around, and each picture at its model's most; its base64 is not counted.
    ["of chat", chat, "openai", "gpt-4o", user([{ type: "image_url", image_url: { url: data } }]), 1, 64 + 1_445],
    ["of chat by URL", chat, "openai", "gpt-4o", user([{ type: "image_url", image_url: { url: "https://x/y" } }]), 1, 64 + 1_445],
    [
      "of responses",
      responses,
      "openai",
      "gpt-5",
      {
        input: [
          {
            role: "user",
            content: [
              { type: "input_image", image_url: data },
              { type: "input_image", file_id: "f" },
            ],
          },
        ],
      },
      2,
      64 + 2 * 1_190,
    ],
    [
      "of messages, one in a tool's result",
      anthropic,
      "anthropic",
      "claude-sonnet-4-5",
      user([
        { type: "tool_result", tool_use_id: "1", content: [{ type: "image", source: { type: "base64", data: base64 } }] },
        { type: "image", source: { type: "base64", data: base64 } },
      ]),
      2,
      64 + 2 * 1_700,
    ],
    [
      "of Gemini, one in a function's response",
      geminiGenerate,
      "google",
      "gemini-3-pro-preview",
      {
        contents: [
          {
            parts: [
              { inlineData: { mimeType: "image/png", data: base64 } },
              { functionResponse: { name: "f", response: {}, parts: [{ inlineData: { mimeType: "image/png", data: base64 } }] } },
            ],
          },
        ],
      },
      2,
      64 + 2 * 2_300,
    ],
    [
      "of Converse",
      bedrockConverse,
      "bedrock",
      "anthropic.claude-opus-4-8",
      user([{ image: { format: "png", source: { bytes: base64 } } }]),
      1,
      64 + 5_000,
    ],
  ])("%s are counted, by their model", (_name, format, vendor, model, value, _count, tokens) => {
    const request = bounded(format, vendor, model, value);
    expect(request).toMatchObject({ extraTokens: tokens, wide: null, unbounded: null, reads: { media: true } });
    expect(request.requestBytes).toBeLessThan(500);
  });

  it.each<[string, Format, unknown, number]>([
    [
      "a function's result",
      responses,
      { input: [{ type: "function_call_output", call_id: "1", output: [{ type: "input_image", image_url: "https://x" }] }] },
      1,
    ],
    ["a screenshot", responses, { input: [{ type: "computer_call_output", output: { type: "computer_screenshot", image_url: data } }] }, 1],
    ["some other way", chat, user([{ type: "image", image: "https://x" }]), 1],
    [
      "no way",
      responses,
      {
        input: [
          { type: "reasoning", encrypted_content: base64 },
          { type: "function_call_output", output: "https://x" },
        ],
      },
      0,
    ],
  ])("in %s are counted", (_name, format, value, count) => {
    const request = bounded(format, "openai", "gpt-5", value);
    expect(request).toMatchObject({ extraTokens: 64 + count * 1_190, wide: null, unbounded: null });
    expect(request.requestBytes < 500).toBe(count > 0);
  });

  it("of a model of which that is not known may fill the window", () => {
    const request = bounded(chat, "vllm", "qwen3-vl", user([{ type: "image_url", image_url: { url: data } }]));
    expect(request).toMatchObject({ wide: "pictures of unknown tokens", unbounded: null });
  });
});

describe("what may fill the window", () => {
  it.each<[string, Format, string, unknown, string]>([
    [
      "a file that is held",
      responses,
      "gpt-5",
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] },
      "media held by the provider: input_file",
    ],
    ["an earlier response", responses, "gpt-5", { previous_response_id: "r" }, "context held by the provider: previous_response_id"],
    [
      "a document",
      anthropic,
      "claude-sonnet-4-5",
      user([{ type: "document", source: { type: "url", url: "https://x" } }]),
      "media by URL: document",
    ],
    [
      "sound",
      chat,
      "gpt-4o",
      user([{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }]),
      "media of unknown tokens: input_audio",
    ],
    [
      "a video",
      geminiGenerate,
      "gemini-3-pro",
      { contents: [{ parts: [{ fileData: { mimeType: "video/mp4", fileUri: "gs://x" } }] }] },
      "media by URL: video",
    ],
    [
      "what the model said",
      chat,
      "gpt-audio",
      { messages: [{ role: "assistant", audio: { id: "a" } }] },
      "context held by the provider: audio",
    ],
    [
      "what it thought",
      responses,
      "gpt-5",
      { input: [{ type: "reasoning", id: "r", summary: [] }] },
      "context held by the provider: reasoning",
    ],
    [
      "what a tool found",
      responses,
      "gpt-5",
      { input: [{ type: "file_search_call", id: "f" }] },
      "context held by the provider: file_search_call",
    ],
    ["sound in some other way", chat, "gpt-4o", user([{ type: "input_audio", sound: "?" }]), "media of unknown tokens: input_audio"],
  ])("%s", (_name, format, model, value, wide) => {
    expect(bounded(format, "openai", model, value)).toMatchObject({ wide, unbounded: null, reads: { media: true } });
  });
});

const search = (uses?: number): object => ({
  max_tokens: 100,
  tools: [{ type: "web_search_20250305", name: "web_search", ...(uses === undefined ? {} : { max_uses: uses }) }],
  messages: [],
});
const ofClaude = (value: unknown): ReturnType<typeof boundRequest> => bounded(anthropic, "anthropic", "claude-sonnet-4-5", value);

describe("tools that the provider runs", () => {
  it("are steps and uses where they have a cap", () => {
    expect(ofClaude(search(3))).toMatchObject({ unbounded: null, steps: 10, capPerStep: true, uses: { web_search: 3 }, cap: 100 });
    expect(ofClaude(search(30))).toMatchObject({ steps: 31, uses: { web_search: 30 } });
    const fetch = { type: "web_fetch_20250910", name: "web_fetch", max_uses: 4 };
    expect(ofClaude({ ...search(3), tools: [{ type: "web_search_20250305", max_uses: 3 }, fetch] })).toMatchObject({
      uses: { web_search: 3, web_fetch: 4 },
    });
    expect(ofClaude(search())).toMatchObject({ unbounded: "server tools without a cap: web_search_20250305" });
    expect(ofClaude({ ...search(), tools: [{ type: "advisor_20260301", max_uses: 2 }] }).unbounded).toMatch(/advisor/);
    // Later versions are called by code as well, which no number of uses bounds.
    const later = { type: "web_search_20260209", name: "web_search", max_uses: 2 };
    expect(ofClaude({ tools: [later] }).unbounded).toBe("server tools capped at 2 calls: web_search_20260209");
    expect(ofClaude({ tools: [{ ...later, allowed_callers: ["direct"] }] })).toMatchObject({ unbounded: null, steps: 10 });
  });

  it.each([
    [
      { tools: [{ type: "web_search" }], max_tool_calls: 3 },
      { steps: 4, uses: { web_search: 3 }, capPerStep: false, unbounded: null },
    ],
    [
      { tools: [{ type: "file_search" }, { type: "code_interpreter" }], max_tool_calls: 2 },
      { steps: 3, uses: { file_search: 2, code_execution: 2 } },
    ],
    [{ tools: [{ type: "web_search" }] }, { unbounded: "server tools without a cap: web_search" }],
    [{ tools: [{ type: "mcp" }], max_tool_calls: 3 }, { unbounded: "server tools capped at 3 calls: mcp" }],
    [{ tools: [{ type: "image_generation" }], max_tool_calls: 3 }, { unbounded: "server tools capped at 3 calls: image_generation" }],
    [{ prompt: { id: "p" } }, { unbounded: "context held by the provider: prompt" }],
    [{ background: true }, { unbounded: "background work" }],
  ])("of responses: %j", (value, expected) => {
    expect(bounded(responses, "openai", "gpt-5", value)).toMatchObject(expected);
  });

  it("have no cap where the provider passes over it", () => {
    const value = { tools: [{ type: "web_search" }], max_tool_calls: 3 };
    expect(bounded(responses, "mistral", "mistral-large-latest", value).unbounded).toBe("a cap on tools that the provider does not heed");
  });

  it.each<[Format, string, unknown, RegExp]>([
    [chat, "sonar-deep-research", {}, /runs tools of its own/],
    [chat, "grok-4", { search_parameters: { mode: "on" } }, /search_parameters/],
    [chat, "x", { tools: [{ type: "web_search", web_search: {} }] }, /server tools without a cap: web_search/],
    [chat, "x", { plugins: [{ id: "web" }] }, /plugins/],
    [chat, "x", { models: ["a", "b"] }, /other models may answer/],
    [anthropic, "claude-opus-4-8", { inference_geo: "us" }, /inference_geo us/],
    [anthropic, "claude-opus-4-8", { fallbacks: [{ model: "claude-opus-5" }] }, /other models may answer/],
    [geminiGenerate, "gemini-3-pro", { tools: [{ googleSearch: {} }] }, /googleSearch/],
    [geminiGenerate, "gemini-3-pro", { cachedContent: "c" }, /cachedContent/],
  ])("or what nothing bounds: %#", (format, model, value, reason) => {
    expect(bounded(format, "openrouter", model, value).unbounded).toMatch(reason);
  });
});

const put = (vendor: string, model: string, value: object): string | undefined => {
  const facts = chat.request(Buffer.from(JSON.stringify({ model, ...value })), line());
  return capSplices(target(chat, vendor, model), facts, 7)
    ?.map(({ insert }) => insert)
    .join(" ");
};

describe("the cap in force", () => {
  it.each<[Format, string, string, object, number | null]>([
    [chat, "openai", "gpt-5", { max_completion_tokens: 9 }, 9],
    [chat, "ollama", "qwen3", { max_completion_tokens: 9 }, null],
    [chat, "ollama", "qwen3", { max_tokens: 9 }, 9],
    [chat, "deepseek", "deepseek-reasoner", { max_tokens: 9 }, null],
    [responses, "openai", "o3", { max_output_tokens: 9 }, 9],
    [embeddings, "openai", "text-embedding-3-small", { input: "a" }, 0],
    [chat, "openai", "gpt-4o", { max_tokens: 0 }, null],
  ])("of %#: what the provider heeds, and what covers the reasoning", (format, vendor, model, value, cap) => {
    const body = Buffer.from(JSON.stringify(value));
    const facts = format.request(body, line());
    expect(capInForce(target(format, vendor, model), facts)).toBe(cap);
    expect(bounded(format, vendor, model, value).cap).toBe(cap);
  });

  it("is put in by a name that is heeded, and not where it would be none", () => {
    expect(put("openai", "gpt-5", {})).toBe('"max_completion_tokens":7,');
    expect(put("openai", "gpt-4o", { max_tokens: 9 })).toBe("7");
    expect(put("ollama", "qwen3", {})).toBe('"max_tokens":7,');
    expect(put("ollama", "qwen3", { max_completion_tokens: 9 })).toBe('"max_tokens":7, 7');
    expect(put("deepseek", "deepseek-reasoner", {})).toBeUndefined();
  });

  it("is none where nothing says how much is put out", () => {
    expect(bounded(images, "openai", "gpt-image-1", { prompt: "a" })).not.toHaveProperty("outputMax");
    expect(bounded(chat, "openai", "gpt-5", {})).toMatchObject({ cap: null, outputMax: 128_000 });
    expect(bounded(chat, "vllm", "qwen3", {})).toMatchObject({ cap: null, outputMax: null });
  });
});

const bytesAt = (model: string, value: string): number => bounded(chat, "x", model, value).requestBytes;

describe("texts", () => {
  it("of a list have each a window of its own, and a prediction is put out beside the answer", () => {
    expect(bounded(embeddings, "openai", "text-embedding-3-small", { input: ["a", "b"] }).contexts).toBe(Infinity);
    expect(bounded(completions, "vllm", "x", { prompt: ["a", "b", "c"] })).toMatchObject({ contexts: 3, choices: 3 });
    expect(bounded(chat, "openai", "gpt-4o", { prediction: { type: "content", content: "abc" } }).predictedBytes).toBe(5);
  });

  it("may be written into a cache only where the request says so", () => {
    const writes = (value: object): string | undefined => bounded(anthropic, "anthropic", "claude-opus-4-8", value).reads?.writes;
    expect(writes(user("a"))).toBe("none");
    expect(writes({ system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }] })).toBe("5m");
    expect(writes({ cache_control: { type: "ephemeral", ttl: "1h" } })).toBe("any");
    expect(bounded(anthropic, "anthropic", "claude-opus-4-8", '{"cache\\u005fcontrol":{"ttl":"1h"}}').reads?.writes).toBe("any");
    expect(bounded(chat, "openai", "gpt-5", user("a")).reads?.writes).toBe("any");
  });

  it("grow to eleven times as much in another form of Unicode", () => {
    const text = '{"a":"\uFDFA"}';
    expect(bytesAt("claude", text)).toBe(Buffer.byteLength(text) + 30);
    expect(bytesAt("gpt-5", text)).toBe(Buffer.byteLength(text));
    expect(bytesAt("claude", '{"a":"\\ufdfa"}')).toBe(8 + 33);
    // An escaped backslash, and then four letters.
    expect(bytesAt("claude", '{"a":"\\\\ufdfa"}')).toBe(15);
    expect(bytesAt("claude", `{"a":"${"\uFDFA".repeat(100_000)}"}`)).toBe(11 * 300_008);
  });

  it("are never below their bytes, nor below their bytes in that form, however they are written", () => {
    const strings = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(strings, fc.boolean(), (text, escaped) => {
        const plain = JSON.stringify({ a: text });
        const body = escaped
          ? plain.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
          : plain;
        const most = bounded(chat, "x", "claude", body).requestBytes;
        expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(body));
        expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(text.normalize("NFKC")));
        expect(most).toBeGreaterThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });
});
