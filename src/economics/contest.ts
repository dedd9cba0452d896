// Candidates (agents, models, prompt versions) by what they did, task by task: what each costs and how often it succeeds, who is on the frontier, and
// each against one of them. Not here: two alone (compare.ts), tries at one piece of work (repeats.ts), where tasks come from. Invariant: no figure
// without its interval; a task whose cost or end is not known is left out of that one question, and counted.

import { divideHalfEven, type Pico, sum, toPico } from "../core/money.ts";
import { type Comparison, compare, type Run } from "./compare.ts";
import { type Candidate, candidateOf, type DominatedPoint, frontier, type FrontierPoint, type MeanInterval } from "./frontier.ts";
import { type Interval, type Unit, wilson } from "./interval.ts";
import { quantilesOf } from "./quantile.ts";
import { fewUnits, spreadOf } from "./sample.ts";
import { type Economics, spendPerSuccess } from "./success.ts";

/** One task, as a try at a piece of work. */
export interface Tried {
  /** Names the piece of work: the same for every candidate and try that is given it. */
  readonly case: string;
  readonly ending: "success" | "failure" | "unknown" | "open";
  /** null: not known. */
  readonly costPico: Pico | null;
}

export interface Entrant {
  readonly id: string;
  readonly tries: readonly Tried[];
}

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
  /** All spend over all successes: `perSuccessPico`, its interval, whether the data suffice. null: a task's cost is not known. */
  readonly economics: Economics | null;
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
export function contest(entrants: readonly Entrant[], { baseline = null, margin = 0.05, samples = 1_000 }: ContestOptions = {}): Contest {
  if (baseline !== null && !entrants.some(({ id }) => id === baseline))
    throw new RangeError(`contest: no entrant is called ${JSON.stringify(baseline)}`);
  const runs = new Map(entrants.map((entrant) => [entrant.id, runsOf(entrant)]));
  const candidates = entrants.map(({ id }) => toCandidate(id, runs.get(id) ?? [], samples));
  const places = placesOf(candidates);
  const standings = entrants.map((entrant, index) =>
    standingOf(entrant, candidates[index] as Candidate, places.get(entrant.id) as Place, samples),
  );
  standings.sort((a, b) => rankOf(a) - rankOf(b) || compareCost(a, b) || (a.id < b.id ? -1 : 1));
  const rivals = standings.filter(({ id }) => (runs.get(id) ?? []).length > 0);
  const isNamed = baseline !== null;
  const against = baseline ?? bestOf(rivals);
  const others = rivals.filter(({ id }) => id !== against);
  if (against === null || others.length === 0 || !rivals.some(({ id }) => id === against))
    return { standings, baseline: null, comparisons: [] };
  const comparisons = isNamed ? others.length : (rivals.length * (rivals.length - 1)) / 2;
  return {
    standings,
    baseline: { id: against, isNamed },
    comparisons: others.map(({ id }) => ({
      id,
      comparison: compare(runs.get(id) ?? [], runs.get(against) ?? [], { margin, comparisons }),
    })),
  };
}

/** An open task still costs: what it cost so far says nothing of what such a task costs. */
function runsOf({ tries }: Entrant): Run[] {
  return tries
    .filter(({ ending }) => ending !== "open")
    .map((tried) => ({
      task: tried.case,
      costPico: tried.costPico,
      success: tried.ending === "unknown" ? null : tried.ending === "success",
    }));
}

function toCandidate(id: string, runs: readonly Run[], samples: number): Candidate {
  const costed = runs.filter(({ costPico }) => costPico !== null);
  const interval = spreadOf(
    unitsOf(costed, () => 1),
    { samples },
  );
  const decided = new Set(runs.filter(({ success }) => success !== null).map(({ task }) => task)).size;
  const candidate = candidateOf(id, runs, interval);
  // Many tries at few pieces of work are evidence of few: those of them of which an end is known.
  return { ...candidate, tasks: decided === 0 ? candidate.tasks : decided };
}

/** Tries at one piece of work are alike: they are drawn together. */
function unitsOf(runs: readonly Run[], bottomOf: (run: Run) => number): Unit[] {
  const units = new Map<string, { top: number; bottom: number }>();
  for (const run of runs) {
    const unit = units.get(run.task) ?? { top: 0, bottom: 0 };
    unit.top += Number(run.costPico);
    unit.bottom += bottomOf(run);
    units.set(run.task, unit);
  }
  return [...units.values()];
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

function standingOf({ id, tries }: Entrant, candidate: Candidate, place: Place, samples: number): Standing {
  const counts = { success: 0, failure: 0, unknown: 0, open: 0 };
  for (const { ending } of tries) counts[ending] += 1;
  const decided = counts.success + counts.failure;
  const sample = Math.min(decided, candidate.tasks);
  const observed = decided === 0 ? null : counts.success / decided;
  const uncosted = tries.filter(({ costPico }) => costPico === null).length;
  return {
    id,
    tasks: tries.length,
    cases: new Set(tries.map((tried) => tried.case)).size,
    successes: counts.success,
    failures: counts.failure,
    unknown: counts.unknown,
    open: counts.open,
    uncosted,
    rate: { observed, ...(observed === null ? wilson(0, 0) : wilson(Math.min(sample, observed * sample), sample)) },
    costed: candidate.costed,
    meanPico: place.kind === "apart" ? meanOf(candidate) : place.point.meanPico,
    meanInterval: candidate.meanInterval,
    economics: uncosted > 0 ? null : economicsOf(tries, samples),
    place,
  };
}

function meanOf({ costPico, costed }: Candidate): Pico | null {
  return costPico === null ? null : toPico(divideHalfEven(costPico, BigInt(costed)));
}

function economicsOf(tries: readonly Tried[], samples: number): Economics {
  const of = (ending: Tried["ending"]): readonly Tried[] => tries.filter((tried) => tried.ending === ending);
  const ends = { success: of("success"), failure: of("failure"), unknown: of("unknown"), open: of("open") };
  const spent = (list: readonly Tried[]): Pico => sum(list.map(({ costPico }) => costPico ?? toPico(0n)));
  const all = tries.map((tried) => ({ task: tried.case, costPico: tried.costPico, success: tried.ending === "success" }));
  const nothing = toPico(0n);
  return spendPerSuccess(
    {
      successes: ends.success.length,
      failures: ends.failure.length,
      unknown: ends.unknown.length,
      open: ends.open.length,
      onSuccessesPico: spent(ends.success),
      onFailuresPico: spent(ends.failure),
      onUnknownPico: spent(ends.unknown),
      onOpenPico: spent(ends.open),
      // Not of this question.
      onRetriesPico: nothing,
      onReworkPico: nothing,
      reviewMillis: null,
      valuePico: null,
      onUnvaluedPico: nothing,
    },
    {
      units: fewUnits(unitsOf(all, ({ success }) => (success === true ? 1 : 0))),
      quantiles: quantilesOf(tries.map(({ costPico }) => costPico ?? nothing)),
      reviewPicoPerHour: null,
      samples,
    },
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
