// Tasks of our own client around official packages and plain fetch: prints, one JSON line per task, what it ran. Judges nothing.
// Usage: node tasks.mjs <base URL> <address of the client> [<key>]

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { prompt } from "./report.mjs";

const [url = "", client = "", key] = process.argv.slice(2);
const { pennyworth } = await import(client);
const {
  task,
  fetch: taskFetch,
  resume,
  outcome,
  flush,
} = pennyworth({ url, key, onError: (trouble) => print({ trouble: trouble.message }) });
// Made once, for all tasks.
const anthropic = new Anthropic({ baseURL: url, apiKey: "sandbox", maxRetries: 0, fetch: taskFetch });

const details = { customer: "Müller & Söhne", feature: "support", agent: "resolver", prompt: "v7", tags: { tier: "gold" } };

await task("resolve-ticket", { id: "ticket-1", ...details }, async (t) => {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sandbox", maxRetries: 0, fetch: t.fetch });
  const { response } = await openai.chat.completions
    .create({ model: "gpt-4o-mini", messages: ask(1200, 80) }, { headers: { "x-pennyworth-step": "plan" } })
    .withResponse();
  report("openai", t, response);
  await t.task("search", { agent: "searcher" }, async (t2) => {
    const stream = anthropic.messages.stream({ model: "claude-sonnet-4-5", max_tokens: 500, messages: ask(400, 50) });
    const { response: streamed } = await stream.withResponse();
    await stream.finalMessage();
    report("@anthropic-ai/sdk", t2, streamed);
    t2.succeed();
  });
  // Another process, told by what a queue would carry.
  const carried = JSON.parse(JSON.stringify(t.carry()));
  await resume({ baggage: carried.baggage }, async (t3) => {
    const answer = await t3.fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "sandbox" },
      body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 500, messages: ask(300, 30) }),
    });
    await answer.text();
    report("fetch", t3, answer);
  });
  t.succeed({ value: 2.5, reviewMinutes: 1.5, source: "resolver" });
});

await task("resolve-ticket", { id: "ticket-2", ...details }, async () => {
  throw new RangeError("nothing of this is told");
}).catch(() => {});

await task("resolve-ticket", { id: "ticket-3", ...details, reworkOf: "ticket-1" }, async () => {});

outcome("ticket-1", { judge: "person", source: "Ada", result: "failure", reason: "reverted" });
outcome("ticket-1", { value: Number.NaN });
print({ unsent: await flush() });

function ask(input, output) {
  return [{ role: "user", content: prompt({ "input-tokens": input, "output-tokens": output }) }];
}

function report(name, { id }, { headers }) {
  print({ name, task: id, call: headers.get("x-pennyworth-call") });
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
