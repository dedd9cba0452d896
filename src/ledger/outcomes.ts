// Tasks that were begun by name and statements of how they ended, as JSON text and back. Not here: all other entries (codec.ts).
// Invariant: as in codec.ts, reading what was written gives the same entry.

import { toPico } from "../core/money.ts";
import type { Outcome, TaskBegun } from "../core/outcome.ts";
import { readAttribution, type Written, type WrittenAttribution, writeAttribution } from "./fields.ts";

export type WrittenTask = Written<TaskBegun, { readonly attribution: WrittenAttribution }>;
export type WrittenOutcome = Written<Outcome, { readonly valuePico?: string | undefined }>;

export function writeTask({ attribution, beganMs, reworkOf, key }: TaskBegun): WrittenTask {
  return { attribution: writeAttribution(attribution), beganMs, reworkOf: reworkOf ?? undefined, key: key ?? undefined };
}

export function readTask({ attribution, beganMs, reworkOf, key }: WrittenTask): TaskBegun {
  return { attribution: readAttribution(attribution), beganMs, reworkOf: reworkOf ?? null, key: key ?? null };
}

export function writeOutcome(outcome: Outcome): WrittenOutcome {
  const { id, task, atMs, result, judge, source, valuePico, reviewMillis, reason, key } = outcome;
  return {
    id,
    task,
    atMs,
    result: result ?? undefined,
    judge,
    source: source ?? undefined,
    valuePico: valuePico?.toString(),
    reviewMillis: reviewMillis ?? undefined,
    reason: reason ?? undefined,
    key: key ?? undefined,
  };
}

export function readOutcome(said: WrittenOutcome): Outcome {
  return {
    id: said.id,
    task: said.task,
    atMs: said.atMs,
    result: said.result ?? null,
    judge: said.judge,
    source: said.source ?? null,
    valuePico: said.valuePico === undefined ? null : toPico(BigInt(said.valuePico)),
    reviewMillis: said.reviewMillis ?? null,
    reason: said.reason ?? null,
    key: said.key ?? null,
  };
}
