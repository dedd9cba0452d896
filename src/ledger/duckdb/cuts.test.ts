// Folding: what a cut says is the same before and after, what was taken out again leaves nothing, and no sum is too
// large for its columns.

import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { addCuts, foldCuts } from "./cuts.ts";
import { cutCost } from "./measure.ts";
import { schema } from "./schema.ts";
import type { Transaction } from "./transaction.ts";

test("a folded cut has one row for an hour and its values, with the same sums", async () => {
  const { rows, db, close } = await open();
  const insert = (hour: number, customer: string, calls: number, dollars: number, cost: string) =>
    db.run(
      `INSERT INTO customerHours ("hour", customer, calls, dollars, "cost") VALUES (${hour}, '${customer}', ${calls}, ${dollars}, ${cost})`,
      [],
    );
  await insert(2, "a", 1, 3, "0.5");
  await insert(1, "a", 2, 0, "0.000000000001");
  await insert(2, "a", 3, 1, "0.75");
  await insert(2, "b", 1, 7, "0");
  await insert(2, "b", -1, -7, "0");
  await foldCuts(db, 1);
  expect((await rows(`SELECT "hour", customer, calls::INTEGER, dollars, "cost"::VARCHAR FROM customerHours`)).map(String)).toEqual([
    "1,a,2,0,0.000000000001",
    "2,a,4,5,0.250000000000",
  ]);
  await insert(3, "c", 1, 1, "0");
  await foldCuts(db, 3);
  expect(await rows(`SELECT count(*)::INTEGER FROM customerHours`)).toEqual([[3]]);
  close();
});

test("an hour and a day of calls that cost more than one call can are kept to the last digit, and taken out again", async () => {
  const { rows, db, close } = await open();
  const dearest = "999999.999999999999";
  await db.run(
    `INSERT INTO calls (id, startMs, "hour", "day", customer, provider, "cost", inputTokens, outputTokens, unpriced, unmetered, doubtful, presumed, failed, lines)
      SELECT 'c' || i, 0, i // 10, 0, 'a', 'p', ${dearest}, 1, 1, false, false, false, false, false,
        [{'class': 'input', quantity: 1, source: 'reported', model: 'm', price: 'v', 'cost': ${dearest}::DECIMAL(18,12), 'first': true, unpriced: false}]
      FROM range(30) AS t(i)`,
    [],
  );
  await addCuts(db, "true", []);
  const sums = async (table: string) =>
    (await rows(`SELECT sum(calls)::INTEGER, (${cutCost})::VARCHAR, count(*)::INTEGER FROM ${table} AS c`)).map(String);
  for (let turn = 0; turn < 2; turn++) {
    for (const table of ["hours", "customerHours", "classHours"]) expect(await sums(table)).toEqual(["30,29999999.999999999970,3"]);
    for (const table of ["days", "customerDays", "classDays"]) expect(await sums(table)).toEqual(["30,29999999.999999999970,1"]);
    await foldCuts(db, 1);
  }
  await addCuts(db, "true", [], -1);
  await db.run("DELETE FROM cutRows", []);
  await foldCuts(db, 1);
  for (const table of ["hours", "customerDays", "classDays"]) expect(await rows(`SELECT count(*)::INTEGER FROM ${table}`)).toEqual([[0]]);
  close();
});

async function open() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const rows = async (text: string) => (await connection.runAndReadAll(text)).getRows();
  for (const statement of schema) await connection.run(statement);
  const db: Transaction = { rows, run: (text) => connection.run(text).then(() => undefined) };
  return {
    rows,
    db,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
