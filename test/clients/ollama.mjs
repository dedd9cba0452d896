// The official `ollama` through a host: prints, one JSON line per call, what the client itself saw. Judges nothing.
// Usage: node ollama.mjs <base URL> <key>

import { Ollama } from "ollama";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [host = "", key = "sandbox"] = process.argv.slice(2);
// Ollama's own service takes a key so; a server on this machine takes none.
const ollama = new Ollama({ host, headers: { authorization: `Bearer ${key}` } });
const model = "llama3.2";
const messages = [{ role: "user", content: prompt({ "input-tokens": 640, "output-tokens": 90, "cache-read-tokens": 128 }) }];
const tools = [
  {
    type: "function",
    function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
  },
];

await ask("chat", async () => {
  const answer = await ollama.chat({ model, messages });
  return { ...seen(answer), text: answer.message.content.length };
});
await ask("chat stream", async () => {
  const parts = await all(await ollama.chat({ model, messages, stream: true }));
  return { ...seen(parts.at(-1)), text: parts.map((part) => part.message.content).join("").length };
});
await ask("chat tools", async () => {
  const question = [{ role: "user", content: prompt({ "input-tokens": 200, "output-tokens": 20, finish: "tool_use" }) }];
  const answer = await ollama.chat({ model, messages: question, tools });
  return { ...seen(answer), tools: answer.message.tool_calls.map((call) => call.function.name) };
});
await ask("generate", async () => {
  const answer = await ollama.generate({ model, prompt: prompt({ "input-tokens": 70, "output-tokens": 11 }) });
  return { ...seen(answer), text: answer.response.length };
});
await ask("generate stream", async () => {
  const parts = await all(await ollama.generate({ model, prompt: prompt({ "input-tokens": 70, "output-tokens": 11 }), stream: true }));
  return { ...seen(parts.at(-1)), text: parts.map((part) => part.response).join("").length };
});
await ask("embed", async () => {
  const answer = await ollama.embed({ model: "nomic-embed-text", input: ["what does it cost", "was it worth it"] });
  return { input: answer.prompt_eval_count, vectors: answer.embeddings.length };
});
await ask("list", async () => ({ models: (await ollama.list()).models.map(({ name }) => name) }));
await ask("show", async () => ({ details: Object.keys((await ollama.show({ model })).details ?? {}).length }));
await ask("429", () => ollama.chat({ model, messages: [{ role: "user", content: prompt({ fail: 429 }) }] }));
await ask("refused", () => new Ollama({ host, headers: { authorization: "Bearer pw_unknown" } }).chat({ model, messages }));

function seen({ model: answered, prompt_eval_count: input, eval_count: output }) {
  return { model: answered, input, output };
}
