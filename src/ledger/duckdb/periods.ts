// Period charges in the tables: the charges themselves, what was voided, and the pieces by day that reports add up.
// Invariant: the first charge of an id stands, and a void holds whether it comes before or after its charge, so that the tables are the same
// however the journal was cut into batches.

import type { PeriodCharge } from "../../core/period.ts";
import { decodeEntry } from "../codec.ts";
import { toPieceRows } from "../pieces.ts";
import type { ChargeRecord, ChargesQuery } from "../store.ts";
import { type Batch, wellFormed, writePiece } from "./batch.ts";
import { type Sql, type Value, whole } from "./field.ts";
import { bounded } from "./query.ts";
import { insertPieces } from "./schema.ts";
import type { Transaction } from "./transaction.ts";

/** Takes in a batch's charges and voids. `write` puts lines into a file that DuckDB reads. */
export async function applyPeriods(
  db: Transaction,
  batch: Batch,
  write: (rows: readonly string[], use: (file: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (batch.charges.size === 0 && batch.voids.size === 0) return;
  const ids = [...batch.charges.keys()];
  const known = new Set(
    (await db.rows(`SELECT id FROM periodCharges WHERE id IN (${list})`, [JSON.stringify(ids)])).map(([id]) => String(id)),
  );
  const fresh = [...batch.charges].filter(([id]) => !known.has(id));
  if (fresh.length > 0) {
    const rows = fresh.flatMap(([id, { charge }]) => toPieceRows(charge).map((row) => writePiece(row, id)));
    await write(rows, (file) => db.run(insertPieces, [file]));
    const texts = fresh.map(([id, { charge, text }]) => ({ id, fromMs: charge.fromMs, toMs: charge.toMs, text }));
    await db.run(insertCharges, [JSON.stringify(texts)]);
  }
  if (batch.voids.size > 0) await db.run(insertVoids, [JSON.stringify([...batch.voids].map(([id, atMs]) => ({ id, atMs })))]);
  await db.run("DELETE FROM periods WHERE charge IN (SELECT id FROM voids)", []);
}

const list = `SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]'))`;
const insertCharges = `INSERT INTO periodCharges SELECT e.id, e.fromMs, e.toMs, e.text FROM (SELECT unnest(from_json(?::VARCHAR,
  '[{"id":"VARCHAR","fromMs":"BIGINT","toMs":"BIGINT","text":"VARCHAR"}]')) AS e)`;
const insertVoids = `INSERT INTO voids SELECT e.id, e.atMs FROM (SELECT unnest(from_json(?::VARCHAR, '[{"id":"VARCHAR","atMs":"BIGINT"}]')) AS e)
  WHERE e.id NOT IN (SELECT id FROM voids)`;

const selected = "SELECT c.text, v.atMs FROM periodCharges AS c LEFT JOIN voids AS v ON v.id = c.id";

/** Charges that touch a period, newest first; one more than the limit says that there are more. */
export function chargesSql({ sinceMs, untilMs, limit }: ChargesQuery): Sql {
  const conditions: string[] = [];
  const values: Value[] = [];
  if (sinceMs !== null) {
    conditions.push("c.toMs > ?::BIGINT");
    values.push(whole(sinceMs));
  }
  if (untilMs !== null) {
    conditions.push("c.fromMs < ?::BIGINT");
    values.push(whole(untilMs));
  }
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return { text: `${selected} ${condition} ORDER BY c.fromMs DESC, c.id DESC LIMIT ${bounded(limit) + 1}`, values };
}

export function chargeSql(id: string): Sql {
  return { text: `${selected} WHERE c.id = ?::VARCHAR`, values: [wellFormed(id)] };
}

/** A row of either question. */
export function toChargeRecord([text, voidedMs]: readonly unknown[]): ChargeRecord {
  const entry = decodeEntry(String(text));
  return { charge: (entry as { readonly charge: PeriodCharge }).charge, voidedMs: voidedMs === null ? null : Number(voidedMs) };
}
