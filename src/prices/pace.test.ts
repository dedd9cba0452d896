import * as fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { atOnce, inSlices, sorting } from "./pace.ts";

function* busy(steps: number, stepMs: number): Generator<void, string, void> {
  for (let step = 0; step < steps; step++) {
    const fromMs = performance.now();
    while (performance.now() - fromMs < stepMs);
    yield;
  }
  return "done";
}

it("others have their turn during long work, and the result is the same", async () => {
  let turns = 0;
  const stop = new AbortController();
  const others = (async () => {
    for (; !stop.signal.aborted; turns++) await setImmediate();
  })();
  expect(await inSlices(busy(100, 1))).toBe("done");
  stop.abort();
  await others;
  expect(turns).toBeGreaterThanOrEqual(10);
  expect(atOnce(busy(3, 0))).toBe("done");
});

const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;

it("sorts as toSorted does, equals in their order", () => {
  const item = fc.record({ key: fc.integer({ min: 0, max: 20 }), id: fc.nat() });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 1000, size: "max" }), (items) => {
      expect(atOnce(sorting(items, compare))).toEqual(items.toSorted(compare));
    }),
    { numRuns: 50 },
  );
});
