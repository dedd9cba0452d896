// `/healthz` and `/readyz`: what a supervisor or a load balancer asks, without a token. They say no more than it needs to know.
// Not here: what an administrator sees (state.ts). Invariant: ready means that a call would be recorded and a question answered.

import { createRoute } from "@hono/zod-openapi";
import { PennyworthError } from "../error.ts";
import type { ApiContext } from "./context.ts";
import { type Api, json } from "./route.ts";
import { alive, ready } from "./schema.ts";

/** A store that takes longer than this to say how it is does not answer, ms. */
const answerMsMax = 2_000;

const uncached = { "cache-control": "no-store" } as const;

export function addProbes(app: Api, context: ApiContext): void {
  const health = createRoute({
    method: "get",
    path: "/healthz",
    summary: "Whether the process is up",
    responses: { 200: json("It is.", alive) },
  });
  app.openapi(health, (c) => c.json({ status: "ok" as const }, 200, uncached));

  const readiness = createRoute({
    method: "get",
    path: "/readyz",
    summary: "Whether calls would be recorded and questions answered",
    responses: { 200: json("The journal can be written and the store answers.", ready), 503: json("Not now; `reason` says why.", ready) },
  });
  app.openapi(readiness, async (c) => {
    const reason = await findReason(context);
    return reason === null
      ? c.json({ status: "ready" as const, reason }, 200, uncached)
      : c.json({ status: "unready" as const, reason }, 503, { ...uncached, "retry-after": "1" });
  });
}

/** Why it is not ready, without a word of what only an administrator may know; null when it is. */
async function findReason(context: ApiContext): Promise<string | null> {
  const cause = context.unwritable();
  if (cause !== null) return `the journal cannot be written (${cause})`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), answerMsMax);
  });
  try {
    return (await Promise.race([context.status(), late])) === "late" ? `the store does not answer within ${answerMsMax} ms` : null;
  } catch (error) {
    return `the store does not answer (${error instanceof PennyworthError ? error.code : "internal"})`;
  } finally {
    clearTimeout(timer);
  }
}
