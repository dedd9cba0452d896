// Cost against success of many candidates (agents, models): which ones are on the frontier, by whom the others are dominated, and what a mixture
// of two would do. Not here: whether two candidates differ for sure (compare.ts), the interval of a mean cost (it comes in). Invariant: points
// are compared as exact ratios; a candidate whose cost or success is not known stands apart, and is never taken as free or as failing.

import { divideHalfEven, formatRatio, type Pico, toPico } from "../core/money.ts";
import type { Run } from "./compare.ts";
import { type Interval, wilson } from "./interval.ts";

/** What one candidate did. A leaderboard's row is one, too. */
export interface Candidate {
  readonly id: string;
  /** Tries at a task. */
  readonly runs: number;
  /** Different tasks: the sample that the intervals are made of, as tries at one task are alike. */
  readonly tasks: number;
  /** Runs of which it is known how they ended. */
  readonly decided: number;
  readonly successes: number;
  /** Runs whose cost is known. */
  readonly costed: number;
  /** What those cost together. null: nothing is known, which is not zero. */
  readonly costPico: Pico | null;
  /** Of the mean cost of a run: estimates that come from elsewhere. null: not known; `highPico` null: no upper bound. */
  readonly meanInterval: MeanInterval | null;
}

export interface MeanInterval {
  readonly lowPico: Pico;
  readonly highPico: Pico | null;
}

export interface Point extends Candidate {
  readonly costPico: Pico;
  /** Successes per decided run, and Wilson's interval of it over the tasks. */
  readonly rate: number;
  readonly rateInterval: Interval;
  /** Mean cost of a run whose cost is known, rounded: an estimate. */
  readonly meanPico: Pico;
  /** All spend over successes, rounded. null: no success, or the cost of a run is not known. */
  readonly perSuccessPico: Pico | null;
}

export interface FrontierPoint extends Point {
  /** On the non-decreasing convex hull. Otherwise `mixture` does better for the same money. */
  readonly isOnHull: boolean;
  readonly mixture: Mixture | null;
  /** What one more success costs, coming from the hull's point before: an estimate. null: the first, or not on the hull. */
  readonly nextSuccessPico: Pico | null;
}

/** Tasks given at random to two candidates, a share of `share` to `high`, for the same mean cost. */
export interface Mixture {
  readonly low: string;
  readonly high: string;
  readonly share: number;
  readonly rate: number;
}

export interface DominatedPoint extends Point {
  /** Those on the frontier that succeed as often or more, for as much or less, and differ in one of the two: the cheapest first. */
  readonly by: readonly string[];
  /** Of these, the ones whose intervals leave no doubt: both lie wholly on the better side. */
  readonly surelyBy: readonly string[];
}

export interface Frontier {
  /** The cheapest first. */
  readonly frontier: readonly FrontierPoint[];
  readonly dominated: readonly DominatedPoint[];
  readonly apart: readonly { readonly candidate: Candidate; readonly reason: "cost-unknown" | "success-unknown" }[];
}

/** Sums of a candidate's runs. */
export function candidateOf(id: string, runs: readonly Run[], meanInterval: MeanInterval | null = null): Candidate {
  const costs = runs.map((run) => run.costPico).filter((costPico) => costPico !== null);
  return {
    id,
    runs: runs.length,
    tasks: new Set(runs.map((run) => run.task)).size,
    decided: runs.filter((run) => run.success !== null).length,
    successes: runs.filter((run) => run.success === true).length,
    costed: costs.length,
    costPico: costs.length === 0 ? null : toPico(costs.reduce((total, cost) => total + cost, 0n)),
    meanInterval,
  };
}

/**
 * Who is on the frontier of mean cost and success rate. Equal points dominate each other in nothing, and stay both.
 * The hull is RouterBench's: non-decreasing and convex, from the cheapest point on.
 * @throws RangeError on counts that cannot be, or two candidates of one id.
 */
export function frontier(candidates: readonly Candidate[], confidence = 0.95): Frontier {
  const ids = new Set<string>();
  for (const candidate of candidates) {
    if (ids.has(candidate.id)) throw new RangeError(`frontier: two candidates are called ${JSON.stringify(candidate.id)}`);
    ids.add(candidate.id);
    check(candidate);
  }
  const apart: Frontier["apart"][number][] = [];
  const points: Point[] = [];
  for (const candidate of candidates) {
    const { costPico } = candidate;
    if (costPico === null) apart.push({ candidate, reason: "cost-unknown" });
    else if (candidate.decided === 0) apart.push({ candidate, reason: "success-unknown" });
    else points.push(pointOf(candidate, costPico, confidence));
  }
  points.sort((a, b) => order(costOf(a), costOf(b)) || order(rateOf(b), rateOf(a)) || (a.id < b.id ? -1 : 1));
  const best: Point[] = [];
  const others: Point[] = [];
  for (const point of points) {
    const last = best.at(-1);
    const isBest = last === undefined || order(rateOf(point), rateOf(last)) > 0 || isSame(point, last);
    (isBest ? best : others).push(point);
  }
  const hull = hullOf(best);
  return {
    frontier: best.map((point) => onFrontier(point, hull)),
    dominated: others.map((point) => dominatedPoint(point, best)),
    apart,
  };
}

function check(candidate: Candidate): void {
  const { id, runs, tasks, decided, successes, costed, costPico } = candidate;
  const counts = { runs, tasks, decided, successes, costed };
  for (const [name, count] of Object.entries(counts))
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`frontier: ${name} of ${id} must be a whole number, zero or more: ${count}`);
  if (tasks > runs || decided > runs || costed > runs) throw new RangeError(`frontier: ${id} has fewer runs than tasks, outcomes or costs`);
  if (runs > 0 && tasks === 0) throw new RangeError(`frontier: ${id} has runs and no task`);
  if (successes > decided) throw new RangeError(`frontier: ${id} has more successes than outcomes: ${successes} of ${decided}`);
  if ((costed === 0) !== (costPico === null))
    throw new RangeError(`frontier: the cost of ${id} must be null just where no run's cost is known`);
}

function pointOf(candidate: Candidate, costPico: Pico, confidence: number): Point {
  const { runs, tasks, decided, successes, costed } = candidate;
  // Tries at one task are alike: they count as one task's worth of evidence, shared out.
  const sample = Math.min(decided, tasks);
  return {
    ...candidate,
    costPico,
    rate: successes / decided,
    rateInterval: wilson(Math.min(sample, (successes / decided) * sample), sample, confidence),
    meanPico: toPico(divideHalfEven(costPico, BigInt(costed))),
    perSuccessPico: successes === 0 || costed < runs ? null : toPico(divideHalfEven(costPico, BigInt(successes))),
  };
}

/** A fraction, its lower part above zero. */
interface Ratio {
  readonly top: bigint;
  readonly per: bigint;
}

function costOf(point: Point): Ratio {
  return { top: point.costPico, per: BigInt(point.costed) };
}

function rateOf(point: Point): Ratio {
  return { top: BigInt(point.successes), per: BigInt(point.decided) };
}

function less(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.per - b.top * a.per, per: a.per * b.per };
}

function times(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.top, per: a.per * b.per };
}

/** `a / b`, where `b` is above zero. */
function over(a: Ratio, b: Ratio): Ratio {
  return { top: a.top * b.per, per: a.per * b.top };
}

function order(a: Ratio, b: Ratio): number {
  const { top } = less(a, b);
  return top < 0n ? -1 : top > 0n ? 1 : 0;
}

function isSame(a: Point, b: Point): boolean {
  return order(costOf(a), costOf(b)) === 0 && order(rateOf(a), rateOf(b)) === 0;
}

function dominates(a: Point, b: Point): boolean {
  return order(costOf(a), costOf(b)) <= 0 && order(rateOf(a), rateOf(b)) >= 0 && !isSame(a, b);
}

function dominatedPoint(point: Point, best: readonly Point[]): DominatedPoint {
  const by = best.filter((other) => dominates(other, point));
  return { ...point, by: by.map((other) => other.id), surelyBy: by.filter((other) => isSure(other, point)).map((other) => other.id) };
}

function isSure(a: Point, b: Point): boolean {
  const high = a.meanInterval?.highPico ?? null;
  if (high === null || b.meanInterval === null) return false;
  return high <= b.meanInterval.lowPico && a.rateInterval.low >= b.rateInterval.high;
}

/** Corners of the upper hull of points that rise in both, and those that lie on its edges. Equal points are one corner. */
function hullOf(best: readonly Point[]): readonly Point[] {
  const hull: Point[] = [];
  for (const point of best) {
    if (hull.length > 0 && isSame(hull.at(-1) as Point, point)) continue;
    while (hull.length > 1 && liesBelow(hull.at(-2) as Point, hull.at(-1) as Point, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Whether the middle one is under the line from the first to the last. */
function liesBelow(first: Point, middle: Point, last: Point): boolean {
  const rise = times(less(rateOf(middle), rateOf(first)), less(costOf(last), costOf(first)));
  return order(rise, times(less(rateOf(last), rateOf(first)), less(costOf(middle), costOf(first)))) < 0;
}

function onFrontier(point: Point, hull: readonly Point[]): FrontierPoint {
  const at = hull.findIndex((corner) => isSame(corner, point));
  if (at !== -1) {
    const before = hull[at - 1];
    const step = before === undefined ? null : over(less(costOf(point), costOf(before)), less(rateOf(point), rateOf(before)));
    return { ...point, isOnHull: true, mixture: null, nextSuccessPico: step === null ? null : toPico(divideHalfEven(step.top, step.per)) };
  }
  const next = hull.findIndex((corner) => order(costOf(corner), costOf(point)) > 0);
  const [low, high] = [hull[next - 1] as Point, hull[next] as Point];
  const share = over(less(costOf(point), costOf(low)), less(costOf(high), costOf(low)));
  const part = Number(formatRatio(share.top, share.per, 12));
  const mixture = { low: low.id, high: high.id, share: part, rate: low.rate + part * (high.rate - low.rate) };
  return { ...point, isOnHull: false, mixture, nextSuccessPico: null };
}
