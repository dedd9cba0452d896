// What the API says of what a success costs, and how the pages say it. Not here: what is shown where (pages/success.tsx). Invariant: an estimate is
// never said without its interval, nor without what the data lack.

import { parse, round } from "./money.ts";
import { shareText } from "./parts/values.ts";

export type Lack = "no-success" | "few-tasks" | "heavy-tail" | "wide" | "unknown-outcomes" | "unpriced";

interface EndSums {
  readonly tasks: number;
  readonly cost: string;
}

export interface SpendInterval {
  readonly low: string;
  readonly high: string | null;
}

/** Of shares of the spend; null: no end. */
export interface ReturnInterval {
  readonly low: number | null;
  readonly high: number | null;
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
  readonly interval: SpendInterval | null;
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
  readonly returns: {
    readonly gain: string;
    readonly ratio: number;
    readonly interval: ReturnInterval | null;
    readonly unvaluedShare: number;
  } | null;
  readonly review: {
    readonly minutes: number | null;
    readonly unknown: number;
    readonly cost: string | null;
    readonly perSuccess: string | null;
    readonly interval: SpendInterval | null;
    readonly returnRatio: number | null;
    readonly returnInterval: ReturnInterval | null;
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
export function rangeText(interval: SpendInterval | null): string | null {
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

export function reviewedText({ review, unpriced }: SuccessRow): string | null {
  return review.perSuccess === null ? null : `${unpriced + review.unknown > 0 ? "≥ " : ""}${briefText(review.perSuccess)}`;
}

/** Worth that nobody said may add to it and to its interval, checking that nobody said takes from them: with both, they are on neither side. */
function markOf({ returns, review }: SuccessRow, isPriced: boolean): string {
  const [isLeast, isMost] = [(returns?.unvaluedShare ?? 0) > 0, isPriced && review.unknown > 0];
  return isLeast && isMost ? "? " : isLeast ? "≥ " : isMost ? "≤ " : "";
}

export function returnText(row: SuccessRow, isPriced: boolean): string | null {
  const { returns, review } = row;
  if (returns === null) return null;
  return `${markOf(row, isPriced)}${ratioText((isPriced ? review.returnRatio : null) ?? returns.ratio)}`;
}

/** `20% to 90%`, `from ≥ 20% on`, `up to 90%`. null: it cannot be said. */
export function returnRangeText(row: SuccessRow, isPriced: boolean): string | null {
  const { returns, review } = row;
  const interval = isPriced && review.returnRatio !== null ? review.returnInterval : returns?.interval;
  if (interval === null || interval === undefined) return null;
  const said = (end: number): string => `${markOf(row, isPriced)}${ratioText(end)}`;
  const { low, high } = interval;
  if (low === null) return high === null ? null : `up to ${said(high)}`;
  return high === null ? `from ${said(low)} on` : `${said(low)} to ${said(high)}`;
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
export function lackText({ enough, rate, tasks }: SuccessRow): string {
  if (enough.isEnough) return "";
  const number = new Intl.NumberFormat();
  // Those alone count whose end is known: as many tasks as are needed are not enough where some are open.
  const decided = `${number.format(rate.decided)} decided${rate.decided === tasks ? "" : ` of ${number.format(tasks)}`}`;
  const needed = enough.tasksNeeded === null ? "" : ` (${decided}; about ${number.format(enough.tasksNeeded)} needed)`;
  return enough.lacks
    .filter((lack) => lack !== "wide" || !enough.lacks.includes("no-success"))
    .map((lack) => lackWords[lack] + (lack === "few-tasks" || lack === "heavy-tail" ? needed : ""))
    .join(", ");
}

/** The same of the return: its own interval is beside it, however wide, and there is one without a success too. */
export function returnLackText(row: SuccessRow): string {
  const lacks = row.enough.lacks.filter((lack) => lack !== "wide" && lack !== "no-success");
  return row.returns === null ? "" : lackText({ ...row, enough: { ...row.enough, isEnough: lacks.length === 0, lacks } });
}
