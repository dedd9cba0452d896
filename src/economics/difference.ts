// Differences between two samples: of success rates and of mean costs, with their intervals, and the exact sign test. Not here: what follows from
// them (compare.ts). Invariant: swapping the samples swaps and negates the ends; nothing is random.

import { type Interval, normalDeviate, wilson } from "./interval.ts";

/** `error`: the standard error of `mean`. */
export interface Estimate extends Interval {
  readonly mean: number;
  readonly error: number;
}

/**
 * Exact two-sided sign test: min(1, 2·P(X ≤ min(wins, losses))), X ~ Binomial(wins + losses, ½). With one try each it is McNemar's exact test on
 * the discordant pairs.
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses;
  let k = Math.min(wins, losses);
  let log = -n * Math.LN2;
  for (let i = 1; i <= k; i += 1) log += Math.log((n - k + i) / i);
  let term = Math.exp(log);
  let tail = 0;
  for (; k >= 0 && term > tail * 1e-17; k -= 1) {
    tail += term;
    term *= k / (n - k + 1);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Interval of the difference of two success rates: Wilson's intervals squared and added, less their correlation φ where paired (Newcombe, Statistics in
 * Medicine 17 (1998), 873–890 and 2635–2650: method 10 of both). Rates are per task, 0..1: 0 or 1 with one try; a fraction with several, and then the
 * interval is wider than it need be. Nothing on a side: −1..1.
 */
export function difference(first: readonly number[], second: readonly number[], paired: boolean, confidence: number): Interval {
  if (first.length === 0 || second.length === 0) return { low: -1, high: 1 };
  const [a, b] = [side(first, confidence), side(second, confidence)];
  const phi = paired ? correlation(first, second) : 0;
  const reach = (up: number, down: number): number => Math.sqrt(Math.max(0, up ** 2 - 2 * phi * up * down + down ** 2));
  const gap = a.rate - b.rate;
  return { low: gap - reach(a.rate - a.low, b.high - b.rate), high: gap + reach(a.high - a.rate, b.rate - b.low) };
}

function side(rates: readonly number[], confidence: number): Interval & { readonly rate: number } {
  const total = Math.min(rates.length, sumOf(rates));
  return { rate: total / rates.length, ...wilson(total, rates.length, confidence) };
}

/** φ with Newcombe's correction for continuity; with fractions its variance is taken as that of 0 and 1, which makes it smaller. */
function correlation(first: readonly number[], second: readonly number[]): number {
  const n = first.length;
  const [a, b] = [sumOf(first), sumOf(second)];
  const both = sumOf(first.map((rate, index) => rate * (second[index] as number)));
  const spread = a * (n - a) * b * (n - b);
  const joint = n * both - a * b;
  if (spread <= 0) return 0;
  return (joint > 0 ? Math.max(0, joint - n / 2) : joint) / Math.sqrt(spread);
}

/**
 * First less second, of mean costs. `money`: Student's interval of the mean difference (Welch's where not paired). `logs`: of the difference of the
 * logarithms of the means if costs are log-normal, mean log + half its variance (Cox), with the error that each task's own pull on that figure gives;
 * null where a cost is zero or below. At least two costs on each side, as many on both where paired. Measured, promised 95 %: of 150 shared tasks with
 * log-normal costs `money` holds in 90 to 95 % where the log standard deviation is 1 and failed runs are three times as dear.
 */
export function differenceOfMeans(
  first: readonly number[],
  second: readonly number[],
  paired: boolean,
  confidence: number,
): { readonly money: Estimate; readonly logs: Estimate | null } {
  const money = student(first, second, paired, confidence);
  if (first.some((cost) => cost <= 0) || second.some((cost) => cost <= 0)) return { money, logs: null };
  return { money, logs: student(pulls(first), pulls(second), paired, confidence) };
}

/** One value per cost; their mean is mean log + half the variance of the logs. */
function pulls(costs: readonly number[]): number[] {
  const logs = costs.map(Math.log);
  const middle = sumOf(logs) / logs.length;
  const half = logs.length / (2 * (logs.length - 1));
  return logs.map((log) => log + half * (log - middle) ** 2);
}

function student(first: readonly number[], second: readonly number[], paired: boolean, confidence: number): Estimate {
  const mean = sumOf(first) / first.length - sumOf(second) / second.length;
  let error: number;
  let freedom: number;
  if (paired) {
    error = Math.sqrt(varianceOfMean(first.map((value, index) => value - (second[index] as number))));
    freedom = first.length - 1;
  } else {
    const [a, b] = [varianceOfMean(first), varianceOfMean(second)];
    error = Math.sqrt(a + b);
    freedom = a + b === 0 ? 1 : (a + b) ** 2 / (a ** 2 / (first.length - 1) + b ** 2 / (second.length - 1));
  }
  const half = studentDeviate(confidence, freedom) * error;
  return { mean, error, low: mean - half, high: mean + half };
}

function varianceOfMean(values: readonly number[]): number {
  const mean = sumOf(values) / values.length;
  return sumOf(values.map((value) => (value - mean) ** 2)) / (values.length - 1) / values.length;
}

/**
 * Student's t within ± which a share `confidence` lies, by the expansion of Fisher & Cornish (Technometrics 2, 1960): to 1 in 1,000 from five degrees of
 * freedom on, at 95 %.
 */
export function studentDeviate(confidence: number, freedom: number): number {
  const z = normalDeviate(confidence);
  const [z3, z5, z7, z9] = [z ** 3, z ** 5, z ** 7, z ** 9];
  return (
    z +
    (z3 + z) / (4 * freedom) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom ** 3) +
    (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * freedom ** 4)
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
