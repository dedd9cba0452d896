// The official clients through the gateway with only the base URL changed: every receipt equals a sum done by hand, here, from the usage that
// the client itself saw and the list prices written below. The clients run in processes of their own, under the Node they declare.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";
import { nodeForClients, noNode, noPython, pythonWithOpenai } from "./interpreters.ts";

/**
 * List prices in picodollars per token ($1 per million tokens = 1,000,000).
 * Sources: platform.openai.com/docs/pricing and docs.claude.com/en/docs/about-claude/pricing, as of 2026-07.
 */
const prices = {
  "gpt-4o-mini": { input: 150_000n, read: 75_000n, write5m: 0n, write1h: 0n, output: 600_000n },
  "gpt-5-mini": { input: 250_000n, read: 25_000n, write5m: 0n, write1h: 0n, output: 2_000_000n },
  "text-embedding-3-small": { input: 20_000n, read: 0n, write5m: 0n, write1h: 0n, output: 0n },
  "claude-sonnet-4-5": { input: 3_000_000n, read: 300_000n, write5m: 3_750_000n, write1h: 6_000_000n, output: 15_000_000n },
} as const;

interface Tokens {
  readonly input: number;
  readonly read?: number;
  readonly write5m?: number;
  readonly write1h?: number;
  readonly output?: number;
}

/** What a client script printed of one call. */
interface Seen {
  readonly name: string;
  readonly call: string | null;
  readonly cost: string | null;
  readonly textLength: number;
  readonly id?: string;
  readonly model?: string;
  readonly usage?: Record<string, number & Record<string, number>> | null;
  readonly chunksWithoutChoice?: number;
  readonly vectors?: number;
  readonly models?: readonly string[];
  readonly tokens?: number;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

describe("the official clients, with only the base URL changed", () => {
  it("openai", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const seen = await runNode("openai.mjs");
    expect([...seen.keys()]).toEqual([
      "chat",
      "chat stream with usage",
      "chat stream without usage",
      "responses",
      "responses stream",
      "responses retrieve",
      "embeddings",
      "models",
    ]);
    await agrees(take(seen, "chat"), openaiChat);
    await agrees(take(seen, "chat stream with usage"), openaiChat);
    expect(take(seen, "chat stream with usage").chunksWithoutChoice).toBe(1);
    await agrees(take(seen, "responses"), openaiResponses);
    await agrees(take(seen, "responses stream"), openaiResponses);
    await agrees(take(seen, "embeddings"), (usage) => ({ input: usage["prompt_tokens"] as number }));

    // This client did not ask for usage and sees none; the call is metered all the same, as the size asked of the sandbox.
    const silent = take(seen, "chat stream without usage");
    expect(silent).toMatchObject({ usage: null, chunksWithoutChoice: 0 });
    await agrees(silent, () => ({ input: 345, output: 67 }));

    // A response fetched again is the same call: not charged twice.
    expect(take(seen, "responses retrieve").id).toBe(take(seen, "responses").id);
    await agrees(take(seen, "responses"), openaiResponses);

    expect(take(seen, "models").models?.length).toBeGreaterThan(0);
  });

  it("@anthropic-ai/sdk", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const seen = await runNode("anthropic.mjs");
    expect([...seen.keys()]).toEqual(["messages", "messages stream", "count tokens"]);
    const whole = take(seen, "messages");
    await agrees(whole, anthropicMessages);
    // Each class of the prompt has its own price: all must have been there for the sum to mean anything.
    expect(anthropicMessages(whole.usage as Record<string, never>)).toMatchObject({ read: 4000, write5m: 300, write1h: 200 });
    await agrees(take(seen, "messages stream"), anthropicMessages);
    expect(take(seen, "count tokens").tokens).toBeGreaterThan(0);
  });

  it("Vercel's ai", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const seen = await runNode("vercel.mjs");
    expect(seen.size).toBe(9);
    for (const [name, call] of seen) {
      if (name !== "openai embed") await agrees(call, vercel);
    }
    await agrees(take(seen, "openai embed"), (usage) => ({ input: usage["tokens"] as number }));
  });

  it("has every call of theirs in the ledger once, and nothing else", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const report = (await gateway.get("/report?by=endpoint")) as { rows: { group: { endpoint: string }; calls: number }[] };
    expect(Object.fromEntries(report.rows.map((row) => [row.group.endpoint, row.calls]))).toEqual({
      "/v1/chat/completions": 3 + 4,
      "/v1/responses": 2 + 2,
      "/v1/messages": 2 + 2,
      "/v1/embeddings": 1 + 1,
    });
  });
});

describe("Python's openai, with only the base URL changed", () => {
  it("gives the same receipts", async ({ skip }) => {
    const python = pythonWithOpenai();
    if (python === null) return skip(noPython);
    const seen = await runClient(python, "python.py");
    expect([...seen.keys()]).toEqual(["chat", "chat stream with usage", "responses", "embeddings"]);
    await agrees(take(seen, "chat"), openaiChat);
    await agrees(take(seen, "chat stream with usage"), openaiChat);
    await agrees(take(seen, "responses"), openaiResponses);
    await agrees(take(seen, "embeddings"), (usage) => ({ input: usage["prompt_tokens"] as number }));
  });
});

describe("a Pennyworth key in the slot of the provider's key", () => {
  it("is all that a client needs, once keys exist", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const { key, secret } = (await gateway.post("/keys", { name: "clients", team: "support" })) as { key: { id: string }; secret: string };
    const seen = await runNode("anthropic.mjs", secret);
    const receipt = await agrees(take(seen, "messages"), anthropicMessages);
    expect(receipt.start?.key).toBe(key.id);
    await expect(runNode("openai.mjs")).rejects.toThrow(/401[\s\S]*key/);
  });
});

const openaiChat = (usage: Record<string, unknown>): Tokens => {
  const cached = (usage["prompt_tokens_details"] as { cached_tokens?: number } | undefined)?.cached_tokens ?? 0;
  return { input: (usage["prompt_tokens"] as number) - cached, read: cached, output: usage["completion_tokens"] as number };
};

const openaiResponses = (usage: Record<string, unknown>): Tokens => {
  const cached = (usage["input_tokens_details"] as { cached_tokens: number }).cached_tokens;
  return { input: (usage["input_tokens"] as number) - cached, read: cached, output: usage["output_tokens"] as number };
};

const anthropicMessages = (usage: Record<string, unknown>): Tokens => {
  const split = usage["cache_creation"] as { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number } | null | undefined;
  return {
    input: usage["input_tokens"] as number,
    read: (usage["cache_read_input_tokens"] as number | null) ?? 0,
    write5m: split?.ephemeral_5m_input_tokens ?? 0,
    write1h: split?.ephemeral_1h_input_tokens ?? 0,
    output: usage["output_tokens"] as number,
  };
};

const vercel = (usage: Record<string, unknown>): Tokens => {
  const { noCacheTokens, cacheReadTokens, cacheWriteTokens } = usage["inputTokenDetails"] as Record<string, number | undefined>;
  return {
    input: noCacheTokens ?? 0,
    read: cacheReadTokens ?? 0,
    write5m: cacheWriteTokens ?? 0,
    output: usage["outputTokens"] as number,
  };
};

/** The receipt's total is what the client's own usage costs at the list prices, to the last digit. */
async function agrees(seen: Seen, read: (usage: Record<string, unknown>) => Tokens): ReturnType<TestGateway["receipt"]> {
  expect(seen.call, `${seen.name} names its call`).toMatch(/\S/);
  const tokens = read(seen.usage ?? {});
  const model = (Object.keys(prices) as (keyof typeof prices)[]).find((name) => seen.model?.startsWith(name));
  if (model === undefined) throw new Error(`${seen.name}: no list price of ${seen.model}`);
  const price = prices[model];
  let pico = 0n;
  for (const name of Object.keys(price) as (keyof typeof price)[]) pico += BigInt(tokens[name] ?? 0) * price[name];
  expect(pico, `${seen.name} costs something`).toBeGreaterThan(0n);
  const receipt = await gateway.receipt(seen.call as string);
  expect({ name: seen.name, total: receipt.total, unpriced: receipt.unpriced }).toEqual({
    name: seen.name,
    total: dollars(pico),
    unpriced: [],
  });
  expect(receipt.recomputed).toBe(true);
  expect(receipt.lines.every((line) => line.source === "reported")).toBe(true);
  if (seen.cost !== null) expect(seen.cost).toBe(dollars(pico));
  return receipt;
}

/** Picodollars as dollars: by hand, so that the product's own formatting is checked too. */
function dollars(pico: bigint): string {
  const text = String(pico).padStart(13, "0");
  return `${text.slice(0, -12)}.${text.slice(-12)}`.replace(/\.?0+$/, "");
}

function take(seen: ReadonlyMap<string, Seen>, name: string): Seen {
  const found = seen.get(name);
  if (found === undefined) throw new Error(`the client did not get to ${JSON.stringify(name)}`);
  return found;
}

function runNode(script: string, key = "sandbox"): Promise<Map<string, Seen>> {
  return runClient(nodeForClients() as string, script, key);
}

async function runClient(program: string, script: string, key = "sandbox"): Promise<Map<string, Seen>> {
  const path = fileURLToPath(new URL(`clients/${script}`, import.meta.url));
  const { stdout } = await promisify(execFile)(program, [path, gateway.url, key], { timeout: 60_000 });
  const lines = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Seen);
  return new Map(lines.map((line) => [line.name, line]));
}
