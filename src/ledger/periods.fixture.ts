// Made-up period charges, and what a store must say of them: days and shares worked out by code that shares nothing with the store or
// core/period.ts. For tests alone.

import * as fc from "fast-check";
import { type Attribution, attributionFields, unattributed } from "../core/call.ts";
import { toPico } from "../core/money.ts";
import { type PeriodCharge, periodClasses } from "../core/period.ts";
import type { ReportField } from "./store.ts";
import type { Sums } from "./store.fixture.ts";

export function samplePeriod(id: string, changes: Partial<PeriodCharge> = {}): PeriodCharge {
  return {
    id,
    class: "hosting",
    provider: "azure",
    model: "gpt-4o-mini",
    region: null,
    fromMs: Date.parse("2026-03-29T00:00:00Z"),
    toMs: Date.parse("2026-03-31T00:00:00Z"),
    bookedMs: Date.parse("2026-04-01T00:00:00Z"),
    attribution: unattributed,
    key: null,
    witness: "declared",
    work: null,
    quantity: null,
    source: "reported",
    price: null,
    costPico: toPico(41_100_000_000_000n),
    ...changes,
  };
}

const often = fc.constantFrom<(string | null)[]>(null, "one", "two", "a", "'; DROP TABLE periods; --");

const anyCharge: fc.Arbitrary<PeriodCharge> = fc
  .record({
    from: fc.integer({ min: -50, max: 60 * 3_600_000 }),
    ms: fc.oneof(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 1, max: 5 * 86_400_000 })),
    said: fc.record(
      Object.fromEntries(attributionFields.map((field) => [field, often])) as Record<
        (typeof attributionFields)[number],
        fc.Arbitrary<string | null>
      >,
    ),
    tag: often,
    class: fc.constantFrom(...periodClasses),
    model: often,
    region: often,
    key: often,
    witness: fc.constantFrom("declared", "follow", "gateway"),
    source: fc.constantFrom("reported", "estimated" as const),
    quantity: fc.option(fc.nat(5_000_000), { nil: null }),
    cost: fc.option(fc.bigInt({ min: 0n, max: 10n ** 14n }), { nil: null }),
  })
  .map((made) => {
    const fromMs = Date.parse("2026-03-28T22:00:00Z") + made.from;
    return samplePeriod("", {
      class: made.class,
      model: made.model,
      region: made.region,
      key: made.key,
      fromMs,
      toMs: fromMs + made.ms,
      witness: made.witness,
      source: made.source,
      quantity: made.quantity,
      costPico: made.cost === null ? null : toPico(made.cost),
      attribution: { ...made.said, tags: made.tag === null ? {} : { "color of 'it'": made.tag } },
    });
  });

export const someCharges: fc.Arbitrary<PeriodCharge[]> = fc
  .array(anyCharge, { maxLength: 12 })
  .map((charges) => charges.map((charge, index) => Object.assign({}, charge, { id: `charge-${(index * 7) % 12}` })));

export interface Day {
  readonly charge: PeriodCharge;
  readonly fromMs: number;
  readonly pico: bigint | null;
  readonly quantity: bigint | null;
}

/** A charge day by day, by largest remainder: found by walking over hours. */
export function daysOf(charge: PeriodCharge): Day[] {
  const days = new Map<string, { fromMs: number; ms: bigint }>();
  for (let at = charge.fromMs; at < charge.toMs;) {
    const next = Math.min(charge.toMs, at - (((at % 3_600_000) + 3_600_000) % 3_600_000) + 3_600_000);
    const day = new Date(at).toISOString().slice(0, 10);
    const known = days.get(day) ?? { fromMs: at, ms: 0n };
    known.ms += BigInt(next - at);
    days.set(day, known);
    at = next;
  }
  const all = [...days.values()];
  const costs = share(
    charge.costPico,
    all.map((day) => day.ms),
  );
  const units = share(
    charge.quantity === null ? null : BigInt(charge.quantity),
    all.map((day) => day.ms),
  );
  return all.map((day, index) => ({ charge, fromMs: day.fromMs, pico: costs?.[index] ?? null, quantity: units?.[index] ?? null }));
}

function share(total: bigint | null, weights: readonly bigint[]): bigint[] | null {
  if (total === null) return null;
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  const shares = weights.map((weight) => (total * weight) / whole);
  const rests = weights.map((weight, index) => total * weight - (shares[index] as bigint) * whole);
  for (let left = total - shares.reduce((sum, one) => sum + one, 0n); left > 0n; left--) {
    let best = 0;
    rests.forEach((rest, index) => {
      if (rest > (rests[best] as bigint)) best = index;
    });
    shares[best] = (shares[best] as bigint) + 1n;
    rests[best] = -1n;
  }
  return shares;
}

/** Minute, week from its Monday and month, UTC: said by the calendar. */
export function timesOf(startMs: number): { readonly [name in "minute" | "week" | "month"]: string } {
  const iso = new Date(startMs).toISOString();
  const monday = new Date(startMs);
  while (monday.getUTCDay() !== 1) monday.setUTCDate(monday.getUTCDate() - 1);
  return { minute: `${iso.slice(0, 16)}:00Z`, week: monday.toISOString().slice(0, 10), month: iso.slice(0, 7) };
}

/** What the field of a day is, said a second time. */
export function valueOfDay({ charge, fromMs, pico }: Day, field: ReportField): string | null {
  const iso = new Date(fromMs).toISOString();
  const special: { readonly [name: string]: string | null } = {
    class: charge.class,
    day: iso.slice(0, 10),
    hour: `${iso.slice(0, 13)}:00:00Z`,
    ...timesOf(fromMs),
    unpriced: String(pico === null),
    ...Object.fromEntries(["unmetered", "doubtful", "presumed", "failed"].map((name) => [name, "false"])),
    provider: charge.provider,
    model: charge.model,
    modelAsked: charge.model,
    region: charge.region,
    key: charge.key,
    source: charge.source,
    witness: charge.witness,
  };
  if (field.startsWith("tag.")) return charge.attribution.tags[field.slice(4)] ?? null;
  if (Object.hasOwn(special, field)) return special[field] ?? null;
  return (attributionFields as readonly string[]).includes(field)
    ? (charge.attribution[field as keyof Attribution] as string | null)
    : null;
}

/** Adds a day to sums that calls are in as well. */
export function addDay(sums: Sums, { pico, quantity }: Day): void {
  sums.pico += pico ?? 0n;
  sums.periodPico += pico ?? 0n;
  sums.quantity += Number(quantity ?? 0n);
  if (quantity !== null) sums.quantities++;
  if (pico === null) sums.periodUnpriced++;
}
