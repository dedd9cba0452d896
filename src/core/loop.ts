// Loops: the same thing again and again, with nothing new in between. Not here: what follows from it (cap.ts), what was asked or answered
// (all that comes in is hashes). Invariant: something new begins the count again, so that work that gets on is never called a loop; a cycle
// of several things counts as one thing repeated does.

import { Recent } from "./recent.ts";
import { minuteMs } from "./time.ts";

/** One tool call and its answer, as keyed hashes of its name with its arguments, and of its result. */
export interface ToolRound {
  /** Empty when it is not in sight. */
  readonly call: string;
  readonly result: string;
}

/** Different things that are remembered of one conversation: a cycle of more than these is not seen. */
export const symbolsMax = 64;
/** What comes again after longer than this is not said to be repeated: somebody asks the same thing every hour. */
export const repeatGapMsMax = 10 * minuteMs;

/** `times` counts from the last thing that was new: it may be of an earlier `stretch`, and is then 1 at most. */
interface Seen {
  times: number;
  stretch: number;
  atMs: number;
  request: string;
  attempt: number;
}

export interface TrailSnapshot {
  readonly stretch: number;
  /** The least recently seen first: symbol, times, stretch, atMs, request, attempt. */
  readonly seen: readonly (readonly [string, number, number, number, string, number])[];
}

/** What one conversation did, of late. */
export class Trail {
  readonly #seen = new Recent<string, Seen>(symbolsMax);
  #stretch = 0;

  get size(): number {
    return this.#seen.size;
  }

  /** Whether this is a try of a request that was noted: it bears the same id, or its number is above 1 and above that of the one before it. */
  isTry(symbol: string, request: string, attempt: number): boolean {
    const seen = this.#seen.get(symbol);
    return seen !== undefined && attempt > 1 && (request === seen.request || attempt > seen.attempt);
  }

  /**
   * Notes one thing. A try of a request is not counted again.
   * @returns how often it has come since the last thing that was new, itself included: 1 when it is new.
   */
  see(symbol: string, atMs: number, isTry: boolean, request: string, attempt: number): number {
    const seen = this.#seen.get(symbol);
    if (seen === undefined) {
      this.#stretch += 1;
      this.#seen.set(symbol, { times: 1, stretch: this.#stretch, atMs, request, attempt });
      return 1;
    }
    this.#seen.set(symbol, seen);
    const isLate = atMs - seen.atMs > repeatGapMsMax;
    if (isLate) seen.times = 0;
    else if (seen.stretch !== this.#stretch) seen.times = 1;
    if (!isTry || isLate) seen.times += 1;
    seen.stretch = this.#stretch;
    seen.atMs = atMs;
    seen.request = request;
    seen.attempt = attempt;
    return seen.times;
  }

  snapshot(): TrailSnapshot {
    return {
      stretch: this.#stretch,
      seen: [...this.#seen].map(([symbol, s]) => [symbol, s.times, s.stretch, s.atMs, s.request, s.attempt] as const),
    };
  }

  static restore({ stretch, seen }: TrailSnapshot): Trail {
    const trail = new Trail();
    trail.#stretch = stretch;
    for (const [symbol, times, of, atMs, request, attempt] of seen) trail.#seen.set(symbol, { times, stretch: of, atMs, request, attempt });
    return trail;
  }
}

/** What one conversation did, of late; made when it is needed. */
export interface Talk {
  /** Requests. */
  trail: Trail | null;
  /** Tool calls with their results. */
  toolTrail: Trail | null;
  /** Calls in a row that had to wait: each waits twice as long as the one before. */
  slowed: number;
}

/** What a call does. */
export interface Deed {
  readonly request: string;
  readonly attempt: number;
  readonly atMs: number;
  /** `fingerprintOf`. */
  readonly fingerprint: string | null;
  /** What it adds to its conversation. */
  readonly toolRounds: readonly ToolRound[];
  /** The provider holds what came before (`previous_response_id`): that what is in sight is the same says nothing. */
  readonly isHeld: boolean;
}

/** Notes what a call does. @returns how often the same request came, and the same tool round, with nothing new in between; 0 without any. */
export function look(talk: Talk, deed: Deed): { readonly requestTimes: number; readonly toolTimes: number } {
  const { request, attempt, atMs, fingerprint, toolRounds, isHeld } = deed;
  let isTry = attempt > 1;
  let requestTimes = 0;
  if (fingerprint !== null && !isHeld) {
    talk.trail ??= new Trail();
    isTry = talk.trail.isTry(fingerprint, request, attempt);
    requestTimes = talk.trail.see(fingerprint, atMs, isTry, request, attempt);
  }
  let toolTimes = 0;
  let hasNew = false;
  for (const [at, round] of toolRounds.entries()) {
    // Of a call that is not in sight nobody knows whether it is the same; and what is asked twice at once is asked once.
    if (round.call === "" || toolRounds.findIndex((other) => isSame(other, round)) < at) continue;
    talk.toolTrail ??= new Trail();
    const times = talk.toolTrail.see(`${round.call}${round.result}`, atMs, isTry, request, attempt);
    hasNew ||= times === 1;
    toolTimes = Math.max(toolTimes, times);
  }
  return { requestTimes, toolTimes: hasNew ? 1 : toolTimes };
}

function isSame(a: ToolRound, b: ToolRound): boolean {
  return a.call === b.call && a.result === b.result;
}

/**
 * By what a request is known as the same: the last link of its prompt's chain, the model asked for, and the cap asked for. null when nothing
 * is known of its prompt: such a request is never the same as another.
 */
export function fingerprintOf(prefix: readonly string[], modelAsked: string | null, capAsked: number | null): string | null {
  const last = prefix.at(-1);
  return last === undefined ? null : `${last} ${capAsked ?? ""} ${modelAsked ?? ""}`;
}
