// Report fields as SQL: what a field reads, what a filter's text is in a column, and the text of a group. Names come from a fixed list;
// values are parameters, never part of the text. Invariant: the text of a group is a filter that finds that group again.

import type { ZoneOffset } from "../../core/zone.ts";
import { PennyworthError } from "../../error.ts";
import { dayMs, hourMs } from "../projection.ts";
import { type Filter, type ReportField, reportFields, type TimeField, timeFields } from "../store.ts";

export type Value = string | number;

export interface Sql {
  readonly text: string;
  readonly values: readonly Value[];
}

export type Zone = readonly ZoneOffset[] | undefined;

const minuteMs = 60_000;
const plainFields = new Set<string>(reportFields);
const times = new Set<string>(timeFields);
const wholeNumbers = new Set<string>(["attempt", "httpStatus"]);
const booleans = new Set<string>(["streamed", "unpriced", "unmetered", "doubtful", "presumed", "failed"]);

/** The task that a call `c` belongs to: a root with all below it. */
export const taskOf = `coalesce(c.root, c.task)`;

/** Pieces of SQL as one, their values in order. */
export function sqlOf(...pieces: readonly (string | Sql)[]): Sql {
  return {
    text: pieces.map((piece) => (typeof piece === "string" ? piece : piece.text)).join(""),
    values: pieces.flatMap((piece) => (typeof piece === "string" ? [] : piece.values)),
  };
}

export function joinSql(pieces: readonly Sql[], separator: string): Sql {
  return { text: pieces.map((piece) => piece.text).join(separator), values: pieces.flatMap((piece) => piece.values) };
}

export function isTime(field: ReportField): field is TimeField {
  return times.has(field);
}

/** Whether the hours of a zone begin with those of UTC. */
export function isWholeHours(zone: Zone): boolean {
  return zone === undefined || zone.every(({ offsetMs }) => offsetMs % hourMs === 0);
}

/** Whether it also changes its clocks at a whole hour of UTC. */
export function isHourly(zone: Zone): boolean {
  return isWholeHours(zone) && (zone ?? []).slice(1).every(({ fromMs }) => fromMs % hourMs === 0);
}

/** What a field reads of the row `c`. A tag's name comes from outside and is a parameter. @throws PennyworthError `query_invalid`. */
export function expression(field: ReportField, zone: Zone): Sql {
  if (isTime(field)) return { text: timeOf(field, zone), values: [] };
  if (field === "class") return { text: `line."class"`, values: [] };
  if (field === "call") return { text: "c.id", values: [] };
  if (field.startsWith("tag.")) return { text: "c.tags[?::VARCHAR]", values: [field.slice("tag.".length)] };
  if (!plainFields.has(field)) throw new PennyworthError("query_invalid", { detail: `no field is called ${field}` });
  return { text: `c."${field}"`, values: [] };
}

/** Columns that fields read from a call. */
export function columnsOf(fields: readonly ReportField[], zone: Zone): string[] {
  return fields.flatMap((field) => {
    if (field === "class") return [];
    if (isTime(field)) return ["hour", ...(zone === undefined ? ["day"] : [])];
    return [field.startsWith("tag.") ? "tags" : field === "call" ? "id" : field];
  });
}

/** Whole minutes, hours, days, weeks from a Monday or months since 1970; hours that are none of UTC's are named by the minute they begin. */
function timeOf(field: TimeField, zone: Zone): string {
  const day = zone === undefined ? `c."day"` : isHourly(zone) ? `((${localHour(zone)}) // 24)` : `((${localMs(zone)}) // ${dayMs})`;
  switch (field) {
    case "minute":
      return `(c.startMs // ${minuteMs})`;
    case "hour":
      return isWholeHours(zone) ? `c."hour"` : `((c.startMs - (${localMs(zone)}) % ${hourMs}) // ${minuteMs})`;
    case "day":
      return day;
    case "week":
      return `((${day} + 3) // 7)`;
    case "month":
      return `date_diff('month', DATE '1970-01-01', DATE '1970-01-01' + (${day})::INTEGER)`;
  }
}

function localMs(zone: Zone): string {
  return localOf("c.startMs", zone, 1);
}

/** Of zones that keep to whole hours of UTC: hours are smaller numbers, and divided faster. */
function localHour(zone: Zone): string {
  return localOf(`c."hour"`, zone, hourMs);
}

function localOf(column: string, zone: Zone, unitMs: number): string {
  const [first, ...later] = zone ?? [];
  if (later.length === 0) return `${column} + ${whole((first?.offsetMs ?? 0) / unitMs)}`;
  const cases = later
    .toReversed()
    .map(({ fromMs, offsetMs }) => `WHEN ${column} >= ${whole(fromMs / unitMs)} THEN ${whole(offsetMs / unitMs)}`);
  return `${column} + CASE ${cases.join(" ")} ELSE ${whole((first?.offsetMs ?? 0) / unitMs)} END`;
}

/**
 * The condition of a period and filters, on the row `c`.
 * @throws PennyworthError `query_invalid` for an unknown field.
 */
export function where(
  sinceMs: number | null,
  untilMs: number | null,
  filters: readonly Filter[],
  zone?: Zone,
  more: readonly Sql[] = [],
): Sql {
  const conditions: Sql[] = [];
  // Times are numbers of ours, written out: a statement with values is planned twice.
  if (sinceMs !== null) conditions.push({ text: `c.startMs >= ${whole(sinceMs)}`, values: [] });
  if (untilMs !== null) conditions.push({ text: `c.startMs < ${whole(untilMs)}`, values: [] });
  for (const filter of filters) conditions.push(conditionOf(filter, zone));
  conditions.push(...more);
  return conditions.length === 0 ? { text: "", values: [] } : sqlOf("WHERE ", joinSql(conditions, " AND "));
}

function conditionOf({ field, value, operator }: Filter, zone: Zone): Sql {
  const read = expression(field, zone);
  const not = operator === "!=";
  if (value === null) return sqlOf(read, ` IS ${not ? "NOT " : ""}NULL`);
  const wanted = stored(field, value, zone);
  if (wanted === null) return { text: not ? "true" : "false", values: [] };
  return sqlOf(read, not ? " IS DISTINCT FROM " : " = ", wanted);
}

/** A filter's text as the column has it; null: no row can have it. */
function stored(field: ReportField, text: string, zone: Zone): Sql | null {
  if (booleans.has(field)) return text === "true" || text === "false" ? { text, values: [] } : null;
  if (!isTime(field) && !wholeNumbers.has(field)) return { text: "?::VARCHAR", values: [text] };
  const number = isTime(field) ? toIndex(field, text, zone) : text === "" ? Number.NaN : Number(text);
  return Number.isSafeInteger(number) && Math.abs(number) < 2 ** 31 ? { text: String(number), values: [] } : null;
}

function toIndex(field: TimeField, text: string, zone: Zone): number {
  const ms = Date.parse(text);
  if (field === "minute") return ms / minuteMs;
  if (field === "hour") return ms / (isWholeHours(zone) ? hourMs : minuteMs);
  if (field === "day") return ms / dayMs;
  if (field === "week") return (ms / dayMs + 3) / 7;
  const match = /^(\d{4})-(\d{2})$/.exec(text);
  return match === null ? Number.NaN : (Number(match[1]) - 1970) * 12 + Number(match[2]) - 1;
}

/** Text of a group's value, as filters take it: `2026-11-21`, `2026-11-21T13:00:00Z`, `2026-11`, `true`, `429`. */
export function groupText(field: ReportField, value: unknown, zone?: Zone): string | null {
  if (value === null || value === undefined) return null;
  const index = Number(value);
  if (field === "minute") return instant(index * minuteMs);
  if (field === "hour") return instant(index * (isWholeHours(zone) ? hourMs : minuteMs));
  if (field === "day") return new Date(index * dayMs).toISOString().slice(0, 10);
  if (field === "week") return new Date((index * 7 - 3) * dayMs).toISOString().slice(0, 10);
  if (field === "month") return new Date(Date.UTC(1970, index)).toISOString().slice(0, 7);
  return String(value);
}

export function whole(ms: number): number {
  if (Number.isSafeInteger(ms)) return ms;
  throw new PennyworthError("query_invalid", { detail: "a time must be a whole number of milliseconds" });
}

function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
