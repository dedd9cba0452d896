// The change of a sum of products, divided over their factors by Shapley values: each factor's effect, averaged over all orders in which the
// factors can change. The cross-check of lmdi.ts. Invariant: the parts add up to the change, as near as floats do.

import { type FactorCell, sumParts } from "./lmdi.ts";

/** Most factors of a product: six points integrate exactly what twelve factors make, a polynomial of degree eleven. */
export const shapleyFactorsMax = 12;

/**
 * The mean marginal effect over the n! orders, a number for each factor.
 * @throws RangeError when a factor is not finite, there are more than `shapleyFactorsMax`, or the cells are not of one shape.
 */
export function shapley(cells: readonly FactorCell[]): number[] {
  return sumParts(cells, "shapley", (before, after) => {
    if (![...before, ...after].every(Number.isFinite)) throw new RangeError("shapley: a factor is not a finite number");
    return shapleyParts(
      before,
      after.map((value, index) => value - (before[index] ?? 0)),
    );
  });
}

/**
 * The same of one product, from what each factor was and by how much it changed. Instead of 2ⁿ subsets: Owen's integral
 * φ_i = ∫₀¹ d_i · Π_{j≠i} (b_j + t·d_j) dt (Multilinear extensions of games, 1972), which for a product of n factors is that of a polynomial of
 * degree n − 1, and Gauss and Legendre's six points give it exactly up to degree 11.
 */
export function shapleyParts(before: readonly number[], change: readonly number[]): number[] {
  const count = before.length;
  if (count > shapleyFactorsMax) throw new RangeError(`shapley: at most ${shapleyFactorsMax} factors: ${count}`);
  const parts: number[] = Array.from({ length: count }, () => 0);
  const values: number[] = [];
  const ahead: number[] = [];
  for (const [at, weight] of points) {
    for (let index = 0; index < count; index += 1) values[index] = (before[index] ?? 0) + at * (change[index] ?? 0);
    // Products of all but one, without dividing: a factor may be 0.
    let product = weight;
    for (let index = 0; index < count; index += 1) {
      ahead[index] = product;
      product *= values[index] ?? 0;
    }
    let behind = 1;
    for (let index = count - 1; index >= 0; index -= 1) {
      parts[index] = (parts[index] ?? 0) + (change[index] ?? 0) * (ahead[index] ?? 0) * behind;
      behind *= values[index] ?? 0;
    }
  }
  return parts;
}

/** Abramowitz and Stegun, table 25.4, n = 6, moved from −1…1 to 0…1: place and weight. */
const points = [
  [0.2386191860831969, 0.46791393457269104],
  [0.6612093864662645, 0.3607615730481386],
  [0.9324695142031521, 0.17132449237917036],
].flatMap(([at = 0, weight = 0]): [number, number][] => [
  [(1 - at) / 2, weight / 2],
  [(1 + at) / 2, weight / 2],
]);
