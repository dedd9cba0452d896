// Vercel's `ai` with the providers of single companies and with Ollama, each with only its base URL changed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists, own } from "./prices.ts";
import { startTokens, type TokenServer } from "./tokens.ts";

const available = nodeForClients() !== null;
const keyed = ["mistral", "groq", "xai", "deepseek", "perplexity", "together", "fireworks", "openrouter"];
let tokens: TokenServer;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  tokens = await startTokens();
  clients = await startClients(
    (baseUrl) => ({
      google: { baseUrl },
      vertex: { baseUrl },
      azure: { baseUrl },
      bedrock: { baseUrl, region: "us-east-1" },
      cohere: { baseUrl },
      ollama: { baseUrl },
      ...Object.fromEntries(keyed.map((name) => [name, { baseUrl: `${baseUrl}/v1` }])),
    }),
    {
      GEMINI_API_KEY: "of-the-company",
      GOOGLE_APPLICATION_CREDENTIALS: tokens.keyFile,
      AZURE_OPENAI_API_KEY: "of-the-company",
      AWS_BEARER_TOKEN_BEDROCK: "of-the-company",
      COHERE_API_KEY: "of-the-company",
      ...Object.fromEntries(keyed.map((name) => [`${name.toUpperCase()}_API_KEY`, "of-the-company"])),
    },
    { prices: own.settings },
  );
  lines = await clients.run("providers.mjs");
});
afterAll(async () => {
  await clients?.close();
  await tokens?.close();
});

/** What the record holds for the search of one request; see the list. */
const perSearch = 12_000_000_000n;

describe("Vercel's ai", () => {
  it.for([
    ["google", "google", lists["gemini-2.5-flash"]],
    ["vertex", "vertex", lists["gemini-2.5-flash"]],
    ["vertex claude", "vertex", lists["claude-sonnet-4-5"]],
    ["azure", "azure", lists["gpt-4o"]],
    ["azure chat", "azure", lists["gpt-4o"]],
    ["azure deployment", "azure", lists["gpt-4o"]],
    ["bedrock", "bedrock", lists["amazon.nova-lite"]],
    ["mistral", "mistral", lists["ministral-8b"]],
    ["groq", "groq", lists["llama-3.3-70b-versatile"]],
    ["xai", "xai", lists["grok-3"]],
    ["deepseek", "deepseek", own["deepseek-chat"]],
    ["perplexity", "perplexity", lists.sonar, perSearch],
    ["together", "together", lists["Llama-3.3-70B-Instruct-Turbo"]],
    ["fireworks", "fireworks", lists["gpt-oss-120b"]],
    ["openrouter", "openrouter", lists["gpt-4o-mini"]],
    ["ollama", "ollama", own["llama3.2"]],
  ] as const)("%s: generateText and streamText", async ([name, provider, list, perCall], { skip }) => {
    if (!available) return skip(noNode);
    for (const way of ["generate", "stream"]) {
      const line = take(lines, `${name} ${way}`);
      await clients.agrees(line, provider, list, perCall);
      expect(line.seen?.["text"]).toBeGreaterThan(0);
      expect(clients.witnessed(line)).toMatchObject([{ streamed: way === "stream" }]);
    }
  });

  it("cohere, whose library shows the tokens, not those that are billed", async ({ skip }) => {
    if (!available) return skip(noNode);
    for (const way of ["generate", "stream", "tools"]) {
      const { seen, ...line } = take(lines, `cohere ${way}`);
      const { input, output } = clients.witnessed(line)[0]?.usage ?? { input: Number.NaN, output: Number.NaN };
      // Cohere's template has 495 tokens before and 3 behind, which it does not bill.
      expect(seen).toMatchObject({ input: input + 495, output: output + 3 });
      await clients.agrees(line, "cohere", lists["command-a"]);
    }
  });

  it.for([
    ["google", lists["gemini-2.5-flash"]],
    ["bedrock", lists["amazon.nova-lite"]],
    ["mistral", lists["ministral-8b"]],
  ] as const)("%s: tools", async ([name, list], { skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, `${name} tools`), name, list);
    expect(take(lines, `${name} tools`).seen).toMatchObject({ tools: ["weather"] });
  });

  it.for([
    ["google", lists["gemini-embedding-001"]],
    ["vertex", lists["gemini-embedding-001"]],
    ["azure", lists["text-embedding-3-small"]],
    ["bedrock", lists["amazon.titan-embed-text-v1"]],
    ["cohere", lists["embed-v4.0"]],
    ["mistral", lists["mistral-embed"]],
    ["ollama", own["nomic-embed-text"]],
  ] as const)("%s: embed", async ([name, list], { skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, `${name} embed`), name, list);
    expect(take(lines, `${name} embed`).seen).toEqual({ vectors: 64 });
  });

  it("errors, a refusal", async ({ skip }) => {
    if (!available) return skip(noNode);
    for (const name of ["google", "bedrock", "cohere", "groq"]) await clients.fails(take(lines, `${name} 429`), 429);
    // Mistral's own errors are flat, and its library looks for nothing else: the status stands for the message.
    isRefused(take(lines, "refused"), "Unauthorized");
  });

  it("every call of theirs is in the ledger once, and nothing else", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.settles();
  });
});
