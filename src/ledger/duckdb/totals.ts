// Sums of several spans as one statement: planning one for each takes longer than adding. Not here: groups, filters (query.ts). Invariant: the
// sums of a span are the total of its report. Time is cut where any span begins or ends; each piece is read once, and added to the spans it is in.

import type { DuckDBValue } from "@duckdb/node-api";
import { PennyworthError } from "../../error.ts";
import { hourMs } from "../projection.ts";
import { addRows } from "../rows.ts";
import type { ReportRow, Span, Totals } from "../store.ts";
import { toReportRow } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { joinSql, type Sql, sqlOf, whole } from "./field.ts";
import { callColumns, callSums, cutSums, periodMeasures } from "./measure.ts";

/** Most spans of one question. */
const spansMax = 100;

/** From inclusive, to exclusive; never empty. */
type Range = readonly [from: number, to: number];

/** What rows are read: whole hours from the cut (in hours), calls of the hours at the ends, calls under way and period charges (in ms). */
const sources = ["hours", "calls", "open", "periods"] as const;
type Source = (typeof sources)[number];

/** @throws PennyworthError `query_invalid` for too many spans, or times that are no whole ms. */
export function totalsSql(spans: readonly Span[]): Sql {
  if (spans.length > spansMax) throw new PennyworthError("query_invalid", { detail: `sums are taken of at most ${spansMax} spans` });
  const runs = (source: Source) => runsOf(spans.flatMap((span) => rangesOf(source, span)));
  const named = callColumns.map((name) => `"${name}"`).join(", ");
  const parts = runs("hours").map((run) => partOf("hours", run, cutSums, readOf("hours", run, `"hour"`, "*")));
  const calls = (["calls", "open"] as const).flatMap((source) => runs(source).map((run) => readOf(source, run, "startMs", named)));
  if (calls.length > 0) parts.push(`SELECT source, low, ${callSums} FROM (${calls.join(" UNION ALL ")}) AS c GROUP BY source, low`);
  for (const run of runs("periods"))
    parts.push(partOf("periods", run, periodMeasures, readOf("periods", run, "startMs", `"cost", unpriced`)));
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
  const [from, to] = [Math.ceil(since / hourMs), Math.floor(until / hourMs)];
  const hasHours = from < to;
  const ranges: Record<Source, Range[]> = {
    hours: [[from, to]],
    calls: hasHours
      ? [
          [since, from * hourMs],
          [to * hourMs, until],
        ]
      : [[since, until]],
    open: [[since, until]],
    periods: [[since, until]],
  };
  return ranges[source].filter(([low, high]) => low < high);
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

/** Measured by piece; a run of one piece has nothing to group by, which takes half as long. */
function partOf(source: Source, run: readonly number[], measured: string, rows: string): string {
  if (run.length > 2) return `SELECT source, low, ${measured} FROM (${rows}) AS c GROUP BY source, low`;
  return `SELECT '${source}' AS source, ${run[0]}::BIGINT AS low, ${measured} FROM (${rows}) AS c`;
}
