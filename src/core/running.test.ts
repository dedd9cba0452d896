// Against bigints, whatever their size and sign.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { addTo, isBelow, Places, readRunning, runningMax, takeFrom, toParts } from "./running.ts";

const amount = fc.oneof(
  fc.bigInt({ min: -(1n << 98n), max: 1n << 98n }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom(1n << 50n, (1n << 50n) - 1n, -(1n << 50n), -(1n << 50n) - 1n, (1n << 50n) + 1n),
);

it("sums are those of bigints, beside others in the same array", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(1), amount), { maxLength: 40 }), amount, (steps, other) => {
      const places = new Places(4, 3);
      places.take();
      const { cells, at: from } = places.take();
      const sums = [0n, 0n];
      for (const [adds, at, by] of steps) {
        const next = (sums[at] as bigint) + (adds ? by : -by);
        if (next >= runningMax || next <= -runningMax) continue;
        sums[at] = next;
        const cell = from + 2 * at;
        (adds ? addTo : takeFrom)(cells, cell, toParts(by));
        expect([readRunning(cells, from), readRunning(cells, from + 2)]).toEqual(sums);
        expect(isBelow(cells, cell, toParts(other))).toBe(next < other);
        expect(isBelow(cells, cell, toParts(next))).toBe(false);
        expect(isBelow(cells, cell, toParts(next + 1n))).toBe(true);
      }
    }),
  );
});

it("refuses what has no room", () => {
  expect(() => toParts(runningMax)).toThrow("2^100");
  expect(() => toParts(-runningMax)).toThrow("2^100");
  expect(toParts(runningMax - 1n)).toEqual({ high: 2 ** 50 - 1, low: 2 ** 50 - 1 });
});

it("places do not touch each other, and one that was given back is empty", () => {
  const places = new Places(2, 3);
  const all = Array.from({ length: 7 }, () => places.take());
  for (const [index, { cells, at }] of all.entries()) addTo(cells, at, toParts(BigInt(index + 1)));
  expect(all.map(({ cells, at }) => readRunning(cells, at))).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  places.give(all[3] as (typeof all)[number]);
  const again = places.take();
  expect([again.cells === all[3]?.cells, again.at, readRunning(again.cells, again.at)]).toEqual([true, all[3]?.at, 0n]);
  expect(readRunning((all[2] as (typeof all)[number]).cells, (all[2] as (typeof all)[number]).at)).toBe(3n);
});
