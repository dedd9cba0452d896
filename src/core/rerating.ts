// Rating again: what decides a call's prices, what it costs by a book, and whether that differs from what stands. Not here: which calls
// are looked at, and where corrections go. Invariant: a call that is rated anew by the book it was rated by comes to the same.

import { presume } from "./bound.ts";
import type { CallEnd, CallStart, Observation } from "./call.ts";
import type { Rating } from "./charge.ts";
import type { PriceBook } from "./price.ts";
import { rate, type RatedCall } from "./rating.ts";

/** What decides the prices of a call: where it was sent and when it began, and who answered. */
export function ratedCallOf(
  start: Pick<CallStart, "provider" | "modelSent" | "region" | "startMs">,
  end: Pick<CallEnd, "modelAnswered" | "tierServed"> | null,
): RatedCall {
  return {
    provider: start.provider,
    modelAsked: start.modelSent,
    modelAnswered: end?.modelAnswered ?? null,
    tier: end?.tierServed ?? null,
    region: start.region,
    atMs: start.startMs,
  };
}

/** The same of a call that only later witnesses saw. `region`: of its provider. */
export function ratedObservation(
  seen: Pick<Observation, "provider" | "startMs">,
  end: Pick<CallEnd, "modelAnswered" | "tierServed">,
  region: string | null,
): RatedCall {
  const { modelAnswered, tierServed: tier } = end;
  return { provider: seen.provider, modelAsked: modelAnswered, modelAnswered, tier, region, atMs: seen.startMs };
}

/** What an end costs by a book: at its bound where it was presumed. null: there is nothing to charge. */
export function rateAnew(book: PriceBook, call: RatedCall, start: CallStart | null, end: CallEnd): Rating | null {
  const { usage } = end;
  if (usage === null) return null;
  if (usage.source !== "presumed" || start === null || usage.parts[0]?.kind !== "presumed") return rate(book, call, usage);
  const { provider, region, atMs } = call;
  const { charges, unpriced } = presume(book, { provider, model: start.modelSent, tier: start.tierAsked, region, atMs }, start.hold);
  return { charges, unpriced };
}

/** Whether two ratings say the same, in whatever order. */
export function isSameRating(a: Rating, b: Rating): boolean {
  return a.charges.length === b.charges.length && a.unpriced.length === b.unpriced.length && textOf(a) === textOf(b);
}

function textOf({ charges, unpriced }: Rating): string {
  const lines = charges.map(
    (line) => `${line.class} ${line.part} ${line.quantity} ${line.costPico} ${line.ratePico}/${line.ratePer} ${line.model} ${line.price}`,
  );
  return `${lines.toSorted().join("\n")}\n${[...unpriced].toSorted().join(" ")}`;
}
