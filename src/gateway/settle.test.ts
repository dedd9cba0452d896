// What finished tries come to where the engine's time has a price. Dollars by hand: at 3.60 an hour a second is a tenth of a cent.

import { describe, expect, it } from "vitest";
import { bookOf } from "../core/book.fixture.ts";
import { bound } from "../core/bound.ts";
import { type CallStart, unattributed } from "../core/call.ts";
import { total } from "../core/charge.ts";
import { formatUsd } from "../core/money.ts";
import type { PriceRecord } from "../core/price.ts";
import type { AnswerFacts } from "../providers/format.ts";
import { Estimator } from "./estimate.ts";
import { type Ending, noEnding, presumeEnd, settle } from "./settle.ts";

const price: PriceRecord = {
  id: "own@1/engine/timed",
  provider: "engine",
  model: "timed",
  match: { equals: "timed" },
  contextWindow: null,
  tier: "standard",
  region: null,
  prices: {
    compute: { per: 3_600_000, steps: [{ aboveTokens: -1, usd: "3.60" }] },
    input: { per: 1, steps: [{ aboveTokens: -1, usd: "0" }] },
    output: { per: 1, steps: [{ aboveTokens: -1, usd: "0" }] },
  },
  validFromMs: null,
  validToMs: null,
  window: null,
};
const plain: PriceRecord = { ...price, id: "own@1/engine/plain", model: "plain", match: { equals: "plain" }, prices: { ...price.prices } };
delete (plain.prices as { compute?: unknown }).compute;
const rates = { book: bookOf({ own: [price, plain] }), estimator: new Estimator() };

const start: CallStart = {
  id: "call",
  request: "request",
  attempt: 1,
  reason: "first",
  cause: null,
  startMs: 1_000,
  attribution: unattributed,
  key: null,
  provider: "engine",
  format: "ollama-generate",
  endpoint: "/api/chat",
  pool: "shared",
  region: null,
  modelAsked: "timed",
  modelSent: "timed",
  tierAsked: null,
  capAsked: null,
  capInForce: null,
  effort: null,
  streamed: false,
  trace: null,
  span: null,
  requestBytes: 10,
  promptBytes: { system: 0, tools: 0, user: 4, earlier: 0, toolResults: 0 },
  toolNames: [],
  prefix: [],
  edits: [],
  hold: { inputTokens: 10, outputTokens: 5, cost: null, unbounded: null },
};
const facts: AnswerFacts = {
  responseId: null,
  model: "timed",
  tier: null,
  finish: "stop",
  usage: { parts: [{ kind: "message", model: null, quantities: { input: 3, output: 5 } }], source: "reported", doubts: [], raw: null },
  outputBytes: 20,
  error: null,
  complete: true,
};
const ending: Ending = { ...noEnding, status: "complete", httpStatus: 200, clientGone: false, sentMs: 1_500, endMs: 4_000 };

function computed(of: { start?: Partial<CallStart>; ending?: Partial<Ending>; facts?: Partial<AnswerFacts> | null }) {
  const end = settle(rates, { ...start, ...of.start }, { ...ending, ...of.ending }, of.facts === null ? null : { ...facts, ...of.facts });
  const line = end.charges.find((one) => one.class === "compute");
  return { end, line: line === undefined ? null : `${line.quantity} ms ${line.source} $${formatUsd(line.costPico)}` };
}

describe("the engine's time", () => {
  it("is what the engine says where it says it", () => {
    const { end, line } = computed({ facts: { busyMs: 2_000 } });
    expect(line).toBe("2000 ms reported $0.002");
    expect(end.charges.map((one) => one.class)).toEqual(["input", "output", "compute"]);
    expect(formatUsd(total(end.charges))).toBe("0.002");
    expect(end.unpriced).toEqual([]);
  });

  it("is else from the request's going out to the end of the answer, and marked as an estimate", () => {
    expect(computed({}).line).toBe("2500 ms estimated $0.0025");
    expect(computed({ ending: { status: "aborted", endMs: 2_000 }, facts: { usage: null } }).line).toBe("500 ms estimated $0.0005");
    // A clock that was set back.
    expect(computed({ ending: { endMs: 1_000 } }).end.usage?.parts[0]?.quantities.compute).toBe(0);
  });

  it("is nothing to a model without a price of it, nor to what was never sent or was refused", () => {
    expect(computed({ start: { modelSent: "plain" }, facts: { model: "plain", busyMs: 2_000 } }).end.usage).toEqual(facts.usage);
    expect(computed({ ending: { status: "unreached", sentMs: null }, facts: null })).toMatchObject({ line: null, end: { usage: null } });
    expect(computed({ ending: { status: "failed", httpStatus: 400 }, facts: { usage: null, outputBytes: 0 } }).end.usage).toBeNull();
  });

  it("does not put on record when the request went out", () => {
    expect(computed({}).end).not.toHaveProperty("sentMs");
  });

  it("is unknown, and not free, of a call that nobody saw the end of", () => {
    const end = presumeEnd(rates, start, null, 9_000);
    expect(end.unpriced).toEqual(["compute"]);
  });

  it("has no bound, since nobody knows how long a call takes", () => {
    const of = { provider: "engine", tier: null, region: null, atMs: 0 };
    const request = { requestBytes: 10, cap: 5, choices: 1, unbounded: null };
    expect(bound(rates.book, { ...of, model: "timed" }, request).unbounded).toBe("the time of the engine has a price, and no limit");
    expect(bound(rates.book, { ...of, model: "plain" }, request).cost).toBe("0");
  });
});

const usd = (text: string) => ({ per: 1, steps: [{ aboveTokens: -1, usd: text }] });

describe("an answer whose usage nobody reported", () => {
  const metered: PriceRecord = { ...plain, id: "own@1/engine/metered", model: "metered", match: { equals: "metered" } };
  const book = bookOf({ own: [{ ...metered, prices: { input: usd("0.001"), output: usd("0.01") } }] });
  const guarded = {
    ...start,
    modelSent: "metered",
    guard: { budgets: ["all"], uncovered: [], warned: [] },
    hold: { inputTokens: 10, outputTokens: 1_000, cost: "10.01", unbounded: null },
  };
  const mostOf = (of: Partial<Ending>, said: Partial<AnswerFacts>) =>
    settle({ book, estimator: new Estimator() }, guarded, { ...ending, stopsWhenCut: true, ...of }, { ...facts, usage: null, ...said })
      .atMost;

  it("counts as a token for each byte that was seen, and what frames it, of which no byte shows", () => {
    // 10 in, 4 + 64 out; each call of a tool has a frame of its own.
    expect(mostOf({}, { outputBytes: 4 })).toEqual({ cost: "0.69", tokens: 78 });
    expect(mostOf({}, { outputBytes: 4, tools: 2 })).toEqual({ cost: "1.97", tokens: 206 });
  });

  it("counts 256 more where it was broken off, and never more than its bound", () => {
    expect(mostOf({ status: "cut" }, { outputBytes: 4, complete: false })).toEqual({ cost: "3.25", tokens: 334 });
    expect(mostOf({ status: "cut" }, { outputBytes: 900, complete: false })).toEqual({ cost: "10.01", tokens: 1_010 });
  });

  it("counts as its bound where not all of it can be seen", () => {
    expect(mostOf({ stopsWhenCut: false }, { outputBytes: 4 })).toEqual({ cost: "10.01", tokens: 1_010 });
  });
});
