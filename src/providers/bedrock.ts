// What Converse and InvokeModel share: ids, tiers and errors that stand in headers, and counts in Bedrock's own words.
// Here input excludes what was read from and written to the cache, in bodies, headers and stream metrics alike; output includes reasoning, and
// does not tell it apart. Not here: a model's own usage (native.ts). Invariant: what Bedrock itself counted wins, for it bills by that.

import type { Quantities, Usage, UsageClass, UsagePart } from "../core/usage.ts";
import { clip, nameCharactersMax } from "./clip.ts";
import type { AnswerFacts, AnswerHead } from "./format.ts";
import { codeIn, type Doubts, type Fields, fieldsOf, isFields, textIn } from "./tally.ts";

/** Requests carry the same id in CloudTrail and in the logs of model invocations. */
export function requestIdOf(head: AnswerHead): string | null {
  const id = head.header("x-amzn-requestid");
  return id === null || id === "" ? null : clip(id, nameCharactersMax);
}

/** The tier that prices go by. Latency-optimised inference has prices of its own, and is said beside the tier. */
export function tierOf(type: unknown, latency: unknown): string | null {
  return latency === "optimized" ? "latency-optimized" : textIn(type);
}

/** A reserved tier is capacity by the hour; what does not fit into it is served, and billed, at another tier. */
export function poolOf(type: unknown): Pick<AnswerFacts, "pool"> {
  return typeof type !== "string" || type === "" ? {} : { pool: type === "reserved" ? "provisioned" : "shared" };
}

/** An answer's error: `ThrottlingException` of `x-amzn-errortype: ThrottlingException:http://…`; null when its status is none. */
export function errorOf(head: AnswerHead, answer: unknown): string | null {
  if (head.status < 300) return null;
  const header = head.header("x-amzn-errortype")?.split(":")[0];
  const type = fieldsOf(answer)["__type"];
  const inBody = typeof type === "string" ? type.slice(type.lastIndexOf("#") + 1) : undefined;
  return codeIn(header) ?? codeIn(inBody) ?? "error";
}

/** How a set of counts is called; the first of several names that is there counts. */
export interface CountNames {
  readonly input: string;
  readonly output: string;
  readonly read: readonly string[];
  readonly write: readonly string[];
}

export const converseNames: CountNames = {
  input: "inputTokens",
  output: "outputTokens",
  read: ["cacheReadInputTokens", "cacheReadInputTokenCount"],
  write: ["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
};

/** Of `amazon-bedrock-invocationMetrics`, in the last event of a stream. */
export const metricNames: CountNames = {
  input: "inputTokenCount",
  output: "outputTokenCount",
  read: ["cacheReadInputTokenCount"],
  write: ["cacheWriteInputTokenCount"],
};

const headerNames: CountNames = {
  input: "x-amzn-bedrock-input-token-count",
  output: "x-amzn-bedrock-output-token-count",
  read: ["x-amzn-bedrock-cache-read-input-token-count"],
  write: ["x-amzn-bedrock-cache-write-input-token-count"],
};

type Counts = { [name in UsageClass]?: number };

/** Disjoint classes out of counts by these names, writes by their lifetime where `cacheDetails` tells it. */
export function countsOf(usage: Fields, names: CountNames, doubts: Doubts): Quantities {
  const counts: Counts = {};
  const input = doubts.count(usage, names.input);
  const output = doubts.count(usage, names.output);
  const read = oneOf(usage, names.read, doubts);
  const write = oneOf(usage, names.write, doubts);
  const total = doubts.count(usage, "totalTokens");
  if (total !== undefined) {
    const sum = (input ?? 0) + (read ?? 0) + (write ?? 0) + (output ?? 0);
    if (sum !== total) doubts.say(`totalTokens is ${total}, but input, cache and output add up to ${sum}`);
  }
  set(counts, "input", input);
  set(counts, "cache_read", read);
  Object.assign(counts, writesOf(usage["cacheDetails"], write, doubts));
  set(counts, "output", output);
  if (Object.keys(counts).length > 0 && input === undefined) doubts.say(`${names.input} is missing`);
  return counts;
}

/** Writes whose lifetime is not told, or not one we know, are `cache_write`. */
function writesOf(details: unknown, total: number | undefined, doubts: Doubts): Counts {
  const writes: Counts = {};
  let sum = 0;
  for (const detail of Array.isArray(details) ? (details as unknown[]) : []) {
    const fields = fieldsOf(detail);
    const count = doubts.count(fields, "inputTokens") ?? 0;
    const ttl = fields["ttl"];
    const name = ttl === "5m" ? "cache_write_5m" : ttl === "1h" ? "cache_write_1h" : "cache_write";
    writes[name] = (writes[name] ?? 0) + count;
    sum += count;
  }
  if (Object.keys(writes).length === 0) {
    set(writes, "cache_write", total);
    return writes;
  }
  if (total === undefined || total === sum) return writes;
  doubts.say(`cacheDetails add up to ${sum}, but the cache writes are ${total}`);
  return { cache_write: total };
}

function oneOf(usage: Fields, names: readonly string[], doubts: Doubts): number | undefined {
  let found: number | undefined;
  for (const name of names) {
    const count = doubts.count(usage, name);
    if (count === undefined) continue;
    if (found !== undefined && found !== count) doubts.say(`${name} is ${count}, but the same count is ${found} by another name`);
    found ??= count;
  }
  return found;
}

function set(counts: Counts, name: UsageClass, value: number | undefined): void {
  if (value !== undefined) counts[name] = value;
}

/** The counts in the headers of an answer that came whole; null when it has none. */
export function headerCounts(head: AnswerHead, doubts: Doubts): Quantities | null {
  const fields: Record<string, unknown> = {};
  for (const name of [headerNames.input, headerNames.output, ...headerNames.read, ...headerNames.write]) {
    const value = head.header(name);
    if (value !== null) fields[name] = /^\d{1,10}$/.test(value) ? Number(value) : value;
  }
  const counts = Object.keys(fields).length === 0 ? {} : countsOf(fields, headerNames, doubts);
  return Object.keys(counts).length === 0 ? null : counts;
}

const sides = ["input", "cache_read", "cache_write", "output"] as const;

/** Classes that come apart more finely in a model's own usage than in Bedrock's counts. */
const finer: Readonly<Record<(typeof sides)[number], readonly UsageClass[]>> = {
  input: ["input", "input_audio", "input_image", "input_video"],
  cache_read: ["cache_read", "cache_read_audio", "cache_read_image"],
  cache_write: ["cache_write", "cache_write_5m", "cache_write_1h"],
  output: ["output", "reasoning", "output_audio", "output_image", "output_video"],
};

/**
 * A model's own usage held against what Bedrock counted. Where they agree, the finer classes of the model's own stand; where not, Bedrock's
 * counts do, with a doubt. `own` null: Bedrock's alone.
 */
export function reconcile(own: Usage | null, counted: Quantities, raw: string | null, doubts: Doubts): Usage {
  const parts = own?.parts ?? [];
  const said = (names: readonly UsageClass[]): number | undefined => {
    const counts = parts.flatMap(({ quantities }) => names.flatMap((name) => quantities[name] ?? []));
    return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
  };
  const cached = said([...finer.cache_read, ...finer.cache_write]);
  const inputs = said([...finer.input, ...finer.cache_read, ...finer.cache_write]);
  const theirInputs = (counted.input ?? 0) + (counted.cache_read ?? 0) + (counted.cache_write ?? 0);
  // Of two that agree on the whole input, the one that knows the cache tells more.
  const isBare = counted.cache_read === undefined && counted.cache_write === undefined;
  const isSplit = cached === undefined && inputs === theirInputs;
  const replaced: Counts = {};
  const dropped = new Set<UsageClass>();
  for (const side of sides) {
    const theirs = counted[side];
    const ours = said(finer[side]);
    if (theirs === undefined || theirs === ours || (ours === undefined && theirs === 0 && parts.length > 0)) continue;
    if (side === "input" && isBare && theirs === inputs) continue;
    if (ours !== undefined && !(side === "input" && isSplit))
      doubts.say(`Bedrock counts ${theirs} of ${side}, the model's own usage ${ours}: Bedrock's was taken`);
    for (const name of finer[side]) dropped.add(name);
    replaced[side] = theirs;
  }
  const kept: UsagePart[] = [];
  for (const { kind, model, quantities } of parts) kept.push({ kind, model, quantities: without(quantities, dropped) });
  const last = kept.pop() ?? { kind: "message", model: null, quantities: {} };
  const raws = [own?.raw ?? null, raw].filter((text) => text !== null);
  return {
    parts: [...kept, { ...last, quantities: { ...last.quantities, ...replaced } }],
    source: own === null || counted.output !== undefined ? "reported" : own.source,
    doubts: doubts.said,
    raw: raws.length > 1 ? `[${raws.join(",")}]` : (raws[0] ?? null),
  };
}

function without(quantities: Quantities, dropped: ReadonlySet<UsageClass>): Quantities {
  return Object.fromEntries(Object.entries(quantities).filter(([name]) => !dropped.has(name as UsageClass)));
}

/** A guardrail's work is billed by its own units, which no usage object holds. */
export function doubtGuardrail(answer: Fields, finish: string | null, doubts: Doubts): void {
  const said = answer["amazon-bedrock-guardrailAction"];
  const applied = isFields(fieldsOf(answer["trace"])["guardrail"]) || isFields(answer["amazon-bedrock-trace"]) || said !== undefined;
  if (applied || finish === "guardrail_intervened") doubts.say("a guardrail was applied: its own fee is not counted here");
}
