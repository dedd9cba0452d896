// Tasks without calls, as SQL: known by being begun, by a charge, or by a statement alone. Not here: those that have calls (runs.ts), statements that wait
// (waiting.ts). Invariant: no call belongs to such a task, under way or over, in the span or out of it; a task is in one of the two lists at most.

import type { RunsQuery } from "../store.ts";
import { columnsOf, type Sql, sqlOf, taskOf, where, type Zone } from "./field.ts";
import { measureNames } from "./measure.ts";
import { begunColumn, columns, type TaskDim, taskDims } from "./schema.ts";
import { chargedNames, chargesOfTasks, endOf } from "./tasks.ts";

type Asked = Pick<RunsQuery, "sinceMs" | "untilMs" | "filters" | "nowMs" | "openMs"> & { readonly zone?: Zone };

/** What a list shows of a task. */
const shown: ReadonlySet<TaskDim> = new Set(["type", "customer", "agent", "feature", "team"]);

/**
 * CTEs, of which `idle` has a row for each task of the span that passes the filters: its time, its charges, and how it ended by its place in `taskEnds`.
 * Filters see what was said when it was begun, else what its first charge says; what only a call can say is NULL.
 */
export function idleSql({ sinceMs, untilMs, filters, zone, nowMs, openMs }: Asked): Sql {
  const fields = filters.map(({ field }) => field);
  const dims = taskDims.filter((dim) => shown.has(dim) || fields.includes(dim === "case" ? "tag.case" : dim));
  const words = dims.map(begunColumn);
  const kept = `name, beganMs, ${words.map((word) => `"${word}", `).join("")}"statements", result, "value", contradictory`;
  // Of the columns of a call, those that a filter reads: what such a task has, else NULL.
  const read = [...new Set(columnsOf(fields, zone))].filter((name) => !given.has(name) && !dims.some((dim) => dim === name));
  const asked = read
    .map(
      (name) =>
        `, ${special[name] ?? (name === "tags" && dims.includes("case") ? caseTag : null) ?? `NULL::${columns[name as keyof typeof columns]}`} AS "${name}"`,
    )
    .join("");
  return sqlOf(
    `idleCharges AS MATERIALIZED (${chargesOfTasks(dims)}),
    idleFresh AS MATERIALIZED (SELECT name FROM taskDeltas GROUP BY name HAVING max(startMs) IS NULL UNION SELECT name FROM idleCharges),
    idleKnown AS MATERIALIZED (
      SELECT ${kept} FROM tasks ANTI JOIN idleFresh USING (name) WHERE startMs IS NULL
      UNION ALL SELECT name, beganMs, ${words.map((word) => `b."${word}", `).join("")}"statements", e.result, e."value", e.contradictory FROM (
        SELECT name, max(beganMs) AS beganMs, arg_max({${words.map((word) => `'${word}': "${word}"`).join(", ")}}, beganMs) AS b,
          max("statements") AS "statements", arg_max({'result': result, 'value': "value", 'contradictory': contradictory}, "statements") AS e
        FROM (${["tasks", "taskDeltas"].map((table) => `SELECT startMs, ${kept} FROM ${table} SEMI JOIN idleFresh USING (name)`).join(" UNION ALL ")})
        GROUP BY name HAVING max(startMs) IS NULL)
      UNION ALL BY NAME SELECT name FROM idleCharges ANTI JOIN (SELECT name FROM tasks UNION ALL SELECT name FROM taskDeltas) USING (name)),
    idleWaiting AS MATERIALIZED (SELECT name FROM idleKnown ANTI JOIN idleCharges USING (name) WHERE beganMs IS NULL),
    idleBelow AS (SELECT "value" AS name FROM sums WHERE field = 'task' AND "value" IN (SELECT name FROM idleWaiting) GROUP BY 1 HAVING sum("calls") > 0
      UNION ALL SELECT task FROM begun WHERE task IN (SELECT name FROM idleWaiting)
      UNION ALL SELECT task FROM open UNION ALL SELECT ${taskOf} FROM open AS c
      UNION ALL SELECT name FROM (${chargedNames}) WHERE name IN (SELECT name FROM idleWaiting)),
    idleSaid AS (SELECT task AS name, min(CAST(text->>'$.outcome.atMs' AS DOUBLE))::BIGINT AS saidMs FROM statements
      WHERE task IN (SELECT name FROM idleWaiting) GROUP BY 1),
    idle AS MATERIALIZED (SELECT c.*, ${endOf("result", "lastMs", nowMs, openMs)} AS ended FROM (
      SELECT *${asked} FROM (
        SELECT k.name, coalesce(k.beganMs, p.chargedMs, s.saidMs) AS startMs,
          CASE WHEN k.beganMs IS NULL THEN p.chargedLastMs ELSE k.beganMs END AS lastMs,
          coalesce(p."cost", 0)::DECIMAL(38,12) AS "cost", coalesce(p.unpriced, 0) AS unpricedCharges, p.modelLow, p.modelHigh, k.result, k."value", coalesce(k.contradictory, false) AS contradictory,
          ${dims.map((dim) => `coalesce(k."${begunColumn(dim)}", p."${dim}") AS "${dim}"`).join(", ")}
        FROM idleKnown AS k LEFT JOIN idleCharges AS p ON p.name = k.name LEFT JOIN idleSaid AS s ON s.name = k.name
          ANTI JOIN (SELECT ${taskOf} AS name FROM open AS c) AS o ON o.name = k.name
          ANTI JOIN (SELECT name FROM idleBelow) AS b ON b.name = k.name)) AS c `,
    where(sinceMs, untilMs, filters, zone),
    ")",
  );
}

/** Columns of a call that such a task has besides what was said of it. */
const given: ReadonlySet<string> = new Set(["startMs", "cost"]);
const special: Readonly<Record<string, string>> = {
  task: "name",
  hour: "(startMs // 3600000)::INTEGER",
  day: "(startMs // 86400000)::INTEGER",
  unpriced: "unpricedCharges > 0",
  model: "CASE WHEN modelLow = modelHigh THEN modelLow END",
};

const caseTag = `CASE WHEN "case" IS NOT NULL THEN MAP {'case': "case"} END`;

const charged: Readonly<Record<string, string>> = {
  cost: `c."cost"`,
  unpriced: "c.unpricedCharges",
  quantity: "NULL::HUGEINT",
  periodCost: "0::DECIMAL(38,12)",
};

/** Rows `c` of `idle` as rows of runs: no calls, and what was charged for them. */
export const idleRun = `c.name AS run, ${measureNames.map((name) => `${charged[name] ?? "0"} AS "${name}"`).join(", ")},
  NULL AS "parent", c."type", c.customer, c.agent, c.feature, c.team, c.startMs, NULL AS endMs, 0 AS open, 1 AS tasks`;

/** The one of this name, as a row of runs. */
export function idleRunSql(name: string): Sql {
  const filters = [{ field: "task", value: name, operator: "=" }] as const;
  return sqlOf("WITH ", idleSql({ sinceMs: null, untilMs: null, filters, nowMs: 0, openMs: 0 }), ` SELECT ${idleRun} FROM idle AS c`);
}
