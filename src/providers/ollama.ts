// Ollama's own API: chat, generate, and what it counts. Streams are lines of JSON, and the default; the line with `done` completes the answer.
// Not here: its OpenAI-like paths (chat.ts), embeddings (retrieval.ts). Invariant: a count that is missing is unknown, whatever the model did:
// servers before July 2024 leave out the prompt's where it was cached.

import type { UsageClass } from "../core/usage.ts";
import { durationBusyMs } from "./busy.ts";
import { capper } from "./capping.ts";
import { clippedOf, modelOf, wordCharactersMax } from "./clip.ts";
import { errorOf, parseText } from "./completion.ts";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, Format, RequestFacts, RequestLine, StreamOptions } from "./format.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { followLines } from "./lines.ts";
import { mostCap } from "./most.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { ollamaRefusal } from "./refuse.ts";
import { member, type Node, scan, stringOf, textOf, wholeOf } from "./scan.ts";
import { Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf, usageOf } from "./tally.ts";
import { bytesOf, encode, parseData } from "./text.ts";

export const ollamaGenerate: Format = {
  name: "ollama-generate",
  request: readRequest,
  answer: readAnswer,
  isStream: isLineStream,
  stream: lineStream,
  refusal: ollamaRefusal,
};

const places = [["options", "num_predict"]] as const;

/** 0, and less, stand for no cap. */
function positiveOf(body: Buffer, node: Node | undefined): number | null {
  return wholeOf(body, node) || null;
}

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  prompt.tools(member(root, "tools"), (tool) => stringOf(body, member(member(tool, "function"), "name")));
  const system = member(root, "system");
  if (isGiven(system)) {
    prompt.system(system);
    prompt.block(system);
  }
  const template = member(root, "template");
  if (isGiven(template)) prompt.system(template);
  // What generate gave back as its context is sent again: one number for each token.
  const context = member(root, "context");
  if (isGiven(context)) {
    prompt.earlier(context);
    prompt.block(context);
  }
  let media = { user: 0, earlier: 0 };
  const messages = member(root, "messages");
  for (const message of messages?.kind === "array" ? messages.values : []) media = readMessage(prompt, message, media);
  const suffix = member(root, "suffix");
  if (isGiven(suffix)) prompt.earlier(suffix);
  const text = member(root, "prompt");
  if (isGiven(text)) {
    prompt.user(text);
    prompt.block(text);
  }
  if (member(root, "images")?.values.length) prompt.widen("media of unknown tokens: images");

  const cap = mostCap(body, root, places, positiveOf);
  const { bytes } = prompt;
  return {
    model: modelOf(body, member(root, "model")) ?? line.model,
    modelSpan: spanOf(member(root, "model")),
    streamed: !isFalse(body, member(root, "stream")),
    background: false,
    tier: null,
    cap,
    capField: cap === null ? null : "num_predict",
    setCap: capper(root, places, ["options", "num_predict"]),
    thinking: null,
    choices: 1,
    effort: effortOf(body, member(root, "think")),
    unbounded: prompt.unbounded,
    reach: prompt.reach(),
    promptBytes: { ...bytes, user: bytes.user - media.user, earlier: bytes.earlier - media.earlier },
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}

interface Media {
  readonly user: number;
  readonly earlier: number;
}

/** Images stand beside the content, as base64: their bytes say nothing of tokens, and are taken out again. */
function readMessage(prompt: Prompt, message: Node, media: Media): Media {
  prompt.block(message);
  const role = stringOf(prompt.body, member(message, "role"));
  const images = member(message, "images");
  const bytes = images?.kind === "array" && images.values.length > 0 ? images.end - images.start : 0;
  if (bytes > 0) prompt.widen("media of unknown tokens: images");
  if (role === "user") {
    prompt.user(message);
    return { user: bytes, earlier: media.earlier + media.user };
  }
  if (role === "system") prompt.system(message);
  else if (role === "tool") prompt.result(message);
  else {
    prompt.earlier(message);
    return { ...media, earlier: media.earlier + bytes };
  }
  return media;
}

function isGiven(node: Node | undefined): node is Node {
  return node !== undefined && node.kind !== "null";
}

function isFalse(body: Buffer, node: Node | undefined): boolean {
  return node?.kind === "boolean" && textOf(body, node) === "false";
}

/** `think` is a switch, or a level. */
function effortOf(body: Buffer, node: Node | undefined): string | null {
  if (node?.kind === "boolean") return isFalse(body, node) ? "none" : "thinking";
  return clippedOf(body, node, wordCharactersMax);
}

/** Lines of JSON by their name, or what came of a request for a stream that is neither an error nor plain JSON. */
function isLineStream({ type, status }: AnswerHead, asked: boolean): boolean {
  return type.includes("ndjson") || (asked && status < 300 && !type.includes("json"));
}

function lineStream({ eventBytesMax }: StreamOptions): AnswerStream {
  return followLines(new LineReader(), eventBytesMax);
}

/** What is known of an answer after one or more objects of it. */
interface Known {
  model: string | null;
  finish: string | null;
  error: string | null;
  done: boolean;
  outputBytes: number;
  tools: number;
  counts: Fields;
  raw: string | null;
}

function nothing(): Known {
  return { model: null, finish: null, error: null, done: false, outputBytes: 0, tools: 0, counts: {}, raw: null };
}

/** Reads a whole JSON answer. Never throws. */
function readAnswer(text: string): AnswerFacts {
  const doubts = new Doubts();
  const known = nothing();
  const answer = parseText(text);
  if (isFields(answer)) learn(known, answer, text, "utf8");
  else doubts.miss("the answer is not a JSON object");
  return factsOf(known, doubts, known.done || known.error !== null);
}

class LineReader implements Reader {
  readonly #known = nothing();
  readonly #doubts = new Doubts();
  /** The last line that passed. */
  #last: Fields = {};
  #complete = false;

  get started(): boolean {
    return this.#known.outputBytes > 0;
  }

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  /** Counts and durations are left out: nobody has said them. */
  cut({ code, message }: Cut): readonly Ending[] {
    const { model = "", created_at } = this.#last;
    const nothing = this.#last["response"] === undefined ? { message: { role: "assistant", content: "" } } : { response: "" };
    const done = { done: true, done_reason: "length", pennyworth: { code, message } };
    return [{ data: encode({ model, ...(created_at === undefined ? {} : { created_at }), ...nothing, ...done }) }];
  }

  event(data: string): Fate {
    if (this.#complete) return "pass";
    const line = parseData(data);
    if (!isFields(line)) {
      this.#doubts.miss("a line of the stream is not a JSON object");
      return "pass";
    }
    learn(this.#known, line, data, "latin1");
    this.#last = line;
    this.#complete = this.#known.done || this.#known.error !== null;
    return this.#complete ? "hold" : "pass";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`a line of ${bytes} bytes passed unread`);
  }

  end(): void {}

  facts(): AnswerFacts {
    const doubts = this.#doubts.copy();
    return factsOf(this.#known, doubts, this.#complete);
  }
}

/** @param text the object as it stands in the answer. */
function learn(known: Known, answer: Fields, text: string, encoding: "utf8" | "latin1"): void {
  known.model = textIn(answer["model"]) ?? known.model;
  known.error = errorOf(answer["error"]) ?? known.error;
  const message = fieldsOf(answer["message"]);
  known.outputBytes += bytesOf(answer["response"]) + bytesOf(answer["thinking"]);
  known.outputBytes += bytesOf(message["content"]) + bytesOf(message["thinking"]);
  for (const call of Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : []) {
    const given = fieldsOf(fieldsOf(call)["function"])["arguments"];
    known.tools += 1;
    known.outputBytes += isFields(given) ? Buffer.byteLength(JSON.stringify(given)) : bytesOf(given);
  }
  if (answer["done"] !== true) return;
  known.done = true;
  known.finish = textIn(answer["done_reason"]);
  known.counts = answer;
  known.raw = countsOf(Buffer.from(text, encoding));
}

const countKeys = [
  "total_duration",
  "load_duration",
  "prompt_eval_count",
  "prompt_eval_cached_count",
  "prompt_eval_duration",
  "eval_count",
  "eval_duration",
];

/** Counts and durations (nanoseconds), each word for word: they stand beside the answer's text, which goes on no record. */
function countsOf(bytes: Buffer): string | null {
  const root = scanned(bytes);
  const said = countKeys.flatMap((key) => {
    const node = member(root, key);
    return node?.kind === "number" || node?.kind === "null" ? [`"${key}":${textOf(bytes, node)}`] : [];
  });
  return said.length === 0 ? null : `{${said.join(",")}}`;
}

function scanned(bytes: Buffer): Node | undefined {
  try {
    return scan(bytes, 1);
  } catch {
    return undefined;
  }
}

function factsOf(known: Known, doubts: Doubts, complete: boolean): AnswerFacts {
  const { model, finish, error, outputBytes } = known;
  const quantities = known.done ? quantitiesOf(known, doubts) : {};
  const usage = Object.keys(quantities).length === 0 ? null : usageOf(quantities, "reported", doubts.said, known.raw);
  const facts = {
    responseId: null,
    model,
    tier: null,
    finish,
    usage,
    outputBytes,
    ...toolsOf(known.tools, doubts),
    error,
    complete,
    doubts: doubts.said,
  };
  return { ...facts, ...durationBusyMs(known.counts) };
}

/** Disjoint classes out of the counts; the cached part is inside the prompt's. */
function quantitiesOf({ counts, finish, outputBytes }: Known, doubts: Doubts): { [name in UsageClass]?: number } {
  const input = doubts.count(counts, "prompt_eval_count");
  const cached = doubts.count(counts, "prompt_eval_cached_count");
  const output = doubts.count(counts, "eval_count");
  // A request without a prompt only loads a model, or unloads it: nothing was sampled, and that is known.
  if ((finish === "load" || finish === "unload") && outputBytes === 0) return { input: input ?? 0, output: output ?? 0 };
  const quantities: { [name in UsageClass]?: number } = {};
  if (input === undefined) doubts.say("prompt_eval_count is missing");
  if (output === undefined) doubts.say("eval_count is missing");
  if (output === 0 && outputBytes > 0) doubts.say(`eval_count is 0, but ${outputBytes} bytes were generated`);
  if (input === 0) doubts.say("prompt_eval_count is 0, but an answer was generated");
  const fits = cached === undefined || input === undefined || cached <= input;
  if (!fits) doubts.say(`prompt_eval_cached_count is ${cached}, more than prompt_eval_count ${input}: counted whole, without it`);
  if (cached !== undefined && fits) quantities.cache_read = cached;
  if (input !== undefined) quantities.input = input - (fits ? (cached ?? 0) : 0);
  if (output !== undefined) quantities.output = output;
  return quantities;
}
