// The paths of OpenAI's batches: taken from a file of lines, under way for so many looks, then answered together into files.
// Invariant: a line is answered once, when the batch is done; a cancelled batch serves nothing. Bodies name no batch tier, as documented ones.

import { type Fields, parseBody, toFields, toText } from "./ask.ts";
import type { Call, Path, State } from "./call.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { type Controls } from "./controls.ts";
import { answerJson, toCallId } from "./converse.ts";
import { embeddings } from "./embeddings.ts";
import type { Exchange } from "./exchange.ts";
import { type Listed, findFile, storeFile, toPage } from "./files.ts";
import { images } from "./images.ts";
import { type LineAnswer, answerLine, toLineControls } from "./line.ts";
import { Refused, errorBody } from "./refused.ts";
import { responses } from "./responses.ts";
import type { Served } from "./witness.ts";
import type { Batch, Line } from "./work.ts";

const wording = "openai" as const;
const linesMax = 50_000;

export const batchPaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v1\/batches$/, wording, answer: create },
  {
    method: "GET",
    pattern: /^\/v1\/batches$/,
    wording,
    answer: (call) => answerJson(call, toPage(call.state.work.batches.list().map(toBatch))),
  },
  { method: "GET", pattern: /^\/v1\/batches\/(?<id>[^/]+)$/, wording, answer: look },
  { method: "POST", pattern: /^\/v1\/batches\/(?<id>[^/]+)\/cancel$/, wording, answer: cancel },
];

const formats: Readonly<Record<string, (fields: Fields) => Exchange>> = {
  "/v1/chat/completions": chat,
  "/v1/completions": completions,
  "/v1/responses": responses,
  "/v1/embeddings": embeddings,
  "/v1/images/generations": (fields) => images("generations", { fields, files: [] }),
};

function create(call: Call): undefined {
  const fields = parseBody(call.body);
  const endpoint = toPath(toText(fields, "endpoint") ?? "");
  if (formats[endpoint] === undefined) throw new Refused(`endpoint must be one of ${Object.keys(formats).join(", ")}`, "endpoint");
  if (fields["completion_window"] !== "24h") throw new Refused("completion_window must be 24h", "completion_window");
  const inputFileId = toText(fields, "input_file_id") ?? "";
  const texts = findFile(call.state, inputFileId)
    .bytes.toString("utf8")
    .split("\n")
    .filter((text) => text.trim() !== "");
  if (texts.length === 0 || texts.length > linesMax) throw new Refused(`The input file must have 1 to ${linesMax} lines.`, "input_file_id");
  const { batchPolls = 1, id: _, ...controls } = call.controls;
  const faults: Batch["faults"][number][] = [];
  const seen = new Set<string>();
  const lines = texts.flatMap((text, index): readonly Line[] => {
    try {
      return [toLine(call, text, endpoint, controls, seen)];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      faults.push({ line: index + 1, message: error.message });
      return [];
    }
  });
  const batch: Batch = {
    id: `batch_${toCallId(call.state, call.wire.row.n)}`,
    createdMs: call.state.now(),
    endpoint,
    inputFileId,
    metadata: fields["metadata"] ?? null,
    faults,
    total: texts.length,
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
  call.state.work.batches.put(batch);
  call.wire.row.responseId = batch.id;
  return answerJson(call, JSON.stringify(toBatch(batch)));
}

/** Azure's paths leave the version out. */
function toPath(url: string): string {
  return url.startsWith("/v1/") ? url : `/v1${url}`;
}

/** @throws Refused when the line is no request; one that its endpoint refuses is a line that fails. */
function toLine(call: Call, text: string, endpoint: string, over: Readonly<Controls>, seen: Set<string>): Line {
  const line = parseBody(Buffer.from(text));
  const customId = toText(line, "custom_id");
  if (customId === null || seen.has(customId)) throw new Refused("custom_id must be there, and unique in the file", "custom_id");
  seen.add(customId);
  const url = toText(line, "url") ?? "";
  if (line["method"] !== "POST" || toPath(url) !== endpoint)
    throw new Refused("method and url must be those of the batch's endpoint", "url");
  const exchange = toExchange(call, endpoint, toFields(line["body"], "body"));
  return { customId, url: endpoint, exchange, controls: toLineControls(exchange, over) };
}

function toExchange(call: Call, endpoint: string, body: Fields): Line["exchange"] {
  try {
    const plain = formats[endpoint]?.({ ...body, stream: false, stream_options: undefined });
    if (plain === undefined) return { refused: "" };
    return call.dress === undefined ? plain : call.dress(plain);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { refused: errorBody(wording, 400, error.message, error.param, "") };
  }
}

function look(call: Call): undefined {
  const batch = find(call);
  if (batch.state === "cancelling") end(call.state, batch, "cancelled");
  else if (batch.state === "created" || batch.state === "under way") {
    if (batch.faults.length > 0) end(call.state, batch, "failed");
    else if (batch.pollsLeft === 0) finish(call.state, batch);
    else {
      batch.pollsLeft -= 1;
      batch.state = "under way";
    }
  }
  return answerJson(call, JSON.stringify(toBatch(batch)));
}

function cancel(call: Call): undefined {
  const batch = find(call);
  if (batch.state !== "created" && batch.state !== "under way")
    throw new Refused(`Cannot cancel a batch with status '${toStatus(batch)}'.`, null, 409);
  batch.state = "cancelling";
  return answerJson(call, JSON.stringify(toBatch(batch)));
}

function find(call: Call): Batch {
  const id = call.parts["id"] ?? "";
  call.wire.row.responseId = id;
  const batch = call.state.work.batches.read(id);
  if (batch === null) throw new Refused(`No batch found with id '${id.slice(0, 100)}'.`, null, 404);
  return batch;
}

function end(state: State, batch: Batch, how: "done" | "cancelled" | "failed"): void {
  batch.state = how;
  batch.endedMs = state.now();
  batch.lines = [];
}

function finish(state: State, batch: Batch): void {
  const answers = batch.lines.map((line) => ({ line, answer: answerLine(state, batch, line) }));
  const good = answers.filter(({ answer }) => answer.status === 200);
  const bad = answers.filter(({ answer }) => answer.status !== 200);
  batch.completed = good.length;
  batch.failed = bad.length;
  const store = (suffix: string, lines: typeof answers): string | null => {
    if (lines.length === 0) return null;
    const text = lines.map(({ line, answer }) => `${toResult(line, answer)}\n`).join("");
    const id = `file-${batch.id.slice(6)}${suffix}`;
    return storeFile(state, id, `${batch.id}_${suffix === "e" ? "error" : "output"}.jsonl`, "batch_output", Buffer.from(text)).id;
  };
  batch.outputFileId = store("o", good);
  batch.errorFileId = store("e", bad);
  batch.usage = toUsage(good.flatMap(({ answer }) => (answer.usage === null ? [] : [answer.usage])));
  end(state, batch, "done");
}

/** The tokens of all lines; a class of its own for none of them. */
function toUsage(all: readonly Served[]): object {
  let [input, cached, output, reasoning] = [0, 0, 0, 0];
  for (const usage of all) {
    input += usage.input + usage.cache_read + usage.cache_write + usage.input_audio + usage.input_image;
    cached += usage.cache_read;
    output += usage.output + usage.reasoning + usage.output_audio + usage.output_image;
    reasoning += usage.reasoning;
  }
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

function toResult(line: Line, answer: LineAnswer): string {
  const head = JSON.stringify({ id: `batch_${answer.requestId}`, custom_id: line.customId }).slice(0, -1);
  return `${head},"response":{"status_code":${answer.status},"request_id":"${answer.requestId}","body":${answer.body}},"error":null}`;
}

function toStatus(batch: Batch): string {
  switch (batch.state) {
    case "created":
      return "validating";
    case "under way":
      return "in_progress";
    case "done":
      return "completed";
    case "cancelling":
    case "cancelled":
    case "failed":
      return batch.state;
  }
}

function toBatch(batch: Batch): Listed {
  const status = toStatus(batch);
  const createdS = Math.floor(batch.createdMs / 1000);
  const endedS = batch.endedMs === null ? null : Math.floor(batch.endedMs / 1000);
  const ended = (...of: readonly string[]): number | null => (of.includes(status) ? endedS : null);
  const data = batch.faults.map(({ line, message }) => ({ code: "invalid_json_line", line, message, param: null }));
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    errors: status === "failed" ? { object: "list", data } : null,
    input_file_id: batch.inputFileId,
    completion_window: "24h",
    status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: createdS,
    in_progress_at: status === "validating" ? null : createdS,
    expires_at: createdS + 86_400,
    finalizing_at: ended("completed"),
    completed_at: ended("completed"),
    failed_at: ended("failed"),
    expired_at: null,
    cancelling_at: ended("cancelled"),
    cancelled_at: ended("cancelled"),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    ...(batch.usage === null ? {} : { usage: batch.usage }),
    metadata: batch.metadata,
  };
}
