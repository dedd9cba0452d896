// GET /api/v1/overview: what is spent now, today and this month against the same stretch before, what it goes to, and what needs attention.
// It is composed of reports: each number is what /api/v1/report says for the same question. Not here: sums.

import { createRoute, type z } from "@hono/zod-openapi";
import { parseUsd } from "../core/money.ts";
import { dayMs, hourMs } from "../core/time.ts";
import { offsetAt, toUtc, type ZoneOffset } from "../core/zone.ts";
import { addRows } from "../ledger/rows.ts";
import type { Filter, Report, ReportField, ReportRow, Span } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toName } from "./names.ts";
import { parseLimit, parseSpan, parseZone } from "./query.ts";
import { gapsOf } from "./reconcile.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { incidents as incidentsAnswer, incidentsQuery, overview, overviewQuery } from "./views.ts";

const goals = ["feature", "agent", "team", "model", "provider", "customer"] as const satisfies readonly ReportField[];
/** Fields that say of a call that it needs a look. */
const signs = ["differs", "disputed"] as const satisfies readonly ReportField[];
const goalRows = 5;
/** A budget used to so much needs a look, in percent. */
const nearPercent = 80n;
/** More refusals than these are not counted. */
const refusalsMax = 100;
/** Most groups of all those fields together that are worth fetching. */
const mixedRowsMax = 2_000;

/** What of a span's calls needs a look, with the filter that finds them. */
const concerns = [
  { kind: "unpriced", filter: { field: "unpriced", operator: "=", value: "true" } },
  { kind: "unmetered", filter: { field: "unmetered", operator: "=", value: "true" } },
  { kind: "doubtful", filter: { field: "doubtful", operator: "=", value: "true" } },
  { kind: "presumed", filter: { field: "presumed", operator: "=", value: "true" } },
  { kind: "failed", filter: { field: "failed", operator: "=", value: "true" } },
  { kind: "differs", filter: { field: "differs", operator: "=", value: "yes" } },
  { kind: "disputed", filter: { field: "disputed", operator: "=", value: "yes" } },
] as const satisfies readonly { readonly kind: string; readonly filter: Filter }[];

export function addOverview(app: Api, context: ApiContext): void {
  const shared = { method: "get", security, middleware: needs("read", context) } as const;
  const route = createRoute({
    ...shared,
    path: "/api/v1/overview",
    summary: "Spend now, today and this month, against before; what it goes to; what needs attention",
    request: { query: overviewQuery },
    responses: { 200: json("The overview.", overview), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const zone = parseZone(asked.zone, nowMs);
    const fresh = await waited(context, asked.fresh);
    const { hour, today, month } = spansOf(nowMs, zone ?? []);
    const hours = hoursOf(today.now, zone ?? []);
    const ask = (by: readonly ReportField[], limit: number): Promise<Report> =>
      context.ledger.report({ by, ...month.now, filters: [], limit });
    const mixedMax = Math.min(mixedRowsMax, context.rowsMax);
    const [told, mixed, customers, mishaps, status] = await Promise.all([
      // The hours of a day are read for its sum.
      context.ledger.totals([hour.now, hour.before, today.now, today.before, month.before, ...hours]),
      // One question for all fields of few values.
      ask([...signs, ...goals.slice(0, -1)], mixedMax),
      ask(["customer"], goalRows),
      context.ledger.incidents({ ...month.now, limit: 1_000 }),
      context.status(),
    ]);
    const [inHour, beforeHour, inDay, beforeDay, beforeMonth, ...byHour] = told.totals.map(toSums);
    const compared = ({ now, before }: typeof hour, is: Sums | undefined, was: Sums | undefined) => {
      if (is === undefined || was === undefined) throw new TypeError("the store left out a sum that was asked for");
      return { ...now, now: is, before: { ...before, sums: was } };
    };
    const thisMonth = compared(month, toSums(mixed.total), beforeMonth);
    // Where they make too many groups together, one for each.
    const marked = mixed.truncated ? (await ask(signs, 100)).rows : mixed.rows;
    const byField = async (field: ReportField, index: number): Promise<readonly ReportRow[]> =>
      mixed.truncated ? (await ask([field], goalRows)).rows : merge(mixed.rows, signs.length + index);
    const goesTo = await Promise.all(
      goals.map(async (field, index) => ({ field, rows: field === "customer" ? customers.rows : await byField(field, index) })),
    );
    const goesToRows = goesTo.map(async ({ field, rows }) => ({
      field,
      rows: await Promise.all(
        rows.slice(0, goalRows).map(async (row) => ({ value: await toName(field, row.group[0] ?? null, context.names), ...toSums(row) })),
      ),
    }));
    const yes = (index: number): number => marked.reduce((sum, row) => sum + (row.group[index] === "yes" ? row.calls : 0), 0);
    const count = (kind: (typeof concerns)[number]["kind"]): number =>
      kind === "differs" ? yes(0) : kind === "disputed" ? yes(1) : thisMonth.now[kind];
    const attention = [
      ...concerns.map(({ kind, filter }) => ({ kind, count: count(kind), filter: `${filter.field}=${filter.value}` })),
      { kind: "gap" as const, count: mishaps.incidents.filter(({ kind }) => kind === "gap").length, filter: null },
      { kind: "clock" as const, count: mishaps.incidents.filter(({ kind }) => kind === "clock").length, filter: null },
      { kind: "refused" as const, count: status.store.refused, filter: null },
    ].filter((one) => one.count > 0);
    return c.json(
      {
        nowMs,
        zone: asked.zone ?? "UTC",
        hour: compared(hour, inHour, beforeHour),
        today: compared(today, inDay, beforeDay),
        month: thisMonth,
        goesTo: (await Promise.all(goesToRows)).filter(({ rows }) => rows.some(({ value }) => value !== null)),
        attention,
        hours: byHour.flatMap(({ calls, cost, periodCost }, index) => {
          const atMs = hours[index]?.sinceMs;
          return atMs === undefined || (calls === 0 && periodCost === "0") ? [] : [{ atMs, cost }];
        }),
        guard: guarded(context, today.now.sinceMs),
        gaps: gapsOf(context.statements.list()),
        position: mixed.position,
        ...fresh,
      },
      200,
    );
  });

  const list = createRoute({
    ...shared,
    path: "/api/v1/incidents",
    summary: "Gaps in the record and jumps of the clock, newest first",
    request: { query: incidentsQuery },
    responses: { 200: json("What is not in the numbers, or puts them in doubt.", incidentsAnswer), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const span = parseSpan(asked, nowMs, parseZone(asked.zone, nowMs));
    const found = await context.ledger.incidents({ ...span, limit: parseLimit(asked.limit, 100, 1_000) });
    return c.json({ incidents: [...found.incidents], truncated: found.truncated }, 200);
  });
}

/** What of budgets, halts and agents needs a look. */
function guarded({ guard, alerts }: ApiContext, sinceMs: number): z.infer<typeof overview>["guard"] {
  const fullest = guard.budgets(1).flatMap(({ standings }) => standings.slice(0, 1));
  const near = fullest.filter(({ allowance, left }) => allowance <= 0n || (allowance - left) * 100n >= allowance * nearPercent);
  return {
    halts: guard.halts().length,
    budgets: near.length,
    usedUp: near.filter(({ left }) => left <= 0n).length,
    refused: guard.refused({ sinceMs, budget: null, limit: refusalsMax }).length,
    losing: alerts.losing().map(({ type, agent, summary }) => ({ type, agent, summary })),
  };
}

/**
 * The last hour, today and this month, each with the same stretch before it: the hour before, yesterday up to the same time, last month up to the
 * same day and time, or to its end where it is shorter. Until the end of this millisecond, so that the newest call is in it.
 */
export function spansOf(nowMs: number, zone: readonly ZoneOffset[]) {
  const untilMs = nowMs + 1;
  const local = new Date(nowMs + offsetAt(zone, nowMs));
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
  const at = (localMs: number): number => (zone.length === 0 ? localMs : toUtc(zone, localMs));
  const timeMs = local.getTime() - Date.UTC(year, month, day);
  const today = at(Date.UTC(year, month, day));
  const yesterday = at(Date.UTC(year, month, day - 1));
  const thisMonth = at(Date.UTC(year, month));
  const lastMonth = at(Date.UTC(year, month - 1));
  const sameDay = Date.UTC(year, month - 1, day) < Date.UTC(year, month) ? at(Date.UTC(year, month - 1, day) + timeMs) + 1 : thisMonth;
  return {
    hour: { now: { sinceMs: untilMs - hourMs, untilMs }, before: { sinceMs: untilMs - 2 * hourMs, untilMs: untilMs - hourMs } },
    today: {
      now: { sinceMs: today, untilMs },
      before: { sinceMs: yesterday, untilMs: Math.min(today, at(Date.UTC(year, month, day) + timeMs - dayMs) + 1) },
    },
    month: { now: { sinceMs: thisMonth, untilMs }, before: { sinceMs: lastMonth, untilMs: Math.min(thisMonth, sameDay) } },
  };
}

/** The hours of a day as its clock has them: one that is cut short where clocks change is one as well. */
function hoursOf({ sinceMs, untilMs }: Span, zone: readonly ZoneOffset[]): Span[] {
  const hours: Span[] = [];
  for (let ms = sinceMs; ms < untilMs;) {
    const nextMs = ms + hourMs - ((ms + offsetAt(zone, ms)) % hourMs);
    hours.push({ sinceMs: ms, untilMs: Math.min(nextMs, untilMs) });
    ms = nextMs;
  }
  return hours;
}

/** Rows by one of their fields, added up, dearest first. */
function merge(rows: readonly ReportRow[], index: number): ReportRow[] {
  const groups = new Map<string | null, ReportRow[]>();
  for (const row of rows) {
    const value = row.group[index] ?? null;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  }
  const merged = [...groups].map(([value, members]) => addRows([value], members));
  const picoOf = new Map(merged.map((row) => [row, parseUsd(row.cost)]));
  return merged.toSorted((a, b) => {
    const [x, y] = [picoOf.get(a) ?? 0n, picoOf.get(b) ?? 0n];
    return x === y ? b.calls - a.calls : x < y ? 1 : -1;
  });
}

type Sums = ReturnType<typeof toSums>;

function toSums({ group: _group, quantity: _quantity, latency: _latency, rest: _rest, ...sums }: ReportRow) {
  return sums;
}
