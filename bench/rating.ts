// `npm run bench rating`: calls rated per second on one core, look-ups warm and over many names and times, against the same sum in
// floats; and how long the price book takes to read. Not here: whether the sums are right.

import { rate, type RatedCall } from "../src/core/rating.ts";
import type { Usage } from "../src/core/usage.ts";
import { shippedBook } from "../src/prices/book.fixture.ts";
import { readSnapshots } from "../src/prices/snapshot.ts";
import type { Line } from "./main.ts";

const roundMs = 400;
const rounds = 5;

/** What a naive meter does: look up floats by name, multiply, add. One object, no receipt. */
interface Naive {
  readonly [name: string]: { readonly [type: string]: number };
}

export async function* bench(): AsyncIterable<Line> {
  const reads = Array.from({ length: 5 }, () => timed(() => shippedBook()));
  yield { name: "rating.book.read", value: round(median(reads)), unit: "ms", baseline: null, ratio: null };

  const book = shippedBook();
  const usage: Usage = {
    parts: [
      {
        kind: "message",
        model: null,
        quantities: { input: 2_017, cache_read: 80_112, cache_write_5m: 5_003, output: 911, reasoning: 1_404, web_search: 1 },
      },
    ],
    source: "reported",
    doubts: [],
    raw: null,
  };
  const one = makeCall("anthropic", "claude-sonnet-4-5-20250929", Date.parse("2026-02-01"));
  const naive: Naive = {
    [one.modelAnswered ?? ""]: {
      input: 3e-6,
      cache_read: 3e-7,
      cache_write_5m: 3.75e-6,
      output: 1.5e-5,
      reasoning: 1.5e-5,
      web_search: 0.01,
    },
  };
  const warm = compare(
    () => rate(book, one, usage).charges.length,
    () => naiveCost(naive, one, usage),
  );
  yield { name: "rating.warm", ...warm };

  const many = manyCalls(5_000);
  const rates = naive[one.modelAnswered ?? ""] ?? {};
  const table: Naive = Object.fromEntries(many.map((call) => [call.modelAnswered, rates]));
  let mine = 0;
  let theirs = 0;
  const spread = compare(
    () => rate(book, many[(mine += 1) % many.length] as RatedCall, usage).charges.length,
    () => naiveCost(table, many[(theirs += 1) % many.length] as RatedCall, usage),
  );
  yield { name: "rating.5000names", ...spread };
  process.stderr.write("Six classes a call, with receipts. What limits it: one object and two bigints for each line of a receipt.\n");
}

function makeCall(provider: string, model: string, atMs: number): RatedCall {
  return { provider, modelAsked: model, modelAnswered: model, tier: null, region: null, atMs };
}

/** Distinct priced names of all providers, and names that rules resolve, each at a time of its own. */
function manyCalls(count: number): readonly RatedCall[] {
  const names = readSnapshots().flatMap((file) => file.models.map((model) => [file.provider, model.id] as const));
  const spellings = ["", "-latest", "-2026-01-01", ":free"];
  const calls: RatedCall[] = [];
  for (const spelling of spellings)
    for (const [provider, model] of names)
      if (calls.length < count) calls.push(makeCall(provider, `${model}${spelling}`, Date.parse("2026-01-01") + calls.length * 3_600_000));
  return calls;
}

function naiveCost(prices: Naive, call: RatedCall, usage: Usage): number {
  const rates = prices[call.modelAnswered ?? call.modelAsked ?? ""] ?? {};
  let dollars = 0;
  for (const part of usage.parts)
    for (const [name, quantity] of Object.entries(part.quantities)) dollars += (rates[name] ?? 0) * (quantity ?? 0);
  return dollars;
}

/** Interleaved rounds of both; the median of each. */
function compare(ours: () => number, baseline: () => number): Omit<Line, "name"> {
  const [a, b]: [number[], number[]] = [[], []];
  perSecond(ours);
  perSecond(baseline);
  for (let index = 0; index < rounds; index += 1) {
    a.push(perSecond(ours));
    b.push(perSecond(baseline));
  }
  return { value: Math.round(median(a)), unit: "calls/s", baseline: Math.round(median(b)), ratio: round(median(a) / median(b)) };
}

function perSecond(work: () => number): number {
  const startMs = performance.now();
  let done = 0;
  let kept = 0;
  while (performance.now() - startMs < roundMs) for (let index = 0; index < 1_000; index += 1, done += 1) kept += work();
  if (Number.isNaN(kept)) throw new Error("unreachable: keeps the work from being optimised away");
  return (done / (performance.now() - startMs)) * 1_000;
}

function timed(work: () => unknown): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
