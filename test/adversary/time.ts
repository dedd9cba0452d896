// What the gateway's budgets can have taken for the time at a time of the harness's steady clock, and which windows that is in: the wall clock as
// it was found at the gateway's start, and steady from there on. Not here: what was taken in them. Invariant: what is not sure is a span that
// surely holds it.

import type { Period } from "./rule.ts";

/** By the gateway's clock, ms; both ends included. */
export interface Sometime {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Shift {
  readonly fromMs: number;
  /** It was done by then. */
  readonly toMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** What a busy machine takes to find its clock at a start. */
const slackMs = 60;

export class WallClock {
  readonly #offsetMs = Date.now() - performance.now();
  readonly #shifts: Shift[] = [];

  /** From now on; the return says that it was done. */
  moving(beforeMs: number, afterMs: number): () => void {
    const fromMs = performance.now();
    return () => void this.#shifts.push({ fromMs, toMs: performance.now(), beforeMs, afterMs });
  }

  /** @param a and b of the steady clock. */
  between(a: number, b: number): Sometime {
    let [fromMs, toMs] = [Infinity, -Infinity];
    for (const [start, end, shiftMs] of this.#parts()) {
      const [low, high] = [Math.max(a, start), Math.min(b, end)];
      if (low > high) continue;
      fromMs = Math.min(fromMs, low + this.#offsetMs + shiftMs);
      toMs = Math.max(toMs, high + this.#offsetMs + shiftMs);
    }
    return { fromMs: fromMs - slackMs, toMs: toMs + slackMs };
  }

  /**
   * When a hold that was taken between these times counts: a clock that is found further back takes no window with it, and so the latest that it
   * has ever shown is possible, too.
   */
  held(a: number, b: number): Sometime {
    const { fromMs, toMs } = this.between(a, b);
    return { fromMs, toMs: Math.max(toMs, this.between(0, b).toMs) };
  }

  /** Parts of the steady time and the shift that can have been in force there; they overlap where it was being moved. */
  *#parts(): Iterable<readonly [number, number, number]> {
    let [start, shiftMs] = [0, 0];
    for (const { fromMs, toMs, beforeMs, afterMs } of this.#shifts) {
      yield [start, toMs, beforeMs];
      [start, shiftMs] = [fromMs, afterMs];
    }
    yield [start, Infinity, shiftMs];
  }
}

/** The windows that a time can be in, by number: one for all time. Rolling periods have none. */
export function windowsOf(period: Period, { fromMs, toMs }: Sometime): readonly [number, number] {
  if (period.kind !== "calendar") return [0, 0];
  const index = (ms: number): number => Math.floor((ms + period.offsetMs) / period.lengthMs);
  return [index(fromMs), index(toMs)];
}
