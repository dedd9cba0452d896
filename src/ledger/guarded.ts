// What the journal and the store have for the guard: its entries, read again at a start, and what was taken before a budget was there.
// Not here: what becomes of it (guard/). Invariant: an entry that could count for a budget is never passed over.

import type { Budget } from "../core/budget.ts";
import type { Entry, Opening, Position } from "../core/entry.ts";
import { parseUsd } from "../core/money.ts";
import { hourMs } from "../core/time.ts";
import { decodeEntry } from "./codec.ts";
import { readLines } from "./segments.ts";
import type { Store } from "./contract.ts";
import type { Filter, ReportField } from "./store.ts";

/** Of what the guard is told, what can come before the first budget. */
const spoken = /^\{"v":\d+,"kind":"(budget\.|refused|halted|resumed)/;
/** All that the guard is told. */
const told = /^\{"v":\d+,"kind":"(budget\.|refused|halted|resumed|presumed\.|start"|end"|observation"|outcome")/;

/** @param isBudgets whether no call can be under a budget yet: then calls are not read. */
export async function* readBudgetEntries(
  folder: string,
  after: Position | null,
  until: Position,
  isBudgets: () => boolean,
): AsyncGenerator<readonly Entry[]> {
  for await (const { texts, ends } of readLines(folder, after, until))
    for (const [index, text] of texts.entries())
      // One by one: what an entry says decides whether the next is read.
      if ((isBudgets() ? spoken : told).test(text)) yield [decodeEntry(text, ends[index] as Position)];
}

/** The most groups of one question. */
const groupsMax = 10_000;

/** What calls took that began in a span, by the values of a budget's `each` fields and by hour, at whose end they count. Of a task's tree nothing is known before it began. */
export async function takenBefore(store: Pick<Store, "report">, budget: Budget, fromMs: number, toMs: number): Promise<Opening[]> {
  const { scope, each, measure } = budget;
  if (scope.task !== undefined || each.includes("task")) return [];
  const filters = Object.entries(scope).flatMap(([field, value]): Filter[] =>
    value === null || value === undefined ? [] : [{ field: field as ReportField, operator: "=", value }],
  );
  const by: ReportField[] = ["hour", ...(each as readonly ReportField[])];
  const { rows } = await store.report({ by, sinceMs: fromMs, untilMs: toMs, filters, limit: groupsMax });
  return rows.flatMap(({ group, cost, inputTokens, outputTokens, calls }): Opening[] => {
    const [hour, ...values] = group;
    if (hour === null || hour === undefined || values.includes(null)) return [];
    const amount = measure === "money" ? parseUsd(cost) : BigInt(measure === "tokens" ? inputTokens + outputTokens : calls);
    return [{ values: values as string[], atMs: Math.max(fromMs, Math.min(hourOf(hour) + hourMs, toMs) - 1), amount }];
  });
}

function hourOf(text: string): number {
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? Number(text) : Math.floor(atMs / hourMs) * hourMs;
}
