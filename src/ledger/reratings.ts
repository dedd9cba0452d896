// Corrections as they stand in entries: there may be millions, so a charge is three numbers beside a table of the rates of its entry.
// Not here: other entries (codec.ts). Invariant: what is read is what was written, to the last digit, also where a cost is not what its rate says.

import type { Charge } from "../core/charge.ts";
import type { Rerated } from "../core/entry.ts";
import { cost, toPico } from "../core/money.ts";
import type { QuantitySource, UsageClass } from "../core/usage.ts";

/** Class, source, model, price, picodollars, per. */
type WrittenRate = readonly [UsageClass, QuantitySource, string, string, string, string];
/** Index of the rate, quantity; the part where it is not 0; picodollars where they are not what the rate says. */
type WrittenCharge = readonly [number, number, number?, string?];
/** Call, mark of the end it amends, charges (0: none), classes without a price. */
type WrittenRow = readonly [string, string, readonly WrittenCharge[] | 0, (readonly UsageClass[])?];

export interface WrittenReratings {
  readonly rates?: readonly WrittenRate[] | undefined;
  readonly calls?: readonly WrittenRow[] | undefined;
}

export function writeReratings(calls: readonly Rerated[]): WrittenReratings {
  const rates: WrittenRate[] = [];
  const known = new Map<string, number>();
  const rows = calls.map(({ call, of, charges, unpriced }): WrittenRow => {
    const written = charges.length === 0 ? 0 : charges.map((charge) => writeCharge(charge, rates, known));
    return unpriced.length === 0 ? [call, of, written] : [call, of, written, unpriced];
  });
  return { rates: rates.length === 0 ? undefined : rates, calls: rows.length === 0 ? undefined : rows };
}

export function readReratings({ rates = [], calls = [] }: WrittenReratings): readonly Rerated[] {
  const read = rates.map(([name, source, model, price, pico, per]) => ({
    class: name,
    source,
    model,
    price,
    ratePico: BigInt(pico),
    ratePer: BigInt(per),
  }));
  return calls.map(([call, of, charges, unpriced = []]) => ({
    call,
    of,
    charges: charges === 0 ? [] : charges.map((charge) => readCharge(charge, read)),
    unpriced,
  }));
}

function writeCharge(charge: Charge, rates: WrittenRate[], known: Map<string, number>): WrittenCharge {
  const rate: WrittenRate = [
    charge.class,
    charge.source,
    charge.model,
    charge.price,
    charge.ratePico.toString(),
    charge.ratePer.toString(),
  ];
  const key = JSON.stringify(rate);
  let index = known.get(key);
  if (index === undefined) {
    index = rates.push(rate) - 1;
    known.set(key, index);
  }
  const { quantity, part, costPico } = charge;
  if (costPico !== cost({ pico: charge.ratePico, per: charge.ratePer }, quantity)) return [index, quantity, part, costPico.toString()];
  return part === 0 ? [index, quantity] : [index, quantity, part];
}

function readCharge(
  [index, quantity, part = 0, pico]: WrittenCharge,
  rates: readonly Omit<Charge, "quantity" | "part" | "costPico">[],
): Charge {
  const { class: name, source, model, price, ratePico, ratePer } = rates[index] as (typeof rates)[number];
  const costPico = pico === undefined ? cost({ pico: ratePico, per: ratePer }, quantity) : toPico(BigInt(pico));
  return { class: name, quantity, source, model, part, price, ratePico, ratePer, costPico };
}
