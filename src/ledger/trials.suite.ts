// The contract of stores on tasks one by one: a few by hand, and random histories, whose tasks are those that `success` counts, which success.suite.ts
// holds to a sum over the entries. For tests alone.

import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Entry } from "../core/entry.ts";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import { nobody, placed, sampleCharge, sampleEnd, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import { type SuccessQuery, taskFields } from "./store.ts";
import type { TestStore } from "./store.suite.ts";
import { anyHistory, baseMs, entriesOf, successQueries } from "./success.suite.ts";
import type { Trial, TrialsQuery } from "./trials.ts";

const hourMs = 3_600_000;
const all: TrialsQuery = {
  by: "model",
  sinceMs: null,
  untilMs: null,
  filters: [],
  nowMs: baseMs + 48 * hourMs,
  openMs: 24 * hourMs,
  limit: 200_000,
};
const endings = ["success", "failure", "unknown", "open"] as const;

/** A call of one task; it has no price where `picos` is null. */
function callOf(id: string, task: string, atMs: number, picos: bigint | null, piece: string | null, model = "m"): Entry[] {
  const attribution = { ...nobody, task, tags: piece === null ? {} : { case: piece } };
  return [
    { kind: "start", call: sampleStart(id, { startMs: atMs, attribution, modelAsked: model, modelSent: model }) },
    {
      kind: "end",
      call: sampleEnd(id, {
        endMs: atMs + 5,
        modelAnswered: model,
        ...(picos === null ? { charges: [], unpriced: ["input"] } : { charges: [sampleCharge("input", 10, picos)] }),
      }),
    },
  ];
}

function outcomeOf(id: string, task: string, result: "success" | "failure"): Entry {
  const said = { judge: "check", source: null, valuePico: null, reviewMillis: null, reason: null, key: null } as const;
  return { kind: "outcome", outcome: { id, task, atMs: baseMs, result, ...said } };
}

function begunOf(task: string, tags: Readonly<Record<string, string>>, reworkOf: string | null = null): Entry {
  return { kind: "task.begun", task: { attribution: { ...nobody, task, tags }, beganMs: baseMs + 1, reworkOf, key: null } };
}

const told = ({ candidate, task, case: piece, startMs, ending, cost }: Trial): unknown[] => [
  candidate,
  task,
  piece,
  startMs - baseMs,
  ending,
  cost,
];

export function trialsSuite(name: string, make: () => Promise<TestStore>): void {
  const made: TestStore[] = [];
  const fresh = async (): Promise<TestStore> => {
    const place = await make();
    made.push(place);
    return place;
  };
  afterAll(async () => {
    for (const place of made) await place.remove();
  });

  describe(`${name}: tasks one by one`, () => {
    test("a task is a try at what its beginning says, else its first call; it costs what its rework does, too, or nobody knows", async () => {
      const place = await fresh();
      let store = await place.open();
      await store.apply(
        placed([
          // The later call comes first, and a tag of another name is none.
          ...callOf("a2", "a", baseMs + 20, 2n, "second"),
          ...callOf("a1", "a", baseMs + 10, 1n, "first"),
          ...callOf("b1", "b", baseMs + 30, 5n, "said by a call", "n"),
          begunOf("b", { case: "begun", other: "x" }),
          ...callOf("c1", "c", baseMs + 40, null, null, "n"),
          ...callOf("c2", "c", baseMs + 50, 1n, null, "n"),
          begunOf("fix", { case: "first" }, "a"),
          ...callOf("f1", "fix", baseMs + 60, 7n, "first"),
          outcomeOf("o1", "a", "success"),
          outcomeOf("o2", "b", "failure"),
        ]),
      );
      await store.close();
      store = await place.open();
      const { trials, truncated, position } = await store.trials(all);
      expect(truncated).toBe(false);
      expect(position).not.toBeNull();
      expect(trials.map(told)).toEqual([
        // 10 + 20, and 70 of rework.
        ["m", "a", "first", 10, "success", "0.0000000001"],
        ["n", "b", "begun", 1, "failure", "0.00000000005"],
        ["n", "c", null, 40, "unknown", null],
      ]);
      const two = await store.trials({ ...all, by: "customer", limit: 2 });
      expect(two.truncated).toBe(true);
      expect(two.trials.map(({ task, candidate }) => [task, candidate])).toEqual([
        ["a", null],
        ["c", null],
      ]);
      expect((await store.trials({ ...all, limit: 3 })).truncated).toBe(false);
      await store.close();
    }, 60_000);

    test("what cannot be asked is refused, and of nothing there is nothing", async () => {
      const store = await (await fresh()).open();
      await expect(store.trials({ ...all, limit: 0 })).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.trials({ ...all, limit: 200_001 })).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.trials({ ...all, by: "session" as "type" })).rejects.toMatchObject({ code: "query_invalid" });
      expect(await store.trials(all)).toEqual({ trials: [], truncated: false, position: null });
      await store.close();
    }, 60_000);

    test("random histories: the trials are the tasks that success counts, with their costs and endings", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const entries = entriesOf(history);
          const store = await (await fresh()).open();
          const half = Math.floor(entries.length / 2);
          if (half > 0) await store.apply(placed(entries.slice(0, half)));
          if (entries.length > half) await store.apply(placed(entries.slice(half), half));
          for (const query of successQueries) await expectAlike(store, query);
          await store.close();
        }),
        { numRuns: Number(process.env["PENNYWORTH_SUCCESS_RUNS"] ?? 3) },
      );
    }, 600_000);
  });
}

async function expectAlike(store: Store, query: SuccessQuery): Promise<void> {
  for (const by of query.by.length === 1 ? query.by : [taskFields[0]]) {
    const { trials, truncated } = await store.trials({ ...query, by, limit: 1000 });
    const { rows } = await store.success({ ...query, by: [by], limit: 1000 });
    expect(truncated).toBe(false);
    expect(new Set(trials.map(({ task }) => task)).size).toBe(trials.length);
    expect(new Set(trials.map(({ candidate }) => candidate))).toEqual(new Set(rows.map(({ group }) => group[0])));
    for (const row of rows) {
      const own = trials.filter(({ candidate }) => candidate === row.group[0]);
      expect(own.map(({ startMs }) => startMs).every((ms) => (query.sinceMs ?? ms) <= ms && ms < (query.untilMs ?? Infinity))).toBe(true);
      expect(own.filter(({ cost }) => cost === null).length).toBe(row.unpriced);
      for (const ending of endings) {
        const ended = own.filter((trial) => trial.ending === ending);
        expect([ending, ended.length]).toEqual([ending, row[ending].tasks]);
        const known = ended.flatMap(({ cost }) => (cost === null ? [] : [parseUsd(cost)]));
        if (known.length === ended.length) expect(formatUsd(sum(known))).toBe(row[ending].cost);
      }
    }
  }
}
