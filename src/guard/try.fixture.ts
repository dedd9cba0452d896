// Tries of calls for tests of the guard: what it is asked, and how they start, end and are observed. Amounts are picodollars and tokens.

import { type CallEnd, type CallStart, type CallStatus, type Observation, unattributed } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import { formatUsd, toPico } from "../core/money.ts";
import type { Usage } from "../core/usage.ts";
import type { Admitted, Asking } from "./asking.ts";

export function askingOf(
  who: {
    readonly call: string;
    readonly atMs: number;
    readonly agent: string | null;
    readonly customer: string | null;
    readonly type: string | null;
  },
  most: { readonly money: bigint | null; readonly tokens: bigint },
  more: Partial<Asking> = {},
): Asking {
  const { call, atMs, agent, customer, type } = who;
  const { money, tokens } = most;
  return {
    call,
    request: call,
    attempt: 1,
    atMs,
    attribution: { ...unattributed, agent, customer, type },
    key: null,
    provider: "openai",
    model: "gpt",
    cap: null,
    choices: 1,
    thinking: 0,
    canCap: () => false,
    canRename: false,
    canCount: () => false,
    canCut: true,
    inputGuess: 1,
    fingerprint: null,
    toolRounds: [],
    isHeld: false,
    isMetered: true,
    bound: () => ({
      inputTokens: 0,
      outputTokens: money === null ? null : Number(tokens),
      cost: money === null ? null : formatUsd(toPico(money)),
      unbounded: money === null ? "nobody knows" : null,
    }),
    capFor: () => 0,
    ...more,
  };
}

export function startOf({ call, request, attempt, attribution, key, provider, model }: Asking, admitted: Admitted): CallStart {
  return {
    id: call,
    request,
    attempt,
    reason: "first",
    cause: null,
    startMs: admitted.atMs,
    attribution,
    key,
    provider,
    format: "openai",
    endpoint: "/v1/chat/completions",
    pool: "shared",
    region: null,
    modelAsked: model,
    modelSent: admitted.model ?? model,
    tierAsked: null,
    capAsked: null,
    capInForce: null,
    effort: null,
    streamed: false,
    trace: null,
    span: null,
    requestBytes: 1,
    promptBytes: { system: 0, tools: 0, user: 1, earlier: 0, toolResults: 0 },
    toolNames: [],
    prefix: [],
    edits: admitted.edits,
    hold: admitted.hold,
    ...(admitted.mark === undefined ? {} : { guard: admitted.mark }),
  };
}

export interface EndsAs {
  readonly status: CallStatus;
  /** null: there is no usage. */
  readonly source: Usage["source"] | null;
  readonly cost: bigint;
  readonly nowMs: number;
  readonly atMost?: bigint | null;
  readonly unpriced?: boolean;
  readonly responseId?: string | null;
}

/** As many tokens as picodollars. */
export function endOf(
  start: Pick<CallStart, "id">,
  { status, source, cost, nowMs, atMost = null, unpriced = false, responseId = null }: EndsAs,
): CallEnd {
  return {
    id: start.id,
    endMs: nowMs,
    firstByteMs: null,
    firstTokenMs: null,
    status,
    httpStatus: null,
    error: null,
    clientGone: false,
    finish: null,
    modelAnswered: null,
    tierServed: null,
    responseId,
    providerRequest: null,
    answerBytes: 0,
    usage: usageOf(source, cost),
    charges: source === null ? [] : [chargeOf(cost)],
    unpriced: unpriced && source !== null ? ["output"] : [],
    ...(atMost === null ? {} : { atMost: { cost: formatUsd(toPico(atMost)), tokens: Number(atMost) } }),
  };
}

export function observationOf(responseId: string, startMs: number, cost: bigint, isBatch: boolean, observedMs: number): Observation {
  return {
    id: `o${responseId}`,
    witness: "fetch",
    observedMs,
    startMs,
    provider: "openai",
    format: "openai",
    endpoint: "/v1/responses",
    key: null,
    attribution: { ...unattributed, agent: "a", customer: "a" },
    responseId,
    modelAnswered: "gpt",
    tierServed: isBatch ? "batch" : null,
    finish: null,
    status: "complete",
    usage: usageOf("reported", cost),
    charges: [chargeOf(cost)],
    unpriced: [],
  };
}

function usageOf(source: Usage["source"] | null, tokens: bigint): Usage | null {
  if (source === null) return null;
  const parts = [{ model: "gpt", quantities: { output: Number(tokens) } }];
  return { source, parts } as unknown as Usage;
}

function chargeOf(costPico: bigint): Charge {
  const cost = toPico(costPico);
  return {
    class: "output",
    quantity: 1,
    source: "reported",
    model: "gpt",
    part: 0,
    price: "v",
    ratePico: cost,
    ratePer: 1n,
    costPico: cost,
  };
}
