// `@google/genai` for the Gemini API and for Vertex, with only the address changed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists } from "./prices.ts";
import { startTokens, type TokenServer } from "./tokens.ts";

const available = nodeForClients() !== null;
let tokens: TokenServer;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  tokens = await startTokens();
  const secrets = { GEMINI_API_KEY: "of-the-company", GOOGLE_APPLICATION_CREDENTIALS: tokens.keyFile };
  clients = await startClients((sandbox) => ({ google: { baseUrl: sandbox }, vertex: { baseUrl: sandbox } }), secrets);
  lines = await clients.run("google.mjs");
});
afterAll(async () => {
  await clients?.close();
  await tokens?.close();
});

describe("@google/genai", () => {
  it.for([
    ["gemini generate", "google"],
    ["gemini stream", "google"],
    ["vertex generate", "vertex"],
    ["vertex stream", "vertex"],
  ])("%s", async ([name = "", provider = ""], { skip }) => {
    if (!available) return skip(noNode);
    const line = take(lines, name);
    await clients.agrees(line, provider, lists["gemini-2.5-flash"]);
    // Each class has its own price: all must have been served for the sum to mean anything.
    expect(clients.witnessed(line)[0]?.usage).toMatchObject({ input: 276, cache_read: 1024, output: 100, reasoning: 60 });
    expect(line.seen?.["text"]).toBeGreaterThan(0);
  });

  it("tools, a conversation, a cache", async ({ skip }) => {
    if (!available) return skip(noNode);
    const tools = take(lines, "gemini tools");
    await clients.agrees(tools, "google", lists["gemini-2.5-flash"]);
    expect(tools.seen).toMatchObject({ tools: ["weather"] });
    expect(await clients.agrees(take(lines, "gemini chat"), "google", lists["gemini-2.5-flash"])).toHaveLength(2);
    const cache = take(lines, "gemini cache");
    await clients.agrees(cache, "google", lists["gemini-2.5-flash"]);
    expect(cache.seen).toMatchObject({ cached: 5500 });
    expect(cache.exchanges.map(({ method, status }) => `${method} ${status}`)).toEqual(["POST 200", "POST 200", "DELETE 200"]);
  });

  it("embeddings", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, "gemini embed"), "google", lists["gemini-embedding-001"]);
    await clients.agrees(take(lines, "vertex embed"), "vertex", lists["gemini-embedding-001"]);
    expect(take(lines, "gemini embed").seen).toEqual({ vectors: 2 });
  });

  it("what costs nothing is no call", async ({ skip }) => {
    if (!available) return skip(noNode);
    for (const name of ["gemini count", "vertex count", "gemini models"])
      expect(take(lines, name)).toMatchObject({ seen: {}, exchanges: [{ status: 200, call: null }] });
    expect(take(lines, "gemini count").seen).toEqual({ tokens: 5 });
  });

  it("errors reach it as Google words them, a refusal of Pennyworth's too", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.fails(take(lines, "gemini 429"), 429);
    await clients.fails(take(lines, "gemini 400"), 400);
    await clients.fails(take(lines, "vertex 429"), 429);
    expect(JSON.parse(take(lines, "gemini 429").error?.message ?? "")).toMatchObject({
      error: { code: 429, status: "RESOURCE_EXHAUSTED" },
    });
    isRefused(take(lines, "gemini refused"));
    expect(JSON.parse(take(lines, "gemini refused").error?.message ?? "")).toMatchObject({
      error: { code: 401, status: "UNAUTHENTICATED" },
    });
  });

  it("Gemini is asked with the company's key, Vertex with a token that Google's library got, once", ({ skip }) => {
    if (!available) return skip(noNode);
    for (const [name, credential] of [
      ["gemini generate", "x-goog-api-key"],
      ["vertex generate", "bearer"],
    ] as const)
      expect(clients.witnessed(take(lines, name)).map((row) => row.credential)).toEqual([credential]);
    const toVertex = clients.heads.filter((head) => head.includes("/publishers/"));
    expect(toVertex.length).toBeGreaterThan(4);
    for (const head of clients.heads)
      expect(head).toContain(toVertex.includes(head) ? `\nauthorization: Bearer ${tokens.token}\n` : "\nx-goog-api-key: of-the-company\n");
    expect(tokens.asked).toEqual(["/v1/token", expect.stringMatching(/:generateAccessToken$/)]);
  });

  it("every call of it is in the ledger once, and nothing else", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.settles();
  });
});
