import { array, assert, bigInt, double, property } from "fast-check";
import { expect, it } from "vitest";
import { toPico } from "../core/money.ts";
import { nearestRank, quantilesOf, sortPico } from "./quantile.ts";

const upTo = (n: number) => Array.from({ length: n }, (_, index) => toPico(BigInt(n - index)));

it("takes the amount of the rank, by hand", () => {
  expect(quantilesOf(upTo(100))).toEqual({ medianPico: 50n, p90Pico: 90n, p99Pico: 99n });
  expect(quantilesOf(upTo(5))).toEqual({ medianPico: 3n, p90Pico: 5n, p99Pico: 5n });
  expect(quantilesOf(upTo(1))).toEqual({ medianPico: 1n, p90Pico: 1n, p99Pico: 1n });
  expect(quantilesOf([])).toBeNull();
});

it("is not led astray by floating point: 0.07 of 100 is the seventh", () => {
  expect(nearestRank(sortPico(upTo(100)), 0.07)).toBe(7n);
});

it("is an amount that was spent, with the share at or below it", () => {
  assert(
    property(array(bigInt(), { minLength: 1, maxLength: 80 }), double({ min: 0, max: 1, noNaN: true }), (amounts, share) => {
      const sorted = sortPico(amounts.map(toPico));
      const found = nearestRank(sorted, share);
      expect(amounts).toContain(found);
      const notAbove = sorted.filter((amount) => amount <= found).length;
      const below = sorted.filter((amount) => amount < found).length;
      expect(notAbove).toBeGreaterThanOrEqual(share * amounts.length - 1e-6);
      expect(below).toBeLessThan(Math.max(share * amounts.length + 1e-6, 1));
    }),
  );
});

it.each([-0.1, 1.1, Number.NaN])("refuses the share %s", (share) => {
  expect(() => nearestRank(upTo(3), share)).toThrow(/from 0 to 1/);
});

it("refuses to find one among none", () => {
  expect(() => nearestRank([], 0.5)).toThrow(/no amount/);
});
