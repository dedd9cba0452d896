// Anthropic Messages: requests, and answers whole and streamed. Not here: how its usage comes apart (iterations.ts); count_tokens and models,
// which pass without usage. Invariant: the usage of a stream is the field-wise merge of what its events said, later over earlier, never a sum.

import type { UsageClass } from "../core/usage.ts";
import type { AnswerFacts, AnswerStream, Cut, Format, RequestFacts, RequestLine, StreamOptions } from "./format.ts";
import { capper } from "./capping.ts";
import { clippedOf, hintCharactersMax, modelOf, wordCharactersMax } from "./clip.ts";
import { errorOf, parseText, rawOf } from "./completion.ts";
import { mergeUsage, type Merged, readUsage } from "./iterations.ts";
import { mostCap } from "./most.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { anthropicRefusal } from "./refuse.ts";
import { isTrue, member, type Node, open, stringOf, textOf, wholeOf } from "./scan.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { followEvents, isEventStream } from "./sse.ts";
import { codeIn, Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf } from "./tally.ts";
import { bytesOf, encode, parseData, stringBytes, valueAt } from "./text.ts";

export const anthropic: Format = {
  name: "anthropic-messages",
  request: readRequest,
  answer: readMessage,
  isStream: isEventStream,
  stream: messageStream,
  refusal: anthropicRefusal,
};

/** Tools that Anthropic runs; the other typed ones (bash, text editor, computer, memory) are run by the client. */
const serverTools = /^(web_search|web_fetch|code_execution|tool_search_tool|advisor|mcp_toolset)/;

/** Steps that Anthropic's loop around its own tools takes before it pauses a turn (its page on server tools). */
const loopStepsMax = 10;

const places = [[null, "max_tokens"]] as const;

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const text = (key: string): string | null => clippedOf(body, member(root, key), wordCharactersMax);
  const tools = member(root, "tools");
  prompt.tools(tools, (tool) => stringOf(body, member(tool, "name")) ?? stringOf(body, member(tool, "type")));
  const uses: { [name in UsageClass]?: number } = {};
  let declared = 0;
  for (const tool of tools?.values ?? []) {
    const type = clippedOf(body, member(tool, "type"), wordCharactersMax) ?? "";
    if (!serverTools.test(type)) {
      if (type !== "" && type !== "custom") declared++;
      continue;
    }
    const cap = mostCap(body, tool, [[null, "max_uses"]]);
    const name = directTool(body, tool, type);
    if (cap === null) prompt.unbound(`server tools without a cap: ${type}`);
    // An advisor is another model; code runs for as long as it likes.
    else if (name === null) prompt.unbound(`server tools capped at ${cap} calls: ${type}`);
    else {
      prompt.note(`server tools capped at ${cap} calls: ${type}`);
      uses[name] = (uses[name] ?? 0) + cap;
    }
  }
  const used = (uses.web_search ?? 0) + (uses.web_fetch ?? 0);
  const system = member(root, "system");
  if (system !== undefined && system.kind !== "null") {
    prompt.system(system);
    prompt.block(system);
  }
  const messages = member(root, "messages");
  if (messages?.kind === "array") for (const message of messages.values) readTurn(prompt, message);
  if ((member(root, "mcp_servers")?.values.length ?? 0) > 0) prompt.unbound("server tools without a cap: mcp_servers");
  if (member(root, "container")?.kind === "object" || text("container") !== null) prompt.unbound("context held by the provider: container");
  if (member(root, "context_management")?.kind === "object") prompt.unbound("context edited by the provider: context_management");
  if ((member(root, "fallbacks")?.values.length ?? 0) > 0) prompt.unbound("other models may answer: fallbacks");
  const geo = text("inference_geo");
  if (geo !== null && geo !== "global") prompt.unbound(`billed apart: inference_geo ${geo}`);

  const cap = mostCap(body, root, places);
  const thinking = member(root, "thinking");
  const budget = wholeOf(body, member(thinking, "budget_tokens"));
  return {
    model: line.model ?? modelOf(body, member(root, "model")),
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
    streamed: isTrue(body, member(root, "stream")) || line.path.endsWith(":streamRawPredict"),
    background: false,
    tier: text("speed") === "fast" ? "fast" : text("service_tier"),
    cap,
    capField: cap === null ? null : "max_tokens",
    setCap: capper(root, places, [null, "max_tokens"]),
    thinking: budget,
    choices: 1,
    effort:
      clippedOf(body, member(member(root, "output_config"), "effort"), wordCharactersMax) ?? (budget === null ? null : `budget:${budget}`),
    unbounded: prompt.unbounded,
    reach: prompt.reach({
      declared,
      uses,
      // A tool that has had its uses answers with an error, on which the model may sample again: until the loop of its server ends.
      steps: used > 0 || Object.keys(uses).length > 0 ? Math.max(loopStepsMax, used + 1) : 1,
      capPerStep: true,
      writes: writesOf(body),
    }),
    promptBytes: prompt.bytes,
    toolNames: prompt.toolNames,
    blocks: prompt.blocks,
    hints: {
      ...userOf(clippedOf(body, member(member(root, "metadata"), "user_id"), hintCharactersMax)),
      previousResponse: null,
      metadata: {},
    },
    splices: [],
    edits: [],
  };
}

/**
 * What is counted of a tool whose uses bound its steps. Its later versions are also called by code that the model writes, and that runs on and on
 * within a step (anthropics/anthropic-sdk-python issue 1237), unless they may only be called directly.
 */
function directTool(body: Buffer, tool: Node, type: string): "web_search" | "web_fetch" | null {
  const callers = member(tool, "allowed_callers");
  const isDirect = callers !== undefined && textOf(body, callers).replaceAll(/\s/g, "") === '["direct"]';
  if (!isDirect && type !== "web_search_20250305" && type !== "web_fetch_20250910") return null;
  return type.startsWith("web_search") ? "web_search" : type.startsWith("web_fetch") ? "web_fetch" : null;
}

/** Nothing is written into a cache unasked. A key may be spelt with escapes: then nothing is ruled out. */
export function writesOf(body: Buffer): "none" | "5m" | "any" {
  if (body.includes("\\u00")) return "any";
  if (!body.includes("cache_control")) return "none";
  return body.includes("1h") ? "any" : "5m";
}

/** Tool results come inside user messages; one that holds nothing else is no turn of the user's. */
function readTurn(prompt: Prompt, message: Node): void {
  prompt.block(message);
  const { body } = prompt;
  if (stringOf(body, member(message, "role")) !== "user") {
    prompt.earlier(message);
    return;
  }
  const parts = member(message, "content");
  const results: Node[] = [];
  let others = 0;
  for (const shut of parts?.kind === "array" ? parts.values : []) {
    const type = shut.kind === "object" ? stringOf(body, member(open(body, shut, 1), "type")) : null;
    if (type?.endsWith("tool_result") === true) results.push(shut);
    else others++;
  }
  if (results.length > 0 && others === 0) prompt.result(message);
  else prompt.user(message, results);
}

/** Claude Code says its session inside the user id, in two ways of writing. */
function userOf(userId: string | null): { user: string | null; session: string | null } {
  if (userId === null) return { user: null, session: null };
  const match = /^(user_[^\s]*?_account_[^\s]*?)_session_([\w-]+)$/.exec(userId);
  if (match !== null) return { user: match[1] ?? null, session: match[2] ?? null };
  const fields = userId.startsWith("{") ? fieldsOf(parseText(userId)) : {};
  const session = textIn(fields["session_id"]);
  if (session === null) return { user: userId, session: null };
  return { user: textIn(fields["account_uuid"]) ?? textIn(fields["device_id"]) ?? userId, session };
}

interface Known {
  responseId: string | null;
  model: string | null;
  finish: string | null;
  error: string | null;
  outputBytes: number;
  tools: number;
}

/** Reads a whole message. Never throws. */
function readMessage(text: string): AnswerFacts {
  const doubts = new Doubts();
  const answer = parseText(text);
  if (!isFields(answer)) {
    doubts.miss("the answer is not a JSON object");
    return factsOf({ responseId: null, model: null, finish: null, error: null, outputBytes: 0, tools: 0 }, null, doubts, false);
  }
  const merged = isFields(answer["usage"]) ? mergeUsage(null, answer["usage"], rawOf(Buffer.from(text), ["usage"]), true, doubts) : null;
  const known = {
    responseId: textIn(answer["id"]),
    model: textIn(answer["model"]),
    finish: textIn(answer["stop_reason"]),
    error: errorTypeOf(answer),
    outputBytes: contentBytes(answer["content"]),
    tools: callsIn(answer["content"]),
  };
  return factsOf(known, merged, doubts, true);
}

function messageStream({ eventBytesMax }: StreamOptions): AnswerStream {
  return followEvents(new MessageReader(), eventBytesMax);
}

const deltaFirst = '{"type":"content_block_delta"';
/** `content` is what a compaction wrote. */
const deltaKeys = ['"text"', '"partial_json"', '"thinking"', '"content"'];

export class MessageReader implements Reader {
  readonly #known: Known = { responseId: null, model: null, finish: null, error: null, outputBytes: 0, tools: 0 };
  readonly #doubts = new Doubts();
  #merged: Merged | null = null;
  #begun = false;
  /** Blocks that are open, and whether each is a tool call. */
  readonly #open = new Map<number, boolean>();
  #complete = false;

  get started(): boolean {
    return this.#known.outputBytes > 0;
  }

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  /**
   * A call that was not written to its end stays open, for clients run what is closed. Of a message that has not begun nothing can be said
   * without inventing counts: it ends in an error.
   */
  cut(why: Cut): readonly Ending[] {
    const { code, message } = why;
    if (!this.#begun) return [{ name: "error", data: encode({ type: "error", error: { type: "billing_error", message, code } }) }];
    const endings: Ending[] = [];
    const say = (type: string, fields: Fields): void => void endings.push({ name: type, data: encode({ type, ...fields }) });
    for (const [index, isCall] of this.#open) if (!isCall) say("content_block_stop", { index });
    if (this.#known.finish === null) {
      const usage = { output_tokens: this.#merged?.fields["output_tokens"] };
      say("message_delta", { delta: { stop_reason: "max_tokens", stop_sequence: null }, usage, pennyworth: { code, message } });
    }
    say("message_stop", {});
    return endings;
  }

  event(data: string): Fate {
    if (this.#complete) return "pass";
    if (data.startsWith(deltaFirst)) {
      this.#known.outputBytes += deltaBytes(data);
      return "pass";
    }
    const event = parseData(data);
    if (!isFields(event)) {
      if (!data.startsWith("[DONE]")) this.#doubts.miss("an event of the stream is not a JSON object");
      return "pass";
    }
    switch (event["type"]) {
      case "message_start":
        this.#start(fieldsOf(event["message"]), data);
        return "pass";
      case "content_block_delta":
        this.#known.outputBytes += deltaBytes(data);
        return "pass";
      case "content_block_start":
        this.#known.outputBytes += contentBytes([event["content_block"]]);
        this.#known.tools += callsIn([event["content_block"]]);
        if (typeof event["index"] === "number")
          this.#open.set(event["index"], (textIn(fieldsOf(event["content_block"])["type"]) ?? "").endsWith("tool_use"));
        return "pass";
      case "content_block_stop":
        this.#open.delete(event["index"] as number);
        return "pass";
      case "message_delta":
        this.#known.finish = textIn(fieldsOf(event["delta"])["stop_reason"]) ?? this.#known.finish;
        if (isFields(event["usage"]))
          this.#merged = mergeUsage(this.#merged, event["usage"], rawOf(Buffer.from(data, "latin1"), ["usage"]), true, this.#doubts);
        return "pass";
      case "message_stop":
        this.#complete = true;
        return "hold";
      case "error":
        this.#known.error = errorTypeOf(event) ?? "error";
        this.#complete = true;
        return "hold";
      default:
        return "pass";
    }
  }

  #start(message: Fields, data: string): void {
    this.#begun = true;
    const id = textIn(message["id"]);
    if (this.#known.responseId !== null && id !== null && id !== this.#known.responseId)
      this.#doubts.say(`two messages in one stream, ${this.#known.responseId} and ${id}: only the last one's usage is known`);
    this.#known.responseId = id ?? this.#known.responseId;
    this.#known.model = textIn(message["model"]) ?? this.#known.model;
    // A start that already has its stop reason is the whole answer: its usage is a count, no placeholder.
    const finish = textIn(message["stop_reason"]);
    this.#known.finish = finish ?? this.#known.finish;
    this.#known.tools += callsIn(message["content"]);
    if (isFields(message["usage"])) {
      const raw = rawOf(Buffer.from(data, "latin1"), ["message", "usage"]);
      this.#merged = mergeUsage(this.#merged, message["usage"], raw, finish !== null, this.#doubts);
    }
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  /** Some servers send no message_stop: with a stop reason the answer was whole all the same. */
  end(): void {
    if (this.#known.finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    const doubts = this.#doubts.copy();
    return factsOf(this.#known, this.#merged, doubts, this.#complete);
  }
}

function factsOf(known: Known, merged: Merged | null, doubts: Doubts, complete: boolean): AnswerFacts {
  const ended = known.finish !== null || (complete && known.error === null);
  const usage = merged === null ? null : readUsage(merged, ended, known.outputBytes, doubts);
  const tier = merged === null ? null : textIn(merged.fields["service_tier"]);
  const { tools, ...said } = known;
  return {
    ...said,
    ...toolsOf(tools, doubts),
    // Where both are said, fast mode wins: it scales every rate.
    tier: merged?.fields["speed"] === "fast" ? "fast" : tier,
    usage,
    complete,
    doubts: doubts.said,
  };
}

function errorTypeOf(answer: Fields): string | null {
  return codeIn(fieldsOf(answer["error"])["type"]) ?? errorOf(answer["error"]);
}

function deltaBytes(data: string): number {
  const delta = data.indexOf('"delta"');
  let bytes = 0;
  for (const key of deltaKeys) {
    const at = valueAt(data, key, delta + 7);
    if (at >= 0 && data.charCodeAt(at) === 34) bytes += stringBytes(data, at);
  }
  return bytes;
}

/** Text, thinking and tool input of a message's own blocks. Input is measured as it would be written. */
function contentBytes(content: unknown): number {
  let bytes = 0;
  for (const block of Array.isArray(content) ? (content as unknown[]) : []) {
    const fields = fieldsOf(block);
    if (typeof fields["type"] === "string" && fields["type"].endsWith("tool_result")) continue;
    bytes += bytesOf(fields["text"]) + bytesOf(fields["thinking"]);
    const input = fields["input"];
    if (isFields(input) && Object.keys(input).length > 0) bytes += Buffer.byteLength(JSON.stringify(input));
  }
  return bytes;
}

/** Those that the client is to run: what the provider runs itself has other types (`server_tool_use`, `mcp_tool_use`). */
function callsIn(content: unknown): number {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.filter((block) => fieldsOf(block)["type"] === "tool_use").length;
}
