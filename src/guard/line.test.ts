// The tree against a sorted array, and who has most waiting against a count.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Crowd } from "./crowd.ts";
import { Line } from "./line.ts";

interface Item {
  readonly at: number;
  readonly id: number;
  readonly size: bigint;
}

const isBefore = (a: Item, b: Item): boolean => (a.at === b.at ? a.id < b.id : a.at < b.at);

describe("a line", () => {
  it("finds what looking through all of it finds", () => {
    const act = fc.record({
      at: fc.nat(20),
      size: fc.bigInt(0n, 9n),
      remove: fc.option(fc.nat(50)),
      below: fc.option(fc.bigInt(-1n, 11n)),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const line = new Line<Item>(isBefore, ({ size }) => size);
        const model: Item[] = [];
        for (const [id, { at, size, remove, below }] of acts.entries()) {
          const item = { at, id, size };
          line.add(item);
          model.push(item);
          if (remove !== null) {
            const [gone] = model.splice(remove % model.length, 1);
            if (gone !== undefined) {
              line.remove(gone);
              line.remove(gone);
            }
          }
          const sorted = model.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
          expect(line.first(below)).toBe(sorted.find((one) => below === null || one.size < below) ?? null);
        }
      }),
    );
  });

  it("stays shallow for things that come in order", () => {
    let compared = 0;
    const line = new Line<number>((a, b) => {
      compared += 1;
      return a < b;
    });
    for (let item = 0; item < 20_000; item += 1) line.add(item);
    // log2 of 20,000 is 14.3; a treap's ways are about twice that at most, on average.
    expect(compared / 20_000).toBeLessThan(30);
  });
});

describe("a crowd", () => {
  it("names the last to come of a flow that has most", () => {
    const act = fc.record({ flow: fc.constantFrom("a", "b", "c"), remove: fc.option(fc.nat(40)) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
        const crowd = new Crowd<number>();
        let model: { readonly flow: string; readonly item: number }[] = [];
        for (const [item, { flow, remove }] of acts.entries()) {
          crowd.add(flow, item);
          model.push({ flow, item });
          if (remove !== null) {
            const gone = model[remove % model.length];
            model = model.filter((one) => one !== gone);
            if (gone !== undefined) crowd.remove(gone.flow, gone.item);
          }
          const counts = ["a", "b", "c"].map((name) => model.filter((one) => one.flow === name));
          const most = Math.max(...counts.map((items) => items.length));
          const last = crowd.last();
          expect(last?.waiting ?? 0).toBe(most);
          expect(
            counts.map((items, index) => [crowd.of(["a", "b", "c"][index] as string), items.length]).filter(([a, b]) => a !== b),
          ).toEqual([]);
          if (last !== null)
            expect(counts.filter((items) => items.length === most).map((items) => items.at(-1)?.item)).toContain(last.item);
        }
      }),
    );
  });
});
