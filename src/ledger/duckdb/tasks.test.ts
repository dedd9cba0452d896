// Merging: what is said of tasks is the same however often their rows were merged, and a task has one row then.

import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import type { SuccessQuery } from "../store.ts";
import { schema } from "./schema.ts";
import { successSql, toSuccess } from "./success.ts";
import { addTasks, foldTasks, remakeTasks } from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

const query: SuccessQuery = {
  by: ["type", "model"],
  sinceMs: null,
  untilMs: null,
  filters: [],
  nowMs: 1_000_000,
  openMs: 500_000,
  limit: 50,
};

test("tasks that were merged at any time say what those say that never were", async () => {
  const told = new Set<string>();
  for (const foldEvery of [0, 1, 2, 3]) {
    const { db, close } = await open();
    for (let turn = 0; turn < 6; turn++) {
      // Sixty calls of eleven tasks, the later ones first: what the first call says comes last.
      await db.run(
        `INSERT INTO calls (id, startMs, endMs, root, type, model, "cost", attempt, reason, unpriced, presumed, failed)
          SELECT 'c' || i, 600000 - i * 7, 600100 - i * 7, 't' || (i % 11), CASE WHEN i % 4 > 0 THEN 'type-' || (i % 3) END, 'm' || (i % 22 // 11),
            i * 0.001, 1 + i % 2, 'first', i % 13 = 0, false, i % 5 = 0 FROM range(${turn * 10}, ${turn * 10 + 10}) AS r(i)`,
        [],
      );
      await addTasks(db, `startMs <= ${600_000 - turn * 70} AND startMs > ${600_000 - turn * 70 - 70}`, [], 1, "calls");
      const ending = `${turn + 1} AS "statements", '${turn % 2 === 0 ? "failure" : "success"}' AS result, ${turn === 3 ? "NULL" : turn} AS "value"`;
      await db.run(`INSERT INTO taskDeltas BY NAME SELECT 't${turn % 3}' AS name, 7 AS bucket, ${ending}, false AS contradictory`, []);
      if (turn === 2)
        await db.run(`INSERT INTO taskDeltas BY NAME SELECT 't5' AS name, 7 AS bucket, 5 AS beganMs, 'said' AS begunType`, []);
      if (turn === 4) {
        await addTasks(db, "id = 'c7'", [], -1, "calls");
        await db.run("DELETE FROM calls WHERE id = 'c7'", []);
        expect(await remakeTasks(db)).toEqual(["t7"]);
      }
      if (foldEvery > 0 && turn % foldEvery === 0) await foldTasks(db, 1);
    }
    const { position: _, ...page } = toSuccess(await db.rows(successSql(query).text, []), query);
    told.add(JSON.stringify(page));
    expect(page.total.calls).toBe(59);
    if (foldEvery > 0) await foldTasks(db, 1);
    if (foldEvery > 0) expect(await db.rows(`SELECT count(*)::INTEGER, count(DISTINCT name)::INTEGER FROM tasks`, [])).toEqual([[11, 11]]);
    close();
  }
  expect(told.size).toBe(1);
});

async function open() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const statement of schema) await connection.run(statement);
  const db: Transaction = {
    rows: async (text) => (await connection.runAndReadAll(text)).getRows(),
    run: (text) => connection.run(text).then(() => undefined),
  };
  return {
    db,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
