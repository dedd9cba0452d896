// The contract every store is held to: one list of cases, run against each implementation. For tests alone.
// The sums it expects come from store.fixture.ts.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallEnd } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import type { Entry } from "../core/entry.ts";
import { toPico } from "../core/money.ts";
import type { PeriodCharge } from "../core/period.ts";
import { type Day, daysOf, samplePeriod, someCharges, valueOfDay } from "./periods.fixture.ts";
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
  sampleObservation,
  sampleStart,
  valueOf,
} from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import { removedAfter } from "./places.fixture.ts";
import { type ChargesQuery, type Filter, type ReportField, type ReportQuery, reportFields, timeFields } from "./store.ts";

export interface TestStore {
  /** Opened and empty, or as it was closed. */
  open(): Promise<Store>;
  /** Removes everything. */
  remove(): Promise<void>;
}

const fields: readonly ReportField[] = [...reportFields, "class", ...timeFields, "tag.color of 'it'", "tag.never"];

const toEntry = (charge: PeriodCharge): Entry => ({ kind: "charge", charge });

/** Three calls to a second, so that pages must tell equal times apart. */
function pageStartMs(index: number): number {
  return dayStartMs + Math.floor(index / 3) * 1000;
}

export function storeSuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const fresh = async (): Promise<{ place: TestStore; store: Store }> => {
    const place = await newPlace();
    return { place, store: await place.open() };
  };
  /** fast-check prints the seed and the smallest counterexample of a failure. */
  const forEveryHistory = (
    runs: number,
    check: (store: Store, calls: readonly Known[], days: readonly Day[]) => Promise<void>,
  ): Promise<void> =>
    fc.assert(
      fc.asyncProperty(history, someCharges, async (calls, charges) => {
        const { place, store } = await fresh();
        await store.apply(placed([...entriesOf(calls), ...charges.map(toEntry)]));
        await check(store, calls, charges.flatMap(daysOf));
        await store.close();
        await place.remove();
      }),
      { numRuns: runs },
    );

  describe(name, () => {
    test("reports by every field what another sum says", async () => {
      await forEveryHistory(8, async (store, calls, days) => {
        for (const field of fields) await expectReport(store, calls, { ...everything, by: [field] }, days);
        await expectReport(store, calls, everything, days);
      });
    }, 120_000);

    test("reports by several fields at once, and the parts add up to the total", async () => {
      await forEveryHistory(8, async (store, calls, days) => {
        await expectReport(store, calls, { ...everything, by: ["model", "customer"] }, days);
        await expectReport(store, calls, { ...everything, by: ["day", "class", "status"] }, days);
        await expectReport(store, calls, { ...everything, by: ["hour", "task", "tag.color of 'it'"] }, days);
        await expectReport(store, calls, { ...everything, by: ["call", "day"] }, days);
      });
    }, 120_000);

    test("filters by every field, by what was not recorded, and by time", async () => {
      await forEveryHistory(5, async (store, calls, days) => {
        const [first] = calls as [Known];
        for (const field of fields.filter((field) => field !== "class")) {
          const filters: Filter[] = [
            { field, value: valueOf(first, field), operator: "=" },
            { field, value: valueOf(first, field), operator: "!=" },
            { field, value: null, operator: "!=" },
            { field, value: "no such value", operator: "=" },
          ];
          for (const filter of filters) {
            const kept = calls.filter((call) => (valueOf(call, field) === filter.value) === (filter.operator === "="));
            const ofPeriods = days.filter((day) => (valueOfDay(day, field) === filter.value) === (filter.operator === "="));
            const by: ReportField[] = kept.length + ofPeriods.length === 0 ? ["model"] : [];
            await expectReport(store, kept, { ...everything, by, filters: [filter] }, ofPeriods);
          }
        }
        const sinceMs = first.start.startMs;
        const since = calls.filter((call) => call.start.startMs >= sinceMs);
        await expectReport(
          store,
          since,
          { ...everything, by: ["model"], sinceMs },
          days.filter((day) => day.fromMs >= sinceMs),
        );
        const until = calls.filter((call) => call.start.startMs < sinceMs);
        await expectReport(
          store,
          until,
          { ...everything, by: ["model"], untilMs: sinceMs },
          days.filter((day) => day.fromMs < sinceMs),
        );
      });
    }, 120_000);

    test("filters by class: what is of the class, and the calls that have it", async () => {
      const { store } = await fresh();
      await store.apply(
        placed([
          { kind: "start", call: sampleStart("a") },
          { kind: "end", call: sampleEnd("a") },
        ]),
      );
      const of = async (operator: "=" | "!=", value: string): Promise<unknown> => {
        const { total } = await store.report({ ...everything, by: ["model"], filters: [{ field: "class", value, operator }] });
        return [total.calls, total.cost, total.inputTokens, total.outputTokens];
      };
      expect(await of("=", "output")).toEqual([1, "0.00005", 0, 5]);
      expect(await of("!=", "output")).toEqual([1, "0.000025", 10, 0]);
      expect(await of("!=", "reasoning")).toEqual([1, "0.000075", 10, 5]);
      await store.close();
    });

    test("lists the dearest first, by time where there is time, and says when there are more", async () => {
      const { store } = await fresh();
      const calls = [3, 9, 1, 7].map((quantity, index) => ({
        start: sampleStart(`c${index}`, { startMs: dayStartMs + index * 86_400_000, modelAsked: `m${index}`, modelSent: null }),
        end: sampleEnd(`c${index}`, { modelAnswered: null, charges: [sampleCharge("input", quantity, 1n)] }),
      }));
      await store.apply(placed(entriesOf(calls)));
      const groups = async (query: Partial<ReportQuery>): Promise<unknown> => {
        const report = await store.report({ ...everything, ...query });
        return [report.rows.map((row) => row.group[0]), report.truncated, report.total.cost];
      };
      expect(await groups({ by: ["model"], limit: 2 })).toEqual([["m1", "m3"], true, "0.00000000002"]);
      expect(await groups({ by: ["call"], limit: 2 })).toEqual([["c1", "c3"], true, "0.00000000002"]);
      expect(await groups({ by: ["day"] })).toEqual([["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"], false, "0.00000000002"]);
      await store.close();
    });

    test("gives back records exactly, large integers and hostile text included", async () => {
      await forEveryHistory(5, async (store, calls) => {
        for (const { start, end } of calls)
          expect(await store.call(start.id)).toEqual({ id: start.id, start, end, witnesses: ["gateway"] });
        const ids = calls.map(({ start }) => start.id).sort();
        const scanned: string[] = [];
        for (let after: string | null = null, page = await store.scan(null, 7); page.length > 0; page = await store.scan(after, 7)) {
          scanned.push(...page.map(({ id }) => id));
          after = page.at(-1)?.id ?? null;
        }
        expect(scanned).toEqual(ids);
      });
      const { store } = await fresh();
      const huge: Charge = { ...sampleCharge("input", 10, 1n), ratePico: 10n ** 30n + 7n, ratePer: 3n, costPico: toPico(10n ** 25n + 1n) };
      const start = sampleStart("huge", {
        modelAsked: "\ud800 half a pair",
        attribution: { ...nobody, tags: { "\ud800": "\udc00", "": "" } },
      });
      const end = sampleEnd("huge", { charges: [huge] });
      await store.apply(
        placed([
          { kind: "start", call: start },
          { kind: "end", call: end },
        ]),
      );
      expect(await store.call("huge")).toEqual({ id: "huge", start, end, witnesses: ["gateway"] });
      // Dearer than a row can hold: unknown in reports, never a wrong sum.
      expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0", unpriced: 1 });
      const many = {
        parts: [{ kind: "message", model: null, quantities: { output: Number.MAX_SAFE_INTEGER } }],
        source: "reported",
        doubts: [],
        raw: null,
      } as const;
      const flood = Array.from({ length: 1200 }, (_, index): Known => ({
        start: sampleStart(`f${index}`),
        end: sampleEnd(`f${index}`, { usage: many, charges: [] }),
      }));
      await store.apply(placed(entriesOf(flood), 2));
      expect((await store.report(everything)).total).toMatchObject({ calls: 1201, outputTokens: 5, doubtful: 1200 });
      expect((await store.report({ ...everything, by: ["class"] })).rows[0]).toMatchObject({ group: ["output"], calls: 1201 });
      expect((await store.call("f7"))?.end?.usage).toEqual(many);
      expect(await store.call("no such call")).toBeNull();
      await store.close();
    }, 120_000);

    test("pages visit every call once, newest first, while new ones arrive", async () => {
      const { store } = await fresh();
      const calls = Array.from({ length: 50 }, (_, index): Known => {
        const id = `p${String((index * 37) % 50).padStart(2, "0")}`;
        return { start: sampleStart(id, { startMs: pageStartMs(index) }), end: index % 5 === 0 ? null : sampleEnd(id) };
      });
      await store.apply(placed(entriesOf(calls)));
      const seen: string[] = [];
      let cursor: string | null = null;
      let applied = 1000;
      do {
        const page = await store.calls({ ...allCalls, cursor, limit: 7 });
        seen.push(...page.calls.map((call) => call.id));
        cursor = page.cursor;
        const id = `later${applied}`;
        await store.apply(placed([{ kind: "start", call: sampleStart(id, { startMs: pageStartMs(1000 + applied) }) }], applied++));
      } while (cursor !== null);
      const newest = [...calls].sort((a, b) => b.start.startMs - a.start.startMs || (a.start.id < b.start.id ? 1 : -1));
      expect(seen).toEqual(newest.map(({ start }) => start.id));
      await expect(store.calls({ ...allCalls, cursor: "nonsense" })).rejects.toMatchObject({ code: "query_invalid" });
      await store.close();
    });

    test("lists calls with what was spent and what is not sure", async () => {
      const { store } = await fresh();
      const start = sampleStart("s", { attribution: { ...nobody, customer: "n_1", tags: { color: "red", __proto__x: "y" } } });
      const usage = {
        parts: [{ kind: "message", model: null, quantities: { input: 10, reasoning: 4 } }],
        source: "reported",
        doubts: ["?"],
        raw: null,
      } as const;
      await store.apply(
        placed([
          { kind: "start", call: start },
          { kind: "end", call: sampleEnd("s", { usage, charges: [sampleCharge("input", 10, 3n)], unpriced: ["reasoning"] }) },
          { kind: "start", call: sampleStart("t", { startMs: start.startMs + 1 }) },
        ]),
      );
      const { calls } = await store.calls(allCalls);
      expect(calls.map((call) => [call.id, call.status, call.cost])).toEqual([
        ["t", "open", "0"],
        ["s", "complete", "0.00000000003"],
      ]);
      expect(calls[1]).toMatchObject({
        inputTokens: 10,
        outputTokens: 4,
        unpriced: ["reasoning"],
        doubtful: true,
        attribution: start.attribution,
      });
      const filters: Filter[] = [{ field: "tag.color", value: "red", operator: "=" }];
      expect((await store.calls({ ...allCalls, filters })).calls.map((call) => call.id)).toEqual(["s"]);
      await store.close();
    });

    test("counted once: entries applied again change nothing, also after a restart", async () => {
      await fc.assert(
        fc.asyncProperty(history, fc.array(fc.nat(80), { maxLength: 4 }), async (calls, restarts) => {
          const { place, store: first } = await fresh();
          let store = first;
          const entries = placed(entriesOf(calls));
          for (const restart of restarts) {
            await store.apply(entries.slice(0, restart));
            await store.close();
            store = await place.open();
          }
          await store.apply(entries);
          await store.apply(entries);
          await expectReport(store, calls, { ...everything, by: ["status"] });
          await store.close();
          store = await place.open();
          expect((await store.report(everything)).position).toEqual(entries.at(-1)?.position);
          await store.close();
          await place.remove();
        }),
        { numRuns: 6 },
      );
    }, 120_000);

    test("counted once: a later witness of a call joins it, in any order", async () => {
      const start = sampleStart("g", { startMs: dayStartMs });
      const estimated: CallEnd = sampleEnd("g", {
        status: "cut",
        responseId: "resp_1",
        usage: { parts: [], source: "estimated", doubts: [], raw: null },
        charges: [sampleCharge("output", 99, 1n, "estimated")],
      });
      const seen: Entry = { kind: "observation", observation: sampleObservation("o", "resp_1") };
      const again: Entry = { kind: "observation", observation: sampleObservation("o2", "resp_1", { observedMs: 1_760_000_099_000 }) };
      const other: Entry = { kind: "observation", observation: sampleObservation("x", "resp_1", { provider: "groq" }) };
      const begin: Entry = { kind: "start", call: start };
      const finish: Entry = { kind: "end", call: estimated };
      const orders: readonly (readonly Entry[][])[] = [
        [[begin, finish, seen, again, other]],
        [[begin], [finish], [seen], [again, other]],
        [[other, seen, again], [begin], [finish]],
        [[begin, seen], [other, finish], [again]],
      ];
      for (const batches of orders) {
        const { store } = await fresh();
        let at = 0;
        for (const batch of batches) {
          await store.apply(placed(batch, at));
          at += batch.length;
        }
        const { total } = await store.report(everything);
        expect(total).toMatchObject({ calls: 2, cost: "0.00015", inputTokens: 20, outputTokens: 10 });
        for (const field of ["task", "session", "status"] as const) {
          const { rows } = await store.report({ ...everything, by: [field] });
          expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(2);
        }
        const classes = (await store.report({ ...everything, by: ["class"] })).rows.map((row) => [
          row.group[0],
          row.calls,
          row.quantity,
          row.cost,
        ]);
        expect(classes).toEqual([
          ["output", 2, 10, "0.0001"],
          ["input", 2, 20, "0.00005"],
        ]);
        const record = await store.call("g");
        expect(record?.start).toEqual(start);
        expect(record?.witnesses).toEqual(["fetch", "gateway"]);
        expect(record?.end).toMatchObject({ id: "g", status: "cut", usage: { source: "reported" } });
        expect(await store.call("o")).toBeNull();
        expect(await store.call("x")).toMatchObject({ start: null, end: { status: "complete" }, witnesses: ["fetch"] });
        await store.close();
      }
    });

    test("counted once: what was presumed is replaced by what came later", async () => {
      const { store } = await fresh();
      const presumed = sampleEnd("g", { status: "presumed", usage: null, charges: [sampleCharge("output", 1000, 9n, "presumed")] });
      await store.apply(
        placed([
          { kind: "start", call: sampleStart("g") },
          { kind: "end", call: presumed },
        ]),
      );
      expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0.000000009", presumed: 1 });
      await store.apply(placed([{ kind: "end", call: sampleEnd("g") }], 2));
      expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0.000075", presumed: 0 });
      expect((await store.call("g"))?.end).toEqual(sampleEnd("g"));
      await store.close();
    });

    test("period charges: the first of an id stands, a void takes it out, and no cut into batches or repetition changes that", async () => {
      await fc.assert(
        fc.asyncProperty(
          someCharges,
          fc.array(fc.tuple(fc.nat(11), fc.boolean()), { maxLength: 12 }),
          fc.array(fc.nat(30), { maxLength: 4 }),
          async (charges, later, cuts) => {
            const entries = placed([
              ...charges.map(toEntry),
              // Said again with another cost, or voided: whichever comes, and also of ids that nobody knows.
              ...later.map(([index, isVoid], at): Entry => {
                const id = `charge-${index}`;
                return isVoid ? { kind: "charge.voided", id, atMs: at } : toEntry(samplePeriod(id, { costPico: toPico(1n) }));
              }),
            ]);
            const first = new Map<string, PeriodCharge>();
            const voided = new Map<string, number>();
            for (const { entry } of entries)
              if (entry.kind === "charge" && !first.has(entry.charge.id)) first.set(entry.charge.id, entry.charge);
              else if (entry.kind === "charge.voided" && !voided.has(entry.id)) voided.set(entry.id, entry.atMs);
            const { place, store } = await fresh();
            for (const cut of cuts.toSorted((a, b) => a - b)) await store.apply(entries.slice(0, cut));
            await store.apply(entries);
            await store.apply(entries);
            const days = [...first.values()].filter((charge) => !voided.has(charge.id)).flatMap(daysOf);
            for (const by of [["day"], ["class"], ["task"], []] as const) await expectReport(store, [], { ...everything, by }, days);
            const listed = await store.charges({ sinceMs: null, untilMs: null, limit: 100 });
            expect(new Map(listed.charges.map(({ charge, voidedMs }) => [charge.id, [charge, voidedMs]]))).toEqual(
              new Map([...first].map(([id, charge]) => [id, [charge, voided.get(id) ?? null]])),
            );
            for (const [id, charge] of first) expect(await store.charge(id)).toEqual({ charge, voidedMs: voided.get(id) ?? null });
            expect(await store.charge("no such charge")).toBeNull();
            await store.close();
            await place.remove();
          },
        ),
        { numRuns: 10 },
      );
    }, 120_000);

    test("period charges: listed newest first, those of a period, and it says when there are more", async () => {
      const { store } = await fresh();
      const dayMs = 86_400_000;
      const charges = [0, 1, 2, 3].map((day) => samplePeriod(`d${day}`, { fromMs: day * dayMs, toMs: (day + 2) * dayMs }));
      await store.apply(placed(charges.map(toEntry)));
      const ids = async (query: Partial<ChargesQuery>): Promise<unknown> => {
        const page = await store.charges({ sinceMs: null, untilMs: null, limit: 100, ...query });
        return [page.charges.map(({ charge }) => charge.id), page.truncated];
      };
      expect(await ids({})).toEqual([["d3", "d2", "d1", "d0"], false]);
      expect(await ids({ limit: 2 })).toEqual([["d3", "d2"], true]);
      expect(await ids({ sinceMs: 3 * dayMs })).toEqual([["d3", "d2"], false]);
      expect(await ids({ untilMs: dayMs })).toEqual([["d0"], false]);
      await expect(ids({ limit: 0 })).rejects.toMatchObject({ code: "query_invalid" });
      await store.close();
    });

    test("counted once: thousands of results that two witnesses saw, in any order of batches", async () => {
      const lines = Array.from({ length: 2500 }, (_, index) => `chatcmpl-${index}`);
      const said = (witness: string): Entry[] =>
        lines.map((id) => ({ kind: "observation", observation: sampleObservation(`${witness}-${id}`, id, { witness }) }));
      const both = [...said("follow"), ...said("fetch")];
      const entries = both.map((_, index) => both[(index * 1777) % both.length] as Entry);
      const { store } = await fresh();
      for (let from = 0; from < entries.length; from += 1700) await store.apply(placed(entries.slice(from, from + 1700), from));
      // 2,500 times what sampleObservation costs: 0.000075.
      expect((await store.report(everything)).total).toMatchObject({ calls: 2500, cost: "0.1875", inputTokens: 25_000 });
      expect((await store.report({ ...everything, by: ["witness"] })).rows).toMatchObject([{ group: ["fetch+follow"], calls: 2500 }]);
      await store.close();
    }, 60_000);

    test("refuses what it cannot answer", async () => {
      const { store } = await fresh();
      const wrong = { ...everything, by: ["no such field" as ReportField] };
      await expect(store.report(wrong)).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.report({ ...everything, limit: 0 })).rejects.toMatchObject({ code: "query_invalid" });
      await expect(store.report({ ...everything, limit: 10_001 })).rejects.toMatchObject({ code: "query_invalid" });
      expect(await store.report(everything)).toMatchObject({ rows: [], total: { calls: 0, cost: "0" }, position: null });
      await store.close();
    });
  });
}
