// Bounds that did not hold: counted, told, and made wider from then on for that model. Not here: bounds themselves (core/bound.ts).
// Invariant: a bound is only ever made wider.

import type { CallEnd, CallStart } from "../core/call.ts";
import { formatUsd, toPico } from "../core/money.ts";
import type { GuardEvent } from "./access.ts";
import type { Asking } from "./asking.ts";
import type { Plan } from "./plan.ts";
import { about } from "./words.ts";

/** In thousandths: a hundredfold. */
const widest = 100_000n;

export class Breaches {
  /** By provider and model, in thousandths. */
  readonly widened = new Map<string, bigint>();

  /** @param model with its provider. @returns what is to be told; null: the bound held. */
  weigh(model: string, { id, endMs: atMs }: Pick<CallEnd, "id" | "endMs">, held: bigint | null, taken: bigint): GuardEvent | null {
    if (held === null || taken <= held) return null;
    const factor = held === 0n ? 1_000n : (taken * 1_100n + held - 1n) / held;
    const before = this.widened.get(model) ?? 1_000n;
    this.widened.set(model, factor > widest ? widest : factor > before ? factor : before);
    const detail = `call ${id} cost $${formatUsd(taken)}, and $${formatUsd(held)} was held for it`;
    return { ...about(undefined, id), subject: model, kind: "breached", atMs, detail };
  }

  /** By as much as bounds of this model have failed before. */
  widen({ provider, model }: Asking, planned: Plan): Plan {
    const factor = this.widened.get(`${provider}/${model}`);
    if (factor === undefined || planned.amounts.money === null) return planned;
    const money = (planned.amounts.money * factor + 999n) / 1_000n;
    return { ...planned, hold: { ...planned.hold, cost: formatUsd(toPico(money)) }, amounts: { ...planned.amounts, money } };
  }
}

/** How the formats say that an answer ended at its cap. */
const endsAtCap: ReadonlySet<string> = new Set(["length", "max_tokens", "max_output_tokens", "incomplete"]);

/** Whether an answer ended at a cap that was put in. */
export function isShortened(start: Pick<CallStart, "capAsked" | "capInForce">, { finish }: Pick<CallEnd, "finish">): boolean {
  return start.capInForce !== start.capAsked && finish !== null && endsAtCap.has(finish.toLowerCase());
}
