// Pennyworth's own refusals in the error shapes that clients of each wire format understand. Not here: which code means what (error.ts).

import type { Refusal, RefusalBody, RefusedRate } from "./format.ts";

const openaiTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
};

const bedrockTypes: Readonly<Record<number, string>> = {
  401: "AccessDeniedException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  429: "ThrottlingException",
  503: "ServiceUnavailableException",
  504: "ModelTimeoutException",
};

/** For clients of no format that is known. */
export function plainRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ type: "error", error: { type: code, code, message } }), headers: [] };
}

export function openaiRefusal({ status, code, message, rate }: Refusal): RefusalBody {
  const type = openaiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return { text: JSON.stringify({ error: { message, type, param: null, code } }), headers: openaiRate(rate) };
}

/** `code` is ours: Anthropic's shape has none, and its clients pass over what they do not know. */
export function anthropicRefusal({ status, code, message, rate }: Refusal): RefusalBody {
  const type = anthropicTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { text: JSON.stringify({ type: "error", error: { type, message, code } }), headers: anthropicRate(rate) };
}

/** OpenAI's own headers for its limits (API reference, "Rate limits in headers"). */
function openaiRate(rate: RefusedRate | undefined): string[] {
  if (rate === undefined) return [];
  const what = rate.measure === "calls" ? "requests" : "tokens";
  const headers = [`x-ratelimit-limit-${what}`, String(rate.limit), `x-ratelimit-remaining-${what}`, String(rate.left)];
  return rate.waitMs === null ? headers : [...headers, `x-ratelimit-reset-${what}`, `${Math.ceil(rate.waitMs / 1_000)}s`];
}

/** Anthropic's own headers for its limits (API reference, "Rate limits: response headers"). */
function anthropicRate(rate: RefusedRate | undefined): string[] {
  if (rate === undefined) return [];
  const head = `anthropic-ratelimit-${rate.measure === "calls" ? "requests" : "tokens"}`;
  const headers = [`${head}-limit`, String(rate.limit), `${head}-remaining`, String(rate.left)];
  return rate.resetsMs === null ? headers : [...headers, `${head}-reset`, new Date(rate.resetsMs).toISOString()];
}

/** Ollama's shape has the message alone. `code` is ours, and its clients pass over it. */
export function ollamaRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ error: message, code }), headers: [] };
}

/** `code` is ours: Cohere's shape has a message, and an id where there was an answer. */
export function cohereRefusal({ code, message }: Refusal): RefusalBody {
  return { text: JSON.stringify({ message, code }), headers: [] };
}

/** AWS's shape names the error in a header, before which its clients do not look into the body: `code` there is ours. */
export function bedrockRefusal({ status, code, message }: Refusal): RefusalBody {
  const type = bedrockTypes[status] ?? (status < 500 ? "ValidationException" : "InternalServerException");
  return { text: JSON.stringify({ message, code }), headers: ["x-amzn-errortype", type] };
}

const googleStatuses: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ALREADY_EXISTS",
  429: "RESOURCE_EXHAUSTED",
  501: "UNIMPLEMENTED",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** Google's shape; `code` is the reason of its ErrorInfo, in capitals as those are (google.rpc.ErrorInfo). */
export function geminiRefusal({ status, code, message }: Refusal): RefusalBody {
  const reason = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: code.toUpperCase(), domain: "pennyworth" };
  const name = googleStatuses[status] ?? (status < 500 ? "INVALID_ARGUMENT" : "INTERNAL");
  return { text: JSON.stringify({ error: { code: status, message, status: name, details: [reason] } }), headers: [] };
}
