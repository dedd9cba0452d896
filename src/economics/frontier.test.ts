import { existsSync, readFileSync } from "node:fs";
import { parse as parseCsv } from "csv-parse/sync";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { formatUsd, parseUsd, roundUsd, toPico } from "../core/money.ts";
import { type Candidate, candidateOf, frontier } from "./frontier.ts";

const data = "../shared/data/outcomes";

/** So many successes in a hundred runs at a hundred tasks, for so many dollars together. */
function candidate(id: string, dollars: string | null, successes: number, changes: Partial<Candidate> = {}): Candidate {
  const costPico = dollars === null ? null : parseUsd(dollars);
  const costed = dollars === null ? 0 : 100;
  return { id, runs: 100, tasks: 100, decided: 100, successes, costed, costPico, meanInterval: null, ...changes };
}

const ids = (list: readonly { readonly id: string }[]) => list.map((one) => one.id);

const interval = (low: string, high: string | null) => ({
  meanInterval: { lowPico: parseUsd(low), highPico: high === null ? null : parseUsd(high) },
});

const run = (task: string, dollars: string | null, success: boolean | null) => ({
  task,
  costPico: dollars === null ? null : parseUsd(dollars),
  success,
});

const cost = (one: Candidate) => Number(one.costPico) / one.costed;
const rate = (one: Candidate) => one.successes / one.decided;

const beats = (a: Candidate, b: Candidate) =>
  cost(a) <= cost(b) + 1e-12 && rate(a) >= rate(b) - 1e-12 && (cost(a) < cost(b) - 1e-12 || rate(a) > rate(b) + 1e-12);

describe("the frontier", () => {
  it("names those that nobody beats, and by whom the others are beaten", () => {
    const result = frontier([
      candidate("lavish", "90", 80),
      candidate("cheap", "1", 40),
      candidate("good", "10", 80),
      candidate("poor", "12", 60),
      candidate("middle", "5", 60),
    ]);
    expect(ids(result.frontier)).toEqual(["cheap", "middle", "good"]);
    expect(result.dominated).toMatchObject([
      { id: "poor", by: ["middle", "good"] },
      { id: "lavish", by: ["good"] },
    ]);
    expect(result.frontier[0]).toMatchObject({ rate: 0.4, meanPico: parseUsd("0.01"), perSuccessPico: parseUsd("0.025") });
    expect(result.frontier[0]?.rateInterval.low).toBeCloseTo(0.3094, 4);
    expect(result.frontier[0]?.rateInterval.high).toBeCloseTo(0.498, 4);
  });

  it("keeps equal ones both, and lets the better of two with one cost win", () => {
    const result = frontier([candidate("a", "5", 50), candidate("b", "5", 50), candidate("c", "5", 49), candidate("d", "6", 50)]);
    expect(ids(result.frontier)).toEqual(["a", "b"]);
    expect(result.dominated).toMatchObject([
      { id: "c", by: ["a", "b"] },
      { id: "d", by: ["a", "b"] },
    ]);
  });

  it("sets those apart of whom something is not known", () => {
    const unknown = candidate("unknown", null, 99);
    const open = candidate("open", "1", 0, { decided: 0 });
    const free = candidate("free", "0", 10);
    const result = frontier([unknown, open, free, candidate("paid", "1", 90)]);
    expect(ids(result.frontier)).toEqual(["free", "paid"]);
    expect(result.apart).toEqual([
      { candidate: unknown, reason: "cost-unknown" },
      { candidate: open, reason: "success-unknown" },
    ]);
  });

  it("says what a mixture of two does for the same money, and what one more success costs", () => {
    // Half of the tasks to each: (1 + 9) / 2 = 5 dollars, and (40 + 80) / 2 = 60 of a hundred, which is above 45.
    const result = frontier([candidate("cheap", "1", 40), candidate("between", "5", 45), candidate("good", "9", 80)]);
    const [cheap, between, good] = result.frontier;
    expect(between).toMatchObject({ isOnHull: false, mixture: { low: "cheap", high: "good", share: 0.5 }, nextSuccessPico: null });
    expect(between?.mixture?.rate).toBeCloseTo(0.6, 12);
    expect(cheap).toMatchObject({ isOnHull: true, mixture: null, nextSuccessPico: null });
    // 8 dollars for 40 more successes.
    expect(good).toMatchObject({ isOnHull: true, mixture: null, nextSuccessPico: parseUsd("0.2") });
  });

  it("is sure of a domination where the intervals are apart, and only there", () => {
    const beaten = candidate("beaten", "30", 40, interval("0.2", "0.4"));
    const by = (one: Candidate) => frontier([one, beaten]).dominated[0]?.surelyBy;
    expect(by(candidate("a", "10", 80, interval("0.05", "0.15")))).toEqual(["a"]);
    expect(by(candidate("a", "10", 80, interval("0.05", "0.25")))).toEqual([]);
    expect(by(candidate("a", "10", 45, interval("0.05", "0.15")))).toEqual([]);
    expect(by(candidate("a", "10", 80, interval("0.05", null)))).toEqual([]);
    expect(by(candidate("a", "10", 80))).toEqual([]);
  });

  it("sums runs, and takes tries at one task for one task of evidence", () => {
    const one = candidateOf("a", [run("x", "1", true), run("x", "2", true), run("y", null, false), run("z", "3", null)]);
    expect(one).toEqual({
      id: "a",
      runs: 4,
      tasks: 3,
      decided: 3,
      successes: 2,
      costed: 3,
      costPico: parseUsd("6"),
      meanInterval: null,
    });
    expect(frontier([one]).frontier[0]).toMatchObject({ meanPico: parseUsd("2"), perSuccessPico: null });
    const [many] = frontier([candidate("a", "1", 1000, { runs: 2000, tasks: 100, decided: 2000 })]).frontier;
    expect(many?.rateInterval.low).toBeCloseTo(0.4038, 4);
  });

  it("refuses what cannot be", () => {
    expect(() => frontier([candidate("a", "1", 101)])).toThrow(/more successes than outcomes: 101 of 100/);
    expect(() => frontier([candidate("a", "1", 1.5)])).toThrow(/successes of a must be a whole number/);
    expect(() => frontier([candidate("a", "1", 1, { costed: 0 })])).toThrow(/must be null just where/);
    expect(() => frontier([candidate("a", "1", 1), candidate("a", "2", 1)])).toThrow(/two candidates are called "a"/);
  });

  const candidates = fc
    .array(
      fc.tuple(fc.bigInt({ min: 0n, max: 30n }), fc.integer({ min: 1, max: 7 }), fc.nat({ max: 20 }), fc.integer({ min: 20, max: 25 })),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    .map((list) =>
      list.map(([costPico, costed, successes, decided], index): Candidate => ({
        id: `c${index}`,
        runs: 25,
        tasks: 25,
        decided,
        successes,
        costed,
        costPico: toPico(costPico),
        meanInterval: null,
      })),
    );

  it("is what comparing each with each says, in any order", () => {
    fc.assert(
      fc.property(candidates, (list) => {
        const result = frontier(list);
        const best = list.filter((one) => !list.some((other) => beats(other, one)));
        expect(new Set(ids(result.frontier))).toEqual(new Set(ids(best)));
        for (const one of result.dominated)
          expect(new Set(one.by)).toEqual(
            new Set(ids(best.filter((other) => beats(other, list.find(({ id }) => id === one.id) as Candidate)))),
          );
        expect(frontier([...list].reverse())).toEqual(result);
      }),
    );
  });

  it("has a hull that no mixture of two candidates rises above", () => {
    fc.assert(
      fc.property(candidates, (list) => {
        const result = frontier(list);
        for (const point of result.frontier) {
          let top = rate(point);
          for (const a of list)
            for (const b of list)
              if (cost(a) < cost(point) && cost(b) > cost(point))
                top = Math.max(top, rate(a) + ((cost(point) - cost(a)) / (cost(b) - cost(a))) * (rate(b) - rate(a)));
          expect(point.mixture?.rate ?? rate(point)).toBeCloseTo(top, 9);
        }
      }),
    );
  });
});

const humaneval = `${data}/agents_that_matter_humaneval.csv`;

describe.skipIf(!existsSync(humaneval))("HumanEval, AI Agents That Matter (skipped: ../shared/data is not here)", () => {
  it("has retry on the frontier and LATS dominated, at 55 times the cost", () => {
    const rows = parseCsv(readFileSync(humaneval, "utf8"), { columns: true }) as Record<
      "strategy" | "model" | "accuracy" | "total_cost",
      string
    >[];
    const groups = new Map<string, typeof rows>();
    for (const row of rows) {
      const id = `${row.strategy} ${row.model}`;
      groups.set(id, [...(groups.get(id) ?? []), row]);
    }
    const result = frontier(
      [...groups].map(([id, runs]) => ({
        id,
        runs: 164 * runs.length,
        tasks: 164,
        decided: 164 * runs.length,
        successes: runs.reduce((total, run) => total + Math.round(Number(run.accuracy) * 164), 0),
        costed: 164 * runs.length,
        costPico: toPico(runs.reduce((total, run) => total + parseUsd(Number(run.total_cost).toFixed(12)), 0n)),
        meanInterval: null,
      })),
    );
    const points = new Map([...result.frontier, ...result.dominated].map((point) => [point.id, point]));
    const golden: readonly (readonly [string, string, string])[] = [
      ["simple gpt-4-turbo-2024-04-09", "0.896", "1.93"],
      ["simple_incr_temp gpt-4-turbo-0409-5step", "0.932", "2.45"],
      ["ldb gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09", "0.933", "6.36"],
      ["reflexion gpt-4-turbo-2024-04-09", "0.878", "3.90"],
      ["lats gpt-4-turbo-2024-04-09", "0.880", "134.50"],
      ["simple_boosting l3_8b-gpt35-l3_70b-gpt4-0409", "0.850", "0.27"],
    ];
    for (const [id, success, dollars] of golden) {
      const point = points.get(id);
      expect(point?.rate.toFixed(3)).toBe(success);
      expect(roundUsd((point?.costPico ?? 0n) / 5n, 2)).toBe(dollars);
    }
    expect(ids(result.frontier)).toEqual([
      "simple gpt-3.5-turbo-0125",
      "simple_boosting l3_8b-gpt35-l3_70b-gpt4-0409",
      "simple gpt-4-turbo-2024-04-09",
      "ldb gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09",
      "simple_incr_temp gpt-4-turbo-0409-5step",
      "ldb gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09",
    ]);
    const by = (id: string) => result.dominated.find((point) => point.id === id)?.by;
    expect(by("lats gpt-4-turbo-2024-04-09")).toContain("simple_incr_temp gpt-4-turbo-0409-5step");
    expect(by("lats gpt-4-turbo-2024-04-09")).toContain("simple gpt-4-turbo-2024-04-09");
    // The chain of cheap models is worse than LATS on the dear one, and cheaper: it dominates LATS on the cheap one only.
    expect(by("lats gpt-4-turbo-2024-04-09")).not.toContain("simple_boosting l3_8b-gpt35-l3_70b-gpt4-0409");
    expect(by("lats gpt-3.5-turbo-0125")).toContain("simple_boosting l3_8b-gpt35-l3_70b-gpt4-0409");
  });
});

const polyglot = `${data}/polyglot_leaderboard.yml`;

describe.skipIf(!existsSync(polyglot))("aider's polyglot leaderboard (skipped: ../shared/data is not here)", () => {
  it("has 51 rows with a cost, and eight of them on the frontier", () => {
    const rows = parseYaml(readFileSync(polyglot, "utf8")) as {
      dirname: string;
      model: string;
      test_cases: number;
      pass_num_2: number;
      pass_rate_2: number;
      total_cost: number | null;
    }[];
    const result = frontier(
      rows.map((row) => {
        // A cost of 0.0 there means that nobody knows it.
        const isKnown = typeof row.total_cost === "number" && row.total_cost > 0;
        return {
          id: row.dirname,
          runs: row.test_cases,
          tasks: row.test_cases,
          decided: row.test_cases,
          successes: row.pass_num_2,
          costed: isKnown ? row.test_cases : 0,
          costPico: isKnown ? parseUsd(String(row.total_cost)) : null,
          meanInterval: null,
        };
      }),
    );
    expect(result.apart).toHaveLength(18);
    expect(result.apart.every(({ reason }) => reason === "cost-unknown")).toBe(true);
    expect(result.frontier.length + result.dominated.length).toBe(51);
    const model = new Map(rows.map((row) => [row.dirname, row.model]));
    expect(result.frontier.map((point) => [model.get(point.id), formatUsd(point.costPico), point.successes])).toEqual([
      ["gpt-4o-mini-2024-07-18", "0.3236", 8],
      ["DeepSeek Chat V3 (prev)", "0.3369", 109],
      ["Grok 3 Mini Beta (high)", "0.7346", 111],
      ["DeepSeek-V3.2-Exp (Chat)", "0.8756", 158],
      ["DeepSeek-V3.2-Exp (Reasoner)", "1.3045", 167],
      ["gpt-5 (low)", "10.3713", 183],
      ["gpt-5 (medium)", "17.693", 195],
      ["gpt-5 (high)", "29.0829", 198],
    ]);
    const points = [...result.frontier, ...result.dominated];
    const perCase = (name: string) => roundUsd(points.find((point) => model.get(point.id) === name)?.perSuccessPico ?? 0n, 4);
    const golden: readonly (readonly [string, string])[] = [
      ["DeepSeek Chat V3 (prev)", "0.0031"],
      ["DeepSeek-V3.2-Exp (Chat)", "0.0055"],
      ["DeepSeek-V3.2-Exp (Reasoner)", "0.0078"],
      ["gpt-oss-120b (high)", "0.0079"],
      ["Kimi K2", "0.0093"],
      ["gemini-2.5-pro-preview-06-05 (32k think)", "0.2667"],
      ["grok-4 (high)", "0.3331"],
      ["o3-pro (high)", "0.7661"],
    ];
    for (const [name, dollars] of golden) expect([name, perCase(name)]).toEqual([name, dollars]);
    // Two rows have a rate over 225 cases and say 224: of the rate and the cases come 1.35 and 1.82, of the cases that passed these.
    expect(perCase("o1-2024-12-17 (high)")).toBe("1.3417");
    expect(perCase("gpt-4.5-preview")).toBe("1.8137");
    for (const [name, dollars] of [
      ["o1-2024-12-17 (high)", "1.35"],
      ["gpt-4.5-preview", "1.82"],
    ] as const) {
      const row = rows.find((one) => one.model === name);
      expect(((row?.total_cost ?? 0) / (((row?.pass_rate_2 ?? 0) / 100) * (row?.test_cases ?? 0))).toFixed(2)).toBe(dollars);
    }
  });
});
