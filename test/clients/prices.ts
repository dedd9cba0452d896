// List prices as their sellers publish them, and the sum of a call by them: by hand, so that prices, rating and formatting are all checked.

import type { Served } from "../../src/sandbox/witness.ts";

/** Picodollars per unit ($1 per million tokens = 1,000,000). A class that is not named was not to be served. */
export type List = { readonly [name in keyof Served]?: bigint };

/** As of 2026-07; the seller's own page first. */
export const lists = {
  // ai.google.dev/gemini-api/docs/pricing, cloud.google.com/vertex-ai/generative-ai/pricing: thoughts at the output's price.
  "gemini-2.5-flash": { input: 300_000n, tool_prompt: 300_000n, cache_read: 30_000n, output: 2_500_000n, reasoning: 2_500_000n },
  "gemini-embedding-001": { input: 150_000n },
  // platform.openai.com/docs/pricing
  "gpt-4o": { input: 2_500_000n, cache_read: 1_250_000n, output: 10_000_000n, reasoning: 10_000_000n },
  "gpt-4o-mini": { input: 150_000n, cache_read: 75_000n, output: 600_000n, reasoning: 600_000n },
  "text-embedding-3-small": { input: 20_000n },
  "gpt-image-1": { input: 5_000_000n, input_image: 10_000_000n, output_image: 40_000_000n },
  "gpt-4o-mini-transcribe": { input: 1_250_000n, input_audio: 3_000_000n, output: 5_000_000n },
  "gpt-4o-mini-tts": { input: 600_000n, output_audio: 12_000_000n },
  // $0.006 a minute: $0.0001 a second.
  "whisper-1": { audio_seconds: 100_000_000n },
  // aws.amazon.com/bedrock/pricing; Claude at a regional endpoint costs a tenth more than at the global one.
  "amazon.nova-lite": { input: 60_000n, cache_read: 15_000n, output: 240_000n },
  "amazon.titan-embed-text-v1": { input: 100_000n },
  "amazon.titan-embed-text-v2:0": { input: 20_000n },
  "us.anthropic.claude-sonnet-4-5": { input: 3_300_000n, cache_read: 330_000n, cache_write_5m: 4_125_000n, output: 16_500_000n },
  // cohere.com/pricing
  "command-a": { input: 2_500_000n, output: 10_000_000n },
  "embed-v4.0": { input: 120_000n },
  // mistral.ai/pricing
  "ministral-8b": { input: 150_000n, output: 150_000n },
  "mistral-embed": { input: 100_000n },
  // groq.com/pricing, docs.x.ai/docs/models, together.ai/pricing, fireworks.ai/pricing
  "llama-3.3-70b-versatile": { input: 590_000n, output: 790_000n },
  "grok-3": { input: 3_000_000n, output: 15_000_000n },
  "Llama-3.3-70B-Instruct-Turbo": { input: 880_000n, output: 880_000n },
  "gpt-oss-120b": { input: 150_000n, output: 600_000n },
  // docs.perplexity.ai/guides/pricing; beside it each request costs what its search does: at most $12 a thousand.
  sonar: { input: 1_000_000n, output: 1_000_000n },
  // docs.claude.com/en/docs/about-claude/pricing
  "claude-sonnet-4-5": {
    input: 3_000_000n,
    cache_read: 300_000n,
    cache_write_5m: 3_750_000n,
    cache_write_1h: 6_000_000n,
    output: 15_000_000n,
    reasoning: 15_000_000n,
  },
} as const satisfies Readonly<Record<string, List>>;

/** What the user says that a call costs, for the settings and in picodollars: where a seller has no list, or one that changes by the hour. */
export const own = {
  settings: [
    { provider: "ollama", model: "llama3.2", perMillion: { input: "0.011", cache_read: "0.0007", output: "0.13" } },
    { provider: "ollama", model: "nomic-embed-text", perMillion: { input: "0.003" } },
    { provider: "deepseek", model: "deepseek-chat", perMillion: { input: "0.28", cache_read: "0.028", output: "0.42" } },
  ],
  "llama3.2": { input: 11_000n, cache_read: 700n, output: 130_000n },
  "nomic-embed-text": { input: 3_000n },
  "deepseek-chat": { input: 280_000n, cache_read: 28_000n, output: 420_000n },
} as const;

/** Picodollars. @throws Error for a class that was served and has no price here. */
export function sum(usage: Served, list: List): bigint {
  let pico = 0n;
  for (const [name, quantity] of Object.entries(usage) as [keyof Served, number][]) {
    if (quantity === 0) continue;
    const price = list[name];
    if (price === undefined) throw new Error(`${quantity} of ${name} were served, and no price is written for it`);
    pico += BigInt(quantity) * price;
  }
  return pico;
}

/** Picodollars as dollars: by hand, so that the product's own formatting is checked too. */
export function dollars(pico: bigint): string {
  const text = String(pico).padStart(13, "0");
  return `${text.slice(0, -12)}.${text.slice(-12)}`.replace(/\.?0+$/, "");
}
