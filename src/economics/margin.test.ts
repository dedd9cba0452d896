import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sum, toPico } from "../core/money.ts";
import { type MarginRow, margins } from "./margin.ts";

function row(key: string, revenue: bigint | null, cost: bigint, other?: bigint): MarginRow {
  const known = { key, revenuePico: revenue === null ? null : toPico(revenue), costPico: toPico(cost) };
  return other === undefined ? known : { ...known, otherPico: toPico(other) };
}

describe("margins", () => {
  // By hand: b loses, c pays nothing, d is not known.
  const found = margins([row("a", 1000n, 200n), row("b", 100n, 150n), row("c", 0n, 50n), row("d", null, 100n)]);

  it("are revenue less cost; none where the revenue is not known, and no part of a revenue of nothing", () => {
    expect(found.lines.map(({ key, marginPico, margin }) => [key, marginPico, margin])).toEqual([
      ["a", 800n, 0.8],
      ["b", -50n, -0.5],
      ["c", -50n, null],
      ["d", null, null],
    ]);
  });

  it("have totals of what is known, and what is not known apart", () => {
    expect(found.total).toEqual({ keys: 4, costPico: 500n, otherPico: 0n });
    expect(found.known).toEqual({ keys: 3, revenuePico: 1100n, costPico: 400n, otherPico: 0n, marginPico: 700n });
    expect(found.unknown).toEqual({ keys: 1, costPico: 100n, otherPico: 0n });
    expect(found.withoutRevenue).toEqual({ keys: 1, costPico: 50n });
    expect(found.belowZero).toEqual({ keys: 2, share: 2 / 3, lostPico: 100n });
  });

  it("tell the margin of totals from the mean of margins, and what the unknown can do to it", () => {
    expect(found.grossMargin).toBeCloseTo(7 / 11, 12);
    expect(found.grossMarginMin).toBeCloseTo(6 / 11, 12);
    expect(found.costShare).toBeCloseTo(4 / 11, 12);
    expect(found.costShareMax).toBeCloseTo(5 / 11, 12);
    expect(found.meanMargin).toBeCloseTo((0.8 - 0.5) / 2, 12);
  });

  it("count other cost of revenue where it is given", () => {
    const { known, grossMargin, costShare, isOtherCounted } = margins([row("a", 1000n, 200n, 100n), row("a", 0n, 50n)]);
    expect(known).toEqual({ keys: 1, revenuePico: 1000n, costPico: 250n, otherPico: 100n, marginPico: 650n });
    expect([grossMargin, costShare, isOtherCounted]).toEqual([0.65, 0.25, true]);
    expect(found.isOtherCounted).toBe(false);
  });

  it("are not said where no revenue is known", () => {
    expect(margins([row("a", null, 5n), row("a", 10n, 5n)])).toMatchObject({
      grossMargin: null,
      grossMarginMin: null,
      costShare: null,
      meanMargin: null,
      quantiles: [],
      amounts: [],
      known: { keys: 0 },
      unknown: { keys: 1, costPico: 10n },
      belowZero: { keys: 0, share: null, lostPico: 0n },
    });
    expect(margins([])).toMatchObject({ lines: [], total: { keys: 0, costPico: 0n }, grossMargin: null });
  });
});

describe("quantiles of margins", () => {
  it("are the nearest rank's", () => {
    // Margins of 1 % to 30 %, in an order of their own.
    const rows = Array.from({ length: 30 }, (_, index) => row(`k${index}`, 100n, 100n - BigInt(((index * 7) % 30) + 1)));
    const { quantiles, amounts } = margins(rows, [1, 10, 50, 51, 90, 100]);
    expect(quantiles.map(({ margin }) => margin)).toEqual([0.01, 0.03, 0.15, 0.16, 0.27, 0.3]);
    expect(amounts.map(({ marginPico }) => marginPico)).toEqual([1n, 3n, 15n, 16n, 27n, 30n]);
  });

  it("of parts leave out who pays nothing; of amounts do not", () => {
    const { quantiles, amounts } = margins([row("a", 10n, 5n), row("b", 0n, 7n)], [50]);
    expect([quantiles, amounts]).toEqual([[{ percent: 50, margin: 0.5 }], [{ percent: 50, marginPico: -7n }]]);
  });

  it.each([0, -1, 101, Number.NaN])("refuse %s percent", (percent) => expect(() => margins([], [percent])).toThrow(RangeError));
});

it("adds up, whatever is known", () => {
  const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  const rows = fc.array(
    fc.record({
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      revenue: fc.option(amount),
      cost: amount,
      other: fc.option(amount, { nil: undefined }),
    }),
  );
  fc.assert(
    fc.property(rows, (input) => {
      const given = input.map(({ key, revenue, cost, other }) => row(key, revenue, cost, other));
      const { lines, total, known, unknown, belowZero } = margins(given);
      expect(total.costPico).toBe(sum(given.map(({ costPico }) => costPico)));
      expect(total.otherPico).toBe(sum(given.map(({ otherPico }) => otherPico ?? toPico(0n))));
      expect(known.costPico + unknown.costPico).toBe(total.costPico);
      expect(known.otherPico + unknown.otherPico).toBe(total.otherPico);
      expect(known.keys + unknown.keys).toBe(total.keys);
      expect(known.marginPico).toBe(known.revenuePico - known.costPico - known.otherPico);
      const amounts = lines.flatMap(({ marginPico }) => (marginPico === null ? [] : [marginPico]));
      expect(sum(amounts)).toBe(known.marginPico);
      expect(sum(amounts.filter((pico) => pico < 0n))).toBe(-belowZero.lostPico);
      expect(sum(lines.map(({ costPico }) => costPico))).toBe(total.costPico);
    }),
  );
});
