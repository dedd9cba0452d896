// Usage: what a call consumed, as disjoint classes. The one list of classes, used by prices, charges, SQL, JSON and reports.
// Not here: how a provider reports it (providers/). Invariant: classes do not overlap, so their quantities may be added;
// a class that was not reported is absent, never 0.

interface ClassFacts {
  /** `period`: consumed by a span of time and by no call (core/period.ts). */
  readonly direction: "input" | "output" | "tool" | "call" | "period";
  readonly modality: "text" | "audio" | "image" | "video" | "document" | "none";
  readonly cache: "none" | "read" | "write";
  readonly unit: "token" | "use" | "page" | "request" | "second" | "millisecond" | "image" | "unit" | "token_second";
}

const token = (direction: "input" | "output", modality: ClassFacts["modality"], cache: ClassFacts["cache"] = "none"): ClassFacts => ({
  direction,
  modality,
  cache,
  unit: "token",
});
const period = (unit: ClassFacts["unit"]): ClassFacts => ({ direction: "period", modality: "none", cache: "none", unit });
const use: ClassFacts = { direction: "tool", modality: "none", cache: "none", unit: "use" };

export const usageClasses = {
  input: token("input", "text"),
  cache_read: token("input", "text", "read"),
  cache_write_5m: token("input", "text", "write"),
  cache_write_1h: token("input", "text", "write"),
  cache_write: token("input", "text", "write"),
  output: token("output", "text"),
  reasoning: token("output", "text"),
  input_audio: token("input", "audio"),
  cache_read_audio: token("input", "audio", "read"),
  output_audio: token("output", "audio"),
  input_image: token("input", "image"),
  cache_read_image: token("input", "image", "read"),
  output_image: token("output", "image"),
  input_video: token("input", "video"),
  output_video: token("output", "video"),
  web_search: use,
  web_fetch: use,
  file_search: use,
  code_execution: use,
  /** Searches over documents given with the request, as Cohere counts them: one question over up to a hundred of them. */
  rerank: use,
  /** Tokens of sources that the provider read to answer; Perplexity bills them apart. No part of the context that was sent. */
  citation: token("output", "document"),
  /** Images billed by the piece, by models that report no tokens. */
  images: { direction: "output", modality: "image", cache: "none", unit: "image" },
  /** Whole seconds of audio, by models that report no tokens of it. */
  input_audio_seconds: { direction: "input", modality: "audio", cache: "none", unit: "second" },
  input_pages: { direction: "input", modality: "document", cache: "none", unit: "page" },
  /** What a price bills beyond what was used: units up to its least number, or the rest of a call's least cost. */
  minimum: { direction: "call", modality: "none", cache: "none", unit: "unit" },
  request: { direction: "call", modality: "none", cache: "none", unit: "request" },
  /** The time that an engine was at work on the call: only where it has a price. */
  compute: { direction: "call", modality: "none", cache: "none", unit: "millisecond" },
  training: period("token"),
  cache_storage: period("token_second"),
  hosting: period("second"),
  /** What a task cost as a whole, where nobody says what it was made of: a run elsewhere, a search, a sandbox. */
  task: period("unit"),
} as const satisfies Record<string, ClassFacts>;

export type UsageClass = keyof typeof usageClasses;

export const usageClassNames = Object.keys(usageClasses) as UsageClass[];

export function isUsageClass(name: string): name is UsageClass {
  return Object.hasOwn(usageClasses, name);
}

/** Units per class: whole numbers, zero or more. An absent class was not reported. */
export type Quantities = { readonly [name in UsageClass]?: number };

/** Where a quantity came from. `partial`: reported, but before the answer was complete. `presumed`: set to the hold's bound. */
export type QuantitySource = "reported" | "partial" | "estimated" | "presumed";

/**
 * One sampling step that is priced on its own: usually the only one. A compaction or advisor iteration has its own model,
 * and its own context length for long-context prices.
 */
export interface UsagePart {
  readonly kind: string;
  /** null: the call's answered model. */
  readonly model: string | null;
  readonly quantities: Quantities;
}

export interface Usage {
  readonly parts: readonly UsagePart[];
  readonly source: QuantitySource;
  /** Classes whose quantity came from elsewhere than `source`. */
  readonly sources?: { readonly [name in UsageClass]?: QuantitySource };
  /** What does not add up by the provider's own identities, in words; empty when all identities hold. */
  readonly doubts: readonly string[];
  /** The provider's own usage object, word for word, as JSON text; null when none was seen. */
  readonly raw: string | null;
}

/** Total per class over all parts. */
export function totalQuantities(usage: Usage): Quantities {
  const totals: { [name in UsageClass]?: number } = {};
  for (const part of usage.parts)
    for (const name of Object.keys(part.quantities) as UsageClass[]) totals[name] = (totals[name] ?? 0) + (part.quantities[name] ?? 0);
  return totals;
}

/** Input tokens of one part, cached or not: what long-context prices look at. */
export function inputTokens(quantities: Quantities): number {
  let total = 0;
  for (const name of Object.keys(quantities) as UsageClass[]) {
    const facts = usageClasses[name];
    if (facts.direction === "input" && facts.unit === "token") total += quantities[name] ?? 0;
  }
  return total;
}

/** Output tokens, reasoning included. */
export function outputTokens(quantities: Quantities): number {
  let total = 0;
  for (const name of Object.keys(quantities) as UsageClass[]) {
    const facts = usageClasses[name];
    if (facts.direction === "output" && facts.unit === "token") total += quantities[name] ?? 0;
  }
  return total;
}

/** What a cached token of the class is without the cache. */
export const uncachedClass: { readonly [name in UsageClass]?: UsageClass } = {
  cache_read: "input",
  cache_write: "input",
  cache_write_5m: "input",
  cache_write_1h: "input",
  cache_read_audio: "input_audio",
  cache_read_image: "input_image",
};
