// Decides what is served for an ask: lengths, text, finish and truthful usage. Wire formats only render it.
// Invariant: the same seed, ask and controls give the same serving, whatever came before, unless the prefix cache was asked for.

import type { Ask, Tool } from "./ask.ts";
import type { PrefixCache } from "./cache.ts";
import type { Controls } from "./controls.ts";
import { generator, lognormal } from "./random.ts";
import { Refused } from "./refused.ts";
import { type Claim, type Iteration, type Served, add, nothing } from "./witness.ts";
import { countWords, pieces, text } from "./words.ts";

/** `stop_sequence` is a stop at one of the ask's own stops. */
export type Finish = "stop" | "stop_sequence" | "length" | "tool_use" | "failed";

export interface Choice {
  readonly text: string;
  /** `text` in the pieces a stream sends. */
  readonly pieces: readonly string[];
  /** Output tokens of this choice, reasoning and audio included. */
  readonly tokens: number;
  readonly finish: Finish;
  readonly stop: string | null;
  readonly tool: { readonly name: string; readonly input: string } | null;
}

export interface Serving {
  /** Unique over servers and runs; formats put their own prefix before it. */
  readonly id: string;
  readonly model: string;
  readonly tier: string | null;
  readonly createdS: number;
  readonly choices: readonly [Choice, ...Choice[]];
  readonly chunkTokens: number;
  /** Units of the answer itself. */
  readonly usage: Served;
  /** Further iterations (compaction), not in `usage`. */
  readonly iterations: readonly Iteration[];
  readonly claim: Claim;
  /** The cost that the answer is to report, as it is to be written. */
  readonly cost: string | null;
  /** A stream says unasked, with its last choice, what it used. */
  readonly usageUnasked: boolean;
  /** The error that was asked for, where it comes in the middle of the answer. */
  readonly fault: string | null;
}

export interface ServingContext {
  readonly seed: number;
  readonly id: string;
  readonly nowMs: number;
  /** The format tells 5-minute and 1-hour cache writes apart; others report one untimed number. */
  readonly timedWrites: boolean;
  readonly cache: PrefixCache;
}

const medianTokens = 150;
const spread = 0.8;
const drawnTokensMax = 4096;

export function serve(ask: Ask, controls: Readonly<Controls>, context: ServingContext): Serving {
  let usage = nothing();
  serveInput(usage, ask, controls, context);
  const chunkTokens = controls.chunkTokens ?? 4;
  const lengths = decideLengths(usage, ask, controls, context.seed);
  const tool = decideTool(ask, controls);
  const choices = lengths.map((length, index) => toChoice(length, index, ask, controls, chunkTokens, tool, context.seed));
  const [first, ...rest] = choices;
  if (first === undefined) throw new Error("an ask has at least one choice");
  usage.output = choices.reduce((sum, choice) => sum + choice.tokens, 0) - usage.reasoning - usage.output_audio;
  usage.web_search = controls.webSearches ?? 0;
  if (ask.makes !== undefined) {
    usage[ask.makes] += usage.output;
    usage.output = 0;
  }
  if (ask.units !== undefined) usage = { ...nothing(), ...ask.units };
  return {
    id: context.id,
    model: controls.servedModel ?? ask.served ?? ask.model,
    tier: controls.servedTier ?? ask.tier,
    createdS: Math.floor(context.nowMs / 1000),
    choices: [first, ...rest],
    chunkTokens,
    usage,
    iterations: toIterations(controls),
    claim: controls.usage ?? "true",
    cost: controls.cost ?? null,
    usageUnasked: controls.streamUsage === "sent",
    fault: controls.fail ?? null,
  };
}

/** Everything served, iterations included. */
export function totalUsage(serving: Serving): Served {
  if (serving.iterations.length === 0) return serving.usage;
  const total = { ...serving.usage };
  for (const iteration of serving.iterations) add(total, iteration, 1);
  return total;
}

function serveInput(usage: Served, ask: Ask, controls: Readonly<Controls>, context: ServingContext): void {
  usage.tool_prompt = controls.toolPromptTokens ?? 0;
  let read = controls.cacheReadTokens ?? ask.keptTokens ?? 0;
  let write5m = controls.cacheWrite5mTokens ?? 0;
  const write1h = controls.cacheWrite1hTokens ?? 0;
  const audio = controls.audioInputTokens ?? toPart(ask.media?.audio, controls.inputTokens);
  const image = controls.imageInputTokens ?? toPart(ask.media?.image, controls.inputTokens);
  const estimate = Math.max(1, Math.ceil(ask.promptBytes / 4));
  const total = controls.inputTokens ?? estimate + read + write5m + write1h + audio + image;
  if (controls.cache === "on" && controls.cacheReadTokens === undefined) {
    const share = context.cache.look(ask.model, ask.turns());
    read = Math.floor(total * share.known);
    // OpenAI's automatic cache is filled for nothing; Anthropic's writes are paid.
    if (context.timedWrites && controls.cacheWrite5mTokens === undefined) write5m = Math.floor(total * share.prefix) - read;
  }
  usage.input = total - read - write5m - write1h - audio - image;
  if (usage.input < 0)
    throw new Refused(`x-sandbox-input-tokens is ${total}, less than its cached, audio and image parts`, "x-sandbox-input-tokens");
  usage.cache_read = read;
  usage.input_audio = audio;
  usage.input_image = image;
  if (context.timedWrites) {
    usage.cache_write_5m = write5m;
    usage.cache_write_1h = write1h;
  } else {
    usage.cache_write = write5m + write1h;
  }
}

/** Media are all of a prompt whose size was given, as far as it goes. */
function toPart(media: number | undefined, total: number | undefined): number {
  return Math.min(media ?? 0, total ?? Number.POSITIVE_INFINITY);
}

interface Length {
  /** Tokens of words. */
  readonly visible: number;
  readonly tokens: number;
  readonly full: boolean;
}

/** Lengths per choice. Reasoning and audio are the first choice's; the cap holds per choice, reasoning included. */
function decideLengths(usage: Served, ask: Ask, controls: Readonly<Controls>, seed: number): Length[] {
  const cap = ask.cap ?? Number.POSITIVE_INFINITY;
  const hidden = (controls.reasoningTokens ?? 0) + (controls.audioOutputTokens ?? 0);
  const asked = controls.outputTokens;
  if (asked !== undefined && hidden > asked)
    throw new Refused(`x-sandbox-output-tokens is ${asked}, less than its reasoning and audio parts`, "x-sandbox-output-tokens");
  const words = asked === undefined ? null : asked - hidden;
  const lengths: Length[] = [];
  for (let index = 0; index < ask.choices; index += 1) {
    const own = index === 0 ? hidden : 0;
    const wanted = own + (words === null ? drawLength(ask, seed, index) : share(words, ask.choices, index));
    const tokens = Math.min(wanted, cap);
    if (index === 0) {
      usage.reasoning = Math.min(controls.reasoningTokens ?? 0, tokens);
      usage.output_audio = Math.min(controls.audioOutputTokens ?? 0, tokens - usage.reasoning);
    }
    const kept = index === 0 ? usage.reasoning + usage.output_audio : 0;
    lengths.push({ visible: tokens - kept, tokens, full: tokens < wanted });
  }
  return lengths;
}

function drawLength(ask: Ask, seed: number, index: number): number {
  if (ask.length !== undefined) return ask.length;
  return lognormal(generator(ask.hash ^ Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b)), medianTokens, spread, drawnTokensMax);
}

export function share(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}

function toChoice(
  length: Length,
  index: number,
  ask: Ask,
  controls: Readonly<Controls>,
  chunkTokens: number,
  tool: Tool | null,
  seed: number,
): Choice {
  if (tool !== null)
    return { text: "", pieces: [], tokens: length.tokens, finish: "tool_use", stop: null, tool: { name: tool.name, input: toInput(tool) } };
  let whole = text(length.visible, ((ask.hash ^ seed) >>> 0) + index * 97);
  let tokens = length.tokens;
  let finish: Finish = length.full ? "length" : "stop";
  let stop: string | null = null;
  // A length that was asked for stands: its numbers must come out as given.
  const found = controls.outputTokens === undefined && ask.stops.length > 0 ? findStop(whole, ask.stops) : null;
  if (found !== null) {
    whole = whole.slice(0, found.at).trimEnd();
    tokens -= length.visible - countWords(whole);
    finish = "stop_sequence";
    stop = found.stop;
  }
  switch (controls.finish) {
    case "length":
    case "incomplete":
      finish = "length";
      break;
    case "stop":
      finish = "stop";
      break;
    case "failed":
      finish = "failed";
      break;
    case "tool_use":
    case undefined:
      break;
  }
  return { text: whole, pieces: ask.streamed ? pieces(whole, chunkTokens) : [], tokens, finish, stop, tool: null };
}

function findStop(whole: string, stops: readonly string[]): { at: number; stop: string } | null {
  let best: { at: number; stop: string } | null = null;
  for (const stop of stops) {
    const at = stop === "" ? -1 : whole.indexOf(stop);
    if (at !== -1 && (best === null || at < best.at)) best = { at, stop };
  }
  return best;
}

function decideTool(ask: Ask, controls: Readonly<Controls>): Tool | null {
  const asked = controls.finish === "tool_use";
  if (!asked && (ask.toolForced === false || controls.finish !== undefined)) return null;
  const named = typeof ask.toolForced === "string" ? ask.tools.find((tool) => tool.name === ask.toolForced) : ask.tools[0];
  if (named === undefined) {
    const param = asked ? "x-sandbox-finish" : "tool_choice";
    throw new Refused(`${param} asks for a tool call, and the request has no such tool`, param);
  }
  return named;
}

/** The smallest input that fits the tool's required properties. */
function toInput(tool: Tool): string {
  return JSON.stringify(toExample(tool.schema, 0));
}

function toExample(schema: unknown, depth: number): unknown {
  if (typeof schema !== "object" || schema === null || depth > 8) return {};
  const { type, properties, required, enum: values } = schema as Readonly<Record<string, unknown>>;
  if (Array.isArray(values) && values.length > 0) return values[0] as unknown;
  switch (type) {
    case "string":
      return "sandbox";
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "null":
      return null;
    default: {
      if (typeof properties !== "object" || properties === null || !Array.isArray(required)) return {};
      const known = properties as Readonly<Record<string, unknown>>;
      const names = required.filter((name): name is string => typeof name === "string");
      return Object.fromEntries(names.map((name) => [name, toExample(known[name], depth + 1)]));
    }
  }
}

/** Compaction steps have a model and a size of their own: 10,000 and 500 tokens, each step a thousand and ten more. */
function toIterations(controls: Readonly<Controls>): readonly Iteration[] {
  const model = controls.compactionModel ?? "claude-haiku-4-5";
  return Array.from({ length: controls.compaction ?? 0 }, (_, index) => ({
    ...nothing(),
    model,
    input: 10_000 + 1000 * index,
    output: 500 + 10 * index,
  }));
}
