// Tasks as somebody says they began, and how they ended: statements by programs, checks and people, late and revised, and what follows from
// all of one task. Not here: what tasks cost. Invariant: a task's ending is a function of the set of its statements, in whatever order they came.

import type { Attribution } from "./call.ts";
import { type Pico, zero } from "./money.ts";

export type Result = "success" | "failure" | "unknown";
export const results = ["success", "failure", "unknown"] as const satisfies readonly Result[];

/** Who says so, by how much it weighs: a person outweighs a check, and a check what the task says of itself. */
export type Judge = "person" | "check" | "self";
export const judges = ["person", "check", "self"] as const satisfies readonly Judge[];

/** A task that was begun by name: without this, a task is known by its calls alone. */
export interface TaskBegun {
  /** `attribution.task` is its own id. */
  readonly attribution: Attribution;
  readonly beganMs: number;
  /** The task whose outcome did not last, and that this one makes good: what this one costs is booked there. null: it is work of its own. */
  readonly reworkOf: string | null;
  /** Id of the Pennyworth key; null: none was needed. */
  readonly key: string | null;
}

/** How a task ended, as one source says. Revised, it is another statement: nothing is edited. */
export interface Outcome {
  /** Of the statement; the first of an id stands. */
  readonly id: string;
  readonly task: string;
  /** When it was so, ms UTC: of two of the same source the later one stands. */
  readonly atMs: number;
  /** null: it does not say, and only adds to what is known. */
  readonly result: Result | null;
  readonly judge: Judge;
  /** Which check, which person (a token), which program; null: not said. */
  readonly source: string | null;
  /** What it was worth. null: not said. */
  readonly valuePico: Pico | null;
  /** What a person spent checking, ms. null: not said. */
  readonly reviewMillis: number | null;
  /** Why, in a word: `tests_failed`, `reverted`. null: not said. */
  readonly reason: string | null;
  /** Id of the Pennyworth key that said it. */
  readonly key: string | null;
}

/** What follows from all that was said of one task. */
export interface Ending {
  /** Of the weightiest judge who knows, as it said last. `unknown`: nobody does. */
  readonly result: Result;
  /** Whose word that is; null: nobody's. */
  readonly judge: Judge | null;
  readonly source: string | null;
  readonly reason: string | null;
  /** When that was so; null: nobody said. */
  readonly atMs: number | null;
  /** What the task says of itself, and what checks and people say: kept apart. null: nothing was said. */
  readonly self: Result | null;
  readonly checked: Result | null;
  /** Whether two sources differ, as they stand now, on success and failure. */
  readonly isContradictory: boolean;
  /** Of the weightiest judge who named one for this result, as it said last. What was named with a success that did not stand is worth nothing. */
  readonly valuePico: Pico | null;
  /** Of all sources together, each as it said last. null: nobody said. */
  readonly reviewMillis: number | null;
  /** How many statements there are. */
  readonly statements: number;
}

/** @param said of one task, in the order in which it was said; of the same id only one counts, and they are the same. */
export function endingOf(said: readonly Outcome[]): Ending {
  const once = [...new Map(said.map((outcome) => [outcome.id, outcome])).values()];
  // The weightiest first; of the same weight the latest; of the same moment what was said last.
  const order = once.toReversed().toSorted((a, b) => judges.indexOf(a.judge) - judges.indexOf(b.judge) || b.atMs - a.atMs);
  const standing = order.filter(
    (outcome) => outcome.result !== null && outcome === lastOf(order, outcome, ({ result }) => result !== null),
  );
  const known = standing.find(({ result }) => result !== "unknown") ?? standing[0] ?? null;
  const decided = new Set(standing.map(({ result }) => result).filter((result) => result !== "unknown"));
  const reviews = order.filter(
    (outcome) => outcome.reviewMillis !== null && outcome === lastOf(order, outcome, ({ reviewMillis }) => reviewMillis !== null),
  );
  return {
    result: known?.result ?? "unknown",
    judge: known?.judge ?? null,
    source: known?.source ?? null,
    reason: known?.reason ?? null,
    atMs: known?.atMs ?? null,
    self: order.find(({ judge, result }) => judge === "self" && result !== null)?.result ?? null,
    checked: standing.find(({ judge, result }) => judge !== "self" && result !== "unknown")?.result ?? null,
    isContradictory: decided.size > 1,
    valuePico: valueOf(order, known?.result ?? "unknown"),
    reviewMillis: reviews.length === 0 ? null : reviews.reduce((sum, { reviewMillis }) => sum + (reviewMillis ?? 0), 0),
    statements: once.length,
  };
}

/** What it is worth with this result: a value holds for the result that its source gave with it, or had given by then, or gave next. */
function valueOf(order: readonly Outcome[], result: Result): Pico | null {
  let isValued = false;
  for (const [index, first] of order.entries()) {
    const isSame = ({ judge, source }: Outcome): boolean => judge === first.judge && source === first.source;
    if (order.findIndex(isSame) < index) continue;
    const said = order.filter(isSame);
    const values = new Map<Result | null, Pico>();
    let stands: Result | null = null;
    for (const outcome of said.toReversed()) {
      if (stands === null && outcome.result !== null && values.has(null)) values.set(outcome.result, values.get(null) as Pico);
      stands = outcome.result ?? stands;
      if (outcome.valuePico !== null) values.set(stands, outcome.valuePico);
    }
    const value = values.get(result) ?? (stands === null ? values.get(null) : undefined);
    if (value !== undefined) return value;
    isValued ||= values.size > 0;
  }
  return result === "failure" && isValued ? zero : null;
}

/** What a source said last, of those statements that say something of a kind. */
function lastOf(order: readonly Outcome[], { judge, source }: Outcome, says: (outcome: Outcome) => boolean): Outcome | undefined {
  return order.find((other) => other.judge === judge && other.source === source && says(other));
}
