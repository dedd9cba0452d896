// Why the bill moved: the change of cost between two periods, divided into what caused it, by LMDI with Shapley values beside it. Not here:
// which calls a period has and what they cost at another list (the caller's). Invariant: the lines add up to the change, and each line's
// contributions to the line, to the last digit.

import { apportion, type Pico, sum, toPico, zero } from "../core/money.ts";
import { type CellPeriod, chainFactors, type ChainSide, toLinks } from "./chain.ts";
import { lmdiParts, logRatio } from "./lmdi.ts";
import { shapleyParts } from "./shapley.ts";

/** What can move a bill, in the order of the waterfall. */
export const driverFactors = [
  /** Task types that were not there before, at all they cost. */
  "new_work",
  /** Task types that are there no more. */
  "stopped_work",
  ...chainFactors,
  /** What belongs to no call: subscriptions, reserved hours, credits. */
  "other_charges",
] as const;

export type DriverFactor = (typeof driverFactors)[number];

export interface DriverCell {
  /** The task type; null: calls of no task. */
  readonly type: string | null;
  /** Whatever cells are told apart by within the type: model, agent, provider. Type and key together name one cell. */
  readonly key: string;
  /** null: no calls in this period. */
  readonly before: CellPeriod | null;
  readonly after: CellPeriod | null;
}

/** How many tasks of a type had calls in each period. */
export interface TypeTasks {
  readonly type: string;
  readonly before: number;
  readonly after: number;
}

/** An amount that belongs to no call. May be negative: a credit. */
export interface OtherCharge {
  readonly key: string;
  readonly beforePico: Pico;
  readonly afterPico: Pico;
}

export interface Contribution {
  readonly type: string | null;
  readonly key: string;
  readonly pico: Pico;
}

export interface DriverLine {
  readonly factor: DriverFactor;
  readonly pico: Pico;
  /** The waterfall: the cost before this step and after it. */
  readonly fromPico: Pico;
  readonly toPico: Pico;
  /** The largest, by magnitude. With `restPico` they add up to `pico`. */
  readonly byKey: readonly Contribution[];
  readonly restPico: Pico;
}

export interface Drivers {
  readonly beforePico: Pico;
  readonly afterPico: Pico;
  readonly changePico: Pico;
  /** One for each factor, zeros included, in their order. */
  readonly lines: readonly DriverLine[];
  /** The same change by Shapley values. The two differ where much changed at once: of a new model, LMDI leaves all to the mix, Shapley not. */
  readonly shapley: readonly { readonly factor: DriverFactor; readonly pico: Pico }[];
  /** Where the two differ most, and by how much (never negative). */
  readonly maxGap: { readonly factor: DriverFactor; readonly pico: Pico };
}

/**
 * Divides the change of cost between two periods. Calls of no task are a volume of their own: each counts as one task of its own kind, and is
 * not mixed with the number of tasks.
 * @param contributorsMax most contributions named for a line
 * @throws RangeError when a count or an amount is impossible, a cell is given twice, or a type with calls has no tasks.
 */
export function driversOf(
  cells: readonly DriverCell[],
  tasks: readonly TypeTasks[],
  other: readonly OtherCharge[],
  contributorsMax = 10,
): Drivers {
  const groups = toGroups(cells, tasks);
  const volume: Volume = { before: 0, after: 0 };
  for (const { before, after } of tasks.filter((type) => type.before > 0 && type.after > 0)) {
    volume.before += before;
    volume.after += after;
  }
  const found = new Map<DriverFactor, Contribution[]>(driverFactors.map((factor) => [factor, []]));
  const shapley = new Map<DriverFactor, bigint>(driverFactors.map((factor) => [factor, 0n]));
  const add = ({ type, key }: Pick<Contribution, "type" | "key">, factor: DriverFactor, pico: bigint, crossPico = pico): void => {
    if (pico !== 0n) found.get(factor)?.push({ type, key, pico: toPico(pico) });
    shapley.set(factor, (shapley.get(factor) ?? 0n) + crossPico);
  };
  for (const cell of cells) {
    const group = groups.get(cell.type) as Group;
    const change = (cell.after?.chargedPico ?? 0n) - (cell.before?.chargedPico ?? 0n);
    if (group.before.tasks === 0) add(cell, "new_work", change);
    else if (group.after.tasks === 0) add(cell, "stopped_work", change);
    else for (const { factor, pico, crossPico } of divide(cell, group, volume)) add(cell, factor, pico, crossPico);
  }
  for (const { key, beforePico, afterPico } of other) add({ type: null, key }, "other_charges", afterPico - beforePico);

  const beforePico = sum([...cells.map((cell) => cell.before?.chargedPico ?? zero), ...other.map((charge) => charge.beforePico)]);
  const afterPico = sum([...cells.map((cell) => cell.after?.chargedPico ?? zero), ...other.map((charge) => charge.afterPico)]);
  const lines: DriverLine[] = [];
  let at = beforePico;
  for (const factor of driverFactors) {
    const line = toLine(factor, found.get(factor) ?? [], at, contributorsMax);
    lines.push(line);
    at = line.toPico;
  }
  const cross = driverFactors.map((factor) => ({ factor, pico: toPico(shapley.get(factor) ?? 0n) }));
  return { beforePico, afterPico, changePico: toPico(afterPico - beforePico), lines, shapley: cross, maxGap: widest(lines, cross) };
}

/** Tasks of the types that are in both periods. */
interface Volume {
  before: number;
  after: number;
}

/** A type's tasks and first tries in each period. Of calls without tasks, all calls are in the place of tasks. */
interface Group {
  readonly before: { tasks: number; firstTries: number };
  readonly after: { tasks: number; firstTries: number };
}

function toGroups(cells: readonly DriverCell[], tasks: readonly TypeTasks[]): Map<string | null, Group> {
  const groups = new Map<string | null, Group>();
  for (const { type, before, after } of tasks) {
    for (const count of [before, after]) requireCount(count, () => `tasks of the type ${type}`);
    if (groups.has(type)) throw new RangeError(`drivers: the tasks of the type ${type} are given twice`);
    groups.set(type, { before: { tasks: before, firstTries: 0 }, after: { tasks: after, firstTries: 0 } });
  }
  groups.set(null, { before: { tasks: 0, firstTries: 0 }, after: { tasks: 0, firstTries: 0 } });
  const seen = new Map<string | null, Set<string>>();
  for (const cell of cells) {
    const group = groups.get(cell.type);
    if (group === undefined) throw new RangeError(`drivers: ${nameOf(cell)} has a type of which no number of tasks is given`);
    const keys = seen.get(cell.type) ?? new Set();
    if (keys.has(cell.key)) throw new RangeError(`drivers: ${nameOf(cell)} is given twice`);
    seen.set(cell.type, keys.add(cell.key));
    for (const period of ["before", "after"] as const) {
      const usage = cell[period];
      if (usage === null) continue;
      requirePeriod(usage, () => `${nameOf(cell)}, ${period}`);
      group[period].firstTries += usage.firstTries;
      if (cell.type === null) group[period].tasks += usage.calls;
      else if (usage.calls > 0 && group[period].tasks === 0)
        throw new RangeError(`drivers: ${nameOf(cell)} has calls ${period}, but its type no tasks: count those that had calls`);
    }
  }
  return groups;
}

function nameOf({ type, key }: DriverCell): string {
  return `the cell ${key} of ${type === null ? "no type" : `the type ${type}`}`;
}

/** @param name is asked for where something is wrong: of thousands of cells nothing is, as a rule. */
function requirePeriod({ firstTries, calls, tokens, atReference, listPico, chargedPico }: CellPeriod, name: () => string): void {
  for (const [what, value] of [
    ["first tries", firstTries],
    ["calls", calls],
    ["tokens", tokens],
  ] as const)
    requireCount(value, () => `${what} of ${name()}`);
  if (firstTries > calls) throw new RangeError(`drivers: ${name()} has more first tries (${firstTries}) than calls (${calls})`);
  for (const amount of [atReference?.noCachePico, atReference?.withCachePico, listPico, chargedPico])
    if (amount !== null && amount !== undefined && amount < 0n)
      throw new RangeError(`drivers: ${name()} has an amount below zero: ${amount}`);
  if (calls === 0 && (chargedPico > 0n || tokens > 0))
    throw new RangeError(`drivers: ${name()} has a cost or tokens without a call: give it as another charge`);
}

function requireCount(value: number, name: () => string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`drivers: the ${name()} are a whole number, zero or more: ${value}`);
}

/** The change of one cell's cost, by both methods. */
function divide(cell: DriverCell, group: Group, volume: Volume): { factor: DriverFactor; pico: bigint; crossPico: bigint }[] {
  // From a side that has a cost: the other's factors are undefined where there was nothing. Both methods mirror.
  const isForward = (cell.before?.chargedPico ?? 0n) > 0n;
  const [from, to] = isForward ? (["before", "after"] as const) : (["after", "before"] as const);
  const base = cell[from]?.chargedPico ?? 0n;
  if (base === 0n) return [];
  const links = toLinks(toSide(cell, group, volume, from), toSide(cell, group, volume, to));
  const other = cell[to]?.chargedPico ?? 0n;
  const logs = links.map(({ change, ratio }) => logRatio(change, ratio));
  const parts = apportion(other - base, lmdiParts(Number(base), Number(other), logs));
  // The first factor is the cost itself, which stays; the links are relative to it.
  const cross = shapleyParts([Number(base), ...links.map(() => 1)], [0, ...links.map((link) => link.change)]).slice(1);
  const crossParts = apportion(other - base, cross);
  const sign = isForward ? 1n : -1n;
  return links.map(({ factor }, index) => ({ factor, pico: sign * (parts[index] ?? 0n), crossPico: sign * (crossParts[index] ?? 0n) }));
}

function toSide(cell: DriverCell, group: Group, volume: Volume, period: "before" | "after"): ChainSide {
  const { tasks, firstTries } = group[period];
  return { tasks: cell.type === null ? null : { all: volume[period], ofType: tasks }, firstTries, usage: cell[period] };
}

function toLine(factor: DriverFactor, found: Contribution[], fromPico: Pico, contributorsMax: number): DriverLine {
  const pico = sum(found.map((contribution) => contribution.pico));
  const byKey = largest(found, contributorsMax);
  const restPico = toPico(pico - sum(byKey.map((contribution) => contribution.pico)));
  return { factor, pico, fromPico, toPico: toPico(fromPico + pico), byKey, restPico };
}

/** By magnitude; of alike ones the first. Few are asked for, of thousands. */
function largest(found: readonly Contribution[], most: number): Contribution[] {
  const best: Contribution[] = [];
  for (const one of found) {
    const size = magnitude(one.pico);
    const least = best[most - 1];
    if (least !== undefined && size <= magnitude(least.pico)) continue;
    const place = best.findIndex(({ pico }) => magnitude(pico) < size);
    best.splice(place === -1 ? best.length : place, 0, one);
    if (best.length > most) best.pop();
  }
  return best;
}

function widest(lines: readonly DriverLine[], cross: Drivers["shapley"]): Drivers["maxGap"] {
  let max: Drivers["maxGap"] = { factor: driverFactors[0], pico: zero };
  for (const [index, { factor, pico }] of lines.entries()) {
    const gap = toPico(magnitude(pico - (cross[index]?.pico ?? 0n)));
    if (gap > max.pico) max = { factor, pico: gap };
  }
  return max;
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
