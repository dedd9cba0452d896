// What a call took, as budgets count it: as its end says, or the most it can have been where the provider did not say. Pure.
// Not here: where it is posted (core/guard.ts). Invariant: what nobody reported counts as its bound, and never as nothing.

import type { CallEnd, Observation } from "../core/call.ts";
import { total } from "../core/charge.ts";
import type { Hold } from "../core/guard.ts";
import { parseUsd } from "../core/money.ts";
import { inputTokens, outputTokens, totalQuantities } from "../core/usage.ts";

export interface TakenBy {
  /** `nothing`: nothing was sent, or the provider charges nothing for it. */
  readonly kind: "nothing" | "settled" | "presumed";
  readonly amounts: { readonly money: bigint; readonly tokens: bigint };
  readonly outputTokens: number;
}

const nothing: TakenBy = { kind: "nothing", amounts: { money: 0n, tokens: 0n }, outputTokens: 0 };

/** @param held null: the call held nothing. */
export function takenBy(
  end: (Pick<CallEnd, "status" | "usage" | "charges" | "unpriced"> & { readonly atMost?: CallEnd["atMost"] }) | Observation,
  held: Pick<Hold, "money" | "tokens"> | null,
): TakenBy {
  const { usage, status, charges, unpriced } = end;
  const atMost = "atMost" in end ? end.atMost : undefined;
  if (status === "unreached" || (usage === null && atMost === undefined)) return nothing;
  const totals = usage === null ? {} : totalQuantities(usage);
  const output = outputTokens(totals);
  const amounts = { money: total(charges) as bigint, tokens: BigInt(inputTokens(totals) + output) };
  if (atMost !== undefined) return { kind: "presumed", amounts: atMostOf(atMost, amounts), outputTokens: output };
  // What has no price yet counts as much as was held for it.
  const money = unpriced.length > 0 || usage?.source !== "reported" ? most(held?.money, amounts.money) : amounts.money;
  const tokens = usage?.source !== "reported" ? most(held?.tokens, amounts.tokens) : amounts.tokens;
  const kind = unpriced.length > 0 || usage?.source !== "reported" ? "presumed" : "settled";
  return { kind, amounts: { money, tokens }, outputTokens: output };
}

function atMostOf({ cost, tokens }: NonNullable<CallEnd["atMost"]>, least: TakenBy["amounts"]): TakenBy["amounts"] {
  return { money: most(parseUsd(cost), least.money), tokens: most(BigInt(tokens), least.tokens) };
}

function most(bound: bigint | null | undefined, least: bigint): bigint {
  return bound === null || bound === undefined || bound < least ? least : bound;
}
