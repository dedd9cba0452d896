// The official `@aws-sdk/client-bedrock-runtime` through an endpoint, with its default handler (HTTP/2): prints, one JSON line per call, what
// the client itself saw. Judges nothing. Usage: node bedrock.mjs <base URL> <key> [signed]

import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { all, ask } from "./ask.mjs";
import { prompt } from "./report.mjs";

const [endpoint = "", key = "sandbox", how] = process.argv.slice(2);
const client = open(key);
const nova = "amazon.nova-lite-v1:0";
const claude = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const asked = { "input-tokens": 1200, "output-tokens": 80, "cache-read-tokens": 1024 };
const messages = [{ role: "user", content: [{ text: prompt(asked) }] }];
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

await ask("converse", async () => {
  const { usage, output } = await client.send(new ConverseCommand({ modelId: nova, messages }));
  return { ...counted(usage), text: output.message.content[0].text.length };
});
await ask("converse stream", async () => {
  const { stream } = await client.send(new ConverseStreamCommand({ modelId: nova, messages }));
  const events = await all(stream);
  const text = events.map((event) => event.contentBlockDelta?.delta?.text ?? "").join("").length;
  return { ...counted(events.at(-1).metadata.usage), text };
});
await ask("converse tools", async () => {
  const question = [{ role: "user", content: [{ text: prompt({ "input-tokens": 200, "output-tokens": 20, finish: "tool_use" }) }] }];
  const schema = { json: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
  const toolConfig = { tools: [{ toolSpec: { name: "weather", inputSchema: schema } }] };
  const { usage, output } = await client.send(new ConverseCommand({ modelId: nova, messages: question, toolConfig }));
  return { ...counted(usage), tools: output.message.content.flatMap((block) => block.toolUse?.name ?? []) };
});
await ask("invoke", async () => {
  const { body } = await client.send(new InvokeModelCommand({ modelId: claude, contentType: "application/json", body: toBody() }));
  return anthropic(decode(body));
});
await ask("invoke stream", async () => {
  const { body } = await client.send(
    new InvokeModelWithResponseStreamCommand({ modelId: claude, contentType: "application/json", body: toBody() }),
  );
  const events = (await all(body)).map((event) => decode(event.chunk.bytes));
  const text = events.map((event) => event.delta?.text ?? "").join("").length;
  const metrics = events.at(-1)["amazon-bedrock-invocationMetrics"];
  return { output: metrics.outputTokenCount, text };
});
await ask("invoke by ARN", async () => {
  const modelId = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${claude}`;
  const { body } = await client.send(new InvokeModelCommand({ modelId, contentType: "application/json", body: toBody() }));
  return anthropic(decode(body));
});
await ask("embed", async () => {
  const body = JSON.stringify({ inputText: "what does it cost" });
  const answer = await client.send(
    new InvokeModelCommand({ modelId: "amazon.titan-embed-text-v2:0", contentType: "application/json", body }),
  );
  const { embedding, inputTextTokenCount } = decode(answer.body);
  return { input: inputTextTokenCount, vectors: embedding.length > 0 ? 1 : 0 };
});
await ask("at once", async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => client.send(new ConverseStreamCommand({ modelId: nova, messages }))));
  const ends = await Promise.all(answers.map(async ({ stream }) => (await all(stream)).at(-1).metadata.usage.outputTokens));
  return { ends };
});
await ask("429", () =>
  client.send(new ConverseCommand({ modelId: nova, messages: [{ role: "user", content: [{ text: prompt({ fail: 429 }) }] }] })),
);
await ask("refused", () => open("pw_unknown").send(new ConverseCommand({ modelId: nova, messages })));

function open(secret) {
  const common = { endpoint, region: "us-east-1", maxAttempts: 1 };
  if (how === "signed") return new BedrockRuntimeClient({ ...common, credentials: { accessKeyId: secret, secretAccessKey: "of-no-use" } });
  return new BedrockRuntimeClient({ ...common, token: { token: secret }, authSchemePreference: ["httpBearerAuth"] });
}

function toBody() {
  const question = prompt({ "input-tokens": 900, "output-tokens": 70, "cache-read-tokens": 256, "cache-write-5m-tokens": 128 });
  return JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 500, messages: [{ role: "user", content: question }] });
}

function anthropic({ usage, content }) {
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written, output_tokens: output } = usage;
  return { input: fresh + read + written, output, text: content[0].text.length };
}

function counted({ inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0, outputTokens }) {
  return { input: inputTokens + cacheReadInputTokens + cacheWriteInputTokens, output: outputTokens };
}
