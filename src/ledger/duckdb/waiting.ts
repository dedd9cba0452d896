// Statements that wait for their task, as SQL. Not here: how tasks come to be known (tasks.ts, outcomes.ts). Invariant: a task waits that was not
// begun, and that no call or charge names or belongs to, under way or over.

import type { DuckDBValue } from "@duckdb/node-api";
import type { WaitingPage } from "../waiting.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, taskOf } from "./field.ts";
import { toOutcomes } from "./outcomes.ts";
import { bounded } from "./query.ts";
import { chargedNames, isKnown } from "./tasks.ts";

const rowsOf = (condition: string): string =>
  ["tasks", "taskDeltas"].map((table) => `SELECT name, "statements" FROM ${table} WHERE ${condition}`).join(" UNION ALL ");

/** A row for each statement of the tasks of which something was said last: one task more than the limit when there are more. */
export function waitingSql(limit: number): Sql {
  return {
    text: `WITH s AS MATERIALIZED (SELECT DISTINCT name FROM (${rowsOf(`"statements" > 0 AND NOT coalesce(${isKnown}, false)`)})),
      w AS MATERIALIZED (SELECT name FROM s ANTI JOIN (
        SELECT name FROM (${rowsOf(`${isKnown} AND name IN (SELECT name FROM s)`)})
        UNION ALL SELECT "value" FROM sums WHERE field = 'task' AND "value" IN (SELECT name FROM s) GROUP BY 1 HAVING sum("calls") > 0
        UNION ALL SELECT task FROM begun WHERE task IN (SELECT name FROM s)
        UNION ALL SELECT task FROM open UNION ALL SELECT ${taskOf} FROM open AS c
        UNION ALL SELECT name FROM (${chargedNames}) WHERE name IN (SELECT name FROM s)) AS known USING (name)),
      l AS MATERIALIZED (SELECT name, max(o.rowid) AS last FROM w JOIN statements AS o ON o.task = w.name GROUP BY name
        ORDER BY last DESC LIMIT ${bounded(limit) + 1}),
      r AS (SELECT name, last, text FROM l JOIN statements AS o ON o.task = l.name)
      SELECT segment, "offset", name, text FROM applied LEFT JOIN r ON true ORDER BY last DESC`,
    values: [],
  };
}

export function toWaiting(rows: readonly (readonly DuckDBValue[])[], limit: number): WaitingPage {
  const texts = new Map<string, unknown[][]>();
  for (const [, , name, text] of rows) {
    if (name === null || name === undefined) continue;
    const known = texts.get(String(name));
    if (known === undefined) texts.set(String(name), [[text]]);
    else known.push([text]);
  }
  const [first = []] = rows;
  const tasks = [...texts].map(([task, said]) => ({ task, statements: toOutcomes(said) }));
  return { tasks: tasks.slice(0, limit), truncated: tasks.length > limit, position: toPosition(first[0], first[1]) };
}
