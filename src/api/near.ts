// Names that somebody may have meant: those nearest by edits, and those that one begins or is part of. Not here: where names come from.

/** Longest name that is compared: the work grows with the square of it. */
const charactersMax = 100;

/** At most `most` of the names, the nearest first; none when nothing is near. */
export function nearest(name: string, names: Iterable<string>, most = 5): string[] {
  const wanted = name.toLowerCase().slice(0, charactersMax);
  const far = Math.min(Math.max(2, Math.floor(wanted.length / 4)), wanted.length - 1);
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const known of new Set(names)) {
    const other = known.toLowerCase().slice(0, charactersMax);
    // A part of a name is as near as one wrong letter, and a bit more for all that is left of it.
    const isPart = wanted.length >= 3 && other.length >= 3 && (other.includes(wanted) || wanted.includes(other));
    const distance = isPart ? 1 + Math.abs(other.length - wanted.length) / charactersMax : distanceOf(wanted, other, far);
    if (distance <= far) found.push({ name: known, distance });
  }
  return found
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map((one) => one.name);
}

/** Edits from one text to the other: insert, delete, replace, or swap two neighbours. Beyond `far` it is only known to be more. */
function distanceOf(a: string, b: string, far: number): number {
  if (Math.abs(a.length - b.length) > far) return far + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [before, above] = [above, row];
  }
  return above[b.length] ?? far + 1;
}
