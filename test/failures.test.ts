// Where today's gateways lose or double money in streams, disconnects and retries: each case by the name of its public thread. Cases about
// reading usage are beside the formats (src/providers), those about prices beside the rating (src/core).

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, startBench } from "./server.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({
    routes: [
      { model: "retried", targets: [{ provider: "witness", model: "gpt-4.1-nano" }], retry: { triesMax: 3, waitMs: 1 } },
      {
        model: "fallen",
        targets: [
          { provider: "dead", model: "gpt-4.1-nano" },
          { provider: "witness", model: "gpt-4.1-nano" },
        ],
      },
    ],
    "providers.dead": { baseUrl: "http://127.0.0.1:1/v1", auth: "none", formats: ["openai-chat"] },
  });
});
afterAll(() => bench.close());

const chat = "/to/witness/v1/chat/completions";
const ask = (more: object = {}): object => ({
  model: "gpt-4.1-nano",
  max_tokens: 400,
  messages: [{ role: "user", content: "Hello, how are you today?" }],
  ...more,
});
const askClaude = (more: object = {}): object => ({ ...ask(more), model: "claude-sonnet-4-5" });
const tokens = (input: number, output: number): Record<string, string> => ({
  "x-sandbox-input-tokens": String(input),
  "x-sandbox-output-tokens": String(output),
});
/** gpt-4.1-nano: $0.10 and $0.40 per million tokens (OpenAI's price list); in picodollars a token. */
const nano = (input: number, output: number): bigint => BigInt(input) * 100_000n + BigInt(output) * 400_000n;
const pico = (cost: string): bigint => {
  const [whole = "0", fraction = ""] = cost.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
};

/** Reads a few pieces of a stream, then goes away. */
async function leave(path: string, body: object, headers: Record<string, string>): Promise<void> {
  const controller = new AbortController();
  const response = await bench.post(path, body, headers, controller.signal);
  const reader = response.body!.getReader();
  for (let n = 0; n < 3; n++) await reader.read();
  controller.abort();
  await reader.read().catch(() => {});
}

test("litellm #14457: usage is not lost when the client disconnects from a stream", async () => {
  await leave("/to/cancelled/v1/chat/completions", ask({ stream: true }), {
    "x-pennyworth-tags": "case=14457",
    ...tokens(50, 3_000),
    "x-sandbox-tokens-per-second": "400",
  });
  const [call, ...others] = await bench.calls("case=14457");
  expect(others).toEqual([]);
  expect(call!.status).toBe("aborted");
  expect(call!.outputTokens).toBeGreaterThan(0);
  expect(pico(call!.cost)).toBeGreaterThan(0n);
});

test("litellm #35958, PR #39893: on /v1/messages the input stays as reported and the placeholder output is not billed as the whole answer", async () => {
  await leave("/to/cancelled/v1/messages", askClaude({ stream: true, max_tokens: 4_000 }), {
    "anthropic-version": "2023-06-01",
    "x-pennyworth-tags": "case=35958",
    ...tokens(1234, 3_000),
    "x-sandbox-tokens-per-second": "400",
  });
  const [call] = await bench.calls("case=35958");
  expect(call!.inputTokens).toBe(1234);
  expect(call!.outputTokens).toBeGreaterThan(1);
});

test("litellm #13245: a client that leaves before a JSON answer still leaves the whole cost on record", async () => {
  const controller = new AbortController();
  const pending = bench.post(
    chat,
    ask(),
    { "x-pennyworth-tags": "case=13245", ...tokens(100, 200), "x-sandbox-delay-ms": "300" },
    controller.signal,
  );
  setTimeout(() => controller.abort(), 100);
  await expect(pending).rejects.toThrow();
  const [call] = await bench.calls("case=13245");
  expect(call!.status).toBe("complete");
  expect(pico(call!.cost)).toBe(nano(100, 200));
});

test("litellm #15740: a streamed response that is fetched again, twice, is one call", async () => {
  const text = await (
    await bench.post(
      "/to/witness/v1/responses",
      { model: "gpt-4.1-nano", input: "hi", stream: true, store: true },
      { "x-pennyworth-tags": "case=15740", ...tokens(40, 60) },
    )
  ).text();
  const id = /"id":"(resp_[^"]+)"/.exec(text)![1];
  for (let n = 0; n < 2; n++) expect((await fetch(`${bench.running.url}/to/witness/v1/responses/${id}`)).status).toBe(200);
  const [call, ...others] = await bench.calls("case=15740");
  expect(others).toEqual([]);
  expect(pico(call!.cost)).toBe(nano(40, 60));
  const { total } = await bench.control("/report?by=provider&filter=endpoint%3D/v1/responses");
  expect(total.calls).toBe(1);
});

test("litellm #32487: streamed and failed /v1/responses each leave a row with their usage", async () => {
  for (const finish of ["stop", "failed", "incomplete"])
    await (
      await bench.post(
        "/to/witness/v1/responses",
        { model: "gpt-4.1-nano", input: "hi", stream: true },
        { "x-pennyworth-tags": "case=32487", ...tokens(40, 60), ...(finish === "stop" ? {} : { "x-sandbox-finish": finish }) },
      )
    ).text();
  const calls = await bench.calls("case=32487", 3);
  expect(calls.map((call) => pico(call.cost))).toEqual([nano(40, 60), nano(40, 60), nano(40, 60)]);
  expect(calls.map((call) => call.status)).toEqual(["complete", "failed", "complete"]);
});

test("litellm #6633: the usage event that the client did not ask for is metered and hidden", async () => {
  const hidden = await (await bench.post(chat, ask({ stream: true }), { "x-pennyworth-tags": "case=6633", ...tokens(11, 22) })).text();
  expect(hidden).not.toContain('"usage":{');
  const shown = await (
    await bench.post(chat, ask({ stream: true, stream_options: { include_usage: true } }), {
      "x-pennyworth-tags": "case=6633",
      ...tokens(11, 22),
    })
  ).text();
  expect(shown).toContain('"usage":{');
  expect((await bench.calls("case=6633", 2)).map((call) => pico(call.cost))).toEqual([nano(11, 22), nano(11, 22)]);
});

test("helm-api #6: a stream whose usage never comes is estimated and marked, not $0.0000", async () => {
  await (
    await bench.post(chat, ask({ stream: true }), { "x-pennyworth-tags": "case=helm6", ...tokens(11, 100), "x-sandbox-usage": "missing" })
  ).text();
  const [call] = await bench.calls("case=helm6");
  expect(pico(call!.cost)).toBeGreaterThan(0n);
  const receipt = await bench.control(`/calls/${call!.id}/receipt`);
  expect(JSON.stringify(receipt)).toContain("estimated");
});

test("langfuse #9038: rate-limited tries cost nothing, and each try is a call with its reason", async () => {
  const response = await bench.post(
    "/v1/chat/completions",
    { ...ask(), model: "retried" },
    {
      "x-pennyworth-tags": "case=9038",
      ...tokens(100, 10),
      "x-sandbox-fail": "429",
      "x-sandbox-fail-times": "2",
      "x-sandbox-fail-key": "9038",
    },
  );
  expect(response.status).toBe(200);
  const calls = await bench.calls("case=9038", 3);
  expect(calls.map((call) => [call.httpStatus, call.status, pico(call.cost)])).toEqual([
    [429, "failed", 0n],
    [429, "failed", 0n],
    [200, "complete", nano(100, 10)],
  ]);
  const report = await bench.control("/report?by=attempt,reason&filter=tag.case%3D9038");
  expect(report.rows.map((row) => Object.values(row.group).join(" ")).toSorted()).toEqual(["1 first", "2 retry", "3 retry"]);
});

test("litellm #13280: of nine billed calls at once nine are on record", async () => {
  await Promise.all(
    Array.from({ length: 9 }, async () => (await bench.post(chat, ask(), { "x-pennyworth-tags": "case=13280", ...tokens(10, 10) })).json()),
  );
  expect((await bench.calls("case=13280", 9)).map((call) => pico(call.cost))).toEqual(Array.from({ length: 9 }, () => nano(10, 10)));
});

test("a fallback answers when the first target cannot be reached, and the try that reached nobody costs nothing", async () => {
  const response = await bench.post(
    "/v1/chat/completions",
    { ...ask(), model: "fallen" },
    { "x-pennyworth-tags": "case=fallen", ...tokens(10, 10) },
  );
  expect(response.status).toBe(200);
  expect(response.headers.get("x-pennyworth-attempt")).toMatch(/^2; fallback; /);
  expect((await bench.calls("case=fallen", 2)).map((call) => [call.status, pico(call.cost)])).toEqual([
    ["unreached", 0n],
    ["complete", nano(10, 10)],
  ]);
});

test("a stream that is cut midway keeps what was seen, marked, and reaches the client as a broken stream", async () => {
  const response = await bench.post(chat, ask({ stream: true }), {
    "x-pennyworth-tags": "case=cut",
    ...tokens(11, 100),
    "x-sandbox-cut-after": "20",
  });
  await expect(response.text()).rejects.toThrow();
  const [call] = await bench.calls("case=cut");
  expect(call!.status).toBe("cut");
  expect(call!.outputTokens).toBeGreaterThan(0);
});

test("ccusage #1348: an unknown model is unpriced, counted and shown, never a silent $0", async () => {
  await (await bench.post(chat, { ...ask(), model: "no-such-model-9" }, { "x-pennyworth-tags": "case=1348", ...tokens(10, 10) })).json();
  const [call] = await bench.calls("case=1348");
  expect(call!.unpriced.toSorted()).toEqual(["input", "output"]);
  const { total } = await bench.control("/report?by=model&filter=tag.case%3D1348");
  expect(total.unpriced).toBe(1);
});

test("a usage that does not add up by its provider's own identity is flagged", async () => {
  await (await bench.post(chat, ask(), { "x-pennyworth-tags": "case=doubt", ...tokens(10, 10), "x-sandbox-usage": "wrong" })).json();
  await bench.calls("case=doubt");
  const { total } = await bench.control("/report?by=model&filter=tag.case%3Ddoubt");
  expect(total.doubtful).toBe(1);
});

test("where the asked and the answered model differ, it can be seen and counted", async () => {
  await (
    await bench.post(chat, ask(), { "x-pennyworth-tags": "case=differs", ...tokens(10, 10), "x-sandbox-served-model": "gpt-4o-mini" })
  ).json();
  await bench.calls("case=differs");
  const { rows } = await bench.control("/report?by=differs,modelAsked,model&filter=tag.case%3Ddiffers");
  expect(rows.map((row) => Object.values(row.group))).toEqual([["yes", "gpt-4.1-nano", "gpt-4o-mini"]]);
});

test("a compressed answer is metered all the same", async () => {
  for (const stream of [false, true]) {
    const response = await bench.post(chat, ask({ stream }), {
      "x-pennyworth-tags": "case=gzip",
      ...tokens(10, 20),
      "x-sandbox-compress": "gzip",
    });
    expect((await response.text()).length).toBeGreaterThan(100);
  }
  expect((await bench.calls("case=gzip", 2)).map((call) => pico(call.cost))).toEqual([nano(10, 20), nano(10, 20)]);
});
