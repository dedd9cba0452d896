// Candidates (agents, models, prompt versions) by what they did, task by task: what each costs and how often it succeeds, who is on the frontier, and
// each against one of them. Not here: two alone (compare.ts), tries at one piece of work (repeats.ts), where tasks come from. Invariant: no figure
// without its interval; a task whose cost or end is not known is left out of that one question, and counted.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import { type Comparison, compareSides } from "./compare.ts";
import { type Candidate, type DominatedPoint, frontier, type FrontierPoint, type MeanInterval } from "./frontier.ts";
import type { Gathered } from "./gathered.ts";
import { type Interval, wilson } from "./interval.ts";
import { spreadOf } from "./sample.ts";
import { type Economics, spendPerSuccess } from "./success.ts";

export interface Standing {
  readonly id: string;
  readonly tasks: number;
  /** Different pieces of work. */
  readonly cases: number;
  readonly successes: number;
  readonly failures: number;
  readonly unknown: number;
  readonly open: number;
  /** Tasks whose cost is not known. */
  readonly uncosted: number;
  /** Over decided tasks; Wilson's interval over the pieces of work that they are tries at. `observed` null: none is decided. */
  readonly rate: Interval & { readonly observed: number | null };
  /** Ended tasks whose cost is known. */
  readonly costed: number;
  /** Their mean cost. null: there is none. */
  readonly meanPico: Pico | null;
  readonly meanInterval: MeanInterval | null;
  /** All spend over all successes: `perSuccessPico`, its interval, whether the data suffice. With `uncosted` tasks these are the least that it is. */
  readonly economics: Economics;
  readonly place: Place;
}

export type Place =
  | { readonly kind: "frontier"; readonly point: FrontierPoint }
  | { readonly kind: "dominated"; readonly point: DominatedPoint }
  | { readonly kind: "apart"; readonly reason: "cost-unknown" | "success-unknown" | "none-ended" };

export interface Contest {
  /** The cheapest of the frontier first, then the dominated, then those that cannot be placed. */
  readonly standings: readonly Standing[];
  /** Whom the others are held against. null: there are not two candidates with an ended task. */
  readonly baseline: { readonly id: string; readonly isNamed: boolean } | null;
  /** Each other one, first, against the baseline, second. */
  readonly comparisons: readonly { readonly id: string; readonly comparison: Comparison }[];
}

export interface ContestOptions {
  /** An entrant's id. Without it: the one whose success is surely highest. */
  readonly baseline?: string | null;
  /** As in `compare`. */
  readonly margin?: number;
  /** Resamples of each bootstrap. */
  readonly samples?: number;
}

/**
 * All against each other, and each against the baseline. Confidence is 95 % for each interval of a standing, and for all comparisons together: over
 * those that are made where the baseline is named before anybody looks; over all pairs where the data choose it, since a winner is lucky, too.
 * @throws RangeError on two entrants of one id, a baseline that is none, or a margin outside 0..1.
 */
export function contest(entrants: readonly Gathered[], { baseline = null, margin = 0.05, samples = 1_000 }: ContestOptions = {}): Contest {
  if (baseline !== null && !entrants.some(({ id }) => id === baseline))
    throw new RangeError(`contest: no entrant is called ${JSON.stringify(baseline)}`);
  const candidates = entrants.map((entrant) => toCandidate(entrant, samples));
  const places = placesOf(candidates);
  const standings = entrants.map((entrant, index) =>
    standingOf(entrant, candidates[index] as Candidate, places.get(entrant.id) as Place, samples),
  );
  standings.sort((a, b) => rankOf(a) - rankOf(b) || compareCost(a, b) || (a.id < b.id ? -1 : 1));
  const sides = new Map(entrants.map(({ id, ended }) => [id, ended]));
  const ended = new Set(candidates.filter(({ runs }) => runs > 0).map(({ id }) => id));
  const rivals = standings.filter(({ id }) => ended.has(id));
  const isNamed = baseline !== null;
  const against = baseline ?? bestOf(rivals);
  const others = rivals.filter(({ id }) => id !== against);
  const held = against !== null && ended.has(against) ? sides.get(against) : undefined;
  if (against === null || held === undefined || others.length === 0) return { standings, baseline: null, comparisons: [] };
  const comparisons = isNamed ? others.length : (rivals.length * (rivals.length - 1)) / 2;
  return {
    standings,
    baseline: { id: against, isNamed },
    comparisons: others.flatMap(({ id }) => {
      const side = sides.get(id);
      return side === undefined ? [] : { id, comparison: compareSides(side, held, { margin, comparisons }) };
    }),
  };
}

/** Of ended tasks alone: what an open one cost so far says nothing of what such a task costs. */
function toCandidate({ id, ended: { tasks, alone }, costUnits }: Gathered, samples: number): Candidate {
  const sums = {
    runs: alone.tasks,
    decidedCases: alone.decided,
    decided: alone.decided,
    successes: alone.successes,
    costed: alone.costed,
    pico: alone.costPico,
  };
  for (const { successes, decided, costPico, costed, tries } of tasks.values()) {
    sums.runs += tries;
    sums.decided += decided;
    sums.decidedCases += decided > 0 ? 1 : 0;
    sums.successes += successes;
    sums.costed += costed;
    sums.pico += costPico;
  }
  return {
    id,
    runs: sums.runs,
    // Many tries at few pieces of work are evidence of few: those of them of which an end is known.
    tasks: sums.decidedCases === 0 ? tasks.size + alone.tasks : sums.decidedCases,
    decided: sums.decided,
    successes: sums.successes,
    costed: sums.costed,
    costPico: sums.costed === 0 ? null : toPico(sums.pico),
    // Tries at one piece of work are alike: they are drawn together.
    meanInterval: spreadOf(costUnits, { samples }),
  };
}

function placesOf(candidates: readonly Candidate[]): ReadonlyMap<string, Place> {
  const found = frontier(candidates);
  return new Map<string, Place>([
    ...found.frontier.map((point) => [point.id, { kind: "frontier", point }] as const),
    ...found.dominated.map((point) => [point.id, { kind: "dominated", point }] as const),
    ...found.apart.map(
      ({ candidate, reason }) => [candidate.id, { kind: "apart", reason: candidate.runs === 0 ? "none-ended" : reason }] as const,
    ),
  ]);
}

function standingOf(gathered: Gathered, candidate: Candidate, place: Place, samples: number): Standing {
  const { id, counts, uncosted, cases } = gathered;
  const decided = counts.success + counts.failure;
  const sample = Math.min(decided, candidate.tasks);
  const observed = decided === 0 ? null : counts.success / decided;
  return {
    id,
    tasks: decided + counts.unknown + counts.open,
    cases,
    successes: counts.success,
    failures: counts.failure,
    unknown: counts.unknown,
    open: counts.open,
    uncosted,
    rate: { observed, ...(observed === null ? wilson(0, 0) : wilson(Math.min(sample, observed * sample), sample)) },
    costed: candidate.costed,
    meanPico: place.kind === "apart" ? meanOf(candidate) : place.point.meanPico,
    meanInterval: candidate.meanInterval,
    economics: economicsOf(gathered, samples),
    place,
  };
}

function meanOf({ costPico, costed }: Candidate): Pico | null {
  return costPico === null ? null : toPico(divideHalfEven(costPico, BigInt(costed)));
}

function economicsOf({ counts, spentPico, spendUnits, quantiles }: Gathered, samples: number): Economics {
  const nothing = toPico(0n);
  return spendPerSuccess(
    {
      successes: counts.success,
      failures: counts.failure,
      unknown: counts.unknown,
      open: counts.open,
      // Nor is what it was spent on: only that all of it is here.
      onSuccessesPico: spentPico,
      onFailuresPico: nothing,
      onUnknownPico: nothing,
      onOpenPico: nothing,
      // Not of this question.
      onRetriesPico: nothing,
      onReworkPico: nothing,
      reviewMillis: null,
      valuePico: null,
      onUnvaluedPico: nothing,
    },
    { units: spendUnits, quantiles, reviewPicoPerHour: null, samples },
  );
}

const ranks = { frontier: 0, dominated: 1, apart: 2 } as const;

function rankOf({ place }: Standing): number {
  return ranks[place.kind];
}

function compareCost(a: Standing, b: Standing): number {
  if (a.meanPico === null || b.meanPico === null) return Number(a.meanPico === null) - Number(b.meanPico === null);
  return a.meanPico < b.meanPico ? -1 : a.meanPico > b.meanPico ? 1 : 0;
}

/** Whose success is at least so high that nobody else's is at least higher; of equals the cheaper. Two of two tasks are no hundred per cent. */
function bestOf(rivals: readonly Standing[]): string | null {
  return rivals.toSorted((a, b) => b.rate.low - a.rate.low || compareCost(a, b) || (a.id < b.id ? -1 : 1))[0]?.id ?? null;
}
