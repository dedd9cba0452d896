// Values as exports write them: amounts, quantities, times. Text in, exact values out; what is not understood is refused with its place.
// Invariant: no amount and no quantity passes through a floating-point number.

import { divideHalfEven, parseRate, type Pico, picoPerUsd, toPico } from "../core/money.ts";
import { failAt } from "./fail.ts";

export interface Amount {
  readonly pico: Pico;
  /** Digits after the point, as it was written. */
  readonly decimals: number;
}

/**
 * An amount, in units of 10⁻¹² of its currency; rounded half to even where it is written finer.
 * @param shift digits that the point stands too far right: 2 for cents.
 * @throws Fault.
 */
export function parseAmount(text: string, place: string, what: string, shift = 0): Amount {
  const plain = text.replace(/^\$/, "").replaceAll(/(?<=\d),(?=\d{3}(?:\D|$))/g, "");
  try {
    const { pico, per } = parseRate(plain, 10n ** BigInt(shift));
    const [digits = "", exponent = "0"] = plain.toLowerCase().split("e");
    const decimals = Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent)) + shift;
    return { pico: toPico(divideHalfEven(pico, per)), decimals };
  } catch (cause) {
    throw failAt(place, `${what} is ${JSON.stringify(text)}: expected an amount`, cause);
  }
}

/**
 * A quantity in whole units, of what is counted in thousands or millions; rounded half to even where that leaves a part of one.
 * @throws Fault for what is no number, is below zero, or is more than can be counted.
 */
export function parseQuantity(text: string, place: string, what: string, units = 1n): number {
  let quantity: number;
  try {
    const { pico, per } = parseRate(text.replaceAll(/(?<=\d),(?=\d{3}(?:\D|$))/g, ""), 1n);
    quantity = Number(divideHalfEven(pico * units, per * picoPerUsd));
  } catch (cause) {
    throw failAt(place, `${what} is ${JSON.stringify(text)}: expected a number`, cause);
  }
  if (!Number.isSafeInteger(quantity) || quantity < 0)
    throw failAt(place, `${what} is ${JSON.stringify(text)}: expected a number from 0 on`);
  return quantity;
}

/**
 * A time in ms UTC: seconds since 1970, an ISO day or time (UTC unless it says otherwise), or a day as the United States write it (`10/31/2026`).
 * @throws Fault.
 */
export function parseWhen(text: string, place: string, what: string): number {
  if (/^\d{9,10}(\.0+)?$/.test(text)) return Number(text) * 1_000;
  const american = /^(\d{1,2})\/(\d{1,2})\/(20\d{2})$/.exec(text);
  const iso = american === null ? text : `${american[3]}-${american[1]?.padStart(2, "0")}-${american[2]?.padStart(2, "0")}`;
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/.exec(iso);
  const [, day = "", clock = "00:00", zone = "Z"] = match ?? [];
  const offset = zone === "UTC" ? "Z" : zone.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2");
  const ms = match === null ? Number.NaN : Date.parse(`${day}T${clock}${offset}`);
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(ms) || !new Date(Date.parse(`${day}T00:00Z`)).toISOString().startsWith(day))
    throw failAt(place, `${what} is ${JSON.stringify(text)}: expected a day or a time`);
  return ms;
}

/** How many single units a unit of measure is: `1K`, `1M Tokens`, `1000000 Tokens`, `1,000 tokens`; null: it does not say. */
export function unitsOf(text: string | null): bigint | null {
  if (text === null) return null;
  const match = /^\s*(?:(\d[\d,]*)\s*)?(k|m|thousand|million)?\s*(?:of\s+)?(tokens?|requests?|images?|searches|calls?|units?)?\s*$/i.exec(
    text,
  );
  if (match === null || /units?/i.test(match[3] ?? "") || text.trim() === "") return null;
  const scale = { k: 1_000n, thousand: 1_000n, m: 1_000_000n, million: 1_000_000n }[(match[2] ?? "").toLowerCase()] ?? 1n;
  return BigInt((match[1] ?? "1").replaceAll(",", "")) * scale;
}
