// Larkspur's present: work that begins now and then, in real time, a call every second or two in all. Not here: its past (history.ts). It goes
// on until it is told to stop, and then begins nothing more. Invariant: only so much is under way at once.

import { dayMs, minuteMs } from "../core/time.ts";
import type { Ask } from "./ask.ts";
import type { Clock } from "./clock.ts";
import { begin } from "./course.ts";
import { drawFor } from "./random.ts";
import type { Register } from "./register.ts";
import { stuck } from "./trouble.ts";
import type { Script, Setting } from "./work.ts";
import { type Kind, kinds, type Story } from "./story.ts";

export interface LiveOptions {
  readonly story: Story;
  readonly seed: number;
  readonly clock: Clock;
  readonly send: (ask: Ask) => Promise<boolean>;
  readonly register: Register;
  readonly signal: AbortSignal;
}

/** How many begin in a minute: mostly what costs little, so that an hour of it costs about what a day of the past did. */
const perMinute: Readonly<Record<Kind, number>> = {
  ticket: 1.2,
  insight: 0.08,
  invoice: 0.5,
  digest: 0.04,
  change: 0.03,
  campaign: 0.005,
  search: 22,
  suggest: 9,
};

/** How often an agent runs in circles, and how soon the first one does. */
const stuckEveryMs = 8 * minuteMs;
const stuckFirstMs = 5_000;

const tickMs = 250;
const patienceMs = 15 * minuteMs;
const openMax = 60;

export async function runLive({ story, seed, clock, send, register, signal }: LiveOptions): Promise<void> {
  const open = new Set<Promise<void>>();
  const draw = drawFor(seed, "live", clock.now());
  let count = 0;
  const start = (kind: string, script: (setting: Setting) => Script): void => {
    const atMs = clock.now();
    const id = `${Math.floor(atMs / dayMs) - 20_000}${5_000 + (count += 1)}`;
    const work = follow(script({ story, draw: drawFor(seed, kind, id, atMs), atMs, id }), { clock, send, register, signal }).finally(() =>
      open.delete(work),
    );
    open.add(work);
  };
  for (let stuckMs = clock.now() + stuckFirstMs; !signal.aborted; await pause(tickMs, signal)) {
    for (const kind of kinds)
      if (open.size < openMax && draw.chance((perMinute[kind] * tickMs) / 60_000)) start(kind, (setting) => begin(kind, setting));
    await register.flush(clock.now());
    if (clock.now() < stuckMs) continue;
    stuckMs = clock.now() + stuckEveryMs;
    start("stuck", stuck);
  }
  await Promise.allSettled(open);
  await register.flush(clock.now());
}

async function follow(
  script: Script,
  { clock, send, register, signal }: Pick<LiveOptions, "clock" | "send" | "register" | "signal">,
): Promise<void> {
  for (let next = script.next(true); next.done !== true && !signal.aborted;) {
    // What people say hours later nobody waits for.
    if (next.value.asks.length === 0 && next.value.afterMs > patienceMs) return;
    await pause(next.value.afterMs, signal);
    if (signal.aborted) return;
    const answered = await Promise.all(next.value.asks.map(send));
    for (const statement of next.value.says ?? []) register.tell(statement, clock.now());
    next = script.next(answered.every(Boolean));
  }
}

/** Waits, unless it is told to stop. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish);
  });
}
