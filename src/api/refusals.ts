// What the guard did: calls that it refused, why one call was let in or not, calls of which nobody knows how they ended, and what the guard
// itself cost. Not here: budgets (budgets.ts), the switch (halts.ts). Invariant: names of customers are shown to those who may read reports.

import { createRoute, z } from "@hono/zod-openapi";
import { parseName } from "../core/account.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { type Against, refusalCodes, type Refused } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import type { Why } from "../guard/access.ts";
import { amountsOf } from "../guard/plan.ts";
import { takenBy } from "../guard/taken.ts";
import type { ApiContext } from "./context.ts";
import { readRecord } from "./fresh.ts";
import { haltShown, toHalt } from "./halts.ts";
import { nameAttribution } from "./names.ts";
import { parseLimit, parseTime } from "./query.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { attribution, count, ms, text, time, usd } from "./schema.ts";
import { amount, measure, type Named, namesOf, toText, values } from "./terms.ts";

const against = z.object({
  budget: z.string(),
  values,
  measure: measure.nullable().openapi({ description: "null: the budget is not there any more, and nobody can say what was counted." }),
  left: amount.nullable(),
  limit: amount.nullable(),
  needed: amount.nullable().openapi({ description: "What the call asked for; null: nobody could say." }),
  resetsMs: ms.nullable().openapi({ description: "null: not by itself." }),
});
const refused = z
  .object({
    id: z.string(),
    request: z.string(),
    atMs: ms,
    code: z.enum(refusalCodes),
    detail: z.string(),
    attribution,
    key: text,
    provider: z.string(),
    model: text,
    against: z.array(against).openapi({ description: "The budgets in the way, as they stood then." }),
    stopped: text.openapi({ description: "The task that was stopped with it, and all below that; null: none." }),
  })
  .openapi("Refused");
export const refusalsAnswer = z.object({ nowMs: ms, refusals: z.array(refused) }).openapi("Refusals");

const place = z.object({ budget: z.string(), values });
export const whyAnswer = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("refused"), refused }).openapi("WhyRefused"),
    z
      .object({
        kind: z.enum(["open", "settled", "presumed"]),
        call: z.string(),
        atMs: ms,
        bound: usd.nullable().openapi({ description: "What was held for it: what it can cost at most; null: nobody can say." }),
        taken: usd.nullable().openapi({ description: "What it took; null: it is under way." }),
        budgets: z.array(place).openapi({ description: "Those that it holds or held on." }),
        uncovered: z.array(place).openapi({ description: "Those that let it in without a bound." }),
        warned: z.array(place).openapi({ description: "Those that would have refused it, were they hard." }),
      })
      .openapi("WhyAdmitted"),
  ])
  .openapi("Why");

export const guardAnswer = z
  .object({
    nowMs: ms,
    sinceMs: ms.openapi({ description: "Since when is counted: the start of the server." }),
    tally: z.object({
      admitted: count,
      refused: count,
      capped: count.openapi({ description: "Calls that a cap was put into." }),
      lowered: count.openapi({ description: "Calls whose own cap was made lower." }),
      degraded: count,
      waited: count,
      cut: count.openapi({ description: "Streams that were ended because the money was gone." }),
      cutCost: usd.openapi({ description: "What those had cost by then." }),
      shortened: count.openapi({ description: "Answers that ended at a cap which the guard had put in or made lower." }),
      shortenedCost: usd,
      breaches: count.openapi({ description: "Settlements above their hold: a bound that did not hold." }),
    }),
    waiting: count.openapi({ description: "Calls that wait for their turn." }),
    halts: z.array(haltShown),
    trees: z.array(
      z.object({
        root: z.string(),
        startedMs: ms,
        lastMs: ms,
        tasks: count,
        calls: count,
        idle: usd.openapi({ description: "Spent since it showed something new." }),
        state: z.enum(["running", "warned", "slowed", "stopped"]),
        reason: text,
      }),
    ),
  })
  .openapi("Guard");

export const presumedAnswer = z
  .object({ nowMs: ms, calls: z.array(z.object({ call: z.string(), atMs: ms, bound: usd.nullable() })) })
  .openapi("Presumed");
export const settled = z.object({ call: z.string(), cost: usd }).openapi("SettledPresumed");

const limitOf = (usual: number) =>
  z
    .string()
    .optional()
    .openapi({ description: `Most rows; ${usual} unless told.` });

export function addRefusals(app: Api, context: ApiContext): void {
  const reads = { security, middleware: needs("read", context) } as const;

  const list = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/refusals",
    summary: "Calls that were not let in, and what stood in the way",
    description: "The newest `guard.refusalsMax`; the journal has all.",
    request: {
      query: z.strictObject({
        since: time("From then on."),
        budget: z.string().max(200).optional().openapi({ description: "Only by this one." }),
        limit: limitOf(100),
      }),
    },
    responses: { 200: json("The newest first.", refusalsAnswer), ...failures },
  });
  app.openapi(list, async (c) => {
    const { since, budget, limit } = c.req.valid("query");
    const nowMs = context.now();
    const sinceMs = parseTime("since", since, nowMs);
    const found = context.guard.refused({ sinceMs, budget: budget ?? null, limit: parseLimit(limit, 100, context.rowsMax) });
    const names = await namesOf(context);
    return c.json({ nowMs, refusals: await Promise.all(found.map((one) => toRefused(one, context, names))) }, 200);
  });

  const why = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/guard/why/{call}",
    summary: "Why a call was let in, or not",
    request: { params: z.object({ call: z.string().min(1).max(200).openapi({ description: "The id of a call or a refusal." }) }) },
    responses: { 200: json("What the guard knows of it.", whyAnswer), ...failures, ...notFound },
  });
  app.openapi(why, async (c) => {
    const { call } = c.req.valid("param");
    const found = context.guard.why(call) ?? (await whyOnRecord(call, context));
    if (found === null) throw new PennyworthError("why_unknown", { id: call });
    return c.json(await toWhy(found, context), 200);
  });

  const guard = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/guard",
    summary: "What the guard did since the start: its tally, what is stopped, who waits, and trees of tasks",
    request: {
      query: z.strictObject({ trees: z.string().optional().openapi({ description: "Most trees, the latest first; 100 unless told." }) }),
    },
    responses: { 200: json("The guard.", guardAnswer), ...failures },
  });
  app.openapi(guard, async (c) => {
    const { cutPico, shortenedPico, ...counts } = context.guard.tally();
    const names = await namesOf(context);
    const trees = context.guard.trees(parseLimit(c.req.valid("query").trees, 100, context.rowsMax));
    return c.json(
      {
        nowMs: context.now(),
        sinceMs: context.startedMs,
        tally: { ...counts, cutCost: formatUsd(cutPico), shortenedCost: formatUsd(shortenedPico) },
        waiting: context.guard.waiting(),
        halts: await Promise.all(context.guard.halts().map((one) => toHalt(one, names))),
        trees: trees.map(({ idlePico, ...tree }) => Object.assign(tree, { idle: formatUsd(idlePico) })),
      },
      200,
    );
  });

  const presumed = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/presumed",
    summary: "Calls of which nobody knows how they ended: they count as what they can have cost at most",
    request: { query: z.strictObject({ limit: limitOf(100) }) },
    responses: { 200: json("The oldest first.", presumedAnswer), ...failures },
  });
  app.openapi(presumed, (c) => {
    const found = context.guard.presumed(parseLimit(c.req.valid("query").limit, 100, context.rowsMax));
    const calls = found.map(({ call, atMs, boundPico }) => ({ call, atMs, bound: boundPico === null ? null : formatUsd(boundPico) }));
    return c.json({ nowMs: context.now(), calls }, 200);
  });

  const settle = createRoute({
    security,
    middleware: needs("administer", context),
    method: "post",
    path: "/api/v1/presumed",
    summary: "Says what a presumed call really cost, for its budgets",
    description: "The call stays presumed on record, until a provider or a trace says what it was.",
    request: {
      body: {
        required: true,
        content: {
          "application/json": {
            schema: z.strictObject({ call: z.string().min(1).max(200), cost: z.string().max(100).openapi({ example: "0.02" }) }),
          },
        },
      },
    },
    responses: { 200: json("It counts as this from now on.", settled), ...failures, ...notFound },
  });
  app.openapi(settle, (c) => {
    const { call, cost } = c.req.valid("json");
    const pico = toPicos(cost);
    if (!context.guard.settle(call, pico, c.get("identity")?.name ?? "admin")) throw new PennyworthError("presumed_unknown", { id: call });
    return c.json({ call, cost: formatUsd(pico) }, 200);
  });
}

function toPicos(cost: string): bigint {
  try {
    const pico = parseUsd(cost.replace(/^\$/, ""));
    if (pico >= 0n) return pico;
  } catch (cause) {
    throw wrongCost(cost, cause);
  }
  throw wrongCost(cost);
}

function wrongCost(cost: string, cause?: unknown): PennyworthError {
  const detail = `the cost is ${JSON.stringify(cost)}: expected dollars, zero or more, with at most twelve decimals`;
  return new PennyworthError("request_malformed", { detail }, cause);
}

async function toRefused(one: Refused, context: ApiContext, names: Named): Promise<z.infer<typeof refused>> {
  return {
    ...one,
    detail: await names.text(one.detail),
    attribution: await nameAttribution(one.attribution, context.names),
    key: one.key === null ? null : await names.value("key", one.key),
    against: await Promise.all(one.against.map((other) => toAgainst(other, context, names))),
  };
}

async function toAgainst(one: Against, context: ApiContext, names: Named): Promise<z.infer<typeof against>> {
  const budget = context.guard.budget(one.budget, 0)?.budget ?? null;
  const shown = (value: bigint | null): string | null => (value === null || budget === null ? null : toText(value, budget.measure));
  return {
    budget: one.budget,
    values: await names.values(budget?.each ?? null, one.values),
    measure: budget?.measure ?? null,
    left: shown(one.left),
    limit: shown(one.limit),
    needed: shown(one.needed),
    resetsMs: one.resetsMs,
  };
}

/** What the record says of a call that the guard remembers no more; null: nothing, or no budget stood over it. */
async function whyOnRecord(call: string, context: ApiContext): Promise<Why | null> {
  const { start = null, end = null } = (await readRecord(call, context)) ?? {};
  if (start?.guard === undefined || end === null) return null;
  const bound = amountsOf(start.hold);
  const { atMost, ...known } = end;
  // What it can have been at most is over when a later witness has said what it was.
  const isKnown = atMost === undefined || end.usage?.source === "reported";
  const { kind, amounts } = takenBy(isKnown ? known : end, bound);
  const said = kind === "presumed" ? context.guard.said(call) : null;
  return {
    kind: kind === "presumed" && said === null ? "presumed" : "settled",
    call,
    atMs: start.startMs,
    boundPico: bound.money,
    takenPico: said ?? amounts.money,
    ...start.guard,
  };
}

async function toWhy(why: Why, context: ApiContext): Promise<z.infer<typeof whyAnswer>> {
  const names = await namesOf(context);
  if (why.kind === "refused") return { kind: why.kind, refused: await toRefused(why.refused, context, names) };
  const { boundPico, takenPico, budgets, uncovered, warned, ...rest } = why;
  const places = (all: readonly string[]) =>
    Promise.all(
      all.map(async (account) => {
        const { id, values: said } = parseName(account);
        return { budget: id, values: await names.values(context.guard.budget(id, 0)?.budget.each ?? null, said) };
      }),
    );
  return {
    ...rest,
    bound: boundPico === null ? null : formatUsd(boundPico),
    taken: takenPico === null ? null : formatUsd(takenPico),
    budgets: await places(budgets),
    uncovered: await places(uncovered),
    warned: await places(warned),
  };
}
