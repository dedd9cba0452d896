// What caps on output cover, and what models can put out or take at most: facts by vendor and family of models, as data. Each row says
// what its vendor says; docs/caps.md gives the sources. Not here: prices, context windows (core/price.ts), how a cap is put into a body
// (capping.ts). Invariant: what is not known is null, and whoever asks takes the model's context window.

import type { FormatName } from "./format.ts";

/** A model as its provider names it, and whose it is: the provider's own name, then whose prices apply to it. */
export interface Capped {
  readonly vendors: readonly string[];
  readonly model: string | null;
}

/**
 * Most tokens that one answer of a model can have, thinking included, by the end of its name. Rounded up where a vendor's pages differ.
 * Sources, read 2026-11-21: the vendors' pages of models; LiteLLM's map of 2026-07-24, which none of these is below.
 */
const outputs: readonly (readonly [RegExp, number])[] = [
  [/^(ft:)?gpt-4o|^chatgpt-4o/, 16_384],
  [/^(ft:)?gpt-4\.1/, 32_768],
  [/^(ft:)?gpt-4-32k/, 32_768],
  [/^(ft:)?gpt-4-(turbo|1106|0125|vision)/, 4_096],
  [/^(ft:)?gpt-4(-0314|-0613)?(:|$)/, 8_192],
  [/^(ft:)?gpt-3\.5/, 4_096],
  [/^gpt-audio/, 16_384],
  [/^gpt-5(\.\d)?-chat/, 16_384],
  [/^gpt-5(\.\d)?-pro/, 272_000],
  [/^gpt-5/, 128_000],
  [/^(ft:)?(o1|o3|o4)(-|$)|^codex-mini/, 100_000],
  [/^gpt-oss/, 131_072],
  [/^claude-(3-(haiku|opus|sonnet)|instant|2)/, 4_096],
  [/^claude-3-5-/, 8_192],
  // With the beta of 128 K output.
  [/^claude-3-7-/, 128_000],
  [/^claude-(4-opus|opus-4(-[01])?(-\d{8}|@|-v|-latest|$))/, 32_000],
  [/^claude-(4-sonnet|(sonnet-4(-[05])?|haiku-4-5|opus-4-5)(-\d{8}|@|-v|-latest|$))/, 64_000],
  [/^claude-(opus|sonnet|haiku|fable)-/, 128_000],
  [/^gemini-(1\.|2\.0-(?!.*thinking))/, 8_192],
  // 65,536, and a thinking budget of up to 32,768, of which Google's own pages differ on whether it counts.
  [/^gemini-(2\.|[3-9]|flash-|pro-)/, 98_304],
  [/^command-(r|light|nightly)/, 4_096],
  [/^command-a-reasoning/, 32_768],
  [/^command-a/, 8_192],
  [/^nova-2/, 65_536],
  [/^nova-(micro|lite|pro|premier)/, 10_000],
  // Its chain of thought included (DeepSeek: models and pricing).
  [/^deepseek-reasoner/, 65_536],
];

/**
 * Most tokens that one answer of a model can have, by whichever provider: its name is looked at without a vendor or a region before it.
 * @returns null when that is not known.
 */
export function outputMaxOf(model: string | null): number | null {
  return model === null ? null : find(outputs, bare(model));
}

/**
 * Most tokens that a model takes for one picture, whatever its size. OpenAI: eight tiles, or as many patches as the family allows; Anthropic:
 * pictures are scaled down to fit; Gemini 3: by the highest resolution that can be asked for. Of others a picture may fill the window.
 */
const pictures: readonly (readonly [RegExp, number])[] = [
  [/^gpt-4o-mini/, 2_833 + 8 * 5_667],
  [/^gpt-4\.1-(mini|nano)/, 3_779],
  [/^(gpt-4o|chatgpt-4o|gpt-4\.1|gpt-4-(turbo|vision))/, 85 + 8 * 170],
  [/^o4-mini/, 2_642],
  [/^(o1|o3)(-pro)?(-\d|$)/, 75 + 8 * 150],
  [/^gpt-5(-chat|-pro|-codex)?(-\d|-latest|$)/, 70 + 8 * 140],
  [/^gpt-5-(mini|nano)/, 3_779],
  // 10,000 patches where the original is asked for, at the largest multiplier that any of the family has. Not the small ones: GPT-5.4 mini has
  // been seen to bill the base64 of a picture as text (community.openai.com, topic 1380539).
  [/^gpt-5\.\d(?!.*-(mini|nano))/, 24_600],
  [/^claude-(3-|opus-4(-[0156])?(-\d{8}|@|-v|$)|(sonnet|haiku)-4)/, 1_700],
  [/^claude-/, 5_000],
  [/^gemini-[3-9]/, 2_300],
];

/** @returns null when that is not known. */
export function imageTokensOf(model: string | null): number | null {
  return model === null ? null : find(pictures, bare(model));
}

/**
 * Tokens that a provider puts around a request of its own: Anthropic's instructions for tools (up to 804 for a model) and for each tool that it
 * describes itself (up to 1,234, for using a computer), hidden system prompts of xAI (some 680) and of gpt-oss (some 70); templates of open
 * models. What JSON takes for its brackets and names is more than the marks around a message, so that those are in the bytes already.
 */
export function surroundings(
  { vendors, model }: Capped,
  { tools, declared }: { readonly tools: boolean; readonly declared: number },
): number {
  const name = bare(model ?? "");
  const always =
    vendors.includes("x-ai") || vendors.includes("xai") || name.startsWith("grok") ? 1_024 : name.includes("gpt-oss") ? 256 : 64;
  return always + (tools || declared > 0 ? 1_024 : 0) + declared * 2_048;
}

/** Which names of the cap a provider of Chat Completions heeds; another one it passes over, and so it caps nothing. */
interface Heeded {
  readonly fields: readonly string[];
  /** Goes in where there is none. */
  readonly usual: string;
}

const older: Heeded = { fields: ["max_tokens"], usual: "max_tokens" };
const both: Heeded = { fields: ["max_completion_tokens", "max_tokens"], usual: "max_tokens" };
const newer: Heeded = { fields: ["max_completion_tokens", "max_tokens"], usual: "max_completion_tokens" };

const heeded: Readonly<Record<string, Heeded>> = {
  openai: newer,
  azure: newer,
  groq: newer,
  xai: newer,
  "x-ai": newer,
  cerebras: newer,
  moonshot: both,
  moonshotai: both,
  openrouter: both,
  fireworks: both,
  google: both,
  vllm: both,
  sglang: both,
  llamacpp: both,
  sandbox: newer,
};

const openaiModels = /^(ft:)?(gpt-[345]|chatgpt-|o\d(-|$)|codex-)/;

/** What of Chat Completions' two names for the cap is heeded. Of a server of which nothing is known: the older name, which all have. */
export function chatFieldsOf({ vendors, model }: Capped): Heeded {
  const known = vendors.find((vendor) => Object.hasOwn(heeded, vendor));
  if (known !== undefined) return heeded[known] as Heeded;
  return openaiModels.test(bare(model ?? "")) || (model ?? "").startsWith("openai.") ? newer : older;
}

/**
 * Models whose cap does not, or not surely, cover their reasoning: their answers are bounded by what they can put out at all. DeepSeek has said
 * both of `deepseek-reasoner`; Cohere and Perplexity do not say; xAI's older pages count visible tokens alone.
 */
const uncovered: readonly (readonly [format: FormatName | null, RegExp])[] = [
  ["openai-chat", /^deepseek-reasoner/],
  [null, /^command-a-reasoning/],
  [null, /^sonar-(reasoning|deep)/],
  ["openai-chat", /^grok-(3-mini|4|code|build)/],
];

/** Whether a cap covers the reasoning too, so that it bounds an answer. */
export function capCoversReasoning(format: FormatName, model: string | null): boolean {
  const name = bare(model ?? "");
  return !uncovered.some(([only, pattern]) => (only === null || only === format) && pattern.test(name));
}

/** Models that run tools, or ask others, whether or not they are asked to: nothing in the request bounds them. */
const agents = /^(sonar-deep-research|compound|groq\/compound|.*-deep-research|.*-search-(preview|api)|auto$|grok-4\.20-multi-agent)/;

export function runsTools(model: string | null): boolean {
  return model !== null && (agents.test(bare(model)) || model.endsWith(":online"));
}

/** Providers of Responses that hold to `max_tool_calls`. Mistral, for one, takes it and passes over it (its API reference). */
const toolCaps: ReadonlySet<string> = new Set(["openai", "azure", "sandbox"]);

export function heedsToolCap({ vendors }: Capped): boolean {
  return toolCaps.has(vendors[0] ?? "") || vendors.includes("openai");
}

/**
 * Other tiers that a call may be served at, for all that it asks for. OpenAI serves one that asks for none, or for `auto`, at the tier that the
 * project is set to (API reference, `service_tier`), of which priority is the dearest.
 */
export function tiersOf({ vendors }: Capped, asked: string | null): readonly string[] {
  const isOpenai = vendors.some((vendor) => vendor === "openai" || vendor === "azure");
  return isOpenai && (asked === null || asked === "auto") ? ["priority"] : [];
}

/** Vendors whose tokenizers are published and work on the bytes as they are; others may put a text into another form first. */
export function keepsText({ model }: Capped): boolean {
  const name = bare(model ?? "");
  return openaiModels.test(name) || /^(text-embedding-|gpt-oss|davinci|babbage)/.test(name);
}

function find(rows: readonly (readonly [RegExp, number])[], name: string): number | null {
  return rows.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Without what stands before it: `models/`, a vendor, a region (`us.anthropic.`), an ARN. */
function bare(model: string): string {
  const name = model.toLowerCase();
  const last = name.slice(name.lastIndexOf("/") + 1);
  return last.replace(/^(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|cohere|openai|deepseek|qwen)\./, "");
}
