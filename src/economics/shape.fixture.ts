// The shape of one run, call by call: where its calls, tokens and money went; and the same for all runs of a task type. An oracle for tests of sums that
// are made without the calls (steps.ts, the stores). Not here: what was wasted of it (waste.fixture.ts). Invariant: everything in a shape is a whole sum
// or a maximum, so that `merge` is associative and commutative; what is not known is counted as unknown, never as zero.

import type { PromptBytes } from "../core/call.ts";
import { type Pico, toPico, zero } from "../core/money.ts";
import { inputTokens, outputTokens, type UsageClass } from "../core/usage.ts";
import { addWastes, resentOf, type StepCall, type Waste, wastesOf } from "./waste.fixture.ts";
import type { StepKind } from "./waste.ts";

/** Calls, and what those with a price cost. */
export interface Spend {
  readonly calls: number;
  readonly costPico: Pico;
  /** Calls without a price: unknown, not zero. */
  readonly unpriced: number;
}

export interface Shape extends Spend {
  readonly runs: number;
  /** Tries after the first one of a request. */
  readonly retries: number;
  readonly failed: number;
  /** Tools called, and the calls of which that is not known. */
  readonly tools: number;
  readonly toolsUnknown: number;
  readonly depthMax: number;
  readonly callsMax: number;
  /** Adds up to the whole: calls, cost and unpriced. */
  readonly byKind: { readonly [kind in StepKind | "none"]: Spend };
  /** Cost by class, and that of calls of which it is not known by class: adds up to `costPico`. */
  readonly byClass: { readonly [name in UsageClass]?: Pico };
  readonly classlessPico: Pico;
  readonly inputTokens: number;
  /** Reasoning included. */
  readonly outputTokens: number;
  readonly unmetered: number;
  /** Bytes of the prompts by part, and the calls of which they are not known. */
  readonly prompt: PromptBytes;
  readonly promptUnknown: number;
  readonly growth: Growth;
  readonly fill: Fill;
  /** Of all calls, also those that `wastes` counts whole as another waste. */
  readonly resent: {
    readonly tokens: number;
    readonly costPico: Pico;
    readonly savedPico: Pico;
    /** Calls that sent something again whose price is not known; and those of which nobody knows whether they did. */
    readonly unpriced: number;
    readonly unknown: number;
  };
  /** By kind and step, the dearest first. */
  readonly wastes: readonly Waste[];
}

/**
 * How the context grows from step to step of a chain, retries apart. The least squares slope over steps within their chains is
 * `2 · across / along` tokens per step: `across` is Σ (2i − n + 1)·tokensᵢ and `along` is Σ (2i − n + 1)² over the n steps i = 0, 1, … of each chain.
 */
export interface Growth {
  readonly chains: number;
  /** Last prompt less first one, over all chains: tokens. */
  readonly total: number;
  readonly across: bigint;
  readonly along: bigint;
}

/** How full the window was, in millionths: the fullest prompt, and the last one of each chain, summed over so many chains. */
export interface Fill {
  readonly maxPpm: number | null;
  readonly lastPpm: number;
  readonly lastChains: number;
}

const noSpend: Spend = { calls: 0, costPico: zero, unpriced: 0 };

/** No runs: `merge` with it changes nothing. */
export const noShape: Shape = {
  ...noSpend,
  runs: 0,
  retries: 0,
  failed: 0,
  tools: 0,
  toolsUnknown: 0,
  depthMax: 0,
  callsMax: 0,
  byKind: { plan: noSpend, act: noSpend, observe: noSpend, check: noSpend, none: noSpend },
  byClass: {},
  classlessPico: zero,
  inputTokens: 0,
  outputTokens: 0,
  unmetered: 0,
  prompt: { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 },
  promptUnknown: 0,
  growth: { chains: 0, total: 0, across: 0n, along: 0n },
  fill: { maxPpm: null, lastPpm: 0, lastChains: 0 },
  resent: { tokens: 0, costPico: zero, savedPico: zero, unpriced: 0, unknown: 0 },
  wastes: [],
};

/**
 * The shape of one run.
 * @param calls in the order in which they began.
 * @throws RangeError on an attempt, depth, number of tools, window, quantity or cost that cannot be, or classes that do not add up to the cost.
 */
export function shapeOf(calls: readonly StepCall[]): Shape {
  const whole = calls.map(shapeOfCall).reduce(merge, noShape);
  return { ...whole, runs: 1, callsMax: calls.length, ...contextOf(calls), wastes: wastesOf(calls) };
}

/** Two shapes as one. */
export function merge(a: Shape, b: Shape): Shape {
  return {
    ...addSpend(a, b),
    runs: a.runs + b.runs,
    retries: a.retries + b.retries,
    failed: a.failed + b.failed,
    tools: a.tools + b.tools,
    toolsUnknown: a.toolsUnknown + b.toolsUnknown,
    depthMax: Math.max(a.depthMax, b.depthMax),
    callsMax: Math.max(a.callsMax, b.callsMax),
    byKind: {
      plan: addSpend(a.byKind.plan, b.byKind.plan),
      act: addSpend(a.byKind.act, b.byKind.act),
      observe: addSpend(a.byKind.observe, b.byKind.observe),
      check: addSpend(a.byKind.check, b.byKind.check),
      none: addSpend(a.byKind.none, b.byKind.none),
    },
    byClass: addClasses(a.byClass, b.byClass),
    classlessPico: toPico(a.classlessPico + b.classlessPico),
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    unmetered: a.unmetered + b.unmetered,
    prompt: {
      system: a.prompt.system + b.prompt.system,
      tools: a.prompt.tools + b.prompt.tools,
      user: a.prompt.user + b.prompt.user,
      earlier: a.prompt.earlier + b.prompt.earlier,
      toolResults: a.prompt.toolResults + b.prompt.toolResults,
    },
    promptUnknown: a.promptUnknown + b.promptUnknown,
    growth: addGrowth(a.growth, b.growth),
    fill: addFill(a.fill, b.fill),
    resent: {
      tokens: a.resent.tokens + b.resent.tokens,
      costPico: toPico(a.resent.costPico + b.resent.costPico),
      savedPico: toPico(a.resent.savedPico + b.resent.savedPico),
      unpriced: a.resent.unpriced + b.resent.unpriced,
      unknown: a.resent.unknown + b.resent.unknown,
    },
    wastes: addWastes([...a.wastes, ...b.wastes]),
  };
}

/** Tokens by which a prompt grows from one step to the next, by least squares. null: no chain has two steps. */
export function slopeOf({ across, along }: Growth): number | null {
  return along === 0n ? null : (2 * Number(across)) / Number(along);
}

/** The most wasteful step, with what it would have saved to leave it out. null: nothing was wasted, as far as is known. */
export function worstOf({ wastes }: Shape): Waste | null {
  const first = wastes[0];
  return first === undefined || first.savedPico === 0n ? null : first;
}

function shapeOfCall(call: StepCall): Shape {
  check(call);
  const { quantities, costPico, classPico, kind, promptBytes } = call;
  const spend: Spend = { calls: 1, costPico: costPico ?? zero, unpriced: costPico === null ? 1 : 0 };
  const resent = resentOf(call);
  return {
    ...noShape,
    ...spend,
    retries: call.attempt > 1 ? 1 : 0,
    failed: call.failed ? 1 : 0,
    tools: call.tools ?? 0,
    toolsUnknown: call.tools === null ? 1 : 0,
    depthMax: call.depth,
    byKind: { ...noShape.byKind, [kind ?? "none"]: spend },
    byClass: classPico ?? {},
    classlessPico: classPico === null ? spend.costPico : zero,
    inputTokens: quantities === null ? 0 : inputTokens(quantities),
    outputTokens: quantities === null ? 0 : outputTokens(quantities),
    unmetered: quantities === null ? 1 : 0,
    prompt: promptBytes ?? noShape.prompt,
    promptUnknown: promptBytes === null ? 1 : 0,
    fill: { ...noShape.fill, maxPpm: fillOf(call) },
    resent: {
      tokens: resent?.tokens ?? 0,
      costPico: resent?.costPico ?? zero,
      savedPico: resent?.savedPico ?? zero,
      unpriced: resent !== null && resent.costPico === null ? 1 : 0,
      unknown: resent === null ? 1 : 0,
    },
  };
}

function check({ attempt, depth, tools, window, quantities, costPico, classPico }: StepCall): void {
  if (!Number.isSafeInteger(attempt) || attempt < 1) throw new RangeError(`attempt must be a whole number, one or more: ${attempt}`);
  const counts: [string, number | null][] = [["depth", depth], ["tools", tools], ...Object.entries(quantities ?? {})];
  for (const [name, count] of counts)
    if (count !== null && (!Number.isSafeInteger(count) || count < 0))
      throw new RangeError(`${name} must be a whole number, zero or more: ${count}`);
  if (window !== null && !(Number.isSafeInteger(window) && window > 0))
    throw new RangeError(`window must be a whole number of tokens, one or more: ${window}`);
  if (costPico !== null && costPico < 0n) throw new RangeError(`costPico must be zero or more: ${costPico}`);
  if (classPico === null) return;
  let total = 0n;
  for (const part of Object.values(classPico)) total += part;
  if (costPico === null || total !== costPico)
    throw new RangeError(
      `the cost by class is ${total} picodollars and the call's cost is ${costPico ?? "not known"}: they must be the same`,
    );
}

/** Growth, and the fill of the last prompt, chain by chain: each request once, by the first of its tries that was metered. */
function contextOf(calls: readonly StepCall[]): { readonly growth: Growth; readonly fill: Fill } {
  const requests = new Set<string>();
  const chains = new Map<string | null, StepCall[]>();
  for (const call of calls) {
    if (call.quantities === null || requests.has(call.request)) continue;
    requests.add(call.request);
    const chain = chains.get(call.chain);
    if (chain === undefined) chains.set(call.chain, [call]);
    else chain.push(call);
  }
  let growth = noShape.growth;
  let fill: Fill = { ...noShape.fill, maxPpm: calls.map(fillOf).reduce(most, null) };
  for (const chain of chains.values()) {
    growth = addGrowth(growth, growthOf(chain.map((call) => inputTokens(call.quantities ?? {}))));
    const last = fillOf(chain.at(-1) as StepCall);
    if (last !== null) fill = addFill(fill, { maxPpm: null, lastPpm: last, lastChains: 1 });
  }
  return { growth, fill };
}

function growthOf(tokens: readonly number[]): Growth {
  const n = tokens.length;
  let across = 0n;
  let along = 0n;
  for (const [i, count] of tokens.entries()) {
    const centred = BigInt(2 * i - n + 1);
    across += centred * BigInt(count);
    along += centred * centred;
  }
  return { chains: 1, total: (tokens.at(-1) ?? 0) - (tokens[0] ?? 0), across, along };
}

function fillOf({ quantities, window }: StepCall): number | null {
  return quantities === null || window === null ? null : Math.round((inputTokens(quantities) * 1e6) / window);
}

function most(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

function addSpend(a: Spend, b: Spend): Spend {
  return { calls: a.calls + b.calls, costPico: toPico(a.costPico + b.costPico), unpriced: a.unpriced + b.unpriced };
}

function addGrowth(a: Growth, b: Growth): Growth {
  return { chains: a.chains + b.chains, total: a.total + b.total, across: a.across + b.across, along: a.along + b.along };
}

function addFill(a: Fill, b: Fill): Fill {
  return { maxPpm: most(a.maxPpm, b.maxPpm), lastPpm: a.lastPpm + b.lastPpm, lastChains: a.lastChains + b.lastChains };
}

function addClasses(a: Shape["byClass"], b: Shape["byClass"]): Shape["byClass"] {
  const sums: { [name in UsageClass]?: Pico } = { ...a };
  for (const name of Object.keys(b) as UsageClass[]) sums[name] = toPico((sums[name] ?? 0n) + (b[name] ?? 0n));
  return sums;
}
