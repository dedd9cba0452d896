// Why the bill moved, through the real store: months of calls that differ in one thing alone, all in one ledger; and of calls at random the same answer
// as from sums over the calls themselves, whose totals are the report's. Not here: the question's edges (api/drivers.test.ts).

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createApi } from "../src/api/app.ts";
import { callsOf, costOf, listOf, november, october, pricesOf, record, sumsOf, type Work } from "../src/api/bills.fixture.ts";
import type { ApiContext } from "../src/api/context.ts";
import { createMemory } from "../src/api/memory.fixture.ts";
import { unattributed } from "../src/core/call.ts";
import type { Entry } from "../src/core/entry.ts";
import { parseUsd } from "../src/core/money.ts";
import { encodeEntry } from "../src/ledger/codec.ts";
import { DuckDBStore } from "../src/ledger/duckdb/store.ts";
import { samplePeriod } from "../src/ledger/periods.fixture.ts";
import { placed } from "../src/ledger/store.fixture.ts";
import type { CallRecord } from "../src/ledger/store.ts";

interface Body {
  readonly before: { readonly cost: string; readonly calls: number; readonly tasks: number; readonly revenue: string | null };
  readonly after: { readonly cost: string; readonly revenue: string | null };
  readonly summary: string;
  readonly bound: string;
  readonly margin: { readonly steps: readonly { readonly factor: string; readonly points: string }[] } | null;
  readonly change: string;
  readonly lines: readonly { readonly factor: string; readonly change: string }[];
  readonly position: unknown;
}

const folders: string[] = [];
const stores: DuckDBStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function storeOf(records: readonly CallRecord[], more: readonly Entry[] = []): Promise<DuckDBStore> {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-why-"));
  folders.push(folder);
  const calls = records.flatMap(({ start, end }): Entry[] => [
    ...(start === null ? [] : [{ kind: "start" as const, call: start }]),
    ...(end === null ? [] : [{ kind: "end" as const, call: end }]),
  ]);
  const entries = placed([...calls, ...more]);
  // What is applied stands in for the journal.
  const texts = new Map(entries.map(({ entry, position }) => [JSON.stringify(position), encodeEntry(entry)]));
  const store = new DuckDBStore(join(folder, "store.duckdb"), {
    read: (positions) => Promise.resolve(positions.map((position) => texts.get(JSON.stringify(position)) ?? "nothing")),
  });
  stores.push(store);
  await store.open();
  await store.apply(entries);
  return store;
}

const november15 = Date.UTC(2026, 10, 15);
const small = { input: "0.25", cache_read: "0.025", output: "2" };
const { prices, history } = pricesOf([
  listOf([
    record("small", small),
    record("large", { input: "2.5", cache_read: "0.25", output: "20" }),
    record("small", { input: "0.125", cache_read: "0.0125", output: "1" }, { tier: "batch" }),
    record("moving", small, { validToMs: november15 }),
    record("moving", { input: "0.5", cache_read: "0.05", output: "4" }, { validFromMs: november15 }),
  ]),
]);

function contextOf(store: DuckDBStore): ApiContext {
  const memory = createMemory([]);
  const { drivers, report, margin } = {
    drivers: store.drivers.bind(store),
    report: store.report.bind(store),
    margin: store.margin.bind(store),
  };
  return { ...memory, now: () => november.untilMs, prices, ledger: { ...memory.ledger, drivers, report, margin } };
}

async function ask<Answer>(context: ApiContext, path: string): Promise<Answer> {
  const response = await createApi(context).request(`/api/v1${path}`, { headers: { authorization: "Bearer reader" } });
  return (await response.json()) as Answer;
}

const months = "since=2026-11-01&until=2026-12-01&against=month";
const base: Work = { type: "triage", tasks: 8, calls: 3, retryEvery: 4, quantities: { input: 1_000, cache_read: 2_000, output: 300 } };
const only: readonly (readonly [string, Work[], Work[]])[] = [
  ["volume", [base], [{ ...base, tasks: 20 }]],
  [
    "type_mix",
    [base, { ...base, type: "write", calls: 6 }],
    [
      { ...base, tasks: 4 },
      { ...base, type: "write", calls: 6, tasks: 12 },
    ],
  ],
  ["calls_per_task", [{ ...base, retryEvery: 0 }], [{ ...base, calls: 5, retryEvery: 0 }]],
  ["model_mix", [base], [{ ...base, model: "large" }]],
  ["retries", [base], [{ ...base, retryEvery: 2 }]],
  ["tokens_per_call", [base], [{ ...base, quantities: { input: 1_500, cache_read: 3_000, output: 450 } }]],
  ["token_kind", [{ ...base, quantities: { input: 1_000, output: 300 } }], [{ ...base, quantities: { input: 700, output: 600 } }]],
  ["cache", [base], [{ ...base, quantities: { input: 2_500, cache_read: 500, output: 300 } }]],
  ["price_list", [{ ...base, model: "moving" }], [{ ...base, model: "moving" }]],
  ["tier_and_discount", [base], [{ ...base, tier: "batch" }]],
  ["new_work", [base], [base, { ...base, type: "write" }]],
  ["stopped_work", [base, { ...base, type: "write" }], [base]],
];

/** The same calls under names and in a place of their own. */
function named(place: string, calls: readonly CallRecord[]): CallRecord[] {
  return calls.flatMap(({ start, end, witnesses }) => {
    if (start === null || end === null) return [];
    const id = `${place}-${start.id}`;
    const attribution = { ...start.attribution, environment: place, task: `${place} ${start.attribution.task ?? ""}` };
    return [{ id, start: { ...start, id, request: id, attribution }, end: { ...end, id, responseId: id }, witnesses }];
  });
}

describe("through the store", () => {
  it("what changed alone is all that moved the bill", { timeout: 60_000 }, async () => {
    const all = only.flatMap(([place, before, after]) =>
      named(place, [...callsOf(before, october, history), ...callsOf(after, november, history)]),
    );
    const context = contextOf(await storeOf(all));
    for (const [place] of only) {
      const found = await ask<Body>(context, `/drivers?${months}&filter=environment=${place}`);
      const moved = Object.fromEntries(found.lines.filter((line) => line.change !== "0").map((line) => [line.factor, line.change]));
      expect([place, moved]).toEqual([place, { [place]: found.change }]);
      expect(found.change).not.toBe("0");
      const own = all.filter(({ start }) => start?.attribution.environment === place);
      expect([found.before.cost, found.after.cost]).toEqual([costOf(own, october), costOf(own, november)]);
    }
  });

  it("calls at random have the answer that their own sums have, and the totals of the report", { timeout: 60_000 }, async () => {
    let state = 20_261_122;
    // A generator of the numerical recipes: the same calls in each run.
    const draw = <Value>(...values: readonly Value[]): Value => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return values[Math.floor((state / 2 ** 32) * values.length)] as Value;
    };
    const works = (): Work[] =>
      Array.from({ length: 8 }, () => ({
        type: draw("triage", "write", "", null),
        tasks: draw(0, 2, 5, 9),
        calls: draw(1, 2, 3),
        model: draw("small", "large", "moving", "nowhere"),
        tier: draw(null, "batch"),
        agent: draw("a", "b", null),
        retryEvery: draw(0, 1, 3),
        quantities: { input: draw(10, 999, 4_321), cache_read: draw(0, 2_000), output: draw(1, 77) },
      }));
    const records = [...callsOf(works(), october, history), ...callsOf(works(), november, history)];
    const store = await storeOf(records);
    const position = { segment: 1, offset: 2 * records.length * 100 };
    for (const query of [
      months,
      `${months}&by=agent&limit=2`,
      "since=2026-11-09T07:31Z&until=2026-11-20T16:02Z&against=2026-10-03T11:11Z..2026-11-02",
    ]) {
      const found = await ask<Body>(contextOf(store), `/drivers?${query}`);
      const expected = await ask<Body>(
        {
          ...contextOf(store),
          ledger: { ...contextOf(store).ledger, drivers: async (asked) => ({ ...sumsOf(records, asked), position }) },
        },
        `/drivers?${query}`,
      );
      // Cells come in another order: of two that are as large, either may be named first.
      const sorted = (body: Body) =>
        JSON.parse(JSON.stringify(body, (name, value: unknown) => (name === "contributors" ? undefined : value))) as unknown;
      expect(sorted(found)).toEqual(sorted(expected));
    }
    const report = await ask<{ total: { cost: string; calls: number } }>(contextOf(store), "/report?since=2026-10-01&until=2026-11-01");
    const { before } = await ask<Body>(contextOf(store), `/drivers?${months}`);
    expect([before.cost, before.calls]).toEqual([report.total.cost, report.total.calls]);
  });

  it("what has no price, or no usage, is counted as a report counts it, of charges as well as of calls", async () => {
    const bare = { ...base, tasks: 1, calls: 1, retryEvery: 0, model: "nowhere" };
    const calls = [...callsOf([bare], october, history), ...callsOf([{ ...bare, tasks: 2 }], november, history)];
    // The second of November answers without usage.
    const last = calls.at(-1);
    if (last?.end === null || last === undefined) throw new Error("no end");
    const said = [...calls.slice(0, -1), { ...last, end: { ...last.end, usage: null, charges: [], unpriced: [] } }];
    const day = { fromMs: november15, toMs: november15 + 86_400_000, provider: "elsewhere", class: "task" } as const;
    const charges = [
      samplePeriod("up1", { ...day, attribution: { ...unattributed, task: "up1", type: "UP", agent: "ada" }, costPico: null }),
      samplePeriod("up2", { ...day, attribution: { ...unattributed, task: "up2", type: "UP", agent: "bob" }, costPico: parseUsd("2") }),
    ];
    const context = contextOf(
      await storeOf(
        said,
        charges.map((charge) => ({ kind: "charge", charge })),
      ),
    );
    const none = { unpriced: 0, periodUnpriced: 0, unmetered: 0, isCostWhole: true };
    const all = await ask<Body>(context, `/drivers?${months}`);
    expect(all.before).toMatchObject({ cost: "0", ...none, unpriced: 1, isCostWhole: false });
    expect(all.after).toMatchObject({ cost: "2", unpriced: 2, periodUnpriced: 1, unmetered: 1, isCostWhole: false });
    const { total } = await ask<{ total: object }>(context, "/report?since=2026-11-01&until=2026-12-01");
    expect(total).toMatchObject({ cost: "2", unpriced: 1, periodUnpriced: 1, unmetered: 1 });
    // With filters, and told apart.
    const up = await ask<Body>(context, `/drivers?${months}&filter=type=UP&by=customer`);
    expect([up.before, up.after, up.bound]).toMatchObject([
      { cost: "0", ...none },
      { cost: "2", unpriced: 1, periodUnpriced: 1, unmetered: 0, isCostWhole: false },
      "at least",
    ]);
    expect(up.summary).toBe("≥ $2.00 more than the same days of the month before: $2.00 costs of tasks from elsewhere.");
    const ada = await ask<Body>(context, `/drivers?${months}&filter=agent=ada`);
    expect([ada.after, ada.summary]).toMatchObject([{ cost: "0", unpriced: 1 }, "What was spent is unknown; nothing was spent before."]);
    const bob = await ask<Body>(context, `/drivers?${months}&filter=agent=bob`);
    expect([bob.before, bob.after, bob.bound]).toMatchObject([none, { cost: "2", ...none }, "exact"]);
  });

  it("revenue by the day makes a bridge of gross margin", async () => {
    const calls = [...callsOf([base], october, history), ...callsOf([{ ...base, tasks: 16 }], november, history)];
    const paid = {
      customer: null,
      plan: null,
      feature: null,
      every: "month",
      toMs: null,
      bookedMs: november15,
      witness: "declared",
      key: null,
    } as const;
    const revenue = { ...paid, id: "r-1", amountPico: parseUsd("31"), fromMs: october.sinceMs };
    const context = contextOf(await storeOf(calls, [{ kind: "revenue", revenue }]));
    const found = await ask<Body>(context, `/drivers?${months}`);
    // 30 calls of 1,000 tokens at 0.25 a million, 2,000 at 0.025, and 300 at 2: 0.0009 dollars each; then twice as many.
    expect([found.before.cost, found.after.cost, found.before.revenue, found.after.revenue]).toEqual(["0.027", "0.054", "31", "31"]);
    expect(found.margin).toMatchObject({ before: "99.9129", after: "99.8258", change: "-0.0871" });
    expect(found.margin?.steps.filter((step) => step.points !== "0")).toMatchObject([{ factor: "volume", points: "-0.0871" }]);
    // Noon to noon: the days that begin within.
    const noon = await ask<Body>(
      context,
      "/drivers?since=2026-11-10T12:00Z&until=2026-11-15T12:00Z&against=2026-10-10T12:00Z..2026-10-15T12:00Z",
    );
    // 31 over thirty days leaves ten digits over, which the first ten days have.
    expect([noon.before.revenue, noon.after.revenue]).toEqual(["5", "5.166666666665"]);
  });
});
