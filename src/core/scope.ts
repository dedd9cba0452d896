// Scopes: what each line of a statement is about, as day, model and classes, and which of the ledger's lines fall under it. Not here: why the two
// differ. Invariant: every line of the ledger is in exactly one scope for its cost and in exactly one for its quantity.

import type { LedgerLine, Statement, StatementLine } from "./statement.ts";
import { dayMs } from "./time.ts";
import type { UsageClass } from "./usage.ts";

export interface Scope {
  readonly period: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly model: string | null;
  readonly class: UsageClass | null;
  /** null: every class; none: no usage of a model. */
  readonly holds: readonly UsageClass[] | null;
  readonly item: string | null;
  /** Lines of the statement; 0: only the ledger has it. */
  lines: number;
  /** null: the statement does not say. */
  quantity: number | null;
  readonly quantityByTier: Map<string, number>;
  statedPico: bigint | null;
  /** Half a step for each amount. */
  halfPico: bigint;
  /** Amounts in other currencies: the scope is not compared. */
  readonly foreign: Map<string, bigint>;
  readonly costLines: LedgerLine[];
  readonly quantityLines: LedgerLine[];
}

export interface Scopes {
  readonly fromMs: number;
  readonly toMs: number;
  readonly hasQuantity: boolean;
  readonly hasCost: boolean;
  readonly list: readonly Scope[];
  /** Those of a period. */
  readonly of: (period: number) => readonly Scope[];
  /** The scope that a class of a model is under, in a period. */
  readonly find: (measure: "quantity" | "cost", period: number, model: string | null, name: UsageClass) => Scope | null;
  /** Calls without any usage, by `unmeteredKey`. */
  readonly unmetered: ReadonlyMap<string, number>;
  /** Models the ledger has, as labels; and classes. */
  readonly models: ReadonlySet<string>;
  readonly classes: ReadonlySet<UsageClass>;
}

export function unmeteredKey(period: number, model: string | null): string {
  return `${period} ${model ?? ""}`;
}

/** @param label under which a model's name is compared. */
export function toScopes(
  statement: Statement,
  ledger: readonly LedgerLine[],
  label: (name: string) => string,
  { fromMs, toMs }: { readonly fromMs: number | null; readonly toMs: number | null },
): Scopes {
  const isIn = (ms: number): boolean => (fromMs === null || ms >= fromMs) && (toMs === null || ms < toMs);
  const lines = statement.lines.filter((line) => isIn(line.fromMs));
  const from = fromMs ?? floorDay(statement.fromMs ?? 0);
  const to = toMs ?? ceilDay(statement.toMs ?? 0);
  const mine = ledger.filter((line) => line.dayMs >= from && line.dayMs < to);
  const periods = periodsOf(lines, mine);
  const table = new Table(periods);
  for (const line of lines) table.state(line, line.model === null ? null : label(line.model));
  table.index();
  const unmetered = new Map<string, number>();
  const [models, classes] = [new Set<string>(), new Set<UsageClass>()];
  for (const line of mine) {
    const model = line.model === null ? null : label(line.model);
    const period = periodAt(periods, line.dayMs);
    if (model !== null) models.add(model);
    if (line.unmetered > 0) {
      const key = unmeteredKey(period, model);
      unmetered.set(key, (unmetered.get(key) ?? 0) + line.unmetered);
    }
    // A class that was reported as nothing is no row.
    if (line.class === null || (line.quantity === 0 && line.costPico === 0n)) continue;
    classes.add(line.class);
    table.book(line, period, model, line.class);
  }
  const { quantity: hasQuantity, cost: hasCost } = statement.complete;
  return { fromMs: from, toMs: to, hasQuantity, hasCost, list: table.list, of: table.of, find: table.find, unmetered, models, classes };
}

class Table {
  readonly list: Scope[] = [];
  readonly #byKey = new Map<string, Scope>();
  readonly #byPeriod = new Map<number, Scope[]>();
  readonly #byPlace = new Map<string, Scope[]>();
  readonly #periods: readonly Period[];

  constructor(periods: readonly Period[]) {
    this.#periods = periods;
  }

  state(line: StatementLine, model: string | null): void {
    const period = periodAt(this.#periods, line.fromMs);
    const item = line.holds?.length === 0 ? (line.item ?? "") : null;
    const scope = this.#scope(period, model, line.class, line.holds, item);
    scope.lines += 1;
    if (line.quantity !== null) {
      scope.quantity = (scope.quantity ?? 0) + line.quantity;
      if (line.tier !== null) scope.quantityByTier.set(line.tier, (scope.quantityByTier.get(line.tier) ?? 0) + line.quantity);
    }
    if (line.costPico === null) return;
    if (line.currency === "USD") {
      scope.statedPico = (scope.statedPico ?? 0n) + line.costPico;
      scope.halfPico += line.stepPico / 2n;
    } else scope.foreign.set(line.currency, (scope.foreign.get(line.currency) ?? 0n) + line.costPico);
  }

  /** Once all of the statement is in. */
  index(): void {
    for (const scope of this.list) {
      const key = placeOf(scope.period, scope.model);
      this.#byPlace.set(key, [...(this.#byPlace.get(key) ?? []), scope]);
    }
  }

  book(line: LedgerLine, period: number, model: string | null, name: UsageClass): void {
    const cost = this.find("cost", period, model, name);
    const quantity = this.find("quantity", period, model, name);
    const own = cost ?? quantity ?? this.#scope(period, model, name, [name], null);
    (cost ?? own).costLines.push(line);
    (quantity ?? own).quantityLines.push(line);
  }

  of = (period: number): readonly Scope[] => this.#byPeriod.get(period) ?? [];

  find = (measure: "quantity" | "cost", period: number, model: string | null, name: UsageClass): Scope | null => {
    const candidates = [...(this.#byPlace.get(placeOf(period, model)) ?? []), ...(this.#byPlace.get(placeOf(period, null)) ?? [])];
    let best: Scope | null = null;
    for (const scope of candidates) {
      if (measure === "quantity" ? scope.quantity === null : scope.statedPico === null && scope.foreign.size === 0) continue;
      if (scope.holds !== null && !scope.holds.includes(name)) continue;
      if (best === null || breadth(scope, model, name) < breadth(best, model, name)) best = scope;
    }
    return best;
  };

  #scope(period: number, model: string | null, name: UsageClass | null, holds: readonly UsageClass[] | null, item: string | null): Scope {
    const key = [period, model ?? "", name ?? "", holds === null ? "*" : holds.join(","), item ?? ""].join("|");
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    const { fromMs, toMs } = this.#periods[period] as Period;
    const made: Scope = {
      period,
      fromMs,
      toMs,
      model,
      class: name,
      holds,
      item,
      lines: 0,
      quantity: null,
      quantityByTier: new Map(),
      statedPico: null,
      halfPico: 0n,
      foreign: new Map(),
      costLines: [],
      quantityLines: [],
    };
    this.list.push(made);
    const others = this.#byPeriod.get(period);
    if (others === undefined) this.#byPeriod.set(period, [made]);
    else others.push(made);
    this.#byKey.set(key, made);
    return made;
  }
}

/** How much more than one class of one model a scope is about: the narrowest takes the line. */
function breadth(scope: Scope, model: string | null, name: UsageClass): number {
  const otherModel = scope.model === model ? 0 : 1_000;
  return otherModel + (scope.holds === null ? 500 : scope.holds.length * 2) + (scope.class === name ? 0 : 1);
}

function placeOf(period: number, model: string | null): string {
  return `${period} ${model ?? ""}`;
}

interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Days, and what the statement says of several days in one; ascending, none over another. */
function periodsOf(lines: readonly StatementLine[], ledger: readonly LedgerLine[]): Period[] {
  const spans = new Map<string, Period>();
  const add = (fromMs: number, toMs: number): void => void spans.set(`${fromMs} ${toMs}`, { fromMs, toMs });
  for (const line of lines) add(floorDay(line.fromMs), Math.max(ceilDay(line.toMs), floorDay(line.fromMs) + dayMs));
  for (const line of ledger) add(line.dayMs, line.dayMs + dayMs);
  const merged: { fromMs: number; toMs: number }[] = [];
  for (const span of [...spans.values()].toSorted((a, b) => a.fromMs - b.fromMs || b.toMs - a.toMs)) {
    const last = merged.at(-1);
    if (last !== undefined && span.fromMs < last.toMs) last.toMs = Math.max(last.toMs, span.toMs);
    else merged.push({ ...span });
  }
  return merged;
}

function periodAt(periods: readonly Period[], ms: number): number {
  let [low, high] = [0, periods.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((periods[middle]?.fromMs ?? 0) <= ms) low = middle;
    else high = middle - 1;
  }
  return low;
}

function floorDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}

function ceilDay(ms: number): number {
  return Math.ceil(ms / dayMs) * dayMs;
}
