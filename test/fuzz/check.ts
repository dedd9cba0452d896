// What must hold of everything that a format says of a request or an answer, whatever came. Each check gives the first thing that does not hold,
// in words, or null. Invariant: it knows the contract (format.ts, core/usage.ts) and the providers' own words, and none of the readers.

import { type Quantities, type UsageClass, usageClasses } from "../../src/core/usage.ts";
import type { AnswerFacts, FormatName, RequestFacts } from "../../src/providers/format.ts";

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isShort = (value: string | null, charactersMax: number): boolean => value === null || value.length <= charactersMax;

/** @param isBeside counts came in headers as well. */
export function problemOfAnswer(format: FormatName, facts: AnswerFacts, bytesIn: number, isBeside = false): string | null {
  for (const name of ["responseId", "model", "tier", "finish", "error"] as const)
    if (!isShort(facts[name], 256)) return `${name} has ${facts[name]?.length} characters`;
  // A byte that is no UTF-8 is counted as the three of its replacement.
  if (!isCount(facts.outputBytes) || facts.outputBytes > 3 * bytesIn) return `outputBytes is ${facts.outputBytes} of ${bytesIn} bytes`;
  if (facts.cost !== undefined && !/^\d{1,20}(\.\d{1,40})?$/.test(facts.cost)) return `the cost is ${facts.cost.slice(0, 80)}`;
  for (const doubts of [facts.doubts ?? [], facts.usage?.doubts ?? []]) {
    if (doubts.length > 64) return `${doubts.length} doubts`;
    const long = doubts.find((doubt) => doubt.length > 1_024);
    if (long !== undefined) return `a doubt of ${long.length} characters: ${long.slice(0, 80)}`;
  }
  return facts.usage === null ? null : problemOfUsage(format, facts.usage, isBeside);
}

function problemOfUsage(
  format: FormatName,
  { parts, raw, source, sources }: NonNullable<AnswerFacts["usage"]>,
  isBeside: boolean,
): string | null {
  if (parts.length > 1_000) return `${parts.length} parts`;
  if (source !== "reported" && source !== "partial") return `a usage that is ${source}`;
  for (const { kind, model, quantities } of parts) {
    if (!isShort(kind, 256) || !isShort(model, 256)) return "a part with a long name";
    for (const [name, quantity] of Object.entries(quantities)) {
      if (!Object.hasOwn(usageClasses, name)) return `a class called ${name.slice(0, 80)}`;
      if (!isCount(quantity)) return `${name} is ${String(quantity)}`;
    }
  }
  if (Object.keys(sources ?? {}).some((name) => !Object.hasOwn(usageClasses, name))) return "a source of no class";
  if (raw === null) return null;
  if (Buffer.byteLength(raw) > 64 * 1024) return `a usage object of ${Buffer.byteLength(raw)} bytes`;
  let said: unknown;
  try {
    said = JSON.parse(raw);
  } catch {
    return `a usage object that is no JSON: ${raw.slice(0, 120)}`;
  }
  return isBeside ? null : problemOfSums(format, parts, said);
}

type Said = Readonly<Record<string, unknown>>;

/** Tokens are never more than the provider's own totals, where it has given one; and never more than all its numbers together. */
function problemOfSums(format: FormatName, parts: readonly { readonly quantities: Quantities }[], said: unknown): string | null {
  const tokens = (direction: "input" | "output"): number => {
    let total = 0;
    for (const { quantities } of parts)
      for (const [name, quantity] of Object.entries(quantities)) {
        const facts = usageClasses[name as UsageClass];
        if (facts.unit === "token" && facts.direction === direction && name !== "citation") total += quantity;
      }
    return total;
  };
  const [input, output] = [tokens("input"), tokens("output")];
  const all = leaves(said);
  if (input + output > all)
    return `${input} + ${output} tokens, but all numbers together are ${all}: ${JSON.stringify(said).slice(0, 400)}`;
  if (typeof said !== "object" || said === null || Array.isArray(said)) return null;
  if (format === "gemini-generate") {
    // What the total leaves when the parts are taken out is counted too: its prompt's or its thoughts'.
    const parts = (said as Said)["promptTokenCount"];
    const total = (said as Said)["totalTokenCount"];
    const named = ["prompt", "toolUsePrompt", "candidates", "response", "thoughts"]
      .map((name) => {
        const count = (said as Said)[`${name}TokenCount`];
        return leaves(isCount(count) && count <= 1e9 ? count : (said as Said)[`${name}TokensDetails`]);
      })
      .reduce((sum, each) => sum + each, 0);
    if (isCount(parts) && isCount(total) && input + output > Math.max(named, total))
      return `${input} + ${output} tokens of ${Math.max(named, total)}: ${JSON.stringify(said).slice(0, 500)}`;
  }
  const [inputMax, outputMax] = totals(format, said as Said);
  if (inputMax !== null && input > inputMax) return `${input} input tokens of ${inputMax}: ${JSON.stringify(said).slice(0, 400)}`;
  if (outputMax !== null && output > outputMax) return `${output} output tokens of ${outputMax}: ${JSON.stringify(said).slice(0, 400)}`;
  return null;
}

/** What a provider calls its totals of input and output; null where it gave none that is a count. */
function totals(format: FormatName, said: Said): readonly [number | null, number | null] {
  const of = (name: string, box: Said = said): number | null =>
    isCount(box[name]) && (box[name] as number) <= 1e9 ? (box[name] as number) : null;
  const inner = (name: string): Said => (typeof said[name] === "object" && said[name] !== null ? (said[name] as Said) : {});
  switch (format) {
    case "openai-chat":
    case "openai-completions":
    case "openai-embeddings":
      // Some count reasoning beside the completion, and say so in their total or in their cost.
      return [
        of("prompt_tokens"),
        plus(of("completion_tokens"), of("reasoning_tokens", inner("completion_tokens_details")) ?? of("reasoning_tokens")),
      ];
    case "openai-responses":
    case "openai-images":
      return [
        of("input_tokens"),
        plus(of("output_tokens"), of("reasoning_tokens", inner("output_tokens_details")) ?? of("reasoning_tokens")),
      ];
    case "anthropic-messages":
      return "iterations" in said
        ? [null, null]
        : [
            plus(
              of("input_tokens"),
              of("cache_creation_input_tokens"),
              of("cache_read_input_tokens"),
              ...Object.keys(inner("cache_creation")).map((name) => of(name, inner("cache_creation"))),
            ),
            of("output_tokens"),
          ];
    case "bedrock-converse":
      return [
        plus(of("inputTokens"), of("cacheReadInputTokens"), of("cacheWriteInputTokens") ?? leaves(said["cacheDetails"])),
        of("outputTokens"),
      ];
    case "cohere-chat":
      return [null, null];
    default:
      return [null, null];
  }
}

function plus(total: number | null, ...more: readonly (number | null)[]): number | null {
  return total === null ? null : more.reduce<number>((sum, each) => sum + (each ?? 0), total);
}

/** All numbers that can be a count, added up. */
function leaves(value: unknown): number {
  let sum = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (isCount(next) && next <= 1e9) sum += next;
    else if (typeof next === "object" && next !== null) open.push(...Object.values(next));
  }
  return sum;
}

export function problemOfRequest(facts: RequestFacts, body: Buffer): string | null {
  if (facts.model !== null && Buffer.byteLength(facts.model) > 256) return "a long model";
  if (!isShort(facts.tier, 64) || !isShort(facts.effort, 64)) return "a long word";
  if (facts.cap !== null && !isCount(facts.cap)) return `a cap of ${facts.cap}`;
  if (!Number.isInteger(facts.choices) || facts.choices < 1) return `${facts.choices} choices`;
  if (facts.unbounded !== null && (facts.unbounded === "" || facts.unbounded.length > 2_048))
    return `a reason of ${facts.unbounded.length}`;
  if (facts.toolNames.length > 256 || facts.toolNames.some((name) => name.length > 128)) return "tool names";
  const { user, session, previousResponse, metadata } = facts.hints;
  if (!isShort(user, 1_024) || !isShort(session, 1_024) || !isShort(previousResponse, 1_024)) return "a long hint";
  const entries = Object.entries(metadata);
  if (entries.length > 64 || entries.some(([key, value]) => key.length > 256 || typeof value !== "string" || value.length > 1_024))
    return "metadata";
  let bytes = 0;
  for (const [part, count] of Object.entries(facts.promptBytes)) {
    if (!isCount(count)) return `promptBytes.${part} is ${count}`;
    bytes += count;
  }
  if (bytes > body.length) return `${bytes} bytes of prompt in a body of ${body.length}`;
  for (const [start, end] of facts.blocks) if (!(start >= 0 && start <= end && end <= body.length)) return `a block at [${start}, ${end})`;
  return problemOfSplices(facts, body);
}

function problemOfSplices({ splices, edits, model, modelSpan }: RequestFacts, body: Buffer): string | null {
  let from = 0;
  const out: Buffer[] = [];
  for (const { at, remove, insert } of splices) {
    if (at < from || at + remove > body.length) return `a splice of ${remove} bytes at ${at}`;
    out.push(body.subarray(from, at), Buffer.from(insert));
    from = at + remove;
  }
  if (splices.length > 0 !== edits.length > 0) return `${splices.length} splices and ${edits.length} edits`;
  const text = body.toString("utf8");
  if (splices.length > 0 && isJson(text) && !isJson(Buffer.concat([...out, body.subarray(from)]).toString("utf8")))
    return "the splices break the JSON";
  if (modelSpan === null || !isJson(text)) return null;
  const named: unknown = JSON.parse(body.toString("utf8", ...modelSpan));
  return typeof named === "string" && model !== null && named !== model
    ? `the span of the model ${model.slice(0, 40)} holds another`
    : null;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
