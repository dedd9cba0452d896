// The paths of OpenAI's API: calls, and answers that are kept by their id. Not here: how an answer reads (one file per format).

import { parseBody } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import { chat } from "./chat.ts";
import { answerJson, converse, countTokens } from "./converse.ts";
import { embeddings, listModels, senseless, toModelCard } from "./embeddings.ts";
import { isGoogle, listGoogle, showGoogle } from "./google.ts";
import { Refused, type Wording } from "./refused.ts";
import { parseResponses, responses } from "./responses.ts";
import type { WitnessedCall } from "./witness.ts";

const wording = "openai" as const;

export const openaiPaths: readonly Path[] = [
  {
    method: "POST",
    pattern: /^\/v1\/chat\/completions$/,
    wording,
    answer: (call) => converse(call, chat(parseBody(call.body)), ["webSearches", "compaction"]),
  },
  {
    method: "POST",
    pattern: /^\/v1\/responses$/,
    wording,
    answer: (call) => converse(call, responses(parseBody(call.body)), ["audioInputTokens", "audioOutputTokens", "compaction"]),
  },
  {
    method: "POST",
    pattern: /^\/v1\/embeddings$/,
    wording,
    answer: (call) => converse(call, embeddings(parseBody(call.body)), senseless),
  },
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
  { method: "GET", pattern: /^\/v1\/models$/, wording, answer: list },
  {
    method: "GET",
    pattern: /^\/v1\/models\/(?<model>.+)$/,
    wording,
    answer: show,
  },
];

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
