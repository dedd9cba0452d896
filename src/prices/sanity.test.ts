import { describe, expect, it } from "vitest";
import { createPriceBook } from "../core/book.ts";
import { readFile } from "./file.ts";
import { checkList } from "./sanity.ts";
import { readSnapshotLists } from "./snapshot.ts";

const read = (lines: readonly string[]) =>
  readFile(`prices:\n  - ${lines.join("\n  - ")}\n`, { format: null, source: null, published: null }).list;
const odd = (...lines: string[]) => checkList(read(lines)).map(({ model, class: type, detail }) => `${model} ${type}: ${detail}`);
const bookOf = (...lines: string[]) =>
  createPriceBook({ layers: [{ ...read(lines), name: "base", own: false }], derivations: [], fallbacks: {}, pricesOf: {} });

describe("what is odd about a list", () => {
  it.each([
    ["a price for one token", "perMillion: {input: 0.000003}", "m input: $0.000003 per million: cheaper than anything sold"],
    ["a price for a million, as one for a thousand", "perThousand: {input: 3}", "m input: $3000 per million: dearer than anything sold"],
    [
      "output below input",
      "perMillion: {input: 15, output: 3}",
      "m output: $3 per million, and input $15 per million: output cheaper than input",
    ],
    [
      "a cached token dearer than another",
      "perMillion: {input: 3, cache_read: 3.3}",
      "m cache_read: $3.3 per million, and input $3 per million: a cached token dearer",
    ],
    [
      "a write to the cache below input",
      "perMillion: {input: 3, cache_write_1h: 0.3}",
      "m cache_write_1h: $0.3 per million, and input $3 per million: a write",
    ],
    [
      "litellm PR 38371: haiku's hour 12 times too high",
      "perMillion: {input: 0.25, cache_write: 0.3, cache_write_1h: 6}",
      "m cache_write_1h: $6 per million, and a short write $0.3",
    ],
    [
      "a long prompt cheaper than a short one",
      "perMillion: {input: {steps: [{above: 0, usd: 3}, {above: 200000, usd: 2}]}}",
      "a longer prompt cheaper",
    ],
    [
      "a step of ten times",
      "perMillion: {input: {steps: [{above: 0, usd: 1}, {above: 200000, usd: 15}]}}",
      "above 200000 tokens $15 per million",
    ],
  ])("%s", (_name, prices, detail) => {
    expect(odd(`{provider: p, model: m, ${prices}}`).join("\n")).toContain(detail);
  });

  it("a batch dearer than the standard price, and a priority cheaper", () => {
    const plain = "{provider: p, model: m, perMillion: {input: 3}}";
    expect(odd(plain, "{provider: p, model: m, tier: batch, perMillion: {input: 6}}")).toEqual([
      "m input: $6 per million, and the standard price $3 per million: batch dearer than that in batch",
    ]);
    expect(odd(plain, "{provider: p, model: m, tier: priority, perMillion: {input: 1.5}}")).toHaveLength(1);
    expect(odd(plain, "{provider: p, model: m, tier: batch, perMillion: {input: 1.5}}")).toEqual([]);
    // As LiteLLM's map has GPT-5 nano.
    expect(odd(plain, "{provider: p, model: m, tier: priority, perMillion: {input: 150}}")).toEqual([
      "m input: $150 per million, 50 times the standard price $3 per million in priority",
    ]);
  });

  it("a price a thousand times its neighbours', or a hundred times where its own family costs a twentieth", () => {
    const neighbours = Array.from(
      { length: 10 },
      (_, index) => `{provider: p, model: n${index}-x, perMillion: {input: ${index % 2 === 0 ? 0.5 : 1.25}}}`,
    );
    expect(
      odd(
        ...neighbours,
        "{provider: p, model: gemini-2.0-flash, perMillion: {input: 0.1}}",
        "{provider: p, model: gemini-2.0-flash-lite, perMillion: {input: 0.075}}",
        "{provider: p, model: gemini-2.0-flash-001, perMillion: {input: 150}}",
      ),
    ).toEqual([expect.stringContaining("gemini-2.0-flash-001 input: $150 per million")]);
    // o1-pro is dear on purpose: none of its family is cheap.
    expect(odd(...neighbours, "{provider: p, model: o1-pro, perMillion: {input: 150}}")).toEqual([]);
    expect(odd(...neighbours, "{provider: p, model: o1-pro, perMillion: {input: 1500}}")).toHaveLength(1);
  });

  it("a price eight times the book's, or an eighth, or none where the book has one", () => {
    const book = bookOf("{provider: p, model: m, perMillion: {input: 3, output: 15}}");
    const warn = (prices: string) => checkList(read([`{provider: p, model: m, perMillion: ${prices}}`]), book).map(({ detail }) => detail);
    expect(warn("{input: 30, output: 15}")).toContain("$30 per million, 10 times the $3 per million in the book");
    expect(warn("{input: 0.3, output: 15}")).toEqual(["$0.3 per million, a 10th of the $3 per million in the book"]);
    expect(warn("{input: 0, output: 15}")).toEqual(["free, and $3 per million in the book"]);
    expect(warn("{input: 4, output: 12}")).toEqual([]);
  });

  it("a price ten times what it was the day before, said of the dearer one", () => {
    const spans = [
      "{provider: p, model: m, perMillion: {input: 33}, to: 2025-10-12}",
      "{provider: p, model: m, perMillion: {input: 3.3}, from: 2025-10-12}",
    ];
    expect(odd(...spans)).toEqual(["m input: $33 per million, and $3.3 per million after: 10 times less"]);
  });

  it("is nothing in a list that says what is meant", () => {
    expect(
      odd("{provider: p, model: m, perMillion: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, cache_write_1h: 6}}"),
    ).toEqual([]);
    expect(odd("{provider: p, model: m, perMillion: {input: 0, output: 0}}")).toEqual([]);
  });

  it("is next to nothing in the shipped snapshot, and all of it is so", () => {
    const found = readSnapshotLists()
      .flatMap((list) => checkList(list))
      .map(({ provider, model }) => `${provider}/${model}`);
    expect(new Set(found)).toEqual(
      new Set([
        "cloudflare/@cf/meta/llama-guard-3-8b",
        "minimax/MiniMax-M2.1-highspeed",
        "minimax/MiniMax-M2.5-highspeed",
        "minimax/MiniMax-M2.7-highspeed",
        "openai/gpt-5-image-mini",
        "openrouter/openai/gpt-5-image-mini",
      ]),
    );
  });
});
