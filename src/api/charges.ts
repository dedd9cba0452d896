// `/api/v1/charges`: charges of a period. Those that work left behind are listed; those that no request shows (hosting) are declared here, and
// a mistake is voided. Not here: what they come to in reports. Invariant: nothing is edited; said twice with one id, a charge counts once.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { type Attribution, attributionFields, unattributed } from "../core/call.ts";
import { formatUsd, parseUsd, type Pico } from "../core/money.ts";
import { type PeriodCharge, periodMsMax, periodPicoMax, unitOf } from "../core/period.ts";
import { dayMs } from "../core/time.ts";
import { PennyworthError } from "../error.ts";
import { turns } from "../turn.ts";
import type { ChargeRecord } from "../ledger/store.ts";
import { begunOf, completed } from "./begun.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { nameAttribution } from "./names.ts";
import { parseLimit, parseSpan, parseTime } from "./query.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";
import { type Heard, hearing } from "./said.ts";
import { charge, chargesPage, chargesQuery, chargeWanted } from "./schema.ts";

type Wanted = z.infer<typeof chargeWanted>;

export function addCharges(app: Api, context: ApiContext): void {
  /** One at a time: between looking for an id and putting it on record nobody else may come. */
  const inTurn = turns();

  const list = createRoute({
    method: "get",
    path: "/api/v1/charges",
    summary: "Charges of periods: training, cache storage, hosting",
    security,
    middleware: needs("read", context),
    request: { query: chargesQuery },
    responses: { 200: json("Those that touch the period, newest first; voided ones too.", chargesPage), ...failures },
  });
  app.openapi(list, async (c) => {
    const asked = c.req.valid("query");
    const { sinceMs, untilMs } = parseSpan(asked, context.now());
    const fresh = await waited(context, asked.fresh);
    const found = await context.ledger.charges({ sinceMs, untilMs, limit: parseLimit(asked.limit, 100, context.rowsMax) });
    const charges = await Promise.all(found.charges.map((record) => toShown(record, context)));
    const bookings = found.bookings.map((one) => ({ ...one, lines: [...one.lines] }));
    return c.json({ charges, bookings, truncated: found.truncated, ...fresh }, 200);
  });

  const add = createRoute({
    method: "post",
    path: "/api/v1/charges",
    summary: "Declares a charge of a period that no request shows",
    description:
      "With an `id` it may be sent again: the same charge is not booked twice, another one under that id is refused. What it does not say of whose it is, it has from what was said when its task was begun by name, then its parent's, then its root's.",
    security,
    middleware: needs("administer", context),
    request: { body: { required: true, content: { "application/json": { schema: chargeWanted } } } },
    responses: {
      200: json("It was on record already.", charge),
      201: json("The charge, on record.", charge),
      ...failures,
      ...conflict,
    },
  });
  app.openapi(add, async (c) => {
    const names = hearing(context);
    const said = toCharge(c.req.valid("json"), context.now(), names);
    return inTurn(async () => {
      await context.ledger.caughtUp();
      const before = await context.ledger.charge(said.id);
      const begun = await begunOf(said.attribution, context);
      const declared = { ...said, attribution: completed(said.attribution, begun) };
      if (before !== null && (before.voidedMs !== null || !isSame(before.charge, said, begun)))
        throw new PennyworthError("charge_taken", {
          id: declared.id,
          how: before.voidedMs === null ? "says something else" : "was voided",
        });
      if (before !== null) return c.json(await toShown(before, context), 200);
      names.record({ kind: "charge", charge: declared });
      await context.ledger.caughtUp();
      return c.json(await toShown({ charge: declared, voidedMs: null }, context), 201);
    });
  });

  const remove = createRoute({
    method: "delete",
    path: "/api/v1/charges/{id}",
    summary: "Voids a charge",
    description: "A correcting entry: the charge stays on record and counts for nothing. Voiding it again changes nothing.",
    security,
    middleware: needs("administer", context),
    request: { params: z.object({ id: z.string().min(1).max(400) }) },
    responses: { 200: json("The charge, voided.", charge), ...failures, ...notFound },
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    return inTurn(async () => {
      await context.ledger.caughtUp();
      const found = await context.ledger.charge(id);
      if (found === null) throw new PennyworthError("charge_unknown", { id });
      const voidedMs = found.voidedMs ?? context.now();
      if (found.voidedMs === null) context.record({ kind: "charge.voided", id, atMs: voidedMs });
      await context.ledger.caughtUp();
      return c.json(await toShown({ charge: found.charge, voidedMs }, context), 200);
    });
  });
}

/** @throws PennyworthError `query_invalid` for a time, a span or an amount that is none. */
function toCharge(wanted: Wanted, nowMs: number, names: Pick<Heard, "token">): PeriodCharge {
  const fromMs = parseTime("from", wanted.from, nowMs) as number;
  const toMs = parseTime("to", wanted.to, nowMs) as number;
  if (fromMs >= toMs) throw wrong(`from (${wanted.from}) is not before to (${wanted.to})`);
  if (toMs - fromMs > periodMsMax) throw wrong(`the period is longer than ${periodMsMax / dayMs} days`);
  if (wanted.id?.startsWith("correction:") === true) throw wrong("ids that begin with correction: are bookings for closed months");
  const { task = null, parent = null } = wanted.attribution ?? {};
  if (parent !== null && parent === task) throw wrong("parent: it is the task itself");
  const said: Record<string, string | null> = {};
  for (const field of attributionFields) {
    const value = wanted.attribution?.[field] ?? null;
    said[field] = value !== null && (field === "customer" || field === "user") && !token.test(value) ? names.token(value) : value;
  }
  return {
    id: wanted.id ?? `charge_${randomUUID()}`,
    class: wanted.item,
    provider: wanted.provider,
    model: wanted.model,
    region: wanted.region,
    fromMs,
    toMs,
    bookedMs: nowMs,
    attribution: { ...unattributed, ...said, tags: wanted.attribution?.tags ?? {} } satisfies Attribution,
    key: null,
    witness: "declared",
    work: null,
    quantity: wanted.quantity,
    source: "reported",
    price: null,
    costPico: toPicos(wanted.cost),
  };
}

const token = /^n_[0-9a-f]{16}$/;

function toPicos(cost: string): Pico {
  let pico: Pico;
  try {
    pico = parseUsd(cost);
  } catch (cause) {
    throw wrong(`the cost is ${JSON.stringify(cost)}: expected dollars with at most twelve decimals`, cause);
  }
  if (pico < 0n || pico > periodPicoMax) throw wrong(`the cost is ${cost}: expected 0 to ${formatUsd(periodPicoMax)} dollars`);
  return pico;
}

function wrong(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("request_malformed", { detail }, cause);
}

/**
 * Whether a declaration says the same as one on record, whenever it was made.
 * @param begun of its task: what of it the one on record has or lacks depends on which of them was said first.
 */
function isSame(before: PeriodCharge, now: PeriodCharge, begun: readonly Attribution[]): boolean {
  const tags = Object.keys({ ...before.attribution.tags, ...now.attribution.tags });
  const reads: ((from: Attribution) => string | null)[] = [
    ...attributionFields.map((field) => (from: Attribution) => from[field]),
    ...tags.map((name) => (from: Attribution) => from.tags[name] ?? null),
  ];
  // Which root follows for one that says none depends on what was known then.
  const known = now.attribution.root === null ? [...begun, { ...unattributed, root: before.attribution.root }] : begun;
  return (
    textOf(before) === textOf(now) &&
    reads.every((read) => {
      const [stands, said] = [read(before.attribution), read(now.attribution)];
      return stands === said || (said === null && known.some((from) => read(from) === stands));
    })
  );
}

/** Of all but when it was booked, and whose it is. */
function textOf({ bookedMs: _bookedMs, attribution: _attribution, ...rest }: PeriodCharge): string {
  const sorted = Object.entries(rest).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(sorted, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

async function toShown({ charge: { costPico, price, class: item, ...rest }, voidedMs }: ChargeRecord, context: ApiContext) {
  const { model, version, ratePico, ratePer } = price ?? {};
  return {
    ...rest,
    item,
    unit: unitOf(item),
    attribution: await nameAttribution(rest.attribution, context.names),
    cost: costPico === null ? null : formatUsd(costPico),
    price:
      version === undefined || model === undefined
        ? null
        : { model, version, source: context.prices.source(version), ratePico: String(ratePico), ratePer: String(ratePer) },
    voidedMs,
  };
}
