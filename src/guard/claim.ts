// What a call claims where others wait: its flow, its class, and what it takes at each rate. Pure but for shares that are defined on first use.
// Not here: whose turn it is (gate.ts).

import { type Account, amountOf, type Amounts } from "../core/account.ts";
import type { Asking } from "./asking.ts";
import type { Claim } from "./gate.ts";
import type { Degraded } from "./plan.ts";
import type { Shares } from "./shares.ts";

/** Whose turn it is: a heavy one of these slows only itself. */
export type Fair = "key" | "team" | "agent" | "feature" | "customer" | "user";

export function toClaim(
  asking: Asking,
  accounts: readonly Account[],
  amounts: Amounts,
  { waitMs }: Degraded,
  { fair }: { readonly fair: Fair },
  shares: Shares,
): Required<Claim> {
  const gates = accounts.filter(({ budget }) => budget.mode === "hard" && (budget.kind === "rate" || waitMs > 0));
  const takes = new Map(gates.map(({ name, measure }) => [name, amountOf(measure, amounts) ?? 1n]));
  return {
    flow: (fair === "key" ? asking.key : asking.attribution[fair]) ?? "",
    priority: Math.max(0, ...gates.map(({ budget }) => budget.priority)),
    gates: [...takes.keys()],
    takes: (gate) => takes.get(gate) ?? 1n,
    values: valuesOf(asking, gates, shares),
  };
}

const nothing: ReadonlyMap<string, string> = new Map();

/** By gate, the value of the field that its guaranteed shares are of. */
export function valuesOf(
  { attribution, key, provider, model }: Asking,
  accounts: readonly Account[],
  shares: Shares,
): ReadonlyMap<string, string> {
  if (accounts.every(({ budget }) => budget.shares === null)) return nothing;
  const values = new Map<string, string>();
  for (const { name, budget } of accounts) {
    if (budget.shares === null) continue;
    const { field } = budget.shares;
    const value = field === "key" ? key : field === "provider" ? provider : field === "model" ? model : attribution[field];
    shares.define(name, budget.shares);
    if (value !== null) values.set(name, value);
  }
  return values;
}
