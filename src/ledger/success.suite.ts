// The contract of stores on tasks and how they ended: a dozen tasks by hand, and random histories in any order, cut anywhere, against a sum over the
// entries (success.fixture.ts). For tests alone.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attribution } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { markOf } from "../core/mark.ts";
import { formatUsd, parseUsd, toPico } from "../core/money.ts";
import type { Judge, Outcome, Result, TaskBegun } from "../core/outcome.ts";
import { removedAfter } from "./places.fixture.ts";
import { nobody, placed, sampleCharge, sampleEnd, sampleObservation, sampleOutcome, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import { type SuccessPage, type SuccessQuery, type SuccessRow, type TaskEnd, taskEnds, taskFields } from "./store.ts";
import type { TestStore } from "./store.suite.ts";
import { expectedSuccess } from "./success.fixture.ts";

export const baseMs = Date.UTC(2026, 10, 1);
const hourMs = 3_600_000;
export const all: SuccessQuery = {
  by: [],
  sinceMs: null,
  untilMs: null,
  filters: [],
  nowMs: baseMs + 48 * hourMs,
  openMs: 24 * hourMs,
  limit: 100,
};

interface Sample {
  readonly id: string;
  readonly task: string;
  readonly atMs?: number;
  readonly picos?: bigint;
  readonly said?: Partial<Attribution>;
  readonly model?: string;
  readonly attempt?: number;
  readonly failed?: boolean;
}

/** A call of ten units at so many picodollars each, with its end. */
export function callOf({ id, task, atMs = baseMs, picos = 1n, said = {}, model = "gpt-5", attempt = 1, failed = false }: Sample): Entry[] {
  const attribution = { ...nobody, task, ...said };
  const call = sampleStart(id, {
    startMs: atMs,
    attribution,
    modelAsked: model,
    modelSent: model,
    attempt,
    reason: attempt > 1 ? "retry" : "first",
  });
  return [
    { kind: "start", call },
    {
      kind: "end",
      call: sampleEnd(id, {
        endMs: atMs + 1000,
        modelAnswered: model,
        status: failed ? "failed" : "complete",
        charges: [sampleCharge("input", 10, picos)],
      }),
    },
  ];
}

let statements = 0;
export function outcomeOf(task: string, changes: Partial<Outcome> = {}): Entry {
  return { kind: "outcome", outcome: sampleOutcome(`s${statements++}`, task, { atMs: baseMs, ...changes }) };
}

export function begunOf(task: string, changes: Partial<TaskBegun> = {}, said: Partial<Attribution> = {}): Entry {
  return {
    kind: "task.begun",
    task: { attribution: { ...nobody, task, ...said }, beganMs: baseMs, reworkOf: null, key: null, ...changes },
  };
}

export const short = ({ success, failure, unknown, open }: SuccessRow): readonly number[] => [
  success.tasks,
  failure.tasks,
  unknown.tasks,
  open.tasks,
];
export const spent = ({ success, failure, unknown, open }: SuccessRow): bigint =>
  [success, failure, unknown, open].reduce((sum, { cost }) => sum + parseUsd(cost), 0n);

const names = ["t0", "t1", "t2", "t3", "t4", "t5"];
export const word = fc.constantFrom<(string | null)[]>(null, "a", "b", 'it\'s "so"\n');
export const words = fc.record({ type: word, agent: word, customer: word, prompt: word });
const atMs = fc.integer({ min: 0, max: 40 }).map((hours) => baseMs + hours * hourMs);

const anyCall = fc.record({
  root: fc.constantFrom(null, null, ...names),
  task: fc.constantFrom(null, "below", "part", ...names),
  said: words,
  key: word,
  atMs,
  model: fc.constantFrom("m1", "m1", "m2", null),
  attempt: fc.integer({ min: 1, max: 2 }),
  ended: fc.constantFrom("complete", "complete", "failed", "cut", "presumed", null),
  picos: fc.bigInt({ min: 0n, max: 9_000_000n }),
  unpriced: fc.nat(4).map((draw) => draw === 0),
  /** What is said of it later: by a fetch of the answer, or by its gateway once more. */
  later: fc.constantFrom("nothing", "nothing", "seen", "seen", "again"),
  seenTask: fc.constantFrom(...names),
  at: fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)),
});

const anyBegun = fc.record({
  task: fc.constantFrom(...names, "begun", "below", "part"),
  root: fc.constantFrom(null, null, null, "t0", "t1"),
  parent: fc.constantFrom(null, null, null, "t1", "begun", "below", "part"),
  reworkOf: fc.constantFrom(null, null, ...names, "begun", "below", "part", "ghost"),
  said: words,
  key: word,
  beganMs: atMs,
  at: fc.nat(999),
});

const anyStatement = fc.record({
  id: fc.nat(30),
  task: fc.constantFrom(...names, ...names, "begun", "below", "part", "ghost"),
  atMs,
  result: fc.constantFrom<(Result | null)[]>("success", "success", "failure", "unknown", null),
  judge: fc.constantFrom<Judge[]>("person", "check", "self"),
  source: word,
  value: fc.constantFrom(null, null, 5n, -3n, 10n ** 24n),
  review: fc.constantFrom(null, null, 0, 60_000),
  at: fc.nat(999),
});

export const anyHistory = fc.record({
  calls: fc.array(anyCall, { maxLength: 25 }),
  begun: fc.array(anyBegun, { maxLength: 8 }),
  statements: fc.array(anyStatement, { maxLength: 25 }),
  cuts: fc.array(fc.nat(90), { maxLength: 6 }),
});

export type TaskHistory = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

/** An entry, and where it comes in the order. */
export interface Timed {
  readonly at: number;
  readonly entry: Entry;
}

/** In the order of `at`; the start of a call goes before its ends. */
export function entriesOf({ calls, begun, statements: said }: Omit<TaskHistory, "cuts">, more: readonly Timed[] = []): Entry[] {
  const entries: Timed[] = [...more];
  calls.forEach((made, index) => {
    const { root, task, key, model, attempt, ended, picos, unpriced, later, seenTask } = made;
    const id = `c${index}`;
    // Which of two calls of the same moment is the first one is the store's to say.
    const startMs = made.atMs + index;
    const [first, second, third] = made.at.toSorted((a, b) => a - b) as [number, number, number];
    const call = sampleStart(id, {
      startMs,
      attribution: { ...nobody, ...made.said, root, task },
      key,
      modelAsked: model,
      modelSent: model,
      attempt,
      reason: attempt > 1 ? "retry" : "first",
    });
    entries.push({ at: first, entry: { kind: "start", call } });
    const responseId = later === "seen" ? `resp_${index}` : null;
    const rated = (charged: bigint, source: "partial" | "reported") => ({
      usage: { parts: [{ kind: "message", model: null, quantities: { input: 10 } }], source, doubts: [], raw: null },
      charges: unpriced ? [] : [sampleCharge("input", 10, charged, source)],
      unpriced: unpriced ? (["input"] as const) : [],
    });
    const end = sampleEnd(id, {
      endMs: startMs + 500,
      status: ended ?? "complete",
      modelAnswered: null,
      responseId,
      ...rated(picos, "partial"),
    });
    if (ended !== null) entries.push({ at: second, entry: { kind: "end", call: end } });
    if (ended !== null && later === "again")
      entries.push({
        at: third,
        entry: { kind: "end", call: { ...end, endMs: startMs + 900, modelAnswered: "m3", ...rated(picos + 1n, "reported") } },
      });
    if (later === "seen") {
      const observation = sampleObservation(`o${index}`, `resp_${index}`, {
        startMs: startMs + 40,
        observedMs: startMs + 2 * hourMs,
        modelAnswered: index % 2 === 0 ? "m2" : null,
        attribution: { ...nobody, task: seenTask, type: "seen" },
        key: "seen",
        ...rated(picos + 7n, "reported"),
      });
      entries.push({ at: made.at[2], entry: { kind: "observation", observation } });
    }
  });
  for (const { task, root, parent, reworkOf, said: words, key, beganMs, at } of begun)
    entries.push({ at, entry: begunOf(task, { reworkOf, key, beganMs }, { root, parent, ...words }) });
  for (const { id, at, value, review, ...rest } of said)
    entries.push({
      at,
      entry: outcomeOf(rest.task, { ...rest, id: `o${id}`, valuePico: value === null ? null : toPico(value), reviewMillis: review }),
    });
  return entries.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry);
}

export const successQueries: readonly SuccessQuery[] = [
  all,
  ...taskFields.map((field) => ({ ...all, by: [field] })),
  { ...all, by: ["type", "model"] },
  { ...all, by: ["customer", "key"], limit: 2 },
  { ...all, nowMs: baseMs + 30 * hourMs },
  { ...all, by: ["agent"], sinceMs: baseMs + 10 * hourMs, untilMs: baseMs + 30 * hourMs },
  { ...all, by: ["type"], filters: [{ field: "customer", value: "a", operator: "=" }] },
  {
    ...all,
    filters: [
      { field: "type", value: null, operator: "!=" },
      { field: "model", value: "m1", operator: "!=" },
    ],
  },
];

export async function told(store: Store, query: SuccessQuery): Promise<Omit<SuccessPage, "position">> {
  const { position: _, ...page } = await store.success(query);
  return page;
}

export function successSuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const fresh = async (): Promise<Store> => (await newPlace()).open();

  describe(`${name}: tasks and how they ended`, () => {
    test("a dozen tasks come to what they do by hand", async () => {
      const place = await newPlace();
      let store = await place.open();
      const page = async (changes: Partial<SuccessQuery> = {}) => store.success({ ...all, ...changes });
      await store.apply(
        placed([
          // 10, 20 and 30 picodollars: a success said late, a failure that became a success, and one of which sources differ.
          ...callOf({ id: "a1", task: "late", said: { type: "x" } }),
          ...callOf({ id: "b1", task: "revised", picos: 2n, said: { type: "x" } }),
          outcomeOf("revised", { result: "failure", source: "tests", atMs: baseMs + 5 }),
          ...callOf({ id: "c1", task: "differs", picos: 3n, said: { type: "x" } }),
          outcomeOf("differs", { result: "failure" }),
          outcomeOf("differs", { judge: "self" }),
          // A root with a subtask, two models, a failed call and a retry: 40 + 50 + 60.
          ...callOf({ id: "d1", task: "whole", picos: 4n, said: { type: "y" } }),
          ...callOf({ id: "d2", task: "part", picos: 5n, said: { root: "whole", type: "z" }, atMs: baseMs + 10, failed: true }),
          ...callOf({ id: "d3", task: "part", picos: 6n, said: { root: "whole" }, atMs: baseMs + 20, attempt: 2, model: "other" }),
          outcomeOf("whole", { valuePico: parseUsd("2.5"), reviewMillis: 60_000 }),
          outcomeOf("part", { result: "failure" }),
          // Rework, and rework of that: 70 + 80 go to the first; a circle: each stands for itself; a cause that nobody knows.
          ...callOf({ id: "e1", task: "cause", picos: 9n }),
          outcomeOf("cause", { result: "failure" }),
          begunOf("fix", { reworkOf: "cause" }),
          ...callOf({ id: "e2", task: "fix", picos: 7n }),
          outcomeOf("fix", { reviewMillis: 1000 }),
          begunOf("refix", { reworkOf: "fix" }),
          ...callOf({ id: "e3", task: "refix", picos: 8n }),
          begunOf("round", { reworkOf: "about" }),
          begunOf("about", { reworkOf: "round" }),
          begunOf("lost", { reworkOf: "nowhere" }),
          outcomeOf("nowhere"),
          // Open against unknown: the same silence, of different age; and one that somebody says nobody knows.
          ...callOf({ id: "f1", task: "old", atMs: baseMs - 1 }),
          ...callOf({ id: "f2", task: "young", atMs: baseMs + 23 * hourMs + 3_599_001 }),
          begunOf("asked", { beganMs: baseMs + 40 * hourMs }),
          outcomeOf("asked", { result: "unknown" }),
        ]),
      );
      await store.apply(
        placed([outcomeOf("late", { atMs: baseMs + 99 }), outcomeOf("revised", { source: "tests", atMs: baseMs + 6 })], 100),
      );
      const { total, waiting, rows } = await page({ by: ["type"] });
      // late, revised, whole; differs, cause; asked, old, round, about, lost; young.
      expect(short(total)).toEqual([3, 2, 5, 1]);
      expect(total.success.cost).toBe("0.00000000018");
      // 30, and 90 with 70 and 80 of rework.
      expect(total.failure.cost).toBe("0.00000000027");
      expect(total.reworkCost).toBe("0.00000000015");
      expect(total.failedCost).toBe("0.00000000005");
      expect(total.retryCost).toBe("0.00000000006");
      expect(total.contradictory).toBe(1);
      expect(total.value).toBe("2.5");
      expect(total.unvaluedCost).toBe("0.00000000032");
      expect(total.reviewMillis).toBe("61000");
      expect(total.calls).toBe(11);
      expect(waiting).toBe(1);
      expect((await store.waiting(10)).tasks.map(({ task }) => task)).toEqual(["nowhere"]);
      // As it is booked: past one that was rework itself, and nowhere round a circle.
      expect(await Promise.all(["cause", "refix", "round", "lost"].map((task) => store.rework(task)))).toEqual([
        { of: null, by: ["fix", "refix"] },
        { of: "cause", by: [] },
        { of: null, by: [] },
        { of: null, by: [] },
      ]);
      expect(rows.map((row) => [...row.group, ...short(row)])).toEqual([
        [null, 0, 1, 5, 1],
        ["x", 2, 1, 0, 0],
        ["y", 1, 0, 0, 0],
      ]);
      expect((await page({ by: ["model"] })).rows.map((row) => [...row.group, ...short(row)])).toEqual([
        ["gpt-5", 2, 2, 1, 1],
        [null, 0, 0, 4, 0],
        ["several", 1, 0, 0, 0],
      ]);
      // Eleven costs: 0 four times, 10 three times, 20, 30, 150 and 240. The sixth, the tenth and the last.
      expect(total.quantiles).toEqual({ p50: "0.00000000001", p90: "0.00000000015", p99: "0.00000000024" });
      expect(total.units.map(({ cost }) => cost).slice(-3)).toEqual(["0.00000000003", "0.00000000015", "0.00000000024"]);
      // The list of tasks says the same of each, rework and those without calls too, all of them and those of one end.
      const listed = async (ended: TaskEnd | null) =>
        (await store.runs({ ...all, order: "newest", limit: 100, ended })).runs.map((run) => [
          run.task,
          run.ended,
          run.value,
          run.contradictory,
        ]);
      const byName = (await listed(null)).toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
      expect(byName).toEqual([
        ["about", "unknown", null, false],
        ["asked", "unknown", null, false],
        ["cause", "failure", null, false],
        ["differs", "failure", null, true],
        ["fix", "success", null, false],
        ["late", "success", null, false],
        ["lost", "unknown", null, false],
        ["nowhere", "success", null, false],
        ["old", "unknown", null, false],
        ["refix", "unknown", null, false],
        ["revised", "success", null, false],
        ["round", "unknown", null, false],
        ["whole", "success", "2.5", false],
        ["young", "open", null, false],
      ]);
      for (const end of taskEnds) expect([...(await listed(end))].toSorted()).toEqual(byName.filter((row) => row[1] === end).toSorted());
      await store.close();
      store = await place.open();
      // The cause that nobody knew is known by now, and what waited for it is its own.
      await store.apply(placed(callOf({ id: "g1", task: "nowhere" }), 200));
      const after = await page();
      expect(short(after.total)).toEqual([4, 2, 4, 1]);
      expect(after.waiting).toBe(0);
      expect(await store.rework("lost")).toEqual({ of: "nowhere", by: [] });
      expect((await store.waiting(10)).tasks).toEqual([]);
      await store.close();
    }, 60_000);

    test("what was said of a task is told in the order of its time, the first of an id alone", async () => {
      const store = await fresh();
      const late = outcomeOf("t", { id: "late", atMs: baseMs + 2, valuePico: toPico(7n), reason: "reverted", source: "tests" });
      const early = outcomeOf("t", { id: "early", atMs: baseMs + 1 });
      await store.apply(placed([late, outcomeOf("other")]));
      await store.apply(placed([early, outcomeOf("t", { id: "late", result: "failure", atMs: baseMs + 9 })], 2));
      expect(await store.outcomes("t")).toEqual([early, late].map((entry) => entry.kind === "outcome" && entry.outcome));
      expect(await store.outcomes("nobody")).toEqual([]);
      // Of the one of which something was said last comes first.
      const { tasks, truncated, position } = await store.waiting(5);
      expect([tasks.map(({ task, statements: said }) => [task, said.map(({ id }) => id).length]), truncated]).toEqual([
        [
          ["t", 2],
          ["other", 1],
        ],
        false,
      ]);
      expect(tasks[0]?.statements).toEqual(await store.outcomes("t"));
      expect(position).not.toBeNull();
      expect(await store.waiting(1)).toMatchObject({ tasks: [{ task: "t" }], truncated: true });
      await store.close();
    }, 60_000);

    test("a correction changes what a task costs, in a closed month as well", async () => {
      const store = await fresh();
      const entries = callOf({ id: "c", task: "t", atMs: Date.UTC(2026, 0, 5), picos: 3n });
      const end = entries[1]?.kind === "end" ? entries[1].call : sampleEnd("c");
      const rerated = (rerate: string, picos: bigint, at: number): Entry => {
        const calls = [{ call: "c", of: markOf(end), charges: [{ ...sampleCharge("input", 10, picos), price: rerate }], unpriced: [] }];
        return { kind: "rerated", rerate, atMs: at, calls };
      };
      await store.apply(placed([...entries, rerated("r1", 5n, Date.UTC(2026, 0, 6))]));
      expect((await store.success(all)).total).toMatchObject({ unknown: { tasks: 1, cost: "0.00000000005" }, calls: 1 });
      const closing = { month: "2026-01", atMs: Date.UTC(2026, 1, 3), costPico: toPico(50n), calls: 1, statement: "" };
      await store.apply(placed([{ kind: "closed", closing }, rerated("r2", 4n, Date.UTC(2026, 1, 20))], 3));
      expect((await store.success(all)).total).toMatchObject({ unknown: { tasks: 1, cost: "0.00000000004" }, calls: 1 });
      await store.close();
    }, 60_000);

    test("of many tasks the units are groups of them that add up to all", async () => {
      const store = await fresh();
      const entries: Entry[] = [];
      for (let index = 0; index < 1200; index++) {
        entries.push(
          ...callOf({ id: `c${index}`, task: `task-${index}`, picos: BigInt(index), said: { type: index < 150 ? "few" : "many" } }),
        );
        // Two in three are worth so much less a hundred: some of them less than nothing.
        if (index % 3 === 0)
          entries.push(outcomeOf(`task-${index}`, index % 9 === 0 ? {} : { valuePico: toPico(BigInt(index - 100)), reviewMillis: index }));
      }
      await store.apply(placed(entries));
      const { total, rows } = await store.success({ ...all, by: ["type"] });
      for (const row of [total, ...rows]) {
        expect(row.units.reduce((sum, { cost }) => sum + parseUsd(cost), 0n)).toBe(spent(row));
        expect(row.units.reduce((sum, { successes }) => sum + successes, 0)).toBe(row.success.tasks);
        expect(row.units.reduce((sum, { value = "0" }) => sum + parseUsd(value), 0n)).toBe(parseUsd(row.value ?? "-1"));
        expect(row.units.reduce((sum, { reviewMillis = "0" }) => sum + BigInt(reviewMillis), 0n)).toBe(BigInt(row.reviewMillis ?? -1));
      }
      // 0 to 1,197 by threes, 239,400, less those by nines, 80,199; of 266 tasks.
      expect([total.reviewMillis, total.value]).toEqual(["159201", formatUsd(toPico(159_201n - 26_600n))]);
      expect(short(total)).toEqual([400, 0, 800, 0]);
      expect(spent(total)).toBe(10n * BigInt((1199 * 1200) / 2));
      expect(rows.map(({ group, units }) => [...group, units.length <= 256])).toEqual([
        ["many", true],
        ["few", true],
      ]);
      expect(rows[1]?.units.length).toBe(150);
      expect(rows[0]?.units.length).toBeGreaterThan(240);
      await store.close();
    }, 60_000);

    test("what cannot be asked is refused", async () => {
      const store = await fresh();
      await expect(store.success({ ...all, by: ["type", "agent", "team"] })).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.success({ ...all, by: ["session" as "type"] })).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.success({ ...all, by: ["type"], limit: 0 })).rejects.toMatchObject({ code: "query_invalid" });
      expect(await store.success({ ...all, by: ["type"] })).toMatchObject({ rows: [], waiting: 0, total: { quantiles: null, units: [] } });
      await store.close();
    }, 60_000);

    test("random histories, in any order and cut anywhere, say what their entries add up to", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const entries = entriesOf(history);
          const cut = await fresh();
          let from = 0;
          for (const step of [...new Set([...history.cuts, entries.length])].toSorted((a, b) => a - b)) {
            const part = entries.slice(from, step);
            if (part.length > 0) await cut.apply(placed(part, from));
            from = Math.max(from, Math.min(step, entries.length));
            // In between, too: some questions at some of the cuts.
            if (step < entries.length) expect(await told(cut, all)).toEqual(expectedSuccess(entries.slice(0, from), all));
          }
          const whole = await fresh();
          if (entries.length > 0) await whole.apply(placed(entries));
          for (const query of successQueries) {
            const expected = expectedSuccess(entries, query);
            expect(await told(cut, query)).toEqual(expected);
            expect(await told(whole, query)).toEqual(expected);
          }
          for (const store of [cut, whole]) {
            const { tasks } = await store.waiting(100);
            expect(tasks.reduce((sum, { statements: said }) => sum + said.length, 0)).toBe(expectedSuccess(entries, all).waiting);
            await store.close();
          }
        }),
        { numRuns: Number(process.env.PENNYWORTH_SUCCESS_RUNS ?? 4) },
      );
    }, 600_000);
  });
}
