// OpenAI's older Completions, rendered: JSON and chunks, as recorded answers have them. No default cap: a length that was asked for stands.
// Not here: lengths and text (serving.ts). Invariant: each prompt gets n choices, all of them counted.

import { type Ask, type Fields, Prompt, checkNumbers, toCount, toFields, toFlag, toModel, toStops } from "./ask.ts";
import { type Event, type Exchange, tokensOf } from "./exchange.ts";
import { Refused } from "./refused.ts";
import type { Finish, Serving } from "./serving.ts";

export function completions(fields: Fields): Exchange {
  const includeUsage = wantsUsage(fields);
  return {
    ask: parseAsk(fields),
    wording: "openai",
    idPrefix: "cmpl-",
    timedWrites: false,
    failsAsError: true,
    takes: ["cost"],
    json: toJson,
    events: (serving) => toEvents(serving, includeUsage),
  };
}

function parseAsk(fields: Fields): Ask {
  const model = toModel(fields);
  const prompt = new Prompt(model);
  const { texts, tokens } = toPrompts(fields["prompt"]);
  for (const text of texts) prompt.add(text);
  checkNumbers(fields, "temperature", "top_p", "frequency_penalty", "presence_penalty");
  return {
    model,
    streamed: toFlag(fields, "stream"),
    promptBytes: prompt.bytes + 4 * tokens,
    hash: prompt.hash,
    cap: toCount(fields, "max_tokens"),
    choices: texts.length * (toCount(fields, "n", 128) ?? 1),
    stops: toStops(fields, "stop"),
    tier: null,
    tools: [],
    toolForced: false,
    lastUser: texts.at(-1) ?? "",
    turns: () => [...texts.map((text) => ({ text })), { text: "" }],
  };
}

/** A text, several texts, a list of tokens, or several such lists, which have no bytes of text but count. */
function toPrompts(value: unknown): { texts: readonly string[]; tokens: number } {
  const list: readonly unknown[] = Array.isArray(value) && typeof value[0] !== "number" ? value : [value];
  if (list.length === 0 || list.length > 128) throw new Refused("prompt must hold 1 to 128 elements", "prompt");
  let tokens = 0;
  const texts = list.map((item) => {
    if (typeof item === "string") return item;
    if (!Array.isArray(item) || item.some((token) => !Number.isInteger(token)))
      throw new Refused("prompt must be a string, an array of strings, or tokens", "prompt");
    tokens += item.length;
    return "";
  });
  return { texts, tokens };
}

function wantsUsage(fields: Fields): boolean {
  const options = fields["stream_options"];
  if (options === undefined || options === null) return false;
  if (!toFlag(fields, "stream")) throw new Refused("stream_options is only allowed when stream is true", "stream_options");
  return toFlag(toFields(options, "stream_options"), "include_usage");
}

const finishes: Readonly<Record<Finish, string>> = {
  stop: "stop",
  stop_sequence: "stop",
  length: "length",
  tool_use: "stop",
  failed: "stop",
};

function toJson(serving: Serving): string {
  const choices = serving.choices.map(({ text, finish }, index) => ({ text, index, logprobs: null, finish_reason: finishes[finish] }));
  return `${toOpening(serving)},"choices":${JSON.stringify(choices)}${toUsage(serving)}}`;
}

function toOpening(serving: Serving): string {
  return `{"id":"cmpl-${serving.id}","object":"text_completion","created":${serving.createdS},"model":${JSON.stringify(serving.model)}`;
}

function toEvents(serving: Serving, includeUsage: boolean): readonly Event[] {
  const failed = serving.choices[0].finish === "failed";
  const chunk = (index: number, text: string, finish: string | null, tokens: number): Event => ({
    text:
      `data: ${toOpening(serving)},"choices":${JSON.stringify([{ text, index, logprobs: null, finish_reason: finish }])}` +
      `${includeUsage ? `,"usage":null` : ""}}\n\n`,
    tokens,
    usage: false,
  });
  const events = serving.choices.flatMap((choice, index) => {
    const pieces = failed ? choice.pieces.slice(0, Math.ceil(choice.pieces.length / 2)) : choice.pieces;
    const words = pieces.map((piece, row) => chunk(index, piece, null, tokensOf(choice, row, serving.chunkTokens)));
    return failed ? words : [...words, chunk(index, "", finishes[choice.finish], choice.pieces.length === 0 ? choice.tokens : 0)];
  });
  if (failed) {
    const error = {
      message: "The sandbox failed in the middle of its answer, as it was asked to.",
      type: "server_error",
      param: null,
      code: null,
    };
    return [...events, { text: `data: ${JSON.stringify({ error })}\n\n`, tokens: 0, usage: false }];
  }
  if (includeUsage && serving.claim !== "missing")
    events.push({ text: `data: ${toOpening(serving)}${toUsage(serving)},"choices":[]}\n\n`, tokens: 0, usage: true });
  events.push({ text: "data: [DONE]\n\n", tokens: 0, usage: false });
  return events;
}

function toUsage(serving: Serving): string {
  if (serving.claim === "missing") return "";
  const { usage } = serving;
  const zero = serving.claim === "zero" ? 0 : 1;
  const prompt = (usage.input + usage.cache_read + usage.cache_write) * zero;
  const completion = (usage.output + usage.reasoning) * zero;
  const total = prompt + completion + (serving.claim === "wrong" ? 7 : 0);
  const read = usage.cache_read > 0 ? `,"prompt_tokens_details":{"cached_tokens":${usage.cache_read * zero}}` : "";
  const cost = serving.cost === null ? "" : `,"cost":${serving.cost}`;
  return `,"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion},"total_tokens":${total}${read}${cost}}`;
}
