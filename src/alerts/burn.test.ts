// Golden numbers, worked out by hand: an allowance of $720 for 720 hours burns at 1 when a dollar goes each hour.

import { describe, expect, it } from "vitest";
import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import { type Burning, burnOf, Samples, usualPairs } from "./burn.ts";

const usd = 1_000_000_000_000n;
const [fast, slow] = usualPairs as [(typeof usualPairs)[number], (typeof usualPairs)[number]];
const month: Burning = { allowance: 720n * usd, used: 0n, fromMs: 0, toMs: 30 * dayMs, rolling: false };
const startMs = 10 * dayMs;

/** What was used over time, in thousandths of a dollar, looked at every five seconds: `[minutes, from, to]`, evenly. @returns samples, and the end. */
function spend(...stretches: readonly (readonly [number, number, number])[]): { samples: Samples; used: bigint; nowMs: number } {
  const samples = new Samples(usualPairs, { atMs: startMs, used: (BigInt(stretches[0]?.[1] ?? 0) * usd) / 1000n });
  let atMs = startMs;
  let used = 0n;
  for (const [minutes, from, to] of stretches) {
    const looks = minutes * 12;
    for (let look = 1; look <= looks; look += 1) {
      atMs += 5_000;
      used = (BigInt(from) * usd) / 1000n + (BigInt(to - from) * usd * BigInt(look)) / BigInt(looks * 1000);
      samples.add({ atMs, used });
    }
  }
  return { samples, used, nowMs: atMs };
}

describe("a month", () => {
  it("burns at 14.4 when $14.40 of $720 go in an hour, evenly; then what is left lasts 49 hours", () => {
    const { samples, used, nowMs } = spend([60, 0, 14_400]);
    // $720 − $14.40 = $705.60, at $14.40 an hour.
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toEqual({
      shortTenths: 144,
      longTenths: 144,
      factorTenths: 144,
      goneMs: nowMs + 49 * hourMs,
    });
  });

  it("does not when it is a tenth of a cent less", () => {
    const { samples, used, nowMs } = spend([60, 0, 14_399]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
  });

  it("does not when the hour was dear, and the last five minutes were not", () => {
    const { samples, used, nowMs } = spend([54, 0, 30_000], [6, 30_000, 30_050]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
  });

  it("does not when the last five minutes were dear, and the hour was not", () => {
    const { samples, used, nowMs } = spend([55, 0, 500], [5, 500, 10_500]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
  });

  it("burns slowly at 6 when $36 go in six hours, $6 of them in the last one", () => {
    const { samples, used, nowMs } = spend([300, 0, 30_000], [60, 30_000, 36_000]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
    // $684 left, at $6 an hour.
    expect(burnOf(slow, { ...month, used }, samples, nowMs)).toMatchObject({
      shortTenths: 60,
      longTenths: 60,
      goneMs: nowMs + 114 * hourMs,
    });
  });

  it("does not where what is left lasts to its end all the same", () => {
    const { samples, used, nowMs } = spend([60, 0, 14_400]);
    expect(burnOf(fast, { ...month, used, toMs: nowMs + 48 * hourMs, fromMs: nowMs - 672 * hourMs }, samples, nowMs)).toBeNull();
    expect(burnOf(fast, { ...month, used, toMs: nowMs + 50 * hourMs, fromMs: nowMs - 670 * hourMs }, samples, nowMs)).not.toBeNull();
  });

  it("does not once it is used up: another alert says so", () => {
    const { samples, used, nowMs } = spend([60, 0, 720_000]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
  });
});

describe("with less history than a window", () => {
  it("what is known counts as if it were all: $14.40 in ten minutes are enough, $14.39 are not", () => {
    const enough = spend([10, 0, 14_400]);
    expect(burnOf(fast, { ...month, used: enough.used }, enough.samples, enough.nowMs)).toMatchObject({
      longTenths: 144,
      shortTenths: 864,
    });
    const less = spend([10, 0, 14_390]);
    expect(burnOf(fast, { ...month, used: less.used }, less.samples, less.nowMs)).toBeNull();
  });

  it("what was used before the watch began is none of it", () => {
    const { samples, used, nowMs } = spend([10, 100_000, 100_100]);
    expect(burnOf(fast, { ...month, used }, samples, nowMs)).toBeNull();
  });
});

describe("other lengths", () => {
  it.each([
    // A quarter of a day's $24 in an hour: 6 times.
    ["a day", dayMs, 24n, 6_000, 60],
    ["a week", 7 * dayMs, 168n, 14_400, 144],
    ["a year", 365 * dayMs, 8_760n, 14_400, 144],
  ])("%s burns when that much goes in an hour, and not with less", (_name, periodMs, dollars, thousandths, tenths) => {
    const budget = { ...month, allowance: dollars * usd, fromMs: startMs, toMs: startMs + periodMs };
    const enough = spend([60, 0, thousandths]);
    expect(burnOf(fast, { ...budget, used: enough.used }, enough.samples, enough.nowMs)).toMatchObject({
      factorTenths: tenths,
      longTenths: tenths,
    });
    const less = spend([60, 0, thousandths - 1]);
    expect(burnOf(fast, { ...budget, used: less.used }, less.samples, less.nowMs)).toBeNull();
  });

  it("a budget shorter than 24 long windows, or without an end, has none", () => {
    const { samples, used, nowMs } = spend([60, 0, 14_400]);
    for (const [fromMs, toMs] of [
      [startMs, startMs + 23 * hourMs],
      [startMs, startMs + minuteMs],
      [-Infinity, Infinity],
    ] as const)
      expect(burnOf(fast, { ...month, allowance: 15n * usd, used, fromMs, toMs }, samples, nowMs)).toBeNull();
    expect(burnOf(slow, { ...month, allowance: 24n * usd, used, fromMs: startMs, toMs: startMs + dayMs }, samples, nowMs)).toBeNull();
  });
});

describe("samples", () => {
  it("are few, however long it is watched, and never older than a window and a twelfth of it", () => {
    const { samples, nowMs } = spend([48 * 60, 0, 1_000_000]);
    expect(samples.size).toBeLessThanOrEqual(3 * 14);
    for (const lengthMs of [5 * minuteMs, hourMs, 6 * hourMs]) {
      const ageMs = nowMs - samples.before(lengthMs, nowMs).atMs;
      expect(ageMs).toBeGreaterThanOrEqual(lengthMs);
      expect(ageMs).toBeLessThanOrEqual((lengthMs * 13) / 12 + 5_000);
    }
  });
});
