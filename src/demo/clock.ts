// The demo's one clock: it stands still and is moved by hand while history is made, and then runs as every clock does. The gateway, the
// sandbox and the invented company all look at it. Invariant: while it is moved by hand, at most one call is under way.

/** Between two turns of the event loop every socket that has something is read once: what was written at one time is seen at that time. */
const turns = 2;
/** So many turns in which nobody waits for the clock: whatever was on its way has arrived. */
const quietTurns = 12;

export class Clock {
  #ms: number | null;
  #waits = 0;
  readonly #real: () => number;

  /**
   * @param startMs where it stands at first, ms UTC.
   * @param real what it follows once it runs.
   */
  constructor(startMs: number, real: () => number = Date.now) {
    this.#ms = startMs;
    this.#real = real;
  }

  /** Milliseconds since 1970, UTC; whole. */
  readonly now = (): number => Math.floor(this.#ms ?? this.#real());

  /** Whether it is not moved by hand any more. */
  get runs(): boolean {
    return this.#ms === null;
  }

  /** Moves it, forward or back. */
  set(ms: number): void {
    if (this.#ms !== null) this.#ms = ms;
  }

  /** From now on it runs. */
  run(): void {
    this.#ms = null;
  }

  /** Calls `act` so many milliseconds later: by moving itself on, or by waiting. @returns what keeps it from being called. */
  readonly after = (ms: number, act: () => void): (() => void) => {
    if (this.#ms === null) {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    }
    let isWanted = true;
    this.#waits += 1;
    settle(turns, () => {
      if (!isWanted) return;
      this.set((this.#ms ?? 0) + Math.max(0, ms));
      act();
    });
    return () => (isWanted = false);
  };

  /** Resolves when nobody has waited for it for a while: at once, once it runs. */
  async quiet(): Promise<void> {
    for (let quiet = 0, before = this.#waits; this.#ms !== null && quiet < quietTurns; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#waits !== before) quiet = 0;
      before = this.#waits;
    }
  }

  /** Resolves so many milliseconds later. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }
}

function settle(left: number, act: () => void): void {
  setImmediate(() => (left > 1 ? settle(left - 1, act) : act()));
}
