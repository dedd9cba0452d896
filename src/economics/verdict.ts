// Go, no, or not enough data: the break-even probability against what is known of the success probability, and how many more tasks would settle it.
// Not here: words for people; a reason is a code with its numbers. Invariant: a small sample decides nothing that its interval does not decide.

import { type Interval, normalDeviate, wilson } from "./interval.ts";
import type { Pico } from "../core/money.ts";
import { type BreakEven, breakEven, chain, type Choice, perStep, probability, side, weigh } from "./worth.ts";

/** What is known of the success probability. */
export type Success =
  /** Somebody says so, or asks what if: taken at its word. */
  | { readonly kind: "said"; readonly p: number }
  | { readonly kind: "between"; readonly low: number; readonly high: number }
  /** Tasks whose outcome is known, and those that succeeded: a Wilson interval. 0.95 unless told. */
  | { readonly kind: "counted"; readonly successes: number; readonly tasks: number; readonly confidence?: number }
  | { readonly kind: "unknown" };

/** A success probability as far as it is known; `at` is the best guess, null where there is none. */
export interface Range extends Interval {
  readonly at: number | null;
}

export const reasons = [
  /** go: cheaper even if every task fails. */
  "always_cheaper",
  /** no: dearer, or no cheaper, even if every task succeeds. */
  "never_cheaper",
  /** go: the whole interval is at p* or above. */
  "above_break_even",
  /** no: the whole interval is below p*. */
  "below_break_even",
  /** no: a stated probability of p* exactly saves nothing. */
  "at_break_even",
  /** not enough data: p* lies within the interval. */
  "around_break_even",
  /** not enough data: no task has a known outcome. */
  "no_outcomes",
] as const;

export type Reason = (typeof reasons)[number];

export interface Verdict {
  readonly verdict: "go" | "no" | "not_enough_data";
  readonly reason: Reason;
  /** Of the whole chain, as is `success`. */
  readonly breakEven: BreakEven;
  /** null: nothing is known. */
  readonly success: Range | null;
  /** Saved per task at the ends and at the best guess, estimates; below zero: lost. null: nothing is known. */
  readonly savedPico: { readonly low: Pico; readonly at: Pico | null; readonly high: Pico } | null;
  /** How many more outcomes would settle it; null: it is settled, or no number of them would. */
  readonly moreTasks: {
    /** If tasks go on succeeding as they did; null: nobody knows how they do, or they do as at break-even. */
    readonly likely: number | null;
    /** If from here on all succeed, or all fail, whichever settles it sooner. */
    readonly least: number;
  } | null;
}

/**
 * @param steps where a task is a chain of so many steps that must all succeed: `success` is then that of one step.
 * @throws RangeError that names the field, for impossible probabilities and counts.
 */
export function judge(choice: Choice, success: Success, steps = 1): Verdict {
  const even = breakEven(choice);
  const step = toRange(success);
  const range =
    step === null
      ? null
      : { low: chain(step.low, steps), at: step.at === null ? null : chain(step.at, steps), high: chain(step.high, steps) };
  const saved = (p: number): Pico => weigh(choice, p).savedPico;
  const { verdict, reason } = decide(choice, even, range);
  return {
    verdict,
    reason,
    breakEven: even,
    success: range,
    savedPico: range === null ? null : { low: saved(range.low), at: range.at === null ? null : saved(range.at), high: saved(range.high) },
    moreTasks: verdict === "not_enough_data" && even.p !== null ? moreTasks(success, perStep(even.p, steps)) : null,
  };
}

/** @throws RangeError for impossible probabilities and counts. */
export function toRange(success: Success): Range | null {
  switch (success.kind) {
    case "said":
      probability("p", success.p);
      return { low: success.p, at: success.p, high: success.p };
    case "between": {
      const { low, high } = success;
      probability("low", low);
      probability("high", high);
      if (low > high) throw new RangeError(`low must not be above high, and ${low} is above ${high}`);
      return { low, at: null, high };
    }
    case "counted": {
      const { successes, tasks, confidence } = success;
      if (!Number.isSafeInteger(tasks) || tasks < 0) throw new RangeError(`tasks must be a whole number, zero or more: ${tasks}`);
      if (!Number.isSafeInteger(successes) || successes < 0 || successes > tasks)
        throw new RangeError(`successes must be a whole number from 0 to the tasks, which are ${tasks}: ${successes}`);
      return tasks === 0 ? null : { ...wilson(successes, tasks, confidence), at: successes / tasks };
    }
    case "unknown":
      return null;
  }
}

function decide(choice: Choice, even: BreakEven, range: Range | null): Pick<Verdict, "verdict" | "reason"> {
  if (even.kind === "never") return { verdict: "no", reason: "never_cheaper" };
  if (range !== null && range.low === range.high && side(choice, range.low) === 0) return { verdict: "no", reason: "at_break_even" };
  if (even.kind === "always") return { verdict: "go", reason: "always_cheaper" };
  if (range === null) return { verdict: "not_enough_data", reason: "no_outcomes" };
  if (side(choice, range.low) >= 0) return { verdict: "go", reason: "above_break_even" };
  if (side(choice, range.high) < 0) return { verdict: "no", reason: "below_break_even" };
  return { verdict: "not_enough_data", reason: "around_break_even" };
}

/**
 * Wilson's interval holds exactly the p with |p̂ − p| ≤ z·√(p(1−p)/n), so it leaves p* out once n > z²·p*(1−p*)/(p̂ − p*)².
 * @param even p*, above 0 and below 1.
 */
function moreTasks(success: Success, even: number): Verdict["moreTasks"] {
  if (success.kind !== "counted" && success.kind !== "unknown") return null;
  const { successes, tasks, confidence } = success.kind === "counted" ? success : { successes: 0, tasks: 0, confidence: undefined };
  const square = normalDeviate(confidence ?? 0.95) ** 2;
  const distance = tasks === 0 ? 0 : successes / tasks - even;
  const needed = Math.floor((square * even * (1 - even)) / distance ** 2) + 1;
  return {
    likely: Number.isSafeInteger(needed) ? Math.max(1, needed - tasks) : null,
    least: Math.min(leastAbove(successes, tasks, even, square), leastAbove(tasks - successes, tasks, 1 - even, square)),
  };
}

/** The fewest further tasks, all of them hits, after which Wilson's interval lies above `even`: (s + m − n'·p*)² > z²·n'·p*(1−p*), n' = n + m. */
function leastAbove(hits: number, tasks: number, even: number, square: number): number {
  const isAbove = (more: number): boolean => {
    const gap = hits + more - (tasks + more) * even;
    return gap > 0 && gap ** 2 > square * (tasks + more) * even * (1 - even);
  };
  let high = 1;
  while (!isAbove(high) && high < Number.MAX_SAFE_INTEGER / 4) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return high;
}
