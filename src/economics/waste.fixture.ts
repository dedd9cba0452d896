// Waste, call by call: what a run paid for and did not need, and what it would have saved to leave it out. An oracle for tests of sums that are made
// without the calls (steps.ts). Not here: the shape of a run (shape.fixture.ts). Invariant: a picodollar is in one waste at most, so that savings never
// exceed what was spent; what cannot be told from what is known of a call is counted as unknown, and saves nothing.

import { cost, type Pico, type Rate, toPico, zero } from "../core/money.ts";
import type { PromptBytes } from "../core/call.ts";
import { compareText } from "../core/order.ts";
import { type Quantities, type UsageClass, usageClasses } from "../core/usage.ts";
import { type StepKind, type WasteKind, wasteKinds } from "./waste.ts";

/** One call of a run, as the ledger has it. A run is a task with all its calls, in the order in which they began. */
export interface StepCall {
  /** Shared by all tries of one request. */
  readonly request: string;
  /** From 1. */
  readonly attempt: number;
  /** It brought no answer: refused, broken off, or the answer was an error. */
  readonly failed: boolean;
  /** Calls of one conversation have one chain; null: nobody knows, and they are taken as one. */
  readonly chain: string | null;
  /** The step's own name, as the client said it. */
  readonly step: string | null;
  readonly kind: StepKind | null;
  /** Tasks above the call's own one: 0 for the root's. */
  readonly depth: number;
  /** Tools that its answer called. null: not known. */
  readonly tools: number | null;
  /** null: not metered. */
  readonly quantities: Quantities | null;
  /** null: unpriced. */
  readonly costPico: Pico | null;
  /** What it costs by class: adds up to `costPico`. null: not known. */
  readonly classPico: { readonly [name in UsageClass]?: Pico } | null;
  /** What an input token cost, fresh and read from the cache. null: no price is known for one of them. */
  readonly rates: { readonly input: Rate; readonly cacheRead: Rate } | null;
  /** The most tokens the model takes; null: not known. */
  readonly window: number | null;
  readonly promptBytes: PromptBytes | null;
  /** Tokens at the beginning of this prompt that the prompt before it in the chain began with, too. null: not known. */
  readonly sharedTokens: number | null;
  /** What it is known by as the same thing again: a hash of what was asked (core/loop.ts), or of what came of it. null: never the same. */
  readonly same: string | null;
  /** Whether what the run makes was changed by it: a file, a record, a draft. null: not known. */
  readonly changed: boolean | null;
}

/** One waste at one step. */
export interface Waste {
  readonly waste: WasteKind;
  /** The step's name; else its kind; null: neither is known. */
  readonly step: string | null;
  readonly calls: number;
  /** What leaving it out would have saved. */
  readonly savedPico: Pico;
  /** Calls of it without a price: they saved more than that, nobody knows how much. */
  readonly unknown: number;
}

/** Context that a call sent again without the cache. */
export interface Resent {
  readonly tokens: number;
  /** What it cost, at the price of fresh input. null: no price is known. */
  readonly costPico: Pico | null;
  /** What reading it from the cache would have saved. */
  readonly savedPico: Pico | null;
}

/**
 * Tokens of the shared beginning that were not read from the cache: max(0, shared − read), at most what was paid as fresh or as written. Priced as
 * fresh input: writing to the cache again costs more than that at some providers, so that it may have been more, and not less.
 * @returns null where it is not known what was shared or used.
 * @throws RangeError when `sharedTokens` is no whole number, zero or more.
 */
export function resentOf({ quantities, sharedTokens, rates, costPico }: StepCall): Resent | null {
  if (sharedTokens === null || quantities === null) return null;
  if (!Number.isSafeInteger(sharedTokens) || sharedTokens < 0)
    throw new RangeError(`sharedTokens must be a whole number of tokens, zero or more: ${sharedTokens}`);
  const [fresh, read] = [inputOf(quantities, ["none", "write"]), inputOf(quantities, ["read"])];
  const tokens = Math.min(Math.max(0, sharedTokens - read), fresh);
  if (tokens === 0) return { tokens, costPico: zero, savedPico: zero };
  if (rates === null || costPico === null) return { tokens, costPico: null, savedPico: null };
  const paid = least(cost(rates.input, tokens), costPico);
  const saved = paid - cost(rates.cacheRead, tokens);
  return { tokens, costPico: paid, savedPico: saved > 0n ? toPico(saved) : zero };
}

/** Every waste of one run by kind and step, the dearest first. Each call counts in the first kind that fits it, in the order of `wasteKinds`. */
export function wastesOf(calls: readonly StepCall[]): readonly Waste[] {
  const found: Waste[] = [];
  const answered = new Set<string>();
  const changedAt = lastChange(calls);
  for (const [at, call] of calls.entries()) {
    const step = call.step ?? call.kind;
    const whole = (waste: WasteKind): void => {
      const { costPico } = call;
      found.push({
        waste,
        step,
        calls: 1,
        savedPico: costPico === null || costPico < 0n ? zero : costPico,
        unknown: costPico === null ? 1 : 0,
      });
    };
    const isAgain = call.same !== null && answered.has(call.same);
    if (!call.failed && call.same !== null) answered.add(call.same);
    if (call.failed) whole("failed");
    else if (isAgain) whole("repeated");
    else if (changedAt !== null && at > changedAt && at < calls.length - 1 && call.kind !== "check") whole("idle");
    else {
      const resent = resentOf(call);
      if (resent === null || resent.tokens === 0) continue;
      const { savedPico } = resent;
      found.push({ waste: "resent", step, calls: 1, savedPico: savedPico ?? zero, unknown: savedPico === null ? 1 : 0 });
    }
  }
  return addWastes(found);
}

/** Wastes of many runs: one line for each kind and step, the dearest first. Associative and commutative. */
export function addWastes(wastes: readonly Waste[]): readonly Waste[] {
  const lines = new Map<string, Waste>();
  for (const waste of wastes) {
    const key = JSON.stringify([waste.waste, waste.step]);
    const line = lines.get(key);
    lines.set(
      key,
      line === undefined
        ? waste
        : {
            ...line,
            calls: line.calls + waste.calls,
            savedPico: toPico(line.savedPico + waste.savedPico),
            unknown: line.unknown + waste.unknown,
          },
    );
  }
  return [...lines.values()].sort(
    (a, b) =>
      (a.savedPico === b.savedPico ? 0 : a.savedPico < b.savedPico ? 1 : -1) ||
      wasteKinds.indexOf(a.waste) - wasteKinds.indexOf(b.waste) ||
      compareText(a.step ?? "", b.step ?? ""),
  );
}

/** Tokens of input, by how they stand to the cache. */
export function inputOf(quantities: Quantities, caches: readonly ("none" | "read" | "write")[]): number {
  let tokens = 0;
  for (const name of Object.keys(quantities) as UsageClass[]) {
    const { direction, unit, cache } = usageClasses[name];
    if (direction === "input" && unit === "token" && caches.includes(cache)) tokens += quantities[name] ?? 0;
  }
  return tokens;
}

/** Where the last change was made. null: none was, or of a later call nobody knows. */
function lastChange(calls: readonly StepCall[]): number | null {
  const at = calls.findLastIndex((call) => call.changed !== false);
  return at !== -1 && calls[at]?.changed === true ? at : null;
}

function least(a: Pico, b: Pico): Pico {
  return a < b ? a : b;
}
