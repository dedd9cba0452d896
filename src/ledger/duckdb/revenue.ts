// What customers pay in the tables: statements, what was voided, and their parts by calendar month. Not here: sums (margin.ts).
// Invariant: the first statement of an id stands, and a void holds whether it comes before or after it, so that the tables are the same however
// the journal was cut into batches.

import { formatUsd } from "../../core/money.ts";
import { monthOf, monthSpan } from "../../core/month.ts";
import { byMonth, type Revenue } from "../../core/revenue.ts";
import { decodeEntry } from "../codec.ts";
import type { RevenuePage, RevenueQuery, RevenueRecord } from "../margin.ts";
import { type Batch, wellFormed } from "./batch.ts";
import { type Sql, type Value, whole } from "./field.ts";
import { earnedColumns, revenueColumns } from "./schema.ts";
import { type Spool, spooled, type Transaction } from "./transaction.ts";

/** Statements of one question, at most. */
const revenuesMax = 100_000;
/** Whole months since 1970. */
export function monthIndex(month: string): number {
  const [year = 1970, index = 1] = month.split("-").map(Number);
  return (year - 1970) * 12 + index - 1;
}

/** Takes in a batch's statements and voids. */
export async function applyRevenues(db: Transaction, batch: Batch, spool: Spool): Promise<void> {
  if (batch.revenues.size === 0 && batch.revenueVoids.size === 0) return;
  if (batch.revenues.size > 0) await insertRevenues(db, batch, spool);
  if (batch.revenueVoids.size > 0) {
    const voids = [...batch.revenueVoids].map(([id, atMs]) => line({ id, atMs }));
    const read = spooled({ id: "VARCHAR", atMs: "BIGINT" });
    await spool(voids, (file) =>
      db.run(`INSERT INTO revenueVoids SELECT id, atMs FROM ${read} WHERE id NOT IN (SELECT id FROM revenueVoids)`, [file]),
    );
  }
  await db.run("DELETE FROM earned WHERE id IN (SELECT id FROM revenueVoids)", []);
}

async function insertRevenues(db: Transaction, { revenues }: Batch, spool: Spool): Promise<void> {
  const known = new Set<string>();
  await spool(
    [...revenues.keys()].map((id) => line({ id })),
    async (file) => {
      const rows = await db.rows(`SELECT id FROM revenues WHERE id IN (SELECT id FROM ${spooled({ id: "VARCHAR" })})`, [file]);
      for (const [id] of rows) known.add(String(id));
    },
  );
  const fresh = [...revenues].filter(([id]) => !known.has(id));
  if (fresh.length === 0) return;
  const rows = fresh.map(([id, { revenue, text }]) =>
    line({
      ...keysOf(id, revenue),
      every: revenue.every,
      fromMs: revenue.fromMs,
      toMs: revenue.toMs,
      amount: formatUsd(revenue.amountPico),
      firstMonth: revenue.toMs === null ? monthIndex(firstWhole(revenue.fromMs)) : null,
      text,
    }),
  );
  await spool(rows, (file) => db.run(`INSERT INTO revenues BY NAME SELECT * FROM ${spooled(revenueColumns)}`, [file]));
  const parts = fresh.flatMap(([id, { revenue }]) => {
    const untilMs = revenue.toMs ?? monthSpan(firstWhole(revenue.fromMs)).fromMs;
    return byMonth(revenue, untilMs).map(({ month, days, amountPico }) =>
      line({ ...keysOf(id, revenue), month: monthIndex(month), days, amount: formatUsd(amountPico) }),
    );
  });
  if (parts.length > 0) await spool(parts, (file) => db.run(`INSERT INTO earned BY NAME SELECT * FROM ${spooled(earnedColumns)}`, [file]));
}

/** The first calendar month that is whole from `fromMs` on. */
function firstWhole(fromMs: number): string {
  const month = monthOf(fromMs);
  return monthSpan(month).fromMs === fromMs ? month : monthOf(monthSpan(month).toMs);
}

const clean = (text: string | null): string | null => (text === null ? null : wellFormed(text));

function keysOf(id: string, { customer, plan, feature }: Revenue): Record<"id" | "customer" | "plan" | "feature", string | null> {
  return { id, customer: clean(customer), plan: clean(plan), feature: clean(feature) };
}

/** Statements, the latest beginning first; one more than the limit says that there are more. */
export function revenuesSql({ ids, sinceMs, untilMs, customer, limit }: RevenueQuery): Sql {
  const conditions: string[] = [];
  const values: Value[] = [];
  const where = (condition: string, value: Value): void => {
    conditions.push(condition);
    values.push(value);
  };
  if (ids !== null) where(`r.id IN (SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]')))`, JSON.stringify(ids.map(wellFormed)));
  if (sinceMs !== null) where("coalesce(r.toMs > ?::BIGINT, true)", whole(sinceMs));
  if (untilMs !== null) where("r.fromMs < ?::BIGINT", whole(untilMs));
  if (customer !== undefined) where("r.customer = ?::VARCHAR", wellFormed(customer));
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return {
    text: `SELECT r.text, v.atMs FROM revenues AS r LEFT JOIN revenueVoids AS v ON v.id = r.id ${condition}
      ORDER BY r.fromMs DESC, r.id DESC LIMIT ${Math.min(limit, revenuesMax) + 1}`,
    values,
  };
}

export function toRevenues(rows: readonly (readonly unknown[])[], limit: number): RevenuePage {
  return { revenues: rows.slice(0, limit).map(toRecord), truncated: rows.length > limit };
}

function toRecord([text, voidedMs]: readonly unknown[]): RevenueRecord {
  const entry = decodeEntry(String(text));
  return { revenue: (entry as { readonly revenue: Revenue }).revenue, voidedMs: voidedMs === null ? null : Number(voidedMs) };
}

const line = (row: Readonly<Record<string, unknown>>): string => `${JSON.stringify(row)}\n`;
