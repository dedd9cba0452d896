// `/api/v1/revenue`: what customers pay, said one by one or by a file; listed, and voided where it was a mistake. Not here: margins (margin.ts), formats of files
// (ingest/, by way of the context). Invariants: nothing is edited; said twice under one id it counts once; a file is taken whole or not at all.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Revenue } from "../core/revenue.ts";
import { PennyworthError } from "../error.ts";
import { turns } from "../turn.ts";
import type { RevenueRecord } from "../ledger/margin.ts";
import type { ApiContext } from "./context.ts";
import {
  isNobodys,
  isSame,
  learn,
  nobodysNotes,
  type Payers,
  revenueImported,
  revenueMade,
  revenueShown,
  revenueWanted,
  type RevenueWanted,
  toRevenue,
  toShown,
} from "./earned.ts";
import { waited } from "./fresh.ts";
import { parseLimit, parseSpan } from "./query.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";
import { fresh, freshness, time } from "./schema.ts";

/** Amounts in one request. */
export const revenuesMax = 20_000;
/** Wrong lines that are named; of the rest it is said how many they are. */
const faultsMax = 20;
/** After so many the calls that wait have their turn. */
const atOnce = 200;

const listQuery = z.strictObject({
  since: time("That go on after this."),
  until: time("That begin before this."),
  customer: z.string().min(1).max(400).optional().openapi({ description: "Only of this customer." }),
  limit: z.string().optional().openapi({ description: "Most given; 100 unless told." }),
  fresh,
});

export const revenueList = z
  .object({
    revenue: z.array(revenueShown).openapi({ description: "The latest beginning first; voided ones too." }),
    truncated: z.boolean(),
    ...freshness,
  })
  .openapi("RevenueList");

const importQuery = z.strictObject({
  customerBy: z
    .string()
    .regex(/^(id|name|email|metadata\.[^\s]{1,100})$/, "expected id, name, email or metadata.KEY")
    .default("id")
    .openapi({
      description:
        "Of Stripe's exports: what customers are known by here. `metadata.KEY`: as the customer's or the invoice's metadata say.",
    }),
  rate: z
    .union([z.string().max(60), z.array(z.string().max(60)).max(200)])
    .optional()
    .openapi({ description: "Dollars for one unit of another currency, any number of times.", example: "EUR=1.08" }),
  check: z
    .enum(["true", "false"])
    .optional()
    .openapi({ description: "`true`: answer as if it were taken, or with what is wrong, and put nothing on record." }),
});

export interface Placed {
  readonly place: string;
  readonly said: unknown;
}

export function addRevenue(app: Api, context: ApiContext): void {
  /** One at a time: between looking for an id and putting it on record nobody else may come. */
  const inTurn = turns();
  const administers = { security, middleware: needs("administer", context) } as const;
  const payersOf = (key: string | null): Payers => ({
    names: context.names,
    plans: context.settings().plans,
    nowMs: context.entryMs(),
    key,
  });

  const list = createRoute({
    method: "get",
    path: "/api/v1/revenue",
    summary: "What customers are said to pay",
    security,
    middleware: needs("read", context),
    request: { query: listQuery },
    responses: { 200: json("Amounts that touch the span.", revenueList), ...failures },
  });
  app.openapi(list, async (c) => {
    const { customer, ...asked } = c.req.valid("query");
    const span = parseSpan(asked, context.now());
    const freshly = await waited(context, asked.fresh);
    const token = customer === undefined || /^n_[0-9a-f]{16}$/.test(customer) ? customer : context.names.tokenOf(customer);
    const limit = parseLimit(asked.limit, 100, context.rowsMax);
    const found = await context.ledger.revenue({ ids: null, ...span, limit, ...(token === undefined ? {} : { customer: token }) });
    const revenue = await Promise.all(found.revenues.map((one) => toShown(one, context.names)));
    return c.json({ revenue, truncated: found.truncated, ...freshly }, 200);
  });

  const add = createRoute({
    ...administers,
    method: "post",
    path: "/api/v1/revenue",
    summary: "Says what a customer pays",
    description:
      "An amount for a span of days, or a subscription that goes on from month to month. Revenue is counted by days, UTC. With an `id` it may be sent again.",
    request: { body: { required: true, content: { "application/json": { schema: revenueWanted } } } },
    responses: {
      200: json("It was on record already.", revenueMade),
      201: json("On record.", revenueMade),
      ...failures,
      ...conflict,
    },
  });
  app.openapi(add, async (c) => {
    const wanted = c.req.valid("json");
    let revenue: Revenue;
    try {
      revenue = toRevenue(wanted, wanted.id ?? `revenue_${randomUUID()}`, "declared", payersOf(c.get("identity")?.key ?? null));
    } catch (cause) {
      throw cause instanceof RangeError ? new PennyworthError("request_malformed", { detail: cause.message }, cause) : cause;
    }
    const notes = nobodysNotes(isNobodys(revenue) ? 1 : 0);
    return inTurn(async () => {
      const before = (await known([revenue.id])).get(revenue.id);
      if (before !== undefined && (before.voidedMs !== null || !isSame(before.revenue, revenue)))
        throw new PennyworthError("revenue_taken", {
          id: revenue.id,
          how: before.voidedMs === null ? "says something else" : "was voided",
        });
      if (before !== undefined) return c.json({ ...(await toShown(before, context.names)), notes }, 200);
      learn(wanted, context.names);
      context.record({ kind: "revenue", revenue });
      await context.ledger.caughtUp();
      return c.json({ ...(await toShown({ revenue, voidedMs: null }, context.names)), notes }, 201);
    });
  });

  const many = createRoute({
    ...administers,
    method: "post",
    path: "/api/v1/revenue/imports",
    summary: "Says what many customers pay, by a file",
    description: `CSV with its columns in the first line (customer, plan, feature, amount, every, from, to, id), what Stripe exports (invoices, credit notes and refunds as JSON of its API; the dashboard's table of invoices), or {"revenue": [ … ]} of at most ${revenuesMax}. All or none: each wrong line is named, the first ${faultsMax} of them. A line without an id has that which follows from what it says, so that a file counts once.`,
    request: {
      query: importQuery,
      body: {
        required: true,
        content: {
          "text/csv": { schema: { type: "string", example: "customer,plan,amount,from,to\nAcme,pro,49.00,2026-11-01,2026-12-01\n" } },
          "application/json": { schema: { type: "object" } },
        },
      },
    },
    responses: {
      200: json("All of it had been said before, or was only checked.", revenueImported),
      201: json("On record.", revenueImported),
      ...failures,
    },
  });
  app.openapi(many, async (c) => {
    const { customerBy, rate, check } = c.req.valid("query");
    const isCheck = check === "true";
    const body = await c.req.text();
    const rates = rate === undefined ? [] : typeof rate === "string" ? [rate] : rate;
    const listed = fromList(body);
    const { witness, lines, notes } = listed ?? context.readRevenue(body, { customerBy, rates });
    const { nobodys, ...done } = await inTurn(() => take(lines, witness, payersOf(c.get("identity")?.key ?? null), isCheck));
    return c.json({ ...done, notes: [...notes, ...nobodysNotes(nobodys)] }, done.recorded > 0 && !isCheck ? 201 : 200);
  });

  const remove = createRoute({
    ...administers,
    method: "delete",
    path: "/api/v1/revenue/{id}",
    summary: "Voids an amount",
    description: "A correcting entry: it stays on record and counts for nothing. Voiding it again changes nothing.",
    request: { params: z.object({ id: z.string().min(1).max(400) }) },
    responses: { 200: json("The amount, voided.", revenueShown), ...failures, ...notFound },
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    return inTurn(async () => {
      const before = (await known([id])).get(id);
      if (before === undefined) throw new PennyworthError("revenue_unknown", { id });
      const voidedMs = before.voidedMs ?? context.entryMs();
      if (before.voidedMs === null) context.record({ kind: "revenue.voided", id, atMs: voidedMs });
      await context.ledger.caughtUp();
      return c.json(await toShown({ revenue: before.revenue, voidedMs }, context.names), 200);
    });
  });

  /** @throws PennyworthError `store_busy` where the store is behind: what is on record must be seen before anything is added to it. */
  async function known(ids: readonly string[]): Promise<Map<string, RevenueRecord>> {
    if (!(await context.ledger.caughtUp(30_000)))
      throw new PennyworthError("store_busy", { detail: "it is behind the journal; try again" });
    const { revenues } = await context.ledger.revenue({ ids, sinceMs: null, untilMs: null, limit: ids.length + 1 });
    return new Map(revenues.map((record) => [record.revenue.id, record]));
  }

  /**
   * All or none.
   * @param isCheck nothing is put on record.
   * @throws PennyworthError `revenue_invalid` with each wrong line; `journal_unwritable`.
   */
  async function take(placed: readonly Placed[], witness: string, payers: Payers, isCheck: boolean) {
    if (placed.length === 0) throw refused("there is no amount in it");
    if (placed.length > revenuesMax) throw refused(`${placed.length} amounts are more than ${revenuesMax}: send them in parts`);
    const faults: string[] = [];
    const read: { readonly place: string; readonly revenue: Revenue; readonly wanted: RevenueWanted }[] = [];
    for (const [index, { place, said }] of placed.entries()) {
      if (index % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
      const parsed = revenueWanted.safeParse(said);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        faults.push(`${place}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`);
        continue;
      }
      try {
        read.push({
          place,
          wanted: parsed.data,
          revenue: toRevenue(parsed.data, parsed.data.id ?? `revenue_${randomUUID()}`, witness, payers),
        });
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        faults.push(`${place}: ${cause.message}`);
      }
    }
    const before = faults.length > 0 ? new Map<string, RevenueRecord>() : await known(read.map(({ revenue }) => revenue.id));
    const within = new Map<string, (typeof read)[number]>();
    let [same, voided] = [0, 0];
    for (const one of read) {
      const { place, revenue } = one;
      const stands = within.get(revenue.id)?.revenue ?? before.get(revenue.id)?.revenue;
      if (stands === undefined) {
        within.set(revenue.id, one);
        continue;
      }
      // A refund and the credit note that it belongs to are one amount, whichever export brought it first.
      const isRefund = witness === "stripe" && revenue.id.startsWith("stripe:re_") && stands.customer === revenue.customer;
      if (!isRefund && !isSame(stands, revenue))
        faults.push(`${place}: ${JSON.stringify(revenue.id)} is on record already and says something else`);
      else if (before.get(revenue.id)?.voidedMs != null) voided += 1;
      else same += 1;
    }
    if (faults.length > 0) {
      const more = faults.length > faultsMax ? `; and ${faults.length - faultsMax} more` : "";
      throw refused(`${faults.length} of ${placed.length} amounts are wrong: ${faults.slice(0, faultsMax).join("; ")}${more}`);
    }
    for (const [index, { revenue, wanted }] of (isCheck ? [] : [...within.values()]).entries()) {
      learn(wanted, context.names);
      context.record({ kind: "revenue", revenue });
      if (index % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (!isCheck) await context.ledger.caughtUp();
    return {
      recorded: within.size,
      known: same,
      voided,
      ids: read.map(({ revenue }) => revenue.id),
      nobodys: read.filter(({ revenue }) => isNobodys(revenue)).length,
    };
  }
}

/** Of `{"revenue": [ … ]}`; null: it is something else. */
function fromList(body: string): { readonly witness: string; readonly lines: readonly Placed[]; readonly notes: readonly string[] } | null {
  if (!/^\s*\{\s*"(revenue|witness)"\s*:/.test(body)) return null;
  let parsed: { readonly revenue?: unknown; readonly witness?: unknown; readonly places?: unknown };
  try {
    parsed = JSON.parse(body) as typeof parsed;
  } catch (cause) {
    throw new PennyworthError("request_malformed", { detail: "it is not JSON" }, cause);
  }
  const { revenue, witness = "declared", places = [], ...others } = parsed;
  if (
    !Array.isArray(revenue) ||
    !Array.isArray(places) ||
    Object.keys(others).length > 0 ||
    typeof witness !== "string" ||
    !["declared", "csv", "stripe"].includes(witness)
  )
    throw new PennyworthError("request_malformed", { detail: 'expected {"revenue": [ … ]}, with a witness of declared, csv or stripe' });
  return {
    witness,
    lines: revenue.map((said: unknown, index) => ({ place: typeof places[index] === "string" ? places[index] : `revenue.${index}`, said })),
    notes: [],
  };
}

function refused(detail: string): PennyworthError {
  return new PennyworthError("revenue_invalid", { detail });
}
