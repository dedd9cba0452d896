// Answers of Chat Completions, whole and streamed, from OpenAI and those who speak its format; legacy text completions too.
// Not here: requests (chat.ts), how totals come apart (tally.ts). Invariant: usage is what the provider last said, never a sum of what it said.

import type { Usage } from "../core/usage.ts";
import { timingsBusyMs } from "./busy.ts";
import { Calls } from "./calls.ts";
import { Choices } from "./choices.ts";
import { rawText } from "./clip.ts";
import { reportedCost } from "./cost.ts";
import type { AnswerFacts, AnswerStream, Cut, StreamOptions } from "./format.ts";
import { member, scan } from "./scan.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { followEvents } from "./sse.ts";
import { chatNames, codeIn, Doubts, type Fields, fieldsOf, isFields, tally, textIn, toolsOf, usageOf } from "./tally.ts";
import { bytesOf, parseData, stringBytes, valueAt } from "./text.ts";

/** What is known of an answer after one or more objects of it. */
interface Known {
  responseId: string | null;
  model: string | null;
  tier: string | null;
  finish: string | null;
  error: string | null;
  usage: Fields | null;
  raw: string | null;
  busy: { readonly busyMs?: number };
  outputBytes: number;
  readonly calls: Calls;
}

function nothing(): Known {
  return {
    responseId: null,
    model: null,
    tier: null,
    finish: null,
    error: null,
    usage: null,
    raw: null,
    busy: {},
    outputBytes: 0,
    calls: new Calls(),
  };
}

/** Reads a whole JSON answer. Never throws. */
export function readCompletion(text: string): AnswerFacts {
  const doubts = new Doubts();
  const known = nothing();
  const answer = parseText(text);
  if (!isFields(answer)) {
    doubts.miss("the answer is not a JSON object");
    return factsOf(known, doubts, "reported", false);
  }
  learn(known, answer, Buffer.from(text));
  return factsOf(known, doubts, "reported", true);
}

/** Follows a streamed answer. */
export function completionStream(options: StreamOptions): AnswerStream {
  return followEvents(new CompletionReader(options.hideUsage), options.eventBytesMax);
}

/** Of the older text completions. */
export function textStream(options: StreamOptions): AnswerStream {
  return followEvents(new CompletionReader(options.hideUsage, true), options.eventBytesMax);
}

export class CompletionReader implements Reader {
  readonly #hideUsage: boolean;
  readonly #known = nothing();
  readonly #doubts = new Doubts();
  readonly #choices: Choices;
  #final = false;
  #complete = false;

  constructor(hideUsage: boolean, isText = false) {
    this.#hideUsage = hideUsage;
    this.#choices = new Choices(isText);
  }

  get started(): boolean {
    return this.#known.outputBytes > 0;
  }

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  cut(why: Cut): readonly Ending[] {
    return this.#choices.endings(why);
  }

  event(data: string): Fate {
    if (this.#complete) return "pass";
    if (data.startsWith("[DONE]")) {
      this.#complete = true;
      return "hold";
    }
    const bytes = this.#known.responseId === null || this.#known.model === null ? -1 : deltaBytes(data);
    if (bytes >= 0) {
      this.#known.outputBytes += bytes;
      this.#choices.see(data);
      return "pass";
    }
    const chunk = parseData(data);
    if (!isFields(chunk)) {
      this.#doubts.miss("an event of the stream is not a JSON object");
      return "pass";
    }
    const had = this.#known.usage;
    learn(this.#known, chunk, Buffer.from(data, "latin1"));
    this.#choices.learn(chunk);
    if (this.#known.error !== null) {
      this.#complete = true;
      return "hold";
    }
    const extra = Array.isArray(chunk["choices"]) && chunk["choices"].length === 0 && this.#known.usage !== had;
    if (extra) this.#final = true;
    return extra && this.#hideUsage ? "hide" : "pass";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  /** Some servers send no [DONE]: with a finish reason the answer was whole all the same. */
  end(): void {
    if (this.#known.finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    const final = this.#final || this.#complete || this.#known.finish !== null;
    const doubts = this.#doubts.copy();
    return factsOf(this.#known, doubts, final ? "reported" : "partial", this.#complete);
  }
}

/** Bytes generated in a plain delta; -1 when the event has, or may have, anything else to say. */
function deltaBytes(data: string): number {
  const delta = data.indexOf('"delta"');
  if (delta < 0 || data.includes('"delta"', delta + 7)) return -1;
  const usage = valueAt(data, '"usage"', 0);
  if (usage >= 0 && data.charCodeAt(usage) !== 110) return -1;
  const finish = valueAt(data, '"finish_reason"', 0);
  if (finish >= 0 && data.charCodeAt(finish) !== 110) return -1;
  if (data.includes('"error"') || data.includes("_call", delta)) return -1;
  const content = textBytes(data, '"content"', delta);
  const reasoning = textBytes(data, '"reasoning_content"', delta);
  const thought = textBytes(data, '"reasoning"', delta);
  if (content < 0 || reasoning < 0 || thought < 0) return -1;
  const bytes = content + Math.max(reasoning, thought);
  return bytes > 0 ? bytes : -1;
}

/** Bytes of the string at `key`; 0 when it is null or not there; -1 when it is something else. */
function textBytes(data: string, key: string, from: number): number {
  const at = valueAt(data, key, from);
  if (at < 0) return 0;
  const code = data.charCodeAt(at);
  return code === 34 ? stringBytes(data, at) : code === 110 ? 0 : -1;
}

function learn(known: Known, answer: Fields, bytes: Buffer): void {
  known.responseId = textIn(answer["id"]) ?? known.responseId;
  known.model = textIn(answer["model"]) ?? known.model;
  known.tier = textIn(answer["service_tier"]) ?? known.tier;
  known.error = errorOf(answer["error"]) ?? known.error;
  const choices = Array.isArray(answer["choices"]) ? (answer["choices"] as unknown[]) : [];
  for (const choice of choices) {
    const fields = fieldsOf(choice);
    known.finish = textIn(fields["finish_reason"]) ?? known.finish;
    known.error = errorOf(fields["error"]) ?? known.error;
    const message = fieldsOf(fields["delta"] ?? fields["message"]);
    known.outputBytes += bytesOf(fields["text"]) + messageBytes(message);
    known.calls.learn(fields["index"], message);
  }
  if (answer["timings"] !== undefined) known.busy = timingsBusyMs(answer);
  // Groq says its usage in a field of its own, in streams that were not asked for one.
  const groq = fieldsOf(answer["x_groq"]);
  const usage = isFields(answer["usage"]) ? answer["usage"] : groq["usage"];
  if (!isFields(usage)) return;
  known.usage = usage;
  known.raw = rawOf(bytes, isFields(answer["usage"]) ? ["usage"] : ["x_groq", "usage"]);
}

function messageBytes(message: Fields): number {
  // Some servers say the reasoning twice, under two names.
  let bytes = Math.max(bytesOf(message["reasoning_content"]), bytesOf(message["reasoning"]));
  bytes += contentBytes(message["content"]) + bytesOf(message["refusal"]) + bytesOf(fieldsOf(message["audio"])["transcript"]);
  bytes += bytesOf(fieldsOf(message["function_call"])["arguments"]);
  if (Array.isArray(message["tool_calls"]))
    for (const call of message["tool_calls"] as unknown[]) {
      const fields = fieldsOf(call);
      bytes += bytesOf(fieldsOf(fields["function"])["arguments"]) + bytesOf(fieldsOf(fields["custom"])["input"]);
    }
  return bytes;
}

/** Mistral sends content as parts, thinking ones with parts of their own: two levels, and no more is read. */
function contentBytes(content: unknown, levels = 2): number {
  if (!Array.isArray(content)) return bytesOf(content);
  let bytes = 0;
  for (const part of content as unknown[]) {
    const fields = fieldsOf(part);
    bytes += bytesOf(fields["text"]);
    if (levels > 0) bytes += contentBytes(fields["thinking"], levels - 1);
  }
  return bytes;
}

function factsOf(known: Known, doubts: Doubts, source: Usage["source"], complete: boolean): AnswerFacts {
  const { responseId, model, tier, finish, error, outputBytes } = known;
  const quantities = known.usage === null ? {} : tally(known.usage, chatNames, doubts);
  if (known.usage !== null && Object.keys(quantities).length === 0) doubts.say("the usage object holds no counts");
  else if (known.usage !== null) doubtZeros(known.usage, chatNames.input, chatNames.output, outputBytes, doubts);
  const cost = reportedCost(known.raw, doubts);
  const usage = Object.keys(quantities).length === 0 ? null : usageOf(quantities, source, doubts.said, known.raw);
  const tools = toolsOf(known.calls.count, doubts);
  const facts = { responseId, model, tier, finish, usage, outputBytes, ...tools, error, complete, doubts: doubts.said, ...known.busy };
  return cost === undefined ? facts : { ...facts, cost };
}

/** Zeros are what was reported, and stay; but text came, so they are not to be believed. */
export function doubtZeros(usage: Fields, input: string, output: string, outputBytes: number, doubts: Doubts): void {
  if (outputBytes === 0) return;
  const reasoning = fieldsOf(usage["completion_tokens_details"])["reasoning_tokens"];
  if (usage[output] === 0 && !(typeof reasoning === "number" && reasoning > 0))
    doubts.say(`${output} is 0, but ${outputBytes} bytes were generated`);
  if (usage[input] === 0) doubts.say(`${input} is 0, but an answer was generated`);
}

/** The provider's error code or type; `error` where it has neither, for what a provider says in words may repeat the prompt. */
export function errorOf(error: unknown): string | null {
  if (error === undefined || error === null || error === false || error === "") return null;
  const { code, type } = fieldsOf(error);
  return codeIn(error) ?? codeIn(typeof code === "number" ? String(code) : code) ?? codeIn(type) ?? "error";
}

/** The text of the value at `path`, word for word; null when it cannot be had, or is too long to go on record. */
export function rawOf(bytes: Buffer, path: readonly string[]): string | null {
  try {
    let node = member(scan(bytes, path.length), path[0] as string);
    for (const key of path.slice(1)) node = member(node, key);
    return node === undefined ? null : rawText(bytes, node);
  } catch {
    return null;
  }
}

export function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
