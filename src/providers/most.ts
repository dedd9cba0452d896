// The most that a body may mean where readers of JSON differ: a key that stands twice, of which one reader takes the first and another the
// last; a name in two spellings; a number in quotes. Not here: putting a cap in (capping.ts). Invariant: what is read here is never less than
// what any reader makes of it, and what cannot be read as a number bounds nothing.

import { type Place, valuesAt } from "./capping.ts";
import { type Prompt, unreadCount } from "./prompt.ts";
import { type Node, stringOf, wholeOf } from "./scan.ts";

/**
 * The largest cap at any of the places. null: there is none, or one that is no whole number: which of them holds is not known then.
 * @param read a value as the format reads it; a null where it stands alone is as good as absent.
 */
export function mostCap(body: Buffer, root: Node, places: readonly Place[], read = wholeOf): number | null {
  let most: number | null = null;
  for (const place of places) {
    const values = valuesAt(root, place);
    if (values.every(({ kind }) => kind === "null")) continue;
    for (const value of values) {
      const cap = read(body, value);
      if (cap === null) return null;
      most = Math.max(most ?? 0, cap);
    }
  }
  return most;
}

/** The largest number of answers that is asked for at any of the places, 1 at least; one that is no whole number makes the call unbounded. */
export function mostChoices(prompt: Prompt, places: readonly Place[]): number {
  let most = 1;
  for (const value of places.flatMap((place) => valuesAt(prompt.root, place))) {
    if (value.kind === "null") continue;
    const count = quotedOf(prompt.body, value);
    if (count === null) prompt.unbound(unreadCount);
    else most = Math.max(most, count);
  }
  return most;
}

/** A whole number, zero or more, which may stand in quotes; null for anything else. */
export function quotedOf(body: Buffer, node: Node | undefined): number | null {
  if (node?.kind !== "string") return wholeOf(body, node);
  const text = stringOf(body, node) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
