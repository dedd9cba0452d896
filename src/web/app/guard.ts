// What the API answers about budgets, refusals and halts, and the words for it. Not here: how it is asked (api.ts), what the guard decides
// (docs/budgets.md). Invariant: amounts stay the decimal strings that the API gave, each in its budget's measure.

import type { Attribution } from "./api.ts";
import { dayClock, duration } from "./time.ts";

export type Measure = "money" | "tokens" | "calls" | "open";
export type Mode = "hard" | "soft" | "shadow";

/** As in the settings file. */
export interface Terms {
  readonly kind: "budget" | "rate";
  readonly owner: string;
  readonly for: Readonly<Record<string, string>>;
  readonly each: readonly string[];
  readonly limit: string;
  readonly mode: Mode;
  readonly unbounded: "refuse" | "allow";
  readonly alerts: readonly string[];
  /** Of budgets alone. */
  readonly zone?: string;
  readonly carry?: string;
  readonly caps?: "inject" | "lower";
  readonly useful?: number;
  readonly degrade?: readonly Step[];
  /** Of rates alone. */
  readonly shares?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly priority?: number;
}

export interface Step {
  readonly at: string;
  readonly model?: string;
  readonly cap?: number;
  readonly wait?: string;
}

export interface Standing {
  /** Of the fields of `each`. */
  readonly values: readonly string[];
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly allowance: string;
  readonly granted: string;
  readonly carried: string;
  readonly spent: string;
  readonly held: string;
  readonly presumed: string;
  /** Below zero where more was taken than is allowed. */
  readonly left: string;
  /** null: nothing is allowed. */
  readonly usedPercent: number | null;
}

export interface Budget {
  readonly id: string;
  readonly origin: "settings" | "api" | "task";
  readonly setMs: number;
  readonly measure: Measure;
  readonly limit: string;
  readonly terms: Terms;
  /** The fullest first. */
  readonly standings: readonly Standing[];
  readonly total: number;
}

export interface Budgets {
  readonly nowMs: number;
  readonly budgets: readonly Budget[];
  readonly truncated: boolean;
}

export interface BudgetAnswer {
  readonly nowMs: number;
  readonly budget: Budget;
}

export interface Against {
  readonly budget: string;
  readonly values: readonly string[];
  /** null: the budget is gone. */
  readonly measure: Measure | null;
  readonly left: string | null;
  readonly limit: string | null;
  readonly needed: string | null;
  readonly resetsMs: number | null;
}

export interface Refusal {
  readonly id: string;
  readonly request: string;
  readonly atMs: number;
  readonly code: string;
  readonly detail: string;
  readonly attribution: Attribution;
  readonly key: string | null;
  readonly provider: string;
  readonly model: string | null;
  readonly against: readonly Against[];
  /** The task that was stopped with it, and all below that. */
  readonly stopped?: string | null;
}

export interface Refusals {
  readonly nowMs: number;
  readonly refusals: readonly Refusal[];
}

export interface Place {
  readonly budget: string;
  readonly values: readonly string[];
}

export type Why =
  | { readonly kind: "refused"; readonly refused: Refusal }
  | {
      readonly kind: "open" | "settled" | "presumed";
      readonly call: string;
      readonly atMs: number;
      readonly bound: string | null;
      readonly taken: string | null;
      readonly budgets: readonly Place[];
      readonly uncovered: readonly Place[];
      readonly warned: readonly Place[];
    };

export interface Halt {
  readonly id: string;
  readonly for: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly by: string;
  readonly note: string | null;
}

export interface Halts {
  readonly nowMs: number;
  readonly halts: readonly Halt[];
}

export interface AgentTree {
  readonly root: string;
  readonly startedMs: number;
  readonly lastMs: number;
  readonly tasks: number;
  readonly calls: number;
  /** Spent since it showed something new. */
  readonly idle: string;
  readonly state: "running" | "warned" | "slowed" | "stopped";
  readonly reason: string | null;
}

export interface Guard {
  readonly nowMs: number;
  readonly sinceMs: number;
  readonly tally: {
    readonly admitted: number;
    readonly refused: number;
    readonly capped: number;
    readonly lowered: number;
    readonly degraded: number;
    readonly waited: number;
    readonly cut: number;
    readonly cutCost: string;
    readonly shortened: number;
    readonly shortenedCost: string;
    readonly breaches: number;
  };
  readonly waiting: number;
  readonly halts: readonly Halt[];
  readonly trees: readonly AgentTree[];
}

export interface Presumed {
  readonly nowMs: number;
  readonly calls: readonly { readonly call: string; readonly atMs: number; readonly bound: string | null }[];
}

export interface Alerts {
  readonly alerts: readonly {
    readonly id: string;
    readonly kind: string;
    readonly severity: "info" | "warning" | "critical";
    readonly atMs: number;
    readonly title: string;
    readonly text: string;
    readonly budget: string | null;
    readonly of: readonly { readonly budget: string | null }[];
    readonly deliveries: Readonly<Record<string, "waiting" | "sent" | "failed">>;
  }[];
}

/** How often what the guard knows is asked anew, ms: a window turns, and a hold goes, without a row in the store. */
export const guardMs = 3_000;

/** From so much use on, a budget is nearly used up. */
export const nearPercent = 80;

/** What a budget or a halt can be about, in the order in which people think of it. */
export const scopeFields = [
  "team",
  "agent",
  "feature",
  "customer",
  "user",
  "key",
  "model",
  "provider",
  "task",
  "type",
  "project",
  "environment",
] as const;

export const modeWords: Readonly<Record<Mode, readonly [string, string]>> = {
  hard: ["refuses", "A call that does not fit is refused."],
  soft: ["warns", "A call that does not fit is let in, and marked."],
  shadow: ["only records", "What it would have done is recorded, and nothing is done."],
};

const fieldWords: Readonly<Record<string, string>> = { type: "task type" };

export function nameScopeField(field: string): string {
  return fieldWords[field] ?? field;
}

/** `each customer of team research`, `team research · model gpt-5`, `all calls`. */
export function scopeWords(scope: Readonly<Record<string, string>>, each: readonly string[] = []): string {
  const named = Object.entries(scope).map(([field, value]) => `${nameScopeField(field)} ${value}`);
  const fixed = named.join(" · ");
  if (each.length === 0) return fixed === "" ? "all calls" : fixed;
  const every = `each ${each.map(nameScopeField).join(" and ")}`;
  return fixed === "" ? every : `${every} of ${fixed}`;
}

/** When there is more again. */
export function resetWords({ terms, measure }: Budget, { toMs }: Standing, nowMs: number): string {
  if (measure === "open") return "free again as calls end";
  const rolling = / per rolling (.+)$/.exec(terms.limit)?.[1] ?? (terms.kind === "rate" ? / per (.+)$/.exec(terms.limit)?.[1] : undefined);
  if (rolling !== undefined) return `counts the last ${rolling}`;
  if (toMs === null) return "does not reset";
  return toMs <= nowMs ? "resets now" : `resets in ${duration(roughly(toMs - nowMs))}`;
}

/** To the minute from an hour on, so that it does not tick. */
function roughly(ms: number): number {
  return ms < 3_600_000 ? Math.ceil(ms / 1_000) * 1_000 : Math.ceil(ms / 60_000) * 60_000;
}

export function isRolling({ terms }: Budget): boolean {
  return terms.kind === "rate" || terms.limit.includes(" per rolling ");
}

/** How full: what is not left, of the allowance. What has no allowance and was used is fuller than all. */
export function fullness(standing: Standing | undefined): number {
  if (standing === undefined) return -1;
  return standing.usedPercent ?? (standing.left.startsWith("-") ? Number.MAX_SAFE_INTEGER : 100);
}

export type State = "over" | "full" | "near" | "open";

export function stateOf(standing: Standing | undefined): State {
  const percent = fullness(standing);
  if (standing?.left.startsWith("-") === true) return "over";
  return percent >= 100 ? "full" : percent >= nearPercent ? "near" : "open";
}

/** A refusal's code, in words. */
export const codeWords: Readonly<Record<string, string>> = {
  budget_exhausted: "not enough is left",
  budget_unbounded: "no bound on what it can cost",
  budget_too_small: "what is left is too little to be of use",
  rate_limited: "too fast",
  tree_depth: "too deep a tree",
  tree_fan_out: "too many children",
  tree_calls: "too many calls of a task",
  tree_tries: "too many tries of a call",
  tree_time: "took too long",
  tree_loop: "a loop",
  tree_no_progress: "money without progress",
  tree_stopped: "its tree was stopped",
  halted: "halted by a person",
};

/** A grant counts once by its id: one is made for each form that is opened. */
export function newGrantId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return `grant_${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Since when the guard's tally counts. The demo makes its past within the server that shows it. */
export function sinceWords({ sinceMs, nowMs }: Pick<Guard, "sinceMs" | "nowMs">, isDemo: boolean): string {
  return isDemo ? "since the invented history began" : `since the start, ${dayClock(sinceMs, nowMs)}`;
}
