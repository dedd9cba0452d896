// Bodies that readers of JSON do not read alike: what is held for them is the most that any reader makes of them, or there is no bound.

import { describe, expect, it } from "vitest";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { cohereChat } from "./cohere.ts";
import { completions } from "./completions.ts";
import { bedrockConverse } from "./converse.ts";
import { embeddings } from "./embeddings.ts";
import type { Format, RequestFacts } from "./format.ts";
import { line } from "./format.fixture.ts";
import { geminiGenerate } from "./gemini.ts";
import { images } from "./images.ts";
import { bedrockInvoke } from "./invoke.ts";
import { ollamaGenerate } from "./ollama.ts";
import { boundRequest } from "./reach.ts";
import { responses } from "./responses.ts";

const read = (format: Format, text: string, model: string | null = null): RequestFacts =>
  format.request(Buffer.from(text), line("/v1/test", model));

/** The name of each row's format first, for its title. */
const named = <Rest extends readonly unknown[]>(rows: readonly (readonly [Format, ...Rest])[]): [string, Format, ...Rest][] =>
  rows.map((row) => [row[0].name, ...row]);

const unread = "the number of answers is no whole number";
const config = (text: string): string => `{"generationConfig":{${text}}}`;
const mistral = "mistral.mistral-7b-instruct-v0:2";

describe("a number of answers", () => {
  it.each(
    named<[string, number]>([
      [chat, '{"n":"100"}', 100],
      [chat, '{"n":"\\u0031\\u0030"}', 10],
      [chat, '{"n":"0"}', 1],
      [chat, '{"n":null}', 1],
      [chat, "{}", 1],
      [chat, '{"n":8.0}', 8],
      [chat, '{"n":8e0}', 8],
      [chat, '{"n":8,"messages":[],"n":1}', 8],
      [chat, '{"n":1,"n":8}', 8],
      [chat, '{"n":8,"n":null}', 8],
      [chat, '{"best_of":8,"best_of":1,"n":2}', 8],
      [completions, '{"prompt":["a","b"],"best_of":"8"}', 16],
      [completions, '{"n":8,"n":1}', 8],
      [images, '{"n":"10"}', 10],
      [images, '{"n":10,"n":1}', 10],
      [geminiGenerate, config('"candidateCount":"8"'), 8],
      [geminiGenerate, config('"candidateCount":1,"candidate_count":8'), 8],
      [geminiGenerate, config('"candidateCount":8,"candidate_count":1'), 8],
      [geminiGenerate, config('"candidateCount":null,"candidate_count":8'), 8],
      [geminiGenerate, config('"candidateCount":8,"candidateCount":1'), 8],
      [geminiGenerate, '{"generationConfig":{},"generation_config":{"candidateCount":8}}', 8],
      [bedrockInvoke, '{"prompt":"a","num_generations":"4","num_generations":1}', 4],
    ]),
  )("%s: %s asks for %i", (_name, format, text, choices) => {
    expect(read(format, text, mistral)).toMatchObject({ choices, unbounded: null, reach: { unbounded: null } });
  });

  const others = [
    '"8e0"',
    '"8.0"',
    '" 8"',
    '"1_0"',
    '"+8"',
    '"٨"',
    '""',
    "8.5",
    "-1",
    "1e30",
    "true",
    "[8]",
    "{}",
    '"99999999999999999999"',
  ];
  it.each(others)("%s is none that is known: nothing bounds the call", (value) => {
    const bodies: readonly (readonly [Format, string])[] = [
      [chat, `{"n":${value}}`],
      [chat, `{"best_of":${value},"n":1}`],
      [chat, `{"n":${value},"n":1}`],
      [completions, `{"n":${value}}`],
      [completions, `{"best_of":${value}}`],
      [images, `{"n":${value}}`],
      [geminiGenerate, config(`"candidateCount":${value}`)],
      [geminiGenerate, config(`"candidate_count":${value}`)],
      [geminiGenerate, config(`"candidateCount":1,"candidate_count":${value}`)],
      [bedrockInvoke, `{"prompt":"a","num_generations":${value}}`],
    ];
    for (const [format, text] of bodies) {
      const facts = read(format, text, mistral);
      expect([text, facts.unbounded, facts.reach.unbounded]).toEqual([text, unread, unread]);
      expect(facts.splices).toEqual([]);
    }
    const target = { format: "openai-chat", model: "gpt-4o", vendors: ["openai"] } as const;
    const body = Buffer.from(`{"n":${value}}`);
    expect(boundRequest(target, body, chat.request(body, line())).unbounded).toBe(unread);
  });

  it.each([
    [["10"], 10, null],
    [["10", "1"], 10, null],
    [[""], 1, null],
    [["8e0"], 1, unread],
    [["8.0", "1"], 1, unread],
  ])("of a form: %j", (counts, choices, unbounded) => {
    const parts = counts.map((count) => `--b\r\ncontent-disposition: form-data; name="n"\r\n\r\n${count}\r\n`);
    const form = { ...line("/v1/images/edits"), type: "multipart/form-data; boundary=b" };
    const facts = images.request(Buffer.from(`${parts.join("")}--b--\r\n`), form);
    expect(facts).toMatchObject({ choices, unbounded, reach: { unbounded } });
  });
});

describe("a cap", () => {
  it.each(
    named<[string, number | null]>([
      [chat, '{"max_tokens":100000,"n":1,"max_tokens":1}', 100_000],
      [chat, '{"max_tokens":1,"max_tokens":100000}', 100_000],
      [chat, '{"max_tokens":null,"max_tokens":1}', null],
      [chat, '{"max_tokens":"100000","max_tokens":1}', null],
      [chat, '{"max_completion_tokens":"100000","max_tokens":1}', null],
      [chat, '{"max_completion_tokens":0,"max_tokens":100000}', 100_000],
      [chat, '{"max_completion_tokens":null,"max_tokens":1}', 1],
      [completions, '{"max_tokens":9,"max_tokens":1}', 9],
      [responses, '{"max_output_tokens":9,"max_output_tokens":1}', 9],
      [anthropic, '{"max_tokens":9,"max_tokens":1}', 9],
      [cohereChat, '{"max_tokens":9,"max_tokens":1}', 9],
      [ollamaGenerate, '{"options":{"num_predict":9,"num_predict":1}}', 9],
      [ollamaGenerate, '{"options":{"num_predict":-1,"num_predict":1}}', null],
      [ollamaGenerate, '{"options":{"num_predict":0}}', null],
      [geminiGenerate, config('"maxOutputTokens":1,"max_output_tokens":"9"'), 9],
      [geminiGenerate, config('"maxOutputTokens":9,"maxOutputTokens":1'), 9],
      [geminiGenerate, config('"maxOutputTokens":"9e0","max_output_tokens":1'), null],
      [bedrockConverse, '{"inferenceConfig":{"maxTokens":9,"maxTokens":1}}', 9],
      [bedrockConverse, '{"inferenceConfig":{"maxTokens":1},"additionalModelRequestFields":{"max_tokens":"9"}}', null],
      [bedrockInvoke, '{"prompt":"a","max_tokens":9,"max_tokens":1}', 9],
      [bedrockInvoke, '{"anthropic_version":"b","max_tokens":9,"max_tokens":1}', 9],
    ]),
  )("%s: of %s is %s", (_name, format, text, cap) => {
    const facts = read(format, text, mistral);
    expect(facts).toMatchObject({ cap, unbounded: null });
    if (cap !== null) expect(facts.capField).not.toBeNull();
  });

  it("on a tool's uses: the largest", () => {
    const tool = '{"type":"web_search_20250305","name":"web_search","max_uses":9,"max_uses":1}';
    expect(read(anthropic, `{"tools":[${tool}]}`).reach.uses).toEqual({ web_search: 9 });
  });
});

describe("a member that stands twice", () => {
  it.each(
    named<[string, string]>([
      [chat, '{"model":"a","messages":[],"model":"b"}', "model"],
      [chat, '{"model":"a","mod\\u0065l":"b"}', "model"],
      [chat, '{"tools":[{"type":"web_search"}],"tools":[]}', "tools"],
      [completions, '{"model":"a","model":"b"}', "model"],
      [responses, '{"model":"a","model":"b"}', "model"],
      [anthropic, '{"model":"a","model":"b"}', "model"],
      [cohereChat, '{"model":"a","model":"b"}', "model"],
      [ollamaGenerate, '{"model":"a","model":"b"}', "model"],
      [embeddings, '{"model":"a","model":"b"}', "model"],
      [images, '{"model":"a","model":"b"}', "model"],
      [geminiGenerate, '{"generationConfig":{"candidateCount":8},"generationConfig":{}}', "generationConfig"],
    ]),
  )("%s: %s has no bound", (_name, format, text, key) => {
    expect(read(format, text).reach.unbounded).toBe(`said more than once: ${key}`);
  });
});
