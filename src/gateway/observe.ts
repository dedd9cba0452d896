// What a later witness says of a call, as it goes on record: a stored response that is read again, a line of a batch's results.
// Not here: who saw it, and how. Invariant: it is priced as the call that made it was, by the model it sent and at its time.

import type { Attribution, CallStatus, Observation } from "../core/call.ts";
import type { PriceBook } from "../core/price.ts";
import { rate } from "../core/rating.ts";
import type { AnswerFacts } from "../providers/format.ts";
import { createId } from "./id.ts";

/** What is known of the call beside its answer. */
export interface Sighting {
  /** `fetch`: a client read it; `follow`: we did. */
  readonly witness: "fetch" | "follow";
  readonly observedMs: number;
  /** When the call began, ms UTC. */
  readonly startMs: number;
  readonly provider: { readonly name: string; readonly region: string | null };
  readonly format: string;
  readonly endpoint: string;
  readonly key: string | null;
  readonly attribution: Attribution;
  readonly responseId: string;
  /** The model that was sent, where that is known. */
  readonly modelSent: string | null;
  /** The tier, where it is known better than from the answer. */
  readonly tier: string | null;
  readonly status: CallStatus;
}

export function toObservation(
  book: PriceBook,
  seen: Sighting,
  facts: Pick<AnswerFacts, "model" | "tier" | "finish" | "usage"> | null,
): Observation {
  const { provider, startMs, modelSent } = seen;
  const model = facts?.model ?? null;
  const tier = seen.tier ?? facts?.tier ?? null;
  const usage = facts?.usage ?? null;
  const call = {
    provider: provider.name,
    modelAsked: modelSent ?? model,
    modelAnswered: model,
    tier,
    region: provider.region,
    atMs: startMs,
  };
  const rating = usage === null ? { charges: [], unpriced: [] } : rate(book, call, usage);
  return {
    id: createId(seen.observedMs),
    witness: seen.witness,
    observedMs: seen.observedMs,
    startMs,
    provider: provider.name,
    format: seen.format,
    endpoint: seen.endpoint,
    key: seen.key,
    attribution: seen.attribution,
    responseId: seen.responseId,
    modelAnswered: model,
    tierServed: tier,
    finish: facts?.finish ?? null,
    status: seen.status,
    usage,
    charges: rating.charges,
    unpriced: rating.unpriced,
  };
}
