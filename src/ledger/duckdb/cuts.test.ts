// Folding: what a cut says is the same before and after, and what was taken out again leaves nothing.

import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { foldCuts } from "./cuts.ts";
import { schema } from "./schema.ts";

test("a folded cut has one row for an hour and its values, with the same sums", async () => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const rows = async (text: string) => (await connection.runAndReadAll(text)).getRows();
  for (const statement of schema) await connection.run(statement);
  const insert = (hour: number, customer: string, calls: number, cost: string) =>
    connection.run(`INSERT INTO customerHours ("hour", customer, calls, "cost") VALUES (${hour}, '${customer}', ${calls}, ${cost})`);
  await insert(2, "a", 1, "0.5");
  await insert(1, "a", 2, "0.000000000001");
  await insert(2, "a", 3, "0.25");
  await insert(2, "b", 1, "7");
  await insert(2, "b", -1, "-7");
  await foldCuts({ rows, run: (text) => connection.run(text).then(() => undefined) }, 1);
  expect((await rows(`SELECT "hour", customer, calls::INTEGER, "cost"::VARCHAR FROM customerHours`)).map(String)).toEqual([
    "1,a,2,0.000000000001",
    "2,a,4,0.750000000000",
  ]);
  await insert(3, "c", 1, "1");
  await foldCuts({ rows, run: (text) => connection.run(text).then(() => undefined) }, 3);
  expect(await rows(`SELECT count(*)::INTEGER FROM customerHours`)).toEqual([[3]]);
  connection.closeSync();
  instance.closeSync();
});
