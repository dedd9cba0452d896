// A wire format: how requests and answers of one API look, and what they say of usage. One file per format implements this.
// Not here: HTTP, routing, pricing, the journal. Invariant: bytes are passed on or spliced, never parsed and written again.

import type { PromptBytes } from "../core/call.ts";
import type { Quantities, Usage } from "../core/usage.ts";

/** Replace `remove` bytes at byte `at` by `insert`. Splices of one body do not overlap and come in ascending order. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/**
 * What gateway, budgets and attribution need to know of a request. Byte spans are [start, end) in the body.
 * Strings are as short as clip.ts says, however long they are in the body.
 */
export interface RequestFacts {
  readonly model: string | null;
  /** Span of the model's JSON value, quotes included; null when the body has none, or the path names another. For routes that name another model. */
  readonly modelSpan: readonly [number, number] | null;
  readonly streamed: boolean;
  /** The answer will not be complete when this exchange ends (Responses `background`). */
  readonly background: boolean;
  readonly tier: string | null;
  /**
   * The client's cap on output tokens, reasoning included; null when it set none. 0 where the endpoint generates nothing (embeddings):
   * such a call has a bound, and 0 on record as its cap.
   */
  readonly cap: number | null;
  /** How many answers were asked for (`n`). */
  readonly choices: number;
  readonly effort: string | null;
  /** Why bytes do not bound the input (context held by the provider, server tools, media); null when they do. `reach` says what does. */
  readonly unbounded: string | null;
  /** What it may take beyond the bytes of its text, and what of those is no text. */
  readonly reach: Reach;
  /** The thinking budget asked for, in tokens: a cap must exceed it. null when none was asked for. */
  readonly thinking: number | null;
  /** By which of its names the body says its cap; null when it says none. */
  readonly capField: string | null;
  /**
   * Splices that put a cap of so many output tokens of one answer, reasoning included, into the body, in place of any that it has. They fit
   * between the other splices of the body. `field`: by which of the format's names, beside those that the body has; else the one that the
   * model's vendor knows. null where nothing is generated, or no field of the format is a cap.
   */
  readonly setCap: ((tokens: number, field?: string) => readonly Splice[]) | null;
  readonly promptBytes: PromptBytes;
  readonly toolNames: readonly string[];
  /** Spans of the prompt's blocks in the order the provider caches them: tools, system, then each message. */
  readonly blocks: readonly (readonly [number, number])[];
  /** What the provider holds stands before the first block: an earlier response, a conversation, a prompt of its own, a cached content. */
  readonly isContinued?: boolean;
  /** The format's own fields that may carry attribution. */
  readonly hints: RequestHints;
  /** Edits this format needs to be metered, each named in `edits` for the record; empty: bytes go unchanged. */
  readonly splices: readonly Splice[];
  readonly edits: readonly string[];
}

/** What a request may take beyond the bytes of its text. */
export interface Reach {
  /** Why nothing bounds the call, not even its model's limits (server tools without a cap, context edited by the provider); null when they do. */
  readonly unbounded: string | null;
  /** Why more may be read than the body holds, up to the model's context window; null when it is not. */
  readonly wide: string | null;
  /** Pictures in the prompt, in the body or by reference: each takes at most what its model takes for one. */
  readonly images: number;
  /** Bytes of the body that are media in base64, and stand for no text. */
  readonly mediaBytes: number;
  /** Whether it has media that may be billed apart from text. */
  readonly media: boolean;
  /** Separate inputs, each with a context window of its own: prompts of a list. Infinity where only bytes bound them. */
  readonly contexts: number;
  /** Whether it has tools: providers write more around those. */
  readonly tools: boolean;
  /** Tools that the client runs and the provider describes, in a text of its own. */
  readonly declared: number;
  /** Sampling steps, at most: more than one where the provider runs tools with a cap. */
  readonly steps: number;
  /** The cap on output holds for each step, and not for all of them. */
  readonly capPerStep: boolean;
  /** Uses of the provider's tools, at most. */
  readonly uses: Quantities;
  /** Into which of the provider's caches it can write. */
  readonly writes: "none" | "5m" | "any";
  /** Bytes of a predicted output, of which what is not used is billed as well. */
  readonly predictedBytes: number;
}

/** A plain text. */
export const plainReach: Reach = {
  unbounded: null,
  wide: null,
  images: 0,
  mediaBytes: 0,
  media: false,
  contexts: 1,
  tools: false,
  declared: 0,
  steps: 1,
  capPerStep: false,
  uses: {},
  writes: "any",
  predictedBytes: 0,
};

/** Where nothing is generated, or nothing can be capped. */
export const uncapped = { thinking: null, capField: null, setCap: null } as const;

export interface RequestHints {
  readonly user: string | null;
  readonly session: string | null;
  readonly previousResponse: string | null;
  /** The format's metadata object: strings only. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What of a request does not stand in its body. */
export interface RequestLine {
  /** As it is at Pennyworth, without `/to/<provider>` and query: `/v1beta/models/gemini-2.5-flash:streamGenerateContent`. */
  readonly path: string;
  /** Without its question mark; empty when there is none. */
  readonly query: string;
  /** The model that the path names (its endpoint's group `model`), decoded; null when it names none. */
  readonly model: string | null;
  /** The request's content type; empty when it named none. A form (multipart) says its boundary here. */
  readonly type: string;
  /** A header's value by its lower-case name; null when there is none. Some APIs ask for a tier there. */
  header(name: string): string | null;
}

/** The head of an answer, as far as a format may need it. */
export interface AnswerHead {
  readonly status: number;
  /** The content type, lower case; empty when there was none. */
  readonly type: string;
  /** A header's value by its lower-case name; null when there is none. */
  header(name: string): string | null;
}

/** What an answer has said so far. Ids and names are clipped to 256 characters. */
export interface AnswerFacts {
  readonly responseId: string | null;
  readonly model: string | null;
  readonly tier: string | null;
  readonly finish: string | null;
  /** null: the provider reported none so far. `source` is `partial` until the format's last usage has come. */
  readonly usage: Usage | null;
  /** UTF-8 bytes of generated text, thinking and tool arguments seen: for an estimate when the usage never comes. */
  readonly outputBytes: number;
  /** Tools that it has asked the client to call; absent where the format has none, or where a part of the answer could not be read. */
  readonly tools?: number;
  /** The provider's error code or type, when the answer is or ends in an error; `error` when it gave none. Never its message. */
  readonly error: string | null;
  /** The answer's own end was seen: nothing more is to come. */
  readonly complete: boolean;
  /** What could not be read or does not add up, in words; the same as the usage's doubts where there is a usage. */
  readonly doubts?: readonly string[];
  /** What the provider itself says the call cost, in dollars as exact decimal text; absent when it says nothing. */
  readonly cost?: string;
  /** The capacity that served it, where the provider says so: a call to provisioned capacity that was served by the shared one has spilled. */
  readonly pool?: "provisioned" | "shared";
  /** How long the engine says that it was at work on the answer, whole ms; absent when it says nothing. */
  readonly busyMs?: number;
  /** What a stated policy changes in a whole answer, and what it is called; absent: its bytes go unchanged. */
  readonly edits?: { readonly names: readonly string[]; readonly splices: readonly Splice[] };
}

/**
 * Follows one streamed answer. Bytes in, bytes out, unchanged but for hidden events.
 * `push` returns what may go to the client now; what completes the answer stays in `held` until the end is on record.
 */
export interface AnswerStream {
  /** @returns bytes to pass on now, possibly empty. Never holds back a complete event that is not the last. */
  push(chunk: Buffer): readonly Buffer[];
  /** No more bytes will come. @returns what was left over, to be passed on after `held`. */
  end(): readonly Buffer[];
  /** The bytes that complete the answer, and all that came after them; empty until then. */
  readonly held: readonly Buffer[];
  /** True once anything generated has been seen: the first token. */
  readonly started: boolean;
  /** As in the facts, all choices together; cheap, to be asked after every push. */
  readonly outputBytes: number;
  facts(): AnswerFacts;
  /**
   * Ends the stream for the client now. @returns the bytes that end it in the format's own way, given what has passed: an answer cut at its
   * cap, or an error where half an answer must not pass for a whole one. null: the format has no words for that (sound, or a stream whose
   * events can no longer be told apart), and only a broken connection says it. Of an event that has not come to its end nothing goes
   * out. Afterwards nothing passes and nothing is held, but what is pushed is read on, and the facts go on learning. One exception: of an
   * event over the limit a part has passed already: its rest passes, and what ends the stream comes with it.
   * Not for an answer that is complete: once anything is held, it changes nothing and returns nothing.
   */
  cut(why: Cut): readonly Buffer[] | null;
}

/** Why a stream is ended early: for who reads the bytes, in a field of ours (`pennyworth`) that clients pass over. */
export interface Cut {
  /** A stable code: `budget_exhausted`. */
  readonly code: string;
  readonly message: string;
  /** What was used by the gateway's reckoning: said, and marked as estimated, only where clients of the format fail without counts. */
  readonly reckoned?: { readonly inputTokens: number; readonly outputTokens: number };
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The rate that is used up, for headers that clients of the format read. */
  readonly rate?: RefusedRate | undefined;
}

/** Whole numbers of what is counted. */
export interface RefusedRate {
  readonly measure: "calls" | "tokens";
  readonly limit: bigint;
  readonly left: bigint;
  /** ms UTC, and how long until then; null: nobody can say. */
  readonly resetsMs: number | null;
  readonly waitMs: number | null;
}

export interface StreamOptions {
  /** Drop the usage event that the client did not ask for. */
  readonly hideUsage: boolean;
  readonly head: AnswerHead;
  /** An event larger than this passes unread: 16 MiB if not given. */
  readonly eventBytesMax?: number;
}

export interface Format {
  readonly name: FormatName;
  /**
   * Reads a request body.
   * @throws PennyworthError `request_malformed` when it is not what the format sends (mostly: a JSON object), with the byte where it
   * breaks, or names a model in more than 256 bytes.
   */
  request(body: Buffer, line: RequestLine): RequestFacts;
  /** Reads a whole answer, given its text. Never throws: what cannot be read is a doubt. */
  answer(text: string, head: AnswerHead): AnswerFacts;
  /** Whether an answer with this head is a stream. `asked`: the request asked for one. */
  isStream(head: AnswerHead, asked: boolean): boolean;
  stream(options: StreamOptions): AnswerStream;
  /** An error in the shape this format's clients understand. */
  refusal(refusal: Refusal): RefusalBody;
  /** Nothing is known of its bodies: they pass unread, and the call is on record as one request of unknown cost. */
  readonly isOpaque?: true;
  /** Answers are kept by the provider and can be fetched by their id: a response under way is worth remembering by it. */
  readonly isKept?: true;
}

/** A refusal as it goes out. */
export interface RefusalBody {
  readonly text: string;
  /** Headers that clients of the format look for, beside content type and length: flat name, value pairs. */
  readonly headers: readonly string[];
}

export const formatNames = [
  "openai-chat",
  "openai-completions",
  "openai-responses",
  "openai-embeddings",
  "openai-images",
  "openai-audio",
  "anthropic-messages",
  "gemini-generate",
  "gemini-embed",
  "ollama-generate",
  "ollama-embed",
  "bedrock-converse",
  "bedrock-invoke",
  "cohere-chat",
  "cohere-embed",
  "unmetered",
] as const;

export type FormatName = (typeof formatNames)[number];
