// What providers and clients do to a connection, byte by byte: heads that cannot be written again, answers that drip, break off or never
// begin, clients that leave before anything was sent. Each ends in an answer or a cut connection, and in one record that says what is known.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, type Row, startBench } from "./server.ts";

type Reply = (socket: Socket, request: string) => void;

const heads: string[] = [];
let reply: Reply = () => {};
let raw: Server;
let other: Server;
let otherHeads: string[];
let bench: Bench;

beforeAll(async () => {
  raw = await serve((socket, request) => {
    heads.push(request);
    reply(socket, request);
  });
  otherHeads = [];
  other = await serve((socket, request) => {
    otherHeads.push(request);
    socket.end(json(200, answer(10, 5)));
  });
  bench = await startBench({
    "providers.raw": { baseUrl: at(raw), auth: "bearer", pricesOf: "openai", formats: ["openai-chat"], headers: { "x-version": "2" } },
    "providers.plain": { baseUrl: at(raw), auth: "none", pricesOf: "openai", formats: ["openai-chat"], whenClientLeaves: "cancel" },
    "providers.other": { baseUrl: at(other), auth: "none", pricesOf: "openai", formats: ["openai-chat"] },
    "limits.silenceMsMax": 700,
    "limits.firstByteMsMax": 2_000,
    routes: [
      {
        model: "slow",
        targets: [
          { provider: "plain", model: "gpt-4.1-nano" },
          { provider: "other", model: "gpt-4.1-nano" },
        ],
        retry: { totalMsMax: 1_200, waitMs: 1 },
      },
      { model: "waits", targets: [{ provider: "plain", model: "gpt-4.1-nano" }], retry: { triesMax: 5, totalMsMax: 1_000, waitMs: 400 } },
    ],
  });
});
afterAll(async () => {
  await bench.close();
  raw.close();
  other.close();
});

const at = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
const usage = (input: number, output: number): object => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
const answer = (input: number, output: number): string =>
  JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "gpt-4.1-nano",
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage: usage(input, output),
  });
const json = (status: number, body: string, reason = "OK"): Buffer =>
  Buffer.from(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
const body = (more: object = {}): object => ({
  model: "gpt-4.1-nano",
  max_tokens: 50,
  messages: [{ role: "user", content: "Hello there" }],
  ...more,
});

async function ask(
  name: string,
  path: string,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; row: Row; rows: Row[] }> {
  const response = await bench.post(path, body(more), { "x-pennyworth-tags": `case=${name}`, ...headers }, AbortSignal.timeout(8_000));
  const text = await response.text().catch(() => "(cut)");
  const rows = await bench.calls(`case=${name}`);
  return { status: response.status, text, row: rows[0] as Row, rows };
}

test("a reason phrase that Node will not write is left out, and the answer comes", async () => {
  reply = (socket) => socket.end(json(200, answer(10, 5), "好"));
  expect(await ask("reason", "/to/plain/v1/chat/completions")).toMatchObject({ status: 200, row: { status: "complete", outputTokens: 5 } });
});

test("a refusal that stalls or breaks off is not charged, nor is a redirect", async () => {
  reply = (socket) => socket.write("HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{");
  expect((await ask("stalled", "/to/plain/v1/chat/completions")).row).toMatchObject({ status: "failed", cost: "0", unpriced: [] });
  reply = (socket) => socket.end("HTTP/1.1 308 Permanent Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
  expect((await ask("redirect", "/to/plain/v1/chat/completions")).row).toMatchObject({ status: "failed", cost: "0", unpriced: [] });
});

test("a JSON answer that breaks off midway counts what came, not nothing", async () => {
  reply = (socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n${answer(10, 5).slice(0, -40)}${"word ".repeat(200)}`,
    );
    setTimeout(() => socket.destroy(), 30);
  };
  const { status, row } = await ask("broken", "/to/plain/v1/chat/completions");
  expect(status).toBe(502);
  expect(row.status).toBe("cut");
  expect(row.outputTokens).toBeGreaterThan(200);
});

test("a JSON answer that a client gave up on, and that was cancelled, is presumed at its bound", async () => {
  reply = () => {};
  await expect(
    bench.post("/to/plain/v1/chat/completions", body(), { "x-pennyworth-tags": "case=gaveup" }, AbortSignal.timeout(150)),
  ).rejects.toThrow();
  const [row] = await bench.calls("case=gaveup");
  expect(row).toMatchObject({ status: "presumed", outputTokens: 50 });
});

test("a provider that is silent leaves time for the fallback", async () => {
  reply = () => {};
  const { status, rows } = await ask("silent", "/v1/chat/completions", { model: "slow" });
  expect(status).toBe(200);
  expect(rows.map((row) => row.status)).toEqual(["presumed", "complete"]);
});

test("retries end within their total time, waits included", async () => {
  reply = (socket) => socket.end(json(500, "{}"));
  const startedMs = Date.now();
  const { status, rows } = await ask("waits", "/v1/chat/completions", { model: "waits" });
  expect(status).toBe(500);
  expect(rows.map((row) => row.httpStatus)).toEqual([500, 500]);
  expect(Date.now() - startedMs).toBeLessThan(1_500);
});

test("a discarded answer is let go at once, however slowly it drips", async () => {
  let closed = false;
  reply = (socket) => {
    socket.write("HTTP/1.1 500 No\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
    const drip = setInterval(() => socket.write("1\r\nx\r\n"), 20);
    socket.on("close", () => {
      clearInterval(drip);
      closed = true;
    });
  };
  expect((await ask("drip", "/v1/chat/completions", { model: "slow" })).status).toBe(200);
  await expect.poll(() => closed).toBe(true);
});

test("a client's credential goes up in the header it came in, settings' headers go before the client's, and ours stay here", async () => {
  reply = (socket) => socket.end(json(200, answer(10, 5)));
  await ask(
    "credential",
    "/to/raw/v1/chat/completions",
    {},
    { authorization: "Bearer sk-own", "x-version": "1", "x-pennyworth-customer": "Ada", baggage: "pennyworth.task=t" },
  );
  const head = (heads.at(-1) as string).toLowerCase();
  expect(head).toContain("authorization: bearer sk-own");
  expect(head.match(/x-version: .*/g)).toEqual(["x-version: 2"]);
  expect(head).not.toMatch(/pennyworth|ada/);
  const refused = await bench.post("/to/raw/v1/chat/completions", body(), { authorization: `Bearer ${bench.running.adminToken}` });
  expect(refused.status).toBe(401);
});

test("a client's credential does not follow a route to another company", async () => {
  reply = (socket) => socket.end(json(503, "{}"));
  await ask("leak", "/v1/chat/completions", { model: "slow" }, { authorization: "Bearer sk-own" });
  expect(otherHeads.at(-1)).not.toContain("sk-own");
});

test("an encoding that cannot be read passes, and its usage is estimated", async () => {
  const opaque = Buffer.from("28b52ffd2400", "hex");
  reply = (socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: zstd\r\ncontent-length: ${opaque.length}\r\n\r\n`,
    );
    socket.end(opaque);
  };
  const response = await bench.post("/to/plain/v1/chat/completions", body({ stream: true }), { "x-pennyworth-tags": "case=zstd" });
  expect(response.headers.get("content-encoding")).toBe("zstd");
  await response.arrayBuffer().catch(() => {});
  const [row] = await bench.calls("case=zstd");
  expect(row!.status).toBe("complete");
  expect(row!.inputTokens).toBeGreaterThan(0);
});

test("answers that wait for their turn on a connection end with it", async () => {
  reply = (socket, request) => {
    if (!request.includes('"max_tokens":51')) return;
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
    const drip = setInterval(() => socket.write(`data: {"choices":[{"delta":{"content":"${"word ".repeat(5_000)}"}}]}\n\n`), 5);
    socket.on("close", () => clearInterval(drip));
  };
  const client = connect(Number(new URL(bench.running.url).port), "127.0.0.1");
  for (const max_tokens of [50, 51]) {
    const text = JSON.stringify(body({ stream: true, max_tokens }));
    const head =
      "POST /to/plain/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-pennyworth-tags: case=turn\r\ncontent-type: application/json";
    client.write(`${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }
  setTimeout(() => client.destroy(), 300);
  const rows = await bench.calls("case=turn", 2);
  expect(rows.map((row) => row.status).toSorted()).toEqual(["aborted", "presumed"]);
});

test("an offer of another protocol does not stop a request", async () => {
  reply = (socket) => socket.end(json(200, answer(10, 5)));
  const port = Number(new URL(bench.running.url).port);
  const text = JSON.stringify(body());
  const got = await new Promise<string>((resolve) => {
    const client = connect(port, "127.0.0.1");
    let all = "";
    client.on("data", (chunk) => (all += chunk.toString()));
    client.on("close", () => resolve(all));
    const offer = "connection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA";
    const head = `POST /to/plain/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n${offer}\r\ncontent-type: application/json`;
    client.write(`${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    setTimeout(() => client.destroy(), 2_000);
  });
  expect(got).toMatch(/^HTTP\/1\.1 200/);
});

function serve(onRequest: Reply): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      let text = "";
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        text += chunk.toString();
        const head = text.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (head < 0 || Buffer.byteLength(text) < head + 4 + length) return;
        const request = text;
        text = "";
        onRequest(socket, request);
      });
    });
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
