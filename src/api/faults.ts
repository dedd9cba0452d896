// What a schema finds wrong, in words for people: each by the place that it is about. Not here: which code it is refused with. Pure.

import type { z } from "@hono/zod-openapi";

/** @param said so many of them at most. */
export function faultsOf(error: z.ZodError, said: number): string[] {
  return error.issues.slice(0, said).map((issue) => {
    const place = issue.path.join(".");
    if (issue.code === "unrecognized_keys") return `unknown ${issue.keys.map((name) => JSON.stringify(name)).join(", ")}`;
    if (place !== "" && issue.message.endsWith(", received undefined")) return `${place} is missing`;
    const words = issue.message.replace(/^Invalid input: expected (.+), received (.+)$/, "expected $1, not $2");
    return place === "" ? words : `${place}: ${words}`;
  });
}
