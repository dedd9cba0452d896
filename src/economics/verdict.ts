// Go, no, or not enough data: the break-even probability against what is known of the success probability, and how many more tasks would settle it.
// Not here: words for people; a reason is a code with its numbers. Invariant: a sample decides nothing that its interval does not decide, of success,
// of what a run costs or of how long it is checked: go holds at the worst corner of all of them, no at the best; and none that tasks of which nobody
// said how they ended could turn.

import { type Interval, normalDeviate, wilson } from "./interval.ts";
import type { Pico } from "../core/money.ts";
import type { Span } from "./sampled.ts";
import { rateEnds } from "./success.ts";
import { type BreakEven, breakEven, chain, type Choice, labourPico, perStep, probability, side, weigh } from "./worth.ts";

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
  /** go: the whole interval is at p* or above, and the best guess above. */
  "above_break_even",
  /** no: the whole interval is below p*. */
  "below_break_even",
  /** no: a stated probability of p* exactly saves nothing. */
  "at_break_even",
  /** not enough data: p* lies within the interval, or what was counted begins at p* itself: no success yet, where any would pay. */
  "around_break_even",
  /** not enough data: no task has a known outcome. */
  "no_outcomes",
  /** not enough data: the tasks whose end is known would decide it, and those of which nobody said it could turn it. */
  "ends_unknown",
  /** not enough data: what a run costs is known too little, and moves the sum more than what else is not known. */
  "cost_unsettled",
  /** not enough data: the same of the time to check. */
  "review_unsettled",
] as const;

export type Reason = (typeof reasons)[number];

/** Inputs of a choice that come from a sample, and how far they may be off; left out: what the choice says is taken at its word. */
export interface Spans {
  readonly runPico?: Span<Pico>;
  readonly reviewMinutes?: Span<number>;
  /** The share of all tasks that succeeded, had every one without a known end failed, and had it succeeded; left out: every end is known. */
  readonly ends?: Interval;
}

/** Tasks by how they ended. `open`: not yet. */
export interface Ends {
  readonly successes: number;
  readonly failures: number;
  readonly unknown: number;
  readonly open: number;
}

export interface Verdict {
  readonly verdict: "go" | "no" | "not_enough_data";
  readonly reason: Reason;
  /** Of the whole chain, as is `success`. */
  readonly breakEven: BreakEven;
  /** null: nothing is known. */
  readonly success: Range | null;
  /** The same with the ends that nobody said, had all of them failed, and had all succeeded. */
  readonly reach: Range | null;
  /** Saved per task at the worst corner, at the best guess and at the best corner, estimates; below zero: lost. A low of null: no bound. null: nothing is known. */
  readonly savedPico: { readonly low: Pico | null; readonly at: Pico | null; readonly high: Pico } | null;
  /** All that comes from samples at its worst, null where there is no bound, and at its best; the choice itself where nothing does. */
  readonly corners: { readonly worst: Choice | null; readonly best: Choice };
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
 * @param spans of inputs that come from a sample; each holds what the choice says.
 * @throws RangeError that names the field, for impossible probabilities and counts.
 */
export function judge(choice: Choice, success: Success, steps = 1, spans: Spans = {}): Verdict {
  const even = breakEven(choice);
  const step = toRange(success);
  const range =
    step === null
      ? null
      : { low: chain(step.low, steps), at: step.at === null ? null : chain(step.at, steps), high: chain(step.high, steps) };
  const corners = toCorners(choice, spans);
  const { worst, best } = corners;
  const { ends } = spans;
  const reach = toReach(range, ends === undefined ? undefined : { low: chain(ends.low, steps), high: chain(ends.high, steps) });
  const { verdict, reason } = decideWithin(choice, corners, spans, range, reach);
  const hasMore = verdict === "not_enough_data" && (reason === "around_break_even" || reason === "no_outcomes");
  const turnOf = ({ kind, p }: BreakEven): number | null => (kind === "at" && p !== null ? perStep(p, steps) : null);
  return {
    verdict,
    reason,
    breakEven: even,
    success: range,
    reach,
    savedPico:
      reach === null
        ? null
        : {
            low: worst === null ? null : weigh(worst, reach.low).savedPico,
            at: reach.at === null ? null : weigh(choice, reach.at).savedPico,
            high: weigh(best, reach.high).savedPico,
          },
    corners,
    moreTasks: hasMore ? moreTasks(success, turnOf(breakEven(best)), worst === null ? null : turnOf(breakEven(worst))) : null,
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

/** As what a success costs has it (success.ts). @returns undefined: every end is known, or none. */
export function toEnds({ successes, failures, unknown, open }: Ends): Interval | undefined {
  if (unknown + open === 0 || successes + failures === 0) return undefined;
  return rateEnds(successes, failures, successes + failures + unknown + open) ?? undefined;
}

/** An interval says how far chance may have it off, the ends how far what nobody said may. */
export function toReach(range: Range | null, ends: Interval | undefined): Range | null {
  if (range === null || ends === undefined) return range;
  return { low: Math.min(range.low, ends.low), at: range.at, high: Math.max(range.high, ends.high) };
}

/** What is saved falls with both, and so the corners are at their ends. */
export function toCorners(choice: Choice, { runPico, reviewMinutes }: Spans): Verdict["corners"] {
  const of = (run: Pico, minutes: number): Choice => ({ ...choice, runPico: run, review: { ...choice.review, minutes } });
  const best = of(runPico?.low ?? choice.runPico, reviewMinutes?.low ?? choice.review.minutes);
  const run = runPico === undefined ? choice.runPico : runPico.high;
  // Time that costs nothing needs no bound.
  const isFree = choice.review.hourlyPico === 0n || reviewMinutes === undefined;
  const minutes = isFree ? choice.review.minutes : reviewMinutes.high;
  return { worst: run === null || minutes === null ? null : of(run, minutes), best };
}

/** What is decided over the known ends stands only where the others could not turn it. */
function decideWithin(
  choice: Choice,
  corners: Verdict["corners"],
  spans: Spans,
  range: Range | null,
  reach: Range | null,
): Pick<Verdict, "verdict" | "reason"> {
  const known = decideAt(choice, corners, spans, range);
  if (known.verdict === "not_enough_data" || decideAt(choice, corners, spans, reach).verdict === known.verdict) return known;
  return { verdict: "not_enough_data", reason: "ends_unknown" };
}

function decideAt(
  choice: Choice,
  { worst, best }: Verdict["corners"],
  spans: Spans,
  range: Range | null,
): Pick<Verdict, "verdict" | "reason"> {
  const atWorst = worst === null ? null : decide(worst, breakEven(worst), range);
  if (atWorst?.verdict === "go") return atWorst;
  const atBest = decide(best, breakEven(best), range);
  if (atBest.verdict === "no") return atBest;
  if (range === null) return { verdict: "not_enough_data", reason: "no_outcomes" };
  return { verdict: "not_enough_data", reason: widest(choice, spans, range) };
}

/** What moves the sum most, each alone over what is known of it. */
function widest(choice: Choice, { runPico, reviewMinutes }: Spans, range: Range): Reason {
  if (runPico?.high === null) return "cost_unsettled";
  const minutes = (at: number): Pico => labourPico("review", { ...choice.review, minutes: at });
  if (reviewMinutes?.high === null && choice.review.hourlyPico > 0n) return "review_unsettled";
  const success = weigh(choice, range.high).savedPico - weigh(choice, range.low).savedPico;
  const run = runPico === undefined ? 0n : runPico.high - runPico.low;
  const review = reviewMinutes === undefined || reviewMinutes.high === null ? 0n : minutes(reviewMinutes.high) - minutes(reviewMinutes.low);
  if (success >= run && success >= review) return "around_break_even";
  return run >= review ? "cost_unsettled" : "review_unsettled";
}

function decide(choice: Choice, even: BreakEven, range: Range | null): Pick<Verdict, "verdict" | "reason"> {
  if (even.kind === "never") return { verdict: "no", reason: "never_cheaper" };
  if (range !== null && range.low === range.high && side(choice, range.low) === 0) return { verdict: "no", reason: "at_break_even" };
  if (even.kind === "always") return { verdict: "go", reason: "always_cheaper" };
  if (range === null) return { verdict: "not_enough_data", reason: "no_outcomes" };
  // None of forty saves nothing so far; a share above none would, and is not shown.
  const isAbove = side(choice, range.low) >= 0 && (range.at === null || side(choice, range.at) > 0);
  if (isAbove) return { verdict: "go", reason: "above_break_even" };
  if (side(choice, range.high) < 0) return { verdict: "no", reason: "below_break_even" };
  return { verdict: "not_enough_data", reason: "around_break_even" };
}

/**
 * Wilson's interval holds exactly the p with |p̂ − p| ≤ z·√(p(1−p)/n), so it leaves p* out once n > z²·p*(1−p*)/(p̂ − p*)².
 * @param low p* at the best of all else that is known, and `high` at the worst, each from 0 and below 1: no needs all below the one, which nothing is
 * below 0, go all above the other. null: at that corner no success would.
 */
function moreTasks(success: Success, low: number | null, high: number | null): Verdict["moreTasks"] {
  if (low === null && high === null) return null;
  if (success.kind !== "counted" && success.kind !== "unknown") return null;
  const { successes, tasks, confidence } = success.kind === "counted" ? success : { successes: 0, tasks: 0, confidence: undefined };
  const square = normalDeviate(confidence ?? 0.95) ** 2;
  const rate = tasks === 0 ? null : successes / tasks;
  const even = rate === null ? null : high !== null && rate > high ? high : low !== null && rate < low ? low : null;
  const needed = rate === null || even === null ? Infinity : Math.floor((square * even * (1 - even)) / (rate - even) ** 2) + 1;
  return {
    likely: Number.isSafeInteger(needed) ? Math.max(1, needed - tasks) : null,
    least: Math.min(
      high === null ? Infinity : leastAbove(successes, tasks, high, square),
      low === null || low === 0 ? Infinity : leastAbove(tasks - successes, tasks, 1 - low, square),
    ),
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
