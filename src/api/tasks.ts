// Tasks: what belongs together as one piece of work, with its money and how it ended, and the tree of one. Not here: how calls come to name a task (gateway/).

import { createRoute, z } from "@hono/zod-openapi";
import { attributionLimits } from "../core/call.ts";
import { PennyworthError } from "../error.ts";
import type { RunRow } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { nameAttribution, toName, toTokens } from "./names.ts";
import { invalid, parseFilters, parseLimit, parseSpan, parseZone } from "./query.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { task, tasks, tasksQuery } from "./views.ts";

const tasksMax = 500;
const callsMax = 2_000;

export function addTasks(app: Api, context: ApiContext): void {
  const shared = { method: "get", security, middleware: needs("read", context) } as const;
  const toNamed = async <Row extends RunRow>(run: Row) => ({ ...run, customer: await toName("customer", run.customer, context.names) });

  const list = createRoute({
    ...shared,
    path: "/api/v1/tasks",
    summary: "Tasks of a span, those of one root as one",
    description:
      "With calls in it: sums are of the calls of the span that pass the filters. Without any call: begun in it, charged or spoken of; its cost is that of its charges, and filters see what was said when it was begun. How a task ended is of all of it. The last seven days, unless `since` says otherwise.",
    request: { query: tasksQuery },
    responses: { 200: json("The tasks.", tasks), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const zone = parseZone(asked.zone, nowMs);
    const filters = parseFilters(asked.filter);
    if (filters.some((filter) => filter.field === "class")) throw invalid("tasks cannot be filtered by class; a report can");
    const fresh = await waited(context, asked.fresh);
    const span = parseSpan(asked.since === undefined && asked.until === undefined ? { ...asked, since: "7d" } : asked, nowMs, zone);
    const found = await context.ledger.runs({
      ...span,
      filters: toTokens(filters, context.names),
      order: asked.order ?? "newest",
      ended: asked.ended ?? null,
      nowMs: context.entryMs(),
      openMs: context.openMs,
      limit: parseLimit(asked.limit, 50, tasksMax),
      ...(zone === undefined ? {} : { zone }),
    });
    return c.json(
      { ...span, tasks: await Promise.all(found.runs.map(toNamed)), truncated: found.truncated, position: found.position, ...fresh },
      200,
    );
  });

  const one = createRoute({
    ...shared,
    path: "/api/v1/tasks/{id}",
    summary: "A task's tree: its tasks and its calls",
    request: {
      params: z.object({
        id: z.string().min(1).max(attributionLimits.valueLengthMax).openapi({ description: "The task, or the root of several." }),
      }),
    },
    responses: { 200: json("The task.", task), ...failures, ...notFound },
  });
  app.openapi(one, async (c) => {
    const { id } = c.req.valid("param");
    const found = await context.ledger.run(id, callsMax);
    if (found === null) throw new PennyworthError("task_unknown", { id });
    const calls = found.calls.map(async (call) => ({
      ...call,
      unpriced: [...call.unpriced],
      attribution: await nameAttribution(call.attribution, context.names),
    }));
    return c.json(
      {
        task: await toNamed(found.run),
        nodes: await Promise.all(found.nodes.map(toNamed)),
        calls: await Promise.all(calls),
        truncated: found.truncated,
      },
      200,
    );
  });
}
