// The paths of OpenAI's fine-tuning: a job is queued, running for so many looks, then done. Nothing is learnt.
// Invariant: a job serves its training once, on the call that began it, when it succeeds; a cancelled job serves nothing.

import { parseBody, toFields, toModel, toText } from "./ask.ts";
import type { Call, Path, State } from "./call.ts";
import { answerJson, toCallId } from "./converse.ts";
import { type Listed, findFile, toPage } from "./files.ts";
import { Refused } from "./refused.ts";
import { nothing } from "./witness.ts";
import type { Job } from "./work.ts";

const wording = "openai" as const;
const epochs = 3;

export const tuningPaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v1\/fine_tuning\/jobs$/, wording, answer: create },
  {
    method: "GET",
    pattern: /^\/v1\/fine_tuning\/jobs$/,
    wording,
    answer: (call) => answerJson(call, toPage(call.state.work.jobs.list().map(toJob))),
  },
  { method: "GET", pattern: /^\/v1\/fine_tuning\/jobs\/(?<id>[^/]+)$/, wording, answer: look },
  { method: "POST", pattern: /^\/v1\/fine_tuning\/jobs\/(?<id>[^/]+)\/cancel$/, wording, answer: cancel },
  {
    method: "GET",
    pattern: /^\/v1\/fine_tuning\/jobs\/(?<id>[^/]+)\/(?:events|checkpoints)$/,
    wording,
    answer: (call) => answerJson(call, toPage([])),
  },
];

/** Trained tokens are a quarter of the file's bytes, three times over, unless the control says otherwise. */
function create(call: Call): undefined {
  const fields = parseBody(call.body);
  const { row } = call.wire;
  const file = findFile(call.state, toText(fields, "training_file") ?? "");
  const model = toModel(fields);
  const job: Job = {
    id: `ftjob-${toCallId(call.state, row.n)}`,
    createdS: Math.floor(call.state.now() / 1000),
    model,
    fields,
    row,
    trainedTokens: call.controls.trainedTokens ?? Math.ceil(file.bytes.length / 4) * epochs,
    state: "validating_files",
    pollsLeft: call.controls.batchPolls ?? 1,
    finishedS: null,
  };
  if (fields["metadata"] !== undefined && fields["metadata"] !== null) toFields(fields["metadata"], "metadata");
  call.state.work.jobs.put(job);
  row.responseId = job.id;
  row.model = model;
  return answerJson(call, JSON.stringify(toJob(job)));
}

function look(call: Call): undefined {
  const job = find(call);
  if (job.state !== "succeeded" && job.state !== "cancelled") {
    if (job.pollsLeft === 0) finish(call.state, job);
    else {
      job.pollsLeft -= 1;
      job.state = job.pollsLeft === 0 ? "running" : "queued";
    }
  }
  return answerJson(call, JSON.stringify(toJob(job)));
}

function finish(state: State, job: Job): void {
  job.state = "succeeded";
  job.finishedS = Math.floor(state.now() / 1000);
  state.witness.serves(job.row, { ...nothing(), training: job.trainedTokens }, null, "true");
}

function cancel(call: Call): undefined {
  const job = find(call);
  if (job.state === "succeeded" || job.state === "cancelled") throw new Refused(`Job has already ${job.state}.`);
  job.state = "cancelled";
  job.finishedS = Math.floor(call.state.now() / 1000);
  return answerJson(call, JSON.stringify(toJob(job)));
}

function find(call: Call): Job {
  const id = call.parts["id"] ?? "";
  call.wire.row.responseId = id;
  const job = call.state.work.jobs.read(id);
  if (job === null) throw new Refused(`Could not find fine tune: ${id.slice(0, 100)}`, "fine_tune_id", 404);
  return job;
}

function toJob(job: Job): Listed {
  const { fields } = job;
  const done = job.state === "succeeded";
  const suffix = typeof fields["suffix"] === "string" ? fields["suffix"] : "";
  return {
    id: job.id,
    object: "fine_tuning.job",
    model: job.model,
    created_at: job.createdS,
    finished_at: job.finishedS,
    status: job.state,
    fine_tuned_model: done ? `ft:${job.model}:sandbox:${suffix}:${job.id.slice(-8)}` : null,
    trained_tokens: done ? job.trainedTokens : null,
    training_file: fields["training_file"],
    validation_file: fields["validation_file"] ?? null,
    result_files: [],
    hyperparameters: { n_epochs: epochs, batch_size: 1, learning_rate_multiplier: 1 },
    organization_id: "org-sandbox",
    seed: 1,
    error: null,
    estimated_finish: null,
    integrations: [],
    metadata: fields["metadata"] ?? null,
    method: fields["method"] ?? { type: "supervised", supervised: { hyperparameters: { n_epochs: epochs } } },
  };
}
