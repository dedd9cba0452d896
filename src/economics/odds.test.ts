import { array, assert, boolean, double, integer, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, toPico, zero } from "../core/money.ts";
import { generator } from "./interval.ts";
import { type Attempt, independent, oddsOf, type Try, worthTrying } from "./odds.ts";

/** `"f1 s2"`: failed for $1, then succeeded for $2; u is unknown. */
const history = (text: string): Attempt[] =>
  text.split(" ").map((part) => ({ success: part[0] === "u" ? null : part[0] === "s", costPico: parseUsd(part.slice(1)) }));

const costsOf = (...texts: string[]) => oddsOf(texts.map(history))[0]?.costInterval;

describe("the odds of the next try", () => {
  it("are those of tasks that failed so far, by hand", () => {
    const rows = oddsOf(["s1", "s1", "s2", "f1 s3", "f2 f3 f4", "f1 u6", "f1", "f3 f4", "s1 f9", "u1"].map(history));
    expect(rows.map(({ attempt, tries, successes, unknown, gaveUp }) => [attempt, tries, successes, unknown, gaveUp])).toEqual([
      [1, 9, 4, 1, 0],
      [2, 3, 1, 1, 1], // of five that failed, one was given up
      [3, 1, 0, 0, 1], // of two that failed twice, one was given up
    ]);
    expect(rows.map(({ rate }) => rate)).toEqual([4 / 9, 1 / 3, 0]);
    // 1+1+2+1+2+1+1+3+1+1 over ten; 3+3+6+4 over four; 4 over one.
    expect(rows.map(({ costPico }) => costPico)).toEqual([parseUsd("1.4"), parseUsd("4"), parseUsd("4")]);
    expect(rows[1]?.cost).toEqual({ pico: parseUsd("16"), per: 4n });
    // 1 − 5/9 · 2/3, and were they independent 1 − (5/9)².
    expect(rows[1]?.within).toBeCloseTo(17 / 27, 12);
    expect(rows[1]?.withinIfIndependent).toBeCloseTo(56 / 81, 12);
    expect(rows[2]?.interval.low).toBe(0);
    expect(rows[2]?.interval.high).toBeCloseTo(0.7934507, 6);
  });

  it("fall where failures go together, and the formula for independent tries says too much", () => {
    // Half of the tasks succeed nine times in ten, the others once in ten: 0.5, then (0.05·0.9 + 0.45·0.1)/0.5 = 0.18.
    const random = generator(11);
    const histories = Array.from({ length: 4000 }, (_, index) => {
      const rate = index % 2 === 0 ? 0.9 : 0.1;
      const first = random() < rate;
      const second = { success: random() < rate, costPico: parseUsd("1") };
      return [{ success: first, costPico: parseUsd("1") }, ...(first ? [] : [second])];
    });
    const [one, two] = oddsOf(histories, 0.999);
    expect(one?.interval.low).toBeLessThan(0.5);
    expect(one?.interval.high).toBeGreaterThan(0.5);
    expect(two?.interval.low).toBeLessThan(0.18);
    expect(two?.interval.high).toBeGreaterThan(0.18);
    expect(two?.interval.high).toBeLessThan(0.5);
    expect(two?.withinIfIndependent ?? 0).toBeGreaterThan((two?.within ?? 1) + 0.1);
  });

  it("count every task at most once an attempt, and lose none", () => {
    const attempt = record({ success: option(boolean()), costPico: integer({ min: 0, max: 1e9 }).map((cost) => toPico(BigInt(cost))) });
    assert(
      property(array(array(attempt, { maxLength: 6 }), { maxLength: 40 }), (histories) => {
        const rows = oddsOf(histories);
        const started = histories.filter((one) => one.length > 0).length;
        expect((rows[0]?.tries ?? 0) + (rows[0]?.unknown ?? 0)).toBe(started);
        for (const [index, row] of rows.entries()) {
          const next = rows[index + 1];
          if (next !== undefined) expect(next.tries + next.unknown + next.gaveUp).toBe(row.tries - row.successes);
          if (row.rate === null) expect(row.tries).toBe(0);
          else {
            expect(row.interval.low).toBeLessThanOrEqual(row.rate);
            expect(row.interval.high).toBeGreaterThanOrEqual(row.rate);
          }
          if (row.within !== null && index > 0) expect(row.within).toBeGreaterThanOrEqual((rows[index - 1]?.within ?? 2) - 1e-12);
        }
      }),
    );
  });

  it("have no interval of what two tries cost, or a few alike: two of 5 and 40 cents hold the mean between them in half of all samples", () => {
    expect([costsOf("s0.05", "s0.40"), costsOf("s0.2", "s0.2", "s0.2")]).toEqual([null, null]);
    const half = Array.from({ length: 15 }, () => ["s0.05", "s0.40"]).flat();
    expect(costsOf("s0.05", "s0.40", "s0.1")).toMatchObject({ highPico: null });
    expect(Number(costsOf(...half)?.lowPico)).toBeLessThan(0.225e12);
    expect(Number(costsOf(...half)?.highPico)).toBeGreaterThan(0.225e12);
    // What thirty cost alike, and what nothing was spent on.
    expect(costsOf(...half.fill("s0.2"))).toEqual({ lowPico: parseUsd("0.2"), highPico: parseUsd("0.2") });
    expect(costsOf(...half.fill("s0"))).toEqual({ lowPico: zero, highPico: zero });
  });

  it("know nothing of no history", () => {
    expect(oddsOf([])).toEqual([]);
    expect(oddsOf([[]])).toEqual([]);
    expect(oddsOf([history("u1")])[0]).toMatchObject({ tries: 0, rate: null, within: null, interval: { low: 0, high: 1 } });
  });
});

const judge = (row: Try | undefined, value: string, review = "0") =>
  worthTrying(row, { valuePico: parseUsd(value), reviewPico: parseUsd(review) }).verdict;

describe("whether one more try pays", () => {
  it("compares what it costs with what it brings, by hand", () => {
    // 50 of 100 for $1 and $0.50 of checking; Wilson's ends 0.4038 and 0.5962 (Z² = 3.8415: 0.5 ± 0.09617).
    const row = often(50, 100);
    const at = (usd: string) => worthTrying(row, { valuePico: parseUsd(usd), reviewPico: parseUsd("0.5") });
    expect(at("4")).toMatchObject({ verdict: "yes", spendPico: parseUsd("1.5"), bringsPico: parseUsd("2"), breakEven: 0.375 });
    expect(at("3")).toMatchObject({ verdict: "not-enough-data", bringsPico: parseUsd("1.5"), breakEven: 0.5 });
    expect(at("2")).toMatchObject({ verdict: "no", bringsPico: parseUsd("1"), breakEven: 0.75 });
    expect(Number(at("4").bringsLowPico) / 1e12).toBeCloseTo(4 * 0.40383, 4);
    expect(Number(at("4").bringsHighPico) / 1e12).toBeCloseTo(4 * 0.59617, 4);
  });

  it("is not said of fewer than thirty tries, unless it cannot pay at all", () => {
    expect([judge(often(29, 29), "100"), judge(often(30, 30), "100")]).toEqual(["not-enough-data", "yes"]);
    expect([judge(often(0, 29), "1.1"), judge(often(0, 30), "1.1")]).toEqual(["not-enough-data", "no"]);
    // What twenty-nine cost may be far from what the next one does.
    expect([judge(often(29, 29), "0.5"), judge(often(30, 30), "0.5")]).toEqual(["not-enough-data", "no"]);
    // Nothing is to be had, or checking alone costs as much: of one try as of a thousand.
    expect([judge(often(1, 1), "0"), judge(often(1, 1), "2", "2")]).toEqual(["no", "no"]);
    expect(worthTrying(often(2, 3), { valuePico: zero, reviewPico: zero }).breakEven).toBeNull();
  });

  it("of a try that nobody came to, wants its cost and claims nothing", () => {
    expect(worthTrying(undefined, { valuePico: parseUsd("3"), reviewPico: zero, costPico: parseUsd("1") })).toMatchObject({
      verdict: "not-enough-data",
      bringsPico: null,
      bringsLowPico: 0n,
      bringsHighPico: parseUsd("3"),
    });
    expect(() => worthTrying(undefined, { valuePico: parseUsd("3"), reviewPico: zero })).toThrow(/give costPico/);
    expect(() => worthTrying(often(1, 2), { valuePico: parseUsd("-3"), reviewPico: zero })).toThrow(/valuePico is negative/);
  });
});

describe("independent tries, for comparison", () => {
  it("by hand: 0.5 three times is 7/8, in 1.75 attempts", () => {
    expect(independent(0.5, 3)).toEqual({ success: 0.875, attempts: 1.75 });
    expect(independent(0, 4)).toEqual({ success: 0, attempts: 4 });
    expect(independent(1, 4)).toEqual({ success: 1, attempts: 1 });
  });

  it("spend as much a success whatever the cap", () => {
    assert(
      property(double({ min: 1e-6, max: 1, noNaN: true }), integer({ min: 1, max: 50 }), (rate, k) => {
        const { success, attempts } = independent(rate, k);
        expect((attempts / success) * rate).toBeCloseTo(1, 9);
      }),
    );
  });

  it.each([
    [-0.1, 2],
    [1.1, 2],
    [Number.NaN, 2],
    [0.5, 0],
    [0.5, 1.5],
  ])("refuse %s, %s times", (rate, k) => {
    expect(() => independent(rate, k)).toThrow(RangeError);
  });
});

/** The first try of so many tasks. */
function often(successes: number, tries: number): Try | undefined {
  return oddsOf(Array.from({ length: tries }, (_, index) => history(index < successes ? "s1" : "f1")))[0];
}

describe("a try at a cost that nobody knows", () => {
  it("counts for the odds, and not for the mean cost", () => {
    const unpriced = (text: string): Attempt[] => {
      const [first, ...rest] = history(text);
      return [{ success: first?.success ?? null, costPico: null }, ...rest];
    };
    const rows = oddsOf([...["s1", "f3 s5"].map(history), unpriced("f9 s7"), unpriced("s9")]);
    expect(rows.map(({ tries, successes, uncosted, costPico }) => [tries, successes, uncosted, costPico])).toEqual([
      [4, 2, 2, parseUsd("2")],
      [2, 2, 0, parseUsd("6")],
    ]);
    expect(oddsOf([unpriced("s9")])[0]).toMatchObject({ cost: null, costPico: null, costInterval: null, uncosted: 1 });
    // Two say nothing of the third.
    expect(rows[1]?.costInterval).toBeNull();
  });
});
