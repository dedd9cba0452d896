// What providers say of work that outlasts a request: batches (OpenAI's, Anthropic's, Gemini's), fine-tuning jobs, cached contents. Read by
// shape, since servers that speak a format copy its objects. Not here: the lines of results (results.ts), following (gateway/).
// Invariant: what is not said is null, and a state that is not known is open.

import type { WorkKind } from "../core/work.ts";
import { clippedOf, nameCharactersMax } from "./clip.ts";
import { member, type Node, open, scan, stringOf, wholeOf } from "./scan.ts";

export interface Job {
  readonly kind: Exclude<WorkKind, "response">;
  /** The provider's id; with its collection where the provider writes it so: `cachedContents/abc`. */
  readonly ref: string;
  readonly state: "open" | "done" | "failed" | "cancelled" | "expired";
  /** ms UTC. */
  readonly createdMs: number | null;
  readonly endedMs: number | null;
  readonly expiresMs: number | null;
  /** Without `models/`. */
  readonly model: string | null;
  /** Tokens that were trained, or are cached. */
  readonly tokens: number | null;
  /** Tuning that is billed by the hour, not by tokens. */
  readonly isTimed: boolean;
  /** Ids of the files that hold its results. */
  readonly files: readonly string[];
  /** Results that stand in the object itself: the JSON of each. */
  readonly results: readonly Buffer[];
}

/** Most jobs that are read of one list. */
const listMax = 1_000;

/** The jobs that an answer's body holds: itself, or those in its list. Never throws; what is none is passed over. */
export function readJobs(bytes: Buffer): readonly Job[] {
  let root: Node;
  try {
    root = scan(bytes, 2);
  } catch {
    return [];
  }
  const one = readJob(bytes, root);
  if (one !== null) return [one];
  const list = ["data", "operations", "cachedContents"].map((key) => member(root, key)).find((node) => node?.kind === "array");
  return (list?.values ?? []).slice(0, listMax).flatMap((node) => {
    const job = readJob(bytes, open(bytes, node, 2));
    return job === null ? [] : [job];
  });
}

function readJob(bytes: Buffer, node: Node): Job | null {
  const text = (key: string): string | null => clippedOf(bytes, member(node, key), nameCharactersMax);
  const name = text("name");
  if (name?.startsWith("cachedContents/")) return readCache(bytes, node, name);
  if (name?.startsWith("batches/")) return readOperation(bytes, node, name);
  const ref = text("id");
  if (ref === null || ref === "") return null;
  if (text("object") === "batch") return readBatch(bytes, node, ref);
  if (text("object") === "fine_tuning.job") return readTuning(bytes, node, ref);
  return text("type") === "message_batch" ? readMessageBatch(bytes, node, ref) : null;
}

const nothing: Omit<Job, "kind" | "ref" | "state"> = {
  createdMs: null,
  endedMs: null,
  expiresMs: null,
  model: null,
  tokens: null,
  isTimed: false,
  files: [],
  results: [],
};

/** openai-node, resources/batches.ts: one that was cancelled or has expired has files of what was done by then. */
function readBatch(bytes: Buffer, node: Node, ref: string): Job {
  const text = (key: string): string | null => clippedOf(bytes, member(node, key), nameCharactersMax);
  const states: Readonly<Record<string, Job["state"]>> = {
    completed: "done",
    failed: "failed",
    expired: "expired",
    cancelled: "cancelled",
  };
  const files = [text("output_file_id"), text("error_file_id")].filter((file) => file !== null && file !== "") as string[];
  const ended = ["completed_at", "cancelled_at", "expired_at", "failed_at"].map((key) => seconds(bytes, member(node, key)));
  return {
    ...nothing,
    kind: "batch",
    ref,
    state: stateIn(states, text("status")),
    createdMs: seconds(bytes, member(node, "created_at")),
    endedMs: ended.find((ms) => ms !== null) ?? null,
    model: text("model"),
    files,
  };
}

/** openai-node, resources/fine-tuning/jobs: `trained_tokens` are the billable ones; reinforcement is billed by time. */
function readTuning(bytes: Buffer, node: Node, ref: string): Job {
  const text = (key: string): string | null => clippedOf(bytes, member(node, key), nameCharactersMax);
  return {
    ...nothing,
    kind: "tuning",
    ref,
    state: stateIn({ succeeded: "done", failed: "failed", cancelled: "cancelled" }, text("status")),
    createdMs: seconds(bytes, member(node, "created_at")),
    endedMs: seconds(bytes, member(node, "finished_at")),
    model: text("model"),
    tokens: wholeOf(bytes, member(node, "trained_tokens")),
    isTimed: stringOf(bytes, member(member(node, "method"), "type")) === "reinforcement",
  };
}

/** anthropic-sdk-typescript, resources/messages/batches.ts: also a cancelled batch ends as `ended`, and has results. */
function readMessageBatch(bytes: Buffer, node: Node, ref: string): Job {
  const isEnded = stringOf(bytes, member(node, "processing_status")) === "ended";
  return {
    ...nothing,
    kind: "batch",
    ref,
    state: isEnded ? "done" : "open",
    createdMs: time(bytes, member(node, "created_at")),
    endedMs: time(bytes, member(node, "ended_at")),
  };
}

/** A long-running operation of Gemini: the batch is its metadata, what came of it its response (ai.google.dev/api/batch-api). */
function readOperation(bytes: Buffer, node: Node, ref: string): Job {
  const about = member(node, "metadata") ?? node;
  const state = stringOf(bytes, member(about, "state")) ?? "";
  const states: Readonly<Record<string, Job["state"]>> = {
    SUCCEEDED: "done",
    FAILED: "failed",
    CANCELLED: "cancelled",
    EXPIRED: "expired",
  };
  const said = stateIn(states, state.replace(/^(BATCH|JOB)_STATE_/, ""));
  const isDone = bytes.toString("latin1", member(node, "done")?.start ?? 0, member(node, "done")?.end ?? 0) === "true";
  const output = member(node, "response") ?? member(about, "output");
  const deep = output === undefined ? undefined : open(bytes, output, 4);
  const list = member(member(deep, "inlinedResponses"), "inlinedResponses");
  const file = clippedOf(bytes, member(deep, "responsesFile"), nameCharactersMax);
  return {
    ...nothing,
    kind: "batch",
    ref,
    state: said === "open" && isDone ? (member(node, "error") === undefined ? "done" : "failed") : said,
    createdMs: time(bytes, member(about, "createTime")),
    endedMs: time(bytes, member(about, "endTime")),
    model: modelIn(bytes, member(about, "model")),
    files: file === null || file === "" ? [] : [file],
    results: (list?.values ?? []).map((value) => bytes.subarray(value.start, value.end)),
  };
}

/** ai.google.dev/api/caching. */
function readCache(bytes: Buffer, node: Node, ref: string): Job {
  return {
    ...nothing,
    kind: "cache",
    ref,
    state: "open",
    createdMs: time(bytes, member(node, "createTime")),
    expiresMs: time(bytes, member(node, "expireTime")),
    model: modelIn(bytes, member(node, "model")),
    tokens: wholeOf(bytes, member(member(node, "usageMetadata"), "totalTokenCount")),
  };
}

function stateIn(states: Readonly<Record<string, Job["state"]>>, word: string | null): Job["state"] {
  return word !== null && Object.hasOwn(states, word) ? (states[word] as Job["state"]) : "open";
}

function modelIn(bytes: Buffer, node: Node | undefined): string | null {
  return clippedOf(bytes, node, nameCharactersMax)?.replace(/^models\//, "") ?? null;
}

/** Unix seconds as ms; some servers write RFC 3339 instead. */
function seconds(bytes: Buffer, node: Node | undefined): number | null {
  const whole = wholeOf(bytes, node);
  return whole !== null && whole <= timeMsMax / 1000 ? whole * 1000 : time(bytes, node);
}

/** Year 9999: beyond it no date has a name. */
const timeMsMax = 253_402_300_799_000;

/** RFC 3339 as ms. */
function time(bytes: Buffer, node: Node | undefined): number | null {
  const ms = Date.parse(stringOf(bytes, node) ?? "");
  return Number.isNaN(ms) || ms < 0 || ms > timeMsMax ? null : ms;
}
