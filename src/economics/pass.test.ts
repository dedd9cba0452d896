import { array, assert, constant, integer, nat, oneof, pre, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { type Pico, parseUsd, toPico, zero } from "../core/money.ts";
import { costOfConsistentPass, costOfPass, frontierOf, gainOf, meanOver, passAll, passAt, type Problem, type Trials } from "./pass.ts";
import { spendPerSuccess } from "./success.ts";

const trials = (successes: number, attempts: number, usd: string): Trials => ({ successes, attempts, costPico: parseUsd(usd) });
const problem = (id: string, models: Record<string, Trials>, human: string | null = null): Problem => ({
  id,
  models: new Map(Object.entries(models)),
  humanPico: human === null ? null : parseUsd(human),
});

describe("cost-of-pass", () => {
  it("is mean cost over success rate, by hand: $0.30 a try, half of them right, $0.60", () => {
    expect(costOfPass(trials(4, 8, "2.4"))).toEqual({ pico: parseUsd("2.4"), per: 4n });
  });

  it("is infinite where no try succeeded, and never 0", () => {
    expect(costOfPass(trials(0, 8, "2.4"))).toBeNull();
    expect(costOfPass(trials(0, 0, "0"))).toBeNull();
  });

  it("is not spend per success: the mean of quotients is not the quotient of sums (Jensen)", () => {
    // An easy problem at $1 a try, always right; a hard one at $1 a try, right once in ten.
    const easy = trials(10, 10, "10");
    const hard = trials(1, 10, "10");
    const { meanPico } = frontierOf([problem("easy", { a: easy }), problem("hard", { a: hard })]);
    // (1 + 10) / 2 against 20 / 11.
    expect(meanPico).toBe(parseUsd("5.5"));
    const tally = {
      successes: 11,
      failures: 9,
      unknown: 0,
      open: 0,
      onSuccessesPico: parseUsd("11"),
      onFailuresPico: parseUsd("9"),
      onUnknownPico: zero,
      onOpenPico: zero,
      onRetriesPico: zero,
      onReworkPico: zero,
      reviewMillis: null,
      valuePico: null,
      onUnvaluedPico: zero,
    };
    const { perSuccess } = spendPerSuccess(tally, { units: null, quantiles: null, reviewPicoPerHour: null });
    expect(perSuccess).toEqual({ pico: parseUsd("20"), per: 11n });
  });
});

describe("the frontier", () => {
  const problems = [
    problem("one", { a: trials(2, 2, "2"), b: trials(1, 2, "0.5") }, "4"), // b: 0.5
    problem("two", { a: trials(1, 4, "4"), b: trials(0, 2, "0.5") }, "3"), // the person: 3 < 4
    problem("three", { a: trials(4, 4, "4"), b: trials(1, 4, "2") }, "9"), // a: 1 < 2
  ];

  it("is the mean of each problem's least, not the least of the means, by hand", () => {
    const frontier = frontierOf(problems);
    expect(frontier.problems.map(({ by, isHuman }) => (isHuman ? "a person" : by))).toEqual(["b", "a person", "a"]);
    expect(frontier.meanPico).toBe(parseUsd("1.5")); // (0.5 + 3 + 1) / 3
    expect(frontier.humanShare).toBeCloseTo(1 / 3, 12);
    expect(frontier.humanCostShare).toBeCloseTo(2 / 3, 12);
    expect(frontier.unsolved).toBe(0);
  });

  it("names what a model adds, by hand", () => {
    // Without a: 0.5 + 3 + 2; without b: 1 + 3 + 1; without both: 4 + 3 + 9.
    const gain = gainOf(problems, new Set(["b"]));
    expect(gain?.gainPico).toBe((gain?.withoutPico ?? 0n) - parseUsd("1.5"));
    expect(gain?.withoutPico).toBe(1_666_666_666_667n);
    expect(gain?.essentialness).toBeCloseTo(0.1, 9);
    expect(gainOf(problems, new Set(["a", "b"]))?.essentialness).toBeCloseTo(1 - 4.5 / 16, 9);
    expect(gainOf(problems, new Set(["nobody"]))?.gainPico).toBe(0n);
  });

  it("is infinite, and says so, where nobody solves a problem", () => {
    const hopeless = [...problems, problem("four", { a: trials(0, 5, "5") })];
    expect(frontierOf(hopeless)).toMatchObject({ meanPico: null, unsolved: 1, humanShare: 0.25, humanCostShare: null });
    expect(gainOf(hopeless, new Set(["a"]))).toBeNull();
    expect(frontierOf([])).toMatchObject({ meanPico: null, unsolved: 0, humanShare: null });
  });

  it("takes the model before the person, and the earlier model, where they cost the same", () => {
    const even = problem("even", { a: trials(1, 1, "2"), b: trials(2, 2, "4") }, "2");
    expect(frontierOf([even]).problems[0]?.by).toBe("a");
  });

  it("never rises with one more model", () => {
    const usd = integer({ min: 1, max: 10_000 }).map((cents) => toPico(BigInt(cents) * 10n ** 10n));
    const one = record({ tries: integer({ min: 1, max: 8 }), right: nat(8), usd }).map(({ tries, right, usd }) => ({
      attempts: tries,
      successes: Math.min(right, tries),
      costPico: usd,
    }));
    assert(
      property(array(record({ a: one, b: one, human: oneof(usd, constant<Pico>(toPico(10n ** 15n))) }), { minLength: 1 }), (rows) => {
        const all = rows.map(({ a, b, human }, index) => ({
          id: `${index}`,
          models: new Map(Object.entries({ a, b })),
          humanPico: human,
        }));
        const gain = gainOf(all, new Set(["b"]));
        expect(gain?.gainPico).toBeGreaterThanOrEqual(0n);
        expect(gain?.essentialness ?? -1).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("pass@k and pass^k", () => {
  it("are those of every choice of k attempts, counted one by one", () => {
    assert(
      property(integer({ min: 1, max: 9 }), nat(9), integer({ min: 1, max: 9 }), (attempts, successes, k) => {
        pre(successes <= attempts && k <= attempts);
        let any = 0;
        let all = 0;
        let chosen = 0;
        for (let mask = 0; mask < 1 << attempts; mask += 1) {
          const picks = Array.from({ length: attempts }, (_, index) => index).filter((index) => (mask & (1 << index)) !== 0);
          if (picks.length !== k) continue;
          chosen += 1;
          if (picks.some((index) => index < successes)) any += 1;
          if (picks.every((index) => index < successes)) all += 1;
        }
        expect(passAt(k, { attempts, successes })).toBeCloseTo(any / chosen, 12);
        expect(passAll(k, { attempts, successes })).toBeCloseTo(all / chosen, 12);
      }),
    );
  });

  it("cannot be told from fewer than k attempts", () => {
    expect(passAt(3, { attempts: 2, successes: 1 })).toBeNull();
    expect(passAll(3, { attempts: 2, successes: 2 })).toBeNull();
    expect(meanOver(passAll, 2, [trials(2, 2, "1"), trials(1, 2, "1"), trials(1, 1, "1")])).toEqual({ mean: 0.5, problems: 2, leftOut: 1 });
    expect(meanOver(passAt, 2, [])).toEqual({ mean: null, problems: 0, leftOut: 0 });
  });

  it("keeps its digits for many attempts", () => {
    expect(passAll(500, { attempts: 1000, successes: 999 })).toBeCloseTo(0.5, 12);
  });

  it("gives the cost of a consistent pass, by hand: $0.50 a try, 2 of 4 right, both of two right once in six: $3", () => {
    const cost = costOfConsistentPass(2, trials(2, 4, "2"));
    expect(Number(cost?.pico) / Number(cost?.per) / 1e12).toBeCloseTo(3, 12);
    expect(costOfConsistentPass(3, trials(2, 4, "2"))).toBeNull();
    expect(costOfConsistentPass(5, trials(2, 4, "2"))).toBeNull();
  });

  it("costs what a pass costs where k is 1", () => {
    const one = costOfConsistentPass(1, trials(3, 7, "2"));
    expect(Number(one?.pico) / Number(one?.per)).toBeCloseTo(2e12 / 3, 0);
  });
});

it.each([
  [() => costOfPass(trials(3, 2, "1")), /from 0 to the attempts, 2/],
  [() => costOfPass(trials(0, 1.5, "1")), /attempts must be a whole number/],
  [() => costOfPass(trials(1, 2, "-1")), /less than nothing/],
  [() => passAt(0, { attempts: 2, successes: 1 }), /k must be a whole number/],
  [() => passAll(1, { attempts: 2, successes: Number.NaN }), /successes must be/],
  [() => frontierOf([problem("p", {}, "-1")]), /problem p/],
])("refuses what cannot be: %s", (act, message) => {
  expect(act).toThrow(message);
});
