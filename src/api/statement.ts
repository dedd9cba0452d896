// The statement of a month: its sums by day, provider, model and class, in one text whose hash a closing keeps. Not here: closing a month.
// Invariant: the same report gives the same text, whatever the order of its rows.

import { createHash } from "node:crypto";
import { monthSpan } from "../core/month.ts";
import type { ReportRow, Store } from "../ledger/store.ts";

const dayMs = 86_400_000;

export interface MonthStatement {
  readonly total: ReportRow;
  /** SHA-256, hex. */
  readonly hash: string;
}

export async function readStatement(ledger: Pick<Store, "report">, month: string, rowsMax: number): Promise<MonthStatement> {
  const { fromMs, toMs } = monthSpan(month);
  const lines: string[] = [];
  const plain = { filters: [], limit: rowsMax };
  for (let sinceMs = fromMs; sinceMs < toMs; sinceMs += dayMs) {
    const day = new Date(sinceMs).toISOString().slice(0, 10);
    const { rows, total } = await ledger.report({ ...plain, by: ["provider", "model", "class"], sinceMs, untilMs: sinceMs + dayMs });
    for (const row of rows) lines.push(lineOf([day, ...row.group], row));
    if (rows.length > 0) lines.push(lineOf([day, "total"], total));
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
