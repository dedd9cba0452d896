// Answers of models on Bedrock that have a shape of their own and few fields: Meta's, Amazon Titan's, older ones of Mistral, Cohere, AI21 and
// Anthropic, and embeddings. Not here: shapes that other formats read. Invariant: counts are what was last said, never a sum over events.

import type { UsageClass } from "../core/usage.ts";
import type { AnswerFacts, Cut } from "./format.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { Doubts, type Fields, fieldsOf, textIn, usageOf } from "./tally.ts";
import { bytesOf, encode, parseData } from "./text.ts";

const texts = ["generation", "outputText", "completion", "text"];
const reasons = ["stop_reason", "completionReason", "finish_reason", "stopReason"];
const inputs = ["prompt_token_count", "inputTextTokenCount"];
const outputs = ["generation_token_count", "totalOutputTextTokenCount"];
/** Lists of answers or of parts of one, and the count each may carry. */
const lists = ["outputs", "results", "generations"];
const listed = "tokenCount";

/** How an answer of each shape ends at its cap, by the field that tells the shape. */
const ends: Readonly<Record<string, Fields>> = {
  generation: { generation: "", stop_reason: "length" },
  outputText: { outputText: "", completionReason: "LENGTH" },
  completion: { completion: "", stop_reason: "max_tokens" },
  outputs: { outputs: [{ text: "", stop_reason: "length" }] },
  is_finished: { is_finished: true, event_type: "stream-end", finish_reason: "MAX_TOKENS" },
};

export class PlainReader implements Reader {
  readonly #doubts = new Doubts();
  /** The counts by the names they came with. */
  readonly #said: Record<string, number> = {};
  #finish: string | null = null;
  #bytes = 0;
  #end: Fields | null = null;
  #complete = false;

  get started(): boolean {
    return this.#bytes > 0;
  }

  get outputBytes(): number {
    return this.#bytes;
  }

  cut({ code, message }: Cut): readonly Ending[] | null {
    return this.#end === null ? null : [{ data: encode({ ...this.#end, pennyworth: { code, message } }) }];
  }

  event(data: string): Fate {
    this.learn(fieldsOf(parseData(data)));
    return "pass";
  }

  learn(event: Fields): void {
    this.#look(event);
    for (const [name, end] of Object.entries(ends)) if (event[name] !== undefined) this.#end ??= end;
    let tokens: number | undefined;
    for (const name of lists)
      for (const entry of Array.isArray(event[name]) ? (event[name] as unknown[]) : []) {
        this.#look(fieldsOf(entry));
        const count = this.#doubts.count(fieldsOf(entry), listed);
        if (count !== undefined) tokens = (tokens ?? 0) + count;
      }
    if (tokens !== undefined) this.#said[listed] = tokens;
    for (const name of [...inputs, ...outputs]) {
      const count = this.#doubts.count(event, name);
      if (count !== undefined) this.#said[name] = count;
    }
  }

  #look(fields: Fields): void {
    for (const name of texts) this.#bytes += bytesOf(fields[name]);
    for (const name of reasons) this.#finish = textIn(fields[name]) ?? this.#finish;
  }

  missed(bytes: number): void {
    this.#doubts.say(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {
    if (this.#finish !== null) this.#complete = true;
  }

  facts(): AnswerFacts {
    const quantities: { [name in UsageClass]?: number } = {};
    const first = (names: readonly string[]): number | undefined => names.map((name) => this.#said[name]).find((n) => n !== undefined);
    const input = first(inputs);
    const output = first([...outputs, listed]);
    if (input !== undefined) quantities.input = input;
    if (output !== undefined) quantities.output = output;
    const counted = Object.keys(quantities).length > 0;
    const doubts = new Doubts();
    for (const doubt of this.#doubts.said) doubts.say(doubt);
    if (output === 0 && this.#bytes > 0) doubts.say(`no output was counted, but ${this.#bytes} bytes were generated`);
    // An embedding has an input alone, and no reason to stop.
    const ended = this.#finish !== null || output === undefined;
    return {
      responseId: null,
      model: null,
      tier: null,
      finish: this.#finish,
      usage: counted ? usageOf(quantities, ended ? "reported" : "partial", doubts.said, JSON.stringify(this.#said)) : null,
      outputBytes: this.#bytes,
      error: null,
      complete: this.#complete,
      doubts: doubts.said,
    };
  }
}
