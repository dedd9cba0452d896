// Cleartext HTTP/2 on the one port: the same answers, records and refusals as over HTTP/1.1.

import { type ClientHttp2Session, connect } from "node:http2";
import { connect as dial } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, startBench } from "./server.ts";

let bench: Bench;
let session: ClientHttp2Session;
beforeAll(async () => {
  bench = await startBench({ "limits.requestMsMax": 700 });
  session = connect(bench.running.url);
});
afterAll(async () => {
  session.destroy();
  await bench.close();
});

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function ask(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}, abortAfter = Infinity): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const stream = session.request({ ":method": method, ":path": path, "content-type": "application/json", ...headers });
    let head: Record<string, unknown> = {};
    let text = "";
    stream.on("response", (got) => (head = got));
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.length > abortAfter) stream.close(8);
    });
    stream.on("close", () => resolve({ status: Number(head[":status"]), headers: head, text }));
    stream.on("error", reject);
    stream.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const question = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };

/** Sends pieces one by one. @returns what came back until the connection closed. */
function say(pieces: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(Number(new URL(bench.running.url).port), "127.0.0.1");
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk.toString("latin1")));
    socket.on("close", () => resolve(heard));
    socket.setNoDelay(true);
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setTimeout(next, 15));
      }
    })();
  });
}

test("a whole answer has its call, its cost and a receipt", async () => {
  const answer = await ask("/to/witness/v1/chat/completions", question, {
    "x-sandbox-input-tokens": "1000",
    "x-sandbox-output-tokens": "100",
  });
  expect(answer.status).toBe(200);
  // 1,000 × $0.15 and 100 × $0.60 per million.
  expect(answer.headers["x-pennyworth-cost"]).toBe("0.00021");
  const receipt = await bench.running.receipt(String(answer.headers["x-pennyworth-call"]));
  expect([receipt.status, receipt.total, receipt.recomputed]).toEqual(["complete", "0.00021", true]);
});

test("many streams at once on one connection are each metered once", async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, () =>
      ask("/to/witness/v1/chat/completions", { ...question, stream: true }, { "x-pennyworth-tags": "kind=multiplexed" }),
    ),
  );
  for (const { text } of answers) expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  const calls = await bench.calls("kind=multiplexed", 40);
  expect(calls.map((call) => call.status)).toEqual(Array(40).fill("complete"));
  expect(new Set(calls.map((call) => call.id))).toEqual(new Set(answers.map(({ headers }) => headers["x-pennyworth-call"])));
});

test("a client that resets its stream has gone; the call is settled, and the connection goes on", async () => {
  const headers = { "x-pennyworth-tags": "kind=reset", "x-sandbox-tokens-per-second": "200", "x-sandbox-output-tokens": "60" };
  await ask("/to/witness/v1/chat/completions", { ...question, stream: true }, headers, 300).catch(() => null);
  const [call] = await bench.calls("kind=reset");
  expect(call).toMatchObject({ status: "complete", outputTokens: 60 });
  expect((await ask("/healthz", undefined)).status).toBe(200);
});

test("refusals, foreign hosts, the control API and large bodies are as over HTTP/1.1", async () => {
  expect(await ask("/v1/nothing", {})).toMatchObject({ status: 404 });
  expect(await ask("/v1/chat/completions", question, { ":authority": "evil.example" })).toMatchObject({ status: 421 });
  expect(await ask("/v1/chat/completions", question, { origin: "http://evil.example" })).toMatchObject({ status: 403 });
  const listed = await ask("/api/v1/calls", undefined, { authorization: `Bearer ${bench.running.adminToken}` });
  expect(listed.status).toBe(200);
  const large = { ...question, messages: [{ role: "user", content: "x".repeat(5_000_000) }] };
  expect((await ask("/to/witness/v1/chat/completions", large)).status).toBe(200);
});

test("a body that does not come is refused in time, and its stream is closed, whether or not the client ever ends it", async () => {
  const stream = session.request({ ":method": "POST", ":path": "/to/witness/v1/chat/completions" });
  const closed = new Promise((resolve) => stream.on("close", resolve));
  const status = await new Promise((resolve) => stream.on("response", (head) => resolve(head[":status"])));
  expect(status).toBe(408);
  stream.resume();
  await closed;
});

test("bytes in crumbs are still told apart, and what is neither protocol is refused", async () => {
  expect(await say([..."PU", "T /v1/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"])).toContain("404");
  expect(await say(["P", "RX nonsense\r\n\r\n"])).toContain("400");
  // A preface that goes on with nonsense ends the connection.
  await say(["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "x".repeat(64)]);
});
