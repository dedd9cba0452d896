// Task trees: which task is whose child, as calls say it. Not here: what trees may do (cap.ts), what they did (tree.ts). Invariants: a task is
// in one tree and has one parent; what was said first stands, and only what was merely taken for granted gives way to what is said; no
// task is above itself, none is deeper than `depthLimit`.

import type { Talk } from "./loop.ts";
import { Progress } from "./progress.ts";

/** A chain of tasks longer than this is cut: what is deeper counts as its deepest known ancestor. */
export const depthLimit = 64;

/** What was stopped stays so until somebody resumes it. */
export interface Stop {
  /** The task that was stopped, with all that is below it. */
  readonly task: string;
  /** A `CapCode`, or what whoever stopped it calls it. */
  readonly code: string;
  /** Why, as a clause. */
  readonly why: string;
  /** The call that was refused first, or who stopped it. */
  readonly by: string;
  readonly atMs: number;
}

export interface Node extends Talk {
  readonly id: string;
  tree: Tree;
  parent: Node | null;
  /** Whether its place was said, and is not merely taken for granted. */
  isSaid: boolean;
  /** Which child of its parent it is, from 1; 0 for a root. */
  ordinal: number;
  /** How many children it ever had. */
  children: number;
  /** Since it began or was resumed. */
  calls: number;
  /** Somebody resumed it: that it is deep, or one child too many, is forgiven. */
  isForgiven: boolean;
  stop: Stop | null;
  /** Children that were stopped, of which it has not been told. */
  deaths: Stop[];
}

export interface Tree {
  readonly root: Node;
  readonly nodes: Map<string, Node>;
  readonly progress: Progress;
  /** Said of it first. */
  agent: string | null;
  type: string | null;
  /** Since it began or was resumed. */
  calls: number;
  fromMs: number;
  lastMs: number;
  /** Stopped tasks. */
  stops: number;
  /** Things seen that its tasks' trails hold. */
  things: number;
  /** What it holds in memory, as far as it was reckoned. */
  cells: number;
}

/** What a call says of its place. */
export interface Place {
  readonly root: string | null;
  readonly parent: string | null;
  readonly task: string | null;
}

export interface FamilyEffects {
  readonly planted: (tree: Tree) => void;
  /** It has a task more. */
  readonly grown: (tree: Tree) => void;
  /** All tasks of one tree are another's now. */
  readonly merged: (into: Tree, from: Tree) => void;
}

export class Family {
  readonly #nodes = new Map<string, Node>();
  readonly #effects: FamilyEffects;
  readonly #treeTasksMax: number;

  /** @param treeTasksMax tasks known of one tree; what comes after counts as their nearest known ancestor. */
  constructor(treeTasksMax: number, effects: FamilyEffects) {
    this.#treeTasksMax = treeTasksMax;
    this.#effects = effects;
  }

  get(id: string): Node | undefined {
    return this.#nodes.get(id);
  }

  /**
   * The task a call belongs to, made if it is new.
   * @returns null when nothing was said. `isCut`: there was no room for the task, or no depth, and the node is its nearest known ancestor.
   */
  place({ root, parent, task }: Place, atMs: number): { readonly node: Node; readonly isCut: boolean } | null {
    const id = task ?? parent ?? root;
    if (id === null) return null;
    // What is said to be a root has no parent.
    const claimed = task !== null && parent !== null && parent !== task && root !== task ? parent : null;
    const known = this.#nodes.get(id);
    if (known !== undefined) {
      this.#settle(known, claimed, root, atMs);
      return { node: known, isCut: false };
    }
    const above = claimed ?? (root === id ? null : root);
    if (above === null) return { node: this.#root(id, root === id, atMs), isCut: false };
    const under = this.#ensure(above, root, atMs);
    if (!this.#hasRoom(under)) return { node: under, isCut: true };
    return { node: this.#child(id, under, claimed !== null), isCut: false };
  }

  /** The tasks of a tree are forgotten. */
  drop(tree: Tree): void {
    for (const id of tree.nodes.keys()) this.#nodes.delete(id);
  }

  /** Takes a tree in whose nodes are already linked. */
  adopt(tree: Tree): void {
    for (const [id, node] of tree.nodes) this.#nodes.set(id, node);
  }

  #ensure(id: string, root: string | null, atMs: number): Node {
    const known = this.#nodes.get(id);
    if (known !== undefined) {
      this.#settle(known, null, root, atMs);
      return known;
    }
    if (root === null || root === id) return this.#root(id, root === id, atMs);
    const under = this.#ensure(root, root, atMs);
    return this.#hasRoom(under) ? this.#child(id, under, false) : under;
  }

  /** Of what was taken for granted so far, what is said now: the root of its tree, and then its parent. */
  #settle(node: Node, parent: string | null, root: string | null, atMs: number): void {
    const top = node.tree.root;
    if (root === top.id) top.isSaid = true;
    else if (root !== null && !top.isSaid && this.#nodes.get(root)?.tree !== node.tree)
      this.#move(top, this.#ensure(root, root, atMs), false);
    if (parent === null || node.isSaid) return;
    // A parent that nobody knows yet is in the tree that its child is said to be in; of two roots the first stands.
    const { root: own } = node.tree;
    this.#move(node, this.#ensure(parent, own.isSaid ? own.id : root, atMs), true);
  }

  /** Under another parent, if that makes no circle, no chain too long, and contradicts no root that was said; else it stays, for good. */
  #move(node: Node, under: Node, isSaid: boolean): void {
    if (node.parent === under) {
      node.isSaid ||= isSaid;
      return;
    }
    const from = node.tree;
    const into = under.tree;
    const isFree = from === into || node.parent === null;
    const fits = from === into || into.nodes.size + from.nodes.size <= this.#treeTasksMax;
    // What cannot be is not tried again with every call.
    node.isSaid = true;
    if (!isFree || !fits || isWithin(under, node) || depthOf(under) + 1 + heightOf(node) > depthLimit) return;
    node.isSaid = isSaid;
    if (node.parent !== null) node.parent.children -= 1;
    node.parent = under;
    under.children += 1;
    node.ordinal = under.children;
    if (from === into) return;
    for (const moved of from.nodes.values()) {
      moved.tree = into;
      into.nodes.set(moved.id, moved);
    }
    this.#effects.merged(into, from);
  }

  #root(id: string, isSaid: boolean, atMs: number): Node {
    const node = toNode(id, null, isSaid, 0);
    node.tree = toTree(node, new Progress(atMs), atMs);
    node.tree.nodes.set(id, node);
    this.#nodes.set(id, node);
    this.#effects.planted(node.tree);
    return node;
  }

  #child(id: string, under: Node, isSaid: boolean): Node {
    under.children += 1;
    const node = toNode(id, under, isSaid, under.children);
    node.tree = under.tree;
    node.tree.nodes.set(id, node);
    this.#nodes.set(id, node);
    this.#effects.grown(node.tree);
    return node;
  }

  #hasRoom(under: Node): boolean {
    return under.tree.nodes.size < this.#treeTasksMax && depthOf(under) < depthLimit;
  }
}

/** A value of the header `x-pennyworth-child-stopped`: the task, percent-encoded, and the code. */
export function toDeath({ task, code }: Stop): string {
  return `${encodeURIComponent(task.replace(/\p{Surrogate}/gu, "\uFFFD"))}; ${code}`;
}

/** A node that is in no tree yet. */
export function toNode(id: string, parent: Node | null, isSaid: boolean, ordinal: number): Node {
  return {
    id,
    tree: undefined as never,
    parent,
    isSaid,
    ordinal,
    children: 0,
    calls: 0,
    isForgiven: false,
    stop: null,
    deaths: [],
    trail: null,
    toolTrail: null,
    slowed: 0,
  };
}

/** A tree whose nodes are still to be set. */
export function toTree(root: Node, progress: Progress, atMs: number): Tree {
  return { root, nodes: new Map(), progress, agent: null, type: null, calls: 0, fromMs: atMs, lastMs: atMs, stops: 0, things: 0, cells: 0 };
}

/** 0 for the root. */
export function depthOf(node: Node): number {
  let depth = 0;
  for (let at = node.parent; at !== null; at = at.parent) depth += 1;
  return depth;
}

/** Whether it is the other one or below it. */
export function isWithin(node: Node, other: Node): boolean {
  for (let at: Node | null = node; at !== null; at = at.parent) if (at === other) return true;
  return false;
}

/** Levels below a node. */
function heightOf(node: Node): number {
  if (node.children === 0) return 0;
  const own = depthOf(node);
  let height = 0;
  for (const other of node.tree.nodes.values()) if (isWithin(other, node)) height = Math.max(height, depthOf(other) - own);
  return height;
}
