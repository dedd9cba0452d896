// Whatever arrives gets a clear error or a pass-through, never a crash, a stuck connection or a lost row: random bytes, cut bodies, wrong
// types, enormous headers, foreign hosts and origins, slow clients. At the end the provider's witness and the ledger agree on what was sent.

import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, startBench } from "./server.ts";

let bench: Bench;
let port: number;
beforeAll(async () => {
  bench = await startBench({ "limits.requestMsMax": 400, "limits.requestBytesMax": 200_000, "limits.headerBytesMax": 8_192 });
  port = Number(new URL(bench.running.url).port);
});
afterAll(() => bench.close());

/** Sends bytes as they are. @returns everything that came back until the other side closed, or `msMax` passed. */
function raw(bytes: Buffer | string, options: { readonly end?: boolean; readonly msMax?: number } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const timer = setTimeout(() => socket.destroy(), options.msMax ?? 2_000);
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(bytes);
    if (options.end === true) socket.end();
  });
}

const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> => bench.post(path, body, headers);

const chat = "/to/witness/v1/chat/completions";
const hello = JSON.stringify({ model: "gpt-4.1-nano", messages: [{ role: "user", content: "hi" }] });
const request = (headers: string, body: string): string =>
  `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`;

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

test("random bytes get a clear error or a closed connection", async () => {
  let state = 42;
  const byte = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24;
  for (let n = 0; n < 60; n++) {
    const junk = Buffer.from(Array.from({ length: 1 + byte() * 4 }, byte));
    const answer = await raw(n % 2 === 0 ? junk : Buffer.concat([Buffer.from("POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"), junk]), {
      end: true,
    });
    expect(answer === "" || /^HTTP\/1\.1 (400|408|413|421|431)/.test(answer), answer.slice(0, 80)).toBe(true);
    expect(answer).not.toMatch(/\bat .*\.(ts|js):\d+/);
  }
});

test("a body that is cut leaves no call, and one that never comes is refused in time", async () => {
  await raw(request("content-length: 500", hello), { end: true });
  expect(await raw(request("content-length: 500", hello))).toMatch(/^HTTP\/1\.1 408[^]*request_timeout/);
});

test("smuggled lengths, broken chunks and a missing host are refused", async () => {
  expect(await raw(request(`content-length: ${hello.length}\r\ntransfer-encoding: chunked`, hello))).toMatch(/^HTTP\/1\.1 400/);
  expect(await raw(request("transfer-encoding: chunked", "zz\r\nhello"))).toMatch(/^HTTP\/1\.1 400/);
  expect(await raw(`GET /v1/models HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400/);
});

test("enormous headers and bodies meet their limits by name", async () => {
  expect(await raw(request(`x-long: ${"a".repeat(20_000)}\r\ncontent-length: 2`, "{}"))).toMatch(
    /^HTTP\/1\.1 431[^]*limits\.headerBytesMax/,
  );
  const large = await post(chat, JSON.stringify({ model: "m", messages: [{ role: "user", content: "a".repeat(300_000) }] }));
  expect(large.status).toBe(413);
  expect(await large.text()).toContain("limits.requestBytesMax");
});

test("foreign hosts, foreign origins and upgrades stay outside", async () => {
  expect(await raw("GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")).toMatch(
    /^HTTP\/1\.1 421[^]*host_foreign/,
  );
  expect(await raw("GET /api/v1/status HTTP/1.1\r\nhost: evil.example:4242\r\nconnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 421/);
  const foreign = await post(chat, hello, { origin: "https://evil.example" });
  expect([foreign.status, await codeOf(foreign)]).toEqual([403, "origin_foreign"]);
  expect(await raw("GET /v1/realtime HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")).toMatch(
    /^HTTP\/1\.1 501/,
  );
  expect(await raw("CONNECT api.openai.com:443 HTTP/1.1\r\nhost: localhost\r\n\r\n")).toMatch(/^HTTP\/1\.1 501/);
});

test("no request can steer the gateway to an address that is not configured", async () => {
  for (const path of [
    "/to/evil.example/v1/chat/completions",
    "/to/http%3A%2F%2Fevil.example/v1/chat/completions",
    "/to/__proto__/v1/chat/completions",
  ]) {
    const response = await post(path, hello);
    expect([response.status, await codeOf(response)]).toEqual([404, "provider_unknown"]);
  }
  const absolute = await raw(
    "POST http://evil.example/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
  );
  expect(absolute).toMatch(/^HTTP\/1\.1 404/);
});

test("wrong types are answered in the format's own error shape, here or by the provider, and never crash", async () => {
  const bodies = [
    "",
    "null",
    "[]",
    "1",
    '"x"',
    "{",
    '{"model":',
    "{}",
    '{"model":1}',
    '{"model":{}}',
    '{"model":"m","messages":"x"}',
    '{"model":"m","messages":[1,null]}',
    '{"model":"m","messages":[{"role":1,"content":{}}]}',
    '{"model":"m","stream":"yes","messages":[]}',
    '{"model":"m","max_tokens":-1,"messages":[]}',
    '{"model":"m","max_tokens":1e400,"messages":[]}',
    '{"model":"m","n":1e9,"messages":[]}',
    '{"model":"m","tools":{"a":1},"messages":[]}',
    '{"model":"m","metadata":[1],"messages":[]}',
    `${"[".repeat(50_000)}`,
    `{"model":"m","messages":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    '{"model":"\\ud800","messages":[]}',
  ];
  for (const path of [chat, "/to/witness/v1/responses", "/to/witness/v1/embeddings", "/to/witness/v1/messages"])
    for (const body of bodies) {
      const response = await post(path, body);
      const text = await response.text();
      expect(response.status, `${path} ${body.slice(0, 60)}: ${text.slice(0, 200)}`).toBeLessThan(500);
      if (response.status >= 400) expect(JSON.parse(text), `${path} ${body.slice(0, 60)}`).toHaveProperty("error");
    }
});

test("unknown paths and methods say what is served", async () => {
  const unknown = await post("/v1/nothing", "{}");
  expect([unknown.status, await codeOf(unknown)]).toEqual([404, "route_unknown"]);
  const wrong = await fetch(`${bench.running.url}/v1/messages`, { method: "PUT" });
  expect([wrong.status, await codeOf(wrong)]).toEqual([405, "method_not_allowed"]);
});

test("a client that stops reading for a while gets every byte in the end", async () => {
  const response = await post(chat, JSON.stringify({ ...JSON.parse(hello), stream: true, max_tokens: 20_000 }), {
    "x-sandbox-output-tokens": "20000",
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const text = await response.text();
  expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
});

test("a client that goes away in mid-stream leaves one call, marked and estimated", async () => {
  const controller = new AbortController();
  const response = await fetch(bench.running.url + chat.replace("witness", "cancelled"), {
    method: "POST",
    signal: controller.signal,
    headers: {
      "content-type": "application/json",
      "x-pennyworth-tags": "leaves=yes",
      "x-sandbox-output-tokens": "5000",
      "x-sandbox-tokens-per-second": "500",
    },
    body: JSON.stringify({ ...JSON.parse(hello), stream: true, max_tokens: 8_000 }),
  });
  const reader = response.body!.getReader();
  for (let n = 0; n < 5; n++) await reader.read();
  controller.abort();
  expect((await bench.calls("leaves=yes")).map((call) => [call.id, call.status])).toEqual([
    [response.headers.get("x-pennyworth-call"), "aborted"],
  ]);
});

test("afterwards everything is still served, and the ledger has every call that the provider saw, once", async () => {
  const response = await post(chat, hello);
  expect(response.status).toBe(200);
  await response.json();
  const sent = bench.provider.witness.calls.filter((call) => call.method === "POST").length;
  await expect.poll(async () => (await bench.control("/report?by=provider")).total.calls, { timeout: 5_000 }).toBe(sent);
});
