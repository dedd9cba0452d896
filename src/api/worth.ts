// `/api/v1/worth`: an agent against a person, and the map of task types. What the question leaves out, the ledger may fill in. Not here: the reckoning
// (weigh.ts, map.ts), what the ledger knows (filled.ts).

import { createRoute } from "@hono/zod-openapi";
import type { ApiContext } from "./context.ts";
import { factsByType, fill } from "./filled.ts";
import { placeTypes } from "./map.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { toAnswer } from "./weigh.ts";
import { mapAnswer, mapWanted, worthAnswer, worthWanted } from "./weighed.ts";

export function addWorth(app: Api, context: ApiContext): void {
  const reads = { security, middleware: needs("read", context), method: "post" } as const;

  const worth = createRoute({
    ...reads,
    path: "/api/v1/worth",
    summary: "Is an agent worth it, against a person or the value of the work",
    description: "Nothing is put on record. Amounts are estimates, reckoned exactly and rounded once; parts add up.",
    request: { body: { required: true, content: { "application/json": { schema: worthWanted } } } },
    responses: { 200: json("The verdict, with its sum, its break-even and what would turn it.", worthAnswer), ...failures },
  });
  app.openapi(worth, async (c) => {
    const wanted = c.req.valid("json");
    if (wanted.fromLedger === undefined) return c.json(toAnswer(wanted), 200);
    const { filled, said } = await fill(wanted, wanted.fromLedger, context);
    return c.json(toAnswer(said, filled), 200);
  });

  const map = createRoute({
    ...reads,
    path: "/api/v1/worth/map",
    summary: "Task types by time to do, time to check and damage, with the sweet spot",
    request: { body: { required: true, content: { "application/json": { schema: mapWanted } } } },
    responses: { 200: json("Each type and where it lies.", mapAnswer), ...failures },
  });
  app.openapi(map, async (c) => {
    const wanted = c.req.valid("json");
    if (wanted.fromLedger === undefined) return c.json(placeTypes(wanted), 200);
    const { facts, truncated } = await factsByType(wanted.fromLedger, context);
    return c.json(placeTypes(wanted, facts, truncated), 200);
  });
}
