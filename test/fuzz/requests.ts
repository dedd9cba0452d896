// Real requests of every format, written by hand after their providers' pages: what is mutated before it is sent. Not here: answers (answers.ts).

import type { FormatName, RequestLine } from "../../src/providers/format.ts";

export interface RequestSeed {
  /** The path at Pennyworth, with its model. */
  readonly path: string;
  readonly model: string | null;
  readonly type: string;
  readonly body: Buffer;
}

export function lineOf({ path, model, type }: RequestSeed, headers: Readonly<Record<string, string>> = {}): RequestLine {
  return { path, query: "", model, type, header: (name) => headers[name] ?? null };
}

const json = (path: string, body: unknown, model: string | null = null): RequestSeed => ({
  path,
  model,
  type: "application/json",
  body: Buffer.from(JSON.stringify(body)),
});

const boundary = "----fuzz1234";
const form = (path: string, fields: Readonly<Record<string, string>>, file: string): RequestSeed => ({
  path,
  model: null,
  type: `multipart/form-data; boundary=${boundary}`,
  body: Buffer.from(
    `${Object.entries(fields)
      .map(([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join(
        "",
      )}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: ${file}\r\n\r\nRIFF\0\xff\r\n--${boundary}--\r\n`,
    "latin1",
  ),
});

const schema = { type: "object", properties: { city: { type: "string", description: "where" } }, required: ["city"] };
const chatTool = { type: "function", function: { name: "weather", description: "looks out", parameters: schema } };
const picture = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==" } };
const long = "The quick brown fox jumps over the lazy dog. ".repeat(12);

const chat = {
  model: "gpt-4.1-nano",
  stream: true,
  max_completion_tokens: 200,
  n: 2,
  service_tier: "flex",
  reasoning_effort: "low",
  user: "u-1",
  metadata: { task: "t", "a b": "c" },
  tools: [chatTool],
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "What is this? é😀" }, picture] },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "Sunny" },
    { role: "user", content: long },
  ],
};
const responses = {
  model: "gpt-4.1-mini",
  stream: true,
  instructions: "Be brief.",
  max_output_tokens: 300,
  previous_response_id: "resp_1",
  prompt_cache_key: "k",
  reasoning: { effort: "high" },
  tools: [{ type: "web_search" }, { type: "function", name: "f", parameters: schema }],
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: long },
        { type: "input_image", image_url: "https://example.com/a.png" },
      ],
    },
    { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: "done" },
  ],
};
const messages = {
  model: "claude-haiku-4-5",
  max_tokens: 300,
  stream: true,
  thinking: { type: "enabled", budget_tokens: 1_024 },
  metadata: { user_id: "user_1" },
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
  tools: [
    { name: "weather", description: "looks out", input_schema: schema },
    { type: "web_search_20250305", name: "web_search", max_uses: 2 },
  ],
  messages: [
    {
      role: "user",
      content: [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
        { type: "text", text: long },
      ],
    },
    { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "weather", input: { city: "Rome" } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "Sunny" }] }] },
  ],
};
const contents = {
  systemInstruction: { parts: [{ text: "Be brief." }] },
  contents: [
    { role: "user", parts: [{ text: long }, { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }] },
    { role: "model", parts: [{ functionCall: { name: "weather", args: { city: "Rome" } } }] },
    { role: "user", parts: [{ functionResponse: { name: "weather", response: { sky: "blue" } } }] },
  ],
  tools: [{ functionDeclarations: [{ name: "weather", parameters: schema }] }, { googleSearch: {} }],
  generationConfig: { maxOutputTokens: 100, candidateCount: 2, thinkingConfig: { thinkingBudget: 64 } },
  labels: { team: "a" },
};
const converse = {
  system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }],
  messages: [
    { role: "user", content: [{ text: long }, { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } }] },
    { role: "assistant", content: [{ toolUse: { toolUseId: "t", name: "weather", input: { city: "Rome" } } }] },
    { role: "user", content: [{ toolResult: { toolUseId: "t", content: [{ text: "Sunny" }] } }] },
  ],
  inferenceConfig: { maxTokens: 128 },
  toolConfig: { tools: [{ toolSpec: { name: "weather", inputSchema: { json: schema } } }] },
  requestMetadata: { team: "a" },
  serviceTier: { type: "priority" },
};

const nova = "us.amazon.nova-lite-v1%3A0";

export const requestSeeds: Readonly<Record<FormatName, readonly RequestSeed[]>> = {
  "openai-chat": [
    json("/v1/chat/completions", chat),
    json("/openai/deployments/gpt/chat/completions", { ...chat, stream: false, stream_options: { include_usage: false } }, "gpt"),
    json("/v1/chat/completions", { ...chat, stream_options: { include_obfuscation: true }, max_tokens: 5 }),
    json("/v1/chat/completions", { model: "retried", messages: [{ role: "user", content: "hi" }] }),
  ],
  "openai-completions": [
    json("/v1/completions", {
      model: "gpt-3.5-turbo-instruct",
      prompt: ["a", long],
      suffix: "end",
      n: 3,
      best_of: 4,
      max_tokens: 16,
      stream: true,
    }),
    json("/v1/completions", { model: "m", prompt: [1, 2, 3], echo: true }),
  ],
  "openai-responses": [
    json("/v1/responses", responses),
    json("/v1/responses", { model: "gpt-4.1-mini", input: "hi", background: true, conversation: { id: "conv_1" } }),
  ],
  "openai-embeddings": [
    json("/v1/embeddings", { model: "text-embedding-3-small", input: ["a", long], encoding_format: "base64", user: "u" }),
    json("/v1/embeddings", { model: "m", input: [[1, 2, 3], [4]] }),
  ],
  "openai-images": [
    json("/v1/images/generations", {
      model: "gpt-image-1",
      prompt: long,
      n: 2,
      size: "1024x1024",
      quality: "low",
      stream: true,
      partial_images: 1,
    }),
    form("/v1/images/edits", { model: "gpt-image-1", prompt: "a cat", n: "2", stream: "true" }, "image/png"),
  ],
  "openai-audio": [
    form("/v1/audio/transcriptions", { model: "gpt-4o-transcribe", prompt: "names", stream: "true", language: "en" }, "audio/wav"),
    json("/v1/audio/speech", { model: "gpt-4o-mini-tts", input: long, voice: "ash", instructions: "calm", stream_format: "sse" }),
  ],
  "anthropic-messages": [
    json("/v1/messages", messages),
    json("/v1/messages", { ...messages, stream: false, tools: undefined, service_tier: "auto", system: "Be brief.", container: "c" }),
  ],
  "gemini-generate": [
    json("/v1beta/models/gemini-2.5-flash:generateContent", contents, "gemini-2.5-flash"),
    json(
      "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
      { contents: { parts: { text: "hi" } }, cached_content: "cachedContents/1" },
      "gemini-2.5-flash",
    ),
  ],
  "gemini-embed": [
    json("/v1beta/models/gemini-embedding-001:embedContent", { content: { parts: [{ text: long }] } }, "gemini-embedding-001"),
    json(
      "/v1beta/models/gemini-embedding-001:batchEmbedContents",
      { requests: [{ content: { parts: [{ text: "a" }] } }, { content: { parts: [{ text: "b" }] } }] },
      "gemini-embedding-001",
    ),
    json(
      "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict",
      { instances: [{ content: "a" }, { image: { bytesBase64Encoded: "AAAA" } }] },
      "text-embedding-005",
    ),
  ],
  "ollama-generate": [
    json("/api/chat", {
      model: "qwen3:0.6b",
      think: true,
      options: { num_predict: 50 },
      tools: [chatTool],
      messages: [
        { role: "system", content: "Brief." },
        { role: "user", content: long, images: ["AAAA"] },
        { role: "tool", content: "Sunny" },
      ],
    }),
    json("/api/generate", { model: "m", prompt: long, system: "Brief.", context: [1, 2, 3], images: ["AAAA"], stream: false, raw: true }),
  ],
  "ollama-embed": [json("/api/embed", { model: "m", input: ["a", long] }), json("/api/embeddings", { model: "m", prompt: "a" })],
  "bedrock-converse": [json(`/model/${nova}/converse`, converse, nova), json(`/model/${nova}/converse-stream`, converse, nova)],
  "bedrock-invoke": [
    json(
      `/model/anthropic.claude/invoke-with-response-stream`,
      { ...messages, anthropic_version: "bedrock-2023-05-31" },
      "anthropic.claude",
    ),
    json(`/model/${nova}/invoke`, converse, nova),
    json("/model/mistral.m/invoke", { prompt: "<s>hi", max_tokens: 10 }, "mistral.m"),
    json("/model/amazon.titan/invoke", { inputText: long, textGenerationConfig: { maxTokenCount: 64 } }, "amazon.titan"),
    json(
      "/model/cohere.command/invoke",
      { message: "hi", chat_history: [{ role: "USER", message: "a" }], documents: [{ text: "b" }] },
      "cohere.command",
    ),
  ],
  "cohere-chat": [
    json("/v2/chat", {
      model: "command-a",
      stream: true,
      max_tokens: 50,
      messages: [
        { role: "system", content: "Brief." },
        { role: "user", content: [{ type: "text", text: long }] },
        { role: "tool", tool_call_id: "t", content: [{ type: "document", document: { data: "x" } }] },
      ],
      documents: ["a", { id: "1", data: { text: "b" } }],
      tools: [chatTool],
    }),
  ],
  "cohere-embed": [
    json("/v2/embed", {
      model: "embed-v4.0",
      input_type: "search_query",
      texts: ["a", long],
      inputs: [{ content: [{ type: "text", text: "a" }, picture] }],
    }),
    json("/v2/rerank", { model: "rerank-v3.5", query: "q", documents: ["a", "b"], top_n: 1 }),
  ],
  unmetered: [json("/v1/unknown/things", { anything: [1, 2] })],
};
