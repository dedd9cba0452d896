// Allowances as alerts look at them. Not here: what is worth telling (alerts/). The windows are the whole of what counts.

import { allowanceOf, sumsOf } from "../core/account.ts";
import type { Measure } from "../core/budget.ts";
import type { GuardBook } from "../core/guard.ts";

/** As alerts/alert.ts wants it. */
export interface ToldStanding {
  readonly budget: string;
  readonly values: readonly string[];
  readonly owner: string;
  readonly allowance: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly presumed: bigint;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rolling: boolean;
  readonly measure: Measure;
  readonly alerts: readonly number[];
}

/** All of which somebody wants to be told. */
export function* toAlertStandings(book: GuardBook, nowMs: number): Generator<ToldStanding> {
  for (const { id, alerts, owner, measure, period } of book.budgets()) {
    if (alerts.length === 0) continue;
    for (const account of book.accounts(id, nowMs)) {
      const { current, earlier, values } = account;
      const { granted: _, ...sums } = sumsOf(account);
      // What counts in a rolling one is as old as its whole length, whether or not anything was then.
      const isRolling = period.kind === "rolling";
      const fromMs = isRolling ? nowMs - period.buckets * period.bucketMs : (earlier[0] ?? current).span.fromMs;
      const toMs = isRolling ? nowMs : current.span.toMs;
      yield {
        budget: id,
        values,
        owner,
        allowance: allowanceOf(account),
        ...sums,
        fromMs,
        toMs,
        rolling: isRolling,
        measure,
        alerts,
      };
    }
  }
}
