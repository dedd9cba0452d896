// From one period's gross margin to the next's, in percentage points: what revenue did, and each of the cost's drivers. Not here: why the cost
// moved (drivers.ts). Invariant: the steps add up to the difference of the two margins as they are shown, to the last digit.

import { apportion, divideHalfEven, formatRatio, type Pico, sum } from "../core/money.ts";
import type { DriverFactor, Drivers } from "./drivers.ts";

/** Points in ten-thousandths: 123,456 is 12.3456 percentage points. */
export type Points = bigint;

export interface BridgeStep {
  readonly factor: "revenue" | DriverFactor;
  readonly points: Points;
  readonly fromPoints: Points;
  readonly toPoints: Points;
}

export interface Bridge {
  readonly beforePoints: Points;
  readonly afterPoints: Points;
  readonly changePoints: Points;
  /** Revenue first, then the cost's drivers in their order, zeros included. */
  readonly steps: readonly BridgeStep[];
}

/** Why there is no margin to speak of, in the first period that has none. */
export interface NoBridge {
  readonly period: "before" | "after";
  readonly reason: "revenue_unknown" | "revenue_zero" | "revenue_negative";
}

/**
 * Gross margin is (R − C) ÷ R. Its change is C₀/R₀ − C₁/R₁, and of the two orders in which revenue and cost can change the mean is taken
 * (Shapley for two factors): revenue has (C₀ + C₁)(R₁ − R₀) ÷ 2R₀R₁, and an amount x of the cost's change −x(R₀ + R₁) ÷ 2R₀R₁. Both are
 * linear, so that the steps add up; each margin is rounded half to even, and the steps by largest remainder.
 */
export function bridgeOf(
  revenue: { readonly beforePico: Pico | null; readonly afterPico: Pico | null },
  drivers: Pick<Drivers, "beforePico" | "afterPico" | "lines">,
): { readonly bridge: Bridge; readonly none: null } | { readonly bridge: null; readonly none: NoBridge } {
  const { beforePico: before, afterPico: after } = revenue;
  const none = missing(before, "before") ?? missing(after, "after");
  if (none !== null || before === null || after === null) return { bridge: null, none: none as NoBridge };
  const cost = sum(drivers.lines.map((line) => line.pico));
  if (cost !== drivers.afterPico - drivers.beforePico)
    throw new RangeError("bridge: the drivers' lines do not add up to the change of cost");

  const whole = 2n * before * after;
  const share = (numerator: bigint): number => (Number(numerator) / Number(whole)) * Number(perOne);
  const factors: BridgeStep["factor"][] = ["revenue", ...drivers.lines.map((line) => line.factor)];
  const shares = [
    share((drivers.beforePico + drivers.afterPico) * (after - before)),
    ...drivers.lines.map((line) => share(-line.pico * (before + after))),
  ];
  const beforePoints = divideHalfEven((before - drivers.beforePico) * perOne, before);
  const afterPoints = divideHalfEven((after - drivers.afterPico) * perOne, after);
  let at = beforePoints;
  const steps = apportion(afterPoints - beforePoints, shares).map((points, index): BridgeStep => {
    const fromPoints = at;
    at += points;
    return { factor: factors[index] as BridgeStep["factor"], points, fromPoints, toPoints: at };
  });
  return { bridge: { beforePoints, afterPoints, changePoints: afterPoints - beforePoints, steps }, none: null };
}

/** `123456n` as `"12.3456"`. */
export function formatPoints(points: Points): string {
  return formatRatio(points, 10_000n, 4);
}

/** A ratio of one is 100 points. */
const perOne = 1_000_000n;

function missing(revenuePico: Pico | null, period: NoBridge["period"]): NoBridge | null {
  if (revenuePico === null) return { period, reason: "revenue_unknown" };
  if (revenuePico > 0n) return null;
  return { period, reason: revenuePico === 0n ? "revenue_zero" : "revenue_negative" };
}
