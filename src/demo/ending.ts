// How Larkspur's work ends, and who says so: the agents themselves, checks, people days later. Of some of it nobody says anything; some of what
// was accepted comes back. Not here: the work (work.ts), sending what is said (register.ts). Pure. Invariant: it draws after all calls of a piece of
// work have drawn, so that none of them depends on how work ends.

import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import type { Draw } from "./random.ts";
import type { Kind } from "./story.ts";

/** One source's word on how a task ended. When: when it comes up. */
export interface Word {
  readonly kind: "outcome";
  readonly task: string;
  readonly result?: "success" | "failure" | "unknown";
  readonly judge?: "person" | "check" | "self";
  readonly source?: string;
  /** Dollars. */
  readonly value?: string;
  readonly reviewMinutes?: number;
  readonly reason?: string;
}

/** A task is begun by name, before its calls: rework says what it makes good. */
export interface Beginning {
  readonly kind: "begun";
  readonly task: string;
  readonly type: string;
  readonly agent: string;
  readonly feature: string;
  readonly reworkOf: string;
  readonly customer?: string;
}

export type Statement = Word | Beginning;

/** What is said so long after what came before it. `again`: then it is done again, as rework of the first. */
export interface Course {
  readonly afterMs: number;
  readonly says: readonly Word[];
  readonly again?: true;
}

/** Of a kind of work, with one model or way of doing it. */
export interface Chances {
  /** What the agent says of itself, if all its calls were answered: success in so many, else a failure. null: it says nothing. */
  readonly self: number | null;
  /** A check that follows soon: how often there is one, and how often it passes what is right, or finds what is wrong. */
  readonly check: { readonly source: string; readonly share: number; readonly passes: number; readonly reason: string } | null;
  /** A person who looks at it: how often, and for how many minutes. */
  readonly review: { readonly sources: readonly [string, ...string[]]; readonly share: number; readonly minutes: number } | null;
  /** How often it is good, in truth. */
  readonly good: number;
  /** What was accepted and comes back in days, and whether it is done again. */
  readonly returns: { readonly share: number; readonly reason: string; readonly again: number } | null;
  /** Dollars that it was worth where it is good; null: nobody says. */
  readonly value: number | null;
}

const leads = ["noor.haddad", "piet.lindqvist"] as const;
const seniors = ["ines.okafor", "mei.dvorak"] as const;

/** @param isDear done with the larger of the models that the kind has: less is wrong, and less is to be checked. null: nobody thinks of it as a task. */
export function chancesOf(kind: Kind, isDear: boolean): Chances | null {
  switch (kind) {
    case "ticket":
      return {
        self: 0.93,
        check: { source: "qa", share: 0.3, passes: 0.95, reason: "tone" },
        review: { sources: leads, share: 0.45, minutes: isDear ? 0.9 : 2.6 },
        good: isDear ? 0.9 : 0.83,
        returns: { share: isDear ? 0.05 : 0.1, reason: "reopened", again: 0.7 },
        value: 3.2,
      };
    case "insight":
      return {
        self: 0.95,
        check: null,
        review: { sources: ["customer"], share: 0.35, minutes: 0 },
        good: 0.86,
        returns: null,
        value: 5,
      };
    case "invoice":
      return {
        self: null,
        check: { source: "totals", share: 1, passes: 0.99, reason: "totals_off" },
        review: { sources: leads, share: 0.12, minutes: 1.4 },
        good: 0.94,
        returns: { share: 0.01, reason: "wrong_supplier", again: 0.4 },
        value: 0.85,
      };
    case "digest":
      return { self: 0.3, check: null, review: null, good: 1, returns: null, value: null };
    case "change":
      return {
        self: 0.97,
        check: { source: "ci", share: 0.95, passes: 0.97, reason: "tests_failed" },
        review: { sources: seniors, share: 0.85, minutes: 14 },
        good: 0.78,
        returns: { share: 0.09, reason: "reverted", again: 0.8 },
        value: 38,
      };
    case "campaign":
      return {
        self: null,
        check: null,
        review: { sources: ["lena.fuchs"], share: 0.9, minutes: 4 },
        good: 0.55,
        returns: null,
        value: null,
      };
    case "search":
    case "suggest":
      return null;
  }
}

/** What is said of a task, in order. @param answered whether the work came to its end. */
export function courseOf(chances: Chances, task: string, answered: boolean, draw: Draw): Course[] {
  const isGood = answered && draw.chance(chances.good);
  const value = chances.value === null ? {} : { value: (chances.value * (draw.around(1_000, 0.45) / 1_000)).toFixed(2) };
  const worth = isGood ? value : {};
  const course: Course[] = [];
  const say = (afterMs: number, word: Omit<Word, "kind" | "task">): void => {
    course.push({ afterMs, says: [{ kind: "outcome", task, ...word }] });
  };
  if (!answered) say(0, { result: "failure", reason: "gave_up" });
  else if (chances.self !== null && draw.chance(chances.self)) say(0, { result: "success", ...(chances.check === null ? worth : {}) });
  if (!answered) return course;
  const { check, review, returns } = chances;
  if (check !== null && draw.chance(check.share)) {
    const passes = isGood ? draw.chance(check.passes) : !draw.chance(check.passes);
    const word = passes ? { result: "success" as const, ...value } : { result: "failure" as const, reason: check.reason };
    say(draw.around(4) * minuteMs, { judge: "check", source: check.source, ...word });
  }
  if (review === null || !draw.chance(review.share)) return course;
  const person = { judge: "person" as const, source: draw.pick(review.sources) };
  const minutes = review.minutes === 0 ? {} : { reviewMinutes: draw.around(review.minutes * 10, 0.5) / 10 };
  say(draw.around(5) * hourMs, {
    ...person,
    ...minutes,
    ...(isGood ? { result: "success", ...worth } : { result: "failure", reason: "not_right" }),
  });
  if (!isGood || returns === null || !draw.chance(returns.share / review.share)) return course;
  // Accepted on Monday, and back on Friday.
  const word: Word = { kind: "outcome", task, ...person, result: "failure", reason: returns.reason };
  course.push({ afterMs: draw.whole(1, 5) * dayMs, says: [word], ...(draw.chance(returns.again) ? { again: true as const } : {}) });
  return course;
}
