// OpenAI Responses: created, streamed, fetched by id, cancelled. Not here: following a background response to its end (the gateway's business).
// Invariant: a response that failed, was cancelled or stayed incomplete keeps its usage; what is still under way is never `complete`.

import { Draft } from "./draft.ts";
import type { AnswerFacts, AnswerStream, Cut, Format, RequestFacts, StreamOptions } from "./format.ts";
import { capper } from "./capping.ts";
import { clippedOf, hintCharactersMax, modelOf, nameCharactersMax, wordCharactersMax } from "./clip.ts";
import { doubtZeros, errorOf, parseText, rawOf } from "./completion.ts";
import { reportedCost } from "./cost.ts";
import { mostCap } from "./most.ts";
import { metadataOf, Prompt, spanOf } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { isTrue, member, type Node, stringOf, wholeOf } from "./scan.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { followEvents, isEventStream } from "./sse.ts";
import { Doubts, type Fields, fieldsOf, isFields, responsesNames, tally, textIn, toolsOf } from "./tally.ts";
import { bytesOf, parseData, stringBytes, valueAt } from "./text.ts";
import type { UsageClass } from "../core/usage.ts";

export const responses: Format = {
  name: "openai-responses",
  request: readRequest,
  answer: readResponse,
  isStream: isEventStream,
  stream: responseStream,
  refusal: openaiRefusal,
  isKept: true,
};

/** Tools that the provider runs, each feeding tokens back into the same call. */
const serverTools = /^(web_search|file_search|code_interpreter|mcp|image_generation|shell|tool_search|programmatic_tool_calling)/;

/** Of these it is known what a call costs: a fee, and what it feeds back. */
const billed: Readonly<Record<string, UsageClass>> = {
  web_search: "web_search",
  file_search: "file_search",
  code_interpreter: "code_execution",
};

const places = [[null, "max_output_tokens"]] as const;

function readRequest(body: Buffer): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const text = (key: string, max = hintCharactersMax): string | null => clippedOf(body, member(root, key), max);
  const whole = (key: string): number | null => wholeOf(body, member(root, key));
  const given = (key: string): boolean => (member(root, key)?.kind ?? "null") !== "null";

  prompt.tools(member(root, "tools"), (tool) => stringOf(body, member(tool, "name")) ?? stringOf(body, member(tool, "type")));
  const cap = whole("max_tool_calls");
  const uses: { [name in UsageClass]?: number } = {};
  for (const tool of member(root, "tools")?.values ?? []) {
    const type = clippedOf(body, member(tool, "type"), wordCharactersMax) ?? "";
    if (!serverTools.test(type)) continue;
    const name = Object.keys(billed).find((prefix) => type.startsWith(prefix));
    if (cap === null) prompt.unbound(`server tools without a cap: ${type}`);
    // What it costs to make pictures, or what others' tools do, no number of calls bounds.
    else if (name === undefined) prompt.unbound(`server tools capped at ${cap} calls: ${type}`);
    else {
      prompt.note(`server tools capped at ${cap} calls: ${type}`);
      uses[billed[name] as UsageClass] = cap;
    }
  }
  const steps = Object.keys(uses).length > 0 ? (cap ?? 0) + 1 : 1;
  const instructions = member(root, "instructions");
  if (instructions !== undefined && instructions.kind !== "null") {
    prompt.system(instructions);
    prompt.block(instructions);
  }
  const input = member(root, "input");
  if (input?.kind === "array") for (const item of input.values) readItem(prompt, item);
  else if (input !== undefined && input.kind !== "null") {
    prompt.user(input);
    prompt.block(input);
  }
  // What was said before is read whole, and is refused where it does not fit; a prompt of the provider's may bring tools and a model along.
  for (const key of ["previous_response_id", "conversation"]) if (given(key)) prompt.widen(`context held by the provider: ${key}`);
  if (given("prompt")) prompt.unbound("context held by the provider: prompt");
  if (given("context_management")) prompt.unbound("context edited by the provider: context_management");
  const background = isTrue(body, member(root, "background"));
  if (background) prompt.unbound("background work");

  return {
    model: modelOf(body, member(root, "model")),
    modelSpan: spanOf(member(root, "model")),
    streamed: isTrue(body, member(root, "stream")),
    background,
    tier: text("service_tier", wordCharactersMax),
    cap: mostCap(body, root, places),
    capField: mostCap(body, root, places) === null ? null : "max_output_tokens",
    setCap: capper(root, places, [null, "max_output_tokens"]),
    thinking: null,
    choices: 1,
    effort: clippedOf(body, member(member(root, "reasoning"), "effort"), wordCharactersMax),
    unbounded: prompt.unbounded,
    reach: prompt.reach({ steps, uses }),
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    isContinued: given("previous_response_id") || given("conversation") || given("prompt"),
    hints: {
      user: text("user") ?? text("safety_identifier"),
      session:
        text("conversation") ?? clippedOf(body, member(member(root, "conversation"), "id"), hintCharactersMax) ?? text("prompt_cache_key"),
      previousResponse: text("previous_response_id", nameCharactersMax),
      metadata: metadataOf(body, member(root, "metadata")),
    },
    splices: [],
    edits: [],
  };
}

/** Items that hold all that is read of them; what a provider's own tool found, or a model thought, may stand for more than its id. */
const wholeItems =
  /^(message|agent_message|(function|custom_tool|apply_patch|local_shell|shell)_call(_output)?|computer_call(_output)?|mcp_approval_(request|response))$/;
/** These do where they hold it in a form that only the provider reads. */
const sealedItems = /^(reasoning|compaction)$/;

function readItem(prompt: Prompt, item: Node): void {
  prompt.block(item);
  const { body } = prompt;
  const type = stringOf(body, member(item, "type")) ?? "message";
  const role = stringOf(body, member(item, "role"));
  const isWhole = wholeItems.test(type) || (sealedItems.test(type) && member(item, "encrypted_content")?.kind === "string");
  if (!isWhole) prompt.widen(`context held by the provider: ${type.slice(0, wordCharactersMax)}`);
  if (type.endsWith("_output")) prompt.result(item);
  else if (type !== "message") prompt.earlier(item);
  else if (role === "system" || role === "developer") prompt.system(item);
  else if (role === "user") prompt.user(item);
  else prompt.earlier(item);
}

/** Reads a whole response: just made, or fetched by its id. Never throws. */
export function readResponse(text: string): AnswerFacts {
  const doubts = new Doubts();
  const answer = parseText(text);
  if (!isFields(answer)) {
    doubts.miss("the answer is not a JSON object");
    return factsOf({}, null, 0, null, doubts);
  }
  const bytes = outputBytes(answer);
  return factsOf(answer, rawOf(Buffer.from(text), ["usage"]), bytes, null, doubts);
}

export function responseStream({ eventBytesMax }: StreamOptions): AnswerStream {
  return followEvents(new ResponseReader(), eventBytesMax);
}

const terminal = new Set(["response.completed", "response.incomplete", "response.failed", "response.cancelled"]);
const typeFirst = '{"type":"response.';
const itemDone = "response.output_item.done";
const toolCall =
  /"(?:web_search|file_search|code_interpreter|function|custom_tool|computer|local_shell|shell|apply_patch|tool_search)_call(?:_output)?"/;

class ResponseReader implements Reader {
  #response: Fields = {};
  #raw: string | null = null;
  /** Items of tools, as they ended: for answers that break off before their own list. */
  readonly #items: unknown[] = [];
  #bytes = 0;
  #error: string | null = null;
  #over = false;
  readonly #doubts = new Doubts();
  readonly #draft = new Draft();
  /** The event that told of an error, and waits for its sequel. */
  #failure: string | null = null;

  get started(): boolean {
    return this.#bytes > 0;
  }

  get outputBytes(): number {
    return this.#bytes;
  }

  /** What has failed is not cut, too: its error is its end. */
  cut(why: Cut): readonly Ending[] {
    if (this.#failure !== null) return [{ name: "error", data: this.#failure }];
    return this.#draft.endings(this.#response, why);
  }

  event(data: string): Fate {
    if (this.#over || data.startsWith("[DONE]")) return "pass";
    this.#draft.pass(data);
    if (data.startsWith(typeFirst)) {
      const end = data.indexOf('"', typeFirst.length);
      if (data.startsWith(".delta", end - 6)) {
        // Audio is base64; its transcript comes in events of its own.
        const at = data.startsWith("audio.delta", typeFirst.length) ? -1 : valueAt(data, '"delta"', end);
        if (at >= 0 && data.charCodeAt(at) === 34) {
          this.#bytes += stringBytes(data, at);
          this.#draft.delta(data.slice(typeFirst.length, end), data, at);
        }
        return "pass";
      }
      const type = data.slice(typeFirst.length - 9, end);
      this.#draft.see(type.slice(9), data);
      if (!whole.has(type) && !(type === itemDone && toolCall.test(data))) return "pass";
    }
    const event = parseData(data);
    if (!isFields(event)) {
      this.#doubts.miss("an event of the stream is not a JSON object");
      return "pass";
    }
    const type = textIn(event["type"]) ?? "";
    if (type.endsWith(".delta") && type !== "response.audio.delta") {
      this.#bytes += bytesOf(event["delta"]);
      if (typeof event["delta"] === "string") this.#draft.delta(type.slice(9), data, valueAt(data, '"delta"', 0));
    } else if (!data.startsWith(typeFirst)) this.#draft.see(type.slice(9), data);
    if (type === itemDone) this.#items.push(withoutText(event["item"]));
    // An error is not the end: response.failed, which may carry a usage, comes right after it. So it waits for that, or for the end of the body.
    if (type === "error") {
      this.#error = errorOf(event["error"]) ?? errorOf(event) ?? "error";
      this.#failure = data;
      return "wait";
    }
    if (isFields(event["response"])) {
      this.#response = event["response"];
      this.#raw = isFields(this.#response["usage"]) ? rawOf(Buffer.from(data, "latin1"), ["response", "usage"]) : null;
    }
    if (!terminal.has(type)) return "pass";
    this.#over = true;
    return "hold";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {
    this.#over = this.#over || this.#error !== null;
  }

  facts(): AnswerFacts {
    const doubts = this.#doubts.copy();
    const output = this.#response["output"];
    const listed = Array.isArray(output) && output.length > 0;
    const response = listed ? this.#response : { ...this.#response, output: this.#items };
    const facts = factsOf(response, this.#raw, this.#bytes, this.#error, doubts);
    return { ...facts, complete: this.#over };
  }
}

/** Events that carry the whole response. */
const whole = new Set(["response.created", "response.queued", "response.in_progress", ...terminal]);

function factsOf(response: Fields, raw: string | null, bytes: number, error: string | null, doubts: Doubts): AnswerFacts {
  const status = textIn(response["status"]);
  const failed = errorOf(response["error"]) ?? error ?? (status === "failed" ? "failed" : null);
  const complete = failed !== null || status === "completed" || status === "incomplete" || status === "cancelled";
  const reason = textIn(fieldsOf(response["incomplete_details"])["reason"]);
  const usage = response["usage"];
  const quantities: { [name in UsageClass]?: number } = isFields(usage) ? { ...tally(usage, responsesNames, doubts) } : {};
  if (isFields(usage)) {
    if (Object.keys(quantities).length === 0) doubts.say("the usage object holds no counts");
    else if (isSampled(response)) doubtZeros(usage, responsesNames.input, responsesNames.output, bytes, doubts);
  }
  const metered = Object.keys(quantities).length > 0;
  Object.assign(quantities, toolUses(response, doubts));
  const counted = Object.keys(quantities).length > 0;
  if (complete && counted && !metered) doubts.say("the usage is missing: only uses of tools were counted");
  const cost = reportedCost(raw, doubts);
  return {
    responseId: textIn(response["id"]),
    model: textIn(response["model"]),
    tier: textIn(response["service_tier"]),
    finish: status === "incomplete" ? (reason ?? status) : status === "in_progress" || status === "queued" ? null : status,
    usage: counted
      ? {
          parts: [{ kind: "message", model: null, quantities }],
          source: complete && metered ? "reported" : "partial",
          doubts: doubts.said,
          raw: isFields(usage) ? raw : null,
        }
      : null,
    outputBytes: bytes,
    ...toolsOf(callsIn(response["output"]), doubts),
    error: failed,
    complete,
    doubts: doubts.said,
    ...(cost === undefined ? {} : { cost }),
  };
}

/** A model wrote some of it. Calls made by a program that an earlier response wrote cost no tokens. */
function isSampled(response: Fields): boolean {
  const output: readonly unknown[] = Array.isArray(response["output"]) ? response["output"] : [];
  return output.length === 0 || output.some((item) => fieldsOf(fieldsOf(item)["caller"])["type"] !== "program");
}

/**
 * Uses of the provider's own tools, which are billed apart from tokens. A web search is billed per search, not per page opened or searched in;
 * a code interpreter per container, not per call. `tool_usage` is the provider's own count of searches, where it gives one.
 */
function toolUses(response: Fields, doubts: Doubts): { [name in UsageClass]?: number } {
  const uses: { [name in UsageClass]?: number } = {};
  const containers = new Set<string>();
  const add = (name: UsageClass): void => {
    uses[name] = (uses[name] ?? 0) + 1;
  };
  for (const item of Array.isArray(response["output"]) ? (response["output"] as unknown[]) : []) {
    const fields = fieldsOf(item);
    const action = textIn(fieldsOf(fields["action"])["type"]);
    if (fields["type"] === "web_search_call" && (action === null || action === "search")) add("web_search");
    else if (fields["type"] === "file_search_call") add("file_search");
    else if (fields["type"] === "code_interpreter_call") {
      const container = textIn(fields["container_id"]);
      if (container === null || !containers.has(container)) add("code_execution");
      if (container !== null) containers.add(container);
    }
  }
  const toolUsage = fieldsOf(response["tool_usage"]);
  const searches = doubts.count(fieldsOf(toolUsage["web_search"]), "num_requests");
  if (searches !== undefined && searches !== (uses.web_search ?? 0)) {
    doubts.say(`tool_usage counts ${searches} web searches, but the output shows ${uses.web_search ?? 0}`);
    uses.web_search = searches;
  }
  const images = doubts.count(fieldsOf(toolUsage["image_gen"]), "total_tokens");
  if (images !== undefined && images > 0)
    doubts.say(`image generation used ${images} tokens of a model of its own, which are not counted here`);
  return uses;
}

const clientCalls = new Set(["function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call"]);

/** Those that the client is to run: what the provider ran itself stands with its output. */
function callsIn(output: unknown): number {
  const items = (Array.isArray(output) ? (output as unknown[]) : []).map(fieldsOf);
  const ran = new Set(items.flatMap(({ type, call_id: id }) => (textIn(type)?.endsWith("_call_output") === true ? [id] : [])));
  return items.filter((item) => isForClient(item) && !ran.has(item["call_id"])).length;
}

function isForClient({ type, execution }: Fields): boolean {
  return clientCalls.has(textIn(type) ?? "") || (type === "tool_search_call" && execution === "client");
}

/** What is kept of an item that may be long. */
function withoutText(item: unknown): Fields {
  const { type, call_id, execution, action, container_id, caller } = fieldsOf(item);
  return { type, call_id, execution, action: { type: fieldsOf(action)["type"] }, container_id, caller };
}

function outputBytes(response: Fields): number {
  let bytes = 0;
  for (const item of Array.isArray(response["output"]) ? (response["output"] as unknown[]) : []) {
    const fields = fieldsOf(item);
    bytes += bytesOf(fields["arguments"]) + bytesOf(fields["input"]) + bytesOf(fields["code"]);
    for (const list of [fields["content"], fields["summary"]])
      for (const part of Array.isArray(list) ? (list as unknown[]) : []) {
        const inner = fieldsOf(part);
        bytes += bytesOf(inner["text"]) + bytesOf(inner["refusal"]);
      }
  }
  return bytes;
}
