// The standard normal distribution and Student's, whatever is estimated with them. Not here: intervals (interval.ts), log-normal costs (lognormal.ts).

/**
 * Φ(x), the standard normal distribution function; good to 1e-14, relatively so in the lower tail.
 * Near the middle 1/2 + φ(x)·(x + x³/3 + x⁵/(3·5) + …) (Marsaglia, Evaluating the Normal Distribution, J. Stat. Software 11(4), 2004), beyond two
 * Laplace's continued fraction (Abramowitz & Stegun 26.2.14).
 * @throws RangeError on NaN.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) throw new RangeError("normalCdf: x is not a number");
  if (x > 2) return 1 - normalCdf(-x);
  if (x < -2) return densityOf(x) / fractionOf(-x);
  let term = x;
  let series = x;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(series); k += 2) {
    term *= (x * x) / k;
    series += term;
  }
  return 0.5 + densityOf(x) * series;
}

/**
 * Φ⁻¹(p): x with Φ(x) = p; -Infinity at 0, Infinity at 1. By Newton's method on ln Φ, which is concave, so that it converges from wherever it begins.
 * @throws RangeError when p is no probability.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability is from 0 to 1: ${p}`);
  if (p === 0) return -Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  let x = p === 0.5 ? 0 : -Math.sqrt(-2 * Math.log(p));
  for (let step = Infinity, tries = 0; Math.abs(step) > 1e-15 * (1 + Math.abs(x)) && tries < 40; tries += 1) {
    // Below -2 the logarithm is taken of the factors: the product may be too small for a float.
    const isTail = x < -2;
    const log = isTail ? -(x * x) / 2 - Math.log(Math.sqrt(2 * Math.PI) * fractionOf(-x)) : Math.log(normalCdf(x));
    const slope = isTail ? fractionOf(-x) : densityOf(x) / normalCdf(x);
    step = (Math.log(p) - log) / slope;
    x += step;
  }
  return x;
}

/** φ(x). */
function densityOf(x: number): number {
  return Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** φ(x)/Φ(−x) = x + 1/(x + 2/(x + 3/(x + …))), for x of 2 or more: there 80 terms are exact to the last bit. */
function fractionOf(x: number): number {
  let fraction = x;
  for (let k = 80; k > 0; k -= 1) fraction = x + k / fraction;
  return fraction;
}

/** Student's t from the normal z of the same probability, with `free` degrees of freedom, by Cornish and Fisher: Abramowitz & Stegun 26.7.5. */
export function studentQuantile(z: number, free: number): number {
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / free + second / free ** 2 + third / free ** 3;
}
