// `GET /api/v1/alerts` and `POST /api/v1/alerts/test`: who is told what, what was told last, and whether it arrives. Not here: when somebody is told
// (alerts/). Invariant: no address of a webhook and no password is in an answer.

import { createRoute, z } from "@hono/zod-openapi";
import { alertKinds } from "../alerts/alert.ts";
import type { ApiContext } from "./context.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { count, ms, text } from "./schema.ts";

const receiver = z
  .object({
    name: z.string(),
    kind: z.enum(["webhook", "slack", "email"]),
    to: text.openapi({ description: "A host, or mail addresses; null: not known, see `problem`." }),
    problem: text.openapi({ description: "Why nothing can be sent to it at all." }),
    waiting: count,
    sent: count.openapi({ description: "This and the other counts: since the server started." }),
    failed: count.openapi({ description: "Given up after all tries, or refused for good." }),
    dropped: count.openapi({ description: "Thrown away for want of room." }),
    lastSentMs: ms.nullable(),
    lastFailedMs: ms.nullable(),
    lastError: text,
  })
  .openapi("AlertReceiver");

const amount = z.string().openapi({ description: "Decimal dollars, an estimate." });
const worth = z
  .object({
    type: z.string(),
    agent: text.openapi({ description: "null: the tasks of the type that name no agent." }),
    days: count.openapi({ description: "Tasks that began in so many days until then." }),
    tasks: count.openapi({ description: "How many of them have ended." }),
    against: z.enum(["person", "value"]),
    reason: z.string(),
    success: z
      .object({
        low: z.number(),
        at: z.number().nullable(),
        high: z.number(),
        successes: count.nullable(),
        tasks: count.nullable(),
        confidence: z.number().nullable(),
      })
      .nullable(),
    breakEven: z.object({ kind: z.enum(["at", "always", "never"]), p: z.number().nullable() }),
    saved: z
      .object({ low: amount.nullable(), at: amount.nullable(), high: amount })
      .nullable()
      .openapi({ description: "Per task; below zero: lost." }),
    lost: amount.nullable().openapi({ description: "Of all tasks together, at the success that was observed." }),
    summary: z.string(),
  })
  .nullable()
  .openapi({ description: "Of an agent that is not worth it, what `POST /api/v1/worth` said of it; null: it is about something else." });

const about = {
  budget: text,
  values: z.array(z.string()).openapi({ description: "Of the budget's `each` fields; customers and users by name, where it is known." }),
  owner: text,
  subject: text.openapi({ description: "What it is about, where that is no budget." }),
};

export const alertsAnswer = z
  .object({
    nowMs: ms,
    receivers: z.array(receiver),
    alerts: z
      .array(
        z.object({
          id: z.string(),
          kind: z.enum([...alertKinds, "test"]),
          severity: z.enum(["info", "warning", "critical"]),
          atMs: ms,
          title: z.string(),
          text: z.string(),
          ...about,
          count: count.openapi({ description: "Events that were gathered in it." }),
          of: z.array(z.object({ ...about, count, call: text, detail: z.string() })).openapi({
            description: "Of gathered events, what was of one budget or subject.",
          }),
          worth,
          deliveries: z.record(z.string(), z.enum(["waiting", "sent", "failed"])).openapi({ description: "By receiver." }),
        }),
      )
      .openapi({ description: "The last ones, the newest first." }),
  })
  .openapi("Alerts");

export const testWanted = z.strictObject({ receiver: z.string().min(1).max(100) }).openapi("AlertTestWanted");

export const testAnswer = z
  .object({
    receiver: z.string(),
    sent: z.boolean(),
    tookMs: count,
    problem: text.openapi({ description: "Why it was not taken; null: it was." }),
  })
  .openapi("AlertTest");

export function addAlerts(app: Api, context: ApiContext): void {
  const list = createRoute({
    method: "get",
    path: "/api/v1/alerts",
    summary: "Who is told of what budgets, the guard and agents come to, and the last alerts",
    security,
    middleware: needs("read", context),
    responses: { 200: json("Receivers without secrets, and alerts.", alertsAnswer), ...failures },
  });
  app.openapi(list, async (c) => {
    const nameOf = async (values: readonly string[]) =>
      Promise.all(values.map(async (value) => (await context.names.name(value)) ?? value));
    const recent = await context.alerts.recent();
    const alerts = recent.map(async ({ alert, title, text, deliveries }) => {
      const { id, kind, severity, atMs } = alert;
      const none = { budget: null, values: [], owner: null, subject: null };
      const of = "of" in alert ? alert.of : [];
      const [only] = of;
      const { budget, values, owner, subject } = "values" in alert ? alert : of.length === 1 && only !== undefined ? only : none;
      return {
        id,
        kind,
        severity,
        atMs,
        title,
        text,
        budget,
        values: await nameOf(values),
        owner,
        subject,
        count: "count" in alert ? alert.count : 1,
        of: await Promise.all(of.map(async (one) => Object.assign({}, one, { values: await nameOf(one.values) }))),
        worth: alert.kind === "worth" ? alert.worth : null,
        deliveries: { ...deliveries },
      };
    });
    return c.json({ nowMs: context.now(), receivers: [...context.alerts.receivers()], alerts: await Promise.all(alerts) }, 200);
  });

  const test = createRoute({
    method: "post",
    path: "/api/v1/alerts/test",
    summary: "Sends a test to one receiver, at once and once",
    description: "The answer says whether it was taken. What went wrong at the receiver is no failure of the request.",
    security,
    middleware: needs("administer", context),
    request: { body: { required: true, content: { "application/json": { schema: testWanted } } } },
    responses: { 200: json("Whether it was taken.", testAnswer), ...failures, ...notFound },
  });
  app.openapi(test, async (c) => c.json(await context.alerts.test(c.req.valid("json").receiver), 200));
}
