// Work that outlasts a request, over real HTTP: files, batches, fine-tuning, answers in the background. Each line of a batch is held against
// its own row in the witness; expected numbers are written by hand.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, number, post } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

let sandbox: Sandbox;
let nowMs = 1_780_000_000_000;

beforeAll(async () => {
  sandbox = await startSandbox({ now: () => nowMs });
});
afterAll(() => sandbox.close());

const get = async (path: string): Promise<unknown> => (await fetch(sandbox.url + path)).json();

async function upload(text: string, purpose = "batch"): Promise<string> {
  const form = new FormData();
  form.set("purpose", purpose);
  form.set("file", new File([text], "input.jsonl"));
  return String(at(await (await fetch(`${sandbox.url}/v1/files`, { method: "POST", body: form })).json(), "id"));
}

async function lines(path: string): Promise<readonly unknown[]> {
  const text = await (await fetch(path.startsWith("http") ? path : sandbox.url + path)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

const message = (content: string, more: object = {}) => ({ model: "gpt-5-mini", messages: [{ role: "user", content }], ...more });
const request = (custom_id: string, body: object, url = "/v1/chat/completions") => JSON.stringify({ custom_id, method: "POST", url, body });
const rowsOf = (batch: unknown) => sandbox.witness.calls.filter((call) => call.batch === at(batch, "id"));

const createBatch = async (text: string, headers: Record<string, string> = {}, endpoint = "/v1/chat/completions") =>
  post(
    sandbox.url,
    "/v1/batches",
    { input_file_id: await upload(text), endpoint, completion_window: "24h", metadata: { a: "b" } },
    headers,
  );

const params = (content: string) => ({ model: "claude-sonnet-4-5", max_tokens: 99, messages: [{ role: "user", content }] });
const createMessages = async (requests: readonly object[], headers: Record<string, string> = {}) =>
  post(sandbox.url, "/v1/messages/batches", { requests }, headers);

describe("files", () => {
  it("come back as they went in, until they are deleted", async () => {
    const id = await upload("Grüße\n\u0000", "user_data");
    expect(await get(`/v1/files/${id}`)).toMatchObject({ id, object: "file", bytes: 9, filename: "input.jsonl", purpose: "user_data" });
    expect(await (await fetch(`${sandbox.url}/v1/files/${id}/content`)).text()).toBe("Grüße\n\u0000");
    expect(at(await get("/v1/files"), "data", 0, "id")).toBe(id);
    expect(at(await (await fetch(`${sandbox.url}/v1/files/${id}`, { method: "DELETE" })).json(), "deleted")).toBe(true);
    expect((await fetch(`${sandbox.url}/v1/files/${id}/content`)).status).toBe(404);
    expect((await post(sandbox.url, "/v1/files", { purpose: "batch" })).status).toBe(400);
  });
});

describe("OpenAI's batches", () => {
  it("go from validating over in progress to completed; every line is a row", async () => {
    const input = [
      request("one", message("[[sandbox input-tokens=100 cache-read-tokens=40 output-tokens=30 reasoning-tokens=10]]")),
      request("two", message("hello", { stream: true, max_tokens: 7 })),
      request("bad", message("[[sandbox fail=500]]")),
      request("wrong", { model: 7 }),
    ].join("\n");
    const { json } = await createBatch(input, { "x-sandbox-batch-polls": "2" });
    const path = `/v1/batches/${String(json["id"])}`;
    expect(json).toMatchObject({ object: "batch", status: "validating", output_file_id: null, metadata: { a: "b" } });
    expect(rowsOf(json)).toHaveLength(0);
    expect([at(await get(path), "status"), at(await get(path), "status")]).toEqual(["in_progress", "in_progress"]);
    const done = await get(path);
    expect(done).toMatchObject({ status: "completed", request_counts: { total: 4, completed: 2, failed: 2 } });
    const out = await lines(`/v1/files/${String(at(done, "output_file_id"))}/content`);
    const failed = await lines(`/v1/files/${String(at(done, "error_file_id"))}/content`);
    expect(out.map((line) => at(line, "custom_id"))).toEqual(["one", "two"]);
    expect(at(out[0], "response", "body", "usage")).toMatchObject({
      prompt_tokens: 100,
      completion_tokens: 30,
      total_tokens: 130,
      prompt_tokens_details: { cached_tokens: 40 },
    });
    expect(failed.map((line) => [at(line, "custom_id"), at(line, "response", "status_code")])).toEqual([
      ["bad", 500],
      ["wrong", 400],
    ]);
    const rows = rowsOf(done);
    expect(rows.map((row) => [row.client, row.httpStatus, row.usage === null])).toEqual([
      ["one", 200, false],
      ["two", 200, false],
      ["bad", 500, true],
      ["wrong", 400, true],
    ]);
    expect(rows[0]?.usage).toMatchObject({ input: 60, cache_read: 40, output: 20, reasoning: 10 });
    expect(out.map((line) => at(line, "response", "body", "id"))).toEqual(rows.slice(0, 2).map((row) => row.responseId));
    const output = number(out[1], "response", "body", "usage", "completion_tokens") + 30;
    expect(number(done, "usage", "output_tokens")).toBe(output);
    expect(await get(path)).toEqual(done);
    expect(rowsOf(done)).toHaveLength(4);
  });

  it("of embeddings and responses; headers hold for every line", async () => {
    const embedded = await createBatch(
      request("e", { model: "m", input: "12345678" }, "/v1/embeddings"),
      { "x-sandbox-batch-polls": "0" },
      "/v1/embeddings",
    );
    const done = await get(`/v1/batches/${String(embedded.json["id"])}`);
    const [line] = await lines(`/v1/files/${String(at(done, "output_file_id"))}/content`);
    expect(number(line, "response", "body", "usage", "prompt_tokens")).toBe(2);
    const headers = { "x-sandbox-batch-polls": "0", "x-sandbox-output-tokens": "5", "x-sandbox-served-tier": "batch" };
    const answered = await createBatch(request("r", { model: "m", input: "hi" }, "/v1/responses"), headers, "/v1/responses");
    const after = await get(`/v1/batches/${String(answered.json["id"])}`);
    const [response] = await lines(`/v1/files/${String(at(after, "output_file_id"))}/content`);
    expect([number(response, "response", "body", "usage", "output_tokens"), at(response, "response", "body", "service_tier")]).toEqual([
      5,
      "batch",
    ]);
  });

  it("cancelled, or with lines that are no requests, serve nothing", async () => {
    const { json } = await createBatch(request("one", message("hi")));
    const cancelled = await post(sandbox.url, `/v1/batches/${String(json["id"])}/cancel`, "");
    expect(at(cancelled.json, "status")).toBe("cancelling");
    expect(at(await get(`/v1/batches/${String(json["id"])}`), "status")).toBe("cancelled");
    const broken = await createBatch(`${request("one", message("hi"))}\n{"custom_id":`);
    const failed = await get(`/v1/batches/${String(broken.json["id"])}`);
    expect([at(failed, "status"), at(failed, "errors", "data", 0, "line")]).toEqual(["failed", 2]);
    expect([rowsOf(json).length, rowsOf(failed).length]).toEqual([0, 0]);
    expect((await fetch(`${sandbox.url}/v1/batches/batch_none`)).status).toBe(404);
  });
});

describe("Anthropic's batches", () => {
  it("end, and their results are at the batch tier", async () => {
    const { json } = await createMessages([
      { custom_id: "one", params: params("[[sandbox input-tokens=70 cache-write-1h-tokens=20 output-tokens=9]]") },
      { custom_id: "two", params: params("[[sandbox fail=529]]") },
      { custom_id: "three", params: { model: "m" } },
    ]);
    const path = `/v1/messages/batches/${String(json["id"])}`;
    expect(json).toMatchObject({ type: "message_batch", processing_status: "in_progress", results_url: null });
    expect((await fetch(`${sandbox.url + path}/results`)).status).toBe(404);
    expect((await fetch(sandbox.url + path, { method: "DELETE" })).status).toBe(400);
    expect(at(await get(path), "processing_status")).toBe("in_progress");
    const done = await get(path);
    expect(done).toMatchObject({ processing_status: "ended", request_counts: { processing: 0, succeeded: 1, errored: 2, canceled: 0 } });
    const results = await lines(String(at(done, "results_url")));
    expect(results.map((line) => [at(line, "custom_id"), at(line, "result", "type")])).toEqual([
      ["one", "succeeded"],
      ["two", "errored"],
      ["three", "errored"],
    ]);
    const usage = at(results[0], "result", "message", "usage");
    expect(usage).toMatchObject({ input_tokens: 50, cache_creation_input_tokens: 20, output_tokens: 9, service_tier: "batch" });
    expect(at(results[1], "result", "error", "error", "type")).toBe("overloaded_error");
    expect(rowsOf(done).map((row) => row.client)).toEqual(["one", "two", "three"]);
    expect(rowsOf(done)[0]?.usage).toMatchObject({ input: 50, cache_write_1h: 20, output: 9 });
    expect(at(await (await fetch(sandbox.url + path, { method: "DELETE" })).json(), "type")).toBe("message_batch_deleted");
    expect((await fetch(sandbox.url + path)).status).toBe(404);
  });

  it("cancelled, serve nothing", async () => {
    const { json } = await createMessages([{ custom_id: "one", params: params("hi") }]);
    const path = `/v1/messages/batches/${String(json["id"])}`;
    expect(at((await post(sandbox.url, `${path}/cancel`, "")).json, "processing_status")).toBe("canceling");
    const done = await get(path);
    expect(at(done, "request_counts", "canceled")).toBe(1);
    expect((await lines(String(at(done, "results_url")))).map((line) => at(line, "result", "type"))).toEqual(["canceled"]);
    expect(rowsOf(done)).toHaveLength(0);
    expect((await createMessages([])).status).toBe(400);
  });
});

describe("fine-tuning", () => {
  it("succeeds after some looks, and its training is served once", async () => {
    const training_file = await upload("x".repeat(400), "fine-tune");
    const { json } = await post(sandbox.url, "/v1/fine_tuning/jobs", { model: "gpt-4o-mini", training_file });
    const path = `/v1/fine_tuning/jobs/${String(json["id"])}`;
    expect(json).toMatchObject({ object: "fine_tuning.job", status: "validating_files", trained_tokens: null, fine_tuned_model: null });
    expect(at(await get(path), "status")).toBe("running");
    const done = await get(path);
    // 400 bytes are 100 tokens, three times over.
    expect(done).toMatchObject({ status: "succeeded", trained_tokens: 300 });
    expect(at(done, "fine_tuned_model")).toMatch(/^ft:gpt-4o-mini:/);
    expect(await get(path)).toEqual(done);
    expect(sandbox.witness.totals.usage.answered.training).toBe(300);
    const row = sandbox.witness.calls.find((call) => call.responseId === json["id"] && call.method === "POST");
    expect(row?.usage).toMatchObject({ training: 300, input: 0 });
    const other = await post(sandbox.url, "/v1/fine_tuning/jobs", { model: "m", training_file }, { "x-sandbox-trained-tokens": "5" });
    const cancelled = await post(sandbox.url, `/v1/fine_tuning/jobs/${String(other.json["id"])}/cancel`, "");
    expect(cancelled.json).toMatchObject({ status: "cancelled", trained_tokens: null });
    expect((await post(sandbox.url, "/v1/fine_tuning/jobs", { model: "m", training_file: "file-none" })).status).toBe(404);
  });
});

it("a response in the background is queued, then in progress, then completed, as time passes", async () => {
  const { json } = await post(
    sandbox.url,
    "/v1/responses",
    { model: "m", input: "hi", background: true },
    { "x-sandbox-delay-ms": "1000" },
  );
  const path = `/v1/responses/${String(json["id"])}`;
  const states: unknown[] = [at(json, "status")];
  for (const ms of [499, 500, 1000]) {
    nowMs += ms - (nowMs - 1_780_000_000_000);
    states.push(at(await get(path), "status"));
  }
  expect(states).toEqual(["queued", "queued", "in_progress", "completed"]);
});
