// The official clients on streams that the gateway's readers cut after each of their events: a client sees the text that passed, and the
// reason it knows for an answer that came to its cap. Not here: every byte of every stream (test/cut.test.ts). The streams are the sandbox's.

import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Format, FormatName } from "../../src/providers/format.ts";
import { formats } from "../../src/providers/table.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { headOf } from "../fuzz/dress.ts";
import { nodeForClients, noNode } from "../interpreters.ts";

const why = { code: "budget_exhausted", message: "The budget of team Hay is used up.", reckoned: { inputTokens: 40, outputTokens: 9 } };
const prompt = "[[sandbox output-tokens=30 chunk-tokens=4 input-tokens=40]] Go on.";
const messages = [{ role: "user", content: prompt }];

interface Source {
  readonly format: FormatName;
  readonly path: string;
  readonly body: object;
  /** What its clients say of an answer at its cap; a client's own word by its name. */
  readonly finish: Readonly<Record<string, string>>;
  /** Text in an event, as it stands in the stream. */
  readonly text: RegExp;
}

const claude = { anthropic_version: "bedrock-2023-05-31", max_tokens: 99, messages };
const sources: Readonly<Record<string, Source>> = {
  chat: {
    format: "openai-chat",
    path: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages, stream: true },
    finish: { chat: "length", chat_helper: "length", chat_vercel: "length" },
    text: /"content":("(?:[^"\\]|\\.)*")/,
  },
  completions: {
    format: "openai-completions",
    path: "/v1/completions",
    body: { model: "gpt-3.5-turbo-instruct", prompt, max_tokens: 99, stream: true },
    finish: { completions: "length" },
    text: /"text":("(?:[^"\\]|\\.)*")/,
  },
  responses: {
    format: "openai-responses",
    path: "/v1/responses",
    body: { model: "gpt-5-mini", input: prompt, stream: true },
    finish: { responses: "max_output_tokens", responses_helper: "max_output_tokens", responses_vercel: "length" },
    text: /"response.output_text.delta".*"delta":("(?:[^"\\]|\\.)*")/,
  },
  messages: {
    format: "anthropic-messages",
    path: "/v1/messages",
    body: { model: "claude-sonnet-4-5", max_tokens: 99, messages, stream: true },
    finish: { messages: "max_tokens", messages_helper: "max_tokens", messages_vercel: "length" },
    text: /"text_delta","text":("(?:[^"\\]|\\.)*")/,
  },
  gemini: {
    format: "gemini-generate",
    path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    body: { contents: [{ role: "user", parts: [{ text: prompt }] }] },
    finish: { gemini: "MAX_TOKENS", gemini_chat: "MAX_TOKENS", gemini_vercel: "length" },
    text: /"text":("(?:[^"\\]|\\.)*")/,
  },
  ollama: {
    format: "ollama-generate",
    path: "/api/chat",
    body: { model: "llama3.2", messages },
    finish: { ollama: "length" },
    text: /"content":("(?:[^"\\]|\\.)*")/,
  },
  converse: {
    format: "bedrock-converse",
    path: "/model/amazon.nova-lite-v1:0/converse-stream",
    body: { messages: [{ role: "user", content: [{ text: prompt }] }] },
    finish: { converse: "max_tokens", converse_vercel: "length" },
    text: /"delta":\{"text":("(?:[^"\\]|\\.)*")/,
  },
  invoke: {
    format: "bedrock-invoke",
    path: "/model/anthropic.claude-sonnet-4-5-20250929-v1:0/invoke-with-response-stream",
    body: claude,
    finish: { invoke: "max_tokens" },
    text: /"text_delta","text":("(?:[^"\\]|\\.)*")/,
  },
  cohere: {
    format: "cohere-chat",
    path: "/v2/chat",
    body: { model: "command-a-03-2025", messages, stream: true },
    finish: { cohere: "MAX_TOKENS", cohere_vercel: "length" },
    text: /"content":\{(?:"type":"text",)?"text":("(?:[^"\\]|\\.)*")/,
  },
};

interface Recorded {
  readonly format: Format;
  readonly type: string;
  readonly events: readonly Buffer[];
  /** After how many events what completes the answer is there. */
  readonly complete: number;
}

interface Seen {
  readonly label: string;
  readonly passed: number;
  readonly text?: string;
  readonly finish?: string;
  readonly error?: string;
}

const available = nodeForClients() !== null;
const recordings = new Map<string, Recorded>();
let server: Server | undefined;
let seen: readonly Seen[] = [];

beforeAll(async () => {
  const node = nodeForClients();
  if (node === null) return;
  const sandbox = await startSandbox({ seed: 11 });
  for (const [name, { format, path, body }] of Object.entries(sources)) {
    const headers = {
      "content-type": "application/json",
      authorization: "Bearer sandbox",
      "x-api-key": "sandbox",
      "x-goog-api-key": "sandbox",
    };
    const answer = await fetch(sandbox.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const type = answer.headers.get("content-type") ?? "";
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([name, answer.status]).toEqual([name, 200]);
    const events = split(type, bytes);
    const found = formats.get(format) as Format;
    const stream = found.stream({ hideUsage: false, head: headOf(type) });
    let complete = 0;
    while (complete < events.length && stream.held.length === 0) stream.push(events[complete++] as Buffer);
    recordings.set(name, { format: found, type, events, complete });
  }
  await sandbox.close();
  server = createServer((request, response) => {
    const [, label = "", passed = ""] = (request.url ?? "").split("/");
    const { format, type, events } = recordings.get(label.split(/_|%20/)[0] as string) as Recorded;
    request.resume();
    response.writeHead(200, { "content-type": type });
    const stream = format.stream({ hideUsage: false, head: headOf(type) });
    for (const event of events.slice(0, Number(passed))) for (const bytes of stream.push(event)) response.write(bytes);
    if (Number(passed) === events.length) for (const bytes of [...stream.end(), ...stream.held]) response.write(bytes);
    for (const bytes of stream.cut(why) ?? []) response.write(bytes);
    response.end();
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = Object.entries(sources).flatMap(([name, { finish }]) =>
    Object.keys(finish).map((label) => [label, (recordings.get(name) as Recorded).complete - 1] as const),
  );
  const script = fileURLToPath(new URL("cut.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(node, [script, url, JSON.stringify(Object.fromEntries(asked))], { maxBuffer: 1 << 26 });
  seen = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Seen);
}, 120_000);
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The events of a stream, each with what ends it. */
function split(type: string, bytes: Buffer): Buffer[] {
  if (type.includes("eventstream")) {
    const events: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) events.push(bytes.subarray(at, at + bytes.readUInt32BE(at)));
    return events;
  }
  const end = type.includes("event-stream") ? /(?<=\r?\n\r?\n)(?=[^\r\n])/ : /(?<=\n)(?=.)/;
  return bytes
    .toString("utf8")
    .split(end)
    .map((event) => Buffer.from(event));
}

/** An event's text; of one that holds another in base64, that one's. */
function plain(event: Buffer): string {
  const own = /"bytes":"([^"]*)"/.exec(event.toString("latin1"))?.[1];
  return own === undefined ? event.toString("utf8") : Buffer.from(own, "base64").toString("utf8");
}

/** The text of the first events. */
function textOf({ events }: Recorded, passed: number, pattern: RegExp): string {
  const found = events.slice(0, passed).map((event) => pattern.exec(plain(event))?.[1]);
  return found.map((text) => (text === undefined ? "" : (JSON.parse(text) as string))).join("");
}

/** The answer has said itself why it finished. */
const finished = /"(?:finish_reason|finishReason|stop_reason|done_reason|stopReason)":"(?!")/;

describe.each(Object.entries(sources))("%s", (name, { finish, text }) => {
  it.each(Object.keys(finish))("%s", (label) => {
    const recorded = recordings.get(name);
    if (recorded === undefined) return;
    const lines = seen.filter((line) => line.label === label);
    expect(lines).toHaveLength(recorded.complete);
    let cuts = 0;
    for (const { passed, error, ...line } of lines) {
      const isOver = recorded.events.slice(0, passed).some((event) => finished.test(plain(event)));
      // Of what has not begun, these two formats can say nothing but that it failed.
      if (passed === 0 && ["messages", "invoke"].includes(name)) expect(error).toContain(why.message);
      else {
        expect({ passed, error }).toEqual({ passed, error: undefined });
        expect({ passed, text: line.text }).toEqual({ passed, text: textOf(recorded, passed, text) });
        if (!isOver) {
          expect({ passed, finish: line.finish }).toEqual({ passed, finish: finish[label] });
          cuts++;
        }
      }
    }
    expect(cuts).toBeGreaterThan(3);
  });
});

it.skipIf(available)(noNode, () => {});
