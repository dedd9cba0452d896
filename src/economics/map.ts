// The map of task types: time to do, time to check, and damage, with the region in which an agent is worth it and its sweet spot. Not here: where
// the figures come from, and the picture. Invariant: a type lies in the region by the same sum that the verdict is made of; what is not known puts
// a type nowhere.

import { type Pico, toPico } from "../core/money.ts";
import { turnsAt } from "./sensitivity.ts";
import { type Range, type Spans, type Success, toCorners, toRange, toReach } from "./verdict.ts";
import { amount, type Choice, duration, type Labour, side, weigh } from "./worth.ts";

/** What all types on one map have in common. The letters are those of worth.ts. */
export interface Ground {
  readonly personHourlyPico: Pico;
  readonly reviewHourlyPico: Pico;
  readonly cleanup: Labour;
  readonly cleanupPico: Pico;
  readonly detection: number;
  readonly irreversiblePico: Pico;
}

/** A task type; null: not known. */
export interface TaskType {
  readonly type: string;
  /** Time a person needs to do it. */
  readonly personMinutes: number | null;
  /** Time a person needs to check it. */
  readonly reviewMinutes: number | null;
  readonly runPico: Pico | null;
  readonly damagePico: Pico | null;
  readonly success: Success;
  /** How far what comes from a sample may be off; without a bound it is given as not known. */
  readonly spans?: Spans;
}

/**
 * `person`: the agent saves nothing (E ≥ H). The others are worth it, and differ in what would tip them: `risky` would not be, were the damage (or its
 * probability) twice what is assumed, that is (1−p)(1−d)L ≥ H − E; `review` would not be, were checking twice as long, R ≥ H − E; `sweet` would be
 * even so. With a growing p a type goes from `person` to `sweet` and never back.
 */
export type Class = "person" | "risky" | "review" | "sweet";

export interface Point {
  readonly type: string;
  readonly personMinutes: number | null;
  readonly reviewMinutes: number | null;
  readonly damagePico: Pico | null;
  /** Time to check over time to do: ten minutes against two hours is 10/120. null: one is not known, or doing takes none. */
  readonly ratio: number | null;
  /** null: no outcome is known. */
  readonly success: Range | null;
  /** At the worst and the best of what is known of p (ends that nobody said too), cost and time to check, and at the best guess; null: something is not known. */
  readonly classes: { readonly low: Class; readonly at: Class | null; readonly high: Class } | null;
  /** Whether the class is the same all over the interval. */
  readonly isSettled: boolean;
  /** The most damage at which it is worth it, at the best guess; null: unknown, or no amount matters, or none is small enough. */
  readonly damageAtMostPico: Pico | null;
  /** What would have to be known to class it. */
  readonly missing: readonly ("personMinutes" | "reviewMinutes" | "runPico" | "damagePico" | "success")[];
}

/** A place on the region's edge. */
export interface Edge {
  readonly personMinutes: number;
  /** The agent is worth it where checking takes less. */
  readonly reviewMinutes: number;
  /** It is a sweet spot where checking takes less than this; null: at no time to check. */
  readonly sweetMinutes: number | null;
}

/** @throws RangeError that names the field and the type, for impossible inputs. */
export function toMap(ground: Ground, types: readonly TaskType[]): Point[] {
  return types.map((type) => {
    try {
      return toPoint(ground, type);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`task type ${JSON.stringify(type.type)}: ${error.message}`, { cause: error });
    }
  });
}

/** @throws RangeError that names the field, for impossible inputs. */
export function classify(choice: Choice, p: number): Class {
  if (side(choice, p) <= 0) return "person";
  const { damagePico, irreversiblePico, review } = choice;
  if (side({ ...choice, damagePico: twice(damagePico), irreversiblePico: twice(irreversiblePico) }, p) <= 0) return "risky";
  return side({ ...choice, review: { ...review, hourlyPico: twice(review.hourlyPico) } }, p) <= 0 ? "review" : "sweet";
}

/**
 * Where E = H, as a curve of time to check over time to do, for tasks alike in all else: a straight line, given at places evenly spread by ratio, so
 * that it can be drawn on a logarithmic scale too. Empty where nothing so short is worth it, or checking costs nothing.
 * @param untilMinutes the longest time to do that is drawn.
 * @throws RangeError that names the field, for impossible inputs.
 */
export function edge(
  ground: Ground,
  { runPico, damagePico, p }: { readonly runPico: Pico; readonly damagePico: Pico; readonly p: number },
  untilMinutes: number,
  places = 33,
): Edge[] {
  duration("untilMinutes", untilMinutes);
  if (!Number.isSafeInteger(places) || places < 2 || places > 1_000) throw new RangeError(`places must be from 2 to 1000: ${places}`);
  const choiceOf = (personMinutes: number): Choice => toChoice(ground, { personMinutes, reviewMinutes: 0, runPico, damagePico });
  const first = turnsAt(choiceOf(0), p, "personMinutes");
  if (typeof first !== "number" || first >= untilMinutes) return [];
  const start = Math.max(first, untilMinutes / 1_000);
  const spread = Array.from({ length: places }, (_, index) => start * (untilMinutes / start) ** (index / (places - 1)));
  const ends = [first, ...spread.slice(first === start ? 1 : 0, -1), untilMinutes];
  return ends.flatMap((personMinutes) => {
    const choice = choiceOf(personMinutes);
    const reviewMinutes = personMinutes === first ? 0 : turnsAt(choice, p, "reviewMinutes");
    if (typeof reviewMinutes !== "number") return [];
    const { damagePico: expected } = weigh(choice, p).parts;
    const damageMinutes = ground.reviewHourlyPico === 0n ? 0 : (Number(expected) * 60) / Number(ground.reviewHourlyPico);
    const sweet = Math.min(reviewMinutes / 2, reviewMinutes - damageMinutes);
    return [{ personMinutes, reviewMinutes, sweetMinutes: sweet <= 0 ? null : sweet }];
  });
}

interface Known {
  readonly personMinutes: number;
  readonly reviewMinutes: number;
  readonly runPico: Pico;
  readonly damagePico: Pico;
}

function toPoint(ground: Ground, task: TaskType): Point {
  const { type, personMinutes, reviewMinutes, runPico, damagePico } = task;
  if (personMinutes !== null) duration("personMinutes", personMinutes);
  if (reviewMinutes !== null) duration("reviewMinutes", reviewMinutes);
  if (runPico !== null) amount("runPico", runPico);
  if (damagePico !== null) amount("damagePico", damagePico);
  const success = toRange(task.success);
  const known = { personMinutes, reviewMinutes, runPico, damagePico };
  const missing = [
    ...(Object.keys(known) as (keyof Known)[]).filter((name) => known[name] === null),
    ...(success === null ? (["success"] as const) : []),
  ];
  const choice = isKnown(known) ? toChoice(ground, known) : null;
  const at = success?.at ?? null;
  const reach = toReach(success, task.spans?.ends);
  const corners = choice === null ? null : toCorners(choice, task.spans ?? {});
  const classes =
    choice === null || reach === null || corners === null || corners.worst === null
      ? null
      : {
          low: classify(corners.worst, reach.low),
          at: at === null ? null : classify(choice, at),
          high: classify(corners.best, reach.high),
        };
  const most = choice === null || at === null ? null : turnsAt(choice, at, "damagePico");
  return {
    type,
    personMinutes,
    reviewMinutes,
    damagePico,
    ratio: reviewMinutes === null || personMinutes === null || personMinutes === 0 ? null : reviewMinutes / personMinutes,
    success,
    classes,
    isSettled: classes !== null && classes.low === classes.high,
    damageAtMostPico: typeof most === "bigint" ? most : null,
    missing,
  };
}

function twice(pico: Pico): Pico {
  return toPico(2n * pico);
}

function isKnown(known: { readonly [name in keyof Known]: Known[name] | null }): known is Known {
  return Object.values(known).every((value) => value !== null);
}

function toChoice(ground: Ground, { personMinutes, reviewMinutes, runPico, damagePico }: Known): Choice {
  const { personHourlyPico, reviewHourlyPico, ...rest } = ground;
  return {
    ...rest,
    against: { kind: "person", labour: { minutes: personMinutes, hourlyPico: personHourlyPico } },
    review: { minutes: reviewMinutes, hourlyPico: reviewHourlyPico },
    runPico,
    damagePico,
  };
}
