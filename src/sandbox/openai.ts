// The paths of OpenAI's API: calls, and answers that are kept by their id. Not here: how an answer reads (one file per format).

import { type Fields, parseBody } from "./ask.ts";
import { senseless as senselessAudio, speech, transcriptions } from "./audio.ts";
import type { Call, Path } from "./call.ts";
import { chat } from "./chat.ts";
import { batchPaths } from "./batches.ts";
import { completions } from "./completions.ts";
import type { Controls } from "./controls.ts";
import { answerJson, converse, countTokens } from "./converse.ts";
import { embeddings, listModels, senseless, toModelCard } from "./embeddings.ts";
import { filePaths } from "./files.ts";
import { type Form, readForm } from "./form.ts";
import { images, senseless as imageless } from "./images.ts";
import { isGoogle, listGoogle, showGoogle } from "./google.ts";
import { Refused, type Wording } from "./refused.ts";
import { parseResponses, responses } from "./responses.ts";
import { tuningPaths } from "./tuning.ts";
import type { WitnessedCall } from "./witness.ts";

const wording = "openai" as const;
const soundless: readonly (keyof Controls)[] = ["audioInputTokens", "audioOutputTokens"];

export const openaiPaths: readonly Path[] = [
  at("chat/completions", (call) => converse(call, chat(readFields(call)), ["webSearches", "compaction"])),
  at("completions", (call) =>
    converse(call, completions(readFields(call)), [...soundless, "webSearches", "compaction", "reasoningTokens"]),
  ),
  at("responses", (call) => converse(call, responses(readFields(call)), [...soundless, "compaction"])),
  at("embeddings", (call) => converse(call, embeddings(readFields(call)), senseless)),
  at("images/generations", (call) => converse(call, images("generations", { fields: readFields(call), files: [] }), imageless)),
  at("images/edits", async (call) => converse(call, images("edits", await readFormOf(call)), imageless)),
  at("images/variations", async (call) => converse(call, images("variations", await readFormOf(call)), imageless)),
  at("audio/speech", (call) => converse(call, speech(readFields(call)), [...senselessAudio, "audioInputTokens"])),
  at("audio/transcriptions", async (call) =>
    converse(call, transcriptions("transcribe", await readFormOf(call), call.controls), senselessAudio),
  ),
  at("audio/translations", async (call) =>
    converse(call, transcriptions("translate", await readFormOf(call), call.controls), senselessAudio),
  ),
  {
    method: "POST",
    pattern: /^\/v1\/responses\/input_tokens$/,
    wording,
    answer: (call) =>
      countTokens(
        call,
        parseResponses(parseBody(call.body)).promptBytes,
        (tokens) => `{"object":"response.input_tokens","input_tokens":${tokens}}`,
      ),
  },
  { method: "GET", pattern: /^\/v1\/responses\/(?<id>[^/]+)$/, wording, answer: readKept },
  { method: "DELETE", pattern: /^\/v1\/responses\/(?<id>[^/]+)$/, wording, answer: removeKept },
  { method: "POST", pattern: /^\/v1\/responses\/(?<id>[^/]+)\/cancel$/, wording, answer: cancelKept },
  ...filePaths,
  ...batchPaths,
  ...tuningPaths,
  { method: "GET", pattern: /^\/v1\/models$/, wording, answer: list },
  {
    method: "GET",
    pattern: /^\/v1\/models\/(?<model>.+)$/,
    wording,
    answer: show,
  },
];

function at(path: string, answer: Path["answer"]): Path {
  return { method: "POST", pattern: new RegExp(`^/v1/${path}$`), wording, answer };
}

/** The body; its model is the path's where that names one. */
function readFields(call: Call): Fields {
  const fields = parseBody(call.body);
  return call.model === undefined ? fields : { ...fields, model: call.model };
}

async function readFormOf(call: Call): Promise<Form> {
  const form = await readForm(call.body, call.headers["content-type"]);
  return call.model === undefined ? form : { ...form, fields: { ...form.fields, model: call.model } };
}

/** Three APIs have this path: the client's headers say whose it is. */
function list(call: Call): undefined {
  return isGoogle(call) ? listGoogle(call) : answerJson(call, listModels(toLister(call)));
}

function show(call: Call): undefined {
  return isGoogle(call) ? showGoogle(call) : answerJson(call, JSON.stringify(toModelCard(call.parts["model"] ?? "", toLister(call))));
}

function toLister(call: Call): Extract<Wording, "openai" | "anthropic"> {
  return call.wording === "anthropic" ? "anthropic" : "openai";
}

function readKept(call: Call): undefined {
  const id = toId(call);
  const text = call.state.kept.read(id, call.state.now());
  if (text === null) throw absent(id);
  return answerJson(call, text);
}

function removeKept(call: Call): undefined {
  const id = toId(call);
  if (!call.state.kept.remove(id)) throw absent(id);
  return answerJson(call, JSON.stringify({ id, object: "response", deleted: true }));
}

function cancelKept(call: Call): undefined {
  const id = toId(call);
  const { kept, now, witness } = call.state;
  const outcome = kept.cancel(id, now());
  if (outcome === "absent") throw absent(id);
  if (outcome === "foreground") throw new Refused("Cannot cancel a synchronous response.");
  const row: WitnessedCall | undefined = outcome.changed === null ? undefined : witness.since(outcome.changed.call - 1, 1)[0];
  if (row !== undefined && row.n === outcome.changed?.call) witness.withdraws(row);
  return answerJson(call, outcome.text);
}

function toId(call: Call): string {
  const id = call.parts["id"] ?? "";
  call.wire.row.responseId = id;
  return id;
}

function absent(id: string): Refused {
  return new Refused(`Response with id '${id.slice(0, 100)}' not found.`, null, 404);
}
