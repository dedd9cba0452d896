// A try as the guard is asked about it: what it is known by, and what it can cost at most at any target that it and its later tries can reach.
// Not here: the decision (guard/). Invariant: every target that a retry policy can still go to is part of the bound.

import type { Asking } from "../guard/asking.ts";
import { bound, type BoundRequest, boundAtMost, capFor, type PossibleCall } from "../core/bound.ts";
import type { Attribution } from "../core/call.ts";
import { fingerprintOf, type ToolRound } from "../core/loop.ts";
import { toPico } from "../core/money.ts";
import type { PriceBook } from "../core/price.ts";
import { tiersOf } from "../providers/caps.ts";
import { countRequest } from "../providers/count.ts";
import type { Format, RequestFacts } from "../providers/format.ts";
import { boundRequest, capInForce, capSplices } from "../providers/reach.ts";
import type { Target } from "./route.ts";

/** A request that was read, at the try that is about to be made. */
export interface Trying {
  readonly call: string;
  readonly request: string;
  readonly attempt: number;
  readonly atMs: number;
  /** Until when its last try may begin. */
  readonly untilMs: number;
  readonly body: Buffer;
  readonly format: Format;
  readonly facts: RequestFacts;
  readonly attribution: Attribution;
  readonly prefix: readonly string[];
  readonly toolRounds: readonly ToolRound[];
  readonly key: string | null;
  /** At the provider, without query. */
  readonly path: string;
  /** Where it goes, and where later tries can go: at least one. */
  readonly targets: readonly Target[];
  /** Whether a target's own model is sent, or another one can be. */
  readonly canRename: boolean;
  readonly inputGuess: number;
  readonly canCut: boolean;
}

export function toAsking(book: PriceBook, trying: Trying): Asking {
  const { body, format, facts, attribution, targets, canRename, atMs, untilMs } = trying;
  const first = targets[0] as Target;
  const { provider } = first;
  const model = modelAt(trying, first, null);
  const here = placeOf(trying, first, model);
  const cap = capInForce(here, facts);
  // What is read of the body is read once, however many caps are tried.
  const read = new Map<string, PossibleCall>();
  const wayTo = (target: Target, index: number, other: string | null): PossibleCall => {
    const sent = modelAt(trying, target, index === 0 ? other : null);
    const name = `${index} ${sent ?? ""}`;
    let way = read.get(name);
    if (way === undefined) {
      const place = placeOf(trying, target, sent);
      const { name: at, region } = target.provider;
      const call = { provider: at, model: sent, tier: facts.tier, tiers: tiersOf(place, facts.tier), region, atMs, untilMs };
      read.set(name, (way = { call, request: boundRequest(place, body, facts) }));
    }
    return way;
  };
  const possible = (capOf: number | null, inputTokens: number | null, other: string | null): PossibleCall[] =>
    targets.map((target, index) => {
      const { call, request } = wayTo(target, index, other);
      const capped = capOf === cap ? request : { ...request, cap: capOf };
      // What one provider has counted says nothing of another's tokens.
      return { call, request: index > 0 || inputTokens === null ? capped : counted(capped, inputTokens) };
    });
  return {
    call: trying.call,
    request: trying.request,
    attempt: trying.attempt,
    atMs,
    attribution,
    key: trying.key,
    provider: provider.name,
    model,
    cap,
    choices: facts.choices,
    thinking: facts.thinking ?? 0,
    // Most calls are under no budget, and nobody asks. No getters: an object of which each has its own is slow, and long in memory.
    canCap: () => targets.every((target) => capSplices(placeOf(trying, target, modelAt(trying, target, null)), facts, 1) !== null),
    canRename,
    canCount: () => countRequest(format.name, trying.path, model, body, facts) !== null,
    canCut: trying.canCut,
    inputGuess: trying.inputGuess,
    fingerprint: fingerprintOf(trying.prefix, facts.model, facts.cap),
    toolRounds: trying.toolRounds,
    isHeld: facts.hints.previousResponse !== null,
    isMetered: format.isOpaque !== true,
    bound: (capOf, inputTokens, other) => {
      const ways = possible(capOf, inputTokens, other);
      const [only] = ways;
      return ways.length === 1 && only !== undefined ? bound(book, only.call, only.request) : boundAtMost(book, ways);
    },
    capFor: (money, inputTokens, other) => capFor(book, possible(cap, inputTokens, other), toPico(money)),
  };
}

/** The model that is sent to a target. */
export function modelAt({ facts, canRename }: Pick<Trying, "facts" | "canRename">, target: Target, other: string | null): string | null {
  if (!canRename) return facts.model;
  return other ?? target.model ?? facts.model;
}

export function placeOf(
  { format }: Pick<Trying, "format">,
  { provider }: Target,
  model: string | null,
): Parameters<typeof boundRequest>[0] {
  return { format: format.name, model, vendors: [provider.name, ...provider.pricesOf] };
}

/** The provider has said how many input tokens it has: neither bytes nor its model's window bound it any more. */
function counted(request: BoundRequest, inputTokens: number): BoundRequest {
  return { ...request, requestBytes: inputTokens, extraTokens: 0, wide: null };
}
