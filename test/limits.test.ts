// Limits that have a name, met on purpose: calls under way, a journal that syncs before it lets go, keys at the door.

import { afterEach, expect, test } from "vitest";
import { type Bench, startBench } from "./server.ts";

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

const chat = "/to/witness/v1/chat/completions";
const ask = (more: object = {}): object => ({
  model: "gpt-4.1-nano",
  max_tokens: 60,
  messages: [{ role: "user", content: "Hello" }],
  ...more,
});

test("more calls than limits.callsMax are refused with 503 and when to come back, and those under way go on", async () => {
  bench = await startBench({ "limits.callsMax": 2 });
  const slow = [0, 1].map(() => (bench as Bench).post(chat, ask(), { "x-sandbox-delay-ms": "400" }));
  await new Promise((resolve) => setTimeout(resolve, 150));
  const refused = await bench.post(chat, ask());
  expect([refused.status, refused.headers.get("retry-after"), ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
    503,
    "1",
    "overloaded",
  ]);
  for (const response of await Promise.all(slow)) expect(response.status).toBe(200);
});

test("durability: sync. JSON and streams are answered in full, each call once on record", async () => {
  bench = await startBench({ "journal.durability": "sync" });
  for (const stream of [false, true]) {
    const text = await (
      await bench.post(chat, ask({ stream }), { "x-pennyworth-tags": "case=sync", "x-sandbox-output-tokens": "30" })
    ).text();
    expect(stream ? text.trimEnd().endsWith("[DONE]") : JSON.parse(text).usage.completion_tokens).toBe(stream ? true : 30);
  }
  expect((await bench.calls("case=sync", 2)).map((call) => [call.status, call.outputTokens])).toEqual([
    ["complete", 30],
    ["complete", 30],
  ]);
});

test("once a key was made nobody calls without one, not even when the last is revoked, and a key for reading cannot call", async () => {
  bench = await startBench();
  const { url, adminToken } = bench.running;
  const control = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  expect((await bench.post(chat, ask())).status).toBe(200);
  const use = (await (await control("POST", "/keys", { name: "ci", team: "core", role: "use" })).json()) as { secret: string };
  const read = (await (await control("POST", "/keys", { name: "eyes", role: "read" })).json()) as { secret: string };
  expect((await bench.post(chat, ask())).status).toBe(401);
  expect((await bench.post(chat, ask(), { authorization: `Bearer ${use.secret}`, "x-pennyworth-tags": "case=key" })).status).toBe(200);
  expect((await bench.post(chat, ask(), { "x-pennyworth-key": read.secret })).status).toBe(403);
  await bench.calls("case=key");
  expect((await bench.control("/report?by=team&filter=tag.case%3Dkey")).rows.map((row) => row.group)).toEqual([{ team: "core" }]);
  for (const name of ["ci", "eyes"]) expect((await control("DELETE", `/keys/${name}`)).status).toBe(200);
  expect((await bench.post(chat, ask())).status).toBe(401);
  expect(((await (await bench.post(chat, ask(), { "x-api-key": use.secret })).json()) as { error: { code: string } }).error.code).toBe(
    "key_revoked",
  );
});
