// Which input decides: each is moved alone from its low to its high, and where the verdict turns is told (a tornado). Not here: inputs that move
// together, but for the hourly rate that all labour may share. Invariant: what is saved is a straight line in every input, so that where it
// crosses zero is exact, not searched for.

import { divideHalfEven, type Pico, toPico, zero } from "../core/money.ts";
import { amount, type Choice, duration, type Labour, minutesMax, probability, savedAt, toRatio, weigh } from "./worth.ts";

export const numberInputs = ["p", "detection", "personMinutes", "reviewMinutes", "cleanupMinutes"] as const;
export const moneyInputs = [
  "runPico",
  "cleanupPico",
  "damagePico",
  /** Of all labour at once. */
  "hourlyPico",
  "personHourlyPico",
  "reviewHourlyPico",
  "cleanupHourlyPico",
  "valuePico",
] as const;

export type NumberInput = (typeof numberInputs)[number];
export type MoneyInput = (typeof moneyInputs)[number];
export type Input = NumberInput | MoneyInput;

/** How far an input may lie to either side. The end called low need not be the lower. */
export type Swing =
  | { readonly input: NumberInput; readonly low: number; readonly high: number }
  | { readonly input: MoneyInput; readonly low: Pico; readonly high: Pico };

/** One bar of the tornado. Amounts are per task, and estimates. */
export interface Bar {
  readonly input: Input;
  readonly low: number | Pico;
  readonly high: number | Pico;
  /** What the agent costs above what stands against it (E − H, or E − p·V) at either end: below zero, it is worth it. */
  readonly lowPico: Pico;
  readonly highPico: Pico;
  /** How far the two are apart. */
  readonly widthPico: Pico;
  /** Whether the agent is worth it at one end and not at the other. */
  readonly flips: boolean;
  /**
   * Where it turns: picodollars (rounded) for an amount, else a number; null: at no value that is possible, or whatever the value. May lie
   * outside the two ends.
   */
  readonly turnsAt: number | Pico | null;
}

export interface Tornado {
  /** E − H, or E − p·V, with every input as given. */
  readonly basePico: Pico;
  /** The widest first; equal ones as they were given. */
  readonly bars: readonly Bar[];
}

/** A unit of which any fraction that an input can have costs a whole number of picodollars. */
const hour = 60;
const rate = toPico(60_000_000_000n);

/** @throws RangeError that names the field, for impossible inputs, and for an input that the choice does not have. */
export function tornado(choice: Choice, p: number, swings: readonly Swing[]): Tornado {
  const bars = swings.map((swing) => toBar(choice, p, swing));
  return {
    basePico: toPico(-weigh(choice, p).savedPico),
    bars: bars.toSorted((a, b) => (a.widthPico === b.widthPico ? 0 : a.widthPico < b.widthPico ? 1 : -1)),
  };
}

/**
 * The value of one input, all else as it is, at which the agent costs what stands against it: the zero of the line through its values at nought and
 * at a unit.
 * @returns picodollars (rounded) for an amount, else a number; null: at no possible value, or whatever the value.
 */
export function turnsAt(choice: Choice, p: number, input: Input): number | Pico | null {
  const isMoney = (moneyInputs as readonly string[]).includes(input);
  const isTime = input.endsWith("Minutes");
  const unit = isMoney ? rate : isTime ? hour : 1;
  const at0 = savedWith(choice, p, input, isMoney ? zero : 0);
  const rise = savedWith(choice, p, input, unit) - at0;
  if (rise === 0n) return null;
  if (typeof unit !== "number") {
    const sign = rise < 0n ? -1n : 1n;
    const turn = divideHalfEven(sign * -at0 * unit, sign * rise);
    return turn < 0n ? null : toPico(turn);
  }
  const turn = toRatio(-at0 * BigInt(unit), rise);
  return turn < 0 || turn > (isTime ? minutesMax : 1) ? null : turn;
}

/** The choice and the probability with one input put in place of what was there. */
export function withInput(choice: Choice, p: number, input: Input, value: number | Pico): { choice: Choice; p: number } {
  if (typeof value === "number") return { choice: withNumber(choice, input, value), p: input === "p" ? value : p };
  return { choice: withMoney(choice, input, value), p };
}

function toBar(choice: Choice, p: number, swing: Swing): Bar {
  const { input, low, high } = swing;
  check(input, low);
  check(input, high);
  const cost = (value: number | Pico): Pico => {
    const moved = withInput(choice, p, input, value);
    return toPico(-weigh(moved.choice, moved.p).savedPico);
  };
  const [lowPico, highPico] = [cost(low), cost(high)];
  const isWorth = (value: number | Pico): boolean => savedWith(choice, p, input, value) > 0n;
  return {
    input,
    low,
    high,
    lowPico,
    highPico,
    widthPico: toPico(highPico > lowPico ? highPico - lowPico : lowPico - highPico),
    flips: isWorth(low) !== isWorth(high),
    turnsAt: turnsAt(choice, p, input),
  };
}

function savedWith(choice: Choice, p: number, input: Input, value: number | Pico): bigint {
  const moved = withInput(choice, p, input, value);
  return savedAt(moved.choice, moved.p);
}

function check(input: Input, value: number | Pico): void {
  if (typeof value === "bigint") amount(input, value);
  else if (input.endsWith("Minutes")) duration(input, value);
  else probability(input, value);
}

function withNumber(choice: Choice, input: Input, value: number): Choice {
  switch (input) {
    case "detection":
      return { ...choice, detection: value };
    case "personMinutes":
      return { ...choice, against: { kind: "person", labour: { ...personOf(choice, input), minutes: value } } };
    case "reviewMinutes":
      return { ...choice, review: { ...choice.review, minutes: value } };
    case "cleanupMinutes":
      return { ...choice, cleanup: { ...choice.cleanup, minutes: value } };
    case "p":
      return choice;
    default:
      throw new RangeError(`${input} is an amount and takes picodollars, not the number ${value}`);
  }
}

function withMoney(choice: Choice, input: Input, value: Pico): Choice {
  const review = { ...choice.review, hourlyPico: value };
  const cleanup = { ...choice.cleanup, hourlyPico: value };
  switch (input) {
    case "runPico":
      return { ...choice, runPico: value };
    case "cleanupPico":
      return { ...choice, cleanupPico: value };
    case "damagePico":
      return { ...choice, damagePico: value };
    case "personHourlyPico":
      return { ...choice, against: { kind: "person", labour: { ...personOf(choice, input), hourlyPico: value } } };
    case "reviewHourlyPico":
      return { ...choice, review };
    case "cleanupHourlyPico":
      return { ...choice, cleanup };
    case "hourlyPico": {
      const { against } = choice;
      const other = against.kind === "nobody" ? against : { ...against, labour: { ...against.labour, hourlyPico: value } };
      return { ...choice, against: other, review, cleanup };
    }
    case "valuePico":
      if (choice.against.kind !== "nobody") throw new RangeError("valuePico does not count where the agent stands against a person");
      return { ...choice, against: { kind: "nobody", valuePico: value } };
    default:
      throw new RangeError(`${input} is a number, not an amount of ${value} picodollars`);
  }
}

function personOf(choice: Choice, input: string): Labour {
  if (choice.against.kind !== "person") throw new RangeError(`${input} does not count where the agent stands against nobody`);
  return choice.against.labour;
}
