// Answers of Bedrock's InvokeModel, whole and streamed: each model answers in its own shape, which is read by the format it was made for, and
// Bedrock adds counts of its own, in headers or with the last event. Not here: requests (invoke.ts). Invariant: the event that carries
// Bedrock's counts completes the answer and is held.

import type { Quantities } from "../core/usage.ts";
import { anthropic, MessageReader } from "./anthropic.ts";
import { countsOf, doubtGuardrail, errorOf, headerCounts, metricNames, poolOf, reconcile, requestIdOf, tierOf } from "./bedrock.ts";
import { CompletionReader, parseText, rawOf, readCompletion } from "./completion.ts";
import { followMessages, messageOf } from "./eventstream.ts";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, StreamOptions } from "./format.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { PlainReader } from "./plain.ts";
import { readReply, ReplyReader } from "./reply.ts";
import { Doubts, type Fields, fieldsOf, isFields, textIn, toolsOf } from "./tally.ts";
import { decode, encode, parseData } from "./text.ts";

/** What Bedrock says beside the model's own answer. */
interface Beside {
  readonly head: AnswerHead;
  readonly counted: Quantities | null;
  readonly raw: string | null;
  readonly error: string | null;
  readonly complete: boolean;
  readonly finish: string | null;
}

const metrics = "amazon-bedrock-invocationMetrics";
/** Amazon's own ids and ARNs name the vendor before the model; what a model calls itself in its answer does not. */
const bedrockId = /^(arn:|([a-z0-9-]+\.)?[a-z0-9-]+\.[a-z])/;

/** Reads a whole answer. Never throws. */
export function readNative(text: string, head: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const answer = parseText(text);
  const isObject = isFields(answer);
  if (!isObject) doubts.miss("the answer is not a JSON object");
  else doubtGuardrail(answer, null, doubts);
  const own = isObject ? readOwn(text, answer, head) : new PlainReader().facts();
  const counted = headerCounts(head, doubts);
  const finish = isObject ? stopReason(answer) : null;
  return combine(own, { head, counted, raw: null, error: errorOf(head, answer), complete: isObject, finish }, doubts);
}

function readOwn(text: string, answer: Fields, head: AnswerHead): AnswerFacts {
  if (answer["type"] === "message") return anthropic.answer(text, head);
  if (isFields(answer["output"])) return readReply(text, head);
  if (Array.isArray(answer["choices"])) return readCompletion(text);
  const reader = new PlainReader();
  reader.learn(answer);
  reader.end();
  return reader.facts();
}

/** Follows a streamed answer. */
export function nativeStream({ head, eventBytesMax }: StreamOptions): AnswerStream {
  return followMessages(new NativeReader(head), eventBytesMax);
}

class NativeReader implements Reader {
  readonly #head: AnswerHead;
  readonly #doubts = new Doubts();
  #own: Reader | null = null;
  #counted: Quantities | null = null;
  #raw: string | null = null;
  #finish: string | null = null;
  #error: string | null = null;
  #complete = false;

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  get started(): boolean {
    return this.#own?.started ?? false;
  }

  get outputBytes(): number {
    return this.#own?.outputBytes ?? 0;
  }

  /** In the model's own shape; before that is known, and of a shape whose ends are not, Bedrock's own exception. */
  cut(why: Cut): readonly Ending[] {
    const own = this.#own?.cut(why) ?? null;
    if (own === null) return [{ name: "modelStreamErrorException", data: encode({ message: why.message, code: why.code }), isError: true }];
    return own.flatMap(({ name, data }) => {
      // No stream of Bedrock's ends in a word alone.
      if (data === "[DONE]") return [];
      const event = this.#own instanceof ReplyReader ? encode({ [name ?? ""]: JSON.parse(decode(data)) as unknown }) : data;
      return { name: "chunk", data: encode({ bytes: Buffer.from(event, "latin1").toString("base64") }) };
    });
  }

  event(data: string): Fate {
    const { kind, name, payload } = messageOf(data);
    if (kind === "damaged") this.#doubts.miss("a part of the stream could not be read");
    if (kind === "error" && !this.#complete) {
      this.#error = name === "" ? "error" : name;
      this.#complete = true;
      return "hold";
    }
    if (kind !== "event") return "pass";
    const { bytes } = fieldsOf(parseData(payload)) as { bytes?: unknown };
    const json = typeof bytes === "string" ? Buffer.from(bytes, "base64").toString("latin1") : "";
    const event = parseData(json);
    if (!isFields(event)) {
      this.#doubts.miss("an event of the stream is not a JSON object");
      return "pass";
    }
    if (isFields(event[metrics])) {
      this.#counted = countsOf(event[metrics], metricNames, this.#doubts);
      this.#raw = rawOf(Buffer.from(json, "latin1"), [metrics]);
    }
    doubtGuardrail(event, null, this.#doubts);
    if (this.#complete) return "pass";
    this.#finish = stopReason(event) ?? this.#finish;
    const fate = this.#give(event, json);
    if (fate !== "hold" && !isFields(event[metrics])) return fate;
    this.#complete = true;
    return "hold";
  }

  /** Hands an event to whoever reads answers of its shape, which the first one decides. */
  #give(event: Fields, json: string): Fate {
    const reply = Object.keys(event).find((key) => replyEvents.has(key));
    this.#own ??= readerOf(event, reply, this.#head);
    if (this.#own instanceof PlainReader) this.#own.learn(event);
    else if (!(this.#own instanceof ReplyReader)) return this.#own.event(json);
    else if (reply !== undefined)
      return this.#own.take(reply, fieldsOf(event[reply]), () => rawOf(Buffer.from(json, "latin1"), [reply, "usage"]));
    return "pass";
  }

  missed(bytes: number): void {
    this.#doubts.miss(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {
    this.#own?.end();
    if (this.#own?.facts().complete === true || this.#finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    const own = (this.#own ?? new PlainReader()).facts();
    const doubts = this.#doubts.copy();
    const counted = this.#counted !== null && Object.keys(this.#counted).length > 0 ? this.#counted : null;
    return combine(
      own,
      { head: this.#head, counted, raw: this.#raw, error: this.#error, complete: this.#complete, finish: this.#finish },
      doubts,
    );
  }
}

const replyEvents = new Set(["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]);

function readerOf(event: Fields, reply: string | undefined, head: AnswerHead): Reader {
  if (reply !== undefined) return new ReplyReader(head);
  if (Array.isArray(event["choices"])) return new CompletionReader(false);
  const type = event["type"];
  return typeof type === "string" && type !== "completion" ? new MessageReader() : new PlainReader();
}

/** Mistral, DeepSeek and others say in `choices` why they stopped by another name than OpenAI. */
function stopReason(answer: Fields): string | null {
  const choices = Array.isArray(answer["choices"]) ? (answer["choices"] as unknown[]) : [];
  for (const choice of choices) {
    const reason = textIn(fieldsOf(choice)["stop_reason"]);
    if (reason !== null) return reason;
  }
  return null;
}

function combine(own: AnswerFacts, beside: Beside, later: Doubts): AnswerFacts {
  const { head, counted, raw, complete } = beside;
  const doubts = new Doubts();
  for (const doubt of [...(own.doubts ?? []), ...later.said]) doubts.say(doubt);
  const usage = counted === null ? own.usage : reconcile(own.usage, counted, raw, doubts);
  const tier = head.header("x-amzn-bedrock-service-tier");
  return {
    // What the model itself gave as its id is what its own clients log.
    responseId: own.responseId ?? requestIdOf(head),
    model: own.model !== null && bedrockId.test(own.model) ? own.model : null,
    tier: tierOf(tier, head.header("x-amzn-bedrock-performanceconfig-latency")) ?? own.tier,
    finish: own.finish ?? beside.finish,
    usage: usage === null ? null : { ...usage, source: complete || counted !== null ? usage.source : "partial", doubts: doubts.said },
    outputBytes: own.outputBytes,
    ...toolsOf(own.tools, later),
    error: beside.error ?? own.error,
    complete,
    doubts: doubts.said,
    ...poolOf(tier),
  };
}
