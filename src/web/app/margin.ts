// Margins as the page asks for them and says them: the answer's shape, the span in the address, names and numbers in words. Not here: what is drawn.
// Invariant: every number is the API's; a span is of whole days, UTC, as the answer is.

import type { Query } from "./api.ts";
import { dollarsText, shareText } from "./parts/values.ts";
import { many, one, type Search } from "./search.ts";
import { dayMs } from "./time.ts";

export type By = "customer" | "plan" | "feature";
export const sides: readonly By[] = ["customer", "plan", "feature"];

export interface Line {
  readonly key: string | null;
  readonly plans: readonly string[];
  readonly revenue: string | null;
  readonly cost: string;
  readonly shared: string;
  readonly margin: string | null;
  readonly marginShare: number | null;
  readonly calls: number | null;
  readonly unpriced: number;
  readonly isCostWhole: boolean;
  readonly losing: {
    readonly sinceMonth: string;
    readonly months: number;
    readonly lost: string;
    readonly lastMonth: string;
    readonly isMaybeEarlier: boolean;
  } | null;
}

interface Figure<Value> {
  readonly value: Value | null;
  readonly reason: string | null;
}

export interface Growth {
  readonly ruleOf40: Figure<{
    readonly growthPercent: number;
    readonly marginPercent: number;
    readonly score: number;
    readonly isMet: boolean;
    readonly margin: "gross" | "fcf" | "ebitda";
  }>;
  readonly definition: string;
  readonly accounts: number;
  readonly arpa: string | null;
  readonly accountMargin: number | null;
  readonly isCostWhole: boolean;
  readonly payback: Figure<number>;
  readonly paybackByCustomer: {
    readonly p50: number | null;
    readonly p90: number | null;
    readonly never: number;
    readonly customers: number;
  } | null;
  readonly lifetimeValue: Figure<string>;
  readonly lifetimeToCac: Figure<number>;
  readonly absorbed: { readonly customers: number; readonly absorbed: string; readonly perMonth: string };
  readonly newCustomers: number;
  readonly cacWithLosses: Figure<string>;
  readonly paybackWithLosses: Figure<number>;
  readonly runway: Figure<number>;
}

export interface Margins {
  readonly by: By;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly days: number;
  readonly all: {
    readonly revenue: string | null;
    readonly cost: string;
    readonly margin: string | null;
    readonly grossMargin: number | null;
    readonly costShare: number | null;
    readonly isWhole: boolean;
    readonly isCostWhole: boolean;
    readonly bound: "exact" | "at least" | "at most" | "none";
  };
  readonly total: { readonly keys: number; readonly cost: string };
  readonly known: {
    readonly keys: number;
    readonly revenue: string;
    readonly cost: string;
    readonly margin: string;
    readonly isCostWhole: boolean;
  };
  readonly unknown: { readonly keys: number; readonly cost: string };
  readonly nobody: {
    readonly revenue: string | null;
    readonly cost: string;
    readonly rule: string;
    readonly divided: string;
    readonly left: string;
  };
  readonly meanMargin: number | null;
  readonly quantiles: readonly { readonly percent: number; readonly margin: number }[];
  readonly bins: readonly { readonly from: number | null; readonly to: number | null; readonly keys: number }[];
  readonly belowZero: { readonly keys: number; readonly share: number | null; readonly lost: string };
  readonly withoutRevenue: { readonly keys: number; readonly cost: string };
  readonly concentration: {
    readonly customers: number;
    readonly gini: number | null;
    readonly tops: readonly { readonly top: number; readonly customers: number; readonly share: number; readonly cost: string }[];
    readonly curve: readonly { readonly customers: number; readonly customerShare: number; readonly costShare: number }[];
    readonly dearest: readonly {
      readonly customer: string;
      readonly cost: string;
      readonly share: number;
      readonly isCostWhole: boolean;
    }[];
  } | null;
  readonly losing: { readonly month: string; readonly customers: number; readonly lost: string } | null;
  readonly growth: Growth | null;
  readonly lines: readonly Line[];
  readonly truncated: boolean;
  readonly notes: readonly string[];
}

export const spans = {
  "": "Three months, this one too",
  last: "Last month",
  month: "This month so far",
  "12m": "Twelve whole months",
  year: "This year so far",
} as const;

export const orders = {
  amount: "Lowest margin in dollars",
  margin: "Lowest margin in per cent",
  cost: "Dearest",
  revenue: "Highest revenue",
} as const;
export const rules = { none: "apart", usage: "by tokens", even: "evenly" } as const;

/** Fields of the question that are typed, with what they are called on the command line. */
export const typedFields = ["cac", "churn", "cash"] as const;

export const linesMax = 100;

/** The days that an address names; none: the API's own. */
export function daysOf(span: string, nowMs: number): { readonly since?: string; readonly until?: string } {
  const custom = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/.exec(span);
  if (custom?.[1] !== undefined && custom[2] !== undefined)
    return { since: custom[1], until: day(Date.parse(`${custom[2]}T00:00Z`) + dayMs) };
  const now = new Date(nowMs);
  const first = (months: number): string => day(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months));
  if (span === "last") return { since: first(-1), until: first(0) };
  if (span === "month") return { since: first(0), until: day(nowMs + dayMs) };
  if (span === "12m") return { since: first(-12), until: first(0) };
  if (span === "year") return { since: day(Date.UTC(now.getUTCFullYear(), 0)), until: day(nowMs + dayMs) };
  return {};
}

/** What an address asks of the API. */
export function toQuestion(search: Search, nowMs: number): Query & { readonly by: By } {
  const by = sides.find((side) => side === one(search["by"])) ?? "customer";
  const shared = one(search["shared"]);
  return {
    by,
    ...daysOf(one(search["span"]) ?? "", nowMs),
    shared,
    reserved: shared === "reserved" ? many(search["reserved"]) : [],
    capacity: shared === "reserved" || shared === "idle apart" ? one(search["capacity"]) : undefined,
    order: one(search["order"]),
    losing: one(search["losing"]) === "true" ? "true" : undefined,
    ...(by === "customer" ? Object.fromEntries(typedFields.map((name) => [name, one(search[name])])) : {}),
    limit: linesMax,
  };
}

/** The same for `pennyworth margin`. */
export function toOptions({
  by,
  limit: _limit,
  losing: _losing,
  reserved,
  ...asked
}: ReturnType<typeof toQuestion>): (readonly [string, string | undefined])[] {
  const named = ["since", "until", "shared", "capacity", "order", ...typedFields] as const;
  return [
    ["by", by === "customer" ? undefined : by],
    ...named.map((name) => [name, asked[name] === undefined ? undefined : String(asked[name])] as const),
    ...(Array.isArray(reserved) ? reserved.map((text: string) => ["reserved", text] as const) : []),
  ];
}

export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Marks before a margin, and before a cost's share of revenue. Where both are open, neither is bound. */
export const marks: Readonly<Record<Margins["all"]["bound"], readonly [margin: string, share: string]>> = {
  exact: ["", ""],
  "at least": ["≥ ", "≤ "],
  "at most": ["≤ ", "≥ "],
  none: ["", ""],
};

/** −83%: with the sign that is read as one. */
export function partText(part: number | null): string {
  if (part === null) return "not known";
  return part < 0 ? `−${shareText(-part)}` : shareText(part);
}

export function amountText(usd: string | null): string {
  return usd === null ? "not known" : dollarsText(usd);
}

const reasons: Readonly<Record<string, string>> = {
  unknown: "a number for it is missing",
  no_revenue_before: "there was no revenue before",
  no_revenue: "there is no revenue",
  no_margin: "a customer leaves no margin",
  no_churn: "nobody leaves",
  no_acquisition_cost: "winning a customer costs nothing",
  no_new_customers: "no customer is new",
  no_burn: "nothing is lost",
  burn_fades: "losses fade before it is used up",
};

function reasonText(reason: string | null): string {
  return reasons[reason ?? "unknown"] ?? "not known";
}

/** What stands under a figure: where there is none the reason first, and each sentence with its capital. */
export function noteText(isKnown: boolean, reason: string | null, note: string): string {
  return isKnown
    ? note
    : [reasonText(reason), note]
        .filter((text) => text !== "")
        .map(capital)
        .join(". ");
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** A month as the answer names it, `2026-10`, in the reader's words. */
const monthFormat = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });
export function monthText(month: string): string {
  return monthFormat.format(Date.parse(`${month}-01T00:00Z`));
}
