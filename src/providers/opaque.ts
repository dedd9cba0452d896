// What nobody here can read: any body at a path of which nothing is known but whose it is. It passes, and is on record without
// a usage: its cost is unknown.

import { type AnswerFacts, type Format, plainReach, uncapped } from "./format.ts";
import { plainRefusal } from "./refuse.ts";

export const opaque: Format = {
  name: "unmetered",
  request: () => ({
    model: null,
    modelSpan: null,
    streamed: false,
    background: false,
    tier: null,
    cap: null,
    choices: 1,
    effort: null,
    unbounded: "unmetered path",
    ...uncapped,
    reach: { ...plainReach, unbounded: "unmetered path" },
    promptBytes: { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 },
    toolNames: [],
    blocks: [],
    hints: { user: null, session: null, previousResponse: null, metadata: {} },
    splices: [],
    edits: [],
  }),
  answer: () => unread,
  isStream: () => false,
  stream: () => {
    throw new Error("an opaque answer is never read");
  },
  refusal: plainRefusal,
  isOpaque: true,
};

/** Of an answer of which nothing was read. */
export const unread: AnswerFacts = {
  responseId: null,
  model: null,
  tier: null,
  finish: null,
  usage: null,
  outputBytes: 0,
  error: null,
  complete: true,
};
