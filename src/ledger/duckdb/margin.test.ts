// Revenue in the store: its sums over any span are those of all statements that count, by day; whatever the order and the batches in which they came.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { unattributed } from "../../core/call.ts";
import type { Entry } from "../../core/entry.ts";
import { formatUsd, parseUsd, type Pico, toPico } from "../../core/money.ts";
import type { Revenue } from "../../core/revenue.ts";
import { dayMs } from "../../core/time.ts";
import type { MarginSums } from "../margin.ts";
import { placed, sampleCharge, sampleEnd, sampleStart } from "../store.fixture.ts";
import { DuckDBStore } from "./store.ts";

const day = (text: string): number => Date.parse(`${text}T00:00Z`);
const noRecords = { read: async () => [] };

let folder = "";
let store: DuckDBStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "margin-"));
  store = new DuckDBStore(join(folder, "store.duckdb"), noRecords);
  await store.open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function paid(id: string, changes: Partial<Revenue> = {}): Entry & { readonly kind: "revenue" } {
  return {
    kind: "revenue",
    revenue: {
      id,
      customer: "acme",
      plan: "pro",
      feature: null,
      every: "month",
      amountPico: parseUsd("30"),
      fromMs: day("2026-09-01"),
      toMs: null,
      bookedMs: day("2026-11-20"),
      witness: "declared",
      key: null,
      ...changes,
    },
  };
}

function call(id: string, customer: string | null, at: string, dollars: bigint): Entry[] {
  const startMs = day(at) + 3_600_000;
  const attribution = { ...unattributed, customer };
  const charges = [sampleCharge("input", 1, dollars * 1_000_000_000_000n)];
  return [
    { kind: "start", call: sampleStart(id, { startMs, attribution }) },
    { kind: "end", call: sampleEnd(id, { endMs: startMs + 1, charges }) },
  ];
}

let position = 0;
async function apply(entries: readonly Entry[]): Promise<void> {
  await store.apply(placed(entries, position));
  position += entries.length;
}

test("a call of which nobody knows what it used has no known cost", async () => {
  const [start, ended] = call("a", "acme", "2026-09-03", 2n) as [Entry, Entry & { readonly kind: "end" }];
  const silent: Entry = { kind: "end", call: { ...ended.call, status: "failed", usage: null, charges: [] } };
  await store.apply(placed([start, silent, ...call("b", "acme", "2026-09-04", 3n)]));
  const span = { sinceMs: day("2026-09-01"), untilMs: day("2026-10-01") };
  const { costs } = await store.margin({ by: "customer", ...span, months: [], spans: [] });
  expect(costs).toMatchObject([{ key: "acme", calls: 2, cost: "3", unpriced: 1 }]);
});

describe("what customers pay and cost", () => {
  test("a subscription, an invoice across months and a refund, by customer, month and span", async () => {
    position = 0;
    await apply([
      paid("sub", { fromMs: day("2026-09-16") }),
      paid("invoice", {
        customer: "beta",
        plan: null,
        every: "once",
        amountPico: parseUsd("61"),
        fromMs: day("2026-09-01"),
        toMs: day("2026-11-01"),
      }),
      paid("refund", {
        customer: "beta",
        plan: null,
        every: "once",
        amountPico: parseUsd("-2"),
        fromMs: day("2026-10-05"),
        toMs: day("2026-10-06"),
      }),
      paid("nobody", {
        customer: null,
        plan: null,
        every: "once",
        amountPico: parseUsd("7"),
        fromMs: day("2026-10-05"),
        toMs: day("2026-10-06"),
      }),
      ...call("c1", "acme", "2026-09-20", 20n),
      ...call("c2", "acme", "2026-10-20", 50n),
      ...call("c3", null, "2026-10-21", 5n),
      ...call("c4", "gamma", "2026-10-21", 6n),
    ]);
    const october = await store.margin({
      by: "customer",
      sinceMs: day("2026-10-01"),
      untilMs: day("2026-11-01"),
      months: ["2026-09", "2026-10"],
      spans: [
        { sinceMs: day("2026-09-01"), untilMs: day("2026-10-01") },
        { sinceMs: day("2025-10-01"), untilMs: day("2025-11-01") },
      ],
    });
    expect(byKey(october)).toEqual({
      acme: ["pro", "30", 31],
      beta: [null, "29", 32],
      null: [null, "7", 1],
    });
    expect(october.costs.map(({ key, cost, calls }) => [key, cost, calls])).toEqual([
      ["acme", "50", 1],
      ["gamma", "6", 1],
      [null, "5", 1],
    ]);
    // 15 of 30 days of September, and 30 of the 61 days of an invoice.
    expect(october.spans).toEqual(["45", null]);
    expect(october.newKeys).toBe(0);
    const histories = october.months.map(({ key, costs, earned }) => [key, [costs, earned]] as const);
    // Of those that did not lose money in the last month, that month alone.
    expect(Object.fromEntries(histories)).toEqual({
      acme: [
        ["20", "50"],
        ["15", "30"],
      ],
      beta: [[null], ["29"]],
      gamma: [
        [null, "6"],
        [null, null],
      ],
    });
    const week = await store.margin({
      by: "customer",
      sinceMs: day("2026-09-14"),
      untilMs: day("2026-09-21"),
      months: ["2026-08"],
      spans: [],
    });
    expect(byKey(week)).toEqual({ acme: ["pro", "5", 5], beta: [null, "7", 7] });
    expect(week.newKeys).toBe(1);
  });

  test("what was voided counts for nothing, whichever came first, and the first of an id stands", async () => {
    position = 0;
    await apply([{ kind: "revenue.voided", id: "early", atMs: 1 }]);
    await apply([paid("early"), paid("late"), paid("stands"), paid("stands", { amountPico: parseUsd("99") })]);
    await apply([paid("stands", { amountPico: parseUsd("98") }), { kind: "revenue.voided", id: "late", atMs: 2 }]);
    const found = await store.margin({ by: "customer", sinceMs: day("2026-10-01"), untilMs: day("2026-11-11"), months: [], spans: [] });
    expect(byKey(found)).toEqual({ acme: ["pro", "40", 41] });
    const { revenues } = await store.revenue({ ids: ["early", "late", "other"], sinceMs: null, untilMs: null, limit: 10 });
    expect(revenues.map(({ revenue, voidedMs }) => [revenue.id, voidedMs])).toEqual([
      ["late", 2],
      ["early", 1],
    ]);
    expect((await store.revenue({ ids: null, sinceMs: null, untilMs: null, limit: 2 })).truncated).toBe(true);
  });

  test("sums are those of all statements by day, however they came", async () => {
    const first = day("2026-01-01") / dayMs;
    const statement = fc.record({
      id: fc.integer({ min: 0, max: 30 }),
      customer: fc.constantFrom(null, "a", "b"),
      plan: fc.constantFrom(null, "x", "y"),
      feature: fc.constantFrom(null, "f", "g"),
      every: fc.constantFrom("once", "month" as const),
      amount: fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
      from: fc.integer({ min: 0, max: 200 }),
      days: fc.option(fc.integer({ min: 1, max: 150 })),
      void: fc.boolean(),
    });
    const spans = fc.array(fc.tuple(fc.integer({ min: 0, max: 250 }), fc.integer({ min: 1, max: 150 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { maxLength: 25 }), spans, fc.integer({ min: 1, max: 9 }), async (said, wanted, size) => {
        const entries: Entry[] = [];
        const counted = new Map<number, Revenue>();
        const voids = new Set<number>();
        for (const one of said) {
          const isOnce = one.every === "once" || one.days !== null;
          const revenue = paid(`r${one.id}`, {
            customer: one.customer,
            plan: one.plan,
            feature: one.feature,
            every: one.every === "once" && one.days !== null ? "once" : "month",
            amountPico: toPico(one.amount),
            fromMs: (first + one.from) * dayMs,
            toMs: isOnce && one.days !== null ? (first + one.from + one.days) * dayMs : null,
          });
          entries.push(revenue);
          if (!counted.has(one.id)) counted.set(one.id, revenue.revenue);
          if (one.void && one.id % 3 === 0) {
            entries.push({ kind: "revenue.voided", id: `r${one.id}`, atMs: 5 });
            voids.add(one.id);
          }
        }
        await store.close();
        rmSync(join(folder, "store.duckdb"), { force: true });
        store = new DuckDBStore(join(folder, "store.duckdb"), noRecords);
        await store.open();
        position = 0;
        for (let from = 0; from < entries.length; from += size) await apply(entries.slice(from, from + size));
        for (const by of ["customer", "feature"] as const)
          for (const [from, days] of wanted) {
            const [sinceMs, untilMs] = [(first + from) * dayMs, (first + from + days) * dayMs];
            const sums = await store.margin({ by, sinceMs, untilMs, months: [], spans: [{ sinceMs, untilMs }] });
            const told = new Map<string, [bigint, number]>();
            for (const [id, revenue] of counted) {
              if (voids.has(id)) continue;
              for (let ms = sinceMs; ms < untilMs; ms += dayMs) {
                const amount = ofDay(revenue, ms);
                if (amount === null) continue;
                const name = JSON.stringify([revenue[by], revenue.plan]);
                const [before, count] = told.get(name) ?? [0n, 0];
                told.set(name, [before + amount, count + 1]);
              }
            }
            const seen = Object.fromEntries(
              sums.earned.map(({ key, plan, amount, days: count }) => [JSON.stringify([key, plan]), [amount, count]]),
            );
            expect(seen).toEqual(Object.fromEntries([...told].map(([name, [amount, count]]) => [name, [formatUsd(amount), count]])));
            const all = [...told.values()].reduce((total, [amount]) => total + amount, 0n);
            expect(sums.spans).toEqual([told.size === 0 ? null : formatUsd(all)]);
          }
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

/** Of one day, by a way of its own: the n-th of so many parts, the first of which are a picodollar larger. */
function ofDay({ every, amountPico, fromMs, toMs }: Revenue, ms: number): Pico | null {
  if (ms < fromMs || (toMs !== null && ms >= toMs)) return null;
  const date = new Date(ms);
  const start = every === "once" ? fromMs : Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const end = every === "once" ? (toMs as number) : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const [days, index] = [BigInt((end - start) / dayMs), BigInt((ms - start) / dayMs)];
  const size = amountPico < 0n ? -amountPico : amountPico;
  const part = size / days + (index < size % days ? 1n : 0n);
  return toPico(amountPico < 0n ? -part : part);
}

function byKey({ earned }: MarginSums): Record<string, unknown> {
  return Object.fromEntries(earned.map(({ key, plan, amount, days }) => [String(key), [plan, amount, days]]));
}
