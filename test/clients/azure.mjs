// The official `openai` as `AzureOpenAI` through an endpoint: prints, one JSON line per call, what the client itself saw. Judges nothing.
// Usage: node azure.mjs <base URL> <key>

import OpenAI, { AzureOpenAI } from "openai";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [endpoint = "", apiKey = "sandbox"] = process.argv.slice(2);
const azure = new AzureOpenAI({ endpoint, apiKey, apiVersion: "2025-04-01-preview", maxRetries: 0 });
// A name that somebody chose in Azure's portal: no model is called so.
const model = "our-large";
const asked = { "input-tokens": 1200, "output-tokens": 80, "cache-read-tokens": 1024 };
const messages = [{ role: "user", content: prompt(asked) }];
const weather = { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };

await ask("chat", async () => chat(await azure.chat.completions.create({ model, messages })));
await ask("chat stream", () => stream(azure, { stream_options: { include_usage: true } }));
await ask("chat stream without usage", () => stream(azure, {}));
await ask("chat tools", async () => {
  const question = [{ role: "user", content: prompt({ "input-tokens": 200, "output-tokens": 20, finish: "tool_use" }) }];
  const answer = await azure.chat.completions.create({ model, messages: question, tools: [{ type: "function", function: weather }] });
  return { ...chat(answer), tools: answer.choices[0].message.tool_calls.map((call) => call.function.name) };
});
await ask("embeddings", async () => {
  const answer = await azure.embeddings.create({ model: "our-vectors", input: ["what does it cost", "was it worth it"] });
  return { input: answer.usage.prompt_tokens, vectors: answer.data.length };
});
await ask("responses", async () => responses(await azure.responses.create({ model, input: prompt(asked) })));
await ask("responses stream", async () => {
  const events = await all(await azure.responses.create({ model, input: prompt(asked), stream: true }));
  return responses(events.at(-1).response);
});
await ask("429", () => azure.chat.completions.create({ model, messages: [{ role: "user", content: prompt({ fail: 429 }) }] }));
await ask("refused", () =>
  new AzureOpenAI({ endpoint, apiKey: "pw_unknown", apiVersion: "2025-04-01-preview", maxRetries: 0 }).chat.completions.create({
    model,
    messages,
  }),
);

// Azure's newer address, which needs no version, is for the plain client.
const newer = new OpenAI({ baseURL: `${endpoint}/openai/v1`, apiKey, maxRetries: 0 });
await ask("v1 chat", async () => chat(await newer.chat.completions.create({ model, messages })));
await ask("v1 responses", async () => responses(await newer.responses.create({ model, input: prompt(asked) })));

async function stream(client, options) {
  const chunks = await all(await client.chat.completions.create({ model, messages, stream: true, ...options }));
  const usage = chunks.map((chunk) => chunk.usage).find((found) => found);
  const text = chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("").length;
  const filtered = chunks.filter((chunk) => chunk.prompt_filter_results).length;
  const withoutChoice = chunks.filter((chunk) => chunk.choices.length === 0).length;
  const count = usage === undefined ? {} : { input: usage.prompt_tokens, output: usage.completion_tokens };
  return { model: chunks.at(-1).model, ...count, text, filtered, withoutChoice };
}

function chat({ model: answered, usage, choices }) {
  return { model: answered, input: usage.prompt_tokens, output: usage.completion_tokens, text: choices[0].message.content?.length ?? 0 };
}

function responses({ model: answered, usage, output }) {
  return { model: answered, input: usage.input_tokens, output: usage.output_tokens, text: JSON.stringify(output).length };
}
