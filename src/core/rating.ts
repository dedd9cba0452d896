// Rating: what a usage costs, line by line, at the prices in force when the call began. Not here: where prices come from (price.ts).
// Invariant: each charge is `cost(rate, quantity)` and can be recomputed from itself; a quantity without a price is named as unpriced
// and never costs 0, and never takes another model's or another tier's price.

import { type Charge, type Rating, total } from "./charge.ts";
import { isSnapshotOf } from "./match.ts";
import { cost, type Rate } from "./money.ts";
import type { PriceBook, PricedStep, Tariff } from "./price.ts";
import { inputTokens, type Usage, type UsageClass } from "./usage.ts";

/** What decides a call's prices. */
export interface RatedCall {
  readonly provider: string;
  readonly modelAsked: string | null;
  readonly modelAnswered: string | null;
  /** The tier that served it; null: the provider's standard one. */
  readonly tier: string | null;
  readonly region: string | null;
  /** Start of the call, ms UTC: the price in force then holds to its end. */
  readonly atMs: number;
}

/** What `usage` costs: one charge per part and class, in the order of the usage, then the fee per request where there is one. */
export function rate(book: PriceBook, call: RatedCall, usage: Usage): Rating {
  const charges: Charge[] = [];
  const unpriced: UsageClass[] = [];
  let first: Tariff | null = null;
  let requests = false;
  for (let part = 0; part < usage.parts.length; part += 1) {
    const { model, quantities } = usage.parts[part] as Usage["parts"][number];
    const tariff = findTariff(book, call, model);
    if (part === 0) first = tariff;
    const context = inputTokens(quantities);
    for (const name in quantities) {
      const type = name as UsageClass;
      const quantity = quantities[type];
      if (quantity === undefined || quantity === 0) continue;
      if (type === "request") requests = true;
      const step = tariff !== null && Number.isSafeInteger(quantity) && quantity > 0 ? stepFor(tariff.prices[type], context) : null;
      if (tariff === null || step === null) {
        if (!unpriced.includes(type)) unpriced.push(type);
        continue;
      }
      if (tariff.terms[type] === undefined) charges.push(charge(usage, tariff, type, quantity, part, step));
      else charges.push(...chargeByTerms(usage, tariff, type, quantity, part, step));
    }
  }
  if (!requests && first?.prices.request !== undefined && usage.parts.length > 0) {
    const step = stepFor(first.prices.request, 0);
    if (step !== null) charges.push(charge(usage, first, "request", 1, 0, step));
  }
  const least = unpriced.length > 0 ? null : topUp(first, charges, usage.source);
  if (least !== null) charges.push(least);
  return { charges, unpriced };
}

/** What is missing to the least that a call costs; null when nothing is. */
export function topUp(tariff: Tariff | null, charges: readonly Charge[], source: Charge["source"]): Charge | null {
  if (tariff === null || tariff.minimum === null) return null;
  const costPico = total(charges);
  if (costPico === 0n || costPico >= tariff.minimum.costPico) return null;
  const rate = { pico: tariff.minimum.costPico - costPico, per: 1n };
  return lineOf(tariff, "minimum", 1, 0, { rate, price: tariff.minimum.price }, source);
}

/** A class of which units above a step are priced apart, or of which a least number is billed. */
function chargeByTerms(usage: Usage, tariff: Tariff, type: UsageClass, quantity: number, part: number, step: PricedStep): Charge[] {
  const { marginal = false, atLeast = 0 } = tariff.terms[type] ?? {};
  const source = usage.sources?.[type] ?? usage.source;
  const charges = marginal
    ? split(tariff.prices[type] ?? [], quantity).map((one) => lineOf(tariff, type, one.quantity, part, one.step, source))
    : [lineOf(tariff, type, quantity, part, step, source)];
  const first = marginal ? (tariff.prices[type]?.[0] ?? step) : step;
  if (quantity < atLeast)
    charges.push(lineOf(tariff, "minimum", atLeast - quantity, part, { ...first, price: `${first.price}~${atLeast}` }, source));
  return charges;
}

/** Units by the step they stand in: those above its mark, up to the next one's. */
function split(steps: readonly PricedStep[], quantity: number): { readonly quantity: number; readonly step: PricedStep }[] {
  return steps.flatMap((step, index) => {
    const from = Math.max(0, step.aboveTokens);
    const units = Math.min(quantity, steps[index + 1]?.aboveTokens ?? quantity) - from;
    return units > 0 ? [{ quantity: units, step }] : [];
  });
}

/** Whether a charge's cost is what its own rate and quantity say. */
export function recompute(charge: Charge): boolean {
  return charge.ratePer > 0n && cost({ pico: charge.ratePico, per: charge.ratePer }, charge.quantity) === charge.costPico;
}

/**
 * The tariff of one part of a call. A part that names its model is priced by that model. Otherwise it is the model that answered;
 * where the book does not know that one, the asked model's price holds only if the answer is a dated snapshot of it, or if the user
 * gave a price for just what was asked. Any other difference is unknown, and stays unpriced.
 */
export function findTariff(book: PriceBook, call: RatedCall, partModel: string | null): Tariff | null {
  const { provider, tier, region, atMs } = call;
  const model = partModel ?? call.modelAnswered ?? call.modelAsked;
  if (model === null) return null;
  const found = book.find({ provider, model, tier, region, atMs });
  if (found !== null || partModel !== null || call.modelAsked === null || call.modelAsked === model) return found;
  const asked = book.find({ provider, model: call.modelAsked, tier, region, atMs });
  return asked !== null && (asked.own || isSnapshotOf(model.toLowerCase(), call.modelAsked.toLowerCase())) ? asked : null;
}

/** The step in force at a context of so many input tokens: the whole request has the price of its length. */
export function stepFor(steps: readonly PricedStep[] | undefined, context: number): PricedStep | null {
  if (steps === undefined) return null;
  let step: PricedStep | null = null;
  for (const next of steps) if (context > next.aboveTokens) step = next;
  return step;
}

function charge(usage: Usage, tariff: Tariff, type: UsageClass, quantity: number, part: number, step: PricedStep): Charge {
  return lineOf(tariff, type, quantity, part, step, usage.sources?.[type] ?? usage.source);
}

/** One line at one rate. */
export function lineOf(
  tariff: Tariff,
  type: UsageClass,
  quantity: number,
  part: number,
  { rate, price }: { readonly rate: Rate; readonly price: string },
  source: Charge["source"],
): Charge {
  return {
    class: type,
    quantity,
    source,
    model: tariff.model,
    part,
    price,
    ratePico: rate.pico,
    ratePer: rate.per,
    costPico: cost(rate, quantity),
  };
}
