import { array, assert, integer, nat, pre, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { bootstrapRatio, generator, normalDeviate, type Unit, wilson } from "./interval.ts";

describe("Wilson's interval", () => {
  // By hand: with no success the far end is z²/(n + z²), z² = 3.8414588; with nothing but successes its mirror image.
  it.each([
    [0, 10, 0, 0.2775328],
    [10, 10, 0.7224672, 1],
    [0, 1, 0, 0.7934507],
  ])("%i of %i", (successes, n, low, high) => {
    const interval = wilson(successes, n);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  });

  it("ends where the observed rate is z standard errors away, as the score test has it", () => {
    for (const [successes, n] of [
      [8, 10],
      [1, 30],
      [437, 1000],
    ] as const)
      for (const end of Object.values(wilson(successes, n)))
        expect(Math.abs(successes / n - end) / Math.sqrt((end * (1 - end)) / n)).toBeCloseTo(1.959964, 6);
  });

  it("knows nothing where nothing was seen", () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it("holds the observed rate, stays within 0..1, mirrors, and narrows with n", () => {
    assert(
      property(nat(500), nat(500), (successes, failures) => {
        const n = successes + failures;
        pre(n > 0);
        const { low, high } = wilson(successes, n);
        const mirror = wilson(failures, n);
        const more = wilson(successes * 4, n * 4);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / n);
        expect(high).toBeGreaterThanOrEqual(successes / n);
        expect(low + mirror.high).toBeCloseTo(1, 12);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });

  it.each([
    [-1, 3],
    [4, 3],
    [Number.NaN, 3],
    [1, Number.NaN],
    [1, Infinity],
  ])("refuses %s of %s", (successes, n) => {
    expect(() => wilson(successes, n)).toThrow(RangeError);
  });

  it.each([0, 1, -0.5, 95, Number.NaN])("refuses the confidence %s", (confidence) => {
    expect(() => wilson(1, 2, confidence)).toThrow(/such as 0\.95/);
  });
});

// Tables of the normal distribution.
it.each([
  [0.5, 0.6744897501960817],
  [0.8, 1.2815515655446004],
  [0.9, 1.6448536269514722],
  [0.95, 1.959963984540054],
  [0.99, 2.5758293035489004],
  [0.999, 3.290526731491931],
])("%d of a normal lies within z = %d", (confidence, z) => {
  expect(normalDeviate(confidence)).toBeCloseTo(z, 11);
});

describe("the interval of a ratio of sums", () => {
  // 300 tries: a coverage of 0.95 is seen as 0.912 or more with probability 0.998.
  it.each([
    [10, 0.05],
    [10, 0.2],
    [10, 0.5],
    [30, 0.2],
    [30, 0.8],
    [100, 0.05],
    [100, 0.5],
    [100, 0.95],
  ])("holds the truth as often as promised where costs are skewed: %i tasks, success rate %d", (n, rate) => {
    expect(coverage(n, 1, rate, 300)).toBeGreaterThan(0.91);
  });

  it.each([
    [10, 0.8, 0.76],
    [10, 0.2, 0.95],
    [30, 0.8, 0.78],
    [100, 0.8, 0.8],
    [100, 0.05, 0.91],
  ])("falls short of it as the docstring says where the tail is heavy: %i tasks, success rate %d", (n, rate, least) => {
    expect(coverage(n, 2, rate, 300)).toBeGreaterThan(least);
  });

  it("keeps its coverage where tasks come in groups with their sums", () => {
    expect(coverage(2000, 1, 0.5, 120, grouped)).toBeGreaterThan(0.89);
  });

  it("has no upper bound where a resample may well have no success", () => {
    const interval = bootstrapRatio(Array.from({ length: 10 }, (_, index) => ({ top: 1 + index, bottom: index === 0 ? 1 : 0 })));
    expect(interval?.high).toBeNull();
    expect(interval?.low).toBeGreaterThan(0);
    expect(interval?.low).toBeLessThanOrEqual(55);
  });

  it("has no upper bound where it would be a thousand times the figure", () => {
    // All but a twentieth of the spend is one failed task's.
    const units = [...Array.from({ length: 22 }, () => ({ top: 1, bottom: 1 })), { top: 500, bottom: 0 }, { top: 1.5, bottom: 0 }];
    const interval = bootstrapRatio(units);
    expect(interval?.high).toBeNull();
    expect(interval?.low).toBeLessThan(2);
  });

  it("says nothing of one task, of no success and of no spend", () => {
    expect(bootstrapRatio([])).toBeNull();
    expect(bootstrapRatio([{ top: 5, bottom: 1 }])).toBeNull();
    expect(
      bootstrapRatio([
        { top: 5, bottom: 0 },
        { top: 6, bottom: 0 },
      ]),
    ).toBeNull();
    expect(
      bootstrapRatio([
        { top: 0, bottom: 1 },
        { top: 0, bottom: 0 },
      ]),
    ).toBeNull();
  });

  it("holds the observed ratio, repeats itself, and scales with the money", () => {
    assert(
      property(
        array(record({ top: integer({ min: 1, max: 1e6 }), bottom: nat(1) }), { minLength: 2, maxLength: 40 }),
        nat(),
        (units, seed) => {
          const interval = bootstrapRatio(units, { samples: 200, seed });
          const top = units.reduce((a, unit) => a + unit.top, 0);
          const bottom = units.reduce((a, unit) => a + unit.bottom, 0);
          pre(bottom > 0);
          if (interval === null) throw new Error("there is a success, and no interval");
          expect(bootstrapRatio(units, { samples: 200, seed })).toEqual(interval);
          expect(interval.low).toBeGreaterThanOrEqual(0);
          expect(interval.high ?? Infinity).toBeGreaterThanOrEqual(interval.low);
          const million = bootstrapRatio(
            units.map((unit) => ({ ...unit, top: unit.top * 2 ** 20 })),
            { samples: 200, seed },
          );
          expect(million?.low).toBeCloseTo(interval.low * 2 ** 20, 3);
          expect(interval.low).toBeLessThanOrEqual((top / bottom) * (1 + 1e-9));
          expect(interval.high ?? Infinity).toBeGreaterThanOrEqual((top / bottom) * (1 - 1e-9));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [{ top: Number.NaN, bottom: 1 }, /top must be a finite number/],
    [{ top: 1, bottom: -1 }, /bottom must be finite, zero or more/],
  ])("refuses the unit %o", (unit, message) => {
    expect(() => bootstrapRatio([unit, unit])).toThrow(message);
  });

  it("refuses settings outside their bounds", () => {
    const units = [
      { top: 1, bottom: 1 },
      { top: 2, bottom: 1 },
    ];
    expect(() => bootstrapRatio(units, { confidence: 95 })).toThrow(/such as 0\.95/);
    expect(() => bootstrapRatio(units, { samples: 10 })).toThrow(/100 to 100000/);
    expect(() => bootstrapRatio(units, { seed: 0.5 })).toThrow(/whole number/);
  });
});

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function runs(n: number, sigma: number, rate: number, random: () => number): Unit[] {
  return Array.from({ length: n }, () => ({ top: Math.exp(sigma * normal(random)), bottom: random() < rate ? 1 : 0 }));
}

/** The same tasks in 256 groups by chance, as a hash of their ids would make them. */
function grouped(units: Unit[], random: () => number): Unit[] {
  const groups = Array.from({ length: 256 }, () => ({ top: 0, bottom: 0 }));
  for (const unit of units) {
    const group = groups[Math.floor(random() * 256)];
    if (group === undefined) throw new Error("no such group");
    group.top += unit.top;
    group.bottom += unit.bottom;
  }
  return groups;
}

/** How often the true ratio e^(σ²/2)/rate lies within, of the samples that have a success. */
function coverage(n: number, sigma: number, rate: number, tries: number, group = (units: Unit[], _random: () => number) => units): number {
  const random = generator(1_000 * n + 100 * sigma + 10 * rate);
  const truth = Math.exp((sigma * sigma) / 2) / rate;
  let said = 0;
  let held = 0;
  for (let seed = 0; seed < tries; seed += 1) {
    const interval = bootstrapRatio(group(runs(n, sigma, rate, random), random), { samples: 300, seed });
    if (interval === null) continue;
    said += 1;
    if (truth >= interval.low && (interval.high === null || truth <= interval.high)) held += 1;
  }
  return held / said;
}
