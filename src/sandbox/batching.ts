// The paths of Gemini's batches of inlined requests: taken at once, pending for so many looks, then answered together. No files.
// Invariant: each request of a batch is a row of its own in the witness, made when the batch is done, once; a cancelled batch serves nothing.

import { type Fields, parseBody, toFields, toList } from "./ask.ts";
import type { Call, Path, State } from "./call.ts";
import { pick, pickText } from "./contents.ts";
import { type Controls, parseDirectives } from "./controls.ts";
import { answerJson, toCallId } from "./converse.ts";
import { type Dialect, gemini, geminiSenseless } from "./gemini.ts";
import { refuseControls } from "./exchange.ts";
import type { Batch, Line } from "./inlined.ts";
import { Refused } from "./refused.ts";
import { serve } from "./serving.ts";

const linesMax = 10_000;
// Under /v1/batches are OpenAI's too: what tells them apart is how the sandbox's own ids begin.
const one = /^\/v1(?:beta|alpha)?\/(?<name>batches\/sbx[^/:]+)$/;
const wording = "google";
/** The numbers of google.rpc.Code. */
const codes: Readonly<Record<string, number>> = { 400: 3, 401: 16, 403: 7, 429: 8, 503: 14, 529: 14 };

export const batchingPaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v1(?:beta|alpha)?\/models\/(?<model>[^/:]+):batchGenerateContent$/, wording, answer: create },
  {
    method: "GET",
    pattern: /^\/v1(?:beta|alpha)\/batches$/,
    wording,
    answer: (call) => answerJson(call, JSON.stringify({ operations: call.state.inlined.list().map(toOperation) })),
  },
  { method: "GET", pattern: one, wording, answer: look },
  { method: "POST", pattern: /^\/v1(?:beta|alpha)?\/(?<name>batches\/sbx[^/:]+):cancel$/, wording, answer: cancel },
  { method: "DELETE", pattern: one, wording, answer: remove },
];

function create(call: Call): undefined {
  const model = call.parts["model"] ?? "";
  const fields = toFields(pick(parseBody(call.body), "batch"), "batch");
  const config = toFields(pick(fields, "inputConfig"), "batch.inputConfig");
  const listed = pick(config, "requests");
  if (listed === undefined) throw new Refused("The sandbox takes batches of inlined requests only.", "batch.inputConfig");
  const requests = toList(toFields(listed, "batch.inputConfig.requests"), "requests");
  if (requests.length > linesMax) throw new Refused(`A batch has at most ${linesMax} requests.`, "batch.inputConfig.requests");
  const nowMs = call.state.now();
  const { row } = call.wire;
  const { batchPolls = 1, ...controls } = call.controls;
  const batch: Batch = {
    name: `batches/${toCallId(call.state, row.n)}`,
    model: `models/${model}`,
    displayName: pickText(fields, "displayName"),
    path: call.path,
    createdMs: nowMs,
    state: "PENDING",
    updatedMs: nowMs,
    polls: batchPolls,
    looks: 0,
    lines: requests.map((item, index) => toLine(call, model, toFields(item, `requests[${index}]`), controls)),
    answers: [],
    failed: 0,
  };
  call.state.inlined.put(batch);
  row.responseId = batch.name;
  row.model = model;
  return answerJson(call, JSON.stringify(toOperation(batch)));
}

function toLine(call: Call, model: string, fields: Fields, over: Readonly<Controls>): Line {
  const { state } = call;
  const dialect: Dialect = {
    model,
    streamed: false,
    tier: null,
    vertex: false,
    events: false,
    keptTokens: (name) => state.caches.tokens(name, model, state.now()),
  };
  const exchange = gemini(toFields(fields["request"], "request"), dialect);
  const controls = parseDirectives(exchange.ask.lastUser, over);
  refuseControls(controls, call.path, ...geminiSenseless);
  return { exchange, controls, metadata: fields["metadata"] };
}

function look(call: Call): undefined {
  const batch = find(call);
  if (isUnderWay(batch)) {
    batch.looks += 1;
    if (batch.looks > batch.polls) finish(call.state, batch);
    else if (batch.looks > 1) batch.state = "RUNNING";
  }
  return answerJson(call, JSON.stringify(toOperation(batch)));
}

function cancel(call: Call): undefined {
  const batch = find(call);
  if (isUnderWay(batch)) {
    batch.state = "CANCELLED";
    batch.updatedMs = call.state.now();
    batch.lines = [];
  }
  return answerJson(call, "{}");
}

function remove(call: Call): undefined {
  call.state.inlined.remove(find(call).name);
  return answerJson(call, "{}");
}

function find(call: Call): Batch {
  const name = call.parts["name"] ?? "";
  call.wire.row.responseId = name;
  const batch = call.state.inlined.read(name);
  if (batch === null) throw new Refused(`Requested entity was not found: ${name.slice(0, 100)}`, null, 404);
  return batch;
}

function isUnderWay(batch: Batch): boolean {
  return batch.state === "PENDING" || batch.state === "RUNNING";
}

function finish(state: State, batch: Batch): void {
  batch.state = "SUCCEEDED";
  batch.updatedMs = state.now();
  batch.answers = batch.lines.map((line) => answerLine(state, batch, line));
  batch.lines = [];
}

function answerLine(state: State, batch: Batch, { exchange, controls, metadata }: Line): object {
  const { witness } = state;
  const nowMs = state.now();
  const row = witness.received("POST", batch.path, nowMs);
  row.batch = batch.name;
  row.client = controls.id ?? null;
  row.model = exchange.ask.model;
  const key = metadata === undefined ? {} : { metadata };
  const fault = controls.fail ?? (controls.finish === "failed" ? "500" : undefined);
  if (fault !== undefined) {
    batch.failed += 1;
    witness.answersWith(row, fault === "connection-reset" ? 500 : Number(fault));
    witness.ends(row, "answered", nowMs);
    return { error: { code: codes[fault] ?? 13, message: "The sandbox fails, as it was asked to." }, ...key };
  }
  const id = toCallId(state, row.n);
  const serving = serve(exchange.ask, controls, { seed: state.seed, id, nowMs, timedWrites: false, cache: state.cache });
  row.responseId = id;
  witness.serves(row, serving.usage, null, serving.claim);
  witness.answersWith(row, 200);
  row.tokensSent = serving.choices.reduce((sum, choice) => sum + choice.tokens, 0);
  row.usageSent = serving.claim !== "missing";
  witness.ends(row, "answered", nowMs);
  return { response: JSON.parse(exchange.json(serving)) as unknown, ...key };
}

/** A long-running operation: the batch is its metadata, and, once done, what came out of it its response. */
function toOperation(batch: Batch): object {
  const ended = batch.state === "SUCCEEDED" || batch.state === "CANCELLED";
  const total = batch.lines.length + batch.answers.length;
  const output = { inlinedResponses: { inlinedResponses: batch.answers } };
  const type = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch";
  const stats = {
    requestCount: String(total),
    ...(ended
      ? {
          successfulRequestCount: String(total - batch.failed),
          ...(batch.failed === 0 ? {} : { failedRequestCount: String(batch.failed) }),
        }
      : { pendingRequestCount: String(total) }),
  };
  return {
    name: batch.name,
    metadata: {
      "@type": type,
      model: batch.model,
      ...(batch.displayName === null ? {} : { displayName: batch.displayName }),
      createTime: new Date(batch.createdMs).toISOString(),
      updateTime: new Date(batch.updatedMs).toISOString(),
      ...(ended ? { endTime: new Date(batch.updatedMs).toISOString() } : {}),
      ...(batch.state === "SUCCEEDED" ? { output } : {}),
      batchStats: stats,
      state: `BATCH_STATE_${batch.state}`,
      name: batch.name,
    },
    ...(batch.state === "SUCCEEDED" ? { done: true, response: { "@type": `${type}Output`, ...output } } : {}),
    ...(batch.state === "CANCELLED" ? { done: true, error: { code: 1, message: "The batch was cancelled." } } : {}),
  };
}
