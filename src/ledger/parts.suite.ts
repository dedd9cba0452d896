// The contract of stores on parts of tasks: what is said of one counts where it is a part, whatever came first. Random histories have parts, too
// (success.suite.ts). For tests alone.

import { afterAll, describe, expect, test } from "vitest";
import { parseUsd } from "../core/money.ts";
import type { Store } from "./contract.ts";
import { placed } from "./store.fixture.ts";
import type { TestStore } from "./store.suite.ts";
import { all, begunOf, callOf, outcomeOf, short, spent } from "./success.suite.ts";

export function partsSuite(name: string, make: () => Promise<TestStore>): void {
  const made: TestStore[] = [];
  const fresh = async (): Promise<Store> => {
    const place = await make();
    made.push(place);
    return place.open();
  };
  afterAll(async () => {
    for (const place of made) await place.remove();
  });

  describe(`${name}: parts of tasks`, () => {
    test("checking a part is in its root's time, and rework of a part in its root's cost, whatever was said first", async () => {
      const said = [
        callOf({ id: "p1", task: "root", picos: 3n }),
        callOf({ id: "p2", task: "part", picos: 4n, said: { root: "root" } }),
        [outcomeOf("part", { result: "failure", valuePico: parseUsd("9"), reviewMillis: 60_000 })],
        // A part of a part, that says no more; and rework of it.
        [begunOf("step", {}, { parent: "part" })],
        [outcomeOf("step", { result: null, reviewMillis: 30_000 })],
        [begunOf("fix", { reworkOf: "step" })],
        callOf({ id: "p3", task: "fix", picos: 5n }),
        [outcomeOf("fix", { reviewMillis: 1_000 })],
        // Of one that calls say to be a part of two tasks nobody knows whose it is; but it was begun as one of the second.
        callOf({ id: "p4", task: "both", picos: 1n, said: { root: "root" } }),
        callOf({ id: "p5", task: "both", picos: 2n, said: { root: "other" } }),
        [outcomeOf("both", { reviewMillis: 7 })],
        callOf({ id: "p6", task: "told", picos: 1n, said: { root: "root" } }),
        [begunOf("told", {}, { root: "other" })],
        [outcomeOf("told", { reviewMillis: 500 })],
      ];
      for (const order of [said.flat(), said.toReversed().flat()]) {
        const store = await fresh();
        for (const [index, entry] of order.entries()) await store.apply(placed([entry], index));
        const { total, waiting } = await store.success(all);
        expect(spent(total)).toBe(160n);
        expect([total.reworkCost, total.reviewMillis, total.value, short(total), waiting]).toEqual([
          "0.00000000005",
          "91500",
          null,
          [0, 0, 2, 0],
          0,
        ]);
        expect(total.units).toEqual([
          { cost: "0.00000000002", successes: 0, reviewMillis: "500" },
          { cost: "0.00000000014", successes: 0, reviewMillis: "91000" },
        ]);
        expect(await Promise.all(["fix", "root", "part"].map((task) => store.rework(task)))).toEqual([
          { of: "root", by: [] },
          { of: null, by: ["fix"] },
          { of: null, by: [] },
        ]);
        await store.close();
      }
    }, 60_000);
  });
}
