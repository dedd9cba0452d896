// The official `@anthropic-ai/sdk` through a base URL: prints, one JSON line per call, what the client itself saw. Judges nothing.
// Usage: node anthropic.mjs <base URL> [<key>]

import Anthropic from "@anthropic-ai/sdk";
import { prompt, report } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
const model = "claude-sonnet-4-5";

await messages();
await messagesStream();
await countTokens();

function ask(wanted) {
  return { model, max_tokens: 1000, messages: [{ role: "user", content: prompt(wanted) }] };
}

async function messages() {
  const wanted = {
    "input-tokens": 5200,
    "output-tokens": 90,
    "cache-read-tokens": 4000,
    "cache-write-5m-tokens": 300,
    "cache-write-1h-tokens": 200,
  };
  const { data, response } = await client.messages.create(ask(wanted)).withResponse();
  report("messages", response.headers, { id: data.id, model: data.model, usage: data.usage, text: textOf(data) });
}

async function messagesStream() {
  const stream = client.messages.stream(ask({ "input-tokens": 2458, "output-tokens": 120, "cache-read-tokens": 2048 }));
  const { response } = await stream.withResponse();
  const data = await stream.finalMessage();
  report("messages stream", response.headers, { id: data.id, model: data.model, usage: data.usage, text: textOf(data) });
}

async function countTokens() {
  const { max_tokens: _, ...body } = ask({});
  const { data, response } = await client.messages.countTokens(body).withResponse();
  report("count tokens", response.headers, { tokens: data.input_tokens, text: "" });
}

function textOf(message) {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}
