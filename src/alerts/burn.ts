// Burn rates: how many times faster a budget is spent than its allowance lasts. A fast window confirms that it is still so, a slow one that it
// is no blip (Google's SRE workbook, "Alerting on SLOs", multiple windows and burn rates). Not here: who is told. Invariant: exact; no float
// touches an amount; what was not watched is not guessed, so a rate is never too high for want of history.

import { hourMs, minuteMs } from "../core/time.ts";

/** Both windows must burn at the factor. */
export interface BurnPair {
  readonly shortMs: number;
  readonly longMs: number;
  /** In tenths: 144 is 14.4 times. */
  readonly factorTenths: number;
}

/** The worse first. Of a month: 2 % of it in an hour (empty in two days), 5 % in six hours (empty in five). */
export const usualPairs: readonly BurnPair[] = [
  { shortMs: 5 * minuteMs, longMs: hourMs, factorTenths: 144 },
  { shortMs: hourMs, longMs: 6 * hourMs, factorTenths: 60 },
];

/** A pair is for budgets whose window has room for so many of its long windows. */
const longsMin = 24;
/** No pair waits for more than this part of an allowance to go in its long window. */
const partMax = 4;
/** Samples for each window: one in every twelfth of it. */
const steps = 12;

interface Sample {
  readonly atMs: number;
  readonly used: bigint;
}

/** What was used of one budget at some times past: a bounded number of samples for each window. */
export class Samples {
  readonly #windows: readonly { readonly stepMs: number; readonly kept: Sample[] }[];

  /** `from`: what is known of the beginning. */
  constructor(pairs: readonly BurnPair[], from: Sample) {
    const lengths = [...new Set(pairs.flatMap(({ shortMs, longMs }) => [shortMs, longMs]))];
    this.#windows = lengths.map((lengthMs) => ({ stepMs: lengthMs / steps, kept: [from] }));
  }

  add(sample: Sample): void {
    for (const { stepMs, kept } of this.#windows) {
      if (sample.atMs - (kept.at(-1) as Sample).atMs < stepMs) continue;
      kept.push(sample);
      // Of those that are a window old, the newest is needed, and no other.
      while (kept.length > 1 && (kept[1] as Sample).atMs <= sample.atMs - steps * stepMs) kept.shift();
    }
  }

  /** The sample that a window is measured from: the newest that is at least that old; else the oldest there is. */
  before(lengthMs: number, nowMs: number): Sample {
    const { kept } = this.#windows.find(({ stepMs }) => stepMs * steps === lengthMs) as { readonly kept: Sample[] };
    return kept.findLast(({ atMs }) => atMs <= nowMs - lengthMs) ?? (kept[0] as Sample);
  }

  get size(): number {
    return this.#windows.reduce((total, { kept }) => total + kept.length, 0);
  }
}

/** A budget at a time, as far as its burn rate goes. */
export interface Burning {
  readonly allowance: bigint;
  readonly used: bigint;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rolling: boolean;
}

export interface Burn {
  readonly shortTenths: number;
  readonly longTenths: number;
  readonly factorTenths: number;
  readonly goneMs: number;
}

/**
 * Whether a pair burns:
 *
 *   burn(w) = (used(now) − used(now − w)) / allowance ÷ (w / length of the budget's window)
 *
 * at the factor or above over both windows, and at the rate of the long one what is left is gone before the budget's window ends.
 * With less history than `w`, what was used since then counts as if it were all of `w`: no more than the truth.
 * @returns null where it does not burn, or where the pair says nothing of such a budget: one without an end, or a short one.
 */
export function burnOf(pair: BurnPair, budget: Burning, samples: Samples, nowMs: number): Burn | null {
  const periodMs = budget.toMs - budget.fromMs;
  const { allowance, used } = budget;
  if (!Number.isFinite(periodMs) || periodMs < longsMin * pair.longMs || allowance <= 0n || used >= allowance) return null;
  const mostTenths = Math.floor((10 * periodMs) / (partMax * pair.longMs));
  const factorTenths = Math.min(pair.factorTenths, mostTenths);
  const over = (lengthMs: number) => {
    const before = samples.before(lengthMs, nowMs);
    return { spent: used - before.used, ms: BigInt(Math.max(lengthMs, nowMs - before.atMs)) };
  };
  const [short, long] = [over(pair.shortMs), over(pair.longMs)];
  const period = BigInt(Math.round(periodMs));
  const tenthsOf = ({ spent, ms }: typeof short): bigint => (10n * spent * period) / (allowance * ms);
  const isAt = (one: typeof short): boolean => one.spent > 0n && 10n * one.spent * period >= BigInt(factorTenths) * allowance * one.ms;
  if (!isAt(short) || !isAt(long)) return null;
  const lastsMs = Number(((allowance - used) * long.ms) / long.spent);
  const endsMs = budget.rolling ? nowMs + periodMs : budget.toMs;
  if (nowMs + lastsMs >= endsMs) return null;
  return { shortTenths: Number(tenthsOf(short)), longTenths: Number(tenthsOf(long)), factorTenths, goneMs: nowMs + lastsMs };
}
