// Embeddings of Ollama and Cohere, and Cohere's reranking: input and no output; the vectors are passed over unread, and nothing is streamed.
// Not here: OpenAI's (embeddings.ts), Google's (vectors.ts). Invariant: nothing of the answer but its names and counts is parsed.

import type { UsageClass } from "../core/usage.ts";
import { durationBusyMs } from "./busy.ts";
import { clippedOf, modelOf, nameCharactersMax, rawText } from "./clip.ts";
import { billedUnits, billedUses, errorIn } from "./cohere.ts";
import { completionStream, errorOf } from "./completion.ts";
import { type AnswerFacts, type AnswerHead, type Format, type RequestFacts, type RequestLine, uncapped } from "./format.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { cohereRefusal, ollamaRefusal } from "./refuse.ts";
import { member, type Node, open, parseNode, scan, stringOf, textOf } from "./scan.ts";
import { Doubts, type Fields, isFields, usageOf } from "./tally.ts";

export const ollamaEmbed: Format = {
  name: "ollama-embed",
  request: (body, line) => readRequest(body, line, ["input", "prompt"]),
  answer: readOllama,
  isStream: () => false,
  stream: completionStream,
  refusal: ollamaRefusal,
};

export const cohereEmbed: Format = {
  name: "cohere-embed",
  request: (body, line) => readRequest(body, line, ["texts", "inputs", "query", "documents"]),
  answer: readCohere,
  isStream: () => false,
  stream: completionStream,
  refusal: cohereRefusal,
};

function readRequest(body: Buffer, line: RequestLine, keys: readonly string[]): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  let media = 0;
  for (const key of keys) {
    const node = member(root, key);
    if (node === undefined || node.kind === "null") continue;
    prompt.user(node);
    prompt.block(node);
    if (key === "inputs") media += mediaBytes(prompt, node);
  }
  if (member(root, "images")?.values.length) prompt.unbound("media of unknown tokens: images");
  const { bytes } = prompt;
  return {
    model: modelOf(body, member(root, "model")) ?? line.model,
    modelSpan: spanOf(member(root, "model")),
    streamed: false,
    background: false,
    tier: null,
    cap: 0,
    choices: 1,
    effort: null,
    unbounded: prompt.unbounded,
    ...uncapped,
    // Each text has a window of its own; what is no text has no bound here.
    reach: prompt.reach({ unbounded: prompt.unbounded, contexts: Infinity }),
    promptBytes: { ...bytes, user: bytes.user + bytes.earlier - media, earlier: 0 },
    toolNames: [],
    blocks: prompt.blocks,
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}

/** Bytes of the images among the parts of Cohere's inputs: `[{ content: [{ type: "image_url", image_url: { url } }] }]`. */
function mediaBytes(prompt: Prompt, inputs: Node): number {
  const { body } = prompt;
  let bytes = 0;
  for (const input of open(body, inputs, 6).values)
    for (const part of member(input, "content")?.values ?? []) {
      const image = member(part, "image_url");
      if (image === undefined) continue;
      const url = stringOf(body, member(image, "url") ?? image) ?? "";
      prompt.unbound(url.startsWith("data:") ? "media of unknown tokens: image_url" : "media by URL: image_url");
      bytes += image.end - image.start;
    }
  return bytes;
}

/** An answer's root, its members' places known; undefined when it is no object. */
function rootOf(bytes: Buffer, doubts: Doubts): Node | undefined {
  try {
    const root = scan(bytes, 1);
    if (root.kind === "object") return root;
  } catch {
    // Said below.
  }
  doubts.say("the answer is not a JSON object");
  return undefined;
}

/** Never throws. The older `/api/embeddings` counts nothing. */
function readOllama(text: string): AnswerFacts {
  const doubts = new Doubts();
  const bytes = Buffer.from(text);
  const root = rootOf(bytes, doubts);
  const node = member(root, "prompt_eval_count");
  const input = doubts.count({ prompt_eval_count: parseNode(bytes, node) }, "prompt_eval_count");
  const lengths = {
    total_duration: parseNode(bytes, member(root, "total_duration")),
    load_duration: parseNode(bytes, member(root, "load_duration")),
  };
  const error = errorOf(parseNode(bytes, member(root, "error")));
  if (root !== undefined && input === undefined && error === null) doubts.say("prompt_eval_count is missing");
  const raw = node === undefined ? null : `{"prompt_eval_count":${textOf(bytes, node)}}`;
  return {
    responseId: null,
    model: clippedOf(bytes, member(root, "model"), nameCharactersMax),
    tier: null,
    finish: null,
    usage: input === undefined ? null : usageOf({ input }, "reported", doubts.said, raw),
    outputBytes: 0,
    error,
    complete: root !== undefined,
    doubts: doubts.said,
    ...durationBusyMs(lengths),
  };
}

/** Never throws. */
function readCohere(text: string, { status }: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const bytes = Buffer.from(text);
  const root = rootOf(bytes, doubts);
  const meta = member(root, "meta");
  const inside = meta?.kind === "object" ? open(bytes, meta, 1) : undefined;
  const node = member(inside, "billed_units");
  const billed = parseNode(bytes, node);
  const quantities = isFields(billed) ? embedded(billed, doubts) : {};
  const counted = Object.keys(quantities).length > 0;
  if (isFields(billed) && !counted) doubts.say("billed_units holds no counts");
  return {
    responseId: clippedOf(bytes, member(root, "id"), nameCharactersMax),
    model: null,
    tier: null,
    finish: null,
    usage: counted && node !== undefined ? usageOf(quantities, "reported", doubts.said, rawText(bytes, node)) : null,
    outputBytes: 0,
    error: errorIn({ message: parseNode(bytes, member(root, "message")) }, status),
    complete: root !== undefined,
    doubts: doubts.said,
  };
}

/** Images are billed as tokens by the models that count them so, and by the piece by those before. */
function embedded(billed: Fields, doubts: Doubts): { [name in UsageClass]?: number } {
  const quantities = billedUnits(billed, doubts);
  const searches = billedUses(billed, doubts);
  if (searches !== undefined) quantities.rerank = searches;
  const tokens = doubts.count(billed, "image_tokens");
  if (tokens !== undefined) quantities.input_image = tokens;
  const images = doubts.count(billed, "images");
  if (images !== undefined && images > 0 && !tokens) doubts.say(`${images} images were billed by the piece, which is not counted here`);
  return quantities;
}
