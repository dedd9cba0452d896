// GET /api/v1/settings: the settings in force, as far as a reader may see them. Invariant: no credential, no header that is sent upstream, and
// no user or password of a URL is among them.

import { createRoute } from "@hono/zod-openapi";
import type { ApiContext } from "./context.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { settings } from "./views.ts";

export function addSettings(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/settings",
    summary: "The settings in force, without secrets",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The settings.", settings), ...failures },
  });
  app.openapi(route, async (c) => {
    const [{ server, data, journal, limits, prices, routes, providers }, status] = [context.settings(), await context.status()];
    const { durability, whenUnwritable } = journal;
    return c.json(
      {
        server: { host: server.host, port: server.port, keys: server.keys, keysNeeded: status.keysNeeded },
        dataFolder: data,
        sandbox: status.sandbox,
        journal: { durability, whenUnwritable },
        limits: { ...limits },
        ownPrices: prices.length,
        providers: providers.map(({ name, baseUrl, region, formats, pricesOf, keyFrom }) => ({
          name,
          baseUrl: baseUrl === null ? null : withoutUser(baseUrl),
          region,
          formats: [...formats],
          pricesOf: [...pricesOf],
          credential: status.providers.some((one) => one.name === name && one.credential),
          keyFrom,
        })),
        routes: routes.map(({ model, targets, retry }) => ({
          model,
          targets: targets.map((target) => ({ provider: target.provider, model: target.model ?? null, pool: target.pool ?? null })),
          retry:
            retry === undefined
              ? null
              : { triesMax: retry.triesMax ?? null, totalMsMax: retry.totalMsMax, waitMs: retry.waitMs, on: [...retry.on] },
        })),
      },
      200,
    );
  });
}

function withoutUser(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1").replace(/[?#].*$/, "");
}
