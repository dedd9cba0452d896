// Cost-of-pass: what one correct answer to one problem costs a model that may try again, v = C/R, and the frontier over problems (Erol et al.,
// arXiv 2504.13359). Only where the same problem was tried repeatedly: it takes the tries for independent. Not spend per success (success.ts): the
// mean of quotients is not the quotient of sums. Invariant: a problem that nobody solves is null, never 0 and never left out unsaid.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import type { Ratio } from "./success.ts";

/** All attempts of one model at one problem. */
export interface Trials {
  readonly attempts: number;
  readonly successes: number;
  /** Of all attempts together. */
  readonly costPico: Pico;
}

export interface Problem {
  readonly id: string;
  /** By the name of the model. */
  readonly models: ReadonlyMap<string, Trials>;
  /** What a person takes for it, taken to succeed; null: not known. */
  readonly humanPico: Pico | null;
}

/**
 * v = E[cost] / E[success] over the attempts at one problem = all their cost over their successes, exactly; null: never solved, which is infinite.
 * @throws RangeError on counts that cannot be, or a cost below zero.
 */
export function costOfPass(trials: Trials): Ratio | null {
  check(trials);
  return trials.successes === 0 ? null : { pico: trials.costPico, per: BigInt(trials.successes) };
}

export interface Cheapest {
  readonly id: string;
  /** Null: nobody is known to solve it. */
  readonly costPico: Pico | null;
  /** The model; null: a person, or nobody. */
  readonly by: string | null;
  readonly isHuman: boolean;
}

/** Who is cheapest at each problem, and what that costs. */
export interface Frontier {
  readonly problems: readonly Cheapest[];
  /** Problems that no model has solved and for which no human cost is known. Where there is one, the frontier is infinite. */
  readonly unsolved: number;
  /** The mean over problems of each one's least cost, rounded half to even; null: infinite, or no problem. */
  readonly meanPico: Pico | null;
  /** Of all problems, those where the person is cheapest or alone: how much of the figure says nothing of the models. */
  readonly humanShare: number | null;
  /** Of the frontier's money, that of those problems; null: infinite, or nothing. */
  readonly humanCostShare: number | null;
}

/**
 * V = mean over problems of min(min over models v(model, problem), human cost): not the least of the models' means. Each problem's least cost is
 * rounded once. Of equals the model goes before the person, and the earlier model first.
 */
export function frontierOf(problems: readonly Problem[]): Frontier {
  const cheapest = problems.map(({ id, models, humanPico }): Cheapest => {
    let best: { ratio: Ratio; by: string } | null = null;
    for (const [by, trials] of models) {
      const ratio = costOfPass(trials);
      if (ratio !== null && (best === null || isLess(ratio, best.ratio))) best = { ratio, by };
    }
    if (humanPico !== null) {
      if (humanPico < 0n) throw new RangeError(`problem ${id}: a person cannot cost less than nothing: ${humanPico}`);
      const human = { pico: humanPico, per: 1n };
      if (best === null || isLess(human, best.ratio)) return { id, costPico: humanPico, by: null, isHuman: true };
    }
    return best === null
      ? { id, costPico: null, by: null, isHuman: false }
      : { id, costPico: toPico(divideHalfEven(best.ratio.pico, best.ratio.per)), by: best.by, isHuman: false };
  });
  let total = 0n;
  let human = 0n;
  let unsolved = 0;
  for (const { costPico, isHuman } of cheapest) {
    if (costPico === null) unsolved += 1;
    else total += costPico;
    if (isHuman && costPico !== null) human += costPico;
  }
  const isFinite = unsolved === 0 && problems.length > 0;
  return {
    problems: cheapest,
    unsolved,
    meanPico: isFinite ? toPico(divideHalfEven(total, BigInt(problems.length))) : null,
    humanShare: problems.length === 0 ? null : cheapest.filter((problem) => problem.isHuman).length / problems.length,
    humanCostShare: isFinite && total > 0n ? Number(human) / Number(total) : null,
  };
}

export interface Gain {
  readonly withoutPico: Pico;
  readonly withPico: Pico;
  /** V(without) − V(with): what the models take off the frontier. */
  readonly gainPico: Pico;
  /** Counterfactual essentialness: the gain over V(without), 0 to 1; null where that is 0. */
  readonly essentialness: number | null;
}

/**
 * What some models add to all the others: G = V(M∖g) − V(M), and G / V(M∖g).
 * @returns null where the frontier without them, or with them, is infinite: then no number says it, and the unsolved problems do.
 */
export function gainOf(problems: readonly Problem[], models: ReadonlySet<string>): Gain | null {
  const others = problems.map((problem) => ({ ...problem, models: new Map([...problem.models].filter(([name]) => !models.has(name))) }));
  const [without, all] = [frontierOf(others).meanPico, frontierOf(problems).meanPico];
  if (without === null || all === null) return null;
  const gain = toPico(without - all);
  return { withoutPico: without, withPico: all, gainPico: gain, essentialness: without === 0n ? null : Number(gain) / Number(without) };
}

/** pass@k: at least one of k attempts succeeds, 1 − C(n−c, k)/C(n, k), unbiased (Chen et al. 2021). Null: fewer than k attempts. */
export function passAt(k: number, trials: Pick<Trials, "attempts" | "successes">): number | null {
  const none = chosen(k, trials.attempts, trials.attempts - trials.successes, trials);
  return none === null ? null : 1 - probability(none);
}

/** pass^k: all of k attempts succeed, C(c, k)/C(n, k), unbiased (tau-bench). Null: fewer than k attempts. */
export function passAll(k: number, trials: Pick<Trials, "attempts" | "successes">): number | null {
  const all = chosen(k, trials.attempts, trials.successes, trials);
  return all === null ? null : probability(all);
}

/** The mean over problems of `passAt` or `passAll`, and of how many problems: those with fewer than k attempts are left out and counted. */
export function meanOver(
  pass: (k: number, trials: Trials) => number | null,
  k: number,
  problems: readonly Trials[],
): { readonly mean: number | null; readonly problems: number; readonly leftOut: number } {
  const known = problems.map((trials) => pass(k, trials)).filter((value) => value !== null);
  const mean = known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  return { mean, problems: known.length, leftOut: problems.length - known.length };
}

/**
 * Cost-of-consistent-pass: the mean cost of an attempt over pass^k, exactly: what reliability of k in a row costs. Null: fewer than k attempts, or
 * none of the k in a row succeeds.
 */
export function costOfConsistentPass(k: number, trials: Trials): Ratio | null {
  check(trials);
  const all = chosen(k, trials.attempts, trials.successes, trials);
  return all === null || all.pico === 0n ? null : { pico: trials.costPico * all.per, per: BigInt(trials.attempts) * all.pico };
}

/** C(of, k) over C(from, k). */
function chosen(k: number, from: number, of: number, trials: Pick<Trials, "attempts" | "successes">): Ratio | null {
  if (!Number.isSafeInteger(k) || k < 1) throw new RangeError(`k must be a whole number of attempts, one or more: ${k}`);
  check({ ...trials, costPico: toPico(0n) });
  if (from < k) return null;
  let pico = 1n;
  let per = 1n;
  for (let index = 0; index < k; index += 1) {
    pico *= BigInt(Math.max(0, of - index));
    per *= BigInt(from - index);
  }
  return { pico, per };
}

/** Both may be far beyond what a float can hold, their quotient not. */
function probability({ pico, per }: Ratio): number {
  return Number((pico * 10n ** 30n) / per) / 1e30;
}

function check({ attempts, successes, costPico }: Trials): void {
  if (!Number.isSafeInteger(attempts) || attempts < 0) throw new RangeError(`attempts must be a whole number, zero or more: ${attempts}`);
  if (!Number.isSafeInteger(successes) || successes < 0 || successes > attempts)
    throw new RangeError(`successes must be a whole number from 0 to the attempts, ${attempts}: ${successes}`);
  if (costPico < 0n) throw new RangeError(`attempts cannot cost less than nothing: ${costPico}`);
}

function isLess(a: Ratio, b: Ratio): boolean {
  return a.pico * b.per < b.pico * a.per;
}
