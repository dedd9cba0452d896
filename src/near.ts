// Names that somebody may have meant: those nearest by edits, and those that one begins or is part of. Not here: where names come from.

/** Longest name that is compared: the work grows with the square of it. */
const charactersMax = 100;

/** At most `most` of the names, the nearest first; none when nothing is near. */
export function nearest(name: string, names: Iterable<string>, most = 5): string[] {
  const wanted = name.toLowerCase().slice(0, charactersMax);
  const far = Math.min(Math.max(2, Math.floor(wanted.length / 4)), wanted.length - 1);
  const found: { readonly name: string; readonly edits: number }[] = [];
  for (const known of new Set(names)) {
    const other = known.toLowerCase().slice(0, charactersMax);
    // A part of a name is as near as one wrong letter, and a bit more for all that is left of it.
    const isPart = wanted.length >= 3 && other.length >= 3 && (other.includes(wanted) || wanted.includes(other));
    const gap = Math.abs(other.length - wanted.length);
    const edits = isPart ? 1 + gap / charactersMax : gap > far ? far + 1 : distance(wanted, other);
    if (edits <= far) found.push({ name: known, edits });
  }
  return found
    .toSorted((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map((one) => one.name);
}

/** How many characters must be put in, taken out or changed to make one text the other. */
export function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, character] of [...a].entries()) {
    const now = [row + 1];
    for (let column = 1; column <= b.length; column++) {
      const changed = (before[column - 1] as number) + (character === b[column - 1] ? 0 : 1);
      now.push(Math.min(changed, (before[column] as number) + 1, (now[column - 1] as number) + 1));
    }
    before = now;
  }
  return before[b.length] as number;
}
