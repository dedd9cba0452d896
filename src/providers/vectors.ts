// Google's embeddings: embedContent and batchEmbedContents of the Gemini API, predict and embedContent of Vertex AI. They have input and no
// output; the vectors are passed over unread. Not here: generateContent (gemini.ts). Invariant: where a count is missing, none is made up.

import { candidateStream, errorIn } from "./candidates.ts";
import { rawBytesMax, rawText } from "./clip.ts";
import { type AnswerFacts, type AnswerHead, type Format, type RequestFacts, type RequestLine, uncapped } from "./format.ts";
import { each, mediaBytes, pick, size } from "./gemini.ts";
import { type Counted, countTokens, hasCounts } from "./modality.ts";
import { Prompt } from "./prompt.ts";
import { geminiRefusal } from "./refuse.ts";
import { member, type Node, open, parseNode, scan } from "./scan.ts";
import { Doubts, fieldsOf, isFields } from "./tally.ts";

export const geminiEmbed: Format = {
  name: "gemini-embed",
  request: readRequest,
  answer: readVectors,
  isStream: () => false,
  stream: candidateStream,
  refusal: geminiRefusal,
};

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  let bytes = 0;
  const requests = each(member(root, "requests"));
  for (const request of requests.length > 0 ? requests : [root]) {
    const content = member(open(body, request, 3), "content");
    if (content === undefined) continue;
    bytes += size(content) - mediaBytes(prompt, content);
    prompt.block(content);
  }
  for (const instance of each(member(root, "instances"))) {
    bytes += size(instance) - instanceMedia(prompt, instance);
    prompt.block(instance);
  }
  prompt.add("user", bytes);
  return {
    model: line.model,
    modelSpan: null,
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
    promptBytes: prompt.bytes,
    toolNames: [],
    blocks: prompt.blocks,
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}

/** An instance of predict is a text; of multimodalembedding also an image and a video, by bytes or by URL. What has a prompt asks for images. */
function instanceMedia(prompt: Prompt, shut: Node): number {
  const instance = open(prompt.body, shut, 2);
  if (member(instance, "prompt") !== undefined) prompt.unbound("output that is no text: predict with a prompt");
  let bytes = 0;
  for (const medium of ["image", "video"]) {
    const value = member(instance, medium);
    if (value?.kind !== "object") continue;
    const data = pick(value, "bytesBase64Encoded");
    prompt.unbound(data === undefined ? `media by URL: ${medium}` : `media of unknown tokens: ${medium}`);
    if (data?.kind === "string") bytes += size(data);
  }
  return bytes;
}

/** Reads a whole JSON answer. Never throws. */
function readVectors(text: string, head: AnswerHead): AnswerFacts {
  const doubts = new Doubts();
  const bytes = Buffer.from(text);
  let root: Node | undefined;
  try {
    root = scan(bytes, 1);
  } catch {
    root = undefined;
  }
  const isObject = root?.kind === "object";
  if (!isObject) doubts.say("the answer is not a JSON object");
  const error = errorIn(parseNode(bytes, member(root, "error")));
  const told = usageIn(bytes, root, doubts) ?? statisticsIn(bytes, root, doubts);
  if (isObject && error === null && head.status < 300 && told === null) {
    const characters = fieldsOf(parseNode(bytes, member(root, "metadata")))["billableCharacterCount"];
    // Vertex's older models are billed by the character: a count of those is no count of tokens.
    if (typeof characters === "number") doubts.say(`${characters} billable characters were counted, and no tokens`);
  }
  return {
    responseId: null,
    model: null,
    tier: null,
    finish: null,
    usage:
      told === null
        ? null
        : {
            parts: [{ kind: "message", model: null, quantities: told.counted.quantities }],
            source: told.isWhole ? "reported" : "partial",
            ...(Object.keys(told.counted.sources).length === 0 ? {} : { sources: told.counted.sources }),
            doubts: doubts.said,
            raw: told.raw,
          },
    outputBytes: 0,
    error,
    complete: isObject,
    doubts: doubts.said,
  };
}

interface Told {
  readonly counted: Counted;
  readonly isWhole: boolean;
  readonly raw: string | null;
}

/** What gemini-embedding-2 reports, at either API. */
function usageIn(bytes: Buffer, root: Node | undefined, doubts: Doubts): Told | null {
  const node = member(root, "usageMetadata");
  const usage = parseNode(bytes, node);
  if (node === undefined || !isFields(usage)) return null;
  const counted = countTokens(usage, doubts);
  if (Object.keys(counted.quantities).length > 0) return { counted, isWhole: true, raw: rawText(bytes, node) };
  if (hasCounts(usage)) doubts.say("the usage object holds no counts");
  return null;
}

/** What Vertex says beside each vector; the vectors themselves are not opened. Where one is not counted, the sum is not the whole. */
function statisticsIn(bytes: Buffer, root: Node | undefined, doubts: Doubts): Told | null {
  const raws: string[] = [];
  let tokens = 0;
  let vectors = 0;
  for (const key of ["predictions", "embeddings"])
    for (const shut of listIn(bytes, member(root, key))) {
      const entry = open(bytes, shut, 1);
      const vector = key === "predictions" ? member(entry, "embeddings") : shut;
      if (vector?.kind !== "object") continue;
      vectors++;
      const node = member(open(bytes, vector, 1), "statistics");
      const statistics = fieldsOf(parseNode(bytes, node));
      const count = doubts.count(statistics, "token_count") ?? doubts.count(statistics, "tokenCount");
      if (node === undefined || count === undefined) continue;
      tokens += count;
      raws.push(bytes.toString("utf8", node.start, node.end));
    }
  if (raws.length === 0) return null;
  if (raws.length < vectors) doubts.say(`the tokens of ${raws.length} of ${vectors} vectors were counted`);
  const raw = `[${raws.join(",")}]`;
  return {
    counted: { quantities: { input: tokens }, sources: {} },
    isWhole: raws.length === vectors,
    raw: Buffer.byteLength(raw) > rawBytesMax ? null : raw,
  };
}

function listIn(bytes: Buffer, node: Node | undefined): readonly Node[] {
  return node?.kind === "array" ? each(open(bytes, node, 1)) : [];
}
