// How far a return, value over spend less one, may be off: an interval by resampling tasks. Not here: what counts as value and as spend (success.ts).
// Invariant: pure; the same units and seed give the same interval, and an end that the sample does not set is null.

import { accelerated, bootstrapRatio, generator, normalDeviate, type Resampling, ranked } from "./interval.ts";

/** Of one task, or of a group of them, picodollars. A value below nothing is damage. */
export interface Worth {
  readonly value: number;
  readonly spend: number;
}

/** Both ends belong to it; null: none that the sample sets. A return of 0.5 is half more than was spent. */
export interface ReturnInterval {
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * An interval for Σvalue/Σspend − 1. Where nothing is worth less than nothing it is that of spend over value, as of spend over successes
 * (`bootstrapRatio`), turned over: what has no upper bound there is a return that may be as low as −1. With damage there is no logarithm to take, and it is
 * the wider of two bootstraps taken from the same resamples: BCa with levels widened for few units, and the studentised bootstrap of value − return · spend
 * (Fieller 1954 with the quantiles of Hall 1988), of which an end is open where spend is too uneven to tell it from nothing.
 * Measured with log-normal costs, promised 95 %, 10 to 300 tasks. Where a success is worth the same, or 3 or −4 by chance: 93 to 99 % for a log standard
 * deviation of 1, 88 to 99 % for 1.5, 86 to 100 % for 2. Where it is worth as unevenly as it costs, and few succeed, no resampling shows the worth that the
 * sample has not met: 89 to 97 % for 1, 80 to 95 % for 1.5, 75 to 96 % for 2. Nor a damage: of one in twenty, ten times as large as what a task costs or more, 30 tasks
 * hold the truth 65 to 95 times of a hundred and 300 do 91 to 99 times.
 * @returns null where nothing can be said: fewer than two units, nothing spent, or nothing that was worth anything.
 * @throws RangeError on a number that is not finite, or settings outside bootstrapRatio's bounds.
 */
export function returnInterval(units: readonly Worth[], resampling: Resampling = {}): ReturnInterval | null {
  if (units.some(({ value }) => value < 0)) return damaged(units, resampling);
  const found = bootstrapRatio(
    units.map(({ value, spend }) => ({ top: spend, bottom: value })),
    resampling,
  );
  if (found === null) return null;
  return { low: found.high === null ? -1 : 1 / found.high - 1, high: found.low <= 0 ? null : 1 / found.low - 1 };
}

/** Of some that were worth less than nothing. */
function damaged(units: readonly Worth[], { confidence = 0.95, samples = 1000, seed = 1 }: Resampling): ReturnInterval | null {
  const n = units.length;
  const z = normalDeviate(confidence);
  let spent = 0;
  let moved = 0;
  for (const { value, spend } of units) {
    if (!Number.isFinite(value) || !Number.isFinite(spend))
      throw new RangeError(`returnInterval: value and spend must be finite numbers: ${value}, ${spend}`);
    spent += spend;
    moved += Math.abs(value);
  }
  if (n < 2 || spent <= 0) return null;
  // As shares, times n: spend is 1 on average, and value within ±1.
  const spends = Float64Array.from(units, ({ spend }) => (n * spend) / spent);
  const values = Float64Array.from(units, ({ value }) => (n * value) / moved);
  const figure = mean(values);
  const pulls = values.map((value, index) => value - figure * at(spends, index));
  const squares = pulls.reduce((sum, pull) => sum + pull * pull, 0);
  const back = (end: number): number => (end * moved) / spent - 1;
  // Every unit has the same return, within rounding: there is no spread to draw from.
  if (squares < 1e-20 * n * n) return { low: back(figure), high: back(figure) };

  const ratios = new Float64Array(samples);
  const students = new Float64Array(samples);
  const random = generator(seed);
  for (let sample = 0; sample < samples; sample += 1) {
    let value = 0;
    let spend = 0;
    let drawnSquares = 0;
    for (let draw = 0; draw < n; draw += 1) {
      const index = (random() * n) | 0;
      const pull = pulls[index] as number;
      value += values[index] as number;
      spend += spends[index] as number;
      drawnSquares += pull * pull;
    }
    const pull = (value - figure * spend) / n;
    const variance = (drawnSquares / n - pull * pull) / (n - 1);
    ratios[sample] = spend > 0 ? value / spend : Infinity;
    // Below the rounding of its own terms a variance is none: one unit drawn again and again tells nothing of a spread.
    students[sample] = variance > (1e-14 * squares) / (n * n) ? pull / Math.sqrt(variance) : 0;
  }
  ratios.sort();
  students.sort();
  const cubes = pulls.reduce((sum, pull) => sum + pull ** 3, 0);
  const bent = accelerated(ratios, figure, cubes / (6 * squares ** 1.5), n, z);
  const beyond = (1 - confidence) / 2;
  const solved = solver(values, spends, figure);
  const low = Math.min(figure, bent.low, solved(ranked(students, 1 - beyond, Math.ceil), -1));
  const high = Math.max(figure, bent.high, solved(ranked(students, beyond, Math.floor), 1));
  return { low: Number.isFinite(low) ? back(low) : null, high: Number.isFinite(high) ? back(high) : null };
}

/** Fieller's ends: where mean value − end · mean spend is `student` of its own standard errors; without such an end, infinitely far on that side. */
function solver(values: Float64Array, spends: Float64Array, figure: number): (student: number, side: 1 | -1) => number {
  const n = values.length;
  let valueSquares = 0;
  let products = 0;
  let spendSquares = 0;
  for (let index = 0; index < n; index += 1) {
    const value = at(values, index) - figure;
    const spend = at(spends, index) - 1;
    valueSquares += value * value;
    products += value * spend;
    spendSquares += spend * spend;
  }
  return (student, side) => {
    const weight = (student * student) / (n * (n - 1));
    const square = 1 - weight * spendSquares;
    if (square <= 0) return side * Infinity;
    const half = figure - weight * products;
    const root = half * half - square * (figure * figure - weight * valueSquares);
    return (half + side * Math.sqrt(Math.max(0, root))) / square;
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
