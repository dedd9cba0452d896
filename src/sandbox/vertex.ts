// The paths of Vertex AI: Google's own models in Gemini's format, and Anthropic's in that of Messages, named by the path.
// Not here: how answers read (gemini.ts, messages.ts). Projects and locations are taken as they come.

import { type Fields, parseBody } from "./ask.ts";
import type { Call, Path } from "./call.ts";
import { converse, countTokens } from "./converse.ts";
import { count, embed, generate } from "./google.ts";
import { messages, parseMessages } from "./messages.ts";
import { Refused } from "./refused.ts";
import { embedContent, predict } from "./vectors.ts";

const at = (publisher: string, rest: string): RegExp =>
  new RegExp(`^/v1(?:beta1)?/(?:projects/[^/]+/locations/[^/]+/)?publishers/${publisher}/models/${rest}$`);
const model = "(?<model>[^/:]+)";
const google = { method: "POST", wording: "google" } as const;
const anthropic = { method: "POST", wording: "anthropic" } as const;

export const vertexPaths: readonly Path[] = [
  {
    ...google,
    pattern: at("google", `${model}:generateContent`),
    answer: (call) => generate(call, false, { vertex: true, tier: toTier(call) }),
  },
  {
    ...google,
    pattern: at("google", `${model}:streamGenerateContent`),
    answer: (call) => generate(call, true, { vertex: true, tier: toTier(call) }),
  },
  { ...google, pattern: at("google", `${model}:embedContent`), answer: (call) => embed(call, embedContent) },
  { ...google, pattern: at("google", `${model}:predict`), answer: (call) => embed(call, predict) },
  { ...google, pattern: at("google", `${model}:countTokens`), answer: (call) => count(call, true) },
  {
    ...anthropic,
    pattern: at("anthropic", "count-tokens:rawPredict"),
    answer: (call) => countTokens(call, parseMessages(parseBody(call.body)).promptBytes, (tokens) => `{"input_tokens":${tokens}}`),
  },
  { ...anthropic, pattern: at("anthropic", `${model}:rawPredict`), answer: (call) => raw(call, false) },
  { ...anthropic, pattern: at("anthropic", `${model}:streamRawPredict`), answer: (call) => raw(call, true) },
];

/** What was asked for by header: capacity of one's own, or a better or cheaper share of everybody's. */
function toTier(call: Call): string | null {
  if (call.headers["x-vertex-ai-llm-request-type"] === "dedicated") return "provisioned";
  const shared = call.headers["x-vertex-ai-llm-shared-request-type"];
  return typeof shared === "string" && shared !== "" ? shared : null;
}

/** Messages whose model is in the path, and whose version is in the body. */
function raw(call: Call, streamed: boolean): Promise<void> | undefined {
  const fields = parseBody(call.body);
  if (typeof fields["anthropic_version"] !== "string") throw new Refused("anthropic_version: Field required", "anthropic_version");
  const named: Fields = { ...fields, model: call.parts["model"], stream: streamed };
  return converse(call, messages(named), ["audioInputTokens", "audioOutputTokens"]);
}
