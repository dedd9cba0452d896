// Candidates that tried the same pieces of work several times: how often one of k tries, and all k, succeed, and what a success costs where it may try
// again (cost-of-pass). Not spend per success: these figures take tries for independent. Not here: one candidate against another (compare.ts).
// Invariant: what nobody solves is counted beside every mean, and makes it unknown where it would be infinite.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import type { MeanInterval } from "./frontier.ts";
import type { Gathered, Repeat } from "./gathered.ts";
import { type Interval, wilson } from "./interval.ts";
import { costOfPass, frontierOf, type Gain, passAll, passAt, type Problem } from "./pass.ts";
import { spreadOf } from "./sample.ts";

export interface Repeated {
  readonly id: string;
  /** Pieces of work of which it has two decided tries or more. */
  readonly cases: number;
  /** Those with one or more. */
  readonly decided: number;
  /** For each k of 1 and more that some of these were tried so often. */
  readonly passes: readonly Pass[];
  /** null: a cost is not known of any of them. */
  readonly costOfPass: Passing | null;
}

/** Means over the pieces of work with at least `k` decided tries, with Wilson's intervals over these. */
export interface Pass {
  readonly k: number;
  readonly cases: number;
  /**
   * `all`: of every decided piece of work. `some`: not every one was tried so often, and nobody knows why. `failed`: those that failed were, since `any` is
   * lower than with fewer tries, which it never is on the same pieces of work: the means say nothing of the candidate.
   */
  readonly drawn: "all" | "some" | "failed";
  /** At least one of k succeeds. */
  readonly any: Interval & { readonly mean: number };
  /** All of k succeed: pass^k. */
  readonly all: Interval & { readonly mean: number };
}

export interface Passing {
  /** Those of which all costs are known. */
  readonly cases: number;
  readonly unsolved: number;
  /** Mean over these of cost over successes. null: one is unsolved, which costs without end. */
  readonly meanPico: Pico | null;
  readonly interval: MeanInterval | null;
  /** Of the pieces of work, those at which it is the cheapest of all candidates. */
  readonly cheapest: number;
  /** By how much it lowers the frontier over pieces of work. null: infinite with it, or without it. */
  readonly gain: Gain | null;
}

export interface Repeats {
  readonly candidates: readonly Repeated[];
  /** At each piece of work the cheapest of all: null where nothing was tried twice at a known cost. */
  readonly frontier: { readonly cases: number; readonly unsolved: number; readonly meanPico: Pico | null } | null;
}

/** k goes no further: tables have an end. */
export const triesMax = 8;

/** @returns null where nobody tried anything twice. */
export function repeatsOf(entrants: readonly Gathered[], samples = 1_000): Repeats | null {
  const tried = entrants.filter(({ repeated }) => repeated.size > 0);
  if (tried.length === 0) return null;
  const problems = problemsOf(tried);
  const best = frontierOf(problems);
  const cheapest = new Map<string, number>();
  for (const { by } of best.problems) if (by !== null) cheapest.set(by, (cheapest.get(by) ?? 0) + 1);
  const gains = gainsOf(problems);
  return {
    candidates: tried.map(({ id, repeated, decidedCases }) => {
      const mine = [...repeated.values()];
      return {
        id,
        cases: mine.length,
        decided: decidedCases,
        passes: passesOf(mine, decidedCases),
        costOfPass: passingOf(mine, cheapest.get(id) ?? 0, gains.get(id) ?? null, samples),
      };
    }),
    frontier: problems.length === 0 ? null : { cases: problems.length, unsolved: best.unsolved, meanPico: best.meanPico },
  };
}

function problemsOf(entrants: readonly Gathered[]): Problem[] {
  const found = new Map<string | number, Map<string, Repeat>>();
  for (const { id, repeated } of entrants)
    for (const [of, repeat] of repeated) {
      if (!repeat.isCosted) continue;
      const models = found.get(of) ?? new Map<string, Repeat>();
      models.set(id, repeat);
      found.set(of, models);
    }
  return [...found].map(([of, models]) => ({ id: String(of), models, humanPico: null }));
}

function passesOf(mine: readonly Repeat[], decided: number): Pass[] {
  // Pieces of work of which as many tries succeeded are alike: reckoned once.
  const alike = new Map<string, { readonly one: Repeat; cases: number }>();
  for (const one of mine) {
    const key = `${one.attempts} ${one.successes}`;
    const found = alike.get(key);
    if (found === undefined) alike.set(key, { one, cases: 1 });
    else found.cases += 1;
  }
  const most = mine.reduce((all, { attempts }) => Math.max(all, attempts), 0);
  let [before, isFalling] = [0, false];
  return Array.from({ length: Math.min(triesMax, most) }, (_, index) => {
    const k = index + 1;
    let [cases, any, all] = [0, 0, 0];
    for (const { one, cases: same } of alike.values()) {
      const [some, every] = [passAt(k, one), passAll(k, one)];
      if (some === null || every === null) continue;
      cases += same;
      any += some * same;
      all += every * same;
    }
    // Further ones are drawn from those.
    isFalling ||= any / cases < before - 1e-9;
    before = any / cases;
    return {
      k,
      cases,
      drawn: isFalling ? "failed" : cases < decided ? "some" : "all",
      any: withInterval(any / cases, cases),
      all: withInterval(all / cases, cases),
    };
  });
}

/** A mean of shares spreads no more than one of noes and yeses: Wilson's interval holds for it. */
function withInterval(mean: number, cases: number): Interval & { readonly mean: number } {
  return { mean, ...wilson(Math.min(cases, mean * cases), cases) };
}

function passingOf(mine: readonly Repeat[], cheapest: number, gain: Gain | null, samples: number): Passing | null {
  const costed = mine.filter(({ isCosted }) => isCosted);
  if (costed.length === 0) return null;
  const ratios = costed.map(costOfPass);
  const known = ratios.filter((ratio) => ratio !== null).map(({ pico, per }) => toPico(divideHalfEven(pico, per)));
  const unsolved = ratios.length - known.length;
  const total = known.reduce((all, pico) => all + pico, 0n);
  const isFinite = unsolved === 0;
  return {
    cases: costed.length,
    unsolved,
    meanPico: isFinite ? toPico(divideHalfEven(total, BigInt(known.length))) : null,
    interval: isFinite
      ? spreadOf(
          known.map((pico) => ({ top: Number(pico), bottom: 1 })),
          { samples },
        )
      : null,
    cheapest,
    gain,
  };
}

/** `gainOf` (pass.ts) of each candidate alone, in one pass: without it, the second cheapest stands in where it was the cheapest. */
function gainsOf(problems: readonly Problem[]): ReadonlyMap<string, Gain> {
  const ids = new Set(problems.flatMap(({ models }) => [...models.keys()]));
  const more = new Map<string, bigint>();
  const needed = new Set<string>();
  let total = 0n;
  for (const { models } of problems) {
    let [least, second]: [{ id: string; pico: bigint } | null, bigint | null] = [null, null];
    for (const [id, trials] of models) {
      const ratio = costOfPass(trials);
      if (ratio === null) continue;
      const pico = divideHalfEven(ratio.pico, ratio.per);
      if (least === null || pico < least.pico) [least, second] = [{ id, pico }, least === null ? null : least.pico];
      else if (second === null || pico < second) second = pico;
    }
    if (least === null) return new Map();
    total += least.pico;
    if (second === null) needed.add(least.id);
    else more.set(least.id, (more.get(least.id) ?? 0n) + second - least.pico);
  }
  const count = BigInt(problems.length);
  return new Map(
    [...ids]
      .filter((id) => !needed.has(id))
      .map((id) => {
        const [withPico, withoutPico] = [total, total + (more.get(id) ?? 0n)].map((sum) => toPico(divideHalfEven(sum, count))) as [
          Pico,
          Pico,
        ];
        const gainPico = toPico(withoutPico - withPico);
        return [id, { withoutPico, withPico, gainPico, essentialness: withoutPico === 0n ? null : Number(gainPico) / Number(withoutPico) }];
      }),
  );
}
