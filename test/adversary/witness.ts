// A hostile provider, and the witness: two wire formats over HTTP, doing to each try what its ask says, and keeping what it really billed.
// Not here: what that ought to be (oracle.ts). Invariant: every try that arrived is on its books once, at its own prices.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Ask, type Step, usedBy } from "./ask.ts";
import { type Amounts, bill, none, offers, type Target, type Used } from "./tariff.ts";

/** One try, as its provider knows it. Times are of the harness's steady clock, ms. */
export interface Try {
  readonly ask: Ask;
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly target: Target;
  readonly step: Step;
  /** The cap that arrived; null: none. */
  readonly cap: number | null;
  readonly arrivedMs: number;
  /** What it costs. */
  billed: Amounts;
  /** It was refused by the provider, and costs nothing. */
  failed: boolean;
  /** Its usage was written to its last byte. */
  reported: boolean;
  /** Its answer was about to be written to its end; null: it never was. */
  endedMs: number | null;
  /** The provider has done with it. */
  over: boolean;
}

export interface Witness {
  readonly url: string;
  readonly tries: readonly Try[];
  /** By ask, in order of arrival. */
  triesOf(id: string): readonly Try[];
  expect(ask: Ask): void;
  /** Requests that nobody asked for. */
  readonly strangers: readonly string[];
  close(): Promise<void>;
}

export async function startWitness(): Promise<Witness> {
  const asks = new Map<string, Ask>();
  const tries: Try[] = [];
  const byAsk = new Map<string, Try[]>();
  const strangers: string[] = [];
  const server = createServer((request, response) => {
    void serve(request, response).catch((cause: unknown) => {
      strangers.push(String(cause));
      response.destroy();
    });
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on("error", () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const ask = asks.get(/"content":"([a-z]\d+) /.exec(text)?.[1] ?? "");
    const provider = /^\/([a-z]+)\//.exec(request.url ?? "")?.[1] ?? "";
    const offer = offers.find((one) => one.provider === provider);
    if (ask === undefined || offer === undefined) {
      strangers.push(`${request.url}: ${text.slice(0, 200)}`);
      response.writeHead(404).end("{}");
      return;
    }
    const asked = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const cap = [asked["max_completion_tokens"], asked["max_tokens"]].find((value) => typeof value === "number");
    const before = byAsk.get(ask.id) ?? [];
    if (request.url?.endsWith("/count_tokens") === true) {
      count(ask, before.length, { provider, model: String(asked["model"]) }, response);
      return;
    }
    const step = ask.steps[Math.min(before.length, ask.steps.length - 1)] as Step;
    const target = { provider, model: String(asked["model"]) };
    const one: Try = {
      ask,
      number: before.length + 1,
      target,
      step,
      cap: cap ?? null,
      arrivedMs: performance.now(),
      billed: none,
      failed: false,
      reported: false,
      endedMs: null,
      over: false,
    };
    byAsk.set(ask.id, [...before, one]);
    tries.push(one);
    await answer(one, response).finally(() => (one.over = true));
  };
  const url = await listen(server);
  return {
    url,
    tries,
    triesOf: (id) => byAsk.get(id) ?? [],
    expect: (ask) => void asks.set(ask.id, ask),
    strangers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", 2_048, () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

/** A count falls short by as much as an estimate may (docs/caps.md): a fiftieth, and 64 tokens. */
function count(ask: Ask, tries: number, target: Target, response: ServerResponse): void {
  const step = ask.steps[Math.min(tries, ask.steps.length - 1)] as Step;
  if (step.outputShare % 7 === 0) {
    response.writeHead(step.outputShare % 2 === 0 ? 500 : 404).end("{}");
    return;
  }
  const { input, read, write5m, write1h } = usedBy(ask, step, target, ask.cap);
  const tokens = Math.max(0, Math.ceil(((input + read + write5m + write1h - 64) * 1_000) / 1_020));
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ input_tokens: tokens }));
}

async function answer(one: Try, response: ServerResponse): Promise<void> {
  const { ask, step, target } = one;
  const { conduct } = step;
  if (conduct === "429" || conduct === "500" || conduct === "503") {
    one.failed = true;
    const error = { message: "no", type: "error", code: "no" };
    response.writeHead(Number(conduct), { "content-type": "application/json" }).end(JSON.stringify({ error }));
    return;
  }
  const used = usedBy(ask, step, target, one.cap);
  // It works on, whoever listens: but for the one that stops.
  one.billed = bill(target, used);
  if (conduct === "hang") return gone(response);
  await pause(1 + (step.inputShare % 20));
  if (ask.streamed) return stream(one, used, response);
  const body = JSON.stringify(whole(one, used));
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  if (conduct === "cut" || conduct === "stall") {
    response.write(body.slice(0, body.length >> 1));
    await pause(5);
    if (conduct === "cut") response.destroy();
    else await gone(response);
    return;
  }
  one.reported = conduct !== "mute";
  one.endedMs = performance.now();
  response.end(body);
}

/** A word at a time. Most of what it bills is never seen: it thinks, and does not say so. */
async function stream(one: Try, used: Used, response: ServerResponse): Promise<void> {
  const { ask, step, target } = one;
  const { conduct } = step;
  const words = ask.unbounded ? used.output : Math.min(used.output, 2 + (step.outputShare % 9));
  const events = ask.wire === "chat" ? chatEvents(one, used, words) : claudeEvents(one, used, words);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const breaksAt = conduct === "cut" || conduct === "stall" ? 1 + (step.inputShare % Math.max(1, words)) : Infinity;
  for (const [index, event] of events.entries()) {
    if (response.destroyed && target.provider === "quick") {
      // What was generated until then.
      one.billed = bill(target, { ...used, output: Math.min(used.output, Math.max(1, Math.ceil((used.output * index) / events.length))) });
      return;
    }
    if (index === breaksAt) {
      if (conduct === "stall") return gone(response);
      response.destroy();
      return;
    }
    if (index === events.length - 1) one.endedMs = performance.now();
    response.write(event);
    if (index < words) await pause(1 + (step.inputShare % 15));
  }
  one.reported = conduct !== "mute";
  response.end();
}

/** Tokens of an answer of which no byte shows: ends of turns. */
const frameTokens = 48;

function whole({ ask, step, target, number }: Try, used: Used): object {
  const isMute = step.conduct === "mute";
  const id = `${ask.id}-${number}`;
  // Of a model that is known not to think, every token but of the frame is seen, too.
  const content = target.provider === "quick" ? "Yes.".padEnd(used.output - frameTokens, "s") : "Yes.";
  if (ask.wire === "chat") {
    const choices = Array.from({ length: ask.size.choices }, (_, index) => ({
      index,
      message: { role: "assistant", content },
      finish_reason: "stop",
    }));
    return { id, object: "chat.completion", created: 1, model: target.model, choices, ...(isMute ? {} : { usage: chatUsage(used) }) };
  }
  const blocks = [{ type: "text", text: content }];
  const usage = isMute ? {} : { usage: claudeUsage(used) };
  return {
    id,
    type: "message",
    role: "assistant",
    model: target.model,
    content: blocks,
    stop_reason: "end_turn",
    stop_sequence: null,
    ...usage,
  };
}

function chatUsage({ input, read, output }: Used): object {
  return {
    prompt_tokens: input + read,
    completion_tokens: output,
    total_tokens: input + read + output,
    prompt_tokens_details: { cached_tokens: read },
    completion_tokens_details: { reasoning_tokens: output >> 1 },
  };
}

function claudeUsage({ input, read, write5m, write1h, output }: Used): object {
  return {
    input_tokens: input,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: write5m + write1h,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: output,
  };
}

function chatEvents({ ask, step, target, number }: Try, used: Used, words: number): string[] {
  const head = { id: `${ask.id}-${number}`, object: "chat.completion.chunk", created: 1, model: target.model };
  const chunk = (more: object): string => `data: ${JSON.stringify({ ...head, ...more })}\n\n`;
  const { choices } = ask.size;
  // Of a model that is known not to think, every token is seen: at least a byte of it.
  const content = target.provider === "quick" ? "yes ".padEnd(Math.ceil(used.output / words), "y") : "yes ";
  const deltas = Array.from({ length: words }, (_, index) =>
    chunk({ choices: [{ index: index % choices, delta: { content }, finish_reason: null }] }),
  );
  const ends = Array.from({ length: choices }, (_, index) => chunk({ choices: [{ index, delta: {}, finish_reason: "stop" }] }));
  const usage = step.conduct === "mute" ? [] : [chunk({ choices: [], usage: chatUsage(used) })];
  return [...deltas, ...ends, ...usage, "data: [DONE]\n\n"];
}

function claudeEvents({ ask, step, target, number }: Try, used: Used, words: number): string[] {
  const isMute = step.conduct === "mute";
  const message = { id: `${ask.id}-${number}`, type: "message", role: "assistant", model: target.model, content: [] };
  const begun = isMute ? {} : { usage: claudeUsage({ ...used, output: 1 }) };
  const ended = isMute ? {} : { usage: { output_tokens: used.output } };
  return [
    event("message_start", { message: { ...message, stop_reason: null, stop_sequence: null, ...begun } }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...Array.from({ length: words }, () => event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "y " } })),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, ...ended }),
    event("message_stop", {}),
  ];
}

function event(type: string, more: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

function gone(response: ServerResponse): Promise<void> {
  return response.destroyed ? Promise.resolve() : new Promise((resolve) => response.once("close", () => resolve()));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
