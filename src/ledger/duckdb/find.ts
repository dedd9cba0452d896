// What is on record of names that somebody gives, as SQL. Not here: what is said of them. Invariant: however many are asked for, each table is read once.

import type { DuckDBValue } from "@duckdb/node-api";
import type { Found, FindQuery } from "../find.ts";
import { json, list } from "./evidence.ts";
import { type Sql, taskOf } from "./field.ts";
import { responseHash } from "./schema.ts";
import { chargedNames, isKnown } from "./tasks.ts";

/** Rows of what kind it is, the name, and of a response its task. */
export function findSql({ tasks, responses }: FindQuery): Sql {
  const known = ["tasks", "taskDeltas"].map((table) => `SELECT name FROM ${table} SEMI JOIN t USING (name) WHERE ${isKnown}`);
  return {
    text: `WITH t AS MATERIALIZED (SELECT name FROM (${list} AS name)), r AS MATERIALIZED (SELECT name, ${responseHash("name")} AS hash FROM (${list} AS name))
      SELECT 'task' AS kind, name, NULL AS task FROM (${known.join(" UNION ")}
        UNION SELECT task FROM begun WHERE task IN (SELECT name FROM t)
        UNION SELECT ${taskOf} FROM open AS c WHERE ${taskOf} IN (SELECT name FROM t)
        UNION SELECT name FROM (${chargedNames}) WHERE name IN (SELECT name FROM t)
        UNION SELECT "value" FROM sums WHERE field = 'task' AND "value" IN (SELECT name FROM t) GROUP BY 1 HAVING sum("calls") > 0)
      UNION ALL SELECT 'response', r.name, max(${taskOf}) FROM calls AS c JOIN r ON r.hash = c.responseHash GROUP BY 2`,
    values: [json(tasks), json(responses)],
  };
}

export function toFound(rows: readonly (readonly DuckDBValue[])[]): Found {
  const tasks: string[] = [];
  const responses: { response: string; task: string | null }[] = [];
  for (const [kind, name, task] of rows)
    if (kind === "task") tasks.push(String(name));
    else responses.push({ response: String(name), task: task === null || task === undefined ? null : String(task) });
  return { tasks, responses };
}
