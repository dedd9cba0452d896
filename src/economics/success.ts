// Spend per success: what one finished piece of work costs once all spend is counted, that on failed, abandoned and unknown runs too. An identity
// of accounting, ΣC/ΣS, that needs no assumption about retries; cost-of-pass (pass.ts) is another figure. Not here: how tasks are gathered.
// Invariant: no bare number; beside every figure stand its interval and whether the data suffice to say it.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import { generator, type Interval, type Resampling, type Unit, wilson } from "./interval.ts";
import type { Quantiles } from "./quantile.ts";
import { type ReturnInterval, returnInterval } from "./returns.ts";
import { boundsOf, endsOf, tasksLeast } from "./sample.ts";

/** The sums over some tasks. The four ends are apart from one another and make up all tasks and all spend. */
export interface Tally {
  readonly successes: number;
  readonly failures: number;
  /** Ended, and nobody said how. */
  readonly unknown: number;
  /** Not ended yet. */
  readonly open: number;
  readonly onSuccessesPico: Pico;
  readonly onFailuresPico: Pico;
  readonly onUnknownPico: Pico;
  readonly onOpenPico: Pico;
  /** Parts of the spend above, whatever the end: retries, and rework booked to the task that caused it. One call may be both. */
  readonly onRetriesPico: Pico;
  readonly onReworkPico: Pico;
  /** Time that people spent checking, ms, as far as it is on record; null: none is. */
  readonly reviewMillis: bigint | null;
  /** What the tasks with a known value were worth; null: no value is known. */
  readonly valuePico: Pico | null;
  /** Spend of the tasks whose value is unknown. */
  readonly onUnvaluedPico: Pico;
}

/** An exact quotient: `pico` picodollars for every `per`. */
export interface Ratio {
  readonly pico: bigint;
  readonly per: bigint;
}

export interface Economics {
  readonly tasks: number;
  readonly spendPico: Pico;
  /** All spend over all successes, exactly, and rounded half to even; null: no success yet. */
  readonly perSuccess: Ratio | null;
  readonly perSuccessPico: Pico | null;
  /** An estimate, from a bootstrap over tasks. Null: it cannot be said, as of too few (sample.ts); a null high end: no upper bound. */
  readonly interval: SpendInterval | null;
  /** The same spend had every unknown and open task succeeded: the least it can turn out to be without a further call. */
  readonly perSuccessLeastPico: Pico | null;
  readonly rate: SuccessRate;
  readonly returns: Returns | null;
  readonly review: Review;
  readonly shares: Shares | null;
  readonly enough: Enough;
}

export interface SpendInterval {
  readonly lowPico: Pico;
  readonly highPico: Pico | null;
}

export interface SuccessRate {
  /** Tasks that ended in success or failure. */
  readonly decided: number;
  /** Successes over decided tasks; null: none is decided. */
  readonly observed: number | null;
  /** Wilson's, over decided tasks. */
  readonly interval: Interval;
  /** Over all tasks, had every unknown and open one failed, and succeeded; null: no task. */
  readonly worst: number | null;
  readonly best: number | null;
}

/** (value − spend) / spend over all tasks; a value that is unknown adds nothing to it. */
export interface Returns {
  readonly gainPico: Pico;
  readonly ratio: number;
  /** Of the ratio as it stands, by the same bootstrap. Null: it cannot be said, as of spend per success. */
  readonly interval: ReturnInterval | null;
  /** Of the spend, that on tasks whose value is unknown: how much of the picture is missing. */
  readonly unvaluedShare: number;
}

/** Review beside provider spend; every figure is null where the time or its price is not known. */
export interface Review {
  readonly costPico: Pico | null;
  /** Spend and review together, per success. */
  readonly perSuccessPico: Pico | null;
  readonly interval: SpendInterval | null;
  /** (value − spend − review) / (spend + review). */
  readonly returnRatio: number | null;
  readonly returnInterval: ReturnInterval | null;
  /** Of spend and review together. */
  readonly share: number | null;
}

/** Parts of the spend, 0 to 1. Retries and rework overlap with the ends, and may with one another: they do not add up to 1. */
export interface Shares {
  readonly failures: number;
  readonly unknown: number;
  readonly open: number;
  readonly retries: number;
  readonly rework: number;
}

export type Lack = "no-success" | "few-tasks" | "heavy-tail" | "wide" | "unknown-outcomes";

export interface Enough {
  readonly isEnough: boolean;
  /** Why not, the plainest first. */
  readonly lacks: readonly Lack[];
  /** Decided tasks that costs as spread as these call for; null: their spread is not known. */
  readonly tasksNeeded: number | null;
}

/** Spend in picodollars (top) and successes (bottom), of a task or a group of them. */
export interface Part extends Unit {
  /** Picodollars that it was known to be worth, and time of checking, ms; not said: nothing. */
  readonly value?: number;
  readonly reviewMillis?: number;
}

export interface Sample extends Resampling {
  /** Of each task, or of groups of tasks: the parts of this very tally. Null: not at hand. */
  readonly units: readonly Part[] | null;
  /** Of the cost per task. */
  readonly quantiles: Quantiles | null;
  /** What an hour of checking costs; null: not known. */
  readonly reviewPicoPerHour: Pico | null;
}

/** @throws RangeError on counts that are no whole numbers, shares of spend above the spend, or units that are not the tally's. */
export function spendPerSuccess(tally: Tally, sample: Sample): Economics {
  const { successes, failures, unknown, open } = tally;
  for (const [name, count] of Object.entries({ successes, failures, unknown, open }))
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`tally: ${name} must be a whole number of tasks, zero or more: ${count}`);
  if (tally.reviewMillis !== null && tally.reviewMillis < 0n)
    throw new RangeError(`tally: reviewMillis is negative: ${tally.reviewMillis}`);
  if (sample.reviewPicoPerHour !== null && sample.reviewPicoPerHour < 0n)
    throw new RangeError(`an hour of review cannot cost less than nothing: ${sample.reviewPicoPerHour}`);
  const tasks = successes + failures + unknown + open;
  const spend = toPico(tally.onSuccessesPico + tally.onFailuresPico + tally.onUnknownPico + tally.onOpenPico);
  for (const name of ["onRetriesPico", "onReworkPico", "onUnvaluedPico"] as const)
    if (tally[name] > spend) throw new RangeError(`tally: ${name} is more than all spend: ${tally[name]} of ${spend}`);

  const interval = intervalOf(tally, spend, sample);
  const rate = rateOf(tally, tasks, sample.confidence);
  return {
    tasks,
    spendPico: spend,
    perSuccess: successes === 0 ? null : { pico: spend, per: BigInt(successes) },
    perSuccessPico: over(spend, successes),
    interval,
    perSuccessLeastPico: over(spend, successes + unknown + open),
    rate,
    returns: returnsOf(tally, spend, sample),
    review: reviewOf(tally, spend, sample),
    shares: sharesOf(tally, spend),
    enough: isEnough(rate.decided, tally, tasks, spend, interval, sample.quantiles),
  };
}

/** High over low end that still tells one figure from another. */
const widthMost = 3;
/** Of all tasks, those whose end nobody knows. */
const unknownMost = 0.2;

/**
 * Whether the data suffice to say what a success costs: at least one success; at least max(30, 10·e^σ²) decided tasks; an interval whose high end is
 * at most 3 times its low end; at most a fifth of the tasks unknown or open.
 * Tasks that cost nothing at all are as even as can be.
 * σ = ln(p90/median)/1.2816 is the spread of the cost's logarithm. It is in the rule because a narrow interval alone deceives: of 100 log-normal costs
 * with σ = 2 the narrow intervals are those of samples that missed the tail. With it, "enough" is
 * said and wrong in at most some 7 of 100 samples (measured; interval.ts says how far the promise holds).
 */
function isEnough(
  decided: number,
  { successes }: Tally,
  tasks: number,
  spend: Pico,
  interval: SpendInterval | null,
  quantiles: Quantiles | null,
): Enough {
  const lacks: Lack[] = [];
  const isFree = spend === 0n && quantiles !== null && Object.values(quantiles).every((pico) => pico === 0n);
  const tasksNeeded = isFree ? tasksLeast : quantiles === null ? null : neededFor(quantiles);
  if (successes === 0) lacks.push("no-success");
  if (decided < tasksLeast) lacks.push("few-tasks");
  else if (tasksNeeded === null || decided < tasksNeeded) lacks.push("heavy-tail");
  if (interval === null || interval.highPico === null || Number(interval.highPico) > widthMost * Number(interval.lowPico))
    lacks.push("wide");
  if (tasks - decided > unknownMost * tasks) lacks.push("unknown-outcomes");
  return { isEnough: lacks.length === 0, lacks, tasksNeeded };
}

/** Null: more than half of the tasks cost nothing, or no more than that can be said. */
export function neededFor({ medianPico, p90Pico }: Quantiles): number | null {
  if (medianPico <= 0n) return null;
  const sigma = Math.log(Number(p90Pico) / Number(medianPico)) / 1.2815515655446004;
  return Math.max(tasksLeast, Math.ceil(10 * Math.exp(Math.min(sigma * sigma, 30))));
}

function intervalOf(tally: Tally, spend: Pico, sample: Sample): SpendInterval | null {
  if (sample.units === null) return null;
  let [top, bottom, value, moved, millis] = [0, 0, 0, 0, 0];
  for (const unit of sample.units) {
    top += unit.top;
    bottom += unit.bottom;
    value += unit.value ?? 0;
    moved += Math.abs(unit.value ?? 0);
    millis += unit.reviewMillis ?? 0;
  }
  if (bottom !== tally.successes || Math.abs(top - Number(spend)) > 1e-9 * Math.abs(Number(spend)) + 1)
    throw new RangeError(`the units are not this tally's: ${bottom} successes for ${top}, where it has ${tally.successes} for ${spend}`);
  if (tally.valuePico !== null && Math.abs(value - Number(tally.valuePico)) > 1e-9 * moved + 1)
    throw new RangeError(`the units are not this tally's: they are worth ${value}, where it is worth ${tally.valuePico}`);
  if (tally.reviewMillis !== null && Math.abs(millis - Number(tally.reviewMillis)) > 1e-9 * millis + 1)
    throw new RangeError(`the units are not this tally's: checked for ${millis} ms, where it was for ${tally.reviewMillis}`);
  return boundsOf(sample.units, sample);
}

/** Figures other than spend per success are resampled from so many units at most: groups of tasks, where there are more. */
export const groups = 256;

/** By chance, and not in turn: units may come in the order of what they cost, and groups would be alike that tasks are not. */
function fewOf(units: readonly Part[], seed = 1): readonly Part[] {
  if (units.length <= groups) return units;
  const random = generator(seed);
  const sums = Array.from({ length: groups }, () => ({ top: 0, bottom: 0, value: 0, reviewMillis: 0 }));
  for (const { top, bottom, value = 0, reviewMillis = 0 } of units) {
    const group = sums[Math.floor(random() * groups)] as (typeof sums)[number];
    group.top += top;
    group.bottom += bottom;
    group.value += value;
    group.reviewMillis += reviewMillis;
  }
  return sums;
}

/** @param reviewRate picodollars of spend for a ms of checking. */
function returnOf({ units, seed, ...resampling }: Sample, reviewRate: number): ReturnInterval | null {
  if (units === null) return null;
  const found = returnInterval(
    fewOf(units, seed).map(({ top, value = 0, reviewMillis = 0 }) => ({ value, spend: top + reviewMillis * reviewRate })),
    { ...resampling, ...(seed === undefined ? {} : { seed }) },
  );
  const isDamaged = units.some(({ value = 0 }) => value < 0);
  return endsOf(found, units, isDamaged);
}

/** The rate over all tasks, had those without a known end all failed, and all succeeded; null: there is no task. */
export function rateEnds(successes: number, failures: number, tasks: number): Interval | null {
  return tasks === 0 ? null : { low: successes / tasks, high: (tasks - failures) / tasks };
}

function rateOf({ successes, failures }: Tally, tasks: number, confidence?: number): SuccessRate {
  const decided = successes + failures;
  const ends = rateEnds(successes, failures, tasks);
  return {
    decided,
    observed: decided === 0 ? null : successes / decided,
    interval: wilson(successes, decided, confidence),
    worst: ends?.low ?? null,
    best: ends?.high ?? null,
  };
}

function returnsOf({ valuePico, onUnvaluedPico }: Tally, spend: Pico, sample: Sample): Returns | null {
  if (valuePico === null || spend <= 0n) return null;
  return {
    gainPico: toPico(valuePico - spend),
    ratio: quotient(valuePico - spend, spend),
    interval: returnOf(sample, 0),
    unvaluedShare: quotient(onUnvaluedPico, spend),
  };
}

function reviewOf({ reviewMillis, valuePico, successes }: Tally, spend: Pico, sample: Sample): Review {
  const { units, seed, reviewPicoPerHour: rate } = sample;
  if (reviewMillis === null || rate === null)
    return { costPico: null, perSuccessPico: null, interval: null, returnRatio: null, returnInterval: null, share: null };
  const perMillis = Number(rate) / 3_600_000;
  const cost = toPico(divideHalfEven(reviewMillis * rate, 3_600_000n));
  const whole = spend + cost;
  return {
    costPico: cost,
    perSuccessPico: over(whole, successes),
    interval:
      units === null
        ? null
        : boundsOf(
            fewOf(units, seed).map(({ top, bottom, reviewMillis: millis = 0 }) => ({ top: top + millis * perMillis, bottom })),
            sample,
          ),
    returnRatio: valuePico === null || whole <= 0n ? null : quotient(valuePico - whole, whole),
    returnInterval: valuePico === null || whole <= 0n ? null : returnOf(sample, perMillis),
    share: whole <= 0n ? null : quotient(cost, whole),
  };
}

function sharesOf(tally: Tally, spend: Pico): Shares | null {
  if (spend <= 0n) return null;
  return {
    failures: quotient(tally.onFailuresPico, spend),
    unknown: quotient(tally.onUnknownPico, spend),
    open: quotient(tally.onOpenPico, spend),
    retries: quotient(tally.onRetriesPico, spend),
    rework: quotient(tally.onReworkPico, spend),
  };
}

function over(amount: bigint, count: number): Pico | null {
  return count === 0 ? null : toPico(divideHalfEven(amount, BigInt(count)));
}

/** A statistic for reading, never to be added up. */
function quotient(a: bigint, b: bigint): number {
  return Number(a) / Number(b);
}
