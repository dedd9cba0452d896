import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FactorCell } from "./lmdi.ts";
import { shapley, shapleyFactorsMax } from "./shapley.ts";

/** ../shared/reference/economics.md §7: 1,000 tasks become 1,200; share, tokens a task, dollars a token of A and B. */
const goldenCells: readonly FactorCell[] = [
  { before: [1000, 0.8, 1000, 3e-6], after: [1200, 0.6, 1100, 3e-6] },
  { before: [1000, 0.2, 2000, 15e-6], after: [1200, 0.4, 1800, 10e-6] },
];

const value = fc.oneof(fc.constant(0), fc.double({ min: -100, max: 100, noNaN: true }));
const cellsOf = (count: number): fc.Arbitrary<FactorCell[]> => {
  const values = fc.array(value, { minLength: count, maxLength: count });
  return fc.array(fc.record({ before: values, after: values }), { minLength: 1, maxLength: 3 });
};

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

function ordersOf(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => ordersOf(items.filter((other) => other !== item)).map((rest) => [item].concat(rest)));
}

/** By the definition: lets the factors change in every order, one at a time. */
function byOrders(cells: readonly FactorCell[], count: number): number[] {
  const orders = ordersOf([...Array(count).keys()]);
  const sums: number[] = Array.from({ length: count }, () => 0);
  for (const order of orders)
    for (const { before, after } of cells) {
      const now = [...before];
      for (const index of order) {
        const was = product(now);
        now[index] = after[index] ?? 0;
        sums[index] = (sums[index] ?? 0) + (product(now) - was) / orders.length;
      }
    }
  return sums;
}

/** By subsets: weight |S|!(n−|S|−1)!/n! for each set without the factor. */
function bySubsets({ before, after }: FactorCell): number[] {
  const count = before.length;
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const worth = (set: number): number => product(before.map((was, index) => ((set >> index) & 1 ? (after[index] ?? 0) : was)));
  return before.map((_, index) => {
    let part = 0;
    for (let set = 0; set < 1 << count; set += 1) {
      if ((set >> index) & 1) continue;
      const size = set.toString(2).replaceAll("0", "").length;
      part += ((factorial(size) * factorial(count - size - 1)) / factorial(count)) * (worth(set | (1 << index)) - worth(set));
    }
    return part;
  });
}

describe("shapley", () => {
  it("golden vector of the reference: 8.4 becomes 11.016 dollars", () => {
    const [volume, mix, tokens, price] = shapley(goldenCells);
    expect(volume).toBeCloseTo(1.83, 10);
    expect(mix).toBeCloseTo(4.509333, 6);
    expect(tokens).toBeCloseTo(-0.58, 10);
    expect(price).toBeCloseTo(-3.143333, 6);
  });

  it("is the mean over all 24 orders of four factors", () => {
    fc.assert(
      fc.property(cellsOf(4), (cells) => {
        const wanted = byOrders(cells, 4);
        for (const [index, part] of shapley(cells).entries()) expect(Math.abs(part - (wanted[index] ?? 0))).toBeLessThan(1e-4);
      }),
    );
  });

  it.each([1, 2, 3, 5, 8, 10, 11, shapleyFactorsMax])("is exact for %i factors", (count) => {
    // Of a size that leaves no room for a wrong point or weight: all values between 0.5 and 2.
    const cell = {
      before: Array.from({ length: count }, (_, index) => 0.5 + ((index * 7) % 11) / 10),
      after: Array.from({ length: count }, (_, index) => 2 - ((index * 5) % 13) / 10),
    };
    const wanted = bySubsets(cell);
    for (const [index, part] of shapley([cell]).entries()) expect(part).toBeCloseTo(wanted[index] ?? 0, 10);
  });

  it("adds up to the change, mirrors in time, and gives nothing to what did not change", () => {
    fc.assert(
      fc.property(cellsOf(6), (cells) => {
        const still = cells.map(({ before, after }) => ({ before: [...before, 3], after: [...after, 3] }));
        const parts = shapley(still);
        const change = still.reduce((sum, { before, after }) => sum + product(after) - product(before), 0);
        const scale = 1e-11 * 100 ** 6 * 3;
        expect(Math.abs(parts.reduce((a, b) => a + b, 0) - change)).toBeLessThan(scale);
        expect(Math.abs(parts[6] ?? 1)).toBe(0);
        const back = shapley(still.map(({ before, after }) => ({ before: after, after: before })));
        for (const [index, part] of parts.entries()) expect(Math.abs(part + (back[index] ?? 0))).toBeLessThan(scale);
      }),
    );
  });

  it("refuses too many factors, cells of two shapes, and what is no number", () => {
    const many = Array.from({ length: shapleyFactorsMax + 1 }, () => 1);
    expect(() => shapley([{ before: many, after: many }])).toThrow(RangeError);
    expect(() => shapley([{ before: [1], after: [1, 2] }])).toThrow(RangeError);
    expect(() => shapley([{ before: [1], after: [Number.NaN] }])).toThrow(RangeError);
  });
});
