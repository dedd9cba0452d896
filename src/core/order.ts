// What stands before what in a sorted list. Not here: what is sorted, or what it is sorted by. Invariant: by exact value and by code units,
// never by locale, so that every machine has one order.

/** Below 0 when `a` comes first. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Below 0 when `a` is the lesser. */
export function compareWhole(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
