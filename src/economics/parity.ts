// How much better a dearer model or agent must be to be worth its price: the success probability, the minutes of review, or the price of a run
// at which it does as well as the cheaper one. Not here: which of them tasks really succeed with (frontier.ts). Invariant: each answer changes one input alone.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import { type BreakEven, breakEven, type Choice, minutesMax, savedAt, savedUnit, toRatio } from "./worth.ts";

/** One way to have the task done: all of a choice, and the success probability; null: not known yet. */
export interface Option {
  readonly choice: Choice;
  readonly p: number | null;
}

export interface Parity {
  /** What is saved per task by the dearer option over the cheaper one, an estimate; below zero: lost. null: its p is unknown. */
  readonly savedPico: Pico | null;
  /** The success probability that the dearer one needs, as it stands. */
  readonly p: BreakEven;
  /** The most minutes of review it may need at its p. null: its p is unknown, or it is too dear unreviewed, or its review costs nothing. */
  readonly reviewMinutes: number | null;
  /** The most that a run of it may cost at its p, rounded. null: its p is unknown, or it is too dear even for nothing. */
  readonly runPico: Pico | null;
}

/**
 * Both do the same task: against the same person, or for the same value.
 * @throws RangeError that names the field, for impossible inputs, or where the two do not stand against the same.
 */
export function parity(cheaper: Option & { readonly p: number }, dearer: Option): Parity {
  if (!isSame(cheaper.choice, dearer.choice))
    throw new RangeError("against must be the same for both options: parity compares two ways of doing one task");
  const goal = savedAt(cheaper.choice, cheaper.p);
  const needed = breakEven(dearer.choice, toPico(divideHalfEven(goal, savedUnit)));
  if (dearer.p === null) return { savedPico: null, p: needed, reviewMinutes: null, runPico: null };
  const ahead = savedAt(dearer.choice, dearer.p) - goal;
  const { runPico, review } = dearer.choice;
  const run = divideHalfEven(runPico * savedUnit + ahead, savedUnit);
  // A minute more of review costs a sixtieth of an hour, whatever becomes of the run.
  const minutes = review.hourlyPico === 0n ? null : review.minutes + toRatio(ahead * 60n, review.hourlyPico * savedUnit);
  return {
    savedPico: toPico(divideHalfEven(ahead, savedUnit)),
    p: needed,
    reviewMinutes: minutes === null || minutes < 0 ? null : Math.min(minutes, minutesMax),
    runPico: run < 0n ? null : toPico(run),
  };
}

function isSame({ against: a }: Choice, { against: b }: Choice): boolean {
  if (a.kind === "nobody") return b.kind === "nobody" && a.valuePico === b.valuePico;
  return b.kind === "person" && a.labour.minutes === b.labour.minutes && a.labour.hourlyPico === b.labour.hourlyPico;
}
