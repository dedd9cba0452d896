// What customers pay, as JSON text and back. Not here: all other entries (codec.ts). Invariant: as in codec.ts, reading what was written gives
// the same entry.

import { toPico } from "../core/money.ts";
import type { Revenue } from "../core/revenue.ts";
import type { Written } from "./fields.ts";

export type WrittenRevenue = Written<Revenue, { readonly amountPico: string }>;

export function writeRevenue({
  id,
  customer,
  plan,
  feature,
  every,
  amountPico,
  fromMs,
  toMs,
  bookedMs,
  witness,
  key,
}: Revenue): WrittenRevenue {
  return {
    id,
    customer: customer ?? undefined,
    plan: plan ?? undefined,
    feature: feature ?? undefined,
    every,
    amountPico: amountPico.toString(),
    fromMs,
    toMs: toMs ?? undefined,
    bookedMs,
    witness,
    key: key ?? undefined,
  };
}

export function readRevenue(said: WrittenRevenue): Revenue {
  return {
    id: said.id,
    customer: said.customer ?? null,
    plan: said.plan ?? null,
    feature: said.feature ?? null,
    every: said.every,
    amountPico: toPico(BigInt(said.amountPico)),
    fromMs: said.fromMs,
    toMs: said.toMs ?? null,
    bookedMs: said.bookedMs,
    witness: said.witness,
    key: said.key ?? null,
  };
}
