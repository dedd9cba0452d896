// What the end of a try means: its status on record, whether it may be tried again, what the client is told. Pure tables of cases.

import type { CallStatus } from "../core/call.ts";
import { PennyworthError } from "../error.ts";
import type { AnswerFacts } from "../providers/format.ts";
import { noCredential, type Outcome } from "./attempt.ts";

/** Causes that a retry policy can name. */
export type Retriable = "429" | "5xx" | "timeout" | "connect";

/** An answer that came to its end. A stream without its format's own end is complete only if it said why it finished. */
export function statusOfAnswer(
  httpStatus: number | null,
  facts: AnswerFacts | null,
  asked: { readonly streamed: boolean; readonly background: boolean },
): CallStatus {
  if (httpStatus !== null && httpStatus >= 300) return "failed";
  if (asked.background && facts?.complete === false) return "presumed";
  if (facts !== null && facts.error !== null) return "failed";
  if (asked.streamed && facts !== null && !facts.complete && facts.finish === null) return "cut";
  return "complete";
}

/** A try that ended before its answer was complete. */
export function statusOfOutcome({ kind, httpStatus, facts }: Outcome): CallStatus {
  if (kind === "unsent") return "unreached";
  // Providers do not bill a refusal, however the connection ended after it.
  if (httpStatus !== null && httpStatus >= 300) return "failed";
  switch (kind) {
    case "answered":
      return "complete";
    case "cancelled":
      // Nothing of the answer was read: it may have been generated to its end.
      return facts === null ? "presumed" : "aborted";
    case "silent":
    case "failed":
      return "presumed";
    case "broke":
      return httpStatus === null ? "presumed" : "cut";
  }
}

/** What goes on record as the try's error; null when there was none. */
export function errorOfOutcome({ kind, cause, httpStatus }: Outcome, clientGone: boolean): string | null {
  if (kind === "cancelled") return clientGone ? "client_gone" : "shutdown";
  return cause ?? (httpStatus !== null && httpStatus >= 300 ? String(httpStatus) : null);
}

/** Which cause for another try this outcome is; null: none, the answer had begun. */
export function retriable({ kind, httpStatus }: Outcome): Retriable | null {
  if (httpStatus !== null) return retriableStatus(httpStatus);
  return kind === "silent" ? "timeout" : kind === "cancelled" ? null : "connect";
}

export function retriableStatus(httpStatus: number): Retriable | null {
  return httpStatus === 429 ? "429" : httpStatus >= 500 ? "5xx" : null;
}

/** What the client is told when no answer came. @param internal logs an error of ours, and says so. */
export function failure(
  { kind, cause, bug }: Outcome,
  provider: string,
  limit: number,
  internal: (bug: unknown) => PennyworthError,
): PennyworthError {
  switch (kind) {
    case "failed":
      return internal(bug);
    case "unsent":
      if (cause?.startsWith(noCredential) === true)
        return new PennyworthError("provider_credential", { provider, cause: cause.slice(noCredential.length) });
      return new PennyworthError("provider_unreachable", { provider, cause: cause ?? "unknown" });
    case "silent":
      return new PennyworthError("provider_timeout", { provider, limit });
    case "cancelled":
      return new PennyworthError("draining");
    case "broke":
    case "answered":
      return new PennyworthError("provider_broke", { provider, cause: cause ?? "unknown" });
  }
}
