// The official clients on streams that end early: prints, one JSON line per stream and number of events that pass, the text and the reason to
// finish that the client itself saw. Judges nothing. Usage: node cut.mjs <base URL> <{"label": events}>

import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseStreamCommand, InvokeModelWithResponseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { streamText } from "ai";
import { CohereClientV2 } from "cohere-ai";
import { Ollama } from "ollama";
import OpenAI from "openai";

const [url = "", asked = "{}"] = process.argv.slice(2);
const messages = [{ role: "user", content: "Go on." }];
const apiKey = "sandbox";
const at = (label) => `${url}/${label}`;
const openai = (label) => new OpenAI({ baseURL: `${at(label)}/v1`, apiKey, maxRetries: 0 });
const anthropic = (label) => new Anthropic({ baseURL: at(label), apiKey, maxRetries: 0 });
const google = (label) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: at(label), retryOptions: { attempts: 1 } } });
const bedrock = (label) =>
  new BedrockRuntimeClient({
    endpoint: at(label),
    region: "us-east-1",
    maxAttempts: 1,
    token: { token: apiKey },
    authSchemePreference: ["httpBearerAuth"],
    requestHandler: new NodeHttpHandler(),
  });

const ways = {
  chat: async (label) => {
    let text = "";
    let finish = null;
    for await (const { choices } of await openai(label).chat.completions.create({ model: "m", messages, stream: true })) {
      text += choices[0]?.delta?.content ?? "";
      finish = choices[0]?.finish_reason ?? finish;
    }
    return { text, finish };
  },
  "chat helper": async (label) => {
    const done = await openai(label).chat.completions.stream({ model: "m", messages }).finalChatCompletion();
    return { text: done.choices.map(({ message }) => message.content ?? "").join(""), finish: done.choices[0].finish_reason };
  },
  "chat vercel": (label) => vercel(createOpenAI({ baseURL: `${at(label)}/v1`, apiKey }).chat("m")),
  completions: async (label) => {
    let text = "";
    let finish = null;
    for await (const { choices } of await openai(label).completions.create({ model: "m", prompt: "Go on.", stream: true })) {
      text += choices[0]?.text ?? "";
      finish = choices[0]?.finish_reason ?? finish;
    }
    return { text, finish };
  },
  responses: async (label) => {
    let text = "";
    let finish = null;
    for await (const event of await openai(label).responses.create({ model: "m", input: "Go on.", stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.response !== undefined) finish = event.response.incomplete_details?.reason ?? event.response.status;
    }
    return { text, finish };
  },
  "responses helper": async (label) => {
    const done = await openai(label).responses.stream({ model: "m", input: "Go on." }).finalResponse();
    return { text: done.output_text, finish: done.incomplete_details?.reason ?? done.status };
  },
  "responses vercel": (label) => vercel(createOpenAI({ baseURL: `${at(label)}/v1`, apiKey }).responses("m")),
  messages: async (label) => {
    let text = "";
    let finish = null;
    for await (const event of await anthropic(label).messages.create({ model: "m", max_tokens: 99, messages, stream: true })) {
      text += event.delta?.text ?? "";
      finish = event.delta?.stop_reason ?? finish;
    }
    return { text, finish };
  },
  "messages helper": async (label) => {
    const done = await anthropic(label).messages.stream({ model: "m", max_tokens: 99, messages }).finalMessage();
    return { text: done.content.map((block) => block.text ?? "").join(""), finish: done.stop_reason };
  },
  "messages vercel": (label) => vercel(createAnthropic({ baseURL: `${at(label)}/v1`, apiKey })("m")),
  gemini: async (label) => {
    let text = "";
    let finish = null;
    for await (const chunk of await google(label).models.generateContentStream({ model: "m", contents: "Go on." })) {
      text += chunk.text ?? "";
      finish = chunk.candidates?.[0]?.finishReason ?? finish;
    }
    return { text, finish };
  },
  "gemini chat": async (label) => {
    const chat = google(label).chats.create({ model: "m" });
    let finish = null;
    for await (const chunk of await chat.sendMessageStream({ message: "Go on." })) finish = chunk.candidates?.[0]?.finishReason ?? finish;
    const turns = chat.getHistory().filter(({ role }) => role === "model");
    return { text: turns.flatMap(({ parts }) => parts.map((part) => part.text ?? "")).join(""), finish };
  },
  "gemini vercel": (label) => vercel(createGoogleGenerativeAI({ baseURL: `${at(label)}/v1beta`, apiKey })("m")),
  ollama: async (label) => {
    let text = "";
    let finish = null;
    for await (const part of await new Ollama({ host: at(label) }).chat({ model: "m", messages, stream: true })) {
      text += part.message.content;
      finish = part.done_reason ?? finish;
    }
    return { text, finish };
  },
  converse: async (label) => {
    const content = [{ role: "user", content: [{ text: "Go on." }] }];
    const { stream } = await bedrock(label).send(new ConverseStreamCommand({ modelId: "m", messages: content }));
    let text = "";
    let finish = null;
    for await (const event of stream) {
      text += event.contentBlockDelta?.delta?.text ?? "";
      finish = event.messageStop?.stopReason ?? finish;
    }
    return { text, finish };
  },
  "converse vercel": (label) => vercel(createAmazonBedrock({ baseURL: at(label), region: "us-east-1", apiKey })("m")),
  invoke: async (label) => {
    const { body } = await bedrock(label).send(new InvokeModelWithResponseStreamCommand({ modelId: "m", body: "{}" }));
    let text = "";
    let finish = null;
    for await (const { chunk } of body) {
      const event = JSON.parse(new TextDecoder().decode(chunk.bytes));
      text += event.delta?.text ?? "";
      finish = event.delta?.stop_reason ?? finish;
    }
    return { text, finish };
  },
  cohere: async (label) => {
    let text = "";
    let finish = null;
    const client = new CohereClientV2({ token: apiKey, environment: at(label), maxRetries: 0 });
    for await (const event of await client.chatStream({ model: "m", messages })) {
      text += event.delta?.message?.content?.text ?? "";
      finish = event.delta?.finishReason ?? finish;
    }
    return { text, finish };
  },
  "cohere vercel": (label) => vercel(createCohere({ baseURL: `${at(label)}/v2`, apiKey })("m")),
};

async function vercel(model) {
  const errors = [];
  const stream = streamText({ model, prompt: "Go on.", maxRetries: 0, onError: ({ error }) => errors.push(error) });
  let text = "";
  for await (const part of stream.textStream) text += part;
  if (errors.length > 0) throw errors[0];
  return { text, finish: await stream.finishReason };
}

for (const [label, events] of Object.entries(JSON.parse(asked)))
  for (let passed = 0; passed <= events; passed++) {
    let line;
    try {
      line = await ways[label.replaceAll("_", " ")](`${label}/${passed}`);
    } catch (error) {
      line = { error: String(error?.message ?? error).slice(0, 500) };
    }
    process.stdout.write(`${JSON.stringify({ label, passed, ...line })}\n`);
  }
