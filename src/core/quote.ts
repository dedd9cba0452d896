// For how much of what is counted a price is told: in a price file, as a rate, in a list of models. Not here: prices, or the words for them.
// Invariant: a rate is kept as a ratio of whole numbers, and none of these changes it.

import { hourMs } from "./time.ts";
import { type UsageClass, usageClasses } from "./usage.ts";

/** The keys under which a price file has prices. */
export const quotes = ["perMillion", "perThousand", "perUnit", "perHour"] as const;
export type Quote = (typeof quotes)[number];

interface Quoting {
  readonly quote: Quote;
  readonly rateUnits: number;
  /** null: not counted in time. */
  readonly hourUnits: number | null;
}

const piece: Quoting = { quote: "perUnit", rateUnits: 1, hourUnits: null };
const thousand: Quoting = { quote: "perThousand", rateUnits: 1_000, hourUnits: null };

const quotings: Readonly<Record<(typeof usageClasses)[UsageClass]["unit"], Quoting>> = {
  token: { quote: "perMillion", rateUnits: 1_000_000, hourUnits: null },
  use: thousand,
  page: thousand,
  request: piece,
  image: piece,
  unit: piece,
  second: { quote: "perHour", rateUnits: 1, hourUnits: 3_600 },
  millisecond: { quote: "perHour", rateUnits: hourMs, hourUnits: hourMs },
  token_second: { quote: "perHour", rateUnits: 1, hourUnits: 3_600 },
};

/** How prices of a class are quoted where nothing else is said: by the million tokens, the thousand uses or pages, the hour, else by the piece. */
export function quoteOf(name: UsageClass): Quote {
  return quotings[usageClasses[name].unit].quote;
}

/** How many units a rate is shown for: a million tokens, a thousand uses or pages, an hour of milliseconds, else one. */
export function rateUnits(name: UsageClass): number {
  return quotings[usageClasses[name].unit].rateUnits;
}

/** How many units a price is shown for among those of other models: a million tokens, a thousand of anything else. */
export function listUnits(name: UsageClass): number {
  return usageClasses[name].unit === "token" ? 1_000_000 : 1_000;
}

const counts = { perMillion: 1_000_000, perThousand: 1_000, perUnit: 1 } as const;

/**
 * How many units of a class a price is for that a price file has under a key. Storage is quoted by the token-hour, and counted in token-seconds.
 * @returns null for an hour of what is not counted in time.
 */
export function quotedUnits(name: UsageClass, quote: keyof typeof counts): number;
export function quotedUnits(name: UsageClass, quote: Quote): number | null;
export function quotedUnits(name: UsageClass, quote: Quote): number | null {
  const { unit } = usageClasses[name];
  if (quote === "perHour") return quotings[unit].hourUnits;
  return counts[quote] * (unit === "token_second" ? 3_600 : 1);
}
