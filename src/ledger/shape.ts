// Where tokens and money go within tasks of a type: sums by step and model over calls. Not here: figures of
// them (economics/steps.ts). Invariant: what is not known of a call is counted as unknown.

import type { Position } from "../core/entry.ts";
import type { UsageClass } from "../core/usage.ts";
import type { ZoneOffset } from "../core/zone.ts";
import type { Filter } from "./store.ts";

export interface ShapeQuery {
  /** null: calls of all types, and of none. "": tasks without a type. */
  readonly type: string | null;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly filters: readonly Filter[];
  readonly zone?: readonly ZoneOffset[];
}

/** Calls of one step with one model. Amounts are decimal strings of dollars. */
export interface StepSums {
  /** null: not said. */
  readonly step: string | null;
  readonly provider: string;
  readonly model: string | null;
  readonly calls: number;
  readonly cost: string;
  readonly unpriced: number;
  readonly unmetered: number;
  /** Tries after the first one of a request; calls that brought no answer, and what they cost. */
  readonly retries: number;
  readonly failed: number;
  readonly failedCost: string;
  /** Calls that had been answered before, word for word, in their task, and did not fail; and what they cost. */
  readonly repeated: number;
  readonly repeatedCost: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tools that answers called, and the calls of which that is not known. */
  readonly tools: number;
  readonly toolsUnknown: number;
  /** Bytes of the prompts by part, and the calls of which they are not known. */
  readonly prompt: {
    readonly system: number;
    readonly tools: number;
    readonly user: number;
    readonly earlier: number;
    readonly toolResults: number;
  };
  readonly promptUnknown: number;
  /** Calls that go on from one before: what they added to its prompt, in tokens. */
  readonly continued: number;
  readonly grownTokens: number;
  /** Sent again and not read from a cache, by calls that are neither failed nor repeated; and what that cost as fresh input. */
  readonly resentTokens: number;
  readonly resentCost: string;
  /** Calls of it without a price of fresh input: what they cost is not in it. */
  readonly resentUnpriced: number;
  /** The longest prompt. null: none was metered. */
  readonly inputTokensMax: number | null;
  /** By class; `cost` null: no price. What of a class has a price and what has none are two lines. */
  readonly classes: readonly { readonly class: UsageClass; readonly quantity: number; readonly cost: string | null }[];
}

export interface ShapePage {
  /** The dearest first. */
  readonly steps: readonly StepSums[];
  /** Root tasks with such calls, counted by hashes of 64 bits, and the most such calls of one. */
  readonly tasks: number;
  readonly callsMax: number;
  /** Of their trees, how many tasks deep such calls are below the root, the deepest of each: 0 where the root alone made them. The most, and all together. */
  readonly depth: { readonly max: number; readonly sum: number };
  /** Types of the span, the dearest first and a thousand at most, whatever `type` asks for: to choose from. */
  readonly types: readonly { readonly type: string | null; readonly calls: number; readonly cost: string }[];
  readonly position: Position | null;
}
