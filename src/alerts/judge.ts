// Which budgets somebody must be told of: by thresholds and by burn rate. Pure: time comes in. Not here: what the guard did (gather.ts), the way to
// people. Invariants: one alert for a budget, its values, a kind and a window, and another only when it gets worse, or after it was better for a
// good while; memory is bounded, and what was told comes through a restart.

import { formatUsd } from "../core/money.ts";
import { hourMs } from "../core/time.ts";
import type { AlertStanding, Amounts, Draft } from "./alert.ts";
import { type BurnPair, burnOf, Samples } from "./burn.ts";

/** Budgets and values whose burn is followed at the same time; thresholds are looked at for all. */
const watchedMax = 10_000;
/** Remembered alerts; the oldest are forgotten first, and may be told again. */
const toldMax = 20_000;
/** Per cent that the use must fall below a threshold, so that reaching it is news again. */
const fallPercent = 10;
/** The same threshold is told again no sooner: of what goes up and down, and of windows shorter than this. */
const againMs = hourMs;

/** What was told of one budget and its values. Times in ms UTC; null: no end. */
export interface ToldThreshold {
  readonly key: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly atMs: number;
  /** The highest threshold told and not left since; 0: none. */
  readonly percent: number;
  /** The highest one told at `atMs`. */
  readonly peak: number;
}

export interface ToldBurn {
  readonly key: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** By pair, the worst first: when it was seen burning last, after it was told; null: it is news. */
  readonly lastMs: readonly (number | null)[];
}

/** What a restart must know. */
export interface Told {
  readonly thresholds: readonly ToldThreshold[];
  readonly burns: readonly ToldBurn[];
}

export class Judge {
  readonly #pairs: readonly BurnPair[];
  readonly #thresholds: Map<string, ToldThreshold>;
  readonly #burns: Map<string, ToldBurn>;
  readonly #watched = new Map<
    string,
    { readonly fromMs: number; readonly sinceMs: number; readonly samples: Samples; used: bigint; seen: boolean }
  >();
  readonly #shortestMs: number;

  constructor(pairs: readonly BurnPair[], told: Told) {
    this.#pairs = pairs;
    this.#thresholds = new Map(told.thresholds.map((one) => [one.key, one]));
    this.#burns = new Map(told.burns.map((one) => [one.key, one]));
    this.#shortestMs = Math.min(...pairs.map(({ longMs }) => longMs));
  }

  get told(): Told {
    return { thresholds: [...this.#thresholds.values()], burns: [...this.#burns.values()] };
  }

  /** Looks at one budget. @returns what somebody must be told of it now. */
  look(standing: AlertStanding, nowMs: number): Draft[] {
    if (standing.alerts.length === 0) return [];
    const key = JSON.stringify([standing.budget, ...standing.values]);
    const used = usedOf(standing);
    return [this.#threshold(key, standing, used, nowMs), this.#burn(key, standing, used, nowMs)].filter((draft) => draft !== null);
  }

  /** All budgets were looked at: forgets those that are no more, and what is over. @returns whether anything that was told was forgotten. */
  sweep(nowMs: number): boolean {
    for (const [key, one] of this.#watched) {
      if (!one.seen) this.#watched.delete(key);
      one.seen = false;
    }
    const before = this.#thresholds.size + this.#burns.size;
    for (const map of [this.#thresholds, this.#burns]) {
      for (const [key, { toMs }] of map) if (toMs !== null && nowMs >= toMs + againMs) map.delete(key);
      for (const key of map.keys()) {
        if (map.size <= toldMax) break;
        map.delete(key);
      }
    }
    return this.#thresholds.size + this.#burns.size !== before;
  }

  #threshold(key: string, standing: AlertStanding, used: bigint, nowMs: number): Draft | null {
    const { allowance, alerts } = standing;
    let reached = 0;
    if (used > 0n) for (const percent of alerts) if (percent > reached && used * 100n >= BigInt(percent) * allowance) reached = percent;
    const told = this.#thresholds.get(key);
    if (told === undefined && reached === 0) return null;
    let { percent, peak, atMs } = told ?? { percent: 0, peak: 0, atMs: -Infinity };
    if (told !== undefined && isNewWindow(told, standing)) {
      percent = 0;
      if (standing.toMs - standing.fromMs >= againMs) peak = 0;
    } else if (used * 100n < BigInt(percent - fallPercent) * allowance) percent = reached;
    const isNews = reached > percent && (reached > peak || nowMs - atMs >= againMs);
    if (isNews) [percent, peak, atMs] = [reached, reached, nowMs];
    if (isNews || percent !== told?.percent) {
      // Put in anew, so that the order is that of age.
      this.#thresholds.delete(key);
      this.#thresholds.set(key, { key, ...windowOf(standing), atMs, percent, peak });
    }
    if (!isNews) return null;
    const usedPercent = allowance > 0n ? Number((used * 100n) / allowance) : null;
    return {
      kind: "threshold",
      severity: reached >= 100 ? "critical" : "warning",
      atMs: nowMs,
      ...aboutOf(standing),
      percent: reached,
      usedPercent,
    };
  }

  #burn(key: string, standing: AlertStanding, used: bigint, nowMs: number): Draft | null {
    if (standing.measure === "open" || used <= 0n || this.#pairs.length === 0) return null;
    const { allowance, fromMs, toMs, rolling = false } = standing;
    if (!(toMs - fromMs >= this.#shortestMs) || !Number.isFinite(toMs - fromMs)) return null;
    let watched = this.#watched.get(key);
    if (watched === undefined || (!rolling && watched.fromMs !== fromMs)) {
      if (watched === undefined && this.#watched.size >= watchedMax) return null;
      watched = { fromMs, sinceMs: nowMs, samples: new Samples(this.#pairs, { atMs: nowMs, used }), used, seen: true };
      this.#watched.set(key, watched);
      return null;
    }
    watched.seen = true;
    watched.samples.add({ atMs: nowMs, used });
    const told = this.#burns.get(key);
    const isStill = used === watched.used;
    watched.used = used;
    // A rate that was not told does not rise while nothing is spent.
    if (isStill && told === undefined) return null;
    const isOld = told !== undefined && !isNewWindow(told, standing);
    const lastMs = this.#pairs.map((_, index) => (isOld ? (told.lastMs[index] ?? null) : null));
    let draft: Draft | null = null;
    // Who was told of the worse, and not long ago, need not hear of the lesser.
    let isWorse = false;
    for (const [index, pair] of this.#pairs.entries()) {
      const burn = burnOf(pair, { allowance, used, fromMs, toMs, rolling }, watched.samples, nowMs);
      const last = lastMs[index] ?? null;
      if (burn === null) {
        // It was seen to be quiet for a whole long window: the next time is news.
        if (last !== null && !isWorse && nowMs - Math.max(last, watched.sinceMs) >= pair.longMs) lastMs[index] = null;
        continue;
      }
      if (last === null && !isWorse && !lastMs.slice(0, index).some((worse) => worse !== null)) {
        const severity = index === 0 ? "critical" : "warning";
        const { shortMs, longMs } = pair;
        draft = { kind: "burn", severity, atMs: nowMs, ...aboutOf(standing), shortMs, longMs, ...burn };
      }
      lastMs[index] = nowMs;
      isWorse = true;
    }
    if (lastMs.every((last) => last === null)) this.#burns.delete(key);
    else this.#burns.set(key, { key, ...windowOf(standing), lastMs });
    return draft;
  }
}

/** Held money mostly comes back, and so is not used. What is counted at once is there only as long as it is held. */
function usedOf({ measure, spent, held, presumed }: AlertStanding): bigint {
  return measure === "open" ? held : spent + presumed;
}

function isNewWindow(told: { readonly fromMs: number | null }, { fromMs, rolling = false }: AlertStanding): boolean {
  return !rolling && finite(fromMs) !== told.fromMs;
}

/** A rolling window has no end: what was told of it is not over when it slides on. */
function windowOf({ fromMs, toMs, rolling = false }: AlertStanding): { readonly fromMs: number | null; readonly toMs: number | null } {
  return rolling ? { fromMs: null, toMs: null } : { fromMs: finite(fromMs), toMs: finite(toMs) };
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}

function aboutOf(standing: AlertStanding) {
  const { budget, values, owner, measure, fromMs, toMs, limitText = null } = standing;
  const shown = (amount: bigint): string => (measure === "money" ? formatUsd(amount) : amount.toString());
  const amounts: Amounts = {
    measure,
    limitText,
    allowance: shown(standing.allowance),
    spent: shown(standing.spent),
    held: shown(standing.held),
    presumed: shown(standing.presumed),
    fromMs: finite(fromMs),
    toMs: finite(toMs),
  };
  return { budget, values: [...values], owner, subject: null, amounts };
}
