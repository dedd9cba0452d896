// Work and period charges as they stand in entries: the part of codec.ts that calls have nothing to do with.
// Invariant: what is read is what was written, to the last digit.

import { toPico } from "../core/money.ts";
import type { PeriodCharge, PeriodPrice } from "../core/period.ts";
import type { Work } from "../core/work.ts";
import { readAttribution, type Written, type WrittenAttribution, writeAttribution } from "./fields.ts";

export type WrittenWork = Written<Work, { readonly attribution?: WrittenAttribution | undefined }>;
type WrittenPeriodPrice = Written<PeriodPrice, { readonly ratePico: string; readonly ratePer: string }>;
export type WrittenPeriod = Written<
  PeriodCharge,
  {
    readonly attribution?: WrittenAttribution | undefined;
    readonly price?: WrittenPeriodPrice | undefined;
    readonly costPico?: string | undefined;
  }
>;

export function writeWork(work: Work): WrittenWork {
  return {
    id: work.id,
    kind: work.kind,
    provider: work.provider,
    format: work.format,
    path: work.path,
    ref: work.ref,
    startMs: work.startMs,
    attribution: writeAttribution(work.attribution),
    key: work.key ?? undefined,
    model: work.model ?? undefined,
    tokens: work.tokens ?? undefined,
    expiresMs: work.expiresMs ?? undefined,
  };
}

export function readWork(work: WrittenWork): Work {
  return {
    id: work.id,
    kind: work.kind,
    provider: work.provider,
    format: work.format,
    path: work.path,
    ref: work.ref,
    startMs: work.startMs,
    attribution: readAttribution(work.attribution),
    key: work.key ?? null,
    model: work.model ?? null,
    tokens: work.tokens ?? null,
    expiresMs: work.expiresMs ?? null,
  };
}

export function writePeriod(charge: PeriodCharge): WrittenPeriod {
  const { price } = charge;
  return {
    id: charge.id,
    class: charge.class,
    provider: charge.provider,
    model: charge.model ?? undefined,
    region: charge.region ?? undefined,
    fromMs: charge.fromMs,
    toMs: charge.toMs,
    bookedMs: charge.bookedMs,
    attribution: writeAttribution(charge.attribution),
    key: charge.key ?? undefined,
    witness: charge.witness,
    work: charge.work ?? undefined,
    quantity: charge.quantity ?? undefined,
    source: charge.source,
    price:
      price === null
        ? undefined
        : { model: price.model, version: price.version, ratePico: price.ratePico.toString(), ratePer: price.ratePer.toString() },
    costPico: charge.costPico?.toString(),
  };
}

export function readPeriod(charge: WrittenPeriod): PeriodCharge {
  const { price, costPico } = charge;
  return {
    id: charge.id,
    class: charge.class,
    provider: charge.provider,
    model: charge.model ?? null,
    region: charge.region ?? null,
    fromMs: charge.fromMs,
    toMs: charge.toMs,
    bookedMs: charge.bookedMs,
    attribution: readAttribution(charge.attribution),
    key: charge.key ?? null,
    witness: charge.witness,
    work: charge.work ?? null,
    quantity: charge.quantity ?? null,
    source: charge.source,
    price:
      price === undefined
        ? null
        : { model: price.model, version: price.version, ratePico: BigInt(price.ratePico), ratePer: BigInt(price.ratePer) },
    costPico: costPico === undefined ? null : toPico(BigInt(costPico)),
  };
}
