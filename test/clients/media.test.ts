// Images, audio and OpenRouter by `openai`, with only the base URL changed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists } from "./prices.ts";

const available = nodeForClients() !== null;
let clients: Clients;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  clients = await startClients((sandbox) => ({ openai: { baseUrl: `${sandbox}/v1` }, openrouter: { baseUrl: `${sandbox}/v1` } }), {
    OPENAI_API_KEY: "of-the-company",
    OPENROUTER_API_KEY: "of-the-company",
  });
  lines = await clients.run("media.mjs");
});
afterAll(() => clients?.close());

describe("openai, for images and audio", () => {
  it.for([
    ["image", "gpt-image-1", { output_image: 272 }],
    ["image stream", "gpt-image-1", { output_image: 272 + 100 }],
    ["image edit", "gpt-image-1", { input_image: 300, output_image: 272 }],
    // Ten tokens for each of three seconds.
    ["transcription", "gpt-4o-mini-transcribe", { input_audio: 30 }],
    ["transcription stream", "gpt-4o-mini-transcribe", { input_audio: 30 }],
    ["transcription by length", "whisper-1", { audio_seconds: 3 }],
    ["speech stream", "gpt-4o-mini-tts", {}],
  ] as const)("%s", async ([name, model, usage], { skip }) => {
    if (!available) return skip(noNode);
    await clients.agrees(take(lines, name), "openai", lists[model]);
    expect(clients.witnessed(take(lines, name))).toMatchObject([{ usage }]);
  });

  it("speech that says nothing of its usage is on record as unpriced, not as free", async ({ skip }) => {
    if (!available) return skip(noNode);
    const { seen, exchanges } = take(lines, "speech");
    expect(seen?.["bytes"]).toBeGreaterThan(0);
    const receipt = await clients.gateway.receipt(exchanges[0]?.call as string);
    expect(receipt).toMatchObject({ status: "complete", total: "0", lines: [] });
    expect(receipt.unpriced).not.toEqual([]);
  });

  it("an error, a refusal", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.fails(take(lines, "image 429"), 429);
    isRefused(take(lines, "refused"));
    expect(clients.heads.filter((head) => head.includes("pw_"))).toEqual([]);
  });
});

describe("openai, through OpenRouter", () => {
  it.for(["openrouter", "openrouter stream"])("%s: what it says that the call cost stands beside our sum", async (name, { skip }) => {
    if (!available) return skip(noNode);
    const line = take(lines, name);
    // OpenRouter passes on what the model's seller asks: OpenAI's list.
    const [receipt] = await clients.agrees(line, "openrouter", lists["gpt-4o-mini"]);
    expect(receipt?.total).toBe("0.000084");
    expect(receipt?.end?.costReported).toBe("0.0000839");
    expect(line.seen).toMatchObject({ cost: 0.0000839 });
  });
});
