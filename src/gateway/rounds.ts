// When to look at what again: each thing has its turn, the wait for the next one doubles, and only so many are looked at at once.
// Not here: what a look is. Invariant: one timer, however many things wait, and nothing is looked at twice at the same time.

/** What waits for its turn. */
export interface Turn {
  /** Until the turn after next; doubled with each. */
  waitMs: number;
  nextMs: number;
  isBusy: boolean;
}

export interface RoundEffects<Thing extends Turn> {
  readonly limits: { readonly workPollMsMax: number; readonly workPollsMax: number };
  readonly now: () => number;
  readonly all: () => Iterable<Thing>;
  /** Must not reject. May bring `nextMs`, which stands at the end of the usual wait when it is called, forward or back. */
  readonly look: (thing: Thing) => Promise<void>;
}

const timerMsMax = 2 ** 31 - 1;

export class Rounds<Thing extends Turn> {
  readonly #effects: RoundEffects<Thing>;
  #timer: NodeJS.Timeout | null = null;
  #busy = 0;
  #isClosed = false;

  constructor(effects: RoundEffects<Thing>) {
    this.#effects = effects;
  }

  /** To be called when something new waits, or a turn has been moved. */
  plan(): void {
    const { limits, now, all } = this.#effects;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isClosed || this.#busy >= limits.workPollsMax) return;
    let nextMs = Infinity;
    for (const thing of all()) if (!thing.isBusy) nextMs = Math.min(nextMs, thing.nextMs);
    if (nextMs === Infinity) return;
    this.#timer = setTimeout(() => this.#go(), Math.min(Math.max(0, nextMs - now()), timerMsMax)).unref();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #go(): void {
    const { limits, now, all } = this.#effects;
    const nowMs = now();
    for (const thing of all()) {
      if (this.#busy >= limits.workPollsMax) break;
      if (!thing.isBusy && thing.nextMs <= nowMs) void this.#take(thing);
    }
    this.plan();
  }

  async #take(thing: Thing): Promise<void> {
    const { limits, now, look } = this.#effects;
    thing.isBusy = true;
    this.#busy++;
    try {
      const begunMs = now();
      thing.nextMs = begunMs + thing.waitMs;
      thing.waitMs = Math.min(thing.waitMs * 2, limits.workPollMsMax);
      await look(thing);
      if (thing.nextMs < now()) thing.nextMs = now() + Math.min(limits.workPollMsMax, thing.waitMs);
    } finally {
      thing.isBusy = false;
      this.#busy--;
      this.plan();
    }
  }
}
