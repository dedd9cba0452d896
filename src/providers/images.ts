// OpenAI Images: made, edited (a form, or JSON) and varied. Answers carry pictures in base64, which are passed over unread.
// What an image model puts out is image tokens, unless it says what part of them is text. Models that report no tokens are billed by the
// piece: their pictures are counted. Not here: images made inside a response (responses.ts).

import type { UsageClass } from "../core/usage.ts";
import { clip, clippedOf, hintCharactersMax, modelOf, rawText } from "./clip.ts";
import { errorOf } from "./completion.ts";
import { reportedCost } from "./cost.ts";
import { type Field, fieldIsTrue, fieldModel, fieldOf, fieldText, fieldWhole, isForm, readForm } from "./form.ts";
import { streamError } from "./audio.ts";
import {
  type AnswerFacts,
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
import { mostChoices } from "./most.ts";
import { Prompt, spanOf, unreadCount } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { isTrue, member, type Node, parseNode, scan, stringOf } from "./scan.ts";
import { followEvents, isEventStream } from "./sse.ts";
import { Doubts, fieldsOf, isFields, responsesNames, tally, usageOf } from "./tally.ts";
import { valueAt } from "./text.ts";

export const images: Format = {
  name: "openai-images",
  request: (body, line) => (isForm(line.type) ? readFormRequest(body, line) : readRequest(body, line)),
  answer: readAnswer,
  isStream: isEventStream,
  stream: imageStream,
  refusal: openaiRefusal,
};

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const text = member(root, "prompt");
  if (text !== undefined && text.kind !== "null") {
    prompt.user(text);
    prompt.block(text);
  }
  for (const key of ["images", "mask"]) {
    const node = member(root, key);
    for (const image of node?.kind === "array" ? node.values : node?.kind === "object" ? [node] : []) {
      const url = stringOf(body, member(image, "image_url"));
      if (url === null) prompt.unbound("media held by the provider: image");
      else prompt.unbound(url.startsWith("data:") ? "media of unknown tokens: image" : "media by URL: image");
    }
  }
  return {
    ...nothingElse,
    model: line.model ?? modelOf(body, member(root, "model")),
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
    streamed: isTrue(body, member(root, "stream")),
    choices: mostChoices(prompt, [[null, "n"]]),
    unbounded: prompt.unbounded,
    reach: prompt.reach({ unbounded: prompt.unbounded }),
    promptBytes: prompt.bytes,
    blocks: prompt.blocks,
    hints: { ...noHints, user: clippedOf(body, member(root, "user"), hintCharactersMax) },
  };
}

/** No span of the model: what stands in a form is no JSON value, and is not replaced. */
function readFormRequest(body: Buffer, line: RequestLine): RequestFacts {
  const fields = readForm(body, line.type);
  const text = fieldOf(fields, "prompt");
  const user = fieldText(body, fields, "user", hintCharactersMax);
  const count = mostOf(body, fields);
  const reasons = [
    ...(fields.some(({ isFile }) => isFile) ? ["media of unknown tokens: image"] : []),
    ...(count === null ? [unreadCount] : []),
  ];
  const unbounded = reasons.length === 0 ? null : reasons.join("; ");
  return {
    ...nothingElse,
    model: line.model ?? fieldModel(body, fields),
    modelSpan: null,
    streamed: fieldIsTrue(body, fields, "stream"),
    choices: Math.max(1, count ?? 1),
    unbounded,
    reach: { ...plainReach, unbounded },
    promptBytes: { system: 0, tools: 0, user: text === undefined ? 0 : text.end - text.start, earlier: 0, toolResults: 0 },
    blocks: text === undefined ? [] : [[text.start, text.end]],
    hints: { ...noHints, user: user === null ? null : clip(user, hintCharactersMax) },
  };
}

/** The largest number of pictures that the form asks for; 1 where it says nothing of it, null where one of them is no whole number. */
function mostOf(body: Buffer, fields: readonly Field[]): number | null {
  const counts = fields
    .filter(({ name, start, end }) => name === "n" && end > start)
    .map((field) => fieldWhole(body, [{ ...field, isFile: false }], "n"));
  return counts.includes(null) ? null : Math.max(1, ...counts.map((count) => count ?? 1));
}

const noHints = { user: null, session: null, previousResponse: null, metadata: {} } as const;
const nothingElse = { ...uncapped, background: false, tier: null, cap: null, effort: null, toolNames: [], splices: [], edits: [] } as const;

/** Reads a whole JSON answer. Never throws. */
function readAnswer(text: string): AnswerFacts {
  const doubts = new Doubts();
  const bytes = Buffer.from(text);
  const root = rootOf(bytes);
  if (root === undefined) doubts.say("the answer is not a JSON object");
  const data = member(root, "data");
  const pieces = data?.kind === "array" ? data.values.length : undefined;
  const error = errorOf(parseNode(bytes, member(root, "error")));
  return factsOf({ bytes, node: member(root, "usage"), pieces, error, complete: root !== undefined }, doubts);
}

function imageStream({ eventBytesMax }: StreamOptions): AnswerStream {
  return followEvents(new ImageReader(), eventBytesMax);
}

const completed = /^"image_(?:generation|edit)\.completed"/;
const partial = /^"image_(?:generation|edit)\.partial_image"/;

class ImageReader implements Reader {
  started = false;
  readonly #doubts = new Doubts();
  #last: Buffer | null = null;
  #error: string | null = null;
  #complete = false;
  /** None of it is text. */
  readonly outputBytes = 0;

  /** A partial image is no image. */
  cut(why: Cut): readonly Ending[] {
    return [streamError(why)];
  }

  event(data: string): Fate {
    if (this.#complete || data.startsWith("[DONE]")) return "pass";
    const at = valueAt(data, '"type"', 0);
    const type = at < 0 ? "" : data.slice(at, at + 40);
    if (partial.test(type)) {
      this.started = true;
      return "pass";
    }
    const bytes = Buffer.from(data, "latin1");
    const root = rootOf(bytes);
    if (root === undefined) {
      this.#doubts.say("an event of the stream is not a JSON object");
      return "pass";
    }
    if (completed.test(type)) {
      this.started = true;
      this.#last = bytes;
    } else if (stringOf(bytes, member(root, "type")) === "error" || member(root, "error") !== undefined)
      this.#error = errorOf(parseNode(bytes, member(root, "error"))) ?? errorOf(fieldsOf(parseNode(bytes, root))["code"]) ?? "error";
    this.#complete = this.#last !== null || this.#error !== null;
    return this.#complete ? "hold" : "pass";
  }

  missed(bytes: number): void {
    this.started = true;
    this.#doubts.say(`an event of ${bytes} bytes passed unread`);
  }

  end(): void {}

  facts(): AnswerFacts {
    const doubts = new Doubts();
    for (const doubt of this.#doubts.said) doubts.say(doubt);
    const bytes = this.#last ?? none;
    const node = this.#last === null ? undefined : member(rootOf(bytes), "usage");
    const pieces = this.#last === null ? undefined : 1;
    return factsOf({ bytes, node, pieces, error: this.#error, complete: this.#complete }, doubts);
  }
}

const none = Buffer.alloc(0);

function rootOf(bytes: Buffer): Node | undefined {
  try {
    const root = scan(bytes, 2);
    return root.kind === "object" ? root : undefined;
  } catch {
    return undefined;
  }
}

interface Answered {
  readonly bytes: Buffer;
  readonly node: Node | undefined;
  /** Pictures in the answer. */
  readonly pieces: number | undefined;
  readonly error: string | null;
  readonly complete: boolean;
}

function factsOf({ bytes, node, pieces, error, complete }: Answered, doubts: Doubts): AnswerFacts {
  const usage = parseNode(bytes, node);
  const raw = node === undefined || !isFields(usage) ? null : rawText(bytes, node);
  if (node?.kind === "object" && usage === undefined) doubts.say("the usage object could not be read");
  const quantities: { [name in UsageClass]?: number } = isFields(usage) ? { ...tally(usage, responsesNames, doubts) } : {};
  if (isFields(usage) && !isFields(usage["output_tokens_details"]) && quantities.output !== undefined) {
    quantities.output_image = quantities.output;
    delete quantities.output;
  }
  const cost = reportedCost(raw, doubts);
  if (isFields(usage) && Object.keys(quantities).length === 0 && cost === undefined) doubts.say("the usage object holds no counts");
  if (Object.keys(quantities).length === 0 && pieces !== undefined && pieces > 0) quantities.images = pieces;
  const counted = Object.keys(quantities).length > 0;
  return {
    responseId: null,
    model: null,
    tier: null,
    finish: null,
    usage: counted ? usageOf(quantities, "reported", doubts.said, raw) : null,
    outputBytes: 0,
    error,
    complete,
    doubts: doubts.said,
    ...(cost === undefined ? {} : { cost }),
  };
}
