import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { difference, differenceOfMeans, signTest, studentDeviate } from "./difference.ts";

const yesNo = (yes: number, no: number): number[] => [...Array<number>(yes).fill(1), ...Array<number>(no).fill(0)];

describe("the exact sign test", () => {
  it("is the sum of binomial coefficients", () => {
    // 2 · (1 + 12 + 66) / 2¹², by hand.
    expect(signTest(10, 2)).toBeCloseTo(158 / 4096, 12);
    expect(signTest(5, 0)).toBeCloseTo(0.0625, 12);
    expect(signTest(0, 6)).toBeCloseTo(0.03125, 12);
    expect(signTest(0, 0)).toBe(1);
    expect(signTest(7, 7)).toBe(1);
  });

  it("equals whole-number arithmetic", () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.nat({ max: 60 }), (wins, losses) => {
        const n = BigInt(wins + losses);
        let coefficient = 1n;
        let tail = 0n;
        for (let i = 0n; i <= BigInt(Math.min(wins, losses)); i += 1n) {
          tail += coefficient;
          coefficient = (coefficient * (n - i)) / (i + 1n);
        }
        const exact = Math.min(1, Number((2n * tail * 10n ** 15n) / 2n ** n) / 1e15);
        expect(signTest(wins, losses)).toBeCloseTo(exact, 11);
      }),
    );
  });
});

describe("the interval of a difference of rates", () => {
  it("is Newcombe's published one, not paired", () => {
    const one = difference(yesNo(56, 14), yesNo(48, 32), false, 0.95);
    expect(one.low).toBeCloseTo(0.0524, 4);
    expect(one.high).toBeCloseTo(0.3339, 4);
    expect(difference(yesNo(10, 0), yesNo(0, 10), false, 0.95).low).toBeCloseTo(0.6075, 4);
  });

  it.each([
    [36, 12, 2, 0, 0.0569, 0.3404],
    [20, 12, 2, 16, 0.0562, 0.3292],
    [36, 14, 0, 0, 0.1528, 0.4167],
    [18, 14, 0, 18, 0.1441, 0.3963],
    [54, 0, 0, 0, -0.0664, 0.0664],
    [30, 0, 0, 24, -0.0358, 0.0358],
  ])("is Newcombe's published one, paired: %i both, %i and %i one alone, %i neither", (both, one, other, neither, low, high) => {
    const first = [...yesNo(both + one, 0), ...yesNo(0, other + neither)];
    const second = [...yesNo(both, one), ...yesNo(other, neither)];
    const interval = difference(first, second, true, 0.95);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it("says nothing of nothing", () => {
    expect(difference([], [1], false, 0.95)).toEqual({ low: -1, high: 1 });
  });

  it("holds its difference, stays within −1..1, and is mirrored by a swap", () => {
    const rate = fc.constantFrom<number>(0, 0.5, 1);
    const rates = fc.array(fc.tuple(rate, rate), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(rates, fc.boolean(), (pairs, paired) => {
        const [a, b] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
        const one = difference(a, b, paired, 0.95);
        const other = difference(b, a, paired, 0.95);
        const gap = (a.reduce((x, y) => x + y, 0) - b.reduce((x, y) => x + y, 0)) / pairs.length;
        expect(one.low).toBeLessThanOrEqual(gap + 1e-12);
        expect(one.high).toBeGreaterThanOrEqual(gap - 1e-12);
        expect(one.low).toBeGreaterThanOrEqual(-1 - 1e-9);
        expect(one.high).toBeLessThanOrEqual(1 + 1e-9);
        expect(other.low).toBeCloseTo(-one.high, 12);
        expect(other.high).toBeCloseTo(-one.low, 12);
      }),
    );
  });
});

describe("the difference of mean costs", () => {
  it("is Student's, paired", () => {
    // Differences 1, 2, 3, 4, 5: mean 3, standard error √(2.5 / 5); t with four degrees of freedom is 2.776.
    const { money } = differenceOfMeans([2, 4, 6, 8, 10], [1, 2, 3, 4, 5], true, 0.95);
    expect(money.mean).toBe(3);
    expect(money.high - 3).toBeCloseTo(2.776 * Math.sqrt(0.5), 2);
  });

  it("has no logarithm of nothing", () => {
    expect(differenceOfMeans([0, 1, 2], [1, 2, 3], true, 0.95).logs).toBeNull();
  });

  it("takes a factor for what it is, in the ratio", () => {
    const costs = [1, 3, 2, 9, 4, 4, 30];
    const tripled = costs.map((cost) => 3 * cost);
    const { logs } = differenceOfMeans(tripled, costs, true, 0.95);
    expect(Math.exp(logs?.mean ?? 0)).toBeCloseTo(3, 9);
    expect(logs?.error).toBeCloseTo(0, 9);
  });

  it("has Student's deviates of the tables", () => {
    expect(studentDeviate(0.95, 5)).toBeCloseTo(2.5706, 2);
    expect(studentDeviate(0.95, 10)).toBeCloseTo(2.2281, 3);
    expect(studentDeviate(0.95, 30)).toBeCloseTo(2.0423, 4);
    expect(studentDeviate(0.99, 10)).toBeCloseTo(3.1693, 2);
  });
});
