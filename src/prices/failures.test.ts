// Public threads in which a tool got a price wrong, each as a test that asserts the right dollars: figures are the threads' own, or reckoned
// by hand from the vendor's rates beside them. Those that snapshot.test.ts holds already are not repeated.

import { describe, expect, it } from "vitest";
import { createPriceBook } from "../core/book.ts";
import { total } from "../core/charge.ts";
import { formatUsd } from "../core/money.ts";
import type { PriceBook } from "../core/price.ts";
import { rate } from "../core/rating.ts";
import type { Quantities, Usage } from "../core/usage.ts";
import { shippedBook } from "./book.fixture.ts";
import { createHistory } from "./history.ts";
import { parseList } from "./parse.ts";

const shipped = shippedBook([], { vertex: ["google", "anthropic", "vertex"], bedrock: ["aws"] });
const day = Date.parse("2026-09-24");
const options = { format: null, source: null, published: null } as const;

interface Asked {
  readonly tier?: string;
  readonly at?: string;
  readonly book?: PriceBook;
}

/** Dollars of a call, all of whose classes have a price. */
function dollars(name: string, quantities: Quantities, { tier, at, book = shipped }: Asked = {}): string {
  const slash = name.indexOf("/");
  const usage: Usage = { parts: [{ kind: "message", model: null, quantities }], source: "reported", doubts: [], raw: null };
  const call = { provider: name.slice(0, slash), modelAsked: name.slice(slash + 1), modelAnswered: null, region: null };
  const { charges, unpriced } = rate(book, { ...call, tier: tier ?? null, atMs: at === undefined ? day : Date.parse(at) }, usage);
  expect(unpriced).toEqual([]);
  return formatUsd(total(charges));
}

/** A book of one file of prices. */
function bookOf(text: string, own = true): PriceBook {
  const { list } = parseList(text, options, day);
  return createPriceBook({ layers: [{ ...list, name: list.source, own }], derivations: [], fallbacks: {}, pricesOf: {} });
}

describe("cached tokens", () => {
  it("litellm #26807, PR 28009: a price of one's own has its cached rate, and is not 67 % over", () => {
    const book = bookOf("prices: [{provider: openai, model: gpt-5.4, perMillion: {input: 2.5, cache_read: 0.25, output: 15}}]");
    // 6,074 prompt tokens, of them 3,456 cached, and 285 out: 0.01946 at the input rate.
    expect(dollars("openai/gpt-5.4", { input: 6074 - 3456, cache_read: 3456, output: 285 }, { book })).toBe("0.011684");
  });

  it("litellm PR 31282: a price of one's own does not count written and read tokens as input too", () => {
    const book = bookOf("prices: [{provider: anthropic, model: c, perMillion: {input: 3, cache_write_5m: 3.75, cache_read: 0.3}}]");
    // 100 × 3 + 700 × 3.75 + 200 × 0.30: what was billed was 1.9 times that.
    expect(dollars("anthropic/c", { input: 100, cache_write_5m: 700, cache_read: 200 }, { book })).toBe("0.002985");
  });

  it("litellm #11156, pi PR 2148: Gemini's implicit cache is at its own rate, $0.0056 and not $0.0137", () => {
    // 20,212 in, of them 16,298 cached, and 931 out at 0.50, 0.05 and 3.
    expect(dollars("google/gemini-3-flash-preview", { input: 3914, cache_read: 16_298, output: 931 })).toBe("0.0055649");
  });

  it("langfuse #4590: of GPT-4o are half, $0.083 and not $0.158", () => {
    expect(dollars("openai/gpt-4o", { input: 62_394 - 60_024, cache_read: 60_024, output: 214 })).toBe("0.083095");
  });

  it("phoenix #10036: at Bedrock are $0.0047, and not 42 times that", () => {
    // 3 in, 25 written, 13,216 read, 12 out at 3.30, 4.125, 0.33 and 16.50.
    const quantities = { input: 3, cache_write_5m: 25, cache_read: 13_216, output: 12 };
    expect(dollars("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", quantities)).toBe("0.004672305");
  });

  it("phoenix #10783: leave the output what was reported: 442 tokens at $15, and not the rest of the total", () => {
    expect(dollars("bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0", { output: 442 })).toBe("0.00663");
  });

  it("litellm #11364: written and read at Bedrock are charged, $0.4003 and not $0.0471", () => {
    // 10 in, 66,360 read, 32,435 written, 5,120 out at 5.50, 0.55, 6.875 and 27.50.
    const quantities = { input: 10, cache_read: 66_360, cache_write_5m: 32_435, output: 5120 };
    expect(dollars("bedrock/eu.anthropic.claude-opus-4-5-20251101-v1:0", quantities)).toBe("0.400343625");
  });

  it("litellm PR 22583: 93,000 read at Bedrock are at $0.30 a million, and not at the $3 of input", () => {
    expect(dollars("bedrock/anthropic.claude-3-7-sonnet-20250219-v1:0", { cache_read: 93_000 })).toBe("0.0279");
  });

  it("bifrost PR 5063: in fast mode are at the fast rate, $12.50 a million written and not $6.25", () => {
    expect(dollars("anthropic/claude-opus-4-8", { cache_write_5m: 1_000_000 }, { tier: "fast" })).toBe("12.5");
    expect(dollars("anthropic/claude-opus-4-8", { cache_write_1h: 1_000_000 }, { tier: "fast" })).toBe("20");
    expect(dollars("anthropic/claude-opus-5", { input: 1_000_000, cache_read: 1_000_000, output: 1_000_000 }, { tier: "fast" })).toBe("61");
    expect(dollars("anthropic/claude-opus-4-6-20260205", { input: 1_000_000, output: 1_000_000 }, { tier: "fast" })).toBe("180");
  });
});

describe("one-hour writes", () => {
  it("litellm #29432, bifrost #4733: at Bedrock are at twice the input rate", () => {
    expect(dollars("bedrock/global.anthropic.claude-opus-4-8", { cache_write_1h: 1_000_000 })).toBe("10");
    expect(dollars("bedrock/global.anthropic.claude-sonnet-4-6", { cache_write_1h: 1_000_000 })).toBe("6");
    expect(dollars("bedrock/anthropic.claude-sonnet-4-6", { cache_write_1h: 1_000_000 })).toBe("6.6");
  });

  it("litellm #15056, Portkey-AI/models PR 627: and five-minute ones of one call are two sums", () => {
    const { charges } = rate(
      shipped,
      { provider: "anthropic", modelAsked: "claude-opus-4-8", modelAnswered: null, tier: null, region: null, atMs: day },
      {
        parts: [{ kind: "message", model: null, quantities: { cache_write_5m: 100_000, cache_write_1h: 100_000 } }],
        source: "reported",
        doubts: [],
        raw: null,
      },
    );
    expect(charges.map((charge) => [charge.class, formatUsd(charge.costPico)])).toEqual([
      ["cache_write_5m", "0.625"],
      ["cache_write_1h", "1"],
    ]);
  });

  it("huggingface/tau PR 553, claude-hud PR 758: are not 0.625 of their price", () => {
    expect(dollars("anthropic/claude-opus-4-8", { cache_write_1h: 625_000 })).toBe("6.25");
  });

  it("litellm #18988: have their step for long prompts in an imported map", () => {
    const book = bookOf(
      JSON.stringify({
        "claude-x": {
          litellm_provider: "anthropic",
          cache_creation_input_token_cost_above_1hr: 6e-6,
          cache_creation_input_token_cost_above_1hr_above_200k_tokens: 1.2e-5,
        },
      }),
      false,
    );
    expect(dollars("anthropic/claude-x", { cache_write_1h: 200_000 }, { book })).toBe("1.2");
    expect(dollars("anthropic/claude-x", { cache_write_1h: 250_000 }, { book })).toBe("3");
  });
});

const step = (low: number, high: number): string => `{steps: [{above: 0, usd: ${low}}, {above: 128000, usd: ${high}}]}`;

describe("context length", () => {
  it("litellm #30135, #14834: a step of one's own is applied, $1.015632 and not $0.507816", () => {
    const book = bookOf(`prices: [{provider: xai, model: grok-4*, perMillion: {input: ${step(3, 6)}, output: ${step(15, 30)}}}]`);
    expect(dollars("xai/grok-4-latest", { input: 162_732, output: 1308 }, { book })).toBe("1.015632");
    expect(dollars("xai/grok-4-latest", { input: 128_000, output: 0 }, { book })).toBe("0.384");
  });

  it("litellm #15338: the whole prompt has the price of its length, $0.867789", () => {
    const book = bookOf(
      "prices: [{provider: xai, model: grok-4-0709, perMillion: {input: {steps: [{above: 0, usd: 3}, {above: 128000, usd: 6}]}, output: 15}}]",
    );
    expect(dollars("xai/grok-4-0709", { input: 144_519, output: 45 }, { book })).toBe("0.867789");
  });

  it("litellm PR 30095: a step at 512,000 tokens is one as well", () => {
    const entry = {
      litellm_provider: "minimax",
      input_cost_per_token: 3e-7,
      input_cost_per_token_above_512k_tokens: 6e-7,
      output_cost_per_token: 1.2e-6,
      output_cost_per_token_above_512k_tokens: 2.4e-6,
    };
    const book = bookOf(JSON.stringify({ "minimax/MiniMax-M3": entry }), false);
    expect(dollars("minimax/MiniMax-M3", { input: 512_000, output: 1000 }, { book })).toBe("0.1548");
    expect(dollars("minimax/MiniMax-M3", { input: 512_001, output: 1000 }, { book })).toBe("0.3096006");
  });
});

describe("service tiers", () => {
  it("litellm #13810: GPT-5 nano in flex is half, as it was billed", () => {
    expect(dollars("openai/gpt-5-nano", { input: 1_000_000, output: 1_000_000 }, { tier: "flex" })).toBe("0.225");
  });

  it("litellm PR 37724: Gemini in flex at Vertex is half of $0.0018555", () => {
    expect(dollars("vertex/gemini-3.5-flash", { input: 7, output: 205 })).toBe("0.0018555");
    expect(dollars("vertex/gemini-3.5-flash", { input: 7, output: 205 }, { tier: "flex" })).toBe("0.00092775");
  });

  it("litellm PR 38421: flash-lite in flex is $0.00064, and not $0.00128", () => {
    expect(dollars("vertex/gemini-3.5-flash-lite", { input: 4061, output: 25 }, { tier: "flex" })).toBe("0.0006404");
  });

  it("litellm PR 35925: reasoning in priority is at the priority rate", () => {
    expect(dollars("openai/gpt-5", { output: 500_000, reasoning: 500_000 }, { tier: "priority" })).toBe("20");
  });

  it("litellm PR 28447: GPT-5.5 in priority is 2.5 times the standard price, and the same when it is called fast", () => {
    const million = { input: 1_000_000, cache_read: 1_000_000, output: 1_000_000 };
    expect(dollars("openai/gpt-5.5", { input: 100_000, output: 100_000 }, { tier: "priority" })).toBe("8.75");
    for (const tier of ["priority", "fast"]) expect(dollars("openai/gpt-5.5-2026-04-23", million, { tier })).toBe("88.75");
  });

  it("litellm PR 22086: a snapshot that answers has the tier's price of its alias", () => {
    expect(dollars("openai/o4-mini-2025-04-16", { input: 1_000_000, output: 1_000_000 }, { tier: "flex" })).toBe("2.75");
    expect(dollars("openai/o4-mini-2025-04-16", { input: 1_000_000, output: 1_000_000 }, { tier: "priority" })).toBe("10");
  });

  it("litellm PR 39245: a long prompt in flex is half of the long price, $1.5225 and not $3.045", () => {
    const long = { input: 300_000, output: 1000 };
    expect(dollars("openai/gpt-5.5", long)).toBe("3.045");
    expect(dollars("openai/gpt-5.5", long, { tier: "flex" })).toBe("1.5225");
  });

  it("litellm PR 25003: cached tokens of GPT-5.4 are $0.13 in flex and in a batch, and $0.25 in a long prompt", () => {
    for (const tier of ["flex", "batch"]) {
      expect(dollars("openai/gpt-5.4", { cache_read: 200_000 }, { tier })).toBe("0.026");
      expect(dollars("openai/gpt-5.4", { cache_read: 400_000 }, { tier })).toBe("0.1");
    }
  });
});

describe("what is paid by the piece", () => {
  it("TokenMeter 0.13: a grounded prompt of Gemini 2.5 is one fee, and each query of Gemini 3 is", () => {
    expect(dollars("google/gemini-2.5-flash", { web_search: 1 })).toBe("0.035");
    expect(dollars("google/gemini-3-flash-preview", { web_search: 3 })).toBe("0.042");
    expect(dollars("vertex/gemini-3.5-flash", { web_search: 1 })).toBe("0.014");
  });

  it("reranking is $2 for a thousand searches", () => {
    expect(dollars("cohere/rerank-v3.5", { rerank: 3 })).toBe("0.006");
    expect(dollars("bedrock/cohere.rerank-v3-5:0", { rerank: 1 })).toBe("0.002");
  });

  it("Titan's second embedding costs a fifth of the first, whatever region it is asked through", () => {
    expect(dollars("bedrock/amazon.titan-embed-text-v1", { input: 1_000_000 })).toBe("0.1");
    expect(dollars("bedrock/amazon.titan-embed-text-v2:0", { input: 1_000_000 })).toBe("0.02");
  });
});

const mapOf = (usd: string) =>
  parseList(`prices: [{provider: p, model: m, perMillion: {cache_read: ${usd}}}]`, { ...options, source: "map" }, day).list;

const taken = (version: string, knownMs: number) => ({
  source: "map",
  version,
  hash: version,
  knownMs,
  takenMs: knownMs,
  own: false,
  records: 1,
});

const cost = (book: PriceBook) => Number(dollars("p/m", { cache_read: 3_569_920_867 }, { book })).toFixed(2);

describe("history", () => {
  it("litellm PR 35270: a cut of the price is of its day, and what was called before stands", () => {
    const million = { input: 100_000, output: 100_000 };
    expect(dollars("openai/gpt-5.6-luna", million, { at: "2026-07-29T23:59:59.999Z" })).toBe("0.7");
    expect(dollars("openai/gpt-5.6-luna", million, { at: "2026-07-30T00:00:00Z" })).toBe("0.14");
    expect(dollars("openai/gpt-5.6-luna", million, { at: "2026-07-29T23:59:59.999Z", tier: "priority" })).toBe("1.4");
    expect(dollars("openai/gpt-5.6-luna", million, { at: "2026-07-30T00:00:00Z", tier: "priority" })).toBe("0.28");
  });

  it("ccusage #1636: 3,569,920,867 tokens cost what was known when they were counted, whatever list is loaded later", () => {
    // One rate for all of them gives the thread's two sums: $0.692679 and $0.538925 a million.
    const [before, after] = [mapOf("0.692679"), mapOf("0.538925")];
    const history = createHistory(
      [
        { taken: taken(after.version, 2000), list: after },
        { taken: taken(before.version, 1000), list: before },
      ],
      {},
    );
    expect([cost(history.at(1000)), cost(history.at(1999)), cost(history.at(2000))]).toEqual(["2472.81", "2472.81", "1923.92"]);
  });

  it("Helicone #2983: a model that comes with a later list is priced from its first day on", () => {
    const text = "date,snapshot,event,provider,model_key,field,old_usd,new_usd\n2024-11-21,a,added,openai,gpt-4o-2024-11-20,,,2.5e-06\n";
    const book = bookOf(text, false);
    expect(dollars("openai/gpt-4o-2024-11-20", { input: 1_000_000 }, { book, at: "2024-11-21" })).toBe("2.5");
  });
});
