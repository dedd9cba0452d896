// Pennyworth's own refusals in the error shapes that clients of each wire format understand. Not here: which code means what (error.ts).

import type { Refusal, RefusalBody } from "./format.ts";

const openaiTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
};

/** For clients of no format that is known. */
export function plainRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ type: "error", error: { type: code, code, message } }), headers: [] };
}

export function openaiRefusal({ status, code, message }: Refusal): RefusalBody {
  const type = openaiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return { text: JSON.stringify({ error: { message, type, param: null, code } }), headers: [] };
}

/** `code` is ours: Anthropic's shape has none, and its clients pass over what they do not know. */
export function anthropicRefusal({ status, code, message }: Refusal): RefusalBody {
  const type = anthropicTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { text: JSON.stringify({ type: "error", error: { type, message, code } }), headers: [] };
}

/** Ollama's shape has the message alone. `code` is ours, and its clients pass over it. */
export function ollamaRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ error: message, code }), headers: [] };
}

/** `code` is ours: Cohere's shape has a message, and an id where there was an answer. */
export function cohereRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ message, code }), headers: [] };
}
