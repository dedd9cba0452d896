// Where a chart says things directly: which bars carry their value, and where the names of lines stand beside their ends. Pure geometry.
// Invariant: no label lies over another.

/** A value on a bar needs so much room, pixels. */
const valueWidth = 52;

/** Between two names at lines' ends, pixels. */
const nameHeight = 16;

export interface Placed {
  readonly index: number;
  readonly top: number;
}

/** Where the names of lines stand beside their ends: none over another, and none outside. */
export function placeNames(
  lines: readonly { readonly heights: readonly (number | null)[] }[],
  toPixel: (value: number) => number,
  height: number,
): Placed[] {
  const ends = lines.flatMap(({ heights }, index) => {
    const last = heights.findLast((value) => value !== null);
    return last === null || last === undefined ? [] : [{ index, top: toPixel(last) - nameHeight / 2 }];
  });
  const placed = ends.toSorted((a, b) => a.top - b.top || a.index - b.index);
  let least = 0;
  for (const name of placed) {
    name.top = Math.max(name.top, least);
    least = name.top + nameHeight;
  }
  let most = height - nameHeight * 2;
  for (const name of placed.toReversed()) {
    name.top = Math.min(name.top, most);
    most = name.top - nameHeight;
  }
  return placed;
}

/** Which bars carry their value: all where there is room, else the highest and the last. */
export function pickLabels(totals: readonly string[], heights: readonly number[], width: number): ReadonlySet<number> {
  const found = [...totals.keys()].filter((index) => (heights[index] ?? 0) > 0);
  const slot = width / Math.max(1, totals.length);
  if (slot >= valueWidth) return new Set(found);
  const highest = found.reduce((best, index) => ((heights[index] ?? 0) > (heights[best] ?? 0) ? index : best), found[0] ?? 0);
  const last = found.at(-1) ?? highest;
  // No value stands on a neighbour that is higher.
  const reach = Math.ceil(valueWidth / 2 / slot);
  const isFree = heights.every((height, at) => Math.abs(at - last) > reach || height <= (heights[last] ?? 0));
  return new Set(isFree && (last - highest) * slot >= valueWidth ? [highest, last] : [highest]);
}
