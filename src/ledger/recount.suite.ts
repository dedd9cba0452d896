// The contract of stores on tasks whose history does not stand still: prices are corrected, charges booked and voided, months closed, evidence comes
// late, the store is opened again anywhere, and made anew. For tests alone. Invariant: whatever came in between, sums are those of the entries; a
// closing keeps the rows of a month as they are, and tells nothing of tasks.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attribution, CallEnd, CallStart } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { markOf } from "../core/mark.ts";
import { formatUsd, parseUsd, toPico } from "../core/money.ts";
import { samplePeriod } from "./periods.fixture.ts";
import { removedAfter } from "./places.fixture.ts";
import { everything, nobody, placed, sampleCharge, sampleEnd, sampleObservation, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import type { SuccessPage, SuccessQuery } from "./store.ts";
import type { TestStore } from "./store.suite.ts";
import { expectedSuccess } from "./success.fixture.ts";
import { anyHistory, baseMs, entriesOf, successQueries, type Timed, told, word, words } from "./success.suite.ts";

const hourMs = 3_600_000;
const all = successQueries[0] as SuccessQuery;
const name = fc.constantFrom("t0", "t1", "t2", "t3", "begun", "ghost");

/** Some that nobody begins or calls, too. */
const chargedName = fc.oneof(name, fc.constantFrom("below", "unheard", "unheard of"));

/** What changes beside tasks, calls and statements. */
const anyChange = fc.record({
  rerated: fc.array(
    fc.record({ call: fc.nat(24), end: fc.nat(2), picos: fc.bigInt({ min: 0n, max: 9_000n }), hours: fc.nat(900), at: fc.nat(1200) }),
    { maxLength: 12 },
  ),
  charges: fc.array(
    fc.record({
      root: fc.option(chargedName, { nil: null }),
      task: fc.option(chargedName, { nil: null }),
      said: words,
      key: word,
      hours: fc.nat(40),
      days: fc.integer({ min: 1, max: 40 }),
      pico: fc.option(fc.bigInt({ min: 0n, max: 10n ** 13n }), { nil: null }),
      at: fc.nat(999),
      voidedAt: fc.nat(2400),
    }),
    { maxLength: 6 },
  ),
  closings: fc.array(fc.record({ month: fc.constantFrom("2026-10", "2026-11", "2026-12"), at: fc.integer({ min: 300, max: 1200 }) }), {
    maxLength: 2,
  }),
  /** After which of the cuts the store is closed and opened again. */
  restarts: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
});
type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never;

/** Corrections name the ends that are there, one that came later among them. */
function changesOf({ rerated, charges, closings }: Change, entries: readonly Entry[]): Timed[] {
  const timed: Timed[] = [];
  const ends = new Map<string, Pick<CallEnd, "usage" | "charges">[]>();
  const keep = (id: string, end: Pick<CallEnd, "usage" | "charges">): void => void ends.set(id, [...(ends.get(id) ?? []), end]);
  for (const entry of entries) {
    if (entry.kind === "end") keep(entry.call.id, entry.call);
    // What a later witness saw may be a call by itself, under its own name, or the end of its gateway's.
    if (entry.kind === "observation")
      for (const id of [entry.observation.id, `c${entry.observation.id.slice(1)}`]) keep(id, entry.observation);
  }
  rerated.forEach(({ call, end, picos, hours, at }, index) => {
    for (const id of [`c${call}`, `o${call}`]) {
      const known = ends.get(id);
      const amended = known?.[end % known.length];
      if (amended === undefined) continue;
      const made = { call: id, of: markOf(amended), charges: [{ ...sampleCharge("input", 10, picos), price: `p${index}` }], unpriced: [] };
      timed.push({ at, entry: { kind: "rerated", rerate: `r${index}`, atMs: baseMs + hours * hourMs, calls: [made] } });
    }
  });
  charges.forEach(({ root, task, said, key, hours, days, pico, at, voidedAt }, index) => {
    // Which of two of the same moment is the first one is the store's to say.
    const fromMs = baseMs + hours * hourMs + index;
    const charge = samplePeriod(`charge-${index}`, {
      fromMs,
      toMs: fromMs + days * 24 * hourMs,
      bookedMs: fromMs,
      attribution: { ...nobody, ...said, root, task },
      key,
      costPico: pico === null ? null : toPico(pico),
    });
    timed.push({ at, entry: { kind: "charge", charge } });
    if (voidedAt < 1200) timed.push({ at: voidedAt, entry: { kind: "charge.voided", id: charge.id, atMs: fromMs + hourMs } });
  });
  for (const { month, at } of closings) {
    const closing = { month, atMs: Date.parse(`${month}-28T00:00:00Z`) + 7 * 24 * hourMs, costPico: toPico(0n), calls: 0, statement: "" };
    timed.push({ at, entry: { kind: "closed", closing } });
  }
  return timed;
}

/** One by one, tasks are those that are counted together: how they ended, what they cost, and of how many that is not known. */
async function expectTrials(store: Store, { total }: Omit<SuccessPage, "position">): Promise<void> {
  const { sinceMs, untilMs, filters, nowMs, openMs } = all;
  const { trials } = await store.trials({ sinceMs, untilMs, filters, nowMs, openMs, by: "type", limit: 1_000 });
  for (const end of ["success", "failure", "unknown", "open"] as const) {
    const ended = trials.filter(({ ending }) => ending === end);
    expect([end, ended.length]).toEqual([end, total[end].tasks]);
    const known = ended.flatMap(({ cost }) => (cost === null ? [] : parseUsd(cost)));
    if (known.length === ended.length)
      expect([end, formatUsd(known.reduce((sum, pico) => sum + pico, 0n))]).toEqual([end, total[end].cost]);
  }
  expect(trials.filter(({ cost }) => cost === null)).toHaveLength(total.unpriced);
}

/** What a task cost elsewhere, one part of a day later each. */
const elsewhere = (id: string, dollars: bigint, said: Partial<Attribution>, hours = 0): Entry => {
  const fromMs = baseMs + hours * hourMs;
  const attribution = { ...nobody, ...said };
  const costPico = toPico(dollars * 10n ** 12n);
  return {
    kind: "charge",
    charge: samplePeriod(id, { class: "task", fromMs, toMs: fromMs + 1, bookedMs: fromMs, attribution, costPico }),
  };
};

const endOf = (id: string, endMs: number, picos: bigint, responseId: string | null = null): Entry => ({
  kind: "end",
  call: sampleEnd(id, { endMs, responseId, modelAnswered: null, charges: [sampleCharge("input", 10, picos)] }),
});

const begin = (task: string, said: Partial<Attribution>, reworkOf: string | null = null): Entry => ({
  kind: "task.begun",
  task: { attribution: { ...nobody, task, ...said }, beganMs: baseMs, reworkOf, key: null },
});

const spentIn = ({ success, failure, unknown, open }: SuccessPage["total"]): readonly (string | number)[] => [
  success.tasks + failure.tasks + unknown.tasks + open.tasks,
  formatUsd([success, failure, unknown, open].reduce((sum, { cost }) => sum + parseUsd(cost), 0n)),
];

export function recountSuite(storeName: string, make: () => Promise<TestStore>): void {
  const fresh = removedAfter(make);

  /** The store after all entries, in pieces that end at the cuts, opened again after some of them; `check` is asked at each. */
  async function fed(
    entries: readonly Entry[],
    { cuts, restarts }: { readonly cuts: readonly number[]; readonly restarts: readonly boolean[] },
    check: (store: Store, until: number) => Promise<void>,
  ): Promise<Store> {
    const place = await fresh();
    let store = await place.open();
    let from = 0;
    const steps = [...new Set([...cuts.filter((cut) => cut < entries.length), entries.length])].toSorted((a, b) => a - b);
    for (const [index, step] of steps.entries()) {
      if (step > from) await store.apply(placed(entries.slice(from, step), from));
      from = step;
      if (restarts[index] === true) {
        await store.close();
        store = await place.open();
      }
      await check(store, step);
    }
    return store;
  }

  describe(`${storeName}: charges of tasks that nobody began`, () => {
    test("make their roots known, once below each other, naming each other or said later, until they are taken back", async () => {
      const place = await fresh();
      const store = await place.open();
      const said = { type: "fresh", agent: "a" };
      await store.apply(
        placed([
          begin("sub1", { ...said, root: "epic-1" }),
          elsewhere("c1", 5n, { ...said, task: "sub1", root: "epic-1" }, 2),
          begin("sub2", { type: "later", root: "epic-1" }),
          elsewhere("c2", 7n, { type: "later", task: "sub2", root: "epic-1" }, 3),
          // Below what is below another; each other's roots; and one of which nobody but the charge knows.
          elsewhere("c3", 2n, { type: "nested", task: "nx2", root: "nx3" }),
          elsewhere("c4", 4n, { type: "nested", task: "nx3", root: "nx4" }),
          elsewhere("c5", 8n, { type: "nested", task: "nx4" }),
          elsewhere("c6", 16n, { type: "round", task: "nx5", root: "nx6" }),
          elsewhere("c7", 32n, { type: "round", task: "nx6", root: "nx5" }),
          elsewhere("c8", 64n, { task: "nx7", root: "unheard" }),
          // What makes good a task that only a charge knows is booked to it.
          begin("fix", {}, "unheard"),
          elsewhere("c9", 128n, { task: "fix" }),
        ]),
      );
      const page = (changes: Partial<SuccessQuery> = {}) => store.success({ ...all, openMs: 24 * hourMs, ...changes });
      const byType = async () => (await page({ by: ["type"] })).rows.map((row) => [...row.group, ...spentIn(row)]).toSorted();
      expect(spentIn((await page()).total)).toEqual([6, "266"]);
      expect(await byType()).toEqual([
        [null, 1, "192"],
        ["fresh", 1, "12"],
        ["nested", 2, "14"],
        ["round", 2, "48"],
      ]);
      expect((await page()).total.reworkCost).toBe("128");
      expect(await store.rework("fix")).toEqual({ of: "unheard", by: [] });
      expect((await store.find({ tasks: ["epic-1", "unheard", "nx7", "nobody"], responses: [] })).tasks.toSorted()).toEqual([
        "epic-1",
        "nx7",
        "unheard",
      ]);
      // Its time is that of its first charge, and it is open for as long after the last as after a call.
      expect(spentIn((await page({ sinceMs: baseMs + 1, filters: [{ field: "agent", value: "a", operator: "=" }] })).total)).toEqual([
        1,
        "12",
      ]);
      expect((await page({ nowMs: baseMs + 27 * hourMs })).total.open).toEqual({ tasks: 1, cost: "12" });
      expect((await page({ nowMs: baseMs + 27 * hourMs + 1 })).total.open).toEqual({ tasks: 0, cost: "0" });
      // Said later, what it is; and taken back, the rework stands for itself.
      await store.apply(placed([begin("epic-1", { type: "epic" }), { kind: "charge.voided", id: "c8", atMs: baseMs }], 50));
      expect(await byType()).toEqual([
        [null, 1, "128"],
        ["epic", 1, "12"],
        ["nested", 2, "14"],
        ["round", 2, "48"],
      ]);
      expect((await page()).total.reworkCost).toBe("0");
      await store.close();
    }, 60_000);
  });

  describe(`${storeName}: tasks with calls of a closed month`, () => {
    test("are open for as long after the end that came late as after any, of the time of their calls, and cost what these do", async () => {
      const place = await fresh();
      const store = await place.open();
      const closedMs = Date.parse("2026-12-05T00:00:00Z");
      const under = (id: string, task: string, hours: number): CallStart =>
        sampleStart(id, {
          startMs: baseMs + hours * hourMs,
          attribution: { ...nobody, task, type: task },
          modelSent: "m1",
          modelAsked: "m1",
        });
      const seen = sampleObservation("o1", "resp_seen", {
        startMs: baseMs,
        observedMs: baseMs + hourMs,
        attribution: { ...nobody, task: "elsewhere" },
        charges: [sampleCharge("input", 10, 70n)],
      });
      const page = async (changes: Partial<SuccessQuery> = {}) => store.success({ ...all, openMs: 24 * hourMs, ...changes });
      await store.apply(
        placed([
          { kind: "start", call: under("long", "late", 0) },
          { kind: "observation", observation: seen },
          { kind: "start", call: under("seen", "seen", 1) },
          {
            kind: "closed",
            closing: { month: "2026-11", atMs: closedMs, costPico: toPico(0n), calls: 0, statement: "" },
          },
        ]),
      );
      // What a later witness saw is a task of its own until its gateway tells whose it was.
      expect((await page({ by: ["type"], nowMs: closedMs })).rows).toHaveLength(3);
      await store.apply(
        placed(
          [
            endOf("long", closedMs + hourMs, 5n),
            { kind: "start", call: under("unheard", "heard late", 2) },
            endOf("unheard", baseMs + 3 * hourMs, 6n),
            endOf("seen", closedMs + 2 * hourMs, 7n, "resp_seen"),
          ],
          50,
        ),
      );
      const rows = async (changes: Partial<SuccessQuery>) =>
        (await page({ by: ["type"], ...changes })).rows.map(({ group, open, unknown }) => [...group, open.tasks, unknown.tasks]);
      expect(await rows({ nowMs: closedMs + 25 * hourMs - 1 })).toEqual([
        ["heard late", 0, 1],
        ["late", 1, 0],
        ["seen", 1, 0],
      ]);
      expect(await rows({ nowMs: closedMs + 25 * hourMs })).toEqual([
        ["heard late", 0, 1],
        ["late", 0, 1],
        ["seen", 1, 0],
      ]);
      expect(await rows({ nowMs: closedMs, sinceMs: baseMs + 2 * hourMs, untilMs: baseMs + 3 * hourMs })).toEqual([["heard late", 0, 1]]);
      // 50, 60, and of the response what its provider said, once: in the books the difference is booked, and it is the same in all.
      const { total } = await page({ nowMs: closedMs });
      expect(total.calls).toBe(3);
      const spent = spentIn(total)[1];
      expect(spent).toBe((await store.report(everything)).total.cost);
      await store.close();
    }, 60_000);
  });

  const runs = { numRuns: Number(process.env["PENNYWORTH_SUCCESS_RUNS"] ?? 2) };

  describe(`${storeName}: tasks whose history does not stand still`, () => {
    test("corrections, charges, voids, late evidence and restarts anywhere: sums are those of the entries", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, anyChange, async (history, change) => {
          const entries = entriesOf(history, changesOf({ ...change, closings: [] }, entriesOf(history)));
          const cut = await fed(entries, { ...history, ...change }, async (store, until) =>
            expect(await told(store, all)).toEqual(expectedSuccess(entries.slice(0, until), all)),
          );
          const again = await fed(entries, { cuts: [], restarts: [] }, async () => {});
          for (const query of successQueries) {
            const expected = expectedSuccess(entries, query);
            expect(await told(cut, query)).toEqual(expected);
            if (query.by.length !== 1) expect(await told(again, query)).toEqual(expected);
          }
          await expectTrials(cut, expectedSuccess(entries, all));
          for (const store of [cut, again]) await store.close();
        }),
        runs,
      );
    }, 600_000);

    test("closed months: their rows stand, and tasks are what is known of them, as if none were closed", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, anyChange, async (history, change) => {
          const entries = entriesOf(history, changesOf(change, entriesOf(history)));
          const cut = await fed(entries, { ...history, ...change }, async (store, until) =>
            expect(await told(store, all)).toEqual(expectedSuccess(entries.slice(0, until), all)),
          );
          const again = await fed(entries, { cuts: [], restarts: [] }, async () => {});
          for (const query of successQueries) {
            const expected = expectedSuccess(entries, query);
            expect(await told(cut, query)).toEqual(expected);
            if (query.by.length !== 1) expect(await told(again, query)).toEqual(expected);
          }
          await expectTrials(cut, expectedSuccess(entries, all));
          for (const store of [cut, again]) await store.close();
        }),
        runs,
      );
    }, 600_000);
  });
}
