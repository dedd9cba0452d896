// The paths of Anthropic's API. Not here: how its answers read (messages.ts).

import { parseBody } from "./ask.ts";
import type { Path } from "./call.ts";
import { converse, countTokens } from "./converse.ts";
import { mailbagPaths } from "./mailbag.ts";
import { messages, parseMessages } from "./messages.ts";

export const anthropicPaths: readonly Path[] = [
  {
    method: "POST",
    pattern: /^\/v1\/messages$/,
    wording: "anthropic",
    answer: (call) => converse(call, messages(parseBody(call.body)), ["audioInputTokens", "audioOutputTokens"]),
  },
  {
    method: "POST",
    pattern: /^\/v1\/messages\/count_tokens$/,
    wording: "anthropic",
    answer: (call) => countTokens(call, parseMessages(parseBody(call.body)).promptBytes, (tokens) => `{"input_tokens":${tokens}}`),
  },
  ...mailbagPaths,
];
