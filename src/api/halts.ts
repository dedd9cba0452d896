// `/api/v1/halts`: the switch that stops everything below a node at once, and lets it go on; and tasks of agents that were stopped.
// Not here: what is refused meanwhile (guard/). Invariant: who threw it, and when, is on record.

import { createRoute, z } from "@hono/zod-openapi";
import type { Halt } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import { readScope } from "../guard/settings.ts";
import type { ApiContext } from "./context.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { ms, text } from "./schema.ts";
import { edgesOf, type Named, namesOf, orInvalid, which } from "./terms.ts";

export const haltShown = z
  .object({
    id: z.string(),
    for: which.openapi({ description: "Which calls are refused; all of them where no field is named." }),
    atMs: ms,
    by: z.string(),
    note: text,
  })
  .openapi("Halt");
export const haltsAnswer = z.object({ nowMs: ms, halts: z.array(haltShown) }).openapi("Halts");
export const resumed = z.object({ id: z.string(), resumed: z.literal(true) }).openapi("Resumed");

export async function toHalt({ id, scope, atMs, by, note }: Halt, names: Named): Promise<z.infer<typeof haltShown>> {
  return { id, for: await names.record(scope as Readonly<Record<string, string>>), atMs, by, note };
}

export function addHalts(app: Api, context: ApiContext): void {
  const administers = { security, middleware: needs("administer", context) } as const;

  const list = createRoute({
    security,
    middleware: needs("read", context),
    method: "get",
    path: "/api/v1/halts",
    summary: "What is stopped",
    responses: { 200: json("The oldest first.", haltsAnswer), ...failures },
  });
  app.openapi(list, async (c) => {
    const names = await namesOf(context);
    return c.json({ nowMs: context.now(), halts: await Promise.all(context.guard.halts().map((one) => toHalt(one, names))) }, 200);
  });

  const halt = createRoute({
    ...administers,
    method: "post",
    path: "/api/v1/halts",
    summary: "Stops everything below a node at once",
    description:
      "New calls are refused with `halted` from then on, and those under way are ended, streams in their format's own way. `{}` stops everything.",
    request: {
      body: {
        required: true,
        content: {
          "application/json": { schema: z.strictObject({ for: which, note: z.string().trim().min(1).max(500).nullable().optional() }) },
        },
      },
    },
    responses: { 201: json("It is stopped.", haltShown), ...failures },
  });
  app.openapi(halt, async (c) => {
    const { for: said, note } = c.req.valid("json");
    const edges = await edgesOf(context);
    const scope = orInvalid(() => readScope(said, edges));
    const made = context.guard.halt(scope, c.get("identity")?.name ?? "admin", note ?? null);
    edges.learn();
    return c.json(await toHalt(made, await namesOf(context)), 201);
  });

  const resume = createRoute({
    ...administers,
    method: "delete",
    path: "/api/v1/halts/{id}",
    summary: "Lets go on what was stopped",
    request: { params: z.object({ id: z.string().min(1).max(200) }) },
    responses: { 200: json("It goes on.", resumed), ...failures, ...notFound },
  });
  app.openapi(resume, (c) => {
    const { id } = c.req.valid("param");
    if (!context.guard.resume(id, c.get("identity")?.name ?? "admin")) throw new PennyworthError("halt_unknown", { id });
    return c.json({ id, resumed: true } as const, 200);
  });

  const tree = createRoute({
    ...administers,
    method: "post",
    path: "/api/v1/trees/{root}/resume",
    summary: "Lets a task go on that was stopped, and all below it",
    description: "Its caps are counted from now on. What stands stopped above it still stops it.",
    request: {
      params: z.object({
        root: z.string().min(1).max(1_000).openapi({ description: "The task that was stopped: of a whole tree, its root." }),
      }),
    },
    responses: { 200: json("It goes on.", resumed), ...failures, ...notFound },
  });
  app.openapi(tree, (c) => {
    const { root } = c.req.valid("param");
    if (!context.guard.resumeTree(root, c.get("identity")?.name ?? "admin")) throw new PennyworthError("tree_unknown", { id: root });
    return c.json({ id: root, resumed: true } as const, 200);
  });
}
