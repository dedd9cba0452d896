// Cuts: sums by hour, by day and a few fields, kept as data arrives, so that a question over months reads thousands of rows in place of millions
// of calls. Not here: which question is answered from which (query.ts). Invariant: the rows of a cut add up to what a scan of `calls` gives, hour
// by hour and day by day; a call that is replaced is taken out with negative counts.

import type { Value } from "./field.ts";
import { fold, worthFolding } from "./fold.ts";
import { callMeasures, cutCost, lineColumns, lineMeasures } from "./measure.ts";
import { type Cut, cutColumns, cutMeasures, cutName, cutNames, cuts, cutTable, type CutUnit, cutUnits } from "./schema.ts";
import type { Transaction } from "./transaction.ts";

/** Adds the calls of `table` that meet the condition to the cuts, or takes them out (`sign` −1). */
export async function addCuts(
  db: Transaction,
  condition: string,
  values: readonly Value[],
  sign: 1 | -1 = 1,
  table = "calls",
): Promise<void> {
  for (const cut of cutNames)
    for (const unit of cutUnits) {
      const fields = cuts[cut].map((field) => (field === "class" ? `line."class"` : `c."${field}"`));
      const lined = cut === "classHours";
      const columns = cuts[cut].filter((field) => field !== "class").map((field) => `"${field}"`);
      const from = lined
        ? `(SELECT "${unit}", ${[...columns, ...lineColumns.map((name) => `"${name}"`)].join(", ")}, unnest(lines) AS line FROM ${table} WHERE ${condition}) AS c`
        : `${table} AS c WHERE ${condition}`;
      const grouped = `SELECT c."${unit}", ${fields.join(", ")}, ${lined ? lineMeasures(true) : callMeasures} FROM ${from} GROUP BY ${["", ...fields].map((_, index) => index + 1).join(", ")}`;
      await db.run(`INSERT INTO ${cutName(cut, unit)} ${splitOf(cut, unit, grouped, sign)}`, values);
    }
}

/** Rows as a cut has them, from some whose cost is one number. */
function splitOf(cut: Cut, unit: CutUnit, rows: string, sign: 1 | -1 = 1): string {
  const names = [unit, ...cuts[cut]].map((name) => `"${name}"`);
  const signed = sign === 1 ? "" : "-";
  const measures = Object.keys(cutColumns).map((name) => {
    if (name === "cost") return `${signed}("cost" - trunc("cost"))`;
    return name === "dollars" ? `${signed}trunc("cost")` : `${signed}"${name}"`;
  });
  return `SELECT ${[...names, ...measures].join(", ")} FROM (${rows})`;
}

/** Folds rows of the same time and values into one. */
export async function foldCuts(db: Transaction, rowsMin?: number): Promise<void> {
  const tables = cutNames.flatMap((cut) => cutUnits.map((unit) => ({ cut, unit, name: cutName(cut, unit) })));
  const worth = await worthFolding(
    db,
    tables.map(({ name }) => name),
    rowsMin,
  );
  for (const { cut, unit, name } of tables) if (worth.includes(name)) await foldCut(db, cut, unit);
}

async function foldCut(db: Transaction, cut: Cut, unit: CutUnit): Promise<void> {
  const name = cutName(cut, unit);
  const names = [unit, ...cuts[cut]].map((field) => `c."${field}"`);
  const sums = cutMeasures.map((measure) => (measure === "cost" ? `${cutCost} AS "cost"` : `sum(c."${measure}") AS "${measure}"`));
  const rows = `SELECT ${[...names, ...sums].join(", ")} FROM ${name} AS c GROUP BY ${names.join(", ")} HAVING sum(c.calls) > 0`;
  // In order of time, so that a span is read from few blocks.
  await fold(db, name, (folded) => cutTable(cut, unit, folded), `${splitOf(cut, unit, rows)} ORDER BY "${unit}"`);
}
