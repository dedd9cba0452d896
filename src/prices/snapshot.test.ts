import { calcPrice } from "@pydantic/genai-prices";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PriceSettings } from "../config.ts";
import { createPriceBook } from "../core/book.ts";
import { total } from "../core/charge.ts";
import { formatUsd, picoPerUsd } from "../core/money.ts";
import type { PriceBook, Tariff } from "../core/price.ts";
import { rate, type RatedCall } from "../core/rating.ts";
import type { Quantities, Usage } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { shippedBook } from "./book.fixture.ts";
import { readDerivations } from "./rules.ts";
import { readFallbacks, readSnapshotLists, readSnapshots, snapshotKeys } from "./snapshot.ts";

const book = shippedBook();
/** The snapshot alone, without what is shipped beside it. */
const base = createPriceBook({
  layers: readSnapshotLists().map((list) => ({ ...list, name: list.source, own: false })),
  derivations: readDerivations(),
  fallbacks: readFallbacks(),
  pricesOf: {},
});
const newest = Date.parse("2026-09-24T12:00:00Z");

function usage(...parts: Quantities[]): Usage {
  return { parts: parts.map((quantities) => ({ kind: "message", model: null, quantities })), source: "reported", doubts: [], raw: null };
}

function call(name: string, changes: Partial<RatedCall> = {}): RatedCall {
  const slash = name.indexOf("/");
  return {
    provider: name.slice(0, slash),
    modelAsked: name.slice(slash + 1),
    modelAnswered: null,
    tier: null,
    region: null,
    atMs: newest,
    ...changes,
  };
}

/** Dollars of a call whose every class has a price. */
function dollars(name: string, quantities: Quantities, changes: Partial<RatedCall> = {}, prices: PriceBook = book): string {
  const { charges, unpriced } = rate(prices, call(name, changes), usage(quantities));
  expect(unpriced).toEqual([]);
  return formatUsd(total(charges));
}

function unpriced(name: string, quantities: Quantities, changes: Partial<RatedCall> = {}): readonly string[] {
  const rating = rate(book, call(name, changes), usage(quantities));
  expect(total(rating.charges)).toBe(0n);
  return rating.unpriced;
}

function own(...prices: PriceSettings[]): PriceBook {
  return shippedBook(prices);
}

function version(prices: PriceBook): string | undefined {
  return rate(prices, call("openai/gpt-5"), usage({ input: 1 })).charges[0]?.price;
}

describe("cached tokens", () => {
  it("litellm #6215: OpenAI's are at the cached rate, and not also at the full one", () => {
    // 2,006 prompt tokens, of them 1,920 cached, 300 out: 86 × 2.50 + 1,920 × 1.25 + 300 × 10 dollars a million.
    expect(dollars("openai/gpt-4o", { input: 86, cache_read: 1920, output: 300 })).toBe("0.005615");
  });

  it("bifrost #904: $0.34, not $1.68", () => {
    expect(dollars("openai/gpt-5", { input: 51_232, cache_read: 1_188_096, output: 12_909 })).toBe("0.341642");
  });

  it("litellm #14849: Gemini's hits count once, $0.1849 and not $0.7642", () => {
    const prices = own({
      provider: "google",
      model: "gemini-2.5-pro",
      perMillion: { input: "1.25", cache_read: "0.625", output: "10" },
    });
    expect(dollars("google/gemini-2.5-pro", { input: 5005, cache_read: 257_955, output: 1744 }, {}, prices)).toBe("0.184918125");
  });

  it("stakgraph PR 1688: reads and writes have their own rates, and not the $0.184 of the input rate", () => {
    // 2,000 × 2 + 80,000 × 0.20 + 5,000 × 2.50 + 1,000 × 10 dollars a million.
    const quantities = { input: 2000, cache_read: 80_000, cache_write_5m: 5000, output: 1000 };
    expect(dollars("anthropic/claude-sonnet-5", quantities)).toBe("0.0425");
  });

  it("litellm #26807: a user's input price leaves the cached one alone", () => {
    const prices = own({ provider: "openai", model: "gpt-4o", perMillion: { input: "2" } });
    expect(dollars("openai/gpt-4o", { input: 1_000_000, cache_read: 1_000_000 }, {}, prices)).toBe("3.25");
  });

  it("without a rate of their own are at the rate of input, and the charge says so", () => {
    const { charges } = rate(book, call("openai/gpt-5-pro"), usage({ cache_read: 1_000_000 }));
    expect(charges).toMatchObject([
      { class: "cache_read", price: "genai-prices@0.1.8/openai/gpt-5-pro#input", costPico: 15n * picoPerUsd },
    ]);
  });
});

describe("cache writes", () => {
  it("litellm #9812: are charged once, $0.0544 and not $0.0913", () => {
    const quantities = { input: 3, cache_write_5m: 12_304, output: 550 };
    expect(dollars("anthropic/claude-3-7-sonnet-20250219", quantities)).toBe("0.054399");
  });

  it("bifrost #3451: also in a stream, $1.06 and not $1.86", () => {
    expect(dollars("anthropic/claude-opus-4-7", { input: 6, cache_write_5m: 159_217, output: 2745 })).toBe("1.06376125");
  });

  it("pi #5603: one-hour writes are at twice the input rate, not at the five-minute rate", () => {
    const hour = { cache_write_1h: 400_000 };
    expect(dollars("anthropic/claude-sonnet-4-6", { cache_write_1h: 1_000_000 })).toBe("6");
    expect(dollars("anthropic/claude-opus-4-8", { cache_write_5m: 600_000, ...hour })).toBe("7.75");
  });

  it("oh-my-pi #6876: 344,139 one-hour tokens are $3.44139, not $2.15", () => {
    expect(dollars("anthropic/claude-opus-5", { cache_write_1h: 344_139 })).toBe("3.44139");
  });

  it("litellm #18988: one-hour writes past 200k are at twice the long-context rate, $12 a million", () => {
    expect(dollars("anthropic/claude-sonnet-4-5", { cache_write_1h: 1_000_000 })).toBe("12");
    expect(dollars("anthropic/claude-sonnet-4-5", { cache_write_1h: 200_000 })).toBe("1.2");
  });

  it("litellm PR 38371: haiku's hour is not 12 times too high, nor opus 3's 5 times too low", () => {
    expect(dollars("anthropic/claude-3-haiku-20240307", { cache_write_1h: 1_000_000 })).toBe("0.5");
    expect(dollars("anthropic/claude-3-opus-20240229", { cache_write_1h: 1_000_000 })).toBe("30");
  });

  it("of an hour are derived from the input rate where Anthropic's record has none, and nowhere else", () => {
    const { charges } = rate(book, call("anthropic/claude-2.1"), usage({ cache_write_1h: 1_000_000 }));
    expect(charges).toMatchObject([
      { price: "genai-prices@0.1.8/anthropic/claude-2#input by anthropic-cache-write-1h@1", costPico: 16n * picoPerUsd },
    ]);
    expect(unpriced("openai/gpt-5.6-sol", { cache_write_1h: 1 })).toEqual(["cache_write_1h"]);
  });
});

describe("context length", () => {
  it.each([
    ["anthropic/claude-sonnet-4-5", 200_000, "0.6"],
    ["anthropic/claude-sonnet-4-5", 200_001, "1.200006"],
    ["openai/gpt-5.4", 271_999, "0.6799975"],
    ["openai/gpt-5.4", 272_000, "1.36"],
    ["openrouter/x-ai/grok-4-fast", 128_000, "0.0256"],
    ["openrouter/x-ai/grok-4-fast", 128_001, "0.0512004"],
  ])("litellm #30135, #14834: %s of %s tokens costs %s", (name, input, expected) => {
    expect(dollars(name, { input })).toBe(expected);
  });

  it("is of all tokens that go in, and prices those that come out too", () => {
    expect(dollars("anthropic/claude-sonnet-4-5", { input: 1, cache_read: 200_000, output: 1_000_000 })).toBe("22.620006");
  });

  it("is of each iteration by itself: a compaction of 180,000 tokens is no long context", () => {
    const { charges } = rate(book, call("anthropic/claude-sonnet-4-5"), usage({ input: 180_000 }, { input: 23_000 }));
    expect(formatUsd(total(charges))).toBe("0.609");
  });
});

describe("tiers", () => {
  it("litellm #13810: flex is half, not the standard price", () => {
    const quantities = { input: 1_000_000, cache_read: 1_000_000, output: 1_000_000 };
    expect(dollars("openai/gpt-5", quantities)).toBe("11.375");
    expect(dollars("openai/gpt-5", quantities, { tier: "flex" })).toBe("5.6875");
  });

  it("litellm PR 35925, bifrost PR 5063: an unknown tier's reasoning, cache and output are not at the standard price", () => {
    for (const tier of ["scale", "turbo"])
      expect(unpriced("openai/gpt-5", { input: 1, cache_read: 1, output: 1, reasoning: 1 }, { tier })).toEqual([
        "input",
        "cache_read",
        "output",
        "reasoning",
      ]);
    expect(unpriced("anthropic/claude-opus-4-5", { input: 1 }, { tier: "fast" })).toEqual(["input"]);
  });

  it("a batch of Anthropic's is half of everything, cache writes too; searches are not guessed", () => {
    // Claude Opus 4.7: $5 in, $25 out; reads 0.1, five-minute writes 1.25, one-hour writes 2 times the input.
    const million = { input: 1_000_000, output: 1_000_000, cache_read: 1_000_000, cache_write_5m: 1_000_000, cache_write_1h: 1_000_000 };
    expect(dollars("anthropic/claude-opus-4-7", million, { tier: "batch" })).toBe("23.375");
    expect(unpriced("anthropic/claude-opus-4-7", { web_search: 1 }, { tier: "batch" })).toEqual(["web_search"]);
  });

  it("are not guessed for what a rule leaves out", () => {
    expect(unpriced("openai/gpt-5.6-sol", { cache_write_1h: 1 }, { tier: "flex" })).toEqual(["cache_write_1h"]);
    expect(unpriced("openai/gpt-5", { cache_read: 1, web_search: 1 }, { tier: "batch" })).toEqual(["cache_read", "web_search"]);
  });
});

describe("reasoning", () => {
  it("litellm #18599: is charged with the output and does not replace it", () => {
    expect(dollars("openai/gpt-5", { output: 600_000, reasoning: 400_000 })).toBe("10");
  });

  it("has its own rate where there is one", () => {
    expect(dollars("perplexity/sonar-deep-research", { reasoning: 1_000_000 })).toBe("3");
  });
});

describe("uses and requests", () => {
  it("are charged each", () => {
    expect(dollars("anthropic/claude-opus-4-7", { web_search: 3, web_fetch: 7 })).toBe("0.03");
    expect(dollars("openai/gpt-5", { file_search: 2 })).toBe("0.005");
    expect(dollars("perplexity/sonar", { input: 1000, output: 1000 })).toBe("0.014");
    expect(dollars("mistral/mistral-ocr-2503", { input_pages: 12 })).toBe("0.012");
  });
});

describe("names", () => {
  it("ccusage #1348: a new model is unpriced, not free", () => {
    expect(unpriced("anthropic/claude-saga-9", { input: 1, output: 1 })).toEqual(["input", "output"]);
    expect(unpriced("nobody/gpt-5", { input: 1 })).toEqual(["input"]);
  });

  it("a record without rates is unpriced, not free", () => {
    expect(unpriced("google/gemma-3", { input: 1 })).toEqual(["input"]);
  });

  it("Helicone #2983: a dated snapshot has its alias's price from its first day", () => {
    expect(dollars("openai/gpt-4o-2024-11-20", { input: 1_000_000 })).toBe("2.5");
    expect(dollars("openai/gpt-5", { input: 1_000_000 }, { modelAnswered: "gpt-5-2025-08-07" })).toBe("1.25");
  });

  it("Helicone #4893: Grok by OpenRouter is not priced as the fast variant", () => {
    expect(dollars("openrouter/x-ai/grok-4-fast", { input: 1_000_000 })).toBe("0.4");
    expect(unpriced("openrouter/x-ai/grok-4", { input: 1 })).toEqual(["input"]);
  });

  it("of another's models at a reseller are found in the other's list", () => {
    expect(dollars("azure/claude-opus-4-7", { cache_write_1h: 1_000_000 })).toBe("10");
  });

  it("of providers that speak for others are looked up with these", () => {
    const prices = shippedBook([], { house: ["openai"], sandbox: ["openai", "anthropic"] });
    expect(dollars("house/gpt-5", { input: 1_000_000 }, {}, prices)).toBe("1.25");
    expect(dollars("sandbox/gpt-5", { input: 1_000_000 }, {}, prices)).toBe("1.25");
    expect(dollars("sandbox/claude-opus-4-7", { input: 1_000_000 }, {}, prices)).toBe("5");
  });
});

describe("the price in force on the day", () => {
  it("litellm #31835: claude-opus-4-6 has its long-context price until 2026-03-12, and none from the 13th", () => {
    const long = { input: 300_000 };
    expect(dollars("anthropic/claude-opus-4-6", long, { atMs: Date.parse("2026-03-12T23:59:59.999Z") })).toBe("3");
    expect(dollars("anthropic/claude-opus-4-6", long, { atMs: Date.parse("2026-03-13T00:00:00Z") })).toBe("1.5");
  });

  it.each([
    ["00:29:59", "0.135"],
    ["00:30:00", "0.27"],
    ["16:29:59", "0.27"],
    ["16:30:00", "0.135"],
  ])("deepseek-chat at %s UTC costs %s a million", (time, expected) => {
    expect(dollars("deepseek/deepseek-chat", { input: 1_000_000 }, { atMs: Date.parse(`2026-01-05T${time}Z`) })).toBe(expected);
  });

  it.each([
    ["2026-08-16T02:00:00Z", "0.14"],
    ["2026-08-17T00:59:59Z", "0.22"],
    ["2026-08-17T01:00:00Z", "0.44"],
    ["2026-08-17T04:00:00Z", "0.22"],
    ["2026-08-17T06:00:00Z", "0.44"],
  ])("deepseek-v4-flash at %s costs %s a million: its peak hours begin with its dated price", (at, expected) => {
    expect(dollars("deepseek/deepseek-v4-flash", { input: 1_000_000 }, { atMs: Date.parse(at) })).toBe(expected);
  });

  it("ccusage #1636: an announced price changes nothing before its day", () => {
    const input = { input: 1_000_000 };
    expect(dollars("google/gemini-3.6-flash", input, { atMs: Date.parse("2026-12-31T23:59:59Z") })).toBe("0.75");
    expect(dollars("google/gemini-3.6-flash", input, { atMs: Date.parse("2027-01-01") })).toBe("1.5");
  });
});

describe("the snapshot", () => {
  const files = readSnapshots();

  it("holds all that the package has", () => {
    expect(files).toHaveLength(43);
    expect(files.reduce((count, file) => count + file.models.length, 0)).toBe(1694);
    expect(files.every((file) => file.licence === "MIT" && file.version === "0.1.8" && file.knownFrom === "2026-09-23")).toBe(true);
  });

  it("names which of its keys price nothing yet", () => {
    const keys = new Set(
      files.flatMap((file) => file.models.flatMap((model) => model.prices.flatMap((price) => Object.keys(price.rates)))),
    );
    expect([...keys].filter((key) => snapshotKeys[key] === undefined).toSorted()).toEqual([
      "audio_hours",
      "input_annotated_document_kpages",
      "input_text_messages_kcount",
    ]);
  });

  it("gives every record a version of its own", () => {
    const versions = files.flatMap((file) =>
      file.models.flatMap((model) => model.prices.map((price) => JSON.stringify([file.provider, model.id, price.from, price.window]))),
    );
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("costs what the package itself reckons, within float error and our one rounding of each line, for every model, at five times and three sizes", () => {
    const times = ["2025-04-01T12:00", "2026-03-12T05:00", "2026-03-13T20:00", "2026-08-18T02:00", "2026-11-21T11:00"];
    let compared = 0;
    for (const file of files)
      for (const model of file.models)
        for (const time of times)
          for (const size of [1, 97, 40_000]) {
            const at = new Date(`${time}:00Z`);
            const hour = model.prices.every((price) => price.rates["cache_write_1h_mtok"] !== undefined);
            const quantities = {
              input: 3 * size,
              cache_read: size,
              cache_write: 2 * size,
              ...(hour ? { cache_write_1h: size } : {}),
              output: 2 * size,
              reasoning: size,
              input_audio: size,
              output_image: size,
              web_search: 3,
              file_search: 2,
              input_pages: 4,
            };
            const theirs = reckon(file.provider, model.id, at, quantities);
            if (theirs === null || theirs.total === 0) continue;
            const ours = rate(base, call(`${file.provider}/${model.id}`, { atMs: at.getTime() }), usage(quantities));
            const difference = Math.abs(Number(total(ours.charges)) / Number(picoPerUsd) - theirs.total);
            if (difference > 1e-9 * theirs.total + 0.5e-12 * ours.charges.length)
              expect.fail(`${file.provider}/${model.id} at ${time}, ${size}: off by ${difference}`);
            compared += 1;
          }
    expect(compared).toBeGreaterThan(20_000);
  });

  it("resolves any spelling of a name to the model the package picks", () => {
    const names = files.flatMap((file) => file.models.map((model) => [file.provider, model.id] as const));
    const spelling = fc.constantFrom(
      (name: string) => name,
      (name: string) => name.toUpperCase(),
      (name: string) => `${name}-20250805`,
      (name: string) => `${name}-latest`,
      (name: string) => name.replace(/-\d+$/, ""),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), spelling, ([provider, model], spell) => {
        const name = spell(model);
        const theirs = calcPrice({ input_tokens: 1 }, name, { providerId: provider, timestamp: new Date(newest) });
        if (theirs === null) return;
        const ours = book.find({ provider, model: name, tier: null, region: null, atMs: newest });
        expect(ours?.model).toBe(theirs.model.id);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The package's own sum, in floats. Its counts include each other; ours do not. */
function reckon(provider: string, model: string, at: Date, q: Quantities): { readonly total: number } | null {
  const n = (name: keyof Quantities): number => q[name] ?? 0;
  const writes = n("cache_write") + n("cache_write_1h");
  const result = calcPrice(
    {
      input_tokens: n("input") + n("cache_read") + writes + n("input_audio"),
      cache_read_tokens: n("cache_read"),
      cache_write_tokens: writes,
      cache_write_1h_tokens: n("cache_write_1h"),
      input_audio_tokens: n("input_audio"),
      cache_audio_read_tokens: 0,
      output_tokens: n("output") + n("reasoning") + n("output_image"),
      output_reasoning_tokens: n("reasoning"),
      output_image_tokens: n("output_image"),
      web_searches: n("web_search"),
      storage_searches: n("file_search"),
      input_document_pages: n("input_pages"),
    },
    model,
    { providerId: provider, timestamp: at },
  );
  return result === null ? null : { total: result.total_price };
}

describe("the user's prices", () => {
  it("go before the list, per class, in their time, and have a version that changes with them", () => {
    const price = { provider: "openai", model: "gpt-5", perMillion: { input: "1", reasoning: "1e-3" }, perThousand: { web_search: "5" } };
    const prices = own({ ...price, validFrom: "2026-09-01" });
    expect(dollars("openai/gpt-5", { input: 1_000_000, reasoning: 1_000_000, web_search: 1000, output: 1_000_000 }, {}, prices)).toBe(
      "16.001",
    );
    expect(dollars("openai/gpt-5", { input: 1_000_000 }, { atMs: Date.parse("2026-08-31") }, prices)).toBe("1.25");
    expect(version(prices)).toMatch(/^own@[0-9a-f]{12}\/openai\/gpt-5#input$/);
    expect(version(own({ ...price, perMillion: { input: "2" } }))).not.toBe(version(own(price)));
    expect(version(own(price))).toBe(version(own(price)));
  });

  it("price a local model, also by a pattern", () => {
    const prices = own({ provider: "local", model: "llama-*", perMillion: { input: "0.05", output: "0.05" } });
    expect(dollars("local/llama-3.1-8b.gguf", { input: 1_000_000 }, {}, prices)).toBe("0.05");
  });

  it.each<[string, Partial<PriceSettings>, RegExp]>([
    ["an unknown class", { perMillion: { inputs: "1" } }, /prices\.0 \(openai\/gpt-5\): perMillion\.inputs is no usage class/],
    ["no price", {}, /no price is given/],
    ["a class priced twice", { perMillion: { input: "1" }, perThousand: { input: "1" } }, /input is priced twice/],
    [
      "a span that ends first",
      { perMillion: { input: "1" }, validFrom: "2026-02-01", validTo: "2026-01-01" },
      /validTo is not after validFrom/,
    ],
    ["text", { perMillion: { input: "cheap" } }, /perMillion\.input is no decimal number: cheap/],
  ])("with %s are refused, with their place", (_, changes, message) => {
    const read = () => own({ provider: "openai", model: "gpt-5", ...changes });
    expect(read).toThrow(PennyworthError);
    expect(read).toThrow(message);
  });
});

function find(model: string): Tariff | null {
  return book.find({ provider: "anthropic", model, tier: null, region: null, atMs: newest });
}

describe("a tariff", () => {
  it("has every rate with its version, and says by which rule its model was found", () => {
    const found = find("claude-sonnet-4-5-20250929");
    expect(found).toMatchObject({ model: "claude-sonnet-4-5", rule: "starts_with claude-sonnet-4-5", contextWindow: 200_000 });
    expect(found?.prices.input).toEqual([
      { aboveTokens: -1, rate: { pico: 3_000_000n, per: 1n }, price: "genai-prices@0.1.8/anthropic/claude-sonnet-4-5#input" },
      { aboveTokens: 200_000, rate: { pico: 6_000_000n, per: 1n }, price: "genai-prices@0.1.8/anthropic/claude-sonnet-4-5#input>200000" },
    ]);
    expect(found?.prices.cache_write_5m?.[0]?.price).toMatch(/#cache_write$/);
  });

  it("has no version of which the book cannot say where it was read", () => {
    const steps = Object.values(find("claude-2.1")?.prices ?? {}).flat();
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.filter((step) => book.source(step.price) === null)).toEqual([]);
    expect(book.source("genai-prices@0.1.8/openai/gpt-5#output")).toContain("@pydantic/genai-prices 0.1.8 (MIT)");
    expect(book.source("genai-prices@0.1.8/anthropic/claude-2#input by anthropic-cache-write-1h@1")).toContain(
      "2 times the base input price",
    );
    expect(book.source("own@0/x/y#input")).toBeNull();
  });
});
