// Agents whose true costs and success rates are known, for tests that want them back: a simulator of a few lines that shares no code with what it
// tests, randomness included. Not here: what is right. Invariant: all of it follows from the seed, and truths are formulas, never samples.

/** What one try of an agent costs and brings. Costs are log-normal, in dollars; failed runs are dearer by a factor. */
export interface Agent {
  /** Half of its successful runs cost less. */
  readonly median: number;
  /** Standard deviation of the cost's logarithm. */
  readonly sigma: number;
  readonly failureFactor: number;
  /** How often it succeeds at a task of which it is known how hard it is: a + b·ease, ease uniform from 0 to 1. */
  readonly rate: readonly [a: number, b: number];
}

export interface Tried {
  readonly success: boolean;
  readonly cost: number;
}

/** SFC32, by Chris Doty-Humphrey: numbers from 0 to 1, 1 excluded. */
export function chance(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, 0x2545f491, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 20; warm += 1) next();
  return next;
}

/** Marsaglia's polar method. */
export function normal(random: () => number): number {
  for (;;) {
    const [u, v] = [2 * random() - 1, 2 * random() - 1];
    const square = u * u + v * v;
    if (square > 0 && square < 1) return u * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** One try at a task of this ease, 0 to 1. */
export function attempt({ median, sigma, failureFactor, rate: [a, b] }: Agent, ease: number, random: () => number): Tried {
  const success = random() < a + b * ease;
  return { success, cost: median * Math.exp(sigma * normal(random)) * (success ? 1 : failureFactor) };
}

/** What holds of an agent over all tasks: eases are uniform. */
export function truthOf({ median, sigma, failureFactor, rate: [a, b] }: Agent): {
  readonly rate: number;
  readonly cost: number;
  readonly perSuccess: number;
} {
  const rate = a + b / 2;
  const cost = median * Math.exp(sigma ** 2 / 2) * (rate + failureFactor * (1 - rate));
  return { rate, cost, perSuccess: cost / rate };
}

/**
 * P(success at the n-th try | n − 1 failures) where each try at one task succeeds with the ease of that task, uniform: E[e·(1−e)ⁿ⁻¹] / E[(1−e)ⁿ⁻¹],
 * which is 1 / (n + 1): a half, a third, a quarter.
 */
export const truthOfTry = (n: number): number => 1 / (n + 1);

/** Of so many repetitions of an interval that holds as often as promised, those that hold at the least but once in a thousand experiments. */
export function leastHeld(repetitions: number, promised = 0.95): number {
  return Math.floor(repetitions * promised - 3.09 * Math.sqrt(repetitions * promised * (1 - promised)));
}
