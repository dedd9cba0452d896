// What finished work costs for the time it took: the training of a fine-tuning job, the storage of a cache. Pure: facts in, a charge out.
// Invariant: the charge's id is the work's, so that whoever books it, and however often, it counts once.

import { divideHalfEven } from "../core/money.ts";
import { type PeriodCharge, periodMsMax, ratePeriod } from "../core/period.ts";
import type { PriceBook } from "../core/price.ts";
import type { QuantitySource } from "../core/usage.ts";
import type { Work } from "../core/work.ts";
import type { Job } from "../providers/job.ts";

export interface Booking {
  readonly book: PriceBook;
  readonly region: string | null;
  readonly nowMs: number;
  readonly witness: "fetch" | "follow";
}

/** null: there is nothing to charge. A job that failed is not billed; one that was cancelled is, for the tokens it says it was trained on. */
export function bookTraining(work: Work, job: Job, { book, region, nowMs, witness }: Booking): PeriodCharge | null {
  if (job.state === "failed" || (job.state === "cancelled" && (job.tokens ?? 0) === 0)) return null;
  const span = toSpan(job.createdMs ?? work.startMs, job.endedMs ?? nowMs);
  const model = job.model ?? work.model;
  const of = { provider: work.provider, model, region, atMs: span.fromMs };
  // Reinforcement is billed by the hour: the price of a token would be another's.
  const rated = job.tokens === null || job.isTimed ? unpriced : ratePeriod(book, of, "training", job.tokens);
  return {
    ...toCharge(work, region, nowMs, witness),
    class: "training",
    model,
    ...span,
    quantity: job.tokens,
    source: "reported",
    ...rated,
  };
}

/** @param endMs when it went, ms UTC. `source`: how well that is known. */
export function bookStorage(work: Work, endMs: number, source: QuantitySource, { book, region, nowMs, witness }: Booking): PeriodCharge {
  const span = toSpan(work.startMs, endMs);
  const ms = span.toMs - span.fromMs;
  const quantity = work.tokens === null ? null : Number(divideHalfEven(BigInt(work.tokens) * BigInt(ms), 1000n));
  const known = quantity !== null && Number.isSafeInteger(quantity) ? quantity : null;
  const of = { provider: work.provider, model: work.model, region, atMs: span.fromMs };
  const rated = known === null ? unpriced : ratePeriod(book, of, "cache_storage", known);
  return {
    ...toCharge(work, region, nowMs, witness),
    class: "cache_storage",
    model: work.model,
    ...span,
    quantity: known,
    source,
    ...rated,
  };
}

const unpriced = { price: null, costPico: null } as const;

/** A span of at least a millisecond, and of at most what a charge can have. */
function toSpan(fromMs: number, endMs: number): { readonly fromMs: number; readonly toMs: number } {
  const toMs = Math.max(endMs, fromMs + 1);
  return { fromMs: Math.max(fromMs, toMs - periodMsMax), toMs };
}

function toCharge(work: Work, region: string | null, bookedMs: number, witness: string) {
  const { id, provider, attribution, key } = work;
  return { id, provider, region, bookedMs, attribution, key, witness, work: id };
}
