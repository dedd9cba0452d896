// What a request's own history says of its tools: each call with its result, as keyed hashes, in all formats. Not here: what repeats mean
// (core/loop.ts). Invariants: ids, which differ from round to round, count for nothing; no text leaves this file; a history that cannot be
// read has no rounds.

import { createHash, hash } from "node:crypto";
import type { ToolRound } from "../core/loop.ts";
import { PennyworthError } from "../error.ts";
import type { RequestFacts } from "../providers/format.ts";
import { member, type Node, open, stringOf } from "../providers/scan.ts";

/** Rounds of one turn: the last ones. */
export const toolRoundsMax = 64;
/** How far back is looked for them. */
const blocksMax = 256;

/** Parts of the body, not parsed. */
type Values = readonly (Node | undefined)[];

/** A result, and its call: null when that is not in sight. */
interface Answered {
  readonly asked: Values | null;
  readonly values: Values;
}

/**
 * The rounds that a request adds to its conversation: results that come after the model's last turn, each with its call.
 * Those before it came with an earlier request, and are not read again.
 * @param key 32 bytes.
 * @returns in their order. A result whose call is not in sight (the provider holds it) has an empty `call`.
 */
export function toolRounds(key: Buffer, body: Buffer, { blocks, promptBytes }: Pick<RequestFacts, "blocks" | "promptBytes">): ToolRound[] {
  if (promptBytes.toolResults === 0) return [];
  const reader = new Reader(body);
  try {
    for (const node of lastTurn(body, blocks)) reader.read(node);
  } catch (error) {
    // Not JSON after all, or a part of it: nothing can be said of its history.
    if (error instanceof PennyworthError) return [];
    throw error;
  }
  return reader.answered.slice(-toolRoundsMax).map(({ asked, values }) => ({
    call: asked === null ? "" : hashOf(key, body, asked),
    result: hashOf(key, body, values),
  }));
}

/** From the model's last turn on; nothing when it asked for no tool. Where calls and results take turns in one list, from the last call. */
function lastTurn(body: Buffer, blocks: RequestFacts["blocks"]): Node[] {
  const nodes: Node[] = [];
  let hasResults = false;
  let hasCalls = false;
  for (let at = blocks.length - 1; at >= 0 && nodes.length < blocksMax; at--) {
    const [start] = blocks[at] as readonly [number, number];
    const node = opened(body, start);
    if (node === null) continue;
    const seen = new Reader(body);
    seen.read(node);
    const isOfTools = seen.calls > 0 || seen.answered.length > 0;
    const isMessage = stringOf(body, member(node, "role")) !== null || stringOf(body, member(node, "type")) === "message";
    // The turn is whole when something else, or an earlier result, stands before its calls.
    if (hasCalls && seen.calls === 0 && (isMessage || seen.answered.length > 0)) break;
    if (seen.answered.length > 0) hasResults = true;
    if (seen.calls > 0) hasCalls = true;
    if (!isOfTools && isModel(body, node)) break;
    nodes.push(node);
  }
  return hasResults ? nodes.toReversed() : [];
}

function isModel(body: Buffer, node: Node): boolean {
  const role = stringOf(body, member(node, "role"))?.toLowerCase();
  return role === "assistant" || role === "model" || role === "chatbot";
}

/** What a block is: an object, or a list of them; null for text. Only where it begins is taken from the span. */
function opened(body: Buffer, start: number): Node | null {
  const first = body[start];
  if (first !== 123 && first !== 91) return null;
  return open(body, { kind: first === 123 ? "object" : "array", start, end: start, keys: [], values: [] }, 5);
}

class Reader {
  readonly body: Buffer;
  readonly answered: Answered[] = [];
  calls = 0;
  readonly #byId = new Map<string, Values>();
  /** Calls without an id, in their order: answered in it. */
  #waiting: Values[] = [];
  /** Whether the last thing seen was a result: a call after it begins anew. */
  #isAnswering = false;

  constructor(body: Buffer) {
    this.body = body;
  }

  read(node: Node): void {
    for (const item of node.kind === "array" ? node.values : [node]) this.#item(item);
  }

  /** A message, an item of a conversation, or a result that stands alone. */
  #item(item: Node): void {
    const get = (name: string): Node | undefined => member(item, name);
    this.#part(item);
    for (const name of ["content", "parts"]) for (const part of get(name)?.values ?? []) if (part.kind === "object") this.#part(part);
    for (const call of get("tool_calls")?.values ?? []) {
      const asked = member(call, "function") ?? member(call, "custom") ?? call;
      this.#call(call, "id", [member(asked, "name"), member(asked, "arguments") ?? member(asked, "input") ?? member(asked, "parameters")]);
    }
    const legacy = get("function_call");
    if (legacy?.kind === "object") this.#call(legacy, null, [member(legacy, "name"), member(legacy, "arguments")]);
    const role = stringOf(this.body, get("role"))?.toLowerCase();
    if (role === "tool" || role === "function") {
      if (get("parts") === undefined && get("tool_results") === undefined) this.#result(item, ["tool_call_id"], [get("content")]);
    }
    for (const result of get("tool_results")?.values ?? []) this.#part(result);
  }

  #part(part: Node): void {
    const get = (name: string): Node | undefined => member(part, name);
    const type = stringOf(this.body, get("type")) ?? "";
    // OpenAI's Responses: items. Anthropic's: parts of messages.
    if (type.endsWith("_call_output")) return this.#result(part, ["call_id", "id"], [get("output")]);
    if (type.endsWith("_call")) {
      const asked = [get("type"), get("name"), get("arguments") ?? get("input") ?? get("action")];
      // What the provider itself called stands together with its result.
      if (get("output") !== undefined) return void this.answered.push({ asked, values: [get("output")] });
      return this.#call(part, get("call_id") === undefined ? "id" : "call_id", asked);
    }
    if (type === "tool_use") return this.#call(part, "id", [get("name"), get("input")]);
    if (type === "tool_result") return this.#result(part, ["tool_use_id"], [get("content")]);
    // Gemini's.
    const asked = get("functionCall") ?? get("function_call");
    if (asked?.kind === "object" && get("role") === undefined)
      return this.#call(asked, "id", [member(asked, "name"), member(asked, "args")]);
    const answer = get("functionResponse") ?? get("function_response");
    if (answer?.kind === "object") return this.#result(answer, ["id"], [member(answer, "name"), member(answer, "response")]);
    // Bedrock's Converse.
    const use = get("toolUse");
    if (use?.kind === "object") return this.#call(use, "toolUseId", [member(use, "name"), member(use, "input")]);
    const told = get("toolResult");
    if (told?.kind === "object") return this.#result(told, ["toolUseId"], [member(told, "content")]);
    // Cohere's first chat: a result tells its call again.
    const call = get("call");
    const outputs = get("outputs");
    if (call?.kind === "object" && outputs !== undefined) {
      this.answered.push({ asked: [member(call, "name"), member(call, "parameters")], values: [outputs] });
    }
  }

  #call(holder: Node, idName: string | null, values: Values): void {
    this.calls += 1;
    if (this.#isAnswering) {
      this.#waiting = [];
      this.#isAnswering = false;
    }
    const id = idName === null ? null : stringOf(this.body, member(holder, idName));
    if (id === null) this.#waiting.push(values);
    else this.#byId.set(id, values);
  }

  #result(holder: Node, idNames: readonly string[], values: Values): void {
    this.#isAnswering = true;
    let id: string | null = null;
    for (const name of idNames) id ??= stringOf(this.body, member(holder, name));
    const asked = (id === null ? this.#waiting.shift() : this.#byId.get(id)) ?? null;
    this.answered.push({ asked, values });
  }
}

/** Where a client says what is to be cached: it moves from turn to turn. */
const marks = new Set(["cache_control", "cachePoint"]);

/** Pieces up to this many bytes are copied behind the key and hashed in one go, as blocks are (prefix.ts). */
const scratch = Buffer.allocUnsafe(16 * 1024);

/** 16 hex digits. */
function hashOf(key: Buffer, body: Buffer, values: Values): string {
  const pieces: Buffer[] = [key];
  for (const value of values) {
    if (value === undefined) pieces.push(absent);
    else if (value.kind === "array") for (const part of value.values) addPart(pieces, body, part);
    else addBytes(pieces, body, value);
  }
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length > scratch.length) {
    const whole = createHash("sha256");
    for (const piece of pieces) whole.update(piece);
    return whole.digest("hex").slice(0, 16);
  }
  let at = 0;
  for (const piece of pieces) at += piece.copy(scratch, at);
  return hash("sha256", scratch.subarray(0, at), "hex").slice(0, 16);
}

const absent = Buffer.from("-");

function addPart(pieces: Buffer[], body: Buffer, shut: Node): void {
  if (shut.kind !== "object") return addBytes(pieces, body, shut);
  const part = shut.keys.length === 0 ? open(body, shut, 1) : shut;
  for (const [at, name] of part.keys.entries())
    if (!marks.has(name)) {
      pieces.push(Buffer.from(`${name.length}:${name}`));
      addBytes(pieces, body, part.values[at] as Node);
    }
}

/** The length before the bytes: no two lists of values make one hash. */
function addBytes(pieces: Buffer[], body: Buffer, { start, end }: Node): void {
  pieces.push(Buffer.from(`${end - start}:`), body.subarray(start, end));
}
