// Bounds that did not hold: counted, told, and made wider from then on for that model. Not here: bounds themselves (core/bound.ts).
// Invariant: a bound is only ever made wider.

import type { CallEnd, CallStart } from "../core/call.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import type { GuardEvent } from "./access.ts";
import type { Asking } from "./asking.ts";
import { about } from "./words.ts";

/** In thousandths: a hundredfold. */
const widest = 100_000n;

export class Breaches {
  /** By provider and model, in thousandths. */
  readonly widened = new Map<string, bigint>();

  /** @param model with its provider. @returns what is to be told; null: the bound held. */
  weigh(model: string, { id, endMs: atMs }: Pick<CallEnd, "id" | "endMs">, held: bigint | null, taken: bigint): GuardEvent | null {
    if (held === null || taken <= held) return null;
    // What was held was as wide already as the factor of before.
    const before = this.widened.get(model) ?? 1_000n;
    const factor = held === 0n ? before : (before * taken * 11n + held * 10n - 1n) / (held * 10n);
    this.widened.set(model, factor > widest ? widest : factor > before ? factor : before);
    const detail = `call ${id} cost $${formatUsd(taken)}, and $${formatUsd(held)} was held for it`;
    return { ...about(undefined, id), subject: model, kind: "breached", atMs, detail };
  }

  /** The try with bounds that are as much wider as those of its model have failed before, and caps that fit into them. */
  widen(asking: Asking): Asking {
    const factor = this.widened.get(`${asking.provider}/${asking.model}`);
    if (factor === undefined) return asking;
    return {
      ...asking,
      bound: (...how) => {
        const hold = asking.bound(...how);
        return hold.cost === null ? hold : { ...hold, cost: formatUsd((parseUsd(hold.cost) * factor + 999n) / 1_000n) };
      },
      capFor: (money, ...how) => asking.capFor((money * 1_000n) / factor, ...how),
    };
  }
}

/** How the formats say that an answer ended at its cap. */
const endsAtCap: ReadonlySet<string> = new Set(["length", "max_tokens", "max_output_tokens", "incomplete"]);

/** Whether an answer ended at a cap that was put in. */
export function isShortened(start: Pick<CallStart, "capAsked" | "capInForce">, { finish }: Pick<CallEnd, "finish">): boolean {
  return start.capInForce !== start.capAsked && finish !== null && endsAtCap.has(finish.toLowerCase());
}
