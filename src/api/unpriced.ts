// GET /api/v1/prices/unpriced: what calls used that had no price, with a record to fill in; and whether there is a price for it by now.
// Not here: re-rating. Invariant: no amount is proposed; whoever pastes the record unfilled is refused.

import { createRoute } from "@hono/zod-openapi";
import { stringify } from "yaml";
import { priceTier, standard } from "../core/price.ts";
import { type Quote, quoteOf } from "../core/quote.ts";
import { type UsageClass, usageClasses } from "../core/usage.ts";
import type { UnpricedRow } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toTokens } from "./names.ts";
import * as schema from "./pricing.ts";
import { invalid, parseFilters, parseLimit, parseSpan } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";

const modelsMax = 1_000;
/** Stands where an amount has to be put in; no price file takes it for one. */
const blank = "DOLLARS";

export function addUnpriced(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/prices/unpriced",
    summary: "What calls used that had no price, with a record to fill in",
    description: "Models with the most such calls first, told apart by tier and region.",
    security,
    middleware: needs("read", context),
    request: { query: schema.unpricedQuery },
    responses: { 200: json("The models.", schema.unpriced), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const span = parseSpan(asked, context.now());
    const filters = parseFilters(asked.filter);
    if (filters.some(({ field }) => field === "class")) throw invalid("what is unpriced cannot be filtered by class");
    const fresh = await waited(context, asked.fresh);
    const limit = parseLimit(asked.limit, 100, modelsMax);
    const found = await context.ledger.unpriced({ ...span, filters: toTokens(filters, context.names), limit });
    const models = found.rows.map((row) => {
      const classes = row.classes.map((one) => ({
        ...one,
        unit: usageClasses[one.class].unit,
        priced: isPriced(context, row, one.class),
      }));
      const missing = classes.filter(({ priced }) => !priced).map((one) => one.class);
      const { provider, model, region, calls, firstMs, lastMs } = row;
      const tier = priceTier(row.tier);
      return { provider, model, tier, region, calls, firstMs, lastMs, classes, record: toRecord({ ...row, tier }, missing) };
    });
    return c.json({ ...span, models, truncated: found.truncated, ...fresh }, 200);
  });
}

/** Calls on record as unpriced of which the book now prices some class: what a re-rating would find. */
export async function nowPriced(context: ApiContext): Promise<{ readonly calls: number; readonly sinceMs: number | null }> {
  const { rows } = await context.ledger.unpriced({ sinceMs: null, untilMs: null, filters: [], limit: modelsMax });
  const found = rows.filter((row) => row.classes.some((one) => isPriced(context, row, one.class)));
  return {
    calls: found.reduce((sum, { calls }) => sum + calls, 0),
    sinceMs: found.length === 0 ? null : Math.min(...found.map(({ firstMs }) => firstMs)),
  };
}

/** Whether the book has a price of the class for the first or the last of the calls. */
function isPriced(context: ApiContext, { provider, model, tier, region, firstMs, lastMs }: UnpricedRow, name: UsageClass): boolean {
  if (model === null) return false;
  return [firstMs, lastMs].some((atMs) =>
    context.prices.find({ provider, model, atMs, knownMs: null, tier, region })?.lines.some((line) => line.class === name),
  );
}

function toRecord(
  { provider, model, tier, region }: Pick<UnpricedRow, "provider" | "model" | "region"> & { readonly tier: string },
  classes: readonly UsageClass[],
): { readonly yaml: string; readonly command: string } | null {
  if (model === null || classes.length === 0) return null;
  const prices: { [quote in Quote]?: { [name in UsageClass]?: string } } = {};
  for (const name of classes) (prices[quoteOf(name)] ??= {})[name] = blank;
  const place = { ...(tier === standard ? {} : { tier }), ...(region === null ? {} : { region }) };
  const options = classes.map((name) => (plainOptions.has(name) ? `--${name.replaceAll("_", "-")} ${blank}` : `--class ${name}=${blank}`));
  const where = Object.entries(place).map(([name, value]) => `--${name} ${quoted(value)}`);
  return {
    yaml: stringify({ prices: [{ provider, model, ...place, ...prices }] }),
    command: ["pennyworth prices set", quoted(`${provider}/${model}`), ...where, ...options].join(" "),
  };
}

/** Classes that `pennyworth prices set` has an option for; others are given by `--class`. */
export const plainOptions: ReadonlySet<UsageClass> = new Set([
  "input",
  "cache_read",
  "cache_write",
  "cache_write_5m",
  "cache_write_1h",
  "output",
  "reasoning",
] as const);

/** For a shell: bare where nothing in it means anything there. */
function quoted(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
