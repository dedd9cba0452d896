// How far a figure from a sample may be off: intervals for a proportion and for a ratio of sums, for every view. Not here: what the figures mean.
// Invariant: pure; the same input and seed give the same interval on every machine, and an interval never claims more than its sample holds.

import { normalCdf, normalQuantile, studentQuantile } from "./normal.ts";

/** Of resamples on one side: where there is none, it is not told from one of very many. */
const shareMin = 5e-10;

/** Both ends belong to the interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval for a proportion: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). It stays within 0..1 and keeps its promise for
 * few tasks and for rates near 0 and 1. Nothing seen, nothing known: `n` of 0 gives 0..1.
 * @param successes 0 to `n`; need not be whole, so that a plan may ask about an expected count.
 * @param confidence the promised coverage, above 0 and below 1.
 * @throws RangeError on anything else. Source: Wilson, JASA 22 (1927); recommended by Brown, Cai & DasGupta (2001).
 */
export function wilson(successes: number, n: number, confidence = 0.95): Interval {
  if (!Number.isFinite(n) || n < 0) throw new RangeError(`wilson: n must be a number of tasks, zero or more: ${n}`);
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`wilson: successes must be from 0 to n, which is ${n}: ${successes}`);
  const z = normalDeviate(confidence);
  if (n === 0) return { low: 0, high: 1 };
  const rate = successes / n;
  const square = (z * z) / n;
  const middle = (rate + square / 2) / (1 + square);
  const half = (z * Math.sqrt((rate * (1 - rate)) / n + square / (4 * n))) / (1 + square);
  return { low: successes === 0 ? 0 : Math.max(0, middle - half), high: successes === n ? 1 : Math.min(1, middle + half) };
}

/** What is drawn in a resample: a task, or a group of tasks with their sums. */
export interface Unit {
  /** Spend, say; in any unit, for what comes out is in it too. */
  readonly top: number;
  /** Successes, say; zero or more. */
  readonly bottom: number;
}

/** An interval whose upper end may not be known: null means that the sample sets no upper bound. */
export interface OpenInterval {
  readonly low: number;
  readonly high: number | null;
}

export interface Resampling {
  /** The promised coverage, above 0 and below 1; 0.95 unless said. */
  readonly confidence?: number;
  /** How many resamples, 100 to 100,000; 1,000 unless said. */
  readonly samples?: number;
  /** A whole number; 1 unless said. */
  readonly seed?: number;
}

/**
 * An interval for Σtop/Σbottom by resampling the units with replacement: the wider of two bootstraps taken from the same resamples. One is BCa
 * (Efron 1987) with its levels widened for few units by Student's t (Hesterberg 2015, "expanded"); it stands up to few successes. The other is the
 * studentised bootstrap of the logarithm (Hall 1988); it stands up to a heavy tail of cost. Neither alone keeps its promise over both.
 * Measured with log-normal costs, promised 95 %: 92 to 100 % for a log standard deviation of 1, 88 to 100 % for 1.5. For 2 it falls short, for no
 * resampling shows a tail that the sample has not met: 82 to 92 % with up to 100 tasks of which half or more succeed, about 90 to 95 % with 1,000.
 * A narrow interval of few tasks is then no sign of enough data: see isEnough in success.ts; of two none is shown, and of three no upper end (sample.ts).
 *
 * Fast for up to 1,000 units; above that hand in a few hundred groups (a hash of the task's id decides the group) with their sums.
 * A resample without any bottom counts as infinite.
 * @returns null where nothing can be said: fewer than two units, no bottom at all, or no top.
 * @throws RangeError on a number that is not finite, a negative bottom, or settings outside their bounds.
 */
export function bootstrapRatio(
  units: readonly Unit[],
  { confidence = 0.95, samples = 1000, seed = 1 }: Resampling = {},
): OpenInterval | null {
  const z = normalDeviate(confidence);
  if (!Number.isInteger(samples) || samples < 100 || samples > 100_000)
    throw new RangeError(`bootstrapRatio: samples must be a whole number from 100 to 100000: ${samples}`);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`bootstrapRatio: seed must be a whole number: ${seed}`);
  const scaled = scale(units);
  if (scaled === null) return null;
  const { pairs, n, ratio } = scaled;
  const { ratios, students } = resample(pairs, n, samples, generator(seed));

  // Influence of each unit on the logarithm of the ratio: top/Σtop − bottom/Σbottom.
  let squares = 0;
  let cubes = 0;
  for (let index = 0; index < 2 * n; index += 2) {
    const pull = at(pairs, index) - at(pairs, index + 1);
    squares += pull * pull;
    cubes += pull * pull * pull;
  }
  // Every unit has the same ratio, within rounding: there is no spread to draw from.
  if (squares < 1e-20) return { low: ratio, high: ratio };
  const acceleration = cubes / (6 * squares ** 1.5);
  const bent = accelerated(ratios, 1, acceleration, n, z);
  const error = Math.sqrt((squares * n) / (n - 1));
  const beyond = (1 - confidence) / 2;
  const farthest = ranked(students, 1 - beyond, Math.ceil);
  const least = Math.min(1, bent.low);
  // With few successes many resamples have none: then the logarithm says nothing about the lower end.
  const low = farthest === Infinity ? least : Math.min(least, Math.exp(-error * farthest));
  const high = Math.max(1, bent.high, Math.exp(-error * ranked(students, beyond, Math.floor)));
  return { low: ratio * low, high: high <= highMost ? ratio * high : null };
}

/** An end so many times the figure itself bounds nothing: there is none. */
const highMost = 1_000;

/** The units as shares of their sums, top and bottom in turn, so that the ratio of the sample is 1. */
function scale(units: readonly Unit[]): { pairs: Float64Array; n: number; ratio: number } | null {
  let top = 0;
  let bottom = 0;
  for (const unit of units) {
    if (!Number.isFinite(unit.top)) throw new RangeError(`bootstrapRatio: top must be a finite number: ${unit.top}`);
    if (!(unit.bottom >= 0 && unit.bottom < Infinity))
      throw new RangeError(`bootstrapRatio: bottom must be finite, zero or more: ${unit.bottom}`);
    top += unit.top;
    bottom += unit.bottom;
  }
  const n = units.length;
  if (n < 2 || bottom === 0 || top <= 0) return null;
  const pairs = new Float64Array(2 * n);
  for (const [index, unit] of units.entries()) {
    pairs[2 * index] = unit.top / top;
    pairs[2 * index + 1] = unit.bottom / bottom;
  }
  return { pairs, n, ratio: top / bottom };
}

/** Both statistics of every resample, each sorted: the ratio, and its logarithm over that logarithm's own standard error. */
function resample(pairs: Float64Array, n: number, samples: number, random: () => number): { ratios: Float64Array; students: Float64Array } {
  const ratios = new Float64Array(samples);
  const students = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample += 1) {
    let top = 0;
    let bottom = 0;
    let topSquares = 0;
    let bottomSquares = 0;
    let products = 0;
    for (let draw = 0; draw < n; draw += 1) {
      const index = ((random() * n) | 0) << 1;
      const x = pairs[index] as number;
      const y = pairs[index + 1] as number;
      top += x;
      bottom += y;
      topSquares += x * x;
      bottomSquares += y * y;
      products += x * y;
    }
    if (bottom <= 0) {
      ratios[sample] = Infinity;
      students[sample] = Infinity;
      continue;
    }
    ratios[sample] = top / bottom;
    if (top <= 0) {
      students[sample] = -Infinity;
      continue;
    }
    const variance = ((topSquares / (top * top) - (2 * products) / (top * bottom) + bottomSquares / (bottom * bottom)) * n) / (n - 1);
    // Below the rounding of its own terms a variance is none: one unit drawn again and again tells nothing of a spread.
    students[sample] = variance > 1e-14 ? Math.log(top / bottom) / Math.sqrt(variance) : 0;
  }
  return { ratios: ratios.sort(), students: students.sort() };
}

/**
 * BCa's ends among sorted resamples of the figure `value`, with levels widened for `n` units by Student's t.
 * @param acceleration Σpull³ / (6·(Σpull²)^1.5), of the units' influence on the figure.
 * @param z of the confidence.
 */
export function accelerated(sorted: Float64Array, value: number, acceleration: number, n: number, z: number): Interval {
  const bias = normalQuantile(Math.min(Math.max(shareBelow(sorted, value), shareMin), 1 - shareMin));
  const wide = Math.sqrt(n / (n - 1)) * studentQuantile(z, n - 1);
  const level = (deviate: number): number => {
    const shifted = bias + deviate;
    const bent = 1 - acceleration * shifted;
    return bent <= 0 ? (shifted > 0 ? 1 : 0) : normalCdf(bias + shifted / bent);
  };
  return { low: ranked(sorted, level(-wide), Math.floor), high: ranked(sorted, level(wide), Math.ceil) };
}

/** The share below `value`, ties counted half, kept off 0 and 1. */
function shareBelow(sorted: Float64Array, value: number): number {
  let below = 0;
  for (const entry of sorted) below += Math.abs(entry - value) < 1e-12 ? 0.5 : entry < value ? 1 : 0;
  const least = 1 / (sorted.length + 1);
  return Math.min(1 - least, Math.max(least, below / sorted.length));
}

/** The order statistic at `share`, rounded to the outside by the caller. */
export function ranked(sorted: Float64Array, share: number, round: (rank: number) => number): number {
  return at(sorted, Math.min(sorted.length, Math.max(1, round(share * (sorted.length + 1)))) - 1);
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

/** mulberry32: numbers from 0 to 1, 1 excluded, repeatable by seed. Not for secrets. */
export function generator(seed: number): () => number {
  // Kept as a signed integer: a larger one would be allocated anew at every step.
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * The z that a standard normal stays within with probability `confidence`: 1.959964 for 0.95.
 * @throws RangeError unless `confidence` is above 0 and at most 1 − 10⁻⁹.
 */
export function normalDeviate(confidence: number): number {
  if (!(confidence > 0 && confidence <= 1 - 1e-9))
    throw new RangeError(`confidence must be above 0 and below 1, such as 0.95: ${confidence}`);
  return normalQuantile((1 + confidence) / 2);
}
