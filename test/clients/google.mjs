// The official `@google/genai` through a base URL, for the Gemini API and for Vertex: prints, one JSON line per call, what the client itself
// saw. Judges nothing. Usage: node google.mjs <base URL> <key>

import { GoogleGenAI } from "@google/genai";
import { OAuth2Client } from "google-auth-library";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [baseUrl = "", apiKey = "sandbox"] = process.argv.slice(2);
const retryOptions = { attempts: 1 };
const gemini = new GoogleGenAI({ apiKey, httpOptions: { baseUrl, retryOptions } });
const model = "gemini-2.5-flash";

const weather = {
  name: "weather",
  description: "The weather of a city",
  parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

await speak("gemini", gemini);
await ask("gemini tools", async () => {
  const answer = await gemini.models.generateContent({
    model,
    contents: prompt({ "input-tokens": 210, "output-tokens": 20, finish: "tool_use" }),
    config: { tools: [{ functionDeclarations: [weather] }] },
  });
  return { ...seen(answer), tools: answer.functionCalls.map((call) => call.name) };
});
await ask("gemini chat", async () => {
  const chat = gemini.chats.create({ model });
  await chat.sendMessage({ message: prompt({ "input-tokens": 50, "output-tokens": 10 }) });
  return seen(await chat.sendMessage({ message: prompt({ "input-tokens": 70, "output-tokens": 15 }) }));
});
await ask("gemini embed", async () => {
  const { embeddings } = await gemini.models.embedContent({
    model: "gemini-embedding-001",
    contents: ["what does it cost", "was it worth it"],
  });
  return { vectors: embeddings.length };
});
await ask("gemini count", async () => ({
  tokens: (await gemini.models.countTokens({ model, contents: "what does it cost" })).totalTokens,
}));
await ask("gemini models", async () => ({ models: (await all(await gemini.models.list())).map(({ name }) => name) }));
await ask("gemini cache", async () => {
  const text = "All of it. ".repeat(2000);
  const cache = await gemini.caches.create({ model, config: { contents: [{ role: "user", parts: [{ text }] }], ttl: "300s" } });
  const answer = await gemini.models.generateContent({
    model,
    contents: prompt({ "output-tokens": 12 }),
    config: { cachedContent: cache.name },
  });
  await gemini.caches.delete({ name: cache.name });
  return { ...seen(answer), cached: answer.usageMetadata.cachedContentTokenCount };
});
await ask("gemini 429", () => gemini.models.generateContent({ model, contents: prompt({ fail: 429 }) }));
await ask("gemini 400", () => gemini.models.generateContent({ model, contents: prompt({ fail: 400 }) }));
await ask("gemini refused", () =>
  new GoogleGenAI({ apiKey: "pw_unknown", httpOptions: { baseUrl, retryOptions } }).models.generateContent({ model, contents: "no" }),
);

// The key stands where Google's library would put a token of its own.
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: apiKey, expiry_date: Date.now() + 3_600_000 });
const vertex = new GoogleGenAI({
  vertexai: true,
  project: "a-project",
  location: "us-central1",
  googleAuthOptions: { authClient },
  httpOptions: { baseUrl, retryOptions },
});
await speak("vertex", vertex);
await ask("vertex embed", async () => {
  const { embeddings } = await vertex.models.embedContent({ model: "gemini-embedding-001", contents: "what does it cost" });
  return { vectors: embeddings.length };
});
await ask("vertex count", async () => ({
  tokens: (await vertex.models.countTokens({ model, contents: "what does it cost" })).totalTokens,
}));
await ask("vertex 429", () => vertex.models.generateContent({ model, contents: prompt({ fail: 429 }) }));

async function speak(which, client) {
  const wanted = { "input-tokens": 1300, "output-tokens": 160, "cache-read-tokens": 1024, "reasoning-tokens": 60 };
  await ask(`${which} generate`, async () => seen(await client.models.generateContent({ model, contents: prompt(wanted) })));
  await ask(`${which} stream`, async () => {
    const parts = await all(await client.models.generateContentStream({ model, contents: prompt(wanted) }));
    return { ...seen(parts.at(-1)), text: parts.map((part) => part.text ?? "").join("").length };
  });
}

function seen({ responseId, modelVersion, usageMetadata, text }) {
  const { promptTokenCount, candidatesTokenCount = 0, thoughtsTokenCount = 0, toolUsePromptTokenCount = 0 } = usageMetadata;
  return {
    id: responseId,
    model: modelVersion,
    input: promptTokenCount + toolUsePromptTokenCount,
    output: candidatesTokenCount + thoughtsTokenCount,
    text: text?.length ?? 0,
  };
}
