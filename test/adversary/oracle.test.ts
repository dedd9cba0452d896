// The oracle itself, on a few calls whose sums are done by hand: it must say so when money is gone, and nothing when it is not.

import { expect, test } from "vitest";
import type { Ask } from "./ask.ts";
import type { Asked } from "./client.ts";
import { type Change, Oracle, type Records } from "./oracle.ts";
import { minuteMs, type Rule } from "./rule.ts";
import { bill, boundOf } from "./tariff.ts";
import { type Sometime, WallClock, windowsOf } from "./time.ts";
import type { Try } from "./witness.ts";

const cheap = { provider: "cheap", model: "gpt-4.1-nano" };
const dear = { provider: "dear", model: "gpt-4.1" };
const nowMs = performance.now();

/** A body of 936 bytes is 1,000 tokens at most with the 64 around it: $0.001 at $1 a million. A cap of 1,000 at $4 a million: $0.004. */
function ask(id: string, more: Partial<Ask> = {}): Ask {
  return {
    id,
    wire: "chat",
    model: "plain",
    targets: [cheap],
    triesMax: 1,
    who: { team: "t0", agent: "t0a0", customer: "Customer 0", feature: "search", task: "r", root: "r" },
    size: { bytes: 936, choices: 1, writes: "none", tools: false },
    cap: 1_000,
    streamed: false,
    unbounded: false,
    body: "",
    steps: [{ conduct: "answer", outputShare: 1, inputShare: 1, readShare: 0, writeShare: 0 }],
    patienceMs: null,
    ...more,
  };
}

const rule: Rule = {
  id: "all",
  kind: "budget",
  scope: {},
  each: [],
  measure: "money",
  period: { kind: "total" },
  mode: "hard",
  unbounded: "refuse",
  carries: false,
  byApi: false,
  limit: 20_000_000_000n,
};

/** Sent at `atMs` after the beginning, arrived 1 ms after, answered after 5 ms, and billed so many tokens of output. */
function called(one: Ask, atMs: number, output: number | null, more: Partial<Asked> = {}): { asked: Asked; tries: Try[] } {
  const sentMs = nowMs + atMs;
  const asked: Asked = {
    ask: one,
    sentMs,
    endedMs: sentMs + 5,
    status: output === null ? 402 : 200,
    refused: output === null ? "budget_exhausted" : null,
    budget: output === null ? "all" : null,
    retryAfter: null,
    shouldRetry: null,
    call: null,
    complete: true,
    failure: null,
    text: "",
    ...more,
  };
  if (output === null) return { asked, tries: [] };
  const billed = bill(cheap, { input: 0, read: 0, write5m: 0, write1h: 0, output });
  const [step] = one.steps as [Try["step"]];
  const arrivedMs = sentMs + 1;
  const times = { arrivedMs, endedMs: sentMs + 4, over: true };
  return { asked, tries: [{ ask: one, number: 1, target: cheap, step, cap: one.cap, billed, failed: false, reported: true, ...times }] };
}

function faultsOf(calls: readonly { asked: Asked; tries: Try[] }[], more: Partial<Records> = {}): string[] {
  const asked = calls.map((one) => one.asked);
  const tries = calls.flatMap((one) => one.tries);
  const records = { rules: [rule], asked, tries, changes: [], kills: [], quiet: [], clock: new WallClock(), ...more };
  return new Oracle(records).faults().map(({ kind, amount }) => `${kind} ${amount}`);
}

test("a bound is every byte, and every token of every answer, at the dearest of what can happen", () => {
  const size = { bytes: 936, choices: 1, writes: "none", tools: false } as const;
  // 1,000 × 1 + 1,000 × 4 millionths of a dollar; then three answers; then at $10 and $40.
  expect(boundOf(size, 1_000, [cheap])).toEqual({ money: 5_000_000_000n, tokens: 2_000n });
  expect(boundOf({ ...size, choices: 3 }, 1_000, [cheap])).toEqual({ money: 13_000_000_000n, tokens: 4_000n });
  expect(boundOf(size, 1_000, [cheap, dear]).money).toBe(50_000_000_000n);
  // Written for an hour, at twice the $1 of plain input; 5 minutes at a quarter more. $5 a million for output.
  const claude = { provider: "claude", model: "claude-haiku-4-5" };
  expect(boundOf({ ...size, writes: "1h" }, 1_000, [claude]).money).toBe(7_000_000_000n);
  expect(boundOf({ ...size, writes: "5m" }, 1_000, [claude]).money).toBe(6_250_000_000n);
});

test("what was billed beyond a limit is found, to the last digit", () => {
  const four = [0, 10, 20, 30].map((atMs) => called(ask(`a${atMs}`), atMs, 1_250));
  expect(faultsOf(four)).toEqual([]);
  // Five times $0.005 of $0.02.
  expect(faultsOf([...four, called(ask("a40"), 40, 1_250)])).toEqual(["overspend 5000000000"]);
});

function change(amount: bigint, atMs: number): Change {
  return { rule: "all", kind: "limit", account: "", amount, fromMs: nowMs + atMs, toMs: nowMs + atMs + 1 };
}

test("a limit that is lowered counts for what came after it, and one that is raised for all", () => {
  const calls = [0, 10, 20, 30].map((atMs) => called(ask(`a${atMs}`), atMs, 1_250));
  // $0.01 from 15 ms on: of $0.02, the two that came later are too much.
  expect(faultsOf(calls, { changes: [change(10_000_000_000n, 15)] })).toEqual(["overspend 10000000000"]);
  // After all of them it takes nothing back.
  expect(faultsOf(calls, { changes: [change(10_000_000_000n, 90)] })).toEqual([]);
  const six = [...calls, called(ask("b"), 40, 1_250), called(ask("c"), 50, 1_250)];
  expect(faultsOf(six, { changes: [change(30_000_000_000n, 35)] })).toEqual([]);
});

test("a call that was refused while there was surely room is found, and one that might not have fitted is not", () => {
  // $0.01 spent of $0.02; a call of $0.005 at most has room.
  const spent = [called(ask("a"), 0, 1_250), called(ask("b"), 10, 1_250)];
  expect(faultsOf([...spent, called(ask("c"), 30, null)])).toEqual(["wrong refusal 1"]);
  // One that takes $0.011 has none.
  const big = ask("c", { cap: 2_500 });
  expect(faultsOf([...spent, called(big, 30, null)])).toEqual([]);
  // Two more that are under way when it is refused may hold $0.005 each.
  const under = [called(ask("d"), 28, 1), called(ask("e"), 29, 1)];
  expect(faultsOf([...spent, ...under, called(ask("c"), 30, null)])).toEqual([]);
});

test("what the client never heard of counts as its bound, and what was refused by the provider as nothing", () => {
  const left = { complete: false, failure: "left", status: null } as const;
  const three = [called(ask("a"), 0, 1, left), called(ask("b"), 10, 1, left), called(ask("c"), 20, 1, left), called(ask("d"), 30, 1, left)];
  expect(faultsOf([...three, called(ask("e"), 60, null)])).toEqual([]);
  const failed = [0, 10, 20, 30].map((atMs) => called(ask(`a${atMs}`), atMs, 0, { status: 503 }));
  for (const { tries } of failed) for (const one of tries) one.failed = true;
  expect(faultsOf([...failed, called(ask("e"), 60, null)])).toEqual(["wrong refusal 1"]);
});

test("a call without a bound is let in by no budget that refuses it", () => {
  expect(faultsOf([called(ask("a", { unbounded: true }), 0, 10)])).toEqual(["overspend 40000000"]);
});

function at(text: string): Sometime {
  return { fromMs: Date.parse(text), toMs: Date.parse(text) };
}

test("windows begin when their zone says so, and a clock that was moved leaves both open", () => {
  const hours = { kind: "calendar", lengthMs: 60 * minuteMs, offsetMs: 30 * minuteMs, words: "hour", zone: "Asia/Kolkata" } as const;
  // In Kolkata it is half past when it is full elsewhere.
  expect(windowsOf(hours, at("2026-06-01T12:29:59Z"))[0] + 1).toBe(windowsOf(hours, at("2026-06-01T12:30:00Z"))[0]);
  expect(windowsOf(hours, at("2026-06-01T12:59:59Z"))).toEqual(windowsOf(hours, at("2026-06-01T12:30:00Z")));
  const clock = new WallClock();
  clock.moving(0, 120_000)();
  const { fromMs, toMs } = clock.held(performance.now(), performance.now());
  expect(Math.abs(fromMs - Date.now() - 120_000)).toBeLessThan(200);
  expect(toMs - fromMs).toBeLessThan(200);
  clock.moving(120_000, 0)();
  // The latest that it ever showed is possible, too.
  const back = clock.held(performance.now(), performance.now());
  expect(back.toMs - back.fromMs).toBeGreaterThan(119_000);
});
