// The contract of stores on what is looked up by name, and on what tasks cost besides their calls: tasks and responses that are on record, charges by
// their ids, and a task's own charge in what a success costs. By hand, against what was put in. For tests alone.

import { afterAll, describe, expect, test } from "vitest";
import type { Entry } from "../core/entry.ts";
import { toPico } from "../core/money.ts";
import { samplePeriod } from "./periods.fixture.ts";
import { nobody, placed, sampleEnd, sampleOutcome, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import type { TestStore } from "./store.suite.ts";

const startMs = Date.UTC(2026, 10, 1, 12);
const dollars = (amount: number) => toPico(BigInt(amount) * 1_000_000_000_000n);

const start = (id: string, task: string | null, root: string | null): Entry => ({
  kind: "start",
  call: sampleStart(id, { startMs, attribution: { ...nobody, task, root } }),
});
const end = (id: string, responseId: string | null): Entry => ({
  kind: "end",
  call: sampleEnd(id, { endMs: startMs + 1_000, responseId }),
});
const begun = (task: string): Entry => ({
  kind: "task.begun",
  task: { attribution: { ...nobody, task }, beganMs: startMs, reworkOf: null, key: null },
});
const charge = (id: string, task: string, model: string | null, amount: number | null): Entry => ({
  kind: "charge",
  charge: samplePeriod(id, {
    class: "task",
    provider: "elsewhere",
    model,
    fromMs: startMs,
    toMs: startMs + 1,
    attribution: { ...nobody, task },
    quantity: 1,
    costPico: amount === null ? null : dollars(amount),
  }),
});
const outcome = (task: string): Entry => ({
  kind: "outcome",
  outcome: sampleOutcome(`o-${task}`, task, { atMs: startMs, judge: "self" }),
});

export function findSuite(name: string, make: () => Promise<TestStore>): void {
  describe(`${name}: what is named`, () => {
    let made: TestStore | null = null;
    let store: Store | null = null;
    afterAll(async () => {
      await store?.close();
      await made?.remove();
    });

    test("tasks that are on record, and responses with the root they belong to", async () => {
      made = await make();
      store = await made.open();
      const entries = [
        start("c1", "part", "root"),
        end("c1", "resp_1"),
        start("c2", null, null),
        end("c2", "resp_2"),
        start("c3", "running", null),
        begun("begun"),
        outcome("waiting"),
        start("c4", "it's", null),
        end("c4", "resp_'; DROP TABLE calls"),
      ];
      await store.apply(placed(entries));
      const found = await store.find({
        tasks: ["root", "part", "running", "begun", "waiting", "nobody", "it's", "root"],
        responses: ["resp_1", "resp_2", "resp_3", "resp_'; DROP TABLE calls"],
      });
      expect([...found.tasks].toSorted()).toEqual(["begun", "it's", "part", "root", "running"]);
      expect([...found.responses].toSorted((a, b) => (a.response < b.response ? -1 : 1))).toEqual([
        { response: "resp_'; DROP TABLE calls", task: "it's" },
        { response: "resp_1", task: "root" },
        { response: "resp_2", task: null },
      ]);
      expect(await store.find({ tasks: [], responses: [] })).toEqual({ tasks: [], responses: [] });
    });

    test("what was said under ids, the first of each, also where it was applied by another", async () => {
      const place = await make();
      let store = await place.open();
      const again = { ...begun("t"), task: { attribution: { ...nobody, task: "t", type: "later" }, beganMs: 5, reworkOf: null, key: "k" } };
      const first = [begun("t"), begun("it's"), outcome("waiting")];
      await store.apply(placed([...first, again as Entry]));
      const revised = outcome("waiting") as Extract<Entry, { kind: "outcome" }>;
      await store.apply(placed([{ ...revised, outcome: { ...revised.outcome, result: "failure" } }], 9));
      await store.close();
      store = await place.open();
      const { tasks, outcomes } = await store.said({ tasks: ["t", "it's", "waiting"], outcomes: ["o-waiting", "o-t"] });
      expect([
        ...tasks.map((task) => ({ kind: "task.begun", task })),
        ...outcomes.map((one) => ({ kind: "outcome", outcome: one })),
      ]).toEqual(first);
      expect(await store.said({ tasks: [], outcomes: [] })).toEqual({ tasks: [], outcomes: [] });
      await store.close();
      await place.remove();
    });
  });

  describe(`${name}: what tasks cost besides their calls`, () => {
    let made: TestStore | null = null;
    let store: Store | null = null;
    afterAll(async () => {
      await store?.close();
      await made?.remove();
    });

    test("is of the model that did the work, unknown where nobody knows, and counts until it is voided", async () => {
      made = await make();
      store = await made.open();
      // t1 and t2 were done elsewhere; t3 called gpt-5 here, and its machine is of another model, which did not do the work.
      const machine = {
        kind: "charge",
        charge: { ...samplePeriod("m", { attribution: { ...nobody, task: "t3" }, costPico: dollars(8) }) },
      } as const;
      await store.apply(
        placed([
          begun("t1"),
          charge("task:t1", "t1", "grok-4", 2),
          outcome("t1"),
          begun("t2"),
          charge("task:t2", "t2", "grok-4", null),
          start("c1", "t3", null),
          end("c1", null),
          machine,
          begun("t4"),
          charge("task:t4", "t4", "o3", 5),
        ]),
      );
      const query = { sinceMs: null, untilMs: null, filters: [], nowMs: startMs, openMs: 3_600_000, limit: 10 };
      const rows = async () => (await (store as Store).success({ ...query, by: ["model"] })).rows;
      const of = async (model: string) => (await rows()).find(({ group }) => group[0] === model);
      expect(await of("grok-4")).toMatchObject({ success: { tasks: 1, cost: "2" }, open: { tasks: 1, cost: "0" }, unpriced: 1, calls: 0 });
      expect(await of("gpt-5")).toMatchObject({ open: { tasks: 1, cost: expect.stringMatching(/^8\.0/) }, unpriced: 0 });
      expect(
        (await store.trials({ ...query, by: "model", limit: 10 })).trials.map(({ candidate, task, cost }) => [candidate, task, cost]),
      ).toEqual([
        ["gpt-5", "t3", expect.stringMatching(/^8\.0/)],
        ["grok-4", "t1", "2"],
        ["grok-4", "t2", null],
        ["o3", "t4", "5"],
      ]);

      const records = await store.chargesOf(["task:t4", "task:t1", "task:nobody"]);
      expect(records.map(({ charge: { id, costPico }, voidedMs }) => [id, costPico, voidedMs]).toSorted()).toEqual([
        ["task:t1", dollars(2), null],
        ["task:t4", dollars(5), null],
      ]);
      const after = placed([{ kind: "charge.voided", id: "task:t4", atMs: startMs }]).map(({ entry }) => ({
        entry,
        position: { segment: 2, offset: 10 },
      }));
      await store.apply(after);
      expect((await store.chargesOf(["task:t4"])).map(({ voidedMs }) => voidedMs)).toEqual([startMs]);
      expect(await of("o3")).toBeUndefined();
    });
  });
}
