// Evaluations as OpenTelemetry's own exporters send them, to a real server with its store: in protobuf and JSON, packed and not, as log records and as events
// of spans. Not here: what labels and scores mean, and what is refused (src/api/otlp.test.ts).

import { ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ "outcomes.evaluations": { faithfulness: { atLeast: 0.7 } } });
});
afterAll(() => gateway?.close());

const traceId = "0af7651916cd43dd8448eb211c80319c";

interface Outcomes {
  readonly fresh: boolean;
  readonly statements: readonly {
    readonly judge: string;
    readonly source: string;
    readonly result: string;
    readonly reason: string | null;
    readonly atMs: number;
  }[];
  readonly ending: { readonly result: string };
}

/** Asked again until the store has all that was on record. */
async function outcomes(task: string): Promise<Outcomes> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const answer = (await gateway.get(`/tasks/${task}/outcomes?fresh=true`)) as Outcomes;
    if (answer.fresh || Date.now() > untilMs) return answer;
  }
}

/** A call through the gateway. @returns its response's id. */
async function call(headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: `Hm ${Math.random()}?` }] }),
  });
  return ((await response.json()) as { id: string }).id;
}

type Attributes = Readonly<Record<string, string | number>>;

/** What an exporter says of each batch: nothing, or why not. */
async function emit(
  exporter: InstanceType<typeof ProtoExporter> | InstanceType<typeof JsonExporter>,
  records: readonly { readonly attributes: Attributes; readonly inTrace?: boolean; readonly atMs: number }[],
): Promise<void> {
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  const within = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: "b7ad6b7169203331", traceFlags: TraceFlags.SAMPLED });
  const logger = provider.getLogger("evaluator");
  for (const { attributes, inTrace = false, atMs } of records)
    logger.emit({
      eventName: "gen_ai.evaluation.result",
      timestamp: atMs,
      attributes,
      ...(inTrace ? { context: within } : { context: ROOT_CONTEXT }),
    });
  await provider.forceFlush();
  await provider.shutdown();
}

const exporters = [
  ["protobuf", (headers: Record<string, string>) => new ProtoExporter({ url: `${gateway.url}/v1/logs`, headers })],
  [
    "protobuf, packed",
    (headers: Record<string, string>) => new ProtoExporter({ url: `${gateway.url}/v1/logs`, headers, compression: "gzip" as never }),
  ],
  ["JSON", (headers: Record<string, string>) => new JsonExporter({ url: `${gateway.url}/v1/logs`, headers })],
] as const;

describe.each(exporters)("log records in %s", (name, make) => {
  const atMs = Date.now() - 5_000;
  const task = `eval-${name.replaceAll(/\W/g, "")}`;

  it("say how a task ended, by its name, by the response that was judged, and by its trace", async () => {
    const response = await call({
      "x-pennyworth-task": `${task}-part`,
      "x-pennyworth-root": `${task}-root`,
      "x-pennyworth-parent": `${task}-root`,
    });
    await call({ traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    const records = [
      {
        attributes: {
          "gen_ai.evaluation.name": "tests",
          "gen_ai.evaluation.score.label": "pass",
          "pennyworth.task": task,
          "gen_ai.evaluation.explanation": "all of it ran",
        },
        atMs,
      },
      {
        attributes: { "gen_ai.evaluation.name": "faithfulness", "gen_ai.evaluation.score.value": 0.5, "gen_ai.response.id": response },
        atMs,
      },
      { attributes: { "gen_ai.evaluation.name": `relevance ${name}`, "gen_ai.evaluation.score.value": 4 }, inTrace: true, atMs },
    ];
    await emit(make({}), records);
    // Told again, as an exporter does whose answer got lost, each counts once.
    await emit(make({}), records);
    expect((await outcomes(task)).statements).toMatchObject([{ judge: "check", source: "tests", result: "success", reason: "pass", atMs }]);
    expect((await outcomes(`${task}-root`)).statements).toMatchObject([
      { judge: "check", source: "faithfulness", result: "failure", reason: null, atMs },
    ]);
    const traced = (await outcomes(traceId)).statements.filter(({ source }) => source === `relevance ${name}`);
    expect(traced).toMatchObject([{ result: "unknown" }]);
  });
});

it("events of spans say it too", async () => {
  const exporter = new OTLPTraceExporter({ url: `${gateway.url}/v1/traces` });
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] } as never);
  const span = provider.getTracer("agent").startSpan("invoke_agent coder", { attributes: { "pennyworth.task": "spanned" } });
  span.addEvent("gen_ai.evaluation.result", { "gen_ai.evaluation.name": "unit-tests", "gen_ai.evaluation.score.label": "Failed" });
  span.addEvent("exception", { "exception.message": "no evaluation" });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  const { statements, ending } = await outcomes("spanned");
  expect(statements).toMatchObject([{ judge: "check", source: "unit-tests", result: "failure", reason: "Failed" }]);
  expect(ending.result).toBe("failure");
});

const sendJson = async (attributes: Attributes) => {
  const said = Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
  const body = {
    resourceLogs: [
      {
        scopeLogs: [{ logRecords: [{ eventName: "gen_ai.evaluation.result", attributes: said }, { body: { stringValue: "a log line" } }] }],
      },
    ],
  };
  const response = await fetch(`${gateway.url}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
};

const tell = (trace: string) => {
  const attributes = [{ key: "gen_ai.evaluation.name", value: { stringValue: "judge" } }];
  const logRecords = [{ eventName: "gen_ai.evaluation.result", traceId: trace, timeUnixNano: `${Date.now()}000000`, attributes }];
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  return fetch(`${gateway.url}/v1/logs`, { method: "POST", headers: { "content-type": "application/json" }, body });
};

it("a trace is of the task that its calls named, unless they named several", async () => {
  await call({ traceparent: `00-${"1".repeat(32)}-b7ad6b7169203331-01` });
  const [one, several] = ["1".repeat(32), "2".repeat(32)];
  await call({
    traceparent: `00-${one}-b7ad6b7169203331-01`,
    "x-pennyworth-task": "step",
    "x-pennyworth-root": "whole",
    "x-pennyworth-parent": "whole",
  });
  for (const task of ["a", "b"]) await call({ traceparent: `00-${several}-b7ad6b7169203331-01`, "x-pennyworth-task": task });
  expect(await (await tell(one)).json()).toEqual({});
  expect((await outcomes("whole")).statements).toMatchObject([{ source: "judge" }]);
  expect(await (await tell(several)).json()).toMatchObject({ partialSuccess: { rejectedLogRecords: "1" } });
});

describe("what cannot be placed", () => {
  it("is counted as rejected, with the reason", async () => {
    const name = { "gen_ai.evaluation.name": "x" };
    const unnamed = await call({});
    expect(await sendJson({ ...name, "gen_ai.response.id": "resp_nobody" })).toEqual({
      status: 200,
      body: {
        partialSuccess: { rejectedLogRecords: "1", errorMessage: 'Not taken: no call on record brought the response "resp_nobody"' },
      },
    });
    expect((await sendJson({ ...name, "gen_ai.response.id": unnamed })).body).toMatchObject({
      partialSuccess: { errorMessage: expect.stringMatching(/^Not taken: the call that brought .* names no task$/) },
    });
    expect((await sendJson(name)).body).toMatchObject({
      partialSuccess: { errorMessage: expect.stringMatching(/names no task \(pennyworth\.task\)/) },
    });
    expect((await sendJson({ ...name, "pennyworth.task": "t" })).body).toEqual({});
  });
});

const sendLarge = () =>
  fetch(`${gateway.url}/v1/logs`, { method: "POST", headers: { "content-type": "application/json" }, body: Buffer.alloc(9_000_000, " ") });

it("what is too large is answered, and the next request with it", async () => {
  for (let round = 0; round < 4; round++) {
    const refused = await sendLarge();
    expect([refused.status, refused.headers.get("connection"), await refused.json()]).toMatchObject([413, "close", { code: 8 }]);
    for (let next = 0; next < 3; next++) expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  }
});

it("with keys, programs need theirs, and an error is a Status", async () => {
  const { secret } = (await gateway.post("/keys", { name: "evaluator", role: "use" })) as { secret: string };
  const body = JSON.stringify({ resourceLogs: [] });
  const send = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/v1/logs`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  const refused = await send({});
  expect([refused.status, await refused.json()]).toEqual([
    401,
    { code: 16, message: expect.stringMatching(/^A Pennyworth key is needed/) },
  ]);
  expect((await send({ "x-pennyworth-key": secret })).status).toBe(200);
  await emit(new ProtoExporter({ url: `${gateway.url}/v1/logs`, headers: { "x-pennyworth-key": secret } }), [
    {
      attributes: { "gen_ai.evaluation.name": "tests", "gen_ai.evaluation.score.label": "pass", "pennyworth.task": "keyed" },
      atMs: Date.now(),
    },
  ]);
  expect((await outcomes("keyed")).ending.result).toBe("success");
});
