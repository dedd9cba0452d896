// A comparison of candidates as an answer: its shape for the document, the figures as decimal strings, and each verdict in one plain sentence that the
// command line and the page both show. Not here: the arithmetic (economics/contest.ts, repeats.ts). Invariant: pure; no figure without its interval.

import { z } from "@hono/zod-openapi";
import { formatUsd, type Pico, roundUsd, toUsd } from "../core/money.ts";
import type { Comparison, Verdict } from "../economics/compare.ts";
import type { Contest, Standing } from "../economics/contest.ts";
import type { Interval } from "../economics/interval.ts";
import type { Pass, Repeated, Repeats } from "../economics/repeats.ts";
import { tasksLeast } from "../economics/sample.ts";
import type { Lack } from "../economics/success.ts";
import { count, freshness, position, usd } from "./schema.ts";
import { toEnds } from "./success.ts";
import { amounts, share, trialsAnswer } from "./tried.ts";

const between = z.object({ low: share, high: share });
const verdict = z.enum(["better", "worse", "cheaper-same", "dearer-same", "same", "not-enough-data"] satisfies Verdict[]);
const lack = z.enum(["no-success", "few-tasks", "heavy-tail", "wide", "unknown-outcomes", "unpriced"] satisfies (Lack | "unpriced")[]);

export const standing = z
  .object({
    candidate: z.string(),
    tasks: count,
    cases: count.openapi({ description: "Different pieces of work, by the tag `case`; a task without it is one of its own." }),
    successes: count,
    failures: count,
    unknown: count.openapi({ description: "Nobody said how they ended." }),
    open: count.openapi({ description: "They may still end, and are in no figure but spend." }),
    unpriced: count.openapi({ description: "Tasks with usage that has no price: what they cost is not known." }),
    rate: between
      .extend({ decided: count, observed: share.nullable() })
      .openapi({ description: "Successes over decided tasks, with Wilson's interval of 95 % over the pieces of work that were decided." }),
    perTask: amounts
      .extend({ mean: usd, tasks: count, low: usd.nullable() })
      .nullable()
      .openapi({
        description: `Mean cost of an ended task whose cost is known; ends by bootstrap over pieces of work, null where these are too few, or fewer than ${tasksLeast} alike; null: there is none.`,
      }),
    spend: usd
      .nullable()
      .openapi({ description: "Of all tasks, open ones too: at least that where some are `unpriced`; null: nothing of it is known." }),
    perSuccess: usd.nullable().openapi({
      description: "Spend over successes: at least that where some are `unpriced`; null: no success, or nothing of the spend is known.",
    }),
    interval: amounts.nullable().openapi({
      description: `95 % of it, without a high end where some are unpriced; nor of three; null: it cannot be said, as of one or two, or fewer than ${tasksLeast} alike.`,
    }),
    enough: z.object({ isEnough: z.boolean(), lacks: z.array(lack), tasksNeeded: count.nullable() }),
    place: z.enum(["frontier", "dominated", "apart"]).openapi({
      description: "frontier: nobody succeeds as often for less, or more often for as much. apart: it cannot be placed.",
    }),
    apart: z.enum(["cost-unknown", "success-unknown", "none-ended"]).nullable(),
    by: z.array(z.string()).openapi({ description: "By whom it is dominated, of those on the frontier; the cheapest first." }),
    surelyBy: z.array(z.string()).openapi({ description: "Of these, the ones whose intervals lie wholly on the better side." }),
    mixture: z.object({ low: z.string(), high: z.string(), share, rate: share }).nullable().openapi({
      description: "Giving `share` of tasks to `high` and the others to `low` costs as much and does better; null: nothing does.",
    }),
    nextSuccess: usd
      .nullable()
      .openapi({ description: "What one more success costs, coming from the one before on the frontier; an estimate." }),
  })
  .openapi("Standing");

const side = z.object({
  tasks: count.openapi({ description: "That the other did not do." }),
  share: share.nullable(),
  rate: share.nullable().openapi({ description: "Success on them: far from that on the shared ones, these are a selection." }),
});
const both = z.array(z.number().nullable());

export const comparison = z
  .object({
    candidate: z.string(),
    verdict: verdict.openapi({
      description: "What it is against the baseline. same: neither success nor cost differs by more than the margin.",
    }),
    summary: z.string().openapi({ description: "The verdict as a sentence." }),
    paired: z.boolean().openapi({ description: "Piece of work by piece of work, on the shared ones; else all tasks of each." }),
    confidence: share.openapi({ description: "Of each interval here, so that 95 % hold for all comparisons together." }),
    shared: count.openapi({ description: "Pieces of work that both did." }),
    leftOut: z.object({ candidate: side, baseline: side }),
    success: z.object({
      rates: both.openapi({
        description:
          "The candidate's and the baseline's, over the pieces of work that are compared, each weighing alike; `rate` weighs each task alike.",
      }),
      cases: z.array(count),
      difference: z.number().nullable(),
      low: z.number(),
      high: z.number(),
      wins: count.nullable(),
      losses: count.nullable(),
      ties: count.nullable(),
      pValue: z.number().nullable().openapi({ description: "Exact sign test, two-sided; null: not paired." }),
    }),
    cost: z.object({
      means: z
        .array(usd.nullable())
        .openapi({ description: "Of a task, each piece of work weighing alike; `perTask` weighs each task alike." }),
      cases: z.array(count),
      difference: z.object({ mean: usd, low: usd, high: usd }).nullable(),
      ratio: z.object({ mean: z.number(), low: z.number(), high: z.number() }).nullable(),
      verdict: z.enum(["cheaper", "dearer", "same"]).nullable(),
    }),
    more: z
      .object({ tasks: count, question: z.enum(["success", "cost"]) })
      .nullable()
      .openapi({ description: "About so many more pieces of work would settle it; null: settled, or nobody can say." }),
  })
  .openapi("Comparison");

const mean = between.extend({ mean: share });

export const repeated = z
  .object({
    candidate: z.string(),
    cases: count.openapi({ description: "With two decided tries or more." }),
    decided: count.openapi({ description: "With one or more." }),
    passes: z.array(
      z.object({
        k: count,
        cases: count.openapi({ description: "With at least k decided tries." }),
        drawn: z.enum(["all", "some", "failed"] satisfies Pass["drawn"][]).openapi({
          description:
            "all: every decided case was tried so often. some: not every one; were it the failed ones, the shares are too low. failed: it was the failed ones, since pass@k is below that of fewer tries, which no candidate's is on the same cases; its shares say nothing of it.",
        }),
        any: mean.openapi({ description: "pass@k: at least one of k tries succeeds." }),
        all: mean.openapi({ description: "pass^k: all of k tries succeed." }),
      }),
    ),
    costOfPass: z
      .object({
        cases: count,
        unsolved: count,
        mean: usd
          .nullable()
          .openapi({ description: "Over pieces of work, of cost over successes; null: one is unsolved, and costs without end." }),
        interval: amounts.nullable(),
        cheapest: count.openapi({ description: "Pieces of work at which nobody is cheaper." }),
        gain: z
          .object({ amount: usd, share: share.nullable() })
          .nullable()
          .openapi({ description: "By how much all together would be dearer without it; null: without end, with it or without it." }),
      })
      .nullable(),
  })
  .openapi("Repeated");

export const compareAnswer = z
  .object({
    ...trialsAnswer,
    margin: share,
    candidates: z.array(standing).openapi({ description: "The frontier, the cheapest first; then the dominated; then those apart." }),
    baseline: z.object({ candidate: z.string(), isNamed: z.boolean() }).nullable().openapi({
      description: "Whom the others are held against: named, or else whose success is surely highest. null: there are not two.",
    }),
    comparisons: z.array(comparison),
    repeats: z
      .object({
        candidates: z.array(repeated),
        frontier: z
          .object({ cases: count, unsolved: count, mean: usd.nullable() })
          .nullable()
          .openapi({ description: "At each piece of work the cheapest of all." }),
      })
      .nullable()
      .openapi({
        description: "Where pieces of work were tried several times. It takes tries for independent, and is not spend per success.",
      }),
    unnamed: count.openapi({ description: "Tasks of which nobody said what they are told apart by: compared with nothing." }),
    leftOut: z.object({ candidates: count, tasks: count }).openapi({
      description:
        "Beyond the most that are compared: those with the fewest tasks, of as many those with the fewest successes. Who is on the frontier is so among `candidates` alone.",
    }),
    absent: z.array(z.string()).openapi({ description: "Of `candidates`, those without a task." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Compare");

export type Compared = z.infer<typeof compareAnswer>;

export function toStanding(found: Standing): z.infer<typeof standing> {
  const { economics, place } = found;
  // As in success.ts: what has no price costs something, and spend is the least that it can be.
  const isPriced = found.uncosted === 0;
  const isKnown = isPriced || economics.spendPico > 0n;
  const { isEnough, lacks, tasksNeeded } = economics.enough;
  const { mixture = null, nextSuccessPico = null } = place.kind === "frontier" ? place.point : {};
  return {
    candidate: found.id,
    tasks: found.tasks,
    cases: found.cases,
    successes: found.successes,
    failures: found.failures,
    unknown: found.unknown,
    open: found.open,
    unpriced: found.uncosted,
    rate: { decided: found.successes + found.failures, observed: found.rate.observed, low: found.rate.low, high: found.rate.high },
    perTask:
      found.meanPico === null
        ? null
        : {
            mean: formatUsd(found.meanPico),
            low: found.meanInterval === null ? null : formatUsd(found.meanInterval.lowPico),
            high: toUsd(found.meanInterval?.highPico ?? null),
            tasks: found.costed,
          },
    spend: isKnown ? formatUsd(economics.spendPico) : null,
    perSuccess: toUsd(isKnown ? economics.perSuccessPico : null),
    interval: isKnown ? toEnds(economics.interval, isPriced) : null,
    enough: { isEnough: isEnough && isPriced, lacks: [...lacks, ...(isPriced ? [] : (["unpriced"] as const))], tasksNeeded },
    place: place.kind,
    apart: place.kind === "apart" ? place.reason : null,
    by: place.kind === "dominated" ? [...place.point.by] : [],
    surelyBy: place.kind === "dominated" ? [...place.point.surelyBy] : [],
    mixture: mixture === null ? null : { ...mixture },
    nextSuccess: toUsd(nextSuccessPico),
  };
}

export function toComparisons({ baseline, comparisons }: Contest): z.infer<typeof comparison>[] {
  if (baseline === null) return [];
  return comparisons.map(({ id, comparison: found }) => {
    const { success, cost, leftOut } = found;
    return {
      candidate: id,
      verdict: found.verdict,
      summary: summaryOf(id, baseline.id, found),
      paired: found.paired,
      confidence: found.confidence,
      shared: found.shared,
      leftOut: { candidate: { ...leftOut.first }, baseline: { ...leftOut.second } },
      success: {
        rates: [...success.rates],
        cases: [...success.tasks],
        difference: success.difference,
        low: success.interval.low,
        high: success.interval.high,
        wins: success.wins,
        losses: success.losses,
        ties: success.ties,
        pValue: success.pValue,
      },
      cost: {
        means: cost.meansPico.map(toUsd),
        cases: [...cost.tasks],
        difference:
          cost.differencePico === null
            ? null
            : {
                mean: formatUsd(cost.differencePico.mean),
                low: formatUsd(cost.differencePico.low),
                high: formatUsd(cost.differencePico.high),
              },
        ratio: cost.ratio === null ? null : { ...cost.ratio },
        verdict: cost.verdict,
      },
      more: found.more === null ? null : { ...found.more },
    };
  });
}

export function toRepeats(found: Repeats | null): Compared["repeats"] {
  if (found === null) return null;
  const { candidates, frontier } = found;
  return {
    candidates: candidates.map(toRepeated),
    frontier: frontier === null ? null : { cases: frontier.cases, unsolved: frontier.unsolved, mean: toUsd(frontier.meanPico) },
  };
}

function toRepeated({ id, cases, decided, passes, costOfPass }: Repeated): z.infer<typeof repeated> {
  return {
    candidate: id,
    cases,
    decided,
    passes: passes.map(({ k, cases: of, drawn, any, all }: Pass) => ({ k, cases: of, drawn, any: { ...any }, all: { ...all } })),
    costOfPass:
      costOfPass === null
        ? null
        : {
            cases: costOfPass.cases,
            unsolved: costOfPass.unsolved,
            mean: toUsd(costOfPass.meanPico),
            interval: toEnds(costOfPass.interval),
            cheapest: costOfPass.cheapest,
            gain: costOfPass.gain === null ? null : { amount: formatUsd(costOfPass.gain.gainPico), share: costOfPass.gain.essentialness },
          },
  };
}

/** What it is against the baseline, why, on what, and what would settle it. Each piece of work weighs alike here, however often it was tried. */
export function summaryOf(candidate: string, baseline: string, found: Comparison): string {
  const { verdict: said, success, cost, paired, shared, more, margin, confidence } = found;
  const on = paired ? `by case, on ${many(shared, "shared piece")} of work` : apartText(shared);
  const at = `at ${percent(confidence)} confidence`;
  const rates = success.rates.map((rate) => (rate === null ? "unknown" : percent(rate)));
  const often = `${rates[0]} against ${rates[1]} (${points(success.interval)} ${at})`;
  const [mine, others] = cost.meansPico;
  const money =
    mine === null || others === null
      ? `what a task costs is not known of ${unknownOf(candidate, baseline, cost)}`
      : `${short(mine)} a task against ${short(others)}`;
  const within = `does as well within ${percent(margin)}, ${often}`;
  switch (said) {
    case "better":
    case "worse":
      return `${candidate} succeeds ${said === "better" ? "more" : "less"} often than ${baseline}: ${often}, ${on}. ${costWords(candidate, baseline, cost, money)}`;
    case "cheaper-same":
      return `${candidate} is cheaper than ${baseline} and ${within}: ${money}, ${on}.`;
    case "dearer-same":
      return `${candidate} is dearer than ${baseline} and ${within.replace("as well", "no better")}: ${money}, ${on}.`;
    case "same":
      return `Between ${candidate} and ${baseline} is no difference of more than ${percent(margin)}: success ${often}; ${money}; ${on}.`;
    case "not-enough-data": {
      const open =
        more?.question === "cost" ? `success is alike (${often}), cost is not told apart (${money})` : `success ${often}; ${money}`;
      const what = paired ? "shared pieces of work" : "tasks of each";
      const settles =
        more === null ? "How many more would settle it cannot be said." : `About ${toCount(more.tasks)} more ${what} would settle it.`;
      return `Not enough data to tell ${candidate} from ${baseline}: ${open}, ${on}. ${settles}`;
    }
  }
}

/** What differs between them may be what they were given. */
function apartText(shared: number): string {
  const what = shared === 0 ? "each on tasks of its own" : `over all tasks of each, since they share only ${many(shared, "piece")} of work`;
  return `${what}, which may be what tells them apart`;
}

/** Whose mean cost is not known. */
function unknownOf(candidate: string, baseline: string, { meansPico: [mine, others] }: Comparison["cost"]): string {
  return mine !== null ? baseline : others !== null ? candidate : "either";
}

function costWords(candidate: string, baseline: string, cost: Comparison["cost"], money: string): string {
  const { verdict: said, meansPico } = cost;
  if (meansPico[0] === null || meansPico[1] === null) return `What a task costs is not known of ${unknownOf(candidate, baseline, cost)}.`;
  if (said === null) return `Which is cheaper is not settled: ${money}.`;
  return said === "same" ? `They cost alike: ${money}.` : `It is ${said}: ${money}.`;
}

/** `−3 to 13 points`. */
function points({ low, high }: Interval): string {
  return `${signed(low)} to ${signed(high)} points`;
}

function signed(share: number): string {
  const text = (Math.abs(share) * 100).toFixed(1).replace(/\.0$/, "");
  return `${share < 0 && text !== "0" ? "−" : share > 0 && text !== "0" ? "+" : ""}${text}`;
}

function percent(share: number): string {
  // Confidences near one differ in their last digits.
  const digits = share > 0.99 && share < 1 ? 2 : 1;
  return `${(share * 100).toFixed(digits).replace(/\.?0+$/, "")} %`;
}

function many(number: number, one: string): string {
  return `${toCount(number)} ${one}${number === 1 ? "" : "s"}`;
}

function toCount(number: number): string {
  return number.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** To cents, or three digits that say something. */
function short(pico: Pico): string {
  const size = pico < 0n ? -pico : pico;
  if (size === 0n) return "$0";
  const decimals = size >= 1_000_000_000_000n ? 2 : Math.min(12, 12 - size.toString().length + 3);
  const text = roundUsd(size, decimals);
  return `${pico < 0n ? "−" : ""}$${decimals === 2 ? text : text.replace(/0+$/, "")}`;
}
