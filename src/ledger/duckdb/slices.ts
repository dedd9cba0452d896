// Which rows of a cut are read for a span: those of whole days where these are as good, and of the hours before and after them. Not here: what is
// asked of them (query.ts). Invariant: whatever a span is made of, its rows add up to what those of its hours do.

import { hourMs } from "../projection.ts";
import type { Filter, ReportField } from "../store.ts";
import { columnsOf, isHourly, isTime, type Sql, sqlOf, where, type Zone } from "./field.ts";
import { type Cut, cutColumns, cutName, cuts, type CutUnit } from "./schema.ts";

/** What decides whether days are as good. */
interface Asked {
  readonly by: readonly ReportField[];
  readonly filters: readonly Filter[];
  readonly zone: Zone;
}

/** Rows `c` of a cut between two hours; null: from the first on, to the last. */
export function slicesOf(cut: Cut, asked: Asked, from: number | null, to: number | null): Sql {
  const line = cut === "classHours" ? `, {'class': "class"} AS line` : "";
  const fields = [...asked.by, ...asked.filters.map((filter) => filter.field)];
  const times = fields.filter(isTime);
  const isDaily = times.length === 0 || (!times.includes("hour") && isHourly(asked.zone));
  const [first, last] = [from === null ? null : Math.ceil(from / 24), to === null ? null : Math.floor(to / 24)];
  if (!isDaily || (first !== null && last !== null && first >= last))
    return sqlOf(
      `(SELECT *, "hour"::BIGINT * ${hourMs} AS startMs, "hour" // 24 AS "day"${line} FROM ${cut}${between("hour", from, to)}) AS c`,
    );
  const wanted = new Set<string>([...columnsOf(fields, undefined), "class"]);
  const named = cuts[cut].filter((name) => wanted.has(name)).map((name) => `"${name}"`);
  const read = [...named, ...Object.keys(cutColumns).map((name) => `"${name}"`)].join(", ");
  const hours = (since: number, until: number): string[] =>
    since < until ? [`SELECT "hour", "hour" // 24 AS "day", ${read} FROM ${cut}${between("hour", since, until)}`] : [];
  const parts = [
    `SELECT ${noonOf(`"day"`)} AS "hour", "day", ${read} FROM ${cutName(cut, "day")}${between("day", first, last)}`,
    ...(from === null || first === null ? [] : hours(from, first * 24)),
    ...(to === null || last === null ? [] : hours(last * 24, to)),
  ];
  const stray = times.length === 0 ? null : strayOf(asked.zone);
  if (stray === null) return sqlOf(`(SELECT *${line} FROM (${parts.join(" UNION ALL ")})) AS c`);
  // Of each day the hours that are of another local day than its noon: taken from that one, and added to their own.
  const known = [
    ...rangeOf("hour", first === null ? null : first * 24, last === null ? null : last * 24),
    `"hour" % 24 BETWEEN ${stray[0]} AND ${stray[1]}`,
  ].map((text) => ({ text, values: [] }));
  const plain = asked.filters.filter(({ field }) => !isTime(field) && field !== "class");
  const moved = sqlOf(`SELECT "hour", ${read} FROM ${cut} AS c `, where(null, null, plain, undefined, known));
  const out = [...named, ...Object.keys(cutColumns).map((name) => `-"${name}"`)].join(", ");
  parts.push(`SELECT "hour", "hour" // 24, ${read} FROM moved`, `SELECT ${noonOf(`"hour" // 24`)}, "hour" // 24, ${out} FROM moved`);
  return sqlOf("(WITH moved AS NOT MATERIALIZED (", moved, `) SELECT *${line} FROM (${parts.join(" UNION ALL ")})) AS c`);
}

/** A day's rows count where its noon, UTC, does. */
function noonOf(day: string): string {
  return `${day} * 24 + 12`;
}

/** The first and the last hour of a UTC day that are of another local day than its noon, at any time; null: none is. */
function strayOf(zone: Zone): readonly [first: number, last: number] | null {
  const stray = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) =>
    (zone ?? []).some(({ offsetMs }) => localDay(hour, offsetMs) !== localDay(12, offsetMs)),
  );
  const [first = null, last = first] = [stray[0], stray.at(-1)];
  return first === null || last === null ? null : [first, last];
}

function localDay(hour: number, offsetMs: number): number {
  return Math.floor((hour + offsetMs / hourMs) / 24);
}

function between(column: CutUnit, from: number | null, to: number | null): string {
  const conditions = rangeOf(column, from, to);
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function rangeOf(column: CutUnit, from: number | null, to: number | null): string[] {
  return [...(from === null ? [] : [`"${column}" >= ${from}`]), ...(to === null ? [] : [`"${column}" < ${to}`])];
}
