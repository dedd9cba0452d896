// A run as rows: its tasks as a tree in the order they began, each with its calls under it. Pure; what is drawn is the page's business.
// Invariant: every task and every call of the answer is in exactly one row, whatever the parents say of each other.

import type { Call, Tree } from "./api.ts";

export type Node = Tree["nodes"][number];

export type TreeRow =
  | { readonly kind: "task"; readonly node: Node; readonly depth: number; readonly calls: readonly Call[]; readonly isFolded: boolean }
  | { readonly kind: "step"; readonly place: string; readonly step: string | null; readonly depth: number; readonly calls: readonly Call[] }
  | { readonly kind: "call"; readonly call: Call; readonly depth: number };

/** Of a run with more calls than `runShownMax`, a task with more than `taskShownMax` is folded until it is asked for. */
const runShownMax = 60;
const taskShownMax = 8;

export function placeOf(node: Node): string {
  return node.task ?? "";
}

/** @param turned tasks that are folded or unfolded against what is usual. */
export function toRows(tree: Tree, turned: ReadonlySet<string>): TreeRow[] {
  const names = new Set(tree.nodes.map(placeOf));
  const children = new Map<string, Node[]>();
  const roots: Node[] = [];
  for (const node of tree.nodes.toSorted((a, b) => a.startMs - b.startMs)) {
    const parent = node.parent ?? (placeOf(node) === tree.task.task ? null : tree.task.task);
    if (parent === null || parent === placeOf(node) || !names.has(parent)) roots.push(node);
    else children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const callsOf = new Map<string, Call[]>();
  for (const call of tree.calls) {
    const name = call.attribution.task ?? "";
    const place = names.has(name) ? name : names.has(tree.task.task) ? tree.task.task : name;
    callsOf.set(place, [...(callsOf.get(place) ?? []), call]);
  }
  const rows: TreeRow[] = [];
  const seen = new Set<string>();
  const visit = (node: Node, depth: number): void => {
    const place = placeOf(node);
    if (seen.has(place)) return;
    seen.add(place);
    const calls = callsOf.get(place) ?? [];
    const isFolded = (tree.calls.length > runShownMax && calls.length > taskShownMax) !== turned.has(place);
    rows.push({ kind: "task", node, depth, calls, isFolded });
    if (isFolded && calls.length > taskShownMax) rows.push(...toSteps(calls, place, depth + 1));
    if (!isFolded) for (const call of calls) rows.push({ kind: "call", call, depth: depth + 1 });
    for (const child of children.get(place) ?? []) visit(child, depth + 1);
  };
  for (const node of roots) visit(node, 0);
  // Parents that name each other in a circle have no root: they are shown all the same.
  for (const node of tree.nodes) visit(node, 0);
  return rows;
}

/** Many calls by their steps, in the order these came up first; nothing where there is but one. */
function toSteps(calls: readonly Call[], place: string, depth: number): TreeRow[] {
  const steps = new Map<string | null, Call[]>();
  for (const call of calls) {
    const { step } = call.attribution;
    const list = steps.get(step) ?? [];
    steps.set(step, list);
    list.push(call);
  }
  return steps.size < 2 ? [] : [...steps].map(([step, list]) => ({ kind: "step", place, step, depth, calls: list }));
}
