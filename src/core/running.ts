// Whole numbers that change in place: a bigint is a new object at every change, and the guard changes a dozen for every call. Each is two
// cells beside each other, `high × 2⁵⁰ + low` with 0 ≤ low < 2⁵⁰, both whole numbers that a double holds exactly. Invariant: as exact as a bigint.

const lowBits = 50n;
const base = 2 ** 50;

/** So much or more, either way, has no room. */
export const runningMax = 1n << 100n;

/** A number that is added to others: split once, however many these are. */
export interface Parts {
  readonly high: number;
  readonly low: number;
}

/** @throws RangeError for what has no room: see `runningMax`. */
export function toParts(amount: bigint): Parts {
  const parts = { high: 0, low: 0 };
  splitAmount(parts, amount);
  return parts;
}

/** As `toParts`, into parts that are there. @throws RangeError for what has no room. */
export function splitAmount(parts: { high: number; low: number }, amount: bigint): void {
  const low = Number(amount);
  // Below 2⁵⁰ it is exact, and nearly all amounts are.
  if (low >= 0 && low < base) {
    parts.high = 0;
    parts.low = low;
    return;
  }
  if (amount >= runningMax || amount <= -runningMax) throw new RangeError(`a sum of ${amount} has no room: it must be below 2^100`);
  parts.high = Number(amount >> lowBits);
  parts.low = Number(BigInt.asUintN(50, amount));
}

/** Cells of one holder: those of `cells` from `at` on. */
export interface Place {
  readonly cells: Float64Array;
  readonly at: number;
}

/** Places of many holders, side by side: what a call under many budgets looks at is near in memory. A block goes when all its holders have gone. */
export class Places {
  readonly #length: number;
  readonly #count: number;
  readonly #free: Place[] = [];

  /** @param length cells of a place. @param count how many places are made at once. */
  constructor(length: number, count: number) {
    this.#length = length;
    this.#count = count;
  }

  /** All its cells are 0. */
  take(): Place {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const cells = new Float64Array(this.#length * this.#count);
    for (let at = cells.length - this.#length; at > 0; at -= this.#length) this.#free.push({ cells, at });
    return { cells, at: 0 };
  }

  /** Nobody looks at it any more. */
  give({ cells, at }: Place): void {
    cells.fill(0, at, at + this.#length);
    this.#free.push({ cells, at });
  }
}

export function clear(cells: Float64Array, at: number): void {
  cells[at] = 0;
  cells[at + 1] = 0;
}

export function readRunning(cells: Float64Array, at: number): bigint {
  const high = cells[at] as number;
  const low = BigInt(cells[at + 1] as number);
  return high === 0 ? low : (BigInt(high) << lowBits) + low;
}

export function addTo(cells: Float64Array, at: number, { high, low }: Parts): void {
  const sum = (cells[at + 1] as number) + low;
  const carry = sum >= base;
  cells[at + 1] = carry ? sum - base : sum;
  cells[at] = (cells[at] as number) + high + (carry ? 1 : 0);
}

export function takeFrom(cells: Float64Array, at: number, { high, low }: Parts): void {
  const rest = (cells[at + 1] as number) - low;
  const borrow = rest < 0;
  cells[at + 1] = borrow ? rest + base : rest;
  cells[at] = (cells[at] as number) - high - (borrow ? 1 : 0);
}

export function isBelow(cells: Float64Array, at: number, { high, low }: Parts): boolean {
  const own = cells[at] as number;
  return own < high || (own === high && (cells[at + 1] as number) < low);
}
