// OpenAI's Audio, rendered: what it hears and what it speaks, whole and streamed, as the API reference has them. It hears nothing, and speaks
// noise. Invariant: models count tokens or, the older ones, seconds heard and characters spoken; x-sandbox-audio-usage may say which.

import { type Ask, type Fields, plainAsk, Prompt, toFlag, toModel, toText } from "./ask.ts";
import type { Controls } from "./controls.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import type { Form } from "./form.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";

/** Controls that neither has a use for. */
export const senseless: readonly (keyof Controls)[] = [
  "reasoningTokens",
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioOutputTokens",
  "webSearches",
  "compaction",
];

/** 16,000 samples of two bytes a second, and ten tokens: an estimate where the length was not said. */
const bytesPerSecond = 32_000;
const tokensPerSecond = 10;

export function transcriptions(task: "transcribe" | "translate", form: Form, controls: Readonly<Controls>): Exchange {
  const { fields } = form;
  const file = form.files.find((one) => one.field === "file");
  if (file === undefined) throw new Refused("Missing required parameter: 'file'.", "file");
  const format = toText(fields, "response_format") ?? "json";
  const model = toModel(fields);
  const seconds = controls.audioSeconds ?? Math.max(1, Math.ceil(file.bytes.length / bytesPerSecond));
  const byDuration = controls.audioUsage === undefined ? model.startsWith("whisper") : controls.audioUsage === "duration";
  const plain = format === "text" || format === "srt" || format === "vtt";
  const heard: Heard = { task, format, seconds, byDuration };
  return {
    ask: { ...parseHearing(model, fields, seconds), ...(byDuration ? { units: { audio_seconds: seconds } } : {}) },
    wording: "openai",
    idPrefix: null,
    timedWrites: false,
    failsAsError: true,
    takes: ["audioSeconds", "audioUsage"],
    silent: plain && !toFlag(fields, "stream"),
    wholeType: plain ? "text/plain; charset=utf-8" : "application/json",
    json: (serving) => toHeard(serving, heard),
    events: (serving) => toHeardEvents(serving, heard),
  };
}

interface Heard {
  readonly task: string;
  readonly format: string;
  readonly seconds: number;
  readonly byDuration: boolean;
}

function parseHearing(model: string, fields: Fields, seconds: number): Ask {
  const prompt = new Prompt(model);
  const text = toText(fields, "prompt") ?? "";
  prompt.add(text);
  return { ...plainAsk(model, toFlag(fields, "stream"), prompt, text), media: { audio: seconds * tokensPerSecond } };
}

function toHeard(serving: Serving, heard: Heard): string {
  const [{ text }] = serving.choices;
  const { seconds, task } = heard;
  const usage = toUsage(serving, heard.byDuration ? seconds : null);
  switch (heard.format) {
    case "text":
      return `${text}\n`;
    case "srt":
      return `1\n00:00:00,000 --> ${toClock(seconds, ",")}\n${text}\n\n`;
    case "vtt":
      return `WEBVTT\n\n00:00:00.000 --> ${toClock(seconds, ".")}\n${text}\n\n`;
    case "verbose_json":
      return JSON.stringify({ task, language: "english", duration: seconds, text, segments: [], ...usage });
    case "diarized_json":
      return JSON.stringify({ task, duration: seconds, text, segments: [], ...usage });
    default:
      return JSON.stringify({ text, ...usage });
  }
}

function toClock(seconds: number, point: string): string {
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${point}000`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Tokens, or the seconds where the model counts those. */
function toUsage(serving: Serving, seconds: number | null): object {
  if (serving.claim === "missing") return {};
  const zero = serving.claim === "zero" ? 0 : 1;
  const wrong = serving.claim === "wrong" ? 7 : 0;
  if (seconds !== null) return { usage: { type: "duration", seconds: seconds * zero + wrong } };
  const { usage } = serving;
  const [text, audio, output] = [usage.input * zero, usage.input_audio * zero, usage.output * zero];
  return {
    usage: {
      type: "tokens",
      input_tokens: text + audio,
      input_token_details: { text_tokens: text, audio_tokens: audio },
      output_tokens: output,
      total_tokens: text + audio + output + wrong,
    },
  };
}

function toHeardEvents(serving: Serving, heard: Heard): readonly Event[] {
  const [choice] = serving.choices;
  const failed = choice.finish === "failed";
  const pieces = failed ? choice.pieces.slice(0, Math.ceil(choice.pieces.length / 2)) : choice.pieces;
  const deltas = pieces.map((delta, row) =>
    toEvent({ type: "transcript.text.delta", delta }, tokensOf(choice, row, serving.chunkTokens), false),
  );
  if (failed) return [...deltas, toFault()];
  const done = { type: "transcript.text.done", text: choice.text, ...toUsage(serving, heard.byDuration ? heard.seconds : null) };
  return [...deltas, toEvent(done, pieces.length === 0 ? choice.tokens : 0, serving.claim !== "missing")];
}

function toEvent(fields: object, tokens: number, usage: boolean): Event {
  return { text: `data: ${JSON.stringify(fields)}\n\n`, tokens, usage };
}

function toFault(): Event {
  const message = "The sandbox failed in the middle of its answer, as it was asked to.";
  return toEvent({ error: { message, type: "server_error", param: null, code: null } }, 0, false);
}

const types: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  opus: "audio/opus",
  aac: "audio/aac",
  flac: "audio/flac",
  wav: "audio/wav",
  pcm: "audio/pcm",
};

/** Bytes without a word on usage, or events that end with one. */
export function speech(fields: Fields): Exchange {
  const model = toModel(fields);
  const input = toText(fields, "input");
  if (input === null) throw new Refused("Missing required parameter: 'input'.", "input");
  if (fields["voice"] === undefined) throw new Refused("Missing required parameter: 'voice'.", "voice");
  const prompt = new Prompt(model);
  prompt.add(toText(fields, "instructions") ?? "");
  prompt.add(input);
  const format = toText(fields, "response_format") ?? "mp3";
  const type = types[format];
  if (type === undefined) throw new Refused(`response_format must be one of ${Object.keys(types).join(", ")}`, "response_format");
  const byCharacter = model.startsWith("tts-1");
  const ask = plainAsk(model, toText(fields, "stream_format") === "sse", prompt, input);
  return {
    ask: { ...ask, makes: "output_audio", ...(byCharacter ? { units: { characters: [...input].length } } : {}) },
    wording: "openai",
    idPrefix: null,
    timedWrites: false,
    failsAsError: true,
    wholeType: type,
    silent: !ask.streamed || byCharacter,
    json: (serving) => noise(serving.choices[0].tokens).toString("latin1"),
    events: (serving) => toSpokenEvents(serving, byCharacter),
  };
}

/** So many tokens' worth of bytes; they mean nothing. */
function noise(tokens: number): Buffer {
  return Buffer.alloc(tokens * 48, "sandbox ");
}

function toSpokenEvents(serving: Serving, byCharacter: boolean): readonly Event[] {
  const [choice] = serving.choices;
  const failed = choice.finish === "failed";
  const rows = choice.pieces.map((_, row) => tokensOf(choice, row, serving.chunkTokens));
  const said = failed ? rows.slice(0, Math.ceil(rows.length / 2)) : rows;
  const deltas = said.map((tokens) => toEvent({ type: "speech.audio.delta", audio: noise(tokens).toString("base64") }, tokens, false));
  if (failed) return [...deltas, toFault()];
  const told = serving.claim !== "missing" && !byCharacter;
  const zero = serving.claim === "zero" ? 0 : 1;
  const [input, output] = [serving.usage.input * zero, serving.usage.output_audio * zero];
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output + (serving.claim === "wrong" ? 7 : 0) };
  return [...deltas, toEvent({ type: "speech.audio.done", ...(told ? { usage } : {}) }, 0, told)];
}
