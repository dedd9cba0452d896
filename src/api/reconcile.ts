// `/api/v1/reconciliations`: a provider's statement is compared with the ledger, and what came of it is kept. Not here: reading files (ingest/, by way of the
// context), the comparison itself (core/reconcile.ts). Invariant: what is kept is the answer that was given.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Reconciled } from "../core/entry.ts";
import { formatRatio, formatUsd, parseUsd, type Pico } from "../core/money.ts";
import type { PriceOf } from "../core/cell.ts";
import { type Cause, type Measure, reconcile, type Reconciliation } from "../core/reconcile.ts";
import type { Statement } from "../core/statement.ts";
import { dayMs } from "../core/time.ts";
import { PennyworthError } from "../error.ts";
import { sandboxRecord } from "../providers/table.ts";
import type { ApiContext } from "./context.ts";
import { requireWhole } from "./fresh.ts";
import { invalid, parseTime } from "./query.ts";
import * as schema from "./reconciling.ts";
import { type Api, failures, json, needs, notFound, security } from "./route.ts";
import { ledgerLines } from "./tally.ts";

type Wanted = z.infer<typeof schema.wanted>;
type Shown = z.infer<typeof schema.reconciliation>;

/** How long a comparison waits for the store, ms. Then it is refused: what is kept must not be of half a ledger. */
const waitMsMax = 30_000;

export const causeTitles: Readonly<Record<Cause["kind"], string>> = {
  bypassed: "calls that did not pass Pennyworth",
  other: "charges that are no usage of a model",
  unpriced: "usage without a price here",
  presumed: "calls counted here at the most they may have cost",
  estimated: "quantities estimated here",
  unmetered: "calls here without a known usage",
  tier: "another service tier",
  cache_ttl: "another lifetime of the cache",
  discount: "a discount, credits or a surcharge",
  price: "another price",
  late: "usage of another day",
  rounding: "rounding",
  unexplained: "unexplained",
};

export function addReconcile(app: Api, context: ApiContext): void {
  const make = createRoute({
    method: "post",
    path: "/api/v1/reconciliations",
    summary: "Compares what a provider exports with the ledger",
    description:
      "The result is kept, unless it is a dry run; the files are not. A file with an error is refused whole, with its place and the reason.",
    security,
    middleware: needs("administer", context),
    request: { body: { required: true, content: { "application/json": { schema: schema.wanted } } } },
    responses: { 200: json("The gap, its causes, and the rows.", schema.reconciliation), ...failures, ...notFound },
  });
  app.openapi(make, async (c) => {
    const wanted = c.req.valid("json");
    const shown = await compare(context, wanted);
    return c.json({ ...shown, rows: shown.rows.slice(0, wanted.limit) }, 200);
  });

  const list = createRoute({
    method: "get",
    path: "/api/v1/reconciliations",
    summary: "The newest reconciliation of each provider and month",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The newest first.", schema.list), ...failures },
  });
  app.openapi(list, (c) => {
    const reconciliations = context.statements
      .list()
      .toSorted((a, b) => b.atMs - a.atMs)
      .map(toListed);
    return c.json({ reconciliations, formats: [...context.statements.formats] }, 200);
  });

  const get = createRoute({
    method: "get",
    path: "/api/v1/reconciliations/{id}",
    summary: "One reconciliation, whole",
    security,
    middleware: needs("read", context),
    request: { params: z.object({ id: z.string().min(1).max(100) }) },
    responses: { 200: json("As it was made.", schema.reconciliation), ...failures, ...notFound },
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const found = context.statements.list().find((one) => one.id === id);
    const text = found === undefined ? null : await context.statements.read(found.hash);
    if (text === null) throw new PennyworthError("statement_unknown", { id });
    return c.json(schema.reconciliation.parse(JSON.parse(text)), 200);
  });
}

async function compare(context: ApiContext, wanted: Wanted): Promise<Shown> {
  const nowMs = context.entryMs();
  const statement = await context.statements.parse(wanted.files, wanted.format);
  const [fromMs, toMs] = spanOf(wanted, statement, nowMs);
  // What the store has not taken in yet would be a gap.
  await requireWhole(context, waitMsMax);
  const lines = await ledgerLines(context, wanted.provider, fromMs, toMs);
  if (lines.length === 0) requireProvider(context, wanted.provider);
  const result = reconcile(statement, lines, { fromMs, toMs, nowMs, ...pricesOf(context, wanted.provider, fromMs) });
  const shown = toShown(result, statement, wanted, nowMs);
  if (wanted.dryRun) return shown;
  const kept = { ...shown, id: `reconciliation_${randomUUID()}` };
  const hash = await context.statements.keep(`${JSON.stringify(kept)}\n`);
  context.record({ kind: "reconciled", reconciled: toReconciled(kept.id, result, hash, wanted.provider, nowMs) });
  return kept;
}

/** Whole days, of those that the statement is about. @throws PennyworthError `query_invalid`. */
function spanOf({ since, until }: Wanted, { fromMs, toMs }: Statement, nowMs: number): [number, number] {
  const [first, end] = [Math.floor((fromMs ?? 0) / dayMs) * dayMs, Math.ceil((toMs ?? 0) / dayMs) * dayMs];
  const from = Math.max(first, Math.floor((parseTime("since", since ?? undefined, nowMs) ?? first) / dayMs) * dayMs);
  const to = Math.min(end, Math.ceil((parseTime("until", until ?? undefined, nowMs) ?? end) / dayMs) * dayMs);
  if (from >= to) throw invalid(`the files are about ${toDay(first)} to ${toDay(end - 1)}, and nothing of that is in the days asked for`);
  return [from, to];
}

/** A name that is mistyped would make all of the statement look as if it had gone elsewhere. */
function requireProvider(context: ApiContext, provider: string): void {
  const known = [...context.settings().providers.map(({ name }) => name), sandboxRecord.name];
  if (!known.includes(provider)) throw new PennyworthError("provider_unknown", { provider, known: known.toSorted().join(", ") });
}

function pricesOf(
  context: ApiContext,
  provider: string,
  atMs: number,
): { readonly canonical: (model: string) => string | null; readonly priceOf: PriceOf } {
  const book = context.prices.book(null);
  return {
    canonical: (model) => book.find({ provider, model, tier: null, region: null, atMs })?.model ?? null,
    priceOf: (model, name, tier, ms) => book.find({ provider, model, tier, region: null, atMs: ms })?.prices[name]?.[0]?.rate ?? null,
  };
}

function toReconciled(id: string, result: Reconciliation, hash: string, provider: string, atMs: number): Reconciled {
  const { fromMs, toMs, basis, ledgerPico } = result;
  const statedPico = hasAmounts(result) ? result.statedPico : null;
  const valuedPico = basis === "prices" ? result.statedPico : null;
  return { id, atMs, provider, fromMs, toMs, statedPico, valuedPico, ledgerPico, hash };
}

/** Whether the statement charges anything in dollars. */
function hasAmounts({ basis, foreign, rows }: Reconciliation): boolean {
  return basis === "amounts" && (foreign.length === 0 || rows.some((row) => row.stated.costPico !== null));
}

function toShown(result: Reconciliation, statement: Statement, { provider, files }: Wanted, atMs: number): Shown {
  const { fromMs, toMs, basis, causes, rows, models, foreign, unvalued } = result;
  const notes = [...statement.notes];
  if (statement.provider !== null && statement.provider !== provider)
    notes.push(`The export is ${statement.provider}'s; it is compared with what the ledger has of ${provider}.`);
  for (const { currency } of foreign) notes.push(`Amounts in ${currency} are shown and not compared: the ledger is in dollars.`);
  if (unvalued.length > 0) notes.push("Some of the statement's usage has no price: it is in no amount here.");
  return {
    id: null,
    atMs,
    provider,
    format: statement.format,
    title: statement.title,
    files: files.map(({ name }) => name),
    from: toDay(fromMs),
    to: toDay(toMs),
    basis,
    ...toGap(hasAmounts(result) ? result.statedPico : null, result.ledgerPico, basis === "prices" ? result.statedPico : null),
    valued: basis === "prices" ? formatUsd(result.statedPico) : null,
    causes: causes.map(toCause),
    rows: rows.map((row) => ({
      from: toDay(row.fromMs),
      to: toDay(row.toMs),
      model: row.model,
      class: row.class,
      item: row.item,
      stated: toMeasure(row.stated),
      ledger: toMeasure(row.ledger),
      gap: toMeasure(row.gap),
    })),
    rowCount: rows.length,
    models: { joined: [...models.joined], statedOnly: [...models.statedOnly], ledgerOnly: [...models.ledgerOnly] },
    foreign: foreign.map(({ currency, amount, ledgerPico }) => ({ currency, amount: formatUsd(amount), ledger: formatUsd(ledgerPico) })),
    unvalued: unvalued.map((one) => ({ day: toDay(one.fromMs), model: one.model, class: one.class, quantity: one.quantity })),
    notes,
  };
}

/** @param valued what is compared where nothing is stated. */
function toGap(stated: Pico | null, ledger: Pico, valued: Pico | null = null) {
  const compared = stated ?? valued;
  const gap = compared === null ? null : compared - ledger;
  return {
    stated: stated === null ? null : formatUsd(stated),
    ledger: formatUsd(ledger),
    gap: gap === null ? null : formatUsd(gap),
    gapPercent: gap === null || compared === null || compared <= 0n ? null : formatRatio(gap * 100n, compared, 4),
  };
}

function toCause({ kind, amountPico, grossPico, why, places }: Cause): Shown["causes"][number] {
  return {
    kind,
    title: causeTitles[kind],
    amount: formatUsd(amountPico),
    gross: formatUsd(grossPico),
    why: [...why],
    places: places.map((one) => ({
      day: toDay(one.fromMs),
      model: one.model,
      class: one.class,
      quantity: one.quantity,
      amount: formatUsd(one.amountPico),
    })),
  };
}

/** A cent: what is less is how exports round. */
const gapPicoMin = 10_000_000_000n;

/** The newest of each provider, where it differs from the ledger: an older statement says nothing beside a newer one. */
export function gapsOf(all: readonly Reconciled[]): z.infer<typeof schema.listed>[] {
  const newest = new Map<string, Reconciled>();
  for (const one of all) if ((newest.get(one.provider)?.atMs ?? 0) < one.atMs) newest.set(one.provider, one);
  return [...newest.values()].map(toListed).filter(({ gap }) => {
    const pico = gap === null ? 0n : parseUsd(gap);
    return pico >= gapPicoMin || pico <= -gapPicoMin;
  });
}

function toListed(one: Reconciled): z.infer<typeof schema.listed> {
  const { id, atMs, provider, fromMs, toMs, statedPico, valuedPico, ledgerPico } = one;
  const valued = valuedPico === null ? null : formatUsd(valuedPico);
  return { id, atMs, provider, from: toDay(fromMs), to: toDay(toMs), ...toGap(statedPico, ledgerPico, valuedPico), valued };
}

function toMeasure({ quantity, costPico }: Measure): Shown["rows"][number]["gap"] {
  return { quantity, cost: costPico === null ? null : formatUsd(costPico) };
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
