// Gemini's usage taken apart into disjoint classes. Here the prompt includes what was cached, and tools' results, candidates and thoughts
// stand beside it: the total is the sum of the four. Not here: where a usage object is found (candidates.ts, vectors.ts), uses of tools.
// Invariant: what is counted adds up to the provider's own counts; parts that do not fit into their count are left out, with a doubt.
// The fields and their sums: GenerateContentResponseUsageMetadata of @google/genai 2.32.

import type { Quantities, Usage, UsageClass } from "../core/usage.ts";
import { type Doubts, type Fields, fieldsOf, shown } from "./tally.ts";

export interface Counted {
  readonly quantities: Quantities;
  /** Classes that were reckoned from the total, since nothing named them. */
  readonly sources: NonNullable<Usage["sources"]>;
}

type Counts = { [name in UsageClass]?: number };
type Medium = "audio" | "image" | "video";

/** Tokens by medium, and of text where that is listed; `sum` is over all of them. */
interface Details {
  readonly media: { readonly [name in Medium]?: number };
  readonly isWhole: boolean;
  readonly sum: number;
}

/**
 * A PDF's tokens are those of its pages as images: newer models list them as IMAGE, older ones as DOCUMENT, and genai-prices charges both
 * alike. What names no modality is text (ModalityTokenCount).
 */
const modalities: Readonly<Record<string, Medium | "text">> = {
  MODALITY_UNSPECIFIED: "text",
  TEXT: "text",
  AUDIO: "audio",
  IMAGE: "image",
  DOCUMENT: "image",
  VIDEO: "video",
};
const media: readonly Medium[] = ["audio", "image", "video"];

const names = [
  "promptTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
  "toolUsePromptTokenCount",
  "cachedContentTokenCount",
  "responseTokenCount",
];

/** Whether a usage object counts anything: the first ones of a stream may name the traffic's type and nothing else. */
export function hasCounts(usage: Fields): boolean {
  return names.some((name) => usage[name] !== undefined && usage[name] !== null);
}

/** Whether the parts of a usage object come to its total. */
export function addsUp(usage: Fields): boolean {
  return typeof usage["promptTokenCount"] === "number" && usage["totalTokenCount"] === sumOf(usage);
}

function sumOf(usage: Fields): number {
  const of = (name: string): number => (typeof usage[name] === "number" ? usage[name] : 0);
  return of("promptTokenCount") + candidatesIn(usage, of) + of("thoughtsTokenCount") + of("toolUsePromptTokenCount");
}

/** The Live API calls the candidates a response. */
function candidatesIn<T>(usage: Fields, read: (name: string) => T): T {
  return read(usage["candidatesTokenCount"] === undefined ? "responseTokenCount" : "candidatesTokenCount");
}

export function countTokens(usage: Fields, doubts: Doubts): Counted {
  const counts: Counts = {};
  const prompt = inputOf(usage, counts, doubts);
  const output = outputOf(usage, counts, doubts);
  const thoughts = doubts.count(usage, "thoughtsTokenCount");
  if (thoughts !== undefined) counts.reasoning = thoughts;
  const total = doubts.count(usage, "totalTokenCount");
  if (prompt === undefined && hasCounts(usage)) doubts.say("promptTokenCount is missing");
  if (total === undefined || prompt === undefined) return { quantities: counts, sources: {} };

  const tools = doubts.count(usage, "toolUsePromptTokenCount");
  const named = prompt + (output ?? 0) + (thoughts ?? 0) + (tools ?? 0);
  if (total === named) return { quantities: counts, sources: {} };
  const doubt = `totalTokenCount is ${total}, but its parts add up to ${named}`;
  const rest = total - named;
  // Some models and servers count thoughts in the total alone, others the results of tools. What is billed must not go missing.
  if (rest > 0 && thoughts === undefined) {
    doubts.say(`${doubt}: the rest is taken for thoughts`);
    return { quantities: { ...counts, reasoning: rest }, sources: { reasoning: "estimated" } };
  }
  if (rest > 0 && tools === undefined) {
    doubts.say(`${doubt}: the rest is taken for results of tools`);
    return { quantities: { ...counts, input: (counts.input ?? 0) + rest }, sources: { input: "estimated" } };
  }
  doubts.say(doubt);
  return { quantities: counts, sources: {} };
}

/** Sets the classes of input. @returns the prompt's own count. */
function inputOf(usage: Fields, counts: Counts, doubts: Doubts): number | undefined {
  const listed = detailsOf(usage, "promptTokensDetails", doubts) ?? detailsOf(usage, "promptTokenDetails", doubts);
  const prompt = totalOf(usage, "promptTokenCount", listed, doubts);
  const toolsListed = detailsOf(usage, "toolUsePromptTokensDetails", doubts);
  const tools = totalOf(usage, "toolUsePromptTokenCount", toolsListed, doubts);
  const cachedListed = detailsOf(usage, "cacheTokensDetails", doubts);
  const cached = totalOf(usage, "cachedContentTokenCount", cachedListed, doubts);
  const total = prompt === undefined && tools === undefined ? undefined : (prompt ?? 0) + (tools ?? 0);
  if (cached !== undefined && prompt !== undefined && cached > prompt)
    doubts.say(`cachedContentTokenCount is ${cached}, more than promptTokenCount ${prompt}`);

  const parts: Counts = {};
  let cachedText = cached;
  for (const medium of media) {
    const kept = cachedListed?.media[medium];
    const given = (listed?.media[medium] ?? 0) + (toolsListed?.media[medium] ?? 0);
    const isListed = listed?.media[medium] !== undefined || toolsListed?.media[medium] !== undefined;
    if (isListed || (listed !== undefined && kept !== undefined)) parts[`input_${medium}`] = given - (kept ?? 0);
    // A cached video has no class of its own: it costs what cached text costs.
    if (kept === undefined || medium === "video") continue;
    parts[`cache_read_${medium}`] = kept;
    if (cachedText !== undefined) cachedText -= kept;
  }
  if (cachedText !== undefined) parts.cache_read = cachedText;
  const fallback = cached === undefined ? {} : { cache_read: cached };
  if (!fit(counts, "input", total, parts)) {
    doubts.say("the modalities of the prompt do not fit into promptTokenCount: counted without them");
    if (!fit(counts, "input", total, fallback)) counts.input = total ?? 0;
  }
  return prompt;
}

function outputOf(usage: Fields, counts: Counts, doubts: Doubts): number | undefined {
  const listed = detailsOf(usage, "candidatesTokensDetails", doubts) ?? detailsOf(usage, "responseTokensDetails", doubts);
  const total = candidatesIn(usage, (name) => totalOf(usage, name, listed, doubts));
  const parts: Counts = {};
  for (const medium of media) {
    const tokens = listed?.media[medium];
    if (tokens !== undefined) parts[`output_${medium}`] = tokens;
  }
  if (!fit(counts, "output", total, parts)) {
    doubts.say("the modalities of the candidates do not fit into candidatesTokenCount: counted without them");
    counts.output = total ?? 0;
  }
  return total;
}

/** Sets `parts`, and `rest` to what its total leaves; false, and nothing is set, when they do not fit. */
function fit(counts: Counts, rest: "input" | "output", total: number | undefined, parts: Counts): boolean {
  const values = Object.values(parts);
  const left = total === undefined ? 0 : total - values.reduce((sum, part) => sum + part, 0);
  if (left < 0 || values.some((part) => part < 0)) return false;
  Object.assign(counts, parts);
  if (total !== undefined) counts[rest] = left;
  return true;
}

/** A count; where it is missing, what its details come to (googleapis/python-genai issue 795: cached tokens that only the details counted). */
function totalOf(usage: Fields, name: string, listed: Details | undefined, doubts: Doubts): number | undefined {
  const total = doubts.count(usage, name);
  if (total === undefined) return listed === undefined || listed.sum === 0 ? undefined : listed.sum;
  if (listed !== undefined && (listed.isWhole ? listed.sum !== total : listed.sum > total))
    doubts.say(`${name} is ${total}, but its modalities add up to ${listed.sum}`);
  return total;
}

/** undefined where nothing is listed. An entry without a count is one of zero: protobuf leaves zeros out. */
function detailsOf(usage: Fields, name: string, doubts: Doubts): Details | undefined {
  const list = usage[name];
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const tokens: { [name in Medium]?: number } = {};
  let isWhole = false;
  let sum = 0;
  for (const entry of list as unknown[]) {
    const fields = fieldsOf(entry);
    const modality = fields["modality"] ?? "TEXT";
    const medium = typeof modality === "string" && Object.hasOwn(modalities, modality) ? modalities[modality] : undefined;
    if (medium === undefined) doubts.say(`${name} names a modality that is not known: ${shown(modality)}`);
    const count = doubts.count(fields, "tokenCount") ?? 0;
    sum += count;
    if (medium === "text") isWhole = true;
    else if (medium !== undefined) tokens[medium] = (tokens[medium] ?? 0) + count;
  }
  return { media: tokens, isWhole, sum };
}
