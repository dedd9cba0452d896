// One text for several values, by which things are found in a map. Invariant: no two lists of values make one text, whatever the values are.

export function keyOf(...values: readonly (string | null)[]): string {
  let key = "";
  for (const value of values) key += value === null ? "-" : part(value);
  return key;
}

/** One value of a key: its length stands before it. */
export function part(value: string): string {
  return `${value.length}:${value}`;
}
