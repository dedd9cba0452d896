// GET /api/v1/work: work that outlasts its request (batches, background responses, fine-tuning, caches), as it stands.
// Not here: following it. Invariant: no credential is in it, and what is not followed says why.

import { createRoute } from "@hono/zod-openapi";
import type { Work } from "../core/work.ts";
import type { ApiContext } from "./context.ts";
import { nameAttribution } from "./names.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { workAnswer } from "./schema.ts";

export function addWork(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/work",
    summary: "Work that outlasts its request: open, and recently ended",
    description: "Ended work is listed since the server started: the latest hundred.",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The oldest open work first; of the ended the latest first.", workAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const { open, ended } = context.works();
    const nowMs = context.now();
    const shown = async ({ attribution, id, kind, provider, ref, model, startMs, tokens, expiresMs }: Work) => {
      return { id, kind, provider, ref, model, startMs, tokens, expiresMs, attribution: await nameAttribution(attribution, context.names) };
    };
    const stands = open.toSorted((a, b) => a.work.startMs - b.work.startMs);
    return c.json(
      {
        nowMs,
        open: await Promise.all(stands.map(async ({ work, ...rest }) => Object.assign(await shown(work), rest))),
        ended: await Promise.all(ended.map(async ({ work, ...rest }) => Object.assign(await shown(work), rest))),
      },
      200,
    );
  });
}
