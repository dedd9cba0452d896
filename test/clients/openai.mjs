// The official `openai` package through a base URL: prints, one JSON line per call, what the client itself saw. Judges nothing.
// Usage: node openai.mjs <base URL> [<key>]

import OpenAI from "openai";
import { prompt, report } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const model = "gpt-4o-mini";

await chat();
await chatStream("chat stream with usage", { stream_options: { include_usage: true } });
await chatStream("chat stream without usage", {});
const id = await responses();
await responsesStream();
await retrieve(id);
await embeddings();
await models();

async function chat() {
  const messages = [{ role: "user", content: prompt({ "input-tokens": 1200, "output-tokens": 80, "cache-read-tokens": 1024 }) }];
  const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
  report("chat", response.headers, { id: data.id, model: data.model, usage: data.usage, text: data.choices[0].message.content });
}

async function chatStream(name, options) {
  const messages = [{ role: "user", content: prompt({ "input-tokens": 345, "output-tokens": 67 }) }];
  const { data, response } = await client.chat.completions.create({ model, messages, stream: true, ...options }).withResponse();
  let text = "";
  let last;
  let usage = null;
  let chunksWithoutChoice = 0;
  for await (const chunk of data) {
    last = chunk;
    text += chunk.choices[0]?.delta?.content ?? "";
    if (chunk.choices.length === 0) chunksWithoutChoice += 1;
    usage = chunk.usage ?? usage;
  }
  report(name, response.headers, { id: last.id, model: last.model, usage, text, chunksWithoutChoice });
}

async function responses() {
  const input = prompt({ "input-tokens": 900, "output-tokens": 300, "reasoning-tokens": 200 });
  const { data, response } = await client.responses.create({ model: "gpt-5-mini", input }).withResponse();
  report("responses", response.headers, { id: data.id, model: data.model, usage: data.usage, text: data.output_text });
  return data.id;
}

async function responsesStream() {
  const input = prompt({ "input-tokens": 2000, "output-tokens": 40, "cache-read-tokens": 1536 });
  const { data, response } = await client.responses.create({ model: "gpt-5-mini", input, stream: true }).withResponse();
  let text = "";
  let done;
  for await (const event of data) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.completed") done = event.response;
  }
  report("responses stream", response.headers, { id: done.id, model: done.model, usage: done.usage, text });
}

async function retrieve(responseId) {
  const { data, response } = await client.responses.retrieve(responseId).withResponse();
  report("responses retrieve", response.headers, { id: data.id, model: data.model, usage: data.usage, text: data.output_text });
}

async function embeddings() {
  const input = ["what does it cost", "and was it worth it"];
  const { data, response } = await client.embeddings.create({ model: "text-embedding-3-small", input }).withResponse();
  report("embeddings", response.headers, { model: data.model, usage: data.usage, vectors: data.data.length, text: "" });
}

async function models() {
  const { data, response } = await client.models.list().withResponse();
  report("models", response.headers, { models: data.data.map((entry) => entry.id), text: "" });
}
