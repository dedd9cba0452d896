// The guard's clock: the wall clock, but for its jumps. A machine that slept has not jumped: its time since boot went on. Not here: the entry
// that a jump is (main.ts). Invariant: no jump of the wall clock begins a new window, or goes back to an old one; the next start takes the time
// as it is.

export interface Clocks {
  /** ms since 1970, UTC, as the machine has it. */
  readonly wall: () => number;
  /** ms since some time, never set; may stand still while the machine sleeps. */
  readonly monotonic: () => number;
  /** Seconds since the machine was booted, asleep or not. */
  readonly sinceBoot: () => number;
}

/** What the two clocks may differ by before it is a jump, ms: the same as for the entry. */
export const jumpMs = 1_000;
/** How exactly the time since boot is known, ms. */
const bootMs = 2_000;

/** How often the time since boot is looked at, ms. */
const sampleMs = 60_000;

/** @returns the time, ms UTC. */
export function steadyClock({ wall, monotonic, sinceBoot }: Clocks): () => number {
  let offsetMs = wall() - monotonic();
  let [wallMs, bootSeconds] = [wall(), sinceBoot()];
  return () => {
    const now = wall();
    // Times on record are whole.
    const steady = Math.floor(monotonic() + offsetMs);
    if (Math.abs(now - steady) < jumpMs) {
      offsetMs += now - steady;
      if (now - wallMs > sampleMs) [wallMs, bootSeconds] = [now, sinceBoot()];
      return now;
    }
    // Seldom: asks the kernel.
    const bootedMs = (sinceBoot() - bootSeconds) * 1_000;
    const isSleep = Math.abs(now - wallMs - bootedMs) < bootMs;
    if (!isSleep) return steady;
    offsetMs = now - monotonic();
    [wallMs, bootSeconds] = [now, sinceBoot()];
    return now;
  };
}
