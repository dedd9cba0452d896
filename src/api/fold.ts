// Where `by` has too many values to tell them all apart, the cheapest are one. Not here: what cells are worth (valued.ts). Invariant: nothing is left
// out: what cells add up to stays.

import { formatUsd, parseUsd } from "../core/money.ts";
import type { DriverSumsCell, DriverUsage } from "../ledger/drivers.ts";
import { isSameLine, nameOf } from "./valued.ts";

/** In place of values of `by` that are not told apart. */
export const others = "\u0000";
const cellsMax = 4_000;

/** The values of `by` that are told apart: all, or the dearest of them where that makes too many cells. */
export function toldApart(cells: readonly DriverSumsCell[]): { readonly kept: ReadonlySet<string | null> | null; readonly left: number } {
  if (cells.length <= cellsMax) return { kept: null, left: 0 };
  const values = new Map<string | null, { cells: number; pico: bigint }>();
  for (const { group, before, after } of cells) {
    const one = values.get(group) ?? { cells: 0, pico: 0n };
    values.set(group, { cells: one.cells + 1, pico: one.pico + parseUsd(before?.cost ?? "0") + parseUsd(after?.cost ?? "0") });
  }
  const kept = new Set<string | null>();
  let room = cellsMax;
  for (const [group, one] of [...values].toSorted(([, a], [, b]) => (a.pico === b.pico ? 0 : a.pico < b.pico ? 1 : -1))) {
    if (one.cells > room) break;
    kept.add(group);
    room -= one.cells;
  }
  return { kept, left: values.size - kept.size };
}

/** With all other values as one. */
export function folded(cells: readonly DriverSumsCell[], kept: ReadonlySet<string | null> | null): readonly DriverSumsCell[] {
  if (kept === null) return cells;
  const rest = new Map<string, DriverSumsCell>();
  for (const cell of cells) {
    if (kept.has(cell.group)) continue;
    const one = { ...cell, group: others };
    const name = JSON.stringify([nameOf(one), cell.tier]);
    const found = rest.get(name);
    const both =
      found === undefined ? one : { ...one, before: together(found.before, one.before), after: together(found.after, one.after) };
    rest.set(name, both);
  }
  return [...cells.filter(({ group }) => kept.has(group)), ...rest.values()];
}

function together(a: DriverUsage | null, b: DriverUsage | null): DriverUsage | null {
  if (a === null || b === null) return a ?? b;
  const lines = [...a.lines];
  for (const line of b.lines) {
    const index = lines.findIndex((one) => isSameLine(one, line));
    const one = lines[index];
    if (one === undefined) lines.push(line);
    else
      lines[index] = {
        ...one,
        quantity: one.quantity + line.quantity,
        cost: one.cost === null || line.cost === null ? null : plus(one.cost, line.cost),
      };
  }
  return {
    calls: a.calls + b.calls,
    firstTries: a.firstTries + b.firstTries,
    cost: plus(a.cost, b.cost),
    unpriced: a.unpriced + b.unpriced,
    lines,
  };
}

function plus(a: string, b: string): string {
  return formatUsd(parseUsd(a) + parseUsd(b));
}
