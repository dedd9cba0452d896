// How the server is: its status, and the order to rebuild the store.
// Invariant: a provider's credential is named as there or not there, and never shown.

import { createRoute, z } from "@hono/zod-openapi";
import type { ApiContext } from "./context.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { statusAnswer } from "./schema.ts";

export function addState(app: Api, context: ApiContext): void {
  const status = createRoute({
    method: "get",
    path: "/api/v1/status",
    summary: "How the server is",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The state.", statusAnswer), ...failures },
  });
  app.openapi(status, async (c) => {
    const now = await context.status();
    return c.json(
      {
        version: context.version,
        startedMs: context.startedMs,
        nowMs: context.now(),
        ...now,
        providers: now.providers.map(({ name, formats, credential }) => ({ name, formats: [...formats], credential })),
      },
      200,
    );
  });

  const rebuild = createRoute({
    method: "post",
    path: "/api/v1/store/rebuild",
    summary: "Drops the store and builds it anew from the journal",
    security,
    middleware: needs("administer", context),
    responses: { 202: json("It has begun; the status shows how far it is.", z.object({ rebuilding: z.literal(true) })), ...failures },
  });
  app.openapi(rebuild, async (c) => {
    await context.rebuild();
    return c.json({ rebuilding: true as const }, 202);
  });
}
