// Records of calls: what the journal says of them, with what came to be known later, what re-ratings said, and what was booked for it. Not
// here: rows and reports. Invariant: what a record says is charged is what its call is known to cost, in whichever month that counts.

import type { DuckDBValue } from "@duckdb/node-api";
import { amend, type Correction } from "../../core/resolve.ts";
import type { Booking, CallRecord } from "../store.ts";
import { contentsOf, placedCorrections } from "./corrections.ts";
import { json, list, positionsOf, recordsOf } from "./evidence.ts";
import { toBooking } from "./periods.ts";
import type { Records } from "./records.ts";
import type { Transaction } from "./transaction.ts";

const columns = "id, witness, endText, startSegment, startOffset, endSegment, endOffset";

/** Where records are looked up: calls ended and under way, with what is known by now of those in closed months. */
export const recorded = `(SELECT c.id, coalesce(l.witness, c.witness) AS witness, coalesce(l.endText, c.endText) AS endText, c.startSegment,
    c.startOffset, c.endSegment, c.endOffset
  FROM (SELECT ${columns} FROM calls UNION ALL SELECT ${columns} FROM open) AS c LEFT JOIN late AS l ON l."call" = c.id) AS c`;

export const recordColumns = columns;

/** Rows of `recorded` as records, in their order. */
export async function toRecords(
  db: Pick<Transaction, "rows">,
  records: Records,
  rows: readonly (readonly DuckDBValue[])[],
): Promise<CallRecord[]> {
  if (rows.length === 0) return [];
  const read = await recordsOf(
    records,
    rows.map(([, , endText, ...numbers]) => {
      const [startAt, endAt] = positionsOf(numbers);
      return { startAt, endAt, endText: endText === null || endText === undefined ? null : String(endText) };
    }),
  );
  const ids = json(rows.map(([id]) => String(id)));
  const corrections = await correctionsOf(db, records, ids);
  const bookings = new Map<string, Booking[]>();
  for (const [call, text] of await db.rows(`SELECT "call", text FROM bookings WHERE "call" IN (${list}) ORDER BY atMs, id`, [ids]))
    bookings.set(String(call), [...(bookings.get(String(call)) ?? []), toBooking([text])]);
  return rows.map(([name, witness], index) => {
    const id = String(name);
    const { start = null, end = null } = read[index] ?? {};
    const said = corrections.get(id);
    const record = { id, start, end: end === null ? null : amend(end, said ?? []), witnesses: String(witness).split("+") };
    const booked = bookings.get(id)?.filter((booking) => booking.call !== null);
    return {
      ...record,
      ...(said === undefined ? {} : { corrections: said }),
      ...(said === undefined || end === null ? {} : { original: { charges: end.charges, unpriced: end.unpriced } }),
      ...(booked === undefined || booked.length === 0 ? {} : { bookings: booked }),
    };
  });
}

async function correctionsOf(db: Pick<Transaction, "rows">, records: Records, ids: string): Promise<Map<string, Correction[]>> {
  const placed = [...(await placedCorrections(db, list, [ids])).values()].flat();
  const told = await contentsOf(records, placed);
  const found = new Map<string, Correction[]>();
  placed.forEach(({ call }, index) => {
    const known = found.get(call);
    if (known === undefined) found.set(call, [told[index] as Correction]);
    else known.push(told[index] as Correction);
  });
  return found;
}
