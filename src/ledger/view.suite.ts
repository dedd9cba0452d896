// The part of the store's contract that the pages rest on: time in zones, the top of many values, latencies, runs, incidents, and that a span
// which begins and ends anywhere gives the same sums as one on the hour. For tests alone; expectations are summed here, call by call.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallEnd } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import type { Entry } from "../core/entry.ts";
import { formatUsd } from "../core/money.ts";
import { offsetsOf } from "../core/zone.ts";
import { daysOf, samplePeriod } from "./periods.fixture.ts";
import {
  allCalls,
  dayStartMs,
  entriesOf,
  everything,
  expectReport,
  history,
  type Known,
  nobody,
  placed,
  sampleCharge,
  sampleEnd,
  sampleStart,
  totalOf,
  valueOf,
} from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import { removedAfter } from "./places.fixture.ts";
import type { ReportField, ReportQuery, TimeField } from "./store.ts";
import type { TestStore } from "./store.suite.ts";

/** Named as a calendar in that zone does: the other way round than core/zone.ts, which counts offsets. */
function nameOf(startMs: number, field: TimeField, timeZone: string): string {
  const local = (ms: number): string => new Date(ms).toLocaleString("sv-SE", { timeZone });
  const [day = "", clock = ""] = local(startMs).split(" ");
  if (field === "day") return day;
  if (field === "month") return day.slice(0, 7);
  if (field === "week") {
    const date = new Date(`${day}T00:00Z`);
    while (date.getUTCDay() !== 1) date.setUTCDate(date.getUTCDate() - 1);
    return date.toISOString().slice(0, 10);
  }
  const [, minutes = 0, seconds = 0] = clock.split(":").map(Number);
  const into = seconds * 1000 + (startMs % 1000) + (field === "hour" ? minutes * 60_000 : 0);
  return `${new Date(startMs - into).toISOString().slice(0, 19)}Z`;
}

function picoOf({ end }: Known): bigint {
  return (end?.charges ?? []).reduce((sum, charge) => sum + charge.ratePico * BigInt(charge.quantity), 0n);
}

function sumBy(calls: readonly Known[], keyOf: (call: Known) => string): Map<string, [calls: number, cost: string]> {
  const sums = new Map<string, [number, bigint]>();
  for (const call of calls) {
    const [count, pico] = sums.get(keyOf(call)) ?? [0, 0n];
    sums.set(keyOf(call), [count + 1, pico + picoOf(call)]);
  }
  return new Map([...sums].map(([key, [count, pico]]) => [key, [count, formatUsd(pico)]]));
}

function squeeze(calls: readonly Known[], hours: number): Known[] {
  const within = (ms: number): number => dayStartMs + ((ms - dayStartMs) % (hours * 3_600_000));
  return calls.map(({ start, end }) => ({ start: { ...start, startMs: within(start.startMs) }, end }));
}

function taskCall(id: string, atMs: number, said: object, quantity: number | null = 1): Known {
  const end = { endMs: dayStartMs + atMs + 50, charges: [sampleCharge("input", quantity ?? 0, 1_000_000n)] };
  return {
    start: sampleStart(id, { startMs: dayStartMs + atMs, attribution: { ...nobody, ...said } }),
    end: quantity === null ? null : sampleEnd(id, { ...end, status: quantity === 5 ? "cut" : "complete" }),
  };
}

function usageOf(quantities: object): NonNullable<CallEnd["usage"]> {
  return { parts: [{ kind: "message", model: null, quantities }], source: "reported", doubts: [], raw: null };
}

function modelCall(id: string, atMs: number, model: string, end: Partial<CallEnd>): Known {
  const start = sampleStart(id, { startMs: dayStartMs + atMs, modelSent: model });
  return { start, end: sampleEnd(id, { modelAnswered: model, ...end }) };
}

function paidCall(id: string, atMs: number, task: object, charges: readonly Charge[], provider = "openai"): Known {
  const start = sampleStart(id, { startMs: dayStartMs + atMs, provider, attribution: { ...nobody, ...task } });
  return { start, end: sampleEnd(id, { charges }) };
}

function inputCharge(quantity: number, pico = 1_000_000n): Charge {
  return sampleCharge("input", quantity, pico);
}

/** The whole hour before. */
function hour(ms: number): number {
  return ms - (ms % 3_600_000);
}

function isIn(ms: number, [since, until]: readonly [number, number]): boolean {
  return ms >= since && ms < until;
}

export function viewSuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const withStore = async (entries: readonly Entry[], check: (store: Store) => Promise<void>, batches = 1): Promise<void> => {
    const place = await newPlace();
    const store = await place.open();
    const all = placed(entries);
    const size = Math.ceil(all.length / batches);
    for (let from = 0; from < all.length; from += size) await store.apply(all.slice(from, from + size));
    await check(store);
    await store.close();
    await place.remove();
  };
  /** @param hours all calls begin within so many. */
  const forEveryHistory = (
    runs: number,
    check: (store: Store, calls: readonly Known[]) => Promise<void>,
    batches = 1,
    hours = 60,
  ): Promise<void> =>
    fc.assert(
      fc.asyncProperty(
        history.map((calls) => squeeze(calls, hours)),
        (calls) => withStore(entriesOf(calls), (store) => check(store, calls), batches),
      ),
      { numRuns: runs },
    );

  describe(`${name}, as the pages ask`, () => {
    test("names hours, days, weeks and months as a calendar of the zone does, also where clocks change", async () => {
      const zones = ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"];
      await forEveryHistory(4, async (store, calls) => {
        for (const timeZone of zones)
          for (const field of ["minute", "hour", "day", "week", "month"] as const) {
            const zone = offsetsOf(timeZone, null, null)!;
            const report = await store.report({ ...everything, by: [field], zone });
            const expected = sumBy(calls, ({ start }) => nameOf(start.startMs, field, timeZone));
            expect(new Map(report.rows.map((row) => [row.group[0], [row.calls, row.cost]]))).toEqual(expected);
            expect(report.rows.map((row) => row.group[0])).toEqual([...expected.keys()].toSorted());
            const [value = ""] = expected.keys();
            const filters = [{ field, value, operator: "=" } as const];
            expect((await store.report({ ...everything, filters, zone })).total.calls).toBe(expected.get(value)?.[0]);
            expect((await store.calls({ ...allCalls, filters, zone })).calls.length).toBe(expected.get(value)?.[0]);
          }
      });
    }, 120_000);

    test("sums a span that begins and ends anywhere, by fields that are kept by the hour and by others", async () => {
      const questions: readonly (readonly [by: readonly ReportField[], filter: ReportField | null])[] = [
        [[], null],
        [["model"], "provider"],
        [["day", "model"], "status"],
        [["hour", "customer"], null],
        [["customer"], "customer"],
        [["class"], "model"],
        [["day", "class"], null],
        [["feature", "agent", "team"], "type"],
        [["model"], "customer"],
        [["week", "key"], "source"],
      ];
      await forEveryHistory(
        6,
        async (store, calls) => {
          const starts = calls.map(({ start }) => start.startMs).toSorted((a, b) => a - b);
          const [sinceMs = 0, untilMs = 0] = [
            starts[Math.floor(starts.length / 4)],
            (starts[Math.floor((starts.length * 3) / 4)] ?? 0) + 1,
          ];
          for (const [by, field] of questions) {
            const value = field === null ? null : valueOf(calls[0] as Known, field);
            const filters = field === null ? [] : [{ field, value, operator: "=" } as const];
            const kept = calls.filter(
              (call) => call.start.startMs >= sinceMs && call.start.startMs < untilMs && (field === null || valueOf(call, field) === value),
            );
            if (kept.length > 0) await expectReport(store, kept, { ...everything, by, sinceMs, untilMs, filters });
          }
        },
        3,
        4,
      );
    }, 120_000);

    test("sums any spans at once, whether they overlap, touch, lie apart, hold whole hours or nothing", async () => {
      const charge = samplePeriod("p", { fromMs: dayStartMs + 1_000, toMs: dayStartMs + 30 * 3_600_000 });
      const check = async (store: Store, calls: readonly Known[]): Promise<void> => {
        const starts = calls.map(({ start }) => start.startMs).toSorted((a, b) => a - b);
        const at = (part: number): number => starts[Math.floor((starts.length - 1) * part)] ?? dayStartMs;
        const bounds = [
          [at(0.25), at(0.75) + 1],
          [at(0.5), at(0.75)],
          [at(0.5), at(0.5) + 1],
          [hour(at(0.25)), hour(at(0.75)) + 3_600_000],
          [hour(at(0.5)) + 1, hour(at(0.5)) + 3_600_000],
          [dayStartMs - 86_400_000, dayStartMs + 3 * 86_400_000],
          [dayStartMs - 7_200_000, at(0)],
          [at(0.75), at(0.75)],
          [at(0.75), at(0.25)],
        ] as const;
        const spans = bounds.map(([sinceMs, untilMs]) => ({ sinceMs, untilMs }));
        const { totals, position } = await store.totals(spans);
        expect(totals).toEqual(
          bounds.map((span) =>
            totalOf(
              calls.filter(({ start }) => isIn(start.startMs, span)),
              daysOf(charge).filter(({ fromMs }) => isIn(fromMs, span)),
            ),
          ),
        );
        expect(position).toEqual((await store.report(everything)).position);
        expect((await store.totals([])).totals).toEqual([]);
      };
      await fc.assert(
        fc.asyncProperty(
          history.map((calls) => squeeze(calls, 7)),
          (calls) => withStore([...entriesOf(calls), { kind: "charge", charge }], (store) => check(store, calls), 3),
        ),
        { numRuns: 6 },
      );
    }, 120_000);

    test("tells the dearest values apart and sums the others, time by time", async () => {
      await forEveryHistory(5, async (store, calls) => {
        for (const [time, field] of [
          ["day", "model"],
          ["day", "customer"],
          ["hour", "task"],
          ["week", "type"],
          ["minute", "call"],
        ] as const) {
          const all = await store.report({ ...everything, by: [field] });
          const chosen = all.rows.slice(0, 1).map((row) => row.group[0] ?? null);
          const report = await store.report({ ...everything, by: [time, field], top: 1, latency: true });
          const label = (call: Known): string =>
            JSON.stringify([valueOf(call, time), ...(chosen.includes(valueOf(call, field)) ? [valueOf(call, field)] : [null, "rest"])]);
          const told = report.rows.map(({ group, calls, cost, rest }): [string, unknown] => [
            JSON.stringify(rest ? [...group, "rest"] : group),
            [calls, cost],
          ]);
          expect(new Map(told)).toEqual(sumBy(calls, label));
          expect(told.length).toBe(new Map(told).size);
          expect(report.rows.map((row) => row.rest === true)).toEqual(report.rows.map((row) => row.latency === undefined));
          const { latency: _latency, ...total } = report.total;
          expect(total).toEqual({ ...all.total, group: [null, null] });
        }
      });
    }, 120_000);

    test("finds values by a part of them, whatever the case", async () => {
      const calls = ["GPT-5", "gpt-5-mini", "claude", "50%_off"].map((model, index) => ({
        start: sampleStart(`c${index}`, { modelSent: model }),
        end: sampleEnd(`c${index}`, { modelAnswered: model, charges: [sampleCharge("input", 10 - index, 1n)] }),
      }));
      await withStore(entriesOf(calls), async (store) => {
        const find = async (search: string, more: Partial<ReportQuery> = {}): Promise<unknown> =>
          (await store.report({ ...everything, by: ["model"], search, ...more })).rows.map((row) => row.group[0]);
        expect(await find("gpt")).toEqual(["GPT-5", "gpt-5-mini"]);
        expect(await find("GPT-5-M")).toEqual(["gpt-5-mini"]);
        expect(await find("%_")).toEqual(["50%_off"]);
        expect(await find("'; --")).toEqual([]);
        expect(await find("5", { by: ["hour"] })).toEqual([]);
      });
    });

    test("says how long calls took: the value that half, and nineteen in twenty, stay within", async () => {
      const durations = Array.from({ length: 40 }, (_, index) => (index * 37) % 40);
      const calls = durations.map((ms, index) => ({
        start: sampleStart(`c${index}`, { startMs: dayStartMs + index }),
        end: sampleEnd(`c${index}`, { endMs: dayStartMs + index + ms, firstTokenMs: index % 2 === 0 ? dayStartMs + index + 5 : null }),
      }));
      const open = { start: sampleStart("open", { startMs: dayStartMs }), end: null };
      await withStore(entriesOf([...calls, open]), async (store) => {
        const expected = { durationMsP50: 19, durationMsP95: 37, firstTokenMsP50: 5, firstTokenMsP95: 5 };
        for (const by of [[], ["day"], ["model"], ["day", "provider"]] as ReportField[][]) {
          const { rows, total } = await store.report({ ...everything, by, latency: true });
          expect(rows.map((row) => row.latency)).toEqual([expected]);
          expect(total.latency).toEqual(expected);
          expect(total.calls).toBe(41);
        }
        const nothing = await store.report({ ...everything, by: ["status"], latency: true });
        expect(nothing.rows.find((row) => row.group[0] === "open")?.latency).toEqual({
          durationMsP50: null,
          durationMsP95: null,
          firstTokenMsP50: null,
          firstTokenMsP95: null,
        });
      });
    });

    test("lists runs: a root with its subtasks as one, calls under way in it, and what has no task in none", async () => {
      const calls = [
        taskCall("a1", 0, { task: "A", type: "triage", customer: "c" }),
        taskCall("a2", 100, { task: "A/1", parent: "A", root: "A", agent: "coder" }, 5),
        taskCall("a3", 200, { task: "A/1/x", parent: "A/1", root: "A" }, 2),
        taskCall("b1", 300, { task: "B", type: "reply" }, 30),
        taskCall("b2", 900, { task: "B" }, null),
        taskCall("n1", 950, {}),
      ];
      await withStore(entriesOf(calls), async (store) => {
        const query = { sinceMs: null, untilMs: null, filters: [], order: "newest", limit: 10, ended: null, nowMs: 0, openMs: 1 } as const;
        const { runs, truncated, position } = await store.runs(query);
        expect(truncated).toBe(false);
        expect(position).not.toBeNull();
        expect(runs.map(({ task, calls, cost, tasks, open }) => ({ task, calls, cost, tasks, open }))).toEqual([
          { task: "B", calls: 2, cost: "0.00003", tasks: 1, open: 1 },
          { task: "A", calls: 3, cost: "0.000008", tasks: 3, open: 0 },
        ]);
        expect(runs[1]).toMatchObject({
          type: "triage",
          customer: "c",
          agent: "coder",
          failed: 1,
          startMs: dayStartMs,
          endMs: dayStartMs + 250,
        });
        expect((await store.runs({ ...query, order: "dearest", limit: 1 })).truncated).toBe(true);
        expect((await store.runs({ ...query, untilMs: dayStartMs + 150 })).runs.map(({ task, calls }) => [task, calls])).toEqual([
          ["A", 2],
        ]);
        expect(
          (await store.runs({ ...query, filters: [{ field: "type", value: "reply", operator: "=" }] })).runs.map(({ calls }) => calls),
        ).toEqual([1]);
        const tree = await store.run("A", 2);
        expect(tree?.run).toMatchObject({ task: "A", calls: 3, cost: "0.000008", tasks: 3 });
        expect(tree?.nodes.map(({ task, parent, calls, cost }) => [task, parent, calls, cost])).toEqual([
          ["A", null, 1, "0.000001"],
          ["A/1", "A", 1, "0.000005"],
          ["A/1/x", "A/1", 1, "0.000002"],
        ]);
        expect(tree?.calls.map(({ id }) => id)).toEqual(["a1", "a2"]);
        expect(tree?.truncated).toBe(true);
        expect((await store.run("A/1", 10))?.calls.map(({ id }) => id)).toEqual(["a2", "a3"]);
        expect(await store.run("no such task", 10)).toBeNull();
        expect((await store.runs({ ...query, sinceMs: dayStartMs + 940 })).runs).toEqual([]);
      });
    });

    test("lists what has no price: by model, tier and class, with the first and the last call", async () => {
      const charges = [sampleCharge("input", 10, 1n)];
      const calls = [
        modelCall("a", 0, "new", { usage: usageOf({ input: 10, output: 5 }), charges: [], unpriced: ["input", "output"] }),
        modelCall("b", 50, "new", { usage: usageOf({ input: 7, output: 0 }), charges: [], unpriced: ["input"] }),
        modelCall("c", 20, "new", { tierServed: "batch", usage: usageOf({ input: 100 }), charges: [], unpriced: ["input"] }),
        // A class that is priced for one part of the call and not for the other.
        modelCall("d", 30, "half", { usage: usageOf({ input: 14, output: 5 }), charges, unpriced: ["input", "output"] }),
        modelCall("e", 40, "half", { usage: usageOf({ input: 10 }), charges }),
        modelCall("f", 60, "bound", { usage: { ...usageOf({}), source: "presumed" }, charges: [], unpriced: ["output"] }),
      ];
      await withStore(entriesOf(calls), async (store) => {
        const query = { sinceMs: null, untilMs: null, filters: [], limit: 10 };
        const { rows, truncated } = await store.unpriced(query);
        expect(truncated).toBe(false);
        const told = rows.map(({ model, tier, calls: count, firstMs, lastMs, classes }) => [
          [model, tier, count, firstMs - dayStartMs, lastMs - dayStartMs],
          classes.map((one) => [one.class, one.calls, one.quantity]),
        ]);
        expect(told).toEqual([
          [
            ["new", null, 2, 0, 50],
            [
              ["input", 2, 17],
              ["output", 1, 5],
            ],
          ],
          [["bound", null, 1, 60, 60], []],
          [
            ["half", null, 1, 30, 30],
            [
              ["input", 0, 4],
              ["output", 1, 5],
            ],
          ],
          [["new", "batch", 1, 20, 20], [["input", 1, 100]]],
        ]);
        const first = await store.unpriced({ ...query, sinceMs: dayStartMs + 1, limit: 1 });
        expect([first.truncated, first.rows.map((row) => row.model)]).toEqual([true, ["bound"]]);
      });
    });

    test("follows what a model's lines came to, split where its price may change", async () => {
      const hour = 3_600_000;
      // 22:00 of 28 March, a Saturday: the first two days are of one week, and the month ends three days later.
      const calls = [
        paidCall("a", 0, { task: "A" }, [inputCharge(10), sampleCharge("output", 2, 3_000_000n)]),
        paidCall("b", hour, { task: "A/1", root: "A" }, [inputCharge(30)]),
        paidCall("c", 3 * hour, { task: "B" }, [inputCharge(100, 2_000_000n), { ...inputCharge(1), model: "other", part: 1 }]),
        paidCall("d", 30 * hour, {}, [inputCharge(1_000)]),
        paidCall("e", 31 * hour, { task: "E" }, [{ ...inputCharge(9), model: "other" }]),
        paidCall("f", 32 * hour, { task: "F" }, [inputCharge(9)], "azure"),
      ];
      await withStore(entriesOf(calls), async (store) => {
        const query = { provider: "openai", model: "gpt-5", sinceMs: null, untilMs: null, changesMs: [], dailyMs: [], limit: 100 } as const;
        const byDay = await store.trend({ ...query, by: "day" });
        expect(byDay).toEqual({
          lines: [
            { bucket: "2026-03-28", atMs: dayStartMs, class: "input", quantity: 40, cost: "0.00004" },
            { bucket: "2026-03-28", atMs: dayStartMs, class: "output", quantity: 2, cost: "0.000006" },
            { bucket: "2026-03-29", atMs: dayStartMs + 3 * hour, class: "input", quantity: 100, cost: "0.0002" },
            { bucket: "2026-03-30", atMs: dayStartMs + 30 * hour, class: "input", quantity: 1_000, cost: "0.001" },
          ],
          buckets: [
            { bucket: "2026-03-28", calls: 2, tasks: 1, taskCost: "0.000046" },
            { bucket: "2026-03-29", calls: 1, tasks: 1, taskCost: "0.000201" },
            { bucket: "2026-03-30", calls: 1, tasks: 0, taskCost: "0" },
          ],
          truncated: false,
        });
        const byMonth = await store.trend({ ...query, by: "month", changesMs: [dayStartMs + 2 * hour], dailyMs: [23 * hour] });
        expect(byMonth.lines.map(({ atMs, class: name, quantity }) => [(atMs - dayStartMs) / hour, name, quantity])).toEqual([
          [0, "input", 10],
          [1, "input", 30],
          [3, "input", 1_100],
          [0, "output", 2],
        ]);
        expect(byMonth.buckets).toEqual([{ bucket: "2026-03", calls: 4, tasks: 2, taskCost: "0.000247" }]);
        expect((await store.trend({ ...query, by: "week", sinceMs: dayStartMs + 1, untilMs: dayStartMs + 4 * hour })).buckets).toEqual([
          { bucket: "2026-03-23", calls: 2, tasks: 2, taskCost: "0.000231" },
        ]);
        expect((await store.trend({ ...query, by: "day", limit: 2 })).truncated).toBe(true);
        expect((await store.trend({ ...query, model: "'; --", by: "day" })).lines).toEqual([]);
      });
    });

    test("keeps gaps and jumps of the clock", async () => {
      const entries: Entry[] = [
        { kind: "gap", fromMs: 1_000, toMs: 5_000, calls: 7, cause: "ENOSPC" },
        { kind: "clock", atMs: 9_000, byMs: -3_600_000 },
      ];
      await withStore(entries, async (store) => {
        const of = async (sinceMs: number | null, untilMs: number | null, limit = 10) => store.incidents({ sinceMs, untilMs, limit });
        expect(await of(null, null)).toEqual({
          incidents: [
            { kind: "clock", atMs: 9_000, byMs: -3_600_000 },
            { kind: "gap", fromMs: 1_000, toMs: 5_000, calls: 7, cause: "ENOSPC" },
          ],
          truncated: false,
        });
        expect((await of(4_000, 6_000)).incidents.map(({ kind }) => kind)).toEqual(["gap"]);
        expect((await of(null, null, 1)).truncated).toBe(true);
      });
    });
  });
}
