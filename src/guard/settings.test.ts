// Budgets as people write them: what each word means, what is refused and where, and that what is written reads the same.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { type Budget, spanAt } from "../core/budget.ts";
import { budgetTerms, rateTerms } from "../terms.ts";
import { carryAll, formatAmount, formatDuration, formatLimit, parseAmount, parseDuration, parseLimit } from "./limit.ts";
import { type Edges, readBudgets, readTerms, type Terms, writeTerms } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "pennyworth-budgets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const edges: Edges = {
  token: (name) => `n_${Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16)}`,
  keys: new Map([["ci", "key_1"]]),
  providers: new Set(["openai", "anthropic"]),
  waits: true,
};

function read(text: string, known: Partial<Edges> = {}): Budget[] {
  const path = join(folder, "pennyworth.yaml");
  writeFileSync(path, text);
  return readBudgets(readConfig(path, {}, {}).settings, { ...edges, ...known });
}

/** One budget, with what is not said. */
function one(terms: string, known: Partial<Edges> = {}): Budget {
  return read(`budgets: [{ id: a, owner: ada, ${terms} }]`, known)[0] as Budget;
}

function rate(terms: string, known: Partial<Edges> = {}): Budget {
  return read(`rates: [{ id: a, owner: ada, ${terms} }]`, known)[0] as Budget;
}

describe("limits of budgets", () => {
  const month = { kind: "calendar", unit: "month", zone: "UTC" };
  it.each([
    ["$500 per month", "money", 500_000_000_000_000n, month],
    ["$500/month", "money", 500_000_000_000_000n, month],
    ["$0.000000000001 per month", "money", 1n, month],
    ["12,345.678 USD per quarter", "money", 12_345_678_000_000_000n, { ...month, unit: "quarter" }],
    ["2M tokens per day", "tokens", 2_000_000n, { ...month, unit: "day" }],
    ["1.5k tokens per year", "tokens", 1_500n, { ...month, unit: "year" }],
    ["1000 calls per week", "calls", 1_000n, { ...month, unit: "week" }],
    ["1 call per minute", "calls", 1n, { ...month, unit: "minute" }],
    ["$20", "money", 20_000_000_000_000n, { kind: "total" }],
    ["$20 for ever", "money", 20_000_000_000_000n, { kind: "total" }],
    ["$.5", "money", 500_000_000_000n, { kind: "total" }],
    // 24 h in 60 parts of 24 min; 90 s of 1.5 s.
    ["$5 per rolling 24h", "money", 5_000_000_000_000n, { kind: "rolling", bucketMs: 1_440_000, buckets: 60 }],
    ["$5 per rolling day", "money", 5_000_000_000_000n, { kind: "rolling", bucketMs: 1_440_000, buckets: 60 }],
    ["10 calls per rolling 90s", "calls", 10n, { kind: "rolling", bucketMs: 1_500, buckets: 60 }],
  ])("%s", (text, measure, limit, period) => {
    expect(one(`limit: "${text}"`)).toMatchObject({ measure, limit, period, kind: "budget" });
  });

  it.each([
    ["$500 per mnth", /budgets\.0 \(a\): limit: per "mnth" is not understood \(near it: month/],
    ["500 per month", /limit: "500" does not say of what; expected, for example: \$500 per month/],
    ["500 tokns per month", /limit: "500 tokns" is not understood \(near it: token/],
    ["€500 per month", /limit: "€500": amounts are US dollars/],
    ["500 EUR per month", /amounts are US dollars/],
    ["$0 per month", /limit: 0 allows nothing: to stop everything/],
    ["$-5 per month", /does not begin with an amount/],
    ["-$5 per month", /limit: "-\$5" is below zero/],
    ["$1,00 per month", /"1,00" is no number: commas part thousands/],
    ["0.5 tokens per day", /0\.5 is no whole number/],
    ["$0.0000000000001", /more than twelve decimals/],
    ["$2B per year", /is more than \$1,000,000,000/],
    ["$5 tokens per day", /is not understood/],
    ["2m tokens per day", /is not understood/],
    ["$5 per 24h", /per 24h is of no calendar: write per rolling 24h/],
    ["$5 per rolling month", /a rolling window has a fixed length, and a month has not: write, for example, rolling 30d/],
    ["$5 per rolling 10s", /of a minute to 366 days/],
    ["$5 per rolling 400d", /of a minute to 366 days/],
    ["$5 per rolling fortnight", /"fortnight" is no length of time/],
    ["$5 per second", /put limits per second under rates/],
    ["20 at once", /put this limit under rates/],
    ["$5 for ever per day", /either for ever, or per some time/],
    ["", /has no amount/],
    ["per day", /has no amount/],
  ])("are refused in words: %s", (text, why) => {
    expect(() => one(`limit: "${text}"`)).toThrow(why);
  });

  it("are text, so that no digit is lost", () => {
    expect(() => one("limit: 500")).toThrow(/budgets\.0 \(a\): limit: expected text, such as "\$500 per month"/);
  });
});

describe("limits of rates", () => {
  it.each([
    ["60 calls per minute", "calls", 60n, 1_000, 60],
    ["200k tokens per 10s", "tokens", 200_000n, 200, 50],
    ["5 calls per second", "calls", 5n, 20, 50],
    ["$1 per rolling hour", "money", 1_000_000_000_000n, 60_000, 60],
    ["$1 per day", "money", 1_000_000_000_000n, 1_440_000, 60],
  ])("%s: roll, and count at most 2 %% more than their time", (text, measure, limit, bucketMs, buckets) => {
    expect(rate(`limit: ${text}`)).toMatchObject({ kind: "rate", measure, limit, period: { kind: "rolling", bucketMs, buckets } });
    expect(1 / buckets).toBeLessThanOrEqual(0.02);
  });

  it("at once have no window", () => {
    expect(rate("limit: 20 at once")).toMatchObject({ measure: "open", limit: 20n, period: { kind: "total" } });
    expect(rate("limit: 20 calls at once")).toMatchObject({ measure: "open", limit: 20n });
  });

  it.each([
    ["60 calls", /a rate says in which time/],
    ["60 calls per month", /"month" is no length of time/],
    ["60 calls per 2d", /per second to day; for longer, and for months, define a budget/],
    ["60 calls per 500ms", /per second to day/],
    ["20 at once per minute", /calls at once have no window/],
  ])("are refused in words: %s", (text, why) => {
    expect(() => rate(`limit: ${text}`)).toThrow(why);
  });
});

describe("the other terms", () => {
  const limit = "limit: $500 per month";

  it("are what they say", () => {
    const [budget] = read(`
budgets:
  - id: team-search
    owner: ada@example.com
    for: { team: search, customer: Acme, key: ci }
    each: [user]
    limit: $500 per month
    zone: Europe/Berlin
    mode: soft
    carry: $100
    unbounded: allow
    caps: lower
    useful: 200
    degrade: [{ at: 95%, cap: 500 }, { at: 80%, model: gpt-5-mini }, { at: 100%, wait: 30s }]
    alerts: [100%, 50%, 120%]
`);
    expect(budget).toEqual({
      id: "team-search",
      owner: "ada@example.com",
      kind: "budget",
      scope: { team: "search", customer: "n_41636d6500000000", key: "key_1" },
      each: ["user"],
      measure: "money",
      limit: 500_000_000_000_000n,
      period: { kind: "calendar", unit: "month", zone: "Europe/Berlin" },
      mode: "soft",
      carryMax: 100_000_000_000_000n,
      unbounded: "allow",
      caps: "lower",
      usefulTokens: 200,
      degrade: [
        { usedPercent: 80, to: { kind: "model", model: "gpt-5-mini" } },
        { usedPercent: 95, to: { kind: "cap", tokens: 500 } },
        { usedPercent: 100, to: { kind: "wait", msMax: 30_000 } },
      ],
      alerts: [50, 100, 120],
      shares: null,
      priority: 0,
    });
  });

  it("are the strict ones where nothing is said", () => {
    expect(one(limit)).toMatchObject({ scope: {}, each: [], mode: "hard", carryMax: null, unbounded: "refuse", caps: "inject" });
    expect(one(limit)).toMatchObject({ usefulTokens: null, degrade: [], alerts: [80, 100] });
    expect(rate("limit: 5 at once")).toMatchObject({ mode: "hard", alerts: [], shares: null, priority: 0 });
  });

  it("make the windows that they say", () => {
    const { period } = one(`${limit}, zone: Europe/Berlin`);
    // November 2026 in Berlin begins at 23:00 UTC the day before.
    expect(spanAt(period, Date.UTC(2026, 10, 21)).fromMs).toBe(Date.UTC(2026, 9, 31, 23));
  });

  it("of shares name the values as calls carry them", () => {
    const { shares } = rate("limit: 20 at once, shares: { customer: { Acme: 10, n_00000000000000aa: 5 } }");
    expect(shares).toEqual({ field: "customer", of: { n_41636d6500000000: 10, n_00000000000000aa: 5 } });
  });

  it.each([
    ["limit: $5, for: { tema: x }", /budgets\.0 \(a\): for: no field is called "tema" \(near it: team\); known: key, team/],
    ["limit: $5, for: { key: cli }", /for: no key is called "cli" \(near it: ci\); pennyworth keys create/],
    ["limit: $5, for: { provider: opnai }", /for: no provider is called "opnai" \(near it: openai\)/],
    ['limit: $5, for: { model: "gpt-*" }', /\* stands for itself nowhere/],
    ['limit: $5, for: { team: "*" }', /a budget for each team says each: \[team\]/],
    ["limit: $5, for: { customer: 42 }", /for\.customer: expected text, in quotes where it is a number/],
    ["limit: $5, each: [custmer]", /each: no field is called "custmer" \(near it: customer\)/],
    ["limit: $5, each: [team, team]", /each: team stands there twice/],
    ["limit: $5, each: [team], for: { team: x }", /each: for says which team is meant/],
    ["limit: $5 per day, zone: Europe/Berln", /zone: no time zone is called "Europe\/Berln"/],
    ["limit: $5, zone: Europe/Berlin", /zone: only windows of the calendar have a time zone/],
    ["limit: $5 per rolling 24h, zone: UTC", /zone: only windows of the calendar/],
    ["limit: $5, carry: all", /carry: only windows of the calendar end/],
    ["limit: $5 per day, carry: 100", /carry: expected text, such as \$100/],
    ["limit: $5 per day, carry: 100 calls", /carry: "100 calls" is in calls, and this is in dollars/],
    ["limit: $5 per day, carry: $501", /carry: "\$501" is more than a hundred times the limit: write all/],
    ["limit: $5, mode: hrd", /budgets\.0 \(a\): mode/],
    ["limit: $5, degrade: [{ at: 101%, cap: 5 }]", /degrade: 0: "101%" is no percentage from 1% to 100%/],
    ["limit: $5, degrade: [{ at: 80% }]", /degrade: 0: expected one of model, cap and wait/],
    ["limit: $5, degrade: [{ at: 80%, cap: 5, model: x }]", /degrade: 0: expected one of/],
    ["limit: $5, degrade: [{ at: 80%, cap: 5 }, { at: 80%, cap: 6 }]", /degrade: two say cap at 80%/],
    ["limit: $5, degrade: [{ at: 80%, wait: 1h }]", /wait: "1h" is longer than a call can wait/],
    ["limit: $5, alerts: [0%]", /alerts: "0%" is no percentage from 1% to 100%/],
    ["limit: $5, alerts: [120%]", /alerts: "120%" is no percentage/],
    ["limit: $5, alerts: [80]", /alerts\.0: expected text, such as 80%/],
    ["limit: $5, alerts: [80%, 80%]", /alerts: 80% stands there twice/],
    ["limit: $5, shares: { agent: { a: 1 } }", /budgets\.0 \(a\): Unrecognized key: "shares"/],
  ])("are refused with their place: %s", (terms, why) => {
    expect(() => one(terms)).toThrow(why);
  });

  it.each([
    ["limit: 20 at once, shares: { agent: { a: 15, b: 6 } }", /rates\.0 \(a\): shares: they add up to 21, and the limit is 20 at once/],
    ["limit: 20 at once, shares: { agent: { a: 1 }, team: { b: 1 } }", /shares: expected one field/],
    ["limit: 20 at once, shares: { task: { a: 1 } }", /shares: tasks come and go/],
    ["limit: 20 at once, shares: { agnt: { a: 1 } }", /shares: no field is called "agnt" \(near it: agent\)/],
    ["limit: 20 calls per second, shares: { agent: { a: 1 } }", /shares: only calls at once are shared out/],
    ["limit: 20 at once, for: { agent: a }, shares: { agent: { a: 1 } }", /shares: for says which agent/],
    ["limit: 20 at once, carry: all", /Unrecognized key: "carry"/],
  ])("of rates are refused with their place: %s", (terms, why) => {
    expect(() => rate(terms)).toThrow(why);
  });

  it("of shares are refused where no call may wait for its own", () => {
    expect(() => rate("limit: 20 at once, shares: { agent: { a: 1 } }", { waits: false })).toThrow(/set guard\.waitMsMax above 0/);
  });

  it("are refused without an owner, with an id that is taken, and beyond the limit of budgets", () => {
    expect(() => read("budgets: [{ id: a, limit: $5 }]")).toThrow(/budgets\.0 \(a\): owner: expected who answers for it/);
    expect(() => read("budgets: [{ id: a, owner: '  ', limit: $5 }]")).toThrow(/budgets\.0 \(a\): owner/);
    expect(() => read("budgets: [{ id: a, owner: x, limit: $5 }, { id: a, owner: x, limit: $5 }]")).toThrow(/budgets: two have one id/);
    const both = "budgets: [{ id: a, owner: x, limit: $5 }]\nrates: [{ id: a, owner: x, limit: 5 at once }]";
    expect(() => read(both)).toThrow(/rates\.0 \(a\): a budget has this id, too/);
    expect(() => read(both.replace("rates: [{ id: a", "guard: { budgetsMax: 1 }\nrates: [{ id: b"))).toThrow(
      /2 budgets and rates are more than guard\.budgetsMax \(1\)/,
    );
  });
});

describe("what is written of a budget", () => {
  const percent = fc.integer({ min: 1, max: 100 });
  const amount = fc.oneof(
    fc.bigInt({ min: 1n, max: 10n ** 21n }).map((value) => ["money", value] as const),
    fc.bigInt({ min: 1n, max: 10n ** 15n }).map((value) => ["tokens", value] as const),
    fc.bigInt({ min: 1n, max: 10n ** 15n }).map((value) => ["calls", value] as const),
  );
  const unit = fc.constantFrom("minute", "hour", "day", "week", "month", "quarter", "year");

  it("reads as the same limit", () => {
    const window = fc.oneof(
      unit.map((name) => ` per ${name}`),
      fc.integer({ min: 1, max: 527_040 }).map((minutes) => ` per rolling ${minutes}m`),
      fc.constant(""),
    );
    fc.assert(
      fc.property(amount, window, ([measure, value], text) => {
        const limit = parseLimit(`${formatAmount(value, measure)}${text}`, "budget");
        expect([limit.measure, limit.limit]).toEqual([measure, value]);
        expect(parseLimit(formatLimit(limit, "budget"), "budget")).toEqual(limit);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400 }), (seconds) => {
        const limit = parseLimit(`7 calls per ${seconds}s`, "rate");
        expect(limit.period.kind === "rolling" && limit.period.bucketMs * limit.period.buckets).toBe(seconds * 1_000);
        expect(limit.period.kind === "rolling" && Number.isInteger(limit.period.bucketMs)).toBe(true);
        expect(parseLimit(formatLimit(limit, "rate"), "rate")).toEqual(limit);
      }),
    );
    fc.assert(fc.property(fc.integer({ min: 1, max: 10 ** 9 - 1 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  it("reads as the same budget", () => {
    const terms = fc
      .record({
        amount,
        unit,
        owner: fc.constantFrom("ada", "team search"),
        for: fc.dictionary(fc.constantFrom("team", "agent", "feature"), fc.constantFrom("a", "b c", "ü")),
        each: fc.uniqueArray(fc.constantFrom("customer", "user", "task")),
        mode: fc.constantFrom("hard", "soft", "shadow"),
        unbounded: fc.constantFrom("refuse", "allow"),
        caps: fc.constantFrom("inject", "lower"),
        carry: fc.constantFrom("none", "all", null),
        zone: fc.constantFrom(undefined, "Europe/Berlin"),
        useful: fc.option(fc.nat(1_000), { nil: undefined }),
        alerts: fc.uniqueArray(percent, { maxLength: 5 }),
        degrade: fc.uniqueArray(fc.tuple(percent, fc.constantFrom({ model: "m:1" }, { cap: 7 }, { wait: "30s" })), {
          selector: ([at]) => at,
          maxLength: 4,
        }),
      })
      .map(({ amount: taken, unit: name, carry, alerts, degrade, ...rest }) =>
        budgetTerms.parse({
          ...rest,
          limit: `${formatAmount(taken[1], taken[0])} per ${name}`,
          carry: carry ?? formatAmount(taken[1], taken[0]),
          alerts: alerts.map((one) => `${one}%`),
          degrade: degrade.map(([at, step]) => ({ at: `${at}%`, ...step })),
        }),
      );
    fc.assert(
      fc.property(terms, (said) => {
        const budget = readTerms("x", { kind: "budget", ...said } as Terms, edges);
        const { kind, ...written } = writeTerms(budget);
        expect(readTerms("x", { kind, ...budgetTerms.parse(written) } as Terms, edges)).toEqual(budget);
      }),
    );
  });

  it("reads as the same rate", () => {
    const said = rateTerms.parse({
      owner: "ops",
      limit: "20 at once",
      for: { team: "x" },
      shares: { agent: { planner: 10 } },
      priority: 3,
      mode: "soft",
    });
    const budget = readTerms("pool", { kind: "rate", ...said }, edges);
    expect(writeTerms(budget)).toEqual({ kind: "rate", ...said });
  });

  it("says all where all of the rest is carried over", () => {
    const budget = one("limit: $5 per day, carry: all");
    expect([budget.carryMax, writeTerms(budget)]).toEqual([carryAll, expect.objectContaining({ carry: "all", limit: "$5 per day" })]);
  });
});

describe("amounts", () => {
  it.each([
    ["$1,234.5", "money", 1_234_500_000_000_000n],
    ["12.5", "money", 12_500_000_000_000n],
    ["20k", "tokens", 20_000n],
    ["-$5", "money", -5_000_000_000_000n],
    ["-3 calls", "calls", -3n],
  ] as const)("%s of %s", (text, measure, amount) => {
    expect(parseAmount(text, measure, true)).toBe(amount);
    expect(parseAmount(formatAmount(amount, measure), measure, true)).toBe(amount);
  });

  it.each([
    ["0", "money", /is nothing/],
    ["5 calls", "tokens", /is in calls, and this is in tokens/],
    ["--5", "money", /below zero/],
    ["five", "money", /does not begin with an amount/],
  ] as const)("%s of %s are refused", (text, measure, why) => {
    expect(() => parseAmount(text, measure, true)).toThrow(why);
  });

  it("below zero are refused where only more makes sense", () => {
    expect(() => parseAmount("-$5", "money")).toThrow(/below zero/);
  });
});
