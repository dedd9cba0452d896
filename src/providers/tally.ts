// From what a provider says it counted to disjoint classes. OpenAI's way of counting: totals with parts inside them.
// Not here: Anthropic's way (anthropic.ts), prices. Invariant: a null is never a 0, a value that is no whole number is a doubt and is never
// counted, and what is counted never exceeds the provider's own totals: parts that do not fit into their total are left out, with a doubt.

import type { Quantities, Usage, UsageClass, UsagePart } from "../core/usage.ts";
import { clip, nameCharactersMax } from "./clip.ts";

/** What does not add up in one answer is told up to here: a stream without end must not have doubts without end. */
const doubtsMax = 64;

export type Fields = Readonly<Record<string, unknown>>;

/** More units than any call can have used: a count beyond it is a mistake of the provider's. */
const quantityMax = 1_000_000_000;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** A string that is not empty, clipped to the 256 characters of a name; else null. */
export function textIn(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? clip(value, nameCharactersMax) : null;
}

/** A string that can only be a code: words in a row are somebody's text, which goes on no record. */
export function codeIn(value: unknown): string | null {
  return typeof value === "string" && /^[\w.:-]{1,64}$/.test(value) ? value : null;
}

/** Collects what does not add up, each once, in words. */
export class Doubts {
  readonly said: string[] = [];
  /** A part of the answer could not be read: what it held is not known. */
  hasMissed = false;

  say(doubt: string): void {
    if (this.said.length < doubtsMax && !this.said.includes(doubt)) this.said.push(doubt);
  }

  /** A part of the answer could not be read. */
  miss(doubt: string): void {
    this.hasMissed = true;
    this.say(doubt);
  }

  /** To be added to, while the answer goes on. */
  copy(): Doubts {
    const copy = new Doubts();
    copy.said.push(...this.said);
    copy.hasMissed = this.hasMissed;
    return copy;
  }

  /** A count; undefined when it was not reported, or is not to be believed. */
  count(fields: Fields, name: string): number | undefined {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= quantityMax) return value;
    this.say(`${name} is not a count: ${shown(value)}`);
    return undefined;
  }
}

export function shown(value: unknown): string {
  if (typeof value === "string") return codeIn(value) === null ? "a text" : JSON.stringify(value);
  return typeof value === "object" ? "an object" : String(value);
}

/** How one OpenAI-like format names its counts. */
export interface Names {
  readonly input: string;
  readonly output: string;
  readonly inputDetails: string;
  readonly outputDetails: string;
}

export const chatNames: Names = {
  input: "prompt_tokens",
  output: "completion_tokens",
  inputDetails: "prompt_tokens_details",
  outputDetails: "completion_tokens_details",
};

export const responsesNames: Names = {
  input: "input_tokens",
  output: "output_tokens",
  inputDetails: "input_tokens_details",
  outputDetails: "output_tokens_details",
};

/** Disjoint classes out of an OpenAI-like usage object. */
export function tally(usage: Fields, names: Names, doubts: Doubts): Quantities {
  const total = doubts.count(usage, "total_tokens");
  const input = doubts.count(usage, names.input);
  const output = doubts.count(usage, names.output);
  const inputParts = inputPartsOf(usage, fieldsOf(usage[names.inputDetails]), names, doubts);
  const outputParts = outputPartsOf(usage, fieldsOf(usage[names.outputDetails]), names, doubts);
  const quantities: { [name in UsageClass]?: number } = {};

  // xAI counts reasoning beside the completion, not inside it: its own total says so. Perplexity's deep research does too, and bills it
  // apart, but leaves it out of the total.
  const reasoning = outputParts.reasoning ?? 0;
  const totalled = total !== undefined && reasoning > 0 && total === (input ?? 0) + (output ?? 0) + reasoning;
  const beside = totalled || isBilled(usage, "reasoning_tokens_cost", false);
  // Mistral's audio is in the total as tokens, and nowhere else: the seconds stand for them.
  const seconds = secondsOf(usage, doubts);
  const unnamed = seconds !== undefined && total !== undefined && total > (input ?? 0) + (output ?? 0);
  if (total !== undefined && input !== undefined && !totalled && !unnamed && total !== input + (output ?? 0))
    doubts.say(
      `total_tokens is ${total}, but ${names.input} ${input}${output === undefined ? "" : ` + ${names.output} ${output}`} is ${input + (output ?? 0)}`,
    );
  if (input === undefined && (output !== undefined || total !== undefined)) doubts.say(`${names.input} is missing`);

  fit(quantities, "input", input, inputParts, 0, names.input, doubts);
  fit(quantities, "output", output, outputParts, beside ? reasoning : 0, names.output, doubts);
  set(quantities, "input_audio_seconds", seconds);
  if (isBilled(usage, "citation_tokens_cost", true)) set(quantities, "citation", doubts.count(usage, "citation_tokens"));
  const searches = isBilled(usage, "search_queries_cost", true) ? doubts.count(usage, "num_search_queries") : undefined;
  set(quantities, "web_search", searches ?? doubts.count(fieldsOf(usage["server_tool_use"]), "web_search_requests"));
  return quantities;
}

/** Perplexity's cost has a line for each count it bills apart; where its fee per request pays for searches, there is none for them. */
function isBilled(usage: Fields, line: string, otherwise: boolean): boolean {
  const cost = usage["cost"];
  return isFields(cost) ? cost[line] !== undefined && cost[line] !== null : otherwise;
}

/** Seconds of audio, as Mistral counts them in a chat; an object there stands for none. */
function secondsOf(usage: Fields, doubts: Doubts): number | undefined {
  return isFields(usage["prompt_audio_seconds"]) ? undefined : doubts.count(usage, "prompt_audio_seconds");
}

/** Sets `rest` to what its total leaves when the parts are taken out; `outside` of the parts was never in the total. */
function fit(
  quantities: { [name in UsageClass]?: number },
  rest: "input" | "output",
  total: number | undefined,
  parts: Quantities,
  outside: number,
  name: string,
  doubts: Doubts,
): void {
  if (total === undefined) {
    Object.assign(quantities, parts);
    return;
  }
  const inside = Object.values(parts).reduce((sum, part) => sum + part, 0) - outside;
  if (inside <= total) {
    Object.assign(quantities, parts);
    quantities[rest] = total - inside;
    return;
  }
  doubts.say(`the parts of ${name} add up to ${inside}, more than its ${total}: counted whole, without them`);
  quantities[rest] = total;
}

function inputPartsOf(usage: Fields, details: Fields, names: Names, doubts: Doubts): Quantities {
  const parts: { [name in UsageClass]?: number } = {};
  // Moonshot puts cached_tokens beside the totals; DeepSeek counts hits and misses.
  const hit = doubts.count(usage, "prompt_cache_hit_tokens");
  const miss = doubts.count(usage, "prompt_cache_miss_tokens");
  const input = usage[names.input];
  if (hit !== undefined && miss !== undefined && typeof input === "number" && hit + miss !== input)
    doubts.say(`prompt_cache_hit_tokens ${hit} + prompt_cache_miss_tokens ${miss} is not ${names.input} ${input}`);
  const cached = doubts.count(details, "cached_tokens") ?? doubts.count(usage, "cached_tokens");
  if (cached !== undefined && hit !== undefined && cached !== hit)
    doubts.say(`cached_tokens is ${cached}, but prompt_cache_hit_tokens is ${hit}`);
  set(parts, "cache_read", cached ?? hit);
  set(parts, "cache_write", doubts.count(details, "cache_write_tokens"));
  set(parts, "input_audio", doubts.count(details, "audio_tokens"));
  set(parts, "input_image", doubts.count(details, "image_tokens"));
  set(parts, "input_video", doubts.count(details, "video_tokens"));
  const text = doubts.count(details, "text_tokens");
  const media = (parts.input_audio ?? 0) + (parts.input_image ?? 0) + (parts.input_video ?? 0);
  if (text !== undefined && typeof input === "number" && text + media !== input)
    doubts.say(`${names.inputDetails}: text_tokens ${text} + other media ${media} is not ${names.input} ${input}`);
  return parts;
}

function outputPartsOf(usage: Fields, details: Fields, names: Names, doubts: Doubts): Quantities {
  const parts: { [name in UsageClass]?: number } = {};
  set(parts, "reasoning", doubts.count(details, "reasoning_tokens") ?? doubts.count(usage, "reasoning_tokens"));
  set(parts, "output_audio", doubts.count(details, "audio_tokens"));
  set(parts, "output_image", doubts.count(details, "image_tokens"));
  // Predicted tokens, rejected ones too, are billed as output and stay in it; they are only checked.
  const predicted = (doubts.count(details, "accepted_prediction_tokens") ?? 0) + (doubts.count(details, "rejected_prediction_tokens") ?? 0);
  const output = usage[names.output];
  if (typeof output === "number" && predicted > output)
    doubts.say(`predicted tokens add up to ${predicted}, more than ${names.output} ${output}`);
  return parts;
}

function set(parts: { [name in UsageClass]?: number }, name: UsageClass, value: number | undefined): void {
  if (value !== undefined) parts[name] = value;
}

/** Tools that were called, as an answer's facts say it: nothing, where a part of the answer could not be read. */
export function toolsOf(count: number | undefined, { hasMissed }: Doubts): { readonly tools?: number } {
  return hasMissed || count === undefined ? {} : { tools: count };
}

/** A usage of one part, at the answered model's price. */
export function usageOf(quantities: Quantities, source: Usage["source"], doubts: readonly string[], raw: string | null): Usage {
  const part: UsagePart = { kind: "message", model: null, quantities };
  return { parts: [part], source, doubts, raw };
}
