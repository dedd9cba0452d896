// What tasks cost and how they ended, as SQL. The rows of `tasks` are read as they are; those that have more to them by now, in `taskDeltas`, a call
// under way or what was booked for them, are added up first. Not here: how the rows are kept (tasks.ts), what a success costs (economics/success.ts).
// Invariant: SQL adds, compares and counts; the four ends of a row make up its tasks and its cost, and the units are its parts.

import { DuckDBDecimalValue, type DuckDBValue } from "@duckdb/node-api";
import { formatUsd } from "../../core/money.ts";
import { PennyworthError } from "../../error.ts";
import {
  severalModels,
  type SuccessPage,
  type SuccessQuery,
  type SuccessRow,
  type SuccessUnit,
  taskEnds,
  type TaskField,
  taskFields,
} from "../store.ts";
import { textOf, toUsd } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf, taskOf, whole } from "./field.ts";
import { bounded } from "./query.ts";
import { begunColumn, type TaskDim, taskDims } from "./schema.ts";
import { asKnown, bucketOf, chargedNames, chargesOfTasks, endOf, isKnown, merged, tasksOfCalls } from "./tasks.ts";

/** Of more tasks than this, the units are 256 groups of them. */
const unitsMax = 500;
/** In a row, after whether it is the total, the position, what waits and the groups. */
const measureNames = [
  ...taskEnds.flatMap((end) => [`${end}Tasks`, `${end}Cost`]),
  "calls",
  "failedCost",
  "retryCost",
  "reworkCost",
  "value",
  "unvaluedCost",
  "reviewMillis",
  "reviewSquares",
  "unreviewed",
  "contradictory",
  "unpriced",
  "presumed",
] as const;

/** Of the tasks `t` that ended in one way. */
const parts = [
  `count(*) AS tasks`,
  `sum("cost") AS "cost"`,
  ...["calls", "failedCost", "retryCost", "reworkCost", "value", "reviewMillis"].map((name) => `sum("${name}") AS "${name}"`),
  `sum("cost") FILTER ("value" IS NULL) AS unvaluedCost`,
  `sum(reviewMillis::HUGEINT * reviewMillis) AS reviewSquares`,
  `count(*) FILTER (reviewMillis IS NULL) AS unreviewed`,
  ...["contradictory", "unpriced", "presumed"].map((name) => `count_if("${name}") AS "${name}"`),
].join(", ");

/** Of such parts. */
const measures = [
  ...taskEnds.flatMap((end, index) => [
    `coalesce(sum(tasks) FILTER (ended = ${index}), 0)::BIGINT AS ${end}Tasks`,
    `coalesce(sum("cost") FILTER (ended = ${index}), 0)::DECIMAL(38,12) AS ${end}Cost`,
  ]),
  ...["failedCost", "retryCost", "reworkCost", "unvaluedCost"].map((name) => `coalesce(sum(${name}), 0)::DECIMAL(38,12) AS ${name}`),
  `sum("value")::DECIMAL(38,12) AS "value"`,
  ...["reviewMillis", "reviewSquares"].map((name) => `sum(${name})::VARCHAR AS ${name}`),
  ...["calls", "unreviewed", "contradictory", "unpriced", "presumed", "tasks"].map(
    (name) => `coalesce(sum("${name}"), 0)::BIGINT AS "${name}"`,
  ),
].join(", ");

/** Nearest rank. */
const quantiles = `quantile_disc("cost", [0.5, 0.9, 0.99]) AS quantiles`;

/**
 * The total, then the rows, one more than the limit when there are more.
 * @throws PennyworthError `query_invalid` for an unknown field, more than two of them, or a limit or a time that is none.
 */
export function successSql({ by, sinceMs, untilMs, filters, nowMs, openMs, limit }: SuccessQuery): Sql {
  if (by.length > 2) throw new PennyworthError("query_invalid", { detail: "tasks are told apart by two fields at most" });
  const groups = by.map((_, index) => `g${index}`);
  const isTold = groups.length > 0;
  const same = groups.map((name) => `t.${name} IS NOT DISTINCT FROM n.${name}`).join(" AND ");
  const order = ["tasks DESC", ...groups.map((name) => `${name} NULLS LAST`)].join(", ");
  // Which rows there are is decided by counting alone: of tens of thousands of groups, few are added up.
  const counted = `SELECT ${[...groups, "count(*) AS tasks"].join(", ")} FROM t GROUP BY ALL ORDER BY ${order} LIMIT ${bounded(limit) + 1}`;
  const ranked = `SELECT row_number() OVER (ORDER BY ${order}) AS spot, * FROM (${counted})`;
  const named = by.map((field, index) => `${said(field)} AS g${index}, `).join("");
  return sqlOf(
    "WITH ",
    tasksSql({ sinceMs, untilMs, filters, nowMs, openMs }, by, {
      plain: `${named}s.bucket, ${plainMeasures.join(", ")}`,
      added: `${named}s.bucket, ${addedMeasures.join(", ")}`,
    }),
    `,
    ${isTold ? `n AS MATERIALIZED (${ranked}),` : ""}
    e AS MATERIALIZED (SELECT ${isTold ? "n.spot, " : ""}ended, ${parts} FROM t ${isTold ? `LEFT JOIN n ON ${same}` : ""} GROUP BY ALL),
    a AS MATERIALIZED (SELECT ${measures} FROM e),
    z AS MATERIALIZED (SELECT 0 AS spot, ${groups.map((name) => `NULL AS ${name}, `).join("")}* FROM a
      ${isTold ? `UNION ALL BY NAME SELECT * FROM (SELECT spot, ${measures} FROM e WHERE spot IS NOT NULL GROUP BY spot) JOIN (SELECT spot, ${groups.join(", ")} FROM n) USING (spot)` : ""}),
    q AS (SELECT 0 AS spot, ${quantiles} FROM t
      ${isTold ? `UNION ALL SELECT n.spot, ${quantiles} FROM t JOIN n ON ${same} GROUP BY n.spot` : ""}),
    u AS (SELECT spot, string_agg(concat_ws(':', replace("cost"::VARCHAR, '.', ''), successes, coalesce(replace("value"::VARCHAR, '.', ''), ''), reviewMillis),
      ' ' ORDER BY bucket, "cost", successes, "value", reviewMillis) AS units FROM (
      ${unitsOf("FROM t, a WHERE true", "0", "a.tasks")}
      ${isTold ? `UNION ALL ${unitsOf(`FROM t JOIN n ON ${same} WHERE true`, "n.spot", "n.tasks")}` : ""}) GROUP BY spot),
    w AS MATERIALIZED (SELECT name, "statements" FROM tasks ANTI JOIN x USING (name) WHERE NOT ${isKnown}
      UNION ALL SELECT name, "statements" FROM m WHERE NOT ${isKnown}),
    waiting AS (SELECT coalesce(sum("statements"), 0)::BIGINT AS waiting FROM w ANTI JOIN (
      SELECT "value" AS name FROM sums WHERE field = 'task' AND "value" IN (SELECT name FROM w) GROUP BY 1 HAVING sum("calls") > 0
      UNION ALL SELECT task FROM begun WHERE task IN (SELECT name FROM w) UNION ALL SELECT task FROM open
      UNION ALL SELECT name FROM (${chargedNames}) WHERE name IN (SELECT name FROM w)) AS below USING (name))
    SELECT segment, "offset", waiting, units, quantiles, ${[...groups, ...measureNames.map((name) => `"${name}"`)].join(", ")}
    FROM z LEFT JOIN u USING (spot) LEFT JOIN q USING (spot), waiting, applied ORDER BY spot`,
  );
}

/**
 * The tables `p`, `x`, `m` and `k`, and the tasks `t`: each root task that is no rework, with what is asked of it, and how it ended, by its place in `taskEnds`.
 * @param by what else than the filters' fields `columns` say of a task.
 * @param columns of a task `s`: `plain` where nothing is to be added to its row, and `added` with what is booked to it, `k`.
 * @param more conditions on a task `s`.
 */
export function tasksSql(
  { sinceMs, untilMs, filters, nowMs, openMs }: Pick<SuccessQuery, "sinceMs" | "untilMs" | "filters" | "nowMs" | "openMs">,
  by: readonly (TaskField | TaskDim)[],
  columns: { readonly plain: string; readonly added: string },
  more: readonly Sql[] = [],
): Sql {
  const conditions: Sql[] = [...more];
  const began = "coalesce(s.beganMs, s.startMs)";
  if (sinceMs !== null) conditions.push({ text: `${began} >= ${whole(sinceMs)}`, values: [] });
  if (untilMs !== null) conditions.push({ text: `${began} < ${whole(untilMs)}`, values: [] });
  conditions.push(...filters.map(conditionOf));
  const dims = taskDims.filter((dim) => by.includes(dim) || filters.some(({ field }) => field === dim));
  const of = (rows: string, asked: string): Sql =>
    sqlOf(
      `SELECT ${asked}, s."value", s.contradictory, (${endOf("s.result", "coalesce(s.lastMs, s.beganMs)", nowMs, openMs)})::UTINYINT AS ended
        FROM ${rows} WHERE (s.startMs IS NOT NULL OR s.beganMs IS NOT NULL)`,
      ...conditions.flatMap((condition) => [" AND ", condition]),
    );
  // A task that was neither begun nor called is of the time of its charges; where no call says what it is, the first of them does.
  const charged = [
    `coalesce(a.startMs, p.chargedMs) AS startMs`,
    `CASE WHEN a.beganMs IS NULL THEN coalesce(a.lastMs, p.chargedLastMs) ELSE a.lastMs END AS lastMs`,
    ...dims.map((dim) => `CASE WHEN a.startMs IS NULL THEN p."${dim}" ELSE a."${dim}" END AS "${dim}"`),
  ];
  return sqlOf(
    `p AS MATERIALIZED (${chargesOfTasks(dims)}),`,
    // Most rows are read as they are; those that have something to be added, rework among it, are few.
    `x AS MATERIALIZED (SELECT name FROM taskDeltas UNION SELECT ${taskOf} FROM open AS c WHERE ${taskOf} IS NOT NULL
      UNION SELECT name FROM p UNION SELECT task FROM booked UNION SELECT root FROM booked),
    m AS MATERIALIZED (SELECT a.* REPLACE (${charged.join(", ")}) FROM (${merged(
      [
        `SELECT * FROM tasks SEMI JOIN x USING (name)`,
        `SELECT * FROM taskDeltas`,
        tasksOfCalls(asKnown("open"), "true"),
        `SELECT name, ${bucketOf("name")} AS bucket, "cost", unpriced, modelLow, modelHigh FROM p`,
      ].join(" UNION ALL BY NAME "),
      dims,
    )}) AS a LEFT JOIN p ON p.name = a.name),
    k AS MATERIALIZED (SELECT b.root AS name, ${["cost", "failedCost", "retryCost"].map((name) => summed(name, "DECIMAL(38,12)")).join(", ")},
      ${["calls", "unpriced", "presumed", "reviewMillis"].map((name) => summed(name, "BIGINT")).join(", ")}
      FROM m JOIN booked AS b ON b.task = m.name GROUP BY 1),
    t AS MATERIALIZED (`,
    of("tasks AS s ANTI JOIN x ON x.name = s.name", columns.plain),
    " UNION ALL ",
    of("m AS s ANTI JOIN booked ON booked.task = s.name LEFT JOIN k ON k.name = s.name", columns.added),
    ")",
  );
}

const summed = (name: string, type: string): string => `sum(m."${name}")::${type} AS "${name}"`;

/** Of a task to which nothing is booked. */
const plainMeasures = [
  ...["cost", "calls", "failedCost", "retryCost", "reviewMillis"].map((name) => `s."${name}"`),
  `0::DECIMAL(38,12) AS reworkCost`,
  ...["unpriced", "presumed"].map((name) => `s.${name} > 0 AS ${name}`),
];

/** With what is booked to the task: rework, and the checking of its parts. */
const addedMeasures = [
  ...["cost", "calls", "failedCost", "retryCost"].map((name) => `s."${name}" + coalesce(k."${name}", 0) AS "${name}"`),
  `coalesce(s.reviewMillis + k.reviewMillis, s.reviewMillis, k.reviewMillis) AS reviewMillis`,
  `coalesce(k."cost", 0) AS reworkCost`,
  ...["unpriced", "presumed"].map((name) => `s.${name} + coalesce(k.${name}, 0) > 0 AS ${name}`),
];

/** Of few tasks each is a unit; of many, those of a bucket are. */
function unitsOf(from: string, spot: string, tasks: string): string {
  return `SELECT ${spot} AS spot, t.bucket, sum(t."cost")::DECIMAL(38,12) AS "cost", count_if(t.ended = 0) AS successes,
      sum(t."value")::DECIMAL(38,12) AS "value", sum(t.reviewMillis)::BIGINT AS reviewMillis ${from} AND ${tasks} > ${unitsMax} GROUP BY ALL
    UNION ALL SELECT ${spot} AS spot, 0 AS bucket, t."cost", (t.ended = 0)::BIGINT AS successes,
      t."value"::DECIMAL(38,12) AS "value", t.reviewMillis::BIGINT AS reviewMillis ${from} AND ${tasks} <= ${unitsMax}`;
}

export function toSuccess(rows: readonly (readonly DuckDBValue[])[], { by, limit }: SuccessQuery): SuccessPage {
  const [total, ...others] = rows;
  if (total === undefined) throw new PennyworthError("store_failed", { detail: "the tasks came without their total" });
  return {
    rows: others.slice(0, limit).map((row) => toRow(row, by.length)),
    total: toRow(total, by.length),
    truncated: others.length > limit,
    waiting: Number(total[2] ?? 0),
    position: toPosition(total[0], total[1]),
  };
}

function toRow(row: readonly DuckDBValue[], width: number): SuccessRow {
  const [, , , units, quantiles, ...rest] = row;
  const value = (name: string): DuckDBValue => rest[width + measureNames.indexOf(name)] ?? null;
  const sums = (end: (typeof taskEnds)[number]) => ({ tasks: Number(value(`${end}Tasks`)), cost: toUsd(value(`${end}Cost`)) });
  return {
    group: rest.slice(0, width).map(textOf),
    success: sums("success"),
    failure: sums("failure"),
    unknown: sums("unknown"),
    open: sums("open"),
    calls: Number(value("calls")),
    failedCost: toUsd(value("failedCost")),
    retryCost: toUsd(value("retryCost")),
    reworkCost: toUsd(value("reworkCost")),
    value: value("value") === null ? null : toUsd(value("value")),
    unvaluedCost: toUsd(value("unvaluedCost")),
    reviewMillis: textOf(value("reviewMillis")),
    reviewSquares: textOf(value("reviewSquares")),
    unreviewed: Number(value("unreviewed")),
    contradictory: Number(value("contradictory")),
    unpriced: Number(value("unpriced")),
    presumed: Number(value("presumed")),
    quantiles: toQuantiles(quantiles),
    units: toUnits(textOf(units)),
  };
}

function toQuantiles(value: DuckDBValue | undefined): SuccessRow["quantiles"] {
  if (value === null || value === undefined) return null;
  const items = (value as unknown as { readonly items: readonly DuckDBValue[] }).items;
  const [p50, p90, p99] = items.map((item) => (item instanceof DuckDBDecimalValue ? toUsd(item) : null));
  return p50 && p90 && p99 ? { p50, p90, p99 } : null;
}

function toUnits(text: string | null): SuccessRow["units"] {
  return text === null ? [] : text.split(" ").map(toUnit);
}

/** Digits of picodollars, successes, digits of what it was worth and time of checking, as they were put together: the third may be empty, the last not be there. */
function toUnit(text: string): SuccessUnit {
  const [pico = "0", successes = "0", worth = "", reviewMillis] = text.split(":");
  const unit = { cost: formatUsd(BigInt(pico)), successes: Number(successes) };
  const valued = worth === "" ? unit : { ...unit, value: formatUsd(BigInt(worth)) };
  return reviewMillis === undefined ? valued : { ...valued, reviewMillis };
}

/** What a task is by this field: what was said when it was begun, else what its first call says. */
export function said(field: TaskField): string {
  if (!taskFields.includes(field)) throw new PennyworthError("query_invalid", { detail: `tasks are not told apart by ${String(field)}` });
  if (field === "model")
    return `CASE WHEN s.modelLow = s.modelHigh THEN s.modelLow WHEN s.modelLow IS NOT NULL THEN '${severalModels}' END`;
  return `coalesce(s."${begunColumn(field)}", s."${field}")`;
}

function conditionOf({ field, value, operator }: SuccessQuery["filters"][number]): Sql {
  const not = operator === "!=";
  if (value === null) return { text: `${said(field)} IS ${not ? "NOT " : ""}NULL`, values: [] };
  return { text: `${said(field)} ${not ? "IS DISTINCT FROM" : "="} ?::VARCHAR`, values: [value] };
}
