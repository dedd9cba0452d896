// Whole numbers that change in place: a bigint is a new object at every change, and the guard changes a dozen for every call. Each is two
// cells of an array, `high × 2⁵⁰ + low` with 0 ≤ low < 2⁵⁰, both whole numbers that a double holds exactly. Invariant: as exact as a bigint.

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
  const low = Number(amount);
  // Below 2⁵⁰ it is exact, and nearly all amounts are.
  if (low >= 0 && low < base) return { high: 0, low };
  if (amount >= runningMax || amount <= -runningMax) throw new RangeError(`a sum of ${amount} has no room: it must be below 2^100`);
  return { high: Number(amount >> lowBits), low: Number(BigInt.asUintN(50, amount)) };
}

/** Numbers at 0, `count` of them: an array of doubles from the start, and smaller than a typed one. */
export function toRunning(count: number): number[] {
  return Array.from({ length: 2 * count }, () => 0.5).fill(0);
}

export function clear(cells: number[], at: number): void {
  cells[2 * at] = 0;
  cells[2 * at + 1] = 0;
}

export function readRunning(cells: readonly number[], at: number): bigint {
  const high = cells[2 * at] as number;
  const low = BigInt(cells[2 * at + 1] as number);
  return high === 0 ? low : (BigInt(high) << lowBits) + low;
}

export function addTo(cells: number[], at: number, { high, low }: Parts): void {
  const sum = (cells[2 * at + 1] as number) + low;
  const carry = sum >= base;
  cells[2 * at + 1] = carry ? sum - base : sum;
  cells[2 * at] = (cells[2 * at] as number) + high + (carry ? 1 : 0);
}

export function takeFrom(cells: number[], at: number, { high, low }: Parts): void {
  const rest = (cells[2 * at + 1] as number) - low;
  const borrow = rest < 0;
  cells[2 * at + 1] = borrow ? rest + base : rest;
  cells[2 * at] = (cells[2 * at] as number) - high - (borrow ? 1 : 0);
}

export function isBelow(cells: readonly number[], at: number, { high, low }: Parts): boolean {
  const own = cells[2 * at] as number;
  return own < high || (own === high && (cells[2 * at + 1] as number) < low);
}
