// What a bootstrap is given of many tasks: the tasks themselves, or a few hundred groups of them with their sums, so that it stays fast. Not here: the
// interval itself (interval.ts). Invariant: the groups' sums are the tasks' sums, and the same tasks in the same order make the same groups.

import { type Pico, toPico } from "../core/money.ts";
import type { MeanInterval } from "./frontier.ts";
import { bootstrapRatio, type Resampling, type Unit } from "./interval.ts";

/** Up to so many stand for themselves. */
const unitsMax = 1_000;
const groups = 256;

/** Dealt in turn: units next to one another, which may be alike, are in different groups. */
export function fewUnits(units: readonly Unit[]): readonly Unit[] {
  if (units.length <= unitsMax) return units;
  const sums = Array.from({ length: groups }, () => ({ top: 0, bottom: 0 }));
  units.forEach((unit, index) => {
    const group = sums[index % groups] as { top: number; bottom: number };
    group.top += unit.top;
    group.bottom += unit.bottom;
  });
  return sums;
}

/**
 * An interval for a ratio of sums of picodollars over counts: of a mean, where each unit's bottom is how many it stands for.
 * @returns null where nothing can be said of it: fewer than two units, or nothing was spent.
 */
export function spreadOf(units: readonly Unit[], resampling: Resampling = {}): MeanInterval | null {
  const found = bootstrapRatio(fewUnits(units), resampling);
  return found === null ? null : { lowPico: rounded(found.low), highPico: found.high === null ? null : rounded(found.high) };
}

/** An estimate, in whole picodollars. */
function rounded(pico: number): Pico {
  return toPico(BigInt(Math.round(pico)));
}
