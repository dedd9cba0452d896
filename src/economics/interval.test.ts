import { assert, nat, pre, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { normalDeviate, wilson } from "./interval.ts";

describe("Wilson's interval", () => {
  // By hand: with no success the far end is z²/(n + z²), z² = 3.8414588; with nothing but successes its mirror image.
  it.each([
    [0, 10, 0, 0.2775328],
    [10, 10, 0.7224672, 1],
    [0, 1, 0, 0.7934507],
  ])("%i of %i", (successes, n, low, high) => {
    const interval = wilson(successes, n);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  });

  it("ends where the observed rate is z standard errors away, as the score test has it", () => {
    for (const [successes, n] of [
      [8, 10],
      [1, 30],
      [437, 1000],
    ] as const)
      for (const end of Object.values(wilson(successes, n)))
        expect(Math.abs(successes / n - end) / Math.sqrt((end * (1 - end)) / n)).toBeCloseTo(1.959964, 6);
  });

  it("knows nothing where nothing was seen", () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it("holds the observed rate, stays within 0..1, mirrors, and narrows with n", () => {
    assert(
      property(nat(500), nat(500), (successes, failures) => {
        const n = successes + failures;
        pre(n > 0);
        const { low, high } = wilson(successes, n);
        const mirror = wilson(failures, n);
        const more = wilson(successes * 4, n * 4);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / n);
        expect(high).toBeGreaterThanOrEqual(successes / n);
        expect(low + mirror.high).toBeCloseTo(1, 12);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });

  it.each([
    [-1, 3],
    [4, 3],
    [Number.NaN, 3],
    [1, Number.NaN],
    [1, Infinity],
  ])("refuses %s of %s", (successes, n) => {
    expect(() => wilson(successes, n)).toThrow(RangeError);
  });

  it.each([0, 1, -0.5, 95, Number.NaN])("refuses the confidence %s", (confidence) => {
    expect(() => wilson(1, 2, confidence)).toThrow(/such as 0\.95/);
  });
});

// Tables of the normal distribution.
it.each([
  [0.5, 0.6744897501960817],
  [0.8, 1.2815515655446004],
  [0.9, 1.6448536269514722],
  [0.95, 1.959963984540054],
  [0.99, 2.5758293035489004],
  [0.999, 3.290526731491931],
])("%d of a normal lies within z = %d", (confidence, z) => {
  expect(normalDeviate(confidence)).toBeCloseTo(z, 11);
});
