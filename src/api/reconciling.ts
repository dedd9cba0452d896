// The shapes of reconciliation in the control API. Not here: what they mean (core/reconcile.ts). Invariant: amounts are decimal strings of dollars.

import { z } from "@hono/zod-openapi";
import { causeKinds } from "../core/cell.ts";
import { usageClassNames } from "../core/usage.ts";
import { ms, text, usd } from "./schema.ts";

const signed = z.int();
const className = z.enum(usageClassNames as [string, ...string[]]).nullable();
const day = z.string().openapi({ description: "A day, UTC.", example: "2026-10-01" });
const measure = z
  .object({
    quantity: signed.nullable().openapi({ description: "Units of the class; null: this side does not say, or there is no class." }),
    cost: usd.nullable(),
  })
  .openapi("ReconciledMeasure");

export const wanted = z
  .strictObject({
    provider: z.string().min(1).max(100).openapi({ description: "Whose statement it is, as the ledger names it.", example: "openai" }),
    files: z
      .array(z.strictObject({ name: z.string().min(1).max(300), text: z.string().max(32 * 1024 * 1024) }))
      .min(1)
      .max(100)
      .openapi({ description: "What the provider exports: pages of one answer, or the usage and the costs of the same days." }),
    format: z.string().max(40).nullable().default(null).openapi({ description: "null: told from what is in the files." }),
    since: z
      .string()
      .max(40)
      .nullable()
      .default(null)
      .openapi({ description: "From this day on; the files' first when null.", example: "2026-10-01" }),
    until: z.string().max(40).nullable().default(null).openapi({ description: "Before this day; the end of the files' last when null." }),
    dryRun: z.boolean().default(false).openapi({ description: "Compare, and keep nothing." }),
    limit: z.int().min(1).max(10_000).default(1_000).openapi({ description: "Most rows in this answer, those with the largest gaps." }),
  })
  .openapi("StatementWanted");

const gap = {
  stated: usd.nullable().openapi({ description: "What the statement charges; null: it has no amounts." }),
  ledger: usd,
  gap: usd.nullable().openapi({ description: "Stated less ledger; where nothing is stated, valued less ledger." }),
  gapPercent: z
    .string()
    .nullable()
    .openapi({ description: "Of what is stated, rounded to four decimals; null: nothing is.", example: "1.25" }),
  valued: usd.nullable().openapi({ description: "What the statement's quantities come to at the ledger's prices; null: it has amounts." }),
};

const place = z.object({ day, model: text, class: className, quantity: signed, amount: usd }).openapi("ReconciledPlace");

const cause = z
  .object({
    kind: z.enum([...causeKinds, "unexplained"]),
    title: z.string(),
    amount: usd.openapi({ description: "Its part of the gap. All causes add up to the gap, to the last digit." }),
    gross: usd.openapi({ description: "The same without regard to sign." }),
    why: z.array(z.string()).openapi({ description: "The evidence, in words." }),
    places: z.array(place).openapi({ description: "Where, the largest first; the first few of them." }),
  })
  .openapi("ReconciledCause");

const row = z
  .object({
    from: day,
    to: day.openapi({ description: "The day after its last." }),
    model: text,
    class: className,
    item: text.openapi({ description: "The provider's words, where it is no usage of a model." }),
    stated: measure,
    ledger: measure,
    gap: measure,
  })
  .openapi("ReconciledRow");

export const reconciliation = z
  .object({
    id: text.openapi({ description: "null: a dry run." }),
    atMs: ms,
    provider: z.string(),
    format: z.string().openapi({ description: "What the files were found to be.", example: "openai-usage+openai-costs" }),
    title: z.string(),
    files: z.array(z.string()),
    from: day,
    to: day.openapi({ description: "The day after its last." }),
    basis: z.enum(["amounts", "prices"]).openapi({
      description: "`amounts`: the statement's own. `prices`: it has none, and its quantities are valued at the ledger's prices.",
    }),
    ...gap,
    causes: z.array(cause),
    rows: z.array(row).openapi({ description: "The largest gap first." }),
    rowCount: z.int(),
    models: z.object({
      joined: z.array(z.object({ name: z.string(), label: z.string(), by: z.string() })),
      statedOnly: z.array(z.string()),
      ledgerOnly: z.array(z.string()),
    }),
    foreign: z
      .array(z.object({ currency: z.string(), amount: z.string(), ledger: usd }))
      .openapi({ description: "Amounts in other currencies: shown as they are, and compared with nothing." }),
    unvalued: z.array(z.object({ day, model: text, class: className, quantity: signed })),
    notes: z.array(z.string()),
  })
  .openapi("Reconciliation");

export const listed = z
  .object({ id: z.string(), atMs: ms, provider: z.string(), from: day, to: day, ...gap })
  .openapi("ReconciliationListed");

export const list = z
  .object({ reconciliations: z.array(listed), formats: z.array(z.string()).openapi({ description: "Exports that can be read." }) })
  .openapi("Reconciliations");
