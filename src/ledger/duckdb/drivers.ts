// What calls of two spans used and cost, as SQL and back: cells with their lines, the tasks of each type, and what belongs to no call. Not here: where
// the rows are (spans.ts), what moved the bill (economics/drivers.ts). Invariant: SQL adds and counts; the cells and the rest are what a report of the
// span adds up to, whichever values are told apart.

import { DuckDBDecimalValue, type DuckDBValue } from "@duckdb/node-api";
import { formatUsd } from "../../core/money.ts";
import { compareText } from "../../core/order.ts";
import { isUsageClass } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import {
  driverFields,
  type DriverSums,
  type DriverSumsCell,
  type DriversQuery,
  type DriverUsage,
  others,
  toldCellsMax,
  toldCustomersMax,
} from "../drivers.ts";
import { textOf, toUsd } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { joinSql, type Sql, sqlOf, where } from "./field.ts";
import { groupsSql } from "./query.ts";
import { cellColumns, cellsIn, isOfCells, tasksBy } from "./spans.ts";
import { cellMeasureNames, cellSums, madeSql } from "./steps.ts";

/** Most rows of an answer: lines of cells. */
const rowsMax = 200_000;

type Row = readonly DuckDBValue[];
type Ask = (sql: Sql) => Promise<readonly Row[]>;
type Told = readonly (string | null)[];

/** @throws PennyworthError `query_invalid` for an unknown field, a filter by class, or when there are too many cells. */
export async function driversOf(query: DriversQuery, ask: Ask): Promise<DriverSums> {
  const { by, told } = query;
  if (by !== null && !driverFields.includes(by))
    throw new PennyworthError("query_invalid", { detail: `drivers are not told apart by ${String(by)}` });
  const [row] = await ask({ text: `SELECT ${madeSql}`, values: [] });
  const made = row?.[0] === null || row?.[0] === undefined ? null : Number(row[0]);
  if (by !== "customer" || told !== undefined) return toDrivers(await ask(driversSql(query, told ?? null, made)));
  const dearest = await ask(dearestSql(query));
  const values = dearest.map(([value]) => textOf(value));
  const sums = toDrivers(await ask(driversSql(query, values, made)));
  const kept = new Set(sums.cells.flatMap(({ group }) => (group === others ? [] : [group])));
  return { ...sums, left: Math.max(0, Number(dearest[0]?.[1] ?? 0) - kept.size) };
}

/** The dearest customers of both spans, and how many there are. */
function dearestSql({ before, after, filters, zone }: DriversQuery): Sql {
  const spans = [before, after].map(({ sinceMs, untilMs }) => groupsSql(["customer"], sinceMs, untilMs, undefined, filters, zone));
  return sqlOf(
    `SELECT g0, count(*) OVER () FROM (`,
    joinSql(spans, " UNION ALL "),
    `) GROUP BY g0 HAVING sum(calls) > 0 ORDER BY sum("cost") DESC, sum(calls) DESC, g0 NULLS LAST LIMIT ${toldCustomersMax}`,
  );
}

/** In a row, after the position. */
const names = ["what", ...cellColumns, "isRest", ...cellMeasureNames] as const;

/** @param told the values of `by` that are told apart; null: the dearest. Of customers their cells alone are read: the others are what is left of all. */
function driversSql({ before, after, by, filters, zone }: DriversQuery, told: Told | null, made: number | null): Sql {
  const asked = { spans: [before, after], by, filters, zone, made };
  const columns = cellColumns.map((name) => `"${name}"`).join(", ");
  const measures = cellMeasureNames.map((name) => `"${name}"`).join(", ");
  const added = `${columns}, isRest, ${cellSums}`;
  const isPart = by === "customer" && told !== null && isOfCells(filters);
  const rows: Sql[] = [];
  if (isPart) {
    const minus = cellMeasureNames.map((name) => `-"${name}" AS "${name}"`).join(", ");
    rows.push(
      sqlOf(`SELECT ${columns}, true AS isRest, ${measures} FROM (`, cellsIn({ ...asked, by: null }), ")"),
      sqlOf(`SELECT ${columns}, false AS isRest, ${measures} FROM k`),
      sqlOf(`SELECT ${columns.replace(`"group"`, "NULL::VARCHAR")}, true AS isRest, ${minus} FROM k`),
    );
  } else rows.push(sqlOf(`SELECT ${columns}, false AS isRest, ${measures} FROM (`, cellsIn(asked), ")"));
  const tables: Sql[] = [
    ...(isPart ? [sqlOf("k AS MATERIALIZED (", cellsIn({ ...asked, among: told }), ")")] : []),
    sqlOf(`g AS MATERIALIZED (SELECT ${added} FROM (`, joinSql(rows, " UNION ALL "), `) GROUP BY ALL HAVING sum("lines") > 0)`),
  ];
  const given: Sql[] = [];
  if (by === null) given.push(sqlOf(`SELECT 'cell' AS what, * FROM g`));
  else {
    tables.push(sqlOf("v AS MATERIALIZED (", told === null || isPart ? roomy : givenBy(told), ")"));
    const isKept = `(v.kept AND NOT g.isRest)`;
    given.push(
      sqlOf(
        `SELECT 'cell' AS what, * FROM (SELECT ${columns.replace(`"group"`, `CASE WHEN ${isKept} THEN g."group" END AS "group"`)}, ${isKept} IS NOT TRUE AS isRest,
          ${cellSums} FROM g LEFT JOIN v ON v."group" IS NOT DISTINCT FROM g."group" GROUP BY ALL)`,
      ),
      sqlOf(`SELECT 'left' AS what, count(*) AS calls FROM v WHERE NOT kept`),
    );
  }
  for (const [span, { sinceMs, untilMs }] of [before, after].entries())
    given.push(
      sqlOf(`SELECT 'tasks' AS what, ${span} AS span, "type", calls FROM (`, tasksBy({ sinceMs, untilMs, filters, zone }), ")"),
      sqlOf(
        `SELECT 'other' AS what, ${span} AS span, c.provider || ' ' || CASE WHEN b.id IS NULL THEN c.lines[1]."class" ELSE 'corrections' END AS "group",
          sum(c."cost")::DECIMAL(38,12) AS "cost" FROM periods AS c LEFT JOIN bookings AS b ON b.id = c.charge `,
        where(sinceMs, untilMs, filters, zone, [{ text: `c."cost" IS NOT NULL`, values: [] }]),
        " GROUP BY ALL",
      ),
    );
  return sqlOf(
    "WITH ",
    joinSql(tables, ", "),
    ", p AS MATERIALIZED (",
    joinSql(given, " UNION ALL BY NAME "),
    `) SELECT segment, "offset", ${names.map((name) => `p."${name}"`).join(", ")} FROM applied LEFT JOIN p ON true LIMIT ${rowsMax + 1}`,
  );
}

/** The dearest values, as many as there is room for the cells of. */
const roomy = `SELECT "group", sum(cells) OVER (ORDER BY "cost" DESC, "group" NULLS LAST ROWS UNBOUNDED PRECEDING) <= ${toldCellsMax} AS kept FROM (
  SELECT "group", count(*) AS cells, sum("cost") AS "cost" FROM (
    SELECT "group", "type", provider, model, tier, sum("cost") AS "cost" FROM g WHERE NOT isRest GROUP BY ALL) GROUP BY "group")`;

function givenBy(told: Told): Sql {
  return { text: `SELECT DISTINCT unnest(from_json(?::VARCHAR, '["VARCHAR"]')) AS "group", true AS kept`, values: [JSON.stringify(told)] };
}

type Side = "before" | "after";
interface Usage {
  calls: number;
  firstTries: number;
  unpriced: number;
  pico: bigint;
  readonly lines: DriverUsage["lines"][number][];
}

/** @throws PennyworthError `query_invalid` when there are too many cells. */
function toDrivers(rows: readonly Row[]): DriverSums {
  if (rows.length > rowsMax)
    throw new PennyworthError("query_invalid", {
      detail: `there are more than ${rowsMax} sums: ask for less with a filter or a shorter span`,
    });
  const cells = new Map<string, Omit<DriverSumsCell, Side> & { before: Usage | null; after: Usage | null }>();
  const tasks = new Map<string, { type: string; before: number; after: number }>();
  const other = new Map<string, { key: string; before: string; after: string }>();
  let left = 0;
  for (const [, , what, span, ...values] of rows) {
    const side: Side = Number(span) === 0 ? "before" : "after";
    const [type = null, provider, model = null, tier = null, named = null] = values.slice(0, 5).map(textOf);
    const [name, priced, isRest, , calls, firstTries, unpriced, quantity, cost = null] = values.slice(5);
    if (what === "cell") {
      const group = isRest === true ? others : named;
      const key = JSON.stringify([type, provider, model, tier, group]);
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { type, provider: provider ?? "", model, tier, group, before: null, after: null };
        cells.set(key, cell);
      }
      const usage = (cell[side] ??= { calls: 0, firstTries: 0, unpriced: 0, pico: 0n, lines: [] });
      usage.calls += Number(calls);
      usage.firstTries += Number(firstTries);
      usage.unpriced += Number(unpriced);
      usage.pico += picoOf(cost);
      const known = String(name);
      if (isUsageClass(known)) usage.lines.push({ class: known, quantity: Number(quantity), cost: priced === true ? toUsd(cost) : null });
    } else if (what === "tasks") {
      const known = tasks.get(type ?? "") ?? { type: type ?? "", before: 0, after: 0 };
      tasks.set(known.type, { ...known, [side]: Number(calls) });
    } else if (what === "other") {
      const known = other.get(named ?? "") ?? { key: named ?? "", before: "0", after: "0" };
      other.set(known.key, { ...known, [side]: toUsd(cost) });
    } else if (what === "left") left = Number(calls);
  }
  const [first = []] = rows;
  return {
    cells: sorted(cells).map((cell) => ({ ...cell, before: toUsage(cell.before), after: toUsage(cell.after) })),
    tasks: sorted(tasks),
    other: sorted(other),
    left,
    position: toPosition(first[0], first[1]),
  };
}

function toUsage(usage: Usage | null): DriverUsage | null {
  if (usage === null) return null;
  const { calls, firstTries, unpriced, pico, lines } = usage;
  lines.sort((a, b) => compareText(a.class, b.class) || (a.cost === null ? 1 : -1));
  return { calls, firstTries, cost: formatUsd(pico), unpriced, lines };
}

function picoOf(value: DuckDBValue): bigint {
  return value instanceof DuckDBDecimalValue ? value.value : 0n;
}

function sorted<Value>(found: ReadonlyMap<string, Value>): Value[] {
  return [...found].toSorted(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}
