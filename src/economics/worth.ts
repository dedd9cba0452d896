// Is an agent worth it: what a task is expected to cost done by an agent, failures included, against a person or against the value of having it
// done, and the success probability at which that turns. Not here: how well that probability is known (verdict.ts). Invariant: what is compared
// is compared as exact ratios, and rounded once when it is shown; the same inputs give the same amount on every machine.

import { allocate, divideHalfEven, type Pico, toPico, zero } from "../core/money.ts";

/** A person's time, and what an hour of it costs. */
export interface Labour {
  /** Per task. From 0 to `minutesMax`; finer than 10⁻⁹ is rounded off. */
  readonly minutes: number;
  /** Picodollars for an hour. */
  readonly hourlyPico: Pico;
}

/** What an agent stands against: a person who would do it (H), or nobody, where a finished task has a value (V). */
export type Against = { readonly kind: "person"; readonly labour: Labour } | { readonly kind: "nobody"; readonly valuePico: Pico };

/** A kind of task, and how it would be done by an agent. Amounts are per task. */
export interface Choice {
  readonly against: Against;
  /** C: what a run of the agent costs, however it ends. */
  readonly runPico: Pico;
  /** R: checking a run, however it ends. */
  readonly review: Labour;
  /** K, first part: cleaning up after a failure, beyond doing the task again. */
  readonly cleanup: Labour;
  /** K, second part: what a failure costs besides labour. */
  readonly cleanupPico: Pico;
  /** d: the probability that a failure is found. A person then does the task (H); without one it stays undone. */
  readonly detection: number;
  /** L: damage done by a failure that is not found. */
  readonly damagePico: Pico;
  /** Added to L where what was done cannot be undone; zero: it can. */
  readonly irreversiblePico: Pico;
}

/** A run at some success probability, in expectation, for so many tasks. Every amount is an estimate; the parts add up to `agentPico`. */
export interface Expectation {
  /** E = C + R + (1−p)·[K + d·H + (1−d)·L]. */
  readonly agentPico: Pico;
  readonly parts: {
    readonly runPico: Pico;
    readonly reviewPico: Pico;
    /** (1−p)·K */
    readonly cleanupPico: Pico;
    /** (1−p)·d·H: tasks that a person does after all. */
    readonly redoPico: Pico;
    /** (1−p)·(1−d)·L */
    readonly damagePico: Pico;
  };
  /** What stands against it: H, or p·V. */
  readonly otherPico: Pico;
  /** `otherPico` − `agentPico`: above zero, the agent is worth it. */
  readonly savedPico: Pico;
  /** People's hours with the agent: reviewing, cleaning up, doing it after all. */
  readonly peopleHours: number;
  /** Hours that people save; null: nobody would do it otherwise. */
  readonly savedHours: number | null;
}

/** From which success probability the agent is worth it. */
export interface BreakEven {
  /**
   * `at`: above `p`, which may be 0. `always`: at every probability, 0 too (p* < 0). `never`: at none (p* ≥ 1: dearer, or no cheaper, even if
   * every task succeeds).
   */
  readonly kind: "at" | "always" | "never";
  /** p*, as the formula gives it, so that it may lie outside 0..1; null: a failure costs no more than a success, so p does not matter. */
  readonly p: number | null;
}

/** Whether checking is worth its price. */
export interface ReviewWorth {
  readonly pays: boolean;
  /** R. */
  readonly costPico: Pico;
  /** (1−p)·(d1−d0)·(L−H), an estimate; below zero where finding failures costs more than leaving them. */
  readonly gainPico: Pico;
  /** It pays where tasks succeed more rarely than this; null: that does not decide it. */
  readonly belowP: number | null;
}

/** Seventeen years: beyond, a billionth of a minute is no longer a whole number that a float can hold. */
export const minutesMax = 9_000_000;

const nano = 1_000_000_000n;
export const savedUnit = nano ** 3n;

/**
 * What a task done by an agent is expected to cost, and what stands against it.
 * @param p the success probability of a run.
 * @param tasks how many tasks: each amount is multiplied before it is rounded.
 * @throws RangeError that names the field, for an impossible probability, a negative time or amount, or what is no number.
 */
export function weigh(choice: Choice, p: number, tasks = 1): Expectation {
  if (!Number.isSafeInteger(tasks) || tasks < 0) throw new RangeError(`tasks must be a whole number, zero or more: ${tasks}`);
  const terms = toTerms(choice);
  const failing = nano - probability("p", p);
  const count = BigInt(tasks);
  const total = divideHalfEven(((terms.run + terms.review) * nano * nano + failing * terms.failed) * count, nano * nano);
  const weights = [
    terms.run * nano * nano,
    terms.review * nano * nano,
    failing * terms.cleanup * nano,
    failing * terms.detection * terms.person,
    failing * (nano - terms.detection) * terms.damage,
  ];
  const [runPico = zero, reviewPico = zero, cleanupPico = zero, redoPico = zero, damagePico = zero] = allocate(toPico(total), weights);
  const other = divideHalfEven((terms.person * nano + (nano - failing) * terms.value) * count, nano);
  const fails = 1 - p;
  const redo = choice.against.kind === "person" ? choice.against.labour.minutes : null;
  const people = choice.review.minutes + fails * (choice.cleanup.minutes + choice.detection * (redo ?? 0));
  return {
    agentPico: toPico(total),
    parts: { runPico, reviewPico, cleanupPico, redoPico, damagePico },
    otherPico: toPico(other),
    savedPico: toPico(other - total),
    peopleHours: (people * tasks) / 60,
    savedHours: redo === null ? null : ((redo - people) * tasks) / 60,
  };
}

/**
 * Against a person p* = 1 − (H−C−R) / (K + d·H + (1−d)·L); against nobody p* = (C + R + K + (1−d)·L) / (V + K + (1−d)·L). What has neither costs
 * nor gains anywhere is never worth it.
 * @param atLeastPico what must be saved per task; zero asks for break-even. Another option's saving asks for parity with that.
 */
export function breakEven(choice: Choice, atLeastPico: Pico = zero): BreakEven {
  const line = toLine(choice);
  const at0 = line.at0 - atLeastPico * nano * nano;
  const at1 = line.at1 - atLeastPico * nano * nano;
  const p = at1 === at0 ? null : toRatio(-at0, at1 - at0);
  return { kind: at1 <= 0n ? "never" : at0 > 0n ? "always" : "at", p };
}

/** Whether the agent is worth it at exactly this probability: 1 saves, 0 costs the same, −1 costs more. Never rounded. */
export function side(choice: Choice, p: number): -1 | 0 | 1 {
  const saved = savedAt(choice, p);
  return saved > 0n ? 1 : saved < 0n ? -1 : 0;
}

/** Saved per task in expectation, exactly: in picodollars times `savedUnit`. */
export function savedAt(choice: Choice, p: number): bigint {
  const { at0, at1 } = toLine(choice);
  const weight = probability("p", p);
  return (nano - weight) * at0 + weight * at1;
}

/**
 * Whether reviewing pays: R < (1−p)·(d1−d0)·(L−H), with d1 the choice's detection, and H of zero where nobody would do the task otherwise.
 * @param unreviewed d0: the share of failures that come to light without a review.
 */
export function reviewPays(choice: Choice, p: number, unreviewed: number): ReviewWorth {
  const { review, person, damage, detection } = toTerms(choice);
  const failing = nano - probability("p", p);
  const found = (detection - probability("unreviewed", unreviewed)) * (damage - person);
  return {
    pays: review * nano * nano < failing * found,
    costPico: toPico(review),
    gainPico: toPico(divideHalfEven(failing * found, nano * nano)),
    belowP: found > 0n ? toRatio(found - review * nano, found) : null,
  };
}

/** Success of a chain whose steps must all succeed, each on its own: pⁿ. */
export function chain(p: number, steps: number): number {
  probability("p", p);
  return p ** whole("steps", steps);
}

/** What each of so many steps must reach for the chain to reach `p`: the n-th root. */
export function perStep(p: number, steps: number): number {
  probability("p", p);
  return p ** (1 / whole("steps", steps));
}

/** Minutes times rate, rounded once. @throws RangeError that names the field. */
export function labourPico(name: string, { minutes, hourlyPico }: Labour): Pico {
  return toPico(divideHalfEven(duration(`${name}.minutes`, minutes) * amount(`${name}.hourlyPico`, hourlyPico), 60n * nano));
}

/** `numerator / denominator` as a number, right to 10⁻¹⁵. The denominator is not zero. */
export function toRatio(numerator: bigint, denominator: bigint): number {
  const sign = denominator < 0n ? -1n : 1n;
  const scaled = divideHalfEven(sign * numerator * 10n ** 15n, sign * denominator);
  // A string is read as the nearest float; dividing a rounded float would round twice.
  return Number(`${scaled}e-15`);
}

/** Billionths of a probability. @throws RangeError that names it. */
export function probability(name: string, value: number): bigint {
  if (!(value >= 0 && value <= 1)) {
    const hint = value > 1 && value <= 100 ? "; a percentage is divided by 100" : "";
    throw new RangeError(`${name} must be a probability, from 0 to 1: ${value}${hint}`);
  }
  return BigInt(Math.round(value * 1e9));
}

/** Billionths of a minute. @throws RangeError that names it. */
export function duration(name: string, minutes: number): bigint {
  if (!(minutes >= 0 && minutes <= minutesMax)) throw new RangeError(`${name} must be minutes, from 0 to ${minutesMax}: ${minutes}`);
  return BigInt(Math.round(minutes * 1e9));
}

/** @throws RangeError for an amount below zero, by its name. */
export function amount(name: string, pico: Pico): Pico {
  if (pico < 0n) throw new RangeError(`${name} must be an amount of zero or more: ${pico} picodollars`);
  return pico;
}

/** Saved by a run, in picodollars times 10¹⁸, if it fails for sure and if it succeeds for sure: between them it is a straight line. */
function toLine(choice: Choice): { readonly at0: bigint; readonly at1: bigint } {
  const { run, review, person, value, failed } = toTerms(choice);
  const fixed = (person - run - review) * nano * nano;
  return { at0: fixed - failed * nano, at1: fixed + value * nano * nano };
}

interface Terms {
  readonly run: bigint;
  readonly review: bigint;
  readonly cleanup: bigint;
  /** H, or 0. */
  readonly person: bigint;
  /** V, or 0. */
  readonly value: bigint;
  readonly damage: bigint;
  /** In billionths. */
  readonly detection: bigint;
  /** K + d·H + (1−d)·L, in billionths of a picodollar. */
  readonly failed: bigint;
}

function toTerms(choice: Choice): Terms {
  const { against } = choice;
  const person = against.kind === "person" ? labourPico("against.labour", against.labour) : 0n;
  const value = against.kind === "nobody" ? amount("against.valuePico", against.valuePico) : 0n;
  const cleanup = labourPico("cleanup", choice.cleanup) + amount("cleanupPico", choice.cleanupPico);
  const damage = amount("damagePico", choice.damagePico) + amount("irreversiblePico", choice.irreversiblePico);
  const detection = probability("detection", choice.detection);
  return {
    run: amount("runPico", choice.runPico),
    review: labourPico("review", choice.review),
    cleanup,
    person,
    value,
    damage,
    detection,
    failed: cleanup * nano + detection * person + (nano - detection) * damage,
  };
}

function whole(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number, one or more: ${value}`);
  return value;
}
