// Limits as people write them, and back: "$500 per month", "2M tokens per day", "$5 per rolling 24h", "20 at once". Not here: the other terms
// of a budget (settings.ts). Invariant: amounts are exact, and what is written of a limit reads as the same limit.

import { type CalendarUnit, calendarUnits, type Measure, type Period } from "../core/budget.ts";
import { formatUsd, parseRate } from "../core/money.ts";
import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import { nearest } from "../near.ts";

export interface Limit {
  readonly measure: Measure;
  readonly limit: bigint;
  readonly period: Period;
}

type Kind = "budget" | "rate";

/** Of a calendar, everything that is left is carried over: more than any limit may be. */
export const carryAll = 10n ** 24n;

/** Most of each measure: above it is a slip of the keyboard. Picodollars (a billion dollars), tokens, calls. */
const amountsMax: Readonly<Record<Measure, bigint>> = { money: 10n ** 21n, tokens: 10n ** 15n, calls: 10n ** 15n, open: 1_000_000n };
const secondMs = 1_000;
const rollingMsMax = 366 * dayMs;
const forms = {
  budget: "$500 per month, 2M tokens per day, 1000 calls per week, $5 per rolling 24h, or $20 (for ever)",
  rate: "60 calls per minute, 200k tokens per 10s, $1 per hour, or 20 at once",
} as const;

/**
 * @param zone of calendar windows; null: UTC.
 * @throws RangeError with what is wrong, and what is allowed.
 */
export function parseLimit(text: string, kind: Kind, zone: string | null = null): Limit {
  const [, amount = "", window = null] = /^(.*?)(?:\s*(?:\bper\b|\/)\s*(.*))?$/s.exec(text.trim()) ?? [];
  if (amount === "") throw new RangeError(`${quote(text)} has no amount; expected, for example: ${forms[kind]}`);
  const isForEver = /\sfor ever$/i.test(amount);
  const { measure, value } = readAmount(amount.replace(/\sfor ever$/i, ""), null, forms[kind]);
  const limit = inMeasure(value, measure);
  if (limit === 0n) throw new RangeError("0 allows nothing: to stop everything below a node, halt it (pennyworth budgets halt)");
  const period = toPeriod(kind, measure, isForEver, window, zone);
  return { measure, limit, period };
}

function toPeriod(kind: Kind, measure: Measure, isForEver: boolean, window: string | null, zone: string | null): Period {
  if (measure === "open") {
    if (kind === "budget") throw new RangeError("calls at once are no allowance that is used up: put this limit under rates");
    if (window !== null || isForEver) throw new RangeError("calls at once have no window: write, for example, 20 at once");
    return { kind: "total" };
  }
  if (window === null) {
    if (kind === "rate") throw new RangeError(`a rate says in which time; expected, for example: ${forms.rate}`);
    return { kind: "total" };
  }
  if (isForEver) throw new RangeError("a limit is either for ever, or per some time");
  return kind === "rate" ? toRate(window) : toWindow(window, zone);
}

/** A rate counts the time that has just passed: no calendar lets through twice as much at its turn. */
function toRate(window: string): Period {
  const lengthMs = parseDuration(window.replace(/^rolling\b\s*/i, ""));
  if (lengthMs < secondMs || lengthMs > dayMs)
    throw new RangeError("a rate is per second to day; for longer, and for months, define a budget");
  return rolling(lengthMs);
}

function toWindow(window: string, zone: string | null): Period {
  const [, length = null] = /^rolling\b\s*(.*)$/i.exec(window) ?? [];
  if (length !== null) {
    if (/^(\d+\s*)?(month|quarter|year)s?$/i.test(length))
      throw new RangeError(`a rolling window has a fixed length, and a ${length} has not: write, for example, rolling 30d`);
    const lengthMs = parseDuration(length);
    if (lengthMs < minuteMs || lengthMs > rollingMsMax) throw new RangeError("a rolling window is of a minute to 366 days");
    return rolling(lengthMs);
  }
  const unit = window.toLowerCase();
  if (unit === "second") throw new RangeError("a budget's windows are of a minute or longer: put limits per second under rates");
  if ((calendarUnits as readonly string[]).includes(unit)) return { kind: "calendar", unit: unit as CalendarUnit, zone: zone ?? "UTC" };
  if (/^\d/.test(window)) throw new RangeError(`per ${window} is of no calendar: write per rolling ${window}, or per ${budgetUnits}`);
  throw new RangeError(
    `per ${quote(window)} is not understood${near(unit, calendarUnits)}; expected per ${budgetUnits}, or per rolling 24h`,
  );
}

const budgetUnits = "minute, hour, day, week, month, quarter or year";

/** In 60 parts, or 50 where these are no whole milliseconds: what counts is at most 2 % longer than the window. */
function rolling(lengthMs: number): Period {
  const buckets = lengthMs % 60 === 0 ? 60 : 50;
  return { kind: "rolling", bucketMs: lengthMs / buckets, buckets };
}

/**
 * An amount of a measure that is known: `$100`, `20k tokens`, `500 calls`; of what is no money the name may be left out.
 * @param signed whether it may be below zero.
 * @throws RangeError.
 */
export function parseAmount(text: string, measure: Measure, signed = false): bigint {
  const [, sign = "", rest = ""] = /^([-−]?)(.*)$/s.exec(text.trim()) ?? [];
  if (sign !== "" && !signed) throw new RangeError(`${quote(text)} is below zero`);
  const read = readAmount(rest, measure, examples[measure]);
  if (read.measure !== measure) throw new RangeError(`${quote(text)} is in ${names[read.measure]}, and this is in ${names[measure]}`);
  const amount = inMeasure(read.value, measure);
  if (amount === 0n) throw new RangeError(`${quote(text)} is nothing`);
  return sign === "" ? amount : -amount;
}

const names: Readonly<Record<Measure, string>> = { money: "dollars", tokens: "tokens", calls: "calls", open: "calls at once" };
const examples: Readonly<Record<Measure, string>> = { money: "$100", tokens: "20k tokens", calls: "500 calls", open: "20 at once" };
const powers: Readonly<Record<string, string>> = { k: "e3", K: "e3", M: "e6", B: "e9" };
const units: Readonly<Record<string, Measure>> = {
  $: "money",
  usd: "money",
  dollar: "money",
  dollars: "money",
  token: "tokens",
  tokens: "tokens",
  call: "calls",
  calls: "calls",
  "at once": "open",
  "calls at once": "open",
};

/** `value` is decimal text, with an exponent perhaps. `usual`: the measure where none is said; null: it has to be. */
function readAmount(text: string, usual: Measure | null, expected: string): { readonly measure: Measure; readonly value: string } {
  if (/[€£¥]|\b(eur|gbp|jpy|cny)\b/i.test(text)) throw new RangeError(`${quote(text)}: amounts are US dollars`);
  const match = /^([-−]?)(\$?)\s*([\d,_]*\.?\d+)\s*(?:([kKMB])(?![a-z]))?\s*(.*)$/s.exec(text.trim());
  if (match === null) throw new RangeError(`${quote(text)} does not begin with an amount; expected, for example: ${expected}`);
  const [, sign, dollar = "", number = "", power = "", word = ""] = match;
  if (sign !== "") throw new RangeError(`${quote(text)} is below zero`);
  if (/[,_]/.test(number) && !/^\d{1,3}([,_]\d{3})+(\.\d+)?$/.test(number))
    throw new RangeError(`${quote(number)} is no number: commas part thousands, and a point parts decimals`);
  const unit = (dollar === "" ? word : word === "" ? "$" : `$ ${word}`).toLowerCase().replaceAll(/\s+/g, " ");
  const measure = unit === "" ? usual : (units[unit] ?? null);
  if (measure === null && unit === "") throw new RangeError(`${quote(text)} does not say of what; expected, for example: ${expected}`);
  if (measure === null)
    throw new RangeError(`${quote(text)} is not understood${near(word, Object.keys(units))}; expected, for example: ${expected}`);
  return { measure, value: number.replaceAll(/[,_]/g, "").replace(/^\./, "0.") + (powers[power] ?? "") };
}

/** Whole, and not out of all reason. */
function inMeasure(value: string, measure: Measure): bigint {
  const rate = parseRate(value, 1n);
  const [amount, per] = measure === "money" ? [rate.pico, rate.per] : toWhole(rate);
  if (per !== 1n) throw new RangeError(measure === "money" ? `$${value} has more than twelve decimals` : `${value} is no whole number`);
  if (amount > amountsMax[measure]) throw new RangeError(`${value} is more than ${formatAmount(amountsMax[measure], measure)}`);
  return amount;
}

/** What was read as dollars, as whole units: a picodollar is the 10¹²th part of one. */
function toWhole({ pico, per }: { readonly pico: bigint; readonly per: bigint }): readonly [bigint, bigint] {
  const whole = pico / 10n ** 12n;
  return per === 1n && whole * 10n ** 12n === pico ? [whole, 1n] : [pico, 0n];
}

const lengths: Readonly<Record<string, number>> = {
  ms: 1,
  s: secondMs,
  second: secondMs,
  m: minuteMs,
  min: minuteMs,
  minute: minuteMs,
  h: hourMs,
  hour: hourMs,
  d: dayMs,
  day: dayMs,
  w: 7 * dayMs,
  week: 7 * dayMs,
};

/** How long: `30s`, `5 minutes`, `24h`, `day`. In ms. @throws RangeError. */
export function parseDuration(text: string): number {
  const [, number = "", word = ""] = /^(\d{0,9})\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const name = word.toLowerCase();
  const unit = lengths[name] ?? lengths[name.replace(/s$/, "")];
  if (unit === undefined || (number === "" && name.length < 3))
    throw new RangeError(
      `${quote(text)} is no length of time${near(name, Object.keys(lengths))}; expected, for example, 30s, 5m, 24h or 7d`,
    );
  const lengthMs = (number === "" ? 1 : Number(number)) * unit;
  if (lengthMs === 0) throw new RangeError(`${quote(text)} is no time at all`);
  return lengthMs;
}

/** As `parseDuration` reads it, in the largest unit that is exact; two days and more as days. */
export function formatDuration(ms: number): string {
  if (ms % dayMs === 0 && ms > dayMs) return `${ms / dayMs}d`;
  if (ms % hourMs === 0) return `${ms / hourMs}h`;
  if (ms % minuteMs === 0) return `${ms / minuteMs}m`;
  return ms % secondMs === 0 ? `${ms / secondMs}s` : `${ms}ms`;
}

/** A whole number of per cents: `80%`. @throws RangeError. */
export function parsePercent(text: string, max: number): number {
  const [, number] = /^(\d{1,4})\s*%$/.exec(text.trim()) ?? [];
  const percent = Number(number);
  if (number === undefined || percent < 1 || percent > max)
    throw new RangeError(`${quote(text)} is no percentage from 1% to ${max}%, in whole numbers`);
  return percent;
}

/** As `parseLimit` reads it. */
export function formatLimit({ measure, limit, period }: Limit, kind: Kind): string {
  return `${formatAmount(limit, measure)}${formatPeriod(period, kind)}`;
}

function formatPeriod(period: Period, kind: Kind): string {
  if (period.kind === "total") return "";
  if (period.kind === "calendar") return ` per ${period.unit}`;
  const lengthMs = period.bucketMs * period.buckets;
  if (kind === "budget") return ` per rolling ${formatDuration(lengthMs)}`;
  const named = ["second", "minute", "hour", "day"].find((unit) => lengths[unit] === lengthMs);
  return ` per ${named ?? formatDuration(lengthMs)}`;
}

/** For people: `$1,200.5`, `2M tokens`, `1,500 calls`, `-20 calls`, `20 at once`. `parseAmount` reads it. */
export function formatAmount(amount: bigint, measure: Measure): string {
  const sign = amount < 0n ? "-" : "";
  const magnitude = amount < 0n ? -amount : amount;
  if (measure === "money") {
    const [whole = "", ...fraction] = formatUsd(magnitude).split(".");
    return `${sign}$${[grouped(whole), ...fraction].join(".")}`;
  }
  const short =
    magnitude > 0n && magnitude % 1_000_000n === 0n ? `${grouped(String(magnitude / 1_000_000n))}M` : grouped(String(magnitude));
  if (measure === "open") return `${sign}${short} at once`;
  return `${sign}${short} ${magnitude === 1n ? measure.slice(0, -1) : measure}`;
}

function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** ` (near it: …)`, or nothing. */
export function near(word: string, known: Iterable<string>): string {
  const found = nearest(word, known, 3);
  return found.length === 0 ? "" : ` (near it: ${found.join(", ")})`;
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
