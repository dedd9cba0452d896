// LangChain JS with the chat models of six companies, each with only its address changed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists, own } from "./prices.ts";

const available = nodeForClients() !== null;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  clients = await startClients(
    (baseUrl) => ({
      openai: { baseUrl: `${baseUrl}/v1` },
      anthropic: { baseUrl: `${baseUrl}/v1` },
      google: { baseUrl },
      azure: { baseUrl },
      bedrock: { baseUrl, region: "us-east-1" },
      cohere: { baseUrl },
      ollama: { baseUrl },
    }),
    {
      OPENAI_API_KEY: "of-the-company",
      ANTHROPIC_API_KEY: "of-the-company",
      GEMINI_API_KEY: "of-the-company",
      AZURE_OPENAI_API_KEY: "of-the-company",
      AWS_BEARER_TOKEN_BEDROCK: "of-the-company",
      COHERE_API_KEY: "of-the-company",
    },
    { prices: own.settings },
  );
  lines = await clients.run("langchain.mjs");
});
afterAll(() => clients?.close());

const models = [
  ["openai", "openai", lists["gpt-4o-mini"]],
  ["openai responses", "openai", lists["gpt-4o-mini"]],
  ["azure", "azure", lists["gpt-4o"]],
  ["anthropic", "anthropic", lists["claude-sonnet-4-5"]],
  ["google", "google", lists["gemini-2.5-flash"]],
  ["ollama", "ollama", own["llama3.2"]],
  ["bedrock", "bedrock", lists["amazon.nova-lite"]],
  ["cohere", "cohere", lists["command-a"]],
] as const;

/** What LangChain shows beside what was served: Cohere's template, which is not billed, and the first count of a stream of Anthropic's. */
const beside: Readonly<Record<string, readonly [input: number, output: number]>> = {
  "anthropic stream": [0, 1],
  "cohere invoke": [495, 3],
  "cohere stream": [495, 3],
  "cohere tools": [495, 3],
};

describe("LangChain JS", () => {
  it.for(models)("%s: invoke, stream, tools", async ([name, provider, list], { skip }) => {
    if (!available) return skip(noNode);
    for (const way of ["invoke", "stream", "tools"]) {
      const line = take(lines, `${name} ${way}`);
      const { input, output, ...rest } = line.seen as { input: number; output: number };
      const [more, further] = beside[line.name] ?? [0, 0];
      const seen = { ...rest, input: input - more, output: output - further };
      await clients.agrees({ ...line, seen }, provider, list);
      if (way === "tools") expect(line.seen).toMatchObject({ tools: ["weather"] });
      else expect(line.seen?.["text"]).toBeGreaterThan(0);
    }
  });

  it("Azure is asked for the deployment in the path, whatever model LangChain writes beside it", async ({ skip }) => {
    if (!available) return skip(noNode);
    const receipt = await clients.gateway.receipt(take(lines, "azure invoke").exchanges[0]?.call as string);
    expect(receipt.start?.modelAsked).toBe("our-large");
  });

  it.for([
    ["openai", lists["text-embedding-3-small"]],
    ["google", lists["gemini-embedding-001"]],
    ["ollama", own["nomic-embed-text"]],
    ["cohere", lists["embed-v4.0"]],
  ] as const)("%s: embeddings", async ([name, list], { skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, `${name} embed`), name, list);
    expect(take(lines, `${name} embed`).seen).toEqual({ vectors: 2 });
  });

  it("errors, a refusal", async ({ skip }) => {
    if (!available) return skip(noNode);
    for (const [name] of models) await clients.fails(take(lines, `${name} 429`), 429);
    isRefused(take(lines, "refused"));
  });

  it("every call of theirs is in the ledger once, and nothing else", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.settles();
  });
});
