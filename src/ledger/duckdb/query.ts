// Questions as SQL: reports, filters and pages. Values are parameters, never part of the text; field names come from a fixed list.
// Invariant: SQL adds, compares and counts money; it never multiplies, divides or averages it.

import { usageClassNames } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import { dayMs, hourMs, isTokens } from "../projection.ts";
import { sumColumns, summedFields } from "./schema.ts";
import { type Filter, type ReportField, type ReportQuery, reportFields } from "../store.ts";

export type Value = string | number;

export interface Sql {
  readonly text: string;
  readonly values: readonly Value[];
}

/** In the order every report selects them: after whether the row is the total, and the total's position; before the groups. */
export const measureNames = [
  "calls",
  "cost",
  "inputTokens",
  "outputTokens",
  "quantity",
  "unpriced",
  "unmetered",
  "doubtful",
  "presumed",
  "failed",
  "periodCost",
  "periodUnpriced",
] as const;

/** Most rows any one question gives back. */
export const rowsMax = 10_000;

/**
 * Rows of these tables with the named columns alone: what is not named is not read. `counts`: it is a call, and no piece of a period charge.
 */
function rowsOf(tables: readonly Table[], names: Iterable<string>): string {
  const list = [...new Set(["id", "startMs", ...names])].map((name) => `"${name}"`).join(", ");
  return tables.map((table) => `SELECT ${list}, ${table !== "periods"} AS counts FROM ${table}`).join(" UNION ALL ");
}

type Table = "calls" | "open" | "periods";
const allTables = ["calls", "open", "periods"] as const;

function everyRow(names: Iterable<string>, tables: readonly Table[] = allTables): string {
  return `(${rowsOf(tables, names)}) AS c`;
}

function everyLine(names: Iterable<string>, tables: readonly Table[] = allTables): string {
  return `(SELECT * EXCLUDE (lines), unnest(lines) AS line FROM (${rowsOf(tables, [...lineColumns, ...names, "lines"])})) AS c`;
}

const flags = ["unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;
const lineColumns: readonly string[] = flags.slice(1);
const callColumns: readonly string[] = ["cost", "inputTokens", "outputTokens", ...flags];

/** Columns that fields read from a call. */
function columnsOf(fields: readonly ReportField[]): string[] {
  return fields.filter((field) => field !== "class").map((field) => (field.startsWith("tag.") ? "tags" : field === "call" ? "id" : field));
}

/**
 * Rows of groups, and one of the total. A row more than the limit says that there are more.
 * @throws PennyworthError `query_invalid` for an unknown field.
 */
export function reportSql(query: ReportQuery): Sql {
  const [only] = query.by;
  if (query.by.length === 1 && only === "call" && !query.filters.some(isOfClass)) return callReportSql(query);
  const isWhole = query.sinceMs === null && query.untilMs === null && query.filters.length === 0;
  if (query.by.length === 1 && only !== undefined && isWhole && isSummed(only)) return summedReportSql(only, query.limit);
  const used = columnsOf([...query.by, ...query.filters.map((filter) => filter.field)]);
  const filtersClass = query.filters.some(isOfClass);
  const byLine = query.by.includes("class") || filtersClass;
  const from = byLine ? everyLine(used) : everyRow([...used, ...callColumns]);
  const source = where(query.sinceMs, query.untilMs, query.filters);
  const groupNames = query.by.map((_, index) => `g${index}`);
  const fields = query.by.map(expression);
  const measures = byLine ? lineMeasures(query.by.includes("class")) : callMeasures;
  const groups = fields.map((field, index) => `${field.text} AS g${index}`);
  const grouped = `SELECT ${[...groups, measures].join(", ")} FROM ${from} ${source.text} ${
    // Without a group there is one row even of nothing; a report of nothing has no rows.
    groupNames.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${groupNames.join(", ")}`
  }`;
  const values = [...fields.flatMap((field) => field.values), ...source.values];
  // A call has lines of several classes, so groups of lines overlap and the total is counted anew; all other groups add up to it.
  const total = !byLine
    ? `SELECT ${addedMeasures} FROM g`
    : `SELECT ${filtersClass ? lineMeasures(false) : callMeasures} FROM ${filtersClass ? everyLine(used) : everyRow([...used, ...callColumns])} ${source.text}`;
  if (byLine) values.push(...source.values);
  return withTotal(`g AS MATERIALIZED (${grouped}), t AS (${total})`, groupNames, orderOf(query.by), query.limit, values);
}

/** A report of single calls has nothing to add up: the dearest are picked by their cost alone before anything else of them is read. */
function callReportSql(query: ReportQuery): Sql {
  const source = where(query.sinceMs, query.untilMs, query.filters);
  const counted = flags.map((flag) => `c."${flag}"::INTEGER::BIGINT AS "${flag}"`).join(", ");
  const dearest = (table: string): string => `SELECT c.id AS g0, 1::BIGINT AS calls, coalesce(c."cost", 0)::DECIMAL(38,12) AS "cost",
    c.inputTokens::HUGEINT AS inputTokens, c.outputTokens::HUGEINT AS outputTokens, NULL::HUGEINT AS quantity, ${counted},
    0::DECIMAL(38,12) AS periodCost, 0::BIGINT AS periodUnpriced FROM ${table} AS c WHERE c.rowid IN (SELECT c.rowid FROM ${table} AS c ${source.text}
      ORDER BY c."cost" DESC NULLS LAST, c.rowid LIMIT ${bounded(query.limit) + 1})`;
  const used = columnsOf(query.filters.map((filter) => filter.field));
  const total = `SELECT ${callMeasures} FROM ${everyRow([...used, ...callColumns])} ${source.text}`;
  // What belongs to no call is one group of its own, so that the groups add up to the total.
  const others = `SELECT NULL AS g0, ${callMeasures} FROM ${everyRow([...used, ...callColumns], ["periods"])} ${source.text} HAVING count(*) > 0`;
  const tables = `g AS (${dearest("calls")} UNION ALL ${dearest("open")} UNION ALL ${others}), t AS (${total})`;
  const { values } = source;
  return withTotal(tables, ["g0"], orderOf(query.by), query.limit, [...values, ...values, ...values, ...values]);
}

/**
 * A report over all time by a field whose sums are kept: those, the calls under way and the period charges. With a million values, adding up all that is
 * said of each takes ten times as long as finding the dearest; so these are found first.
 */
function summedReportSql(field: ReportField, limit: number): Sql {
  const measures = measureNames.map((name) => `"${name}"`).join(", ");
  const byClass = field === "class";
  const loose = ["open", "periods"] as const;
  const open = byClass
    ? `SELECT line."class" AS g0, ${lineMeasures(true)}, bool_or(NOT c.counts) AS loose FROM ${everyLine([], loose)} GROUP BY g0`
    : `SELECT c."${field}" AS g0, ${callMeasures}, bool_or(NOT c.counts) AS loose FROM ${everyRow([field, ...callColumns], loose)} GROUP BY g0`;
  const added = byClass ? addedMeasures.replace("NULL::HUGEINT AS quantity", "sum(quantity) AS quantity") : addedMeasures;
  const alike = measureNames.map((name) => `"${name}"::${sumColumns[name]}`).join(", ");
  const known = `(SELECT "value" AS g0, ${measures}, false AS loose FROM sums WHERE field = '${field}'
    UNION ALL SELECT g0, ${alike}, loose FROM (${open}))`;
  const top = `SELECT g0 FROM ${known} GROUP BY g0 HAVING sum(calls) > 0 OR bool_or(loose)
    ORDER BY sum("cost") DESC, sum(calls) DESC, g0 ASC NULLS LAST LIMIT ${bounded(limit) + 1}`;
  const grouped = `SELECT known.g0, ${added} FROM ${known} AS known JOIN top ON known.g0 IS NOT DISTINCT FROM top.g0 GROUP BY known.g0`;
  // A call has lines of several classes: its sums overlap, and the total is counted anew.
  const total = byClass ? `SELECT ${callMeasures} FROM ${everyRow(callColumns)}` : `SELECT ${addedMeasures} FROM ${known}`;
  return withTotal(`top AS MATERIALIZED (${top}), g AS (${grouped}), t AS (${total})`, ["g0"], orderOf([field]), limit, []);
}

function withTotal(tables: string, groupNames: readonly string[], order: string, limit: number, values: readonly Value[]): Sql {
  const measures = measureNames.map((name) => `"${name}"`);
  const groupsOf = (value: (name: string) => string): string[] => groupNames.map(value);
  return {
    text: `WITH ${tables}
      SELECT * FROM (SELECT false, NULL::BIGINT, NULL::BIGINT, ${[...measures, ...groupsOf((name) => name)].join(", ")} FROM g
        ORDER BY ${order} LIMIT ${bounded(limit) + 1})
      UNION ALL SELECT true, segment, "offset", ${[...measures, ...groupsOf((name) => `NULL AS ${name}`)].join(", ")} FROM t, applied`,
    values,
  };
}

const sumOf = (expression: string, condition?: string): string =>
  `coalesce(sum(${expression})${condition === undefined ? "" : ` FILTER (${condition})`}, 0)`;

export const callMeasures = [
  `count(*) FILTER (c.counts) AS calls`,
  `${sumOf(`c."cost"`)}::DECIMAL(38,12) AS "cost"`,
  `${sumOf("c.inputTokens")} AS inputTokens`,
  `${sumOf("c.outputTokens")} AS outputTokens`,
  `NULL::HUGEINT AS quantity`,
  ...flags.map((flag) => `count(*) FILTER (c.counts AND c."${flag}") AS "${flag}"`),
  `${sumOf(`c."cost"`, "WHERE NOT c.counts")}::DECIMAL(38,12) AS periodCost`,
  `count(*) FILTER (NOT c.counts AND c.unpriced) AS periodUnpriced`,
].join(", ");

const addedMeasures = [
  `${sumOf("calls")} AS calls`,
  `${sumOf(`"cost"`)}::DECIMAL(38,12) AS "cost"`,
  `${sumOf("inputTokens")} AS inputTokens`,
  `${sumOf("outputTokens")} AS outputTokens`,
  `NULL::HUGEINT AS quantity`,
  ...flags.map((flag) => `${sumOf(`"${flag}"`)} AS "${flag}"`),
  `${sumOf("periodCost")}::DECIMAL(38,12) AS periodCost`,
  `${sumOf("periodUnpriced")} AS periodUnpriced`,
].join(", ");

/** Grouped by class, a call is counted on the first line of the class; with classes mixed, calls are told apart by id. */
export function lineMeasures(grouped: boolean): string {
  const count = (condition: string): string =>
    grouped ? `count(*) FILTER (c.counts AND line."first" AND ${condition})` : `count(DISTINCT c.id) FILTER (${condition})`;
  return [
    `${count("true")} AS calls`,
    `${sumOf(`line."cost"`)}::DECIMAL(38,12) AS "cost"`,
    `${sumOf("line.quantity", `line."class" IN (${classesOf("input")})`)} AS inputTokens`,
    `${sumOf("line.quantity", `line."class" IN (${classesOf("output")})`)} AS outputTokens`,
    `${grouped ? "sum(line.quantity)" : "NULL::HUGEINT"} AS quantity`,
    `${count("line.unpriced")} AS unpriced`,
    ...flags.slice(1).map((flag) => `${count(`c."${flag}"`)} AS "${flag}"`),
    `${sumOf(`line."cost"`, "WHERE NOT c.counts")}::DECIMAL(38,12) AS periodCost`,
    `count(*) FILTER (NOT c.counts AND line.unpriced) AS periodUnpriced`,
  ].join(", ");
}

function classesOf(direction: "input" | "output"): string {
  return usageClassNames
    .filter((name) => isTokens(name, direction))
    .map((name) => `'${name}'`)
    .join(", ");
}

/**
 * The condition of a period and filters.
 * @throws PennyworthError `query_invalid` for an unknown field.
 */
export function where(sinceMs: number | null, untilMs: number | null, filters: readonly Filter[]): Sql {
  const conditions: string[] = [];
  const values: Value[] = [];
  if (sinceMs !== null) {
    conditions.push("c.startMs >= ?::BIGINT");
    values.push(whole(sinceMs));
  }
  if (untilMs !== null) {
    conditions.push("c.startMs < ?::BIGINT");
    values.push(whole(untilMs));
  }
  for (const filter of filters) {
    const field = expression(filter.field);
    values.push(...field.values);
    const not = filter.operator === "!=";
    if (filter.value === null) {
      conditions.push(`${field.text} IS ${not ? "NOT " : ""}NULL`);
      continue;
    }
    const value = stored(filter.field, filter.value);
    if (value === null) {
      conditions.push(not ? "true" : "false");
      continue;
    }
    conditions.push(`${field.text} ${not ? "IS DISTINCT FROM" : "="} ${value.text}`);
    values.push(...value.values);
  }
  return { text: conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`, values };
}

const plainFields = new Set<string>([...reportFields, "day", "hour"]);
const wholeNumbers = new Set<string>(["attempt", "httpStatus"]);

/** What a field reads. A tag's name comes from outside and is a parameter. */
function expression(field: ReportField): Sql {
  if (field === "class") return { text: `line."class"`, values: [] };
  if (field === "call") return { text: "c.id", values: [] };
  if (field.startsWith("tag.")) return { text: "c.tags[?::VARCHAR]", values: [field.slice("tag.".length)] };
  if (!plainFields.has(field)) throw new PennyworthError("query_invalid", { detail: `no field is called ${field}` });
  return { text: `c."${field}"`, values: [] };
}

/** A filter's text as the column has it; null: no row can have it. */
function stored(field: ReportField, text: string): Sql | null {
  if (field === "streamed") return text === "true" || text === "false" ? { text, values: [] } : null;
  const number = field === "hour" ? Date.parse(text) / hourMs : field === "day" ? Date.parse(text) / dayMs : Number(text);
  if (field === "hour" || field === "day" || wholeNumbers.has(field))
    return text !== "" && Number.isSafeInteger(number) && Math.abs(number) < 2 ** 31 ? { text: "?::INTEGER", values: [number] } : null;
  return { text: "?::VARCHAR", values: [text] };
}

/** Text of a group's value, as filters take it: `2026-11-21`, `2026-11-21T13:00:00Z`, `true`, `429`. */
export function groupText(field: ReportField, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (field === "day") return new Date(Number(value) * dayMs).toISOString().slice(0, 10);
  if (field === "hour") return `${new Date(Number(value) * hourMs).toISOString().slice(0, 19)}Z`;
  return String(value);
}

/** By time where there is time, then the dearest first; ties by the groups' values, so that the same question has the same answer. */
function orderOf(by: readonly ReportField[]): string {
  const terms = by.map((field, index) => ({ field, text: `g${index} ASC NULLS LAST` }));
  return [
    ...terms.filter((term) => isTime(term.field)).map((term) => term.text),
    `"cost" DESC`,
    `calls DESC`,
    ...terms.filter((term) => !isTime(term.field)).map((term) => term.text),
  ].join(", ");
}

/** @throws PennyworthError `query_invalid` when the limit is not a whole number from 1 to `rowsMax`. */
export function bounded(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= rowsMax) return limit;
  throw new PennyworthError("query_invalid", { detail: `the limit must be a whole number from 1 to ${rowsMax}` });
}

export function whole(ms: number): number {
  if (Number.isSafeInteger(ms)) return ms;
  throw new PennyworthError("query_invalid", { detail: "a time must be a whole number of milliseconds" });
}

function isSummed(field: ReportField): boolean {
  return (summedFields as readonly string[]).includes(field);
}

function isTime(field: ReportField): boolean {
  return field === "day" || field === "hour";
}

function isOfClass(filter: Filter): boolean {
  return filter.field === "class";
}
