import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate, parseUsd, sum, toPico } from "./money.ts";
import { byMonth, earnedIn, faultOf, type Revenue } from "./revenue.ts";
import { dayMs } from "./time.ts";

const day = (text: string): number => Date.parse(`${text}T00:00Z`);
const of = (every: Revenue["every"], amount: string, from: string, to: string | null) => ({
  every,
  amountPico: parseUsd(amount),
  fromMs: day(from),
  toMs: to === null ? null : day(to),
});

describe("by days", () => {
  test("an amount for ten days is a tenth a day, in whatever months they are", () => {
    const revenue = of("once", "100", "2026-10-29", "2026-11-08");
    expect(earnedIn(revenue, day("2026-10-01"), day("2026-11-01"))).toBe(parseUsd("30"));
    expect(earnedIn(revenue, day("2026-11-01"), day("2026-12-01"))).toBe(parseUsd("70"));
    expect(byMonth(revenue).map(({ month, days, amountPico }) => [month, days, amountPico])).toEqual([
      ["2026-10", 3, parseUsd("30")],
      ["2026-11", 7, parseUsd("70")],
    ]);
  });

  test("a subscription of $31 a month is a dollar a day in October and 31/30 in November", () => {
    const revenue = of("month", "31", "2026-10-17", null);
    expect(earnedIn(revenue, day("2026-10-01"), day("2026-11-01"))).toBe(parseUsd("15"));
    expect(earnedIn(revenue, day("2026-11-01"), day("2026-12-01"))).toBe(parseUsd("31"));
    // 31/30 of a dollar, ten times; what does not divide, 10 of 30 picodollars, went to the first ten days.
    expect(earnedIn(revenue, day("2026-11-01"), day("2026-11-11"))).toBe(toPico(10n * 1_033_333_333_333n + 10n));
    expect(earnedIn(revenue, day("2026-11-11"), day("2026-12-01"))).toBe(toPico(20n * 1_033_333_333_333n));
  });

  test("days that are not covered are not known, and zero is", () => {
    const revenue = of("month", "0", "2026-10-17", "2026-11-17");
    expect(earnedIn(revenue, day("2026-10-01"), day("2026-10-17"))).toBeNull();
    expect(earnedIn(revenue, day("2026-11-17"), day("2026-12-01"))).toBeNull();
    expect(earnedIn(revenue, day("2026-11-16"), day("2026-12-01"))).toBe(0n);
  });

  test("the parts of an amount by day are those that allocate gives, and any cut of it adds up", () => {
    const amounts = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
    const cuts = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 20_000 }), cuts, (amount, days, first, inner) => {
        const revenue = { every: "once", amountPico: toPico(amount), fromMs: first * dayMs, toMs: (first + days) * dayMs } as const;
        const parts = allocate(
          toPico(amount),
          Array.from({ length: days }, () => 1n),
        );
        const at = (index: number): number => (first + index) * dayMs;
        expect(earnedIn(revenue, at(0), at(1))).toBe(parts[0]);
        expect(earnedIn(revenue, at(days - 1), at(days))).toBe(parts.at(-1));
        const ends = [0, ...inner.map((one) => Math.min(one, days)).toSorted((a, b) => a - b), days];
        const cut = ends.slice(1).map((end, index) => earnedIn(revenue, at(ends[index] as number), at(end)) ?? toPico(0n));
        expect(sum(cut)).toBe(amount);
        expect(sum(byMonth(revenue).map(({ amountPico }) => amountPico))).toBe(amount);
      }),
    );
  });
});

test("what cannot be is told", () => {
  expect(faultOf(of("once", "1", "2026-10-01", null))).toMatch(/needs its end/);
  expect(faultOf(of("once", "1", "2026-10-02", "2026-10-02"))).toMatch(/not before/);
  expect(faultOf(of("month", "1000000001", "2026-10-01", null))).toMatch(/billion/);
  expect(faultOf({ ...of("month", "1", "2026-10-01", null), fromMs: day("2026-10-01") + 1 })).toMatch(/whole days/);
  expect(faultOf(of("once", "1", "2006-10-02", "2026-10-02"))).toMatch(/longer/);
  expect(faultOf(of("month", "1", "1999-12-31", null))).toMatch(/2000/);
  expect(faultOf(of("month", "-49", "2026-10-01", null))).toBeNull();
  expect(() => byMonth(of("month", "1", "2026-10-01", null))).toThrow(/until when/);
});
