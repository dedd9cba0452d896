// What the store added up of candidates' tasks, as the economics take it. Not here: what follows from it. Invariant: pure; every task of a candidate is in
// its sums once, whether it came one by one, in a group, or as a try at a piece of work.

import { toPico } from "../core/money.ts";
import type { Tried } from "../economics/compare.ts";
import type { Moments } from "../economics/difference.ts";
import type { Gathered, Repeat } from "../economics/gathered.ts";
import type { Unit } from "../economics/interval.ts";
import { type CandidateTries, logMiddle, logScales, type Pieces, type TriesPage } from "../ledger/tries.ts";

/** Of more pieces of work than this, groups of them stand for all. */
const unitsMax = 1_000;
const picoLog = Math.log(1e12);

/** In their order; `id` is the value on record. */
export function* gather({ candidates, pieces }: TriesPage): Generator<Gathered> {
  const rows = candidates.map((): number[] => []);
  pieces.candidate.forEach((candidate, row) => rows[candidate]?.push(row));
  for (const [index, candidate] of candidates.entries()) yield gathered(candidate, pieces, rows[index] ?? []);
}

function gathered({ value, alone, each, buckets, quantiles }: CandidateTries, pieces: Pieces, rows: readonly number[]): Gathered {
  const counts = { success: alone.success, failure: alone.failure, unknown: alone.unknown, open: alone.open };
  const ended = new Map<number, Tried>();
  const repeated = new Map<number, Repeat>();
  const costUnits = new Groups();
  const spendUnits = new Groups();
  const cases = alone.success + alone.failure + alone.unknown + alone.open + rows.length;
  const isFew = each !== null && cases <= unitsMax;
  let { uncosted, spentPico } = alone;
  let decidedCases = alone.success + alone.failure;
  for (const row of rows) {
    const of = (column: Int32Array | Uint8Array): number => column[row] ?? 0;
    const [tries, over, decided, successes, costed] = [pieces.tries, pieces.ended, pieces.decided, pieces.successes, pieces.costed].map(
      of,
    ) as [number, number, number, number, number];
    const key = of(pieces.piece);
    const costPico = pieces.costPico[row] ?? 0n;
    const spent = pieces.spentPico[row] ?? 0n;
    counts.success += successes;
    counts.failure += decided - successes;
    counts.unknown += over - decided;
    counts.open += tries - over;
    uncosted += of(pieces.uncosted);
    spentPico += spent;
    const group = isFew ? row : of(pieces.bucket);
    spendUnits.add(group, Number(spent), successes);
    if (costed > 0) costUnits.add(group, Number(costPico), costed);
    if (over > 0) ended.set(key, { tries: over, successes, decided, costPico, costed });
    if (decided > 0) decidedCases += 1;
    if (decided > 1)
      repeated.set(key, {
        attempts: decided,
        successes,
        costPico: toPico(pieces.decidedPico[row] ?? 0n),
        isCosted: of(pieces.unfit) === 0,
      });
  }
  const spend: Unit[] = isFew
    ? each.map(({ isSuccess, pico }) => ({ top: Number(pico), bottom: isSuccess ? 1 : 0 }))
    : spendUnits.with(buckets.map(({ bucket, spentPico: top, successes: bottom }) => ({ bucket, top: Number(top), bottom })));
  const cost: Unit[] = isFew
    ? each.flatMap(({ isOpen, isCosted, pico }) => (isOpen || !isCosted ? [] : { top: Number(pico), bottom: 1 }))
    : costUnits.with(buckets.map(({ bucket, costPico: top, costed: bottom }) => ({ bucket, top: Number(top), bottom })));
  return {
    id: value,
    counts,
    uncosted,
    spentPico: toPico(spentPico),
    cases,
    quantiles: { medianPico: toPico(quantiles.p50), p90Pico: toPico(quantiles.p90), p99Pico: toPico(quantiles.p99) },
    costUnits: inOrder(isFew ? [...costUnits.units(), ...cost] : cost.filter(({ bottom }) => bottom > 0)),
    spendUnits: inOrder(isFew ? [...spendUnits.units(), ...spend] : spend),
    ended: { tasks: ended, alone: { ...aloneOf(alone), moments: momentsOf(alone) } },
    repeated,
    decidedCases,
  };
}

/** So that the order in which rows came is in no interval. */
function inOrder(units: readonly Unit[]): Unit[] {
  return units.toSorted((a, b) => a.top - b.top || a.bottom - b.bottom);
}

/** Sums by group. */
class Groups {
  readonly #sums = new Map<number, { top: number; bottom: number }>();

  add(group: number, top: number, bottom: number): void {
    const sum = this.#sums.get(group);
    if (sum === undefined) this.#sums.set(group, { top, bottom });
    else {
      sum.top += top;
      sum.bottom += bottom;
    }
  }

  with(others: readonly (Unit & { readonly bucket: number })[]): Unit[] {
    for (const { bucket, top, bottom } of others) this.add(bucket, top, bottom);
    return this.units();
  }

  units(): Unit[] {
    return [...this.#sums.values()];
  }
}

function aloneOf({ success, failure, unknown, costed, costPico }: CandidateTries["alone"]) {
  return { tasks: success + failure + unknown, decided: success + failure, successes: success, costed, costPico };
}

/** From sums of powers about zero, or about the middle of logarithms, to those about the mean. */
function momentsOf({ costed, costPico, squares, logs, powers }: CandidateTries["alone"]): Moments {
  const count = BigInt(costed);
  const mean = costed === 0 ? 0 : Number(costPico) / costed;
  // n·Σx² − (Σx)² is a whole number, and none of its digits is lost before it is one float.
  const second = costed === 0 ? 0 : Number(count * squares - costPico * costPico) / costed;
  const [a, b, c, d] = powers.map((sum, index) => (logs === 0 ? 0 : Number(sum) / (logScales[index] ?? 1) / logs)) as [
    number,
    number,
    number,
    number,
  ];
  return {
    costs: { count: costed, mean, second: Math.max(0, second) },
    logs: {
      count: logs,
      mean: logs === 0 ? 0 : a + logMiddle + picoLog,
      second: Math.max(0, b - a ** 2) * logs,
      third: (c - 3 * a * b + 2 * a ** 3) * logs,
      fourth: Math.max(0, d - 4 * a * c + 6 * a ** 2 * b - 3 * a ** 4) * logs,
    },
  };
}
