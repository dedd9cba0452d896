// Loops: the same thing again and again, with nothing new in between. Not here: what follows from it (cap.ts), what was asked or answered
// (all that comes in is hashes). Invariant: something new begins the count again, so that work that gets on is never called a loop; a cycle
// of several things counts as one thing repeated does.

import { minuteMs } from "./time.ts";

/** One tool call and its answer, as keyed hashes of its name with its arguments, and of its result. */
export interface ToolRound {
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
  readonly #seen = new Map<string, Seen>();
  #stretch = 0;

  get size(): number {
    return this.#seen.size;
  }

  /**
   * Notes one thing. A try of a request that was noted before is not noted again: it bears the same request id, or its number is above 1
   * and above that of the one before it.
   * @returns how often it has come since the last thing that was new, itself included: 1 when it is new.
   */
  see(symbol: string, atMs: number, request: string, attempt: number): number {
    const seen = this.#seen.get(symbol);
    if (seen === undefined) {
      this.#stretch += 1;
      this.#seen.set(symbol, { times: 1, stretch: this.#stretch, atMs, request, attempt });
      if (this.#seen.size > symbolsMax) this.#seen.delete(this.#seen.keys().next().value as string);
      return 1;
    }
    this.#seen.delete(symbol);
    this.#seen.set(symbol, seen);
    const isRetry = attempt > 1 && (request === seen.request || attempt > seen.attempt);
    const isLate = atMs - seen.atMs > repeatGapMsMax;
    if (isLate) seen.times = 0;
    else if (seen.stretch !== this.#stretch) seen.times = 1;
    if (!isRetry || isLate) seen.times += 1;
    seen.stretch = this.#stretch;
    seen.atMs = atMs;
    seen.request = request;
    seen.attempt = attempt;
    return seen.times;
  }

  clear(): void {
    this.#seen.clear();
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

/** How often the last round of a history has come since the last one that was new, itself included; 0 for an empty history. */
export function repeatsOf(rounds: readonly ToolRound[]): number {
  const last = rounds.at(-1);
  if (last === undefined) return 0;
  let times = 0;
  for (let at = rounds.length - 1; at >= 0; at--) {
    const round = rounds[at] as ToolRound;
    if (!isBefore(rounds, at)) return isBefore(rounds, at + 1, last) ? times + 1 : times;
    if (isSame(round, last)) times += 1;
  }
  return times;
}

/** Whether what stands at `at` (or `round`) stands before it, too. */
function isBefore(rounds: readonly ToolRound[], at: number, round = rounds[at] as ToolRound): boolean {
  for (let before = at - 1; before >= 0; before--) if (isSame(rounds[before] as ToolRound, round)) return true;
  return false;
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
