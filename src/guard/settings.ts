// The terms of budgets and rates, as people write them in the settings and at the control API, as budgets, and back. Not here: limits as text
// (limit.ts), what is done about them (guard.ts). Invariant: what cannot be kept to the letter is refused, with its place and what is allowed;
// what is written of a budget reads as the same budget.

import type { Settings } from "../config.ts";
import { type Budget, type BudgetField, budgetFields, type Degrade, type Period, type Scope, usualTerms } from "../core/budget.ts";
import { offsetsOf } from "../core/zone.ts";
import { PennyworthError } from "../error.ts";
import type { BudgetTerms, RateTerms } from "../terms.ts";
import {
  carryAll,
  formatAmount,
  formatDuration,
  formatLimit,
  near,
  parseAmount,
  parseDuration,
  parseLimit,
  parsePercent,
  quote,
} from "./limit.ts";

/** What names mean here: the settings and the API speak of names, the ledger of tokens and ids. */
export interface Edges {
  /** The token of a customer's or user's name. */
  readonly token: (name: string) => string;
  /** Ids of Pennyworth's keys in force, by name. */
  readonly keys: ReadonlyMap<string, string>;
  /** Providers that calls can go to. */
  readonly providers: ReadonlySet<string>;
  /** Whether calls that a rate refuses may wait (`guard.waitMsMax`). */
  readonly waits: boolean;
}

export type Terms = ({ readonly kind: "budget" } & BudgetTerms) | ({ readonly kind: "rate" } & RateTerms);

const tokenShape = /^n_[0-9a-f]{16}$/;
const named: ReadonlySet<string> = new Set(["customer", "user"]);

/**
 * The budgets and rates of the settings, in their order.
 * @throws PennyworthError `config_invalid` with the place, what is wrong, and what is allowed.
 */
export function readBudgets({ budgets, rates, guard }: Pick<Settings, "budgets" | "rates" | "guard">, edges: Edges): Budget[] {
  const read: Budget[] = [];
  for (const [list, kind] of [
    [budgets, "budget"],
    [rates, "rate"],
  ] as const)
    for (const [index, { id, ...terms }] of list.entries()) {
      const place = `${kind}s.${index} (${id})`;
      if (read.some((one) => one.id === id)) throw invalid(`${place}: a budget has this id, too`);
      try {
        read.push(readTerms(id, { kind, ...terms } as Terms, edges));
      } catch (cause) {
        throw cause instanceof RangeError ? invalid(`${place}: ${cause.message}`, cause) : cause;
      }
    }
  if (read.length > guard.budgetsMax)
    throw invalid(`${read.length} budgets and rates are more than guard.budgetsMax (${guard.budgetsMax})`);
  return read;
}

/**
 * One budget or rate.
 * @throws RangeError with the term, what is wrong with it, and what is allowed.
 */
export function readTerms(id: string, terms: Terms, edges: Edges): Budget {
  const { kind, owner, mode, unbounded } = terms;
  const scope = at("for", () => readScope(terms.for, edges));
  const each = at("each", () => readEach(terms.each, scope));
  const zone = kind === "budget" ? (terms.zone ?? null) : null;
  const { measure, limit, period } = at("limit", () => parseLimit(terms.limit, kind, zone));
  const common = { ...usualTerms, id, owner, kind, scope, each, measure, limit, period, mode, unbounded };
  if (kind === "rate") {
    const shares = at("shares", () => readShares(terms, { ...common, scope }, edges));
    return { ...common, kind, shares, priority: terms.priority, alerts: readAlerts(terms.alerts, mode) };
  }
  if (zone !== null) at("zone", () => checkZone(zone, period));
  const carryMax = at("carry", () => readCarry(terms.carry, period, common));
  const degrade = at("degrade", () => readDegrade(terms.degrade));
  const alerts = readAlerts(terms.alerts, mode);
  return { ...common, kind, carryMax, caps: terms.caps, usefulTokens: terms.useful ?? null, degrade, alerts };
}

/** Which calls, by values as people know them. @throws RangeError. */
export function readScope(said: Readonly<Record<string, string>>, edges: Edges): Scope {
  const scope: { [field in BudgetField]?: string } = {};
  for (const [name, value] of Object.entries(said)) {
    const field = toField(name);
    scope[field] = toValue(field, value, edges);
  }
  return scope;
}

/** A field's value as calls carry it. @throws RangeError. */
export function toValue(field: BudgetField, value: string, { token, keys, providers }: Edges): string {
  if (value === "*") throw new RangeError(`${field}: * is no name; a budget for each ${field} says each: [${field}]`);
  if (value.includes("*")) throw new RangeError(`${field}: ${quote(value)}: a name is meant whole, and * stands for itself nowhere`);
  if (named.has(field)) return tokenShape.test(value) ? value : token(value);
  if (field === "key") {
    const id = keys.get(value) ?? [...keys.values()].find((known) => known === value);
    if (id !== undefined) return id;
    throw new RangeError(`no key is called ${quote(value)}${near(value, keys.keys())}; pennyworth keys create --name makes one`);
  }
  if (field === "provider" && !providers.has(value)) throw new RangeError(`no provider is called ${quote(value)}${near(value, providers)}`);
  return value;
}

/** @throws RangeError with the nearest known fields. */
export function toField(name: string): BudgetField {
  if ((budgetFields as readonly string[]).includes(name)) return name as BudgetField;
  throw new RangeError(`no field is called ${quote(name)}${near(name, budgetFields)}; known: ${budgetFields.join(", ")}`);
}

function readEach(said: readonly string[], scope: Scope): BudgetField[] {
  const each = said.map(toField);
  const twice = each.find((field, index) => each.indexOf(field) !== index);
  if (twice !== undefined) throw new RangeError(`${twice} stands there twice`);
  const fixed = each.find((field) => scope[field] !== undefined);
  if (fixed !== undefined) throw new RangeError(`for says which ${fixed} is meant, so there is no each of it`);
  return each;
}

function checkZone(zone: string, period: Period): void {
  if (offsetsOf(zone, null, null) === null) throw new RangeError(`no time zone is called ${quote(zone)}; one is Europe/Berlin`);
  if (period.kind !== "calendar") throw new RangeError("only windows of the calendar have a time zone: leave it out");
}

function readCarry(text: string, period: Period, { measure, limit }: Pick<Budget, "measure" | "limit">): bigint | null {
  if (text === "none") return null;
  if (period.kind !== "calendar")
    throw new RangeError("only windows of the calendar end and leave a rest: a limit for ever, and a rolling one, carry nothing over");
  if (text === "all") return carryAll;
  const most = parseAmount(text, measure);
  // Only the window before is carried over; a grant may make its rest larger than the limit.
  if (most > 100n * limit) throw new RangeError(`${quote(text)} is more than a hundred times the limit: write all`);
  return most;
}

function readDegrade(said: BudgetTerms["degrade"]): Degrade[] {
  const steps = said.map((step, index) => at(String(index), () => toDegrade(step)));
  const seen = new Set<string>();
  for (const { usedPercent, to } of steps) {
    const key = `${to.kind} at ${usedPercent}%`;
    if (seen.has(key)) throw new RangeError(`two say ${key}`);
    seen.add(key);
  }
  return steps.toSorted((a, b) => a.usedPercent - b.usedPercent);
}

function toDegrade({ at: from, model, cap, wait }: BudgetTerms["degrade"][number]): Degrade {
  const usedPercent = parsePercent(from, 100);
  if ([model, cap, wait].filter((one) => one !== undefined).length !== 1)
    throw new RangeError("expected one of model, cap and wait: what is done from then on");
  if (model !== undefined) return { usedPercent, to: { kind: "model", model } };
  if (cap !== undefined) return { usedPercent, to: { kind: "cap", tokens: cap } };
  const msMax = parseDuration(wait ?? "");
  if (msMax > waitMsMax) throw new RangeError(`wait: ${quote(wait ?? "")} is longer than a call can wait (10m)`);
  return { usedPercent, to: { kind: "wait", msMax } };
}

const waitMsMax = 600_000;

function readAlerts(said: readonly string[], mode: Budget["mode"]): number[] {
  return at("alerts", () => {
    // What is hard is never used to more than all of it, but by settlements past a hold and grants that were taken back.
    const alerts = said.map((text) => parsePercent(text, mode === "hard" ? 100 : 1_000));
    const twice = alerts.find((percent, index) => alerts.indexOf(percent) !== index);
    if (twice !== undefined) throw new RangeError(`${twice}% stands there twice`);
    return alerts.toSorted((a, b) => a - b);
  });
}

function readShares({ shares }: RateTerms, budget: Pick<Budget, "measure" | "limit" | "scope">, edges: Edges): Budget["shares"] {
  if (shares === undefined) return null;
  const [first, ...others] = Object.entries(shares);
  if (first === undefined || others.length > 0) throw new RangeError("expected one field, and a number for each of its values");
  const field = toField(first[0]);
  if (field === "task") throw new RangeError("tasks come and go, and have no share; agents, teams, keys or customers have");
  if (budget.measure !== "open") throw new RangeError("only calls at once are shared out: the limit is, for example, 20 at once");
  if (budget.scope[field] !== undefined) throw new RangeError(`for says which ${field} is meant, so there is nothing to share`);
  const of = new Map<string, number>();
  for (const [value, count] of Object.entries(first[1])) of.set(toValue(field, value, edges), count);
  const sum = [...of.values()].reduce((total, count) => total + BigInt(count), 0n);
  if (sum > budget.limit) throw new RangeError(`they add up to ${sum}, and the limit is ${budget.limit} at once`);
  if (!edges.waits)
    throw new RangeError("what is lent out comes back when a call ends, and for that a call has to wait: set guard.waitMsMax above 0");
  return { field, of: Object.fromEntries(of) };
}

/** The same terms as text; of customers, users and keys their tokens and ids. */
export function writeTerms(budget: Budget): Terms {
  const { kind, owner, scope, each, mode, unbounded, alerts, period } = budget;
  const common = {
    owner,
    for: Object.fromEntries(Object.entries(scope).filter((pair): pair is [string, string] => typeof pair[1] === "string")),
    each: [...each],
    limit: formatLimit(budget, kind),
    mode,
    unbounded,
    alerts: alerts.map((percent) => `${percent}%`),
  };
  if (kind === "rate") {
    const { shares, priority } = budget;
    return { kind, ...common, ...(shares === null ? {} : { shares: { [shares.field]: { ...shares.of } } }), priority };
  }
  const { carryMax, caps, usefulTokens, degrade, measure } = budget;
  return {
    kind,
    ...common,
    ...(period.kind === "calendar" && period.zone !== "UTC" ? { zone: period.zone } : {}),
    carry: carryMax === null ? "none" : carryMax === carryAll ? "all" : formatAmount(carryMax, measure),
    caps,
    ...(usefulTokens === null ? {} : { useful: usefulTokens }),
    degrade: degrade.map(({ usedPercent, to }) => Object.assign({ at: `${usedPercent}%` }, writeStep(to))),
  };
}

function writeStep(to: Degrade["to"]): Omit<BudgetTerms["degrade"][number], "at"> {
  switch (to.kind) {
    case "model":
      return { model: to.model };
    case "cap":
      return { cap: to.tokens };
    case "wait":
      return { wait: formatDuration(to.msMax) };
  }
}

/** Puts a term's name before what is wrong with it. */
function at<Result>(term: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof RangeError ? new RangeError(`${term}: ${cause.message}`, { cause }) : cause;
  }
}

function invalid(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("config_invalid", { detail }, cause);
}
