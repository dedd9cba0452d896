// OpenAI's audio: transcriptions and translations (forms), and speech (JSON). Answers are JSON, text, events, or sound, which passes unread
// and at once. Some models count tokens, others the seconds they heard, and sound says nothing of either. Invariant: what was heard is
// never taken for text, and nothing is reckoned from the bytes of sound.

import type { UsageClass } from "../core/usage.ts";
import { clippedOf, hintCharactersMax, modelOf } from "./clip.ts";
import { errorOf, parseText, rawOf } from "./completion.ts";
import { reportedCost } from "./cost.ts";
import { fieldIsTrue, fieldModel, fieldOf, isForm, readForm } from "./form.ts";
import {
  type AnswerFacts,
  type AnswerHead,
  type AnswerStream,
  type Cut,
  type Format,
  type RequestFacts,
  type RequestLine,
  type StreamOptions,
  uncapped,
  plainReach,
} from "./format.ts";
import type { Ending, Fate, Reader } from "./frames.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { member, stringOf } from "./scan.ts";
import { followEvents, isEventStream } from "./sse.ts";
import { chatNames, Doubts, type Fields, isFields, type Names, shown, tally, textIn, usageOf } from "./tally.ts";
import { bytesOf, encode, parseData, valueAt } from "./text.ts";

export const audio: Format = {
  name: "openai-audio",
  request: (body, line) => (isForm(line.type) ? readFormRequest(body, line) : readRequest(body, line)),
  answer: readAnswer,
  isStream: (head, asked) => isSound(head) || isEventStream(head, asked),
  stream: audioStream,
  refusal: openaiRefusal,
};

/** Transcripts count their input in details of another name than elsewhere. */
const names: Names = {
  input: "input_tokens",
  output: "output_tokens",
  inputDetails: "input_token_details",
  outputDetails: "output_token_details",
};

/** Speech: the text that is to be said. */
function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const instructions = member(root, "instructions");
  if (instructions !== undefined && instructions.kind !== "null") prompt.system(instructions);
  const input = member(root, "input");
  if (input !== undefined && input.kind !== "null") {
    prompt.user(input);
    prompt.block(input);
  }
  return {
    ...nothingElse,
    model: line.model ?? modelOf(body, member(root, "model")),
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
    streamed: stringOf(body, member(root, "stream_format")) === "sse",
    unbounded: prompt.unbounded,
    reach: prompt.reach({ unbounded: prompt.unbounded }),
    promptBytes: prompt.bytes,
    blocks: prompt.blocks,
    hints: { ...noHints, user: clippedOf(body, member(root, "user"), hintCharactersMax) },
  };
}

/** What is to be heard is a file. No span of the model: what stands in a form is no JSON value, and is not replaced. */
function readFormRequest(body: Buffer, line: RequestLine): RequestFacts {
  const fields = readForm(body, line.type);
  const text = fieldOf(fields, "prompt");
  const unbounded = fields.some(({ isFile }) => isFile) ? "media of unknown tokens: audio" : null;
  return {
    ...nothingElse,
    model: line.model ?? fieldModel(body, fields),
    modelSpan: null,
    streamed: fieldIsTrue(body, fields, "stream"),
    unbounded,
    reach: { ...plainReach, unbounded },
    promptBytes: { system: 0, tools: 0, user: text === undefined ? 0 : text.end - text.start, earlier: 0, toolResults: 0 },
    blocks: text === undefined ? [] : [[text.start, text.end]],
    hints: noHints,
  };
}

const noHints = { user: null, session: null, previousResponse: null, metadata: {} } as const;
const nothingElse = {
  ...uncapped,
  background: false,
  tier: null,
  cap: null,
  choices: 1,
  effort: null,
  toolNames: [],
  splices: [],
  edits: [],
} as const;

function isSound({ type, status }: AnswerHead): boolean {
  return status < 300 && (type.startsWith("audio/") || type.includes("octet-stream"));
}

interface Known {
  error: string | null;
  usage: Fields | null;
  raw: string | null;
  outputBytes: number;
  /** Seconds of sound, where the answer names them and has no usage. */
  duration: unknown;
}

function nothing(): Known {
  return { error: null, usage: null, raw: null, outputBytes: 0, duration: undefined };
}

/** Reads a whole answer: JSON, or the text itself. Never throws. */
function readAnswer(text: string, { type, status }: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const known = nothing();
  const isJson = type.includes("json") || status >= 400;
  const answer = isJson ? parseText(text) : undefined;
  if (isFields(answer)) {
    known.error = errorOf(answer["error"]);
    known.outputBytes = bytesOf(answer["text"]);
    known.duration = answer["duration"];
    if (isFields(answer["usage"])) {
      known.usage = answer["usage"];
      known.raw = rawOf(Buffer.from(text), ["usage"]);
    }
  } else if (isJson) doubts.say("the answer is not a JSON object");
  else known.outputBytes = Buffer.byteLength(text);
  return factsOf(known, doubts, isFields(answer) || !isJson, "output");
}

function audioStream({ head, eventBytesMax }: StreamOptions): AnswerStream {
  return isSound(head) ? new Sound() : followEvents(new AudioReader(), eventBytesMax);
}

/** Sound passes as it comes. */
class Sound implements AnswerStream {
  readonly held: readonly Buffer[] = [];
  /** None of it is text. */
  readonly outputBytes = 0;
  #bytes = 0;
  #over = false;
  #isCut = false;

  get started(): boolean {
    return this.#bytes > 0;
  }

  push(chunk: Buffer): readonly Buffer[] {
    this.#bytes += chunk.length;
    return this.#isCut ? [] : [chunk];
  }

  cut(): null {
    this.#isCut = true;
    return null;
  }

  end(): readonly Buffer[] {
    this.#over = true;
    return [];
  }

  facts(): AnswerFacts {
    const doubts = new Doubts();
    doubts.say("sound says nothing of its usage: the tokens of the audio are not counted");
    return factsOf(nothing(), doubts, this.#over, "output_audio");
  }
}

/** OpenAI's, and Mistral's. */
const transcriptDone = new Set(["transcript.text.done", "transcription.done"]);

class AudioReader implements Reader {
  started = false;
  readonly #known = nothing();
  readonly #doubts = new Doubts();
  #rest: "output" | "output_audio" = "output";
  #complete = false;

  get outputBytes(): number {
    return this.#known.outputBytes;
  }

  /** Half a transcript must not pass for a whole one, and its format has no word for that but an error. */
  cut(why: Cut): readonly Ending[] {
    return [streamError(why)];
  }

  event(data: string): Fate {
    if (this.#complete || data.startsWith("[DONE]")) return "pass";
    // Sound in base64 is not worth parsing.
    const at = valueAt(data, '"type"', 0);
    if (at >= 0 && data.startsWith('"speech.audio.delta"', at)) {
      this.started = true;
      return "pass";
    }
    const event = parseData(data);
    if (!isFields(event)) {
      this.#doubts.say("an event of the stream is not a JSON object");
      return "pass";
    }
    const known = this.#known;
    const type = textIn(event["type"]) ?? "";
    if (type === "transcript.text.delta") known.outputBytes += bytesOf(event["delta"]);
    else if (type === "transcription.text.delta") known.outputBytes += bytesOf(event["text"]);
    const isDone = transcriptDone.has(type) || type === "speech.audio.done";
    if (transcriptDone.has(type)) known.outputBytes = Math.max(known.outputBytes, bytesOf(event["text"]));
    if (type === "speech.audio.done") this.#rest = "output_audio";
    if (isDone && isFields(event["usage"])) {
      known.usage = event["usage"];
      known.raw = rawOf(Buffer.from(data, "latin1"), ["usage"]);
    }
    if (type === "error" || event["error"] !== undefined) known.error = errorOf(event["error"]) ?? errorOf(event["code"]) ?? "error";
    this.started ||= known.outputBytes > 0;
    this.#complete = isDone || known.error !== null;
    return this.#complete ? "hold" : "pass";
  }

  missed(bytes: number): void {
    this.#doubts.say(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {}

  facts(): AnswerFacts {
    const doubts = new Doubts();
    for (const doubt of this.#doubts.said) doubts.say(doubt);
    return factsOf(this.#known, doubts, this.#complete, this.#rest);
  }
}

/** How OpenAI's streams of media say that they failed. */
export function streamError({ code, message }: Cut): Ending {
  return { name: "error", data: encode({ type: "error", error: { type: "billing_error", code, message, param: null } }) };
}

/** @param rest the class of output that is not told apart. */
function factsOf(known: Known, doubts: Doubts, complete: boolean, rest: "output" | "output_audio"): AnswerFacts {
  const { error, usage, raw, outputBytes } = known;
  const quantities = usage === null ? heard(known, doubts) : quantitiesOf(usage, rest, doubts);
  const cost = reportedCost(raw, doubts);
  const counted = Object.keys(quantities).length > 0;
  if (usage !== null && !counted && cost === undefined) doubts.say("the usage object holds no counts");
  return {
    responseId: null,
    model: null,
    tier: null,
    finish: null,
    usage: counted ? usageOf(quantities, "reported", doubts.said, raw) : null,
    outputBytes,
    error,
    complete,
    doubts: doubts.said,
    ...(cost === undefined ? {} : { cost }),
  };
}

/** Of a model that counts tokens these, and of one that counts seconds those: a usage with both is billed by its tokens. */
function quantitiesOf(usage: Fields, rest: "output" | "output_audio", doubts: Doubts): { [name in UsageClass]?: number } {
  // Mistral's transcripts have its names of a chat.
  const isChat = usage["prompt_tokens"] !== undefined;
  const quantities: { [name in UsageClass]?: number } = { ...tally(usage, isChat ? chatNames : names, doubts) };
  if (rest === "output_audio" && quantities.output !== undefined) {
    quantities.output_audio = (quantities.output_audio ?? 0) + quantities.output;
    delete quantities.output;
  }
  const isByTime = usage["type"] === "duration" || Object.keys(quantities).length === 0;
  const seconds = isByTime ? secondsOf(usage["seconds"], "seconds", doubts) : undefined;
  return seconds === undefined ? quantities : { ...quantities, input_audio_seconds: seconds };
}

/** An answer without a usage may still name how long it listened. */
function heard({ duration }: Known, doubts: Doubts): { [name in UsageClass]?: number } {
  const seconds = secondsOf(duration, "duration", doubts);
  if (seconds === undefined) return {};
  doubts.say("the usage is missing: the seconds are those of the answer's duration");
  return { input_audio_seconds: seconds };
}

/** A day and more is no recording. */
const secondsMax = 1_000_000;

/** Whole seconds, a part of one counting whole; undefined when none are named. */
function secondsOf(value: unknown, name: string, doubts: Doubts): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && value >= 0 && value <= secondsMax) {
    const whole = Math.ceil(value);
    if (whole !== value) doubts.say(`${name} is ${value}: counted as ${whole}`);
    return whole;
  }
  doubts.say(`${name} is not a number of seconds: ${shown(value)}`);
  return undefined;
}
