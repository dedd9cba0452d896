// What was tried against the gateway to make it leak, lose or lie, and must not work again. The provider here is a raw server that keeps
// what it was sent and answers as it is told.

import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

let server: Server;
let gateway: TestGateway;
let heads: { url: string; headers: IncomingMessage["headers"]; raw: string }[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end("{}");

const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
const whole = { id: "c1", model: "gpt-4o-mini", choices: [{ message: { content: "hi" }, finish_reason: "stop" }], usage };
const event = (data: unknown): string => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
const question = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on("end", () => {
      heads.push({ url: request.url as string, headers: request.headers, raw: request.rawHeaders.join("\n") });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startGateway({
    log: "silent",
    "limits.workPollMsMin": 50,
    "limits.workPollMsMax": 100,
    providers: {
      openai: { baseUrl: `${origin}/v1` },
      anthropic: { baseUrl: `${origin}/v1` },
      google: { baseUrl: origin },
      plain: { baseUrl: `${origin}/v1`, auth: "none", pricesOf: "openai" },
    },
  });
});
beforeEach(() => {
  heads = [];
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(whole));
  };
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(gateway.url + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

test("a credential in one company's slot does not go to another company", async () => {
  const shown = { authorization: "Bearer sk-openai", "x-api-key": "sk-ant-mine", "x-goog-api-key": "AIza-mine", "api-key": "azure-mine" };
  await post("/v1/chat/completions?key=AIza-query", question, shown);
  expect(heads[0]?.raw).toContain("sk-openai");
  expect(heads[0]?.raw).not.toMatch(/sk-ant-mine|AIza-mine|azure-mine/);
  expect(heads[0]?.url).toBe("/v1/chat/completions");
  await post("/v1/messages", { ...question, max_tokens: 5 }, shown);
  expect(heads[1]?.raw).toContain("sk-ant-mine");
  expect(heads[1]?.raw).not.toMatch(/sk-openai|AIza-mine|azure-mine/);
  await post("/v1beta/models/gemini-2.5-flash:generateContent?key=AIza-query", { contents: [] });
  expect(heads[2]?.url).toBe("/v1beta/models/gemini-2.5-flash:generateContent?key=AIza-query");
});

test("a Pennyworth key goes upstream from no place in a request", async () => {
  const { secret } = (await gateway.post("/keys", { name: "trust", team: null, role: "use" })) as { secret: string };
  const places: [string, Record<string, string>][] = [
    ["/to/plain/v1/chat/completions", { authorization: `Token ${secret}` }],
    ["/to/plain/v1/chat/completions", { authorization: `Bearer sk, Bearer ${secret}` }],
    ["/to/plain/v1/chat/completions", { "x-api-key": `sk-own, ${secret}` }],
    ["/to/plain/v1/chat/completions", { "x-pennyworth-key": secret, "x-forwarded-authorization": secret }],
    ["/v1beta/models/gemini-2.5-flash:generateContent?key=" + secret, {}],
  ];
  for (const [path, headers] of places) {
    const response = await post(path, { ...question, contents: [] }, headers);
    // Nothing is shown that Google could take, so the sandbox answers, which wants contents.
    expect([path, response.status]).toEqual([path, path.startsWith("/v1beta") ? 400 : 200]);
  }
  for (const path of [`/to/plain/v1/x/${secret}`, `/to/plain/v1/chat/completions?api_key=${secret}`, `/to/plain/v1/x?%6bey=${secret}`])
    expect((await post(path, question, { "x-pennyworth-key": secret })).status).toBe(400);
  expect(heads.map((head) => `${head.url}\n${head.raw}`).join("\n")).not.toContain(secret);
  const journal = join(gateway.dataFolder, "journal");
  for (const file of readdirSync(journal)) expect(readFileSync(join(journal, file), "latin1")).not.toContain(secret);
  const { keys } = (await gateway.get("/keys")) as { keys: { id: string }[] };
  for (const { id } of keys) await gateway.post(`/keys/${id}/revoke`, {}).catch(() => null);
});

test("of an unknown path only words are on record, and a method is what the request line says", async () => {
  const { secret } = (await gateway.post("/keys", { name: "paths", team: null, role: "use" })) as { secret: string };
  const mine = { "x-pennyworth-key": secret };
  await post("/to/plain/v1/users/alice@example.com/sk-ant-123/items", {}, { ...mine, "x-http-method-override": "DELETE" });
  expect(heads[0]?.headers["x-http-method-override"]).toBeUndefined();
  expect(heads[0]?.url).toBe("/v1/users/alice@example.com/sk-ant-123/items");
  const { rows } = (await gateway.get("/report?by=endpoint&fresh=true&filter=format%3Dunmetered")) as {
    rows: { group: { endpoint: string } }[];
  };
  expect(rows.map((row) => row.group.endpoint)).toEqual(["/v1/users/{}/{}/items"]);
});

test("what could not be sent is not on record as begun", async () => {
  const key = ((await gateway.post("/keys", { name: "azure", team: null, role: "use" })) as { secret: string }).secret;
  const path = "/to/azure/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
  const response = await post(path, question, { "x-pennyworth-key": key });
  expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([404, "provider_address"]);
  const { total } = (await gateway.get("/report?fresh=true&filter=provider%3Dazure")) as { total: { calls: number } };
  expect(total.calls).toBe(0);
});

test("over HTTP/2 an answer that broke off does not look complete", async () => {
  const key = ((await gateway.post("/keys", { name: "h2", team: null, role: "use" })) as { secret: string }).secret;
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event({ id: "c2", choices: [{ delta: { content: "half" } }] }));
    setTimeout(() => response.destroy(), 60);
  };
  const session = connect(gateway.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/to/plain/v1/chat/completions",
    "content-type": "application/json",
    "x-pennyworth-key": key,
  });
  stream.end(JSON.stringify({ ...question, stream: true }));
  stream.resume();
  const ended = await new Promise((resolve) => {
    stream.on("error", () => resolve(`error ${stream.rstCode}`));
    stream.on("end", () => resolve("end"));
  });
  session.destroy();
  expect(ended).toBe("error 2");
});

test("a compressed stream with bytes behind its end comes to its end", async () => {
  const key = ((await gateway.post("/keys", { name: "gzip", team: null, role: "use" })) as { secret: string }).secret;
  const body = gzipSync(event({ ...whole, choices: [{ delta: { content: "hi" }, finish_reason: "stop" }] }));
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" });
    response.write(Buffer.concat([body, Buffer.alloc(8)]));
    setTimeout(() => response.end(), 60);
  };
  const response = await post("/to/plain/v1/chat/completions", { ...question, stream: true }, { "x-pennyworth-key": key });
  expect(await response.text()).toContain('"finish_reason":"stop"');
  const receipt = await gateway.receipt(response.headers.get("x-pennyworth-call") ?? "");
  expect([receipt.status, receipt.total]).toEqual(["complete", "0.00021"]);
});

test("an answer of another kind than its head says is estimated by its bytes, not taken for nothing", async () => {
  const key = ((await gateway.post("/keys", { name: "kinds", team: null, role: "use" })) as { secret: string }).secret;
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(event({ id: "c3", choices: [{ delta: { content: "x".repeat(4000) } }] }));
  };
  const response = await post("/to/plain/v1/chat/completions", question, { "x-pennyworth-key": key });
  const receipt = await gateway.receipt(response.headers.get("x-pennyworth-call") ?? "");
  const output = receipt.lines.find((line) => line.class === "output");
  expect(output?.source).toBe("estimated");
  expect(output?.quantity).toBeGreaterThan(1000);
});

test("a background response that failed is not presumed any longer", async () => {
  const key = ((await gateway.post("/keys", { name: "background", team: null, role: "use" })) as { secret: string }).secret;
  answer = (request, response) => {
    const status = request.method === "POST" ? "queued" : "failed";
    response.writeHead(200, { "content-type": "application/json" });
    const error = status === "failed" ? { code: "server_error", message: "x" } : null;
    response.end(JSON.stringify({ id: "resp_failed", object: "response", status, error, model: "gpt-4o-mini", output: [], usage: null }));
  };
  const body = { model: "gpt-4o-mini", input: "hello", background: true, max_output_tokens: 16_000 };
  const response = await post("/to/plain/v1/responses", body, { "x-pennyworth-key": key });
  const call = response.headers.get("x-pennyworth-call") ?? "";
  await expect.poll(async () => (await gateway.receipt(call)).status, { timeout: 8_000 }).toBe("failed");
  const receipt = await gateway.receipt(call);
  expect([receipt.total, receipt.lines]).toEqual(["0", []]);
});

test("the results of Anthropic's batches are fetched through the gateway, not past it with a Pennyworth key", async () => {
  const key = ((await gateway.post("/keys", { name: "batches", team: null, role: "use" })) as { secret: string }).secret;
  const url = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results";
  const batch = { id: "msgbatch_1", type: "message_batch", processing_status: "ended", results_url: url, seed: 12345678901234 };
  const written = JSON.stringify({ data: [batch, { ...batch, results_url: null }], has_more: false });
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(written);
  };
  const response = await fetch(`${gateway.url}/to/anthropic/v1/messages/batches`, {
    headers: { "x-pennyworth-key": key, "x-api-key": "sk-ant-mine", "anthropic-version": "2023-06-01" },
  });
  expect(await response.text()).toBe(written.replace(url, "/v1/messages/batches/msgbatch_1/results"));
  expect(response.headers.get("x-pennyworth-edits")).toBe("results_url");
});
