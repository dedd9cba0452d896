// A charge is one line of cost: class × quantity × price. A call's charges are its receipt.
// Invariant: `costPico` equals `cost(rate, quantity)`; `pennyworth receipt` recomputes it.

import { parseUsd, type Pico, sum } from "./money.ts";
import type { QuantitySource, UsageClass } from "./usage.ts";

export interface Charge {
  readonly class: UsageClass;
  readonly quantity: number;
  readonly source: QuantitySource;
  /** The model whose price was used: a canonical id of the price book. */
  readonly model: string;
  /** Which sampling step of the call, from 0. */
  readonly part: number;
  /** The price's version: names one record of one source for ever. */
  readonly price: string;
  /** The rate used: `ratePico` picodollars per `ratePer` units. */
  readonly ratePico: bigint;
  readonly ratePer: bigint;
  readonly costPico: Pico;
}

/** Largest cost of a call that a row of a store can hold: DECIMAL(18,12). A dearer one is unpriced in reports; its receipt has it. */
export const rowCostMax = parseUsd("999999.999999999999");

/** A call's usage with what it cost. `unpriced` lists classes with a quantity but without a price: unknown, not zero. */
export interface Rating {
  readonly charges: readonly Charge[];
  readonly unpriced: readonly UsageClass[];
}

export function total(charges: readonly Charge[]): Pico {
  return sum(charges.map((charge) => charge.costPico));
}
