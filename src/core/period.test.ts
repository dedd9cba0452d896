import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unattributed } from "./call.ts";
import { parseUsd, toPico } from "./money.ts";
import { type PeriodCharge, periodMsMax, piecesOf, ratePeriod, recomputePeriod } from "./period.ts";
import { bookOf } from "./book.fixture.ts";

const dayMs = 86_400_000;

function charge(changes: Partial<PeriodCharge>): PeriodCharge {
  return {
    id: "c",
    class: "hosting",
    provider: "azure",
    model: null,
    region: null,
    fromMs: 0,
    toMs: dayMs,
    bookedMs: 0,
    attribution: unattributed,
    key: null,
    witness: "declared",
    work: null,
    quantity: null,
    source: "reported",
    price: null,
    costPico: null,
    ...changes,
  };
}

describe("a period charge by days", () => {
  it("adds up to itself, in cost and in quantity, and its pieces follow each other within days", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        fc.integer({ min: 1, max: 400 * dayMs }),
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        (fromMs, ms, costPico, quantity) => {
          const pieces = piecesOf(charge({ fromMs, toMs: fromMs + ms, costPico: toPico(costPico), quantity }));
          expect(pieces[0]?.fromMs).toBe(fromMs);
          expect(pieces.at(-1)?.toMs).toBe(fromMs + ms);
          let total = 0n;
          let units = 0n;
          pieces.forEach((piece, index) => {
            if (index > 0) expect(piece.fromMs).toBe(pieces[index - 1]?.toMs);
            expect(new Date(piece.fromMs).toISOString().slice(0, 10)).toBe(new Date(piece.toMs - 1).toISOString().slice(0, 10));
            total += piece.costPico ?? -1n;
            units += BigInt(piece.quantity ?? -1);
            // No piece is further from its share than one unit of the last digit.
            const share = (costPico * BigInt(piece.toMs - piece.fromMs)) / BigInt(ms);
            expect((piece.costPico ?? -1n) - share).toBeLessThanOrEqual(1n);
          });
          expect([total, units]).toEqual([costPico, BigInt(quantity)]);
        },
      ),
    );
  });

  it("41.10 dollars over three days and a half, by hand", () => {
    const fromMs = Date.parse("2026-11-01T12:00:00Z");
    const pieces = piecesOf(charge({ fromMs, toMs: Date.parse("2026-11-05T00:00:00Z"), costPico: parseUsd("41.10") }));
    // 12 + 24 + 24 + 24 of 84 hours: 41.10 ÷ 7 = 5.871428571428571…, and twice that three times.
    expect(pieces.map((piece) => piece.costPico)).toEqual([5_871428571429n, 11_742857142857n, 11_742857142857n, 11_742857142857n]);
    expect(pieces.map((piece) => piece.quantity)).toEqual([null, null, null, null]);
  });

  it("keeps an unknown cost unknown in every piece", () => {
    expect(piecesOf(charge({ toMs: 2 * dayMs, quantity: 10 }))).toEqual([
      { fromMs: 0, toMs: dayMs, quantity: 5, costPico: null },
      { fromMs: dayMs, toMs: 2 * dayMs, quantity: 5, costPico: null },
    ]);
  });
});

describe("the price of a period", () => {
  const book = bookOf({
    listed: [
      {
        id: "list@1/google/gemini-2.5-pro",
        provider: "google",
        model: "gemini-2.5-pro",
        match: { equals: "gemini-2.5-pro" },
        contextWindow: null,
        tier: "standard",
        region: null,
        prices: { cache_storage: { per: 3_600_000_000, steps: [{ aboveTokens: -1, usd: "4.50" }] } },
        validFromMs: null,
        validToMs: null,
        window: null,
      },
    ],
    own: [],
    derivations: [],
    fallbacks: {},
    pricesOf: {},
  });
  const of = { provider: "google", model: "gemini-2.5-pro", region: null, atMs: 5 };

  it("is exact: 100,000 tokens for 20 minutes at $4.50 for a million tokens an hour are 15 cents", () => {
    const rated = ratePeriod(book, of, "cache_storage", 100_000 * 1200);
    expect(rated.costPico).toBe(parseUsd("0.15"));
    const booked = charge({ class: "cache_storage", quantity: 120_000_000, ...rated });
    expect(recomputePeriod(booked)).toBe(true);
    expect(recomputePeriod({ ...booked, quantity: 120_000_001 })).toBe(false);
    expect(recomputePeriod({ ...booked, toMs: 0 })).toBe(false);
    expect(recomputePeriod({ ...booked, toMs: periodMsMax + 1 })).toBe(false);
  });

  it("is unknown, and not zero, where there is none", () => {
    expect(ratePeriod(book, of, "training", 10)).toEqual({ price: null, costPico: null });
    expect(ratePeriod(book, { ...of, model: null }, "cache_storage", 10)).toEqual({ price: null, costPico: null });
    expect(ratePeriod(book, { ...of, model: "another" }, "cache_storage", 10)).toEqual({ price: null, costPico: null });
  });
});
