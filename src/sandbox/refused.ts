// A request that the sandbox does not take, and how each wire format words an error. Not for faults asked for on purpose: those are answers.
// Invariant: every error body is one that the format's own SDK can read.

/** `google-list` is Google's within a list, as its streamed arrays begin with it. */
export type Wording = "openai" | "anthropic" | "aws" | "google" | "google-list" | "ollama" | "cohere";

/** Thrown while a request is read: becomes a 400 (or `status`) in the words of its format. */
export class Refused extends Error {
  readonly param: string | null;
  readonly status: number;
  /** The error's own name, where its format has one that does not follow from the status. */
  readonly type: string | null;

  constructor(message: string, param: string | null = null, status = 400, type: string | null = null) {
    super(message);
    this.name = "Refused";
    this.param = param;
    this.status = status;
    this.type = type;
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

const awsTypes: Readonly<Record<number, string>> = {
  400: "ValidationException",
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  405: "ValidationException",
  413: "ValidationException",
  429: "ThrottlingException",
  500: "InternalServerException",
  503: "ServiceUnavailableException",
  529: "ServiceUnavailableException",
};

/** The name of AWS's exception for a status. */
export function toAwsType(status: number): string {
  return awsTypes[status] ?? "InternalServerException";
}

/** Headers that a format gives with an error: name, value, name, value …. `type`: an exception's own name. */
export function errorHeaders(wording: Wording, status: number, type: string | null = null): readonly string[] {
  return wording === "aws" ? ["x-amzn-errortype", `${type ?? toAwsType(status)}:http://internal.amazon.com/coral/com.amazon.bedrock/`] : [];
}

const googleStatuses: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  529: "UNAVAILABLE",
};

/** The error's JSON text. */
export function errorBody(wording: Wording, status: number, message: string, param: string | null, request: string): string {
  switch (wording) {
    case "openai": {
      const [type, code] = openaiTypes[status] ?? ["invalid_request_error", null];
      return JSON.stringify({ error: { message, type, param, code } });
    }
    case "anthropic": {
      const error = { type: anthropicTypes[status] ?? "invalid_request_error", message };
      return JSON.stringify({ type: "error", error, request_id: request });
    }
    case "aws":
      return JSON.stringify({ message });
    case "google":
      return JSON.stringify({ error: { code: status, message, status: googleStatuses[status] ?? "INVALID_ARGUMENT" } });
    case "google-list":
      return `[${errorBody("google", status, message, param, request)}]`;
    case "ollama":
      return JSON.stringify({ error: message });
    case "cohere":
      return JSON.stringify({ id: request, message });
  }
}
