// Where questions about steps find what belongs to a span: whole days in the sums of steps.ts, the rest, and what those sums cannot tell apart, in the
// calls themselves; with those under way. Not here: what is asked of them (drivers.ts, shape.ts). Invariant: a call of the span is in exactly one of
// the places.

import { PennyworthError } from "../../error.ts";
import { dayMs } from "../projection.ts";
import type { Filter } from "../store.ts";
import { type Sql, sqlOf, taskOf, where, whole, type Zone } from "./field.ts";
import { addedUp, linesOf, type Named, stepFields, type StepMeasure, stepsOf, tasksNamed } from "./steps.ts";

export interface Asked {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly zone: Zone;
  /** A field that steps are told apart by besides; null: none. */
  readonly by: string | null;
}

/** The type of the task that a row names: NULL where it names none, '' where it says no type. */
export const kind = `CASE WHEN tasked THEN coalesce("type", '') END`;

/** Of a row of steps or lines. */
const rowFields = stepFields.map((field) => `"${field}"`).join(", ");

/** Days that are in the sums; null: the sums do not know what is asked. */
function daysOf({ sinceMs, untilMs, filters, by }: Asked, known: readonly string[]): { from: number | null; to: number | null } | null {
  if (by !== null || !filters.every(({ field }) => known.includes(field))) return null;
  const from = sinceMs === null ? null : Math.ceil(whole(sinceMs) / dayMs);
  const to = untilMs === null ? null : Math.floor(whole(untilMs) / dayMs);
  return from !== null && to !== null && from >= to ? null : { from, to };
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

/** Rows of the sums for whole days, and of calls for the rest. @param read makes rows of calls `c`, by where they are. */
function rowsOf(table: string, fields: readonly string[], asked: Asked, read: (source: Sql) => Sql, more: readonly Sql[] = []): Sql[] {
  if (asked.filters.some(({ field }) => field === "class"))
    throw new PennyworthError("query_invalid", { detail: "steps and drivers cannot be filtered by class: they are told apart by it" });
  const days = daysOf(asked, fields);
  const near = [
    ...edgesOf(asked, fields, more).map((condition) => sqlOf("calls AS c ", condition)),
    sqlOf("open AS c ", where(asked.sinceMs, asked.untilMs, asked.filters, asked.zone, more)),
  ].map(read);
  if (days === null) return near;
  const between: Sql[] = [
    ...(days.from === null ? [] : [{ text: `c."day" >= ${days.from}`, values: [] }]),
    ...(days.to === null ? [] : [{ text: `c."day" < ${days.to}`, values: [] }]),
  ];
  return [sqlOf(`SELECT * EXCLUDE ("day") FROM ${table} AS c `, where(null, null, asked.filters, undefined, between)), ...near];
}

const group = ({ by }: Asked): Named | null => (by === null ? null : { name: "group", text: `c."${by}"` });
const grouped = ({ by }: Asked): string => (by === null ? "" : `"group", `);

/** Calls of a span by what steps are told apart by, and by `by`, with these measures. */
export function stepsIn(asked: Asked, names: readonly StepMeasure[]): Sql {
  const rows = rowsOf("stepDays", stepFields, asked, (source) => stepsOf(group(asked), names, source));
  const fields = `${grouped(asked)}${rowFields}`;
  return sqlOf(`SELECT ${fields}, ${addedUp(names)} FROM (`, union(rows), `) GROUP BY ${fields} HAVING sum("calls") > 0`);
}

/** Their lines: by class as well, and by whether they have a price. */
export function linesIn(asked: Asked): Sql {
  const rows = rowsOf("lineDays", stepFields, asked, (source) => linesOf(group(asked), source));
  return sqlOf(
    `SELECT ${grouped(asked)}${rowFields}, "class", priced, sum(quantity)::BIGINT AS quantity, coalesce(sum("cost"), 0)::DECIMAL(38,12) AS "cost" FROM (`,
    union(rows),
    `) GROUP BY ${grouped(asked)}${rowFields}, "class", priced HAVING sum("lines") > 0`,
  );
}

/** Their tasks, one row or several for each: the type that calls say, the own one and the root as hashes, and how many calls. */
export function tasksIn(asked: Asked): Sql {
  const named: Sql = { text: `${taskOf} IS NOT NULL`, values: [] };
  return union(rowsOf("taskDays", ["type"], { ...asked, by: null }, (source) => tasksNamed(null, source), [named]));
}

/** The longest prompts of steps in tasks of a type (null: in any, and in none): of the calls themselves, since a maximum cannot be taken back. */
export function peaksIn({ sinceMs, untilMs, filters, zone }: Asked, type: string | null): Sql {
  const ofType = [
    { text: "c.source IS NOT NULL", values: [] },
    ...(type === null ? [] : [{ text: `${taskOf} IS NOT NULL AND coalesce(c."type", '') = ?::VARCHAR`, values: [type] }]),
  ];
  return sqlOf(
    "SELECT c.step, c.provider, c.model, max(c.inputTokens) AS most FROM calls AS c ",
    where(sinceMs, untilMs, filters, zone, ofType),
    " GROUP BY ALL",
  );
}

function union(rows: readonly Sql[]): Sql {
  return { text: rows.map(({ text }) => text).join(" UNION ALL BY NAME "), values: rows.flatMap(({ values }) => values) };
}
