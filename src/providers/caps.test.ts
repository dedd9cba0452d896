// What is known of caps, a test for each row of docs/caps.md, and of the most that models put out, against another list.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  capCoversReasoning,
  chatFieldsOf,
  heedsToolCap,
  imageTokensOf,
  keepsText,
  outputMaxOf,
  runsTools,
  surroundings,
  tiersOf,
} from "./caps.ts";

const page = readFileSync(new URL("../../docs/caps.md", import.meta.url), "utf8");

describe("the most that a model puts out", () => {
  // OpenAI, Anthropic, Google, AWS, Cohere and DeepSeek: their pages of models.
  it.each([
    ["gpt-4o", 16_384],
    ["ft:gpt-4o-mini-2024-07-18:acme", 16_384],
    ["gpt-4.1-nano", 32_768],
    ["gpt-4-turbo", 4_096],
    ["gpt-4", 8_192],
    ["gpt-3.5-turbo", 4_096],
    ["gpt-5", 128_000],
    ["openai/gpt-5.4-mini", 128_000],
    ["gpt-5-pro", 272_000],
    ["gpt-5-chat-latest", 16_384],
    ["o3", 100_000],
    ["o4-mini-2025-04-16", 100_000],
    ["openai.gpt-oss-120b-1:0", 131_072],
    ["claude-3-haiku-20240307", 4_096],
    ["claude-3-5-sonnet-20241022", 8_192],
    ["claude-opus-4-1-20250805", 32_000],
    ["claude-opus-4-20250514", 32_000],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", 64_000],
    ["claude-haiku-4-5", 64_000],
    ["claude-opus-4-5@20251101", 64_000],
    ["claude-opus-4-8", 128_000],
    ["claude-sonnet-5", 128_000],
    ["gemini-2.0-flash", 8_192],
    ["models/gemini-2.5-flash", 98_304],
    ["gemini-3-pro-preview", 98_304],
    ["command-r-plus-08-2024", 4_096],
    ["command-a-03-2025", 8_192],
    ["apac.amazon.nova-lite-v1:0", 10_000],
    ["deepseek-reasoner", 65_536],
    ["our-own-deployment", null],
    ["gpt-6", null],
    ["", null],
    [null, null],
  ])("%s: %s", (model, most) => expect(outputMaxOf(model)).toBe(most));

  const list = new URL("../../../shared/data/prices/litellm_2026_07_24.json", import.meta.url);
  it("is nowhere below what LiteLLM's map of 2026-07-24 has", ({ skip }) => {
    if (!existsSync(list)) skip("skipped: ../shared/data is not here");
    const entries = Object.entries(JSON.parse(readFileSync(list, "utf8")) as Record<string, Record<string, unknown>>);
    const makers = new Set([
      "openai",
      "anthropic",
      "gemini",
      "vertex_ai-language-models",
      "vertex_ai-anthropic_models",
      "bedrock_converse",
      "cohere_chat",
    ]);
    const found = entries.filter(([, { mode, litellm_provider: maker }]) => mode === "chat" && makers.has(String(maker)));
    const below = found.flatMap(([name, { max_output_tokens: most }]) => {
      const ours = outputMaxOf(name);
      return ours !== null && typeof most === "number" && ours < most ? [`${name}: ${ours} < ${most}`] : [];
    });
    expect(found.filter(([name]) => outputMaxOf(name) !== null).length).toBeGreaterThan(250);
    expect(below).toEqual([]);
  });
});

const tiersAt = (vendor: string, asked: string | null): readonly string[] => tiersOf({ vendors: [vendor], model: null }, asked);

describe("docs/caps.md", () => {
  it.each([
    ["openai-responses", "gpt-5", true],
    ["openai-chat", "gpt-5", true],
    ["openai-chat", "qwen3-32b", true],
    ["anthropic-messages", "claude-opus-4-8", true],
    ["gemini-generate", "gemini-2.5-pro", true],
    ["ollama-generate", "deepseek-r1", true],
    ["bedrock-converse", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", true],
    ["bedrock-invoke", "openai.gpt-oss-120b-1:0", true],
    ["openai-chat", "deepseek-reasoner", false],
    ["openai-chat", "grok-4", false],
    ["openai-responses", "grok-4", true],
    ["openai-chat", "sonar-reasoning-pro", false],
    ["cohere-chat", "command-a-reasoning-08-2025", false],
    ["cohere-chat", "command-a-03-2025", true],
  ] as const)("whether a cap of %s covers the reasoning of %s: %s", (format, model, covers) => {
    expect(capCoversReasoning(format, model)).toBe(covers);
  });

  it.each([
    [["openai"], "gpt-4o", ["max_completion_tokens", "max_tokens"], "max_completion_tokens"],
    [["mine", "openai"], "gpt-4o", ["max_completion_tokens", "max_tokens"], "max_completion_tokens"],
    [["azure", "azure", "openai"], "our-large", ["max_completion_tokens", "max_tokens"], "max_completion_tokens"],
    [["vllm"], "qwen3", ["max_completion_tokens", "max_tokens"], "max_tokens"],
    [["ollama"], "qwen3", ["max_tokens"], "max_tokens"],
    [["deepseek"], "deepseek-chat", ["max_tokens"], "max_tokens"],
    [["mistral"], "mistral-large-latest", ["max_tokens"], "max_tokens"],
    [["nobody-knows"], "qwen3", ["max_tokens"], "max_tokens"],
    [["nobody-knows"], "gpt-5", ["max_completion_tokens", "max_tokens"], "max_completion_tokens"],
    [["hasOwnProperty"], null, ["max_tokens"], "max_tokens"],
  ])("which names of the cap %j heeds for %s", (vendors, model, fields, usual) => {
    expect(chatFieldsOf({ vendors, model })).toEqual({ fields, usual });
  });

  it("names every provider whose caps are known by name", () => {
    for (const name of ["groq", "xai", "cerebras", "moonshot", "openrouter", "fireworks", "google", "vllm", "sglang", "llamacpp"])
      expect(page).toContain(name);
    for (const name of ["deepseek-reasoner", "command-a-reasoning", "sonar-reasoning", "grok-4"]) expect(page).toContain(name);
  });

  it.each([
    ["sonar-deep-research", true],
    ["groq/compound-mini", true],
    ["o3-deep-research", true],
    ["gpt-4o-search-preview", true],
    ["openrouter/auto", true],
    ["openai/gpt-5:online", true],
    ["sonar-pro", false],
    ["gpt-5", false],
    [null, false],
  ])("whether %s runs tools unasked: %s", (model, does) => expect(runsTools(model)).toBe(does));

  it("says at which tiers a call may be served that asks for none", () => {
    expect([tiersAt("openai", null), tiersAt("openai", "auto"), tiersAt("azure", null)]).toEqual([
      ["priority"],
      ["priority"],
      ["priority"],
    ]);
    expect([tiersAt("openai", "default"), tiersAt("openai", "flex"), tiersAt("anthropic", null)]).toEqual([[], [], []]);
  });

  it("says who holds to a cap on tools", () => {
    expect(["openai", "azure", "mistral", "groq", "xai"].map((name) => heedsToolCap({ vendors: [name], model: null }))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("what a model takes for one picture", () => {
  // OpenAI: 85 and 170 for each of eight tiles; 1,536 patches times 1.62. Anthropic: 1,600, and 4,784 of the newer ones. Google: 2,240.
  it.each([
    ["gpt-4o", 1_445],
    ["gpt-4o-mini", 48_169],
    ["gpt-4.1-mini", 3_779],
    ["o4-mini", 2_642],
    ["gpt-5", 1_190],
    ["gpt-5-mini", 3_779],
    ["gpt-5.4", 24_600],
    ["gpt-5.4-mini", null],
    ["claude-sonnet-4-5", 1_700],
    ["claude-opus-4-1-20250805", 1_700],
    ["claude-opus-4-7", 5_000],
    ["claude-sonnet-5", 5_000],
    ["gemini-3-pro-preview", 2_300],
    ["gemini-2.5-flash", null],
    ["qwen3-vl", null],
  ])("%s: %s", (model, most) => expect(imageTokensOf(model)).toBe(most));
});

const around = (vendors: readonly string[], model: string, tools: boolean, declared = 0): number =>
  surroundings({ vendors, model }, { tools, declared });

it("knows what providers write around a request, and whose tokenizers leave a text as it is", () => {
  expect(around(["openai"], "gpt-5", false)).toBe(64);
  // Anthropic: up to 804 for tools; 735 and 499 for using a computer.
  expect(around(["anthropic"], "claude-opus-4-8", true, 1)).toBeGreaterThan(804 + 735 + 499);
  expect(around(["xai", "x-ai"], "grok-4", false)).toBeGreaterThan(680);
  expect(["gpt-5", "o3", "claude-opus-4-8", "qwen3"].map((model) => keepsText({ vendors: [], model }))).toEqual([true, true, false, false]);
});
