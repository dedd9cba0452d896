// How far a figure from a sample may be off: intervals for a proportion and for a ratio of sums, for every view. Not here: what the figures mean.
// Invariant: pure; the same input and seed give the same interval on every machine, and an interval never claims more than its sample holds.

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

/**
 * The z that a standard normal stays within with probability `confidence`: 1.959964 for 0.95. By Newton's steps on the distribution function.
 * @throws RangeError unless `confidence` is above 0 and at most 1 − 10⁻⁹.
 */
export function normalDeviate(confidence: number): number {
  if (!(confidence > 0 && confidence <= 1 - 1e-9))
    throw new RangeError(`confidence must be above 0 and below 1, such as 0.95: ${confidence}`);
  let z = 0;
  for (let step = 0; step < 60; step += 1) {
    const next = z + (confidence - within(z)) / (2 * density(z));
    if (Math.abs(next - z) < 1e-14 * next) return next;
    z = next;
  }
  return z;
}

/** P(|Z| ≤ z) = 2φ(z)·(z + z³/3 + z⁵/(3·5) + …): Marsaglia, J. Stat. Software 11(4), 2004. */
function within(z: number): number {
  let term = z;
  let total = z;
  for (let odd = 3; term > total * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    total += term;
  }
  return 2 * density(z) * total;
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}
