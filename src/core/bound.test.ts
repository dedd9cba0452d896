import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bound, presume } from "./bound.ts";
import { total } from "./charge.ts";
import { formatUsd, parseUsd } from "./money.ts";
import { bookOf } from "./book.fixture.ts";
import type { PriceRecord } from "./price.ts";
import { rate, recompute } from "./rating.ts";
import type { Usage, UsageClass } from "./usage.ts";

function record(model: string, usd: { readonly [name in UsageClass]?: string }, changes: Partial<PriceRecord> = {}): PriceRecord {
  const long = model === "long" ? [{ aboveTokens: 200_000, usd: "10" }] : [];
  return {
    id: `list@1/acme/${model}`,
    provider: "acme",
    model,
    match: { equals: model },
    contextWindow: 1_000_000,
    tier: "standard",
    region: null,
    prices: Object.fromEntries(
      Object.entries(usd).map(([name, text]) => [
        name,
        { per: name === "request" ? 1000 : 1_000_000, steps: [{ aboveTokens: -1, usd: text }, ...(name === "input" ? long : [])] },
      ]),
    ),
    validFromMs: null,
    validToMs: null,
    window: null,
    ...changes,
  };
}

const cached = { input: "3", cache_read: "0.3", cache_write: "3.75", cache_write_1h: "6", output: "15" };
const book = bookOf({
  listed: [
    record("cached", cached),
    record("long", { input: "3", output: "15" }),
    record("fee", { input: "1", output: "1", request: "12" }),
    record("hourly", { input: "2", output: "4" }),
    record("hourly", { input: "1", output: "2" }, { window: { fromMs: 0, toMs: 12 * 3_600_000 } }),
    record("embed", { input: "1" }),
    record("tiered", { input: "2", output: "4" }),
    record("tiered", { input: "1", output: "2" }, { tier: "flex" }),
  ],
  own: [],
  derivations: [],
  fallbacks: {},
  pricesOf: {},
});
const call = (model: string, tier: string | null = null) => ({ provider: "acme", model, tier, region: null, atMs: 0 });
const request = { requestBytes: 1000, cap: 100, choices: 1, unbounded: null };

describe("bound", () => {
  it("takes every byte for a token of the dearest kind, and the cap of every choice", () => {
    // 1,000 × 6 + 300 × 15 dollars a million.
    expect(bound(book, call("cached"), { ...request, choices: 3 })).toEqual({
      inputTokens: 1000,
      outputTokens: 300,
      cost: "0.0105",
      unbounded: null,
    });
  });

  it("is capped by the context window", () => {
    expect(bound(book, call("cached"), { ...request, requestBytes: 5_000_000 }).inputTokens).toBe(1_000_000);
  });

  it("takes the long-context price only where it can be reached", () => {
    expect(bound(book, call("long"), { ...request, requestBytes: 200_000, cap: 0 }).cost).toBe("0.6");
    expect(bound(book, call("long"), { ...request, requestBytes: 200_001, cap: 0 }).cost).toBe("2.00001");
  });

  it("takes the dearest hour, and the fee of the request", () => {
    expect(bound(book, call("hourly"), request).cost).toBe("0.0024");
    expect(bound(book, call("fee"), request).cost).toBe("0.0131");
  });

  it("takes the standard price where the tier asked for is cheaper, since the call may be served at either", () => {
    expect(bound(book, call("tiered", "flex"), request).cost).toBe("0.0024");
  });

  it("says why there is none", () => {
    expect(bound(book, call("cached"), { ...request, cap: null })).toEqual({
      inputTokens: 1000,
      outputTokens: null,
      cost: null,
      unbounded: "no cap on output tokens",
    });
    expect(bound(book, call("cached"), { ...request, unbounded: "media by URL" })).toMatchObject({ cost: null, unbounded: "media by URL" });
    expect(bound(book, call("other"), request)).toMatchObject({ cost: null, unbounded: "no price for input and output of other" });
    expect(bound(book, call("cached", "priority"), request)).toMatchObject({
      cost: null,
      unbounded: "no price for input and output of cached in tier priority",
    });
    expect(bound(book, call("embed"), request)).toMatchObject({ cost: null, unbounded: "no price for output of embed" });
    expect(bound(book, call("embed"), { ...request, cap: 0 })).toMatchObject({ cost: "0.001", unbounded: null });
  });

  it.each([
    [Number.MAX_SAFE_INTEGER, 2],
    [Number.MAX_VALUE, 10],
    [-1, 1],
    [1.5, 1],
    [100, -3],
    [100, 0.015],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 0],
  ])("a cap of %d for each of %d answers is no bound, and no error", (cap, choices) => {
    const asked = { ...request, cap, choices };
    const hold = bound(book, call("cached"), asked);
    expect(hold).toEqual({ inputTokens: 1000, outputTokens: null, cost: null, unbounded: "the cap on output tokens is no count" });
    expect(presume(book, call("cached"), hold).unpriced).toEqual(["output"]);
  });

  it("holds up to the largest number that counts exactly", () => {
    // 9,007,199,254,740,991 × 15 dollars a million, and 1,000 × 6.
    expect(bound(book, call("cached"), { ...request, cap: Number.MAX_SAFE_INTEGER }).cost).toBe("135107988821.120865");
  });

  it("is never below what the call costs, however its tokens fall into classes", () => {
    const shares = fc.tuple(...[0, 1, 2, 3, 4, 5].map(() => fc.nat({ max: 60_000 })));
    fc.assert(
      fc.property(fc.constantFrom("cached", "long", "fee", "hourly"), shares, fc.nat({ max: 86_399_999 }), (model, counts, atMs) => {
        const [input = 0, read = 0, short = 0, hour = 0, output = 0, reasoning = 0] = counts;
        const cap = output + reasoning;
        const hold = bound(book, { ...call(model), atMs }, { requestBytes: input + read + short + hour, cap, choices: 1, unbounded: null });
        const usage: Usage = {
          parts: [
            {
              kind: "message",
              model: null,
              quantities: { input, cache_read: read, cache_write_5m: short, cache_write_1h: hour, output, reasoning },
            },
          ],
          source: "reported",
          doubts: [],
          raw: null,
        };
        const { charges } = rate(book, { provider: "acme", modelAsked: model, modelAnswered: null, tier: null, region: null, atMs }, usage);
        expect(total(charges)).toBeLessThanOrEqual(parseUsd(hold.cost as string));
      }),
    );
  });
});

describe("presume", () => {
  it("settles a hold at its bound, line by line", () => {
    for (const model of ["cached", "long", "fee", "hourly"]) {
      const hold = bound(book, call(model), request);
      const { usage, charges, unpriced } = presume(book, call(model), hold);
      expect(formatUsd(total(charges))).toBe(hold.cost);
      expect(charges.every((charge) => recompute(charge) && charge.source === "presumed")).toBe(true);
      expect(usage).toMatchObject({ source: "presumed", parts: [{ quantities: { input: 1000, output: 100 } }], doubts: [] });
      expect(unpriced).toEqual([]);
    }
  });

  it("leaves unknown what had no bound", () => {
    const hold = bound(book, call("cached"), { ...request, cap: null });
    const { usage, charges, unpriced } = presume(book, call("cached"), hold);
    expect(usage.parts[0]?.quantities).toEqual({ input: 1000 });
    expect(usage.doubts).toEqual(["no bound: no cap on output tokens"]);
    expect(charges).toMatchObject([{ class: "input", price: "list@1/acme/cached#cache_write_1h" }]);
    expect(unpriced).toEqual(["output"]);
    expect(presume(book, call("other"), hold)).toMatchObject({ charges: [], unpriced: ["input", "output"] });
  });
});
