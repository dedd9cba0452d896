// `GET /api/v1/credits`: who paid for what was used: free allowances, credits paid ahead, or nobody yet. Not here: the order in which they are
// drawn down (core/credit.ts). Invariant: nothing of it is on record; it is worked out from the ledger's days and the settings each time, and
// of every day and model the parts add up to the list cost.

import { createRoute, z } from "@hono/zod-openapi";
import type { AllowanceSettings } from "../config.ts";
import { type Allowance, type Credit, type Draw, drawDown, type DrawDown, periodOf, type Use } from "../core/credit.ts";
import { formatUsd, parseUsd, type Pico, sum, toPico, zero } from "../core/money.ts";
import { compareText } from "../core/order.ts";
import { dayMs } from "../core/time.ts";
import { isUsageClass } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { readAllowances, readCredits } from "../prices/prepaid.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { parseSpan } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { className, count, fresh, freshness, ms, text, time, usd } from "./schema.ts";

/** Rows of one question to the store; a span with more is asked in halves. */
const rowsMax = 10_000;

const parts = {
  cost: usd.openapi({ description: "At the prices in force, whoever pays." }),
  allowances: usd.openapi({ description: "Of the cost, what free allowances covered." }),
  credits: usd.openapi({ description: "Of the cost, what credits paid." }),
  owed: usd.openapi({ description: "What is left of the cost." }),
};

export const creditsQuery = z.strictObject({
  since: time("From this day on, UTC: days count whole."),
  until: time("Up to the end of the day in which this is, unless it is a day's start."),
  fresh,
});

export const creditsAnswer = z
  .object({
    sinceMs: ms.nullable(),
    untilMs: ms,
    total: z.object(parts),
    credits: z.array(
      z.object({
        id: z.string(),
        provider: text.openapi({ description: "null: whichever." }),
        amount: usd,
        fromMs: ms,
        expiresMs: ms.nullable(),
        drawn: usd.openapi({ description: "In the span." }),
        left: usd.openapi({ description: "At the end of the span, before it lapses." }),
        lapsed: usd.openapi({ description: "What was left when it expired, by the end of the span." }),
        state: z.enum(["ahead", "open", "spent", "lapsed"]),
      }),
    ),
    allowances: z.array(
      z.object({
        id: z.string(),
        provider: z.string(),
        model: z.string(),
        classes: z.array(className),
        units: count,
        every: z.enum(["day", "month", "once"]),
        fromMs: ms.nullable(),
        toMs: ms.nullable(),
        period: z
          .object({ fromMs: ms.nullable(), toMs: ms.nullable(), left: count })
          .nullable()
          .openapi({ description: "The one in which the span ends; null: the allowance does not hold then." }),
        drawn: count.openapi({ description: "Units, in the span." }),
        saved: usd.openapi({ description: "Their cost, in the span." }),
        lapsed: count.openapi({ description: "Units left unused in periods that ended in the span, from the first use on." }),
      }),
    ),
    days: z.array(z.object({ day: z.string(), ...parts })),
    models: z.array(
      z.object({
        provider: z.string(),
        model: text,
        ...parts,
        unpriced: count.openapi({ description: "Calls with a usage that has no price: the cost is more than this, by an unknown amount." }),
      }),
    ),
    draws: z
      .array(
        z.object({
          id: z.string(),
          by: z.enum(["allowance", "credit"]),
          provider: z.string(),
          model: text,
          units: count.nullable(),
          cost: usd,
        }),
      )
      .openapi({ description: "What each paid of each model, in the span." }),
    unpriced: count.openapi({ description: "Calls in the span with a usage that has no price: their cost is unknown, and nobody's." }),
    ...freshness,
  })
  .openapi("Credits");

type Answer = z.infer<typeof creditsAnswer>;

export function addCredits(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/credits",
    summary: "Free allowances and prepaid credits: what they paid, what is left and what is owed",
    security,
    middleware: needs("read", context),
    request: { query: creditsQuery },
    responses: { 200: json("Balances, and the draws of the span by day and by model.", creditsAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const span = parseSpan(asked, nowMs);
    const isFresh = await waited(context, asked.fresh);
    const settings = context.settings();
    const sinceMs = span.sinceMs === null ? null : Math.floor(span.sinceMs / dayMs) * dayMs;
    const untilMs = Math.ceil((span.untilMs ?? nowMs + 1) / dayMs) * dayMs;
    const allowances = readAllowances(settings.allowances);
    const credits = readCredits(settings.credits);
    const { uses, unpriced, unpricedOf } = await readUses(context, startOf(sinceMs, allowances, credits), sinceMs, untilMs);
    const result = drawDown(uses, allowances, credits);
    const within = (use: Use): boolean => sinceMs === null || use.dayMs >= sinceMs;
    const owed = result.owed.filter(({ use }) => within(use));
    const draws = result.draws.filter(({ use }) => within(use));
    const endMs = Math.min(untilMs, nowMs);
    return c.json(
      {
        sinceMs,
        untilMs,
        total: toParts(owed, draws),
        credits: credits.map((credit) => toCreditShown(credit, result, draws, endMs)),
        allowances: settings.allowances.map((one, index) =>
          toAllowanceShown(one, allowances[index] as Allowance, result, draws, { sinceMs: sinceMs ?? firstDay(uses), endMs }),
        ),
        days: [...grouped(owed, draws, (use) => String(use.dayMs))].map(([day, of]) =>
          Object.assign({ day: new Date(Number(day)).toISOString().slice(0, 10) }, toParts(of.owed, of.draws)),
        ),
        models: [...grouped(owed, draws, (use) => JSON.stringify([use.provider, use.model]))]
          .map(([key, of]) => {
            const [provider, model] = JSON.parse(key) as [string, string | null];
            return Object.assign({ provider, model, unpriced: unpricedOf.get(key) ?? 0 }, toParts(of.owed, of.draws));
          })
          .sort((a, b) => compareText(a.provider, b.provider) || compareText(a.model ?? "", b.model ?? "")),
        draws: toDraws(draws),
        unpriced,
        ...isFresh,
      },
      200,
    );
  });
}

/** The first day that bears on a span: what a credit or an allowance has left depends on all that was drawn from it before. */
function startOf(sinceMs: number | null, allowances: readonly Allowance[], credits: readonly Credit[]): number | null {
  if (sinceMs === null) return null;
  const starts = allowances.map((allowance) => {
    const period = periodOf(allowance, sinceMs);
    return period === null ? sinceMs : period.fromMs;
  });
  if (starts.includes(null)) return null;
  return Math.min(sinceMs, ...starts.map(Number), ...credits.map(({ fromMs }) => fromMs));
}

/** The ledger's sums by day, provider, model and class. What is unpriced, in all and by provider and model, counts from `sinceMs` on. */
async function readUses(
  context: ApiContext,
  fromMs: number | null,
  sinceMs: number | null,
  untilMs: number,
): Promise<{ readonly uses: readonly Use[]; readonly unpriced: number; readonly unpricedOf: ReadonlyMap<string, number> }> {
  const by = ["day", "provider", "model", "class"] as const;
  const uses: Use[] = [];
  const read = async (from: number | null, to: number): Promise<void> => {
    const found = await context.ledger.report({ by, sinceMs: from, untilMs: to, filters: [], limit: rowsMax });
    if (found.truncated) {
      const first = from ?? Math.min(...found.rows.map(({ group }) => Date.parse(group[0] ?? "")));
      const days = Math.round((to - first) / dayMs);
      if (days <= 1) throw new PennyworthError("query_invalid", { detail: `a day has more than ${rowsMax} models and classes` });
      const middle = first + Math.floor(days / 2) * dayMs;
      await read(from, middle);
      return read(middle, to);
    }
    for (const { group, quantity, cost } of found.rows) {
      const [day, provider, model = null, name] = group;
      if (typeof day !== "string" || typeof provider !== "string" || typeof name !== "string" || !isUsageClass(name)) continue;
      uses.push({ dayMs: Date.parse(day), provider, model, class: name, quantity, costPico: parseUsd(cost) });
    }
  };
  await read(fromMs, untilMs);
  const { total, rows } = await context.ledger.report({ by: ["provider", "model"], sinceMs, untilMs, filters: [], limit: rowsMax });
  const unpricedOf = new Map(rows.map(({ group, unpriced }) => [JSON.stringify([group[0], group[1] ?? null]), unpriced]));
  return { uses, unpriced: total.unpriced, unpricedOf };
}

function firstDay(uses: readonly Use[]): number {
  return uses.reduce((first, use) => Math.min(first, use.dayMs), Infinity);
}

interface Of {
  readonly owed: { readonly use: Use; readonly costPico: Pico }[];
  readonly draws: Draw[];
}

function grouped(owed: DrawDown["owed"], draws: readonly Draw[], keyOf: (use: Use) => string): ReadonlyMap<string, Of> {
  const groups = new Map<string, Of>();
  const groupOf = (use: Use): Of => {
    const key = keyOf(use);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { owed: [], draws: [] }));
    return group;
  };
  for (const one of owed) groupOf(one.use).owed.push(one);
  for (const draw of draws) groupOf(draw.use).draws.push(draw);
  return groups;
}

function toParts(owed: DrawDown["owed"], draws: readonly Draw[]): Answer["total"] {
  const paid = (by: Draw["by"]): Pico => sum(draws.filter((draw) => draw.by === by).map(({ costPico }) => costPico));
  return {
    cost: formatUsd(sum(owed.map(({ use }) => use.costPico))),
    allowances: formatUsd(paid("allowance")),
    credits: formatUsd(paid("credit")),
    owed: formatUsd(sum(owed.map(({ costPico }) => costPico))),
  };
}

function toCreditShown(credit: Credit, { left }: DrawDown, draws: readonly Draw[], endMs: number): Answer["credits"][number] {
  const { id, provider, amountPico, fromMs, expiresMs } = credit;
  const leftPico = left.credits.find((one) => one.id === id)?.leftPico ?? amountPico;
  const isOver = expiresMs !== null && expiresMs <= endMs;
  return {
    id,
    provider,
    amount: formatUsd(amountPico),
    fromMs,
    expiresMs,
    drawn: formatUsd(drawnOf("credit", id, draws)),
    left: formatUsd(leftPico),
    lapsed: formatUsd(isOver ? leftPico : zero),
    state: leftPico === 0n ? "spent" : isOver ? "lapsed" : fromMs > endMs ? "ahead" : "open",
  };
}

function drawnOf(by: Draw["by"], id: string, draws: readonly Draw[]): Pico {
  return sum(draws.filter((draw) => draw.by === by && draw.id === id).map(({ costPico }) => costPico));
}

function toAllowanceShown(
  { model }: AllowanceSettings,
  allowance: Allowance,
  { left }: DrawDown,
  draws: readonly Draw[],
  { sinceMs, endMs }: { readonly sinceMs: number; readonly endMs: number },
): Answer["allowances"][number] {
  const { id, provider, classes, units, every, fromMs, toMs: lastMs } = allowance;
  const mine = draws.filter((draw) => draw.by === "allowance" && draw.id === id);
  const drawnIn = (from: number | null): number => left.allowances.find((one) => one.id === id && one.fromMs === from)?.drawn ?? 0;
  const period = periodOf(allowance, endMs - 1);
  let lapsed = 0;
  // Period by period: the next one begins where one ends.
  for (let at = Math.max(sinceMs, fromMs ?? sinceMs); at < endMs;) {
    const span = periodOf(allowance, at);
    if (span === null || span.toMs === null) break;
    if (span.toMs <= endMs) lapsed += units - drawnIn(span.fromMs);
    at = span.toMs;
  }
  return {
    id,
    provider,
    model,
    classes: [...classes],
    units,
    every,
    fromMs,
    toMs: lastMs,
    period: period === null ? null : { ...period, left: units - drawnIn(period.fromMs) },
    drawn: mine.reduce((total, draw) => total + (draw.units ?? 0), 0),
    saved: formatUsd(drawnOf("allowance", id, draws)),
    lapsed,
  };
}

/** By who paid and for which model, in the order of the first draw. */
function toDraws(draws: readonly Draw[]): Answer["draws"] {
  const groups = new Map<string, { first: Draw; units: number | null; costPico: Pico }>();
  for (const draw of draws) {
    const key = JSON.stringify([draw.by, draw.id, draw.use.provider, draw.use.model]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: draw, units: draw.units, costPico: draw.costPico });
    else {
      group.units = draw.units === null ? null : (group.units ?? 0) + draw.units;
      group.costPico = toPico(group.costPico + draw.costPico);
    }
  }
  return [...groups.values()].map(({ first: { id, by, use }, units, costPico }) => ({
    id,
    by,
    provider: use.provider,
    model: use.model,
    units,
    cost: formatUsd(costPico),
  }));
}
