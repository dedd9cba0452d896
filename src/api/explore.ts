// What the pages need beside sums: the values of a field to pick from, and up to where the numbers are. Not here: reports (report.ts).
// Invariant: names of people and customers are matched as names, and the ledger is never asked for one that it does not know.

import { createRoute } from "@hono/zod-openapi";
import type { ReportField } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { isNamed, toName, toTokens } from "./names.ts";
import { invalid, parseField, parseFilters, parseLimit, parseSpan, parseZone } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { positionAnswer, values, valuesQuery } from "./views.ts";

const valuesMax = 1_000;
/** Customers or users that are looked through for a name: the dearest. */
const namesMax = 10_000;

export function addExplore(app: Api, context: ApiContext): void {
  const shared = { method: "get", security, middleware: needs("read", context) } as const;

  const list = createRoute({
    ...shared,
    path: "/api/v1/values",
    summary: "The values of a field, the dearest first",
    request: { query: valuesQuery },
    responses: { 200: json("The values.", values), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const field: ReportField = parseField(asked.field);
    if (field === "call") throw invalid("every call has an id of its own: list them by /api/v1/calls");
    const limit = parseLimit(asked.limit, 20, valuesMax);
    const zone = parseZone(asked.zone, nowMs);
    const text = asked.search?.trim() ?? "";
    // The ledger knows tokens: names are looked through here.
    const byName = isNamed(field) && text !== "";
    const found = await context.ledger.report({
      by: [field],
      ...parseSpan(asked, nowMs, zone),
      filters: toTokens(parseFilters(asked.filter), context.names),
      limit: byName ? namesMax : limit,
      ...(text === "" || byName ? {} : { search: text }),
    });
    const all = await Promise.all(
      found.rows.map(async ({ group: [value = null], calls, cost, unpriced, unmetered }) => ({
        value: await toName(field, value, context.names),
        calls,
        cost,
        unpriced,
        unmetered,
      })),
    );
    const kept = byName ? all.filter(({ value }) => value?.toLowerCase().includes(text.toLowerCase()) === true) : all;
    return c.json({ field, values: kept.slice(0, limit), truncated: kept.length > limit || found.truncated }, 200);
  });

  const position = createRoute({
    ...shared,
    path: "/api/v1/position",
    summary: "Up to where the numbers are",
    description: "Asks no store and costs next to nothing: poll it, and ask again for numbers when `position` has moved.",
    responses: { 200: json("Where the store and the journal are.", positionAnswer), ...failures },
  });
  app.openapi(position, (c) => c.json({ ...context.position(), nowMs: context.now() }, 200));
}
