// `/api/v1/outcomes/waiting`: statements of how tasks ended that nobody has heard of, so that a slip in a task's name is found. Not here: how they are
// said (outcomes.ts). Invariant: what is listed waits when it is asked; as soon as a call names the task, or it is begun, it waits no more.

import { createRoute, z } from "@hono/zod-openapi";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { parseLimit } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { statement, toStatement } from "./said.ts";
import { fresh, freshness, position } from "./schema.ts";

const waitingMax = 500;
const limit = z
  .string()
  .optional()
  .openapi({ description: `Most tasks given, 1 to ${waitingMax}; 50 unless told.` });
/** Statements of one task that are shown. */
const statementsMax = 20;

export const waitingAnswer = z
  .object({
    tasks: z
      .array(
        z.object({
          task: z.string(),
          count: z.int().min(1).openapi({ description: "Statements of it." }),
          statements: z.array(statement).openapi({ description: `The latest ${statementsMax}, the earliest of them first.` }),
        }),
      )
      .openapi({ description: "The one of which something was said last comes first." }),
    truncated: z.boolean().openapi({ description: "There are more." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("OutcomesWaiting");

export function addWaiting(app: Api, context: ApiContext): void {
  const route = createRoute({
    security,
    middleware: needs("read", context),
    method: "get",
    path: "/api/v1/outcomes/waiting",
    summary: "Statements of tasks that nobody has heard of",
    description: "They wait for their task, and count as soon as a call names it or it is begun. A slip in a task's name waits for ever.",
    request: { query: z.strictObject({ limit, fresh }) },
    responses: { 200: json("The tasks.", waitingAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const freshly = await waited(context, asked.fresh);
    const found = await context.ledger.waiting(parseLimit(asked.limit, 50, waitingMax));
    const tasks = found.tasks.map(async ({ task, statements }) => ({
      task,
      count: statements.length,
      statements: await Promise.all(statements.slice(-statementsMax).map((one) => toStatement(one, context.names))),
    }));
    return c.json({ tasks: await Promise.all(tasks), truncated: found.truncated, position: found.position, ...freshly }, 200);
  });
}
