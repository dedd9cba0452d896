// What a report draws beside its numbers: for each row a bar of its share, and how its cost went over the span. Costs become floating point
// here, for geometry alone: every number that is printed comes from elsewhere. Invariant: without all of the data, nothing is drawn.

import type { z } from "zod";
import type { report } from "../api/schema.ts";
import { dayMs, hourMs } from "../core/time.ts";
import { bar, bin, sparks } from "./draw.ts";
import type { Column } from "./table.ts";

type Report = z.infer<typeof report>;
type Row = Report["rows"][number];

/** Asks for the same calls, grouped otherwise. */
export type Again = (by: string, limit: string) => Promise<Report>;

export interface Trend {
  /** Columns that come after the numbers. */
  readonly columns: readonly Column[];
  cells(row: Row | null): readonly string[];
}

/** Fields that are times already. */
const times = new Set(["minute", "hour", "day", "week", "month"]);
const fieldsMax = 6;
const rowsMax = "10000";
const barWidth = 12;
const sparksMax = 24;

/**
 * @param width columns of the terminal that are left for it.
 * @param paint for what is drawn.
 */
export async function drawTrend(
  found: Report,
  nowMs: number,
  width: number,
  paint: (text: string) => string,
  again: Again,
): Promise<Trend> {
  const most = Math.max(0, ...found.rows.map(toNumber));
  const total = toNumber(found.total);
  const parts: { readonly column: Column; cell(row: Row | null): string }[] = [];
  if (found.by.length > 0 && total > 0 && width >= barWidth + 2)
    parts.push({
      column: { head: "", paint },
      cell: (row) => (row === null ? "" : bar(most === 0 ? 0 : toNumber(row) / most, barWidth).trimEnd()),
    });
  const left = width - (parts.length === 0 ? 0 : barWidth + 2) - 2;
  const isTimed = found.by.some((field) => times.has(field));
  if (!isTimed && found.by.length < fieldsMax && total > 0 && left >= 8) {
    const lines = await readLines(found, nowMs, Math.min(sparksMax, left), again);
    if (lines !== null) parts.push({ column: { head: lines.head, paint }, cell: (row) => sparks(lines.of(row)) });
  }
  return { columns: parts.map(({ column }) => column), cells: (row) => parts.map((part) => part.cell(row)) };
}

interface Lines {
  readonly head: string;
  /** Values over time; of null: of all rows. */
  of(row: Row | null): readonly number[];
}

/** Costs over time by row; null where there are more of them than one answer holds. */
async function readLines(found: Report, nowMs: number, width: number, again: Again): Promise<Lines | null> {
  const isShort = found.sinceMs !== null && (found.untilMs ?? nowMs) - found.sinceMs <= 3 * dayMs;
  const unit = isShort ? "hour" : "day";
  const unitMs = isShort ? hourMs : dayMs;
  const { rows, truncated } = await again([...found.by, unit].join(","), rowsMax);
  const points = rows.map((row) => ({ name: nameOf(row, found.by), atMs: toMs(row.group[unit] ?? ""), value: toNumber(row) }));
  if (truncated || points.length === 0 || points.some(({ atMs }) => Number.isNaN(atMs))) return null;
  const fromMs = Math.min(...points.map(({ atMs }) => atMs));
  const toEndMs = Math.max(...points.map(({ atMs }) => atMs)) + unitMs;
  const spans = Math.round((toEndMs - fromMs) / unitMs);
  // As many spans in each character: a last one that is half as long would look like a fall.
  const count = Math.ceil(spans / Math.ceil(spans / width));
  const endMs = fromMs + count * Math.ceil(spans / width) * unitMs;
  const byName = group(points);
  return {
    head: `${label(fromMs, isShort)} – ${label(toEndMs - unitMs, isShort)}`,
    of: (row) => bin(row === null ? points : (byName.get(nameOf(row, found.by)) ?? []), fromMs, endMs, count),
  };
}

function group<Point extends { readonly name: string }>(points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const known = groups.get(point.name);
    if (known === undefined) groups.set(point.name, [point]);
    else known.push(point);
  }
  return groups;
}

function nameOf({ group: values }: Row, by: readonly string[]): string {
  return JSON.stringify(by.map((field) => values[field] ?? null));
}

function toNumber({ cost }: Row): number {
  return Number(cost);
}

/** Of a day or an hour as a report names them, UTC. */
function toMs(text: string): number {
  return Date.parse(/T\d{2}$/.test(text) ? `${text}:00Z` : text);
}

function label(ms: number, isHour: boolean): string {
  const text = new Date(ms).toISOString();
  return isHour ? `${text.slice(5, 10)} ${text.slice(11, 13)}h` : text.slice(5, 10);
}
