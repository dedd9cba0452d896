// What a call sent again: of its prompt, the tokens that one before it had sent too, and what of these was paid for as new. Pure; no SQL.
// Not here: which bytes were sent before (the gateway), what leaving it out saves (economics/steps.ts). Invariant: what is not known is null.

import type { CallEnd, CallStart } from "../core/call.ts";
import { type Charge, rowCostMax, total } from "../core/charge.ts";
import { cost, formatUsd, type Pico } from "../core/money.ts";
import { type UsageClass, usageClasses } from "../core/usage.ts";

/** A line of a call's row: so many units of a class. */
interface Used {
  readonly class: UsageClass | null;
  readonly quantity: number | null;
}

interface Again {
  readonly sharedTokens: number | null;
  readonly resentTokens: number | null;
  readonly resentCost: string | null;
}

/** Bytes of the prompt: system, tools, user, earlier, tool results. null: nobody looked into it. */
export function promptBytesOf(start: CallStart | null): readonly number[] | null {
  if (start === null) return null;
  const { system, tools, user, earlier, toolResults } = start.promptBytes;
  const bytes = [system, tools, user, earlier, toolResults];
  return bytes.some((count) => count > 0) ? bytes : null;
}

/** @param lines those of the call's row. */
export function againOf(
  start: CallStart | null,
  end: Pick<CallEnd, "usage" | "charges"> | null,
  lines: readonly Used[],
  failed: boolean,
): Again {
  const bytes = promptBytesOf(start)?.reduce((sum, count) => sum + count, 0) ?? 0;
  if (start?.sharedBytes === undefined || bytes === 0 || end === null || end.usage === null) return nothing;
  const read = inputOf(lines, ["read"]);
  const paid = inputOf(lines, ["none", "write"]);
  // Tokens of a part are as its bytes are to the whole.
  const sharedTokens = Math.min(read + paid, Math.round(((read + paid) * start.sharedBytes) / bytes));
  if (failed || start.repeats === true) return { ...nothing, sharedTokens };
  const resentTokens = Math.min(Math.max(0, sharedTokens - read), paid);
  return { sharedTokens, resentTokens, resentCost: resentCostOf(end.charges, resentTokens) };
}

const nothing = { sharedTokens: null, resentTokens: null, resentCost: null } as const;

/** What tokens cost as fresh input, at most what the call did. Writing them to a cache may have cost more, and not less. null: no price is known. */
export function resentCostOf(charges: readonly Charge[], tokens: number | null): string | null {
  if (tokens === null) return null;
  if (tokens === 0) return "0";
  const fresh = charges.find((charge) => charge.class === "input");
  const whole = total(charges);
  if (fresh === undefined || whole > rowCostMax) return null;
  const paid: Pico = cost({ pico: fresh.ratePico, per: fresh.ratePer }, tokens);
  return formatUsd(paid < whole ? paid : whole);
}

function inputOf(lines: readonly Used[], caches: readonly ("none" | "read" | "write")[]): number {
  let tokens = 0;
  for (const { class: name, quantity } of lines) {
    if (name === null) continue;
    const { direction, unit, cache } = usageClasses[name];
    if (direction === "input" && unit === "token" && caches.includes(cache)) tokens += quantity ?? 0;
  }
  return tokens;
}
