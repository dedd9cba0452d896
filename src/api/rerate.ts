// `/api/v1/rerates`: rates calls anew, as a job whose progress can be looked at. Not here: the pass over the calls (ledger/duckdb/rerate.ts).
// Invariant: a dry run puts nothing on record; a run puts corrections on record, and never edits what stands.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { monthOf } from "../core/month.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { RerateDay } from "../ledger/rerate.ts";
import * as schema from "./books.ts";
import { closedUntil } from "./close.ts";
import type { ApiContext } from "./context.ts";
import { lagBytesOf } from "./fresh.ts";
import { parseTime } from "./query.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";

/** Calls of one entry: a line of the journal is read whole. */
const entryCalls = 1_000;
/** Jobs that are kept to be looked at. */
const jobsMax = 50;

type Shown = z.infer<typeof schema.rerate>;
type Job = { -readonly [K in keyof Shown]: Shown[K] };

export function addRerates(app: Api, context: ApiContext): void {
  const jobs = new Map<string, Job>();
  const shown = (job: Job): Shown => ({ ...job, lagBytes: job.waiting ? lagBytesOf(context.position()) : null });

  const start = createRoute({
    method: "post",
    path: "/api/v1/rerates",
    summary: "Rates calls anew, or shows what that would change",
    description:
      "Each call at the prices of its own time, as they are known now. What differs is put on record as a correction; originals stay.",
    security,
    middleware: needs("administer", context),
    request: { body: { required: true, content: { "application/json": { schema: schema.rerateWanted } } } },
    responses: { 202: json("It has begun.", schema.rerate), ...failures, ...conflict },
  });
  app.openapi(start, async (c) => {
    const wanted = c.req.valid("json");
    const nowMs = context.entryMs();
    const [sinceMs, untilMs] = [parseTime("since", wanted.since, nowMs), parseTime("until", wanted.until, nowMs)];
    const knownMs = parseTime("known", wanted.known, nowMs);
    const requireOpen = (): number | null => {
      const closedUntilMs = closedUntil(context);
      if (closedUntilMs === null || wanted.dryRun || wanted.intoOpen || (sinceMs ?? 0) >= closedUntilMs) return closedUntilMs;
      throw new PennyworthError("period_closed", {
        month: monthOf(closedUntilMs - 1),
        detail: `Re-rate from ${new Date(closedUntilMs).toISOString().slice(0, 10)} on, or book the difference now (--into-open).`,
      });
    };
    const closedUntilMs = requireOpen();
    if ([...jobs.values()].some(({ state }) => state === "running"))
      throw new PennyworthError("store_busy", { detail: "it rates calls anew already" });
    const { provider = null, model = null } = wanted;
    const job: Job = {
      id: `rerate_${randomUUID()}`,
      state: "running",
      problem: null,
      startedMs: nowMs,
      dryRun: wanted.dryRun,
      sinceMs,
      untilMs,
      knownMs,
      provider,
      model,
      closedUntilMs,
      waiting: true,
      lagBytes: null,
      done: 0,
      total: 0,
      calls: 0,
      days: null,
    };
    jobs.set(job.id, job);
    for (const id of jobs.keys()) if (jobs.size > jobsMax) jobs.delete(id);
    void run(context, job, requireOpen);
    return c.json(shown(job), 202);
  });

  const list = createRoute({
    method: "get",
    path: "/api/v1/rerates",
    summary: "Re-ratings since the server was started, the newest first",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The re-ratings.", schema.rerates), ...failures },
  });
  app.openapi(list, (c) => c.json({ rerates: [...jobs.values()].toReversed().map(shown) }, 200));

  const one = createRoute({
    method: "get",
    path: "/api/v1/rerates/{id}",
    summary: "How far a re-rating is, and what it came to",
    security,
    middleware: needs("read", context),
    request: { params: z.object({ id: z.string().min(1).max(100) }) },
    responses: { 200: json("The re-rating.", schema.rerate), ...failures, ...notFound },
  });
  app.openapi(one, (c) => {
    const { id } = c.req.valid("param");
    const job = jobs.get(id);
    if (job === undefined) throw new PennyworthError("rerate_unknown", { id });
    return c.json(shown(job), 200);
  });
}

/**
 * Over all that is on record, to its end, and until what it put on record can be seen: a pass over half a ledger would leave calls out, or
 * correct what was corrected before. However long the store takes: a month may be closed meanwhile.
 * @param requireOpen throws where that forbids it; gives up to where the books are closed.
 */
async function run(context: ApiContext, job: Job, requireOpen: () => number | null): Promise<void> {
  try {
    await context.ledger.caughtUp(null);
    job.waiting = false;
    job.closedUntilMs = requireOpen();
    const days = await pass(context, job);
    job.waiting = !job.dryRun;
    if (!job.dryRun) await context.ledger.caughtUp(null);
    job.days = days;
    job.state = "done";
  } catch (error) {
    job.state = "failed";
    job.problem = error instanceof PennyworthError ? error.message : "Something went wrong inside Pennyworth.";
    if (!(error instanceof PennyworthError)) context.onError(job.id, error);
  } finally {
    job.waiting = false;
  }
}

/** Page by page: the next one is asked for when the last is on record. */
async function pass(context: ApiContext, job: Job): Promise<Shown["days"]> {
  const { sinceMs, untilMs, provider, model, knownMs } = job;
  const rerating = await context.rerate({ sinceMs, untilMs, provider, model, knownMs });
  try {
    for (;;) {
      const { calls, done, total, days } = await rerating.next();
      job.done = done;
      job.total = total;
      job.calls += calls.length;
      for (let from = 0; !job.dryRun && from < calls.length; from += entryCalls)
        context.record({ kind: "rerated", rerate: job.id, atMs: job.startedMs, calls: calls.slice(from, from + entryCalls) });
      if (days !== null) return days.map(toDay);
    }
  } finally {
    await rerating.close().catch(() => undefined);
  }
}

function toDay(day: RerateDay): NonNullable<Shown["days"]>[number] {
  return { ...day, difference: formatUsd(parseUsd(day.after) - parseUsd(day.before)) };
}
