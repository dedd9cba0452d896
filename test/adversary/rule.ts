// Budgets and rates as the harness means them, and as the settings' words say them. Not here: what was taken under them (oracle.ts).
// Invariant: the words are all that the gateway is told.

import { type Ask, likely, type Who } from "./ask.ts";
import type { Random } from "./random.ts";
import type { Amounts, Target } from "./tariff.ts";

export type Measure = "money" | "tokens" | "calls" | "open";

export type Period =
  | { readonly kind: "total" }
  /** Windows of `lengthMs`, which begin `offsetMs` before those of UTC. */
  | {
      readonly kind: "calendar";
      readonly lengthMs: number;
      readonly offsetMs: number;
      readonly words: string;
      readonly zone: string | null;
    }
  /** At any time the last `lengthMs`; what counts may be up to a fiftieth longer. */
  | { readonly kind: "rolling"; readonly lengthMs: number; readonly words: string };

export type Field = "team" | "agent" | "customer" | "feature" | "provider" | "model" | "task";

export interface Rule {
  readonly id: string;
  readonly kind: "budget" | "rate";
  /** Its values for the fields that it names. */
  readonly scope: { readonly [field in Field]?: string };
  readonly each: readonly Field[];
  readonly measure: Measure;
  readonly period: Period;
  readonly mode: "hard" | "soft" | "shadow";
  readonly unbounded: "refuse" | "allow";
  readonly carries: boolean;
  /** Defined at the control API, and so to be changed while it runs. */
  readonly byApi: boolean;
  /** At the beginning. */
  readonly limit: bigint;
}

/** The allowance of a rule that one try is under: its `each` values, joined; null: it is not under it. */
export function accountOf({ scope, each }: Rule, who: Who, target: Target): string | null {
  const said = (field: Field): readonly string[] =>
    field === "task"
      ? who.task === who.root
        ? [who.root]
        : [who.task, who.root]
      : [field === "provider" || field === "model" ? target[field] : who[field]];
  for (const [field, value] of Object.entries(scope)) if (!said(field as Field).includes(value)) return null;
  return each.map((field) => said(field).at(-1) as string).join("/");
}

export const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const periods: readonly Period[] = [
  { kind: "total" },
  { kind: "calendar", lengthMs: minuteMs, offsetMs: 0, words: "minute", zone: null },
  { kind: "calendar", lengthMs: hourMs, offsetMs: 0, words: "hour", zone: "Europe/Berlin" },
  // Half an hour off.
  { kind: "calendar", lengthMs: hourMs, offsetMs: hourMs / 2, words: "hour", zone: "Asia/Kolkata" },
  { kind: "calendar", lengthMs: 24 * hourMs, offsetMs: 0, words: "day", zone: null },
  { kind: "rolling", lengthMs: minuteMs, words: "60s" },
  { kind: "rolling", lengthMs: hourMs, words: "1h" },
];
const ratePeriods: readonly Period[] = [
  { kind: "rolling", lengthMs: 10_000, words: "10s" },
  { kind: "rolling", lengthMs: minuteMs, words: "minute" },
];

/** A tree of budgets over calls: for everything, below it for parts, and across. Limits are from a third to several times of what is asked for. */
export function rulesFor(asks: readonly Ask[], random: Random): Rule[] {
  const shapes: readonly (readonly [Rule["scope"], readonly Field[]])[] = [
    [{}, ["team"]],
    [{ team: "t0" }, []],
    [{ team: "t1" }, ["agent"]],
    [{}, ["customer"]],
    [{ feature: "search" }, ["team", "customer"]],
    [{ agent: "t0a0" }, []],
    [{ provider: "dear" }, []],
    [{ model: "gpt-4.1-nano" }, ["agent"]],
    [{}, ["task"]],
    [{ task: "t2r1" }, []],
    [{ customer: "Customer 1" }, ["feature"]],
  ];
  const everything: Shape = { id: "everything", scope: {}, each: [], measure: "money", period: { kind: "total" }, mode: "hard" };
  const rules = [sized(everything, asks, random, 150)];
  const many = random.whole(4, 9);
  for (let index = 0; index < many; index += 1) {
    const [scope, each] = random.pick(shapes);
    const mode = random.pick(["hard", "hard", "hard", "hard", "soft", "shadow"] as const);
    const measure = random.pick(["money", "money", "money", "tokens", "calls"] as const);
    rules.push(sized({ id: `b${index}`, scope, each, measure, period: random.pick(periods), mode }, asks, random, 400));
  }
  const rates = random.whole(0, 2);
  for (let index = 0; index < rates; index += 1) {
    const [scope, each] = random.pick(shapes);
    const measure = random.pick(["money", "tokens", "calls", "open"] as const);
    const period: Period = measure === "open" ? { kind: "total" } : random.pick(ratePeriods);
    rules.push({
      ...sized({ id: `r${index}`, scope, each, measure, period, mode: "hard" }, asks, random, 1),
      kind: "rate",
      carries: false,
    });
  }
  return rules;
}

type Shape = Pick<Rule, "id" | "scope" | "each" | "measure" | "period" | "mode">;

function sized(shape: Shape, asks: readonly Ask[], random: Random, percentMost: number): Rule {
  const { measure, period } = shape;
  const demand = new Map<string, bigint>();
  for (const ask of asks) {
    const account = accountOf({ ...shape } as Rule, ask.who, ask.targets[0] as Target);
    if (account !== null) demand.set(account, (demand.get(account) ?? 0n) + amountIn(measure, likely(ask)));
  }
  const asked = [...demand.values()].toSorted((a, b) => (a < b ? -1 : 1));
  const median = asked[asked.length >> 1] ?? 1n;
  const percent = BigInt(random.whole(30, percentMost));
  const limit = measure === "open" ? BigInt(random.whole(2, 40)) : (median * percent) / 100n;
  return {
    ...shape,
    kind: "budget",
    limit: measure === "money" ? roundUp(limit, 1_000_000_000n) : limit < 1n ? 1n : limit,
    unbounded: random.chance(0.3) ? "allow" : "refuse",
    carries: period.kind === "calendar" && random.chance(0.3),
    byApi: random.chance(0.4),
  };
}

/** What is posted for one try. */
export function amountIn(measure: Measure, { money, tokens }: Amounts): bigint {
  return measure === "money" ? money : measure === "tokens" ? tokens : 1n;
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step + step;
}

/** As the settings file and the control API take it; without `id` and `kind`. */
export function wordsOf(rule: Rule, limit: bigint): Record<string, unknown> {
  const { scope, each, mode, unbounded, kind, period, measure, carries } = rule;
  const zone = period.kind === "calendar" && period.zone !== null ? { zone: period.zone } : {};
  return {
    owner: "the adversary",
    for: scope,
    each,
    limit: `${amountWords(measure, limit)}${measure === "open" ? "" : periodWords(period, kind)}`,
    mode,
    unbounded,
    ...(kind === "rate" ? {} : { ...zone, carry: carries ? "all" : "none", alerts: [] }),
  };
}

export function amountWords(measure: Measure, amount: bigint): string {
  const sign = amount < 0n ? "-" : "";
  const size = amount < 0n ? -amount : amount;
  if (measure === "money") return `${sign}$${dollars(size)}`;
  return `${sign}${size}${measure === "open" ? " at once" : ` ${measure}`}`;
}

/** Exactly. */
export function dollars(pico: bigint): string {
  const digits = (pico < 0n ? -pico : pico).toString().padStart(13, "0");
  const fraction = digits.slice(-12).replace(/0+$/, "");
  return `${pico < 0n ? "-" : ""}${digits.slice(0, -12)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Of a decimal string of dollars. */
export function toPico(text: string): bigint {
  const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text) ?? [];
  const value = BigInt(whole + fraction.padEnd(12, "0"));
  return sign === "" ? value : -value;
}

function periodWords(period: Period, kind: Rule["kind"]): string {
  if (period.kind === "total") return "";
  return period.kind === "rolling" && kind === "budget" ? ` per rolling ${period.words}` : ` per ${period.words}`;
}
