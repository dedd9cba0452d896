// Free allowances and prepaid credits: who pays for what was used. Not here: what it costs (rating.ts), which stays the list price whoever pays.
// Invariant: of every use, what allowances and credits paid and what is owed add up to its cost to the last digit, and the order in which
// uses are given never matters.

import { compileMatch, type MatchRule } from "./match.ts";
import { allocate, type Pico, sum, toPico, zero } from "./money.ts";
import { compareText, compareWhole } from "./order.ts";
import { dayMs } from "./time.ts";
import { type UsageClass, usageClassNames } from "./usage.ts";

/** What was used of one class of one model on one day, UTC, and what it cost. */
export interface Use {
  /** Start of the day, ms UTC. */
  readonly dayMs: number;
  /** The provider as it is configured: an account is a provider of its own. */
  readonly provider: string;
  readonly model: string | null;
  readonly class: UsageClass;
  /** Units of the class; null: not known, and no allowance can cover it. */
  readonly quantity: number | null;
  readonly costPico: Pico;
}

/** Units that cost nothing, anew in each period. */
export interface Allowance {
  readonly id: string;
  readonly provider: string;
  /** Which models, by name in lower case; null: every one. */
  readonly match: MatchRule | null;
  readonly classes: readonly UsageClass[];
  /** A whole number, in each period. */
  readonly units: number;
  /** Of the calendar, UTC. `once`: one period, from `fromMs` to `toMs`. */
  readonly every: "day" | "month" | "once";
  /** ms UTC: from inclusive, to exclusive; null is open. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** Money paid ahead. It pays for days that lie wholly between its start and its expiry. */
export interface Credit {
  readonly id: string;
  /** null: whichever provider. */
  readonly provider: string | null;
  readonly amountPico: Pico;
  /** ms UTC: from inclusive, expiry exclusive; null: it does not expire. */
  readonly fromMs: number;
  readonly expiresMs: number | null;
}

/** What one allowance or credit paid of one use. */
export interface Draw {
  readonly use: Use;
  readonly by: "allowance" | "credit";
  readonly id: string;
  /** Units that an allowance covered; null of a credit, which pays money. */
  readonly units: number | null;
  readonly costPico: Pico;
}

/** One period of an allowance from which something was drawn; ms UTC, null is open. */
export interface AllowancePeriod {
  readonly id: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly units: number;
  readonly drawn: number;
}

export interface CreditLeft {
  readonly id: string;
  readonly drawnPico: Pico;
  readonly leftPico: Pico;
}

export interface DrawDown {
  /** In the order in which they were made. */
  readonly draws: readonly Draw[];
  /** In order of their ids; of allowances only periods from which something was drawn, the earliest first. */
  readonly left: { readonly allowances: readonly AllowancePeriod[]; readonly credits: readonly CreditLeft[] };
  /** What nobody paid ahead for, by use, in the order of `compareUses`. A use that costs less than nothing, a correction, is owed as it is. */
  readonly owed: readonly { readonly use: Use; readonly costPico: Pico }[];
  readonly owedPico: Pico;
}

/**
 * Draws uses down in a stated order. Uses: by day, then provider, model and class. Of each, allowances first, then credits; of either, what
 * lapses first, then what began first, then by id. An allowance covers units, and with them their share of the use's cost; a credit pays
 * of what is left.
 */
export function drawDown(uses: readonly Use[], allowances: readonly Allowance[], credits: readonly Credit[]): DrawDown {
  const free = allowances.map((allowance) => new Covering(allowance));
  const purses = credits.map((credit) => ({ credit, leftPico: credit.amountPico })).sort((a, b) => compareCredits(a.credit, b.credit));
  const draws: Draw[] = [];
  const owed: { readonly use: Use; readonly costPico: Pico }[] = [];
  for (const use of [...uses].sort(compareUses)) {
    const covered = cover(use, free);
    for (const { id, units, costPico } of covered.draws) draws.push({ use, by: "allowance", id, units, costPico });
    let rest = covered.restPico;
    for (const purse of purses) {
      if (rest <= 0n) break;
      if (purse.leftPico === 0n || !pays(purse.credit, use)) continue;
      const costPico = rest < purse.leftPico ? rest : purse.leftPico;
      purse.leftPico = toPico(purse.leftPico - costPico);
      rest = toPico(rest - costPico);
      draws.push({ use, by: "credit", id: purse.credit.id, units: null, costPico });
    }
    owed.push({ use, costPico: rest });
  }
  return {
    draws,
    left: {
      allowances: free.toSorted((a, b) => compareText(a.id, b.id)).flatMap((covering) => covering.periods()),
      credits: purses
        .map(({ credit: { id, amountPico }, leftPico }) => ({ id, drawnPico: toPico(amountPico - leftPico), leftPico }))
        .sort((a, b) => compareText(a.id, b.id)),
    },
    owed,
    owedPico: sum(owed.map(({ costPico }) => costPico)),
  };
}

/** The period of an allowance that holds a day; null: the allowance does not hold then. */
export function periodOf(
  { every, fromMs, toMs }: Allowance,
  ms: number,
): { readonly fromMs: number | null; readonly toMs: number | null } | null {
  const day = Math.floor(ms / dayMs) * dayMs;
  if ((fromMs !== null && day < fromMs) || (toMs !== null && day + dayMs > toMs)) return null;
  if (every === "once") return { fromMs, toMs };
  const date = new Date(day);
  const begins = every === "day" ? day : Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const ends = every === "day" ? day + dayMs : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  return { fromMs: Math.max(begins, fromMs ?? begins), toMs: Math.min(ends, toMs ?? ends) };
}

/** By day, provider, model (unknown ones first) and class, in the order in which classes are listed; then the smaller one. */
export function compareUses(a: Use, b: Use): number {
  return (
    a.dayMs - b.dayMs ||
    compareText(a.provider, b.provider) ||
    compareText(a.model ?? "", b.model ?? "") ||
    usageClassNames.indexOf(a.class) - usageClassNames.indexOf(b.class) ||
    (a.quantity ?? -1) - (b.quantity ?? -1) ||
    compareWhole(a.costPico, b.costPico)
  );
}

interface Period {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  left: number;
}

/** An allowance with what is left in each of its periods. */
class Covering {
  readonly id: string;
  readonly #allowance: Allowance;
  readonly #matches: (model: string) => boolean;
  readonly #periods = new Map<number | null, Period>();

  constructor(allowance: Allowance) {
    this.id = allowance.id;
    this.#allowance = allowance;
    const match = allowance.match === null ? null : compileMatch(allowance.match);
    this.#matches = (model) => match === null || match(model.toLowerCase()) !== null;
  }

  /** The period on whose account this use is; null: it covers none of it. */
  period(use: Use): Period | null {
    const { provider, classes, match, units } = this.#allowance;
    if (provider !== use.provider || !classes.includes(use.class)) return null;
    if (match !== null && (use.model === null || !this.#matches(use.model))) return null;
    const span = periodOf(this.#allowance, use.dayMs);
    if (span === null) return null;
    let period = this.#periods.get(span.fromMs);
    if (period === undefined) this.#periods.set(span.fromMs, (period = { ...span, left: units }));
    return period;
  }

  periods(): AllowancePeriod[] {
    const { id, units } = this.#allowance;
    return [...this.#periods.values()]
      .filter(({ left }) => left < units)
      .map(({ fromMs, toMs, left }) => ({ id, fromMs, toMs, units, drawn: units - left }))
      .sort((a, b) => (a.fromMs ?? -Infinity) - (b.fromMs ?? -Infinity));
  }
}

interface Covered {
  readonly draws: readonly { readonly id: string; readonly units: number; readonly costPico: Pico }[];
  readonly restPico: Pico;
}

/** What allowances cover of one use: each has the part of its cost that its units are of all. */
function cover(use: Use, free: readonly Covering[]): Covered {
  const { quantity, costPico } = use;
  if (quantity === null || quantity <= 0 || free.length === 0) return { draws: [], restPico: costPico };
  const open = free
    .flatMap((covering) => {
      const period = covering.period(use);
      return period === null || period.left === 0 ? [] : [{ id: covering.id, period }];
    })
    .sort((a, b) => compareLapse(a.period.toMs, b.period.toMs, a.period.fromMs, b.period.fromMs) || compareText(a.id, b.id));
  let rest = quantity;
  const parts: { readonly id: string; readonly units: number }[] = [];
  for (const { id, period } of open) {
    const units = Math.min(rest, period.left);
    if (units === 0) break;
    period.left -= units;
    rest -= units;
    parts.push({ id, units });
  }
  const shares = allocate(costPico, [...parts.map(({ units }) => BigInt(units)), BigInt(rest)]);
  return { draws: parts.map((part, index) => ({ ...part, costPico: shares[index] ?? zero })), restPico: shares[parts.length] ?? zero };
}

function pays({ provider, fromMs, expiresMs }: Credit, use: Use): boolean {
  if (provider !== null && provider !== use.provider) return false;
  return use.dayMs >= fromMs && (expiresMs === null || use.dayMs + dayMs <= expiresMs);
}

function compareCredits(a: Credit, b: Credit): number {
  return compareLapse(a.expiresMs, b.expiresMs, a.fromMs, b.fromMs) || compareText(a.id, b.id);
}

/** What lapses first goes first, what never does last; then what began first. */
function compareLapse(aTo: number | null, bTo: number | null, aFrom: number | null, bFrom: number | null): number {
  return compareNumber(aTo ?? Infinity, bTo ?? Infinity) || compareNumber(aFrom ?? -Infinity, bFrom ?? -Infinity);
}

function compareNumber(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
