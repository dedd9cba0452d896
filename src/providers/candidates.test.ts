// Recorded answers of Gemini against sums done here by plain arithmetic, streamed as events and as an array, split anywhere; then what goes
// wrong elsewhere, each case named after its report.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { head } from "./format.fixture.ts";
import type { AnswerFacts } from "./format.ts";
import { geminiGenerate } from "./gemini.ts";

const folder = "../shared/data/recordings/google";
const here = existsSync(folder);
const files = (ending: string): string[] =>
  here ? readdirSync(folder).filter((name) => name.startsWith("google-") && name.endsWith(ending) && !name.includes("429")) : [];
const read = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");

interface Chunk {
  readonly candidates?: { content?: { parts?: Record<string, never>[] }; finishReason?: string }[];
  readonly usageMetadata?: Record<string, number> & { trafficType?: string };
  readonly modelVersion: string;
  readonly responseId: string;
}

const sse = head("text/event-stream");
const json = head("application/json; charset=utf-8");
const events = (chunks: readonly unknown[]): string => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
const list = (chunks: readonly unknown[]): string => `[${chunks.map((chunk) => JSON.stringify(chunk, null, 2)).join("\n,\r\n")}\n]\n`;
const quantities = ({ usage }: AnswerFacts): Quantities => (usage === null ? {} : totalQuantities(usage));

interface Fed {
  readonly out: string;
  readonly held: string;
  readonly facts: AnswerFacts;
}

function feed(answerHead: typeof sse, chunks: Iterable<Buffer>): Fed {
  const stream = geminiGenerate.stream({ hideUsage: false, head: answerHead });
  const out: Buffer[] = [];
  for (const chunk of chunks) out.push(...stream.push(chunk));
  const rest = stream.end();
  const held = Buffer.concat([...stream.held, ...rest]);
  return { out: Buffer.concat(out).toString("latin1"), held: held.toString("latin1"), facts: stream.facts() };
}

/** Fed whole, in two pieces at every byte, byte by byte: the same each time, and what passed and was held is what came. */
function follow(answerHead: typeof sse, text: string): Fed {
  const body = Buffer.from(text);
  const whole = feed(answerHead, [body]);
  expect(whole.out + whole.held).toBe(body.toString("latin1"));
  const step = Math.ceil(body.length / 400);
  for (let at = 1; at < body.length; at += step) {
    const halves = feed(answerHead, [body.subarray(0, at), body.subarray(at)]);
    if (halves.out + halves.held !== whole.out + whole.held) expect.fail(`bytes differ when split at ${at}`);
    expect(halves.facts).toEqual(whole.facts);
  }
  const crumbs = feed(
    answerHead,
    Array.from(body, (_, at) => body.subarray(at, at + 1)),
  );
  expect(crumbs).toEqual(whole);
  return whole;
}

/** Of all usage objects the last value of each count, in plain arithmetic. */
function sum(usages: readonly Record<string, unknown>[]): Quantities {
  const last = Object.assign({}, ...usages) as Record<string, number>;
  const cached = last["cachedContentTokenCount"];
  return JSON.parse(
    JSON.stringify({
      input: (last["promptTokenCount"] as number) + (last["toolUsePromptTokenCount"] ?? 0) - (cached ?? 0),
      cache_read: cached,
      output: last["candidatesTokenCount"],
      reasoning: last["thoughtsTokenCount"],
    }),
  ) as Quantities;
}

describe("recordings", () => {
  it("are here", ({ skip }) => {
    if (!here) skip("skipped: ../shared/data is not here");
    expect(files(".chunks.txt")).toHaveLength(4);
    expect(files(".json")).toHaveLength(2);
  });
});

describe.skipIf(!here)("recorded answers", () => {
  it.each(files(".json"))("%s", (name) => {
    const answer = JSON.parse(read(name)) as Chunk;
    const facts = geminiGenerate.answer(read(name), json);
    expect(quantities(facts)).toEqual(sum([answer.usageMetadata ?? {}]));
    expect(quantities(facts)).toMatchObject({ input: 29, output: 15 });
    expect(facts).toMatchObject({
      responseId: answer.responseId,
      model: "gemini-3-pro-preview",
      tier: null,
      finish: "STOP",
      error: null,
      complete: true,
      outputBytes: Buffer.byteLength('{"location":"San Francisco"}'),
      usage: { source: "reported", doubts: [] },
    });
    expect(read(name)).toContain(facts.usage?.raw);
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(answer.usageMetadata);
    expect(facts.pool).toBeUndefined();
  });

  it.each(files(".chunks.txt"))("%s", (name) => {
    const chunks = read(name)
      .split("\n")
      .filter((text) => text.trim() !== "")
      .map((text) => JSON.parse(text) as Chunk);
    const streamed = follow(sse, events(chunks));
    const listed = follow(json, list(chunks));
    expect(listed.facts).toEqual({ ...streamed.facts, usage: { ...streamed.facts.usage, raw: listed.facts.usage?.raw } });
    expect(JSON.parse(listed.facts.usage?.raw ?? "")).toEqual(JSON.parse(streamed.facts.usage?.raw ?? ""));
    expect(streamed.held).toBe("");
    expect(listed.held).toBe("\n]\n");
    expect(geminiGenerate.answer(list(chunks), json)).toEqual(listed.facts);

    const { facts } = streamed;
    expect(quantities(facts)).toEqual(sum(chunks.map((chunk) => chunk.usageMetadata ?? {})));
    const last = chunks.at(-1) as Chunk;
    expect(facts).toMatchObject({ responseId: last.responseId, model: last.modelVersion, finish: "STOP", error: null, complete: true });
    expect(facts.usage).toMatchObject({ source: "reported", doubts: [] });
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(last.usageMetadata);
    const traffic = last.usageMetadata?.trafficType;
    expect([facts.tier, facts.pool]).toEqual(
      traffic === undefined ? [null, undefined] : traffic === "ON_DEMAND" ? ["on_demand", "shared"] : ["provisioned", "provisioned"],
    );
    expect(facts.outputBytes).toBeGreaterThan(10);
  });

  it("arguments that come in pieces are counted as they come", () => {
    const chunks = read("google-stream-tool-call-arguments.chunks.txt")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Chunk);
    expect(feed(sse, [Buffer.from(events(chunks))]).facts.outputBytes).toBe("BostonSan Francisco".length);
    const stream = geminiGenerate.stream({ hideUsage: false, head: sse });
    stream.push(Buffer.from(events(chunks.slice(0, 1))));
    expect(stream.started).toBe(true);
    expect(stream.facts()).toMatchObject({ usage: null, tier: "on_demand", pool: "shared", responseId: "dqHOab6xGLzWodAPkPuViA4" });
  });

  it("an error is known by its status, whole, in an array, and never by its words", () => {
    const text = read("google-429-retry-info.json");
    for (const body of [text, `[${text}]`]) {
      const facts = geminiGenerate.answer(body, head("application/json", {}, 429));
      expect(facts).toMatchObject({ error: "RESOURCE_EXHAUSTED", usage: null, complete: true, doubts: [] });
      expect(JSON.stringify(facts)).not.toContain("quota");
    }
  });
});

const answerOf = (usageMetadata: object, more: object = {}, type = json): AnswerFacts =>
  geminiGenerate.answer(
    JSON.stringify({
      candidates: [{ content: { role: "model", parts: [{ text: "hello" }] }, finishReason: "STOP" }],
      modelVersion: "gemini-2.5-flash",
      usageMetadata,
      ...more,
    }),
    type,
  );

describe("what the answer says beside tokens", () => {
  it.each([
    [{ trafficType: "ON_DEMAND" }, {}, "on_demand", "shared"],
    [{ trafficType: "ON_DEMAND_PRIORITY" }, {}, "priority", "shared"],
    [{ trafficType: "ON_DEMAND_FLEX" }, {}, "flex", "shared"],
    [{ trafficType: "ON_DEMAND_OFFPEAK" }, {}, "offpeak", "shared"],
    [{ trafficType: "PROVISIONED_THROUGHPUT" }, {}, "provisioned", "provisioned"],
    [{ trafficType: "TRAFFIC_TYPE_UNSPECIFIED" }, {}, null, undefined],
    [{ serviceTier: "standard" }, { "x-gemini-service-tier": "priority" }, "standard", undefined],
    [{ trafficType: "ON_DEMAND", serviceTier: "flex" }, {}, "flex", "shared"],
    [{}, { "x-gemini-service-tier": "priority" }, "priority", undefined],
    [{ serviceTier: "unspecified" }, {}, null, undefined],
    [{}, {}, null, undefined],
  ])("tier and pool of %j and %j", (usage, headers, tier, pool) => {
    const facts = answerOf({ promptTokenCount: 1, ...usage }, {}, head("application/json", headers));
    expect([facts.tier, facts.pool]).toEqual([tier, pool]);
  });

  it("a prompt that was blocked has a reason, and its tokens", () => {
    const facts = geminiGenerate.answer(
      JSON.stringify({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 } }),
      json,
    );
    expect(facts).toMatchObject({ finish: "PROHIBITED_CONTENT", complete: true, error: null, usage: { source: "reported", doubts: [] } });
    expect(quantities(facts)).toEqual({ input: 9 });
  });

  it("thoughts alone are an answer without output", () => {
    const facts = answerOf(
      { promptTokenCount: 4, thoughtsTokenCount: 496, totalTokenCount: 500 },
      { candidates: [{ content: { parts: [{ text: "hm", thought: true }] }, finishReason: "MAX_TOKENS" }] },
    );
    expect(quantities(facts)).toEqual({ input: 4, reasoning: 496 });
    expect(facts.doubts).toEqual([]);
    expect(answerOf({ promptTokenCount: 4, totalTokenCount: 4 }).doubts).toEqual([
      "5 bytes were generated, but no tokens of output were counted",
    ]);
  });

  it.each(["", "<html>", "7", "[7]", '"x"'])("%j is no answer, and said to be none", (body) => {
    expect(geminiGenerate.answer(body, json)).toMatchObject({ complete: false, usage: null });
  });
});

const used = (model: string | null, groundingMetadata: object): Quantities =>
  quantities(
    geminiGenerate.answer(
      JSON.stringify({
        candidates: [{ content: { parts: [] }, finishReason: "STOP", groundingMetadata }],
        usageMetadata: { promptTokenCount: 1 },
        ...(model === null ? {} : { modelVersion: model }),
      }),
      json,
    ),
  );

const queries = { webSearchQueries: ["", "a", "b", "a", " "], groundingChunks: [{ web: { uri: "https://example.org" } }] };

const searched = (finishReason?: string): object => ({
  candidates: [{ content: { parts: [{ text: "x" }] }, finishReason, groundingMetadata: queries }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: "gemini-3-flash-preview",
});

describe("searches", () => {
  it("litellm #36397: from Gemini 3 on each different query is one, and empty ones are none", () => {
    for (const model of ["gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-4-carbon", "gemini-nano-banana-2.1"])
      expect(used(model, queries)).toEqual({ input: 1, web_search: 2 });
  });

  it("before Gemini 3 a grounded request is one, however many its queries", () => {
    for (const model of [null, "gemini-2.5-flash", "gemini-2.0-flash-001", "models/gemini-1.5-pro", "gemini-live-2.5-flash"])
      expect(used(model, queries)).toEqual({ input: 1, web_search: 1 });
  });

  it("no search is none, not zero; reading URLs costs tokens alone", () => {
    expect(used("gemini-3-flash-preview", {})).toEqual({ input: 1 });
    expect(used("gemini-3-flash-preview", { webSearchQueries: [""] })).toEqual({ input: 1 });
  });

  it("a stream that repeats its queries searched once for each", () => {
    const { facts } = follow(sse, events([searched(), searched(), searched("STOP")]));
    expect(quantities(facts)).toEqual({ input: 3, output: 2, web_search: 2 });
  });

  it("what is billed apart and cannot be counted is a doubt", () => {
    const facts = answerOf(
      { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
      { candidates: [{ groundingMetadata: { groundingChunks: [{ maps: {} }], retrievalQueries: ["q"] }, finishReason: "STOP" }] },
    );
    expect(facts.doubts).toEqual([
      "grounding with Google Maps is billed apart, and not counted here",
      "retrieval by Vertex AI Search is billed apart, and not counted here",
    ]);
  });
});

const part = (words: string, usageMetadata: object, finishReason?: string): object => ({
  candidates: [{ content: { parts: [{ text: words }] }, finishReason }],
  usageMetadata,
  modelVersion: "gemini-2.5-pro",
  responseId: "r1",
});

describe("streams", () => {
  const both = [
    ["events", sse, events],
    ["an array", json, list],
  ] as const;

  it.each(both)("witsy #391: usage that %s repeat is the last one, and not a sum", (_, answerHead, write) => {
    const { facts } = follow(
      answerHead,
      write([
        part("Grüße 😀", { promptTokenCount: 13_591, totalTokenCount: 13_663, thoughtsTokenCount: 72 }),
        part('{"usageMetadata":{"promptTokenCount":1}}', { promptTokenCount: 13_591, totalTokenCount: 13_861, thoughtsTokenCount: 270 }),
        part("end", { promptTokenCount: 13_591, candidatesTokenCount: 33, totalTokenCount: 13_894, thoughtsTokenCount: 270 }, "STOP"),
      ]),
    );
    expect(quantities(facts)).toEqual({ input: 13_591, output: 33, reasoning: 270 });
    expect(facts).toMatchObject({
      complete: true,
      outputBytes: Buffer.byteLength('Grüße 😀{"usageMetadata":{"promptTokenCount":1}}end'),
      usage: { source: "reported", doubts: [] },
    });
  });

  it("a count that the last event leaves out is that of an earlier one, while it adds up", () => {
    const kept = follow(
      sse,
      events([
        part("a", { promptTokenCount: 10, cachedContentTokenCount: 8, thoughtsTokenCount: 5, totalTokenCount: 15 }),
        part("b", { candidatesTokenCount: 3, totalTokenCount: 18 }, "STOP"),
      ]),
    ).facts;
    expect(quantities(kept)).toEqual({ input: 2, cache_read: 8, output: 3, reasoning: 5 });
    expect(kept.doubts).toEqual([]);
    expect(JSON.parse(kept.usage?.raw ?? "")).toHaveLength(2);
    const replaced = follow(
      sse,
      events([
        part("a", { promptTokenCount: 10, toolUsePromptTokenCount: 50, totalTokenCount: 60 }),
        part("b", { promptTokenCount: 60, candidatesTokenCount: 3, totalTokenCount: 63 }, "STOP"),
      ]),
    ).facts;
    expect(quantities(replaced)).toEqual({ input: 60, output: 3 });
    expect(replaced.doubts).toEqual([]);
  });

  it.each(both)("what breaks off in %s is partial and not complete", (_, answerHead, write) => {
    const text = write([part("a", { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 }), part("b", {}, "STOP")]);
    const body = Buffer.from(text);
    for (let at = 0; at < text.indexOf("STOP"); at++) {
      const { facts, out, held } = feed(answerHead, [body.subarray(0, at)]);
      expect(out + held).toBe(body.toString("latin1", 0, at));
      expect(facts.complete).toBe(false);
      expect(facts.usage?.source ?? "partial").toBe("partial");
    }
  });

  it("what another server adds to end its events completes the answer, and an event too large to read is a doubt", () => {
    const counts = { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 };
    const done = follow(sse, `${events([part("a", counts, "STOP")])}data: [DONE]\n\n`);
    expect(done).toMatchObject({ held: "data: [DONE]\n\n", facts: { complete: true, usage: { source: "reported", doubts: [] } } });
    const stream = geminiGenerate.stream({ hideUsage: false, head: json, eventBytesMax: 400 });
    const body = Buffer.from(list([part("x".repeat(1_000), counts), part("b", counts, "STOP")]));
    const out = [...stream.push(body.subarray(0, 700)), ...stream.push(body.subarray(700))];
    expect(Buffer.concat([...out, ...stream.held, ...stream.end()]).equals(body)).toBe(true);
    expect(stream.facts()).toMatchObject({ complete: true, usage: { source: "reported" } });
    expect(stream.facts().doubts).toEqual([expect.stringMatching(/^an event of \d+ bytes passed unread$/)]);
  });

  it("a usage that came before the end alone is partial", () => {
    const { facts } = follow(
      sse,
      events([part("a", { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 }), part("b", {}, "STOP")]),
    );
    expect(facts).toMatchObject({ complete: true, usage: { source: "partial", doubts: ["the stream ended without a final usage"] } });
  });

  const error = { error: { code: 503, message: "high demand for your prompt", status: "UNAVAILABLE" } };
  const first = part("half", { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 });

  it.each([
    ["an event", sse, events([first, error])],
    ["an event that is an array", sse, events([first, [error]])],
    ["an element", json, list([first, error])],
    ["bare JSON behind the events (llmgateway #3616)", sse, `${events([first])}${JSON.stringify(error, null, 2)}\n`],
  ] as const)("an error in %s ends the stream and is held; what came before is partial", (_, answerHead, text) => {
    const { facts, out, held } = follow(answerHead, text);
    expect(facts).toMatchObject({ error: "UNAVAILABLE", complete: true, finish: null, usage: { source: "partial" } });
    expect(held).toContain("high demand");
    expect(out).not.toContain("high demand");
    expect(JSON.stringify(facts)).not.toContain("demand");
  });

  it.each([
    [head("text/event-stream"), false, true],
    [head("application/json"), true, true],
    [head(""), true, true],
    [head("application/json"), false, false],
    [head("application/json", {}, 429), true, false],
  ])("whether it is one", (answerHead, asked, expected) => {
    expect(geminiGenerate.isStream(answerHead, asked)).toBe(expected);
  });

  it("nothing that comes breaks the reading", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("STOP", 5, -1, "TEXT", {}, []));
    const chunk = fc.record(
      {
        candidates: fc.oneof(
          value,
          fc.array(
            fc.record({ content: fc.oneof(value, fc.record({ parts: fc.array(value) })), finishReason: value, groundingMetadata: value }),
          ),
        ),
        usageMetadata: fc.oneof(
          value,
          fc.record({ promptTokenCount: value, totalTokenCount: value, promptTokensDetails: value, trafficType: value }),
        ),
        error: value,
        responseId: value,
        promptFeedback: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(chunk, value), { maxLength: 5 }), fc.boolean(), fc.nat(2000), (chunks, asList, at) => {
        const body = Buffer.from(asList ? list(chunks) : events(chunks));
        const answerHead = asList ? json : sse;
        const whole = feed(answerHead, [body]);
        expect(whole.out + whole.held).toBe(body.toString("latin1"));
        const split = feed(answerHead, [body.subarray(0, at % body.length), body.subarray(at % body.length)]);
        expect(split).toEqual(whole);
        geminiGenerate.answer(body.toString(), json);
      }),
      { numRuns: 500 },
    );
  });
});
