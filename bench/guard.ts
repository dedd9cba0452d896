// `npm run bench guard`: admissions with their settlements per second on one core, each over five of 10,000 budgets, rolling windows among
// them and 500 calls open at any time, against the same sums in floats over plain objects. Then what the guard adds
// to a call through the gateway.

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Budget, type CallScope, usualTerms } from "../src/core/budget.ts";
import { GuardBook } from "../src/core/guard.ts";
import { loads } from "./gateway.ts";
import { flood } from "./gateway/load.ts";
import { build, cpuMicros, launch, launchGateway, median, transpile } from "./gateway/process.ts";
import type { Line } from "./main.ts";

const roundMs = 100;
const rounds = 21;
/** Through the gateway. */
const turns = 40;
const turnCalls = 1_500;
const openCalls = 500;
const perField = 2_500;
/** Between two calls: ten thousand a second. */
const paceMs = 0.1;
const bucketMs = 60_000;
const buckets = 60;

export async function* bench(): AsyncIterable<Line> {
  const [a, b]: [number[], number[]] = [[], []];
  const [ours, floats] = [guard(), naive()];
  perSecond(ours);
  perSecond(floats);
  for (let index = 0; index < rounds; index += 1) {
    a.push(perSecond(ours));
    b.push(perSecond(floats));
  }
  yield {
    name: "guard.admitAndSettle",
    value: Math.round(median(a)),
    unit: "calls/s",
    baseline: Math.round(median(b)),
    ratio: thousandths(median(a) / median(b)),
  };
  yield* throughGateway();
}

/** What the guard adds to a call through the gateway: the same gateway with and without five budgets over every call. */
async function* throughGateway(): AsyncIterable<Line> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  const children: ChildProcess[] = [];
  try {
    const upstream = await launch(children, [await transpile("gateway/upstream.ts")]);
    build();
    const without = await launchGateway(children, folder, upstream, "", "without");
    const under = await launchGateway(children, folder, upstream, settings, "under");
    const [, load] = loads()[0] as ReturnType<typeof loads>[number];
    const targets = [
      { target: without, cpu: [] as number[] },
      { target: under, cpu: [] as number[] },
    ] as const;
    for (const { target } of targets) await flood({ ...load, origin: target.origin }, 6_000);
    // Many short turns, each first as often as the other: what else the machine does falls on both alike.
    for (let turn = 0; turn < turns; turn += 1)
      for (const { target, cpu } of turn % 2 === 0 ? targets : targets.toReversed()) {
        const before = await cpuMicros(target.child);
        await flood({ ...load, origin: target.origin }, turnCalls);
        cpu.push(((await cpuMicros(target.child)) - before) / turnCalls);
      }
    const [plain, guarded] = targets.map(({ cpu }) => cpu) as [number[], number[]];
    const [baseline, value] = [tenths(median(plain)), tenths(median(guarded))];
    yield { name: "guard.gatewayCall: CPU under five budgets", value, unit: "µs", baseline, ratio: thousandths(baseline / value) };
    const share = tenths(median(guarded.map((micros, turn) => micros - (plain[turn] as number))));
    yield {
      name: "guard.gatewayShare: what of it the guard takes",
      value: share,
      unit: "µs",
      baseline,
      ratio: thousandths(share / baseline),
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function thousandths(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

const settings = `budgets:
  - { id: all, owner: bench, limit: "$1000000 per month" }
  - { id: customers, owner: bench, each: [customer], limit: "$100000 per day" }
  - { id: search, owner: bench, for: { feature: search }, limit: "$100000 per rolling 24h" }
  - { id: tokens, owner: bench, each: [feature], limit: "1000000M tokens per month" }
rates:
  - { id: pace, owner: bench, limit: 100000000 calls per minute }
`;

/** One budget over all, and four of 2,500 agents, customers, features and teams each; a half of them rolling. */
function budgets(): readonly Budget[] {
  const terms = { ...usualTerms, owner: "bench", limit: 10n ** 30n };
  const fields = (["agent", "customer", "feature", "team"] as const).flatMap((field, column) =>
    Array.from({ length: perField }, (_, index): Budget => ({
      ...terms,
      id: `${field}${index}`,
      scope: { [field]: `${field}-${index}` },
      period: column % 2 === 0 ? { kind: "rolling", bucketMs, buckets } : { kind: "calendar", unit: "month", zone: "Europe/Berlin" },
    })),
  );
  return [{ ...terms, id: "all", scope: {}, period: { kind: "calendar", unit: "day", zone: "UTC" } }, ...fields];
}

function scopeOf(index: number): CallScope {
  return {
    agent: `agent-${index % perField}`,
    customer: `customer-${(index * 7) % perField}`,
    feature: `feature-${(index * 13) % perField}`,
    team: `team-${(index * 17) % perField}`,
    model: "gpt-5-mini",
    provider: "openai",
  };
}

function guard(): () => void {
  const book = new GuardBook();
  let nowMs = Date.parse("2026-11-21T00:00:00Z");
  for (const budget of budgets()) book.define(budget, nowMs);
  const scopes = Array.from({ length: perField }, (_, index) => scopeOf(index));
  const ids = Array.from({ length: openCalls }, (_, index) => `call${index}`);
  const bound = { money: 1_234_567_890n, tokens: 1_000n };
  const taken = { money: 234_567_890n, tokens: 200n };
  let number = 0;
  const step = (): void => {
    nowMs += paceMs;
    const id = ids[number % openCalls] as string;
    if (number >= openCalls) book.settle(id, taken);
    if (book.admit(id, book.find(scopes[number % perField] as CallScope, nowMs), bound, nowMs).kind !== "admitted")
      throw new Error("unreachable: there is money");
    number += 1;
  };
  // Every bucket of every rolling window has something in it.
  for (let bucket = 0; bucket <= buckets; bucket += 1, nowMs += bucketMs) for (let index = 0; index < perField; index += 1) step();
  return step;
}

/** What a naive guard does: floats, no windows, no record of who holds what. */
function naive(): () => void {
  const spent = new Map<string, { spent: number; held: number; limit: number }>();
  for (const { id } of budgets()) spent.set(id, { spent: 0, held: 0, limit: 1e30 });
  const names = Array.from({ length: perField }, (_, index) => [
    "all",
    `agent${index}`,
    `customer${(index * 7) % perField}`,
    `feature${(index * 13) % perField}`,
    `team${(index * 17) % perField}`,
  ]);
  let number = 0;
  return () => {
    const under = names[number % perField] as string[];
    for (const name of under) {
      const one = spent.get(name);
      if (one === undefined || one.spent + one.held + 0.001 > one.limit) throw new Error("unreachable: there is money");
    }
    for (const name of under) (spent.get(name) as { held: number }).held += 0.001;
    for (const name of under) {
      const one = spent.get(name) as { spent: number; held: number };
      one.held -= 0.001;
      one.spent += 0.0002;
    }
    number += 1;
  };
}

/** Of processor time, so that what else the machine does counts for nothing. */
function perSecond(work: () => void): number {
  const begun = process.cpuUsage();
  let done = 0;
  let spentMs = 0;
  while (spentMs < roundMs) {
    for (let index = 0; index < 5_000; index += 1, done += 1) work();
    const { user, system } = process.cpuUsage(begun);
    spentMs = (user + system) / 1_000;
  }
  return (done / spentMs) * 1_000;
}
