// Cells: the places where a statement and the ledger are compared, with what each says. Rules (causes.ts) correct the ledger's side of a cell
// one after another. Not here: how cells are made (reconcile.ts). Invariant: what a rule corrects is its amount, so that all amounts and what is left add up to the gap.

import { divideHalfEven, type Pico, type Rate, toPico } from "./money.ts";
import type { UsageClass } from "./usage.ts";

/** A quantity that both sides state, and what it costs in the ledger. */
export interface Part {
  readonly class: UsageClass;
  readonly stated: number;
  /** What the statement says of it by tier; empty: it does not tell tiers apart. */
  readonly statedByTier: ReadonlyMap<string, number>;
  ledger: number;
  ledgerPico: bigint;
  /** Of the ledger's: calls nobody saw the end of, at their bound. */
  presumed: number;
  presumedPico: bigint;
  /** Of the ledger's: estimates, and the last that was reported of answers that broke off. */
  readonly guessed: number;
  /** Of the ledger's: what has no price. */
  readonly unpriced: number;
}

export interface Cell {
  /** Index of its period, and its first instant. */
  readonly period: number;
  readonly fromMs: number;
  readonly model: string | null;
  readonly class: UsageClass | null;
  /** It is no usage of a model. */
  readonly isOther: boolean;
  /** Whether the ledger has the model at all. */
  readonly isSeen: boolean;
  readonly statedPico: bigint;
  ledgerPico: bigint;
  /** All the usage that is in it; null: the statement does not say. */
  readonly parts: readonly Part[] | null;
  readonly presumedPico: bigint;
  readonly unpriced: number;
  /** Calls of the model in the period of which no usage is known. */
  readonly unmetered: number;
  /** How far two exact figures may lie apart here by rounding. */
  readonly tolerancePico: bigint;
}

/** The price of a class in a tier at a time; null: it is not known. */
export type PriceOf = (model: string, name: UsageClass, tier: string | null, atMs: number) => Rate | null;

export const causeKinds = [
  "bypassed",
  "other",
  "unpriced",
  "presumed",
  "estimated",
  "unmetered",
  "tier",
  "cache_ttl",
  "discount",
  "price",
  "late",
  "rounding",
] as const;

export type CauseKind = (typeof causeKinds)[number];

export interface Correction {
  readonly kind: CauseKind;
  readonly cell: Cell;
  readonly amountPico: bigint;
  readonly quantity: number;
  readonly why: string;
}

export class Corrections {
  readonly cells: readonly Cell[];
  readonly made: Correction[] = [];

  constructor(cells: readonly Cell[]) {
    this.cells = cells;
  }

  /** Puts the ledger's side of a cell right by an amount, and a quantity of one of its parts. */
  correct(kind: CauseKind, cell: Cell, amountPico: bigint, why: string, part: Part | null = null, quantity = 0): void {
    if (amountPico === 0n && quantity === 0) return;
    cell.ledgerPico += amountPico;
    if (part !== null) {
      part.ledgerPico += amountPico;
      part.ledger += quantity;
    }
    this.made.push({ kind, cell, amountPico, quantity, why });
  }

  /** Multiplies what the ledger says a cell costs. */
  scale(kind: CauseKind, cell: Cell, factor: Factor, why: string): void {
    const scaled = (pico: bigint): bigint => divideHalfEven(pico * factor.numerator, factor.denominator) - pico;
    if (cell.parts === null || cell.parts.length === 0) this.correct(kind, cell, scaled(cell.ledgerPico), why);
    else for (const part of cell.parts) this.correct(kind, cell, scaled(part.ledgerPico), why, part);
  }
}

/** A ratio; the denominator is above zero. */
export interface Factor {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export function residual(cell: Cell): bigint {
  return cell.statedPico - cell.ledgerPico;
}

export function isOpen(cell: Cell): boolean {
  return magnitude(residual(cell)) > cell.tolerancePico;
}

export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** What so many units of a part cost at the ledger's own average; null: it has none. */
export function valueOf(part: Part, quantity: number): Pico | null {
  if (part.ledger <= 0) return null;
  return toPico(divideHalfEven(part.ledgerPico * BigInt(quantity), BigInt(part.ledger)));
}

export function atRate(rate: Rate, quantity: number): Pico {
  return toPico(divideHalfEven(rate.pico * BigInt(quantity), rate.per));
}

/** What the difference in quantities alone comes to, at the ledger's prices; null: that cannot be said. */
export function volumeOf(cell: Cell): bigint | null {
  if (cell.parts === null) return null;
  let sum = 0n;
  for (const part of cell.parts) {
    if (part.stated === part.ledger) continue;
    const value = valueOf(part, part.stated - part.ledger);
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

/** What the statement's quantities would cost at the ledger's prices; null: that cannot be said. */
export function expectedOf(cell: Cell): bigint | null {
  const volume = volumeOf(cell);
  return volume === null ? null : cell.ledgerPico + volume;
}

export function isEven(cell: Cell): boolean {
  return cell.parts !== null && cell.parts.every((part) => part.stated === part.ledger);
}

/** Cells by any key; those without one are left out. */
export function groupCells(cells: readonly Cell[], keyOf: (cell: Cell) => string | null): Cell[][] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = keyOf(cell);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return [...groups.values()];
}

export const byPeriodAndModel = (cell: Cell): string => `${cell.period} ${cell.model ?? ""}`;
