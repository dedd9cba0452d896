// `openai` as `AzureOpenAI`, with only the endpoint changed: deployments have names of their own, and are priced as the model that answered.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists } from "./prices.ts";

const available = nodeForClients() !== null;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  clients = await startClients((sandbox) => ({ azure: { baseUrl: sandbox } }), { AZURE_OPENAI_API_KEY: "of-the-company" });
  lines = await clients.run("azure.mjs");
});
afterAll(() => clients?.close());

describe("openai's AzureOpenAI", () => {
  it.for(["chat", "chat stream", "chat stream without usage", "responses", "responses stream", "v1 chat", "v1 responses"])(
    "%s",
    async (name, { skip }) => {
      if (!available) return skip(noNode);
      const line = take(lines, name);
      const [receipt] = await clients.agrees(line, "azure", lists["gpt-4o"]);
      expect(receipt?.start?.modelAsked).toBe("our-large");
      expect(line.seen).toMatchObject({ model: "gpt-4o-2024-08-06" });
      expect(clients.witnessed(line)).toMatchObject([{ credential: "api-key", usage: { input: 176, cache_read: 1024, output: 80 } }]);
    },
  );

  it("a stream that did not ask for its usage sees none, but sees Azure's opening without a choice", ({ skip }) => {
    if (!available) return skip(noNode);
    expect(take(lines, "chat stream without usage").seen).toMatchObject({ filtered: 1, withoutChoice: 1 });
    expect(take(lines, "chat stream without usage").seen).not.toHaveProperty("input");
    expect(take(lines, "chat stream").seen).toMatchObject({ filtered: 1, withoutChoice: 2 });
  });

  it("tools, embeddings", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, "chat tools"), "azure", lists["gpt-4o"]);
    expect(take(lines, "chat tools").seen).toMatchObject({ tools: ["weather"] });
    await clients.agrees(take(lines, "embeddings"), "azure", lists["text-embedding-3-small"]);
    expect(take(lines, "embeddings").seen).toMatchObject({ vectors: 2 });
  });

  it("an error, a refusal", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.fails(take(lines, "429"), 429);
    isRefused(take(lines, "refused"));
  });

  it("every call of it is in the ledger once, and nothing else", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.settles();
  });
});
