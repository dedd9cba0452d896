// Evaluations as telemetry: which label and which score mean what, what goes on record and what does not, what is refused and how. Not here: the wire format
// (ingest/otlp.test.ts), real exporters and a real store (test/otlp.test.ts).

import { gzipSync } from "node:zlib";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { judge, type Measure } from "./evaluation.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";
import { telemetryBytesMax } from "./otlp.ts";

type Attributes = Readonly<Record<string, string | number>>;

function setUp() {
  const context = createMemory([]);
  const app = createApi(context);
  const post = async (body: string | Uint8Array, headers: Record<string, string> = {}, path = "/v1/logs") => {
    const said = { authorization: "Bearer user", "content-type": "application/json", ...headers };
    return app.request(path, { method: "POST", body: body as string, headers: said });
  };
  const send = async (records: readonly { readonly attributes: Attributes; readonly nanos?: string; readonly name?: string }[]) => {
    const logRecords = records.map(({ attributes, nanos = `${nowMs - 1_000}000000`, name = "gen_ai.evaluation.result" }) => ({
      eventName: name,
      timeUnixNano: nanos,
      attributes: Object.entries(attributes).map(([key, value]) => ({
        key,
        value: typeof value === "number" ? { doubleValue: value } : { stringValue: value },
      })),
    }));
    const response = await post(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
    return {
      status: response.status,
      body: (await response.json()) as { partialSuccess?: { rejectedLogRecords: string; errorMessage: string } },
    };
  };
  const said = () => context.recorded.flatMap((entry) => (entry.kind === "outcome" ? [entry.outcome] : []));
  return { context, post, send, said };
}

const named = { "gen_ai.evaluation.name": "tests", "pennyworth.task": "t1" };
const conversed = (task: string) => ({
  "gen_ai.evaluation.name": "tests",
  "gen_ai.evaluation.score.label": "pass",
  "gen_ai.conversation.id": task,
});
const failed = (why: string) => ({ attributes: { ...named, "error.type": why } });

const resultOf = (score: number | string | null, label: string | null, measure: Measure | null = null) => {
  const attributes = new Map<string, string | number>();
  if (score !== null) attributes.set("gen_ai.evaluation.score.value", score);
  if (label !== null) attributes.set("gen_ai.evaluation.score.label", label);
  return judge({ attributes }, measure).result;
};

describe("a verdict", () => {
  it.each([
    ["pass", "success"],
    ["Passed", "success"],
    ["correct", "success"],
    ["incorrect", "failure"],
    ["not_correct", "failure"],
    ["FAIL", "failure"],
    ["un-resolved", "failure"],
    ["relevant", "unknown"],
    ["yes", "unknown"],
    ["true", "unknown"],
    ["4", "unknown"],
  ] as const)("by the label %s is %s", (label, result) => {
    expect(resultOf(null, label)).toBe(result);
  });

  it("by a score is unknown until somebody says what is enough", () => {
    expect([resultOf(1, null), resultOf(0, null)]).toEqual(["unknown", "unknown"]);
    expect([resultOf(0.7, null, { atLeast: 0.7 }), resultOf(0.69, null, { atLeast: 0.7 })]).toEqual(["success", "failure"]);
    expect([resultOf(0.1, null, { atMost: 0.2 }), resultOf(0.3, null, { atMost: 0.2 })]).toEqual(["success", "failure"]);
    expect([1, 2, 3, 4].map((score) => resultOf(score, null, { atLeast: 2, atMost: 3 }))).toEqual([
      "failure",
      "success",
      "success",
      "failure",
    ]);
    expect([resultOf(Number.NaN, null, { atLeast: 0 }), resultOf("0.9", null, { atLeast: 0 })]).toEqual(["unknown", "unknown"]);
  });

  it("by what the settings say of its labels, then of its score, then by the label's own meaning", () => {
    const measure = { atLeast: 0.5, pass: ["relevant"], fail: ["not relevant"] };
    expect([resultOf(0, "Relevant", measure), resultOf(1, "not_relevant", measure), resultOf(0.9, "fail", measure)]).toEqual([
      "success",
      "failure",
      "success",
    ]);
    expect(resultOf(null, "fail", measure)).toBe("failure");
  });

  it("that could not be had says why", () => {
    expect(judge({ attributes: new Map([["error.type", "rate limit"]]) }, null)).toEqual({ result: "unknown", reason: "rate_limit" });
  });
});

describe("an evaluation", () => {
  it("is a check's statement, without its explanation, at its time, and counts once", async () => {
    const { send, said, context } = setUp();
    const record = {
      attributes: { ...named, "gen_ai.evaluation.score.label": "pass", "gen_ai.evaluation.explanation": "Dear Ada, your parcel …" },
    };
    expect(await send([record, record])).toEqual({ status: 200, body: {} });
    expect(await send([record])).toEqual({ status: 200, body: {} });
    expect(said()).toMatchObject([
      {
        task: "t1",
        result: "success",
        judge: "check",
        source: "tests",
        reason: "pass",
        atMs: nowMs - 1_000,
        valuePico: null,
        key: "key_user",
      },
    ]);
    expect(JSON.stringify(context.recorded)).not.toContain("parcel");
    // Said later it is another one, and so is another label.
    await send([{ ...record, nanos: `${nowMs}000000` }, { attributes: { ...named, "gen_ai.evaluation.score.label": "fail" } }]);
    expect(said()).toHaveLength(3);
  });

  it("belongs to the root, where it names one; other records are passed over", async () => {
    const { send, said } = setUp();
    await send([{ attributes: { ...named, "pennyworth.root": "r1" } }, { attributes: named, name: "gen_ai.choice" }]);
    expect(said().map(({ task, result }) => [task, result])).toEqual([["r1", "unknown"]]);
  });

  it("is found by a conversation that is a task's name, where one is on record", async () => {
    const { send, said, context } = setUp();
    const attributes = { "gen_ai.evaluation.name": "tests", "gen_ai.conversation.id": "c1" };
    expect((await send([{ attributes }])).body.partialSuccess).toMatchObject({ rejectedLogRecords: "1" });
    const attribution = { task: "c1" } as never;
    context.record({ kind: "task.begun", task: { attribution, beganMs: nowMs, reworkOf: null, key: null } });
    expect((await send([{ attributes }])).body).toEqual({});
    expect(said()).toMatchObject([{ task: "c1" }]);
  });

  it("of a batch that was stamped once is told from the others by where it was placed", async () => {
    const { send, said, context } = setUp();
    for (const task of ["c1", "c2", "c3"]) {
      const attribution = { task } as never;
      context.record({ kind: "task.begun", task: { attribution, beganMs: nowMs, reworkOf: null, key: null } });
    }
    for (const nanos of [`${nowMs - 1_000}000000`, ""]) {
      const stamped = ["c1", "c2", "c3"].map((task) => ({ attributes: conversed(task), nanos }));
      expect(await send(stamped)).toEqual({ status: 200, body: {} });
      expect(await send(stamped)).toEqual({ status: 200, body: {} });
    }
    expect(said().map(({ task }) => task)).toEqual(["c1", "c2", "c3", "c1", "c2", "c3"]);
    expect(new Set(said().map(({ id }) => id)).size).toBe(6);
  });

  it("that says otherwise than the one before it, of the same time and label, is rejected, not passed over", async () => {
    const { send, said } = setUp();
    expect((await send([failed("timeout"), failed("rate limit")])).body.partialSuccess).toEqual({
      rejectedLogRecords: "1",
      errorMessage: expect.stringMatching(
        /^Not taken: an evaluation of the same task, .* the first stands: give this one a time of its own$/,
      ),
    });
    expect(said()).toMatchObject([{ reason: "timeout" }]);
  });

  it("has its label as the reason, cut between characters", async () => {
    const { send, said } = setUp();
    expect(await send([{ attributes: { ...named, "gen_ai.evaluation.score.label": `${"x".repeat(99)}😀😀` } }])).toEqual({
      status: 200,
      body: {},
    });
    expect(said()).toMatchObject([{ reason: "x".repeat(99) }]);
  });

  it("is one of at most limits.outcomesMax in a request", async () => {
    const { send, said } = setUp();
    const { status, body } = await send(Array.from({ length: 10_001 }, () => ({ attributes: named })));
    expect([status, body]).toMatchObject([400, { message: expect.stringMatching(/more than 10000 evaluations \(limits\.outcomesMax\)/) }]);
    expect(said()).toEqual([]);
  });

  it("that cannot be is rejected alone", async () => {
    const { send, said } = setUp();
    const { body } = await send([
      { attributes: { "pennyworth.task": "t1" } },
      { attributes: { ...named, "gen_ai.evaluation.name": "x".repeat(1_025) } },
      { attributes: { ...named, "pennyworth.task": "a\u0007b" } },
      { attributes: named, nanos: `${nowMs + 200_000_000}000000` },
      { attributes: named, nanos: "1700000000" },
      { attributes: named },
    ]);
    expect(body.partialSuccess?.rejectedLogRecords).toBe("5");
    expect(body.partialSuccess?.errorMessage).toMatch(
      /^Not taken: it has no gen_ai\.evaluation\.name; source: longer than 1024 characters; .*control character.*; at: \d+ is more than a day ahead: .*; at: 1700 is before the year 2000/,
    );
    expect(said()).toHaveLength(1);
  });
});

describe("who may, and what is refused", () => {
  it("whoever may make calls; an error is a Status in the encoding of the request", async () => {
    const { post } = setUp();
    const refused = await post("{}", { authorization: "Bearer reader" });
    expect([refused.status, await refused.json()]).toEqual([403, { code: 7, message: expect.stringMatching(/role/) }]);
    const proto = await post("", { authorization: "Bearer reader", "content-type": "application/x-protobuf" });
    expect([proto.status, proto.headers.get("content-type")]).toEqual([403, "application/x-protobuf"]);
    const reader = new BinaryReader(new Uint8Array(await proto.arrayBuffer()));
    expect([reader.tag()[0], reader.int32(), reader.tag()[0]]).toEqual([1, 7, 2]);
    expect(reader.string()).toMatch(/role/);
  });

  it.each([
    ["{", {}, 400, 3, /it is not JSON/],
    ["<", { "content-type": "application/x-protobuf" }, 400, null, /./],
    ["{}", { "content-type": "text/plain" }, 400, 3, /neither application\/x-protobuf nor application\/json/],
    ["{}", { "content-type": "toString" }, 400, 3, /neither application\/x-protobuf nor application\/json/],
    ["{}", { "content-encoding": "br" }, 400, 3, /content-encoding is "br": expected gzip, or none/],
    ["{}", { "content-encoding": "gzip" }, 400, 3, /it is not gzip/],
    ["x".repeat(telemetryBytesMax + 1), {}, 413, 8, /larger than 8388608 bytes/],
  ] as const)("a body that cannot be taken (case %$)", async (body, headers, status, code, why) => {
    const { post, context } = setUp();
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    if (code !== null) expect(await response.json()).toEqual({ code, message: expect.stringMatching(why) });
    expect(context.recorded).toEqual([]);
  });

  it("what unpacks to more than it may, without unpacking it", async () => {
    const { post } = setUp();
    const response = await post(gzipSync(Buffer.alloc(telemetryBytesMax + 1, " ")), { "content-encoding": "gzip" });
    expect([response.status, await response.json()]).toEqual([413, { code: 8, message: expect.stringMatching(/as it came or unpacked/) }]);
  });

  it("spans are counted as spans, and in protobuf the answer is", async () => {
    const { post } = setUp();
    const event = { name: "gen_ai.evaluation.result", timeUnixNano: "1", attributes: [] };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: "chat", events: [event, event] }] }] }] });
    expect(await (await post(body, {}, "/v1/traces")).json()).toEqual({
      partialSuccess: { rejectedSpans: "1", errorMessage: "Not taken: it has no gen_ai.evaluation.name" },
    });
    const empty = await post("", { "content-type": "application/x-protobuf" }, "/v1/traces");
    expect([empty.status, (await empty.arrayBuffer()).byteLength]).toEqual([200, 0]);
  });
});
