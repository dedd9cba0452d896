// OpenAI's Images, rendered: whole and streamed, as the API reference has them. The pictures are one transparent dot.
// Invariant: models of the gpt-image kind count tokens, by the sizes and qualities that the API documents; the older ones count images.
// Source of the token table: OpenAI's guide to image generation, "Cost and latency" , from memory: not compared with it since.

import { type Ask, type Fields, Prompt, toCount, toFlag, toText } from "./ask.ts";
import type { Controls } from "./controls.ts";
import type { Event, Exchange } from "./exchange.ts";
import type { Form } from "./form.ts";
import { Refused } from "./refused.ts";
import type { Serving } from "./serving.ts";

type Kind = "generations" | "edits" | "variations";

/** Controls that an image has no use for. */
export const senseless: readonly (keyof Controls)[] = [
  "reasoningTokens",
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "webSearches",
  "compaction",
];

export function images(kind: Kind, { fields, files }: Form): Exchange {
  const settings = toSettings(kind, fields);
  const given = files.filter((file) => file.field === "image" || file.field === "mask").length;
  if (kind !== "generations" && given === 0) throw new Refused("Missing required parameter: 'image'.", "image");
  return {
    ask: parseAsk(kind, fields, settings, given),
    wording: "openai",
    idPrefix: null,
    timedWrites: false,
    failsAsError: true,
    takes: settings.counted ? ["imageInputTokens"] : [],
    silent: !settings.counted,
    json: (serving) => toJson(serving, settings),
    events: (serving) => toEvents(kind, serving, settings),
  };
}

interface Settings {
  /** Whether the model counts tokens. */
  readonly counted: boolean;
  readonly n: number;
  readonly partials: number;
  readonly asUrl: boolean;
  readonly quality: "low" | "medium" | "high";
  readonly size: "1024x1024" | "1024x1536" | "1536x1024";
  readonly format: string;
  readonly background: string;
}

const tokens: Readonly<Record<Settings["quality"], Readonly<Record<Settings["size"], number>>>> = {
  low: { "1024x1024": 272, "1024x1536": 408, "1536x1024": 400 },
  medium: { "1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568 },
  high: { "1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208 },
};
const partialTokens = 100;
/** What one picture weighs in a prompt: the sandbox looks at none. */
const pictureTokens = 300;

function toSettings(kind: Kind, fields: Fields): Settings {
  const model = toModelName(kind, fields);
  const quality = toText(fields, "quality") ?? "auto";
  const size = toText(fields, "size") ?? "auto";
  return {
    counted: model.includes("image"),
    n: toCount(fields, "n", 10) ?? 1,
    partials: fields["partial_images"] === 0 ? 0 : (toCount(fields, "partial_images", 3) ?? 0),
    asUrl: !model.includes("image") && toText(fields, "response_format") !== "b64_json",
    quality: quality === "low" || quality === "high" ? quality : "medium",
    size: size === "1024x1536" || size === "1536x1024" ? size : "1024x1024",
    format: toText(fields, "output_format") ?? "png",
    background: toText(fields, "background") ?? "opaque",
  };
}

function toModelName(kind: Kind, fields: Fields): string {
  return toText(fields, "model") ?? (kind === "variations" ? "dall-e-2" : "gpt-image-1");
}

function parseAsk(kind: Kind, fields: Fields, settings: Settings, given: number): Ask {
  const model = toModelName(kind, fields);
  const prompt = new Prompt(model);
  const text = toText(fields, "prompt");
  if (text === null && kind !== "variations") throw new Refused("Missing required parameter: 'prompt'.", "prompt");
  prompt.add(text ?? "");
  return {
    model,
    streamed: kind !== "variations" && toFlag(fields, "stream"),
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: null,
    choices: settings.n,
    stops: [],
    tier: null,
    tools: [],
    toolForced: false,
    lastUser: text ?? "",
    media: { image: given * pictureTokens },
    makes: "output_image",
    length: settings.counted ? tokens[settings.quality][settings.size] + settings.partials * partialTokens : 0,
    ...(settings.counted ? {} : { units: { images: settings.n } }),
    turns: () => [],
  };
}

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

function toJson(serving: Serving, settings: Settings): string {
  const data = serving.choices.map((_, index) => {
    if (!settings.asUrl) return { b64_json: dot };
    return { url: `https://sandbox.invalid/${serving.id}/${index}.png` };
  });
  const { background, format, quality, size } = settings;
  const how = settings.counted ? { background, output_format: format, quality, size } : {};
  return JSON.stringify({ created: serving.createdS, ...how, data, ...toUsage(serving, settings) });
}

function toUsage(serving: Serving, settings: Settings): object {
  if (serving.claim === "missing" || !settings.counted) return {};
  const zero = serving.claim === "zero" ? 0 : 1;
  const [text, image, output] = [serving.usage.input * zero, serving.usage.input_image * zero, serving.usage.output_image * zero];
  return {
    usage: {
      input_tokens: text + image,
      input_tokens_details: { text_tokens: text, image_tokens: image },
      output_tokens: output,
      output_tokens_details: { text_tokens: 0, image_tokens: output },
      total_tokens: text + image + output + (serving.claim === "wrong" ? 7 : 0),
    },
  };
}

function toEvents(kind: Kind, serving: Serving, settings: Settings): readonly Event[] {
  const name = kind === "edits" ? "image_edit" : "image_generation";
  const { background, format, quality, size } = settings;
  const how = { b64_json: dot, background, created_at: serving.createdS, output_format: format, quality, size };
  const all = serving.choices.reduce((sum, choice) => sum + choice.tokens, 0);
  // A length that was asked for may be too short for what previews take.
  const each = Math.min(partialTokens, Math.floor(all / (settings.partials + 1)));
  const partials = Array.from({ length: settings.partials }, (_, index) =>
    toEvent(`${name}.partial_image`, { ...how, partial_image_index: index }, each, false),
  );
  if (serving.choices[0].finish === "failed") {
    const error = {
      type: "server_error",
      code: null,
      message: "The sandbox failed in the middle of its answer, as it was asked to.",
      param: null,
    };
    return [...partials, toEvent("error", { error }, 0, false)];
  }
  const fields = { ...how, ...toUsage(serving, settings) };
  return [
    ...partials,
    toEvent(`${name}.completed`, fields, all - settings.partials * each, settings.counted && serving.claim !== "missing"),
  ];
}

function toEvent(type: string, fields: object, tokens: number, usage: boolean): Event {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`, tokens, usage };
}
