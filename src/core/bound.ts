// Bounds: what a call may cost at most, known before it is sent, the largest cap that some money pays for, and what is booked when nobody
// learns how a call ended. Not here: taking holds on budgets; what a model's caps cover (providers/caps.ts), which comes in as arguments.
// Invariant: a bound that cannot be given is null with a reason, and never a mean. The stated assumption: a token covers at least one byte.

import type { Hold, InputKinds } from "./call.ts";
import { type Charge, type Rating, total } from "./charge.ts";
import { formatUsd, parseUsd, type Pico, unitsFor } from "./money.ts";
import { type PriceBook, type PricedStep, standard, type Tariff } from "./price.ts";
import { lineOf, stepFor, topUp } from "./rating.ts";
import { type Quantities, type Usage, type UsageClass, usageClasses, usageClassNames } from "./usage.ts";

/** The call as it will be sent. */
export interface BoundCall {
  readonly provider: string;
  readonly model: string | null;
  /** The tier asked for; it may also be served at the standard one. */
  readonly tier: string | null;
  readonly region: string | null;
  readonly atMs: number;
  /** Other tiers that it may be served at: counted only where the book has prices in them. */
  readonly tiers?: readonly string[];
  /** The call may begin as late as this: prices that come into force until then count too. */
  readonly untilMs?: number;
}

export interface BoundRequest {
  /** Bytes of the text that is read: no token covers less than one. */
  readonly requestBytes: number;
  /** Cap on output tokens of one answer, reasoning included; null when there is none. 0 where the endpoint generates nothing. */
  readonly cap: number | null;
  readonly choices: number;
  /** Why nothing bounds it; null when something does. */
  readonly unbounded: string | null;
  /** The most that the model can put out in one answer; null: not known, its context window bounds it. Absent: without a cap there is no bound. */
  readonly outputMax?: number | null;
  /** Tokens read that no byte of the text stands for: images by table, what the provider writes around it. */
  readonly extraTokens?: number;
  /** Why more may be read than the request holds, up to the context window; null when it is not. */
  readonly wide?: string | null;
  /** How many separate inputs, each with a context window of its own: prompts or texts of a list; 1 if not given. */
  readonly contexts?: number;
  /** Sampling steps, each reading up to a whole window: more than one where the provider runs tools. */
  readonly steps?: number;
  /** The cap holds for each step, and not for all of them. */
  readonly capPerStep?: boolean;
  /** Uses of the provider's tools, at most: each has its fee. */
  readonly uses?: Quantities;
  /** Bytes of a predicted output: what of it is not used is paid all the same. */
  readonly predictedBytes?: number;
  /** Which prices of input it can meet; any, if not given. */
  readonly reads?: InputKinds;
}

/** One of the ways a request may go. */
export interface PossibleCall {
  readonly call: BoundCall;
  readonly request: BoundRequest;
}

/** A hold settled at its bound: what goes on record of a call that was sent and of which nothing more is known. */
export interface Presumption extends Rating {
  readonly usage: Usage;
}

const anything: InputKinds = { media: true, writes: "any" };
const none: Quantities = {};

/** The most `request` can cost: every token of a direction at its dearest class, at the dearest hour and tier it can be served at. */
export function bound(book: PriceBook, call: BoundCall, request: BoundRequest): Hold {
  const tariffs = reachable(book, call);
  const { window, inputTokens, problem } = inputBound(tariffs, call, request);
  const { cap, predictedBytes = 0, uses = none, reads = anything } = request;
  const most = answerMost(request, window);
  const outputTokens = most === null ? null : exact(most * answersMost(request, cap !== null) + (cap === 0 ? 0 : predictedBytes));
  const known = {
    inputTokens,
    outputTokens,
    ...(Object.keys(uses).length === 0 ? {} : { uses }),
    ...(request.reads === undefined ? {} : { reads }),
    ...(call.tiers === undefined || call.tiers.length === 0 ? {} : { tiers: call.tiers }),
  };
  const reason = problem ?? (outputTokens === null ? outputReason(call, request, most) : null) ?? timeReason(tariffs);
  if (reason !== null || outputTokens === null) return { cost: null, unbounded: reason, ...known };
  const { charges, unpriced } = settleAtMost(tariffs, { inputTokens, outputTokens, uses, reads });
  if (unpriced.length > 0) return { cost: null, unbounded: unpricedReason(call, unpriced), ...known };
  return { cost: formatUsd(total(charges)), unbounded: null, ...known };
}

/** The dearest of the ways a request may go: the first that has no bound, else the one that costs most. There is at least one. */
export function boundAtMost(book: PriceBook, possible: readonly PossibleCall[]): Hold {
  const [first, ...others] = possible.map(({ call, request }) => bound(book, call, request));
  if (first === undefined) throw new RangeError("boundAtMost: there is no call to bound");
  return others.reduce((most, hold) => {
    if (most.cost === null || hold.cost === null) return most.cost === null ? most : hold;
    return parseUsd(hold.cost) > parseUsd(most.cost) ? hold : most;
  }, first);
}

/**
 * The largest cap on output tokens of one answer with which none of the ways a request may go costs more than `money`: its bound is within it,
 * and with one token more it is not, or the model cannot put out more. Whatever cap the request has is left out of account.
 * @returns 0 where not one token is paid for, or where no cap gives a bound.
 */
export function capFor(book: PriceBook, possible: readonly PossibleCall[], money: Pico): number {
  return Math.min(...possible.map(({ call, request }) => capOf(book, call, request, money)));
}

function capOf(book: PriceBook, call: BoundCall, request: BoundRequest, money: Pico): number {
  const tariffs = reachable(book, call);
  const { window, inputTokens, problem } = inputBound(tariffs, call, request);
  const { predictedBytes = 0, uses = none, reads = anything } = request;
  const scale = answersMost(request, true);
  const model = answerMost({ ...request, cap: null, outputMax: request.outputMax ?? null }, window) ?? Infinity;
  let cap = Math.min(model, Math.floor((Number.MAX_SAFE_INTEGER - predictedBytes) / scale));
  if (problem !== null || timeReason(tariffs) !== null || tariffs.length === 0 || !(cap >= 1)) return 0;
  for (const tariff of tariffs) {
    // What is paid whatever the cap. A least cost of the call swallows what lies below it.
    const fixed = settleAt(tariff, { inputTokens, outputTokens: 0, uses, reads }, false);
    const step = dearestStep(tariff, "output", inputTokens, reads);
    if (fixed.unpriced.length > 0 || step === null) return 0;
    if (tariff.minimum !== null && tariff.minimum.costPico > money) return 0;
    const tokens = unitsFor(step.rate, (money - total(fixed.charges)) as Pico);
    cap = tokens < leastOf(tariff, "output") ? 0 : Math.min(cap, Math.floor((tokens - predictedBytes) / scale));
    if (cap < 1) return 0;
  }
  return cap;
}

/**
 * Settles a hold at its bound, line by line. A presumed token has no known class: it is on record as plain input or output, at the price
 * of the dearest class, which its price's version names. An output without a bound is unknown, and is named as unpriced.
 */
export function presume(book: PriceBook, call: BoundCall, hold: Hold): Presumption {
  const { inputTokens, outputTokens, unbounded, uses = none, reads = anything, tiers = [] } = hold;
  const tariffs = reachable(book, { ...call, tiers });
  const { charges, unpriced } = settleAtMost(tariffs, { inputTokens, outputTokens: outputTokens ?? 0, uses, reads });
  const unknown = [...(outputTokens === null ? (["output"] as const) : []), ...(tariffs.some(hasTime) ? (["compute"] as const) : [])];
  const quantities = { input: inputTokens, ...(outputTokens === null ? {} : { output: outputTokens }), ...uses };
  return {
    usage: {
      parts: [{ kind: "presumed", model: null, quantities }],
      source: "presumed",
      doubts: unbounded === null ? [] : [`no bound: ${unbounded}`],
      raw: null,
    },
    charges,
    unpriced: [...unpriced, ...unknown],
  };
}

interface InputBound {
  readonly window: number;
  readonly inputTokens: number;
  /** Why there is no bound. */
  readonly problem: string | null;
}

/** Bytes and what stands beside them, at most a window of each input; a whole window for each step after the first. */
function inputBound(tariffs: readonly Tariff[], { model }: BoundCall, request: BoundRequest): InputBound {
  const { requestBytes, extraTokens = 0, wide = null, contexts = 1, steps = 1 } = request;
  const window = tariffs.length === 0 ? Infinity : Math.max(...tariffs.map((tariff) => tariff.contextWindow ?? Infinity));
  const held = requestBytes + extraTokens;
  const first = wide === null ? Math.min(held, contexts * window) : contexts * window;
  const all = steps > 1 ? first + (steps - 1) * window : first;
  const problem = request.unbounded ?? (wide !== null && all === Infinity ? `${wide}; the context window of ${model} is not known` : null);
  if (problem === null && all === Infinity)
    return { window, inputTokens: held, problem: `${steps} steps, and the context window of ${model} is not known` };
  if (problem === null && !Number.isSafeInteger(all)) return { window, inputTokens: held, problem: "the input is no count" };
  return { window, inputTokens: Number.isSafeInteger(all) ? all : held, problem };
}

/** The most tokens of one answer; null where nothing bounds them. */
function answerMost({ cap, outputMax }: BoundRequest, window: number): number | null {
  if (cap !== null || outputMax === undefined) return cap;
  const most = outputMax ?? window;
  return most === Infinity ? null : most;
}

/** How many times as much as one answer is put out: by each choice, and by each step where no cap holds for all of them. */
function answersMost({ choices, steps = 1, capPerStep = false }: BoundRequest, isCapped: boolean): number {
  return choices * (capPerStep || !isCapped ? steps : 1);
}

function exact(tokens: number): number | null {
  return Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
}

function outputReason({ model }: BoundCall, { cap, outputMax }: BoundRequest, most: number | null): string {
  if (cap !== null || most !== null) return "the cap on output tokens is no count";
  return outputMax === undefined
    ? "no cap on output tokens"
    : `no cap on output tokens, and neither the most that ${model} puts out nor its context window is known`;
}

/** Calls of a model that are charged for the time they take, of which nobody knows before how long it is. */
function timeReason(tariffs: readonly Tariff[]): string | null {
  return tariffs.some(hasTime) ? "the time of the engine has a price, and no limit" : null;
}

function hasTime({ prices }: Tariff): boolean {
  return prices.compute?.some(({ rate }) => rate.pico > 0n) ?? false;
}

/** Tariffs the call can be served at: of the tier asked for, the standard one and others it may meet, at any hour. */
function reachable(book: PriceBook, call: BoundCall): readonly Tariff[] {
  if (call.model === null) return [];
  const { provider, model, region, atMs, untilMs = atMs, tiers = [] } = call;
  const at = (tier: string | null, ms: number): readonly Tariff[] => book.findAll({ provider, model, tier, region, atMs: ms });
  const found = new Set<Tariff>();
  for (const ms of untilMs > atMs ? [atMs, untilMs] : [atMs]) {
    for (const tariff of at(call.tier, ms)) found.add(tariff);
    for (const tariff of at(standard, ms)) found.add(tariff);
    for (const tier of tiers) for (const tariff of at(tier, ms)) if (tariff.prices.output !== undefined) found.add(tariff);
  }
  return [...found];
}

interface Most {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly uses: Quantities;
  readonly reads: InputKinds;
}

/** The dearest of the tariffs; one that cannot price what may come makes the whole unpriced, since the call may meet it. */
function settleAtMost(tariffs: readonly Tariff[], most: Most): Rating {
  const ratings = tariffs.map((tariff) => settleAt(tariff, most, true));
  const [first, ...others] = ratings;
  if (first === undefined)
    return {
      charges: [],
      unpriced: [
        ...(most.inputTokens > 0 ? ["input" as const] : []),
        ...(most.outputTokens > 0 ? ["output" as const] : []),
        ...(Object.keys(most.uses) as UsageClass[]).filter((name) => (most.uses[name] ?? 0) > 0),
      ],
    };
  return (
    ratings.find((rating) => rating.unpriced.length > 0) ??
    others.reduce((dearest, rating) => (total(rating.charges) > total(dearest.charges) ? rating : dearest), first)
  );
}

/** @param whole whether what is missing to the least that a call costs is charged too. */
function settleAt(tariff: Tariff, { inputTokens, outputTokens, uses, reads }: Most, whole: boolean): Rating {
  const charges: Charge[] = [];
  const unpriced: UsageClass[] = [];
  for (const [type, quantity, step] of [
    ["input", inputTokens, dearestStep(tariff, "input", inputTokens, reads)],
    ["output", outputTokens, dearestStep(tariff, "output", inputTokens, reads)],
  ] as const) {
    if (quantity === 0) continue;
    if (step === null) unpriced.push(type);
    else charges.push(lineOf(tariff, type, Math.max(quantity, leastOf(tariff, type)), 0, step, "presumed"));
  }
  for (const name in uses) {
    const type = name as UsageClass;
    const quantity = uses[type] ?? 0;
    if (quantity === 0) continue;
    const step = dearestOf(tariff.prices[type] ?? []);
    if (step === null) unpriced.push(type);
    else charges.push(lineOf(tariff, type, Math.max(quantity, tariff.terms[type]?.atLeast ?? 0), 0, step, "presumed"));
  }
  const fee = stepFor(tariff.prices.request, 0);
  if (fee !== null) charges.push(lineOf(tariff, "request", 1, 0, fee, "presumed"));
  const least = whole ? topUp(tariff, charges, "presumed") : null;
  if (least !== null) charges.push(least);
  return { charges, unpriced };
}

/** Of each tariff and direction the steps that can be the dearest, by the context above which they are. */
const ladders = new WeakMap<Tariff, Map<string, readonly PricedStep[]>>();

/**
 * The dearest step of a direction that a call of up to so many input tokens can reach: any class of tokens, any context length below it. Where a
 * class's own units have their steps, all of these: how many of them there are is not looked at.
 */
function dearestStep(tariff: Tariff, direction: "input" | "output", context: number, reads: InputKinds): PricedStep | null {
  const reach = hasMarginal(tariff, direction) ? Infinity : context;
  let dearest: PricedStep | null = null;
  for (const step of ladderOf(tariff, direction, reads)) if (reach > step.aboveTokens) dearest = step;
  return dearest;
}

function hasMarginal({ terms }: Tariff, direction: "input" | "output"): boolean {
  for (const type in terms) if (isTokens(type as UsageClass, direction) && terms[type as UsageClass]?.marginal === true) return true;
  return false;
}

/** Ascending in context and in price. */
function ladderOf(tariff: Tariff, direction: "input" | "output", { media, writes }: InputKinds): readonly PricedStep[] {
  let of = ladders.get(tariff);
  if (of === undefined) ladders.set(tariff, (of = new Map()));
  const key = direction === "output" ? direction : `${media} ${writes}`;
  let ladder = of.get(key);
  if (ladder === undefined) {
    const steps = usageClassNames
      .filter((type) => isTokens(type, direction) && (direction === "output" || isRead(type, { media, writes })))
      .flatMap((type) => tariff.prices[type] ?? [])
      .toSorted((a, b) => a.aboveTokens - b.aboveTokens);
    const rising: PricedStep[] = [];
    for (const step of steps) if (rising.length === 0 || isDearer(step, rising.at(-1) as PricedStep)) rising.push(step);
    of.set(key, (ladder = rising));
  }
  return ladder;
}

function isRead(type: UsageClass, { media, writes }: InputKinds): boolean {
  const { modality, cache } = usageClasses[type];
  if (!media && modality !== "text") return false;
  return cache !== "write" || writes === "any" || (writes === "5m" && type !== "cache_write_1h");
}

function dearestOf(steps: readonly PricedStep[]): PricedStep | null {
  let dearest: PricedStep | null = null;
  for (const step of steps) if (dearest === null || isDearer(step, dearest)) dearest = step;
  return dearest;
}

function isDearer(a: PricedStep, b: PricedStep): boolean {
  return a.rate.pico * b.rate.per > b.rate.pico * a.rate.per;
}

/** The most units of any class of a direction that are billed however few there are. */
function leastOf({ terms }: Tariff, direction: "input" | "output"): number {
  let least = 0;
  for (const type in terms) if (isTokens(type as UsageClass, direction)) least = Math.max(least, terms[type as UsageClass]?.atLeast ?? 0);
  return least;
}

function isTokens(type: UsageClass, direction: "input" | "output"): boolean {
  return usageClasses[type].unit === "token" && usageClasses[type].direction === direction;
}

function unpricedReason(call: BoundCall, classes: readonly UsageClass[]): string {
  const tier = call.tier === null ? "" : ` in tier ${call.tier}`;
  return call.model === null ? "the request names no model" : `no price for ${classes.join(" and ")} of ${call.model}${tier}`;
}
