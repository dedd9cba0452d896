// Vercel's `ai` with its OpenAI, Anthropic and OpenAI-compatible providers through a base URL: prints, one JSON line per call, what the
// client itself saw. Judges nothing. Usage: node vercel.mjs <base URL> [<key>]

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateText, streamText } from "ai";
import { prompt, report } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey });
const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey });
const compatible = createOpenAICompatible({ name: "compatible", baseURL: `${url}/v1`, apiKey, includeUsage: true });

const models = [
  ["openai chat", openai.chat("gpt-4o-mini"), { "input-tokens": 1500, "output-tokens": 75, "cache-read-tokens": 512 }],
  ["openai responses", openai.responses("gpt-5-mini"), { "input-tokens": 800, "output-tokens": 250, "reasoning-tokens": 128 }],
  [
    "anthropic",
    anthropic("claude-sonnet-4-5"),
    { "input-tokens": 3770, "output-tokens": 88, "cache-read-tokens": 3000, "cache-write-5m-tokens": 150 },
  ],
  ["compatible chat", compatible.chatModel("gpt-4o-mini"), { "input-tokens": 300, "output-tokens": 30 }],
];

for (const [name, model, wanted] of models) {
  const options = { model, prompt: prompt(wanted), maxRetries: 0, maxOutputTokens: 1000 };
  const whole = await generateText(options);
  report(`${name} generateText`, whole.response.headers, seen(whole.response, whole.usage, whole.text));
  const stream = streamText(options);
  let text = "";
  for await (const part of stream.textStream) text += part;
  const response = await stream.response;
  report(`${name} streamText`, response.headers, seen(response, await stream.usage, text));
}
const { embedding, usage, response } = await embed({
  model: openai.embedding("text-embedding-3-small"),
  value: "what does it cost",
  maxRetries: 0,
});
report("openai embed", response?.headers, { model: "text-embedding-3-small", usage, vectors: embedding.length > 0 ? 1 : 0, text: "" });

function seen(answer, used, text) {
  return { id: answer.id, model: answer.modelId, usage: used, text };
}
