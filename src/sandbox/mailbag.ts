// The paths of Anthropic's message batches: taken at once, under way for so many looks, then answered together as lines.
// Invariant: a request is answered once, when the batch has ended, at the batch tier; a cancelled batch serves nothing.

import { parseBody, toFields, toList, toText } from "./ask.ts";
import type { Call, Path, State } from "./call.ts";
import type { Controls } from "./controls.ts";
import { answerJson, toCallId } from "./converse.ts";
import type { Listed } from "./files.ts";
import { answerLine, toLineControls } from "./line.ts";
import { messages } from "./messages.ts";
import { Refused, errorBody } from "./refused.ts";
import { sendJson } from "./wire.ts";
import type { Batch, Line } from "./work.ts";

const wording = "anthropic" as const;
const one = /^\/v1\/messages\/batches\/(?<id>[^/]+)$/;
const url = "/v1/messages";
const requestsMax = 100_000;

export const mailbagPaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v1\/messages\/batches$/, wording, answer: create },
  { method: "GET", pattern: /^\/v1\/messages\/batches$/, wording, answer: list },
  { method: "GET", pattern: one, wording, answer: look },
  { method: "DELETE", pattern: one, wording, answer: remove },
  { method: "POST", pattern: /^\/v1\/messages\/batches\/(?<id>[^/]+)\/cancel$/, wording, answer: cancel },
  { method: "GET", pattern: /^\/v1\/messages\/batches\/(?<id>[^/]+)\/results$/, wording, answer: readResults },
];

function create(call: Call): undefined {
  const requests = toList(parseBody(call.body), "requests");
  if (requests.length > requestsMax) throw new Refused(`requests: at most ${requestsMax}`, "requests");
  const { batchPolls = 1, id: _, ...controls } = call.controls;
  const lines = requests.map((request, index) => toLine(request, `requests.${index}`, controls));
  if (new Set(lines.map((line) => line.customId)).size < lines.length) throw new Refused("requests: custom_id must be unique", "requests");
  const batch: Batch = {
    id: `msgbatch_${toCallId(call.state, call.wire.row.n)}`,
    createdMs: call.state.now(),
    endpoint: url,
    inputFileId: "",
    metadata: null,
    faults: [],
    total: lines.length,
    state: "created",
    endedMs: null,
    pollsLeft: batchPolls,
    lines,
    results: [],
    completed: 0,
    failed: 0,
    outputFileId: null,
    usage: null,
    errorFileId: null,
  };
  call.state.work.messageBatches.put(batch);
  call.wire.row.responseId = batch.id;
  return answerBatch(call, batch);
}

function toLine(request: unknown, param: string, over: Readonly<Controls>): Line {
  const fields = toFields(request, param);
  const customId = toText(fields, "custom_id");
  if (customId === null || !/^[\w-]{1,64}$/.test(customId))
    throw new Refused(`${param}.custom_id must have 1 to 64 letters, digits, - or _`, param);
  const params = toFields(fields["params"], `${param}.params`);
  const exchange = toExchange({ ...params, stream: false });
  return { customId, url, exchange, controls: toLineControls(exchange, over) };
}

function toExchange(params: Readonly<Record<string, unknown>>): Line["exchange"] {
  try {
    const exchange = messages(params);
    return { ...exchange, ask: { ...exchange.ask, tier: "batch" } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { refused: errorBody(wording, 400, error.message, error.param, "") };
  }
}

function list(call: Call): undefined {
  const data = call.state.work.messageBatches.list().map((batch) => toBatch(call, batch));
  const ids = data.map((batch) => batch.id);
  return answerJson(call, JSON.stringify({ data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null }));
}

function look(call: Call): undefined {
  const batch = find(call);
  if (batch.state === "cancelling") finish(call.state, batch, true);
  else if (batch.state === "created" || batch.state === "under way") {
    if (batch.pollsLeft === 0) finish(call.state, batch, false);
    else {
      batch.pollsLeft -= 1;
      batch.state = "under way";
    }
  }
  return answerBatch(call, batch);
}

function finish(state: State, batch: Batch, cancelled: boolean): void {
  batch.results = batch.lines.map((line) => {
    const wrap = (result: string): string => `{"custom_id":${JSON.stringify(line.customId)},"result":${result}}\n`;
    if (cancelled) return wrap(`{"type":"canceled"}`);
    const answer = answerLine(state, batch, line);
    if (answer.status === 200) batch.completed += 1;
    else batch.failed += 1;
    return wrap(answer.status === 200 ? `{"type":"succeeded","message":${answer.body}}` : `{"type":"errored","error":${answer.body}}`);
  });
  batch.state = cancelled ? "cancelled" : "done";
  batch.endedMs = state.now();
  batch.lines = [];
}

function cancel(call: Call): undefined {
  const batch = find(call);
  if (batch.state === "created" || batch.state === "under way") batch.state = "cancelling";
  return answerBatch(call, batch);
}

function remove(call: Call): undefined {
  const batch = find(call);
  if (batch.endedMs === null) throw new Refused("A batch that is under way cannot be deleted: cancel it first.");
  call.state.work.messageBatches.remove(batch.id);
  return answerJson(call, JSON.stringify({ id: batch.id, type: "message_batch_deleted" }));
}

function readResults(call: Call): undefined {
  const batch = find(call);
  if (batch.endedMs === null) throw new Refused("The batch has no results yet.", null, 404);
  sendJson(call.wire, 200, batch.results.join(""), 0, false, "application/x-jsonl; charset=utf-8");
  return undefined;
}

function find(call: Call): Batch {
  const id = call.parts["id"] ?? "";
  call.wire.row.responseId = id;
  const batch = call.state.work.messageBatches.read(id);
  if (batch === null) throw new Refused(`Batch not found: ${id.slice(0, 100)}`, null, 404);
  return batch;
}

function answerBatch(call: Call, batch: Batch): undefined {
  return answerJson(call, JSON.stringify(toBatch(call, batch)));
}

function toBatch(call: Call, batch: Batch): Listed {
  const ended = batch.endedMs !== null;
  const cancelled = batch.state === "cancelled";
  const host = call.headers.host ?? "localhost";
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: ended ? "ended" : batch.state === "cancelling" ? "canceling" : "in_progress",
    request_counts: {
      processing: ended ? 0 : batch.total,
      succeeded: batch.completed,
      errored: batch.failed,
      canceled: cancelled ? batch.total : 0,
      expired: 0,
    },
    created_at: toTime(batch.createdMs),
    expires_at: toTime(batch.createdMs + 86_400_000),
    archived_at: null,
    ended_at: batch.endedMs === null ? null : toTime(batch.endedMs),
    cancel_initiated_at: batch.state === "cancelling" || cancelled ? toTime(batch.endedMs ?? batch.createdMs) : null,
    results_url: ended ? `http://${host}/v1/messages/batches/${batch.id}/results` : null,
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
