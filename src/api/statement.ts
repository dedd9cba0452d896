// The statement of a month: its sums by day, provider, model and class, in one text whose hash a closing keeps. Not here: closing a month.
// Invariant: the same report gives the same text, whatever the order of its rows.

import { createHash } from "node:crypto";
import { monthSpan } from "../core/month.ts";
import { dayMs } from "../core/time.ts";
import { PennyworthError } from "../error.ts";
import type { Store } from "../ledger/contract.ts";
import type { ReportRow } from "../ledger/store.ts";

export interface MonthStatement {
  readonly total: ReportRow;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** @throws PennyworthError `store_failed` where one day has more rows than a report gives. */
export async function readStatement(ledger: Pick<Store, "report">, month: string, rowsMax: number): Promise<MonthStatement> {
  const { fromMs, toMs } = monthSpan(month);
  const plain = { filters: [], limit: rowsMax };
  const by = ["day", "provider", "model", "class"] as const;
  const lines: string[] = [];
  const whole = await ledger.report({ ...plain, by, sinceMs: fromMs, untilMs: toMs });
  if (!whole.truncated) lines.push(...whole.rows.map((row) => lineOf(row.group, row)));
  // More rows than one report has are asked for day by day: the same lines.
  for (let sinceMs = fromMs; whole.truncated && sinceMs < toMs; sinceMs += dayMs) {
    const { rows, truncated } = await ledger.report({ ...plain, by, sinceMs, untilMs: sinceMs + dayMs });
    if (truncated)
      throw new PennyworthError("store_failed", { detail: `a day of ${month} has more than ${rowsMax} rows (limits.rowsMax)` });
    lines.push(...rows.map((row) => lineOf(row.group, row)));
  }
  const { total } = await ledger.report({ ...plain, by: [], sinceMs: fromMs, untilMs: toMs });
  lines.push(lineOf(["total"], total));
  return {
    total,
    hash: createHash("sha256")
      .update(`${month}\n${lines.toSorted().join("\n")}\n`)
      .digest("hex"),
  };
}

function lineOf(names: readonly (string | null)[], row: ReportRow): string {
  const { calls, cost, inputTokens, outputTokens, quantity, unpriced, unmetered, doubtful, presumed, failed, periodCost, periodUnpriced } =
    row;
  const counts = [calls, inputTokens, outputTokens, quantity, unpriced, unmetered, doubtful, presumed, failed, periodUnpriced];
  return JSON.stringify([...names, cost, periodCost, ...counts]);
}
