// OpenAI Embeddings. They have input and no output; the vectors are passed over unread. Never streamed, but a stream would pass.

import { type AnswerFacts, type Format, type RequestFacts, type RequestLine, uncapped } from "./format.ts";
import { clippedOf, hintCharactersMax, modelOf, nameCharactersMax, rawText } from "./clip.ts";
import { completionStream, errorOf } from "./completion.ts";
import { Prompt, spanOf } from "./prompt.ts";
import { openaiRefusal } from "./refuse.ts";
import { member, type Node, parseNode, scan } from "./scan.ts";
import { chatNames, Doubts, isFields, tally, usageOf } from "./tally.ts";
import { isEventStream } from "./sse.ts";

export const embeddings: Format = {
  name: "openai-embeddings",
  request: readRequest,
  answer: readEmbeddings,
  isStream: isEventStream,
  stream: completionStream,
  refusal: openaiRefusal,
};

function readRequest(body: Buffer, line: RequestLine): RequestFacts {
  const prompt = new Prompt(body);
  const { root } = prompt;
  const input = member(root, "input");
  if (input !== undefined) {
    prompt.user(input);
    prompt.block(input);
  }
  return {
    model: line.model ?? modelOf(body, member(root, "model")),
    modelSpan: line.model === null ? spanOf(member(root, "model")) : null,
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
    hints: { user: clippedOf(body, member(root, "user"), hintCharactersMax), session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  };
}

/** Reads a whole JSON answer; a response id, where some server gives one, is kept. Never throws. */
function readEmbeddings(text: string): AnswerFacts {
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
  const node = member(root, "usage");
  const usage = parseNode(bytes, node);
  const quantities = isFields(usage) ? tally(usage, chatNames, doubts) : {};
  const counted = Object.keys(quantities).length > 0;
  if (isFields(usage) && !counted) doubts.say("the usage object holds no counts");
  return {
    responseId: clippedOf(bytes, member(root, "id"), nameCharactersMax),
    model: clippedOf(bytes, member(root, "model"), nameCharactersMax),
    tier: null,
    finish: null,
    usage: counted && node !== undefined ? usageOf(quantities, "reported", doubts.said, rawText(bytes, node)) : null,
    outputBytes: 0,
    error: errorOf(parseNode(bytes, member(root, "error"))),
    complete: isObject,
    doubts: doubts.said,
  };
}
