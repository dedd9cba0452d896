// Money in the reader's locale, from the API's decimal strings, and exact sums of them. Invariant: no amount is ever a float; what is
// rounded is rounded half to even from all digits. Only `toGeometry` gives a number, for the height of a bar.

type Decimal = `${number}`;

const digits = 12;
const one = 1_000_000_000_000n;

/** Picodollars. */
export function parse(usd: string): bigint {
  const negative = usd.startsWith("-");
  const [whole = "0", fraction = ""] = (negative ? usd.slice(1) : usd).split(".");
  const pico = BigInt(whole + fraction.padEnd(digits, "0").slice(0, digits));
  return negative ? -pico : pico;
}

export function format(pico: bigint): string {
  const text = (pico < 0n ? -pico : pico).toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  return `${pico < 0n ? "-" : ""}${text.slice(0, -digits)}${fraction === "" ? "" : `.${fraction}`}`;
}

export function add(amounts: Iterable<string>): string {
  let sum = 0n;
  for (const amount of amounts) sum += parse(amount);
  return format(sum);
}

/** How many decimals a column of these amounts is shown with, so that its dearest has about four digits that matter. */
export function decimalsFor(amounts: Iterable<string>): number {
  let most = 0n;
  for (const amount of amounts) {
    const pico = parse(amount);
    if (pico > most) most = pico;
  }
  if (most === 0n || most >= 10n * one) return 2;
  if (most >= one / 10n) return 4;
  return most >= one / 1_000n ? 6 : 8;
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(least: number, most: number): Intl.NumberFormat {
  const name = `${least} ${most}`;
  let found = formats.get(name);
  if (found === undefined) {
    found = new Intl.NumberFormat(undefined, {
      style: "currency",
      currency: "USD",
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: least,
      maximumFractionDigits: most,
      // Of ES2023, and not in TypeScript's library yet.
      ...({ roundingMode: "halfEven" } as object),
    });
    formats.set(name, found);
  }
  return found;
}

/** To so many decimals, all of them shown. What is not zero never looks like it: `<$0.01`. */
export function round(usd: string, decimals: number): string {
  const least = 10n ** BigInt(digits - decimals);
  const pico = parse(usd);
  const formatter = formatOf(decimals, decimals);
  return pico > 0n && pico * 2n <= least ? `<${formatter.format(format(least) as Decimal)}` : formatter.format(usd as Decimal);
}

/** Every digit. */
export function exact(usd: string): string {
  return formatOf(2, digits).format(usd as Decimal);
}

/** Every digit in two parts: up to the cent, and what is finer. */
export function split(usd: string): readonly [string, string] {
  const parts = formatOf(2, digits).formatToParts(usd as Decimal);
  let head = "";
  let fine = "";
  for (const { type, value } of parts) {
    if (type === "fraction") {
      head += value.slice(0, 2);
      fine += value.slice(2);
    } else if (fine === "") head += value;
    else fine += value;
  }
  return [head, fine];
}

/** For the height of a bar, and for nothing that is read. */
export function toGeometry(usd: string): number {
  return Number(usd);
}

/** By how many per cent `now` is more than `before`, to a tenth, from exact amounts; null when before was nothing. */
export function change(now: string, before: string): number | null {
  const base = parse(before);
  if (base <= 0n) return null;
  return Number(((parse(now) - base) * 1_000n) / base) / 10;
}

/** From so many per cent more on, it is said as how many times as much. */
export const timesMin = 900;

/** How many times as much so many per cent more are. Past a hundred the number says nothing. */
export function times(by: number): string {
  const factor = Math.round(by / 100) + 1;
  return factor > 100 ? "over 100 times" : `${count(factor)} times`;
}

/** The share of a whole in 0…1, for bars and per cents; what is something is never 0. */
export function share(part: string, whole: string): number {
  const [some, base] = [parse(part), parse(whole)];
  if (base <= 0n || some <= 0n) return 0;
  return Math.max(1, Number((some * 1_000_000n) / base)) / 1_000_000;
}

/** An axis label: short, in the reader's locale. */
const axis = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  currencyDisplay: "narrowSymbol",
  notation: "compact",
  minimumFractionDigits: 0,
  maximumSignificantDigits: 3,
});

export function toAxis(value: number): string {
  return axis.format(value);
}

/** What stands on a bar, from exact digits: to the cent where there is one, and short from a thousand on. */
export function short(usd: string, decimals = 2): string {
  return parse(usd) >= 1_000n * one ? axis.format(usd as Decimal) : round(usd, decimals);
}

const usdPlain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, notation: "compact" });

/** 12,345,678 as 12.3M. */
export function compact(count: number | string): string {
  return usdPlain.format(count as Decimal);
}

const whole = new Intl.NumberFormat(undefined);

export function count(number: number): string {
  return whole.format(number);
}

const percentFormat = new Intl.NumberFormat(undefined, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** To a tenth. What is not zero never looks like it: `<0.1%`. */
export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? `<${percentFormat.format(0.001)}` : percentFormat.format(share);
}
