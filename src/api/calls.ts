// Calls: the list by pages, one call as recorded, its receipt, and the check that every receipt recomputes.
// Not here: how a receipt is made (receipt.ts). Invariant: exact numbers leave as strings; a page never repeats a call.

import { createRoute, z } from "@hono/zod-openapi";
import { total } from "../core/charge.ts";
import { formatUsd, parseUsd, type Pico, sum, toPico } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { CallRecord } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { readRecord, waited } from "./fresh.ts";
import { nameAttribution, toTokens } from "./names.ts";
import { clipZone, invalid, parseFilters, parseLimit, parseSpan, parseZone } from "./query.ts";
import { checkCharges, toReceipt } from "./receipt.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { callRecord, callsPage, callsQuery, check, receipt } from "./schema.ts";

const pageMax = 1_000;
const checkMax = 5_000;
const params = z.object({ id: z.string().min(1).max(200).openapi({ description: "The call's id, from x-pennyworth-call; or `last`." }) });

export function addCalls(app: Api, context: ApiContext): void {
  const shared = { method: "get", security, middleware: needs("read", context) } as const;

  const list = createRoute({
    ...shared,
    path: "/api/v1/calls",
    summary: "Calls, newest first",
    request: { query: callsQuery },
    responses: { 200: json("One page.", callsPage), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const filters = parseFilters(asked.filter);
    if (filters.some((filter) => filter.field === "class")) throw invalid("calls cannot be filtered by class; a report can");
    const fresh = await waited(context, asked.fresh);
    const zone = parseZone(asked.zone, nowMs);
    const span = parseSpan(asked, nowMs, zone);
    const clipped = clipZone(zone, span.sinceMs, span.untilMs ?? nowMs);
    const page = await context.ledger.calls({
      ...span,
      ...(clipped === undefined ? {} : { zone: clipped }),
      filters: toTokens(filters, context.names),
      cursor: asked.cursor ?? null,
      limit: parseLimit(asked.limit, 50, pageMax),
    });
    const calls = page.calls.map(async (call) => ({
      ...call,
      unpriced: [...call.unpriced],
      attribution: await nameAttribution(call.attribution, context.names),
    }));
    return c.json({ calls: await Promise.all(calls), cursor: page.cursor, ...fresh }, 200);
  });

  const one = createRoute({
    ...shared,
    path: "/api/v1/calls/{id}",
    summary: "One call, with everything on record",
    request: { params },
    responses: { 200: json("The call.", callRecord), ...failures, ...notFound },
  });
  app.openapi(one, async (c) => {
    const { id, start, end, witnesses } = await readCall(c.req.valid("param").id, context);
    if (end === null) return c.json({ id, start: copyStart(start), end, witnesses: [...witnesses] }, 200);
    const { charges, ...rest } = end;
    const bare = { ...rest, usage: copyUsage(end.usage), cost: formatUsd(total(charges)), unpriced: [...end.unpriced] };
    return c.json({ id, start: copyStart(start), end: bare, witnesses: [...witnesses] }, 200);
  });

  const itsReceipt = createRoute({
    ...shared,
    path: "/api/v1/calls/{id}/receipt",
    summary: "A call's receipt: every line of its cost, recomputed",
    request: { params },
    responses: { 200: json("The receipt.", receipt), ...failures, ...notFound },
  });
  app.openapi(itsReceipt, async (c) => {
    const made = toReceipt(await readCall(c.req.valid("param").id, context), context.prices.source);
    return c.json({ ...made, start: copyStart(made.start) }, 200);
  });

  const checked = createRoute({
    ...shared,
    path: "/api/v1/check",
    summary: "Recomputes receipts, some thousands at a time",
    request: {
      query: z.strictObject({
        after: z.string().max(200).optional().openapi({ description: "The `after` of the step before." }),
        limit: z.string().optional(),
      }),
    },
    responses: { 200: json("What held, and what did not.", check), ...failures },
  });
  app.openapi(checked, async (c) => {
    const asked = c.req.valid("query");
    const limit = parseLimit(asked.limit, 1_000, checkMax);
    const records = await context.ledger.scan(asked.after ?? null, limit);
    const problems = records.flatMap((record) => checkCharges(record).map((problem) => ({ call: record.id, problem })));
    return c.json(
      {
        checked: records.length,
        charges: records.reduce((count, record) => count + (record.end?.charges.length ?? 0), 0),
        cost: formatUsd(sum(records.map(standingOf))),
        problems,
        after: records.length < limit ? null : (records.at(-1)?.id ?? null),
      },
      200,
    );
  });
}

/** What a call comes to in its own month: what was booked for it later is in others. */
function standingOf({ end, bookings = [] }: CallRecord): Pico {
  const booked = sum(bookings.map(({ cost }) => parseUsd(cost)));
  return toPico(total(end?.charges ?? []) - booked);
}

/** A call that has only just ended is waited for. @throws PennyworthError `call_unknown`. `last` is the call that started last. */
async function readCall(id: string, context: ApiContext): Promise<CallRecord> {
  const { ledger } = context;
  if (id === "last") await ledger.caughtUp();
  const wanted = id === "last" ? await readLastId(context) : id;
  const record = wanted === null ? null : await readRecord(wanted, context);
  if (record === null) throw new PennyworthError("call_unknown", { id });
  if (record.start === null) return record;
  return { ...record, start: { ...record.start, attribution: await nameAttribution(record.start.attribution, context.names) } };
}

async function readLastId(context: ApiContext): Promise<string | null> {
  const page = await context.ledger.calls({ sinceMs: null, untilMs: null, filters: [], cursor: null, limit: 1 });
  return page.calls[0]?.id ?? null;
}

// The schemas' arrays are mutable, the domain's are not: copies keep the domain's untouched.
function copyStart(start: CallRecord["start"]) {
  return start === null ? null : { ...start, toolNames: [...start.toolNames], prefix: [...start.prefix], edits: [...start.edits] };
}

function copyUsage(usage: NonNullable<CallRecord["end"]>["usage"]) {
  if (usage === null) return null;
  const { sources, ...rest } = usage;
  const parts = usage.parts.map((part) => ({ ...part, quantities: { ...part.quantities } as Record<string, number> }));
  const copy = { ...rest, parts, doubts: [...usage.doubts] };
  return sources === undefined ? copy : { ...copy, sources: { ...sources } as Record<string, NonNullable<typeof usage.source>> };
}
