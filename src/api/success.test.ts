// What a success costs, by HTTP: the store is asked what was meant, and its sums come out as figures that were worked out by hand.

import { describe, expect, it } from "vitest";
import type { SuccessRow } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import { createMemory, emptyRow, nowMs } from "./memory.fixture.ts";

type Shown = Record<string, never>;

function setUp(rows: readonly SuccessRow[] = [], total: SuccessRow = rows[0] ?? emptyRow) {
  const context = createMemory([]);
  context.tasks.page = { rows, total: { ...total, group: [] }, truncated: false, waiting: 3, position: { segment: 1, offset: 4_096 } };
  const app = createApi(context);
  const ask = async (query = "", token = "reader") => {
    const response = await app.request(`/api/v1/success${query}`, { headers: { authorization: `Bearer ${token}` } });
    return {
      status: response.status,
      body: JSON.parse(await response.text()) as Shown & { rows: Shown[]; total: Shown; error?: { message: string } },
    };
  };
  return { context, ask };
}

/** Forty tasks of a dollar, thirty of which succeed; eight more, of two dollars, are not decided. */
const units = Array.from({ length: 48 }, (_, index) => ({
  cost: index < 40 ? "1" : "2",
  successes: index < 30 ? 1 : 0,
  value: index < 14 ? "6" : "0",
  reviewMillis: index < 45 ? "120000" : "0",
}));
const forty: SuccessRow = {
  ...emptyRow,
  group: ["n_00000000000000aa"],
  success: { tasks: 30, cost: "30" },
  failure: { tasks: 10, cost: "10" },
  unknown: { tasks: 6, cost: "12" },
  open: { tasks: 2, cost: "4" },
  calls: 96,
  failedCost: "7",
  retryCost: "14",
  reworkCost: "2.8",
  value: "84",
  unvaluedCost: "42",
  reviewMillis: "5400000",
  unreviewed: 3,
  contradictory: 1,
  presumed: 4,
  quantiles: { p50: "1", p90: "2", p99: "2" },
  units,
};

describe("figures", () => {
  it("of tasks with usage that has no price are the least that they can be, or are not said at all", async () => {
    const { body } = await setUp([{ ...forty, unpriced: 2 }]).ask("?by=customer&reviewRate=32");
    expect(body.rows[0]).toMatchObject({
      perSuccess: "1.866666666667",
      interval: { high: null },
      returns: null,
      review: { perSuccess: "3.466666666667", returnRatio: null, share: null },
      enough: { isEnough: false, lacks: expect.arrayContaining(["unpriced"]) as unknown },
    });
    const success = { tasks: 4, cost: "0" };
    const unknown = await setUp([
      { ...emptyRow, group: ["a"], success, unpriced: 4, units: Array.from({ length: 4 }, () => ({ cost: "0", successes: 1 })) },
    ]).ask("?by=type");
    expect(unknown.body.rows[0]).toMatchObject({ spend: "0", perSuccess: null, perSuccessLeast: null, interval: null, returns: null });
  });

  it("are the sums by hand: all spend over successes, shares of it, returns, review", async () => {
    const { status, body } = await setUp([forty]).ask("?by=customer&reviewRate=32");
    expect(status).toBe(200);
    expect(body.rows).toHaveLength(1);
    expect(body.rows[0]).toMatchObject({
      group: { customer: "Acme & <b>Sons</b>" },
      tasks: 48,
      calls: 96,
      spend: "56",
      success: { tasks: 30, cost: "30" },
      open: { tasks: 2, cost: "4" },
      // 56 / 30; had all of the eight succeeded, 56 / 38.
      perSuccess: "1.866666666667",
      perSuccessLeast: "1.473684210526",
      rate: { decided: 40, observed: 0.75, worst: 30 / 48, best: 38 / 48 },
      distribution: { p50: "1", p90: "2", p99: "2" },
      shares: { failures: 10 / 56, unknown: 12 / 56, open: 4 / 56, retries: 0.25, rework: 0.05, failedCalls: 0.125 },
      value: "84",
      returns: {
        gain: "28",
        ratio: 0.5,
        interval: { low: expect.any(Number) as unknown, high: expect.any(Number) as unknown },
        unvaluedShare: 0.75,
      },
      // An hour and a half at 32 dollars.
      review: { minutes: 90, unknown: 3, cost: "48", perSuccess: "3.466666666667", returnRatio: (84 - 104) / 104, share: 48 / 104 },
      contradictory: 1,
      unpriced: 0,
      presumed: 4,
    });
    expect(body).toMatchObject({ by: ["customer"], openMs: 86_400_000, reviewRate: "32", waiting: 3, truncated: false, zone: "UTC" });
    expect(body.total).toMatchObject({ group: {}, tasks: 48, perSuccess: "1.866666666667" });
  });

  it("have Wilson's interval, and one by resampling around spend per success", async () => {
    const row = (await setUp([forty]).ask()).body.rows[0] as unknown as {
      rate: { low: number; high: number };
      interval: { low: string; high: string };
    };
    // Wilson, 30 of 40, z = 1.959964: (p + z²/2n ∓ z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    expect(row.rate.low).toBeCloseTo(0.59806, 4);
    expect(row.rate.high).toBeCloseTo(0.85813, 4);
    expect(Number(row.interval.low)).toBeGreaterThan(1.4);
    expect(Number(row.interval.low)).toBeLessThan(1.8);
    expect(Number(row.interval.high)).toBeGreaterThan(1.95);
    expect(Number(row.interval.high)).toBeLessThan(3);
    expect((await setUp([forty]).ask()).body.rows[0]?.["interval"]).toEqual(row.interval);
  });

  it("have one around the return too, with checking and without, as a plain bootstrap over the tasks has it", async () => {
    type Ends = { low: number; high: number };
    const row = (await setUp([{ ...forty, unreviewed: 0 }]).ask("?reviewRate=32")).body.rows[0] as unknown as {
      returns: { ratio: number; interval: Ends };
      review: { returnRatio: number; returnInterval: Ends; perSuccess: string; interval: { low: string; high: string } };
    };
    const near = ({ low, high }: Ends, [from, to]: readonly [number, number]): void => {
      expect(Math.abs(low - from)).toBeLessThan(0.2 * (to - from));
      expect(Math.abs(high - to)).toBeLessThan(0.2 * (to - from));
    };
    near(row.returns.interval, plain(value, spend));
    near(
      row.review.returnInterval,
      plain(value, (index) => spend(index) + checked(index)),
    );
    const [low, high] = plain(
      (index) => spend(index) + checked(index),
      (index) => units[index]?.successes ?? 0,
    );
    // Of what it costs, and not of how much more.
    near({ low: Number(row.review.interval.low), high: Number(row.review.interval.high) }, [low + 1, high + 1]);
    // Who was not checked, as far as is known, may have cost more.
    expect((await setUp([forty]).ask("?reviewRate=32")).body.rows[0]).toMatchObject({
      review: { interval: { low: row.review.interval.low, high: null }, returnInterval: row.review.returnInterval },
    });
  });

  it("that nobody can say are null, and what is lacking is said", async () => {
    const three = { ...emptyRow, group: [null], failure: { tasks: 3, cost: "0.3" }, quantiles: { p50: "0.1", p90: "0.1", p99: "0.1" } };
    const { body } = await setUp([{ ...three, units: Array.from({ length: 3 }, () => ({ cost: "0.1", successes: 0 })) }]).ask();
    expect(body.rows[0]).toMatchObject({
      group: { type: null },
      perSuccess: null,
      interval: null,
      returns: null,
      value: null,
      review: { minutes: null, cost: null, perSuccess: null },
      enough: { isEnough: false, lacks: ["no-success", "few-tasks", "wide"] },
    });
  });

  it("of no task are no zeros either", async () => {
    const { body } = await setUp().ask();
    expect(body.rows).toEqual([]);
    expect(body.total).toMatchObject({
      tasks: 0,
      perSuccess: null,
      interval: null,
      rate: { observed: null, low: 0, high: 1, worst: null },
      shares: null,
    });
  });

  it("of review without a rate have minutes and no amounts", async () => {
    const { body } = await setUp([forty]).ask();
    expect(body.rows[0]?.["review"]).toEqual({
      minutes: 90,
      unknown: 3,
      cost: null,
      perSuccess: null,
      interval: null,
      returnRatio: null,
      returnInterval: null,
      share: null,
    });
    expect(body["reviewRate"]).toBeNull();
  });
});

describe("the question", () => {
  it("goes to the store with tokens for names, in ms, with what is open and since when", async () => {
    const { context, ask } = setUp([{ ...forty, group: ["a", "b"] }]);
    const query =
      "?by=type,model&since=7d&until=2026-11-21&zone=Europe/Berlin&filter=customer%3DAcme+%26+%3Cb%3ESons%3C%2Fb%3E&filter=agent!%3D&limit=7";
    expect((await ask(query)).status).toBe(200);
    expect(context.asked.success).toEqual([
      {
        by: ["type", "model"],
        sinceMs: nowMs - 7 * 86_400_000,
        untilMs: Date.UTC(2026, 10, 20, 23),
        filters: [
          { field: "customer", operator: "=", value: "n_00000000000000aa" },
          { field: "agent", operator: "!=", value: null },
        ],
        nowMs,
        openMs: 86_400_000,
        limit: 7,
      },
    ]);
  });

  it("is of types unless told, and of nothing but the total with an empty by", async () => {
    const { context, ask } = setUp([forty]);
    await ask();
    await ask("?by=");
    expect(context.asked.success.map(({ by, sinceMs, limit }) => [by, sinceMs, limit])).toEqual([
      [["type"], null, 50],
      [[], null, 50],
    ]);
  });

  it.each([
    ["?by=agnet", /tasks are not told apart by "agnet"; near it: agent; known: type, agent/],
    ["?by=type,agent,model", /by takes at most 2 fields, not 3/],
    ["?by=type,type", /by names "type" twice/],
    ["?by=provider", /tasks are not told apart by "provider"/],
    ["?filter=status%3Dfailed", /tasks are not told apart by "status"/],
    ["?filter=nofield%3Dx", /tasks are not told apart by "nofield"; known: type, agent, feature, customer, .*, model\.$/],
    ["?filter=tag.case%3Dx", /tasks are not told apart by "tag.case"; known: type, /],
    ["?filter=type", /filter "type" is not field=value/],
    ["?limit=201", /at most 200 rows/],
    ["?reviewRate=-1", /reviewRate is "-1": expected dollars an hour, 0 to 1000000, such as 32/],
    ["?reviewRate=1e99", /reviewRate is "1e99"/],
    ["?reviewRate=much", /reviewRate is "much"/],
    ["?sinse=1d", /unknown "sinse"/],
    ["?since=2999-01-01", /since begins in the future \(2999-01-01T00:00:00\.000Z\): nothing has been used there yet/],
    ["?zone=Mars", /no time zone is called "Mars"/],
  ])("as %s is refused, and why is said", async (query, message) => {
    const { status, body } = await setUp([forty]).ask(query);
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it("about many rows of many tasks is answered at once", async () => {
    let state = 7;
    const cost = () => (((state = (state * 48_271) % 2_147_483_647) % 1_000) / 100 + 0.01).toFixed(2);
    const rows = Array.from({ length: 50 }, (_, row) => {
      const parts = Array.from({ length: 1_000 }, (_, index) => ({
        cost: cost(),
        successes: index % 3 === 0 ? 0 : 1,
        value: "2",
        reviewMillis: "60000",
      }));
      const spend = String(parts.reduce((sum, one) => sum + Math.round(Number(one.cost) * 100), 0)).padStart(3, "0");
      const all = `${spend.slice(0, -2)}.${spend.slice(-2)}`;
      return {
        ...emptyRow,
        group: [`t${row}`],
        success: { tasks: 666, cost: all },
        failure: { tasks: 334, cost: "0" },
        value: "2000",
        reviewMillis: "60000000",
        units: parts,
      };
    });
    const { ask } = setUp(rows, rows[0]);
    await ask();
    const startMs = performance.now();
    const { body } = await ask("?reviewRate=32");
    type Row = { interval: unknown; review: { returnInterval: unknown } };
    const shown = body.rows as unknown as readonly Row[];
    expect(shown.every(({ interval, review }) => interval !== null && review.returnInterval !== null)).toBe(true);
    // Within 100 ms on a quiet machine.
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });
});

/** 2.5 and 97.5 % of Σtop ÷ Σbottom − 1 in 4,000 resamples of the 48 tasks. */
function plain(top: (index: number) => number, bottom: (index: number) => number): readonly [number, number] {
  let state = 12_345;
  const drawn = Array.from({ length: 4_000 }, () => {
    let [above, below] = [0, 0];
    for (let draw = 0; draw < 48; draw += 1) {
      state = (state * 48_271) % 2_147_483_647;
      above += top(state % 48);
      below += bottom(state % 48);
    }
    return above / below - 1;
  }).sort((a, b) => a - b);
  return [drawn[100] ?? NaN, drawn[3_900] ?? NaN];
}

const checked = (index: number): number => (Number(units[index]?.reviewMillis) / 3_600_000) * 32;
const spend = (index: number): number => Number(units[index]?.cost);
const value = (index: number): number => Number(units[index]?.value);
