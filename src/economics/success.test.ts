import { existsSync, readFileSync } from "node:fs";
import { parse as parseCsv } from "csv-parse/sync";
import { array, assert, bigInt, nat, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { formatUsd, type Pico, parseUsd, toPico, zero } from "../core/money.ts";
import { generator, type Unit } from "./interval.ts";
import { quantilesOf } from "./quantile.ts";
import { type Sample, spendPerSuccess, type Tally } from "./success.ts";

const nothing: Tally = {
  successes: 0,
  failures: 0,
  unknown: 0,
  open: 0,
  onSuccessesPico: zero,
  onFailuresPico: zero,
  onUnknownPico: zero,
  onOpenPico: zero,
  onRetriesPico: zero,
  onReworkPico: zero,
  reviewMillis: null,
  valuePico: null,
  onUnvaluedPico: zero,
};
const bare: Sample = { units: null, quantiles: null, reviewPicoPerHour: null };

/** Two succeeded, two failed, one is unknown and one still open: $10 in all. */
const six: Tally = {
  ...nothing,
  successes: 2,
  failures: 2,
  unknown: 1,
  open: 1,
  onSuccessesPico: parseUsd("2"),
  onFailuresPico: parseUsd("5"),
  onUnknownPico: parseUsd("2"),
  onOpenPico: parseUsd("1"),
  onRetriesPico: parseUsd("2.5"),
  onReworkPico: parseUsd("0.5"),
  reviewMillis: 20n * 60_000n,
  valuePico: parseUsd("35"),
  onUnvaluedPico: parseUsd("3"),
};

/** Half of them at five cents, half at forty, each worth a dollar. */
const unlike = (tasks: number) => {
  const units = Array.from({ length: tasks }, (_, index) => ({ top: index % 2 === 0 ? 5e10 : 4e11, bottom: 1, value: 1e12 }));
  const pico = (of: "top" | "value"): Pico => toPico(units.reduce((all, unit) => all + BigInt(unit[of]), 0n));
  const tally = { ...nothing, successes: tasks, onSuccessesPico: pico("top"), valuePico: pico("value") };
  const { interval, returns, perSuccessPico } = spendPerSuccess(tally, { ...bare, units });
  return { interval, returns: returns?.interval, perSuccessPico };
};

describe("spend per success", () => {
  it("counts the spend on failed, unknown and open runs too, by hand", () => {
    const all = spendPerSuccess(six, { ...bare, reviewPicoPerHour: parseUsd("60") });
    expect(formatUsd(all.spendPico)).toBe("10");
    expect(all.perSuccess).toEqual({ pico: parseUsd("10"), per: 2n });
    expect(formatUsd(all.perSuccessPico ?? zero)).toBe("5");
    expect(formatUsd(all.perSuccessLeastPico ?? zero)).toBe("2.5");
    expect(all.rate).toMatchObject({ decided: 4, observed: 0.5, worst: 2 / 6, best: 4 / 6 });
    // (35 − 10) / 10, with $3 of $10 on tasks whose value nobody knows.
    expect(all.returns).toEqual({ gainPico: parseUsd("25"), ratio: 2.5, interval: null, unvaluedShare: 0.3 });
    // 20 minutes at $60 an hour are $20: $30 for two, (35 − 30) / 30.
    expect(formatUsd(all.review.costPico ?? zero)).toBe("20");
    expect(formatUsd(all.review.perSuccessPico ?? zero)).toBe("15");
    expect(all.review.returnRatio).toBeCloseTo(1 / 6, 12);
    expect(all.review.share).toBeCloseTo(2 / 3, 12);
    expect(all.shares).toEqual({ failures: 0.5, unknown: 0.2, open: 0.1, retries: 0.25, rework: 0.05 });
    expect(all.enough).toEqual({ isEnough: false, lacks: ["few-tasks", "wide", "unknown-outcomes"], tasksNeeded: null });
  });

  it("says nothing where nothing is known, and never 0", () => {
    expect(spendPerSuccess(nothing, bare)).toMatchObject({
      tasks: 0,
      perSuccess: null,
      perSuccessPico: null,
      perSuccessLeastPico: null,
      interval: null,
      rate: { decided: 0, observed: null, interval: { low: 0, high: 1 }, worst: null, best: null },
      returns: null,
      review: { costPico: null, perSuccessPico: null, returnRatio: null, share: null },
      shares: null,
    });
    const failed = spendPerSuccess({ ...nothing, failures: 40, onFailuresPico: parseUsd("8") }, bare);
    expect(failed.perSuccessPico).toBeNull();
    expect(failed.enough.lacks).toContain("no-success");
    expect(spendPerSuccess(six, bare).review.costPico).toBeNull();
  });

  it("has no interval of two tasks, or of a few alike: they say nothing of the next one; and of three no end that a dear one would set", () => {
    expect([alike(2).interval, alike(29).interval, alike(2).perSuccessPico]).toEqual([null, null, 7n]);
    expect(alike(30).interval).toEqual({ lowPico: 7n, highPico: 7n });
    expect(unlike(2)).toEqual({ interval: null, returns: null, perSuccessPico: parseUsd("0.225") });
    expect(unlike(3)).toMatchObject({ interval: { highPico: null }, returns: { low: null } });
    expect([unlike(4).interval?.highPico, unlike(4).returns?.low]).toEqual([expect.any(BigInt), expect.any(Number)]);
    expect(Number(unlike(30).interval?.highPico)).toBeGreaterThan(0.225e12);
    expect(unlike(30).returns?.low).toBeLessThan(1 / 0.225 - 1);
  });

  it("takes its interval from the tasks, and refuses the tasks of another tally", () => {
    const units = Array.from({ length: 40 }, (_, index) => ({ top: 1e12, bottom: index % 2 }));
    const tally = { ...nothing, successes: 20, failures: 20, onSuccessesPico: parseUsd("20"), onFailuresPico: parseUsd("20") };
    const quantiles = quantilesOf(units.map(() => parseUsd("1")));
    const { interval, enough } = spendPerSuccess(tally, { ...bare, units, quantiles });
    // $2 a success; every task costs the same, so the bounds are those of one over the success rate, some 0.35 to 0.65.
    expect(Number(interval?.lowPico) / 1e12).toBeGreaterThan(1.4);
    expect(Number(interval?.lowPico) / 1e12).toBeLessThan(1.7);
    expect(Number(interval?.highPico) / 1e12).toBeGreaterThan(2.5);
    expect(Number(interval?.highPico) / 1e12).toBeLessThan(3.2);
    expect(enough).toEqual({ isEnough: true, lacks: [], tasksNeeded: 30 });
    expect(() => spendPerSuccess({ ...tally, successes: 21 }, { ...bare, units })).toThrow(/not this tally's/);
    expect(() => spendPerSuccess({ ...tally, onOpenPico: parseUsd("1") }, { ...bare, units })).toThrow(/not this tally's/);
  });

  it("has an interval of its return, with checking and without, and of what it costs with checking", () => {
    // 40 tasks at $1 and half an hour at $2 an hour, half of which are worth $6: returns of 2, and of 0.5.
    const units = Array.from({ length: 40 }, (_, index) => ({
      top: 1e12,
      bottom: index % 2,
      value: index % 2 === 0 ? 0 : 6e12,
      reviewMillis: 1_800_000,
    }));
    const tally = {
      ...nothing,
      successes: 20,
      failures: 20,
      onSuccessesPico: parseUsd("20"),
      onFailuresPico: parseUsd("20"),
      valuePico: parseUsd("120"),
      reviewMillis: 40n * 1_800_000n,
    };
    const found = spendPerSuccess(tally, { ...bare, units, reviewPicoPerHour: parseUsd("2") });
    // All costs alike: a rate of successes, Wilson's 0.352 to 0.648 of 20 in 40, times 6 less 1, and times 3 less 1.
    const { low, high } = found.rate.interval;
    expect(found.returns?.ratio).toBe(2);
    expectNear(found.returns?.interval?.low, 6 * low - 1);
    expectNear(found.returns?.interval?.high, 6 * high - 1);
    expect(found.review.returnRatio).toBe(0.5);
    expectNear(found.review.returnInterval?.low, 3 * low - 1);
    expectNear(found.review.returnInterval?.high, 3 * high - 1);
    // As spend alone, twice.
    expect(Number(found.review.interval?.lowPico)).toBeCloseTo(2 * Number(found.interval?.lowPico), -3);
    expect(Number(found.review.interval?.highPico)).toBeCloseTo(2 * Number(found.interval?.highPico), -3);
    const of = (change: Partial<Tally>) => () => spendPerSuccess({ ...tally, ...change }, { ...bare, units });
    expect(of({ valuePico: parseUsd("121") })).toThrow(/not this tally's: they are worth/);
    expect(of({ reviewMillis: 40n * 1_800_001n })).toThrow(/not this tally's: checked for/);
  });

  it("says of the return of a few alike as little as of their cost", () => {
    expect(alike(29, 21).returns).toMatchObject({ ratio: 2, interval: null });
    expect(alike(30, 21).returns).toMatchObject({ ratio: 2, interval: { low: 2, high: 2 } });
  });

  it("has as wide an interval of its return where tasks come in the order of their worth", () => {
    const random = generator(3);
    const values = Array.from({ length: 900 }, () => Math.round(1e12 * random() ** 2)).sort((a, b) => a - b);
    const units = values.map((value) => ({ top: 1e11, bottom: 1, value }));
    const worth = values.reduce((sum, value) => sum + value, 0);
    const tally = { ...nothing, successes: 900, onSuccessesPico: parseUsd("90"), valuePico: toPico(BigInt(worth)) };
    const { interval } = spendPerSuccess(tally, { ...bare, units }).returns ?? { interval: null };
    // Every task costs 10 cents: the standard error of the mean worth, 1.96 times to either side, in units of these.
    const squares = values.reduce((sum, value) => sum + (value - worth / 900) ** 2, 0);
    const width = (2 * 1.96 * Math.sqrt(squares / 899 / 900)) / 1e11;
    expect((interval?.high ?? 9) - (interval?.low ?? 9)).toBeGreaterThan(0.85 * width);
    expect((interval?.high ?? 9) - (interval?.low ?? 9)).toBeLessThan(1.25 * width);
  });

  it("is the same however the runs are gathered", () => {
    assert(
      property(array(tuple(bigInt({ min: 0n, max: 10n ** 15n }), nat(3)), { minLength: 1, maxLength: 60 }), (runs) => {
        const onEnd = (end: number): Pico => toPico(runs.filter((run) => run[1] === end).reduce((a, run) => a + run[0], 0n));
        const count = (end: number): number => runs.filter((run) => run[1] === end).length;
        const tally = {
          ...nothing,
          failures: count(0),
          successes: count(1),
          unknown: count(2),
          open: count(3),
          onFailuresPico: onEnd(0),
          onSuccessesPico: onEnd(1),
          onUnknownPico: onEnd(2),
          onOpenPico: onEnd(3),
        };
        const { perSuccess, spendPico, shares, rate, perSuccessPico } = spendPerSuccess(tally, bare);
        expect(spendPico).toBe(runs.reduce((a, run) => a + run[0], 0n));
        if (perSuccess === null || perSuccessPico === null) expect(tally.successes).toBe(0);
        else {
          expect(perSuccess.pico).toBe(spendPico);
          const off = perSuccessPico * perSuccess.per - spendPico;
          expect(2n * (off < 0n ? -off : off)).toBeLessThanOrEqual(perSuccess.per);
        }
        if (shares !== null) expect(shares.failures + shares.unknown + shares.open).toBeLessThanOrEqual(1 + 1e-12);
        if (rate.worst !== null) expect(rate.worst).toBeLessThanOrEqual(rate.best ?? -1);
      }),
    );
  });

  it.each([
    [{ successes: -1 }, /successes must be a whole number/],
    [{ failures: 0.5 }, /failures must be a whole number/],
    [{ unknown: Number.NaN }, /unknown must be a whole number/],
    [{ reviewMillis: -1n }, /reviewMillis is negative/],
    [{ onRetriesPico: parseUsd("11") }, /onRetriesPico is more than all spend/],
    [{ onUnvaluedPico: parseUsd("11") }, /onUnvaluedPico is more than all spend/],
  ])("refuses %o", (change, message) => {
    expect(() => spendPerSuccess({ ...six, ...change }, bare)).toThrow(message);
  });
});

describe("whether there is enough", () => {
  it.each([
    [30, 1, 0.9],
    [30, 2, 0.9],
    [100, 1.5, 0.5],
    [100, 2, 0.9],
  ])("is seldom said and wrong: %i tasks, log-spread %d, success rate %d", (n, sigma, rate) => {
    expect(wrong(n, sigma, rate)).toBeLessThan(0.1);
  });

  it("takes tasks that cost nothing for even, and few of them for few", () => {
    const free = (tasks: number, hours: number | null = null) => {
      const reviewMillis = hours === null ? null : BigInt(hours * 3_600_000);
      return spendPerSuccess(
        { ...nothing, successes: tasks / 2, failures: tasks / 2, reviewMillis },
        {
          ...bare,
          reviewPicoPerHour: parseUsd("30"),
          quantiles: { medianPico: zero, p90Pico: zero, p99Pico: zero },
          units: Array.from({ length: tasks }, (_, index) => ({
            top: 0,
            bottom: index % 2,
            reviewMillis: Number(reviewMillis ?? 0n) / tasks,
          })),
        },
      );
    };
    expect(free(60).enough).toEqual({ isEnough: true, lacks: [], tasksNeeded: 30 });
    expect(free(60)).toMatchObject({ perSuccessPico: zero, interval: { lowPico: zero, highPico: zero } });
    expect(free(10)).toMatchObject({ interval: null, enough: { isEnough: false, lacks: ["few-tasks", "wide"], tasksNeeded: 30 } });
    // Checking costs something all the same.
    expect(free(60, 0).review.interval).toEqual({ lowPico: zero, highPico: zero });
    expect(Number(free(60, 4).review.interval?.lowPico)).toBeGreaterThan(0);
    // More than half cost nothing, and one a hundred dollars: as uneven as ever.
    const one = spendPerSuccess(
      { ...nothing, successes: 60, onSuccessesPico: parseUsd("100") },
      { ...bare, quantiles: { medianPico: zero, p90Pico: zero, p99Pico: zero } },
    );
    expect(one.enough.lacks).toEqual(["heavy-tail", "wide"]);
  });

  it("asks for more tasks where costs are spread", () => {
    const tally = { ...nothing, successes: 100, onSuccessesPico: parseUsd("100") };
    const units = Array.from({ length: 100 }, (_, index) => ({ top: index % 2 === 0 ? 5e11 : 1.5e12, bottom: 1 }));
    const [medianPico, p99Pico] = [parseUsd("1"), parseUsd("9")];
    // ln(13)/1.2816 = 2.0014: 10·e^4.0057 = 549.1 tasks.
    const spread = spendPerSuccess(tally, { ...bare, units, quantiles: { medianPico, p90Pico: parseUsd("13"), p99Pico } });
    expect(spread.enough).toEqual({ isEnough: false, lacks: ["heavy-tail"], tasksNeeded: 550 });
    const even = spendPerSuccess(tally, { ...bare, units, quantiles: { medianPico, p90Pico: parseUsd("2"), p99Pico } });
    expect(even.enough).toEqual({ isEnough: true, lacks: [], tasksNeeded: 30 });
    expect(spendPerSuccess(tally, { ...bare, units }).enough.lacks).toEqual(["heavy-tail"]);
  });
});

const outcomes = new URL("../../../shared/data/outcomes/", import.meta.url);
const here = existsSync(outcomes);

/** Spend and passes as a tally: what failed is not told apart. */
function perPass(usd: string, passes: number, cases: number): number {
  const tally = { ...nothing, successes: passes, failures: cases - passes, onSuccessesPico: parseUsd(usd) };
  const { perSuccess } = spendPerSuccess(tally, bare);
  if (perSuccess === null) throw new Error("nothing passed");
  return Number(perSuccess.pico) / Number(perSuccess.per) / 1e12;
}

describe.skipIf(!here)("aider polyglot, dollars per passed case (skipped: ../shared/data is not here)", () => {
  type Row = { model: string; total_cost?: number; pass_num_2: number; test_cases: number };
  const rows = here ? (parseYaml(readFileSync(new URL("polyglot_leaderboard.yml", outcomes), "utf8")) as Row[]) : [];
  // A cost of 0.0 is none that anybody knows.
  const priced = rows.filter((row) => (row.total_cost ?? 0) > 0);
  const costOf = (row: Row): number => perPass((row.total_cost ?? 0).toFixed(12), row.pass_num_2, 225);
  const of = (model: string): number => {
    const found = priced.filter((row) => row.model === model);
    expect(found).toHaveLength(1);
    return costOf(found[0] as Row);
  };

  // economics.md, 1.4.
  it.each([
    ["DeepSeek Chat V3 (prev)", 0.0031],
    ["DeepSeek-V3.2-Exp (Chat)", 0.0055],
    ["DeepSeek-V3.2-Exp (Reasoner)", 0.0078],
    ["gpt-oss-120b (high)", 0.0079],
    ["Kimi K2", 0.0093],
  ])("%s: %d", (model, usd) => {
    expect(of(model)).toBeCloseTo(usd, 4);
  });

  it.each([
    ["gemini-2.5-pro-preview-06-05 (32k think)", 0.267],
    ["grok-4 (high)", 0.333],
    ["o3-pro (high)", 0.766],
  ])("%s: %d", (model, usd) => {
    expect(of(model)).toBeCloseTo(usd, 3);
  });

  // The reference has 1.35 and 1.82, which is what 61.7 % and 44.9 % of the 224 cases of these two rows give. But those rates are over 225: the
  // file itself counts 139 and 101 passes.
  it.each([
    ["o1-2024-12-17 (high)", 186.4958 / 139, 1.35],
    ["gpt-4.5-preview", 183.1802 / 101, 1.82],
  ])("%s: %d by its own count of passes", (model, usd, told) => {
    expect(of(model)).toBeCloseTo(usd, 9);
    expect(Math.abs(of(model) - told)).toBeLessThan(0.01);
  });

  it("the dearest is some 590 times the cheapest", () => {
    const costs = priced.map(costOf).sort((a, b) => a - b);
    expect(Math.round((costs.at(-1) ?? 0) / (costs[0] ?? 1) / 10) * 10).toBe(590);
  });
});

describe.skipIf(!here)("HumanEval, mean of five runs (skipped: ../shared/data is not here)", () => {
  type Row = { strategy: string; model: string; accuracy: string; total_cost: string; total_tasks: string };
  const rows = here ? (parseCsv(readFileSync(new URL("agents_that_matter_humaneval.csv", outcomes)), { columns: true }) as Row[]) : [];

  // economics.md, 1.6.
  it.each([
    ["simple", "gpt-4-turbo-2024-04-09", 0.896, 1.93],
    ["simple_incr_temp", "gpt-4-turbo-0409-5step", 0.932, 2.45],
    ["ldb", "gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09", 0.933, 6.36],
    ["reflexion", "gpt-4-turbo-2024-04-09", 0.878, 3.9],
    ["lats", "gpt-4-turbo-2024-04-09", 0.88, 134.5],
    ["simple_boosting", "l3_8b-gpt35-l3_70b-gpt4-0409", 0.85, 0.27],
  ])("%s, %s: %d for $%d", (strategy, model, accuracy, usd) => {
    const runs = rows.filter((row) => row.strategy === strategy && row.model === model);
    expect(runs).toHaveLength(5);
    const cases = runs.reduce((a, run) => a + Number(run.total_tasks), 0);
    const passes = runs.reduce((a, run) => a + Math.round(Number(run.accuracy) * Number(run.total_tasks)), 0);
    const spend = runs.reduce((a, run) => a + parseUsd(Number(run.total_cost).toFixed(12)), 0n);
    const found = spendPerSuccess({ ...nothing, successes: passes, failures: cases - passes, onSuccessesPico: toPico(spend) }, bare);
    // The two means are said to 0.1 points and a cent; LATS is 88.05 %, which rounds to either side.
    expect(Math.abs((found.rate.observed ?? 0) - accuracy)).toBeLessThan(0.00051);
    expect(Math.abs(Number(found.spendPico) / 1e12 / 5 - usd)).toBeLessThan(0.0051);
    expect(Number(found.perSuccessPico) / 1e12).toBeCloseTo(usd / (164 * accuracy), 3);
  });
});

/** Of so many tasks that all succeeded, at seven picodollars each, and worth as much as is said. */
function alike(tasks: number, value = 0) {
  return spendPerSuccess(
    { ...nothing, successes: tasks, onSuccessesPico: toPico(BigInt(tasks) * 7n), valuePico: toPico(BigInt(tasks * value)) },
    { ...bare, units: Array.from({ length: tasks }, () => ({ top: 7, bottom: 1, value })) },
  );
}

/** Of so many samples of log-normal costs: how often "enough" is said although the interval misses the truth. */
function wrong(n: number, sigma: number, rate: number): number {
  const random = generator(n + sigma * 10);
  const truth = (Math.exp((sigma * sigma) / 2) / rate) * 1e9;
  let missed = 0;
  for (let seed = 0; seed < 150; seed += 1) {
    const units: Unit[] = Array.from({ length: n }, () => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return { top: Math.round(Math.exp(sigma * normal) * 1e9), bottom: random() < rate ? 1 : 0 };
    });
    const spend = units.reduce((a, unit) => a + BigInt(unit.top), 0n);
    const successes = units.reduce((a, unit) => a + unit.bottom, 0);
    const quantiles = quantilesOf(units.map((unit) => toPico(BigInt(unit.top))));
    const tally = { ...nothing, successes, failures: n - successes, onSuccessesPico: toPico(spend) };
    const { enough, interval } = spendPerSuccess(tally, { ...bare, units, quantiles, samples: 300, seed });
    const { lowPico, highPico } = interval ?? { lowPico: zero, highPico: null };
    if (enough.isEnough && highPico !== null && (truth < Number(lowPico) || truth > Number(highPico))) missed += 1;
  }
  return missed / 150;
}

function expectNear(end: number | null | undefined, expected: number): void {
  expect(Math.abs((end ?? 9) - expected)).toBeLessThan(0.3);
}
