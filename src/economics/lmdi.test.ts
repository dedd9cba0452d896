import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FactorCell, lmdi, lmdiParts, logarithmicMean } from "./lmdi.ts";

/** ../shared/reference/economics.md §7: 1,000 tasks become 1,200; share, tokens a task, dollars a token of A and B. */
const goldenCells: readonly FactorCell[] = [
  { before: [1000, 0.8, 1000, 3e-6], after: [1200, 0.6, 1100, 3e-6] },
  { before: [1000, 0.2, 2000, 15e-6], after: [1200, 0.4, 1800, 10e-6] },
];

const factor = fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true }));
const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
const cellsOf = (value: fc.Arbitrary<number>): fc.Arbitrary<FactorCell[]> =>
  fc.integer({ min: 1, max: 6 }).chain((count) => {
    const values = fc.array(value, { minLength: count, maxLength: count });
    return fc.array(fc.record({ before: values, after: values }), { minLength: 1, maxLength: 5 });
  });

/** How far the middle factor's part is from its limit where a small number stands for zero. */
function offBy(small: number): number {
  const [from, to] = [10 * small * 2, 20 * 5 * 3];
  const part = ((to - from) / (Math.log(to) - Math.log(from))) * Math.log(5 / small);
  return Math.abs(part - (lmdi([{ before: [10, 0, 2], after: [20, 5, 3] }])[1] ?? 0));
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

describe("logarithmicMean", () => {
  it.each([
    [5, 5, 5],
    [0, 3, 0],
    [3, 0, 0],
    [0, 0, 0],
    [Math.E, 1, Math.E - 1],
    [1, 4, 3 / Math.log(4)],
  ])("of %f and %f is %f", (a, b, mean) => {
    expect(logarithmicMean(a, b)).toBeCloseTo(mean, 12);
  });

  it("is symmetric, and between the geometric and the arithmetic mean, also of numbers that are all but equal", () => {
    fc.assert(
      fc.property(positive, fc.oneof(positive, fc.double({ min: -1e-9, max: 1e-9, noNaN: true })), (a, other) => {
        const b = other >= 1e-6 ? other : a * (1 + other);
        const mean = logarithmicMean(a, b);
        expect(Math.abs(mean - logarithmicMean(b, a))).toBeLessThanOrEqual(1e-12 * mean);
        expect(mean).toBeGreaterThanOrEqual(Math.sqrt(a * b) * (1 - 1e-12));
        expect(mean).toBeLessThanOrEqual(((a + b) / 2) * (1 + 1e-12));
      }),
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses %f", (value) => {
    expect(() => logarithmicMean(value, 1)).toThrow(RangeError);
    expect(() => logarithmicMean(1, value)).toThrow(RangeError);
  });
});

describe("lmdi", () => {
  it("golden vector of the reference: 8.4 becomes 11.016 dollars", () => {
    const [volume, mix, tokens, price] = lmdi(goldenCells);
    expect(volume).toBeCloseTo(1.75538, 6);
    expect(mix).toBeCloseTo(4.331376, 6);
    expect(tokens).toBeCloseTo(-0.535207, 6);
    expect(price).toBeCloseTo(-2.935549, 6);
    expect(lmdi(goldenCells).reduce((a, b) => a + b)).toBeCloseTo(2.616, 12);
  });

  it.each<[string, FactorCell, number[]]>([
    ["what appears belongs to the factor that was zero", { before: [10, 0, 2], after: [20, 5, 3] }, [0, 300, 0]],
    ["what goes belongs to the factor that becomes zero", { before: [10, 5, 2], after: [20, 5, 0] }, [0, 0, -100]],
    ["two that appear share alike", { before: [0, 0, 2], after: [4, 5, 3] }, [30, 30, 0]],
    ["zero to zero is no change, whatever else", { before: [0, 3], after: [0, 9] }, [0, 0]],
    ["one appears while another goes: nothing, as before", { before: [0, 3], after: [2, 0] }, [0, 0]],
    ["a factor of zero in both, with one that appears", { before: [0, 0, 3], after: [0, 2, 3] }, [0, 0, 0]],
  ])("%s", (_, cell, parts) => {
    expect(lmdi([cell])).toEqual(parts);
  });

  it("has the limits of ever smaller substitutes for zero", () => {
    // L(C, ε)·ln(x/ε) tends to C as 1/ln ε does: near is enough, and nearer with a smaller ε.
    // L(C, ε)·ln(x/ε) tends to C as 1/ln ε does: near is enough, and nearer with a smaller ε.
    expect(offBy(1e-250)).toBeLessThan(1);
    expect(offBy(1e-250)).toBeLessThan(offBy(1e-25) / 9);
  });

  it("adds up to the change, with zeros anywhere", () => {
    fc.assert(
      fc.property(cellsOf(factor), (cells) => {
        const change = cells.reduce((sum, { before, after }) => sum + product(after) - product(before), 0);
        const scale = cells.reduce((sum, { before, after }) => sum + product(after) + product(before), 0);
        const parts = lmdi(cells).reduce((a, b) => a + b, 0);
        expect(Math.abs(parts - change)).toBeLessThanOrEqual(1e-11 * scale);
      }),
    );
  });

  it("mirrors in time, and follows its factors where they stand", () => {
    fc.assert(
      fc.property(cellsOf(factor), (cells) => {
        const parts = lmdi(cells);
        const scale = 1e-11 * cells.reduce((sum, { before, after }) => sum + product(after) + product(before), 0);
        const back = lmdi(cells.map(({ before, after }) => ({ before: after, after: before })));
        const turned = lmdi(cells.map(({ before, after }) => ({ before: before.toReversed(), after: after.toReversed() }))).toReversed();
        for (const [index, part] of parts.entries()) {
          expect(Math.abs(part + (back[index] ?? 0))).toBeLessThanOrEqual(scale * 20);
          expect(Math.abs(part - (turned[index] ?? 0))).toBeLessThanOrEqual(scale * 20);
        }
      }),
    );
  });

  it("sees a change that a difference of floats would lose", () => {
    expect(lmdiParts(1e18, 1e18, [1e-18, 0])).toEqual([1, 0]);
  });

  it("has nothing to say of nothing", () => {
    expect(lmdi([])).toEqual([]);
  });

  it.each<[string, FactorCell[]]>([
    ["a negative factor", [{ before: [1, -1], after: [1, 1] }]],
    ["what is no number", [{ before: [1], after: [Number.NaN] }]],
    ["two times of two shapes", [{ before: [1, 2], after: [1] }]],
    [
      "cells of two shapes",
      [
        { before: [1], after: [1] },
        { before: [1, 2], after: [1, 2] },
      ],
    ],
  ])("refuses %s", (_, cells) => {
    expect(() => lmdi(cells)).toThrow(RangeError);
  });
});
