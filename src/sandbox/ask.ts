// What a request asks for, whatever its format, and the checks on wrong types that every format shares.
// Not here: what is answered (serving.ts). Invariant: two requests with the same model and the same text have the same `hash`,
// whatever the order of their fields, streamed or not.

import { hash } from "./random.ts";
import { Refused } from "./refused.ts";
import type { Served } from "./witness.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface Tool {
  readonly name: string;
  readonly schema: unknown;
}

/** A part of the prompt in caching order: tools and instructions first, then each message. */
export interface Turn {
  readonly text: string;
}

export interface Ask {
  readonly model: string;
  readonly streamed: boolean;
  /** UTF-8 bytes of the prompt's text: instructions, tools, messages. Media are not counted. */
  readonly promptBytes: number;
  readonly hash: number;
  /** Cap on output tokens of one choice; null: none. */
  readonly cap: number | null;
  readonly choices: number;
  readonly stops: readonly string[];
  readonly tier: string | null;
  readonly tools: readonly Tool[];
  /** `tool_choice` demands a call: of the named tool, or of any. */
  readonly toolForced: string | boolean;
  /** Text of the last user message. */
  readonly lastUser: string;
  /** Tokens of media in the prompt, on top of its text, unless controls say otherwise. */
  readonly media?: { readonly audio?: number; readonly image?: number };
  /** What the model makes, where it is not text. */
  readonly makes?: "output_audio" | "output_image";
  /** Tokens of a prompt's beginning that the provider keeps under a name: read from its cache. */
  readonly keptTokens?: number;
  /** Output tokens of one choice, where they are not to be drawn. */
  readonly length?: number;
  /** What is served instead of tokens, by models that do not count them. */
  readonly units?: Readonly<Partial<Served>>;
  /** The model that answers, where it is not the one asked for. */
  readonly served?: string;
  /** The prompt for the prefix cache; made only when the cache is on. */
  turns(): readonly Turn[];
}

/** Adds up the prompt's text while a format walks it. */
export class Prompt {
  bytes = 0;
  hash: number;

  constructor(model: string) {
    this.hash = hash(model);
  }

  add(text: string): void {
    this.bytes += Buffer.byteLength(text);
    this.hash = hash(text, this.hash);
  }

  /** Text of a content: a string, or parts with `text`, nested `content` or a tool's `input`. Returns it joined. */
  addContent(content: unknown, param: string): string {
    if (typeof content === "string") {
      this.add(content);
      return content;
    }
    if (content === null || content === undefined) return "";
    if (!Array.isArray(content)) throw new Refused(`${param} must be a string or an array of parts`, param);
    let whole = "";
    for (const [index, part] of content.entries()) {
      const fields = toFields(part, `${param}[${index}]`);
      if (fields["text"] !== undefined) {
        const text = fields["text"];
        if (typeof text !== "string") throw new Refused(`${param}[${index}].text must be a string`, param);
        this.add(text);
        whole += text;
      }
      if (fields["content"] !== undefined) this.addContent(fields["content"], `${param}[${index}].content`);
      if (fields["input"] !== undefined) this.add(JSON.stringify(fields["input"]));
    }
    return whole;
  }
}

/** @throws Refused when the bytes are no JSON object. */
export function parseBody(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused("We could not parse the JSON body of your request.");
  }
  return toFields(value, "body");
}

export function toFields(value: unknown, param: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refused(`${param} must be an object`, param);
  return value as Fields;
}

export function toModel(fields: Fields): string {
  const model = fields["model"];
  if (typeof model !== "string" || model === "") throw new Refused("you must provide a model parameter", "model");
  return model;
}

export function toList(fields: Fields, name: string): readonly unknown[] {
  const list = fields[name];
  if (!Array.isArray(list) || list.length === 0) throw new Refused(`${name} must be an array with at least one element`, name);
  return list;
}

export function toCount(fields: Fields, name: string, max = Number.MAX_SAFE_INTEGER): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > max)
    throw new Refused(`${name} must be a whole number from 1 to ${max}`, name);
  return value;
}

export function toFlag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw new Refused(`${name} must be true or false`, name);
  return value;
}

export function toText(fields: Fields, name: string): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw new Refused(`${name} must be a string`, name);
  return value;
}

export function toStops(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((stop) => {
    if (typeof stop !== "string") throw new Refused(`${name} must hold strings`, name);
    return stop;
  });
}

/** Sampling numbers are read to refuse wrong types, and have no effect. */
export function checkNumbers(fields: Fields, ...names: readonly string[]): void {
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && value !== null && typeof value !== "number") throw new Refused(`${name} must be a number`, name);
  }
}

/** A question without tools, caps or turns: nothing but what is to be answered. */
export function plainAsk(model: string, streamed: boolean, prompt: Prompt, lastUser: string): Ask {
  return {
    model,
    streamed,
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: null,
    choices: 1,
    stops: [],
    tier: null,
    tools: [],
    toolForced: false,
    lastUser,
    turns: () => [],
  };
}
