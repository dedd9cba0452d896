// Against bigints, whatever their size and sign.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { addTo, isBelow, readRunning, runningMax, takeFrom, toParts, toRunning } from "./running.ts";

const amount = fc.oneof(
  fc.bigInt({ min: -(1n << 98n), max: 1n << 98n }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom(1n << 50n, (1n << 50n) - 1n, -(1n << 50n), -(1n << 50n) - 1n, (1n << 50n) + 1n),
);

it("sums are those of bigints, beside others in the same array", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(1), amount), { maxLength: 40 }), amount, (steps, other) => {
      const cells = toRunning(2);
      const sums = [0n, 0n];
      for (const [adds, at, by] of steps) {
        const next = (sums[at] as bigint) + (adds ? by : -by);
        if (next >= runningMax || next <= -runningMax) continue;
        sums[at] = next;
        (adds ? addTo : takeFrom)(cells, at, toParts(by));
        expect([readRunning(cells, 0), readRunning(cells, 1)]).toEqual(sums);
        expect(isBelow(cells, at, toParts(other))).toBe(next < other);
        expect(isBelow(cells, at, toParts(next))).toBe(false);
        expect(isBelow(cells, at, toParts(next + 1n))).toBe(true);
      }
    }),
  );
});

it("refuses what has no room", () => {
  expect(() => toParts(runningMax)).toThrow("2^100");
  expect(() => toParts(-runningMax)).toThrow("2^100");
  expect(toParts(runningMax - 1n)).toEqual({ high: 2 ** 50 - 1, low: 2 ** 50 - 1 });
});
