// Answers of Bedrock Converse, whole and streamed; Amazon Nova answers InvokeModel in the same shape. Not here: requests (converse.ts), the
// framing (eventstream.ts). Invariant: usage comes once, at the end, and what completes the answer is held.

import { converseNames, countsOf, doubtGuardrail, errorOf, poolOf, requestIdOf, tierOf } from "./bedrock.ts";
import { parseText, rawOf } from "./completion.ts";
import { followMessages, messageOf } from "./eventstream.ts";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, StreamOptions } from "./format.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { codeIn, Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf, usageOf } from "./tally.ts";
import { bytesOf, encode, parseData } from "./text.ts";

interface Known {
  /** The parts of the answer that hold what is said once: usage, trace, tiers. */
  metadata: Fields;
  raw: string | null;
  finish: string | null;
  error: string | null;
  outputBytes: number;
  tools: number;
}

/** Reads a whole answer. Never throws. */
export function readReply(text: string, head: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const answer = parseText(text);
  const known: Known = { metadata: {}, raw: null, finish: null, error: errorOf(head, answer), outputBytes: 0, tools: 0 };
  if (!isFields(answer)) {
    doubts.miss("the answer is not a JSON object");
    return factsOf(known, head, doubts, false);
  }
  const content = fieldsOf(fieldsOf(answer["output"])["message"])["content"];
  for (const block of Array.isArray(content) ? (content as unknown[]) : []) learnBlock(known, fieldsOf(block), doubts);
  known.metadata = answer;
  known.raw = isFields(answer["usage"]) ? rawOf(Buffer.from(text), ["usage"]) : null;
  known.finish = textIn(answer["stopReason"]);
  return factsOf(known, head, doubts, true);
}

/** Follows a streamed answer. */
export function replyStream({ head, eventBytesMax }: StreamOptions): AnswerStream {
  return followMessages(new ReplyReader(head), eventBytesMax);
}

export class ReplyReader implements Reader {
  readonly #head: AnswerHead;
  readonly #known: Known = { metadata: {}, raw: null, finish: null, error: null, outputBytes: 0, tools: 0 };
  readonly #doubts = new Doubts();
  #begun = false;
  /** Blocks that are open, and whether each is a tool call. */
  readonly #open = new Map<number, boolean>();
  #metered = false;
  #complete = false;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  get started(): boolean {
    return this.#known.outputBytes > 0;
  }

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  /** A call that was not written to its end stays open, for clients run what is closed. Counts come once, at the end: where they have not come, none are said. */
  cut({ code, message }: Cut): readonly Ending[] {
    const endings: Ending[] = [];
    const say = (name: string, fields: Fields): void => void endings.push({ name, data: encode(fields) });
    if (this.#known.finish === null) {
      if (!this.#begun) say("messageStart", { role: "assistant" });
      for (const [contentBlockIndex, isCall] of this.#open) if (!isCall) say("contentBlockStop", { contentBlockIndex });
      say("messageStop", { stopReason: "max_tokens", pennyworth: { code, message } });
    }
    if (this.#metered) say("metadata", this.#known.metadata);
    return endings;
  }

  event(data: string): Fate {
    const { kind, name, payload } = messageOf(data);
    if (kind === "damaged") {
      this.#doubts.miss("a part of the stream could not be read");
      return "pass";
    }
    if (kind === "error") return this.#fail(name);
    const event = parseData(payload);
    if (isFields(event)) return this.take(name, event, () => rawOf(Buffer.from(payload, "latin1"), ["usage"]));
    this.#doubts.miss("an event of the stream is not a JSON object");
    return "pass";
  }

  /** An event by its name. `raw` gives its usage, word for word. */
  take(name: string, event: Fields, raw: () => string | null): Fate {
    if (this.#complete) return "pass";
    switch (name) {
      case "messageStart":
        this.#begun = true;
        return "pass";
      case "contentBlockDelta":
        learnBlock(this.#known, fieldsOf(event["delta"]), this.#doubts);
        this.#block(event["contentBlockIndex"], fieldsOf(event["delta"])["toolUse"] !== undefined);
        return "pass";
      case "contentBlockStart":
        learnBlock(this.#known, fieldsOf(event["start"]), this.#doubts);
        this.#block(event["contentBlockIndex"], fieldsOf(event["start"])["toolUse"] !== undefined);
        return "pass";
      case "contentBlockStop":
        this.#open.delete(event["contentBlockIndex"] as number);
        return "pass";
      case "messageStop":
        this.#known.finish = textIn(event["stopReason"]) ?? this.#known.finish;
        return this.#ending(this.#metered);
      case "metadata":
        this.#known.metadata = event;
        this.#known.raw = isFields(event["usage"]) ? raw() : null;
        this.#metered = true;
        // It comes after the reason to stop; where it is sent before, the two go together.
        return this.#known.finish === null ? "wait" : this.#ending(true);
      default:
        return name.endsWith("Exception") ? this.#fail(name) : "pass";
    }
  }

  /** Text begins without a start. */
  #block(index: unknown, isCall: boolean): void {
    if (typeof index === "number") this.#open.set(index, isCall || this.#open.get(index) === true);
  }

  #ending(isEnd: boolean): Fate {
    this.#complete = isEnd;
    return isEnd ? "hold" : "pass";
  }

  #fail(name: string): Fate {
    if (this.#complete) return "pass";
    this.#known.error = name === "" ? "error" : name;
    this.#complete = true;
    return "hold";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  /** With a stop reason the answer was whole, even where its metadata never came or could not be read. */
  end(): void {
    if (this.#metered || this.#known.finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    const doubts = this.#doubts.copy();
    return factsOf(this.#known, this.#head, doubts, this.#complete);
  }
}

function factsOf(known: Known, head: AnswerHead, doubts: Doubts, complete: boolean): AnswerFacts {
  const { metadata, finish, error, outputBytes } = known;
  const usage = metadata["usage"];
  const quantities = isFields(usage) ? countsOf(usage, converseNames, doubts) : {};
  const counted = Object.keys(quantities).length > 0;
  if (isFields(usage)) {
    if (!counted) doubts.say("the usage object holds no counts");
    doubtServerTools(usage["serverToolUsage"], doubts);
    // What a guardrail says instead of the model costs no tokens.
    if (outputBytes > 0 && finish !== "guardrail_intervened") {
      if (quantities.output === 0) doubts.say(`outputTokens is 0, but ${outputBytes} bytes were generated`);
      const input = (quantities.input ?? 0) + (quantities.cache_read ?? 0);
      if (quantities.input === 0 && input === 0) doubts.say("inputTokens is 0, but an answer was generated");
    }
  }
  doubtGuardrail(metadata, finish, doubts);
  const tier = fieldsOf(metadata["serviceTier"])["type"];
  return {
    responseId: requestIdOf(head),
    // Only a prompt router says which model answered.
    model: textIn(fieldsOf(fieldsOf(metadata["trace"])["promptRouter"])["invokedModelId"]),
    tier: tierOf(tier, fieldsOf(metadata["performanceConfig"])["latency"]),
    finish,
    usage: counted ? usageOf(quantities, "reported", doubts.said, known.raw) : null,
    outputBytes,
    ...toolsOf(known.tools, doubts),
    error,
    complete,
    doubts: doubts.said,
    ...poolOf(tier),
  };
}

/** A content block, its start or a delta of it: what the model generated, and tools that were run for it. */
function learnBlock(known: Known, block: Fields, doubts: Doubts): void {
  const reasoning = fieldsOf(block["reasoningContent"]);
  known.outputBytes += bytesOf(block["text"]) + bytesOf(reasoning["text"]) + bytesOf(fieldsOf(reasoning["reasoningText"])["text"]);
  const cited = fieldsOf(block["citationsContent"])["content"];
  for (const part of Array.isArray(cited) ? (cited as unknown[]) : []) known.outputBytes += bytesOf(fieldsOf(part)["text"]);
  const tool = fieldsOf(block["toolUse"]);
  const { input } = tool;
  // A stream sends the input as it is written, a whole answer as an object: measured as it would be written.
  if (typeof input === "string") known.outputBytes += bytesOf(input);
  else if (isFields(input) && Object.keys(input).length > 0) known.outputBytes += Buffer.byteLength(JSON.stringify(input));
  // Only where a call begins it has a name.
  if (textIn(tool["name"]) !== null && tool["type"] !== "server_tool_use") known.tools += 1;
  if (tool["type"] === "server_tool_use")
    doubts.say(`a tool was run by the provider (${codeIn(tool["name"]) ?? "unnamed"}): its own fee is not counted here`);
}

function doubtServerTools(uses: unknown, doubts: Doubts): void {
  for (const [name, count] of Object.entries(fieldsOf(uses)).slice(0, 16))
    if (count !== 0 && count !== null) doubts.say(`uses of the provider's tools are not counted here: ${codeIn(name) ?? "unnamed"}`);
}
