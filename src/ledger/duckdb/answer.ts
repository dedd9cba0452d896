// Rows that DuckDB gives back, as answers: calls in a list and lines of a report. Not here: what is asked (query.ts).
// Invariant: money comes as a decimal of twelve places and leaves as exact text; it is never a float in between.

import { DuckDBDecimalValue, type DuckDBValue } from "@duckdb/node-api";
import { type Attribution, attributionFields } from "../../core/call.ts";
import { formatUsd } from "../../core/money.ts";
import { isUsageClass } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import type { CallSummary, Latency, Report, ReportQuery, ReportRow } from "../store.ts";
import { toPosition } from "./evidence.ts";
import { groupText } from "./field.ts";
import { measureNames } from "./measure.ts";
import { latencyNames } from "./query.ts";

export const summaryColumns = [
  "id",
  "startMs",
  "endMs",
  "provider",
  "modelAsked",
  "model",
  "status",
  "httpStatus",
  "inputTokens",
  "outputTokens",
  "cost",
  "doubtful",
  "lines",
  "tags",
  ...attributionFields,
] as const;

export function toSummary(row: readonly DuckDBValue[]): CallSummary {
  const value = (name: (typeof summaryColumns)[number]): DuckDBValue => row[summaryColumns.indexOf(name)] ?? null;
  const text = (name: (typeof summaryColumns)[number]): string | null => (value(name) === null ? null : String(value(name)));
  const number = (name: (typeof summaryColumns)[number]): number | null => (value(name) === null ? null : Number(value(name)));
  const said = Object.fromEntries(attributionFields.map((name) => [name, text(name)])) as Omit<Attribution, "tags">;
  return {
    id: String(value("id")),
    startMs: Number(value("startMs")),
    endMs: number("endMs"),
    provider: String(value("provider")),
    modelAsked: text("modelAsked"),
    model: text("model"),
    status: String(value("status")) as CallSummary["status"],
    httpStatus: number("httpStatus"),
    inputTokens: Number(value("inputTokens")),
    outputTokens: Number(value("outputTokens")),
    cost: toUsd(value("cost")),
    unpriced: unpricedOf(value("lines")),
    doubtful: value("doubtful") === true,
    attribution: { ...said, tags: tagsOf(value("tags")) },
  };
}

interface Entries {
  readonly entries: readonly { readonly key: DuckDBValue; readonly value: DuckDBValue }[];
}

function tagsOf(value: DuckDBValue): Record<string, string> {
  if (value === null) return {};
  // defineProperty by fromEntries: a tag called __proto__ is a tag.
  return Object.fromEntries((value as unknown as Entries).entries.map((entry) => [String(entry.key), String(entry.value)]));
}

function unpricedOf(value: DuckDBValue): CallSummary["unpriced"] {
  if (value === null) return [];
  const lines = (value as unknown as { readonly items: readonly { readonly entries: Readonly<Record<string, DuckDBValue>> }[] }).items;
  return lines
    .filter((line) => line.entries["unpriced"] === true)
    .map((line) => String(line.entries["class"]))
    .filter(isUsageClass);
}

/** The rows of a report and the one of its total, as query.ts asks for them. */
export function toReport(asked: readonly (readonly DuckDBValue[])[], query: ReportQuery): Report {
  const rows: ReportRow[] = [];
  let total: Pick<Report, "total" | "position"> | null = null;
  const hasLatency = query.latency === true;
  for (const [isTotal, segment, offset, rest, ...values] of asked) {
    const quantiles = values.slice(measureNames.length, measureNames.length + (hasLatency ? latencyNames.length : 0));
    const groups = values.slice(measureNames.length + quantiles.length);
    const read = toReportRow(
      isTotal === true ? query.by.map(() => null) : query.by.map((field, index) => groupText(field, groups[index], query.zone)),
      values,
      isTotal !== true && query.by.includes("class"),
    );
    const told = rest === true ? { ...read, rest } : hasLatency ? { ...read, latency: toLatency(quantiles) } : read;
    if (isTotal === true) total = { total: told, position: toPosition(segment, offset) };
    else rows.push(told);
  }
  if (total === null) throw new PennyworthError("store_failed", { detail: "a report came without its total" });
  return { by: query.by, rows: rows.slice(0, query.limit), ...total, truncated: rows.length > query.limit };
}

export function toReportRow(group: readonly (string | null)[], values: readonly DuckDBValue[], hasQuantity: boolean): ReportRow {
  const value = (name: (typeof measureNames)[number]): DuckDBValue => values[measureNames.indexOf(name)] ?? null;
  const count = (name: (typeof measureNames)[number]): number => Number(value(name) ?? 0);
  return {
    group,
    calls: count("calls"),
    cost: toUsd(value("cost")),
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    quantity: hasQuantity && value("quantity") !== null ? count("quantity") : null,
    unpriced: count("unpriced"),
    unmetered: count("unmetered"),
    doubtful: count("doubtful"),
    presumed: count("presumed"),
    failed: count("failed"),
    periodCost: toUsd(value("periodCost")),
    periodUnpriced: count("periodUnpriced"),
  };
}

/** Quantiles in the order they are selected in. */
export function toLatency(values: readonly DuckDBValue[]): Latency {
  const [a, b, c, d] = values.map((value) => (value === null ? null : Number(value)));
  return { durationMsP50: a ?? null, durationMsP95: b ?? null, firstTokenMsP50: c ?? null, firstTokenMsP95: d ?? null };
}

/** A DECIMAL with twelve decimals is picodollars inside. */
export function toUsd(value: DuckDBValue): string {
  if (value === null) return "0";
  if (!(value instanceof DuckDBDecimalValue) || value.scale !== 12)
    throw new PennyworthError("store_failed", { detail: "an amount came as something else than a decimal" });
  return formatUsd(value.value);
}

/** What is NULL, or no column of the row, was not said. */
export function textOf(value: DuckDBValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** What a DECIMAL holds, without its point. */
export function decimal(value: DuckDBValue): bigint | null {
  if (value === null) return null;
  if (value instanceof DuckDBDecimalValue) return value.value;
  throw new PennyworthError("store_failed", { detail: "an amount came as something else than a decimal" });
}
