// What the API says of what a success costs, and how the pages say it. Not here: what is shown where (pages/success.tsx). Invariant: an estimate is
// never said without its interval, nor without what the data lack.

import { parse, round } from "./money.ts";
import { shareText } from "./parts/values.ts";

export type Lack = "no-success" | "few-tasks" | "heavy-tail" | "wide" | "unknown-outcomes" | "unpriced";

interface EndSums {
  readonly tasks: number;
  readonly cost: string;
}

export interface SuccessRow {
  readonly group: Readonly<Record<string, string | null>>;
  readonly tasks: number;
  readonly calls: number;
  readonly spend: string;
  readonly success: EndSums;
  readonly failure: EndSums;
  readonly unknown: EndSums;
  readonly open: EndSums;
  readonly perSuccess: string | null;
  readonly interval: { readonly low: string; readonly high: string | null } | null;
  readonly perSuccessLeast: string | null;
  readonly rate: {
    readonly decided: number;
    readonly observed: number | null;
    readonly low: number;
    readonly high: number;
    readonly worst: number | null;
    readonly best: number | null;
  };
  readonly distribution: { readonly p50: string; readonly p90: string; readonly p99: string } | null;
  readonly shares: {
    readonly failures: number;
    readonly unknown: number;
    readonly open: number;
    readonly retries: number;
    readonly rework: number;
    readonly failedCalls: number;
  } | null;
  readonly value: string | null;
  readonly returns: { readonly gain: string; readonly ratio: number; readonly unvaluedShare: number } | null;
  readonly review: {
    readonly minutes: number | null;
    readonly unknown: number;
    readonly cost: string | null;
    readonly perSuccess: string | null;
    readonly returnRatio: number | null;
    readonly share: number | null;
  };
  readonly enough: { readonly isEnough: boolean; readonly lacks: readonly Lack[]; readonly tasksNeeded: number | null };
  readonly contradictory: number;
  readonly unpriced: number;
  readonly presumed: number;
}

export interface Success {
  readonly by: readonly string[];
  readonly openMs: number;
  readonly reviewRate: string | null;
  readonly rows: readonly SuccessRow[];
  readonly total: SuccessRow;
  readonly truncated: boolean;
  readonly waiting: number;
}

/** What tasks can be told apart by. */
export const taskFields = ["type", "agent", "model", "feature", "customer", "team", "prompt", "project", "environment", "key"] as const;

export type TaskField = (typeof taskFields)[number];

export function isTaskField(field: string): field is TaskField {
  return (taskFields as readonly string[]).includes(field);
}

/** Three digits that say something, or cents. */
export function briefText(usd: string): string {
  const amount = usd.startsWith("-") ? usd.slice(1) : usd;
  const size = parse(amount);
  const text = size === 0n ? round("0", 0) : round(amount, size >= 1_000_000_000_000n ? 2 : Math.min(12, 15 - size.toString().length));
  return usd.startsWith("-") ? `−${text}` : text;
}

/** As an axis has it: `$0.9 to $1.8`, `from $0.9 on`. null: it cannot be said. */
export function rangeText(interval: SuccessRow["interval"]): string | null {
  if (interval === null) return null;
  return interval.high === null ? `from ${briefText(interval.low)} on` : `${briefText(interval.low)} to ${briefText(interval.high)}`;
}

export function perSuccessText({ perSuccess, unpriced }: SuccessRow): string | null {
  return perSuccess === null ? null : `${unpriced > 0 ? "≥ " : ""}${briefText(perSuccess)}`;
}

export function rateText({ observed }: SuccessRow["rate"]): string | null {
  return observed === null ? null : shareText(observed);
}

export function rateRangeText({ low, high }: SuccessRow["rate"]): string {
  return `${shareText(low)} to ${shareText(high)}`;
}

/** Without an interval: checking has none. */
export function reviewedText({ review, unpriced }: SuccessRow): string | null {
  return review.perSuccess === null ? null : `${unpriced + review.unknown > 0 ? "≥ " : ""}${briefText(review.perSuccess)}`;
}

/** Worth that nobody said may add to it, checking that nobody said takes from it: with both, it is on neither side. */
export function returnText({ returns, review }: SuccessRow, isPriced: boolean): string | null {
  if (returns === null) return null;
  const [isLeast, isMost] = [returns.unvaluedShare > 0, isPriced && review.unknown > 0];
  const mark = isLeast && isMost ? "? " : isLeast ? "≥ " : isMost ? "≤ " : "";
  return `${mark}${ratioText((isPriced ? review.returnRatio : null) ?? returns.ratio)}`;
}

/** A return of 0.5 is 50 % more than was spent. */
export function ratioText(ratio: number): string {
  return `${ratio < 0 ? "−" : ""}${shareText(Math.abs(ratio))}`;
}

export const lackWords: Readonly<Record<Lack, string>> = {
  "no-success": "no success yet",
  "few-tasks": "few tasks",
  "heavy-tail": "uneven costs",
  wide: "wide interval",
  "unknown-outcomes": "ends not known",
  unpriced: "usage without a price",
};

/** Why the data do not suffice; "": they do. */
export function lackText({ enough }: SuccessRow): string {
  if (enough.isEnough) return "";
  const needed = enough.tasksNeeded === null ? "" : ` (about ${new Intl.NumberFormat().format(enough.tasksNeeded)} needed)`;
  return enough.lacks
    .filter((lack) => lack !== "wide" || !enough.lacks.includes("no-success"))
    .map((lack) => lackWords[lack] + (lack === "few-tasks" || lack === "heavy-tail" ? needed : ""))
    .join(", ");
}
