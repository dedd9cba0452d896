// Tokens of Gemini's usage, each case worked out by hand and named after the report of the tool that went wrong with it.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import { head } from "./format.fixture.ts";
import type { AnswerFacts } from "./format.ts";
import { geminiGenerate } from "./gemini.ts";

const quantities = ({ usage }: AnswerFacts): Quantities => (usage === null ? {} : totalQuantities(usage));

const answerOf = (usageMetadata: object, more: object = {}, type = head()): AnswerFacts =>
  geminiGenerate.answer(
    JSON.stringify({
      candidates: [{ content: { role: "model", parts: [{ text: "hello" }] }, finishReason: "STOP" }],
      modelVersion: "gemini-2.5-flash",
      usageMetadata,
      ...more,
    }),
    type,
  );
const text = (tokenCount: number): object => ({ modality: "TEXT", tokenCount });
const of = (modality: string, tokenCount: number): object => ({ modality, tokenCount });

describe("tokens", () => {
  it("litellm #14849, #11156: what was cached is counted once, asked for or not", () => {
    const facts = answerOf({
      promptTokenCount: 19_588,
      candidatesTokenCount: 69,
      thoughtsTokenCount: 144,
      totalTokenCount: 19_801,
      cachedContentTokenCount: 18_403,
      promptTokensDetails: [text(19_588)],
      cacheTokensDetails: [text(18_403)],
    });
    expect(quantities(facts)).toEqual({ input: 1_185, cache_read: 18_403, output: 69, reasoning: 144 });
    expect(facts.doubts).toEqual([]);
  });

  it("vercel/ai #16400, new-api #2935: results of tools are input, beside the prompt", () => {
    const page = answerOf({
      promptTokenCount: 151,
      candidatesTokenCount: 1089,
      totalTokenCount: 20_689,
      toolUsePromptTokenCount: 18_329,
      thoughtsTokenCount: 1120,
      promptTokensDetails: [text(151)],
      toolUsePromptTokensDetails: [text(18_329)],
    });
    expect(quantities(page)).toEqual({ input: 18_480, output: 1089, reasoning: 1120 });
    expect(page.doubts).toEqual([]);
  });

  it("discuss.ai.google.dev 98760: thoughts that only the total counts are counted, and marked", () => {
    const { usage } = answerOf({ promptTokenCount: 102, candidatesTokenCount: 758, totalTokenCount: 1725 });
    expect(usage).toMatchObject({
      parts: [{ quantities: { input: 102, output: 758, reasoning: 865 } }],
      sources: { reasoning: "estimated" },
    });
    expect(usage?.doubts).toEqual(["totalTokenCount is 1725, but its parts add up to 860: the rest is taken for thoughts"]);
  });

  it("litellm #33530: results of tools that only the total counts are counted, and marked", () => {
    const { usage } = answerOf({ promptTokenCount: 100, candidatesTokenCount: 40, thoughtsTokenCount: 5, totalTokenCount: 165 });
    expect(usage).toMatchObject({ parts: [{ quantities: { input: 120, output: 40, reasoning: 5 } }], sources: { input: "estimated" } });
    expect(usage?.doubts).toEqual(["totalTokenCount is 165, but its parts add up to 145: the rest is taken for results of tools"]);
  });

  it("a total that is less than its parts is a doubt", () => {
    const { usage } = answerOf({ promptTokenCount: 100, candidatesTokenCount: 40, totalTokenCount: 120 });
    expect(usage?.parts[0]?.quantities).toEqual({ input: 100, output: 40 });
    expect(usage?.doubts).toEqual(["totalTokenCount is 120, but its parts add up to 140"]);
  });

  it("python-genai #795: cached tokens that only their modalities count", () => {
    const facts = answerOf({
      promptTokenCount: 4583,
      candidatesTokenCount: 325,
      thoughtsTokenCount: 874,
      totalTokenCount: 5782,
      promptTokensDetails: [text(2777), of("IMAGE", 1806)],
      cacheTokensDetails: [text(1240), of("IMAGE", 807)],
    });
    expect(quantities(facts)).toEqual({
      input: 1537,
      input_image: 999,
      cache_read: 1240,
      cache_read_image: 807,
      output: 325,
      reasoning: 874,
    });
    expect(facts.doubts).toEqual([]);
  });

  it("litellm #18750: a cached image takes nothing from the text", () => {
    const facts = answerOf({
      promptTokenCount: 9660,
      candidatesTokenCount: 10,
      totalTokenCount: 9670,
      cachedContentTokenCount: 9651,
      promptTokensDetails: [text(9402), of("IMAGE", 258)],
      cacheTokensDetails: [text(9393), of("IMAGE", 258)],
    });
    expect(quantities(facts)).toEqual({ input: 9, input_image: 0, cache_read: 9393, cache_read_image: 258, output: 10 });
  });

  it("tells every medium apart; pages are images, cached video is cached like text", () => {
    const facts = answerOf({
      promptTokenCount: 1000,
      candidatesTokenCount: 500,
      toolUsePromptTokenCount: 50,
      totalTokenCount: 1550,
      cachedContentTokenCount: 300,
      promptTokensDetails: [text(100), of("AUDIO", 200), of("IMAGE", 150), of("DOCUMENT", 50), of("VIDEO", 500)],
      cacheTokensDetails: [of("AUDIO", 20), of("DOCUMENT", 30), of("VIDEO", 250)],
      toolUsePromptTokensDetails: [text(40), of("IMAGE", 10)],
      candidatesTokensDetails: [of("IMAGE", 320), of("AUDIO", 30), of("VIDEO", 50)],
    });
    expect(quantities(facts)).toEqual({
      input: 140,
      input_audio: 180,
      input_image: 180,
      input_video: 250,
      cache_read: 250,
      cache_read_audio: 20,
      cache_read_image: 30,
      output: 100,
      output_image: 320,
      output_audio: 30,
      output_video: 50,
    });
    expect(facts.doubts).toEqual([]);
  });

  it("an unlisted or unspecified modality is text; one that is not known is a doubt", () => {
    const facts = answerOf({
      promptTokenCount: 30,
      totalTokenCount: 35,
      candidatesTokenCount: 5,
      promptTokensDetails: [{ tokenCount: 10 }, of("MODALITY_UNSPECIFIED", 5), of("SMELL", 15), { modality: "AUDIO" }],
    });
    expect(quantities(facts)).toEqual({ input: 30, input_audio: 0, output: 5 });
    expect(facts.doubts).toEqual(['promptTokensDetails names a modality that is not known: "SMELL"']);
  });

  it("modalities that do not fit are left out, and the count stands", () => {
    const facts = answerOf({
      promptTokenCount: 10,
      candidatesTokenCount: 5,
      totalTokenCount: 15,
      cachedContentTokenCount: 4,
      promptTokensDetails: [text(10), of("AUDIO", 20)],
      candidatesTokensDetails: [of("IMAGE", 6)],
    });
    expect(quantities(facts)).toEqual({ input: 6, cache_read: 4, output: 5 });
    expect(facts.doubts).toHaveLength(4);
    const more = answerOf({ promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15, cachedContentTokenCount: 40 });
    expect(quantities(more)).toEqual({ input: 10, output: 5 });
  });

  it("null is unknown, never zero, and a value that is no count is a doubt", () => {
    for (const usage of [{}, { promptTokenCount: null }, { trafficType: "ON_DEMAND" }]) expect(answerOf(usage).usage).toBeNull();
    const facts = answerOf({ promptTokenCount: 5, candidatesTokenCount: -3, thoughtsTokenCount: "7", cachedContentTokenCount: 1.5 });
    expect(quantities(facts)).toEqual({ input: 5 });
    expect(facts.doubts).toHaveLength(4);
  });

  it("never counts more than the provider's own counts, whatever it says", () => {
    const count = fc.option(fc.oneof(fc.nat(50), fc.constantFrom(-1, 2.5, "x", null)), { nil: undefined });
    const details = fc.option(
      fc.array(fc.record({ modality: fc.constantFrom("TEXT", "AUDIO", "IMAGE", "VIDEO", "DOCUMENT", "X"), tokenCount: count })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.record({
          promptTokenCount: fc.nat(50),
          candidatesTokenCount: fc.nat(50),
          thoughtsTokenCount: fc.nat(50),
          toolUsePromptTokenCount: fc.nat(50),
          cachedContentTokenCount: count,
          promptTokensDetails: details,
          cacheTokensDetails: details,
          toolUsePromptTokensDetails: details,
          candidatesTokensDetails: details,
        }),
        (usage) => {
          const counted = Object.entries(quantities(answerOf(usage)));
          expect(counted.every(([, value]) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
          const total = (pattern: RegExp): number => counted.reduce((all, [name, value]) => all + (pattern.test(name) ? value : 0), 0);
          expect(total(/^(input|cache_read)/)).toBe(usage.promptTokenCount + usage.toolUsePromptTokenCount);
          expect(total(/^output/)).toBe(usage.candidatesTokenCount);
          expect(total(/^reasoning/)).toBe(usage.thoughtsTokenCount);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
