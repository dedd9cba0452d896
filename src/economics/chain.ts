// One cell's cost as a chain of levels, each the one before times a factor: tasks → tasks of the type → first tries of the type → of the cell →
// calls → tokens → cost at the reference list, uncached → with the cache → at the prices in force → charged. Not here: how a change is divided
// over the factors (lmdi.ts, shapley.ts). Invariant: the factors that are given multiply to the cost, whatever is zero or not known.

import type { Pico } from "../core/money.ts";

/** The factors of a cell's cost, in the order of the chain. */
export const chainFactors = [
  /** The number of tasks, of the types that are in both periods. Of calls without tasks: their first tries. */
  "volume",
  /** The types' shares of the tasks. */
  "type_mix",
  /** First tries per task of the type. */
  "calls_per_task",
  /** The cells' shares of the type's first tries: models, agents, providers. A new or a gone cell belongs here whole, by the limits. */
  "model_mix",
  /** Calls ÷ first tries. */
  "retries",
  /** Tokens ÷ calls. Of calls without tokens: what one uses, at unmoved prices. */
  "tokens_per_call",
  /** What an average token costs uncached at unmoved prices: the make-up of input, output and other kinds. */
  "token_kind",
  /** Cost with the cache as used ÷ cost without, at unmoved prices. */
  "cache",
  /** Cost at the prices in force ÷ cost at the reference list. */
  "price_list",
  /** Charged ÷ list: tiers, discounts, surcharges. */
  "tier_and_discount",
  /** Where a price is not known: what the factors that need it make together. */
  "unexplained",
] as const;

export type ChainFactor = (typeof chainFactors)[number];

/** A cell's calls in one period, and what they cost. Counts are whole numbers; amounts zero or more. */
export interface CellPeriod {
  /** Calls that were a first try: not a retry, a fallback or an escalation. */
  readonly firstTries: number;
  /** All calls. */
  readonly calls: number;
  /** Tokens of all classes. */
  readonly tokens: number;
  /**
   * This period's usage at one list of prices, the same for both periods: in general the one in force when the earlier ended. `noCachePico`:
   * with every cached token at its uncached price. null: a price is not known there.
   */
  readonly atReference: { readonly noCachePico: Pico; readonly withCachePico: Pico } | null;
  /** At the list prices in force at the time, standard tier, with the cache as used. null: not known. */
  readonly listPico: Pico | null;
  /** What is charged, after tier and discount. */
  readonly chargedPico: Pico;
}

/** A cell in one period, with what it is a part of. */
export interface ChainSide {
  /** Tasks of all the types that are in both periods, and of the cell's own type. null: calls without tasks. */
  readonly tasks: { readonly all: number; readonly ofType: number } | null;
  /** First tries of all cells of the type. */
  readonly firstTries: number;
  /** null: no calls. */
  readonly usage: CellPeriod | null;
}

/** A factor that can be reckoned, and how it changed: `change` is `ratio` − 1, exact also where that is minute. A ratio of 0: all gone. */
export interface Link {
  readonly factor: ChainFactor;
  readonly ratio: number;
  readonly change: number;
}

interface Level {
  readonly factor: ChainFactor;
  /** null: not known. */
  readonly from: bigint | null;
  readonly to: bigint | null;
}

/**
 * The chain of a cell that has a cost in `from`. A level that is not known in one of them, or is zero where a later one is not (a cell that has
 * retries alone, a model without tokens, prices of zero), is left out, and the next link is all that changed since the level before:
 * - without first tries in either: `retries` (a fallback's share); in one of them: `model_mix` (it became or ceased to be a first choice);
 * - without tokens: `tokens_per_call`; without tasks' first tries: `calls_per_task`;
 * - where a price is not known: `unexplained`; where it is zero: the next factor.
 */
export function toLinks(from: ChainSide, to: ChainSide): Link[] {
  const levels = toLevels(from, to);
  const last = {
    from: levels.findLastIndex((level) => level.from !== null && level.from > 0n),
    to: levels.findLastIndex((level) => level.to !== null && level.to > 0n),
  };
  const links: Link[] = [];
  let earlier: { from: bigint; to: bigint } = { from: 1n, to: 1n };
  let carried: ChainFactor | null = null;
  for (const [index, { factor, from, to }] of levels.entries()) {
    if (from === null || to === null) carried = "unexplained";
    else if ((from === 0n && index < last.from) || (to === 0n && index < last.to)) carried ??= heirOf(factor, from === to);
    else {
      // After a level of zero there is nothing more to change.
      const [over, under] = earlier.to === 0n ? [1n, 1n] : [to * earlier.from, earlier.to * from];
      links.push({ factor: carried ?? factor, ratio: Number(over) / Number(under), change: Number(over - under) / Number(under) });
      earlier = { from, to };
      carried = null;
    }
  }
  return links;
}

/** Whose the change is where a factor's level is zero and left out; null: the next one's. */
function heirOf(factor: ChainFactor, inBoth: boolean): ChainFactor | null {
  if (factor === "model_mix") return inBoth ? null : "model_mix";
  return factor === "volume" || factor === "calls_per_task" || factor === "tokens_per_call" ? factor : null;
}

function toLevels(from: ChainSide, to: ChainSide): Level[] {
  const level = (factor: ChainFactor, of: (side: ChainSide) => bigint | number | null | undefined): Level => {
    const value = (side: ChainSide): bigint | null => {
      const amount = of(side);
      return amount === null || amount === undefined ? null : BigInt(amount);
    };
    return { factor, from: value(from), to: value(to) };
  };
  return [
    ...(from.tasks === null
      ? [level("volume", (side) => side.firstTries)]
      : [
          level("volume", (side) => side.tasks?.all),
          level("type_mix", (side) => side.tasks?.ofType),
          level("calls_per_task", (side) => side.firstTries),
        ]),
    level("model_mix", ({ usage }) => usage?.firstTries ?? 0),
    level("retries", ({ usage }) => usage?.calls ?? 0),
    level("tokens_per_call", ({ usage }) => usage?.tokens ?? 0),
    level("token_kind", ({ usage }) => (usage === null ? 0 : usage.atReference?.noCachePico)),
    level("cache", ({ usage }) => (usage === null ? 0 : usage.atReference?.withCachePico)),
    level("price_list", ({ usage }) => (usage === null ? 0 : usage.listPico)),
    level("tier_and_discount", ({ usage }) => usage?.chargedPico ?? 0),
  ];
}
