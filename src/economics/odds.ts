// The odds of one more try: what it is likely to cost and to bring, given what has failed so far at the same task. Conditional: tasks that have failed
// twice are the hard ones, and a rate of first tries says too much of a third. Not here: whether anything was tried again rightly (core/loop.ts).
// Invariant: attempts are counted only while every earlier one failed; an end that nobody knows ends a history.

import { type Pico, sum, toPico, divideHalfEven, zero } from "../core/money.ts";
import type { MeanInterval } from "./frontier.ts";
import { type Interval, type Resampling, type Unit, wilson } from "./interval.ts";
import { fewUnits, spreadOf, tasksLeast } from "./sample.ts";
import type { Ratio } from "./success.ts";

export interface Attempt {
  /** Null: nobody knows how it ended. */
  readonly success: boolean | null;
  /** Null: not known. */
  readonly costPico: Pico | null;
}

/** The attempts at one task, in order. What follows a success is no try at it any more and is not read. */
export type History = readonly Attempt[];

/** The n-th try, of tasks whose n − 1 tries before all failed. */
export interface Try {
  readonly attempt: number;
  /** Tasks that came to it and whose end is known. */
  readonly tries: number;
  readonly successes: number;
  /** Tasks that came to it, and nobody knows how it ended. */
  readonly unknown: number;
  /** Tasks that failed so far and were not tried again. If they were the hopeless ones, the odds of those tried again flatter. */
  readonly gaveUp: number;
  /** P(success at attempt n | n − 1 failures); null: no try with a known end. */
  readonly rate: number | null;
  /** Wilson's. */
  readonly interval: Interval;
  /** Mean cost of this try, exactly, over all that came to it and whose cost is known, unknown ends too, and rounded half to even. Null: there is none. */
  readonly cost: Ratio | null;
  readonly costPico: Pico | null;
  /** An estimate of that mean, by bootstrap. Null: nothing can be said of it, as of too few (sample.ts). */
  readonly costInterval: MeanInterval | null;
  /** Tasks that came to it at a cost that nobody knows. */
  readonly uncosted: number;
  /** P(success by this try) if all who fail go on: 1 − Π(1 − rate). Null: a rate on the way is unknown. */
  readonly within: number | null;
  /** What `within` would be were tries independent at the first one's rate, for comparison alone. */
  readonly withinIfIndependent: number | null;
}

/** What the n-th tries add up to, of tasks whose n − 1 tries before all failed. */
export interface Came {
  /** Tasks that came to it. */
  readonly tasks: number;
  readonly successes: number;
  readonly failures: number;
  /** Those whose cost is known, and that cost. */
  readonly costed: number;
  readonly costPico: Pico;
  /** Cost of each of these, or of groups of them, over how many they are. */
  readonly units: readonly Unit[];
}

/** @returns one row for each attempt that some task came to. */
export function oddsOf(histories: readonly History[], confidence = 0.95, resampling: Resampling = {}): Try[] {
  return oddsFrom(cameOf(histories), confidence, resampling);
}

export function cameOf(histories: readonly History[]): Came[] {
  const rows: Came[] = [];
  let going = histories;
  for (let index = 0; ; index += 1) {
    const here = going.map((history) => history[index]).filter((attempt) => attempt !== undefined);
    if (here.length === 0) return rows;
    const costs = here.map((attempt) => attempt.costPico).filter((costPico) => costPico !== null);
    rows.push({
      tasks: here.length,
      successes: here.filter((attempt) => attempt.success === true).length,
      failures: here.filter((attempt) => attempt.success === false).length,
      costed: costs.length,
      costPico: sum(costs),
      units: fewUnits(costs.map((costPico) => ({ top: Number(costPico), bottom: 1 }))),
    });
    going = going.filter((history) => history[index]?.success === false);
  }
}

/** `oddsOf`, of tries that are added up already: the first, the second and so on. */
export function oddsFrom(came: readonly Came[], confidence = 0.95, resampling: Resampling = {}): Try[] {
  const rows: Try[] = [];
  let within: number | null = 0;
  for (const [index, { tasks, successes, failures, costed, costPico, units }] of came.entries()) {
    const tries = successes + failures;
    const rate = tries === 0 ? null : successes / tries;
    within = within === null || rate === null ? null : 1 - (1 - within) * (1 - rate);
    const first: number | null = rows[0] === undefined ? rate : rows[0].rate;
    rows.push({
      attempt: index + 1,
      tries,
      successes,
      unknown: tasks - tries,
      // No attempt at all is no task given up.
      gaveUp: index === 0 ? 0 : (came[index - 1]?.failures ?? 0) - tasks,
      rate,
      interval: wilson(successes, tries, confidence),
      cost: costed === 0 ? null : { pico: costPico, per: BigInt(costed) },
      costPico: costed === 0 ? null : toPico(divideHalfEven(costPico, BigInt(costed))),
      costInterval: spreadOf(units, { confidence, ...resampling }),
      uncosted: tasks - costed,
      within,
      withinIfIndependent: first === null ? null : independent(first, index + 1).success,
    });
  }
  return rows;
}

export type Verdict = "yes" | "no" | "not-enough-data";

export interface Worth {
  readonly verdict: Verdict;
  /** Cost of the try and of checking it, c + v. */
  readonly spendPico: Pico;
  /** ΔP·value, an estimate, with its ends at those of the odds; null: the odds are unknown. */
  readonly bringsPico: Pico | null;
  readonly bringsLowPico: Pico;
  readonly bringsHighPico: Pico;
  /** The chance from which on it pays: (c + v) / value. Above 1 it never does; null: no value, so never. */
  readonly breakEven: number | null;
}

/**
 * Whether one more try pays: c + v < ΔP·value, where ΔP is the odds of this try given the failures so far. `yes` only if it pays at the low end of the
 * odds' interval and the high end of the cost's, `no` if it does not even at the other two. Fewer than `tasksLeast` tries bound neither: then it is `no`
 * only where a success that is sure and costs nothing would not pay for its checking. Source: economics.md, 2.
 * @param row what is known of this try; undefined: nobody has ever come to it.
 * @param costPico of the try, taken at its word; null: the mean of the row's, with its interval.
 * @throws RangeError on a negative cost or value, or where no cost is known.
 */
export function worthTrying(
  row: Try | undefined,
  { valuePico, reviewPico, costPico = null }: { readonly valuePico: Pico; readonly reviewPico: Pico; readonly costPico?: Pico | null },
): Worth {
  const c = costPico ?? row?.costPico ?? null;
  if (c === null) throw new RangeError("worthTrying: nobody has come to this try, so its cost is not known; give costPico");
  for (const [name, amount] of Object.entries({ costPico: c, reviewPico, valuePico }))
    if (amount < 0n) throw new RangeError(`worthTrying: ${name} is negative: ${amount}`);
  const spend = toPico(c + reviewPico);
  const { low, high } = row?.interval ?? { low: 0, high: 1 };
  const isFew = (row?.tries ?? 0) < tasksLeast;
  const sure = isFew ? { low: 0, high: 1 } : { low, high };
  const bounds = isFew ? null : row?.costInterval;
  const cheapest = costPico ?? bounds?.lowPico ?? zero;
  const dearest = costPico ?? bounds?.highPico ?? null;
  const pays = (chance: number, cost: Pico): boolean => Number(cost + reviewPico) < chance * Number(valuePico);
  return {
    verdict: dearest !== null && pays(sure.low, dearest) ? "yes" : pays(sure.high, cheapest) ? "not-enough-data" : "no",
    spendPico: spend,
    bringsPico: row === undefined || row.rate === null ? null : share(valuePico, row.rate),
    bringsLowPico: share(valuePico, low),
    bringsHighPico: share(valuePico, high),
    breakEven: valuePico === 0n ? null : Number(spend) / Number(valuePico),
  };
}

/**
 * Up to k tries were they independent at one rate p: P = 1 − (1 − p)^k, and E[attempts] = P/p (k where p is 0). Spend per success would be c/p
 * whatever k is, since c·E[attempts]/P = c/p. For comparison: real failures at one task go together.
 * @throws RangeError unless `rate` is from 0 to 1 and `k` a whole number, one or more.
 */
export function independent(rate: number, k: number): { readonly success: number; readonly attempts: number } {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`the success rate must be from 0 to 1: ${rate}`);
  if (!Number.isSafeInteger(k) || k < 1) throw new RangeError(`k must be a whole number of attempts, one or more: ${k}`);
  // By expm1 and log1p, so that a small rate keeps its digits.
  const success = rate === 1 ? 1 : -Math.expm1(k * Math.log1p(-rate));
  return { success, attempts: rate === 0 ? k : success / rate };
}

function share(amount: Pico, of: number): Pico {
  return toPico(BigInt(Math.round(Number(amount) * of)));
}
