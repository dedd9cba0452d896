// Where no key is set anywhere, the sandbox within Pennyworth answers every company's client: nothing but the address was changed, and the key
// says `sandbox`.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../gateway.ts";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Line, runScript, take } from "./bench.ts";
import { dollars, type List, lists } from "./prices.ts";

const available = nodeForClients() !== null;
let gateway: TestGateway;
let lines: ReadonlyMap<string, Line>;
beforeAll(async () => {
  if (!available) return;
  gateway = await startGateway();
  const scripts = ["google.mjs", "bedrock.mjs", "azure.mjs"];
  const runs = await Promise.all(scripts.map((script) => runScript(gateway, script, ["sandbox"])));
  lines = new Map(runs.flatMap((run, index) => [...run].map(([name, line]) => [`${scripts[index]} ${name}`, line] as const)));
});
afterAll(() => gateway?.close());

describe("the sandbox within, for clients without a key", () => {
  /** What each script asks for, class by class. */
  const gemini = { input: 276, cache_read: 1024, output: 100, reasoning: 60 };
  const short = { input: 176, cache_read: 1024, output: 80 };
  it.for([
    ["google.mjs gemini generate", lists["gemini-2.5-flash"], gemini],
    ["google.mjs gemini stream", lists["gemini-2.5-flash"], gemini],
    ["google.mjs vertex stream", lists["gemini-2.5-flash"], gemini],
    ["bedrock.mjs converse", lists["amazon.nova-lite"], short],
    ["bedrock.mjs converse stream", lists["amazon.nova-lite"], short],
    ["azure.mjs chat", lists["gpt-4o"], short],
    ["azure.mjs responses stream", lists["gpt-4o"], short],
  ] as const)("%s", async ([name, list, wanted], { skip }) => {
    if (!available) return skip(noNode);
    const { error, exchanges } = take(lines, name);
    expect(error).toBeUndefined();
    let pico = 0n;
    for (const [each, quantity] of Object.entries(wanted)) pico += BigInt(quantity) * ((list as List)[each as keyof List] ?? 0n);
    const receipt = await gateway.receipt(exchanges[0]?.call as string);
    expect(receipt).toMatchObject({ status: "complete", total: dollars(pico), unpriced: [], start: { provider: "sandbox", key: null } });
  });
});
