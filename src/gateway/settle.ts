// What a finished try comes to: its usage (reported, else estimated or presumed and marked so), its charges, its end entry. Pure but for
// the estimator's learned ratios. A settlement is never refused.

import { presume } from "../core/bound.ts";
import type { CallEnd, CallStart, CallStatus, PromptBytes } from "../core/call.ts";
import { type Rating, total } from "../core/charge.ts";
import { formatUsd } from "../core/money.ts";
import type { PriceBook } from "../core/price.ts";
import { findTariff, rate, type RatedCall } from "../core/rating.ts";
import { ratedCallOf } from "../core/rerating.ts";
import { inputTokens, type Usage } from "../core/usage.ts";
import type { AnswerFacts } from "../providers/format.ts";
import type { Estimator } from "./estimate.ts";

/** How a try ended, seen from the wire. */
export interface Ending {
  readonly status: CallStatus;
  readonly httpStatus: number | null;
  readonly error: string | null;
  readonly clientGone: boolean;
  readonly endMs: number;
  /** When the request had gone out; null: nothing was sent, or it is not known. Not put on record. */
  readonly sentMs: number | null;
  readonly firstByteMs: number | null;
  readonly firstTokenMs: number | null;
  readonly answerBytes: number;
  readonly providerRequest: string | null;
  /** As the answer's head said; its body may say better. */
  readonly poolServed?: string;
  /** All that is generated is seen as it passes, and a provider that is cancelled generates and bills no more. Not put on record. */
  readonly stopsWhenCut?: boolean;
  /** More may have come than was read. Not put on record. */
  readonly isBehind?: boolean;
}

export interface Rates {
  readonly book: PriceBook;
  readonly estimator: Estimator;
}

/** What a try comes to, as it goes on record. */
export function settle(rates: Rates, start: CallStart, ending: Ending, facts: AnswerFacts | null): CallEnd {
  const { usage, charges, unpriced } = price(rates, start, ending, facts);
  const { sentMs: _, stopsWhenCut: __, isBehind: ___, ...ended } = ending;
  const atMost = start.guard === undefined || unpriced.length > 0 ? null : mostOf(rates.book, start, ending, usage, facts);
  return {
    id: start.id,
    ...ended,
    error: ending.error ?? facts?.error ?? null,
    finish: facts?.finish ?? null,
    modelAnswered: facts?.model ?? null,
    tierServed: facts?.tier ?? null,
    responseId: facts?.responseId ?? null,
    // Of a half of an answer nobody knows what the other half would have called.
    ...(facts?.tools === undefined || !facts.complete ? {} : { tools: facts.tools }),
    ...(facts?.cost === undefined ? {} : { costReported: facts.cost }),
    ...(facts?.pool === undefined ? {} : { poolServed: facts.pool }),
    usage,
    charges,
    unpriced,
    ...(atMost === null ? {} : { atMost }),
  };
}

/** Tokens that a provider may have put out, and we have not seen, when it is cancelled. */
const inFlightTokens = 256;
/** Tokens that no byte shows, of an answer and of each call of a tool in it: ends of turns, and what is written around a call. */
const unseenTokens = 64;

/** The most it can have been, where its provider has not said what it was: for budgets, which must not go by guesses. null: it has said. */
function mostOf(
  book: PriceBook,
  start: CallStart,
  { status, stopsWhenCut, isBehind }: Ending,
  usage: Usage | null,
  facts: AnswerFacts | null,
): CallEnd["atMost"] | null {
  if (usage === null || usage.source === "reported" || usage.source === "presumed") return null;
  const { hold, provider, region, startMs: atMs, modelSent: model, tierAsked: tier } = start;
  const first = usage.parts[0];
  const input = usage.source === "partial" && first !== undefined ? inputTokens(first.quantities) : hold.inputTokens;
  const isOver = status === "complete" || status === "failed";
  // No token that is seen has less than one byte: what was seen bounds what there was, where all but what frames it can be seen.
  const seen = facts === null || !stopsWhenCut ? null : facts.outputBytes + unseenOf(facts) + (isOver ? 0 : inFlightTokens);
  const isAll = seen !== null && (isOver || isBehind !== true);
  const output = isAll ? Math.min(seen, hold.outputTokens ?? Infinity) : (hold.outputTokens ?? seen);
  if (output === null) return null;
  const { charges, unpriced } = presume(
    book,
    { provider, model, tier, region, atMs },
    { ...hold, inputTokens: input, outputTokens: output },
  );
  return unpriced.length > 0 ? null : { cost: formatUsd(total(charges)), tokens: input + output };
}

function unseenOf({ tools }: AnswerFacts): number {
  return unseenTokens * (1 + (tools ?? 0));
}

interface Priced extends Rating {
  readonly usage: Usage | null;
}

function price(rates: Rates, start: CallStart, ending: Ending, facts: AnswerFacts | null): Priced {
  const { provider, region, startMs: atMs, modelSent: model } = start;
  const usage = decideUsage(rates.estimator, start, ending, facts);
  if (usage === null) return { usage, charges: [], unpriced: [] };
  if (usage === "bound") return presume(rates.book, { provider, model, tier: start.tierAsked, region, atMs }, start.hold);
  const call = ratedCallOf(start, { modelAnswered: facts?.model ?? null, tierServed: facts?.tier ?? null });
  const timed = withCompute(rates.book, call, usage, ending, facts);
  return { usage: timed, ...rate(rates.book, call, timed) };
}

/**
 * Where the engine's time has a price, the time it took is part of what was used: as the engine says, else from the request's going out
 * to the end of the answer, which is an estimate. It stands with the first part, whose model is the call's.
 */
function withCompute(book: PriceBook, call: RatedCall, usage: Usage, ending: Ending, facts: AnswerFacts | null): Usage {
  const [first, ...others] = usage.parts;
  if (first === undefined || findTariff(book, call, first.model)?.prices.compute === undefined) return usage;
  const waitedMs = ending.sentMs === null ? null : Math.max(0, ending.endMs - ending.sentMs);
  const compute = facts?.busyMs ?? waitedMs;
  if (compute === null) return usage;
  const parts = [{ ...first, quantities: { ...first.quantities, compute } }, ...others];
  return { ...usage, parts, sources: { ...usage.sources, compute: facts?.busyMs === undefined ? "estimated" : "reported" } };
}

/** `bound`: nobody knows, so the call counts at its hold. */
function decideUsage(estimator: Estimator, start: CallStart, ending: Ending, facts: AnswerFacts | null): Usage | "bound" | null {
  // Bytes of which nothing is known are no tokens.
  if (start.format === "unmetered") return null;
  const reported = facts?.usage ?? null;
  const outputBytes = facts === null || saysNothing(facts) ? unreadBytes(start, ending) : facts.outputBytes;
  const prompt = promptTotal(start.promptBytes);
  const model = `${start.provider}/${start.modelSent ?? ""}`;
  if (reported?.source === "reported") {
    estimator.learn(model, reported, prompt, outputBytes);
    return reported;
  }
  switch (ending.status) {
    case "unreached":
      return null;
    case "failed":
      // Providers do not bill an error answer; what was generated before a stream's error is another matter.
      return reported === null && outputBytes === 0 ? null : estimator.complete(model, reported, prompt, outputBytes, facts?.doubts);
    case "presumed":
      return "bound";
    case "complete":
    case "cut":
    case "aborted":
      return estimator.complete(model, reported, prompt, outputBytes, facts?.doubts);
  }
}

/** Nothing of it was understood: it may be of another kind than its head says. */
function saysNothing({ usage, outputBytes, responseId, model, finish, error }: AnswerFacts): boolean {
  return usage === null && outputBytes === 0 && responseId === null && model === null && finish === null && error === null;
}

/** An answer that could not be read, or not to its end: its bytes stand for what was generated, which is too much rather than nothing. */
function unreadBytes(start: CallStart, { httpStatus, answerBytes }: Ending): number {
  return httpStatus !== null && httpStatus < 300 && start.capAsked !== 0 ? answerBytes : 0;
}

function promptTotal(bytes: PromptBytes): number {
  return bytes.system + bytes.tools + bytes.user + bytes.earlier + bytes.toolResults;
}

/**
 * The end of a call that a dead process left open: sent, and nobody knows how it ended, so it counts at its bound.
 * @param responseId by which a later witness may still find it.
 */
export function presumeEnd(rates: Rates, start: CallStart, responseId: string | null, nowMs: number): CallEnd {
  const ending: Ending = { ...noEnding, status: "presumed", error: "gateway_died", clientGone: true, endMs: nowMs };
  return { ...settle(rates, start, ending, null), responseId };
}

/** An ending of which nothing is known yet. */
export const noEnding: Omit<Ending, "status" | "endMs" | "clientGone"> = {
  httpStatus: null,
  error: null,
  sentMs: null,
  firstByteMs: null,
  firstTokenMs: null,
  answerBytes: 0,
  providerRequest: null,
};
