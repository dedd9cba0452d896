// Answers of Gemini's generateContent, whole and streamed, from the Gemini API and from Vertex AI. Not here: requests (gemini.ts), how the
// tokens come apart (modality.ts). Invariant: usage is what was last said, field by field, never a sum: a stream repeats it in every event.

import { type Quantities, type Usage, usageClasses, usageClassNames } from "../core/usage.ts";
import { rawText } from "./clip.ts";
import { errorOf, parseText, rawOf } from "./completion.ts";
import { followElements } from "./elements.ts";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, StreamOptions } from "./format.ts";
import { type Ending, type Fate, follow, type Reader } from "./frames.ts";
import { Grounding } from "./grounding.ts";
import { addsUp, type Counted, countTokens, hasCounts } from "./modality.ts";
import { member, scan } from "./scan.ts";
import { Events } from "./sse.ts";
import { codeIn, Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf } from "./tally.ts";
import { bytesOf, encode, parseData } from "./text.ts";

/** Reads a whole answer: an object, or the array that a stream without SSE is. Never throws. */
export function readCandidates(text: string, head: AnswerHead): AnswerFacts {
  const answer = new Answer(head);
  const parsed = parseText(text);
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  const raws = rawsOf(Buffer.from(text), Array.isArray(parsed));
  for (const [index, element] of list.entries()) {
    if (isFields(element)) answer.learn(element, raws[index] ?? null);
    else answer.doubts.miss("the answer is not a JSON object");
  }
  return answer.facts(list.every(isFields));
}

/** Follows a streamed answer: server-sent events where its head says so (`alt=sse`), else the elements of a JSON array. */
export function candidateStream({ head, eventBytesMax }: StreamOptions): AnswerStream {
  const reader = new CandidateReader(head);
  return head.type.includes("json") ? followElements(reader, eventBytesMax) : follow(reader, new EventsAndTail(), eventBytesMax);
}

/**
 * Server-sent events, the last of which may be none: a stream that is given up ends in an error's bare JSON
 * (theopenco/llmgateway pull request 3616).
 */
class EventsAndTail extends Events {
  override data(event: string): string {
    const data = super.data(event);
    return data === "" && event.startsWith("{") ? event.trimEnd() : data;
  }
}

/** A stream, where one was asked for: without `alt=sse` it is an array in JSON. Errors come whole. */
export function isCandidateStream({ type, status }: AnswerHead, asked: boolean): boolean {
  return type.includes("text/event-stream") || (asked && status < 300);
}

class CandidateReader implements Reader {
  readonly #answer: Answer;
  #complete = false;

  constructor(head: AnswerHead) {
    this.#answer = new Answer(head);
  }

  get started(): boolean {
    return this.#answer.started;
  }

  get outputBytes(): number {
    return this.#answer.outputBytes;
  }

  cut(why: Cut): readonly Ending[] {
    return this.#answer.endings(why);
  }

  event(data: string): Fate {
    if (this.#complete) return "pass";
    // The array's end; with SSE there is none but the end of the body, save where another server adds its own.
    if (data === "]" || data.startsWith("[DONE]")) {
      this.#complete = true;
      return "hold";
    }
    const parsed = parseData(data);
    // An error may come as an array of one, in SSE too (maximhq/bifrost issue 5188).
    for (const element of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
      if (isFields(element))
        this.#answer.learn(element, Array.isArray(parsed) ? null : rawOf(Buffer.from(data, "latin1"), ["usageMetadata"]));
      else this.#answer.doubts.miss("an event of the stream is not a JSON object");
    }
    this.#complete = this.#answer.error !== null;
    return this.#complete ? "hold" : "pass";
  }

  missed(bytes: number): void {
    this.#answer.doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {
    if (this.#answer.finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    return this.#answer.facts(this.#complete);
  }
}

const generated = usageClassNames.filter((name) => usageClasses[name].direction === "output");

/** Usage objects kept word for word, at most: the first ones and the last. */
const rawsMax = 8;

/** More than can be asked for; those above are not ended one by one when the stream is cut. */
const candidatesMax = 256;

/** What is known of one answer after some of its objects. */
class Answer {
  readonly doubts = new Doubts();
  readonly #head: AnswerHead;
  readonly #grounding = new Grounding();
  #responseId: string | null = null;
  #model: string | null = null;
  #outputBytes = 0;
  #tools = 0;
  /** All usage objects laid over each other, and the last one that counts. */
  #merged: Fields | null = null;
  #last: Fields | null = null;
  #raws: { readonly fields: Fields; readonly text: string }[] = [];
  /** Whether each candidate has said why it finished. */
  readonly #candidates = new Map<number, boolean>();
  /** The counts came with the end, or after it. */
  #isFinal = false;
  error: string | null = null;
  finish: string | null = null;
  started = false;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  learn(answer: Fields, raw: string | null): void {
    this.#responseId ??= textIn(answer["responseId"]);
    this.#model = textIn(answer["modelVersion"]) ?? this.#model;
    this.error = errorIn(answer["error"]) ?? this.error;
    for (const candidate of listOf(answer["candidates"])) {
      const finish = textIn(candidate["finishReason"]);
      this.finish = finish ?? this.finish;
      const index = typeof candidate["index"] === "number" ? candidate["index"] : 0;
      if (this.#candidates.size < candidatesMax || finish !== null)
        this.#candidates.set(index, finish !== null || this.#candidates.get(index) === true);
      for (const part of listOf(fieldsOf(candidate["content"])["parts"])) this.#part(part);
      if (isFields(candidate["groundingMetadata"])) this.#grounding.learn(candidate["groundingMetadata"]);
    }
    // A prompt that is blocked has no candidates.
    this.finish ??= textIn(fieldsOf(answer["promptFeedback"])["blockReason"]);
    if (isFields(answer["usageMetadata"])) this.#usage(answer["usageMetadata"], raw);
  }

  get outputBytes(): number {
    return this.#outputBytes;
  }

  /** The empty part is as Google sends it with a reason: without one, Google's clients forget the whole turn. */
  endings({ code, message }: Cut): readonly Ending[] {
    if (this.#candidates.size === 0 && this.finish === null) this.#candidates.set(0, false);
    const open = [...this.#candidates].filter(([, isOver]) => !isOver).sort(([a], [b]) => a - b);
    if (open.length === 0) return [];
    const content = { parts: [{ text: "" }], role: "model" };
    const ended = {
      candidates: open.map(([index]) => ({ content, finishReason: "MAX_TOKENS", finishMessage: message, index })),
      ...(this.#merged === null ? {} : { usageMetadata: this.#merged }),
      ...(this.#model === null ? {} : { modelVersion: this.#model }),
      ...(this.#responseId === null ? {} : { responseId: this.#responseId }),
      pennyworth: { code, message },
    };
    return [{ data: encode(ended) }];
  }

  #part(part: Fields): void {
    const bytes = partBytes(part);
    this.#outputBytes += bytes;
    // Arguments that are written piece by piece come without the name again.
    if (textIn(fieldsOf(part["functionCall"])["name"]) !== null) this.#tools += 1;
    if (bytes > 0 || isFields(part["functionCall"]) || isFields(part["inlineData"])) this.started = true;
  }

  #usage(usage: Fields, raw: string | null): void {
    const fields = Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined));
    this.#merged = { ...this.#merged, ...fields };
    if (hasCounts(fields)) {
      this.#last = fields;
      if (this.finish !== null) this.#isFinal = true;
    }
    // What says nothing that this one does not say again has had its time.
    this.#raws = this.#raws.filter((earlier) => Object.keys(earlier.fields).some((name) => !Object.hasOwn(fields, name)));
    if (raw !== null) this.#raws.splice(rawsMax - 1, this.#raws.length >= rawsMax ? 1 : 0, { fields, text: raw });
  }

  facts(complete: boolean): AnswerFacts {
    const doubts = this.doubts.copy();
    const usage = this.#merged === null && this.#grounding.isEmpty ? null : this.#usageOf(complete, doubts);
    const traffic = trafficOf(this.#merged?.["trafficType"]);
    const said = tierOf(textIn(this.#merged?.["serviceTier"])) ?? tierOf(this.#head.header("x-gemini-service-tier"));
    return {
      responseId: this.#responseId,
      model: this.#model,
      tier: traffic?.tier ?? said ?? (traffic === null ? null : "on_demand"),
      finish: this.finish,
      usage,
      outputBytes: this.#outputBytes,
      ...toolsOf(this.#tools, doubts),
      error: this.error,
      complete,
      doubts: doubts.said,
      ...(traffic === null ? {} : { pool: traffic.pool }),
    };
  }

  #usageOf(complete: boolean, doubts: Doubts): Usage | null {
    const { quantities: tokens, sources } = this.#tokens(doubts);
    const quantities: Quantities = { ...tokens, ...this.#grounding.uses(this.#model, doubts) };
    const hasTokens = Object.keys(tokens).length > 0;
    if (complete && this.#merged !== null && !hasTokens) doubts.say("the usage object holds no counts");
    if (Object.keys(quantities).length === 0) return null;
    const ended = complete && this.error === null;
    const isFinal = hasTokens && (this.#isFinal || (ended && this.finish === null));
    if (ended && !hasTokens) doubts.say("the usage is missing: only uses of tools were counted");
    if (ended && hasTokens && !isFinal) doubts.say("the stream ended without a final usage");
    if (isFinal && this.#outputBytes > 0 && generated.every((name) => (tokens[name] ?? 0) === 0))
      doubts.say(`${this.#outputBytes} bytes were generated, but no tokens of output were counted`);
    const raws = this.#raws.map(({ text }) => text);
    return {
      parts: [{ kind: "message", model: null, quantities }],
      source: isFinal ? "reported" : "partial",
      ...(Object.keys(sources).length === 0 ? {} : { sources }),
      doubts: doubts.said,
      raw: raws.length === 0 ? null : raws.length === 1 ? (raws[0] as string) : `[${raws.join(",")}]`,
    };
  }

  /** Counts that a later object leaves out are still those of an earlier one, unless they no longer fit and the later object adds up alone. */
  #tokens(doubts: Doubts): Counted {
    if (this.#merged === null || this.#last === null) return { quantities: {}, sources: {} };
    return countTokens(!addsUp(this.#merged) && addsUp(this.#last) ? this.#last : this.#merged, doubts);
  }
}

/** Text, thoughts, arguments of calls and code. Media that were generated are no bytes of text. Arguments are measured as they would be written. */
function partBytes(part: Fields): number {
  const call = fieldsOf(part["functionCall"]);
  let bytes = bytesOf(part["text"]) + bytesOf(fieldsOf(part["executableCode"])["code"]);
  for (const args of [call["args"], fieldsOf(part["toolCall"])["args"]])
    if (isFields(args) && Object.keys(args).length > 0) bytes += Buffer.byteLength(JSON.stringify(args));
  for (const partial of listOf(call["partialArgs"]))
    bytes += bytesOf(partial["stringValue"]) + (typeof partial["numberValue"] === "number" ? String(partial["numberValue"]).length : 0);
  return bytes;
}

/** The provider's status (`RESOURCE_EXHAUSTED`), or the HTTP code. */
export function errorIn(error: unknown): string | null {
  return codeIn(fieldsOf(error)["status"]) ?? errorOf(error);
}

/**
 * What capacity served the request, and at which price: TrafficType of @google/genai 2.32. Provisioned throughput that is used up
 * spills to on-demand capacity unless the request forbids it, and this alone says so.
 */
function trafficOf(type: unknown): { readonly tier: string | null; readonly pool: "provisioned" | "shared" } | null {
  const name = codeIn(type)?.toLowerCase() ?? null;
  if (name === null || name === "traffic_type_unspecified") return null;
  if (name.startsWith("provisioned")) return { tier: "provisioned", pool: "provisioned" };
  const tier = name.replace(/^on_demand_?/, "");
  return { tier: tier === "" ? null : tier, pool: "shared" };
}

/** `priority`, `SERVICE_TIER_PRIORITY`: the documentation has written both (ai.google.dev, priority inference). */
export function tierOf(tier: string | null): string | null {
  const name =
    codeIn(tier)
      ?.toLowerCase()
      .replace(/^service_tier_/, "") ?? null;
  return name === "unspecified" ? null : name;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isFields) : [];
}

/** The usage object of each element of a whole answer, word for word. */
function rawsOf(bytes: Buffer, isList: boolean): readonly (string | null)[] {
  if (!isList) return [rawOf(bytes, ["usageMetadata"])];
  try {
    return scan(bytes, 2).values.map((element) => {
      const node = member(element, "usageMetadata");
      return node === undefined ? null : rawText(bytes, node);
    });
  } catch {
    return [];
  }
}
