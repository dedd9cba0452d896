// `/healthz` and `/readyz`: what a supervisor or a load balancer asks, without a token. They say no more than it needs to know.
// Not here: what an administrator sees (state.ts). Invariant: ready means that a call would be recorded; the store, which follows by
// itself, never keeps calls away.

import { createRoute } from "@hono/zod-openapi";
import type { ApiContext } from "./context.ts";
import { type Api, json } from "./route.ts";
import { alive, ready } from "./schema.ts";

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
    summary: "Whether calls would be recorded",
    responses: { 200: json("The journal can be written.", ready), 503: json("Not now; `reason` says why.", ready) },
  });
  app.openapi(readiness, (c) => {
    const cause = context.unwritable();
    return cause === null
      ? c.json({ status: "ready" as const, reason: null }, 200, uncached)
      : c.json({ status: "unready" as const, reason: `the journal cannot be written (${cause})` }, 503, {
          ...uncached,
          "retry-after": "1",
        });
  });
}
