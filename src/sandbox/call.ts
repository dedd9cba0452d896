// One request as the handlers get it, what they share, and the record that puts a handler at a path. Not here: the records (paths.ts).
// Invariant: a handler answers once, or throws Refused before it has sent anything.

import type { IncomingHttpHeaders } from "node:http";
import type { PrefixCache } from "./cache.ts";
import type { Caches } from "./caches.ts";
import type { Controls } from "./controls.ts";
import type { Batches } from "./inlined.ts";
import type { Exchange } from "./exchange.ts";
import type { KeptResponses } from "./kept.ts";
import type { Wording } from "./refused.ts";
import type { AwsKeys, Signed } from "./signature.ts";
import type { Pace, Wire } from "./wire.ts";
import type { Witness } from "./witness.ts";
import type { Work } from "./work.ts";

/** What outlasts a request. */
export interface State {
  readonly seed: number;
  readonly run: string;
  readonly now: () => number;
  readonly pace: Pace;
  readonly log: (line: string) => void;
  readonly witness: Witness;
  readonly cache: PrefixCache;
  readonly kept: KeptResponses;
  readonly caches: Caches;
  readonly inlined: Batches;
  /** Times failed by `x-sandbox-fail-key`. */
  readonly failures: Map<string, number>;
  readonly work: Work;
  /** The keys that requests to Amazon are to be signed with; null: any signature holds. */
  readonly aws: AwsKeys | null;
}

export interface Call {
  readonly state: State;
  readonly wire: Wire;
  readonly method: string;
  readonly path: string;
  /** The groups of the path's pattern, percent-decoded; "" for one that is not in this path. */
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The request as it came, for its signature. */
  readonly signed: Signed;
  readonly controls: Readonly<Controls>;
  /** The model that the path names, where it stands for the body's. */
  readonly model?: string;
  /** What the host of a format adds to its answers. */
  readonly dress?: (exchange: Exchange) => Exchange;
  /** How errors are worded for this client. */
  readonly wording: Wording;
}

/** What stands at a path. Of two that match, the first one holds. */
export interface Path {
  readonly method: string;
  /** Of the whole path, without the query. */
  readonly pattern: RegExp;
  readonly wording: Wording;
  answer(call: Call): Promise<void> | undefined;
}
