// The longest prompts by day, for the shape of runs: of calls that were metered, by what steps are told apart by. Not here: the question (shape.ts), sums
// (steps.ts). Invariant: the greatest of a day's rows is the greatest of its calls; a day of which a call was taken out is made anew, since a maximum
// cannot be taken back.

import { type Sql, sqlOf, type Value } from "./field.ts";
import { fold, worthFolding } from "./fold.ts";
import { fieldsOf, stepFields } from "./steps.ts";
import type { Transaction } from "./transaction.ts";

const names = ["day", ...stepFields].map((name) => `"${name}"`).join(", ");
const columns = `"day" INTEGER, ${stepFields.map((name) => `"${name}" ${name === "tasked" ? "BOOLEAN" : "VARCHAR"}`).join(", ")}, most BIGINT`;

/** Part of the schema. */
export const peakTables: readonly string[] = [peakTable("peakDays"), `CREATE TABLE peakAgain ("day" INTEGER)`];

function peakTable(name: string): string {
  return `CREATE TABLE ${name} (${columns})`;
}

/** Rows of calls `c` of a source. */
export function peaksOf(source: Sql): Sql {
  return sqlOf(`SELECT c."day", ${fieldsOf}, max(c.inputTokens) AS most FROM `, source, " GROUP BY ALL");
}

/** Calls that were metered. */
export const metered = "c.source IS NOT NULL";

/** Adds the calls of `table` that meet the condition, or has their days made anew (`sign` −1). */
export async function addPeaks(db: Transaction, condition: string, values: readonly Value[], sign: 1 | -1, table: string): Promise<void> {
  if (sign === 1) {
    const rows = peaksOf({ text: `${table} AS c WHERE (${condition}) AND ${metered}`, values });
    await db.run(`INSERT INTO peakDays BY NAME ${rows.text}`, rows.values);
  } else await db.run(`INSERT INTO peakAgain SELECT DISTINCT c."day" FROM ${table} AS c WHERE ${condition}`, values);
}

/** Makes days anew of which calls were taken out, and folds rows of the same day and values into one. */
export async function foldPeaks(db: Transaction): Promise<void> {
  const [row] = await db.rows(`SELECT count(*) FROM peakAgain`, []);
  if (Number(row?.[0] ?? 0) > 0) {
    const days = `"day" IN (SELECT "day" FROM peakAgain)`;
    await db.run(`DELETE FROM peakDays WHERE ${days}`, []);
    await db.run(`INSERT INTO peakDays BY NAME ${peaksOf({ text: `calls AS c WHERE c.${days} AND ${metered}`, values: [] }).text}`, []);
    await db.run(`DELETE FROM peakAgain`, []);
  }
  for (const name of await worthFolding(db, ["peakDays"]))
    await fold(db, name, peakTable, `SELECT ${names}, max(most) FROM ${name} GROUP BY ${names} ORDER BY "day"`);
}
