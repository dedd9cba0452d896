// One row for each task, kept as data arrives: what its calls come to, what was said when it was begun, how it ended. A batch appends rows to
// `taskDeltas`, which are merged into `tasks` when there are many. Not here: questions (success.ts), endings (outcomes.ts), rework (rework.ts).
// Invariant: the rows of a task in both tables together say what a scan of `calls`, and all that was said of it, would.

import { taskEnds } from "../store.ts";
import { taskOf, type Value, whole } from "./field.ts";
import { begunColumn, dimOf, taskColumns, type TaskDim, taskDims } from "./schema.ts";
import type { Transaction } from "./transaction.ts";

/** One of 256, by the name alone. */
export const bucketOf = (name: string): string => `(md5_number_lower(${name}) % 256)::UTINYINT`;

/** When calls `c` were, whenever they count. */
const ownMs = (ms: string): string => `(${ms} - coalesce(c.shiftMs, 0))`;

/** Whether it is of a part of its task. */
export const isBelow = `(coalesce(c.task, c.root) <> ${taskOf})`;

/** What they are put in order by: those of the task itself first, then when they began, then by their ids. */
const order = `(CASE WHEN ${isBelow} THEN 4611686018427387904 ELSE 0 END
  + least(greatest(${ownMs("c.startMs")}, 0), 4398046511103) * 1048576 + (md5_number_lower(c.id) % 1048576)::BIGINT)`;

/** Calls of a table that stand as they are known by now. */
export const asKnown = (table: string): string => `(SELECT * FROM ${table} ANTI JOIN lateCalls USING (id))`;

const quoted = (name: string): string => `"${name}"`;
const packed = (names: readonly string[]): string => `{${names.map((name) => `'${name}': "${name}"`).join(", ")}}`;
const ending = ["result", "value", "reviewMillis", "contradictory"] as const;
const begun = taskDims.map(begunColumn);
const sums = ["calls", "cost", "failedCost", "retryCost", "unpriced", "presumed"] as const;
/** What of a row its calls have no part in. */
const saidColumns = ["name", "bucket", "beganMs", ...begun, "statements", ...ending].map(quoted).join(", ");

/** Rows of tasks by calls of a table that meet a condition. */
export function tasksOfCalls(table: string, condition: string): string {
  return `SELECT *, ${bucketOf("name")} AS bucket FROM (SELECT ${taskOf} AS name, count(*) AS calls, sum(c."cost") AS "cost",
    sum(c."cost") FILTER (c.failed) AS failedCost, sum(c."cost") FILTER (c.attempt > 1 OR c.reason <> 'first') AS retryCost,
    count_if(c.unpriced) AS unpriced, count_if(c.presumed) AS presumed, min(${ownMs("c.startMs")}) AS startMs,
    max(${ownMs("coalesce(c.endMs, c.startMs)")}) AS lastMs,
    min(c.model) AS modelLow, max(c.model) AS modelHigh, min(${order}) AS firstOrder,
    unnest(arg_min({${taskDims.map((dim) => `'${dim}': ${dimOf(dim)}`).join(", ")}}, ${order}))
    FROM ${table} AS c WHERE ${condition} AND ${taskOf} IS NOT NULL GROUP BY 1)`;
}

/** Charges of periods that were not taken back. What is booked for a call, or for a void, is none of them. */
const standing = `(SELECT id, fromMs, toMs FROM periodCharges ANTI JOIN voids USING (id))`;

export const fromStanding = `FROM periods AS c SEMI JOIN ${standing} AS p ON p.id = c.charge`;

/** Names of tasks that are known by a charge; and with what is below them. */
export const chargedRoots = `SELECT ${taskOf} AS name ${fromStanding}`;
export const chargedNames = `SELECT unnest([c.task, c.root]) AS name ${fromStanding}`;

/**
 * A row for each task of its charges of periods that stand, with their time and what the first of them says. What a task cost elsewhere is of the model
 * that did it; other charges say nothing of who did the work. What is booked for a closed month is in none: a task has its calls as they are known.
 */
export function chargesOfTasks(dims: readonly TaskDim[]): string {
  const said = dims.map((dim) => `'${dim}': ${dimOf(dim)}`).join(", ");
  return `SELECT ${taskOf} AS name, sum(c."cost") AS "cost", count_if(c.unpriced) AS unpriced,
    min(c.model) FILTER (c.lines[1]."class" = 'task') AS modelLow, max(c.model) FILTER (c.lines[1]."class" = 'task') AS modelHigh,
    min(p.fromMs) AS chargedMs, max(p.toMs) AS chargedLastMs
    ${said === "" ? "" : `, unnest(arg_min({${said}}, {'below': ${isBelow}, 'ms': p.fromMs, 'id': p.id}))`}
    FROM periods AS c JOIN ${standing} AS p ON p.id = c.charge WHERE ${taskOf} IS NOT NULL GROUP BY 1`;
}

/** Rows of the same task as one, in the order of the columns; `dims`: with these of what tasks are told apart by alone. */
export function merged(rows: string, dims: readonly TaskDim[] = taskDims): string {
  const others = dims.map(begunColumn);
  const left = new Set<string>([...taskDims, ...begun].filter((name) => ![...dims, ...others].includes(name)));
  const columns = Object.keys(taskColumns)
    .filter((name) => !left.has(name))
    .map((name) => {
      if ((taskDims as readonly string[]).includes(name)) return `f."${name}"`;
      if (begun.includes(name)) return `b."${name}"`;
      return (ending as readonly string[]).includes(name) ? `e."${name}"` : `"${name}"`;
    });
  const said = dims.length === 0 ? "" : `arg_min(${packed(dims)}, firstOrder) AS f, arg_max(${packed(others)}, beganMs) AS b,`;
  return `SELECT ${columns.join(", ")} FROM (SELECT name, any_value(bucket) AS bucket,
    ${sums.map((name) => `coalesce(sum("${name}"), 0)::${taskColumns[name]} AS "${name}"`).join(", ")},
    min(startMs) AS startMs, max(lastMs) AS lastMs, min(modelLow) AS modelLow, max(modelHigh) AS modelHigh, min(firstOrder) AS firstOrder,
    max(beganMs) AS beganMs, ${said} max("statements") AS "statements", arg_max(${packed(ending)}, "statements") AS e FROM (${rows}) GROUP BY name)`;
}

/** A task is known by its calls, or by being begun: a name in a statement alone is none. One with a charge is known, too, and has no row for it. */
export const isKnown = `(startMs IS NOT NULL OR beganMs IS NOT NULL)`;

/** Those of some names that are tasks of their own. @param names a question whose values are given four times. */
export function knownTasks(names: string): string {
  return `${["tasks", "taskDeltas"].map((table) => `SELECT name FROM ${table} WHERE ${isKnown} AND name IN (${names})`).join(" UNION ALL ")}
    UNION ALL SELECT ${taskOf} FROM open AS c WHERE ${taskOf} IN (${names}) UNION ALL SELECT name FROM (${chargedRoots}) WHERE name IN (${names})`;
}

/** How a task ended, by its place in `taskEnds`: one of which nobody has said it is open for a time after the last that is known of it. */
export function endOf(result: string, lastMs: string, nowMs: number, openMs: number): string {
  const said = taskEnds.flatMap((end, place) => (end === "open" ? [] : [`WHEN '${end}' THEN ${place}`]));
  const [unknown, open] = [taskEnds.indexOf("unknown"), taskEnds.indexOf("open")];
  return `CASE ${result} ${said.join(" ")} ELSE CASE WHEN ${lastMs} + ${whole(openMs)} > ${whole(nowMs)} THEN ${open} ELSE ${unknown} END END`;
}

/**
 * How each of the tasks ended that a table names and that have calls, by its place in `taskEnds`, with these of what was said when it was begun. Of most,
 * the row is read as it is.
 */
export function endedTasks(names: string, nowMs: number, openMs: number, dims: readonly TaskDim[]): string {
  const isNamed = `name IN (SELECT name FROM ${names})`;
  const isMore = `name IN (SELECT name FROM taskDeltas UNION ALL SELECT ${taskOf} FROM open AS c)`;
  const called = `${taskOf} IN (SELECT name FROM ${names})`;
  const parts = [
    `SELECT * FROM tasks WHERE ${isNamed} AND ${isMore}`,
    `SELECT * FROM taskDeltas WHERE ${isNamed}`,
    tasksOfCalls(asKnown("open"), called),
  ];
  const words = dims.map(begunColumn);
  const asked = [...ending, "lastMs", "beganMs", ...words].map(quoted).join(", ");
  return `SELECT ${["name", ...words].map(quoted).join(", ")}, "value", coalesce(contradictory, false) AS contradictory, ${endOf("result", "coalesce(lastMs, beganMs)", nowMs, openMs)} AS ended
    FROM (SELECT name, ${asked} FROM tasks WHERE ${isNamed} AND NOT ${isMore}
      UNION ALL SELECT name, ${asked} FROM (${merged(parts.join(" UNION ALL BY NAME "), dims)}))`;
}

/** Adds the calls of `table` that meet the condition to the rows of their tasks. Of those that are taken out (`sign` −1) the tasks are made anew. */
export async function addTasks(db: Transaction, condition: string, values: readonly Value[], sign: 1 | -1, table: string): Promise<void> {
  if (sign === 1) await db.run(`INSERT INTO taskDeltas BY NAME ${tasksOfCalls(table, condition)}`, values);
  else await forgetTasks(db, table, condition, values);
}

/** That the tasks of calls are to be made anew. */
export async function forgetTasks(db: Transaction, table: string, condition: string, values: readonly Value[]): Promise<void> {
  await db.run(`INSERT INTO taskAgain SELECT DISTINCT ${taskOf} FROM ${table} AS c WHERE ${condition} AND ${taskOf} IS NOT NULL`, values);
}

/**
 * Makes the rows of tasks anew of which calls were taken out, since a first call, or the only one of a model, cannot be subtracted; or of which more is
 * known than stands in a closed month: tasks are not closed with it. @returns their names.
 */
export async function remakeTasks(db: Transaction): Promise<string[]> {
  const names = (await db.rows(`SELECT DISTINCT name FROM taskAgain`, [])).map(([name]) => String(name));
  if (names.length === 0) return names;
  const named = `name IN (SELECT name FROM taskAgain)`;
  const said = ["tasks", "taskDeltas"].map((table) => `SELECT ${saidColumns} FROM ${table} WHERE ${named}`);
  const again = tasksOfCalls(`(FROM ${asKnown("calls")} UNION ALL FROM lateCalls)`, `${taskOf} IN (SELECT name FROM taskAgain)`);
  await replace(db, [...said, again].join(" UNION ALL BY NAME "), named);
  await db.run(`DELETE FROM taskAgain`, []);
  return names;
}

/** Fewer rows than this are not worth merging: a question adds them up itself. */
const foldRowsMin = 20_000;

/** Merges what was appended into `tasks`, when there is much of it. */
export async function foldTasks(db: Transaction, rowsMin = foldRowsMin): Promise<void> {
  const [row] = await db.rows(`SELECT count(*) FROM taskDeltas`, []);
  if (Number(row?.[0] ?? 0) < rowsMin) return;
  const named = `name IN (SELECT name FROM taskDeltas)`;
  await replace(db, `SELECT * FROM tasks WHERE ${named} UNION ALL SELECT * FROM taskDeltas`, named);
}

async function replace(db: Transaction, rows: string, named: string): Promise<void> {
  await db.run(`CREATE TEMP TABLE mergedTasks AS ${merged(rows)}`, []);
  for (const table of ["tasks", "taskDeltas"]) await db.run(`DELETE FROM ${table} WHERE ${named}`, []);
  await db.run(`INSERT INTO tasks SELECT * FROM mergedTasks WHERE ${isKnown} OR "statements" > 0`, []);
  await db.run(`DROP TABLE mergedTasks`, []);
}
