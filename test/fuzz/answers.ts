// Answers of every format, whole and streamed: written by hand after their providers' pages, and the recordings of real ones where they are.
// A stream is kept as its events, so that they can be swapped before they are dressed (dress.ts). Not here: requests (requests.ts).

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FormatName } from "../../src/providers/format.ts";
import type { Framing, StreamSeed } from "./dress.ts";

export interface AnswerSeeds {
  readonly whole: readonly string[];
  readonly streams: readonly StreamSeed[];
}

const folder = join(fileURLToPath(new URL("../..", import.meta.url)), "../shared/data/recordings");
export const recorded = existsSync(folder);

const whose: readonly (readonly [RegExp, FormatName, Framing])[] = [
  [/^openai\/completion--/, "openai-completions", "events"],
  [/^openai\/embedding--/, "openai-embeddings", "events"],
  [
    /^(alibaba|groq|mistral|moonshotai|perplexity)\/|^openai\/chat--|^openai-compatible\/chat|^deepseek\/chat|^xai\/xai-|^azure\/azure-deepseek/,
    "openai-chat",
    "events",
  ],
  [/^(openai|xai|open-responses)\/responses--|^azure\//, "openai-responses", "events"],
  [/^anthropic\/(?!skills)/, "anthropic-messages", "events"],
  [/^google\/google-/, "gemini-generate", "events"],
  [/^amazon-bedrock\//, "bedrock-converse", "messages"],
  [/^cohere\/cohere-embedding/, "cohere-embed", "events"],
  [/^cohere\//, "cohere-chat", "events"],
];

/** Of long recordings the beginning and the end: what is between says the same again. */
const wholeBytesMax = 16_000;
const eventsMax = 24;
const eventBytesMax = 4_000;

export function answerSeeds(): ReadonlyMap<FormatName, AnswerSeeds> {
  const seeds = new Map<FormatName, { whole: string[]; streams: StreamSeed[] }>();
  for (const [name, { whole, streams }] of Object.entries(written))
    seeds.set(name as FormatName, { whole: [...whole], streams: [...streams] });
  for (const file of recorded
    ? readdirSync(folder).flatMap((provider) => readdirSync(join(folder, provider)).map((name) => `${provider}/${name}`))
    : []) {
    const found = whose.find(([pattern]) => pattern.test(file));
    if (found === undefined) continue;
    const [, format, framing] = found;
    const text = readFileSync(join(folder, file), "utf8");
    const seed = seeds.get(format);
    if (file.endsWith(".json")) {
      if (text.length <= wholeBytesMax) seed?.whole.push(text);
      continue;
    }
    const all = text.split("\n").filter((line) => line.trim() !== "" && line.length <= eventBytesMax);
    const events = all.length <= eventsMax ? all : [...all.slice(0, eventsMax / 2), ...all.slice(-eventsMax / 2)];
    if (format === "openai-chat" || format === "openai-completions") events.push("[DONE]");
    seed?.streams.push({ framing, events });
    if (format === "gemini-generate") seed?.streams.push({ framing: "elements", events });
    if (format === "anthropic-messages" && events.length < 12)
      seeds.get("bedrock-invoke")?.streams.push({ framing: "chunks", events: [...events, metrics] });
  }
  return seeds;
}

const line = (...objects: readonly unknown[]): readonly string[] => objects.map((object) => JSON.stringify(object));
const metrics = JSON.stringify({
  type: "message_stop",
  "amazon-bedrock-invocationMetrics": { inputTokenCount: 20, outputTokenCount: 12, invocationLatency: 5, cacheReadInputTokenCount: 4 },
});

const openaiUsage = {
  prompt_tokens: 120,
  completion_tokens: 80,
  total_tokens: 200,
  prompt_tokens_details: { cached_tokens: 64, audio_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 2, accepted_prediction_tokens: 1, rejected_prediction_tokens: 1 },
};
const responsesUsage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 64 },
  output_tokens: 80,
  output_tokens_details: { reasoning_tokens: 30 },
  total_tokens: 200,
};
const chunk = (delta: unknown, more: object = {}): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: "gpt-4.1-nano-2025-04-14",
  service_tier: "default",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const messagesUsage = {
  input_tokens: 20,
  cache_creation_input_tokens: 7,
  cache_read_input_tokens: 9,
  cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 },
  output_tokens: 2,
  service_tier: "standard",
  server_tool_use: { web_search_requests: 1 },
};
const messageEvents = line(
  {
    type: "message_start",
    message: { id: "msg_1", type: "message", role: "assistant", model: "claude-haiku-4-5", content: [], usage: messagesUsage },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "ping" },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: 'Hé "usage":{ 😀' } },
  { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"a":' } },
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn" },
    usage: { ...messagesUsage, output_tokens: 17, iterations: [{ type: "message", input_tokens: 20, output_tokens: 17 }] },
  },
  { type: "message_stop" },
);
const gemini = (text: string, more: object = {}): object => ({
  candidates: [{ content: { parts: [{ text }, { text: "hm", thought: true }], role: "model" }, index: 0, ...more }],
  usageMetadata: {
    promptTokenCount: 29,
    candidatesTokenCount: 15,
    thoughtsTokenCount: 45,
    toolUsePromptTokenCount: 3,
    cachedContentTokenCount: 8,
    totalTokenCount: 92,
    promptTokensDetails: [
      { modality: "TEXT", tokenCount: 20 },
      { modality: "IMAGE", tokenCount: 9 },
    ],
    cacheTokensDetails: [{ modality: "TEXT", tokenCount: 8 }],
    candidatesTokensDetails: [{ modality: "TEXT", tokenCount: 15 }],
    trafficType: "ON_DEMAND",
  },
  modelVersion: "gemini-2.5-flash",
  responseId: "r-1",
});
const geminiEvents = line(
  gemini("Hel"),
  gemini("lo"),
  gemini("!", { finishReason: "STOP", groundingMetadata: { webSearchQueries: ["a", "b"] } }),
);
const ollamaLine = (more: object): object => ({
  model: "qwen3:0.6b",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", content: "Hi", thinking: "hm" },
  done: false,
  ...more,
});
const ollamaCounts = { done: true, done_reason: "stop", total_duration: 5, prompt_eval_count: 26, eval_count: 12, eval_duration: 7 };
const converseUsage = {
  inputTokens: 20,
  outputTokens: 12,
  totalTokens: 39,
  cacheReadInputTokens: 4,
  cacheWriteInputTokens: 3,
  cacheDetails: [{ inputTokens: 3, ttl: "5m" }],
};
const cohereUsage = {
  billed_units: { input_tokens: 10, output_tokens: 5, search_units: 1 },
  tokens: { input_tokens: 70, output_tokens: 5 },
  cached_tokens: 8,
};

/** Events of the Responses API. */
function responseEvents(): readonly string[] {
  const response = {
    id: "resp_1",
    object: "response",
    model: "gpt-4.1-mini",
    status: "in_progress",
    service_tier: "default",
    output: [],
    usage: null,
  };
  const output = [
    { type: "web_search_call", id: "ws", status: "completed", action: { type: "search", query: "q" } },
    { type: "message", content: [{ type: "output_text", text: "Hi" }] },
  ];
  return line(
    { type: "response.created", response },
    { type: "response.output_item.added", item: output[1] },
    { type: "response.output_text.delta", delta: 'é "usage":', item_id: "m" },
    { type: "response.reasoning_summary_text.delta", delta: "hm" },
    { type: "response.output_item.done", item: output[0] },
    { type: "response.completed", response: { ...response, status: "completed", output, usage: responsesUsage } },
  );
}

const written: Readonly<Record<FormatName, AnswerSeeds>> = {
  "openai-chat": {
    whole: line(
      {
        id: "chatcmpl-1",
        model: "gpt-4.1-nano",
        service_tier: "default",
        choices: [{ index: 0, message: { role: "assistant", content: "Hi 😀" }, finish_reason: "stop" }],
        usage: openaiUsage,
      },
      {
        id: "p",
        model: "sonar",
        choices: [{ message: { content: "Hi" } }],
        usage: {
          prompt_tokens: 5,
          completion_tokens: 9,
          total_tokens: 14,
          citation_tokens: 3,
          num_search_queries: 2,
          reasoning_tokens: 4,
          cost: { total_cost: 0.00512, input_tokens_cost: 0.0001 },
        },
      },
      { error: { message: "no", type: "invalid_request_error", code: "bad" } },
    ),
    streams: [
      {
        framing: "events",
        events: [
          ...line(
            chunk({ role: "assistant", content: "" }),
            chunk({ content: "Hi é" }),
            chunk({ reasoning_content: "hm" }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '{"usage":1}' } }] }),
            chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
            chunk({}, { choices: [], usage: openaiUsage }),
          ),
          "[DONE]",
        ],
      },
      { framing: "events", events: line(chunk({ content: "Hi" }), { error: { message: "no", code: 500 } }) },
    ],
  },
  "openai-completions": {
    whole: line({
      id: "cmpl-1",
      model: "m",
      choices: [{ text: "Hi", finish_reason: "length" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    }),
    streams: [
      {
        framing: "events",
        events: [
          ...line(
            { id: "cmpl-1", model: "m", choices: [{ text: "Hi", finish_reason: null }], usage: null },
            { id: "cmpl-1", model: "m", choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
          ),
          "[DONE]",
        ],
      },
    ],
  },
  "openai-responses": {
    whole: line(
      {
        id: "resp_1",
        object: "response",
        model: "gpt-4.1-mini",
        status: "completed",
        service_tier: "flex",
        output: [
          { type: "code_interpreter_call", container_id: "c" },
          { type: "message", content: [{ type: "output_text", text: "Hi" }] },
        ],
        usage: responsesUsage,
        incomplete_details: null,
      },
      { id: "resp_2", status: "queued", background: true, output: [], usage: null },
    ),
    streams: [{ framing: "events", events: responseEvents() }],
  },
  "openai-embeddings": {
    whole: line({
      object: "list",
      model: "text-embedding-3-small",
      data: [{ index: 0, embedding: [0.1, -0.2, 1e-9] }],
      usage: { prompt_tokens: 12, total_tokens: 12 },
    }),
    streams: [],
  },
  "openai-images": {
    whole: line({
      created: 1,
      data: [{ b64_json: "iVBORw0KGgo=" }, { url: "https://example.com/a" }],
      usage: { input_tokens: 50, input_tokens_details: { text_tokens: 10, image_tokens: 40 }, output_tokens: 272, total_tokens: 322 },
    }),
    streams: [
      {
        framing: "events",
        events: line(
          { type: "image_generation.partial_image", b64_json: "AAAA", partial_image_index: 0 },
          {
            type: "image_generation.completed",
            b64_json: "AAAA",
            usage: { input_tokens: 50, input_tokens_details: { text_tokens: 10, image_tokens: 40 }, output_tokens: 272, total_tokens: 322 },
          },
        ),
      },
    ],
  },
  "openai-audio": {
    whole: line(
      {
        text: "Hello",
        usage: {
          type: "tokens",
          input_tokens: 14,
          input_token_details: { text_tokens: 10, audio_tokens: 4 },
          output_tokens: 5,
          total_tokens: 19,
        },
      },
      { text: "Hello", usage: { type: "duration", seconds: 3 } },
      { text: "Hello", duration: 8.47, segments: [] },
    ),
    streams: [
      {
        framing: "events",
        events: line(
          { type: "transcript.text.delta", delta: "Hé" },
          {
            type: "transcript.text.done",
            text: "Hé",
            usage: {
              type: "tokens",
              input_tokens: 14,
              input_token_details: { text_tokens: 10, audio_tokens: 4 },
              output_tokens: 5,
              total_tokens: 19,
            },
          },
        ),
      },
    ],
  },
  "anthropic-messages": {
    whole: line(
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "claude-haiku-4-5",
        content: [{ type: "text", text: "Hi" }],
        stop_reason: "end_turn",
        usage: messagesUsage,
      },
      { type: "error", error: { type: "overloaded_error", message: "no" } },
    ),
    streams: [
      { framing: "events", events: messageEvents },
      {
        framing: "events",
        events: [...messageEvents.slice(0, 4), ...line({ type: "error", error: { type: "overloaded_error", message: "no" } })],
      },
    ],
  },
  "gemini-generate": {
    whole: line(
      gemini("Hello", { finishReason: "STOP" }),
      { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } },
      { error: { code: 429, message: "no", status: "RESOURCE_EXHAUSTED" } },
    ),
    streams: [
      { framing: "events", events: geminiEvents },
      { framing: "elements", events: geminiEvents },
    ],
  },
  "gemini-embed": {
    whole: line(
      { embedding: { values: [0.1, 0.2] } },
      { embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 7 } },
      {
        predictions: [
          { embeddings: { values: [1], statistics: { token_count: 3, truncated: false } } },
          { embeddings: { statistics: { token_count: 4 } } },
        ],
        metadata: { billableCharacterCount: 9 },
      },
    ),
    streams: [],
  },
  "ollama-generate": {
    whole: line(ollamaLine(ollamaCounts), { model: "m", response: "Hi", ...ollamaCounts, context: [1, 2] }, { error: "model not found" }),
    streams: [
      {
        framing: "lines",
        events: line(ollamaLine({}), ollamaLine({ message: { role: "assistant", content: "é" } }), ollamaLine(ollamaCounts)),
      },
      { framing: "lines", events: line(ollamaLine({}), { error: "broke" }) },
    ],
  },
  "ollama-embed": {
    whole: line({ model: "m", embeddings: [[0.1]], prompt_eval_count: 8, total_duration: 5 }, { embedding: [0.1] }),
    streams: [],
  },
  "bedrock-converse": {
    whole: line({
      output: { message: { role: "assistant", content: [{ text: "Hi" }, { toolUse: { name: "f", input: { a: 1 } } }] } },
      stopReason: "end_turn",
      usage: converseUsage,
      metrics: { latencyMs: 5 },
      serviceTier: { type: "default" },
    }),
    streams: [
      {
        framing: "messages",
        events: line(
          { messageStart: { role: "assistant" } },
          { contentBlockDelta: { contentBlockIndex: 0, delta: { text: "Hé" } } },
          { contentBlockStop: { contentBlockIndex: 0 } },
          { messageStop: { stopReason: "end_turn" } },
          { metadata: { usage: converseUsage, metrics: { latencyMs: 5 } } },
        ),
      },
      { framing: "messages", events: line({ messageStart: { role: "assistant" } }, { throttlingException: { message: "no" } }) },
    ],
  },
  "bedrock-invoke": {
    whole: line(
      {
        id: "msg_1",
        type: "message",
        model: "claude",
        content: [{ type: "text", text: "Hi" }],
        stop_reason: "end_turn",
        usage: messagesUsage,
      },
      { output: { message: { content: [{ text: "Hi" }] } }, stopReason: "end_turn", usage: converseUsage },
      { choices: [{ text: "Hi", stop_reason: "stop", message: { content: "Hi" } }], usage: openaiUsage },
      { inputTextTokenCount: 9, results: [{ tokenCount: 4, outputText: "Hi", completionReason: "FINISH" }] },
      { generation: "Hi", prompt_token_count: 9, generation_token_count: 4, stop_reason: "stop" },
    ),
    streams: [
      { framing: "chunks", events: [...messageEvents.slice(0, -1), metrics] },
      {
        framing: "chunks",
        events: line(
          { outputText: "Hi", index: 0, totalOutputTextTokenCount: null },
          {
            outputText: "!",
            totalOutputTextTokenCount: 4,
            completionReason: "FINISH",
            inputTextTokenCount: 9,
            "amazon-bedrock-invocationMetrics": { inputTokenCount: 9, outputTokenCount: 4 },
          },
        ),
      },
      {
        framing: "chunks",
        events: line(
          { messageStart: { role: "assistant" } },
          { contentBlockDelta: { delta: { text: "Hi" } } },
          { messageStop: { stopReason: "end_turn" } },
          { metadata: { usage: converseUsage }, "amazon-bedrock-invocationMetrics": { inputTokenCount: 20, outputTokenCount: 12 } },
        ),
      },
    ],
  },
  "cohere-chat": {
    whole: line(
      { id: "c-1", finish_reason: "COMPLETE", message: { role: "assistant", content: [{ type: "text", text: "Hi" }] }, usage: cohereUsage },
      { id: "c-2", message: "no" },
    ),
    streams: [
      {
        framing: "events",
        events: line(
          { type: "message-start", id: "c-1", delta: { message: { role: "assistant" } } },
          { type: "content-delta", index: 0, delta: { message: { content: { text: "Hé" } } } },
          { type: "message-end", delta: { finish_reason: "COMPLETE", usage: cohereUsage } },
        ),
      },
    ],
  },
  "cohere-embed": {
    whole: line(
      { id: "e", embeddings: { float: [[0.1]] }, meta: { billed_units: { input_tokens: 10, images: 1 } } },
      { id: "r", results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } },
    ),
    streams: [],
  },
  unmetered: { whole: ["anything", "{}"], streams: [] },
};
