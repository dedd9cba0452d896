// Cohere's chat (v2, and v1 of one message and its history): requests, answers whole and streamed, and what Cohere bills. `billed_units` is what is paid; `tokens` also holds what
// Cohere and the models add of their own, and is not billed (Cohere: how does pricing work). `cached_tokens` is a part of those, at no price
// of its own: it stays in the raw usage. Not here: embeddings and reranking (retrieval.ts).

import type { UsageClass } from "../core/usage.ts";
import { capper } from "./capping.ts";
import { clippedOf, modelOf, wordCharactersMax } from "./clip.ts";
import { parseText, rawOf } from "./completion.ts";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, Format, RequestFacts, RequestLine, StreamOptions } from "./format.ts";
import { type Ending, eventBytesMax as textBytesMax, type Fate, type Reader } from "./frames.ts";
import { followLines } from "./lines.ts";
import { mostCap } from "./most.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { cohereRefusal } from "./refuse.ts";
import { isTrue, member, type Node, stringOf, wholeOf } from "./scan.ts";
import { followEvents, isEventStream } from "./sse.ts";
import { codeIn, Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf, usageOf } from "./tally.ts";
import { bytesOf, encode, parseData } from "./text.ts";

export const cohereChat: Format = {
  name: "cohere-chat",
  request: readRequest,
  answer: readAnswer,
  isStream: (head, asked) => isLines(head) || isEventStream(head, asked),
  stream: chatStream,
  refusal: cohereRefusal,
};

const places = [[null, "max_tokens"]] as const;

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  prompt.tools(member(root, "tools"), (tool) => stringOf(body, member(member(tool, "function"), "name") ?? member(tool, "name")));
  if (member(root, "connectors")?.values.length) prompt.unbound("server tools without a cap: connectors");
  const documents = member(root, "documents");
  if (documents !== undefined && documents.kind !== "null") {
    prompt.result(documents);
    prompt.block(documents);
  }
  const messages = member(root, "messages");
  for (const message of messages?.kind === "array" ? messages.values : []) readMessage(prompt, message);
  readOlder(prompt);
  const cap = mostCap(body, root, places);
  const thinking = member(root, "thinking");
  const budget = wholeOf(body, member(thinking, "token_budget"));
  return {
    model: modelOf(body, member(root, "model")) ?? line.model,
    modelSpan: spanOf(member(root, "model")),
    streamed: isTrue(body, member(root, "stream")),
    background: false,
    tier: null,
    cap,
    capField: cap === null ? null : "max_tokens",
    setCap: capper(root, places, [null, "max_tokens"]),
    thinking: budget,
    choices: 1,
    effort: budget === null ? clippedOf(body, member(thinking, "type"), wordCharactersMax) : `budget:${budget}`,
    unbounded: prompt.unbounded,
    reach: prompt.reach(),
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    isContinued: stringOf(body, member(root, "conversation_id")) !== null,
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}

/** What only v1 has: an instruction, what was said before, results of tools, and one message that the answer is to. */
function readOlder(prompt: Prompt): void {
  const { body, root } = prompt;
  const preamble = member(root, "preamble");
  if (preamble?.kind === "string") {
    prompt.block(preamble);
    prompt.system(preamble);
  }
  const history = member(root, "chat_history");
  for (const turn of history?.kind === "array" ? history.values : []) readMessage(prompt, turn);
  const message = member(root, "message");
  if (message?.kind === "string") {
    prompt.block(message);
    prompt.user(message);
  }
  const results = member(root, "tool_results");
  if (results?.kind === "array") {
    prompt.block(results);
    prompt.result(results);
  }
  if (stringOf(body, member(root, "conversation_id")) !== null) prompt.widen("context held by the provider: conversation_id");
}

function readMessage(prompt: Prompt, message: Node): void {
  prompt.block(message);
  const role = stringOf(prompt.body, member(message, "role"))?.toLowerCase();
  if (role === "system") prompt.system(message);
  else if (role === "tool") prompt.result(message);
  else if (role === "user") prompt.user(message);
  else prompt.earlier(message);
}

/** What is known of an answer after one or more parts of it. */
interface Known {
  responseId: string | null;
  finish: string | null;
  error: string | null;
  usage: Fields | null;
  raw: string | null;
  outputBytes: number;
  tools: number;
}

function nothing(): Known {
  return { responseId: null, finish: null, error: null, usage: null, raw: null, outputBytes: 0, tools: 0 };
}

/** Reads a whole JSON answer. Never throws. */
function readAnswer(text: string, { status }: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const known = nothing();
  const answer = parseText(text);
  if (isFields(answer)) {
    known.responseId = textIn(answer["id"]) ?? textIn(answer["response_id"]);
    known.outputBytes = messageBytes(fieldsOf(answer["message"])) + bytesOf(answer["text"]) + parametersBytes(answer["tool_calls"]);
    known.tools = callsIn(fieldsOf(answer["message"])["tool_calls"]) + callsIn(answer["tool_calls"]);
    finishWith(known, answer, rawOf(Buffer.from(text), [isFields(answer["usage"]) ? "usage" : "meta"]));
    known.error ??= errorIn(answer, status);
  } else doubts.miss("the answer is not a JSON object");
  return factsOf(known, doubts, isFields(answer));
}

/** v1 streams lines of JSON, unless it is asked for events. */
function isLines({ type }: AnswerHead): boolean {
  return type.includes("stream+json");
}

function chatStream({ head, eventBytesMax }: StreamOptions): AnswerStream {
  return isLines(head) ? followLines(new ChatReader(), eventBytesMax) : followEvents(new ChatReader(), eventBytesMax);
}

/** What is open after an event, and what ends it. A tool call that was not written to its end stays open, for clients run what is closed. */
const closing: Readonly<Record<string, string>> = { "content-start": "content-end", "citation-start": "citation-end" };

class ChatReader implements Reader {
  readonly #known = nothing();
  readonly #doubts = new Doubts();
  readonly #open = new Map<string, Fields>();
  #begun = false;
  /** v1 says the whole text again at its end. */
  #older: string | null = null;
  #complete = false;

  get started(): boolean {
    return this.#known.outputBytes > 0;
  }

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  /** Vercel's client fails on an end without counts; Cohere's own does not. */
  cut({ code, message, reckoned }: Cut): readonly Ending[] {
    const id = this.#known.responseId;
    const pennyworth = { code, message };
    const tokens = reckoned === undefined ? null : { input_tokens: reckoned.inputTokens, output_tokens: reckoned.outputTokens };
    if (this.#older !== null) {
      const response = { response_id: id, text: this.#older, finish_reason: "MAX_TOKENS" };
      const end = { is_finished: true, event_type: "stream-end", finish_reason: "MAX_TOKENS", response, pennyworth };
      return [{ name: "stream-end", data: encode(end) }];
    }
    const endings: Ending[] = [];
    const say = (type: string, fields: Fields): void => void endings.push({ name: type, data: encode({ type, ...fields }) });
    if (!this.#begun) say("message-start", { delta: { message: { role: "assistant" } } });
    for (const { type, index } of this.#open.values()) say(type as string, { index });
    const usage = tokens === null ? {} : { usage: { tokens } };
    const said = tokens === null ? pennyworth : { ...pennyworth, estimated: ["usage"] };
    say("message-end", { ...(id === null ? {} : { id }), delta: { finish_reason: "MAX_TOKENS", ...usage }, pennyworth: said });
    return endings;
  }

  #see(type: string, event: Fields): void {
    if (event["event_type"] !== undefined) {
      const text = (this.#older ?? "") + (type === "text-generation" ? (textIn(event["text"]) ?? "") : "");
      if (text.length <= textBytesMax) this.#older = text;
      return;
    }
    this.#begun = true;
    const end = closing[type];
    if (end !== undefined) this.#open.set(`${end} ${String(event["index"])}`, { type: end, index: event["index"] });
    else if (type.endsWith("-end")) this.#open.delete(`${type} ${String(event["index"])}`);
  }

  event(data: string): Fate {
    if (this.#complete || data.startsWith("[DONE]")) return "pass";
    const event = parseData(data);
    if (!isFields(event)) {
      this.#doubts.miss("an event of the stream is not a JSON object");
      return "pass";
    }
    const known = this.#known;
    const type = textIn(event["type"]) ?? textIn(event["event_type"]);
    known.responseId = textIn(event["id"]) ?? known.responseId;
    const delta = fieldsOf(event["delta"]);
    if (type === "message-end") finishWith(known, delta, rawOf(Buffer.from(data, "latin1"), ["delta", "usage"]));
    else if (type === "stream-end") endOlder(known, event, data);
    else if (type === null) known.error = errorIn(event, 0);
    else {
      known.outputBytes += messageBytes(fieldsOf(delta["message"])) + olderBytes(type, event);
      known.tools += callsIn(type === "tool-calls-generation" ? event["tool_calls"] : fieldsOf(delta["message"])["tool_calls"]);
      this.#see(type, event);
    }
    this.#complete = type === "message-end" || type === "stream-end" || known.error !== null;
    return this.#complete ? "hold" : "pass";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {}

  facts(): AnswerFacts {
    const doubts = this.#doubts.copy();
    return factsOf(this.#known, doubts, this.#complete);
  }
}

/** v1 ends in the whole answer once more. Without it no usage is known. */
function endOlder(known: Known, event: Fields, data: string): void {
  const response = fieldsOf(event["response"]);
  known.responseId = textIn(response["response_id"]) ?? known.responseId;
  finishWith(known, { finish_reason: event["finish_reason"], ...response }, rawOf(Buffer.from(data, "latin1"), ["response", "meta"]));
}

/** What an event of v1 brings anew. Calls come in chunks, and then whole: counted then. */
function olderBytes(type: string, event: Fields): number {
  if (type === "text-generation") return bytesOf(event["text"]);
  return type === "tool-calls-generation" ? parametersBytes(event["tool_calls"]) : 0;
}

/** v1 gives a call's arguments as an object, here measured as it is written. */
function parametersBytes(calls: unknown): number {
  if (!Array.isArray(calls)) return 0;
  return (calls as unknown[]).reduce<number>((bytes, call) => {
    const { parameters } = fieldsOf(call);
    return bytes + (isFields(parameters) ? Buffer.byteLength(JSON.stringify(parameters)) : 0);
  }, 0);
}

/** Takes what ends an answer: why it ended, and its usage; v1 has that in its `meta`. */
function finishWith(known: Known, ending: Fields, raw: string | null): void {
  known.finish = textIn(ending["finish_reason"]);
  const failed = known.finish !== null && /^(ERROR|TIMEOUT)/.test(known.finish);
  if (failed || typeof ending["error"] === "string") known.error = codeIn(ending["error"]) ?? known.finish ?? "error";
  const usage = isFields(ending["usage"]) ? ending["usage"] : ending["meta"];
  if (!isFields(usage)) return;
  known.usage = usage;
  known.raw = raw;
}

/** Cohere's errors are a message and no code; the message goes on no record. An answer's `message` is an object. */
export function errorIn(answer: Fields, status: number): string | null {
  return status >= 400 || typeof answer["message"] === "string" ? "error" : null;
}

/** Text, thinking, plan and arguments. In a stream the content and the calls of a message are one object each, not lists. */
function messageBytes(message: Fields): number {
  let bytes = bytesOf(message["tool_plan"]);
  for (const part of listOf(message["content"])) {
    const fields = fieldsOf(part);
    bytes += bytesOf(fields["text"]) + bytesOf(fields["thinking"]);
  }
  for (const call of listOf(message["tool_calls"])) bytes += bytesOf(fieldsOf(fieldsOf(call)["function"])["arguments"]);
  return bytes;
}

/** Only where a call begins it has a name: v1 has it beside the parameters. */
function callsIn(calls: unknown): number {
  return listOf(calls).filter((call) => textIn(fieldsOf(fieldsOf(call)["function"])["name"] ?? fieldsOf(call)["name"]) !== null).length;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function factsOf(known: Known, doubts: Doubts, complete: boolean): AnswerFacts {
  const { responseId, finish, error, usage, raw, outputBytes } = known;
  const quantities = usage === null ? {} : quantitiesOf(usage, outputBytes, doubts);
  const counted = Object.keys(quantities).length > 0;
  if (usage !== null && !counted) doubts.say("the usage object holds no counts");
  return {
    responseId,
    model: null,
    tier: null,
    finish,
    usage: counted ? usageOf(quantities, "reported", doubts.said, raw) : null,
    outputBytes,
    ...toolsOf(known.tools, doubts),
    error,
    complete,
    doubts: doubts.said,
  };
}

/** What is billed, where Cohere says it; else the tokens, which may be more. */
function quantitiesOf(usage: Fields, outputBytes: number, doubts: Doubts): { [name in UsageClass]?: number } {
  const billed = fieldsOf(usage["billed_units"]);
  const tokens = fieldsOf(usage["tokens"]);
  for (const name of ["input_tokens", "output_tokens"]) {
    const [paid, all] = [doubts.count(billed, name), doubts.count(tokens, name)];
    if (paid !== undefined && all !== undefined && paid > all)
      doubts.say(`billed_units.${name} is ${paid}, more than tokens.${name} ${all}`);
  }
  const cached = doubts.count(usage, "cached_tokens");
  const input = doubts.count(tokens, "input_tokens");
  if (cached !== undefined && input !== undefined && cached > input)
    doubts.say(`cached_tokens is ${cached}, more than tokens.input_tokens ${input}`);
  const isBilled = ["input_tokens", "output_tokens"].some((name) => typeof billed[name] === "number");
  const quantities = billedUnits(isBilled ? billed : tokens, doubts);
  if (!isBilled && Object.keys(quantities).length > 0) doubts.say("billed_units is missing: all tokens are counted, also those not billed");
  if (quantities.output === 0 && outputBytes > 0) doubts.say(`output_tokens is 0, but ${outputBytes} bytes were generated`);
  const searches = billedUses(billed, doubts);
  if (searches !== undefined) quantities.web_search = searches;
  return quantities;
}

/** Tokens of a `billed_units` object, or of one like it. */
export function billedUnits(billed: Fields, doubts: Doubts): { [name in UsageClass]?: number } {
  const quantities: { [name in UsageClass]?: number } = {};
  const input = doubts.count(billed, "input_tokens");
  const output = doubts.count(billed, "output_tokens");
  if (input !== undefined) quantities.input = input;
  if (output !== undefined) quantities.output = output;
  return quantities;
}

/** Searches of a `billed_units` object. Classifications have no class here. */
export function billedUses(billed: Fields, doubts: Doubts): number | undefined {
  const classified = doubts.count(billed, "classifications");
  if (classified !== undefined && classified > 0) doubts.say(`${classified} classifications were billed, which are not counted here`);
  return doubts.count(billed, "search_units");
}
