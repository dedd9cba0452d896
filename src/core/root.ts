// Which task is at the root of what does not say so. Not here: trees of tasks that make calls (family.ts). Invariants: pure; what says its root keeps it,
// no task is above itself, and all tasks of a circle have one root.

import type { Attribution } from "./call.ts";

type Placed = Pick<Attribution, "root" | "parent" | "task">;

/** What tells nothing of a task says null. */
type RootOf = (task: string) => string | null;

/** Levels that are looked through. */
const levelsMax = 4_096;

/**
 * The root of what only says what it is a part of, or is known to be a part of something; a parent of which nothing is known is taken for the root.
 * @returns null: it says its root, or nothing is above it.
 */
export function rootTaken({ root, parent, task }: Placed, rootOf: RootOf): string | null {
  if (root !== null) return null;
  const known = task === null ? null : rootOf(task);
  const found = known ?? (parent === null ? null : (rootOf(parent) ?? parent));
  return found === task ? null : found;
}

/**
 * What is above a task, as far up as anything was said when tasks were begun by name; of a circle the first by name.
 * @param begun what was said then; undefined: it was not begun so.
 * @returns null: nothing is above it.
 */
export function topOf(task: string, begun: (task: string) => Placed | undefined): string | null {
  const passed: string[] = [];
  for (let at = task; passed.length < levelsMax;) {
    const { root = null, parent = null } = begun(at) ?? {};
    const above = root ?? parent;
    if (above === null || above === at) return at === task ? null : at;
    if (root !== null) return root;
    passed.push(at);
    const circle = passed.indexOf(above);
    if (circle >= 0) return passed.slice(circle).reduce((first, one) => (one < first ? one : first));
    at = above;
  }
  return null;
}

/** The root of a task by what was said when tasks were begun, and above that by what is `known` of calls; null: nothing is known of it. */
export function rootFrom(task: string, begun: (task: string) => Placed | undefined, known: RootOf): string | null {
  const top = topOf(task, begun);
  return known(top ?? task) ?? top;
}
