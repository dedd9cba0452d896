// Machines: what their hours cost, and how an hour's money is shared among the calls that ran in it. Not here: putting it on record
// (src/ledger/hosting.ts). Invariant: the shares and what was idle add up to the hour's cost to the last digit, however busy it was.

import { allocate, cost, divideHalfEven, parseRate, type Pico, toPico, zero } from "./money.ts";
import { hourMs } from "./time.ts";

/** Machines of one kind that are paid by the hour, whether used or not. */
export interface Machine {
  readonly name: string;
  /** The provider as it is configured, at whose address they serve. */
  readonly provider: string;
  /** Names of models they serve; `*` is any run of characters. */
  readonly models: readonly string[];
  /** Dollars for one hour of one of them, as exact decimal text. */
  readonly perHour: string;
  /** ms UTC: from inclusive, to exclusive; null: still there. */
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly count: number;
  /** `apart`: what no call was running for is nobody's. `shared`: calls bear it too, where there were any. */
  readonly idle: "apart" | "shared";
}

/** One call on a machine, from its start to its end, and what it is attributed to. */
export interface Ran {
  readonly group: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** How busy a machine was. */
export interface Busy {
  /** Time in which a machine had a call to run, summed over the machines: two calls at once keep one machine busy, or two of several. */
  readonly coveredMs: number;
  /** Time of calls, summed over the calls of each group. */
  readonly groups: readonly { readonly group: string; readonly busyMs: number }[];
}

export interface Share {
  readonly group: string;
  readonly seconds: number;
  readonly costPico: Pico;
}

/** One hour's money. Seconds are of machines, and add up to the count times the length of the span. */
export interface Spread {
  readonly fromMs: number;
  readonly toMs: number;
  readonly costPico: Pico;
  /** In the order of the groups; groups that took no time have none. */
  readonly shares: readonly Share[];
  readonly idle: { readonly seconds: number; readonly costPico: Pico };
}

/** The part of an hour in which a machine is there; null when it is not. */
export function spanOf({ fromMs, toMs }: Machine, hour: number): { readonly fromMs: number; readonly toMs: number } | null {
  const from = Math.max(hour, fromMs);
  const to = Math.min(hour + hourMs, toMs ?? Infinity);
  return from < to ? { fromMs: from, toMs: to } : null;
}

/**
 * Shares an hour's money among the groups that ran in it, by the time of their calls: as much of it as their calls covered, or all of it.
 * @returns null when the machine is not there in that hour.
 */
export function spread(machine: Machine, hour: number, busy: Busy): Spread | null {
  const span = spanOf(machine, hour);
  if (span === null) return null;
  const capacityMs = (span.toMs - span.fromMs) * machine.count;
  const costPico = cost(parseRate(machine.perHour, BigInt(hourMs)), capacityMs);
  const groups = busy.groups.filter(({ busyMs }) => busyMs > 0);
  const coveredMs = groups.length === 0 ? 0 : machine.idle === "shared" ? capacityMs : Math.min(busy.coveredMs, capacityMs);
  const weights = groups.map(({ busyMs }) => BigInt(busyMs));
  const divide = (whole: Pico): { readonly parts: readonly Pico[]; readonly rest: Pico } => {
    const [used = zero, rest = zero] = allocate(whole, [BigInt(coveredMs), BigInt(capacityMs - coveredMs)]);
    return { parts: groups.length === 0 ? [] : allocate(used, weights), rest };
  };
  const money = divide(costPico);
  const seconds = divide(toPico(divideHalfEven(BigInt(capacityMs), 1000n)));
  return {
    ...span,
    costPico,
    shares: groups.map(({ group }, index) => ({
      group,
      seconds: Number(seconds.parts[index] ?? 0n),
      costPico: money.parts[index] ?? zero,
    })),
    idle: { seconds: Number(seconds.rest), costPico: money.rest },
  };
}

/** How busy so many machines were with these calls in a span: a call counts in it for as long as it was under way there. */
export function measure(calls: readonly Ran[], { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, count: number): Busy {
  const within = calls
    .map(({ group, fromMs: from, toMs: to }) => ({ group, from: Math.max(from, fromMs), to: Math.min(to, toMs) }))
    .filter(({ from, to }) => from < to);
  const groups = new Map<string, number>();
  for (const { group, from, to } of within) groups.set(group, (groups.get(group) ?? 0) + to - from);
  const edges = within.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  let coveredMs = 0;
  let running = 0;
  let last = fromMs;
  for (const { at, by } of edges.sort((a, b) => a.at - b.at)) {
    coveredMs += Math.min(running, count) * (at - last);
    running += by;
    last = at;
  }
  return { coveredMs, groups: [...groups].map(([group, busyMs]) => ({ group, busyMs })) };
}
