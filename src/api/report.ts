// GET /api/v1/report: sums over calls, by any recorded fields. The store does the sums; here is what is asked, and names for tokens.

import { createRoute } from "@hono/zod-openapi";
import type { ReportField, ReportRow } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toName, toTokens } from "./names.ts";
import { clipZone, invalid, isTimeField, parseFields, parseFilters, parseLimit, parseSpan, parseZone } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { report, reportQuery } from "./schema.ts";

const topMax = 100;

export function addReport(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/report",
    summary: "What calls cost, by any recorded fields",
    security,
    middleware: needs("read", context),
    request: { query: reportQuery },
    responses: { 200: json("The sums.", report), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const by = parseFields(asked.by);
    const zone = parseZone(asked.zone, nowMs);
    const { sinceMs, untilMs } = parseSpan(asked, nowMs, zone);
    const clipped = clipZone(zone, sinceMs, untilMs ?? nowMs);
    if (asked.top !== undefined && by.every(isTimeField)) throw invalid("top needs a field in by that is no time");
    const fresh = await waited(context, asked.fresh);
    const found = await context.ledger.report({
      by,
      sinceMs,
      untilMs,
      filters: toTokens(parseFilters(asked.filter), context.names),
      limit: parseLimit(asked.limit, 100, context.rowsMax),
      ...(clipped === undefined ? {} : { zone: clipped }),
      ...(asked.top === undefined ? {} : { top: parseLimit(asked.top, topMax, topMax) }),
      ...(asked.latency === "true" ? { latency: true } : {}),
    });
    const toRow = async (row: ReportRow) => ({ ...row, group: await toGroup(by, row, context) });
    return c.json(
      {
        by: [...by],
        sinceMs,
        untilMs,
        zone: asked.zone ?? "UTC",
        rows: await Promise.all(found.rows.map(toRow)),
        total: { ...found.total, group: {} },
        truncated: found.truncated,
        position: found.position,
        ...fresh,
      },
      200,
    );
  });
}

async function toGroup(by: readonly ReportField[], row: ReportRow, context: ApiContext): Promise<Record<string, string | null>> {
  const pairs = by.map(async (field, index) => [field, await toName(field, row.group[index] ?? null, context.names)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}
