// Bounds: what a call may cost at most, known before it is sent, and what is booked when nobody learns how it ended.
// Not here: taking holds on budgets. Invariant: a bound that cannot be given is null with a reason, and never a mean.
// The stated assumption: a token covers at least one byte of the request.

import type { Hold } from "./call.ts";
import { type Charge, type Rating, total } from "./charge.ts";
import { formatUsd } from "./money.ts";
import { type PriceBook, type PricedStep, standard, type Tariff } from "./price.ts";
import { lineOf, stepFor, topUp } from "./rating.ts";
import { type Usage, type UsageClass, usageClasses, usageClassNames } from "./usage.ts";

/** The call as it will be sent. */
export interface BoundCall {
  readonly provider: string;
  readonly model: string | null;
  /** The tier asked for; it may also be served at the standard one. */
  readonly tier: string | null;
  readonly region: string | null;
  readonly atMs: number;
}

export interface BoundRequest {
  readonly requestBytes: number;
  /** Cap on output tokens of one answer, reasoning included; null when there is none. 0 where the endpoint generates nothing. */
  readonly cap: number | null;
  readonly choices: number;
  /** Why bytes do not bound the input; null when they do. */
  readonly unbounded: string | null;
}

/** A hold settled at its bound: what goes on record of a call that was sent and of which nothing more is known. */
export interface Presumption extends Rating {
  readonly usage: Usage;
}

/** The most `request` can cost: every token of a direction at its dearest class, at the dearest hour and tier it can be served at. */
export function bound(book: PriceBook, call: BoundCall, request: BoundRequest): Hold {
  const tariffs = reachable(book, call);
  const window = Math.max(...tariffs.map((tariff) => tariff.contextWindow ?? Infinity));
  const inputTokens = tariffs.length === 0 ? request.requestBytes : Math.min(request.requestBytes, window);
  const outputTokens = outputBound(request);
  const known = { inputTokens, outputTokens };
  if (request.unbounded !== null) return { ...known, cost: null, unbounded: request.unbounded };
  if (outputTokens === null)
    return { ...known, cost: null, unbounded: request.cap === null ? "no cap on output tokens" : "the cap on output tokens is no count" };
  if (tariffs.some(hasTime)) return { ...known, cost: null, unbounded: "the time of the engine has a price, and no limit" };
  const { charges, unpriced } = settleAtMost(tariffs, inputTokens, outputTokens);
  if (unpriced.length > 0) return { ...known, cost: null, unbounded: unpricedReason(call, unpriced) };
  return { ...known, cost: formatUsd(total(charges)), unbounded: null };
}

/**
 * Settles a hold at its bound, line by line. A presumed token has no known class: it is on record as plain input or output, at the price
 * of the dearest class, which its price's version names. An output without a bound is unknown, and is named as unpriced.
 */
export function presume(book: PriceBook, call: BoundCall, hold: Hold): Presumption {
  const { inputTokens, outputTokens, unbounded } = hold;
  const tariffs = reachable(book, call);
  const { charges, unpriced } = settleAtMost(tariffs, inputTokens, outputTokens ?? 0);
  const unknown = [...(outputTokens === null ? (["output"] as const) : []), ...(tariffs.some(hasTime) ? (["compute"] as const) : [])];
  return {
    usage: {
      parts: [
        { kind: "presumed", model: null, quantities: { input: inputTokens, ...(outputTokens === null ? {} : { output: outputTokens }) } },
      ],
      source: "presumed",
      doubts: unbounded === null ? [] : [`no bound: ${unbounded}`],
      raw: null,
    },
    charges,
    unpriced: [...unpriced, ...unknown],
  };
}

/** Its calls are charged for the time they take, of which nobody knows before how long it is. */
function hasTime({ prices }: Tariff): boolean {
  return prices.compute?.some(({ rate }) => rate.pico > 0n) ?? false;
}

/** The cap of all answers together; null when there is none, or it is no number of tokens that can be counted exactly. */
function outputBound({ cap, choices }: BoundRequest): number | null {
  const tokens = cap === null ? null : cap * choices;
  return tokens !== null && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
}

/** Tariffs the call can be served at: of the tier asked for and the standard one, at any hour. */
function reachable(book: PriceBook, call: BoundCall): readonly Tariff[] {
  if (call.model === null) return [];
  const { provider, model, region, atMs } = call;
  const asked = book.findAll({ provider, model, tier: call.tier, region, atMs });
  const usual = book.findAll({ provider, model, tier: standard, region, atMs });
  return [...new Set([...asked, ...usual])];
}

/** The dearest of the tariffs; one that cannot price what may come makes the whole unpriced, since the call may meet it. */
function settleAtMost(tariffs: readonly Tariff[], input: number, output: number): Rating {
  const ratings = tariffs.map((tariff) => settleAt(tariff, input, output));
  const [first, ...others] = ratings;
  if (first === undefined)
    return { charges: [], unpriced: [...(input > 0 ? ["input" as const] : []), ...(output > 0 ? ["output" as const] : [])] };
  return (
    ratings.find((rating) => rating.unpriced.length > 0) ??
    others.reduce((most, rating) => (total(rating.charges) > total(most.charges) ? rating : most), first)
  );
}

function settleAt(tariff: Tariff, input: number, output: number): Rating {
  const charges: Charge[] = [];
  const unpriced: UsageClass[] = [];
  for (const [type, quantity, step] of [
    ["input", input, dearestStep(tariff, "input", input)],
    ["output", output, dearestStep(tariff, "output", input)],
  ] as const) {
    if (quantity === 0) continue;
    if (step === null) unpriced.push(type);
    else charges.push(lineOf(tariff, type, Math.max(quantity, leastOf(tariff, type)), 0, step, "presumed"));
  }
  const fee = stepFor(tariff.prices.request, 0);
  if (fee !== null) charges.push(lineOf(tariff, "request", 1, 0, fee, "presumed"));
  const least = topUp(tariff, charges, "presumed");
  if (least !== null) charges.push(least);
  return { charges, unpriced };
}

/** The dearest step of a direction that a call of up to so many input tokens can reach: any class of tokens, any context length below it. */
function dearestStep(tariff: Tariff, direction: "input" | "output", context: number): PricedStep | null {
  let dearest: PricedStep | null = null;
  for (const type of usageClassNames) {
    if (!isTokens(type, direction)) continue;
    for (const step of tariff.prices[type] ?? []) {
      if (context <= step.aboveTokens) continue;
      if (dearest === null || step.rate.pico * dearest.rate.per > dearest.rate.pico * step.rate.per) dearest = step;
    }
  }
  return dearest;
}

/** The most units of any class of a direction that are billed however few there are. */
function leastOf(tariff: Tariff, direction: "input" | "output"): number {
  return Math.max(0, ...usageClassNames.map((type) => (isTokens(type, direction) ? (tariff.terms[type]?.atLeast ?? 0) : 0)));
}

function isTokens(type: UsageClass, direction: "input" | "output"): boolean {
  return usageClasses[type].unit === "token" && usageClasses[type].direction === direction;
}

function unpricedReason(call: BoundCall, classes: readonly UsageClass[]): string {
  const tier = call.tier === null ? "" : ` in tier ${call.tier}`;
  return call.model === null ? "the request names no model" : `no price for ${classes.join(" and ")} of ${call.model}${tier}`;
}
