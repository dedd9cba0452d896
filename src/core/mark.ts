// The mark of an end: a short name of what it says was used and what that was charged with, by which a correction names the end it amends.
// Not here: which corrections hold (resolve.ts). Invariant: stable for ever, since marks stand in the journal; an end that was rated anew, or
// that counted otherwise, has another one.

import type { CallEnd } from "./call.ts";
import { type QuantitySource, totalQuantities, type UsageClass } from "./usage.ts";

/** A line of what was used: a charge, or units that were not charged (`price` null). */
export interface Used {
  readonly class: UsageClass;
  readonly quantity: number;
  readonly price: string | null;
  /** Or its digits. */
  readonly costPico: bigint | string | null;
}

export function markOf({ usage, charges }: Pick<CallEnd, "usage" | "charges">): string {
  const lines: Used[] = [...charges];
  if (usage !== null)
    for (const { class: name, quantity } of restOf({ usage, charges })) lines.push({ class: name, quantity, price: null, costPico: null });
  return markOfLines(usage?.source ?? null, lines);
}

/** The same from lines: charges in their order, then what was not charged in that of the usage. */
export function markOfLines(source: QuantitySource | null, lines: readonly Used[]): string {
  let text = source ?? "";
  for (const { class: name, quantity, price, costPico } of lines)
    text += price === null ? `\n${name} ${quantity}` : `\n${name} ${quantity} ${costPico} ${price}`;
  return hash(text.replace(surrogates, "\ufffd"));
}

/** What a usage has beyond its charges: classes without a price, in whole or for some of the parts. */
export function restOf({
  usage,
  charges,
}: Pick<CallEnd, "usage" | "charges">): { readonly class: UsageClass; readonly quantity: number }[] {
  if (usage === null) return [];
  const charged: { [name in UsageClass]?: number } = {};
  for (const charge of charges) charged[charge.class] = (charged[charge.class] ?? 0) + charge.quantity;
  const used = totalQuantities(usage);
  const rests: { readonly class: UsageClass; readonly quantity: number }[] = [];
  for (const name of Object.keys(used) as UsageClass[]) {
    const quantity = (used[name] ?? 0) - (charged[name] ?? 0);
    if (charged[name] === undefined || quantity > 0) rests.push({ class: name, quantity });
  }
  return rests;
}

/** Tables hold no half of a surrogate pair. */
const surrogates = /\p{Surrogate}/gu;

/** 64 bits as two rounds of a multiplicative hash with their halves mixed: marks are told apart within one call only. */
function hash(text: string): string {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193) ^ (high >>> 15);
    low = Math.imul(low ^ unit, 0x5bd1e995) ^ (low >>> 13);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (high >>> 0).toString(36) + (low >>> 0).toString(36).padStart(7, "0");
}
