// `/api/v1/budgets`: budgets and rates with what is spent, held, presumed and left; to define them, to take them away, and to grant more.
// Not here: what they do to calls (guard/). Invariant: what the settings define is changed there and nowhere else, and a grant counts once.

import { createRoute, z } from "@hono/zod-openapi";
import { PennyworthError } from "../error.ts";
import { parseAmount } from "../guard/limit.ts";
import { readTerms, toValue } from "../guard/settings.ts";
import { name } from "../terms.ts";
import type { ApiContext } from "./context.ts";
import { faultsOf, refuseInvalid } from "./faults.ts";
import { parseLimit } from "./query.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";
import { ms, text } from "./schema.ts";
import { amount, budget, edgesOf, type Named, namesOf, orInvalid, requireBudget, terms, toShown, toText, values, which } from "./terms.ts";

const standingsMax = 1_000;

export const budgetsAnswer = z.object({ nowMs: ms, budgets: z.array(budget), truncated: z.boolean() }).openapi("Budgets");
export const budgetAnswer = z.object({ nowMs: ms, budget }).openapi("BudgetAnswer");

const grant = z.object({ id: z.string(), budget: z.string(), values, amount, note: text }).openapi("Grant");
export const grantAnswer = z
  .object({
    outcome: z.enum(["granted", "known"]).openapi({ description: "known: a grant of this id was made before, and nothing was done." }),
    grant,
    budget,
  })
  .openapi("GrantAnswer");

const grantWanted = z.strictObject({
  id: z.string().min(1).max(200).openapi({ description: "Once per id: sent again, it counts once." }),
  amount: z.string().max(100).openapi({ description: "In the budget's measure; below zero it takes back.", example: "$50" }),
  for: which.optional().openapi({ description: "Of a budget with `each`, whose allowance it goes to." }),
  note: z.string().trim().min(1).max(500).nullable().optional(),
});

const standingsQuery = (usual: number) =>
  z
    .string()
    .optional()
    .openapi({ description: `Most standings of each budget, the fullest first, 1 to ${standingsMax}; ${usual} unless told.` });
const params = z.object({ id: z.string().min(1).max(200).openapi({ description: "The budget's id." }) });

const kinds = ["budget", "rate"] as const;

/** Without its kind nobody can say what terms are to be checked against: what is wrong with the rest is told of the kind that they fit best. */
function requireKind(said: unknown): void {
  if (typeof said !== "object" || said === null || Array.isArray(said)) return;
  const { kind } = said as { readonly kind?: unknown };
  if (kinds.some((known) => known === kind)) return;
  const errors = kinds.flatMap((known) => terms.safeParse({ ...said, kind: known }).error ?? []);
  const [best = null] = errors.length < kinds.length ? [] : errors.toSorted((a, b) => unknownIn(a) - unknownIn(b));
  const missing = kind === undefined ? "kind is missing: budget or rate" : "kind: expected budget or rate";
  throw new PennyworthError("request_malformed", { detail: [missing, ...faultsOf(best, 5)].join("; ") });
}

function unknownIn({ issues }: z.ZodError): number {
  return issues.reduce((count, issue) => count + (issue.code === "unrecognized_keys" ? issue.keys.length : 0), 0);
}

export function addBudgets(app: Api, context: ApiContext): void {
  const reads = { security, middleware: needs("read", context) } as const;
  const administers = { security, middleware: needs("administer", context) } as const;
  const shown = async (id: string, standings: number, names?: Named) =>
    toShown(requireBudget(id, context, standings), names ?? (await namesOf(context)));

  const list = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/budgets",
    summary: "Budgets and rates, with what is spent, held, presumed and left",
    request: {
      query: z.strictObject({
        standings: standingsQuery(5),
        limit: z.string().optional().openapi({ description: "Most budgets; 1,000 unless told." }),
      }),
    },
    responses: { 200: json("In order of id.", budgetsAnswer), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const limit = parseLimit(asked.limit, 1_000, context.rowsMax);
    const names = await namesOf(context);
    const found = context.guard.budgets(parseLimit(asked.standings, 5, standingsMax));
    const budgets = await Promise.all(found.slice(0, limit).map((one) => toShown(one, names)));
    return c.json({ nowMs: context.now(), budgets, truncated: found.length > limit }, 200);
  });

  const one = createRoute({
    ...reads,
    method: "get",
    path: "/api/v1/budgets/{id}",
    summary: "One budget or rate",
    request: { params, query: z.strictObject({ standings: standingsQuery(100) }) },
    responses: { 200: json("As the next call would be judged by it.", budgetAnswer), ...failures, ...notFound },
  });
  app.openapi(one, async (c) => {
    const standings = parseLimit(c.req.valid("query").standings, 100, standingsMax);
    return c.json({ nowMs: context.now(), budget: await shown(c.req.valid("param").id, standings) }, 200);
  });

  const set = createRoute({
    ...administers,
    method: "put",
    path: "/api/v1/budgets/{id}",
    summary: "Defines a budget or a rate, or gives it other terms",
    description:
      "In the words of the settings file, and whole: what is left out is as usual. What was spent stays, unless the limit counts something else now.",
    request: {
      params: z.object({ id: name.describe("Up to 64 of a-z, 0-9, dot, dash and underscore.") }),
      body: { required: true, content: { "application/json": { schema: terms } } },
    },
    responses: { 200: json("As it stands now.", budgetAnswer), ...failures, ...notFound, ...conflict },
  });
  app.openapi(
    set,
    async (c) => {
      const { id } = c.req.valid("param");
      const edges = await edgesOf(context);
      context.guard.set(orInvalid(() => readTerms(id, c.req.valid("json"), edges)));
      edges.learn();
      return c.json({ nowMs: context.now(), budget: await shown(id, 100) }, 200);
    },
    (result) => {
      if (!result.success && result.target === "json") requireKind((result as { readonly data?: unknown }).data);
      refuseInvalid(result);
      return undefined;
    },
  );

  const unset = createRoute({
    ...administers,
    method: "delete",
    path: "/api/v1/budgets/{id}",
    summary: "Takes a budget or a rate away",
    description: "Calls under way settle as if it were there. The journal keeps what it was.",
    request: { params },
    responses: { 200: json("As it stood last.", budgetAnswer), ...failures, ...notFound, ...conflict },
  });
  app.openapi(unset, async (c) => {
    const { id } = c.req.valid("param");
    const before = await shown(id, 100);
    if (!context.guard.unset(id)) requireBudget(id, context, 0);
    return c.json({ nowMs: context.now(), budget: before }, 200);
  });

  const give = createRoute({
    ...administers,
    method: "post",
    path: "/api/v1/budgets/{id}/grants",
    summary: "Grants more, in the window under way",
    description: "Once per id of the grant. A grant ends with its window, save for what is carried over. Below zero it takes back.",
    request: { params, body: { required: true, content: { "application/json": { schema: grantWanted } } } },
    responses: {
      200: json("It was made before: nothing was done.", grantAnswer),
      201: json("The grant, and the budget as it stands now.", grantAnswer),
      ...failures,
      ...notFound,
    },
  });
  app.openapi(give, async (c) => {
    const { id } = c.req.valid("param");
    const { budget: of } = requireBudget(id, context, 0);
    const wanted = c.req.valid("json");
    const edges = await edgesOf(context);
    const said = wanted.for ?? {};
    const wrong = Object.keys(said).find((field) => !(of.each as readonly string[]).includes(field));
    const missing = of.each.find((field) => said[field] === undefined);
    if (wrong !== undefined || missing !== undefined) {
      const each = of.each.length === 0 ? "it has one allowance, for nobody in particular" : `it has one for each ${of.each.join(" and ")}`;
      throw new PennyworthError("budget_values", {
        id,
        detail: wrong === undefined ? `${each}, and no ${missing} is named` : `${each}; ${wrong} is none of it`,
      });
    }
    const made = {
      id: wanted.id,
      budget: id,
      values: orInvalid(() => of.each.map((field) => toValue(field, said[field] ?? "", edges))),
      amount: orInvalid(() => parseAmount(wanted.amount, of.measure, true)),
      note: wanted.note ?? null,
    };
    const outcome = context.guard.grant(made);
    if (outcome === "granted") edges.learn();
    const names = await namesOf(context);
    const grantShown = { ...made, values: await names.values(of.each, made.values), amount: toText(made.amount, of.measure) };
    return c.json({ outcome, grant: grantShown, budget: await shown(id, 100, names) }, outcome === "granted" ? 201 : 200);
  });
}
