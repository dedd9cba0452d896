// Money: whole picodollars, 10⁻¹² USD, in a bigint. All arithmetic on money is here and nowhere else.
// Not for display in a locale: that is the page's business. Invariant: nothing here is ever a float.

declare const pico: unique symbol;

/** An amount of money in picodollars (10⁻¹² USD). */
export type Pico = bigint & { readonly [pico]: true };

/** A rate as a ratio of integers: `pico` picodollars for every `per` units. */
export interface Rate {
  readonly pico: bigint;
  readonly per: bigint;
}

export const picoPerUsd = 1_000_000_000_000n;
export const zero = 0n as Pico;

export function toPico(value: bigint): Pico {
  return value as Pico;
}

export function sum(amounts: Iterable<Pico>): Pico {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total as Pico;
}

/**
 * What `quantity` units cost at `rate`, in picodollars, rounded once, half to even.
 * @throws RangeError when the quantity is not a whole number of units, zero or more.
 */
export function cost(rate: Rate, quantity: number): Pico {
  if (!Number.isSafeInteger(quantity) || quantity < 0) throw new RangeError(`quantity must be a whole number, zero or more: ${quantity}`);
  const exact = rate.pico * BigInt(quantity);
  return (rate.per === 1n ? exact : divideHalfEven(exact, rate.per)) as Pico;
}

/**
 * The most units that cost no more than `amount` at `rate`: `cost(rate, units) <= amount`, and one more would cost more.
 * @returns the largest whole number that counts exactly where the rate is 0, or so low; 0 where not even one unit is paid for.
 */
export function unitsFor(rate: Rate, amount: Pico): number {
  if (amount < 0n) return 0;
  if (rate.pico <= 0n) return Number.MAX_SAFE_INTEGER;
  // A cost of so much and a half is still rounded to it, if at all; no more than that one step is tried.
  let units = ((2n * amount + 1n) * rate.per) / (2n * rate.pico);
  if (units > BigInt(Number.MAX_SAFE_INTEGER)) units = BigInt(Number.MAX_SAFE_INTEGER);
  while (units > 0n && cost(rate, Number(units)) > amount) units -= 1n;
  return Number(units);
}

/** `numerator / denominator` to the nearest integer, ties to the even one. The denominator is above zero. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const quotient = magnitude / denominator;
  const twice = 2n * (magnitude % denominator);
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
}

/**
 * Divides `total` in proportion to `weights` by largest remainder: the parts add up to the total to the last digit.
 * Equal remainders go to the earlier part. All weights zero: equal weights. No weights: only a zero total can be divided.
 * @throws RangeError on a negative weight, or when there is nothing to give a non-zero total to.
 */
export function allocate(total: Pico, weights: readonly bigint[]): Pico[] {
  if (weights.length === 0) {
    if (total !== 0n) throw new RangeError("allocate: a non-zero total needs at least one weight");
    return [];
  }
  if (weights.some((weight) => weight < 0n)) throw new RangeError("allocate: a weight is negative");
  const given = weights.some((weight) => weight > 0n) ? weights : weights.map(() => 1n);
  const whole = given.reduce((a, b) => a + b, 0n);
  const sign = total < 0n ? -1n : 1n;
  const magnitude = total * sign;
  const parts = given.map((weight, index) => ({ index, floor: (magnitude * weight) / whole, rest: (magnitude * weight) % whole }));
  let left = magnitude - parts.reduce((a, part) => a + part.floor, 0n);
  for (const part of [...parts].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1))) {
    if (left === 0n) break;
    part.floor += 1n;
    left -= 1n;
  }
  return parts.map((part) => (sign * part.floor) as Pico);
}

/**
 * Whole units for parts that were reckoned in floating point and may be of either sign: they add up to `total` to the last digit. Each part is
 * rounded, a half towards zero; what is then missing, or too much, goes one by one to the parts that rounding took most from, or gave most
 * (equal ones: the larger, then the earlier). Where more is missing than there are parts, because floats of that size are coarser than a unit,
 * it goes in proportion to the parts' sizes. A part of zero stays zero; for `-total` and the parts negated the answer is negated. Where the parts
 * do add up to the total and are below 2⁵³, each is off by less than one, and it is what largest remainders give.
 * @throws RangeError when a part is not finite, or the parts do not add up to about the total: within a billionth of their sizes and one for each.
 */
export function apportion<Amount extends bigint>(total: Amount, parts: readonly number[]): Amount[] {
  if (!parts.every(Number.isFinite)) throw new RangeError("apportion: a part is not a finite number");
  const rounded = parts.map((part) => (part < 0 ? Math.round(part) : -Math.round(-part)));
  const whole = rounded.map(BigInt);
  const missing = whole.reduce((left: bigint, part) => left - part, total);
  const count = missing < 0n ? -missing : missing;
  const side = missing < 0n ? -1 : 1;
  const open = [...parts.keys()].filter((index) => parts[index] !== 0);
  const sizes = parts.reduce((sizes, part) => sizes + Math.abs(part), 0);
  if (Number(count) > open.length + sizes * 1e-9)
    throw new RangeError(`apportion: the parts add up to ${total - missing}, not to ${total}`);
  if (count > BigInt(open.length)) {
    const magnitudes = whole.map((part) => (part < 0n ? -part : part));
    const shares = allocate(missing as Pico, magnitudes);
    return whole.map((part, index) => (part + (shares[index] ?? 0n)) as Amount);
  }
  const at = (index: number): number => parts[index] ?? 0;
  const rest = (index: number): number => (at(index) - (rounded[index] ?? 0)) * side;
  if (count > 0n) open.sort((a, b) => rest(b) - rest(a) || Math.abs(at(b)) - Math.abs(at(a)) || a - b);
  for (const index of open.slice(0, Number(count))) whole[index] = (whole[index] ?? 0n) + BigInt(side);
  return whole as Amount[];
}

/** Picodollars as an exact decimal string of dollars without trailing zeros: `"0.000015"`, `"-2"`, `"0"`. */
export function formatUsd(amount: bigint): string {
  const negative = amount < 0n;
  const digits = (negative ? -amount : amount).toString().padStart(13, "0");
  const fraction = digits.slice(-12).replace(/0+$/, "");
  return `${negative ? "-" : ""}${digits.slice(0, -12)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** `formatUsd`, of an amount that may not be known: null stays null. */
export function toUsd(amount: bigint | null): string | null {
  return amount === null ? null : formatUsd(amount);
}

/**
 * Picodollars as dollars to so many decimals, 0 to 12, rounded half to even: for where an exact amount has no room, and never to be read back.
 * An amount that is not zero may well read `"0.00"`.
 */
export function roundUsd(amount: bigint, decimals: number): string {
  const unit = 10n ** BigInt(12 - decimals);
  const rounded = divideHalfEven(amount < 0n ? -amount : amount, unit);
  const digits = rounded.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const sign = amount < 0n && rounded > 0n ? "-" : "";
  return decimals === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-decimals)}`;
}

/** Picodollars for people: the sign, `$`, and cents, or three digits that say something where it is less than a dollar. Never to be read back. */
export function shortUsd(amount: bigint): string {
  const size = amount < 0n ? -amount : amount;
  const sign = amount < 0n ? "-" : "";
  if (size === 0n) return "$0";
  if (size >= 1_000_000_000_000n) return `${sign}$${roundUsd(size, 2).replaceAll(/\B(?=(\d{3})+\.)/g, ",")}`;
  return `${sign}$${roundUsd(size, Math.min(12, 15 - size.toString().length)).replace(/0+$/, "")}`;
}

/** As amounts are written here: the point alone is moved. */
const plain = /^(-?\d+)(?:\.(\d{1,12}))?$/;
const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * A decimal string of dollars as picodollars, exactly.
 * @throws RangeError when the text is no decimal number, or is finer than a picodollar.
 */
export function parseUsd(text: string): Pico {
  const written = plain.exec(text);
  if (written !== null) return BigInt(`${written[1]}${(written[2] ?? "").padEnd(12, "0")}`) as Pico;
  const { pico, per } = parseRate(text, 1n);
  if (per !== 1n) throw new RangeError(`amount is finer than a picodollar (12 decimals): ${text}`);
  return pico as Pico;
}

/**
 * A decimal string of dollars per `units` units as a rate in lowest terms: `parseRate("0.0833333", 1_000_000n)`.
 * @throws RangeError when the text is no decimal number.
 */
export function parseRate(text: string, units: bigint): Rate {
  const match = decimal.exec(text.trim());
  if (match === null) throw new RangeError(`not a decimal number: ${JSON.stringify(text)}`);
  const [, sign = "", whole = "0", fraction = "", exponent = "0"] = match;
  const scale = BigInt(Number(exponent)) - BigInt(fraction.length) + 12n;
  let numerator = BigInt(sign + whole + fraction);
  let denominator = units;
  if (scale >= 0n) numerator *= 10n ** scale;
  else denominator *= 10n ** -scale;
  const shared = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator);
  return { pico: numerator / shared, per: denominator / shared };
}

/**
 * A rate times a decimal number, exactly: half of a price list's rate for a discounted tier is `scaleRate(rate, "0.5")`.
 * @throws RangeError when `times` is no decimal number.
 */
export function scaleRate(rate: Rate, times: string): Rate {
  const factor = parseRate(times, 1n);
  const pico = rate.pico * factor.pico;
  const per = rate.per * factor.per * picoPerUsd;
  const shared = greatestCommonDivisor(pico < 0n ? -pico : pico, per);
  return { pico: pico / shared, per: per / shared };
}

/**
 * A rate as an exact decimal string of dollars for `units` units: `"2.5"` for 2,500,000 picodollars a token and a million units.
 * @returns null when no decimal number of at most 30 decimals is exact.
 */
export function formatRate(rate: Rate, units: bigint): string | null {
  const decimals = 30;
  const numerator = rate.pico * units * 10n ** BigInt(decimals - 12);
  if (numerator % rate.per !== 0n) return null;
  const scaled = numerator / rate.per;
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -decimals)}${fraction === "" ? "" : `.${fraction}`}`;
}

/**
 * `numerator / denominator` as decimal text to so many decimals, rounded half to even: an average, a share, an index. The denominator is above
 * zero. For reading: what was rounded is never added up.
 */
export function formatRatio(numerator: bigint, denominator: bigint, decimals: number): string {
  const scaled = divideHalfEven(numerator * 10n ** BigInt(decimals), denominator);
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, digits.length - decimals)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** A rate as decimal text for reading: exact where it ends within 30 decimals, else rounded half to even to 18. */
export function showRate(rate: Rate, units: bigint): string {
  return formatRate(rate, units) ?? formatRatio(rate.pico * units, rate.per * picoPerUsd, 18);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}
