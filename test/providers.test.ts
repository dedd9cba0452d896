// What passes beside the formats: unknown paths under a provider's name, other capacity, what providers say a call cost.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, startBench } from "./server.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const question = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };

test("an unknown path passes under /to/<provider>/ with its bytes unchanged, and is listed as unmetered", async () => {
  const answer = await bench.post("/to/witness/v1/unheard/of?x=1", { any: "thing" }, { "x-pennyworth-tags": "kind=unmetered" });
  const direct = await fetch(`${bench.provider.url}/v1/unheard/of?x=1`, { method: "POST", body: '{"any":"thing"}' });
  expect([answer.status, await answer.text()]).toEqual([direct.status, await direct.text()]);
  expect(answer.headers.get("x-pennyworth-unmetered")).toBe("nothing is known of this path");

  const unread = await fetch(`${bench.running.url}/to/witness/v1/responses/none/unheard`, {
    headers: { "x-pennyworth-tags": "kind=unmetered" },
  });
  expect(unread.status).toBe(404);
  const calls = await bench.calls("kind=unmetered", 2);
  expect(calls.map(({ status, cost }) => [status, cost])).toEqual([
    ["failed", "0"],
    ["failed", "0"],
  ]);
});

test("an unmetered call that was answered has a cost that is unknown, not zero", async () => {
  const before = await bench.control<{ total: { unmetered: number } }>("/report?by=format&fresh=true");
  // The sandbox's own witness stands for any endpoint that nobody here has heard of.
  const unknown = await fetch(`${bench.running.url}/to/other/witness`);
  const { calls } = await bench.control<{ calls: { id: string }[] }>("/calls?limit=10&fresh=true&filter=format%3Dunmetered");
  expect(calls.length).toBeGreaterThan(0);
  expect([unknown.status, unknown.headers.get("content-type")]).toEqual([200, "application/json"]);
  const after = await bench.control<{ total: { unmetered: number } }>("/report?by=format&fresh=true");
  expect(after.total.unmetered).toBe(before.total.unmetered + 1);
});

test("what the provider says a call cost stands beside our own, and the total stays what the lines add up to", async () => {
  const headers = { "x-sandbox-input-tokens": "1000", "x-sandbox-output-tokens": "100", "x-sandbox-cost": "1.2e-05" };
  for (const stream of [false, true]) {
    const answer = await bench.post("/to/witness/v1/chat/completions", { ...question, stream }, headers);
    await answer.arrayBuffer();
    const receipt = await bench.running.receipt(answer.headers.get("x-pennyworth-call") ?? "");
    // 1,000 × $0.15 and 100 × $0.60 per million.
    expect(receipt).toMatchObject({ total: "0.00021", end: { costReported: "0.000012" } });
    expect((receipt as unknown as { notes: string[] }).notes).toEqual([
      "The provider says the call cost $0.000012; by the price list it is $0.00021.",
    ]);
  }
});

test("Azure's spillover is on record: provisioned capacity was meant, shared capacity served", async () => {
  const headers = { "x-sandbox-spillover": "on", "x-sandbox-served-model": "gpt-4o-2024-08-06" };
  for (const stream of [false, true]) {
    const path = "/to/other/openai/deployments/reserved-gpt/chat/completions?api-version=2024-10-21";
    const answer = await bench.post(path, { ...question, stream }, headers);
    await answer.arrayBuffer();
    const receipt = await bench.running.receipt(answer.headers.get("x-pennyworth-call") ?? "");
    expect(receipt).toMatchObject({ status: "complete", end: { poolServed: "shared" } });
    expect(answer.headers.get("x-ms-spillover-from-deployment")).toBe("reserved-gpt");
  }
});
