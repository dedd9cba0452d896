// GET /api/v1/prices…: what is in force for a model and by which rule, every model, its history, and where sources disagree. Not here: what
// changes the book (lists.ts), what it lacks (unpriced.ts). Invariant: each rate is exact and names its version and its source.

import { createRoute } from "@hono/zod-openapi";
import { formatRate } from "../core/money.ts";
import { priceTier } from "../core/price.ts";
import { rateUnits } from "../core/quote.ts";
import { type UsageClass, usageClassNames } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import type { Dispute, ListedModel, PriceLine } from "../prices/view.ts";
import type { ApiContext } from "./context.ts";
import { nearest } from "../near.ts";
import * as schema from "./pricing.ts";
import { invalid, parseLimit, parseTime } from "./query.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";

const modelsMax = 20_000;
const disputesMax = 5_000;

export function addPrices(app: Api, context: ApiContext): void {
  const shared = { method: "get", security, middleware: needs("read", context) } as const;

  const inForce = createRoute({
    ...shared,
    path: "/api/v1/prices",
    summary: "The rates in force for a model, at any time, as known at any time",
    request: { query: schema.pricesQuery },
    responses: { 200: json("The rates, exactly.", schema.prices), ...failures, ...notFound },
  });
  app.openapi(inForce, (c) => {
    const { provider, model, tier = null, region = null, ...asked } = c.req.valid("query");
    const { atMs, knownMs } = parseMoment(asked, context.now());
    const found = context.prices.find({ provider, model, atMs, knownMs, tier, region });
    if (found === null) throw unknownPrice(context, provider, model, atMs, knownMs);
    const { pricesOf, ...rest } = { pricesOf: found.provider, ...found };
    return c.json({ ...rest, provider, pricesOf, region, atMs, knownMs, lines: toShownLines(found.lines) }, 200);
  });

  const every = createRoute({
    ...shared,
    path: "/api/v1/prices/models",
    summary: "Every model of the price book, with its standard prices",
    request: { query: schema.modelsQuery },
    responses: { 200: json("The models, by provider and name.", schema.models), ...failures },
  });
  app.openapi(every, (c) => {
    const { provider = null, search = null, disputed, limit: rows, ...asked } = c.req.valid("query");
    const { atMs, knownMs } = parseMoment(asked, context.now());
    const limit = parseLimit(rows, 10_000, modelsMax);
    const found = context.prices.models({ atMs, knownMs, provider, search });
    const inDispute = found.filter(isDisputed);
    const wanted = disputed === "true" ? inDispute : found;
    return c.json(
      {
        atMs,
        knownMs,
        models: wanted.slice(0, limit).map((one) => ({
          ...one,
          source: sourceOf(context.prices.find({ ...one, atMs, knownMs, tier: null, region: null })?.lines ?? []),
          prices: Object.fromEntries(Object.entries(one.prices)),
          sources: [...one.sources],
          tiers: [...one.tiers],
          disputed: [...one.disputed],
        })),
        total: wanted.length,
        disputed: inDispute.length,
        truncated: wanted.length > limit,
      },
      200,
    );
  });

  const past = createRoute({
    ...shared,
    path: "/api/v1/prices/history",
    summary: "All prices of a model over time, announced ones too",
    request: { query: schema.historyQuery },
    responses: { 200: json("The spans, the earliest first.", schema.history), ...failures, ...notFound },
  });
  app.openapi(past, (c) => {
    const { provider, model, tier = null, region = null, ...asked } = c.req.valid("query");
    const nowMs = context.now();
    const { knownMs } = parseMoment(asked, nowMs);
    const spans = context.prices.history({ provider, model, knownMs, tier, region });
    if (spans === null) throw unknownPrice(context, provider, model, nowMs, knownMs);
    const shown = spans.map((span) => ({ ...span, lines: toShownLines(span.lines) }));
    return c.json({ provider, model, tier: priceTier(tier), region, knownMs, nowMs, spans: shown }, 200);
  });

  const differing = createRoute({
    ...shared,
    path: "/api/v1/prices/disputes",
    summary: "What each source says of a model; without one, of every model on which they disagree",
    request: { query: schema.disputesQuery },
    responses: { 200: json("The models.", schema.disputes), ...failures, ...notFound },
  });
  app.openapi(differing, (c) => {
    const { provider, model, tier = null, region = null, limit: rows, ...asked } = c.req.valid("query");
    const { atMs, knownMs } = parseMoment(asked, context.now());
    const limit = parseLimit(rows, 1_000, disputesMax);
    if (model !== undefined && provider === undefined) throw invalid("a model is asked for with its provider");
    const said = (one: { readonly provider: string; readonly model: string }): Dispute[] => [
      ...context.prices.disputes({ ...one, atMs, knownMs, tier, region }),
    ];
    if (provider !== undefined && model !== undefined) {
      if (context.prices.find({ provider, model, atMs, knownMs, tier, region }) === null)
        throw unknownPrice(context, provider, model, atMs, knownMs);
      return c.json(
        { atMs, knownMs, models: [{ provider, model, disputes: said({ provider, model }).map(toShownDispute) }], truncated: false },
        200,
      );
    }
    const found = context.prices.models({ atMs, knownMs, provider: provider ?? null, search: null }).filter(isDisputed);
    const models = found.slice(0, limit).map((one) => ({
      provider: one.provider,
      model: one.model,
      disputes: said({ provider: one.provider, model: one.model })
        .map(toShownDispute)
        .filter(({ differs }) => differs),
    }));
    return c.json({ atMs, knownMs, models, truncated: found.length > limit }, 200);
  });
}

/** @throws PennyworthError `query_invalid` when a time is not understood. */
export function parseMoment(
  asked: { readonly at?: string | undefined; readonly known?: string | undefined },
  nowMs: number,
): { readonly atMs: number; readonly knownMs: number | null } {
  return { atMs: parseTime("at", asked.at, nowMs) ?? nowMs, knownMs: parseTime("known", asked.known, nowMs) };
}

/** That nothing is known of a model, with the names that may have been meant. */
export function unknownPrice(
  context: Pick<ApiContext, "prices">,
  provider: string,
  model: string,
  atMs: number,
  knownMs: number | null,
): PennyworthError {
  const all = context.prices.models({ atMs, knownMs, provider: null, search: null });
  const own = nearest(
    model,
    all.filter((one) => one.provider === provider).map((one) => one.model),
  ).map((name) => `${provider}/${name}`);
  const others = nearest(
    `${provider}/${model}`,
    all.map((one) => `${one.provider}/${one.model}`),
  );
  const names = [...new Set([...own, ...others])].slice(0, 5);
  const near = names.length === 0 ? "" : ` Near it: ${names.join(", ")}.`;
  return new PennyworthError("price_unknown", { provider, model, near });
}

/** Class by class: what came in, what went out, then the rest. */
function toShownLines(lines: readonly PriceLine[]) {
  return lines.toSorted((a, b) => placeOf(a.class) - placeOf(b.class) || a.aboveTokens - b.aboveTokens).map(toShownLine);
}

function placeOf(name: UsageClass): number {
  return usageClassNames.indexOf(name);
}

export function toShownLine({ ratePico, ratePer, ...line }: PriceLine) {
  const units = rateUnits(line.class);
  return {
    ...line,
    ratePico: ratePico.toString(),
    ratePer: ratePer.toString(),
    rateUsd: formatRate({ pico: ratePico, per: ratePer }, BigInt(units)),
    rateUnits: units,
  };
}

/** Amounts are exact decimal text in one spelling each, so that equal text is an equal amount. */
function toShownDispute({ said, ...dispute }: Dispute) {
  return { ...dispute, said: said.map((one) => ({ ...one })), differs: dispute.lowest !== dispute.highest };
}

/** Of input and output; of all lines where there is neither. null: there is none. */
function sourceOf(lines: readonly PriceLine[]): string | null {
  const main = lines.filter((line) => line.class === "input" || line.class === "output");
  const sources = new Set((main.length === 0 ? lines : main).map(({ version }) => version.slice(0, version.indexOf("@"))));
  return sources.size > 1 ? "mixed" : ([...sources][0] ?? null);
}

function isDisputed({ disputed }: ListedModel): boolean {
  return disputed.length > 0;
}
