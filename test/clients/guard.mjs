// The official clients before a guard that refuses: prints, one JSON line per question, the error that each client threw, as its user sees it,
// and how often it asked. Judges nothing. Usage: node guard.mjs <base URL> <feature> [<tries>]

import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { takeExchanges } from "./watch.mjs";

const [url = "", feature = "", tries = "2"] = process.argv.slice(2);
const headers = { "x-pennyworth-feature": feature };
const apiKey = "of-the-client";
const maxRetries = Number(tries);
const messages = [{ role: "user", content: "What may a call cost?" }];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries, defaultHeaders: headers });
const anthropic = new Anthropic({ baseURL: url, apiKey, maxRetries, defaultHeaders: headers });
const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, headers } });
const ollama = new Ollama({ host: url, headers });
const bedrock = new BedrockRuntimeClient({
  endpoint: url,
  region: "us-east-1",
  maxAttempts: maxRetries + 1,
  token: { token: apiKey },
  authSchemePreference: ["httpBearerAuth"],
  requestHandler: new NodeHttpHandler(),
});
bedrock.middlewareStack.add(
  (next) => (args) => next({ ...args, request: Object.assign(args.request, { headers: { ...args.request.headers, ...headers } }) }),
  {
    step: "build",
  },
);

const ways = {
  chat: () => openai.chat.completions.create({ model: "gpt-4o-mini", max_tokens: 50, messages }),
  "chat stream": () => openai.chat.completions.create({ model: "gpt-4o-mini", max_tokens: 50, messages, stream: true }),
  responses: () => openai.responses.create({ model: "gpt-5-mini", max_output_tokens: 50, input: "What may a call cost?" }),
  messages: () => anthropic.messages.create({ model: "claude-sonnet-4-5", max_tokens: 50, messages }),
  gemini: () =>
    google.models.generateContent({ model: "gemini-2.5-flash", contents: "What may a call cost?", config: { maxOutputTokens: 50 } }),
  ollama: () => ollama.chat({ model: "llama3.2", messages, options: { num_predict: 50 } }),
  converse: () =>
    bedrock.send(
      new ConverseCommand({
        modelId: "amazon.nova-lite-v1:0",
        messages: [{ role: "user", content: [{ text: "What may a call cost?" }] }],
        inferenceConfig: { maxTokens: 50 },
      }),
    ),
};

for (const [name, ask] of Object.entries(ways)) {
  const began = performance.now();
  let thrown = null;
  try {
    await ask();
  } catch (error) {
    thrown = {
      class: error.constructor.name,
      status: error.status ?? error.status_code ?? error.$metadata?.httpStatusCode ?? null,
      code: error.code ?? error.error?.error?.code ?? null,
      type: error.type ?? error.name,
      message: error.message,
    };
  }
  const waitedMs = Math.round(performance.now() - began);
  process.stdout.write(`${JSON.stringify({ name, thrown, waitedMs, statuses: takeExchanges().map(({ status }) => status) })}\n`);
}
