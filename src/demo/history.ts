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
import { aside, type Script, type Step } from "./work.ts";
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

/** A piece of work that is under way, and when its next step is due: what waits before it is part of that, so that nothing begins out of turn. */
export interface Open {
  readonly script: Script;
  next: Step;
  dueMs: number;
}

/** @returns null where it has no step at all. */
export function toOpen(script: Script, atMs: number): Open | null {
  const { value, done } = script.next(true);
  return done === true || value === undefined ? null : { script, next: value, dueMs: atMs + value.afterMs };
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
  let open: Open[] = [];
  for (let dayStartMs = story.startMs; dayStartMs < until(); dayStartMs += dayMs) {
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
  // What nobody has said yet is said when its time has come.
  for (const { next, dueMs } of open) if (next.asks.length === 0) for (const statement of next.says ?? []) register.tell(statement, dueMs);
  clock.set(until());
  await register.flush(clock.now());
}

interface Piece {
  readonly script: Script;
  /** When it begins, ms UTC. */
  readonly atMs: number;
}

/** What begins on a day. */
function workOf({ story, seed, calls }: HistoryOptions, dayStartMs: number, scale: number): Open[] {
  const day = new Date(dayStartMs).toISOString().slice(0, 10);
  const pieces: Piece[] = kinds.flatMap((kind) => {
    const draw = drawFor(seed, day, kind);
    const wanted = expected(story, kind, dayStartMs) * scale * (draw.around(1_000, 0.14) / 1_000);
    const count = Math.floor(wanted) + (draw.chance(wanted % 1) ? 1 : 0);
    return timesOfDay(kind, count, draw).map((time, index) => pieceOf(story, seed, kind, dayStartMs + time, idOf(dayStartMs, index)));
  });
  if (isWithin(story.around, dayStartMs)) {
    const [id, fromMs] = [idOf(dayStartMs, 980), dayStartMs + 14 * hourMs];
    const count = Math.max(4, Math.round(calls * asideShare));
    pieces.push({ script: aside({ story, draw: drawFor(seed, "aside", id), atMs: fromMs, id }, count), atMs: fromMs });
  }
  for (const fromMs of drillsOf(story).filter((ms) => ms >= dayStartMs && ms < dayStartMs + dayMs)) {
    const id = idOf(dayStartMs, 970);
    pieces.push({ script: drill({ story, draw: drawFor(seed, "drill", id), atMs: fromMs, id }, casesOf(calls)), atMs: fromMs });
  }
  const { fromMs } = story.runaway;
  if (fromMs >= dayStartMs && fromMs < dayStartMs + dayMs) {
    const id = idOf(dayStartMs, 990);
    const turns = Math.max(60, Math.round(calls * runawayShare));
    pieces.push({ script: night({ story, draw: drawFor(seed, "runaway", id), atMs: fromMs, id }, turns), atMs: fromMs });
  }
  return pieces.flatMap(({ script, atMs }) => toOpen(script, atMs) ?? []);
}

function pieceOf(story: Story, seed: number, kind: Kind, atMs: number, id: string): Piece {
  return { script: begin(kind, { story, draw: drawFor(seed, kind, id), atMs, id }), atMs };
}

/** Months and days in a number that grows, as people number what they keep. */
function idOf(dayStartMs: number, index: number): string {
  return `${Math.floor(dayStartMs / dayMs) - 20_000}${String(index + 1).padStart(3, "0")}`;
}

/** Makes the calls of the step that is due. @returns whether there is one after it. */
export async function step({ clock, send, register }: Pick<HistoryOptions, "clock" | "send" | "register">, open: Open): Promise<boolean> {
  let endMs = open.dueMs;
  let went = true;
  for (const ask of open.next.asks) {
    clock.set(open.dueMs);
    const answered = await send(ask);
    went &&= answered;
    endMs = Math.max(endMs, clock.now());
  }
  for (const statement of open.next.says ?? []) register.tell(statement, endMs);
  const { value, done } = open.script.next(went);
  if (done === true || value === undefined) return false;
  open.next = value;
  open.dueMs = endMs + value.afterMs;
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
