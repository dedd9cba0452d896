// What the guard did, gathered: one alert a minute for each kind, with counts. What goes on and on is told less and less often. Pure: time comes in.
// Not here: budgets' levels (judge.ts). Invariants: every event is in the count of one alert; what is urgent waits for nothing; memory is bounded.

import { hourMs, minuteMs } from "../core/time.ts";
import { type ActionKind, actionKinds, type AlertEvent, type Draft, type Gathered } from "./alert.ts";

/** Between two alerts of one kind, ms. */
const gatherMs = minuteMs;
/** Of one budget or subject that goes on, the time to the next alert doubles up to this. */
const waitMsMax = hourMs;
/** Budgets and subjects of one kind that are told apart. Events of more are counted together. */
const subjectsMax = 1_000;
/** Of them, how many one alert lists, those with the most events first. */
const listedMax = 10;

interface Subject {
  about: Gathered;
  count: number;
  /** Not told before this. */
  dueMs: number;
  /** Between its last two alerts; 0: it was not told yet. */
  waitMs: number;
}

/** Of one kind and subject, when it was told last and how long it waits now: what a restart must know. */
export interface ToldAction {
  readonly kind: ActionKind;
  readonly key: string;
  readonly dueMs: number;
  readonly waitMs: number;
}

interface Pile {
  readonly subjects: Map<string, Subject>;
  others: number;
  /** Not told alone before this. */
  othersDueMs: number;
  toldMs: number;
}

export class Gatherer {
  readonly #piles = new Map<ActionKind, Pile>();
  readonly #told: Map<string, ToldAction>;

  constructor(told: readonly ToldAction[]) {
    this.#told = new Map(told.map((one) => [`${one.kind} ${one.key}`, one]));
  }

  get told(): readonly ToldAction[] {
    const now = [...this.#piles].flatMap(([kind, { subjects }]) =>
      [...subjects].filter(([, { waitMs }]) => waitMs > 0).map(([key, { dueMs, waitMs }]) => ({ kind, key, dueMs, waitMs })),
    );
    return [...this.#told.values(), ...now];
  }

  add(event: AlertEvent): void {
    const { kind, atMs, call, detail } = event;
    let pile = this.#piles.get(kind);
    if (pile === undefined) this.#piles.set(kind, (pile = { subjects: new Map(), others: 0, othersDueMs: 0, toldMs: -Infinity }));
    const dueMs = actionKinds[kind].isUrgent ? atMs : atMs + gatherMs;
    const key = JSON.stringify([event.budget, event.subject, ...event.values]);
    let subject = pile.subjects.get(key);
    if (subject === undefined) {
      if (pile.subjects.size >= subjectsMax) {
        if (pile.others === 0) pile.othersDueMs = dueMs;
        pile.others += 1;
        return;
      }
      const { budget, values, owner } = event;
      const told = this.#told.get(`${kind} ${key}`);
      this.#told.delete(`${kind} ${key}`);
      const about = { budget, values: [...values], owner, subject: event.subject, count: 0, call, detail };
      subject = { about, count: 0, dueMs: told?.dueMs ?? dueMs, waitMs: told?.waitMs ?? 0 };
      pile.subjects.set(key, subject);
    }
    subject.count += 1;
    subject.about = { ...subject.about, call, detail };
  }

  /** @returns what somebody must be told of now. */
  due(nowMs: number): Draft[] {
    const drafts: Draft[] = [];
    for (const [kind, pile] of this.#piles) {
      const draft = this.#take(kind, pile, nowMs);
      if (draft !== null) drafts.push(draft);
      forget(pile, nowMs);
    }
    for (const [key, { dueMs, waitMs }] of this.#told) if (nowMs >= dueMs + waitMs) this.#told.delete(key);
    return drafts;
  }

  #take(kind: ActionKind, pile: Pile, nowMs: number): Draft | null {
    if (nowMs - pile.toldMs < gatherMs) return null;
    const counted = [...pile.subjects.values()].filter(({ count }) => count > 0);
    const isDue = counted.some(({ dueMs }) => nowMs >= dueMs) || (pile.others > 0 && nowMs >= pile.othersDueMs);
    if (!isDue) return null;
    // What is new goes with it, rather than a minute later.
    const ready = counted.filter(({ dueMs, waitMs }) => waitMs === 0 || nowMs >= dueMs);
    ready.sort((a, b) => b.count - a.count);
    const listed = ready.slice(0, listedMax).map(({ about, count }) => Object.assign({}, about, { count }));
    const total = ready.reduce((sum, { count }) => sum + count, pile.others);
    const others = total - listed.reduce((sum, { count }) => sum + count, 0);
    for (const subject of ready) {
      subject.count = 0;
      subject.waitMs = Math.min(waitMsMax, subject.waitMs === 0 ? gatherMs : 2 * subject.waitMs);
      subject.dueMs = nowMs + subject.waitMs;
    }
    pile.others = 0;
    pile.toldMs = nowMs;
    return { kind, severity: actionKinds[kind].severity, atMs: nowMs, count: total, of: listed, others };
  }
}

/** What was quiet for as long again as it had to wait begins anew. */
function forget(pile: Pile, nowMs: number): void {
  for (const [key, { count, dueMs, waitMs }] of pile.subjects) if (count === 0 && nowMs >= dueMs + waitMs) pile.subjects.delete(key);
}
