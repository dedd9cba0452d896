// Work: what one request begins and what outlasts it, with a cost that is known later. A background response, a batch, a fine-tuning job, a
// cache kept by the provider. Not here: following it (gateway/), what a period costs (period.ts). Invariant: no credential is in it.

import type { Attribution } from "./call.ts";

export const workKinds = ["response", "batch", "tuning", "cache"] as const;

export type WorkKind = (typeof workKinds)[number];

export interface Work {
  /** `PROVIDER:REF`, so that the same work is begun once, whoever sees it first. */
  readonly id: string;
  readonly kind: WorkKind;
  readonly provider: string;
  /** Of the requests that read it: decides how its objects look. */
  readonly format: string;
  /** Where it is read, as a path at Pennyworth, with a query where that names a version: never one with a credential. */
  readonly path: string;
  /** The provider's id. */
  readonly ref: string;
  /** ms UTC: when the provider says it was created; its prices are those of that moment. */
  readonly startMs: number;
  readonly attribution: Attribution;
  /** Id of the Pennyworth key that began it. */
  readonly key: string | null;
  /** The model that was asked for, where the request named one. */
  readonly model: string | null;
  /** Tokens of a cache. */
  readonly tokens: number | null;
  /** When a cache goes by itself, ms UTC. */
  readonly expiresMs: number | null;
}

/**
 * How work ended. `done`: what it cost is on record. `failed`, `cancelled`: the provider says so; what it had done by then is on record.
 * `expired`: a cache went when its time had come. `lost`: the provider does not know it any more, or it was given up, and what it cost is not known.
 */
export type WorkStatus = "done" | "failed" | "cancelled" | "expired" | "lost";

export function workId(provider: string, ref: string): string {
  return `${provider}:${ref}`;
}
