// Signing in at a real server, as a browser does it and as a page of another origin would like to; and what the pages are then told of calls that
// were really made. Not here: every rule of a session (src/api/signin.test.ts).

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, startBench } from "./server.ts";

const body = (task: string) => ({ model: "gpt-4o-mini", messages: [{ role: "user", content: task }], max_tokens: 20 });

let bench: Bench;
let cookie: string;
/** A provider that only keeps what it was sent. */
const seen: string[][] = [];
const spy = createServer((request, response) => {
  seen.push(request.rawHeaders);
  response.setHeader("content-type", "application/json").end("{}");
});
beforeAll(async () => {
  await new Promise<void>((resolve) => spy.listen(0, "127.0.0.1", resolve));
  const { port } = spy.address() as AddressInfo;
  bench = await startBench({ "providers.spy": { baseUrl: `http://127.0.0.1:${port}/v1`, auth: "none", formats: ["openai-chat"] } });
  const response = await signIn(bench.running.url);
  expect(response.status).toBe(201);
  cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
});
afterAll(async () => {
  await bench?.close();
  spy.close();
});

function signIn(origin: string): Promise<Response> {
  return fetch(`${bench.running.url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-pennyworth-request": "1", origin },
    body: JSON.stringify({ token: bench.running.adminToken }),
  });
}

async function ask(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(`${bench.running.url}${path}`, { method, headers: { cookie, ...headers } });
  return [response.status, (await response.json()) as Record<string, unknown>];
}

describe("a session at a real server", () => {
  it("reads, and changes what our own page asks for", async () => {
    expect((await ask("/api/v1/keys"))[0]).toBe(200);
    const own = { "x-pennyworth-request": "1", origin: bench.running.url };
    expect((await ask("/api/v1/names/nobody", own, "DELETE"))[0]).toBe(200);
  });

  it("is nobody's for a page of another origin, or of another port", async () => {
    for (const origin of ["https://evil.example", "http://127.0.0.1:1"]) {
      const answer = await ask("/api/v1/names/x", { origin, "x-pennyworth-request": "1" }, "DELETE");
      expect(answer).toMatchObject([403, { error: { code: "origin_foreign" } }]);
      expect((await signIn(origin)).status).toBe(403);
    }
    expect(await ask("/api/v1/names/x", {}, "DELETE")).toMatchObject([403, { error: { code: "request_forged" } }]);
    expect(
      (await fetch(`${bench.running.url}/api/v1/session`, { method: "OPTIONS" })).headers.get("access-control-allow-origin"),
    ).toBeNull();
  });

  it("is no key: calls do not take it, and no provider gets it", async () => {
    expect((await bench.post("/to/spy/v1/chat/completions", body("x"), { cookie })).status).toBe(200);
    expect(seen.length).toBe(1);
    expect(JSON.stringify(seen)).not.toContain(cookie.split("=")[1]);
  });
});

describe("what the pages are told", () => {
  it("is the same sum by every way: overview, report, tasks, calls", async () => {
    const root = { "x-pennyworth-task": "run-1", "x-pennyworth-type": "triage", "x-pennyworth-tags": "sum=yes" };
    const child = {
      "x-pennyworth-task": "run-1/a",
      "x-pennyworth-parent": "run-1",
      "x-pennyworth-root": "run-1",
      "x-pennyworth-tags": "sum=yes",
    };
    for (const headers of [root, child, child]) await bench.post("/to/witness/v1/chat/completions", body("y"), headers);
    const calls = await bench.calls("sum=yes", 3);
    const [, tree] = await ask("/api/v1/tasks/run-1");
    const [, list] = await ask("/api/v1/tasks?order=dearest");
    const [, report] = await ask("/api/v1/report?by=month&filter=tag.sum%3Dyes&zone=Asia/Tokyo");
    const total = (report["total"] as { cost: string }).cost;
    const cents = calls.reduce((sum, call) => sum + Math.round(Number(call.cost) * 1e12), 0);
    expect(Math.round(Number(total) * 1e12)).toBe(cents);
    expect(tree["task"]).toMatchObject({ task: "run-1", type: "triage", calls: 3, tasks: 2, cost: total });
    expect((tree["nodes"] as { task: string; calls: number }[]).map(({ task, calls }) => [task, calls])).toEqual([
      ["run-1", 1],
      ["run-1/a", 2],
    ]);
    expect((list["tasks"] as { task: string }[])[0]).toMatchObject({ task: "run-1", cost: total });
    const [, all] = await ask("/api/v1/report");
    const [, overview] = await ask("/api/v1/overview?zone=America/New_York");
    expect((overview["hour"] as { now: object }).now).toMatchObject({ cost: (all["total"] as { cost: string }).cost, calls: 4 });
    expect((await ask("/api/v1/values?field=task&search=RUN-1"))[1]["values"]).toMatchObject([{ value: "run-1/a" }, { value: "run-1" }]);
  });
});
