// The change of a sum of products, divided over their factors by logarithmic means: additive LMDI-I. Not here: what the factors mean
// (drivers.ts), nor money: these are floats, which core/money.ts turns into amounts. Invariant: the parts add up to the change, as near as floats do.

/** One product at two times: a factor's values stand at the same place in both. */
export interface FactorCell {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * L(a, b) = (a − b) ÷ (ln a − ln b), L(a, a) = a, and 0 where either is 0. It lies between the geometric and the arithmetic mean.
 * @throws RangeError when a number is below zero or not finite.
 */
export function logarithmicMean(a: number, b: number): number {
  requireFactor(a, "logarithmicMean");
  requireFactor(b, "logarithmicMean");
  return b === 0 ? 0 : meanOf(b, logRatio((a - b) / b, a / b));
}

/**
 * ΔC_x = Σ_i L(C_i¹, C_i⁰) · ln(x_i¹ ÷ x_i⁰), a number for each factor x (Ang 2005). Zeros by their analytic limits (Wood and Lenzen 2006): where a
 * product appears or goes, its whole amount belongs to the factor that came from 0 or went there, in equal parts where several did.
 * @throws RangeError when a factor is below zero or not finite, or the cells are not of one shape.
 */
export function lmdi(cells: readonly FactorCell[]): number[] {
  return sumParts(cells, "lmdi", (before, after) => {
    for (const value of [...before, ...after]) requireFactor(value, "lmdi");
    const logs = before.map((was, index) => {
      const is = after[index] ?? 0;
      return was === is ? 0 : logRatio((is - was) / was, is / was);
    });
    return lmdiParts(productOf(before), productOf(after), logs);
  });
}

/**
 * The same of one product, from its amount at both times and ln(x¹ ÷ x⁰) of each factor: +∞ of one that was zero, −∞ of one that becomes zero, and
 * 0 of one that is zero in both. The logarithms may be finer than the amounts: the parts add up to what the logarithms say.
 */
export function lmdiParts(from: number, to: number, logs: readonly number[]): number[] {
  if (logs.every(Number.isFinite)) {
    const mean = meanOf(
      from,
      logs.reduce((sum, log) => sum + log, 0),
    );
    return logs.map((log) => mean * log);
  }
  if (from === to) return logs.map(() => 0);
  // One of the two is 0. Zeros that come or go together share alike.
  const cause = to > from ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const causes = logs.filter((log) => log === cause).length;
  return logs.map((log) => (log === cause ? (to - from) / causes : 0));
}

/** ln of a ratio that is also given as ratio − 1: the one is exact where it is near 1, the other where it is not. */
export function logRatio(change: number, ratio: number): number {
  return change > -0.5 && change < 1 ? Math.log1p(change) : Math.log(ratio);
}

/** Adds up the parts of all cells, factor by factor. @throws RangeError when the cells are not of one shape. */
export function sumParts(
  cells: readonly FactorCell[],
  name: string,
  partsOf: (before: readonly number[], after: readonly number[]) => readonly number[],
): number[] {
  const sums: number[] = Array.from({ length: cells[0]?.before.length ?? 0 }, () => 0);
  for (const [at, { before, after }] of cells.entries()) {
    if (before.length !== sums.length || after.length !== sums.length)
      throw new RangeError(
        `${name}: cell ${at} has ${before.length} factors before and ${after.length} after, the first has ${sums.length}`,
      );
    for (const [index, part] of partsOf(before, after).entries()) sums[index] = (sums[index] ?? 0) + part;
  }
  return sums;
}

/** L(b·e^log, b). */
function meanOf(b: number, log: number): number {
  return log === 0 ? b : b * (Math.expm1(log) / log);
}

function productOf(values: readonly number[]): number {
  return values.reduce((product, value) => product * value, 1);
}

function requireFactor(value: number, name: string): void {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name}: a factor is a finite number, zero or more: ${value}`);
}
