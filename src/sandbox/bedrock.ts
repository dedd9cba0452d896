// The paths of Amazon Bedrock's runtime. Not here: how its answers read (dialogue.ts, invoke.ts), signatures (signature.ts).
// Invariant: the model is the path's, percent-decoded; a signature is held to AWS's rules where the sandbox knows the keys.

import { type Fields, parseBody, toFields, toText } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import { converse, countTokens } from "./converse.ts";
import { dialogue, parseDialogue } from "./dialogue.ts";
import type { Controls } from "./controls.ts";
import { invoke } from "./invoke.ts";
import { Refused } from "./refused.ts";
import { checkSignature } from "./signature.ts";

const wording = "aws" as const;
const senseless: readonly (keyof Controls)[] = ["audioInputTokens", "audioOutputTokens", "webSearches", "compaction"];

export const bedrockPaths: readonly Path[] = [
  at("converse", (call, model) => converse(call, dialogue(model, false, parseBody(call.body)), senseless)),
  at("converse-stream", (call, model) => converse(call, dialogue(model, true, parseBody(call.body)), senseless)),
  at("invoke", (call, model) => converse(call, invoke(model, false, parseBody(call.body), toTier(call)), senseless)),
  at("invoke-with-response-stream", (call, model) => converse(call, invoke(model, true, parseBody(call.body), toTier(call)), senseless)),
  at("count-tokens", (call, model) =>
    countTokens(call, toPromptBytes(model, parseBody(call.body)), (tokens) => `{"inputTokens":${tokens}}`),
  ),
];

function at(action: string, answer: (call: Call, model: string) => Promise<void> | undefined): Path {
  return {
    method: "POST",
    pattern: new RegExp(`^/model/(?<model>[^/]+)/${action}$`),
    wording,
    answer: (call) => {
      const { aws, now } = call.state;
      if (aws !== null) checkSignature(call.signed, call.wire.row.credential, aws, now());
      return answer(call, call.parts["model"] ?? "");
    },
  };
}

function toTier(call: Call): string | null {
  const header = call.headers["x-amzn-bedrock-service-tier"];
  return typeof header === "string" ? header : null;
}

/** The prompt of `input.converse`, or of the body that `input.invokeModel` holds in base64. */
function toPromptBytes(model: string, fields: Fields): number {
  const input = toFields(fields["input"], "input");
  if (input["converse"] !== undefined) return parseDialogue(model, false, toFields(input["converse"], "input.converse")).promptBytes;
  if (input["invokeModel"] === undefined) throw new Refused("input must hold converse or invokeModel", "input");
  const body = toText(toFields(input["invokeModel"], "input.invokeModel"), "body") ?? "";
  return invoke(model, false, parseBody(Buffer.from(body, "base64")), null).ask.promptBytes;
}
