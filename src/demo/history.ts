// Makes Larkspur's past: works through its months in order, one call at a time, with the clock moved to when each call is made. Every call goes
// through the gateway as any other. Invariant: what is asked, and when, follows from the seed and the days alone.

import { dayMs, hourMs } from "../core/time.ts";
import type { Ask } from "./ask.ts";
import type { Chore } from "./books.ts";
import type { Clock } from "./clock.ts";
import { begin, night } from "./course.ts";
import { casesOf, drill, drillsOf } from "./drill.ts";
import { drawFor } from "./random.ts";
import type { Register } from "./register.ts";
import { aside, type Script } from "./work.ts";
import { expected, isWithin, type Kind, kinds, paces, type Story, timesOfDay } from "./story.ts";

export interface HistoryOptions {
  readonly story: Story;
  readonly seed: number;
  /** About how many calls. */
  readonly calls: number;
  readonly clock: Clock;
  readonly send: (ask: Ask) => Promise<boolean>;
  readonly register: Register;
  /** What people do beside the agents' work, in order of time. */
  readonly chores: readonly Chore[];
  /** Where it ends: asked again and again, since time goes on while history is made. */
  readonly until: () => number;
  readonly onProgress: (atMs: number) => void;
  readonly signal: AbortSignal;
}

/** A piece of work that is under way, and when its next step is due. */
export interface Open {
  readonly script: Script;
  dueMs: number;
  /** How the last step went. */
  went: boolean;
}

/** The part of all calls that the runaway night makes. */
const runawayShare = 0.013;
/** What the script that goes around Pennyworth asks in a day, as a part of all calls. */
const asideShare = 0.001;

export async function makeHistory(options: HistoryOptions): Promise<void> {
  const { story, calls, signal, clock, register, until, onProgress } = options;
  const chores = [...options.chores];
  const keepBooks = async (beforeMs: number): Promise<void> => {
    for (let next = chores[0]; next !== undefined && next.atMs < beforeMs && !signal.aborted; next = chores[0]) {
      clock.set(next.atMs);
      await next.act();
      chores.shift();
    }
  };
  const scale = (calls * (1 - runawayShare)) / expectedCalls(story, until());
  for (let dayStartMs = story.startMs, open: Open[] = []; dayStartMs < until(); dayStartMs += dayMs) {
    const waiting = [...open, ...workOf(options, dayStartMs, scale)].sort(byTime);
    const nextMs = dayStartMs + dayMs;
    for (let next = waiting[0]; next !== undefined && next.dueMs < Math.min(nextMs, until()); next = waiting[0]) {
      if (signal.aborted) return;
      waiting.shift();
      await keepBooks(next.dueMs);
      if (await step(options, next)) insert(waiting, next);
    }
    open = waiting;
    await register.flush(Math.min(nextMs, until()));
    await keepBooks(Math.min(nextMs, until()));
    onProgress(Math.min(nextMs, until()));
  }
  clock.set(until());
  await register.flush(clock.now());
}

/** What begins on a day. */
function workOf({ story, seed, calls }: HistoryOptions, dayStartMs: number, scale: number): Open[] {
  const day = new Date(dayStartMs).toISOString().slice(0, 10);
  const open: Open[] = kinds.flatMap((kind) => {
    const draw = drawFor(seed, day, kind);
    const wanted = expected(story, kind, dayStartMs) * scale * (draw.around(1_000, 0.14) / 1_000);
    const count = Math.floor(wanted) + (draw.chance(wanted % 1) ? 1 : 0);
    return timesOfDay(kind, count, draw).map((time, index) => toOpen(story, seed, kind, dayStartMs + time, idOf(dayStartMs, index)));
  });
  if (isWithin(story.around, dayStartMs)) {
    const [id, fromMs] = [idOf(dayStartMs, 980), dayStartMs + 14 * hourMs];
    const count = Math.max(4, Math.round(calls * asideShare));
    open.push({ script: aside({ story, draw: drawFor(seed, "aside", id), atMs: fromMs, id }, count), dueMs: fromMs, went: true });
  }
  for (const fromMs of drillsOf(story).filter((ms) => ms >= dayStartMs && ms < dayStartMs + dayMs)) {
    const id = idOf(dayStartMs, 970);
    open.push({ script: drill({ story, draw: drawFor(seed, "drill", id), atMs: fromMs, id }, casesOf(calls)), dueMs: fromMs, went: true });
  }
  const { fromMs } = story.runaway;
  if (fromMs >= dayStartMs && fromMs < dayStartMs + dayMs) {
    const id = idOf(dayStartMs, 990);
    const turns = Math.max(60, Math.round(calls * runawayShare));
    open.push({ script: night({ story, draw: drawFor(seed, "runaway", id), atMs: fromMs, id }, turns), dueMs: fromMs, went: true });
  }
  return open;
}

function toOpen(story: Story, seed: number, kind: Kind, atMs: number, id: string): Open {
  return { script: begin(kind, { story, draw: drawFor(seed, kind, id), atMs, id }), dueMs: atMs, went: true };
}

/** Months and days in a number that grows, as people number what they keep. */
function idOf(dayStartMs: number, index: number): string {
  return `${Math.floor(dayStartMs / dayMs) - 20_000}${String(index + 1).padStart(3, "0")}`;
}

/** Makes the calls of the next step. @returns whether there is one after it. */
export async function step({ clock, send, register }: Pick<HistoryOptions, "clock" | "send" | "register">, open: Open): Promise<boolean> {
  const { value, done } = open.script.next(open.went);
  if (done === true || value === undefined) return false;
  const atMs = open.dueMs + value.afterMs;
  let endMs = atMs;
  open.went = true;
  for (const ask of value.asks) {
    clock.set(atMs);
    const answered = await send(ask);
    open.went &&= answered;
    endMs = Math.max(endMs, clock.now());
  }
  for (const statement of value.says ?? []) register.tell(statement, endMs);
  open.dueMs = endMs;
  return true;
}

function byTime(a: Open, b: Open): number {
  return a.dueMs - b.dueMs;
}

/** Into a list in order of time. */
function insert(waiting: Open[], open: Open): void {
  const at = waiting.findIndex((other) => other.dueMs > open.dueMs);
  waiting.splice(at < 0 ? waiting.length : at, 0, open);
}

/** How many calls the days have before scaling. */
function expectedCalls(story: Story, untilMs: number): number {
  let calls = 0;
  for (let dayStartMs = story.startMs; dayStartMs < untilMs; dayStartMs += dayMs) {
    const share = Math.min(1, (untilMs - dayStartMs) / dayMs);
    for (const kind of kinds) calls += expected(story, kind, dayStartMs) * paces[kind].calls * share;
  }
  return calls;
}
