// How the server is: status, the rates in force, and the order to rebuild the store.
// Invariant: a provider's credential is named as there or not there, and never shown.

import { createRoute, z } from "@hono/zod-openapi";
import { formatRate } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { ApiContext } from "./context.ts";
import { parseTime } from "./query.ts";
import { quotedUnits } from "./receipt.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { prices, pricesQuery, statusAnswer } from "./schema.ts";

export function addState(app: Api, context: ApiContext): void {
  const status = createRoute({
    method: "get",
    path: "/api/v1/status",
    summary: "How the server is",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The state.", statusAnswer), ...failures },
  });
  app.openapi(status, async (c) => {
    const now = await context.status();
    return c.json(
      {
        version: context.version,
        startedMs: context.startedMs,
        nowMs: context.now(),
        ...now,
        providers: now.providers.map(({ name, formats, credential }) => ({ name, formats: [...formats], credential })),
      },
      200,
    );
  });

  const inForce = createRoute({
    method: "get",
    path: "/api/v1/prices",
    summary: "The rates in force for a model",
    security,
    middleware: needs("read", context),
    request: { query: pricesQuery },
    responses: { 200: json("The rates, exactly.", prices), ...failures, ...notFound },
  });
  app.openapi(inForce, (c) => {
    const { provider, model, at, tier, region } = c.req.valid("query");
    const atMs = parseTime("at", at, context.now()) ?? context.now();
    const found = context.prices.find({ provider, model, atMs, tier: tier ?? null, region: region ?? null });
    if (found === null) throw new PennyworthError("price_unknown", { provider, model });
    const lines = found.lines.map((line) => ({
      class: line.class,
      aboveTokens: line.aboveTokens,
      ratePico: line.ratePico.toString(),
      ratePer: line.ratePer.toString(),
      rateUsd: formatRate({ pico: line.ratePico, per: line.ratePer }, BigInt(quotedUnits(line.class))),
      rateUnits: quotedUnits(line.class),
      version: line.version,
      source: line.source,
    }));
    return c.json({ provider, model: found.model, rule: found.rule, atMs, lines }, 200);
  });

  const rebuild = createRoute({
    method: "post",
    path: "/api/v1/store/rebuild",
    summary: "Drops the store and builds it anew from the journal",
    security,
    middleware: needs("administer", context),
    responses: { 202: json("It has begun; the status shows how far it is.", z.object({ rebuilding: z.literal(true) })), ...failures },
  });
  app.openapi(rebuild, async (c) => {
    await context.rebuild();
    return c.json({ rebuilding: true as const }, 202);
  });
}
