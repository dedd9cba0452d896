// `pennyworth why` as a process, against a control API on the folder's socket: the waterfall as text, its JSON, and usage. Amounts are sums by hand.

import { stripVTControlCharacters } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { callsOf, listOf, november, october, pricesOf, record, sumsOf, type Work } from "../api/bills.fixture.ts";
import type { ApiContext } from "../api/context.ts";
import { createMemory } from "../api/memory.fixture.ts";
import { driversAnswer } from "../api/drivers.ts";
import { describeMoves } from "./moves.ts";
import { type Ran, runOn, serveFolder } from "./terminal.fixture.ts";

let context: ApiContext;
const data = serveFolder(() => context);

const triage: Work = { type: "triage", tasks: 100, calls: 1, quantities: { input: 1_000_000 } };

beforeAll(async () => {
  const { prices, history } = pricesOf([listOf([record("small", { input: "0.25" })])]);
  // 100 tasks at a quarter of a dollar; then each is half as long again, and forty more tasks of a new type.
  const records = [
    ...callsOf([triage], october, history),
    ...callsOf(
      [
        { ...triage, quantities: { input: 1_500_000 } },
        { ...triage, type: "write", tasks: 40 },
      ],
      november,
      history,
    ),
  ];
  const memory = createMemory(records);
  const other = [{ key: "subscription", before: "20", after: "18" }];
  context = {
    ...memory,
    now: () => november.untilMs,
    prices,
    ledger: { ...memory.ledger, drivers: async (asked) => ({ ...sumsOf(records, asked), other }) },
  };
});

const run = (...args: string[]): Promise<Ran> => runOn(data, "why", ...args);

const months = ["--since", "2026-11-01", "--until", "2026-12-01", "--against", "month"];

describe("why", () => {
  it("says it in a sentence, then as a waterfall whose lines add up", { timeout: 30_000 }, async () => {
    const { code, out, err } = await run(...months);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  ").trim());
    expect(lines).toEqual([
      "$20.50 more than the same days of the month before: $12.50 more tokens per call (triage), $10.00 new work (write), −$2.00 charges of periods.",
      "",
      "2026-11-01 00:00 to 2026-12-01 00:00 against 2026-10-01 00:00 to 2026-11-01 00:00 UTC",
      "",
      "$",
      expect.stringMatching(/^─/),
      "before  45.00  100 calls, 100 tasks",
      "new work  +10.00",
      "write · small  +10.00  not there before",
      "tokens per call  +12.50",
      "triage · small  +12.50  1,000,000 → 1,500,000 tokens a call",
      "charges of periods  −2.00",
      "subscription  −2.00",
      expect.stringMatching(/^─/),
      "after  65.50  140 calls, 140 tasks",
      "",
    ]);
  });

  it("gives every digit as JSON", { timeout: 30_000 }, async () => {
    const { code, out } = await run(...months, "--json");
    const found = driversAnswer.parse(JSON.parse(out));
    expect([code, found.before.cost, found.after.cost, found.change, found.changePercent]).toEqual([0, "45", "65.5", "20.5", "45.6"]);
    // Bars begin where the last one ended: 45, 55, 67.5, 65.5 of 67.5 at most, over 32 columns.
    const drawn = stripVTControlCharacters(describeMoves(found, 0, true)).split("\n");
    const bars = drawn.filter((line) => line.includes("█")).map((line) => [line.indexOf("█"), line.lastIndexOf("█") + 1]);
    const from = bars[0]?.[0] ?? 0;
    expect(bars.map(([start = 0, end = 0]) => [start - from, end - from])).toEqual([
      [0, 21],
      [21, 26],
      [26, 32],
      [31, 32],
      [0, 31],
    ]);
  });

  it("says why there is no bridge, and has dollars and as many decimals all over", { timeout: 30_000 }, async () => {
    const { out } = await run(...months, "--json");
    const found = driversAnswer.parse(JSON.parse(out));
    const [line] = found.lines;
    const [one] = line?.contributors ?? [];
    if (line === undefined || one === undefined) throw new Error("no contributors");
    const figures = { calls: 1, firstTries: 1, tokens: 1, unpriced: 0 };
    const contributors = [
      { ...one, change: "0.004", before: { ...figures, cost: "0.149" }, after: { ...figures, cost: "0.0134" } },
      { ...one, charge: "elsewhere task", chargeName: "costs of tasks from elsewhere", change: "3" },
    ];
    const text = describeMoves(
      {
        ...found,
        lines: [{ ...line, factor: "cache", name: "cache", change: "3.004", contributors }],
        noMargin: { period: null, reason: "not_whole_days" },
      },
      3,
      false,
    );
    expect(text.replaceAll(/ {2,}/g, "  ")).toContain("+<0.01  $0.1490 → $0.0134 in all");
    expect(text).toMatch(/costs of tasks from elsewhere +\+3\.00/);
    expect(text).toContain("No bridge of gross margin: what customers paid is known by the day, UTC, and these spans are not as long as");
  });

  it("marks what is not known, in costs and in margins, and has words where nothing moved", { timeout: 30_000 }, async () => {
    const { out } = await run(...months, "--json");
    const found = driversAnswer.parse(JSON.parse(out));
    const gaps = { unpriced: 3, periodUnpriced: 1, unmetered: 0, isCostWhole: false };
    const [before, after] = [
      { ...found.before, cost: "0", ...gaps },
      { ...found.after, ...gaps, unpriced: 1, unmetered: 1 },
    ];
    const margin = { before: "55", after: "45.4167", change: "-9.5833" };
    const step = { factor: "revenue", points: "-9.5833", from: "55", to: "45.4167" } as const;
    const describe = (changes: Partial<typeof found>): string =>
      describeMoves({ ...found, noMargin: null, margin: { ...margin, steps: [step] }, ...changes }, 0, false).replaceAll(/ {2,}/g, "  ");
    const both = describe({ before, after, bound: "none" });
    expect(both).toContain("before  unknown  100 calls, 100 tasks");
    expect(both).toContain("after  ≥ 65.50  140 calls, 140 tasks");
    expect(both).toContain(
      "Cost unknown: before, 2 calls with something without a price, 1 day of charges without a price; after, 1 day of charges without a price, 1 call without usage. At least (≥) what is said was spent. The lines divide the known costs alone.",
    );
    expect(both).toContain("Gross margin ≤ 55.0 % → ≤ 45.4 %, ? −9.58 points: −9.58 revenue.");
    expect(describe({ after, bound: "at least" })).toContain("Gross margin 55.0 % → ≤ 45.4 %, ≤ −9.58 points: −9.58 revenue.");
    expect(describe({ before, bound: "at most" })).toContain("Gross margin ≤ 55.0 % → 45.4 %, ≥ −9.58 points: −9.58 revenue.");
    expect(describe({ after, bound: "at least", lines: [] })).toMatch(/At least \(≥\) what is said was spent\.$/m);
    expect(describe({})).not.toContain("known costs alone");
    expect(describe({})).toContain("Gross margin 55.0 % → 45.4 %, −9.58 points: −9.58 revenue.");
    const same = { before: "55", after: "55", change: "0", steps: [{ ...step, points: "0", to: "55" }] };
    expect(describe({ margin: same })).toContain("Gross margin 55.0 % → 55.0 %: nothing moved.");
  });

  it("prints its spans as times of the zone that was asked for", { timeout: 30_000 }, async () => {
    const { out } = await run(...months, "--zone", "Europe/Berlin", "--json");
    const found = driversAnswer.parse(JSON.parse(out));
    expect(found.after.sinceMs).toBe(Date.UTC(2026, 9, 31, 23));
    const priceMoves = [{ provider: "acme", model: "small", atMs: Date.UTC(2026, 9, 15, 22) }];
    const lines = describeMoves({ ...found, priceMoves }, 0, false).split("\n");
    expect(lines[2]).toBe("2026-11-01 00:00 to 2026-12-01 00:00 against 2026-10-01 00:00 to 2026-11-01 00:00 Europe/Berlin");
    expect(lines.at(-1)).toBe(
      "The list price of small (acme) changed within a span, at 2026-10-16 00:00 Europe/Berlin: reckoned before and after.",
    );
  });

  it("refuses days to come, and says what to do", { timeout: 30_000 }, async () => {
    context = { ...context, now: () => Date.UTC(2026, 10, 22, 12) };
    const { code, err } = await run(...months);
    context = { ...context, now: () => november.untilMs };
    expect([code, err]).toEqual([2, expect.stringContaining("leave it out to end now, or say 2026-11-23 at the latest")]);
  });

  it("refuses what it does not know with exit code 2", { timeout: 30_000 }, async () => {
    const { code, err } = await run("--against", "mnth");
    expect([code, err]).toEqual([2, expect.stringContaining("expected previous, month, year or FROM..TO")]);
  });
});
