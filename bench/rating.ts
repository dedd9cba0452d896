// `npm run bench rating`: calls rated per second on one core, look-ups warm and over many names and times, against the same sum in
// floats; how long the price book takes to make, against reading its files; and what it costs to ask what was known at a time, against
// asking what is known now. Not here: whether the sums are right.

import { rate, type RatedCall } from "../src/core/rating.ts";
import type { Usage } from "../src/core/usage.ts";
import { createHistory, type History, type StandingList } from "../src/prices/history.ts";
import { takeShipped } from "../src/prices/shelf.ts";
import { readShipped, readSnapshots } from "../src/prices/snapshot.ts";
import type { Line } from "./main.ts";

const roundMs = 400;
const rounds = 5;

/** What a naive meter does: look up floats by name, multiply, add. One object, no receipt. */
interface Naive {
  readonly [name: string]: { readonly [type: string]: number };
}

export async function* bench(): AsyncIterable<Line> {
  const one = makeCall("anthropic", "claude-sonnet-4-5-20250929", Date.parse("2026-02-01"));
  const found = { provider: one.provider, model: one.modelAnswered ?? "", tier: null, region: null, atMs: one.atMs };
  yield { name: "rating.book.make", ...times(() => makeHistory(0).at(null).find(found), readSnapshots) };

  const history = makeHistory(12);
  const book = history.live;
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

  // A year in which the user's own list was taken each month: the first question about a time makes its book, the others look it up.
  let month = 0;
  const asked = (knownMs: number | null): number => history.at(knownMs).find(found)?.contextWindow ?? 0;
  yield {
    name: "rating.known.first",
    ...times(
      () => asked(knownAt((month += 1) % 12)),
      () => makeHistory(12).at(null).find(found),
    ),
  };
  const known = compare(
    () => asked(knownAt(6)),
    () => asked(null),
  );
  yield { name: "rating.known", ...known, unit: "look-ups/s" };
  process.stderr.write("Six classes a call, with receipts. What limits it: one object and two bigints for each line of a receipt.\n");
}

/** What is shipped, and so many lists of the user's own, one for each month. */
function makeHistory(months: number): History {
  const shipped = readShipped();
  const standing = takeShipped(shipped, 0).map((taken, index) => ({ taken, list: shipped[index] as (typeof shipped)[number] }));
  const own = Array.from({ length: months }, (_, index): StandingList => {
    const version = `month-${index}`;
    const records = (shipped[0]?.records ?? [])
      .slice(0, 50)
      .map((record) => Object.assign({}, record, { id: `own@${version}/${record.id}` }));
    const taken = { source: "own", version, hash: version, knownMs: knownAt(index), takenMs: 0, own: true, records: records.length };
    return { taken, list: { source: "own", version, origin: "a bench", published: null, records, discounts: [], choices: [] } };
  });
  return createHistory([...standing, ...own], {});
}

function knownAt(month: number): number {
  return Date.UTC(2026, month);
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

/** By the process's own time on the processor, all its threads', so that a busy machine counts as an idle one does, and collecting garbage counts. */
function perSecond(work: () => number): number {
  const before = process.cpuUsage();
  const startMs = performance.now();
  let done = 0;
  let kept = 0;
  while (performance.now() - startMs < roundMs) for (let index = 0; index < 1_000; index += 1, done += 1) kept += work();
  if (Number.isNaN(kept)) throw new Error("unreachable: keeps the work from being optimised away");
  const { user, system } = process.cpuUsage(before);
  return (done / (user + system)) * 1_000_000;
}

/** How long each takes, ms of the processor: medians of interleaved rounds. */
function times(ours: () => unknown, baseline: () => unknown): Omit<Line, "name"> {
  const [a, b]: [number[], number[]] = [[], []];
  for (let index = 0; index < 9; index += 1) {
    a.push(timed(ours));
    b.push(timed(baseline));
  }
  return { value: round(median(a)), unit: "ms", baseline: round(median(b)), ratio: round(median(a) / median(b)) };
}

function timed(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
