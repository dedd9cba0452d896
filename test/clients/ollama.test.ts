// `ollama`, with only the host changed. What a local model costs is for its owner to say: the prices come from the settings.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { own } from "./prices.ts";

const available = nodeForClients() !== null;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  clients = await startClients((sandbox) => ({ ollama: { baseUrl: sandbox } }), {}, { prices: own.settings });
  lines = await clients.run("ollama.mjs");
});
afterAll(() => clients?.close());

describe("ollama", () => {
  it.for(["chat", "chat stream", "generate", "generate stream"])("%s", async (name, { skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, name), "ollama", own["llama3.2"]);
    expect(take(lines, name).seen?.["text"]).toBeGreaterThan(0);
  });

  it("what was cached has a price of its own", ({ skip }) => {
    if (!available) return skip(noNode);
    expect(clients.witnessed(take(lines, "chat"))[0]?.usage).toMatchObject({ input: 512, cache_read: 128, output: 90 });
  });

  it("tools, embeddings", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, "chat tools"), "ollama", own["llama3.2"]);
    expect(take(lines, "chat tools").seen).toMatchObject({ tools: ["weather"] });
    await clients.agrees(take(lines, "embed"), "ollama", own["nomic-embed-text"]);
    expect(take(lines, "embed").seen).toMatchObject({ vectors: 2 });
  });

  it("lists and descriptions are no calls", ({ skip }) => {
    if (!available) return skip(noNode);
    for (const name of ["list", "show"]) expect(take(lines, name)).toMatchObject({ seen: {}, exchanges: [{ status: 200, call: null }] });
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
