// Rows of reports added up to one. Not here: which rows belong together. Invariant: money is added exactly, and what is added was counted once.

import { formatUsd, parseUsd, sum } from "../core/money.ts";
import type { ReportRow } from "./store.ts";

/** One row of a group from rows that have no call in common; without any, a row of nothing. Quantities are of different classes, and not added. */
export function addRows(group: ReportRow["group"], rows: readonly ReportRow[]): ReportRow {
  const money = (name: "cost" | "periodCost"): string => formatUsd(sum(rows.map((row) => parseUsd(row[name]))));
  const count = (name: (typeof counts)[number]): number => rows.reduce((total, row) => total + row[name], 0);
  const added = Object.fromEntries(counts.map((name) => [name, count(name)])) as Record<(typeof counts)[number], number>;
  return { group, ...added, cost: money("cost"), quantity: null, periodCost: money("periodCost") };
}

const counts = [
  "calls",
  "inputTokens",
  "outputTokens",
  "unpriced",
  "unmetered",
  "doubtful",
  "presumed",
  "failed",
  "periodUnpriced",
] as const;
