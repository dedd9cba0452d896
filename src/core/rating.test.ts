import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { total } from "./charge.ts";
import { formatUsd, sum } from "./money.ts";
import { bookOf } from "./book.fixture.ts";
import type { PriceRecord } from "./price.ts";
import { rate, type RatedCall, recompute } from "./rating.ts";
import { type Quantities, type Usage, type UsageClass, usageClassNames } from "./usage.ts";

const usd: { readonly [name in UsageClass]?: string } = {
  input: "3",
  cache_read: "0.3",
  cache_write: "3.75",
  cache_write_1h: "6",
  output: "15",
  reasoning: "0.0833333",
};

function record(model: string, changes: Partial<PriceRecord> = {}): PriceRecord {
  return {
    id: `list@1/acme/${model}`,
    provider: "acme",
    model,
    match: { equals: model },
    contextWindow: null,
    tier: "standard",
    region: null,
    prices: Object.fromEntries(
      Object.entries(usd).map(([name, text]) => [
        name,
        { per: 1_000_000, steps: [{ aboveTokens: -1, usd: text }, ...(name === "input" ? [{ aboveTokens: 200_000, usd: "6" }] : [])] },
      ]),
    ),
    validFromMs: null,
    validToMs: null,
    window: null,
    ...changes,
  };
}

const book = bookOf({
  listed: [record("one"), record("fee", { prices: { request: { per: 1000, steps: [{ aboveTokens: -1, usd: "12" }] } } })],
  own: [record("alias", { provider: "local", id: "own@1/local/alias" })],
  derivations: [],
  fallbacks: {},
  pricesOf: {},
});
const call: RatedCall = { provider: "acme", modelAsked: "one", modelAnswered: null, tier: null, region: null, atMs: 0 };

function usage(quantities: Quantities, changes: Partial<Usage> = {}): Usage {
  return { parts: [{ kind: "message", model: null, quantities }], source: "reported", doubts: [], raw: null, ...changes };
}

function price(quantities: Quantities): string | undefined {
  return rate(book, call, usage(quantities)).charges[0]?.price;
}

function priced(changes: Partial<RatedCall>): string | null {
  return rate(book, { ...call, ...changes }, usage({ input: 1 })).charges[0]?.model ?? null;
}

describe("charges", () => {
  it("name class, quantity, source, price and version", () => {
    const { charges, unpriced } = rate(
      book,
      call,
      usage({ input: 10, cache_read: 5 }, { source: "partial", sources: { input: "reported" } }),
    );
    expect(unpriced).toEqual([]);
    expect(charges).toEqual([
      {
        class: "input",
        quantity: 10,
        source: "reported",
        model: "one",
        part: 0,
        price: "list@1/acme/one#input",
        ratePico: 3_000_000n,
        ratePer: 1n,
        costPico: 30_000_000n,
      },
      {
        class: "cache_read",
        quantity: 5,
        source: "partial",
        model: "one",
        part: 0,
        price: "list@1/acme/one#cache_read",
        ratePico: 300_000n,
        ratePer: 1n,
        costPico: 1_500_000n,
      },
    ]);
  });

  it("leave out what was zero", () => {
    expect(rate(book, call, usage({ input: 1, cache_read: 0, web_search: 0 }))).toMatchObject({
      charges: [{ class: "input" }],
      unpriced: [],
    });
  });

  it("have the long-context price of the whole part, by all its input tokens", () => {
    expect(price({ input: 200_000 })).toBe("list@1/acme/one#input");
    expect(price({ input: 200_001 })).toBe("list@1/acme/one#input>200000");
    expect(price({ input: 1, cache_read: 199_999, cache_write_5m: 1 })).toBe("list@1/acme/one#input>200000");
    expect(price({ input: 1, output: 500_000 })).toBe("list@1/acme/one#input");
  });

  it("are of each part by its own model and its own length", () => {
    const parts = [
      { kind: "message", model: null, quantities: { input: 150_000 } },
      { kind: "compaction", model: "fee", quantities: { input: 150_000 } },
      { kind: "message", model: "one", quantities: { input: 150_000, output: 1 } },
    ];
    const { charges, unpriced } = rate(book, call, usage({}, { parts }));
    expect(charges.map(({ part, class: name, price }) => [part, name, price])).toEqual([
      [0, "input", "list@1/acme/one#input"],
      [2, "input", "list@1/acme/one#input"],
      [2, "output", "list@1/acme/one#output"],
    ]);
    expect(unpriced).toEqual(["input"]);
  });

  it("have the fee per request once", () => {
    const fee = { ...call, modelAsked: "fee" };
    expect(rate(book, fee, usage({})).charges).toMatchObject([{ class: "request", quantity: 1, costPico: 12_000_000_000n }]);
    expect(rate(book, fee, usage({ request: 3 })).charges).toMatchObject([{ class: "request", quantity: 3 }]);
    expect(rate(book, fee, usage({}, { parts: [] })).charges).toEqual([]);
  });

  it("can be recomputed from themselves, add up over parts, and cover every quantity or name it", () => {
    const quantities = fc.dictionary(fc.constantFrom(...usageClassNames), fc.nat({ max: 10 ** 9 }), { maxKeys: 8 });
    fc.assert(
      fc.property(fc.array(quantities, { maxLength: 4 }), (all) => {
        const parts = all.map((given) => ({ kind: "message", model: null, quantities: given as Quantities }));
        const whole = rate(book, call, usage({}, { parts }));
        expect(whole.charges.every(recompute)).toBe(true);
        const alone = parts.map((part) => total(rate(book, call, usage({}, { parts: [part] })).charges));
        expect(total(whole.charges)).toBe(sum(alone));
        for (const [part, given] of all.entries())
          for (const [name, quantity] of Object.entries(given)) {
            const line = whole.charges.find((charge) => charge.part === part && charge.class === name);
            if (quantity === 0) expect(line).toBeUndefined();
            else if (line === undefined) expect(whole.unpriced).toContain(name);
            else expect(line.quantity).toBe(quantity);
          }
      }),
    );
  });

  it("that were tampered with do not recompute", () => {
    const [charge] = rate(book, call, usage({ reasoning: 7 })).charges;
    expect(recompute(charge!)).toBe(true);
    expect(recompute({ ...charge!, quantity: 8 })).toBe(false);
    expect(recompute({ ...charge!, ratePer: 0n })).toBe(false);
  });
});

describe("what has no price", () => {
  it("is named, once, and is not 0", () => {
    const parts = [1, 2].map(() => ({ kind: "message", model: null, quantities: { input: 1, web_search: 2 } }));
    const { charges, unpriced } = rate(book, call, usage({}, { parts }));
    expect(unpriced).toEqual(["web_search"]);
    expect(charges).toHaveLength(2);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 60])("includes %s tokens, without failing the settlement", (quantity) => {
    expect(rate(book, call, usage({ input: quantity }))).toEqual({ charges: [], unpriced: ["input"] });
  });

  it("includes all of a tier without prices", () => {
    expect(rate(book, { ...call, tier: "priority" }, usage({ input: 1, output: 1 }))).toEqual({
      charges: [],
      unpriced: ["input", "output"],
    });
  });

  it("includes a call without a model, and a model that is not in the book", () => {
    expect(rate(book, { ...call, modelAsked: null }, usage({ input: 1 })).unpriced).toEqual(["input"]);
    expect(rate(book, { ...call, modelAsked: "two" }, usage({ input: 1 })).unpriced).toEqual(["input"]);
  });
});

describe("which model is priced", () => {
  it("is the one that answered", () => {
    expect(priced({ modelAsked: "fee", modelAnswered: "one" })).toBe("one");
  });

  it("is never silently the one asked for", () => {
    expect(priced({ modelAsked: "one", modelAnswered: "one-turbo" })).toBeNull();
  });

  it("is the one asked for where the answer is its dated snapshot", () => {
    expect(priced({ modelAsked: "one", modelAnswered: "one-2026-01-02" })).toBe("one");
  });

  it("is the one asked for where the user gave a price for it", () => {
    expect(priced({ provider: "local", modelAsked: "alias", modelAnswered: "weights.gguf" })).toBe("alias");
  });
});

it("costs what a sum by hand says", () => {
  const { charges } = rate(book, call, usage({ input: 1000, cache_read: 2000, cache_write_1h: 100, output: 10, reasoning: 15 }));
  // 0.003 + 0.0006 + 0.0006 + 0.00015 + 15 × 83,333.3 picodollars, half to even.
  expect(formatUsd(total(charges))).toBe("0.00435125");
});

describe("terms of a price", () => {
  const terms = bookOf({
    listed: [
      record("marginal", {
        prices: {
          input: {
            per: 1_000_000,
            marginal: true,
            steps: [
              { aboveTokens: -1, usd: "2" },
              { aboveTokens: 100, usd: "1" },
              { aboveTokens: 300, usd: "0.5" },
            ],
          },
        },
      }),
      // Groq bills at least ten seconds of audio for each request.
      record("seconds", { prices: { input_audio_seconds: { per: 3600, atLeast: 10, steps: [{ aboveTokens: -1, usd: "0.036" }] } } }),
      record("least", { prices: { input: { per: 1_000_000, steps: [{ aboveTokens: -1, usd: "1" }] } }, minimumUsd: "0.01" }),
    ],
  });
  const lines = (model: string, quantities: Quantities) =>
    rate(terms, { ...call, modelAsked: model }, usage(quantities)).charges.map((one) => [
      one.class,
      one.quantity,
      formatUsd(one.costPico),
      one.price,
    ]);

  it("above a mark only what is above it has the other price", () => {
    const at = "list@1/acme/marginal#input";
    expect(lines("marginal", { input: 450 })).toEqual([
      ["input", 100, "0.0002", at],
      ["input", 200, "0.0002", `${at}>100`],
      ["input", 150, "0.000075", `${at}>300`],
    ]);
    expect(lines("marginal", { input: 100 })).toEqual([["input", 100, "0.0002", at]]);
  });

  it("a least number of units is billed when there are any", () => {
    const at = "list@1/acme/seconds#input_audio_seconds";
    expect(lines("seconds", { input_audio_seconds: 3 })).toEqual([
      ["input_audio_seconds", 3, "0.00003", at],
      ["minimum", 7, "0.00007", `${at}~10`],
    ]);
    expect(lines("seconds", { input_audio_seconds: 12 })).toEqual([["input_audio_seconds", 12, "0.00012", at]]);
    expect(lines("seconds", { input_audio_seconds: 0 })).toEqual([]);
  });

  it("a call that costs anything costs the least, and one that costs nothing, nothing", () => {
    expect(lines("least", { input: 4_000 })).toEqual([
      ["input", 4_000, "0.004", "list@1/acme/least#input"],
      ["minimum", 1, "0.006", "list@1/acme/least#minimum"],
    ]);
    expect(lines("least", { input: 10_000 })).toHaveLength(1);
    expect(lines("least", { input: 0 })).toEqual([]);
    expect(lines("least", { input: 5, web_search: 1 })).toHaveLength(1);
  });

  it("every line can be recomputed from itself", () => {
    fc.assert(
      fc.property(fc.constantFrom("marginal", "seconds", "least"), fc.integer({ min: 0, max: 100_000 }), (model, units) => {
        const { charges } = rate(terms, { ...call, modelAsked: model }, usage({ input: units, input_audio_seconds: units }));
        for (const one of charges) expect(recompute(one)).toBe(true);
        const used = charges.filter((one) => one.class === "input").reduce((sum, one) => sum + one.quantity, 0);
        expect(model === "seconds" ? 0 : units).toBe(used);
      }),
    );
  });
});
