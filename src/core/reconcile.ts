// Reconciliation: a provider's statement beside the ledger, by day, model and class, as fine as both tell; the gap between them, and its causes.
// Not here: what each cause looks like (causes.ts, ratios.ts). Invariant: rows add up to the totals and causes to the gap, to the last digit.

import { align, type Alignment } from "./align.ts";
import { atRate, type Cell, type CauseKind, magnitude, type Part, type PriceOf, residual, valueOf } from "./cell.ts";
import { explain } from "./causes.ts";
import { type Pico, sum, toPico } from "./money.ts";
import { compareWhole } from "./order.ts";
import { type Scope, type Scopes, toScopes, unmeteredKey } from "./scope.ts";
import type { LedgerLine, Statement } from "./statement.ts";
import type { UsageClass } from "./usage.ts";

export interface ReconcileOptions {
  /** ms UTC; what is outside is left out of both. null: the statement's own span. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** When the statement was read. */
  readonly nowMs: number;
  /** What the price book takes a name for; null: it does not know it. */
  readonly canonical: (model: string) => string | null;
  readonly priceOf: PriceOf;
}

/** What one side says of a row. null: it does not say, or its units cannot be added. */
export interface Measure {
  readonly quantity: number | null;
  readonly costPico: Pico | null;
}

export interface Row {
  readonly fromMs: number;
  readonly toMs: number;
  /** null: not told apart by model. */
  readonly model: string | null;
  readonly class: UsageClass | null;
  /** The provider's words, where it is no usage of a model. */
  readonly item: string | null;
  readonly stated: Measure;
  readonly ledger: Measure;
  /** Stated less ledger. */
  readonly gap: Measure;
}

export interface Cause {
  readonly kind: CauseKind | "unexplained";
  /** Its part of the gap: above zero where the statement has more. */
  readonly amountPico: Pico;
  /** The same without regard to sign: usage that moved to another day cancels out. */
  readonly grossPico: Pico;
  /** The evidence, in words. */
  readonly why: readonly string[];
  /** The largest first, at most `placesMax`. */
  readonly places: readonly {
    readonly fromMs: number;
    readonly model: string | null;
    readonly class: UsageClass | null;
    readonly quantity: number;
    readonly amountPico: Pico;
  }[];
}

export interface Reconciliation {
  readonly fromMs: number;
  readonly toMs: number;
  /** `amounts`: the statement's own. `prices`: it has none, and its quantities are valued at the ledger's prices. */
  readonly basis: "amounts" | "prices";
  /** The largest gap first. */
  readonly rows: readonly Row[];
  readonly statedPico: Pico;
  readonly ledgerPico: Pico;
  readonly gapPico: Pico;
  /** They add up to the gap; what is unexplained comes last. */
  readonly causes: readonly Cause[];
  readonly models: Pick<Alignment, "joined" | "statedOnly" | "ledgerOnly">;
  /**
   * In units of 10⁻¹²: shown, and not compared. `ledgerPico` is what the ledger has of the same usage, which is compared all the same where
   * some of it is charged in dollars.
   */
  readonly foreign: readonly { readonly currency: string; readonly amount: bigint; readonly ledgerPico: Pico }[];
  /** Quantities of a statement without amounts that nothing gives a price. */
  readonly unvalued: readonly {
    readonly fromMs: number;
    readonly model: string | null;
    readonly class: UsageClass | null;
    readonly quantity: number;
  }[];
}

export const placesMax = 20;

export function reconcile(statement: Statement, ledger: readonly LedgerLine[], options: ReconcileOptions): Reconciliation {
  const models = align(namesOf(statement.lines), namesOf(ledger), options.canonical);
  const scopes = toScopes(statement, ledger, models.label, options);
  const found = new Map(
    scopes.list.map((scope) => [scope, scopes.hasCost ? comparedCell(scope, scopes) : valuedCell(scope, scopes, options.priceOf)]),
  );
  const cells = [...found.values()].filter((cell) => cell !== null);
  const rows = scopes.list.map((scope) => toRow(scope, scopes, found.get(scope) ?? null)).toSorted(byGap);
  const statedPico = toPico(cells.reduce((all, cell) => all + cell.statedPico, 0n));
  const ledgerPico = toPico(cells.reduce((all, cell) => all + cell.ledgerPico, 0n));
  return {
    fromMs: scopes.fromMs,
    toMs: scopes.toMs,
    basis: scopes.hasCost ? "amounts" : "prices",
    rows,
    statedPico,
    ledgerPico,
    gapPico: toPico(statedPico - ledgerPico),
    causes: causesOf(found, options),
    models: { joined: models.joined, statedOnly: models.statedOnly, ledgerOnly: models.ledgerOnly },
    foreign: foreignOf(scopes),
    unvalued: scopes.hasCost
      ? []
      : scopes.list.filter((scope) => (found.get(scope) ?? null) === null && (scope.quantity ?? 0) > 0).map(toUnvalued),
  };
}

function namesOf(lines: readonly { readonly model: string | null }[]): string[] {
  return [...new Set(lines.flatMap(({ model }) => (model === null ? [] : [model])))];
}

/** A cell of what is compared by cost; null: the scope has none, or all of it is in another currency. */
function comparedCell(scope: Scope, scopes: Scopes): Cell | null {
  const hasCost = scope.statedPico !== null || scope.costLines.length > 0;
  if (!hasCost || (scope.foreign.size > 0 && scope.statedPico === null)) return null;
  return { ...cellOf(scope, scopes), statedPico: scope.statedPico ?? 0n, parts: partsUnder(scope, scopes) };
}

/** A cell of a statement without amounts: its quantities at the ledger's prices. null: there is no price, or no quantity. */
function valuedCell(scope: Scope, scopes: Scopes, priceOf: PriceOf): Cell | null {
  if (scope.class === null || (scope.quantity === null && scope.lines > 0)) return null;
  const part = toPart(scope, scope.class);
  const rate = scope.model === null ? null : priceOf(scope.model, scope.class, null, scope.fromMs);
  const statedPico = (part.ledgerPico > 0n ? valueOf(part, part.stated) : null) ?? (rate === null ? null : atRate(rate, part.stated));
  if (statedPico === null && part.stated > 0) return null;
  return { ...cellOf(scope, scopes), statedPico: statedPico ?? 0n, parts: [part] };
}

function cellOf(scope: Scope, scopes: Scopes): Omit<Cell, "statedPico" | "parts"> {
  const { period, fromMs, model, holds, costLines } = scope;
  const presumed = costLines.filter((line) => line.source === "presumed");
  return {
    period,
    fromMs,
    model,
    class: scope.class,
    isOther: holds?.length === 0,
    isSeen: model === null ? holds === null || holds.some((name) => scopes.classes.has(name)) : scopes.models.has(model),
    ledgerPico: costOf(costLines),
    presumedPico: costOf(presumed),
    unpriced: costLines.reduce((all, line) => all + line.unpriced, 0),
    unmetered: scopes.unmetered.get(unmeteredKey(period, model)) ?? 0,
    // Each of our own charges is rounded once, to a picodollar.
    tolerancePico: scope.halfPico + BigInt(costLines.reduce((all, line) => all + line.calls, 0)) + 1n,
  };
}

/** The quantities that a scope's cost is made of; null: the statement does not state them all. */
function partsUnder(scope: Scope, scopes: Scopes): Part[] | null {
  if (!scopes.hasQuantity) return null;
  if (scope.class !== null && (scope.quantity !== null || scope.lines === 0)) return [toPart(scope, scope.class)];
  const under = scopes
    .of(scope.period)
    .filter(
      (one) =>
        one !== scope &&
        one.quantity !== null &&
        one.statedPico === null &&
        one.class !== null &&
        scopes.find("cost", one.period, one.model, one.class) === scope,
    );
  const parts = under.map((one) => toPart(one, one.class as UsageClass));
  const isAll = parts.reduce((all, part) => all + part.ledgerPico, 0n) === costOf(scope.costLines);
  return parts.length > 0 && isAll ? parts : null;
}

function toPart(scope: Scope, name: UsageClass): Part {
  const { quantityLines } = scope;
  const presumed = quantityLines.filter((line) => line.source === "presumed");
  const guessed = quantityLines.filter((line) => line.source === "estimated" || line.source === "partial");
  return {
    class: name,
    stated: scope.quantity ?? 0,
    statedByTier: scope.quantityByTier,
    ledger: quantityOf(quantityLines),
    ledgerPico: costOf(quantityLines),
    presumed: quantityOf(presumed),
    presumedPico: costOf(presumed),
    guessed: quantityOf(guessed),
    unpriced: quantityLines.reduce((all, line) => all + line.unpriced, 0),
  };
}

function toRow(scope: Scope, scopes: Scopes, cell: Cell | null): Row {
  const { fromMs, toMs, model, class: name, item } = scope;
  const ledgerOnly = scope.lines === 0;
  const withQuantity = name !== null && (scope.quantity !== null || scope.quantityLines.length > 0);
  const withCost = scope.statedPico !== null || scope.foreign.size > 0 || scope.costLines.length > 0;
  const ledger = {
    quantity: withQuantity ? quantityOf(scope.quantityLines) : null,
    costPico: withCost || !scopes.hasCost ? costOf(scope.costLines) : null,
  };
  const isCounted = scope.quantity !== null || (ledgerOnly && scopes.hasQuantity);
  return {
    fromMs,
    toMs,
    model,
    class: name,
    item,
    stated: { quantity: scope.quantity, costPico: scope.statedPico === null ? null : toPico(scope.statedPico) },
    ledger,
    gap: {
      quantity: isCounted && ledger.quantity !== null ? (scope.quantity ?? 0) - ledger.quantity : null,
      costPico: cell === null ? null : toPico(residual(cell)),
    },
  };
}

function causesOf(found: ReadonlyMap<Scope, Cell | null>, options: ReconcileOptions): Cause[] {
  const all = [...found].flatMap(([scope, cell]) => (cell === null ? [] : [{ scope, cell }]));
  // What is charged in two currencies looks like a discount in one of them: no rule is asked about it.
  const plain = all.filter(({ scope }) => scope.foreign.size === 0).map(({ cell }) => cell);
  const { made } = explain(plain, options.priceOf, options.nowMs);
  const kinds = new Map<Cause["kind"], Explained[]>();
  for (const one of made) {
    const list = kinds.get(one.kind);
    if (list === undefined) kinds.set(one.kind, [one]);
    else list.push(one);
  }
  const causes = [...kinds].map(([kind, list]) => toCause(kind, list)).toSorted((a, b) => compareWhole(b.grossPico, a.grossPico));
  const left = all
    .filter(({ cell }) => residual(cell) !== 0n)
    .map(({ scope, cell }) => ({ cell, amountPico: residual(cell), quantity: 0, why: whyLeft(scope) }));
  return left.length === 0 ? causes : [...causes, toCause("unexplained", left)];
}

function whyLeft({ foreign }: Scope): string {
  if (foreign.size === 0) return "";
  return `charged in USD and in ${[...foreign.keys()].toSorted().join(", ")}: only the dollars are compared, with all that the ledger has of the usage`;
}

interface Explained {
  readonly cell: Cell;
  readonly amountPico: bigint;
  readonly quantity: number;
  readonly why: string;
}

function toCause(kind: Cause["kind"], list: readonly Explained[]): Cause {
  const places = list.map(({ cell: { fromMs, model, class: name }, amountPico, quantity }) => ({
    fromMs,
    model,
    class: name,
    quantity,
    amountPico: toPico(amountPico),
  }));
  return {
    kind,
    amountPico: sum(places.map((place) => place.amountPico)),
    grossPico: sum(places.map((place) => toPico(magnitude(place.amountPico)))),
    why: [...new Set(list.map((one) => one.why))].filter((why) => why !== ""),
    places: places.toSorted((a, b) => compareWhole(magnitude(b.amountPico), magnitude(a.amountPico))).slice(0, placesMax),
  };
}

function foreignOf(scopes: Scopes): Reconciliation["foreign"] {
  const totals = new Map<string, { amount: bigint; ledgerPico: bigint }>();
  for (const scope of scopes.list)
    for (const [currency, amount] of scope.foreign) {
      const before = totals.get(currency) ?? { amount: 0n, ledgerPico: 0n };
      totals.set(currency, { amount: before.amount + amount, ledgerPico: before.ledgerPico + costOf(scope.costLines) });
    }
  return [...totals].map(([currency, { amount, ledgerPico }]) => ({ currency, amount, ledgerPico: toPico(ledgerPico) }));
}

function toUnvalued({ fromMs, model, class: name, quantity }: Scope): Reconciliation["unvalued"][number] {
  return { fromMs, model, class: name, quantity: quantity ?? 0 };
}

function costOf(lines: readonly LedgerLine[]): Pico {
  return sum(lines.map((line) => line.costPico));
}

function quantityOf(lines: readonly LedgerLine[]): number {
  return lines.reduce((all, line) => all + line.quantity, 0);
}

function byGap(a: Row, b: Row): number {
  const [one, other] = [magnitude(a.gap.costPico ?? 0n), magnitude(b.gap.costPico ?? 0n)];
  return (
    compareWhole(other, one) ||
    a.fromMs - b.fromMs ||
    (a.model ?? "").localeCompare(b.model ?? "") ||
    (a.class ?? "").localeCompare(b.class ?? "")
  );
}
