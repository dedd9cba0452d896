// Where sources do not agree on a price: what each says, class by class. Not here: which one goes. Invariant: rates are compared exactly, and a
// price that a source reckons from another class of its own is no statement of this one.

import { type Rate, showRate } from "../core/money.ts";
import { compareWhole } from "../core/order.ts";
import type { PricedStep, PriceQuery } from "../core/price.ts";
import { listUnits } from "../core/quote.ts";
import type { UsageClass } from "../core/usage.ts";
import type { Dispute } from "./view.ts";
import type { Witness } from "./witness.ts";

/** Classes of which at least two sources speak, at their lowest step, in the order of the classes. */
export function disputesOf(witnesses: readonly Witness[], query: PriceQuery): readonly Dispute[] {
  const said = new Map<UsageClass, { readonly source: string; readonly version: string; readonly rate: Rate }[]>();
  for (const { layer, book } of witnesses)
    for (const [name, [step]] of Object.entries(book.find(query)?.prices ?? {}) as [UsageClass, readonly PricedStep[]][]) {
      if (step === undefined || !step.price.endsWith(`#${name}`)) continue;
      const one = { source: layer.source, version: step.price, rate: step.rate };
      const others = said.get(name);
      if (others === undefined) said.set(name, [one]);
      else if (others.every(({ source }) => source !== one.source)) others.push(one);
    }
  return [...said].flatMap(([name, all]) => (all.length < 2 ? [] : [toDispute(name, all)]));
}

function toDispute(name: UsageClass, all: readonly { readonly source: string; readonly version: string; readonly rate: Rate }[]): Dispute {
  const per = listUnits(name);
  const usd = (rate: Rate): string => showRate(rate, BigInt(per));
  const sorted = all.toSorted((a, b) => compareRates(a.rate, b.rate));
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  return {
    class: name,
    per,
    said: all.map(({ source, version, rate }) => ({ source, version, usd: usd(rate) })),
    lowest: lowest === undefined ? "" : usd(lowest.rate),
    highest: highest === undefined ? "" : usd(highest.rate),
  };
}

/** Exactly: below 0 when `a` is the lower one. */
export function compareRates(a: Rate, b: Rate): number {
  return compareWhole(a.pico * b.per, b.pico * a.per);
}
