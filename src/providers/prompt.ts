// What a request's prompt is made of: bytes by part, blocks in cache order, tool names, and what keeps bytes from bounding its tokens.
// Shared by the chat-like formats. Not here: what a message looks like in each of them. Invariant: no text leaves this file but tool names.

import type { PromptBytes } from "../core/call.ts";
import { PennyworthError } from "../error.ts";
import {
  clip,
  clippedOf,
  hintCharactersMax,
  metadataMembersMax,
  nameCharactersMax,
  toolNameCharactersMax,
  toolNamesMax,
  wordCharactersMax,
} from "./clip.ts";
import { plainReach, type Reach } from "./format.ts";
import { member, type Node, open, scan, stringOf } from "./scan.ts";

/** Deep enough for messages and tools; content parts are opened one by one, when a message has any. */
const depth = 4;
/** A tool result may hold a document, which may hold content; nothing known nests further. */
const levelsMax = 3;
/** Reasons without a bound that are told; the first is enough to have none. */
const reasonsMax = 16;
const wordsMax = 8;

/** These may stand twice in a body: the largest counts (most.ts). */
const numbers = new Set([
  "best_of",
  "maxTokens",
  "max_completion_tokens",
  "max_gen_len",
  "max_new_tokens",
  "max_output_tokens",
  "max_tokens",
  "max_tokens_to_sample",
  "n",
  "numResults",
  "num_generations",
]);
/** Why a call has no bound of which nobody knows how many answers it asks for. */
export const unreadCount = "the number of answers is no whole number";

const mediaTypes = new Set([
  "audio",
  "computer_screenshot",
  "container_upload",
  "document",
  "file",
  "image",
  "image_url",
  "input_audio",
  "input_file",
  "input_image",
  "input_video",
  "video",
  "video_url",
]);
/** Of these each is one picture, wherever it comes from; the others are as long as they like. */
const images = new Set(["computer_screenshot", "image", "image_url", "input_image"]);
const mediaKeys = new Set(["data", "file_data", "file_id", "file_url", "image_url", "url", "video_url"]);

export class Prompt {
  readonly body: Buffer;
  readonly root: Node;
  readonly blocks: (readonly [number, number])[] = [];
  readonly toolNames: string[] = [];
  #system = 0;
  #tools = 0;
  #earlier = 0;
  #results = 0;
  #user = 0;
  readonly #reasons = new Set<string>();
  readonly #unbounded = new Set<string>();
  readonly #wide = new Set<string>();
  /** Bytes of each picture, by where it begins: some are come by twice. */
  readonly #images = new Map<number, number>();

  /** @throws PennyworthError `request_malformed` when the body is not a JSON object, with the byte. */
  constructor(body: Buffer) {
    this.body = body;
    this.root = scan(body, depth);
    if (this.root.kind !== "object")
      throw new PennyworthError("request_malformed", { detail: `expected a JSON object, at byte ${this.root.start}` });
    this.#repeated();
  }

  /** Some readers of JSON take the first of two members of a name, others the last: what is asked for is not known then. */
  #repeated(): void {
    const { keys } = this.root;
    const known = new Set(keys);
    if (known.size === keys.length) return;
    for (const key of keys)
      if (!known.delete(key) && !numbers.has(key)) this.unbound(`said more than once: ${clip(key, wordCharactersMax)}`);
  }

  /** Why bytes do not bound the input tokens; null when they do. */
  get unbounded(): string | null {
    return this.#reasons.size === 0 ? null : [...this.#reasons].join("; ");
  }

  get bytes(): PromptBytes {
    return { system: this.#system, tools: this.#tools, user: this.#user, earlier: this.#earlier, toolResults: this.#results };
  }

  /** What the request may take beyond its text, as far as its prompt says. */
  reach(also: Partial<Reach> = {}): Reach {
    return {
      ...plainReach,
      unbounded: words(this.#unbounded),
      wide: words(this.#wide),
      images: this.#images.size,
      mediaBytes: [...this.#images.values()].reduce((sum, bytes) => sum + bytes, 0),
      media: this.#images.size > 0 || this.#wide.size > 0,
      tools: this.toolNames.length > 0,
      ...also,
    };
  }

  /** Nothing bounds the call, not even its model's limits. */
  unbound(reason: string): void {
    this.#say(this.#unbounded, reason);
  }

  /** Bytes do not bound the input; the context window of the model does. */
  widen(reason: string): void {
    this.#say(this.#wide, reason);
  }

  /** A picture, described at `node`, in so many bytes of the body: what a model takes for one, at most, is known of some. */
  image(reason: string, node: Node, bytes: number): void {
    this.#images.set(node.start, bytes);
    this.note(reason);
  }

  /** Bytes do not bound the input, but what else is said of the request does. */
  note(reason: string): void {
    if (this.#reasons.size < reasonsMax) this.#reasons.add(reason);
  }

  #say(reasons: Set<string>, reason: string): void {
    if (this.#reasons.size < reasonsMax) this.#reasons.add(reason);
    if (reasons.size < reasonsMax) reasons.add(reason);
  }

  block(node: Node): void {
    this.blocks.push([node.start, node.end]);
  }

  system(node: Node): void {
    this.#system += this.#textBytes(node);
  }

  earlier(node: Node): void {
    this.#earlier += this.#textBytes(node);
  }

  result(node: Node): void {
    this.#results += this.#textBytes(node);
  }

  /** A user turn: the last one is `user`, those before it are `earlier`. `results` are those parts of its content that are tool results. */
  user(node: Node, results: readonly Node[] = []): void {
    let resultBytes = 0;
    // Measured as the whole is, without media, so that what is left is never less than nothing.
    for (const part of results) resultBytes += part.end - part.start - this.#partMedia(part, 0);
    this.#earlier += this.#user;
    this.#user = this.#textBytes(node) - resultBytes;
    this.#results += resultBytes;
  }

  /** Adds bytes that a format has measured itself, without media. Of `user` each is a turn: the last one stays, those before it are `earlier`. */
  add(part: keyof PromptBytes, bytes: number): void {
    if (part === "system") this.#system += bytes;
    else if (part === "tools") this.#tools += bytes;
    else if (part === "earlier") this.#earlier += bytes;
    else if (part === "toolResults") this.#results += bytes;
    else {
      this.#earlier += this.#user;
      this.#user = bytes;
    }
  }

  /** The tools array: one block, since a provider caches all of it or none. `nameOf` gives the name of each. */
  tools(node: Node | undefined, nameOf: (tool: Node) => string | null): void {
    if (node?.kind !== "array" || node.values.length === 0) return;
    this.block(node);
    this.#tools += node.end - node.start;
    for (const tool of node.values) {
      if (this.toolNames.length >= toolNamesMax) return;
      const name = nameOf(tool);
      if (name !== null) this.toolName(name);
    }
  }

  /** The name of one tool: the first 256 are kept, each clipped. */
  toolName(name: string): void {
    if (this.toolNames.length < toolNamesMax) this.toolNames.push(clip(name, toolNameCharactersMax));
  }

  /** Bytes of a value without the media inside its content: base64 says nothing of tokens. */
  #textBytes(node: Node): number {
    const content = node.kind === "object" ? (member(node, "content") ?? member(node, "output")) : node;
    return node.end - node.start - (content === undefined ? 0 : this.#mediaBytes(content, 0));
  }

  #mediaBytes(content: Node, level: number): number {
    if (content.kind === "object") return this.#partMedia(content, level);
    if (content.kind !== "array") return 0;
    if (level > levelsMax) {
      this.widen("content nested too deep");
      return 0;
    }
    let media = 0;
    for (const part of content.values) media += this.#partMedia(part, level);
    return media;
  }

  #partMedia(shut: Node, level: number): number {
    if (shut.kind !== "object") return 0;
    const part = open(this.body, shut, 2);
    const type = stringOf(this.body, member(part, "type"));
    if (type !== null && mediaTypes.has(type)) return this.#medium(part, type, level);
    if (type !== "tool_result" && type !== "function_call_output") return 0;
    const inner = member(part, type === "tool_result" ? "content" : "output");
    return inner === undefined ? 0 : this.#mediaBytes(inner, level + 1);
  }

  #medium(part: Node, type: string, level: number): number {
    const source = member(part, "source");
    const sourceType = stringOf(this.body, member(source, "type"));
    if (sourceType === "text") return 0;
    if (sourceType === "content") {
      const content = member(source, "content");
      return content === undefined ? 0 : this.#mediaBytes(open(this.body, content, 1), level + 1);
    }
    let bytes = 0;
    let isFound = false;
    for (const object of [part, ...part.values]) {
      for (const [index, key] of object.keys.entries()) {
        const value = object.values[index] as Node;
        if (!mediaKeys.has(key) || value.kind !== "string") continue;
        const size = value.end - value.start;
        isFound = true;
        bytes += size;
        const opening = this.body.toString("latin1", value.start + 1, Math.min(value.end, value.start + 6));
        const isInline = opening === "data:" || key === "data" || key === "file_data";
        const where = key === "file_id" ? "media held by the provider" : isInline ? "media of unknown tokens" : "media by URL";
        if (images.has(type)) this.image(`${where}: ${type}`, value, size);
        else this.widen(`${where}: ${type}`);
      }
    }
    // In whatever other way it is given: it is one all the same.
    if (!isFound && images.has(type)) this.image(`media of unknown tokens: ${type}`, part, 0);
    else if (!isFound) this.widen(`media of unknown tokens: ${type}`);
    return bytes;
  }
}

/** The first of some reasons, in words; null when there are none. */
function words(reasons: ReadonlySet<string>): string | null {
  return reasons.size === 0 ? null : [...reasons].slice(0, wordsMax).join("; ");
}

/** The strings of a metadata object: the first 64, each clipped to 1,024 characters, its name to 256. */
export function metadataOf(body: Buffer, node: Node | undefined): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {};
  if (node?.kind !== "object") return metadata;
  for (const [index, whole] of node.keys.slice(0, metadataMembersMax).entries()) {
    const key = clip(whole, nameCharactersMax);
    const value = clippedOf(body, node.values[index], hintCharactersMax);
    if (value === null) delete metadata[key];
    else Object.defineProperty(metadata, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return metadata;
}

export function spanOf(node: Node | undefined): readonly [number, number] | null {
  return node === undefined ? null : [node.start, node.end];
}
