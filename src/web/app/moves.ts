// What the page "Why it moved" asks and is answered, and what its drivers mean in words. Not here: what is reckoned (the API does), the page.

import type { Query } from "./api.ts";
import { one, type Search } from "./search.ts";
import { parseSpan, type Span, startOfMonth, toIso, zone } from "./time.ts";

export interface Figures {
  readonly calls: number;
  readonly firstTries: number;
  readonly tokens: number;
  readonly cost: string;
  readonly unpriced: number;
}

export interface Contributor {
  readonly type: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly group: string | null;
  readonly others: boolean;
  readonly charge: string | null;
  /** The same in words. */
  readonly chargeName: string | null;
  readonly change: string;
  readonly before: Figures | null;
  readonly after: Figures | null;
}

export interface MoveLine {
  readonly factor: string;
  readonly name: string;
  readonly change: string;
  readonly from: string;
  readonly to: string;
  readonly contributors: readonly Contributor[];
  readonly rest: string;
}

export interface Side {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly cost: string;
  readonly calls: number;
  readonly tasks: number;
  /** Calls, and days of charges. */
  readonly unpriced: number;
  readonly periodUnpriced: number;
  readonly unmetered: number;
  readonly isCostWhole: boolean;
  readonly revenue: string | null;
}

export interface Moves {
  readonly by: string | null;
  readonly before: Side;
  readonly after: Side;
  readonly change: string;
  /** Which way the change is bound; that of the margin the other way. */
  readonly bound: "exact" | "at least" | "at most" | "none";
  readonly changePercent: string | null;
  readonly summary: string;
  readonly lines: readonly MoveLine[];
  readonly shapley: readonly { readonly factor: string; readonly change: string }[];
  readonly maxGap: { readonly factor: string; readonly amount: string };
  readonly priceMoves: readonly { readonly provider: string; readonly model: string; readonly atMs: number }[];
  readonly lacking: {
    readonly prices: readonly { readonly provider: string; readonly model: string | null }[];
    readonly priceMoves: number;
    readonly groups: number;
  };
  readonly margin: {
    readonly before: string;
    readonly after: string;
    readonly change: string;
    readonly steps: readonly { readonly factor: string; readonly points: string; readonly from: string; readonly to: string }[];
  } | null;
  readonly noMargin: { readonly period: "before" | "after" | null; readonly reason: string } | null;
}

/** What each driver is, for those who meet it first. */
export const meanings: Readonly<Record<string, string>> = {
  new_work: "task types that were not there before, at all they cost",
  stopped_work: "task types that are there no more",
  volume: "the number of tasks",
  type_mix: "which types the tasks are of",
  calls_per_task: "calls that a task makes, tries again left out",
  model_mix: "which models and providers are called",
  retries: "tries again of what had been tried",
  tokens_per_call: "how long prompts and answers are",
  token_kind: "what of it is input, output and other kinds",
  cache: "what is read from a cache, and written to it",
  price_list: "the lists’ standard prices",
  tier_and_discount: "what is paid over the list: batch and priority, discounts, long prompts",
  unexplained: "where a price is not known",
  other_charges: "subscriptions and other charges of periods, what tasks cost elsewhere, credits, corrections of closed months",
};

const points = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
const percent = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A change of margin: `+1.06`, `−10.97`. */
export function pointsText(change: string): string {
  return withMinus(points.format(Number(change)));
}

/** A margin: `−12.5%`. */
export function percentText(margin: string): string {
  return `${withMinus(percent.format(Number(margin)))}%`;
}

/** The sign that is read as one, as amounts have it. */
function withMinus(text: string): string {
  return text.replace("-", "−");
}

export const againstNames: Readonly<Record<string, string>> = {
  previous: "as long, right before",
  month: "the month before",
  year: "the year before",
};

export const groups = ["agent", "feature", "customer", "team", "environment"] as const;

export const usualSpan = "30d";

/** `previous`, `month`, `year`, or `FROM..TO` of days, both included, or of instants. A month under way is against the same days of the one before. */
export function againstOf(search: Search, spanText: string): string {
  return one(search["against"]) ?? (spanText === "month" ? "month" : "previous");
}

export function toQuestion(search: Search, { sinceMs, untilMs }: Span, spanText: string, filters: readonly string[]): Query {
  return {
    // All time has nothing before it: the question is of this month then.
    since: toIso(sinceMs ?? startOfMonth(Date.now())),
    until: toIso(untilMs),
    against: toAgainst(againstOf(search, spanText)),
    by: one(search["by"]),
    filter: filters,
    zone,
    limit: 20,
  };
}

/** Days of an address are the reader's, and the last is included. */
function toAgainst(text: string): string {
  if (Object.hasOwn(againstNames, text) || !text.includes("..")) return text;
  const { sinceMs, untilMs } = parseSpan(text, Date.now());
  return sinceMs === null || untilMs === null ? text : `${toIso(sinceMs)}..${toIso(untilMs)}`;
}
