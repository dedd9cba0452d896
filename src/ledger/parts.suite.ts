// The contract of stores on parts of tasks: what is said of one counts where it is a part, whatever came first. Random histories have parts, too
// (success.suite.ts). For tests alone.

import { describe, expect, test } from "vitest";
import type { Attribution } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { parseUsd } from "../core/money.ts";
import type { Store } from "./contract.ts";
import { samplePeriod } from "./periods.fixture.ts";
import { removedAfter } from "./places.fixture.ts";
import { nobody, placed } from "./store.fixture.ts";
import type { TestStore } from "./store.suite.ts";
import { all, baseMs, begunOf, callOf, outcomeOf, short, spent } from "./success.suite.ts";

function charge(id: string, said: Partial<Attribution>): Entry {
  const attribution = { ...nobody, ...said };
  return { kind: "charge", charge: samplePeriod(id, { class: "task", attribution, fromMs: baseMs, toMs: baseMs + 1 }) };
}

export function partsSuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const fresh = async (): Promise<Store> => (await newPlace()).open();

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

    test("a circle of rework through a part is of the tasks alone, and a charge places a part for as long as it stands", async () => {
      const store = await fresh();
      const entries = [
        callOf({ id: "c1", task: "whole", picos: 3n }),
        callOf({ id: "c2", task: "part", picos: 4n, said: { root: "whole" } }),
        [begunOf("whole", { reworkOf: "part" }), outcomeOf("part", { reviewMillis: 5_000 })],
        [begunOf("fix", { reworkOf: "part" })],
        callOf({ id: "c3", task: "fix", picos: 7n }),
        callOf({ id: "c4", task: "paid", picos: 1n }),
        [outcomeOf("item", { reviewMillis: 300 }), charge("p1", { task: "item", root: "paid" })],
      ].flat();
      for (const [index, entry] of entries.entries()) await store.apply(placed([entry], index));
      const review = async () => {
        const { total } = await store.success(all);
        return [total.unknown.tasks, total.reworkCost, total.reviewMillis];
      };
      expect(await review()).toEqual([2, "0.00000000007", "5300"]);
      await store.apply(placed([{ kind: "charge.voided", id: "p1", atMs: baseMs }], entries.length));
      expect(await review()).toEqual([2, "0.00000000007", "5000"]);
      await store.apply(placed([charge("p2", { task: "item", root: "whole" })], entries.length + 1));
      expect(await review()).toEqual([2, "0.00000000007", "5300"]);
      await store.close();
    }, 60_000);

    test("what a task is, its own calls say before those of its parts, whichever came first; and the list says what it was begun as", async () => {
      const store = await fresh();
      await store.apply(
        placed([
          ...callOf({ id: "b1", task: "search", said: { root: "report", type: "search", agent: "digger", parent: "report" } }),
          ...callOf({ id: "b2", task: "report", said: { type: "report" }, atMs: baseMs + 9 }),
          ...callOf({ id: "b3", task: "find", said: { root: "begun", type: "search", parent: "begun" } }),
          begunOf("begun", {}, { type: "study", agent: "boss" }),
        ]),
      );
      const { rows } = await store.success({ ...all, by: ["type"] });
      expect(rows.map(({ group }) => group[0])).toEqual(["report", "study"]);
      const { runs } = await store.runs({ ...all, order: "newest", limit: 9, ended: null });
      expect(runs.map(({ task, type, agent, parent }) => [task, type, agent, parent]).toSorted()).toEqual([
        ["begun", "study", "boss", null],
        ["report", "report", "digger", null],
      ]);
      await store.close();
    }, 60_000);
  });
}
