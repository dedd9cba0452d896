import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allocate,
  apportion,
  cost,
  divideHalfEven,
  formatRate,
  formatRatio,
  formatUsd,
  parseRate,
  parseUsd,
  type Pico,
  roundUsd,
  showRate,
  scaleRate,
  sum,
  toPico,
  unitsFor,
} from "./money.ts";

const amount = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });

/** Nearest integer by trying the neighbours: shares no step with the division under test. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const middle = numerator / denominator;
  const distance = (candidate: bigint): bigint => {
    const gap = numerator - candidate * denominator;
    return gap < 0n ? -gap : gap;
  };
  return [middle - 1n, middle, middle + 1n].reduce((best, candidate) => {
    const [a, b] = [distance(candidate), distance(best)];
    return a < b || (a === b && candidate % 2n === 0n) ? candidate : best;
  });
}

describe("formatRatio", () => {
  it.each([
    [1n, 3n, 6, "0.333333"],
    [2n, 3n, 6, "0.666667"],
    [-1n, 3n, 2, "-0.33"],
    [1n, 8n, 2, "0.12"],
    [3n, 8n, 2, "0.38"],
    [-1n, 1000n, 2, "0"],
    [100n, 4n, 0, "25"],
    [1_000_000n, 10n, 3, "100000"],
  ])("%i / %i to %i decimals is %s", (numerator, denominator, decimals, text) => {
    expect(formatRatio(numerator, denominator, decimals)).toBe(text);
  });
});

describe("roundUsd", () => {
  it.each([
    ["0", 4, "0.0000"],
    ["0.00005", 4, "0.0000"],
    ["0.00015", 4, "0.0002"],
    ["0.000050000001", 4, "0.0001"],
    ["12.3456", 2, "12.35"],
    ["-0.004", 2, "0.00"],
    ["-0.006", 2, "-0.01"],
    ["999.995", 2, "1000.00"],
    ["2.5", 0, "2"],
    ["0.000000000001", 12, "0.000000000001"],
  ])("%s to %i decimals is %s", (usd, decimals, expected) => {
    expect(roundUsd(parseUsd(usd), decimals)).toBe(expected);
  });
});

describe("divideHalfEven", () => {
  it.each([
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [5n, 2n, 2n],
    [-1n, 2n, 0n],
    [-3n, 2n, -2n],
    [7n, 4n, 2n],
    [5n, 4n, 1n],
    [0n, 3n, 0n],
  ])("%s / %s is %s", (numerator, denominator, expected) => {
    expect(divideHalfEven(numerator, denominator)).toBe(expected);
  });

  it("is the nearest integer, ties to the even one", () => {
    fc.assert(
      fc.property(amount, fc.bigInt({ min: 1n, max: 1000n }), (numerator, denominator) => {
        expect(divideHalfEven(numerator, denominator)).toBe(nearest(numerator, denominator));
      }),
    );
  });
});

describe("cost", () => {
  it("rounds a rate finer than a picodollar once", () => {
    // 0.0833333 dollars a million is 83,333.3 picodollars a token.
    const rate = parseRate("0.0833333", 1_000_000n);
    expect(cost(rate, 1)).toBe(83_333n);
    expect(cost(rate, 10)).toBe(833_333n);
    expect(cost(rate, 5)).toBe(416_666n);
    expect(cost(rate, 15)).toBe(1_250_000n);
  });

  it("of parts adds up to the cost of the whole, at a rate that needs no rounding", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10 ** 9 }), { maxLength: 20 }), (quantities) => {
        const rate = parseRate("2.5", 1_000_000n);
        const parts = sum(quantities.map((quantity) => cost(rate, quantity)));
        expect(parts).toBe(
          cost(
            rate,
            quantities.reduce((a, b) => a + b, 0),
          ) as Pico,
        );
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])("refuses %s units", (quantity) => {
    expect(() => cost({ pico: 1n, per: 1n }, quantity)).toThrow(RangeError);
  });
});

describe("allocate", () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 });

  it("adds up to the last digit, and is never a picodollar or more off a share", () => {
    fc.assert(
      fc.property(amount, weights, (total, given) => {
        const parts = allocate(toPico(total), given);
        expect(sum(parts)).toBe(total);
        const whole = given.reduce((a, b) => a + b, 0n);
        if (whole === 0n) return;
        for (const [index, part] of parts.entries()) {
          const off = part * whole - total * (given[index] as bigint);
          expect(off < 0n ? -off : off).toBeLessThan(whole);
        }
      }),
    );
  });

  it("gives nothing to a weight of zero, and the same to equal weights but for a picodollar", () => {
    expect(allocate(toPico(100n), [1n, 0n, 1n, 1n])).toEqual([34n, 0n, 33n, 33n]);
    expect(allocate(toPico(-100n), [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
    expect(allocate(toPico(5n), [0n, 0n])).toEqual([3n, 2n]);
    expect(allocate(toPico(0n), [])).toEqual([]);
  });

  it("refuses what cannot be divided", () => {
    expect(() => allocate(toPico(1n), [])).toThrow(RangeError);
    expect(() => allocate(toPico(1n), [1n, -1n])).toThrow(RangeError);
  });
});

describe("text", () => {
  it("of an amount reads back as the amount", () => {
    fc.assert(
      fc.property(amount, (pico) => {
        expect(parseUsd(formatUsd(pico))).toBe(pico);
      }),
    );
  });

  it.each([
    [15_000_000n, "0.000015"],
    [-2_000_000_000_000n, "-2"],
    [0n, "0"],
    [1n, "0.000000000001"],
  ])("of %s picodollars is %s", (pico, text) => {
    expect(formatUsd(pico)).toBe(text);
  });

  it("of a rate reads back as the rate, however it is written", () => {
    const digits = fc.tuple(fc.nat({ max: 10 ** 9 }), fc.nat({ max: 9 }), fc.constantFrom(1n, 1000n, 1_000_000n));
    fc.assert(
      fc.property(digits, ([number, decimals, units]) => {
        const text = number.toString().padStart(decimals + 1, "0");
        const plain = decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
        const rate = parseRate(plain, units);
        expect(rate).toEqual(parseRate(`${number}e-${decimals}`, units));
        expect(rate.pico * units * 10n ** BigInt(decimals)).toBe(BigInt(number) * 10n ** 12n * rate.per);
        expect(parseRate(formatRate(rate, units) as string, units)).toEqual(rate);
      }),
    );
  });

  it.each(["", "1,5", "0x10", "1e9999", "NaN", ".5", "5."])("%j is no price", (text) => {
    expect(() => parseRate(text, 1n)).toThrow(RangeError);
  });

  it("finer than a picodollar is no amount", () => {
    expect(() => parseUsd("0.0000000000001")).toThrow(RangeError);
  });
});

describe("scaleRate", () => {
  it("is exact, and the same as scaling the text", () => {
    expect(scaleRate(parseRate("1.25", 1_000_000n), "0.5")).toEqual(parseRate("0.625", 1_000_000n));
    expect(scaleRate(parseRate("0.0833333", 1_000_000n), "2")).toEqual(parseRate("0.1666666", 1_000_000n));
    expect(scaleRate(parseRate("1", 1n), "0.0000000000005")).toEqual(parseRate("0.0000000000005", 1n));
    expect(scaleRate(parseRate("3", 1_000_000n), "0")).toEqual({ pico: 0n, per: 1n });
  });
});

it("shows a rate that does not end, rounded, and one that does exactly", () => {
  // $2.49 an hour, for a thousand milliseconds.
  expect(showRate(parseRate("2.49", 3_600_000n), 1_000n)).toBe("0.000691666666666667");
  expect(showRate(parseRate("0.36", 3_600_000n), 1_000n)).toBe("0.0001");
});

describe("the units that an amount pays for", () => {
  it("are the most whose cost is within it", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 9n), fc.bigInt(1n, 10n ** 7n), fc.bigInt(0n, 10n ** 13n), (pico, per, amount) => {
        const units = unitsFor({ pico, per }, amount as Pico);
        expect(cost({ pico, per }, units)).toBeLessThanOrEqual(amount);
        if (units < Number.MAX_SAFE_INTEGER) expect(cost({ pico, per }, units + 1)).toBeGreaterThan(amount);
      }),
    );
  });

  it("are none for less than nothing, and as many as can be counted where they are free", () => {
    expect(unitsFor({ pico: 3n, per: 1n }, -1n as Pico)).toBe(0);
    expect(unitsFor({ pico: 0n, per: 1n }, 0n as Pico)).toBe(Number.MAX_SAFE_INTEGER);
    expect(unitsFor({ pico: 3_000_000n, per: 1n }, 2_999_999n as Pico)).toBe(0);
  });
});

describe("apportion", () => {
  it.each<[string, bigint, number[], bigint[]]>([
    ["rounds, where that adds up", 10n, [3.2, 6.7, 0.1], [3n, 7n, 0n]],
    ["takes parts of both signs", 3n, [5.6, -2.6], [6n, -3n]],
    ["mirrors", -3n, [-5.6, 2.6], [-6n, 3n]],
    ["rounds both of two that cancel", 0n, [16.7, -16.7], [17n, -17n]],
    ["gives what is missing to what rounding took most from", 3n, [1.3, 1.4, 0.3], [1n, 2n, 0n]],
    ["takes what is too much from what rounding gave most", 5n, [1.7, 1.7, 1.6], [2n, 2n, 1n]],
    ["gives equal remainders to the larger part, then the earlier", 4n, [0.5, 2.5, 0.5, 0.5], [1n, 3n, 0n, 0n]],
    ["leaves a part of zero at zero", 1n, [0, 0.9999999999, 0], [0n, 1n, 0n]],
    ["spreads what floats are too coarse for over the large parts", 10n ** 18n + 777n, [1e18, 0, 1], [10n ** 18n + 776n, 0n, 1n]],
    ["has nothing to divide", 0n, [], []],
  ])("%s", (_, total, parts, expected) => {
    expect(apportion(total, parts)).toEqual(expected);
  });

  it("adds up to the last digit, is off by less than one, and mirrors", () => {
    // Thousandths, so that the parts' sum is known exactly.
    const parts = fc.array(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(parts, (thousandths) => {
        const exact = thousandths.reduce((a, b) => a + b, 0);
        const total = BigInt(Math.round(exact / 1000));
        const given = thousandths.map((part) => part / 1000);
        given.push((Number(total) * 1000 - exact) / 1000);
        const whole = apportion(total, given);
        expect(whole.reduce((a, b) => a + b, 0n)).toBe(total);
        for (const [index, part] of whole.entries()) expect(Math.abs(Number(part) - (given[index] ?? 0))).toBeLessThan(1);
        const mirrored = apportion(
          -total,
          given.map((part) => -part),
        );
        expect(mirrored).toEqual(whole.map((part) => -part));
      }),
    );
  });

  it.each<[bigint, number[]]>([
    [1n, []],
    [1n, [0, 0]],
    [100n, [50, 40]],
    [0n, [Number.NaN]],
    [0n, [Number.POSITIVE_INFINITY]],
  ])("refuses %s of %j", (total, parts) => {
    expect(() => apportion(total, parts)).toThrow(RangeError);
  });
});
