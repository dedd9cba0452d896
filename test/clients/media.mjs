// The official `openai` for images, audio and OpenRouter through a base URL: prints, one JSON line per call, what the client itself saw.
// Judges nothing. Usage: node media.mjs <base URL> <key>

import OpenAI, { toFile } from "openai";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [url = "", apiKey = "sandbox"] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const openrouter = new OpenAI({ baseURL: `${url}/to/openrouter/v1`, apiKey, maxRetries: 0 });

const image = { model: "gpt-image-1", prompt: "a ledger", size: "1024x1024", quality: "low" };
await ask("image", async () => images(await client.images.generate(image)));
await ask("image stream", async () => {
  const events = await all(await client.images.generate({ ...image, stream: true, partial_images: 1 }));
  return { ...tokens(events.at(-1).usage), pictures: events.length };
});
await ask("image edit", async () => {
  const picture = await toFile(Buffer.from("a picture, for all that is known"), "picture.png", { type: "image/png" });
  return images(await client.images.edit({ ...image, image: picture }));
});

const sound = () => toFile(Buffer.alloc(96_000), "sound.wav", { type: "audio/wav" });
await ask("transcription", async () => {
  const { text, usage } = await client.audio.transcriptions.create({ file: await sound(), model: "gpt-4o-mini-transcribe" });
  return { ...tokens(usage), text: text.length };
});
await ask("transcription stream", async () => {
  const events = await all(
    await client.audio.transcriptions.create({ file: await sound(), model: "gpt-4o-mini-transcribe", stream: true }),
  );
  return { ...tokens(events.at(-1).usage), text: events.at(-1).text.length };
});
await ask("transcription by length", async () => {
  const { text, usage } = await client.audio.transcriptions.create({ file: await sound(), model: "whisper-1" });
  return { seconds: usage.seconds, text: text.length };
});
await ask("speech", async () => {
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "What does a call cost?" });
  return { bytes: (await answer.arrayBuffer()).byteLength };
});
await ask("speech stream", async () => {
  const answer = await client.audio.speech.create({
    model: "gpt-4o-mini-tts",
    voice: "alloy",
    input: "What does a call cost?",
    stream_format: "sse",
  });
  const events = (await answer.text()).split("\n").filter((line) => line.startsWith("data: {"));
  return tokens(JSON.parse(events.at(-1).slice(6)).usage);
});

const model = "openai/gpt-4o-mini";
const messages = [{ role: "user", content: prompt({ "input-tokens": 400, "output-tokens": 40, cost: "0.0000839" }) }];
await ask("openrouter", async () => routed((await openrouter.chat.completions.create({ model, messages })).usage));
await ask("openrouter stream", async () => {
  const options = { stream: true, stream_options: { include_usage: true } };
  const chunks = await all(await openrouter.chat.completions.create({ model, messages, ...options }));
  return routed(chunks.map((chunk) => chunk.usage).find((found) => found));
});
await ask("image 429", () => client.images.generate({ ...image, prompt: prompt({ fail: 429 }) }));
await ask("refused", () => new OpenAI({ baseURL: `${url}/v1`, apiKey: "pw_unknown", maxRetries: 0 }).images.generate(image));

function images({ data, usage }) {
  return { ...tokens(usage), pictures: data.length };
}

function tokens({ input_tokens: input, output_tokens: output }) {
  return { input, output };
}

function routed({ prompt_tokens: input, completion_tokens: output, cost }) {
  return { input, output, cost };
}
