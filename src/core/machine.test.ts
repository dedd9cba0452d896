import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Machine, measure, type Ran, spanOf, spread } from "./machine.ts";
import { formatUsd, sum } from "./money.ts";
import { hourMs } from "./time.ts";

const minute = 60_000;
const at = Date.parse("2026-11-21T13:00:00Z");
const gpu: Machine = {
  name: "gpu",
  provider: "vllm",
  models: ["*"],
  perHour: "2.40",
  fromMs: 0,
  toMs: null,
  count: 1,
  idle: "apart",
};

function ran(group: string, fromMinute: number, toMinute: number): Ran {
  return { group, fromMs: at + fromMinute * minute, toMs: at + toMinute * minute };
}

function shared(machine: Machine, calls: readonly Ran[], hour = at) {
  const span = spanOf(machine, hour);
  if (span === null) return null;
  const result = spread(machine, hour, measure(calls, span, machine.count));
  if (result === null) return null;
  const shares = Object.fromEntries(result.shares.map(({ group, costPico }) => [group, formatUsd(costPico)]));
  return { ...shares, idle: formatUsd(result.idle.costPico) };
}

describe("a machine's hour", () => {
  it("is shared by the time of the calls, and what nobody used stays apart", () => {
    // 2.40 an hour is 0.04 a minute: 15 minutes and 30, and 15 in which nothing ran.
    expect(shared(gpu, [ran("a", 0, 15), ran("b", 15, 45)])).toEqual({ a: "0.6", b: "1.2", idle: "0.6" });
  });

  it("has calls at once share the minutes they run in", () => {
    // 30 minutes are covered: 1.20, of which a call of 30 minutes and one of 10 have three quarters and one.
    expect(shared(gpu, [ran("a", 0, 30), ran("b", 10, 20)])).toEqual({ a: "0.9", b: "0.3", idle: "1.2" });
  });

  it("of two machines is covered twice when two calls run at once, and no more by a third", () => {
    const two = { ...gpu, count: 2 };
    expect(shared(two, [ran("a", 0, 30)])).toEqual({ a: "1.2", idle: "3.6" });
    expect(shared(two, [ran("a", 0, 30), ran("b", 0, 30)])).toEqual({ a: "1.2", b: "1.2", idle: "2.4" });
    expect(shared(two, [ran("a", 0, 30), ran("b", 0, 30), ran("c", 0, 30)])).toEqual({ a: "0.8", b: "0.8", c: "0.8", idle: "2.4" });
  });

  it("is borne wholly by the calls where it is said so, and by nobody where there were none", () => {
    const whole = { ...gpu, idle: "shared" as const };
    expect(shared(whole, [ran("a", 0, 1), ran("b", 50, 52)])).toEqual({ a: "0.8", b: "1.6", idle: "0" });
    expect(shared(whole, [])).toEqual({ idle: "2.4" });
  });

  it("counts a call in each hour for what it ran in it", () => {
    const call = ran("a", 45, 75);
    expect(shared(gpu, [call])).toEqual({ a: "0.6", idle: "1.8" });
    expect(shared(gpu, [call], at + hourMs)).toEqual({ a: "0.6", idle: "1.8" });
    expect(shared(gpu, [call], at + 2 * hourMs)).toEqual({ idle: "2.4" });
  });

  it("costs for as long as the machine is there", () => {
    const late = { ...gpu, fromMs: at + 30 * minute, toMs: at + hourMs + 15 * minute };
    expect(shared(late, [ran("a", 0, 40)])).toEqual({ a: "0.4", idle: "0.8" });
    expect(shared(late, [], at + hourMs)).toEqual({ idle: "0.6" });
    expect(shared(late, [], at - hourMs)).toBeNull();
    expect(shared(late, [], at + 2 * hourMs)).toBeNull();
  });
});

const anyCalls = fc.array(
  fc
    .record({ group: fc.constantFrom("a", "b", "c"), from: fc.integer({ min: -3_000, max: 3_700 }), length: fc.nat({ max: 5_000 }) })
    .map(({ group, from, length }) => ({ group, fromMs: at + from * 1_000, toMs: at + (from + length) * 1_000 })),
  { maxLength: 8 },
);

describe("spreading", () => {
  it("adds up to the hour, in money and in seconds, and covers what a second by second count does", () => {
    const anyMachine = fc
      .record({
        perHour: fc.constantFrom("2.40", "0.000000000001", "98.7654321", "0"),
        count: fc.integer({ min: 1, max: 4 }),
        idle: fc.constantFrom<Machine["idle"]>("apart", "shared"),
        fromMs: fc.constantFrom(0, at + 1_234_000),
      })
      .map((changes): Machine => Object.assign({}, gpu, changes));
    fc.assert(
      fc.property(anyMachine, anyCalls, (machine, calls) => {
        const span = spanOf(machine, at);
        if (span === null) throw new Error("it is there");
        const busy = measure(calls, span, machine.count);
        let covered = 0;
        const times = new Map<string, number>();
        for (let ms = span.fromMs; ms < span.toMs; ms += 1_000) {
          const here = calls.filter((call) => call.fromMs <= ms && ms < call.toMs);
          covered += Math.min(here.length, machine.count);
          for (const { group } of here) times.set(group, (times.get(group) ?? 0) + 1_000);
        }
        expect(busy.coveredMs).toBe(covered * 1_000);
        expect(new Map(busy.groups.map(({ group, busyMs }) => [group, busyMs]))).toEqual(times);
        const result = spread(machine, at, busy);
        if (result === null) throw new Error("it is there");
        expect(sum(result.shares.map((share) => share.costPico)) + result.idle.costPico).toBe(result.costPico);
        const seconds = result.shares.reduce((total, share) => total + share.seconds, result.idle.seconds);
        expect(seconds).toBe((machine.count * (span.toMs - span.fromMs)) / 1_000);
        expect(result.shares.every((share) => share.costPico >= 0n)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
