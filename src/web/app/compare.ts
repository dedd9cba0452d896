// What the API says of candidates side by side and of the odds of one more try, and how the page says it. Not here: what is shown where
// (pages/compare.tsx). Invariant: an estimate is never said without its interval.

import { shareText } from "./parts/values.ts";
import { briefText, lackWords, type Lack } from "./success.ts";

export interface Amounts {
  readonly low: string;
  readonly high: string | null;
}

export interface Standing {
  readonly candidate: string;
  readonly tasks: number;
  readonly cases: number;
  readonly successes: number;
  readonly failures: number;
  readonly unknown: number;
  readonly open: number;
  readonly unpriced: number;
  readonly rate: { readonly decided: number; readonly observed: number | null; readonly low: number; readonly high: number };
  readonly perTask: { readonly mean: string; readonly low: string | null; readonly high: string | null; readonly tasks: number } | null;
  readonly spend: string | null;
  readonly perSuccess: string | null;
  readonly interval: Amounts | null;
  readonly enough: { readonly isEnough: boolean; readonly lacks: readonly Lack[]; readonly tasksNeeded: number | null };
  readonly place: "frontier" | "dominated" | "apart";
  readonly apart: "cost-unknown" | "success-unknown" | "none-ended" | null;
  readonly by: readonly string[];
  readonly surelyBy: readonly string[];
  readonly mixture: { readonly low: string; readonly high: string; readonly share: number; readonly rate: number } | null;
  readonly nextSuccess: string | null;
}

export type Verdict = "better" | "worse" | "cheaper-same" | "dearer-same" | "same" | "not-enough-data";

export interface Comparison {
  readonly candidate: string;
  readonly verdict: Verdict;
  readonly summary: string;
  readonly paired: boolean;
  readonly shared: number;
  readonly more: { readonly tasks: number; readonly question: "success" | "cost" } | null;
}

export interface Mean {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Pass {
  readonly k: number;
  readonly cases: number;
  readonly drawn: "all" | "some" | "failed";
  readonly any: Mean;
  readonly all: Mean;
}

export interface Repeated {
  readonly candidate: string;
  readonly cases: number;
  readonly decided: number;
  readonly passes: readonly Pass[];
  readonly costOfPass: {
    readonly cases: number;
    readonly unsolved: number;
    readonly mean: string | null;
    readonly interval: Amounts | null;
    readonly cheapest: number;
  } | null;
}

interface Looked {
  readonly by: string;
  readonly type: string | null;
  readonly tasks: number;
  readonly truncated: boolean;
  readonly leftOut: { readonly candidates: number; readonly tasks: number };
}

export interface Compared extends Looked {
  readonly margin: number;
  readonly candidates: readonly Standing[];
  readonly baseline: { readonly candidate: string; readonly isNamed: boolean } | null;
  readonly comparisons: readonly Comparison[];
  readonly repeats: {
    readonly candidates: readonly Repeated[];
    readonly frontier: { readonly cases: number; readonly unsolved: number; readonly mean: string | null } | null;
  } | null;
  readonly unnamed: number;
  readonly absent: readonly string[];
}

export interface Try {
  readonly attempt: number;
  readonly failures: number;
  readonly tries: number;
  readonly successes: number;
  readonly unknown: number;
  readonly gaveUp: number;
  readonly rate: number | null;
  readonly low: number;
  readonly high: number;
  readonly cost: string | null;
  readonly interval: Amounts | null;
  readonly unpriced: number;
  readonly within: number | null;
  readonly independent: { readonly rate: number; readonly within: number } | null;
  readonly worth: {
    readonly verdict: "yes" | "no" | "not-enough-data";
    readonly spend: string;
    readonly brings: string | null;
    readonly bringsLow: string;
    readonly bringsHigh: string;
    readonly breakEven: number | null;
  } | null;
}

export interface OddsRow {
  readonly candidate: string | null;
  readonly cases: number;
  readonly repeated: number;
  readonly nameless: number;
  readonly tries: readonly Try[];
  readonly further: number;
}

export interface Odds extends Looked {
  readonly value: string | null;
  readonly rows: readonly OddsRow[];
}

/** Of a verdict: the word, how it looks, and its picture. */
export const verdictWords: Readonly<Record<Verdict, readonly [word: string, look: string, icon: "check" | "close" | "help"]>> = {
  better: ["Succeeds more often", "good", "check"],
  worse: ["Succeeds less often", "bad", "close"],
  "cheaper-same": ["As good, and cheaper", "good", "check"],
  "dearer-same": ["No better, and dearer", "bad", "close"],
  same: ["No difference that matters", "soft", "check"],
  "not-enough-data": ["Not enough data", "warn", "help"],
};

/** Per cent as everywhere on the page. */
export function toSentence(summary: string): string {
  return summary.replaceAll(/(\d) %/g, "$1%");
}

export function endsText({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${shareText(low)} to ${shareText(high)}`;
}

export function amountsText(interval: Amounts | null): string {
  if (interval === null) return "interval not known";
  return interval.high === null ? `from ${briefText(interval.low)} on` : `${briefText(interval.low)} to ${briefText(interval.high)}`;
}

const apartWords = {
  "cost-unknown": "What its tasks cost is not known.",
  "success-unknown": "Nobody said how its tasks ended.",
  "none-ended": "None of its tasks has ended.",
} as const;

/** Where it stands against the others, in a sentence or two. @param isAlike they did the same work: only then is anything sure. */
export function placeText({ place, apart, by, surelyBy, mixture, nextSuccess }: Standing, isAlike: boolean): string {
  switch (place) {
    case "frontier":
      if (mixture !== null)
        return `On the frontier; but for as much, ${shareText(mixture.share)} of the tasks to ${mixture.high} and the rest to ${mixture.low} would succeed in ${shareText(mixture.rate)}.`;
      return nextSuccess === null ? "On the frontier: the cheapest." : `On the frontier: one more success costs ${briefText(nextSuccess)}.`;
    case "dominated":
      return `Dominated by ${listText(by)}: as much success for less, or more for as much.${isAlike && surelyBy.length > 0 ? " That is sure." : ""}`;
    case "apart":
      return apart === null ? "" : apartWords[apart];
  }
}

function listText(names: readonly string[]): string {
  if (names.length > 3) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function lacksText({ isEnough, lacks }: Standing["enough"]): string {
  if (isEnough) return "";
  return lacks
    .filter((lack) => lack !== "wide" || !lacks.includes("no-success"))
    .map((lack) => lackWords[lack])
    .join(", ");
}
