import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bound, boundAtMost, type BoundRequest, capFor, presume } from "./bound.ts";
import { total } from "./charge.ts";
import { formatUsd, parseUsd, type Pico } from "./money.ts";
import { bookOf } from "./book.fixture.ts";
import type { ClassPrice, PriceRecord } from "./price.ts";
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

/** $3 and $15 a million, a window of 200,000; of the others what their names say. */
const wider = bookOf({
  listed: [
    record("plain", { input: "3", output: "15" }, { contextWindow: 200_000 }),
    record("cached", { ...cached, cache_write_5m: "3.75" }, { contextWindow: 200_000 }),
    record("heard", { input: "3", input_audio: "40", output: "15", output_audio: "80" }),
    record("unknown", { input: "3", output: "15" }, { contextWindow: null }),
    record("tools", { input: "3", output: "15", web_search: "10000", web_fetch: "0" }, { contextWindow: 1_000 }),
    record("fee", { input: "1", output: "1", request: "12" }),
    record("least", { input: "1", output: "1" }, { minimumUsd: "0.01" }),
    record("free", { input: "0", output: "0" }),
    record("odd", { input: "0.0833333", output: "0.3333333" }),
    record("tiered", { input: "2", output: "4" }),
    record("tiered", { input: "4", output: "8" }, { tier: "priority" }),
    record("later", { input: "2", output: "4" }, { validToMs: 1_000 }),
    record("later", { input: "3", output: "9" }, { validFromMs: 1_000 }),
    record("here", { input: "2", output: "4" }),
    record("here", { input: "2.2", output: "4.4" }, { region: "us" }),
    {
      ...record("blocks", {}),
      prices: {
        input: { per: 1_000_000, steps: [{ aboveTokens: -1, usd: "1" }] },
        output: {
          per: 1_000_000,
          steps: [
            { aboveTokens: -1, usd: "2" },
            { aboveTokens: 500, usd: "20" },
          ],
          marginal: true,
          atLeast: 50,
        },
      },
    },
  ],
  own: [],
  derivations: [],
  fallbacks: {},
  pricesOf: {},
});
const costOf = (model: string, changes: Partial<BoundRequest> = {}): string | null =>
  bound(wider, call(model), { ...request, ...changes }).cost;

describe("a call without a cap", () => {
  it("is bounded by the most that its model puts out, by its window where that is not known", () => {
    // 1,000 × 3 and 8,192 × 15; then 200,000 × 15 dollars a million.
    expect(bound(wider, call("plain"), { ...request, cap: null, outputMax: 8_192 })).toMatchObject({
      outputTokens: 8_192,
      cost: "0.12588",
    });
    expect(bound(wider, call("plain"), { ...request, cap: null, outputMax: null })).toMatchObject({ outputTokens: 200_000, cost: "3.003" });
  });

  it("has no bound where neither is known", () => {
    expect(bound(wider, call("unknown"), { ...request, cap: null, outputMax: null })).toMatchObject({
      cost: null,
      unbounded: "no cap on output tokens, and neither the most that unknown puts out nor its context window is known",
    });
  });
});

describe("what is read beyond bytes", () => {
  it("is a window where it is not known, and the window bounds every input of its own", () => {
    expect(bound(wider, call("plain"), { ...request, wide: "media by URL: file" })).toMatchObject({ inputTokens: 200_000, cost: "0.6015" });
    expect(bound(wider, call("unknown"), { ...request, wide: "media by URL: file" })).toMatchObject({
      cost: null,
      unbounded: "media by URL: file; the context window of unknown is not known",
    });
    // Three texts of a list may each fill a window: 500,000 bytes are not cut to 200,000 tokens.
    expect(bound(wider, call("plain"), { ...request, requestBytes: 500_000, contexts: 3 }).inputTokens).toBe(500_000);
    expect(bound(wider, call("plain"), { ...request, requestBytes: 700_000, contexts: 3 }).inputTokens).toBe(600_000);
    expect(bound(wider, call("plain"), { ...request, requestBytes: 700_000, contexts: Infinity }).inputTokens).toBe(700_000);
  });

  it("is pictures and what the provider writes around them", () => {
    expect(bound(wider, call("plain"), { ...request, extraTokens: 1_700 }).inputTokens).toBe(2_700);
  });

  it("is a window for each step, a fee for each use, and a cap for each step where caps hold for steps", () => {
    // (1,000 + 2 × 1,000) × 3, 2 × 10,000, 100 × 15 dollars a million; web fetches cost nothing.
    const steps = { steps: 3, uses: { web_search: 2, web_fetch: 1 } };
    expect(bound(wider, call("tools"), { ...request, ...steps })).toMatchObject({ inputTokens: 3_000, outputTokens: 100, cost: "0.0305" });
    expect(bound(wider, call("tools"), { ...request, ...steps, capPerStep: true })).toMatchObject({ outputTokens: 300, cost: "0.0335" });
    expect(costOf("plain", steps)).toBeNull();
    expect(bound(wider, call("plain"), { ...request, ...steps }).unbounded).toBe("no price for web_search and web_fetch of plain");
    expect(bound(wider, call("unknown"), { ...request, steps: 3 }).unbounded).toBe(
      "3 steps, and the context window of unknown is not known",
    );
  });

  it("is a predicted output that may be thrown away", () => {
    expect(bound(wider, call("plain"), { ...request, predictedBytes: 40 }).outputTokens).toBe(140);
  });
});

const servedAt = (tiers: readonly string[]): string | null => bound(wider, { ...call("tiered"), tiers }, request).cost;

describe("the dearest price", () => {
  it("is of a cache only where the request can write to it", () => {
    const reads = (writes: "none" | "5m" | "any"): string | null => costOf("cached", { cap: 0, reads: { media: false, writes } });
    expect([reads("none"), reads("5m"), reads("any"), costOf("cached", { cap: 0 })]).toEqual(["0.003", "0.00375", "0.006", "0.006"]);
  });

  it("is of sound only where there may be any in it, and always in what comes out", () => {
    expect(costOf("heard", { reads: { media: false, writes: "any" } })).toBe("0.011");
    expect(costOf("heard", { reads: { media: true, writes: "any" } })).toBe("0.048");
  });

  it("is of any tier it may be served at that has a price", () => {
    expect([servedAt([]), servedAt(["priority"]), servedAt(["scale"])]).toEqual(["0.0024", "0.0048", "0.0024"]);
  });

  it("is what comes into force before the call may begin, and that of its region", () => {
    expect(bound(wider, call("later"), request).cost).toBe("0.0024");
    expect(bound(wider, { ...call("later"), untilMs: 2_000 }, request).cost).toBe("0.0039");
    expect(bound(wider, { ...call("here"), region: "us" }, request).cost).toBe("0.00264");
  });

  it("is at least the least that a call costs, and that units are billed for; of units in steps the dearest step", () => {
    expect(costOf("least")).toBe("0.01");
    expect(costOf("blocks", { cap: 10 })).toBe("0.002");
    expect(costOf("blocks", { cap: 600 })).toBe("0.013");
  });
});

const long = (usd: string, above: string): ClassPrice => ({
  per: 1_000_000,
  steps: [
    { aboveTokens: -1, usd },
    { aboveTokens: 200_000, usd: above },
  ],
});

describe("golden bounds, by hand from published prices", () => {
  // Claude Sonnet 4.5: $3, writes $3.75 and $6, output $15; twice, and 1.5 times the output, above 200,000 tokens (Anthropic: pricing).
  const priced = bookOf({
    listed: [
      {
        ...record("claude-sonnet-4-5", {}),
        prices: {
          input: long("3", "6"),
          cache_write_5m: long("3.75", "7.5"),
          cache_write_1h: long("6", "12"),
          output: long("15", "22.5"),
          web_search: { per: 1_000, steps: [{ aboveTokens: -1, usd: "10" }] },
        },
      },
    ],
    own: [],
    derivations: [],
    fallbacks: {},
    pricesOf: {},
  });
  it.each([
    // 1,600 × 6 + 1,024 × 15 = 24,960 dollars per million.
    ["1.6 KB and 1,024 tokens, cached for an hour", { requestBytes: 1_600, cap: 1_024 }, "0.02496"],
    // 1,600 × 3 + 1,024 × 15 = 20,160.
    ["the same without a cache", { requestBytes: 1_600, cap: 1_024, reads: { media: false, writes: "none" } }, "0.02016"],
    // 300,000 × 12 + 1,024 × 22.5 = 3,623,040.
    ["300 KB, at the long-context price", { requestBytes: 300_000, cap: 1_024 }, "3.62304"],
    // 1,600 × 6 + 9 windows of a million at 12, 10 × 1,024 × 22.5, 5 searches at a cent; the input of all steps is above 200,000: 1,600 × 12.
    ["five searches", { requestBytes: 1_600, cap: 1_024, steps: 10, capPerStep: true, uses: { web_search: 5 } }, "108.2996"],
  ] as const)("%s", (_name, changes, usd) => {
    expect(bound(priced, call("claude-sonnet-4-5"), { ...request, ...changes }).cost).toBe(usd);
  });
});

const way = (model: string, changes: Partial<BoundRequest> = {}) => ({ call: call(model), request: { ...request, ...changes } });

describe("the dearest of several ways", () => {
  it("is the dearest, or the first without a bound", () => {
    expect(boundAtMost(wider, [way("free"), way("plain"), way("here")]).cost).toBe("0.0045");
    expect(boundAtMost(wider, [way("plain"), way("nobody"), way("plain", { cap: null })]).unbounded).toMatch(/nobody/);
    expect(() => boundAtMost(wider, [])).toThrow(RangeError);
  });
});

const fits = (model: string, asked: BoundRequest, cap: number, money: bigint): boolean => {
  const { cost } = bound(wider, call(model), { ...asked, cap });
  return cost !== null && parseUsd(cost) <= money;
};

describe("the cap that some money pays for", () => {
  const models = ["plain", "cached", "heard", "unknown", "fee", "least", "free", "odd", "tiered", "blocks", "tools"];
  const requests = fc.record({
    requestBytes: fc.nat({ max: 3_000 }),
    cap: fc.constant(null),
    choices: fc.integer({ min: 1, max: 3 }),
    unbounded: fc.constant(null),
    outputMax: fc.constantFrom(null, 700, 3_000),
    steps: fc.constant(1),
    capPerStep: fc.boolean(),
    predictedBytes: fc.constantFrom(0, 30),
  });
  it("is the largest whose bound is within it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), requests, fc.bigInt({ min: 0n, max: 30_000_000_000n }), (model, asked, money) => {
        const cap = capFor(wider, [{ call: call(model), request: asked }], money as Pico);
        const most = asked.outputMax ?? { plain: 200_000, cached: 200_000, unknown: Infinity, tools: 1_000 }[model] ?? 1_000_000;
        expect(cap).toBeLessThanOrEqual(most);
        if (cap > 0) expect(fits(model, asked, cap, money)).toBe(true);
        if (cap < Math.min(most, 4_000_000_000)) expect(fits(model, asked, cap + 1, money)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is what trying every cap finds", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), requests, fc.bigInt({ min: 0n, max: 10_000_000_000n }), (model, asked, money) => {
        const most = Math.min(asked.outputMax ?? 1_000, 1_000);
        let best = 0;
        for (let cap = 1; cap <= most; cap++) if (fits(model, asked, cap, money)) best = cap;
        expect(Math.min(capFor(wider, [{ call: call(model), request: asked }], money as Pico), most)).toBe(best);
      }),
      { numRuns: 20 },
    );
  });

  it("grows with the money, and is what the dearest way allows", () => {
    const ways = ["plain", "cached", "fee"].map((model) => ({ call: call(model), request: { ...request, cap: null, outputMax: null } }));
    // 6 dollars a million for 1,000 bytes of the cached one; what is left buys tokens at 15.
    expect(capFor(wider, ways, parseUsd("0.021"))).toBe(1_000);
    expect(capFor(wider, ways, parseUsd("0.020999"))).toBe(999);
    expect(capFor(wider, ways, parseUsd("0.006"))).toBe(0);
    expect(capFor(wider, [...ways, { call: call("nobody"), request }], parseUsd("1"))).toBe(0);
    expect(capFor(wider, [{ call: call("plain"), request: { ...request, unbounded: "background work" } }], parseUsd("1"))).toBe(0);
    let last = 0;
    for (let money = 0n; money < 40_000_000_000n; money += 37_000_003n) {
      const cap = capFor(wider, ways, money as Pico);
      expect(cap).toBeGreaterThanOrEqual(last);
      last = cap;
    }
  });
});

describe("a presumption", () => {
  it("costs what was held, tools and kinds of input included", () => {
    const asked = { ...request, steps: 2, uses: { web_search: 3 }, reads: { media: false, writes: "none" } } as const;
    for (const model of ["tools", "least", "blocks"]) {
      const { uses: _, ...without } = asked;
      const hold = bound(wider, call(model), model === "tools" ? asked : without);
      const { charges, unpriced } = presume(wider, call(model), hold);
      expect([formatUsd(total(charges)), unpriced]).toEqual([hold.cost, []]);
    }
    const hold = bound(wider, { ...call("tiered"), tiers: ["priority"] }, request);
    expect(formatUsd(total(presume(wider, call("tiered"), hold).charges))).toBe("0.0048");
  });
});
