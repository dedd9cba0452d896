// What one wire format makes of one request: the ask it reads, and the answers it can render. One function per format gives one.
// Invariant: JSON answer and stream say the same of the same serving.

import type { Ask } from "./ask.ts";
import type { Controls } from "./controls.ts";
import { Refused, type Wording } from "./refused.ts";
import type { Choice, Serving } from "./serving.ts";

/** One event of a stream, as it goes on the wire: of server-sent events, a line, a part of an array. */
export interface Event {
  readonly text: string;
  /** Output tokens that this event carries. */
  readonly tokens: number;
  /** It carries the final word on usage. */
  readonly usage: boolean;
}

export interface Exchange {
  readonly ask: Ask;
  readonly wording: Wording;
  /** Before the id in the answer: `chatcmpl-`, `resp_`, `msg_`; null where an answer has no id. */
  readonly idPrefix: string | null;
  readonly timedWrites: boolean;
  /** A failed answer is an error without usage; otherwise an answer that says it failed. */
  readonly failsAsError: boolean;
  /** Its answers never say what was used. */
  readonly silent?: boolean;
  json(serving: Serving): string;
  events(serving: Serving): readonly Event[];
  /** Content type of a stream; server-sent events unless set. Types that are no text hold one byte a character. */
  readonly streamType?: string;
  /** Content type of a whole answer; JSON unless set. */
  readonly wholeType?: string;
  /** Further headers of the answer: name, value, name, value …. */
  headers?(serving: Serving, controls: Readonly<Controls>): readonly string[];
  /** Of the controls that only a few formats have, those that mean something here. */
  readonly takes?: readonly (keyof Controls)[];
  /** A failure that is asked for together with `finish: failed` comes inside the stream. */
  readonly failsInStream?: boolean;
  /** Set where the answer can be fetched later by its id. */
  readonly stored?: {
    readonly background: boolean;
    /** The answer while it is under way, or after it was cancelled: without output and usage. */
    pending(serving: Serving, status: "queued" | "in_progress" | "cancelled"): string;
  };
}

/** @throws Refused when a control was given that this format has no way to show. */
export function refuseControls(controls: Readonly<Controls>, format: string, ...keys: readonly (keyof Controls)[]): void {
  for (const key of keys) {
    if (controls[key] === undefined) continue;
    const name = `x-sandbox-${key.replace(/[A-Z]|(?<=[a-z])\d/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new Refused(`${name} has no meaning for ${format}`, name);
  }
}

/** Tokens that piece `row` of a choice carries; the last one also bears those without words. */
export function tokensOf(choice: Choice, row: number, chunkTokens: number): number {
  const last = choice.pieces.length - 1;
  const wordsOfOthers = last * chunkTokens;
  return row === last ? choice.tokens - wordsOfOthers : chunkTokens;
}
