// Task trees as JSON, and back. Not here: files. Invariant: what comes back is the same, order of use included.

import { type Node, type Stop, toNode, toTree, type Tree } from "./family.ts";
import { type Talk, Trail, type TrailSnapshot } from "./loop.ts";
import { Progress, type ProgressSnapshot } from "./progress.ts";

const version = 1;

interface TalkSnapshot {
  readonly slowed: number;
  readonly trail: TrailSnapshot | null;
  readonly toolTrail: TrailSnapshot | null;
}

interface NodeSnapshot extends TalkSnapshot {
  readonly id: string;
  readonly parent: string | null;
  readonly isSaid: boolean;
  readonly ordinal: number;
  readonly children: number;
  readonly calls: number;
  readonly isForgiven: boolean;
  readonly stop: Stop | null;
  readonly deaths: readonly Stop[];
}

interface TreeSnapshot {
  readonly agent: string | null;
  readonly type: string | null;
  readonly calls: number;
  readonly fromMs: number;
  readonly lastMs: number;
  readonly progress: ProgressSnapshot;
  readonly nodes: readonly NodeSnapshot[];
}

/** Of a `TreeBook`. Its only values are those of JSON. */
export interface BookSnapshot {
  readonly version: number;
  /** The least recently used first, stopped ones last. */
  readonly trees: readonly TreeSnapshot[];
  readonly talks: readonly (readonly [string, TalkSnapshot])[];
  /** Calls under way, and the tasks they count under. */
  readonly open: readonly (readonly [string, string])[];
}

export function toSnapshot(
  trees: readonly Tree[],
  talks: ReadonlyMap<string, Talk>,
  open: readonly (readonly [string, string])[],
): BookSnapshot {
  return { version, trees: trees.map(fromTree), talks: [...talks].map(([id, talk]) => [id, fromTalk(talk)] as const), open };
}

/** Whether it was written by `toSnapshot` of this version. It looks no deeper: the file is Pennyworth's own. */
export function isSnapshot(value: unknown): value is BookSnapshot {
  if (typeof value !== "object" || value === null) return false;
  const { version: of, trees, talks, open } = value as { readonly [name: string]: unknown };
  return of === version && Array.isArray(trees) && Array.isArray(talks) && Array.isArray(open);
}

export function fromSnapshot({ trees, talks }: BookSnapshot): { readonly trees: Tree[]; readonly talks: Map<string, Talk> } {
  return { trees: trees.map(readTree), talks: new Map(talks.map(([id, talk]) => [id, toTalk(talk)])) };
}

function fromTree({ agent, type, calls, fromMs, lastMs, progress, nodes }: Tree): TreeSnapshot {
  return { agent, type, calls, fromMs, lastMs, progress: progress.snapshot(), nodes: [...nodes.values()].map(fromNode) };
}

function fromNode(node: Node): NodeSnapshot {
  const { id, parent, isSaid, ordinal, children, calls, isForgiven, stop, deaths } = node;
  return { id, parent: parent?.id ?? null, isSaid, ordinal, children, calls, isForgiven, stop, deaths: [...deaths], ...fromTalk(node) };
}

function fromTalk({ slowed, trail, toolTrail }: Talk): TalkSnapshot {
  return { slowed, trail: trail?.snapshot() ?? null, toolTrail: toolTrail?.snapshot() ?? null };
}

function readTree(snapshot: TreeSnapshot): Tree {
  const { agent, type, calls, fromMs, lastMs } = snapshot;
  const nodes = snapshot.nodes.map((node) => ({
    ...toNode(node.id, null, node.isSaid, node.ordinal),
    ...toTalk(node),
    children: node.children,
    calls: node.calls,
    isForgiven: node.isForgiven,
    stop: node.stop,
    deaths: [...node.deaths],
  }));
  const root = nodes[snapshot.nodes.findIndex(({ parent }) => parent === null)] as Node;
  const tree: Tree = { ...toTree(root, Progress.restore(snapshot.progress), fromMs), agent, type, calls, lastMs };
  for (const node of nodes) {
    node.tree = tree;
    tree.nodes.set(node.id, node);
    if (node.stop !== null) tree.stops += 1;
    tree.things += (node.trail?.size ?? 0) + (node.toolTrail?.size ?? 0);
  }
  // A child may stand before its parent, when it was given another one.
  for (const [at, { parent }] of snapshot.nodes.entries()) if (parent !== null) (nodes[at] as Node).parent = tree.nodes.get(parent) as Node;
  return tree;
}

function toTalk({ slowed, trail, toolTrail }: TalkSnapshot): Talk {
  return {
    slowed,
    trail: trail === null ? null : Trail.restore(trail),
    toolTrail: toolTrail === null ? null : Trail.restore(toolTrail),
  };
}
