// Anthropic's usage: merged over a stream's events, taken apart into disjoint classes, one part for each iteration it lists.
// Here input excludes the cache and output includes thinking. The counts at the top leave out compactions and advisors, so where iterations
// are listed it is they that are counted, each at the price of its own model. Invariant: an output that only opened a stream is no count.

import type { Quantities, Usage, UsageClass, UsagePart } from "../core/usage.ts";
import { Doubts, type Fields, fieldsOf, isFields, textIn } from "./tally.ts";

/** What the events of one answer said, field by field. */
export interface Merged {
  readonly fields: Fields;
  /** The usage objects themselves, word for word. */
  readonly raws: readonly string[];
  /** `output_tokens` came with an event that counts it, not with the placeholder that opens a stream. */
  readonly counted: boolean;
  /** The split of cache writes was said by the same object as their total; else it may be of an earlier time. */
  readonly splitCurrent: boolean;
}

/** Objects kept word for word, at most: the first ones and the last. */
const rawsMax = 8;
const kinds = new Set(["message", "compaction", "advisor_message", "fallback_message"]);
const totals = ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/** Lays a usage object over those before it: its fields that are not null win. `counts`: its output is a count, no placeholder. */
export function mergeUsage(before: Merged | null, usage: Fields, raw: string | null, counts: boolean, doubts: Doubts): Merged {
  const fields: Record<string, unknown> = Object.assign(Object.create(null) as Record<string, unknown>, before?.fields);
  for (const [name, value] of Object.entries(usage)) {
    if (value === null || value === undefined) continue;
    const earlier = fields[name];
    if (
      counts &&
      totals.includes(name) &&
      typeof earlier === "number" &&
      typeof value === "number" &&
      value < earlier &&
      (name !== "output_tokens" || before?.counted === true) &&
      !isList(usage["iterations"])
    )
      doubts.say(`${name} went down from ${earlier} to ${value}`);
    fields[name] = isFields(value) && isFields(earlier) ? merge(earlier, value) : value;
  }
  const raws = [...(before?.raws ?? [])];
  if (raw !== null) raws.splice(rawsMax - 1, raws.length >= rawsMax ? 1 : 0, raw);
  const saysTotal = typeof usage["cache_creation_input_tokens"] === "number";
  const saysSplit = isFields(usage["cache_creation"]);
  return {
    fields,
    raws,
    counted: (before?.counted ?? false) || (counts && usage["output_tokens"] !== undefined && usage["output_tokens"] !== null),
    splitCurrent: saysSplit || (!saysTotal && (before?.splitCurrent ?? false)),
  };
}

function merge(earlier: Fields, later: Fields): Fields {
  const fields: Record<string, unknown> = { ...earlier };
  for (const [name, value] of Object.entries(later)) if (value !== null && value !== undefined) fields[name] = value;
  return fields;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}

/**
 * The usage of an answer; null when it holds no counts. `ended`: the answer came to its end.
 * Output that was never counted is left out, for the caller to estimate; the usage is then `partial`.
 */
export function readUsage(
  { fields, raws, counted, splitCurrent }: Merged,
  ended: boolean,
  outputBytes: number,
  doubts: Doubts,
): Usage | null {
  const top = quantitiesOf(fields, counted, splitCurrent, doubts);
  const iterations = isList(fields["iterations"]) ? fields["iterations"].filter(isFields) : [];
  const listed: UsagePart[] = iterations.map((entry) => ({
    kind: textIn(entry["type"]) ?? "message",
    model: textIn(entry["model"]),
    quantities: quantitiesOf(entry, true, true, doubts),
  }));
  const isListed = listed.some((part) => Object.keys(part.quantities).length > 0);
  if (iterations.length > 0 && !isListed) doubts.say("the iterations hold no counts: the counts at the top were taken");
  const parts = isListed ? listed : [{ kind: "message", model: null, quantities: top }];
  if (isListed) {
    doubtSums(fields, iterations, doubts);
    giveReasoning(parts, top);
  }
  giveUses(parts, toolUses(fieldsOf(fields["server_tool_use"]), doubts));
  if (parts.every((part) => Object.keys(part.quantities).length === 0)) {
    doubts.say("the usage object holds no counts");
    return null;
  }
  if (ended && !counted) doubts.say("output_tokens was never counted: the stream ended without a final usage");
  if (counted && outputBytes > 0 && fields["output_tokens"] === 0 && iterations.length === 0)
    doubts.say(`output_tokens is 0, but ${outputBytes} bytes were generated`);
  const raw = raws.length === 0 ? null : raws.length === 1 ? (raws[0] as string) : `[${raws.join(",")}]`;
  return { parts, source: ended && counted ? "reported" : "partial", doubts: doubts.said, raw };
}

type Counts = { [name in UsageClass]?: number };

function quantitiesOf(usage: Fields, counted: boolean, splitCurrent: boolean, doubts: Doubts): Quantities {
  const quantities: Counts = {};
  set(quantities, "input", doubts.count(usage, "input_tokens"));
  set(quantities, "cache_read", doubts.count(usage, "cache_read_input_tokens"));
  Object.assign(quantities, cacheWrites(usage, splitCurrent, doubts));
  const output = counted ? doubts.count(usage, "output_tokens") : undefined;
  const thinking = counted ? doubts.count(fieldsOf(usage["output_tokens_details"]), "thinking_tokens") : undefined;
  if (output !== undefined && thinking !== undefined && thinking <= output) {
    quantities.reasoning = thinking;
    quantities.output = output - thinking;
  } else {
    if (output !== undefined && thinking !== undefined)
      doubts.say(`thinking_tokens ${thinking} is more than output_tokens ${output}: not told apart`);
    set(quantities, "output", output);
  }
  return quantities;
}

/** Writes by lifetime. The split must add up to the total said with it; over an earlier split, what came since has no known lifetime. */
function cacheWrites(usage: Fields, splitCurrent: boolean, doubts: Doubts): Counts {
  const total = doubts.count(usage, "cache_creation_input_tokens");
  const split = fieldsOf(usage["cache_creation"]);
  const short = doubts.count(split, "ephemeral_5m_input_tokens");
  const long = doubts.count(split, "ephemeral_1h_input_tokens");
  const writes: Counts = {};
  if (short === undefined && long === undefined) {
    set(writes, "cache_write", total);
    return writes;
  }
  const sum = (short ?? 0) + (long ?? 0);
  if (total !== undefined && total !== sum && (splitCurrent || total < sum)) {
    doubts.say(`cache_creation adds up to ${sum}, but cache_creation_input_tokens is ${total}: counted without the split`);
    writes.cache_write = total;
    return writes;
  }
  set(writes, "cache_write_5m", short);
  set(writes, "cache_write_1h", long);
  if (total !== undefined && total > sum) writes.cache_write = total - sum;
  return writes;
}

/**
 * The counts at the top are those of the messages, or, after a fallback, of the model that answered.
 * Compactions and advisors are beside them.
 */
function doubtSums(top: Fields, iterations: readonly Fields[], doubts: Doubts): void {
  for (const entry of iterations) {
    const kind = textIn(entry["type"]) ?? "message";
    if (!kinds.has(kind)) doubts.say(`an iteration is of the unknown type ${kind}: counted like the others`);
  }
  if (Array.isArray(top["iterations"]) && top["iterations"].length !== iterations.length)
    doubts.say("an iteration is not an object: not counted");
  const fellBack = iterations.some((entry) => entry["type"] === "fallback_message");
  for (const name of totals) {
    const said = top[name];
    if (typeof said !== "number") continue;
    const of = (kinds: readonly string[]): number =>
      iterations
        .filter((entry) => kinds.includes(textIn(entry["type"]) ?? "message"))
        .reduce((sum, entry) => sum + (typeof entry[name] === "number" ? entry[name] : 0), 0);
    const all = of(["message", "fallback_message"]);
    const sums = fellBack ? [all, of(["fallback_message"])] : [all];
    if (!sums.includes(said)) doubts.say(`${name} is ${said}, but its iterations add up to ${all}`);
  }
}

/** Thinking is told for the answer as a whole: it can be told apart only where one iteration wrote it. */
function giveReasoning(parts: UsagePart[], top: Quantities): void {
  const thinking = top.reasoning;
  const written = parts.filter(
    (part) => (part.kind === "message" || part.kind === "fallback_message") && (part.quantities.output ?? 0) > 0,
  );
  const only = written.length === 1 ? written[0] : undefined;
  if (thinking === undefined || only === undefined || only.quantities.reasoning !== undefined) return;
  const output = only.quantities.output ?? 0;
  if (thinking > output) return;
  parts[parts.indexOf(only)] = { ...only, quantities: { ...only.quantities, output: output - thinking, reasoning: thinking } };
}

/** Uses of tools go to the last part that answered; they cost the same with every model. */
function giveUses(parts: UsagePart[], uses: Counts): void {
  const answered = parts.findLastIndex((part) => part.kind === "message" || part.kind === "fallback_message");
  const at = answered < 0 ? parts.length - 1 : answered;
  const part = parts[at];
  if (part !== undefined) parts[at] = { ...part, quantities: { ...part.quantities, ...uses } };
}

function toolUses(uses: Fields, doubts: Doubts): Counts {
  const counts: Counts = {};
  set(counts, "web_search", doubts.count(uses, "web_search_requests"));
  set(counts, "web_fetch", doubts.count(uses, "web_fetch_requests"));
  set(counts, "code_execution", doubts.count(uses, "code_execution_requests"));
  return counts;
}

function set(counts: Counts, name: UsageClass, value: number | undefined): void {
  if (value !== undefined) counts[name] = value;
}
