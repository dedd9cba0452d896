// Numbers of the page "Worth it?" as people read them: probabilities, minutes, hours, and the names of inputs. Not here: money in columns (usd.tsx).

import { exact, parse, round } from "../money.ts";
import type { Bar, Class } from "../worth.ts";

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const few = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** To a tenth of a per cent, or finer where that would be none, all, or another number that it is not. */
export function shareText(share: number, other?: number): string {
  for (let digits = 1; ; digits += 1) {
    const write = (value: number): string =>
      new Intl.NumberFormat(undefined, { style: "percent", minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
    const text = write(share);
    const isEnd = (share > 0 && text === write(0)) || (share < 1 && text === write(1));
    const isSame = other !== undefined && other !== share && text === write(other);
    if (digits >= 6 || (!isEnd && !isSame)) return text;
  }
}

export function minutesText(minutes: number): string {
  return minutes >= 120 ? `${few.format(minutes / 60)} h` : `${number.format(minutes)} min`;
}

export function hoursText(hours: number): string {
  if (hours < 0) return `−${hoursText(-hours)}`;
  return hours < 1 ? `${number.format(hours * 60)} min` : `${few.format(hours)} h`;
}

/** Dollars with the digits that matter. */
export function dollarsText(usd: string): string {
  const pico = parse(usd);
  const size = pico < 0n ? -pico : pico;
  const amount = usd.startsWith("-") ? usd.slice(1) : usd;
  const text =
    size >= 1_000_000_000_000n || size === 0n ? round(amount, size === 0n ? 0 : 2) : amount.length <= 8 ? exact(amount) : round(amount, 4);
  return usd.startsWith("-") ? `−${text}` : text;
}

export const inputNames: Readonly<Record<string, string>> = {
  success: "Success",
  detection: "Failures that are found",
  minutes: "Time of a person",
  reviewMinutes: "Time to check",
  cleanupMinutes: "Time to clean up",
  cost: "Cost of a run",
  cleanup: "Other cost of a failure",
  damage: "Damage",
  rate: "An hour of labour",
  personRate: "An hour of the person",
  reviewRate: "An hour of checking",
  cleanupRate: "An hour of cleaning up",
  value: "Value",
};

export function valueText(unit: Bar["unit"], value: number | string): string {
  if (unit === "share") return shareText(Number(value));
  if (unit === "minutes") return minutesText(Number(value));
  return dollarsText(String(value));
}

export const classNames: Readonly<Record<Class, readonly [name: string, why: string]>> = {
  sweet: ["Sweet spot", "Worth it, and still with twice the checking or twice the damage."],
  review: ["Checking eats it", "Worth it, but not if checking took twice as long."],
  risky: ["Damage hangs over it", "Worth it, but not with twice the damage."],
  person: ["For a person", "The agent saves nothing."],
};
