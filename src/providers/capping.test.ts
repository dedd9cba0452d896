// Caps put into requests of every format: what is sent, what is left as it was, and that what was put in is what is then read.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anthropic } from "./anthropic.ts";
import { audio } from "./audio.ts";
import { chat } from "./chat.ts";
import { cohereChat } from "./cohere.ts";
import { completions } from "./completions.ts";
import { bedrockConverse } from "./converse.ts";
import { embeddings } from "./embeddings.ts";
import type { Format, Splice } from "./format.ts";
import { line } from "./format.fixture.ts";
import { geminiGenerate } from "./gemini.ts";
import { images } from "./images.ts";
import { bedrockInvoke } from "./invoke.ts";
import { ollamaGenerate } from "./ollama.ts";
import { opaque } from "./opaque.ts";
import { responses } from "./responses.ts";
import { cohereEmbed, ollamaEmbed } from "./retrieval.ts";
import { geminiEmbed } from "./vectors.ts";

/** By characters: what is spliced here is ASCII, and so is what stands before it. */
function apply(text: string, splices: readonly Splice[]): string {
  let spliced = "";
  let at = 0;
  const bytes = Buffer.from(text);
  for (const splice of splices) {
    expect(splice.at).toBeGreaterThanOrEqual(at);
    spliced += bytes.toString("utf8", at, splice.at) + splice.insert;
    at = splice.at + splice.remove;
  }
  return spliced + bytes.toString("utf8", at);
}

const capped = (format: Format, text: string, model: string | null = null, field?: string): string =>
  apply(text, format.request(Buffer.from(text), line("/v1/test", model)).setCap?.(7, field) ?? []);

const claude = "anthropic.claude-sonnet-4-5-20250929-v1:0";

describe("a cap", () => {
  it.each<[string, Format, string, string, string | null]>([
    ["of chat", chat, '{"model":"gpt-5","n":1}', '{"max_completion_tokens":7,"model":"gpt-5","n":1}', null],
    ["of chat, another's model", chat, '{"model":"qwen3","n":1}', '{"max_tokens":7,"model":"qwen3","n":1}', null],
    ["of chat, older", chat, '{"model":"gpt-4o","max_tokens": 9 }', '{"model":"gpt-4o","max_tokens": 7 }', null],
    ["of chat, newer", chat, '{"max_completion_tokens":null}', '{"max_completion_tokens":7}', null],
    ["of chat, both", chat, '{"max_tokens":1,"max_completion_tokens":2}', '{"max_tokens":7,"max_completion_tokens":7}', null],
    ["said twice", chat, '{"max_tokens":1,"a":[],"max_tokens":2}', '{"max_tokens":7,"a":[],"max_tokens":7}', null],
    ["with its key in escapes", chat, '{"max\\u005ftokens":1}', '{"max\\u005ftokens":7}', null],
    ["of nothing else", chat, "{}", '{"max_tokens":7}', null],
    ["of blanks", chat, ' { "a" : 1 } ', ' {"max_tokens":7, "a" : 1 } ', null],
    ["of no number", chat, '{"max_tokens":"9"}', '{"max_tokens":7}', null],
    ["of completions", completions, '{"prompt":"é"}', '{"max_tokens":7,"prompt":"é"}', null],
    ["of responses", responses, '{"input":"é"}', '{"max_output_tokens":7,"input":"é"}', null],
    ["of messages", anthropic, '{"max_tokens":64}', '{"max_tokens":7}', null],
    ["of Gemini", geminiGenerate, '{"contents":[]}', '{"generationConfig":{"maxOutputTokens":7},"contents":[]}', "gemini"],
    [
      "of Gemini's config",
      geminiGenerate,
      '{"generationConfig":{"topK":1}}',
      '{"generationConfig":{"maxOutputTokens":7,"topK":1}}',
      "gemini",
    ],
    ["of Gemini's empty config", geminiGenerate, '{"generationConfig":{}}', '{"generationConfig":{"maxOutputTokens":7}}', "gemini"],
    ["of Gemini's config of none", geminiGenerate, '{"generationConfig":null}', '{"generationConfig":{"maxOutputTokens":7}}', "gemini"],
    [
      "of Gemini in the other spelling",
      geminiGenerate,
      '{"generation_config":{"max_output_tokens":9}}',
      '{"generation_config":{"max_output_tokens":7}}',
      "gemini",
    ],
    ["of Ollama", ollamaGenerate, '{"prompt":"a"}', '{"options":{"num_predict":7},"prompt":"a"}', null],
    ["of Ollama without end", ollamaGenerate, '{"options":{"num_predict":-1}}', '{"options":{"num_predict":7}}', null],
    ["of Converse", bedrockConverse, '{"messages":[]}', '{"inferenceConfig":{"maxTokens":7},"messages":[]}', claude],
    [
      "of Converse in two places",
      bedrockConverse,
      '{"inferenceConfig":{"maxTokens":9},"additionalModelRequestFields":{"max_tokens":8}}',
      '{"inferenceConfig":{"maxTokens":7},"additionalModelRequestFields":{"max_tokens":7}}',
      claude,
    ],
    ["of Claude on Bedrock", bedrockInvoke, '{"anthropic_version":"b","max_tokens":9}', '{"anthropic_version":"b","max_tokens":7}', claude],
    ["of Llama on Bedrock", bedrockInvoke, '{"prompt":"a"}', '{"max_gen_len":7,"prompt":"a"}', "meta.llama3-70b-instruct-v1:0"],
    ["of Mistral on Bedrock", bedrockInvoke, '{"prompt":"a"}', '{"max_tokens":7,"prompt":"a"}', "mistral.mistral-7b-instruct-v0:2"],
    [
      "of Titan on Bedrock",
      bedrockInvoke,
      '{"inputText":"a"}',
      '{"textGenerationConfig":{"maxTokenCount":7},"inputText":"a"}',
      "amazon.titan-text-express-v1",
    ],
    [
      "of Nova on Bedrock",
      bedrockInvoke,
      '{"messages":[],"schemaVersion":"messages-v1"}',
      '{"inferenceConfig":{"maxTokens":7},"messages":[],"schemaVersion":"messages-v1"}',
      "amazon.nova-pro-v1:0",
    ],
    ["of gpt-oss on Bedrock", bedrockInvoke, '{"messages":[]}', '{"max_completion_tokens":7,"messages":[]}', "openai.gpt-oss-20b-1:0"],
    ["of DeepSeek on Bedrock", bedrockInvoke, '{"messages":[]}', '{"max_tokens":7,"messages":[]}', "deepseek.v3-v1:0"],
    ["of Cohere on Bedrock", bedrockInvoke, '{"message":"a"}', '{"max_tokens":7,"message":"a"}', "cohere.command-r-v1:0"],
    ["of Cohere", cohereChat, '{"messages":[]}', '{"max_tokens":7,"messages":[]}', null],
  ])("%s", (_name, format, before, after, model) => {
    expect(capped(format, before, model)).toBe(after);
    const facts = format.request(Buffer.from(after), line("/v1/test", model));
    expect([facts.cap, facts.capField === null]).toEqual([7, false]);
  });

  it.each<[string, Format, string, string | null]>([
    ["embeddings", embeddings, '{"input":"a"}', null],
    ["Google's embeddings", geminiEmbed, '{"content":{"parts":[{"text":"a"}]}}', "e"],
    ["Ollama's embeddings", ollamaEmbed, '{"input":"a"}', null],
    ["Cohere's embeddings", cohereEmbed, '{"texts":["a"]}', null],
    ["Titan's embeddings", bedrockInvoke, '{"inputText":"a"}', "amazon.titan-embed-text-v2:0"],
    ["pictures", images, '{"prompt":"a"}', null],
    ["speech", audio, '{"input":"a"}', null],
    ["a body of no known shape", bedrockInvoke, '{"a":1}', "x.y"],
    ["a prompt of a model of no known maker", bedrockInvoke, '{"prompt":"a"}', "x.y"],
    ["a path of which nothing is known", opaque, "{}", null],
  ])("has no place in %s", (_name, format, text, model) => {
    expect(format.request(Buffer.from(text), line("/v1/test", model)).setCap).toBeNull();
  });

  it("goes in by the name that is asked for, beside one that is not heeded", () => {
    expect(capped(chat, '{"model":"x"}', null, "max_completion_tokens")).toBe('{"max_completion_tokens":7,"model":"x"}');
    expect(capped(chat, '{"max_completion_tokens":9}', null, "max_tokens")).toBe('{"max_tokens":7,"max_completion_tokens":7}');
  });

  it("changes nothing else of any body, and fits between a body's other splices", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (extra, streamed) => {
        const given = JSON.parse(JSON.stringify({ ...extra, model: "gpt-5", stream: streamed })) as Record<string, unknown>;
        delete given["stream_options"];
        const text = JSON.stringify(given);
        const facts = chat.request(Buffer.from(text), line());
        const [start, end] = facts.modelSpan as [number, number];
        const model = { at: start, remove: end - start, insert: '"other"' };
        const all = [...facts.splices, ...(facts.setCap?.(7) ?? []), model].sort((a, b) => a.at - b.at);
        const sent = JSON.parse(apply(text, all)) as Record<string, unknown>;
        const expected = { ...given, model: "other", ...(streamed ? { stream_options: { include_usage: true } } : {}) };
        const name = ["max_completion_tokens", "max_tokens"].filter((key) => key in given);
        expect(sent).toEqual({
          ...expected,
          ...Object.fromEntries((name.length > 0 ? name : ["max_completion_tokens"]).map((key) => [key, 7])),
        });
      }),
    );
  });
});

describe("the thinking budget", () => {
  it.each<[string, Format, object, number | null]>([
    ["Anthropic's", anthropic, { thinking: { type: "enabled", budget_tokens: 1_024 } }, 1_024],
    ["Anthropic's, left to the model", anthropic, { thinking: { type: "adaptive" } }, null],
    ["Gemini's", geminiGenerate, { generationConfig: { thinkingConfig: { thinkingBudget: 512 } } }, 512],
    ["Gemini's, left to the model", geminiGenerate, { generationConfig: { thinkingConfig: { thinkingBudget: -1 } } }, null],
    ["Converse's", bedrockConverse, { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2_000 } } }, 2_000],
    ["Cohere's", cohereChat, { thinking: { type: "enabled", token_budget: 300 } }, 300],
    ["OpenRouter's", chat, { reasoning: { max_tokens: 2_000 } }, 2_000],
    ["Claude's on Bedrock", bedrockInvoke, { anthropic_version: "b", thinking: { type: "enabled", budget_tokens: 1_024 } }, 1_024],
    ["none of OpenAI's", responses, { reasoning: { effort: "high" } }, null],
  ])("%s", (_name, format, body, budget) => {
    expect(format.request(Buffer.from(JSON.stringify(body)), line("/v1/test", claude)).thinking).toBe(budget);
  });
});
