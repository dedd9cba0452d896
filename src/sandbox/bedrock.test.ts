// The sandbox as Amazon Bedrock over real HTTP: frames read by another's decoder, counts by Converse's identity, signatures by AWS's example.
// Expected numbers are written by hand; every answer's numbers are held against the witness's row.

import { createHash, createHmac } from "node:crypto";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, number } from "./client.fixture.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import { type Signed, toCredential } from "./signature.ts";
import type { WitnessedCall } from "./witness.ts";

const model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const said = [{ role: "user", content: [{ text: "hello there" }] }];
const parts = {
  "x-sandbox-input-tokens": "10923",
  "x-sandbox-cache-read-tokens": "10000",
  "x-sandbox-cache-write-5m-tokens": "500",
  "x-sandbox-cache-write-1h-tokens": "55",
  "x-sandbox-output-tokens": "40",
  "x-sandbox-reasoning-tokens": "10",
};
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

const path = (action: string, name = model): string => `/model/${encodeURIComponent(name)}/${action}`;
const latest = (): WitnessedCall => {
  const row = sandbox.witness.calls.at(-1);
  if (row === undefined) throw new Error("the witness has no calls");
  return row;
};

async function ask(action: string, body: object, headers: Record<string, string> = {}, name = model): Promise<Response> {
  return fetch(sandbox.url + path(action, name), { method: "POST", body: JSON.stringify(body), headers });
}

async function usageOf(kind: string): Promise<unknown> {
  return at(await (await ask("converse", { messages: said }, { "x-sandbox-usage": kind })).json(), "usage");
}

interface Frame {
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}

/** All frames of a body: lengths by hand, the rest by Amazon's own decoder, which checks both checksums. */
async function frames(response: Response): Promise<readonly Frame[]> {
  const codec = new EventStreamCodec(
    (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
    (text) => Buffer.from(text),
  );
  const bytes = Buffer.from(await response.arrayBuffer());
  const out: Frame[] = [];
  for (let from = 0; from < bytes.length; from += bytes.readUInt32BE(from)) {
    const message = codec.decode(bytes.subarray(from, from + bytes.readUInt32BE(from)));
    const headers = Object.fromEntries(Object.entries(message.headers).map(([name, header]) => [name, header.value]));
    out.push({ headers, body: JSON.parse(Buffer.from(message.body).toString()) as unknown });
  }
  return out;
}

const chunk = (frame: Frame): unknown => JSON.parse(Buffer.from(String(at(frame.body, "bytes")), "base64").toString());

describe("converse", () => {
  const usage = {
    inputTokens: 368,
    cacheReadInputTokens: 10_000,
    cacheWriteInputTokens: 555,
    cacheDetails: [
      { ttl: "1h", inputTokens: 55 },
      { ttl: "5m", inputTokens: 500 },
    ],
    outputTokens: 40,
    // 368 + 10,000 + 555 + 40
    totalTokens: 10_963,
  };

  it("input leaves the cache out, the total has it in; the witness agrees", async () => {
    const response = await ask("converse", { messages: said, serviceTier: { type: "flex" } }, parts);
    const json = await response.json();
    expect(at(json, "usage")).toMatchObject(usage);
    expect(at(json, "serviceTier", "type")).toBe("flex");
    expect(at(json, "output", "message", "content", 1, "text")).toContain("sandbox");
    expect(latest()).toMatchObject({ model, streamed: false, responseId: response.headers.get("x-amzn-requestid") });
    expect(latest().usage).toMatchObject({
      input: 368,
      cache_read: 10_000,
      cache_write_5m: 500,
      cache_write_1h: 55,
      output: 30,
      reasoning: 10,
    });
  });

  it("streams the same in sound frames, metadata last", async () => {
    const response = await ask("converse-stream", { messages: said }, parts);
    expect(response.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
    const bytes = Number((await response.clone().arrayBuffer()).byteLength);
    const all = await frames(response);
    const types = all.map((frame) => frame.headers[":event-type"]);
    expect([types[0], types.at(-2), types.at(-1)]).toEqual(["messageStart", "messageStop", "metadata"]);
    expect(all.every((frame) => frame.headers[":message-type"] === "event")).toBe(true);
    expect(at(all.at(-1)?.body, "usage")).toMatchObject(usage);
    const whole = await (await ask("converse", { messages: said }, parts)).json();
    const text = all.map((frame) => at(frame.body, "delta", "text") ?? "").join("");
    expect(text).toBe(at(whole, "output", "message", "content", 1, "text"));
    const row = sandbox.witness.calls.at(-2);
    expect(row).toMatchObject({ bytes, eventsSent: all.length, tokensSent: 40, usageSent: true, status: "answered" });
  });

  it("says nothing, zeros or a wrong total when asked to", async () => {
    expect(await usageOf("missing")).toBeUndefined();
    expect(await usageOf("zero")).toMatchObject({ inputTokens: 0, outputTokens: 0, totalTokens: 0 });
    const wrong = await usageOf("wrong");
    expect(number(wrong, "totalTokens")).not.toBe(number(wrong, "inputTokens") + number(wrong, "outputTokens"));
  });

  it("calls a tool, in pieces where it streams", async () => {
    const toolSpec = {
      name: "weather",
      inputSchema: { json: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
    };
    const body = { messages: said, toolConfig: { tools: [{ toolSpec }], toolChoice: { any: {} } } };
    const json = await (await ask("converse", body)).json();
    expect(at(json, "stopReason")).toBe("tool_use");
    expect(at(json, "output", "message", "content", 0, "toolUse")).toMatchObject({ name: "weather", input: { city: "sandbox" } });
    const all = await frames(await ask("converse-stream", body));
    expect(JSON.parse(all.map((frame) => at(frame.body, "delta", "toolUse", "input") ?? "").join(""))).toEqual({ city: "sandbox" });
  });

  it("fails in AWS's words, whole or in the middle of a stream", async () => {
    const refused = await ask("converse", { messages: said }, { "x-sandbox-fail": "429", "x-sandbox-retry-after": "3" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
    expect(refused.headers.get("x-amzn-errortype")).toMatch(/^ThrottlingException:/);
    expect(refused.headers.get("x-amzn-requestid")).not.toBeNull();
    expect(at(await refused.json(), "message")).toContain("429");
    const last = async (headers: Record<string, string>) =>
      (await frames(await ask("converse-stream", { messages: said }, headers))).at(-1);
    expect((await last({ "x-sandbox-finish": "failed" }))?.headers).toMatchObject({
      ":message-type": "exception",
      ":exception-type": "modelStreamErrorException",
    });
    expect((await last({ "x-sandbox-finish": "failed", "x-sandbox-fail": "429" }))?.headers[":exception-type"]).toBe("throttlingException");
    const bad = await ask("converse", { messages: "hello" });
    expect([bad.status, bad.headers.get("x-amzn-errortype")?.split(":")[0]]).toEqual([400, "ValidationException"]);
  });

  it("counts tokens as the call will", async () => {
    const body = { messages: said, system: [{ text: "You are brief." }] };
    const counted = await (await ask("count-tokens", { input: { converse: body } })).json();
    expect(number(counted, "inputTokens")).toBe(number(await (await ask("converse", body)).json(), "usage", "inputTokens"));
    const invoked = Buffer.from(JSON.stringify({ anthropic_version: "x", max_tokens: 1, messages: [{ role: "user", content: "12345" }] }));
    expect(await (await ask("count-tokens", { input: { invokeModel: { body: invoked.toString("base64") } } })).json()).toEqual({
      inputTokens: 2,
    });
  });
});

describe("invoke", () => {
  const bodies = [
    ["anthropic.claude-3", { anthropic_version: "bedrock-2023-05-31", max_tokens: 99, messages: [{ role: "user", content: "hi" }] }],
    ["amazon.nova-lite-v1:0", { messages: said }],
    ["meta.llama3-8b", { prompt: "hi" }],
  ] as const;
  const headers = { "x-sandbox-input-tokens": "70", "x-sandbox-output-tokens": "31" };

  it.each(bodies)("%s: body, headers and metrics say the same", async (name, body) => {
    const response = await ask("invoke", body, headers, name);
    const counts = ["input", "output"].map((side) => response.headers.get(`x-amzn-bedrock-${side}-token-count`));
    expect(counts).toEqual(["70", "31"]);
    const flat = JSON.stringify(await response.json());
    expect(flat).toMatch(/"(input_tokens|inputTokens|prompt_token_count)":70\b/);
    expect(flat).toMatch(/"(output_tokens|outputTokens|generation_token_count)":31\b/);
    expect(latest().usage).toMatchObject({ input: 70, output: 31 });
    const all = await frames(await ask("invoke-with-response-stream", body, headers, name));
    expect(all.every((frame) => frame.headers[":event-type"] === "chunk")).toBe(true);
    const metrics = all.map((frame) => at(chunk(frame), "amazon-bedrock-invocationMetrics"));
    expect(metrics.slice(0, -1).every((one) => one === undefined)).toBe(true);
    expect(metrics.at(-1)).toMatchObject({ inputTokenCount: 70, outputTokenCount: 31 });
    expect(latest()).toMatchObject({ streamed: true, tokensSent: 31, usage: { input: 70, output: 31 } });
    const broken = await frames(await ask("invoke-with-response-stream", body, { "x-sandbox-finish": "failed" }, name));
    expect(broken.at(-1)?.headers[":exception-type"]).toBe("modelStreamErrorException");
  });

  it("embeddings count in the body and in a header; unknown bodies are refused", async () => {
    const titan = await ask("invoke", { inputText: "12345678", dimensions: 8 }, {}, "amazon.titan-embed-text-v2:0");
    expect(titan.headers.get("x-amzn-bedrock-input-token-count")).toBe("2");
    const json = await titan.json();
    expect([number(json, "inputTextTokenCount"), (at(json, "embedding") as readonly number[]).length]).toEqual([2, 8]);
    const cohere = await ask("invoke", { texts: ["one", "two!"], input_type: "search_query" }, {}, "cohere.embed-english-v3");
    expect((at(await cohere.json(), "embeddings") as readonly unknown[]).length).toBe(2);
    expect((await ask("invoke", { whatever: 1 })).status).toBe(400);
  });
});

// "get-vanilla-query-order-key-case" of AWS's Signature Version 4 test suite: its keys, its date, its signature.
function example(signature: string): Signed {
  return {
    method: "GET",
    url: "/?Param2=value2&Param1=value1",
    headers: {
      host: "example.amazonaws.com",
      "x-amz-date": "20150830T123600Z",
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    },
    body: Buffer.alloc(0),
  };
}

describe("signatures", () => {
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

  it("agrees with the example that AWS publishes", () => {
    const right = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    expect(toCredential(example(right), keys)).toMatchObject({
      accessKeyId: "AKIDEXAMPLE",
      region: "us-east-1",
      service: "service",
      verified: true,
    });
    expect(toCredential(example(right.replace("b9", "b8")), keys)).toMatchObject({ verified: false });
    expect(toCredential(example(right), null)).toMatchObject({ verified: null });
  });

  /** Signs as the algorithm is published, for the one path and body used here. */
  function signed(host: string, body: string, secret: string): Record<string, string> {
    const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
    const digest = createHash("sha256").update(body).digest("hex");
    // On the wire the colon is %3A; signed, its percent sign is encoded again.
    const canonical = `POST\n/model/m%253A0/converse\n\nhost:${host}\nx-amz-content-sha256:${digest}\nx-amz-date:${date}\n\nhost;x-amz-content-sha256;x-amz-date\n${digest}`;
    const scope = `${date.slice(0, 8)}/eu-west-1/bedrock/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
    const key = ["eu-west-1", "bedrock", "aws4_request"].reduce<Buffer>(
      (from, part) => createHmac("sha256", from).update(part).digest(),
      createHmac("sha256", `AWS4${secret}`).update(date.slice(0, 8)).digest(),
    );
    const signature = createHmac("sha256", key).update(text).digest("hex");
    const names = "host;x-amz-content-sha256;x-amz-date";
    return {
      "x-amz-date": date,
      "x-amz-content-sha256": digest,
      authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
  }

  it("lets a right signature and a bearer in, and nothing else; no secret is in the witness", async () => {
    const strict = await startSandbox({ aws: keys });
    const body = JSON.stringify({ messages: said });
    const { host } = new URL(strict.url);
    const send = async (headers: Record<string, string>, text = body) => {
      const response = await fetch(`${strict.url}/model/m%3A0/converse`, { method: "POST", body: text, headers });
      return [response.status, response.headers.get("x-amzn-errortype")?.split(":")[0]];
    };
    const good = signed(host, body, keys.secretAccessKey);
    expect(await send(good)).toEqual([200, undefined]);
    expect(strict.witness.calls.at(-1)?.credential).toEqual({
      accessKeyId: keys.accessKeyId,
      region: "eu-west-1",
      service: "bedrock",
      signedHeaders: ["host", "x-amz-content-sha256", "x-amz-date"],
      verified: true,
    });
    expect(await send({ authorization: "Bearer abc" })).toEqual([200, undefined]);
    expect(strict.witness.calls.at(-1)?.credential).toBe("bearer");
    expect(await send(signed(host, body, "another secret"))).toEqual([403, "InvalidSignatureException"]);
    expect(await send(good, JSON.stringify({ messages: said, system: [] }))).toEqual([403, "InvalidSignatureException"]);
    expect(await send({ ...good, "x-amz-date": "20200101T000000Z" })).toEqual([403, "InvalidSignatureException"]);
    expect(await send({ ...good, "x-amz-extra": "not signed" })).toEqual([403, "InvalidSignatureException"]);
    expect(await send({ ...good, authorization: (good["authorization"] ?? "").replace("AKIDEXAMPLE", "AKIDOTHER") })).toEqual([
      403,
      "UnrecognizedClientException",
    ]);
    expect(await send({})).toEqual([403, "MissingAuthenticationTokenException"]);
    expect(JSON.stringify(strict.witness.calls)).not.toMatch(/EXAMPLEKEY|abc|another secret/);
    await strict.close();
  });
});
