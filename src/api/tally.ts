// What the ledger has to set beside a statement: sums by day, model, class, tier and source of quantities. Not here: comparing them (core/reconcile.ts).
// Invariant: all of the span is in it, or an error says that it is not.

import { parseUsd, toPico } from "../core/money.ts";
import type { LedgerLine } from "../core/statement.ts";
import { dayMs } from "../core/time.ts";
import { isUsageClass } from "../core/usage.ts";
import type { ReportRow } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import { invalid } from "./query.ts";

const by = ["day", "model", "class", "tier", "source", "unpriced"] as const;

/** Calls of a provider that began in the days from `fromMs` to `toMs`, and its period charges. @throws PennyworthError `query_invalid`. */
export async function ledgerLines(context: ApiContext, provider: string, fromMs: number, toMs: number): Promise<LedgerLine[]> {
  if (fromMs >= toMs) return [];
  const filters = [{ field: "provider", value: provider, operator: "=" }] as const;
  const found = await context.ledger.report({ by, sinceMs: fromMs, untilMs: toMs, filters, limit: context.rowsMax });
  if (!found.truncated) return found.rows.map(toLine);
  // More than one answer holds: half of the days at a time.
  const days = Math.round((toMs - fromMs) / dayMs);
  if (days <= 1) throw invalid(`one day of ${provider} has more than ${context.rowsMax} kinds of usage (limits.rowsMax)`);
  const middleMs = fromMs + Math.floor(days / 2) * dayMs;
  return [...(await ledgerLines(context, provider, fromMs, middleMs)), ...(await ledgerLines(context, provider, middleMs, toMs))];
}

function toLine({ group, calls, cost, quantity, unpriced, unmetered }: ReportRow): LedgerLine {
  const [day = null, model = null, name = null, tier = null, source = null] = group;
  const costPico = parseUsd(cost);
  return {
    dayMs: Date.parse(`${day}T00:00Z`),
    model,
    class: name !== null && isUsageClass(name) ? name : null,
    tier,
    source: source as LedgerLine["source"],
    quantity: quantity ?? 0,
    costPico: toPico(costPico),
    calls,
    // Groups are told apart by whether the call has something unpriced, so a class without a cost is unpriced in all of them.
    unpriced: unpriced > 0 && costPico === 0n ? (quantity ?? 0) : 0,
    unmetered: name === null ? unmetered : 0,
  };
}
