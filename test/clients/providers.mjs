// Vercel's `ai` with the providers of single companies and with Ollama, each through a base URL: prints, one JSON line per call, what the
// client itself saw. Judges nothing. Usage: node providers.mjs <base URL> <key>

import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAzure } from "@ai-sdk/azure";
import { createCohere } from "@ai-sdk/cohere";
import { createDeepSeek } from "@ai-sdk/deepseek";
import { createFireworks } from "@ai-sdk/fireworks";
import { createGoogle } from "@ai-sdk/google";
import { createGoogleVertex } from "@ai-sdk/google-vertex";
import { createVertexAnthropic } from "@ai-sdk/google-vertex/anthropic";
import { createGroq } from "@ai-sdk/groq";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createPerplexity } from "@ai-sdk/perplexity";
import { createTogetherAI } from "@ai-sdk/togetherai";
import { createXai } from "@ai-sdk/xai";
import { embed, generateText, jsonSchema, streamText, tool } from "ai";
import { createOllama } from "ai-sdk-ollama";
import { OAuth2Client } from "google-auth-library";
import { ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: apiKey, expiry_date: Date.now() + 3_600_000 });
const at = (provider) => ({ baseURL: `${url}/to/${provider}/v1`, apiKey });
const google = createGoogle({ baseURL: `${url}/v1beta`, apiKey });
const project = { project: "a-project", location: "us-central1", googleAuthOptions: { authClient } };
const inProject = `${url}/v1/projects/a-project/locations/us-central1/publishers`;
const vertex = createGoogleVertex({ ...project, baseURL: `${inProject}/google` });
const claude = createVertexAnthropic({ ...project, baseURL: `${inProject}/anthropic/models` });
const azure = createAzure({ baseURL: `${url}/openai/v1`, apiKey });
const older = createAzure({ baseURL: `${url}/openai`, apiKey, useDeploymentBasedUrls: true, apiVersion: "2025-04-01-preview" });
const bedrock = createAmazonBedrock({ baseURL: url, apiKey, region: "us-east-1" });
const cohere = createCohere({ baseURL: `${url}/v2`, apiKey });
const mistral = createMistral(at("mistral"));
const xai = createXai(at("xai"));
const compatible = createOpenAICompatible({ name: "openrouter", ...at("openrouter"), includeUsage: true });
const ollama = createOllama({ baseURL: url, apiKey });

const cached = { "input-tokens": 1500, "output-tokens": 75, "cache-read-tokens": 512 };
const plain = { "input-tokens": 300, "output-tokens": 30 };
const tools = {
  weather: tool({
    description: "The weather of a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  }),
};

const models = [
  ["google", google("gemini-2.5-flash"), { ...cached, "reasoning-tokens": 25 }],
  ["vertex", vertex("gemini-2.5-flash"), cached],
  ["vertex claude", claude("claude-sonnet-4-5"), cached],
  ["azure", azure("our-large"), cached],
  ["azure chat", azure.chat("our-large"), cached],
  ["azure deployment", older.chat("our-large"), cached],
  ["bedrock", bedrock("amazon.nova-lite-v1:0"), cached],
  ["cohere", cohere("command-a-03-2025"), plain],
  ["mistral", mistral("ministral-8b-latest"), { ...plain, "stream-usage": "sent" }],
  ["groq", createGroq(at("groq"))("llama-3.3-70b-versatile"), plain],
  ["xai", xai("grok-3"), plain],
  ["deepseek", createDeepSeek(at("deepseek"))("deepseek-chat"), plain],
  ["perplexity", createPerplexity({ baseURL: `${url}/to/perplexity/v1`, apiKey })("sonar"), plain],
  ["together", createTogetherAI(at("together"))("meta-llama/Llama-3.3-70B-Instruct-Turbo"), plain],
  ["fireworks", createFireworks(at("fireworks"))("accounts/fireworks/models/gpt-oss-120b"), plain],
  ["openrouter", compatible.chatModel("openai/gpt-4o-mini"), { ...plain, cost: "0.0000629" }],
  ["ollama", ollama("llama3.2"), plain],
];
for (const [name, model, wanted] of models) {
  const options = { model, prompt: prompt(wanted), maxRetries: 0, maxOutputTokens: 1000 };
  await ask(`${name} generate`, async () => seen(await generateText(options)));
  await ask(`${name} stream`, async () => {
    let failed;
    const stream = streamText({ ...options, onError: ({ error }) => (failed = error) });
    let text = "";
    for await (const part of stream.textStream) text += part;
    if (failed !== undefined) throw failed;
    return seen({ usage: await stream.usage, response: await stream.response, text });
  });
}
for (const name of ["google", "bedrock", "cohere", "mistral"]) {
  const [, model] = models.find(([each]) => each === name);
  const question = prompt({ "input-tokens": 200, "output-tokens": 20, finish: "tool_use" });
  await ask(`${name} tools`, async () => {
    const answer = await generateText({ model, prompt: question, tools, maxRetries: 0 });
    return { ...seen(answer), tools: answer.toolCalls.map((call) => call.toolName) };
  });
}
for (const [name, model] of [
  ["google", google.embedding("gemini-embedding-001")],
  ["vertex", vertex.embeddingModel("gemini-embedding-001")],
  ["azure", azure.embedding("our-vectors")],
  ["bedrock", bedrock.embedding("amazon.titan-embed-text-v1")],
  ["cohere", cohere.embedding("embed-v4.0")],
  ["mistral", mistral.embedding("mistral-embed")],
  ["ollama", ollama.embedding("nomic-embed-text")],
])
  await ask(`${name} embed`, async () => ({
    vectors: (await embed({ model, value: "what does it cost", maxRetries: 0 })).embedding.length,
  }));

const failing = { prompt: prompt({ fail: 429 }), maxRetries: 0 };
for (const name of ["google", "bedrock", "cohere", "groq"])
  await ask(`${name} 429`, () => generateText({ model: models.find(([each]) => each === name)[1], ...failing }));
await ask("refused", () =>
  generateText({ model: createMistral({ ...at("mistral"), apiKey: "pw_unknown" })("ministral-8b-latest"), prompt: "no", maxRetries: 0 }),
);

function seen({ usage, response, text }) {
  return { id: response.id, model: response.modelId, input: usage.inputTokens, output: usage.outputTokens, text: text.length };
}
