// What a schema finds wrong, in words for people: each by the place that it is about. Not here: what is valid.

import type { z } from "@hono/zod-openapi";
import { PennyworthError } from "../error.ts";

/** @param said so many of them at most. */
export function faultsOf(error: z.ZodError | null, said: number): string[] {
  if (error === null) return [];
  return error.issues.slice(0, said).map((issue) => {
    const place = issue.path.join(".");
    if (issue.code === "unrecognized_keys") return `unknown ${issue.keys.map((name) => JSON.stringify(name)).join(", ")}`;
    if (place !== "" && issue.message.endsWith(", received undefined")) return `${place} is missing`;
    const words = issue.message.replace(/^Invalid input: expected (.+), received (.+)$/, "expected $1, not $2");
    return place === "" ? words : `${place}: ${words}`;
  });
}

/** A question that its route's schema does not take is refused. @throws PennyworthError `request_malformed`, `query_invalid`. */
export function refuseInvalid(
  result: { readonly success: true } | { readonly success: false; readonly target: string; readonly error: z.ZodError },
): void {
  if (result.success) return;
  throw new PennyworthError(result.target === "json" ? "request_malformed" : "query_invalid", {
    detail: faultsOf(result.error, 5).join("; "),
  });
}
