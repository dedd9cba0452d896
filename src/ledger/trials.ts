// Tasks one by one, as tries at pieces of work: what comparing candidates, odds and pass^k are made of. Not here: what follows from them
// (economics/compare.ts, odds.ts, pass.ts). Invariant: a task's cost and ending are those that `success` counts.

import type { Position } from "../core/entry.ts";
import type { SuccessQuery, TaskField } from "./store.ts";

export interface TrialsQuery extends Pick<SuccessQuery, "sinceMs" | "untilMs" | "filters" | "nowMs" | "openMs"> {
  /** What candidates are told apart by. */
  readonly by: TaskField;
  readonly limit: number;
}

/** One root task, with the rework that is booked to it. */
export interface Trial {
  /** null: not said. */
  readonly candidate: string | null;
  readonly task: string;
  /** The piece of work: the tag `case`, as it was said when the task was begun, else by its first call. null: it is a piece of its own. */
  readonly case: string | null;
  readonly startMs: number;
  readonly ending: "success" | "failure" | "unknown" | "open";
  /** Decimal string of dollars; null: something of it has no price, and nobody knows. */
  readonly cost: string | null;
  /** Likewise what is known of it; where nobody says so, all of a cost that is known, and nothing of another. */
  readonly spent?: string;
}

export interface TrialsPage {
  /** By candidate, then by case, then by when they began. */
  readonly trials: readonly Trial[];
  /** There are more than `limit`: what is given are the latest. */
  readonly truncated: boolean;
  readonly position: Position | null;
}
