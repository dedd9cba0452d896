// Sums of several spans as one statement: planning one for each takes longer than adding. Not here: groups, filters (query.ts). Invariant: the
// sums of a span are the total of its report. Whole days and hours are summed each by itself, what is left of time where any span begins or ends;
// each piece is read once, and added to the spans it is in.

import type { DuckDBValue } from "@duckdb/node-api";
import { PennyworthError } from "../../error.ts";
import { dayMs, hourMs } from "../projection.ts";
import { addRows } from "../rows.ts";
import type { ReportRow, Span, Totals } from "../store.ts";
import { toReportRow } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { joinSql, type Sql, sqlOf, whole } from "./field.ts";
import { callColumns, callSums, cutSums, periodMeasures } from "./measure.ts";
import { cutColumns } from "./schema.ts";

/** Most spans of one question. */
const spansMax = 100;

/** From inclusive, to exclusive. */
type Range = readonly [from: number, to: number];

/** What rows are read: whole days and hours from the cut (in days and hours), calls of the hours at the ends, calls under way and period charges (in ms). */
const sources = ["mainDays", "mainHours", "calls", "open", "periods"] as const;
type Source = (typeof sources)[number];
/** Each is a piece by itself. */
const units = { mainDays: "day", mainHours: "hour" } as const;
const cutNamed = Object.keys(cutColumns)
  .map((name) => `"${name}"`)
  .join(", ");

/** @throws PennyworthError `query_invalid` for too many spans, or times that are no whole ms. */
export function totalsSql(spans: readonly Span[]): Sql {
  if (spans.length > spansMax) throw new PennyworthError("query_invalid", { detail: `sums are taken of at most ${spansMax} spans` });
  const runs = (source: Source) => runsOf(spans.flatMap((span) => rangesOf(source, span)));
  const named = callColumns.map((name) => `"${name}"`).join(", ");
  const parts = (["mainDays", "mainHours"] as const).flatMap((source) => {
    const unit = `"${units[source]}"`;
    const rows = runs(source).map(
      (run) => `SELECT ${unit}, ${cutNamed} FROM ${source} WHERE ${unit} >= ${run[0]} AND ${unit} < ${run.at(-1)}`,
    );
    if (rows.length === 0) return [];
    return [`SELECT '${source}' AS source, ${unit}::BIGINT AS low, ${cutSums} FROM (${rows.join(" UNION ALL ")}) AS c GROUP BY low`];
  });
  const calls = (["calls", "open"] as const).flatMap((source) => runs(source).map((run) => readOf(source, run, "startMs", named)));
  if (calls.length > 0) parts.push(`SELECT source, low, ${callSums} FROM (${calls.join(" UNION ALL ")}) AS c GROUP BY source, low`);
  const periods = runs("periods").map((run) => readOf("periods", run, "startMs", `"cost", unpriced`));
  if (periods.length > 0)
    parts.push(`SELECT source, low, ${periodMeasures} FROM (${periods.join(" UNION ALL ")}) AS c GROUP BY source, low`);
  if (parts.length === 0) return sqlOf(`SELECT segment, "offset", NULL FROM applied`);
  const all = joinSql(
    parts.map((text) => ({ text, values: [] })),
    " UNION ALL ",
  );
  return sqlOf(`SELECT applied.segment, applied."offset", p.* FROM applied LEFT JOIN (`, all, ") AS p ON true");
}

/** @param rows that DuckDB gave back for these spans. */
export function toTotals(rows: readonly (readonly DuckDBValue[])[], spans: readonly Span[]): Totals {
  const read = rows.flatMap(([, , source, low, ...values]) =>
    source === null || low === null ? [] : [{ source: String(source), low: Number(low), row: toReportRow([], values, false) }],
  );
  const of = (span: Span): ReportRow => {
    const ranges = sources.map((source) => [source, rangesOf(source, span)] as const);
    const isIn = (source: string, low: number): boolean =>
      ranges.some(([name, list]) => name === source && list.some(([from, to]) => low >= from && low < to));
    return addRows(
      [],
      read.flatMap(({ source, low, row }) => (isIn(source, low) ? [row] : [])),
    );
  };
  const [first = []] = rows;
  return { totals: spans.map(of), position: toPosition(first[0], first[1]) };
}

/** Where a source has what belongs to a span: never two sources the same call. */
function rangesOf(source: Source, { sinceMs, untilMs }: Span): Range[] {
  const [since, until] = [whole(sinceMs), whole(untilMs)];
  const days = within([since, until], dayMs);
  const hours = within([since, until], hourMs);
  const ranges: Record<Source, readonly Range[]> = {
    mainDays: [days],
    mainHours: around(hours, days, 24),
    calls: around([since, until], hours, hourMs),
    open: [[since, until]],
    periods: [[since, until]],
  };
  return ranges[source].filter(([low, high]) => low < high);
}

/** The whole units in a range, in that unit. */
function within([low, high]: Range, unit: number): Range {
  return [Math.ceil(low / unit), Math.floor(high / unit)];
}

/** What of a range is not in one of greater units inside it; `unit` is how many of its own each has. */
function around([low, high]: Range, [from, to]: Range, unit: number): readonly Range[] {
  return from < to
    ? [
        [low, from * unit],
        [to * unit, high],
      ]
    : [[low, high]];
}

/** Bounds of pieces that follow each other without a gap: a piece more has a bound more. */
function runsOf(ranges: readonly Range[]): number[][] {
  const bounds = [...new Set(ranges.flat())].toSorted((a, b) => a - b);
  const runs: number[][] = [];
  for (const [index, low] of bounds.entries()) {
    const high = bounds[index + 1];
    if (high === undefined || !ranges.some(([from, to]) => from <= low && high <= to)) continue;
    const last = runs.at(-1);
    if (last?.at(-1) === low) last.push(high);
    else runs.push([low, high]);
  }
  return runs;
}

/** The rows of a run, each with where its piece begins. */
function readOf(source: Source, run: readonly number[], column: string, named: string): string {
  const pieces = run.slice(0, -1);
  const cases = pieces.slice(0, -1).map((low, index) => `WHEN ${column} < ${run[index + 1]} THEN ${low}`);
  const last = `${pieces.at(-1)}::BIGINT`;
  const low = cases.length === 0 ? last : `CASE ${cases.join(" ")} ELSE ${last} END`;
  return `SELECT '${source}' AS source, ${low} AS low, ${named} FROM ${source} WHERE ${column} >= ${run[0]} AND ${column} < ${run.at(-1)}`;
}
