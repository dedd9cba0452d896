// The control plane: `/api/v1/…`, described by `/api/v1/openapi.json`. Reads the ledger, keeps keys, forgets names.
// Not here: the data plane (gateway/), the page (web/). Invariant: nothing but the document and the two probes is answered without a role,
// and no answer carries a credential, a hash of a key, or a stack trace.

import { randomUUID } from "node:crypto";
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { PennyworthError } from "../error.ts";
import { addAlerts } from "./alerts.ts";
import { addBegun } from "./begun.ts";
import { addBudgets } from "./budgets.ts";
import { addCalls } from "./calls.ts";
import { addCharges } from "./charges.ts";
import { addClosings } from "./close.ts";
import { addCompare } from "./compare.ts";
import { addCredits } from "./credits.ts";
import type { ApiContext } from "./context.ts";
import { addDrivers } from "./drivers.ts";
import { addExplore } from "./explore.ts";
import { refuseInvalid } from "./faults.ts";
import { addHalts } from "./halts.ts";
import { addKeys } from "./keys.ts";
import { Known, Recall } from "./known.ts";
import { addLists } from "./lists.ts";
import { addMargin } from "./margin.ts";
import { addOdds } from "./odds.ts";
import { addTelemetry, isTelemetry, toStatus } from "./otlp.ts";
import { addOutcomes } from "./outcomes.ts";
import { addOverview } from "./overview.ts";
import { addPrices } from "./prices.ts";
import { addProbes } from "./probe.ts";
import { addReconcile } from "./reconcile.ts";
import { addRefusals } from "./refusals.ts";
import { addRerates } from "./rerate.ts";
import { addReport } from "./report.ts";
import { addRevenue } from "./revenue.ts";
import type { Api, ApiEnv } from "./route.ts";
import { Sessions } from "./session.ts";
import { addSession, cookieName, readSession } from "./signin.ts";
import { addSettings } from "./settings.ts";
import { addShape } from "./shape.ts";
import { addState } from "./state.ts";
import { addSuccess } from "./success.ts";
import { addTasks } from "./tasks.ts";
import { addTrend } from "./trend.ts";
import { addUnpriced } from "./unpriced.ts";
import { addWork } from "./work.ts";
import { addWorth } from "./worth.ts";
import { addWaiting } from "./waiting.ts";

export const apiBodyBytesMax = 64 * 1024;

/** Where whole files come in: more bytes may be sent there. */
const fileBytesMax = 32 * 1024 * 1024;
const takesFiles: ReadonlySet<string> = new Set([
  "/api/v1/prices/preview",
  "/api/v1/prices/take",
  "/api/v1/prices/set",
  "/api/v1/reconciliations",
]);
/** Where many statements of how tasks began and ended come in. */
const outcomesBytesMax = 8 * 1024 * 1024;
const outcomesPath = /^\/api\/v1\/(outcomes(\/hooks\/[^/]+)?|tasks\/begun|revenue\/imports)$/;

function bytesMaxOf(path: string): number {
  return takesFiles.has(path) ? fileBytesMax : outcomesPath.test(path) ? outcomesBytesMax : apiBodyBytesMax;
}

/**
 * The control plane as an app: mount it at `/`, or ask it with `app.request(path, init, { trusted: true })`.
 * It also answers for every path that nobody serves, so what is mounted beside it comes before it.
 */
export function createApi(context: ApiContext): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({ defaultHook: (result) => refuseInvalid(result) });
  app.use("/api/*", async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  // Hono's own limit makes a new Request, which Node's listener does not bear; a stated length is all that is needed, and node holds it.
  app.use("/api/*", async (c, next) => {
    if (c.req.method === "POST" || (c.req.method === "PUT" && c.req.path.startsWith("/api/v1/budgets/"))) {
      const length = Number(c.req.header("content-length") ?? Number.NaN);
      const most = bytesMaxOf(c.req.path);
      const detail = length > most ? `it is larger than ${most} bytes` : "its length is not stated (content-length)";
      if (!(length <= most)) throw new PennyworthError("request_malformed", { detail });
    }
    await next();
  });
  const sessions = new Sessions();
  app.use("/api/*", async (c, next) => {
    if (c.env?.trusted !== true) await readSession(c, context, sessions);
    await next();
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: cookieName,
    description:
      "The cookie of a sign-in. What changes something also needs the header `x-pennyworth-request`, and comes from our own origin.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "The admin token that `pennyworth serve` prints, or a Pennyworth key with the role read or administer.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "apiKey",
    in: "header",
    name: "x-pennyworth-key",
    description: "A Pennyworth key as calls use it, with the role use or administer. Where calls need none, this needs none.",
  });
  addReport(app, context);
  addCalls(app, context);
  addCharges(app, context);
  addRevenue(app, context);
  addMargin(app, context);
  addCredits(app, context);
  addWork(app, context);
  addKeys(app, context);
  addState(app, context);
  addPrices(app, context);
  addLists(app, context);
  addRerates(app, context);
  addClosings(app, context);
  addUnpriced(app, context);
  addTrend(app, context);
  addOverview(app, context);
  addExplore(app, context);
  addTasks(app, context);
  const [begun, said, recall] = [new Known(), new Known(), new Recall(context.ledger)];
  addBegun(app, context, begun, recall);
  addOutcomes(app, context, begun, said, recall);
  addWaiting(app, context);
  addTelemetry(app, context, said, recall);
  addSuccess(app, context);
  addDrivers(app, context);
  addShape(app, context);
  addCompare(app, context);
  addOdds(app, context);
  addWorth(app, context);
  addSettings(app, context);
  addReconcile(app, context);
  addAlerts(app, context);
  addBudgets(app, context);
  addRefusals(app, context);
  addHalts(app, context);
  addSession(app, context, sessions);
  addProbes(app, context);
  app.doc31("/api/v1/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Pennyworth",
      version: context.version,
      description: "What every AI task costs. Amounts are decimal strings of dollars; times are milliseconds since 1970 in UTC.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
  });
  // A route, not `notFound`: Hono forgets an app's own when it is mounted in another.
  app.all("*", (c) => fail(c.req.method, c.req.path, app));
  app.onError((error, c) => {
    const known = error instanceof PennyworthError ? error : toKnown(error, context);
    if (isTelemetry(c.req.path)) return toStatus(c.req.header("content-type"), known);
    return c.json({ error: { code: known.code, message: known.message } }, known.status as ContentfulStatusCode);
  });
  return app;
}

function fail(method: string, path: string, app: Api): Response {
  const others = app.routes.some((route) => route.method !== "ALL" && route.method !== method && toPattern(route.path).test(path));
  const error = others
    ? new PennyworthError("method_not_allowed", { path, method })
    : new PennyworthError("route_unknown", { path, method });
  return Response.json({ error: { code: error.code, message: error.message } }, { status: error.status });
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/:[^/]+/g, "[^/]+")}$`);
}

function toKnown(error: Error, context: ApiContext): PennyworthError {
  // Hono refuses a body that it cannot read with an exception of its own.
  if (error instanceof HTTPException && error.status < 500) {
    const detail = error.status === 415 ? "its content-type is not application/json" : "it is not JSON";
    return new PennyworthError("request_malformed", { detail }, error);
  }
  const reference = randomUUID().slice(0, 8);
  context.onError(reference, error);
  return new PennyworthError("internal", { reference }, error);
}
