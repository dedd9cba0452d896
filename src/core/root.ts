// Which task is at the root of what does not say so. Not here: trees of tasks that make calls (family.ts). Invariants: pure; what says its root keeps it,
// and no task is above itself.

import type { Attribution } from "./call.ts";
import { depthLimit } from "./family.ts";

type Placed = Pick<Attribution, "root" | "parent" | "task">;

/**
 * The root of what only says what it is a part of, or is known to be a part of something; a parent of which nothing is known is taken for the root.
 * @param rootOf of a task; null: nothing is known of it.
 * @returns null: it says its root, or nothing is above it.
 */
export function rootTaken({ root, parent, task }: Placed, rootOf: (task: string) => string | null): string | null {
  if (root !== null) return null;
  const known = task === null ? null : rootOf(task);
  if (known !== null && known !== task) return known;
  const above = parent === null ? null : (rootOf(parent) ?? parent);
  return above === task ? null : above;
}

/**
 * What is above a task, as far up as anything was said when tasks were begun by name.
 * @param begun what was said then; undefined: it was not begun so.
 * @returns null: nothing is above it.
 */
export function topOf(task: string, begun: (task: string) => Placed | undefined): string | null {
  let at = task;
  for (let depth = 0; depth < depthLimit; depth += 1) {
    const { root = null, parent = null } = begun(at) ?? {};
    if (root !== null) return root;
    if (parent === null) break;
    at = parent;
  }
  return at === task ? null : at;
}
