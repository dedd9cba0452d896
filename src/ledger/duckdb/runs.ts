// Runs: what belongs together as one piece of work, a root task with its subtasks, or a task that names no root. Their list, and the tree of
// one. Not here: the calls of a run one by one (store.ts lists them), what else is known of tasks (tasks.ts). Invariant: a call is in one run at most, and a run's sums are those of its calls.

import type { DuckDBValue } from "@duckdb/node-api";
import { type EndedRun, type Run, type RunRow, type RunsQuery, taskEnds } from "../store.ts";
import { summaryColumns, toReportRow, toSummary, toUsd } from "./answer.ts";
import { wellFormed } from "./batch.ts";
import { joinSql, type Sql, sqlOf, taskOf, where, whole } from "./field.ts";
import { addedMeasures, callMeasures, measureNames } from "./measure.ts";
import { idleRun, idleRunSql, idleSql } from "./idle.ts";
import { bounded } from "./query.ts";
import { begunColumn } from "./schema.ts";
import { endedTasks } from "./tasks.ts";

const said = ["parent", "type", "customer", "agent", "feature", "team"] as const;
/** Of them, what a task may have been begun with: that goes before what calls say. */
const begunSaid = ["type", "customer", "agent", "feature", "team"] as const;
const facts = ["startMs", "endMs", "open", "tasks"] as const;
const anyTask: Sql = { text: `${taskOf} IS NOT NULL`, values: [] };
const tables = ["calls", "open"] as const;

/** Runs with calls in a span, how they ended, and the position they reflect. One more than the limit says that there are more. */
export function runsSql({ sinceMs, untilMs, filters, zone, order, limit, ended, nowMs, openMs }: RunsQuery): Sql {
  const source = where(sinceMs, untilMs, filters, zone, [anyTask]);
  // The runs are found by as little of each call as will do; all else is read of those alone.
  const called = sqlOf(
    `SELECT run AS name, ${order === "newest" ? "max(mark)" : "sum(mark)"} AS rank FROM (`,
    ...tables.flatMap((table, index) => [
      `${index === 0 ? "" : " UNION ALL "}SELECT ${taskOf} AS run, ${order === "newest" ? "max(c.startMs)" : `sum(c."cost")`} AS mark FROM ${table} AS c `,
      source,
      " GROUP BY run",
    ]),
    ") GROUP BY run",
  );
  const chosen: Sql = { text: `${taskOf} IN (SELECT name FROM top)`, values: [] };
  const first = `ORDER BY rank DESC NULLS LAST, name LIMIT ${bounded(limit) + 1}`;
  // Of those that are listed alone, unless only some are: then of all, to find these.
  const ends = (of: string): string =>
    `SELECT * FROM (${endedTasks(of, nowMs, openMs, begunSaid)}) UNION ALL BY NAME SELECT name, "value", contradictory, ended FROM idle`;
  const chosenSql =
    ended === null
      ? `top AS MATERIALIZED (SELECT * FROM ranked ${first}), topCalled AS MATERIALIZED (SELECT name FROM top ANTI JOIN idle USING (name)),
        ended AS MATERIALIZED (${ends("topCalled")})`
      : `ended AS MATERIALIZED (SELECT * FROM (${ends("called")}) WHERE ended = ${taskEnds.indexOf(ended)}),
        top AS MATERIALIZED (SELECT * FROM ranked SEMI JOIN ended USING (name) ${first})`;
  const within = where(sinceMs, untilMs, filters, zone, [anyTask, chosen]);
  return sqlOf(
    "WITH called AS MATERIALIZED (",
    called,
    "), ",
    idleSql({ sinceMs, untilMs, filters, zone, nowMs, openMs }),
    `, ranked AS MATERIALIZED (SELECT * FROM called UNION ALL SELECT name, ${order === "newest" ? "startMs" : `"cost"`} AS rank FROM idle),
    ${chosenSql}, found AS (SELECT ${idleRun} FROM idle AS c SEMI JOIN top USING (name) UNION ALL BY NAME SELECT * FROM (`,
    grouped(taskOf, within),
    `)) SELECT found.* REPLACE (${begunSaid.map((name) => `coalesce(e."${begunColumn(name)}", found."${name}") AS "${name}"`).join(", ")}), e.ended, e."value", e.contradictory, applied.segment, applied."offset" FROM found JOIN top ON top.name = run
      LEFT JOIN ended AS e ON e.name = run, applied ORDER BY rank DESC NULLS LAST, run`,
  );
}

/** From when to when a run has calls, in one row of two; each column is looked through by itself, since only so blocks can be passed over. */
function spanSql(id: string): Sql {
  const parts = tables.flatMap((table) =>
    (["root", "task", "parent"] as const).map((name): Sql => ({
      text: `SELECT min(c.startMs) AS low, max(c.startMs) AS high FROM ${table} AS c WHERE c."${name}" = ?::VARCHAR`,
      values: [id],
    })),
  );
  return sqlOf("SELECT min(low), max(high) FROM (", joinSql(parts, " UNION ALL "), ")");
}

/** The calls of a run, of a task that is no root, and of those right below it, within their span. */
function inRun(id: string, lowMs: number, highMs: number): Sql {
  const span = { text: "WHERE c.startMs >= ?::BIGINT AND c.startMs <= ?::BIGINT", values: [whole(lowMs), whole(highMs)] };
  return sqlOf(span, { text: " AND (c.root = ?::VARCHAR OR c.task = ?::VARCHAR OR c.parent = ?::VARCHAR)", values: [id, id, id] });
}

/** Sums of all these calls, or of each of their tasks. */
function runSql(id: string, within: Sql, ofTasks: boolean): Sql {
  return sqlOf(grouped(ofTasks ? "coalesce(c.task, c.root)" : "?::VARCHAR", within, ofTasks ? [] : [id]), " ORDER BY startMs, run");
}

function grouped(group: string, source: Sql, groupValues: readonly string[] = []): Sql {
  const part = (table: string): Sql =>
    sqlOf(
      `SELECT run, ${callMeasures}, ${said.map(firstSaid).join(", ")}, min(c.startMs) AS startMs, max(c.endMs) AS endMs,
      ${table === "open" ? "count(*)" : "0"} AS open, list(DISTINCT c.task) AS tasks FROM (`,
      { text: `SELECT c.*, ${group} AS run FROM ${table} AS c `, values: groupValues },
      source,
      ") AS c GROUP BY run",
    );
  return sqlOf(
    `SELECT run, ${addedMeasures(false)}, ${said.map(firstOfParts).join(", ")}, min(p.startMs) AS startMs, max(p.endMs) AS endMs, sum(open) AS open,
      greatest(1, len(list_distinct(flatten(list(p.tasks))))) AS tasks FROM (`,
    part("calls"),
    " UNION ALL ",
    part("open"),
    ") AS p GROUP BY run",
  );
}

/** What the first call that says anything says, calls of the task itself first; what it is a part of, these alone say. */
function firstSaid(name: string): string {
  const below = "(coalesce(c.task, c.root) <> run)";
  const rank = `{'below': ${below}, 'ms': c.startMs}`;
  const isSaid = `c."${name}" IS NOT NULL${name === "parent" ? ` AND NOT ${below}` : ""}`;
  return `arg_min({'said': c."${name}", 'rank': ${rank}}, ${rank}) FILTER (${isSaid}) AS "${name}"`;
}

function firstOfParts(name: string): string {
  return `arg_min(p."${name}".said, p."${name}".rank) FILTER (p."${name}" IS NOT NULL) AS "${name}"`;
}

/** One run with its tasks and its calls, the oldest first; null: no call names this task, and it is not on record without calls. */
export async function runOf(ask: (sql: Sql) => Promise<DuckDBValue[][]>, id: string, limit: number): Promise<Run | null> {
  const name = wellFormed(id);
  const [[low, high] = []] = await ask(spanSql(name));
  if (low === null || low === undefined) {
    const [row] = await ask(idleRunSql(name));
    return row === undefined ? null : { run: { ...toRunRow(row), task: id }, nodes: [toRunRow(row)], calls: [], truncated: false };
  }
  const within = inRun(name, Number(low), Number(high));
  const [whole] = await ask(runSql(name, within, false));
  if (whole === undefined) return null;
  const nodes = (await ask(runSql(name, within, true))).map(toRunRow);
  const columns = summaryColumns.map((column) => `c."${column}"`).join(", ");
  const part = (table: string): Sql => sqlOf(`SELECT ${columns} FROM ${table} AS c `, within);
  const order = ` ORDER BY c.startMs, c.id LIMIT ${bounded(limit) + 1}`;
  const calls = (await ask(sqlOf("SELECT * FROM (", part("calls"), " UNION ALL ", part("open"), ") AS c", order))).map(toSummary);
  return { run: { ...toRunRow(whole), task: id }, nodes, calls: calls.slice(0, limit), truncated: calls.length > limit };
}

/** A row of the list: before the position is how it ended. */
export function toEndedRun(row: readonly DuckDBValue[]): EndedRun {
  const [ended = null, value = null, contradictory = null] = row.slice(-5, -2);
  return {
    ...toRunRow(row),
    ended: taskEnds[Number(ended ?? unknownAt)] ?? "unknown",
    value: value === null ? null : toUsd(value),
    contradictory: contradictory === true,
  };
}

const unknownAt = taskEnds.indexOf("unknown");

export function toRunRow(row: readonly DuckDBValue[]): RunRow {
  const [task, ...values] = row;
  const rest = values.slice(measureNames.length);
  const text = (name: (typeof said)[number]): string | null => {
    const value = rest[said.indexOf(name)] ?? null;
    return value === null ? null : String(value);
  };
  const number = (name: (typeof facts)[number]): number | null => {
    const value = rest[said.length + facts.indexOf(name)] ?? null;
    return value === null ? null : Number(value);
  };
  const { group: _group, quantity: _quantity, periodCost: _cost, periodUnpriced: _unpriced, ...sums } = toReportRow([], values, false);
  return {
    task: String(task),
    parent: text("parent"),
    type: text("type"),
    customer: text("customer"),
    agent: text("agent"),
    feature: text("feature"),
    team: text("team"),
    startMs: number("startMs") ?? 0,
    endMs: number("endMs"),
    open: number("open") ?? 0,
    tasks: number("tasks") ?? 1,
    ...sums,
  };
}
