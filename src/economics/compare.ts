// Two agents or models against each other: is one better, is one cheaper for the same success, or is there not enough data to say so? Not here:
// many at once (frontier.ts). Invariant: `compare(b, a)` says the mirror of `compare(a, b)`; nothing is called better, worse or cheaper that the
// numbers of this sample do not hold up; a task with an unknown outcome or cost is left out of that one question and counted.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import {
  difference,
  differenceOfMeans,
  differenceOfMoments,
  differenceOfRates,
  type Estimate,
  joinMoments,
  type Moments,
  momentsOf,
  type Rates,
  signTest,
} from "./difference.ts";
import { type Interval, normalDeviate, wilson } from "./interval.ts";

/** One try of a candidate (an agent, a model, a prompt version) at a task. */
export interface Run {
  /** Names the piece of work, the same for every candidate that is given it. Several tries at one task count as one task, at their mean. */
  readonly task: string;
  /** All that was spent on it. null: not known. */
  readonly costPico: Pico | null;
  /** null: nobody knows how it ended. */
  readonly success: boolean | null;
}

/** What the first is against the second. `same`: neither success nor cost differs by more than the margin. */
export type Verdict = "better" | "worse" | "cheaper-same" | "dearer-same" | "same" | "not-enough-data";

export interface CompareOptions {
  /** Promised coverage of each interval; 0.95 when not given. */
  readonly confidence?: number;
  /** How many pairs of candidates are looked at together: the confidence of each is raised so that it holds for all (Bonferroni). */
  readonly comparisons?: number;
  /** A difference of success rates, and of costs as a share, that is no difference to whoever asks: 0.05 when not given. */
  readonly margin?: number;
}

/** Tasks that the other one did not do. `rate`: success on them; far from that on the shared ones, the shared ones are a selection. */
export interface LeftOut {
  readonly tasks: number;
  /** Of all its tasks; null: it has none. */
  readonly share: number | null;
  readonly rate: number | null;
}

export interface Comparison {
  readonly verdict: Verdict;
  /** Task by task, on the shared tasks only. Otherwise all tasks of each, and what tells them apart may be the tasks. */
  readonly paired: boolean;
  /** Of each interval below. */
  readonly confidence: number;
  readonly margin: number;
  /** Tasks that both did. */
  readonly shared: number;
  readonly leftOut: { readonly first: LeftOut; readonly second: LeftOut };
  readonly success: {
    /** Tasks with a known outcome that are compared: equal where paired. */
    readonly tasks: readonly [number, number];
    readonly rates: readonly [number | null, number | null];
    /** First less second. */
    readonly difference: number | null;
    readonly interval: Interval;
    /** Tasks at which the first did better, at which the second did, and neither. null: not paired. */
    readonly wins: number | null;
    readonly losses: number | null;
    readonly ties: number | null;
    /** Exact, two-sided. null: not paired. */
    readonly pValue: number | null;
  };
  readonly cost: {
    /** Tasks with a known cost that are compared. */
    readonly tasks: readonly [number, number];
    /** Estimates of the mean cost per task, rounded. */
    readonly meansPico: readonly [Pico | null, Pico | null];
    /** Estimates: first less second, per task. null: fewer than `pairsMin` tasks. */
    readonly differencePico: { readonly mean: Pico; readonly low: Pico; readonly high: Pico } | null;
    /** First over second, as log-normal costs would have it. null: a cost of zero, or too few tasks. */
    readonly ratio: (Interval & { readonly mean: number }) | null;
    readonly verdict: "cheaper" | "dearer" | "same" | null;
  };
  /** About how many more shared tasks (of each, where not paired) would settle it, if what was seen so far goes on. null: settled, or nobody can say. */
  readonly more: { readonly tasks: number; readonly question: "success" | "cost" } | null;
}

/** Fewer pairs cannot tell two candidates apart at 95 %, whatever they show: 2 × 2⁻⁵ is more than 0.05. Below it, all tasks are compared. */
export const pairsMin = 6;
/** Standard normal deviate of a power of 80 %: the chance that `more` tasks do settle it. */
const powerDeviate = 0.841621;

/**
 * The first against the second. Success: exact sign test on the tasks where they differ (McNemar's, with one try each) and Newcombe's interval of
 * the difference; the more cautious of the two decides. Cost: Student's interval of the mean difference and Cox's of the ratio of log-normal means; both
 * must agree, because the dearest runs are rare, and a sample without any of them looks cheap. A difference that is sure goes before the margin.
 * @throws RangeError on a confidence or margin outside 0..1, or fewer than one comparison.
 */
export function compare(first: readonly Run[], second: readonly Run[], options: CompareOptions = {}): Comparison {
  return compareSides(sideOf(byTask(first)), sideOf(byTask(second)), options);
}

/** `compare`, of runs that are gathered already: one candidate is held against many. */
export function compareSides(first: Side, second: Side, options: CompareOptions = {}): Comparison {
  const [a, b] = [first.tasks, second.tasks];
  const { confidence: each = 0.95, comparisons = 1, margin = 0.05 } = options;
  if (!(each > 0 && each < 1)) throw new RangeError(`compare: confidence must be above 0 and below 1, such as 0.95: ${each}`);
  if (!(margin >= 0 && margin < 1))
    throw new RangeError(`compare: margin must be from 0 to below 1, such as 0.05 for five points: ${margin}`);
  if (!Number.isSafeInteger(comparisons) || comparisons < 1)
    throw new RangeError(`compare: comparisons must be a whole number, one or more: ${comparisons}`);
  const confidence = 1 - (1 - each) / comparisons;
  const shared = [...a.keys()].filter((task) => b.has(task));
  const decided = shared.filter((task) => rateOf(a.get(task)) !== null && rateOf(b.get(task)) !== null);
  const paired = decided.length >= pairsMin;
  const success = paired ? pairedSuccess(a, b, decided, confidence) : successOf(first, second, confidence);
  const { cost, estimates } = costOf(first, second, paired ? shared : null, confidence, margin);
  const verdict = verdictOf(success.interval, cost.verdict, margin);
  return {
    verdict,
    paired,
    confidence,
    margin,
    shared: shared.length,
    leftOut: { first: leftOutOf(first, b), second: leftOutOf(second, a) },
    success: success.shown,
    cost,
    more: verdict === "not-enough-data" ? moreOf(success, estimates, confidence, margin) : null,
  };
}

/** All tries of one candidate at one task. */
export interface Tried {
  tries: number;
  successes: number;
  decided: number;
  /** Of those whose cost is known: so many. */
  costPico: bigint;
  costed: number;
}

export type ByTask = ReadonlyMap<string | number, Readonly<Tried>>;

/** Tasks that nobody else did, each tried once: what they add up to. */
export interface Alone {
  readonly tasks: number;
  readonly decided: number;
  readonly successes: number;
  readonly costed: number;
  readonly costPico: bigint;
  /** Of the costs that are known. */
  readonly moments: Moments;
}

/** One candidate's tasks: those that another may have done too, or that it tried several times, and the others. */
export interface Side {
  readonly tasks: ByTask;
  readonly alone: Alone;
}

const nothing: Alone = { tasks: 0, decided: 0, successes: 0, costed: 0, costPico: 0n, moments: momentsOf([]) };

export function sideOf(tasks: ByTask, alone: Alone = nothing): Side {
  return { tasks, alone };
}

export function byTask(runs: readonly Run[]): ByTask {
  const tasks = new Map<string, Tried>();
  for (const { task, costPico, success } of runs) {
    const tried = tasks.get(task) ?? { tries: 0, successes: 0, decided: 0, costPico: 0n, costed: 0 };
    tried.tries += 1;
    if (success !== null) tried.decided += 1;
    if (success === true) tried.successes += 1;
    if (costPico !== null) {
      tried.costPico += costPico;
      tried.costed += 1;
    }
    tasks.set(task, tried);
  }
  return tasks;
}

function rateOf(tried: Tried | undefined): number | null {
  return tried === undefined || tried.decided === 0 ? null : tried.successes / tried.decided;
}

/** Mean cost of a try at the task, rounded to a picodollar. */
function meanOf(tried: Tried | undefined): Pico | null {
  if (tried === undefined || tried.costed === 0) return null;
  return toPico(tried.costed === 1 ? tried.costPico : divideHalfEven(tried.costPico, BigInt(tried.costed)));
}

function leftOutOf({ tasks: mine, alone }: Side, other: ByTask): LeftOut {
  const size = mine.size + alone.tasks;
  let left = alone.tasks;
  let rates: Rates = { total: alone.successes, count: alone.decided };
  for (const [task, tried] of mine)
    if (!other.has(task)) {
      left += 1;
      rates = plus(rates, rateOf(tried));
    }
  return { tasks: left, share: size === 0 ? null : left / size, rate: average(rates) };
}

function plus(rates: Rates, rate: number | null): Rates {
  return rate === null ? rates : { total: rates.total + rate, count: rates.count + 1 };
}

function average({ total, count }: Rates): number | null {
  return count === 0 ? null : total / count;
}

/** What a verdict on success is made of. */
interface Success {
  readonly gap: number | null;
  readonly wins: number;
  readonly losses: number;
  readonly interval: Interval;
  readonly shown: Comparison["success"];
}

/** All tasks of each. */
function successOf(first: Side, second: Side, confidence: number): Success {
  const [x, y] = [first, second].map(({ tasks, alone }) => {
    let rates: Rates = { total: 0, count: 0 };
    for (const tried of tasks.values()) rates = plus(rates, rateOf(tried));
    return { total: rates.total + alone.successes, count: rates.count + alone.decided };
  }) as [Rates, Rates];
  const rates: readonly [number | null, number | null] = [average(x), average(y)];
  const gap = rates[0] === null || rates[1] === null ? null : rates[0] - rates[1];
  const interval = differenceOfRates(x, y, confidence);
  const shown = {
    tasks: [x.count, y.count],
    rates,
    difference: gap,
    interval,
    wins: null,
    losses: null,
    ties: null,
    pValue: null,
  } as const;
  return { interval, gap, wins: 0, losses: 0, shown };
}

function pairedSuccess(a: ByTask, b: ByTask, tasks: readonly (string | number)[], confidence: number): Success {
  const of = (side: ByTask): number[] => tasks.map((task) => rateOf(side.get(task)) as number);
  const [x, y] = [of(a), of(b)];
  const rates = [x, y].map((all) => all.reduce((total, rate) => total + rate, 0) / all.length) as [number, number];
  const gap = rates[0] - rates[1];
  const newcombe = difference(x, y, true, confidence);
  const wins = x.filter((rate, index) => rate > (y[index] as number)).length;
  const losses = x.filter((rate, index) => rate < (y[index] as number)).length;
  const pValue = signTest(wins, losses);
  // Where hardly any task tells them apart, Newcombe's interval is too narrow: losses alone, or wins alone, may be more than were seen.
  const interval = {
    low: Math.min(newcombe.low, gap - unseen(losses, x.length, confidence), pValue > 1 - confidence ? 0 : 1),
    high: Math.max(newcombe.high, gap + unseen(wins, x.length, confidence), pValue > 1 - confidence ? 0 : -1),
  };
  const shown = {
    tasks: [x.length, y.length],
    rates,
    difference: gap,
    interval,
    wins,
    losses,
    ties: x.length - wins - losses,
    pValue,
  } as const;
  return { interval, gap, wins, losses, shown };
}

/** By how much a share may be above the one that was seen. */
function unseen(count: number, tasks: number, confidence: number): number {
  return wilson(count, tasks, confidence).high - count / tasks;
}

function costOf(first: Side, second: Side, tasks: readonly (string | number)[] | null, confidence: number, margin: number) {
  const both = tasks?.filter((task) => meanOf(first.tasks.get(task)) !== null && meanOf(second.tasks.get(task)) !== null) ?? null;
  const of = ({ tasks: mine }: Side): Pico[] =>
    (both === null ? [...mine.values()] : both.map((task) => mine.get(task))).map(meanOf).filter((mean) => mean !== null);
  const [x, y] = [of(first), of(second)];
  const left = both === null ? [first.alone, second.alone] : [nothing, nothing];
  const counts = [x, y].map((costs, index) => costs.length + (left[index] as Alone).costed) as [number, number];
  const meansPico = [x, y].map((costs, index) => meanPico(costs, left[index] as Alone)) as [Pico | null, Pico | null];
  const numbers = [x, y].map((costs) => costs.map(Number)) as [number[], number[]];
  const momentOf = (index: 0 | 1): Moments => joinMoments(momentsOf(numbers[index]), (left[index] as Alone).moments);
  const { money, logs } =
    counts[0] < pairsMin || counts[1] < pairsMin
      ? { money: null, logs: null }
      : both === null
        ? differenceOfMoments(momentOf(0), momentOf(1), confidence)
        : differenceOfMeans(...numbers, true, confidence);
  const verdict = money === null ? null : cheaper(money, logs, margin * Math.min(...meansPico.map((mean) => Math.abs(Number(mean)))));
  const cost: Comparison["cost"] = {
    tasks: counts,
    meansPico,
    differencePico: money === null ? null : { mean: rounded(money.mean), low: rounded(money.low), high: rounded(money.high) },
    ratio: logs === null ? null : { mean: Math.exp(logs.mean), low: Math.exp(logs.low), high: Math.exp(logs.high) },
    verdict,
  };
  return { cost, estimates: { tasks: Math.min(...counts), money, logs } };
}

function cheaper(money: Estimate, logs: Estimate | null, band: number): "cheaper" | "dearer" | "same" | null {
  if (money.high < 0 && (logs === null || logs.high < 0)) return "cheaper";
  if (money.low > 0 && (logs === null || logs.low > 0)) return "dearer";
  return money.low >= -band && money.high <= band ? "same" : null;
}

function verdictOf({ low, high }: Interval, cost: Comparison["cost"]["verdict"], margin: number): Verdict {
  if (low > 0) return "better";
  if (high < 0) return "worse";
  if (cost === "cheaper" && low >= -margin) return "cheaper-same";
  if (cost === "dearer" && high <= margin) return "dearer-same";
  return cost === "same" && low >= -margin && high <= margin ? "same" : "not-enough-data";
}

/** n ≈ (z + z_power)² · variance ÷ gap²: to show a gap from 0, or from the margin that it lies within. */
function moreOf(
  success: Success,
  { tasks, money, logs }: { readonly tasks: number; readonly money: Estimate | null; readonly logs: Estimate | null },
  confidence: number,
  margin: number,
): Comparison["more"] {
  const deviate = (normalDeviate(confidence) + powerDeviate) ** 2;
  const { interval, gap } = success;
  if (interval.low >= -margin && interval.high <= margin) {
    if (money === null) return null;
    const wanted = [money, ...(logs === null ? [] : [logs])].map(({ mean, error }) => (deviate * tasks * error ** 2) / mean ** 2);
    return told("cost", Math.max(...wanted) - tasks);
  }
  if (gap === null) return null;
  const seen = Math.min(...success.shown.tasks);
  const differ = (success.wins + success.losses + 1) / (seen + 2);
  const variance =
    success.shown.wins !== null
      ? Math.max(differ - gap ** 2, 1 / (seen + 2))
      : success.shown.rates.reduce<number>((total, rate) => total + smoothed(rate, seen) * (1 - smoothed(rate, seen)), 0);
  const toTell = (deviate * variance) / gap ** 2;
  const toSame = Math.abs(gap) < margin ? (deviate * variance) / (margin - Math.abs(gap)) ** 2 : Infinity;
  return told("success", Math.min(toTell, toSame) - seen);
}

/** One success and one failure more than were seen: nobody's rate is 0 or 1 for sure. */
function smoothed(rate: number | null, tasks: number): number {
  return ((rate ?? 0.5) * tasks + 1) / (tasks + 2);
}

function told(question: "success" | "cost", tasks: number): Comparison["more"] {
  return Number.isFinite(tasks) ? { tasks: Math.max(1, Math.ceil(tasks)), question } : null;
}

function meanPico(costs: readonly Pico[], { costed, costPico }: Alone): Pico | null {
  const count = costs.length + costed;
  return count === 0
    ? null
    : toPico(
        divideHalfEven(
          costs.reduce<bigint>((total, cost) => total + cost, costPico),
          BigInt(count),
        ),
      );
}

/** An estimate in picodollars. */
function rounded(pico: number): Pico {
  return toPico(BigInt(Math.round(pico)));
}
