// The shapes of what the pages ask beside reports and calls: overview, tasks, values, incidents, settings, position.
// Not here: shapes that others use as well (schema.ts). Invariant: amounts of money are decimal strings of dollars, never numbers.

import { z } from "@hono/zod-openapi";
import { taskEnds } from "../ledger/store.ts";
import { listed } from "./reconciling.ts";
import { call, count, fresh, freshness, ms, position, row, span, text, usd, zone } from "./schema.ts";

const field = z.string().openapi({ description: "A field of reports.", example: "model" });

export const valuesQuery = z.strictObject({
  field,
  search: z.string().max(200).optional().openapi({ description: "Only values that contain this, whatever the case." }),
  ...span,
  zone,
  limit: z.string().optional().openapi({ description: "Most values given; 20 unless told." }),
});
export const values = z
  .object({
    field: z.string(),
    values: z.array(z.object({ value: text, calls: count, cost: usd, unpriced: count, unmetered: count })),
    truncated: z.boolean(),
  })
  .openapi("Values");

export const positionAnswer = z
  .object({
    position: position.nullable().openapi({ description: "Up to where the journal is in the numbers." }),
    journal: position,
    openCalls: count,
    nowMs: ms,
  })
  .openapi("PositionAnswer");

const sums = row.omit({ group: true, quantity: true, latency: true, rest: true }).openapi("Sums");
const compared = z.object({
  sinceMs: ms,
  untilMs: ms,
  now: sums,
  before: z.object({ sinceMs: ms, untilMs: ms, sums }),
});

export const overviewQuery = z.strictObject({ zone, fresh });
export const overview = z
  .object({
    nowMs: ms,
    zone: z.string(),
    hour: compared.openapi({ description: "The last sixty minutes, and those before." }),
    today: compared.openapi({ description: "Since midnight in the zone, and yesterday up to the same time." }),
    month: compared.openapi({ description: "Since the first in the zone, and last month up to the same day and time." }),
    goesTo: z
      .array(z.object({ field: z.string(), rows: z.array(sums.extend({ value: text })) }))
      .openapi({ description: "What this month's spend goes to: the dearest values of fields that are said of any call." }),
    attention: z
      .array(
        z.object({
          kind: z.enum(["unpriced", "unmetered", "doubtful", "presumed", "failed", "differs", "disputed", "gap", "clock", "refused"]),
          count: z.int().min(1),
          filter: text.openapi({ description: "Finds these calls; null: no calls are meant." }),
        }),
      )
      .openapi({ description: "Of this month; empty when nothing needs a look." }),
    hours: z.array(z.object({ atMs: ms, cost: usd })).openapi({ description: "Today by the hour; hours without a cost are left out." }),
    guard: z
      .object({
        halts: count.openapi({ description: "In force." }),
        budgets: count.openapi({ description: "Used to 80 % or more, by what is held and presumed too; of one with `each`, its fullest." }),
        usedUp: count.openapi({ description: "Of these, those with nothing left." }),
        refused: count.openapi({ description: "Calls of today that were not let in: the newest 100 at most." }),
        losing: z
          .array(z.object({ type: z.string(), agent: text, summary: z.string() }))
          .openapi({ description: "Agents that are watched for being worth it (`alerts.worth`), and were not at the last look." }),
      })
      .openapi({ description: "What of budgets, halts and agents needs a look." }),
    gaps: z.array(listed).openapi({ description: "The newest statement of each provider that differs from the ledger by a cent or more." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Overview");

export const incidentsQuery = z.strictObject({ since: span.since, until: span.until, zone, limit: z.string().optional() });
export const incidents = z
  .object({
    incidents: z.array(
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("gap"), fromMs: ms, toMs: ms, calls: count, cause: z.string() }),
        z.object({ kind: z.literal("clock"), atMs: ms, byMs: z.number() }),
      ]),
    ),
    truncated: z.boolean(),
  })
  .openapi("Incidents");

export const tasksQuery = z.strictObject({
  ...span,
  zone,
  order: z.enum(["newest", "dearest"]).optional().openapi({ description: "`newest` unless told." }),
  ended: z.enum(taskEnds).optional().openapi({ description: "Only tasks that ended so, as far as is known; `open`: nobody said so yet." }),
  limit: z.string().optional().openapi({ description: "Most tasks given, 1 to 500; 50 unless told." }),
  fresh,
});

const taskRow = row
  .omit({ group: true, quantity: true, latency: true, rest: true, periodCost: true, periodUnpriced: true })
  .extend({
    task: z.string(),
    parent: text,
    type: text,
    customer: text,
    agent: text,
    feature: text,
    team: text,
    startMs: ms.openapi({ description: "When its first call began; of one without calls, when it was begun, charged or first spoken of." }),
    endMs: ms.nullable().openapi({ description: "When its last call ended; null: none has." }),
    open: count.openapi({ description: "Calls under way." }),
    tasks: count.openapi({ description: "How many tasks are in it." }),
  })
  .openapi("TaskRow");

const listedTask = taskRow
  .extend({
    ended: z.enum(taskEnds).openapi({
      description:
        "What all that was said of it comes to. open: nobody said how it ended, and its last call is not long ago (`tasks.openFor`); unknown: nobody has, or somebody that nobody knows.",
    }),
    value: usd.nullable().openapi({ description: "What it was worth; null: nobody said." }),
    contradictory: z.boolean().openapi({ description: "Sources differ on whether it was a success." }),
  })
  .openapi("TaskListed");

export const tasks = z
  .object({
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    tasks: z.array(listedTask),
    truncated: z.boolean(),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Tasks");

export const task = z
  .object({
    task: taskRow,
    nodes: z.array(taskRow).openapi({ description: "Its tasks, itself among them, by when they began." }),
    calls: z.array(call).openapi({ description: "Oldest first; at most 2,000." }),
    truncated: z.boolean(),
  })
  .openapi("Task");

export const settings = z
  .object({
    server: z.object({ host: z.string(), port: z.int(), keys: z.enum(["auto", "required", "optional"]), keysNeeded: z.boolean() }),
    dataFolder: z.string(),
    sandbox: z.boolean(),
    journal: z.object({ durability: z.string(), whenUnwritable: z.string() }),
    limits: z.record(z.string(), z.number()),
    ownPrices: count.openapi({ description: "Prices that the settings give." }),
    providers: z.array(
      z.object({
        name: z.string(),
        baseUrl: text,
        region: text,
        formats: z.array(z.string()),
        pricesOf: z.array(z.string()),
        credential: z.boolean().openapi({ description: "Whether one is there; never the credential." }),
        keyFrom: text.openapi({ description: "The environment variable that a credential is looked for in." }),
      }),
    ),
    routes: z.array(
      z.object({
        model: z.string(),
        targets: z.array(z.object({ provider: z.string(), model: text, pool: text })),
        retry: z.object({ triesMax: z.int().nullable(), totalMsMax: z.int(), waitMs: z.int(), on: z.array(z.string()) }).nullable(),
      }),
    ),
  })
  .openapi("Settings");
