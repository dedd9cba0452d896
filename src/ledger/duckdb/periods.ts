// Period charges in the tables: the charges themselves, what was voided, and the pieces by day that reports add up.
// Invariant: the first charge of an id stands, and a void holds whether it comes before or after its charge, so that the tables are the same
// however the journal was cut into batches.

import { type Closed, monthOf } from "../../core/month.ts";
import type { PeriodCharge } from "../../core/period.ts";
import { decodeEntry } from "../codec.ts";
import { bookingOf } from "../bookings.ts";
import { type PieceRow, toPieceRows, toWholeRow } from "../pieces.ts";
import type { Booking, ChargeRecord, ChargesQuery } from "../store.ts";
import { type Batch, wellFormed, writePiece } from "./batch.ts";
import { type Sql, taskOf, type Value, whole } from "./field.ts";
import { bounded } from "./query.ts";
import { book } from "./late.ts";
import { insertPieces } from "./schema.ts";
import type { Spool, Transaction } from "./transaction.ts";

/**
 * Takes in a batch's charges and voids. Days in a closed month count when the charge was booked; a void takes them out when it was said.
 * @returns tasks of which charges came or were taken back.
 */
export async function applyPeriods(db: Transaction, batch: Batch, spool: Spool): Promise<string[]> {
  if (batch.charges.size === 0 && batch.voids.size === 0) return [];
  const { books } = batch;
  const ids = [...batch.charges.keys()];
  const known = new Set(
    (await db.rows(`SELECT id FROM periodCharges WHERE id IN (${list})`, [JSON.stringify(ids)])).map(([id]) => String(id)),
  );
  const fresh = [...batch.charges].filter(([id]) => !known.has(id));
  if (fresh.length > 0) {
    const rows = fresh.flatMap(([id, { charge }]) => toPieceRows(charge, books).map((row) => writePiece(row, id)));
    await spool(rows, (file) => db.run(insertPieces, [file]));
    const texts = fresh.map(([id, { charge, text }]) => ({ id, fromMs: charge.fromMs, toMs: charge.toMs, text }));
    await db.run(insertCharges, [JSON.stringify(texts)]);
  }
  const touched = JSON.stringify([...fresh.map(([id]) => id), ...batch.voids.keys()]);
  const tasks = await db.rows(`SELECT DISTINCT ${taskOf} FROM periods AS c WHERE c.charge IN (${list}) AND ${taskOf} IS NOT NULL`, [
    touched,
  ]);
  if (books !== null) await bookVoids(db, batch, books, spool);
  if (batch.voids.size > 0) await db.run(insertVoids, [JSON.stringify([...batch.voids].map(([id, atMs]) => ({ id, atMs })))]);
  await db.run(
    "DELETE FROM periods WHERE startMs >= ?::BIGINT AND charge IN (SELECT id FROM voids) AND charge NOT IN (SELECT id FROM bookings)",
    [books?.untilMs ?? -(2 ** 53)],
  );
  return tasks.map(([name]) => String(name));
}

/** What a void takes out of a closed month stays there, and is booked against it. */
async function bookVoids(db: Transaction, batch: Batch, books: Closed, spool: Spool): Promise<void> {
  const ids = JSON.stringify([...batch.voids.keys()]);
  const rows = await db.rows(
    `SELECT c.text FROM periodCharges AS c WHERE c.id IN (${list}) AND c.id NOT IN (SELECT id FROM voids)
      AND c.id IN (SELECT charge FROM periods WHERE startMs < ?::BIGINT)`,
    [ids, books.untilMs],
  );
  const booked = [];
  for (const row of rows) {
    const { charge } = toChargeRecord([...row, null]);
    const standing = await db.rows(`SELECT startMs FROM periods WHERE charge = ?::VARCHAR AND startMs < ?::BIGINT`, [
      wellFormed(charge.id),
      books.untilMs,
    ]);
    // Some of its days may count elsewhere: they were booked late themselves.
    const times = new Set(standing.map(([startMs]) => Number(startMs)));
    const before = await standingRow(db, charge, times);
    const firstMs = Math.min(...times);
    const atMs = Math.max(batch.voids.get(wellFormed(charge.id)) ?? 0, books.bookMs);
    const of = { id: `correction:${charge.id}:1`, call: null, charge: charge.id, month: monthOf(firstMs) };
    const made = bookingOf(of, before, null, { cause: "voided", rerate: null, atMs });
    if (made !== null) booked.push(made);
  }
  await book(db, booked, spool);
}

/** What stands of a charge in closed months, as one row. */
async function standingRow(db: Transaction, charge: PeriodCharge, times: ReadonlySet<number>): Promise<PieceRow> {
  const [row = []] = await db.rows(
    `SELECT sum("cost")::DECIMAL(18,12)::VARCHAR, sum(lines[1].quantity)::BIGINT FROM periods WHERE charge = ?::VARCHAR
      AND startMs IN (SELECT unnest(from_json(?::VARCHAR, '["BIGINT"]')))`,
    [wellFormed(charge.id), JSON.stringify([...times])],
  );
  const [cost, quantity] = row;
  return toWholeRow(charge, cost === null ? null : String(cost), quantity === null ? null : Number(quantity));
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

/** Those of these ids that there are. */
export function chargesOfSql(ids: readonly string[]): Sql {
  return { text: `${selected} WHERE c.id IN (${list})`, values: [JSON.stringify(ids.map(wellFormed))] };
}

/** The last ids first. */
export function namedSql(prefix: string, limit: number): Sql {
  return {
    text: `${selected} WHERE starts_with(c.id, ?::VARCHAR) ORDER BY c.id DESC LIMIT ${bounded(limit)}`,
    values: [wellFormed(prefix)],
  };
}

/** A row of any of these questions. */
export function toChargeRecord([text, voidedMs]: readonly unknown[]): ChargeRecord {
  const entry = decodeEntry(String(text));
  return { charge: (entry as { readonly charge: PeriodCharge }).charge, voidedMs: voidedMs === null ? null : Number(voidedMs) };
}

/** Bookings of a period, newest first; one more than the limit says that there are more. */
export function bookingsSql({ sinceMs, untilMs, limit }: ChargesQuery): Sql {
  const conditions: string[] = [];
  const values: Value[] = [];
  if (sinceMs !== null) {
    conditions.push("atMs >= ?::BIGINT");
    values.push(whole(sinceMs));
  }
  if (untilMs !== null) {
    conditions.push("atMs < ?::BIGINT");
    values.push(whole(untilMs));
  }
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return { text: `SELECT text FROM bookings ${condition} ORDER BY atMs DESC, id DESC LIMIT ${bounded(limit) + 1}`, values };
}

export function toBooking([text]: readonly unknown[]): Booking {
  return JSON.parse(String(text)) as Booking;
}
