// Pennyworth's own refusals in the error shapes that clients of each wire format understand. Not here: which code means what (error.ts).

import type { Refusal } from "./format.ts";

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

export function openaiRefusal({ status, code, message }: Refusal): string {
  const type = openaiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return JSON.stringify({ error: { message, type, param: null, code } });
}

/** `code` is ours: Anthropic's shape has none, and its clients pass over what they do not know. */
export function anthropicRefusal({ status, code, message }: Refusal): string {
  const type = anthropicTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return JSON.stringify({ type: "error", error: { type, message, code } });
}
