// The line that makes a first call, for pages that have nothing to show yet.

import type { Status } from "./api.ts";

export function toFirstCall(status: Status | undefined): string {
  const path = status?.sandbox === false ? "/to/sandbox/v1/chat/completions" : "/v1/chat/completions";
  const key = status?.keysNeeded === true ? ' -H "x-pennyworth-key: YOUR_KEY"' : "";
  const body = JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello" }] });
  return `curl ${location.origin}${path} -H "content-type: application/json"${key} -d '${body}'`;
}
