// Cuts: sums by hour and a few fields, kept as data arrives, so that a question over months reads thousands of rows in place of millions of
// calls. Not here: which question is answered from which (query.ts). Invariant: the rows of a cut add up to what a scan of `calls` gives, hour
// by hour; a call that is replaced is taken out with negative counts.

import type { Value } from "./field.ts";
import { callMeasures, lineColumns, lineMeasures } from "./measure.ts";
import { type Cut, cutMeasures, cutNames, cuts, cutTable } from "./schema.ts";
import type { Transaction } from "./transaction.ts";

/** Adds the calls of `table` that meet the condition to the cuts, or takes them out (`sign` −1). */
export async function addCuts(
  db: Transaction,
  condition: string,
  values: readonly Value[],
  sign: 1 | -1 = 1,
  table = "calls",
): Promise<void> {
  for (const cut of cutNames) {
    const fields = cuts[cut].map((field) => (field === "class" ? `line."class"` : `c."${field}"`));
    const lined = cut === "classHours";
    const columns = cuts[cut].filter((field) => field !== "class").map((field) => `"${field}"`);
    const from = lined
      ? `(SELECT "hour", ${[...columns, ...lineColumns.map((name) => `"${name}"`)].join(", ")}, unnest(lines) AS line FROM ${table} WHERE ${condition}) AS c`
      : `${table} AS c WHERE ${condition}`;
    const grouped = `SELECT c."hour", ${fields.join(", ")}, ${lined ? lineMeasures(true) : callMeasures} FROM ${from} GROUP BY ${["", ...fields].map((_, index) => index + 1).join(", ")}`;
    const names = ["hour", ...cuts[cut]].map((name) => `"${name}"`);
    const measures = cutMeasures.map((measure) => `${sign === 1 ? "" : "-"}"${measure}"`);
    await db.run(`INSERT INTO ${cut} SELECT ${[...names, ...measures].join(", ")} FROM (${grouped})`, values);
  }
}

/** Fewer rows than this are not worth folding. */
const foldRowsMin = 50_000;

/** Folds rows of the same hour and values into one, when a cut has half as many again as after the last time. */
export async function foldCuts(db: Transaction, rowsMin = foldRowsMin): Promise<void> {
  const counts = cutNames.map(
    (cut) => `(SELECT count(*) FROM ${cut}), (SELECT coalesce(max("rows"), 0) FROM cutRows WHERE name = '${cut}')`,
  );
  const [row = []] = await db.rows(`SELECT ${counts.join(", ")}`, []);
  for (const [index, cut] of cutNames.entries()) {
    const count = Number(row[index * 2] ?? 0);
    if (count < rowsMin || count < Number(row[index * 2 + 1] ?? 0) * 1.5) continue;
    await fold(db, cut);
  }
}

async function fold(db: Transaction, cut: Cut): Promise<void> {
  const names = ["hour", ...cuts[cut]].map((name) => `"${name}"`);
  const sums = cutMeasures.map((measure) => `sum("${measure}")`);
  await db.run(cutTable(cut, "foldedCut"), []);
  // In order of time, so that a span is read from few blocks.
  await db.run(
    `INSERT INTO foldedCut SELECT ${[...names, ...sums].join(", ")} FROM ${cut} GROUP BY ALL HAVING sum(calls) > 0 ORDER BY "hour"`,
    [],
  );
  await db.run(`DROP TABLE ${cut}`, []);
  await db.run(`ALTER TABLE foldedCut RENAME TO ${cut}`, []);
  await db.run(`DELETE FROM cutRows WHERE name = '${cut}'`, []);
  await db.run(`INSERT INTO cutRows SELECT '${cut}', count(*) FROM ${cut}`, []);
}
