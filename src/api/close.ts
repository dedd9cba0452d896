// `/api/v1/closings`: months that move no more. Not here: how a store keeps them still (ledger/duckdb/late.ts). Invariant: a month is closed only
// when all that is on record of it is in its statement, and after all months with calls before it.

import { createRoute, type z } from "@hono/zod-openapi";
import { comparePositions } from "../core/entry.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { isMonth, monthOf, monthSpan } from "../core/month.ts";
import { PennyworthError } from "../error.ts";
import { turns } from "../turn.ts";
import * as schema from "./books.ts";
import type { ApiContext } from "./context.ts";
import { type Api, conflict, failures, json, needs, security } from "./route.ts";
import { type MonthStatement, readStatement } from "./statement.ts";

const triesMax = 5;

export function addClosings(app: Api, context: ApiContext): void {
  /** One at a time: what is looked at must still be so when it is put on record. */
  const inTurn = turns();

  const list = createRoute({
    method: "get",
    path: "/api/v1/closings",
    summary: "Closed months; with `check`, whether their reports still say what they said",
    security,
    middleware: needs("read", context),
    request: { query: schema.closingsQuery },
    responses: { 200: json("In the order in which they were closed.", schema.closings), ...failures },
  });
  app.openapi(list, async (c) => {
    const check = c.req.valid("query").check === "true";
    if (check) await context.ledger.caughtUp();
    const closings = [];
    for (const one of context.closings.list()) {
      const holds = check ? (await readStatement(context.ledger, one.month, context.rowsMax)).hash === one.statement : null;
      closings.push({ ...toShown(one), holds });
    }
    return c.json({ closedUntilMs: closedUntil(context), closings }, 200);
  });

  const close = createRoute({
    method: "post",
    path: "/api/v1/closings",
    summary: "Closes a month: no report over it changes from then on",
    description: "What becomes known of it later is booked when it becomes known. Nothing opens it again.",
    security,
    middleware: needs("administer", context),
    request: { body: { required: true, content: { "application/json": { schema: schema.closeWanted } } } },
    responses: { 200: json("The closing, or what it would be.", schema.closeAnswer), ...failures, ...conflict },
  });
  app.openapi(close, (c) => {
    const wanted = c.req.valid("json");
    return inTurn(async () => c.json(await closeMonth(context, wanted), 200));
  });
}

/** Up to where the books are closed, ms UTC; null: no month is. */
export function closedUntil(context: Pick<ApiContext, "closings">): number | null {
  const ends = context.closings.list().map(({ month }) => monthSpan(month).toMs);
  return ends.length === 0 ? null : Math.max(...ends);
}

type Wanted = z.infer<typeof schema.closeWanted>;

async function closeMonth(context: ApiContext, { month, dryRun, accept }: Wanted): Promise<z.infer<typeof schema.closeAnswer>> {
  if (!isMonth(month))
    throw new PennyworthError("request_malformed", { detail: `the month is ${JSON.stringify(month)}: expected one like 2026-10` });
  await refuse(context, month);
  for (let tries = 1; ; tries += 1) {
    const { total, hash } = await statementOf(context, month);
    const { calls, cost, unpriced, unmetered, presumed, doubtful, periodUnpriced } = total;
    const unsure = { unpriced, unmetered, presumed, doubtful, periodUnpriced };
    const atMs = context.entryMs();
    const closing = { month, atMs, costPico: parseUsd(cost), calls, statement: hash };
    if (dryRun) return { closing: { ...toShown(closing), holds: null }, closed: false, unsure };
    if (!accept && Object.values(unsure).some((count) => count > 0))
      throw new PennyworthError("period_unsure", { month, detail: describe(unsure) });
    // Between the statement and the closing nothing may have come to the month.
    const still = await statementOf(context, month);
    if (still.hash !== hash && tries < triesMax) continue;
    if (still.hash !== hash) throw new PennyworthError("period_open", { month, detail: "what is on record of it keeps changing" });
    await refuse(context, month);
    context.record({ kind: "closed", closing });
    const after = await statementOf(context, month);
    return { closing: { ...toShown(closing), holds: after.hash === hash }, closed: true, unsure };
  }
}

/** @throws PennyworthError `period_closed`, `period_open`, `store_busy`. */
async function refuse(context: ApiContext, month: string): Promise<void> {
  const { fromMs, toMs } = monthSpan(month);
  const untilMs = closedUntil(context);
  if (untilMs !== null && toMs <= untilMs)
    throw new PennyworthError("period_closed", { month, detail: "It was closed before, and that stands." });
  if (context.entryMs() < toMs) throw new PennyworthError("period_open", { month, detail: "it is not over yet, UTC" });
  const openMs = context.closings.openSince();
  if (openMs !== null && openMs < toMs)
    throw new PennyworthError("period_open", { month, detail: `a call that began at ${new Date(openMs).toISOString()} is under way` });
  await context.ledger.caughtUp();
  const { rows } = await context.ledger.report({ by: ["month"], sinceMs: untilMs, untilMs: fromMs, filters: [], limit: context.rowsMax });
  const earlier = rows.filter(({ calls, periodCost, periodUnpriced }) => calls > 0 || periodCost !== "0" || periodUnpriced > 0);
  const first = earlier.map(({ group }) => group[0] ?? "").toSorted()[0];
  if (first !== undefined && first !== monthOf(fromMs))
    throw new PennyworthError("period_open", {
      month,
      detail: `${first}, which is before it, has calls or charges and is open: close that first`,
    });
}

/** @throws PennyworthError `store_busy` where the store does not have all that is on record. */
async function statementOf(context: ApiContext, month: string): Promise<MonthStatement> {
  const { journal } = context.position();
  await context.ledger.caughtUp();
  const { position } = context.position();
  if (position === null || comparePositions(position, journal) < 0)
    throw new PennyworthError("store_busy", { detail: "it does not have all that is on record yet" });
  return readStatement(context.ledger, month, context.rowsMax);
}

function describe({ unpriced, unmetered, presumed, doubtful, periodUnpriced }: z.infer<typeof schema.closeAnswer>["unsure"]): string {
  const parts = [
    [unpriced, "without a price"],
    [unmetered, "without a usage"],
    [presumed, "presumed"],
    [doubtful, "doubtful"],
  ] as const;
  const calls = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const days = periodUnpriced > 0 ? [`${periodUnpriced} days of charges without a price`] : [];
  return [...(calls.length > 0 ? [`of its calls ${calls.join(", ")}`] : []), ...days].join("; ");
}

function toShown({ costPico, ...rest }: ReturnType<ApiContext["closings"]["list"]>[number]) {
  return { ...rest, cost: formatUsd(costPico) };
}
