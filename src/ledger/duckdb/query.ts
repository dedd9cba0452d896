// Reports as SQL. What is asked is taken from as few rows as hold it: kept sums, a cut by hours with the calls of the hours at both ends, or
// the calls themselves; with those under way and the period charges beside them. Not here: fields (field.ts), measures (measure.ts).
// Invariant: whichever way a question is answered, its answer is the same.

import { PennyworthError } from "../../error.ts";
import { hourMs } from "../projection.ts";
import type { Filter, ReportField, ReportQuery } from "../store.ts";
import { columnsOf, expression, isTime, isWholeHours, joinSql, type Sql, sqlOf, type Zone, where, whole } from "./field.ts";
import {
  addedMeasures,
  callColumns,
  callSums,
  cutSums,
  lineColumns,
  lineMeasures,
  measureNames,
  periodLineMeasures,
  periodMeasures,
  totalSums,
} from "./measure.ts";
import { type Cut, cutNames, cuts, sumColumns, summedFields } from "./schema.ts";
import { slicesOf } from "./slices.ts";

/** Most rows any one question gives back. */
export const rowsMax = 10_000;

/** Of a report that asks for latency: after the measures. */
export const latencyNames = ["durationMsP50", "durationMsP95", "firstTokenMsP50", "firstTokenMsP95"] as const;

/** What a part of a report is about. */
interface Asked {
  readonly by: readonly ReportField[];
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly zone: Zone;
  readonly search: string | undefined;
  /** Values of fields that are no time are those of the table `n`, or are the rest. */
  readonly told?: boolean;
  /** Only these values of the first field. */
  readonly among?: readonly string[];
}

/**
 * Rows of groups, and one of the total. A row more than the limit says that there are more.
 * @throws PennyworthError `query_invalid` for an unknown field.
 */
export function reportSql(query: ReportQuery): Sql {
  const { by, sinceMs, untilMs, filters, zone, search } = query;
  const asked: Asked = { by, sinceMs, untilMs, filters, zone, search };
  const [only] = by;
  const isBare = query.top === undefined && query.latency !== true && search === undefined;
  if (isBare && by.length === 1 && only === "call" && !filters.some(isOfClass)) return callReportSql(asked, query.limit);
  const isWhole = sinceMs === null && untilMs === null && filters.length === 0;
  if (isBare && by.length === 1 && only !== undefined && isWhole && isSummed(only)) return summedReportSql(only, query.limit);
  const byClass = by.includes("class");
  const many = query.top !== undefined && by.some(isManyValued);
  const names = [...namesOf(by), ...(many ? ["rest"] : [])];
  const grouped = sqlOf(
    `SELECT ${[...names, addedMeasures(byClass)].join(", ")} FROM (`,
    joinSql(partsOf(many ? { ...asked, told: true } : asked), " UNION ALL "),
    `) ${names.length === 0 ? "" : `GROUP BY ${names.join(", ")}`} HAVING sum(calls) > 0 OR bool_or(loose)`,
  );
  // A call has lines of several classes, so groups of lines overlap and the total is counted anew; all other groups add up to it.
  const total = byClass || filters.some(isOfClass) ? addedOf({ ...asked, by: [] }) : sqlOf(`SELECT ${totalSums} FROM g`);
  const tables = [sqlOf("g AS MATERIALIZED (", grouped, ")"), sqlOf("t AS (", total, ")")];
  if (query.latency === true) tables.push(sqlOf("l AS (", latencyOf(asked), ")"), sqlOf("lt AS (", latencyOf({ ...asked, by: [] }), ")"));
  if (query.top === undefined) return withTotal(tables, query, "g", false);
  const top = bounded(query.top);
  if (many) return withTotal([chosenOf(asked, top), ...tables], query, "g", true);
  return withTotal([...tables, ...topOf(by, top)], query, "k", true);
}

/** Whether few rows hold its answer: those of a cut by days, or of the smallest one. */
export function isSmall({ by, filters, zone, latency, search }: ReportQuery): boolean {
  if (latency === true || search !== undefined) return false;
  const cut = cutOf({ by, filters, zone });
  return cut === "mainHours" || (cut !== null && cut !== "hours" && !by.includes("hour"));
}

/** Groups `g0`, `g1` … with the measures of a report, all of them and in no order: for questions that go on reckoning with them. */
export function groupsSql(
  by: readonly ReportField[],
  sinceMs: number,
  untilMs: number,
  among?: readonly string[],
  filters: readonly Filter[] = [],
  zone?: Zone,
): Sql {
  const asked: Asked = { by, sinceMs, untilMs, filters, zone, search: undefined, ...(among === undefined ? {} : { among }) };
  const names = namesOf(by).join(", ");
  return sqlOf(
    `SELECT ${names}, ${addedMeasures(false)} FROM (`,
    joinSql(partsOf(asked), " UNION ALL "),
    `) GROUP BY ${names} HAVING sum(calls) > 0 OR bool_or(loose)`,
  );
}

/** Rows that are measured and grouped already, and add up to the answer. */
function partsOf(asked: Asked): Sql[] {
  const byLine = asked.by.includes("class") || asked.filters.some(isOfClass);
  const grouped = asked.by.includes("class");
  const measured = byLine ? lineMeasures(grouped) : callSums;
  const periods = partOf(asked, sourceOf("periods", asked, byLine), byLine ? periodLineMeasures(grouped) : periodMeasures, "count(*) > 0");
  const cut = cutOf(asked);
  const { sinceMs, untilMs } = asked;
  const from = sinceMs === null ? null : Math.ceil(whole(sinceMs) / hourMs) * hourMs;
  const to = untilMs === null ? null : Math.floor(whole(untilMs) / hourMs) * hourMs;
  if (cut === null || (from !== null && to !== null && from >= to)) {
    const tables = (["calls", "open"] as const).map((table) => partOf(asked, sourceOf(table, asked, byLine), measured, "false"));
    return [...tables, periods];
  }
  const rows = slicesOf(cut, asked, from === null ? null : from / hourMs, to === null ? null : to / hourMs);
  // The calls of the hours at both ends and those under way are few: as one part, what is measured of them is bound once.
  const edges: [number, number][] = [];
  if (sinceMs !== null && from !== null && sinceMs < from) edges.push([sinceMs, from]);
  if (untilMs !== null && to !== null && to < untilMs) edges.push([to, untilMs]);
  const named = namedOf(asked, byLine).join(", ");
  const near = [
    ...edges.map(([since, until]) => sqlOf(`SELECT ${named} FROM calls AS c `, where(since, until, []))),
    sqlOf(`SELECT ${named} FROM open AS c `, where(sinceMs, untilMs, [])),
  ];
  const anytime = { ...asked, sinceMs: null, untilMs: null };
  return [
    partOf(anytime, rows, cutSums, "false"),
    partOf(anytime, sqlOf("(", joinSql(near, " UNION ALL "), ") AS c"), measured, "false"),
    periods,
  ];
}

/** Calls as they are added up, in one row. */
function addedOf(asked: Asked): Sql {
  return sqlOf(`SELECT ${addedMeasures(false)} FROM (`, joinSql(partsOf(asked), " UNION ALL "), ")");
}

function partOf(asked: Asked, source: string | Sql, measured: string, loose: string): Sql {
  const { by, zone, search } = asked;
  const told = asked.told === true;
  const read = (field: ReportField, index: number): Sql =>
    told && !isTime(field) ? { text: `n.g${index}`, values: [] } : expression(field, zone);
  const groups = by.map((field, index) => sqlOf(read(field, index), ` AS g${index}, `));
  const [first] = by;
  const searched =
    search === undefined || first === undefined
      ? []
      : [sqlOf("contains(lower((", expression(first, zone), ")::VARCHAR), lower(", { text: "?::VARCHAR", values: [search] }, "))")];
  if (asked.among !== undefined && first !== undefined) {
    const values = { text: `?::VARCHAR, '["VARCHAR"]'`, values: [JSON.stringify(asked.among)] };
    searched.push(sqlOf(expression(first, zone), " IN (SELECT unnest(from_json(", values, ")))"));
  }
  const same = by.flatMap((field, index) => (isTime(field) ? [] : [sqlOf(expression(field, zone), ` IS NOT DISTINCT FROM n.g${index}`)]));
  const names = [...namesOf(by), ...(told ? ["rest"] : [])];
  return sqlOf(
    "SELECT ",
    ...groups,
    told ? "n.chosen IS NULL AS rest, " : "",
    `${measured}, ${loose} AS loose FROM `,
    source,
    " ",
    ...(told ? ["LEFT JOIN n ON ", joinSql(same, " AND "), " "] : []),
    where(asked.sinceMs, asked.untilMs, asked.filters, zone, searched),
    names.length === 0 ? "" : ` GROUP BY ${names.join(", ")}`,
  );
}

/** The dearest values of fields that have a great many, found before anything is summed by time. */
function chosenOf(asked: Asked, top: number): Sql {
  const others = asked.by.filter((field) => !isTime(field));
  const [only] = others;
  const isWhole = asked.sinceMs === null && asked.untilMs === null && asked.filters.length === 0 && asked.search === undefined;
  const known =
    others.length === 1 && only !== undefined && isWhole && isSummed(only)
      ? knownOf(only)
      : sqlOf("(", joinSql(partsOf({ ...asked, by: others }), " UNION ALL "), ")");
  const names = namesOf(others);
  const named = asked.by.flatMap((field, index) => (isTime(field) ? [] : [`g${others.indexOf(field)} AS g${index}`]));
  return sqlOf(
    `n AS MATERIALIZED (SELECT ${named.join(", ")}, true AS chosen FROM `,
    known,
    ` GROUP BY ${names.join(", ")} HAVING sum(calls) > 0 OR bool_or(loose)
      ORDER BY coalesce(sum("cost"), 0) DESC, sum(calls) DESC, ${names.map((name) => `${name} ASC NULLS LAST`).join(", ")} LIMIT ${top})`,
  );
}

/** Rows, or lines, of a table with the columns that are asked for alone: what is not named is not read. */
function sourceOf(table: "calls" | "open" | "periods", asked: Asked, byLine: boolean, more: readonly string[] = []): string {
  if (!byLine) return `${table} AS c`;
  return `(SELECT ${namedOf(asked, byLine, more).join(", ")} FROM ${table}) AS c`;
}

/** The columns of a row that are asked for, and what is measured; its lines, one for each. */
function namedOf({ by, filters, zone }: Pick<Asked, "by" | "filters" | "zone">, byLine: boolean, more: readonly string[] = []): string[] {
  const used = columnsOf([...by, ...filters.map((filter) => filter.field)], zone);
  const measured = byLine ? ["id", ...lineColumns] : callColumns;
  const names = [...new Set(["startMs", ...measured, ...used, ...more])].map((name) => `"${name}"`);
  return byLine ? [...names, "unnest(lines) AS line"] : names;
}

/** The smallest cut that knows all that is asked for; null: the calls themselves do. */
function cutOf({ by, filters, zone }: Pick<Asked, "by" | "filters" | "zone">): Cut | null {
  if (!isWholeHours(zone)) return null;
  const fields = [...by, ...filters.map((filter) => filter.field)];
  const lined = fields.includes("class");
  // With two conditions on class, or one that excludes, a call is in several groups: those are counted by id.
  const ofClass = filters.filter(isOfClass);
  if (ofClass.length > 1 || ofClass.some(({ operator }) => operator !== "=")) return null;
  const wanted = fields.filter((field) => !isTime(field));
  if (fields.includes("minute")) return null;
  const knows = (cut: Cut): boolean => wanted.every((field) => (cuts[cut] as readonly string[]).includes(field));
  return cutNames.find((cut) => (cut === "classHours") === lined && knows(cut)) ?? null;
}

function latencyOf(asked: Asked): Sql {
  const byLine = asked.by.includes("class") || asked.filters.some(isOfClass);
  const measured = [...quantilesOf("endMs"), ...quantilesOf("firstTokenMs")]
    .map((text, index) => `${text} AS "${latencyNames[index]}"`)
    .join(", ");
  return partOf(asked, sourceOf("calls", asked, byLine, ["endMs", "firstTokenMs"]), measured, "false");
}

function quantilesOf(column: string): string[] {
  return ["0.5", "0.95"].map((part) => `quantile_disc(c."${column}" - c.startMs, ${part})`);
}

/** Of the groups `g`, those of the dearest values, and what is left in one for each time. */
function topOf(by: readonly ReportField[], top: number): Sql[] {
  const names = namesOf(by);
  const others = names.filter((_, index) => !isTime(by[index] as ReportField));
  const times = names.filter((name) => !others.includes(name));
  const measures = measureNames.map((name) => `"${name}"`);
  const same = others.map((name) => `g.${name} IS NOT DISTINCT FROM n.${name}`).join(" AND ");
  const left = names.map((name) => (times.includes(name) ? name : `NULL AS ${name}`));
  return [
    sqlOf(`n AS MATERIALIZED (SELECT ${others.join(", ")} FROM g GROUP BY ${others.join(", ")}
      ORDER BY coalesce(sum("cost"), 0) DESC, sum(calls) DESC, ${others.map((name) => `${name} ASC NULLS LAST`).join(", ")} LIMIT ${top})`),
    sqlOf(`k AS (SELECT ${listOf([names, measures])}, false AS rest FROM g WHERE EXISTS (FROM n WHERE ${same}) UNION ALL
      SELECT ${listOf([left, [addedMeasures(by.includes("class"))]])}, true AS rest FROM g WHERE NOT EXISTS (FROM n WHERE ${same})
        ${times.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${times.join(", ")}`})`),
  ];
}

/** A report of single calls has nothing to add up: the dearest are picked by their cost alone before anything else of them is read. */
function callReportSql(asked: Asked, limit: number): Sql {
  const source = where(asked.sinceMs, asked.untilMs, asked.filters, asked.zone);
  const dearest = (table: string): Sql =>
    sqlOf(
      `SELECT c.id AS g0, ${callSums} FROM ${table} AS c WHERE c.rowid IN (SELECT c.rowid FROM ${table} AS c `,
      source,
      ` ORDER BY c."cost" DESC NULLS LAST, c.rowid LIMIT ${bounded(limit) + 1}) GROUP BY c.id`,
    );
  const total = addedOf({ ...asked, by: [] });
  // What belongs to no call is one group of its own, so that the groups add up to the total.
  const others = sqlOf(`SELECT NULL AS g0, ${periodMeasures} FROM periods AS c `, source, " HAVING count(*) > 0");
  const groups = joinSql([dearest("calls"), dearest("open"), others], " UNION ALL ");
  return withTotal([sqlOf("g AS (", groups, ")"), sqlOf("t AS (", total, ")")], { by: ["call"], limit }, "g", false);
}

/**
 * A report over all time by a field whose sums are kept: those, the calls under way and the period charges. With a million values, adding up all that is
 * said of each takes ten times as long as finding the dearest; so these are found first.
 */
function summedReportSql(field: ReportField, limit: number): Sql {
  const byClass = field === "class";
  const known = knownOf(field);
  const top = sqlOf(
    "SELECT g0 FROM ",
    known,
    ` GROUP BY g0 HAVING sum(calls) > 0 OR bool_or(loose)
    ORDER BY coalesce(sum("cost"), 0) DESC, sum(calls) DESC, g0 ASC NULLS LAST LIMIT ${bounded(limit) + 1}`,
  );
  const grouped = sqlOf(
    `SELECT known.g0, ${addedMeasures(byClass)} FROM `,
    known,
    " AS known JOIN top ON known.g0 IS NOT DISTINCT FROM top.g0 GROUP BY known.g0",
  );
  // A call has lines of several classes: its sums overlap, and the total is counted anew.
  const total = byClass ? addedOf({ ...everything, by: [] }) : sqlOf(`SELECT ${addedMeasures(false)} FROM `, known);
  const tables = [sqlOf("top AS MATERIALIZED (", top, ")"), sqlOf("g AS (", grouped, ")"), sqlOf("t AS (", total, ")")];
  return withTotal(tables, { by: [field], limit }, "g", false);
}

const everything: Asked = { by: [], sinceMs: null, untilMs: null, filters: [], zone: undefined, search: undefined };

/** Rows of all time for each value of a field whose sums are kept: several of one value add up. */
function knownOf(field: ReportField): Sql {
  const measures = measureNames.map((name) => `"${name}"`).join(", ");
  const byClass = field === "class";
  const asked: Asked = { ...everything, by: [field] };
  const loose = joinSql(
    [
      partOf(asked, sourceOf("open", asked, byClass), byClass ? lineMeasures(true) : callSums, "false"),
      partOf(asked, sourceOf("periods", asked, byClass), byClass ? periodLineMeasures(true) : periodMeasures, "count(*) > 0"),
    ],
    " UNION ALL ",
  );
  const alike = measureNames.map((name) => `"${name}"::${sumColumns[name]}`).join(", ");
  return sqlOf(
    `(SELECT "value" AS g0, ${measures}, false AS loose FROM sums WHERE field = '${field}' UNION ALL SELECT g0, ${alike}, loose FROM (`,
    loose,
    "))",
  );
}

/** @param table has the groups; where some of them are what is left of others, it says so in `rest`. */
function withTotal(
  tables: readonly Sql[],
  { by, limit, latency }: Pick<ReportQuery, "by" | "limit" | "latency">,
  table: string,
  hasRest: boolean,
): Sql {
  const names = namesOf(by);
  const measures = measureNames.map((name) => `"${name}"`);
  const quoted = latency === true ? latencyNames.map((name) => `"${name}"`) : [];
  const same = [...(hasRest ? ["NOT x.rest"] : ["true"]), ...names.map((name) => `x.${name} IS NOT DISTINCT FROM l.${name}`)];
  const joined = latency === true ? `LEFT JOIN l ON ${same.join(" AND ")}` : "";
  const rows = `SELECT ${hasRest ? "x.rest" : "false"} AS rest, ${listOf([measures, quoted, names.map((name) => `x.${name}`)])} FROM ${table} AS x ${joined}`;
  const given = listOf([measures, quoted, names]);
  const total = listOf([measures, quoted, names.map((name) => `NULL AS ${name}`)]);
  return sqlOf(
    "WITH ",
    joinSql(tables, ", "),
    ` SELECT * FROM (SELECT false, NULL::BIGINT, NULL::BIGINT, rest, ${given} FROM (${rows}) ORDER BY ${orderOf(by)} LIMIT ${bounded(limit) + 1})
      UNION ALL SELECT true, segment, "offset", false, ${total} FROM t, applied${latency === true ? ", lt" : ""}`,
  );
}

function listOf(parts: readonly (readonly string[])[]): string {
  return parts.flat().join(", ");
}

function namesOf(by: readonly ReportField[]): string[] {
  return by.map((_, index) => `g${index}`);
}

/** By time where there is time, then the dearest first, and what is left of them last; ties by the groups' values, so that the same question has the same answer. */
function orderOf(by: readonly ReportField[]): string {
  const terms = by.map((field, index) => ({ field, text: `g${index} ASC NULLS LAST` }));
  return [
    ...terms.filter((term) => isTime(term.field)).map((term) => term.text),
    `rest`,
    `coalesce("cost", 0) DESC`,
    `calls DESC`,
    ...terms.filter((term) => !isTime(term.field)).map((term) => term.text),
  ].join(", ");
}

/** @throws PennyworthError `query_invalid` when the limit is not a whole number from 1 to `rowsMax`. */
export function bounded(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= rowsMax) return limit;
  throw new PennyworthError("query_invalid", { detail: `the limit must be a whole number from 1 to ${rowsMax}` });
}

function isSummed(field: ReportField): boolean {
  return (summedFields as readonly string[]).includes(field);
}

/** Fields with so many values that their groups by time are not made before the dearest are known. */
const manyValued: ReadonlySet<ReportField> = new Set([...summedFields, "call"].filter((field) => field !== "class") as ReportField[]);

function isManyValued(field: ReportField): boolean {
  return manyValued.has(field);
}

function isOfClass(filter: Filter): boolean {
  return filter.field === "class";
}
