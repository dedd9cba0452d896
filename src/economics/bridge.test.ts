import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, toPico } from "../core/money.ts";
import { type Bridge, bridgeOf, formatPoints } from "./bridge.ts";
import type { CellPeriod } from "./chain.ts";
import { type Drivers, driversOf } from "./drivers.ts";

/** Drivers that are charges of no call: their amounts are as simple as a test wants. */
function costs(...pairs: readonly (readonly [string, string])[]): Drivers {
  return driversOf(
    [],
    [],
    pairs.map(([before, after], index) => ({ key: `c${index}`, beforePico: parseUsd(before), afterPico: parseUsd(after) })),
  );
}

function usd(before: string | null, after: string | null): { beforePico: Pico | null; afterPico: Pico | null } {
  return { beforePico: before === null ? null : parseUsd(before), afterPico: after === null ? null : parseUsd(after) };
}

function bridged(...args: Parameters<typeof bridgeOf>): Bridge {
  const { bridge } = bridgeOf(...args);
  if (bridge === null) throw new Error("no bridge");
  return bridge;
}

function usage(calls: number, atReference: string, charged: string): CellPeriod {
  return {
    firstTries: calls,
    calls,
    tokens: calls * 10,
    atReference: { noCachePico: parseUsd(atReference), withCachePico: parseUsd(atReference) },
    listPico: parseUsd(charged),
    chargedPico: parseUsd(charged),
  };
}

/** In ten-thousandths of a point, in floats. */
function margin(revenue: bigint, cost: bigint): number {
  return (1 - Number(cost) / Number(revenue)) * 1e6;
}

function stepsOf(bridge: Bridge): Record<string, string> {
  return Object.fromEntries(bridge.steps.filter((step) => step.points !== 0n).map((step) => [step.factor, formatPoints(step.points)]));
}

describe("bridgeOf", () => {
  it.each<[string, [string, string], [string, string], string, string, Record<string, string>]>([
    // 100 of revenue, 40 of cost: 60 points. 10 more of cost: 50 points.
    ["cost alone", ["100", "100"], ["40", "50"], "60", "50", { other_charges: "-10" }],
    // 200 of revenue, 40 of cost: 80 points.
    ["revenue alone", ["100", "200"], ["40", "40"], "60", "80", { revenue: "20" }],
    // Both double: the margin stays. Revenue: 120 × 100 ÷ 40,000 = 30 points; cost: −40 × 300 ÷ 40,000.
    ["both alike", ["100", "200"], ["40", "80"], "60", "60", { revenue: "30", other_charges: "-30" }],
    // By hand, the mean of two orders: cost first −20 then revenue +20; revenue first +13.3333 then cost −13.3333.
    ["a third", ["100", "150"], ["40", "60"], "60", "60", { revenue: "16.6667", other_charges: "-16.6667" }],
    ["a loss that ends", ["10", "10"], ["25", "5"], "-150", "50", { other_charges: "200" }],
    ["a margin that does not end in four decimals", ["3", "3"], ["1", "2"], "66.6667", "33.3333", { other_charges: "-33.3334" }],
  ])("%s", (_, revenue, cost, before, after, steps) => {
    const bridge = bridged(usd(...revenue), costs(cost));
    expect([formatPoints(bridge.beforePoints), formatPoints(bridge.afterPoints)]).toEqual([before, after]);
    expect(stepsOf(bridge)).toEqual(steps);
  });

  it("gives each driver its part: a fall of price against more work", () => {
    // 1,000 calls for 4 dollars become 2,000 calls at half the price; revenue stays 10.
    const drivers = driversOf(
      [{ type: "t", key: "x", before: usage(1000, "4", "4"), after: usage(2000, "8", "4") }],
      [{ type: "t", before: 10, after: 20 }],
      [],
    );
    const bridge = bridged(usd("10", "10"), drivers);
    // L(4, 4) · ln 2 = 2.7725887 dollars each way, of 10.
    expect(stepsOf(bridge)).toEqual({ volume: "-27.7259", price_list: "27.7259" });
    expect(bridge.changePoints).toBe(0n);
  });

  it.each<[string | null, string | null, string, string]>([
    [null, "1", "before", "revenue_unknown"],
    ["1", null, "after", "revenue_unknown"],
    ["0", "1", "before", "revenue_zero"],
    ["1", "-2", "after", "revenue_negative"],
    ["0", null, "before", "revenue_zero"],
  ])("has no margin for revenue %s and %s", (before, after, period, reason) => {
    expect(bridgeOf(usd(before, after), costs(["1", "2"]))).toEqual({ bridge: null, none: { period, reason } });
  });

  it("refuses drivers that do not add up", () => {
    const drivers = costs(["1", "2"]);
    expect(() => bridgeOf(usd("1", "1"), { ...drivers, afterPico: toPico(drivers.afterPico + 1n) })).toThrow(RangeError);
  });

  it("adds up from margin to margin as shown, and each step is within a digit and a bit of the exact one", () => {
    const amount = fc.bigInt({ min: 1n, max: 10n ** 20n });
    fc.assert(
      fc.property(fc.tuple(amount, amount, amount, amount, amount, amount), ([r0, r1, a0, a1, b0, b1]) => {
        const drivers = driversOf(
          [
            {
              type: null,
              key: "x",
              before: { firstTries: 1, calls: 1, tokens: 1, atReference: null, listPico: null, chargedPico: toPico(a0) },
              after: { firstTries: 1, calls: 1, tokens: 1, atReference: null, listPico: null, chargedPico: toPico(a1) },
            },
          ],
          [],
          [{ key: "y", beforePico: toPico(b0), afterPico: toPico(b1) }],
        );
        const bridge = bridged({ beforePico: toPico(r0), afterPico: toPico(r1) }, drivers);
        let at = bridge.beforePoints;
        for (const step of bridge.steps) {
          expect(step.fromPoints).toBe(at);
          at += step.points;
          expect(step.toPoints).toBe(at);
        }
        expect(at).toBe(bridge.afterPoints);
        expect(bridge.changePoints).toBe(bridge.afterPoints - bridge.beforePoints);
        // In floats, by the two orders: revenue first, and cost first.
        const [c0, c1] = [a0 + b0, a1 + b1];
        const revenue = (margin(r1, c0) - margin(r0, c0) + margin(r1, c1) - margin(r0, c1)) / 2;
        const scale = (Number(c0 + c1) / Number(r0 < r1 ? r0 : r1)) * 1e6;
        expect(Math.abs(Number(bridge.steps[0]?.points) - revenue)).toBeLessThanOrEqual(2 + scale * 1e-12);
      }),
    );
  });
});
