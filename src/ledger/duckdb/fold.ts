// Tables to which sums are only ever appended, folded: rows of the same values become one. Not here: which rows are the same (whose table it is, says so).
// Invariant: a row is folded a few times at most, however many come.

import type { Transaction } from "./transaction.ts";

/** Fewer rows than this are not worth folding. */
const foldRowsMin = 50_000;

/** Of these tables those that have half as many rows again as after the last time. */
export async function worthFolding<Name extends string>(db: Transaction, names: readonly Name[], rowsMin = foldRowsMin): Promise<Name[]> {
  const counts = names.map(
    (name) => `(SELECT count(*) FROM ${name}), (SELECT coalesce(max("rows"), 0) FROM cutRows WHERE name = '${name}')`,
  );
  const [row = []] = await db.rows(`SELECT ${counts.join(", ")}`, []);
  return names.filter((_, index) => {
    const count = Number(row[index * 2] ?? 0);
    return count >= rowsMin && count >= Number(row[index * 2 + 1] ?? 0) * 1.5;
  });
}

/** Puts folded rows in the place of a table's, and notes how many they are. @param create makes the table by another name. */
export async function fold(db: Transaction, name: string, create: (name: string) => string, rows: string): Promise<void> {
  await replaceTable(db, name, create, rows);
  await db.run(`DELETE FROM cutRows WHERE name = '${name}'`, []);
  await db.run(`INSERT INTO cutRows SELECT '${name}', count(*) FROM ${name}`, []);
}

/** @param rows of the table as it is, with its columns in their order. */
export async function replaceTable(db: Transaction, name: string, create: (name: string) => string, rows: string): Promise<void> {
  await db.run(create("folded"), []);
  await db.run(`INSERT INTO folded ${rows}`, []);
  await db.run(`DROP TABLE ${name}`, []);
  await db.run(`ALTER TABLE folded RENAME TO ${name}`, []);
}
