// Costs that are log-normal, as costs per run and per customer roughly are: what such a spread means for top shares and for caps, and which one fits
// the data. Not here: what customers did cost (whales.ts). All of it is a model's word: estimates, in floats where they are ratios, rounded once
// where they are money.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import { normalCdf, normalQuantile, studentQuantile } from "./normal.ts";

/** Gini coefficient of a log-normal: 2Φ(σ/√2) − 1. */
export function lognormalGini(sigma: number): number {
  checkSigma(sigma);
  return 2 * normalCdf(sigma / Math.SQRT2) - 1;
}

/** Share of the whole that the top `top` have (0.01 is 1 %): 1 − Φ(Φ⁻¹(1 − top) − σ). */
export function lognormalTopShare(sigma: number, top: number): number {
  checkSigma(sigma);
  checkTop(top);
  return normalCdf(sigma + normalQuantile(top));
}

/**
 * σ at which the top `top` have `share` of the whole: Φ⁻¹(share) − Φ⁻¹(top).
 * @throws RangeError when the top would have less than an even share: no spread does that.
 */
export function sigmaOfTopShare(top: number, share: number): number {
  checkTop(top);
  if (!(share >= top && share < 1)) {
    throw new RangeError(`the share of the top ${top} is from ${top} (all alike) to below 1: ${share}`);
  }
  return normalQuantile(share) - normalQuantile(top);
}

/** What lies above a cap, and what is left below it. */
export interface Capped {
  /** P(U > K): the part of customers (runs, …) that would go above the cap. */
  readonly probability: number;
  /** The part of all cost that is theirs. */
  readonly costShare: number;
  /** E[(U − K)⁺] per customer: cost above the cap. An estimate. */
  readonly excessPico: Pico;
  /** E[min(U, K)] per customer; with `excessPico` it adds up to the mean. An estimate. */
  readonly cappedPico: Pico;
}

/**
 * A cap K on each of costs U ~ LogNormal(μ, σ) of mean m = e^(μ + σ²/2): d2 = (μ − ln K)/σ, d1 = d2 + σ; P(U > K) = Φ(d2), their cost share Φ(d1),
 * E[(U − K)⁺] = mΦ(d1) − KΦ(d2).
 * @throws RangeError when the mean is not above zero, the cap is below zero, or σ is.
 */
export function cap(costs: { readonly meanPico: Pico; readonly sigma: number }, capPico: Pico): Capped {
  const { meanPico, sigma } = costs;
  checkSigma(sigma);
  if (meanPico <= 0n) throw new RangeError(`the mean cost is above zero: ${meanPico} picodollars`);
  if (capPico < 0n) throw new RangeError(`a cap is zero or more: ${capPico} picodollars`);
  const { probability, costShare, excess } = above(Number(capPico) / Number(meanPico), sigma);
  const excessPico = toPico(divideHalfEven(meanPico * BigInt(Math.round(excess * 2 ** 53)), 2n ** 53n));
  return { probability, costShare, excessPico, cappedPico: toPico(meanPico - excessPico) };
}

/** An estimate and where it lies with the confidence asked for. */
export interface Estimate<T> {
  readonly value: T;
  readonly low: T;
  readonly high: T;
}

export interface Fit {
  /** Costs above zero: those the fit is of. */
  readonly count: number;
  /** Costs of exactly zero. They have no logarithm and stay apart. */
  readonly zeros: number;
  /** μ: the mean of the natural logarithms of dollars. */
  readonly mu: Estimate<number>;
  /** σ: their standard deviation, by n − 1. */
  readonly sigma: Estimate<number>;
  /** Mean of the fitted distribution, e^(μ + σ²/2), zeros left out: not the mean of the data. Null: too large to be an amount. */
  readonly meanPico: Estimate<Pico> | null;
}

/** Fewer costs than this say nothing of a spread, and the intervals' approximations do not hold. */
export const fitCountMin = 5;

/**
 * μ and σ of the log-normal that costs come from, by their logarithms. Intervals: μ by Student's t, σ by χ², the mean by Cox's method with t (Olsson,
 * J. Statistics Education 13(1), 2005); quantiles of t and χ² by Abramowitz & Stegun 26.7.5 and 26.4.17. Measured at 95 %: μ and σ hold 94 to 96 %
 * from five costs on; the mean 94 % of 30, 92 to 94 % of ten and 90 to 93 % of five, σ from 2 to 1.
 * @returns null when fewer than `fitCountMin` costs are above zero, or when all of them are equal: they have no spread to speak of.
 * @throws RangeError on a cost below zero, or a confidence that is not between 0 and 1.
 */
export function fitLognormal(costs: readonly Pico[], confidence = 0.95): Fit | null {
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`a confidence is between 0 and 1: ${confidence}`);
  const below = costs.find((cost) => cost < 0n);
  if (below !== undefined) throw new RangeError(`a log-normal has no costs below zero; keep credits apart: ${below} picodollars`);
  const logs = costs.filter((cost) => cost > 0n).map((cost) => Math.log(Number(cost)) - Math.log(1e12));
  const count = logs.length;
  if (count < fitCountMin || logs.every((log) => log === logs[0])) return null;
  const mu = logs.reduce((a, b) => a + b, 0) / count;
  const variance = logs.reduce((a, log) => a + (log - mu) ** 2, 0) / (count - 1);
  const sigma = Math.sqrt(variance);
  const z = normalQuantile((1 + confidence) / 2);
  const free = count - 1;
  const t = studentQuantile(z, free);
  const muHalf = (t * sigma) / Math.sqrt(count);
  const meanLog = mu + variance / 2;
  const meanHalf = t * Math.sqrt(variance / count + variance ** 2 / (2 * free));
  const mean = [meanLog, meanLog - meanHalf, meanLog + meanHalf].map((log) => Math.exp(log) * 1e12);
  const [value, low, high] = mean.every(Number.isFinite) ? mean.map((pico) => toPico(BigInt(Math.round(pico)))) : [];
  return {
    count,
    zeros: costs.length - count,
    mu: { value: mu, low: mu - muHalf, high: mu + muHalf },
    sigma: { value: sigma, low: sigma * Math.sqrt(free / chiQuantile(z, free)), high: sigma * Math.sqrt(free / chiQuantile(-z, free)) },
    meanPico: value === undefined || low === undefined || high === undefined ? null : { value, low, high },
  };
}

/** Of a cap `ratio` times the mean, all in means. */
function above(ratio: number, sigma: number): { readonly probability: number; readonly costShare: number; readonly excess: number } {
  if (ratio === 0) return { probability: 1, costShare: 1, excess: 1 };
  if (sigma === 0) {
    const part = ratio < 1 ? 1 : 0;
    return { probability: part, costShare: part, excess: Math.max(0, 1 - ratio) };
  }
  const d2 = -Math.log(ratio) / sigma - sigma / 2;
  const probability = normalCdf(d2);
  const costShare = normalCdf(d2 + sigma);
  return { probability, costShare, excess: Math.min(1, Math.max(0, 1 - ratio, costShare - ratio * probability)) };
}

/** χ² from the normal z of the same probability (Wilson and Hilferty); `free` degrees of freedom. */
function chiQuantile(z: number, free: number): number {
  const step = 2 / (9 * free);
  return free * Math.max(0, 1 - step + z * Math.sqrt(step)) ** 3;
}

function checkSigma(sigma: number): void {
  if (!(sigma >= 0 && Number.isFinite(sigma))) throw new RangeError(`sigma is a number, zero or more: ${sigma}`);
}

function checkTop(top: number): void {
  if (!(top > 0 && top < 1)) throw new RangeError(`a top share is between 0 and 1 (0.01 is 1 %): ${top}`);
}
