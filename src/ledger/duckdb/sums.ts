// Sums kept as data arrives, for reports over all time by fields with a great many values, and by class. Not here: reports by other
// fields, or with filters: those scan. Invariant: for every field the rows add up to what a scan of `calls` gives; none is averaged or
// divided, and a call that is replaced is taken out with negative counts.

import type { Transaction } from "./transaction.ts";
import { addCuts, foldCuts } from "./cuts.ts";
import type { Value } from "./field.ts";
import { replaceTable } from "./fold.ts";
import { callMeasures, lineColumns, lineMeasures } from "./measure.ts";
import { sumColumns, summedFields, sumsTable } from "./schema.ts";
import { addPeaks, foldPeaks } from "./peaks.ts";
import { addSteps, foldSteps } from "./steps.ts";
import { addTasks } from "./tasks.ts";

const measures = Object.keys(sumColumns).map((name) => `"${name}"`);

/** Adds the calls of `table` that meet the condition to the sums, the cuts and their tasks, or takes them out (`sign` −1). */
export async function addSums(
  db: Transaction,
  condition: string,
  values: readonly Value[],
  sign: 1 | -1 = 1,
  table = "calls",
): Promise<void> {
  for (const field of summedFields) {
    const grouped =
      field === "class"
        ? `SELECT line."class" AS "value", ${lineMeasures(true)} FROM (
            SELECT ${lineColumns.join(", ")}, unnest(lines) AS line FROM ${table} WHERE ${condition}) AS c GROUP BY 1`
        : `SELECT c."${field}" AS "value", ${callMeasures} FROM ${table} AS c WHERE ${condition} GROUP BY 1`;
    const signed = sign === 1 ? measures : measures.map((measure) => `-${measure}`);
    await db.run(`INSERT INTO sums SELECT '${field}', "value", ${signed.join(", ")} FROM (${grouped})`, values);
  }
  await addCuts(db, condition, values, sign, table);
  await addSteps(db, condition, values, sign, table);
  await addPeaks(db, condition, values, sign, table);
  await addTasks(db, condition, values, sign, table);
}

/** Fewer rows than this are not worth folding. */
const foldRowsMin = 100_000;

/** Folds rows of the same value into one, when there are half as many again as after the last time: each is folded a few times at most. */
export async function foldSums(db: Transaction): Promise<void> {
  await foldCuts(db);
  await foldSteps(db);
  await foldPeaks(db);
  const [row] = await db.rows(`SELECT (SELECT count(*) FROM sums), sumRowsFolded FROM applied`, []);
  const count = Number(row?.[0] ?? 0);
  if (count < foldRowsMin || count < Number(row?.[1] ?? 0) * 1.5) return;
  const added = measures.map((measure) => `sum(${measure})`);
  await replaceTable(db, "sums", sumsTable, `SELECT field, "value", ${added.join(", ")} FROM sums GROUP BY field, "value" ORDER BY field`);
  await db.run(`UPDATE applied SET sumRowsFolded = (SELECT count(*) FROM sums)`, []);
}
