// Why the bill moved, by HTTP. Two months that differ in one thing alone, made by hand and priced by a real price book: all of the change is that
// thing's. And of whatever happened: what the lines say adds up, and is what every charge adds up to.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import { type DriversQuery, type DriverSums, type DriverUsage, others } from "../ledger/drivers.ts";
import type { StandingList } from "../prices/history.ts";
import { createApi } from "./app.ts";
import { callsOf, costOf, type Dollars, listOf, november, october, pricesOf, record, sumsOf, type Work } from "./bills.fixture.ts";
import type { ApiContext } from "./context.ts";
import { createMemory, noGaps, nowMs } from "./memory.fixture.ts";
import { spansOf } from "./drivers.ts";

interface Line {
  readonly factor: string;
  readonly change: string;
  readonly from: string;
  readonly to: string;
  readonly contributors: readonly {
    readonly change: string;
    readonly model: string | null;
    readonly type: string | null;
    readonly charge: string | null;
  }[];
  readonly rest: string;
}
interface Body {
  readonly before: { readonly cost: string; readonly calls: number; readonly tasks: number };
  readonly after: { readonly cost: string; readonly calls: number };
  readonly change: string;
  readonly changePercent: string | null;
  readonly summary: string;
  readonly lines: readonly Line[];
  readonly shapley: readonly { readonly factor: string; readonly change: string }[];
  readonly maxGap: { readonly factor: string; readonly amount: string };
  readonly priceMoves: readonly { readonly model: string; readonly atMs: number }[];
  readonly lacking: { readonly prices: readonly { readonly model: string }[]; readonly priceMoves: number; readonly groups: number };
  readonly noMargin: unknown;
  readonly margin: {
    readonly before: string;
    readonly after: string;
    readonly change: string;
    readonly steps: readonly { readonly factor: string; readonly points: string; readonly to: string }[];
  } | null;
  readonly error?: { readonly message: string };
}

const small: Dollars = { input: "0.25", cache_read: "0.025", output: "2" };
const large: Dollars = { input: "2.5", cache_read: "0.25", output: "20" };
const half: Dollars = { input: "0.125", cache_read: "0.0125", output: "1" };
const usual = [record("small", small), record("large", large), record("small", half, { tier: "batch" })];
const base: Work = { type: "triage", tasks: 20, calls: 3, retryEvery: 10, quantities: { input: 1_000, cache_read: 2_000, output: 300 } };

async function ask(context: ApiContext, query: string): Promise<{ status: number; body: Body }> {
  const response = await createApi(context).request(`/api/v1/drivers${query}`, { headers: { authorization: "Bearer reader" } });
  return { status: response.status, body: (await response.json()) as Body };
}

/** October and November as they were asked for. */
async function compare(
  before: readonly Work[],
  after: readonly Work[],
  {
    lists = [listOf(usual)],
    knownMs,
    other = [],
    query = "",
    revenue = [null, null],
  }: {
    lists?: StandingList[];
    knownMs?: number | null;
    other?: DriverSums["other"];
    query?: string;
    revenue?: readonly (string | null)[];
  } = {},
) {
  const { prices, history } = pricesOf(lists);
  const records = [...callsOf(before, october, history, knownMs), ...callsOf(after, november, history, knownMs)];
  const memory = createMemory(records);
  const context: ApiContext = {
    ...memory,
    now: () => november.untilMs,
    prices,
    ledger: {
      ...memory.ledger,
      drivers: async (asked) => ({ ...sumsOf(records, asked), other }),
      margin: async (asked) => {
        expect(asked.spans).toEqual([october, november]);
        return { ...(await memory.ledger.margin(asked)), spans: revenue };
      },
    },
  };
  const { body } = await ask(context, `?since=2026-11-01&until=2026-12-01&against=month${query}`);
  return { body, records };
}

/** Lines that are not zero. */
function moved({ lines }: Body): Record<string, string> {
  return Object.fromEntries(lines.filter((line) => line.change !== "0").map((line) => [line.factor, line.change]));
}

const november15 = Date.UTC(2026, 10, 15);

function add(amounts: readonly string[]): string {
  return formatUsd(sum(amounts.map(parseUsd)));
}

function spans(since: string | undefined, until: string | undefined, against: string | undefined) {
  return spansOf({ since, until, against }, nowMs);
}

function iso({ sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number }): string[] {
  return [sinceMs, untilMs].map((at) => new Date(at).toISOString().slice(0, 16));
}

describe("two months that differ in one thing alone: all of the change is", () => {
  const once = { ...base, calls: 1, retryEvery: 0 };
  const only: readonly (readonly [string, Work[], Work[]])[] = [
    ["volume", [base], [{ ...base, tasks: 50 }]],
    [
      "type_mix",
      [base, { ...base, type: "write", calls: 6 }],
      [
        { ...base, tasks: 10 },
        { ...base, type: "write", calls: 6, tasks: 30 },
      ],
    ],
    ["calls_per_task", [base], [{ ...base, calls: 5 }]],
    [
      "model_mix",
      [once, { ...once, model: "large" }],
      [
        { ...once, tasks: 30 },
        { ...once, model: "large", tasks: 10 },
      ],
    ],
    ["retries", [base], [{ ...base, retryEvery: 2 }]],
    ["tokens_per_call", [base], [{ ...base, quantities: { input: 1_500, cache_read: 3_000, output: 450 } }]],
    ["token_kind", [base], [{ ...base, quantities: { input: 500, cache_read: 1_000, output: 1_800 } }]],
    ["cache", [base], [{ ...base, quantities: { input: 2_500, cache_read: 500, output: 300 } }]],
    ["tier_and_discount", [base], [{ ...base, tier: "batch" }]],
    ["new_work", [base], [base, { ...base, type: "write" }]],
    ["stopped_work", [base, { ...base, type: "write" }], [base]],
  ];
  it.each(only)("%s", async (factor, before, after) => {
    const { body, records } = await compare(before, after);
    expect(body.change).not.toBe("0");
    if (factor === "token_kind") {
      // The part that is read from a cache has gone from two thirds of the input to two thirds of half of it: the cache's doing is what that makes.
      expect(Object.keys(moved(body)).toSorted()).toEqual(["cache", "token_kind"]);
    } else expect(moved(body)).toEqual({ [factor]: body.change });
    expect(body.before.cost).toBe(costOf(records, october));
    expect(body.after.cost).toBe(costOf(records, november));
    expect(body.lacking).toEqual({ prices: [], priceMoves: 0, groups: 0 });
  });

  it("token_kind, where nothing is cached", async () => {
    const plain = { ...base, quantities: { input: 1_000, output: 300 } };
    const { body } = await compare([plain], [{ ...plain, quantities: { input: 700, output: 600 } }]);
    expect(moved(body)).toEqual({ token_kind: body.change });
  });

  it("model_mix, where one model takes another's place", async () => {
    const { body } = await compare([base], [{ ...base, model: "large" }]);
    expect(moved(body)).toEqual({ model_mix: body.change });
    expect(
      body.lines.find((line) => line.factor === "model_mix")?.contributors.map((one) => [one.model, one.change.startsWith("-")]),
    ).toEqual([
      ["large", false],
      ["small", true],
    ]);
  });

  it("price_list, from the first of the month on", async () => {
    const lists = [
      listOf([record("small", small, { validToMs: november.sinceMs }), record("small", large, { validFromMs: november.sinceMs })]),
    ];
    const { body } = await compare([base], [base], { lists });
    expect(moved(body)).toEqual({ price_list: body.change });
    // Ten times the price.
    expect(body.changePercent).toBe("900");
    expect(body.priceMoves).toEqual([]);
  });

  it("price_list, in the midst of a span: it is reckoned piece by piece", async () => {
    const lists = [listOf([record("small", small, { validToMs: november15 }), record("small", large, { validFromMs: november15 })])];
    const { body } = await compare([base], [base], { lists });
    expect(moved(body)).toEqual({ price_list: body.change });
    expect(body.priceMoves).toEqual([{ provider: "acme", model: "small", atMs: november15 }]);
  });

  it("price_list, where a list came late, and what was charged was never re-rated", async () => {
    const lists = [listOf([record("small", small)]), listOf([record("small", large)], { knownMs: november15 })];
    const { body } = await compare([base], [base], { lists });
    expect(moved(body)).toEqual({ price_list: body.change });
    expect(body.priceMoves).toEqual([{ provider: "acme", model: "small", atMs: november15 }]);
  });

  it("nothing, where it was re-rated", async () => {
    const lists = [listOf([record("small", small)]), listOf([record("small", large)], { knownMs: november15 })];
    const { body } = await compare([base], [base], { lists, knownMs: null });
    expect(moved(body)).toEqual({});
    expect(body.change).toBe("0");
    expect(body.summary).toMatch(/^As much as the same days of the month before: \$/);
  });

  it("tier_and_discount, where one's own discount begins", async () => {
    const off = {
      id: "own@1/acme~0.8",
      provider: "acme",
      match: null,
      classes: null,
      tiers: null,
      times: "0.8",
      validFromMs: november.sinceMs,
      validToMs: null,
    };
    const { body } = await compare([base], [base], { lists: [listOf(usual), listOf([], { own: true, discounts: [off] })] });
    expect(moved(body)).toEqual({ tier_and_discount: body.change });
    expect(body.changePercent).toBe("-20");
  });

  it("price_list too, where the model has no price but one's own", async () => {
    const lists = [
      listOf([record("small", small, { validToMs: november.sinceMs }), record("small", large, { validFromMs: november.sinceMs })], {
        own: true,
      }),
    ];
    const { body } = await compare([base], [base], { lists });
    expect(moved(body)).toEqual({ price_list: body.change });
  });

  it("other_charges, of what belongs to no call", async () => {
    const { body } = await compare([base], [base], { other: [{ key: "subscription acme", before: "20", after: "25.5" }] });
    expect(moved(body)).toEqual({ other_charges: "5.5" });
    expect(body.lines.at(-1)?.contributors).toMatchObject([{ charge: "subscription acme", change: "5.5", type: null, model: null }]);
  });

  it("other_charges too, of what tasks cost elsewhere, in words of its own", async () => {
    const tasks = [
      { key: "elsewhere task", before: "20", after: "25.5" },
      { key: "acme task", before: "0", after: "1" },
    ];
    const { body } = await compare([base], [base], { other: [...tasks, { key: "acme hosting", before: "7", after: "7" }] });
    expect(body.summary).toBe("$6.50 more than the same days of the month before: $6.50 costs of tasks from elsewhere.");
    expect(body.lines.at(-1)).toMatchObject({
      name: "costs of tasks from elsewhere",
      contributors: [
        { charge: "elsewhere task", chargeName: "costs of tasks from elsewhere" },
        { charge: "acme task", chargeName: "costs of tasks from elsewhere (acme)" },
      ],
    });
    const mixed = await compare([base], [base], { other: [...tasks, { key: "acme hosting", before: "7", after: "8" }] });
    expect(mixed.body.summary).toContain("$7.50 other charges.");
  });

  it("unexplained, where what was used had no price at first; and it says of which model", async () => {
    const lists = [listOf(usual), listOf([record("mine", small, { validFromMs: november.sinceMs })], { own: true })];
    const { body } = await compare([{ ...base, model: "mine" }], [{ ...base, model: "mine" }], { lists });
    expect(moved(body)).toEqual({ unexplained: body.change });
    expect(body.lacking.prices).toEqual([{ provider: "acme", model: "mine" }]);
  });

  it("volume, of calls that no task is named of", async () => {
    const { body } = await compare([{ ...base, type: null }], [{ ...base, type: null, tasks: 40 }]);
    expect(moved(body)).toEqual({ volume: body.change });
  });
});

describe("whatever happened", () => {
  const work: fc.Arbitrary<Work> = fc.record({
    type: fc.constantFrom("triage", "write", "", null),
    tasks: fc.integer({ min: 0, max: 6 }),
    calls: fc.integer({ min: 1, max: 4 }),
    model: fc.constantFrom("small", "large", "none"),
    tier: fc.constantFrom(null, "batch", "priority"),
    agent: fc.constantFrom("a", "b", null),
    retryEvery: fc.integer({ min: 0, max: 3 }),
    quantities: fc.record(
      { input: fc.nat(9_999), cache_read: fc.nat(9_999), output: fc.nat(999), web_search: fc.nat(2) },
      { requiredKeys: ["input"] },
    ),
  });
  const prices = [
    record("small", small, { validToMs: november15 }),
    record("small", half, { validFromMs: november15 }),
    record("large", { ...large, web_search: "10000" }),
    record("small", half, { tier: "batch" }),
  ];

  it("the lines add up to the change, contributors to their line, and both spans to every charge", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(work, { maxLength: 6 }),
        fc.array(work, { maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        async (before, after, limit) => {
          const { body, records } = await compare(before, after, { lists: [listOf(prices)], query: `&by=agent&limit=${limit}` });
          expect(body.error).toBeUndefined();
          expect([body.before.cost, body.after.cost]).toEqual([costOf(records, october), costOf(records, november)]);
          expect(add([body.before.cost, ...body.lines.map((line) => line.change)])).toBe(body.after.cost);
          expect(add(body.shapley.map((one) => one.change))).toBe(body.change);
          for (const [index, line] of body.lines.entries()) {
            expect(add([...line.contributors.map((one) => one.change), line.rest])).toBe(line.change);
            expect(line.contributors.length).toBeLessThanOrEqual(limit);
            expect(line.from).toBe(index === 0 ? body.before.cost : body.lines[index - 1]?.to);
            expect(add([line.from, line.change])).toBe(line.to);
          }
          expect(body.lines.at(-1)?.to).toBe(body.after.cost);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

function usage(cost: string, quantity: number): DriverUsage {
  return { calls: 1, firstTries: 1, cost, unpriced: 0, lines: [{ class: "input", quantity, cost }] };
}

/** 250,000 tokens a call. */
function used(calls: number, cost: string): DriverUsage {
  return { ...usage(cost, calls * 250_000), calls, firstTries: calls };
}

describe("of too many values of `by`", () => {
  it("the others are one, and are the same in pieces of a span whose prices changed", async () => {
    const triage = { type: "triage", provider: "acme", model: "small", tier: null };
    const cell = (group: string, before: DriverUsage | null, after: DriverUsage) => ({ ...triage, group, before, after });
    const rest = { tasks: [{ type: "triage", before: 504, after: 504 }], other: [], gaps: noGaps, left: 500, position: null };
    const [one, all] = [cell("agent 0", used(4, "0.25"), used(4, "0.375")), cell(others, used(500, "31.25"), used(500, "46.875"))];
    const whole = { ...rest, cells: [one, all] };
    const early = { ...rest, left: 0, cells: [cell("agent 0", null, used(2, "0.125")), cell(others, null, used(250, "15.625"))] };
    const asked: DriversQuery["told"][] = [];
    const drivers = async ({ told }: DriversQuery) => (asked.push(told) === 1 ? whole : early);
    const ms = Date.UTC(2026, 10, 10);
    const [was, is] = [record("small", { input: "0.25" }, { validToMs: ms }), record("small", { input: "0.5" }, { validFromMs: ms })];
    const memory = createMemory([]);
    const context = {
      ...memory,
      now: () => november.untilMs,
      prices: pricesOf([listOf([was, is])]).prices,
      ledger: { ...memory.ledger, drivers },
    };
    const { body } = await ask(context, "?since=2026-11-01&until=2026-12-01&against=month&by=agent&limit=2");
    expect(asked).toEqual([undefined, ["agent 0"]]);
    expect([body.before.cost, body.after.cost, moved(body)]).toEqual(["31.5", "47.25", { price_list: "15.75" }]);
    expect(body.lacking).toMatchObject({ groups: 500 });
    expect(body.lines.find((line) => line.factor === "price_list")?.contributors).toMatchObject([
      { group: null, others: true, change: "15.625", before: { calls: 500 } },
      { group: "agent 0", others: false, change: "0.125" },
    ]);
  });
});

describe("the sentence", () => {
  it("says by how much, against what, and what moved it most, with the type that most of it is of", async () => {
    const { body } = await compare([base], [base, { ...base, type: "write", tasks: 2_000, quantities: { input: 10_000 } }]);
    // 2,000 tasks of three calls and 600 retries of 10,000 tokens at $0.25 a million: $16.50.
    expect(body.summary).toBe("$16.50 more than the same days of the month before: $16.50 new work (write).");
    expect((await compare([], [])).body.summary).toBe("Nothing was spent in either span.");
  });

  it("names less with a minus, and what is left as all else", async () => {
    const { body } = await compare([base, { ...base, type: "write", quantities: { input: 400_000 } }], [{ ...base, tasks: 40 }]);
    expect(body.summary).toMatch(/^\$6\.\d\d less than the same days of the month before: −\$6\.60 stopped work \(write\)(, .*)?\.$/);
  });
});

describe("the bridge of gross margin", () => {
  const lists = [listOf([record("small", { input: "0.25" })])];
  const each: Work = { ...base, tasks: 100, calls: 1, retryEvery: 0, quantities: { input: 1_000_000 } };
  const later = [
    { ...each, quantities: { input: 1_500_000 } },
    { ...each, type: "write", tasks: 40 },
  ];
  const other = [{ key: "subscription", before: "20", after: "18" }];

  it("has revenue first, then the drivers, in points that add up", async () => {
    const { body } = await compare([each], later, { lists, other, revenue: ["100", "120"] });
    // Cost 45 and 65.5: (100 − 45) ÷ 100 and (120 − 65.5) ÷ 120. Revenue: 110.5 × 20 ÷ 24,000; of an amount x of cost −x × 220 ÷ 24,000.
    expect(body.margin).toMatchObject({ before: "55", after: "45.4167", change: "-9.5833" });
    const steps = body.margin?.steps.filter((step) => step.points !== "0") ?? [];
    expect(steps.map(({ factor, points }) => [factor, points])).toEqual([
      ["revenue", "9.2084"],
      ["new_work", "-9.1667"],
      ["tokens_per_call", "-11.4583"],
      ["other_charges", "1.8333"],
    ]);
    expect(steps.at(-1)?.to).toBe("45.4167");
    expect(body.noMargin).toBeNull();
  });

  it("is left out with its reason where revenue is not known, is zero, or would be anybody's", async () => {
    const told = [
      await compare([each], later, { lists, revenue: [null, "120"] }),
      await compare([each], later, { lists, revenue: ["100", "0"] }),
      await compare([each], later, { lists, revenue: ["100", "120"], query: "&filter=agent=a" }),
    ];
    expect(told.map(({ body }) => [body.margin, body.noMargin])).toEqual([
      [null, { period: "before", reason: "revenue_unknown" }],
      [null, { period: "after", reason: "revenue_zero" }],
      [null, { period: null, reason: "filtered" }],
    ]);
  });
});

/** Two dollars for each day that is asked for. */
async function bridgedBy(query: string, isKnown = true) {
  const memory = createMemory([]);
  const usages = { before: usage("1", 10), after: usage("1", 10) };
  const cells = [{ type: "triage", provider: "acme", model: "small", tier: null, group: null, ...usages }];
  const { prices } = pricesOf([listOf(usual)]);
  const context: ApiContext = {
    ...memory,
    prices,
    ledger: {
      ...memory.ledger,
      drivers: async () => ({ cells, tasks: [{ type: "triage", before: 1, after: 1 }], other: [], gaps: noGaps, left: 0, position: null }),
      margin: async (of) => ({
        ...(await memory.ledger.margin(of)),
        spans: of.spans.map(({ sinceMs, untilMs }) => (isKnown ? String((2 * (untilMs - sinceMs)) / 86_400_000) : null)),
      }),
    },
  };
  const { body } = await ask(context, query);
  return [body.margin?.change ?? null, body.noMargin];
}

describe("the bridge of spans that are no whole days", () => {
  const none = [null, { period: null, reason: "not_whole_days" }];

  it.each([
    // The clock stands at noon: of 36 hours one day begins in the former and two in the latter, or the other way round.
    ["?since=36h", none],
    ["?since=8h", none],
    ["?since=2026-11-10T20:00Z&until=2026-11-11T23:00Z", none],
    ["?since=2026-11-01T00:00Z&until=2026-11-03T01:00Z", none],
    ["?since=2026-11-01&until=2026-11-21&against=2026-10-01..2026-10-20T18:00Z", none],
    // Noon to noon, and months of other lengths; a month under way: 20.5 days of 21.
    ["?since=30d", ["0", null]],
    ["?since=2026-11-01&against=month", ["0", null]],
    ["?since=2026-10-01&until=2026-11-01&against=2026-09-01..2026-10-01", ["0.0538", null]],
    ["?since=2026-11-15&until=2026-11-16&zone=Europe/Berlin", ["0", null]],
  ])("is there where cost and revenue are of the same time alone: %s", async (query, expected) => {
    expect(await bridgedBy(query)).toEqual(expected);
  });

  it("is not known rather, where no revenue is", async () => {
    expect(await bridgedBy("?since=8h", false)).toEqual([null, { period: "before", reason: "revenue_unknown" }]);
  });
});

describe("the question", () => {
  it("is of thirty days against the thirty before, unless told", () => {
    const { spans: found, name } = spans(undefined, undefined, undefined);
    expect([iso(found.before), iso(found.after), name]).toEqual([
      // Until the end of this millisecond, and as long before.
      ["2026-09-22T11:59", "2026-10-22T12:00"],
      ["2026-10-22T12:00", "2026-11-21T12:00"],
      "the 30 days before",
    ]);
    expect(found.before.untilMs).toBe(found.after.sinceMs);
    expect(found.before.untilMs - found.before.sinceMs).toBe(30 * 86_400_000 + 1);
  });

  it("may take in the day under way, to its end in the zone", async () => {
    for (const [query, untilMs] of [
      ["?since=2026-11-01&until=2026-11-22", Date.UTC(2026, 10, 22)],
      ["?since=2026-11-01&until=2026-11-22&zone=America/New_York", Date.UTC(2026, 10, 22, 5)],
      ["?since=2026-11-01&until=2026-11-21T12:00Z", nowMs],
      ["?since=2026-11-01&until=0d", nowMs],
    ] as const) {
      const memory = createMemory([]);
      expect((await ask(memory, `${query}&against=2026-10-01..2026-11-22`)).status).toBe(200);
      expect(memory.asked.drivers[0]?.after.untilMs).toBe(untilMs);
    }
  });

  it("may be against the same days of the month or year before, or any span", () => {
    expect(iso(spans("2026-03-31", "2026-04-01", "month").spans.before)).toEqual(["2026-02-28T00:00", "2026-03-01T00:00"]);
    expect(iso(spans("2024-02-29", "2024-03-01", "year").spans.before)).toEqual(["2023-02-28T00:00", "2023-03-01T00:00"]);
    expect(spans("7d", undefined, "2026-01-01..2026-01-08")).toMatchObject({ name: "2026-01-01 to 2026-01-07" });
    expect(spans("1d", undefined, "2026-01-01..2026-01-02").name).toBe("2026-01-01");
    expect(spans("1h", undefined, "2026-01-01T10:00Z..2026-01-01T11:30Z").name).toBe("2026-01-01 10:00 to 2026-01-01 11:30");
    expect(spans("1h", undefined, undefined).name).toBe("the hour before");
  });

  it.each([
    ["?against=mont", /against is "mont": expected previous, month, year or FROM..TO.*near it: month/],
    ["?against=2026-11-01..2026-10-01", /its end is not after its beginning/],
    ["?against=a..b", /against is "a": expected a date/],
    ["?by=agnt", /by is "agnt"; near it: agent; drivers are told apart by one of agent, feature/],
    ["?limit=0", /limit is "0"/],
    ["?since=2026-12-01&until=2026-11-01", /is not before until/],
    ["?whatever=1", /unknown "whatever"/],
    ["?since=2027-01-01", /since begins in the future \(2027-01-01T00:00:00.000Z\)/],
    ["?since=2026-11-01&against=2027-01-01..2027-02-01", /against begins in the future/],
    // The clock stands at noon of 21 November: that day may be taken in, none after it.
    [
      "?since=2026-11-01&until=2026-12-01&against=month",
      /until is 2026-12-01, and days to come cannot be compared yet: leave it out to end now, or say 2026-11-22 at the latest, .* under way \(UTC\)/,
    ],
    ["?since=2026-11-01&until=2027-06-01", /until is 2027-06-01, and days to come/],
    ["?since=2026-11-01&until=2026-11-22T00:01Z", /until is 2026-11-22 00:01, and days to come/],
    [
      "?since=2026-11-01&until=2026-11-22&zone=Asia/Tokyo&against=2026-10-01..2026-11-23",
      /against ends 2026-11-23, .* end it on 2026-11-22 at/,
    ],
    ["?since=2026-10-01&until=2026-11-01&against=2026-11-01..2026-12-01", /against ends 2026-12-01, .* end it on 2026-11-22 at the latest/],
    ["?filter=colour%3Dred", /no field is called "colour"/],
  ])("that is wrong is refused, with the place: %s", async (query, message) => {
    const { status, body } = await ask(createMemory([]), query);
    expect(status).toBe(400);
    expect(body.error?.message).toMatch(message);
  });

  it("goes to the store with tokens for names", async () => {
    const memory = createMemory([]);
    await ask(memory, "?since=2026-11-01&until=2026-11-08&by=customer&filter=customer%3DAcme+%26+%3Cb%3ESons%3C%2Fb%3E&zone=Europe/Berlin");
    expect(memory.asked.drivers[0]).toMatchObject({
      after: { sinceMs: Date.UTC(2026, 9, 31, 23), untilMs: Date.UTC(2026, 10, 7, 23) },
      before: { sinceMs: Date.UTC(2026, 9, 24, 23), untilMs: Date.UTC(2026, 9, 31, 23) },
      by: "customer",
      filters: [{ field: "customer", value: "n_00000000000000aa", operator: "=" }],
      zone: [{ offsetMs: 7_200_000 }, { offsetMs: 3_600_000 }],
    });
  });
});
