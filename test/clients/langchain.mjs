// LangChain JS with the chat models of six companies through a base URL: prints, one JSON line per call, what the client itself saw.
// Judges nothing. Usage: node langchain.mjs <base URL> <key>

import { ChatAnthropic } from "@langchain/anthropic";
import { ChatBedrockConverse } from "@langchain/aws";
import { ChatCohere, CohereEmbeddings } from "@langchain/cohere";
import { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } from "@langchain/google-genai";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { CohereClient } from "cohere-ai";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const maxRetries = 0;
const configuration = { baseURL: `${url}/v1` };
const bedrock = new BedrockRuntimeClient({
  endpoint: url,
  region: "us-east-1",
  token: { token: apiKey },
  authSchemePreference: ["httpBearerAuth"],
  maxAttempts: 1,
});
const cohere = new CohereClient({ token: apiKey, environment: url, maxRetries });

const cached = { "input-tokens": 1500, "output-tokens": 75, "cache-read-tokens": 512 };
const plain = { "input-tokens": 300, "output-tokens": 30 };
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const models = [
  ["openai", new ChatOpenAI({ model: "gpt-4o-mini", apiKey, configuration, maxRetries }), cached],
  ["openai responses", new ChatOpenAI({ model: "gpt-4o-mini", apiKey, configuration, maxRetries, useResponsesApi: true }), cached],
  [
    "azure",
    new AzureChatOpenAI({
      azureOpenAIEndpoint: url,
      azureOpenAIApiKey: apiKey,
      azureOpenAIApiDeploymentName: "our-large",
      azureOpenAIApiVersion: "2025-04-01-preview",
      maxRetries,
    }),
    cached,
  ],
  ["anthropic", new ChatAnthropic({ model: "claude-sonnet-4-5", apiKey, anthropicApiUrl: url, maxRetries }), cached],
  ["google", new ChatGoogleGenerativeAI({ model: "gemini-2.5-flash", apiKey, baseUrl: url, maxRetries }), cached],
  ["ollama", new ChatOllama({ model: "llama3.2", baseUrl: url, headers: { authorization: `Bearer ${apiKey}` }, maxRetries }), plain],
  ["bedrock", new ChatBedrockConverse({ model: "amazon.nova-lite-v1:0", client: bedrock, region: "us-east-1", maxRetries }), cached],
  ["cohere", new ChatCohere({ model: "command-a-03-2025", client: cohere, maxRetries }), plain],
];
for (const [name, model, wanted] of models) {
  await ask(`${name} invoke`, async () => seen(await model.invoke(prompt(wanted))));
  await ask(`${name} stream`, async () => {
    const chunks = await all(await model.stream(prompt(wanted)));
    return seen(chunks.reduce((before, chunk) => before.concat(chunk)));
  });
  await ask(`${name} tools`, async () => {
    const answer = await model.bindTools([weather]).invoke(prompt({ "input-tokens": 200, "output-tokens": 20, finish: "tool_use" }));
    return { ...seen(answer), tools: answer.tool_calls.map((call) => call.name) };
  });
  await ask(`${name} 429`, () => model.invoke(prompt({ fail: 429 })));
}
for (const [name, model] of [
  ["openai", new OpenAIEmbeddings({ model: "text-embedding-3-small", apiKey, configuration, maxRetries })],
  ["google", new GoogleGenerativeAIEmbeddings({ model: "gemini-embedding-001", apiKey, baseUrl: url, maxRetries })],
  ["ollama", new OllamaEmbeddings({ model: "nomic-embed-text", baseUrl: url, headers: { authorization: `Bearer ${apiKey}` }, maxRetries })],
  ["cohere", new CohereEmbeddings({ model: "embed-v4.0", client: cohere, maxRetries })],
])
  await ask(`${name} embed`, async () => ({ vectors: (await model.embedDocuments(["what does it cost", "was it worth it"])).length }));
await ask("refused", () => new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "pw_unknown", configuration, maxRetries }).invoke("no"));

function seen({ usage_metadata: usage, content }) {
  return { input: usage?.input_tokens, output: usage?.output_tokens, text: content.length };
}
