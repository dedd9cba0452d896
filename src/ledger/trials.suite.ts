// The contract of stores on tasks one by one: a few by hand, and random histories, whose tasks are those that `success` counts, which success.suite.ts
// holds to a sum over the entries. For tests alone.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry } from "../core/entry.ts";
import { formatUsd, parseUsd, sum, toPico } from "../core/money.ts";
import { removedAfter } from "./places.fixture.ts";
import { nobody, placed, sampleCharge, sampleEnd, sampleOutcome, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import { type SuccessQuery, taskFields } from "./store.ts";
import type { TestStore } from "./store.suite.ts";
import { anyHistory, baseMs, entriesOf, successQueries } from "./success.suite.ts";
import type { Trial, TrialsQuery } from "./trials.ts";
import { expectedOdds, expectedTries } from "./tries.fixture.ts";
import type { OddsPage, TriesPage, TriesQuery } from "./tries.ts";

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
function callOf(
  id: string,
  task: string,
  atMs: number,
  picos: bigint | null,
  piece: string | null,
  model = "m",
  agent: string | null = null,
): Entry[] {
  const attribution = { ...nobody, task, agent, tags: piece === null ? {} : { case: piece } };
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
  return { kind: "outcome", outcome: sampleOutcome(id, task, { atMs: baseMs, result }) };
}

function begunOf(task: string, tags: Readonly<Record<string, string>>, reworkOf: string | null = null): Entry {
  return { kind: "task.begun", task: { attribution: { ...nobody, task, tags }, beganMs: baseMs + 1, reworkOf, key: null } };
}

const told = ({ candidate, task, case: piece, startMs, ending, cost, spent }: Trial): unknown[] => [
  candidate,
  task,
  piece,
  startMs - baseMs,
  ending,
  cost,
  spent,
];

export function trialsSuite(name: string, make: () => Promise<TestStore>): void {
  const fresh = removedAfter(make);

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
        ["m", "a", "first", 10, "success", "0.0000000001", "0.0000000001"],
        ["n", "b", "begun", 1, "failure", "0.00000000005", "0.00000000005"],
        ["n", "c", null, 40, "unknown", null, "0.00000000001"],
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

    test("random tries at few pieces of work: their sums are those of the trials one by one, and so are the odds", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyTry, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), async (tries, most) => {
          const store = await (await fresh()).open();
          const entries = tries.flatMap(({ atMs, pico, besides, piece, model, result, isOpen, agent }, index) => [
            ...callOf(`c${index}`, `t${index}`, isOpen ? all.nowMs - hourMs : baseMs + atMs, pico, piece, model, agent),
            ...(besides === null ? [] : callOf(`d${index}`, `t${index}`, baseMs + 6, besides, piece, model, agent)),
            ...(result === null ? [] : [outcomeOf(`o${index}`, `t${index}`, result)]),
          ]);
          // Rework of the first, and a task that is known by its beginning alone.
          if (tries.length > 1) entries.push(begunOf("t1", {}, "t0"), begunOf("bare", { case: "x" }));
          if (entries.length > 0) await store.apply(placed(entries));
          for (const by of ["model", "agent"] as const)
            for (const more of [
              {},
              { limit: 7 },
              { only: ["m", "b", "none"] },
              { always: "n" },
              { filters: [{ field: "model", value: "n", operator: "!=" }] },
            ] as const) {
              const query: TriesQuery = { ...all, limit: null, only: null, always: null, most, ...more, by };
              const one = await store.trials({ ...query, limit: query.limit ?? 200_000 });
              const found = await store.tries(query);
              expect(plain(found)).toEqual(plain(expectedTries(one, query)));
              if (query.limit === null) await expectSpent(store, query, found);
              expect(plainOdds(await store.odds(query))).toEqual(plainOdds(expectedOdds(one, query)));
            }
          await store.close();
        }),
        { numRuns: Number(process.env["PENNYWORTH_SUCCESS_RUNS"] ?? 3) },
      );
    }, 600_000);

    test("what is known of a task without a price was spent, whether it is alone or a try among others", async () => {
      const store = await (await fresh()).open();
      await store.apply(
        placed([
          ...callOf("a1", "a", baseMs, 3n, null),
          ...callOf("b1", "b", baseMs, 5n, null),
          ...callOf("b2", "b", baseMs, null, null),
          // The only try at its piece of work, and it may still end.
          ...callOf("c1", "c", all.nowMs - hourMs, 7n, "own"),
          ...callOf("c2", "c", all.nowMs - hourMs, null, "own"),
          ...callOf("d1", "d", baseMs, 11n, "both"),
          ...callOf("d2", "d", baseMs, null, "both"),
          ...callOf("e1", "e", baseMs, 13n, "both", "n"),
          // What went into it again has no price.
          begunOf("again", {}, "e"),
          ...callOf("f1", "again", baseMs, 17n, null, "n"),
          ...callOf("f2", "again", baseMs, null, null, "n"),
          outcomeOf("o1", "b", "success"),
          outcomeOf("o2", "d", "failure"),
        ]),
      );
      const query: TriesQuery = { ...all, limit: null, only: null, always: null, most: 24 };
      const found = await store.tries(query);
      // Ten picodollars each.
      expect([...spentOf(found)]).toEqual([
        ["m", 260n],
        ["n", 300n],
      ]);
      const [m, n] = found.candidates;
      expect(m?.alone).toMatchObject({ uncosted: 2, spentPico: 150n, costed: 1, costPico: 30n, squares: 900n, logs: 1 });
      expect(m?.each?.toSorted((a, b) => Number(a.pico - b.pico))).toEqual([
        { isSuccess: false, isOpen: false, isCosted: true, pico: 30n },
        { isSuccess: true, isOpen: false, isCosted: false, pico: 50n },
        { isSuccess: false, isOpen: true, isCosted: false, pico: 70n },
      ]);
      expect(m?.buckets.reduce((sum, { spentPico }) => sum + spentPico, 0n)).toBe(150n);
      expect([m?.quantiles, n?.quantiles]).toEqual([
        { p50: 50n, p90: 110n, p99: 110n },
        { p50: 300n, p90: 300n, p99: 300n },
      ]);
      const { spentPico, costPico, decidedPico, uncosted } = found.pieces;
      expect([spentPico, costPico, decidedPico, [...uncosted]]).toEqual([
        [110n, 300n],
        [0n, 0n],
        [0n, 0n],
        [1, 1],
      ]);
      await expectSpent(store, query, found);
      await store.close();
    }, 60_000);

    test("of more than a thousand tasks groups stand for all, and of many candidates those with the most tasks are taken", async () => {
      const store = await (await fresh()).open();
      const entries = Array.from({ length: 2_600 }, (_, index): Entry[] => {
        const model = index < 1_800 ? "m" : `n${index % 90}`;
        return [
          ...callOf(
            `c${index}`,
            `t${index}`,
            baseMs + ((index * 7919) % 2_600),
            BigInt(index) * 1_000_003n,
            index % 3 === 0 ? `p${index % 1_500}` : null,
            model,
          ),
          ...(index % 11 === 0 ? callOf(`d${index}`, `t${index}`, baseMs + 2_600, null, null, model) : []),
          ...(index % 5 === 4 ? [] : [outcomeOf(`o${index}`, `t${index}`, index % 7 < 4 ? "success" : "failure")]),
        ];
      }).flat();
      await store.apply(placed(entries));
      const one = await store.trials(all);
      for (const more of [{}, { always: "n89" }, { only: ["m"] }]) {
        const query: TriesQuery = { ...all, limit: null, only: null, always: null, most: 5, ...more };
        const expected = expectedTries(one, query);
        const found = await store.tries(query);
        expect([found.candidates[0]?.each, expected.candidates[0]?.each]).toEqual([null, null]);
        await expectSpent(store, query, found);
        // Beyond sixty-four candidates, pieces that others tried too may be left alone.
        if (query.only !== null) expect(plain(found)).toEqual(plain(expected));
        expect(found.candidates.map(({ value, tasks }) => [value, tasks])).toEqual(
          expected.candidates.map(({ value, tasks }) => [value, tasks]),
        );
        expect(found.others).toEqual(expected.others);
      }
      expect(plainOdds(await store.odds({ ...all, limit: null, most: 5 }))).toEqual(plainOdds(expectedOdds(one, { most: 5 })));
      await store.close();
    }, 120_000);

    test.each([4, 70])(
      "among as many tasks those with the most successes are taken, then by name: of %i candidates",
      async (count) => {
        const store = await (await fresh()).open();
        const names = Array.from({ length: count }, (_, index) => `m${String(index).padStart(2, "0")}`);
        const entries = names.flatMap((model, index) =>
          [0, 1].flatMap((task) => [
            ...callOf(`c${index} ${task}`, `t${index} ${task}`, baseMs + index, 1n, `case ${index} ${task}`, model),
            outcomeOf(`o${index} ${task}`, `t${index} ${task}`, index + task >= count - 1 ? "success" : "failure"),
          ]),
        );
        await store.apply(placed(entries));
        const query: TriesQuery = { ...all, limit: null, only: null, always: null, most: 3 };
        const found = await store.tries(query);
        // Two successes, one, none.
        const first = [names.at(-1), names.at(-2), "m00"];
        expect(found.candidates.map(({ value }) => value)).toEqual(first);
        expect(found.others).toMatchObject({ candidates: count - 3, tasks: 2 * (count - 3) });
        const one = await store.trials(all);
        expect(plain(found)).toEqual(plain(expectedTries(one, query)));
        const odds = await store.odds(query);
        expect(odds.candidates.map(({ value }) => value)).toEqual(first);
        expect(plainOdds(odds)).toEqual(plainOdds(expectedOdds(one, query)));
        await store.close();
      },
      60_000,
    );
  });
}

const anyTry = fc.record({
  atMs: fc.nat(5),
  pico: fc.oneof(fc.constant(null), fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 20_000_000_000_000_000n })),
  /** Of a second call; null: there is none. */
  besides: fc.option(fc.bigInt({ min: 0n, max: 20n })),
  piece: fc.constantFrom(null, null, "x", "y", "z"),
  model: fc.constantFrom("m", "m", "n", "o"),
  agent: fc.constantFrom(null, "a", "b"),
  result: fc.constantFrom("success", "failure", "failure", null),
  isOpen: fc.boolean(),
});

/** Without what may differ: the order of equals, and the last digits of logarithms. */
function plain({ candidates, others, pieces, ...page }: TriesPage): unknown {
  return {
    ...page,
    others,
    pieces: { ...pieces },
    candidates: candidates.map(({ each, alone: { powers, squares, ...alone }, ...candidate }) => ({
      ...candidate,
      alone,
      // Of tasks that cost ten thousand dollars and more, to the millionth.
      squares: Number(squares).toPrecision(9),
      powers: powers.map((power) => (Number(power) / 2 ** 36).toFixed(2)),
      each: each?.map(({ isSuccess, isOpen, pico }) => `${isSuccess} ${isOpen} ${pico}`).sort(),
    })),
  };
}

function plainOdds({ candidates, ...page }: OddsPage): unknown {
  return {
    ...page,
    candidates: candidates.map(({ came, ...candidate }) => ({
      ...candidate,
      came: came.map(({ units, ...sums }) => ({ ...sums, units: units.map(({ pico, count }) => `${pico} ${count}`).sort() })),
    })),
  };
}

/** By candidate: what is known of the cost of all its tasks. */
function spentOf({ candidates, pieces }: TriesPage): ReadonlyMap<string, bigint> {
  const spent = candidates.map(({ alone }) => alone.spentPico);
  pieces.candidate.forEach((candidate, row) => {
    spent[candidate] = (spent[candidate] ?? 0n) + (pieces.spentPico[row] ?? 0n);
  });
  return new Map(candidates.map(({ value }, index) => [value, spent[index] ?? 0n]));
}

/** It is what `success` says that they spent. */
async function expectSpent(store: Store, { by, sinceMs, untilMs, filters, nowMs, openMs }: TriesQuery, found: TriesPage): Promise<void> {
  const { rows } = await store.success({ by: [by], sinceMs, untilMs, filters, nowMs, openMs, limit: 1_000 });
  for (const [value, spent] of spentOf(found)) {
    const row = rows.find(({ group }) => group[0] === value);
    expect([value, formatUsd(toPico(spent))]).toEqual([value, formatUsd(sum(endings.map((end) => parseUsd(row?.[end].cost ?? "0"))))]);
  }
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
        expect(formatUsd(sum(ended.map(({ spent = "none" }) => parseUsd(spent))))).toBe(row[ending].cost);
        expect(ended.every(({ cost, spent }) => cost === null || cost === spent)).toBe(true);
      }
    }
  }
}
