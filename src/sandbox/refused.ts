// A request that the sandbox does not take, and how each wire format words an error. Not for faults asked for on purpose: those are answers.
// Invariant: every error body is one that the format's own SDK can read.

export type Wording = "openai" | "anthropic";

/** Thrown while a request is read: becomes a 400 (or `status`) in the words of its format. */
export class Refused extends Error {
  readonly param: string | null;
  readonly status: number;

  constructor(message: string, param: string | null = null, status = 400) {
    super(message);
    this.name = "Refused";
    this.param = param;
    this.status = status;
  }
}

const openaiTypes: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  401: ["invalid_request_error", "invalid_api_key"],
  403: ["invalid_request_error", "forbidden"],
  429: ["requests", "rate_limit_exceeded"],
  500: ["server_error", null],
  503: ["server_error", "overloaded"],
  529: ["server_error", "overloaded"],
};

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "api_error",
  529: "overloaded_error",
};

/** The error's JSON text. */
export function errorBody(wording: Wording, status: number, message: string, param: string | null, request: string): string {
  if (wording === "anthropic") {
    const error = { type: anthropicTypes[status] ?? "invalid_request_error", message };
    return JSON.stringify({ type: "error", error, request_id: request });
  }
  const [type, code] = openaiTypes[status] ?? ["invalid_request_error", null];
  return JSON.stringify({ error: { message, type, param, code } });
}
