// Incidents in the tables: gaps in the record, and jumps of the clock that times are taken from. Not here: what they mean for a number.

import type { Entry } from "../../core/entry.ts";
import type { ChargesQuery, Incident } from "../store.ts";
import { type Sql, type Value, whole } from "./field.ts";
import { bounded } from "./query.ts";
import type { Transaction } from "./transaction.ts";

export type IncidentEntry = Extract<Entry, { readonly kind: "gap" | "clock" }>;

export async function applyIncidents(db: Transaction, entries: readonly IncidentEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) =>
    entry.kind === "gap"
      ? { kind: "gap", fromMs: entry.fromMs, toMs: entry.toMs, calls: entry.calls, byMs: null, cause: entry.cause }
      : { kind: "clock", fromMs: entry.atMs, toMs: entry.atMs, calls: null, byMs: entry.byMs, cause: null },
  );
  await db.run(insert, [JSON.stringify(rows)]);
}

const shape = `[{"kind":"VARCHAR","fromMs":"BIGINT","toMs":"BIGINT","calls":"BIGINT","byMs":"BIGINT","cause":"VARCHAR"}]`;
const insert = `INSERT INTO incidents SELECT e.kind, e.fromMs, e.toMs, e.calls, e.byMs, e.cause FROM (SELECT unnest(from_json(?::VARCHAR, '${shape}')) AS e)`;

/** Those that touch a span, newest first; one more than the limit says that there are more. */
export function incidentsSql({ sinceMs, untilMs, limit }: ChargesQuery): Sql {
  const conditions: string[] = [];
  const values: Value[] = [];
  if (sinceMs !== null) {
    conditions.push("toMs >= ?::BIGINT");
    values.push(whole(sinceMs));
  }
  if (untilMs !== null) {
    conditions.push("fromMs < ?::BIGINT");
    values.push(whole(untilMs));
  }
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return { text: `SELECT * FROM incidents ${condition} ORDER BY fromMs DESC, kind LIMIT ${bounded(limit) + 1}`, values };
}

export function toIncident([kind, fromMs, toMs, calls, byMs, cause]: readonly unknown[]): Incident {
  return kind === "gap"
    ? { kind, fromMs: Number(fromMs), toMs: Number(toMs), calls: Number(calls), cause: String(cause) }
    : { kind: "clock", atMs: Number(fromMs), byMs: Number(byMs) };
}
