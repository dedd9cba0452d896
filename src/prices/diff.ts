// What differs between two price books, price by price: what a list would change before it takes effect. Not here: which models to look at
// (desk.ts). Invariant: prices are compared as exact rates, whatever list they come from; a change that is announced is told with its day.

import type { Book, Slice } from "../core/book.ts";
import { type Rate, showRate } from "../core/money.ts";
import { compareText } from "../core/order.ts";
import type { PricedStep } from "../core/price.ts";
import { listUnits } from "../core/quote.ts";
import { type UsageClass, usageClassNames } from "../core/usage.ts";
import { atOnce, sorting, type Work } from "./pace.ts";
import type { PriceChange } from "./view.ts";

export interface DiffedModel {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly region: string | null;
}

/**
 * How prices at `atMs`, and from then on, are in `after` where they are otherwise in `before`; sorted by provider, model, tier, region,
 * class, step and time. Where the day is cut into windows each window's price is compared with that of the same hours.
 */
export function diffBooks(before: Book, after: Book, models: Iterable<DiffedModel>, atMs: number): readonly PriceChange[] {
  return atOnce(diffing(before, after, models, atMs));
}

/** The same, to be left between two models. */
export function* diffing(before: Book, after: Book, models: Iterable<DiffedModel>, atMs: number): Work<readonly PriceChange[]> {
  const changes = new Map<string, PriceChange>();
  for (const model of models) {
    yield;
    const query = { provider: model.provider, model: model.model, tier: model.tier, region: model.region };
    const [old, now] = [since(before.slices(query) ?? [], atMs), since(after.slices(query) ?? [], atMs)];
    const times = [...new Set([atMs, ...[...old, ...now].map(({ fromMs }) => fromMs)])].filter((ms) => ms >= atMs).sort((a, b) => a - b);
    const last = new Map<string, string>();
    for (const ms of times)
      for (const partMs of partsOf([...old, ...now], ms)) {
        const [was, is] = [at(old, ms, partMs), at(now, ms, partMs)];
        for (const [name, above] of stepsOf(was, is)) {
          const [from, to] = [rateAt(was, name, above), rateAt(is, name, above)];
          const place = JSON.stringify([model.provider, model.model, model.tier, model.region, name, above]);
          const state = JSON.stringify([shown(from, name), shown(to, name)]);
          if (isSame(from, to)) last.delete(`${place}${partMs}`);
          else if (last.get(`${place}${partMs}`) !== state) {
            last.set(`${place}${partMs}`, state);
            const began = startOf(now, ms, partMs);
            const fromMs = ms > atMs ? ms : began;
            changes.set(`${place}${state}${fromMs}`, {
              ...model,
              class: name,
              aboveTokens: Math.max(0, above),
              before: shown(from, name),
              after: shown(to, name),
              fromMs,
            });
          }
        }
      }
  }
  return yield* sorting([...changes.values()], compare);
}

/** A time of day in ms after midnight at which each part of the day can be asked about. */
function partsOf(slices: readonly Slice[], ms: number): readonly number[] {
  const parts = slices.filter((slice) => slice.fromMs <= ms && ms < slice.toMs).map(({ window }) => window?.fromMs ?? 0);
  return parts.length === 0 ? [0] : [...new Set(parts)].sort((a, b) => a - b);
}

function since(slices: readonly Slice[], atMs: number): readonly Slice[] {
  return slices.filter(({ toMs }) => toMs > atMs);
}

function at(slices: readonly Slice[], ms: number, partMs: number): Slice | null {
  return slices.find((slice) => slice.fromMs <= ms && ms < slice.toMs && isWithin(slice.window, partMs)) ?? null;
}

function isWithin(window: Slice["window"], ms: number): boolean {
  if (window === null) return true;
  return window.fromMs <= window.toMs ? window.fromMs <= ms && ms < window.toMs : window.fromMs <= ms || ms < window.toMs;
}

function startOf(slices: readonly Slice[], ms: number, partMs: number): number | null {
  const fromMs = at(slices, ms, partMs)?.fromMs ?? -Infinity;
  return Number.isFinite(fromMs) ? fromMs : null;
}

/** Every class and step that either has: a step that one of them lacks is compared with the one below. */
function stepsOf(...slices: readonly (Slice | null)[]): readonly (readonly [UsageClass, number])[] {
  const steps = new Map<string, readonly [UsageClass, number]>();
  for (const slice of slices)
    for (const [name, all] of Object.entries(slice?.tariff.prices ?? {}) as [UsageClass, readonly PricedStep[]][])
      for (const { aboveTokens, price } of all)
        // A class that takes another's price changes with that one.
        if (price.includes(`#${name}`) || !price.includes("#")) steps.set(`${name}${aboveTokens}`, [name, aboveTokens]);
  return [...steps.values()];
}

function rateAt(slice: Slice | null, name: UsageClass, above: number): Rate | null {
  return slice?.tariff.prices[name]?.findLast(({ aboveTokens }) => aboveTokens <= above)?.rate ?? null;
}

function isSame(a: Rate | null, b: Rate | null): boolean {
  return a === null || b === null ? a === b : a.pico * b.per === b.pico * a.per;
}

/** Dollars, as lists of models show them. */
function shown(rate: Rate | null, name: UsageClass): string | null {
  return rate === null ? null : showRate(rate, BigInt(listUnits(name)));
}

function compare(a: PriceChange, b: PriceChange): number {
  return (
    compareText(a.provider, b.provider) ||
    compareText(a.model, b.model) ||
    compareText(a.tier, b.tier) ||
    compareText(a.region ?? "", b.region ?? "") ||
    usageClassNames.indexOf(a.class) - usageClassNames.indexOf(b.class) ||
    a.aboveTokens - b.aboveTokens ||
    (a.fromMs ?? -Infinity) - (b.fromMs ?? -Infinity) ||
    0
  );
}
