// Period charges: cost that belongs to a span of time and to no call. Training, storage of a cache, hosting, what a task cost elsewhere.
// Not here: who books them. Invariant: a charge with a price costs `cost(rate, quantity)`, a cost that is not known is null, and the pieces of
// a charge add up to it, in cost and in quantity, to the last digit.

import type { Attribution } from "./call.ts";
import { allocate, cost, type Pico, type Rate, toPico } from "./money.ts";
import type { PriceBook } from "./price.ts";
import { dayMs } from "./time.ts";
import { type QuantitySource, type UsageClass, usageClasses } from "./usage.ts";

export const periodClasses = ["training", "cache_storage", "hosting", "task"] as const satisfies readonly UsageClass[];

export type PeriodClass = (typeof periodClasses)[number];

export interface PeriodCharge {
  /** Names it for ever: another one of the same id changes nothing. */
  readonly id: string;
  readonly class: PeriodClass;
  readonly provider: string;
  readonly model: string | null;
  readonly region: string | null;
  /** ms UTC; `from` inclusive, `to` exclusive and later. */
  readonly fromMs: number;
  readonly toMs: number;
  /** When it was put on record. */
  readonly bookedMs: number;
  readonly attribution: Attribution;
  /** Id of the Pennyworth key that caused it. */
  readonly key: string | null;
  /** Who says so: `follow`, `fetch` (seen in a passing answer), `declared` (said by a person). */
  readonly witness: string;
  /** Id of the work it comes from. */
  readonly work: string | null;
  /** Units of its class; null: not known. */
  readonly quantity: number | null;
  readonly source: QuantitySource;
  /** null: the cost was declared, or there is no price. */
  readonly price: PeriodPrice | null;
  /** null: there is no price. Unknown, not zero. */
  readonly costPico: Pico | null;
}

export interface PeriodPrice {
  /** A canonical id of the price book. */
  readonly model: string;
  readonly version: string;
  /** `ratePico` picodollars for every `ratePer` units. */
  readonly ratePico: bigint;
  readonly ratePer: bigint;
}

/** A part of a charge within one day, UTC. */
export interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly quantity: number | null;
  readonly costPico: Pico | null;
}

/** Longest span of one charge: a piece is kept for each of its days. */
export const periodMsMax = 1_100 * dayMs;
/** Dearest charge that is taken: what a row can hold. */
export const periodPicoMax = toPico(999_999_999_999_999_999n);

/**
 * What `quantity` units of a class cost at the price in force when the period began.
 * @returns nulls where the book has none.
 */
export function ratePeriod(
  book: PriceBook,
  of: { readonly provider: string; readonly model: string | null; readonly region: string | null; readonly atMs: number },
  name: PeriodClass,
  quantity: number,
): Pick<PeriodCharge, "price" | "costPico"> {
  const found = of.model === null ? null : book.findPeriod({ ...of, model: of.model, tier: null }, name);
  if (found === null) return { price: null, costPico: null };
  const { rate, price: version } = found.step;
  return { price: { model: found.model, version, ratePico: rate.pico, ratePer: rate.per }, costPico: cost(rate, quantity) };
}

/** Whether a charge that has a price costs what that says, over a span that is one. */
export function recomputePeriod({ price, quantity, costPico, fromMs, toMs }: PeriodCharge): boolean {
  if (!(fromMs < toMs && toMs - fromMs <= periodMsMax)) return false;
  if (price === null) return true;
  const rate: Rate = { pico: price.ratePico, per: price.ratePer };
  return quantity !== null && rate.per > 0n && cost(rate, quantity) === costPico;
}

/** A charge by days, UTC, in proportion to the time in each. */
export function piecesOf({ fromMs, toMs, quantity, costPico }: PeriodCharge): readonly Piece[] {
  const spans: { readonly fromMs: number; readonly toMs: number }[] = [];
  for (let from = fromMs; from < toMs;) {
    const to = Math.min(toMs, (Math.floor(from / dayMs) + 1) * dayMs);
    spans.push({ fromMs: from, toMs: to });
    from = to;
  }
  const weights = spans.map((span) => BigInt(span.toMs - span.fromMs));
  const costs = costPico === null ? null : allocate(costPico, weights);
  const quantities = quantity === null ? null : allocate(toPico(BigInt(quantity)), weights);
  return spans.map((span, index) => {
    const units = quantities?.[index];
    return { fromMs: span.fromMs, toMs: span.toMs, quantity: units === undefined ? null : Number(units), costPico: costs?.[index] ?? null };
  });
}

/** What a class is counted in. */
export function unitOf(name: PeriodClass): string {
  return usageClasses[name].unit;
}
