// What goes on record of calls that go on from one another: what each sent again, whether it was answered before, how many tools it called.
// Through a real gateway before the sandbox, in the formats of the official SDKs. Not here: shapes of answers (src/providers/calls.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

interface Facts {
  readonly sharedBytes?: number;
  readonly repeats?: true;
  readonly prefix: readonly string[];
  readonly tools?: number;
}

/** @returns what is on record of the call. */
async function call(path: string, body: object, headers: Record<string, string>): Promise<Facts> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const receipt = (await gateway.receipt(response.headers.get("x-pennyworth-call") ?? "")) as unknown as { start: Facts; end: Facts };
  const { sharedBytes, repeats, prefix } = receipt.start;
  const { tools } = receipt.end;
  return {
    prefix,
    ...(sharedBytes === undefined ? {} : { sharedBytes }),
    ...(repeats ? { repeats } : {}),
    ...(tools === undefined ? {} : { tools }),
  };
}

const size = (...blocks: readonly object[]): number => blocks.reduce((sum, block) => sum + Buffer.byteLength(JSON.stringify(block)), 0);
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

describe.each([false, true])("with streams: %s", (stream) => {
  it("Chat Completions: each turn sends again all before it, and a call that was answered is told by all of its prompt", async () => {
    const of = { "x-pennyworth-task": `chat-${stream}` };
    const tools = [{ type: "function", function: { name: "weather", parameters } }];
    const said = [
      { role: "system", content: "You are brief." },
      { role: "user", content: `How is the weather? ${stream}` },
    ];
    const asked = { model: "gpt-4o-mini", max_tokens: 40, stream, tools };
    const path = "/v1/chat/completions";
    const first = await call(path, { ...asked, tool_choice: "required", messages: said }, of);
    expect(first).toMatchObject({ sharedBytes: 0, tools: 1 });
    expect(first).not.toHaveProperty("repeats");
    const answered = [
      ...said,
      { role: "assistant", content: null, tool_calls: [{ id: "a", type: "function", function: { name: "weather", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "a", content: "Rain." },
    ];
    const next = await call(path, { ...asked, tool_choice: "none", messages: answered }, of);
    // Tools stand first, then each message: what the first one sent, to the byte.
    expect(next).toMatchObject({ sharedBytes: Buffer.byteLength(JSON.stringify(tools)) + size(...said), tools: 0 });
    expect(next).not.toHaveProperty("repeats");
    const again = await call(path, { ...asked, tool_choice: "none", messages: answered }, of);
    expect(again).toMatchObject({ sharedBytes: Buffer.byteLength(JSON.stringify(tools)) + size(...answered), repeats: true });
    const elsewhere = await call(path, { ...asked, messages: said, tool_choice: "none" }, { "x-pennyworth-task": `other-${stream}` });
    expect(elsewhere).toMatchObject({ sharedBytes: 0, tools: 0 });
    expect(elsewhere).not.toHaveProperty("repeats");
  });

  it("Responses: what the provider holds is not in sight", async () => {
    const of = { "x-pennyworth-task": `responses-${stream}` };
    const tools = [{ type: "function", name: "weather", parameters }];
    const asked = { model: "gpt-4o-mini", max_output_tokens: 40, stream, tools };
    expect(await call("/v1/responses", { ...asked, tool_choice: "required", input: "How is the weather?" }, of)).toMatchObject({
      sharedBytes: 0,
      tools: 1,
    });
    const held = await call("/v1/responses", { ...asked, input: "And now?", previous_response_id: "resp_1" }, of);
    expect(held).not.toHaveProperty("sharedBytes");
  });

  it("Messages, Gemini's and Bedrock's", async () => {
    const of = { "x-pennyworth-task": `others-${stream}` };
    const messages = [{ role: "user", content: "How is the weather?" }];
    const anthropic = {
      model: "claude-haiku-4-5",
      max_tokens: 60,
      stream,
      messages,
      tools: [{ name: "weather", input_schema: parameters }],
    };
    expect(await call("/v1/messages", { ...anthropic, tool_choice: { type: "any" } }, of)).toMatchObject({ sharedBytes: 0, tools: 1 });
    const gemini = {
      contents: [{ role: "user", parts: [{ text: "How is the weather?" }] }],
      tools: [{ functionDeclarations: [{ name: "weather", parameters }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY" } },
    };
    const path = `/v1beta/models/gemini-2.5-flash:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`;
    expect(await call(path, gemini, of)).toMatchObject({ sharedBytes: 0, tools: 1 });
    const bedrock = {
      messages: [{ role: "user", content: [{ text: "How is the weather?" }] }],
      toolConfig: { tools: [{ toolSpec: { name: "weather", inputSchema: { json: parameters } } }], toolChoice: { any: {} } },
    };
    const model = "anthropic.claude-3-5-haiku-20241022-v1:0";
    expect(await call(`/model/${model}/converse${stream ? "-stream" : ""}`, bedrock, of)).toMatchObject({ sharedBytes: 0, tools: 1 });
  });
});
