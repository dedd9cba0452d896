// Which models may be billed for reasoning that no stream shows. Where they are, counting what passes says less than what is spent, and a
// running stream cannot be held to a budget by it. Not here: what a cap covers. Invariant: a model of which nothing is known hides.
// Sources: OpenAI, Reasoning models ("not visible via the API"); Anthropic, Extended thinking (from Claude 4 on a summary is returned and the
// full thinking is billed); Google, Thinking (summaries of thoughts); xAI, Reasoning (Grok 4 returns none); AWS, Nova 2 (redacted).

import type { FormatName } from "./format.ts";

/** Names, after any vendor and region, of models that do not reason, or whose reasoning passes in full. */
const open: readonly RegExp[] = [
  /^(gpt-3\.5|gpt-35|gpt-4(?!\d)|chatgpt-4o|davinci|babbage)/,
  /^claude-(instant|v?2|3-5|3-(opus|sonnet|haiku))/,
  /^gemini-(1|2\.0-(flash|pro))(?!.*think)/,
  /^deepseek-(chat|reasoner)$/,
  /^(mistral|ministral|codestral|pixtral|magistral|devstral|open-mi|voxtral)/,
  /^(command|c4ai)/,
  /^(llama|meta-llama|llama3)/,
  /^nova-(micro|lite|pro|premier)/,
  /^titan/,
  /^grok-(2|3(?!-mini))/,
  /^sonar(-pro|-reasoning(-pro)?)?$/,
];

/** The vendor before a model's name, and the region before that: `us.anthropic.`, `openai/`, `models/`. */
const vendor = /^(?:[\w-]+\/)*(?:(?:us|eu|apac|jp|au|global|us-gov)\.)?(?:(?:amazon|anthropic|meta|mistral|cohere|deepseek|openai)\.)?/;

/** Formats without reasoning, and the one whose servers show all of it. */
const plain: ReadonlySet<FormatName> = new Set<FormatName>([
  "openai-completions",
  "openai-embeddings",
  "openai-images",
  "openai-audio",
  "gemini-embed",
  "ollama-generate",
  "ollama-embed",
  "cohere-chat",
  "cohere-embed",
]);

/** @param model as it was asked for; null: the request names none. */
export function hidesReasoning(format: FormatName, model: string | null): boolean {
  if (plain.has(format)) return false;
  if (model === null) return true;
  const name = model.toLowerCase().replace(vendor, "");
  return !open.some((pattern) => pattern.test(name));
}
