// How far a return may be off, against what is known of the tasks that were drawn, against the textbook's formula, and against a plain bootstrap.

import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { returnInterval, type Worth } from "./returns.ts";

/** Park and Miller's numbers: others than the bootstrap's own. */
function chance(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

type Kind = "even" | "damage" | "tied";

/** A task with a log-normal cost of median 1. A success is worth 3, or twice what it cost; a failure nothing, or with damage every other one −4. */
function draw(kind: Kind, sigma: number, rate: number, random: () => number): Worth {
  const spend = Math.exp(sigma * normal(random));
  const isGood = random() < rate;
  if (kind === "tied") return { spend, value: isGood ? 2 * spend : 0 };
  return { spend, value: isGood ? 3 : kind === "damage" && random() < 0.5 ? -4 : 0 };
}

function truthOf(kind: Kind, sigma: number, rate: number): number {
  if (kind === "tied") return 2 * rate - 1;
  return (3 * rate - (kind === "damage" ? 2 * (1 - rate) : 0)) / Math.exp((sigma * sigma) / 2) - 1;
}

function coverage(kind: Kind, n: number, sigma: number, rate: number, tries = 300): number {
  const random = chance(n + 100 * sigma + 1_000 * rate);
  const truth = truthOf(kind, sigma, rate);
  let [said, held] = [0, 0];
  for (let seed = 0; seed < tries; seed += 1) {
    const found = returnInterval(
      Array.from({ length: n }, () => draw(kind, sigma, rate, random)),
      { samples: 300, seed },
    );
    if (found === null) continue;
    said += 1;
    if ((found.low ?? -Infinity) <= truth && truth <= (found.high ?? Infinity)) held += 1;
  }
  expect(said).toBeGreaterThan(tries * 0.5);
  return held / said;
}

describe("the interval of a return", () => {
  // 300 tries: a coverage of 0.95 is seen as 0.912 or more with probability 0.998.
  it.each([
    ["even", 10, 0.2],
    ["even", 30, 0.5],
    ["even", 100, 0.05],
    ["even", 100, 0.8],
    ["tied", 30, 0.5],
    ["tied", 100, 0.8],
    ["damage", 10, 0.2],
    ["damage", 10, 0.8],
    ["damage", 30, 0.5],
    ["damage", 100, 0.05],
    ["damage", 100, 0.8],
  ] as const)("holds the true one as often as promised: %s, %i tasks, success rate %d", (kind, n, rate) => {
    expect(coverage(kind, n, 1, rate)).toBeGreaterThan(0.91);
  });

  it.each([
    ["even", 30, 2, 0.8, 0.8],
    ["damage", 30, 2, 0.8, 0.8],
    ["tied", 30, 1.5, 0.05, 0.72],
  ] as const)("falls short of it as the docstring says: %s, %i tasks, log-spread %d, success rate %d", (kind, n, sigma, rate, least) => {
    expect(coverage(kind, n, sigma, rate)).toBeGreaterThan(least);
  });

  it("is no wider than it need be: 3,000 tasks, by the formula of a ratio's standard error", () => {
    for (const kind of ["even", "damage"] as const) {
      const random = chance(5);
      const units = Array.from({ length: 3_000 }, () => draw(kind, 0.5, 0.6, random));
      // θ = Σv/Σc; se = √(Σ(v − θc)² ÷ n(n − 1)) ÷ mean cost (Cochran, Sampling Techniques, 2.9).
      const spend = units.reduce((sum, unit) => sum + unit.spend, 0);
      const figure = units.reduce((sum, unit) => sum + unit.value, 0) / spend;
      const squares = units.reduce((sum, unit) => sum + (unit.value - figure * unit.spend) ** 2, 0);
      const half = (1.959964 * Math.sqrt(squares / (3_000 * 2_999))) / (spend / 3_000);
      const { low, high } = returnInterval(units, { samples: 4_000 }) ?? { low: null, high: null };
      // Fewer than 10 parts in a hundred of it off: 4,000 resamples are no more exact at their 2.5 %.
      expect(Math.abs((low ?? 9) - (figure - 1 - half))).toBeLessThan(0.1 * half);
      expect(Math.abs((high ?? 9) - (figure - 1 + half))).toBeLessThan(0.1 * half);
    }
  });

  it("is that of a plain bootstrap, a little wider, where tasks are few", () => {
    for (const kind of ["even", "damage"] as const) {
      const random = chance(11);
      const units = Array.from({ length: 60 }, () => draw(kind, 0.7, 0.6, random));
      const drawn = Array.from({ length: 10_000 }, () => {
        let [value, spend] = [0, 0];
        for (let index = 0; index < 60; index += 1) {
          const unit = units[Math.floor(random() * 60)] ?? { value: NaN, spend: NaN };
          value += unit.value;
          spend += unit.spend;
        }
        return value / spend - 1;
      }).sort((a, b) => a - b);
      const [low, high] = [drawn[250] ?? NaN, drawn[9_750] ?? NaN];
      const found = returnInterval(units, { samples: 4_000 }) ?? { low: null, high: null };
      expect(Math.abs((found.low ?? 9) - low)).toBeLessThan(0.2 * (high - low));
      expect(Math.abs((found.high ?? 9) - high)).toBeLessThan(0.2 * (high - low));
      const width = (found.high ?? 9) - (found.low ?? -9);
      expect(width).toBeGreaterThan(0.97 * (high - low));
      expect(width).toBeLessThan(1.25 * (high - low));
    }
  });

  it("holds the figure, repeats itself, and is the same in any money", () => {
    assert(
      property(
        array(record({ value: integer({ min: -1_000, max: 5_000 }), spend: integer({ min: 1, max: 1_000 }) }), {
          minLength: 2,
          maxLength: 30,
        }),
        (units) => {
          const found = returnInterval(units, { samples: 200 });
          if (found === null) return;
          const sum = (of: "value" | "spend"): number => units.reduce((all, unit) => all + unit[of], 0);
          const figure = sum("value") / sum("spend") - 1;
          expect(found.low ?? -Infinity).toBeLessThanOrEqual(figure + 1e-9 * (1 + Math.abs(figure)));
          expect(found.high ?? Infinity).toBeGreaterThanOrEqual(figure - 1e-9 * (1 + Math.abs(figure)));
          expect(returnInterval(units, { samples: 200 })).toEqual(found);
          const other = returnInterval(
            units.map(({ value, spend }) => ({ value: value * 1e9, spend: spend * 1e9 })),
            { samples: 200 },
          );
          expectSame(found.low, other?.low);
          expectSame(found.high, other?.high);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("ends at −1 where most resamples have nothing of worth, and is open where spend may be next to nothing", () => {
    const one = Array.from({ length: 10 }, (_, index) => ({ value: index === 0 ? 40 : 0, spend: 1 + index }));
    expect(returnInterval(one)?.low).toBe(-1);
    // All but one in a hundred of the spend is one task's, and another did damage.
    const uneven = Array.from({ length: 20 }, (_, index) => ({ value: index === 1 ? -1 : 2, spend: index === 0 ? 2_000 : 1 }));
    expect(returnInterval(uneven)).toMatchObject({ high: null });
  });

  it("says nothing of one task, of nothing spent and of nothing that was worth anything; of tasks alike, what they are", () => {
    expect(returnInterval([])).toBeNull();
    expect(returnInterval([{ value: -3, spend: 1 }])).toBeNull();
    expect(returnInterval([1, 2].map((value) => ({ value, spend: 0 })))).toBeNull();
    expect(returnInterval([-1, 2].map((value) => ({ value, spend: 0 })))).toBeNull();
    expect(returnInterval([1, 2].map((spend) => ({ value: 0, spend })))).toBeNull();
    for (const times of [3, -3]) {
      const { low, high } = returnInterval([1, 2, 5].map((spend) => ({ value: times * spend, spend }))) ?? { low: 0, high: 0 };
      expect([low, high]).toEqual([expect.closeTo(times - 1, 9), low]);
    }
  });

  it.each([[{ value: Number.NaN, spend: 1 }], [{ value: -1, spend: Infinity }], [{ value: -Infinity, spend: 1 }]])("refuses %o", (unit) => {
    expect(() => returnInterval([unit, { value: 1, spend: 1 }])).toThrow(RangeError);
  });
});

function expectSame(end: number | null, same: number | null | undefined): void {
  if (end === null) expect(same).toBeNull();
  else expect(same).toBeCloseTo(end, 6);
}
