import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sum, toPico } from "../core/money.ts";
import { concentration, type CustomerCost, type CustomerMonth, losing } from "./whales.ts";

const named = (costs: readonly bigint[]): CustomerCost[] => costs.map((cost, index) => ({ customer: `c${index}`, costPico: toPico(cost) }));
const giniOf = (...costs: bigint[]): number | null => concentration(named(costs)).gini;
const someCosts = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 18n }), { minLength: 1, maxLength: 40 })
  .filter((costs) => costs.some((cost) => cost > 0n));

/** Half the relative mean absolute difference of all pairs: the definition, with nothing of the sorted formula. */
function byPairs(costs: readonly bigint[]): number {
  let differences = 0n;
  for (const a of costs) for (const b of costs) differences += a > b ? a - b : b - a;
  return Number(differences) / Number(2n * BigInt(costs.length) * costs.reduce((a, b) => a + b, 0n));
}

describe("the Gini coefficient", () => {
  it.each([
    [[1n, 2n, 3n, 4n], 0.25],
    [[0n, 0n, 0n, 10n], 0.75],
    [[5n, 5n, 5n], 0],
    [[7n], 0],
    [[1n, 3n], 0.25],
  ])("of %s is %s", (costs, gini) => expect(giniOf(...costs)).toBe(gini));

  it("is half the relative mean difference, from 0 to below 1, whatever the unit and the order", () => {
    fc.assert(
      fc.property(someCosts, fc.bigInt({ min: 1n, max: 10n ** 9n }), (costs, unit) => {
        const gini = giniOf(...costs) as number;
        expect(gini).toBeCloseTo(byPairs(costs), 12);
        expect(gini).toBeGreaterThanOrEqual(0);
        expect(gini).toBeLessThan(1);
        expect(giniOf(...costs.toReversed())).toBe(gini);
        expect(giniOf(...costs.map((cost) => cost * unit))).toBeCloseTo(gini, 12);
      }),
    );
  });

  it("is not known where nothing was spent", () => {
    expect(concentration([])).toMatchObject({ customers: 0, gini: null, tops: [], curve: [] });
    expect(concentration(named([0n, 0n]))).toMatchObject({ customers: 2, gini: null, tops: [], curve: [] });
  });
});

describe("top shares", () => {
  it("take a fraction of a customer with that fraction of its cost", () => {
    const { tops } = concentration(named([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n]), { tops: [0.01, 0.1, 0.15, 1] });
    expect(tops.map(({ share }) => share * 55)).toEqual([0.1 * 10, 10, 14.5, 55].map((cost) => expect.closeTo(cost, 12) as number));
    expect(tops.map(({ costPico }) => costPico)).toEqual([1n, 10n, 14n, 55n]);
    expect(tops[2]).toMatchObject({ top: 0.15, customers: 1.5 });
  });

  it("are what the Lorenz curve leaves above it", () => {
    fc.assert(
      fc.property(someCosts, fc.double({ min: 0.001, max: 1, noNaN: true }), (costs, top) => {
        const { tops, curve } = concentration(named(costs), { points: 10_000, tops: [top] });
        const at = 1 - top;
        const right = Math.max(
          1,
          curve.findIndex((point) => point.customerShare >= at),
        );
        const [a, b] = [curve[right - 1], curve[right]];
        if (a === undefined || b === undefined) throw new Error("the curve has no such place");
        const below = a.costShare + ((b.costShare - a.costShare) * (at - a.customerShare)) / (b.customerShare - a.customerShare);
        expect(tops[0]?.share).toBeCloseTo(1 - below, 9);
      }),
    );
  });

  it.each([0, -0.1, 1.1, Number.NaN])("refuses a top of %s", (top) => expect(() => concentration([], { tops: [top] })).toThrow(RangeError));
});

describe("the Lorenz curve", () => {
  it("goes from nothing to everything, in at most so many points, and is convex", () => {
    fc.assert(
      fc.property(someCosts, fc.integer({ min: 2, max: 50 }), (costs, points) => {
        const { curve, customers, costPico } = concentration(named(costs), { points });
        expect(curve.length).toBeLessThanOrEqual(points);
        expect(curve[0]).toMatchObject({ customers: 0, costPico: 0n, customerShare: 0, costShare: 0 });
        expect(curve.at(-1)).toMatchObject({ customers, costPico, customerShare: 1, costShare: 1 });
        const rising = costs.toSorted((a, b) => (a < b ? -1 : 1));
        for (const point of curve) expect(point.costPico).toBe(sum(rising.slice(0, point.customers).map(toPico)));
        for (let i = 2; i < curve.length; i += 1) {
          const [a, b, c] = curve.slice(i - 2, i + 1) as [(typeof curve)[0], (typeof curve)[0], (typeof curve)[0]];
          // The slope never falls: compared crosswise, exactly.
          const before = (b.costPico - a.costPico) * BigInt(c.customers - b.customers);
          expect(before <= (c.costPico - b.costPico) * BigInt(b.customers - a.customers)).toBe(true);
        }
      }),
    );
  });

  it("has its points where the money is", () => {
    const { curve } = concentration(named([...Array.from({ length: 998 }, () => 1n), 50_000n, 100_000n]), { points: 11 });
    expect(curve.length).toBeLessThanOrEqual(11);
    expect(curve.slice(-3).map(({ customers }) => customers)).toEqual([998, 999, 1000]);
  });
});

describe("whales", () => {
  it("are named with their share; rows of one are added up; a credit beyond the cost is apart", () => {
    const rows = [...named([10n, 30n, 60n]), { customer: "c0", costPico: toPico(40n) }, { customer: "x", costPico: toPico(-7n) }];
    const { customers, costPico, dearest, belowZero } = concentration(rows, { named: 2 });
    expect([customers, costPico]).toEqual([3, 140n]);
    expect(dearest).toEqual([
      { customer: "c2", costPico: 60n, share: 60 / 140 },
      { customer: "c0", costPico: 50n, share: 50 / 140 },
    ]);
    expect(belowZero).toEqual({ customers: 1, costPico: -7n });
    expect(costPico + belowZero.costPico).toBe(sum(rows.map((row) => row.costPico)));
  });
});

function row(customer: string, month: string, revenue: bigint | null, cost: bigint): CustomerMonth {
  return { customer, month, revenuePico: revenue === null ? null : toPico(revenue), costPico: toPico(cost) };
}

describe("who loses money, and since when", () => {
  it("is the run without a break that reaches the month", () => {
    const rows = [
      row("a", "2025-11", 10n, 90n), // an earlier run
      row("a", "2025-12", 10n, 9n),
      row("a", "2026-01", 10n, 12n),
      row("a", "2026-02", 10n, 15n),
      row("b", "2026-02", 10n, 8n), // earns
      row("c", "2026-01", 10n, 99n), // lost, and does no more
      row("c", "2026-02", 10n, 10n),
      row("d", "2026-02", 0n, 50n), // pays nothing
      row("d", "2026-03", 0n, 1n), // later: not looked at
    ];
    expect(losing(rows, "2026-02")).toEqual({
      month: "2026-02",
      customers: [
        { customer: "d", sinceMonth: "2026-02", months: 1, lostPico: 50n, monthPico: 50n, isMaybeEarlier: false },
        { customer: "a", sinceMonth: "2026-01", months: 2, lostPico: 7n, monthPico: 5n, isMaybeEarlier: false },
      ],
      monthPico: 55n,
      unknown: { customers: 0, costPico: 0n },
    });
  });

  it("says where nobody knows", () => {
    const rows = [
      row("a", "2026-01", null, 12n), // may have lost
      row("a", "2026-02", 10n, 15n),
      row("b", "2026-02", null, 8n), // may lose
      row("c", "2026-02", null, 0n), // costs nothing, so loses nothing
      row("d", "2026-01", 1n, 5n), // a month without a row ends its run
      row("d", "2026-03", 1n, 5n),
    ];
    expect(losing(rows, "2026-02")).toMatchObject({
      customers: [{ customer: "a", sinceMonth: "2026-02", isMaybeEarlier: true }],
      unknown: { customers: 1, costPico: 8n },
    });
    expect(losing(rows, "2026-03").customers).toMatchObject([{ customer: "d", sinceMonth: "2026-03", months: 1, isMaybeEarlier: false }]);
  });

  it("adds up a customer's rows of a month, and refuses what is no month", () => {
    const rows = [row("a", "2026-02", 10n, 4n), row("a", "2026-02", 0n, 8n), row("b", "2026-02", 5n, 9n), row("b", "2026-02", null, 1n)];
    expect(losing(rows, "2026-02")).toMatchObject({
      customers: [{ customer: "a", lostPico: 2n }],
      unknown: { customers: 1, costPico: 10n },
    });
    expect(() => losing([], "2026-2")).toThrow(RangeError);
    expect(() => losing([row("a", "February", 1n, 1n)], "2026-02")).toThrow(RangeError);
  });
});
