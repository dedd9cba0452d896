import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { UsageClass } from "../core/usage.ts";
import { readLitellm } from "./litellm.ts";
import { nameOfLitellm } from "./names.ts";
import { checkList } from "./sanity.ts";

const options = { format: null, source: null, published: null } as const;
const path = fileURLToPath(new URL("../../../shared/data/prices/litellm_2026_07_24.json", import.meta.url));
const isHere = existsSync(path);

function read(map: Readonly<Record<string, object>>) {
  const all = Object.fromEntries(Object.entries(map).map(([key, entry]) => [key, { litellm_provider: "openai", mode: "chat", ...entry }]));
  return readLitellm(JSON.stringify(all, null, 1), options);
}

describe("LiteLLM's map", () => {
  it("has tiers, steps for long prompts and one-hour writes in the names of its fields", () => {
    const { list, skipped } = read({
      "claude-x": {
        litellm_provider: "anthropic",
        input_cost_per_token: 3e-6,
        input_cost_per_token_above_200k_tokens: 6e-6,
        output_cost_per_token: 1.5e-5,
        cache_creation_input_token_cost: 3.75e-6,
        cache_creation_input_token_cost_above_1hr: 6e-6,
        cache_creation_input_token_cost_above_1hr_above_200k_tokens: 1.2e-5,
        input_cost_per_token_batches: 1.5e-6,
        input_cost_per_token_batches_above_200k_tokens: 3e-6,
        output_cost_per_token_batches: 7.5e-6,
        search_context_cost_per_query: { search_context_size_low: 0.01, search_context_size_medium: 0.01, search_context_size_high: 0.01 },
        provider_specific_entry: { fast: 6, us: 1.1 },
      },
    });
    const at = (tier: string, region: string | null = null) =>
      list.records.find((record) => record.tier === tier && record.region === region)?.prices;
    const steps = (tier: string, name: UsageClass, region: string | null = null) =>
      at(tier, region)?.[name]?.steps.map(({ aboveTokens, usd }) => [aboveTokens, usd]);
    expect(steps("standard", "input")).toEqual([
      [-1, "3"],
      [200_000, "6"],
    ]);
    expect(steps("standard", "cache_write_1h")).toEqual([
      [-1, "6"],
      [200_000, "12"],
    ]);
    expect(steps("standard", "cache_write")).toEqual([[-1, "3.75"]]);
    expect(steps("standard", "web_search")).toEqual([[-1, "10"]]);
    expect(steps("batch", "output")).toEqual([[-1, "7.5"]]);
    expect(steps("fast", "cache_write_1h")).toEqual([
      [-1, "36"],
      [200_000, "72"],
    ]);
    expect(steps("standard", "output", "us")).toEqual([[-1, "16.5"]]);
    expect(steps("fast", "output", "us")).toEqual([[-1, "99"]]);
    // The batch price of input has no known field for long prompts, and the standard one has a step there.
    expect(at("batch")?.input).toBeUndefined();
    expect(skipped.map(({ what, count }) => [what, count])).toContainEqual(["claude-x: input in batch", 1]);
  });

  it("ccusage #1348: a 0 that may mean unknown is not a price, and one that is meant is", () => {
    const { list, skipped } = read({
      "new-model": { input_cost_per_token: 0, output_cost_per_token: 0 },
      "openrouter/x/y:free": { litellm_provider: "openrouter", input_cost_per_token: 0, output_cost_per_token: 0 },
      "omni-moderation": { mode: "moderation", input_cost_per_token: 0, output_cost_per_token: 0 },
      "rerank-v9": { litellm_provider: "cohere", mode: "rerank", input_cost_per_query: 0.002, input_cost_per_token: 0 },
    });
    expect(
      list.records.map(({ model, prices }) => [model, Object.entries(prices).map(([name, price]) => [name, price?.steps[0]?.usd])]),
    ).toEqual([
      [
        "x/y:free",
        [
          ["input", "0"],
          ["output", "0"],
        ],
      ],
      [
        "omni-moderation",
        [
          ["input", "0"],
          ["output", "0"],
        ],
      ],
      [
        "rerank-v9",
        [
          ["rerank", "2"],
          ["input", "0"],
        ],
      ],
    ]);
    expect(skipped).toContainEqual({
      what: "new-model: input_cost_per_token",
      why: "0 may mean unknown, and is not taken for free",
      count: 2,
    });
  });

  it.each([
    [
      "vertex_ai-anthropic_models",
      "vertex_ai/claude-opus-4-1@20250805",
      { provider: "vertex", model: "claude-opus-4-1@20250805", region: null },
    ],
    ["gemini", "gemini/gemini-2.5-pro", { provider: "google", model: "gemini-2.5-pro", region: null }],
    [
      "bedrock",
      "bedrock/us-gov-west-1/amazon.titan-text-lite-v1",
      { provider: "aws", model: "amazon.titan-text-lite-v1", region: "us-gov-west-1" },
    ],
    ["bedrock_converse", "us.anthropic.claude-opus-5", { provider: "aws", model: "us.anthropic.claude-opus-5", region: null }],
    ["bedrock", "bedrock/invoke/us.x.y-v1:0", { provider: "aws", model: "us.x.y-v1:0", region: null }],
    ["azure", "azure/eu/gpt-4o", { provider: "azure", model: "gpt-4o", region: "eu" }],
    ["azure_ai", "azure_ai/gpt-5.5", { provider: "azure", model: "gpt-5.5", region: null }],
    ["openrouter", "openrouter/openai/gpt-4o", { provider: "openrouter", model: "openai/gpt-4o", region: null }],
    ["groq", "groq/openai/gpt-oss-20b", { provider: "groq", model: "openai/gpt-oss-20b", region: null }],
    ["xai", "xai/grok-4", { provider: "x-ai", model: "grok-4", region: null }],
    ["vercel_ai_gateway", "vercel_ai_gateway/a/b", { provider: "vercel-ai-gateway", model: "a/b", region: null }],
    ["together_ai", "together-ai-21.1b-41b", "a class of model sizes, and no model"],
    ["azure", "azure/high/1536-x-1024/gpt-image-1-mini", "a picture's format and quality, which no usage class tells apart"],
    ["bedrock", "bedrock/*/1-month-commitment/cohere.command-text-v14", "committed throughput is paid by the hour, and not by the call"],
  ])("%s %s is %j", (provider, key, named) => {
    expect(nameOfLitellm(provider, key)).toEqual(named);
  });

  it.each([
    [
      '{\n "gpt": {"litellm_provider": "openai", "input_cost_per_token": -1}\n}',
      "line 2, column 40: gpt: input_cost_per_token is no price: -1",
    ],
    ['{\n "gpt": {"litellm_provider": "openai", "input_cost_per_token": "cheap"}\n}', 'is no price: "cheap"'],
    ['{\n "gpt": {"litellm_provider": "openai",}\n}', "line 2, column 39"],
    ['{\n "gpt": {"litellm_provider": openai}\n}', "line 2, column 30: unexpected token 'o'"],
    ['{\n "gpt": {"litellm_provider"', "line 2"],
    ["[]", "expected a mapping of models"],
  ])("is refused whole: %s", (text, reason) => {
    expect(() => readLitellm(text, options)).toThrow(reason);
  });
});

/** Another way to the same figure: the digits of a number, and the point moved by six. */
function perMillion(value: number): number {
  return Number(`${value.toExponential().replace(/e.*/, "")}e${Number(value.toExponential().replace(/.*e/, "")) + 6}`);
}

describe.skipIf(!isHere)(isHere ? "the map of 24 July 2026" : "skipped: ../shared/data is not here", () => {
  const text = isHere ? readFileSync(path, "utf8") : "{}";
  const { list, skipped } = readLitellm(text, { ...options, published: "2026-07-24" });
  const map = JSON.parse(text) as Record<string, Record<string, unknown>>;

  it("has every plain price of every model, to the last digit, or a reason why not", () => {
    const byId = new Map(
      list.records.map((record) => [`${record.provider}\n${record.model.toLowerCase()}\n${record.tier}\n${record.region}`, record]),
    );
    const fields = {
      input_cost_per_token: ["input", "standard"],
      output_cost_per_token: ["output", "standard"],
      cache_read_input_token_cost: ["cache_read", "standard"],
      cache_creation_input_token_cost_above_1hr: ["cache_write_1h", "standard"],
      output_cost_per_reasoning_token: ["reasoning", "standard"],
      input_cost_per_audio_token: ["input_audio", "standard"],
    } as const;
    let compared = 0;
    const wrong: string[] = [];
    for (const [key, entry] of Object.entries(map)) {
      if (typeof entry !== "object" || typeof entry["litellm_provider"] !== "string" || key === "sample_spec") continue;
      const named = nameOfLitellm(entry["litellm_provider"], key);
      if (typeof named === "string") continue;
      for (const [field, [type, tier]] of Object.entries(fields)) {
        const value = entry[field];
        if (typeof value !== "number" || value === 0) continue;
        if (field === "output_cost_per_reasoning_token" && value === entry["output_cost_per_token"]) continue;
        if (field === "input_cost_per_audio_token" && value === entry["input_cost_per_token"]) continue;
        const usd = byId.get(`${named.provider}\n${named.model.toLowerCase()}\n${tier}\n${named.region}`)?.prices[type]?.steps[0]?.usd;
        if (usd === undefined || Number(usd) !== perMillion(value)) wrong.push(`${key} ${field}: ${usd} for ${value}`);
        compared += 1;
      }
    }
    // Where two keys are one model, the one that comes first says it.
    const twice = skipped.find(({ why }) => why === "an earlier entry for the same model says otherwise")?.count ?? 0;
    expect(wrong.length).toBeLessThanOrEqual(4 * twice);
    expect(compared).toBeGreaterThan(5000);
  });

  it("is read in a moment, and leaves nothing out in silence", () => {
    expect(list.records.length).toBeGreaterThan(2500);
    expect(skipped.every(({ what, why, count }) => what !== "" && why !== "" && count > 0)).toBe(true);
  });

  it("litellm PR 38371: the one-hour writes of haiku 3 and opus 3 are among what is odd, and prices in another unit", () => {
    const odd = checkList(list).map(({ provider, model, class: type }) => `${provider}/${model} ${type}`);
    expect(odd).toEqual(
      expect.arrayContaining([
        "anthropic/claude-3-haiku-20240307 cache_write_1h",
        "anthropic/claude-3-opus-20240229 cache_write_1h",
        "wandb/Qwen/Qwen3-235B-A22B-Instruct-2507 input",
        "cohere/embed-multilingual-light-v3.0 input",
        "azure/jais-30b-chat output",
      ]),
    );
    expect(odd.length).toBeLessThan(100);
  });
});
