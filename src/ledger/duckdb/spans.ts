// Where questions about steps and cells find what belongs to a span: whole weeks and days in the sums of steps.ts, the rest, and what those sums cannot
// tell apart, in the calls themselves; with those under way. Not here: what is asked of them (drivers.ts, shape.ts). Invariant: a call of the span is
// in exactly one of the places.

import { PennyworthError } from "../../error.ts";
import { dayMs } from "../projection.ts";
import type { Filter, Span } from "../store.ts";
import { joinSql, type Sql, sqlOf, taskOf, where, whole, type Zone } from "./field.ts";
import { metered, peaksOf } from "./peaks.ts";
import {
  addedUp,
  cellFields,
  cellsOf,
  cellSums,
  dayOfWeek,
  linedOf,
  payerFields,
  stepFields,
  type StepMeasure,
  stepsOf,
  tasksNamed,
  weekOf,
} from "./steps.ts";

export interface Asked {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly zone: Zone;
}

/** The type of the task that a row names: NULL where it names none, '' where it says no type. */
export const kind = `CASE WHEN tasked THEN coalesce("type", '') END`;

/** Of a row of steps or lines. */
const rowFields = stepFields.map((field) => `"${field}"`).join(", ");

/** Days that are in the sums; null: the sums do not know what is asked. */
function daysOf({ sinceMs, untilMs, filters }: Asked, known: readonly string[]): { from: number | null; to: number | null } | null {
  if (!knows(known, filters)) return null;
  const from = sinceMs === null ? null : Math.ceil(whole(sinceMs) / dayMs);
  const to = untilMs === null ? null : Math.floor(whole(untilMs) / dayMs);
  return from !== null && to !== null && from >= to ? null : { from, to };
}

function knows(known: readonly string[], filters: readonly Filter[]): boolean {
  return filters.every(({ field }) => known.includes(field));
}

/** Conditions on calls `c`: those of the hours before and after the days that are summed, or of all. */
function edgesOf(asked: Asked, known: readonly string[], more: readonly Sql[] = []): Sql[] {
  const { sinceMs, untilMs, filters, zone } = asked;
  const days = daysOf(asked, known);
  const at = (since: number | null, until: number | null): Sql => where(since, until, filters, zone, more);
  if (days === null) return [at(sinceMs, untilMs)];
  const { from, to } = days;
  return [
    ...(sinceMs === null || from === null || sinceMs >= from * dayMs ? [] : [at(sinceMs, from * dayMs)]),
    ...(untilMs === null || to === null || to * dayMs >= untilMs ? [] : [at(to * dayMs, untilMs)]),
  ];
}

/** @throws PennyworthError `query_invalid`. */
function refuseClass(filters: readonly Filter[]): void {
  if (filters.some(({ field }) => field === "class"))
    throw new PennyworthError("query_invalid", { detail: "steps and drivers cannot be filtered by class: they are told apart by it" });
}

/** Rows of the sums for whole days, and of calls for the rest. @param read makes rows of calls `c`, by where they are. */
function rowsOf(table: string, fields: readonly string[], asked: Asked, read: (source: Sql) => Sql, more: readonly Sql[] = []): Sql[] {
  refuseClass(asked.filters);
  const days = daysOf(asked, fields);
  const near = [
    ...edgesOf(asked, fields, more).map((condition) => sqlOf("calls AS c ", condition)),
    sqlOf("open AS c ", where(asked.sinceMs, asked.untilMs, asked.filters, asked.zone, more)),
  ].map(read);
  if (days === null) return near;
  return [sqlOf(`SELECT * EXCLUDE ("day") FROM ${table} AS c `, between("day", days, asked.filters)), ...near];
}

/** Of rows `c` of sums. */
function between(unit: "day" | "week", { from, to }: { from: number | null; to: number | null }, filters: readonly Filter[]): Sql {
  const times: Sql[] = [
    ...(from === null ? [] : [{ text: `c."${unit}" >= ${from}`, values: [] }]),
    ...(to === null ? [] : [{ text: `c."${unit}" < ${to}`, values: [] }]),
  ];
  return where(null, null, filters, undefined, times);
}

/** Calls of a span by what steps are told apart by, with these measures. */
export function stepsIn(asked: Asked, names: readonly StepMeasure[]): Sql {
  const rows = rowsOf("stepDays", stepFields, asked, (source) => stepsOf(null, names, source));
  return sqlOf(`SELECT ${rowFields}, ${addedUp(names)} FROM (`, union(rows), `) GROUP BY ${rowFields} HAVING sum("calls") > 0`);
}

/** Their lines: by class as well, and by whether they have a price. */
export function linesIn(asked: Asked): Sql {
  const rows = rowsOf("lineDays", stepFields, asked, (source) =>
    sqlOf(
      `SELECT ${rowFields}, "class", priced, "lines", quantity, "cost" FROM (`,
      cellsOf(stepFields, linedOf(stepFields, source)),
      `) WHERE "class" IS NOT NULL`,
    ),
  );
  return sqlOf(
    `SELECT ${rowFields}, "class", priced, sum(quantity)::BIGINT AS quantity, coalesce(sum("cost"), 0)::DECIMAL(38,12) AS "cost" FROM (`,
    union(rows),
    `) GROUP BY ${rowFields}, "class", priced HAVING sum("lines") > 0`,
  );
}

/** Their tasks, one row or several for each: the type that calls say, the own one and the root as hashes, and how many calls. */
export function tasksIn(asked: Asked): Sql {
  return union(rowsOf("taskDays", ["type"], asked, (source) => tasksNamed(null, source), [named]));
}

const named: Sql = { text: `${taskOf} IS NOT NULL`, values: [] };

/** How many tasks calls of a type name, their own ones: columns `type` and `calls`. Names are hashed where those of days are. */
export function tasksBy(asked: Asked): Sql {
  const isSummed = daysOf(asked, ["type"]) !== null;
  const rows = isSummed
    ? tasksIn(asked)
    : union(
        rowsOf(
          "taskDays",
          [],
          asked,
          (source) => sqlOf(`SELECT c."type", coalesce(c.task, c.root) AS own, count(*) AS calls FROM `, source, " GROUP BY ALL"),
          [named],
        ),
      );
  return sqlOf(
    `SELECT "type", count(*) AS calls FROM (SELECT coalesce("type", '') AS "type", own FROM (`,
    rows,
    `) GROUP BY ALL HAVING sum(calls) > 0) GROUP BY ALL`,
  );
}

/** The longest prompts of steps in tasks of a type (null: in any, and in none). */
export function peaksIn(asked: Asked, type: string | null): Sql {
  const rows = rowsOf("peakDays", stepFields, asked, peaksOf, [{ text: metered, values: [] }]);
  const ofType = type === null ? { text: "", values: [] } : { text: ` WHERE ${kind} = ?::VARCHAR`, values: [type] };
  return sqlOf("SELECT step, provider, model, max(most) AS most FROM (", union(rows), ")", ofType, " GROUP BY ALL");
}

/** What is asked of the cells of several spans at once. */
export interface CellsAsked {
  readonly spans: readonly Span[];
  readonly by: string | null;
  readonly filters: readonly Filter[];
  readonly zone: Zone;
  /** The first week that the sums of weeks do not have. null: they have none. */
  readonly made: number | null;
  /** Values of `by` whose cells are meant; absent: of all. */
  readonly among?: readonly (string | null)[];
}

/** Steps and their lines, as rows of cells. */
const stepped = `(SELECT "day", ${rowFields}, NULL AS "class", false AS priced, calls AS "lines", calls, firstTries, unpriced, 0 AS quantity, NULL AS "cost"
  FROM stepDays UNION ALL SELECT "day", ${rowFields}, "class", priced, "lines", 0, 0, 0, quantity, "cost" FROM lineDays)`;

interface CellTable {
  readonly week: string | null;
  readonly day: string | null;
  /** What it knows. */
  readonly fields: readonly string[];
}

/** The first that knows what is asked is read. */
const cellTables: readonly CellTable[] = [
  { week: "cellWeeks", day: "cellDays", fields: cellFields },
  { week: "payerWeeks", day: null, fields: payerFields },
  { week: null, day: stepped, fields: stepFields },
];

/** Columns of a row of cells, before the measures. */
export const cellColumns = ["span", "type", "provider", "model", "tier", "group", "class", "priced"] as const;

/** Calls and lines of cells of several spans: `cellColumns` and the measures of cells, in rows that add up. */
export function cellsIn({ spans, by, filters, zone, made, among }: CellsAsked): Sql {
  refuseClass(filters);
  const chosen: Sql[] = by === null || among === undefined ? [] : [amongSql(by, among)];
  const fields = [...filters.map(({ field }) => field as string), ...(by === null ? [] : [by])];
  const table = cellTables.find((one) => fields.every((field) => one.fields.includes(field))) ?? null;
  const cell = `${kind} AS "type", provider, model, coalesce(tier, tierAsked) AS tier, ${by === null ? "NULL::VARCHAR" : `"${by}"`} AS "group"`;
  const read = [...new Set(["tasked", "type", "provider", "model", "tier", "tierAsked", ...(by === null ? [] : [by])])];
  const summed: Sql[] = [];
  const near: Sql[] = [];
  const lined = (from: string, span: number, since: number, until: number): void => {
    if (since < until) near.push(linedOf(read, sqlOf(`${from} AS c `, where(since, until, filters, zone, chosen)), `${span} AS span, `));
  };
  const rows = (name: string, unit: "day" | "week", span: number, from: number, to: number): void => {
    if (from >= to) return;
    const times = [`c."${unit}" >= ${from}`, `c."${unit}" < ${to}`].map((text) => ({ text, values: [] }));
    summed.push(
      sqlOf(
        `SELECT ${span} AS span, c.* EXCLUDE ("${unit}") FROM ${name} AS c `,
        where(null, null, filters, undefined, [...times, ...chosen]),
      ),
    );
  };
  for (const [span, { sinceMs, untilMs }] of spans.entries()) {
    const [since, until] = [whole(sinceMs), whole(untilMs)];
    lined("open", span, since, until);
    const days = { from: Math.ceil(since / dayMs), to: Math.floor(until / dayMs) };
    const weeks = { from: Math.ceil(weekOf(days.from)), to: Math.min(Math.floor(weekOf(days.to)), made ?? -Infinity) };
    // Days that are in rows of weeks; none, where there are none.
    const isWeekly = typeof table?.week === "string" && weeks.from < weeks.to;
    const inWeeks = isWeekly ? { from: dayOfWeek(weeks.from), to: dayOfWeek(weeks.to) } : { from: days.to, to: days.to };
    if (isWeekly) rows(table.week, "week", span, weeks.from, weeks.to);
    const isDaily = typeof table?.day === "string" && days.from < days.to;
    if (isDaily) {
      rows(table.day, "day", span, days.from, inWeeks.from);
      rows(table.day, "day", span, inWeeks.to, days.to);
    }
    // What is in no sum is before and after.
    const ends = isDaily ? days : inWeeks;
    const [low, high] = isDaily || isWeekly ? [ends.from * dayMs, ends.to * dayMs] : [until, until];
    lined("calls", span, since, low);
    lined("calls", span, high, until);
  }
  const names = ["span", ...read];
  const parts = [sqlOf(`SELECT * FROM (`, cellsOf(names, joinSql(near, " UNION ALL ")), ")"), ...summed];
  return sqlOf(`SELECT span, ${cell}, "class", priced, ${cellSums} FROM (`, union(parts), ") GROUP BY ALL");
}

function amongSql(by: string, values: readonly (string | null)[]): Sql {
  const said = values.filter((value) => value !== null);
  const conditions: Sql[] = [
    ...(said.length === values.length ? [] : [{ text: `c."${by}" IS NULL`, values: [] }]),
    ...(said.length === 0 ? [] : [{ text: `c."${by}" IN (${said.map(() => "?::VARCHAR").join(", ")})`, values: said }]),
  ];
  return conditions.length === 0 ? { text: "false", values: [] } : sqlOf("(", joinSql(conditions, " OR "), ")");
}

/** Whether the cells of all together, not told apart, are in the sums. */
export function isOfCells(filters: readonly Filter[]): boolean {
  return knows(cellFields, filters);
}

function union(rows: readonly Sql[]): Sql {
  return joinSql(rows, " UNION ALL BY NAME ");
}
