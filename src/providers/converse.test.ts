// Converse: recordings of real answers against sums done here, streams put into messages by hand, and known failures of other tools.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { bedrockConverse } from "./converse.ts";
import { event, exception } from "./eventstream.fixture.ts";
import { head, line } from "./format.fixture.ts";
import type { AnswerFacts, AnswerHead, RequestFacts } from "./format.ts";

const folder = "../shared/data/recordings/amazon-bedrock";
const here = existsSync(folder);
const files = (ending: string): string[] => (here ? readdirSync(folder).filter((name) => name.endsWith(ending)) : []);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const id = "c9f3ace4-dd5d-49e5-9807-39aedfa47c8e";
const streaming = head("application/vnd.amazon.eventstream", { "x-amzn-requestid": id });

interface Loose {
  readonly [key: string]: Loose;
}

function feed(chunks: readonly Buffer[], answer: AnswerHead = streaming): { out: Buffer; held: Buffer; facts: AnswerFacts } {
  const stream = bedrockConverse.stream({ hideUsage: true, head: answer });
  const out: Buffer[] = [];
  for (const chunk of chunks) out.push(...stream.push(chunk));
  const rest = stream.end();
  return { out: Buffer.concat(out), held: Buffer.concat([...stream.held, ...rest]), facts: stream.facts() };
}

/** Comparing long Buffers takes long. */
const plain = ({ out, held, facts }: ReturnType<typeof feed>): object => ({
  out: out.toString("latin1"),
  held: held.toString("latin1"),
  facts,
});
const counted = ({ usage }: AnswerFacts): Quantities | null => (usage === null ? null : totalQuantities(usage));
const answer = (value: unknown, headers: Record<string, string> = {}, status = 200): AnswerFacts =>
  bedrockConverse.answer(JSON.stringify(value), head("application/json", headers, status));
const withUsage = (usage: unknown, more: object = {}): AnswerFacts =>
  answer({ output: { message: { role: "assistant", content: [{ text: "hello" }] } }, stopReason: "end_turn", usage, ...more });

const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const image = (data: string): object => ({ image: { format: "png", source: { bytes: data } } });
const content = (part: object): object => ({ messages: [{ role: "user", content: [part] }] });

const ran = (name: string): AnswerFacts =>
  answer({ output: { message: { content: [{ toolUse: { name, type: "server_tool_use", input: {} } }] } } });

function usageSum(usage: unknown): Quantities {
  const u = usage as Record<string, number>;
  const sums = {
    input: u["inputTokens"],
    output: u["outputTokens"],
    cache_read: u["cacheReadInputTokens"],
    cache_write: u["cacheWriteInputTokens"],
  };
  return Object.fromEntries(Object.entries(sums).filter(([, count]) => count !== undefined));
}

/** All text below the keys that the model writes, by a walk of its own. */
function textBytes(value: unknown, key = ""): number {
  if (typeof value === "string") return ["text", "input"].includes(key) ? Buffer.byteLength(value) : 0;
  if (key === "input") return JSON.stringify(value) === "{}" ? 0 : Buffer.byteLength(JSON.stringify(value));
  if (value === null || typeof value !== "object") return 0;
  return Object.entries(value).reduce((sum, [name, inner]) => sum + textBytes(inner, Array.isArray(value) ? key : name), 0);
}

if (!here) it.skip("skipped: ../shared/data is not here", () => {});

describe.each(files(".json"))("the recording %s", (name) => {
  const loose = JSON.parse(read(name)) as Loose;

  it("comes to its own usage", () => {
    const facts = bedrockConverse.answer(read(name), head("application/json", { "x-amzn-requestid": id }));
    expect(counted(facts)).toEqual(usageSum(loose["usage"]));
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(loose["usage"]);
    expect(facts).toMatchObject({
      responseId: id,
      model: null,
      finish: loose["stopReason"],
      complete: true,
      error: null,
      doubts: [],
      outputBytes: textBytes(loose["output"]),
      usage: { source: "reported", doubts: [] },
    });
  });
});

describe.each(files(".chunks.txt"))("the recorded stream %s", (name) => {
  const all = read(name)
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => Object.entries(JSON.parse(text) as Loose)[0] as [string, Loose]);
  const messages = all.map(([type, payload]) => event(type, { ...payload, p: "abcdef" }));
  const body = Buffer.concat(messages);
  const usage = all.find(([type]) => type === "metadata")?.[1]["usage"];
  const stop = all.find(([type]) => type === "messageStop")?.[1]["stopReason"];

  it("comes to its own usage, and its last event is held", () => {
    const { facts, out, held } = feed([body]);
    expect(Buffer.concat([out, held]).equals(body)).toBe(true);
    expect(facts).toMatchObject({ responseId: id, error: null, complete: stop !== undefined || usage !== undefined, doubts: [] });
    if (stop !== undefined) expect(facts.finish).toBe(stop);
    expect(facts.outputBytes).toBe(
      all.reduce((sum, [type, value]) => sum + (type === "contentBlockDelta" ? textBytes(value["delta"]) : 0), 0),
    );
    if (usage === undefined) return;
    expect(counted(facts)).toEqual(usageSum(usage));
    expect(facts.usage).toMatchObject({ source: "reported", doubts: [] });
    // Some were recorded with the metadata before the reason to stop.
    const last = messages.slice(all.findIndex(([type]) => type === "messageStop" || type === "metadata"));
    expect(held.equals(Buffer.concat(all.at(-1)?.[0] === "metadata" ? last.slice(-1) : last))).toBe(true);
  });

  it("comes out the same at every split and byte by byte", () => {
    const whole = plain(feed([body]));
    const step = Math.ceil(body.length / 200);
    for (let at = 1; at < body.length; at += step) expect(plain(feed([body.subarray(0, at), body.subarray(at)]))).toEqual(whole);
    expect(plain(feed(Array.from(body, (_, at) => body.subarray(at, at + 1))))).toEqual(whole);
  });

  it("is never complete before its end", () => {
    const last = messages.at(-1) as Buffer;
    const { facts } = feed([body.subarray(0, body.length - last.length - 1)]);
    expect(facts.complete && facts.finish === null).toBe(false);
    if (all.at(-1)?.[0] === "metadata") expect(facts.usage).toBe(null);
  });
});

describe("a stream of Converse", () => {
  const start = event("messageStart", { role: "assistant" });
  const text = event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Grüße" } });
  const stop = event("messageStop", { stopReason: "end_turn" });
  const metadata = event("metadata", {
    usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
    metrics: { latencyMs: 1 },
    serviceTier: { type: "flex" },
  });

  it("counts text, reasoning and the input of tools, and nothing else", () => {
    const deltas = [
      { text: "Grüße" },
      { reasoningContent: { text: "hm" } },
      { reasoningContent: { signature: "A".repeat(500) } },
      { toolUse: { input: '{"a":1}' } },
      { citation: { title: "t", sourceContent: [{ text: "cited" }] } },
      { toolResult: [{ text: "result" }] },
      { image: { source: { bytes: "AAAA" } } },
    ];
    const { facts } = feed(deltas.map((delta, index) => event("contentBlockDelta", { contentBlockIndex: index, delta })));
    expect(facts.outputBytes).toBe(Buffer.byteLength('Grüßehm{"a":1}'));
  });

  it("starts with the first thing generated", () => {
    const stream = bedrockConverse.stream({ hideUsage: false, head: streaming });
    stream.push(start);
    expect(stream.started).toBe(false);
    stream.push(text);
    expect(stream.started).toBe(true);
  });

  it("says the tier that served it, and holds all that comes after the metadata", () => {
    const { facts, out, held } = feed([Buffer.concat([start, text, stop, metadata, start])]);
    expect(facts).toMatchObject({ tier: "flex", pool: "shared", complete: true });
    expect(out.equals(Buffer.concat([start, text, stop]))).toBe(true);
    expect(held.equals(Buffer.concat([metadata, start]))).toBe(true);
  });

  it.each([
    "internalServerException",
    "modelStreamErrorException",
    "throttlingException",
    "validationException",
    "serviceUnavailableException",
  ])("that ends in %s is an error, complete, and without usage", (name) => {
    const { facts, out, held } = feed([start, text, exception(name)]);
    expect(facts).toMatchObject({ error: name, complete: true, usage: null, finish: null });
    expect(out.equals(Buffer.concat([start, text]))).toBe(true);
    expect(held.equals(exception(name))).toBe(true);
  });

  it("whose metadata comes before the reason to stop holds both, and needs none to be whole", () => {
    const { facts, out, held } = feed([start, text, metadata, stop]);
    expect(facts).toMatchObject({ complete: true, finish: "end_turn", usage: { source: "reported" } });
    expect([out.equals(Buffer.concat([start, text])), held.equals(Buffer.concat([metadata, stop]))]).toEqual([true, true]);
    expect(feed([start, text, metadata])).toMatchObject({ facts: { complete: true, finish: null }, held: metadata });
  });

  it("that breaks off is not complete", () => {
    expect(feed([start, text]).facts).toMatchObject({ complete: false, usage: null, outputBytes: 7 });
  });

  it("whose metadata is damaged was whole, with a doubt and no usage", () => {
    const bad = Buffer.from(metadata);
    bad.writeUInt8(bad.readUInt8(bad.length - 9) ^ 1, bad.length - 9);
    const { facts, out, held } = feed([start, text, stop, bad]);
    expect(facts).toMatchObject({ complete: true, usage: null, finish: "end_turn", doubts: ["a part of the stream could not be read"] });
    expect(Buffer.concat([out, held]).equals(Buffer.concat([start, text, stop, bad]))).toBe(true);
  });

  it("survives events of any shape, split anywhere", () => {
    const names = ["messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata", "other"];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.jsonValue()), { maxLength: 6 }), fc.nat(), (all, cut) => {
        const body = Buffer.concat(all.map(([name, value]) => event(name, value)));
        const at = cut % (body.length + 1);
        const got = feed([body.subarray(0, at), body.subarray(at)]);
        expect(Buffer.concat([got.out, got.held]).equals(body)).toBe(true);
        expect(got.facts).toEqual(feed([body]).facts);
      }),
      { numRuns: 300 },
    );
  });
});

describe("usage of Converse", () => {
  it("leaves the cache out of the input (Portkey #1211: 368 + 19 + 10536 = 10923)", () => {
    const facts = withUsage({
      inputTokens: 368,
      outputTokens: 19,
      totalTokens: 10_923,
      cacheReadInputTokens: 0,
      cacheWriteInputTokens: 10_536,
    });
    expect(counted(facts)).toEqual({ input: 368, output: 19, cache_read: 0, cache_write: 10_536 });
    expect(facts.usage?.doubts).toEqual([]);
  });

  it("does not take the output for what the total leaves of the input (phoenix #10783: 442, not 8709)", () => {
    const facts = withUsage({ inputTokens: 100, outputTokens: 442, totalTokens: 8_809, cacheReadInputTokens: 8_267 });
    expect(counted(facts)).toEqual({ input: 100, output: 442, cache_read: 8_267 });
    expect(facts.usage?.doubts).toEqual([]);
  });

  it("tells writes by their lifetime (tensorzero #5688, and one of each)", () => {
    const one = withUsage({
      cacheDetails: [{ inputTokens: 7_502, ttl: "5m" }],
      cacheReadInputTokenCount: 0,
      cacheReadInputTokens: 0,
      cacheWriteInputTokenCount: 7_502,
      cacheWriteInputTokens: 7_502,
      inputTokens: 18,
      outputTokens: 386,
      serverToolUsage: {},
      totalTokens: 7_906,
    });
    expect(counted(one)).toEqual({ input: 18, output: 386, cache_read: 0, cache_write_5m: 7_502 });
    expect(one.usage?.doubts).toEqual([]);
    const details = [
      { inputTokens: 200, ttl: "1h" },
      { inputTokens: 100, ttl: "5m" },
      { inputTokens: 7, ttl: "1d" },
    ];
    const three = withUsage({ inputTokens: 1, outputTokens: 1, totalTokens: 309, cacheWriteInputTokens: 307, cacheDetails: details });
    expect(counted(three)).toEqual({ input: 1, output: 1, cache_write_1h: 200, cache_write_5m: 100, cache_write: 7 });
    expect(three.usage?.doubts).toEqual([]);
  });

  it("counts writes without their split where that does not add up", () => {
    const facts = withUsage({ inputTokens: 1, outputTokens: 1, cacheWriteInputTokens: 10, cacheDetails: [{ inputTokens: 20, ttl: "1h" }] });
    expect(counted(facts)).toEqual({ input: 1, output: 1, cache_write: 10 });
    expect(facts.usage?.doubts).toEqual(["cacheDetails add up to 20, but the cache writes are 10"]);
  });

  it.each([
    [{ inputTokens: 1, outputTokens: 2, totalTokens: 4 }, "totalTokens is 4, but input, cache and output add up to 3"],
    [{ inputTokens: 1, outputTokens: -2 }, "outputTokens is not a count: -2"],
    [{ outputTokens: 2 }, "inputTokens is missing"],
    [{ inputTokens: 1, outputTokens: 0 }, "outputTokens is 0, but 5 bytes were generated"],
    [{}, "the usage object holds no counts"],
    [
      { inputTokens: 1, outputTokens: 1, cacheReadInputTokens: 2, cacheReadInputTokenCount: 3 },
      "cacheReadInputTokenCount is 3, but the same count is 2 by another name",
    ],
    [
      { inputTokens: 1, outputTokens: 1, serverToolUsage: { webSearchRequests: 2 } },
      "uses of the provider's tools are not counted here: webSearchRequests",
    ],
  ])("%j is doubted", (usage, doubt) => expect(withUsage(usage).doubts).toContain(doubt));

  it("doubts a tool that the provider ran, and puts no words on record", () => {
    expect(ran("nova_grounding").doubts).toEqual(["a tool was run by the provider (nova_grounding): its own fee is not counted here"]);
    expect(ran("words in a row").doubts).toEqual(["a tool was run by the provider (unnamed): its own fee is not counted here"]);
  });

  it("keeps what was not reported absent", () => {
    expect(counted(withUsage({ inputTokens: 1, outputTokens: 1, cacheReadInputTokens: null }))).toEqual({ input: 1, output: 1 });
    expect(withUsage(undefined).usage).toBe(null);
  });

  it("believes zeros where a guardrail answered, and says that its fee is not in", () => {
    const facts = withUsage({ inputTokens: 0, outputTokens: 0, totalTokens: 0 }, { stopReason: "guardrail_intervened" });
    expect(facts).toMatchObject({ finish: "guardrail_intervened", doubts: ["a guardrail was applied: its own fee is not counted here"] });
  });

  it("says which model a router chose, and which tier served", () => {
    const routed = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0";
    const usage = { inputTokens: 1, outputTokens: 1 };
    expect(withUsage(usage, { trace: { promptRouter: { invokedModelId: routed } } })).toMatchObject({ model: routed, tier: null });
    expect(withUsage(usage, { performanceConfig: { latency: "optimized" } }).tier).toBe("latency-optimized");
    expect(withUsage(usage, { performanceConfig: { latency: "standard" }, serviceTier: { type: "default" } }).tier).toBe("default");
    expect(withUsage(usage, { serviceTier: { type: "reserved" } })).toMatchObject({ tier: "reserved", pool: "provisioned" });
    expect(withUsage(usage)).not.toHaveProperty("pool");
  });

  it.each([
    [429, { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" }, { message: "slow" }, "ThrottlingException"],
    [400, {}, { __type: "com.amazon.coral.validate#ValidationException", message: "no" }, "ValidationException"],
    [500, {}, { message: "somebody's words" }, "error"],
  ])("an answer with status %i is an error", (status, headers, body, error) => {
    expect(answer(body, headers as Record<string, string>, status)).toMatchObject({ error, usage: null, complete: true });
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void answer(value)));
    expect(bedrockConverse.answer("<html>", head())).toMatchObject({ complete: false, doubts: ["the answer is not a JSON object"] });
  });
});

describe("a request of Converse", () => {
  const model = "us.anthropic.claude-sonnet-4-20250514-v1:0";
  const request = (value: unknown, path = "converse", name = model): RequestFacts =>
    bedrockConverse.request(Buffer.from(JSON.stringify(value)), line(`/model/x/${path}`, name));

  const body = {
    system: [{ text: "be brief" }, { cachePoint: { type: "default", ttl: "1h" } }],
    messages: [
      { role: "user", content: [{ text: "first" }] },
      { role: "assistant", content: [{ toolUse: { toolUseId: "1", name: "look_up", input: {} } }] },
      { role: "user", content: [{ toolResult: { toolUseId: "1", content: [{ text: "42" }] } }, { cachePoint: { type: "default" } }] },
      { role: "user", content: [{ text: "last" }] },
    ],
    toolConfig: { tools: [{ toolSpec: { name: "look_up", inputSchema: { json: {} } } }, { cachePoint: { type: "default" } }] },
    inferenceConfig: { maxTokens: 2_000 },
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1_024 } },
    requestMetadata: { task: "t", n: 4 },
    serviceTier: { type: "priority" },
  };

  it("says what it asks for", () => {
    expect(request(body)).toMatchObject({
      model,
      modelSpan: null,
      streamed: false,
      tier: "priority",
      cap: 2_000,
      choices: 1,
      effort: "budget:1024",
      unbounded: null,
      toolNames: ["look_up"],
      hints: { metadata: { task: "t" } },
      splices: [],
      edits: [],
    });
    expect(request(body, "converse-stream").streamed).toBe(true);
  });

  it("tells the prompt's bytes by part, and its blocks in cache order", () => {
    const bytes = Buffer.from(JSON.stringify(body));
    const facts = request(body);
    const [first, call, result, last] = body.messages;
    expect(facts.promptBytes).toEqual({
      system: size(body.system),
      tools: size(body.toolConfig.tools),
      user: size(last),
      earlier: size(first) + size(call),
      toolResults: size(result),
    });
    expect(facts.blocks.map(([start, end]) => JSON.parse(bytes.toString("utf8", start, end)) as unknown)).toEqual([
      body.toolConfig.tools,
      body.system,
      ...body.messages,
    ]);
  });

  it("does not count media, in a turn and in a tool's result", () => {
    const turn = (data: string): object => ({
      role: "user",
      content: [{ toolResult: { toolUseId: "1", content: [{ text: "42" }, image(data)] } }, image(data), { text: "and this?" }],
    });
    const { promptBytes, unbounded } = request({ messages: [turn("A".repeat(9_000))] });
    const bare = size(turn("")) - 2 * 2;
    expect(promptBytes.user + promptBytes.toolResults).toBe(bare);
    expect(promptBytes.toolResults).toBe(size({ toolResult: { toolUseId: "1", content: [{ text: "42" }, image("")] } }) - 2);
    expect(unbounded).toBe("media of unknown tokens: image");
  });

  const source = { s3Location: { uri: "s3://bucket/key" } };
  it.each([
    [content({ video: { format: "mp4", source } }), "media by URL: video"],
    [content({ document: { name: "d", format: "pdf", source: { bytes: "AAAA" } } }), "media of unknown tokens: document"],
    [content({ document: { name: "d", format: "txt", source: { text: "plain" } } }), null],
    [content({ audio: { format: "mp3", source: { bytes: "AAAA" } } }), "media of unknown tokens: audio"],
    [content({ guardContent: { image: { format: "png", source: { bytes: "AAAA" } } } }), "media of unknown tokens: image"],
    [{ toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] } }, "server tools without a cap: nova_grounding"],
    [{ guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" } }, "billed apart: guardrail"],
    [{ promptVariables: { name: { text: "x" } } }, "context held by the provider: prompt"],
    [content({ text: "image source bytes s3Location" }), null],
  ])("%j is unbounded: %s", (value, reason) => expect(request(value).unbounded).toBe(reason));

  it("is unbounded where the prompt is kept by the provider", () => {
    const prompt = "arn:aws:bedrock:us-east-1:111122223333:prompt/ABCDEFGHIJ:1";
    expect(request({}, "converse", prompt).unbounded).toBe("context held by the provider: prompt");
  });

  it.each([
    [{ additionalModelRequestFields: { output_config: { effort: "high" } } }, "high"],
    [{ additionalModelRequestFields: { reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } } }, "low"],
    [{ additionalModelRequestFields: { reasoning_config: { type: "enabled", budget_tokens: 2_048 } } }, "budget:2048"],
    [{ additionalModelRequestFields: { reasoning_effort: "medium" } }, "medium"],
    [{}, null],
  ])("%j has the effort %s", (value, effort) => expect(request(value).effort).toBe(effort));

  it("takes latency for a tier, and the larger of two caps", () => {
    expect(request({ performanceConfig: { latency: "optimized" } }).tier).toBe("latency-optimized");
    expect(request({ inferenceConfig: { maxTokens: 5 }, additionalModelRequestFields: { max_tokens: 9 } }).cap).toBe(9);
    expect(request({ inferenceConfig: {} }).cap).toBe(null);
  });

  it("takes wrong types for what they are: not said", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(body), "guardrailConfig"), fc.jsonValue()), (value) => {
        const { promptBytes } = request(value);
        expect(Object.values(promptBytes).every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
      }),
    );
    expect(() => bedrockConverse.request(Buffer.from("[]"), line())).toThrow(/at byte 0/);
  });
});

describe("a refusal of Bedrock", () => {
  it.each([
    [401, "AccessDeniedException"],
    [403, "AccessDeniedException"],
    [404, "ResourceNotFoundException"],
    [400, "ValidationException"],
    [413, "ValidationException"],
    [429, "ThrottlingException"],
    [500, "InternalServerException"],
    [503, "ServiceUnavailableException"],
    [504, "ModelTimeoutException"],
  ])("of %i is a %s", (status, type) => {
    const { text, headers } = bedrockConverse.refusal({ status, code: "budget_exceeded", message: "no" });
    expect(JSON.parse(text)).toEqual({ message: "no", code: "budget_exceeded" });
    expect(headers).toEqual(["x-amzn-errortype", type]);
  });
});
