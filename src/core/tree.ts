// The book of agents' task trees: asked before every try, told after every end, it says whether an agent may go on. Not here: money that is
// held (guard.ts), what caps mean (cap.ts), clocks, the journal. Invariants: the same calls in the same order give the same book; what was
// stopped refuses all that is below it until somebody resumes it; memory is bounded, and what was stopped is forgotten last.

import { type CapReason, judge, reachOf, type TreePolicy, wordsOf } from "./cap.ts";
import { depthOf, Family, isWithin, type Node, type Place, type Stop, type Tree } from "./family.ts";
import { type BookSnapshot, fromSnapshot, isSnapshot, toSnapshot } from "./forest.ts";
import { type Deed, look, type Talk } from "./loop.ts";
import { Recent } from "./recent.ts";

export interface TreeCall extends Place, Deed {
  readonly call: string;
  /** One that begins with `~` is a guess (gateway/identify.ts): its loops are watched, but it is no tree. */
  readonly session: string | null;
  readonly key: string | null;
  readonly agent: string | null;
  readonly type: string | null;
}

interface Known {
  /** The root of its tree; null when nothing is known of one. */
  readonly tree: string | null;
  /** The task it counts under. */
  readonly task: string | null;
}

export type TreeVerdict = Known &
  (
    | { readonly kind: "ok" }
    | { readonly kind: "warn"; readonly reasons: readonly CapReason[] }
    /** To be sent after `ms`. */
    | { readonly kind: "slow"; readonly ms: number; readonly reasons: readonly CapReason[] }
    /** `isNew`: by this call; false: it had been stopped before. `isKept`: until somebody resumes it; false: this call alone is refused. */
    | {
        readonly kind: "stop";
        readonly stop: Stop;
        readonly isNew: boolean;
        readonly isKept: boolean;
        readonly reasons: readonly CapReason[];
      }
  );

export interface TreeStanding {
  readonly root: string;
  readonly agent: string | null;
  readonly type: string | null;
  readonly tasks: number;
  readonly calls: number;
  readonly fromMs: number;
  readonly lastMs: number;
  readonly idlePico: bigint;
  /** When it last showed something new. */
  readonly progressMs: number;
  /** Stopped tasks, the first 64. */
  readonly stops: readonly Stop[];
}

/** Limits of memory, by name. */
export const treeLimits = {
  treesMax: 10_000,
  /** Tasks known of one tree. */
  treeTasksMax: 4_096,
  /** Things that the tasks of one tree were seen to do: past this, those of its oldest tasks are forgotten. */
  treeThingsMax: 8_192,
  /** Conversations without a tree, and the things seen of all of them. */
  talksMax: 10_000,
  talkThingsMax: 50_000,
  /** Tasks, results and things seen of all trees; each tree counts for four more. */
  cellsMax: 250_000,
  openMax: 100_000,
} as const;

export type TreeLimits = { readonly [name in keyof typeof treeLimits]: number };

/** The first wait of a call that is slowed; each one in a row waits twice as long. */
export const slowMsFirst = 1_000;
export const slowMsMax = 60_000;

const deathsMax = 16;
const stopsShownMax = 64;

export class TreeBook {
  readonly #limits: TreeLimits;
  readonly #family: Family;
  /** Both in the order of their last call. */
  readonly #running = new Map<string, Tree>();
  readonly #stopped = new Map<string, Tree>();
  readonly #talks = new Map<string, Talk>();
  readonly #open: Recent<string, Node>;
  #cells = 0;
  #talkThings = 0;

  constructor(limits: TreeLimits = treeLimits) {
    this.#limits = limits;
    this.#open = new Recent(limits.openMax);
    this.#family = new Family(limits.treeTasksMax, {
      planted: (tree) => this.#touch(tree),
      grown: (tree) => this.#weigh(tree),
      merged: (into, from) => this.#merge(into, from),
    });
  }

  /** Before every try. @param policies those that the call is under. */
  enter(call: TreeCall, policies: readonly TreePolicy[]): TreeVerdict {
    const placed = this.#family.place(placeOf(call), call.atMs);
    if (placed === null) return this.#enterTalk(call, policies);
    const { node, isCut } = placed;
    const { tree } = node;
    const known = { tree: tree.root.id, task: node.id };
    this.#touch(tree);
    tree.lastMs = Math.max(tree.lastMs, call.atMs);
    tree.agent ??= call.agent;
    tree.type ??= call.type;
    const before = stopOver(node);
    if (before !== null) return { kind: "stop", ...known, stop: before, isNew: false, isKept: true, reasons: [] };

    const things = sizeOf(node);
    const { requestTimes, toolTimes } = look(node, call);
    tree.things += sizeOf(node) - things;
    if (tree.things > this.#limits.treeThingsMax) trim(tree, node, this.#limits.treeThingsMax / 2);
    tree.progress.look(call.toolRounds, call.atMs);
    const reasons = judge(policies, {
      depth: node.isForgiven ? null : depthOf(node) + (isCut ? 1 : 0),
      fanOut: isCut ? node.children + 1 : node.isForgiven ? null : node.ordinal,
      taskCalls: node.calls + 1,
      calls: tree.calls + 1,
      tries: call.attempt,
      wallMs: Math.max(0, call.atMs - tree.fromMs),
      requestTimes,
      toolTimes,
      idlePico: tree.progress.idle,
    });
    const first = reasons[0];
    if (first?.answer === "stop") {
      const isKept = reachOf(first.code) !== "call" && !(isCut && (first.code === "depth" || first.code === "fan_out"));
      const stopped = reachOf(first.code) === "tree" ? tree.root : node;
      const stop = { task: stopped.id, code: first.code, why: wordsOf(first), by: call.call, atMs: call.atMs };
      if (isKept) this.#stop(stopped, stop);
      this.#evict(tree);
      return { kind: "stop", ...known, stop, isNew: true, isKept, reasons };
    }
    node.calls += 1;
    tree.calls += 1;
    this.#open.set(call.call, node);
    this.#evict(tree);
    return passed(node, known, reasons);
  }

  /** After every end. @param takenPico what the call cost, presumed or not; null: nothing was sent, and it is as if it had not been. */
  left(call: string, takenPico: bigint | null): void {
    const node = this.#open.get(call);
    if (node === undefined) return;
    this.#open.delete(call);
    if (takenPico !== null) return node.tree.progress.spend(takenPico);
    node.calls = Math.max(0, node.calls - 1);
    node.tree.calls = Math.max(0, node.tree.calls - 1);
  }

  /** Stops a task and all below it, or a tree by its root. @returns false when it is not known, or was stopped before. */
  stop(task: string, how: Omit<Stop, "task">): boolean {
    const node = this.#family.get(task);
    if (node === undefined || node.stop !== null) return false;
    this.#stop(node, { task, ...how });
    return true;
  }

  /**
   * Lets a task and all below it go on, with its caps counted from here. What stands stopped above it, still stops it.
   * @returns the stops that were taken back; empty when there were none.
   */
  resume(task: string, atMs: number): readonly Stop[] {
    const node = this.#family.get(task);
    if (node === undefined) return [];
    const { tree } = node;
    const taken: Stop[] = [];
    for (const other of tree.nodes.values()) {
      if (!isWithin(other, node)) continue;
      if (other.stop !== null) taken.push(other.stop);
      this.#forgive(other);
    }
    if (node.parent === null) {
      tree.calls = 0;
      tree.fromMs = atMs;
      tree.progress.mark(atMs);
    }
    this.#unlist(tree);
    tree.stops -= taken.length;
    this.#touch(tree);
    return taken;
  }

  /** Something came of the task: an outcome, an artefact, a mark. @returns false when it is not known. */
  progress(task: string, atMs: number): boolean {
    const node = this.#family.get(task);
    node?.tree.progress.mark(atMs);
    return node !== undefined;
  }

  /** A task was refused by something else than a cap, a budget say: its parent is told, and nothing is stopped. */
  died(task: string, how: Omit<Stop, "task">): void {
    const node = this.#family.get(task);
    if (node !== undefined) tell(node, { task, ...how });
  }

  /** The children of a task that were stopped since this was asked last: for the header of its next answer. */
  deaths(task: string): readonly Stop[] {
    const node = this.#family.get(task);
    if (node === undefined || node.deaths.length === 0) return [];
    const { deaths } = node;
    node.deaths = [];
    return deaths;
  }

  /** The task itself first, its root last; the task alone when nothing is known of it. */
  ancestors(task: string): readonly string[] {
    const chain: string[] = [];
    for (let at = this.#family.get(task) ?? null; at !== null; at = at.parent) chain.push(at.id);
    return chain.length === 0 ? [task] : chain;
  }

  /** The root of the tree that a task is in; null when it is not known. */
  rootOf(task: string): string | null {
    return this.#family.get(task)?.tree.root.id ?? null;
  }

  /** Of the tree that a task is in; null when it is not known. */
  standing(task: string): TreeStanding | null {
    const node = this.#family.get(task);
    return node === undefined ? null : standingOf(node.tree);
  }

  /** Stopped trees first, then by their last call, the latest first. */
  list(limit: number): TreeStanding[] {
    const stopped = latest(this.#stopped, limit);
    return [...stopped, ...latest(this.#running, limit - stopped.length)].map(standingOf);
  }

  get sizes(): { readonly trees: number; readonly talks: number; readonly open: number; readonly cells: number } {
    const { size: talks } = this.#talks;
    return { trees: this.#running.size + this.#stopped.size, talks, open: this.#open.size, cells: this.#cells };
  }

  /** Fit for JSON. `restore` of it makes the same book. */
  snapshot(): BookSnapshot {
    const open: [string, string][] = [];
    // A call of a tree that was forgotten counts nowhere.
    for (const [call, node] of this.#open) if (this.#family.get(node.id) === node) open.push([call, node.id]);
    return toSnapshot([...this.#running.values(), ...this.#stopped.values()], this.#talks, open);
  }

  /** @param snapshot as it came from JSON. @returns null when it is none, or of another version: the book begins anew. */
  static restore(snapshot: unknown, limits: TreeLimits = treeLimits): TreeBook | null {
    if (!isSnapshot(snapshot)) return null;
    const book = new TreeBook(limits);
    const { trees, talks } = fromSnapshot(snapshot);
    for (const tree of trees) {
      book.#family.adopt(tree);
      book.#touch(tree);
    }
    for (const [id, talk] of talks) {
      book.#talks.set(id, talk);
      book.#talkThings += sizeOf(talk);
    }
    for (const [call, task] of snapshot.open) {
      const node = book.#family.get(task);
      if (node !== undefined) book.#open.set(call, node);
    }
    book.#evict(null);
    return book;
  }

  /** Nothing is known of a tree: the conversation is watched for loops, and the request for its tries. Nothing stays stopped. */
  #enterTalk(call: TreeCall, policies: readonly TreePolicy[]): TreeVerdict {
    const known = { tree: null, task: null };
    const talk = call.session === null ? newTalk() : this.#talk(`${call.key ?? ""} ${call.session}`);
    const things = sizeOf(talk);
    const { requestTimes, toolTimes } = look(talk, call);
    if (call.session !== null) this.#talkThings += sizeOf(talk) - things;
    const reasons = judge(policies, {
      depth: null,
      fanOut: null,
      taskCalls: null,
      calls: null,
      tries: call.attempt,
      wallMs: null,
      requestTimes,
      toolTimes,
      idlePico: null,
    });
    const first = reasons[0];
    if (first?.answer !== "stop") return passed(talk, known, reasons);
    const stop = { task: call.session ?? call.request, code: first.code, why: wordsOf(first), by: call.call, atMs: call.atMs };
    return { kind: "stop", ...known, stop, isNew: true, isKept: false, reasons };
  }

  #talk(id: string): Talk {
    const talk = this.#talks.get(id) ?? newTalk();
    this.#talks.delete(id);
    this.#talks.set(id, talk);
    while (this.#talks.size > this.#limits.talksMax || (this.#talkThings > this.#limits.talkThingsMax && this.#talks.size > 1)) {
      const [oldestId, old] = this.#talks.entries().next().value as [string, Talk];
      this.#talks.delete(oldestId);
      this.#talkThings -= sizeOf(old);
    }
    return talk;
  }

  #stop(node: Node, stop: Stop): void {
    const { tree } = node;
    this.#unlist(tree);
    node.stop = stop;
    tree.stops += 1;
    this.#touch(tree);
    tell(node, stop);
  }

  #forgive(node: Node): void {
    node.tree.things -= sizeOf(node);
    node.stop = null;
    node.isForgiven = true;
    node.calls = 0;
    node.slowed = 0;
    node.trail = null;
    node.toolTrail = null;
  }

  #merge(into: Tree, from: Tree): void {
    this.#unlist(into);
    this.#unlist(from);
    into.agent ??= from.agent;
    into.type ??= from.type;
    into.calls += from.calls;
    into.fromMs = Math.min(into.fromMs, from.fromMs);
    into.lastMs = Math.max(into.lastMs, from.lastMs);
    into.progress.join(from.progress);
    into.stops += from.stops;
    into.things += from.things;
    this.#cells -= from.cells;
    this.#touch(into);
  }

  /** It is the one that was used last. */
  #touch(tree: Tree): void {
    const trees = tree.stops > 0 ? this.#stopped : this.#running;
    trees.delete(tree.root.id);
    trees.set(tree.root.id, tree);
    this.#weigh(tree);
  }

  #unlist(tree: Tree): void {
    (tree.stops > 0 ? this.#stopped : this.#running).delete(tree.root.id);
  }

  #weigh(tree: Tree): void {
    const cells = 4 + tree.nodes.size + tree.progress.size + tree.things;
    this.#cells += cells - tree.cells;
    tree.cells = cells;
  }

  /** Forgets trees until the rest fits, those first that were used least lately and are not stopped. */
  #evict(current: Tree | null): void {
    if (current !== null) this.#weigh(current);
    while (this.#running.size + this.#stopped.size > this.#limits.treesMax || this.#cells > this.#limits.cellsMax) {
      const tree = oldest(this.#running, current) ?? oldest(this.#stopped, current);
      if (tree === null) return;
      this.#unlist(tree);
      this.#family.drop(tree);
      this.#cells -= tree.cells;
    }
  }
}

/** The ladder: root, parent and task as they were said (a trace stands for a task that was not), else the session. */
function placeOf({ root, parent, task, session }: TreeCall): Place {
  if (root !== null || parent !== null || task !== null) return { root, parent, task };
  return { root: session === null || session.startsWith("~") ? null : `session:${session}`, parent: null, task: null };
}

function newTalk(): Talk {
  return { trail: null, toolTrail: null, slowed: 0 };
}

function passed(talk: Talk, known: Known, reasons: readonly CapReason[]): TreeVerdict {
  const answer = reasons[0]?.answer;
  if (answer !== "slow") {
    talk.slowed = 0;
    return answer === undefined ? { kind: "ok", ...known } : { kind: "warn", ...known, reasons };
  }
  const ms = Math.min(slowMsMax, slowMsFirst * 2 ** Math.min(talk.slowed, 30));
  talk.slowed += 1;
  return { kind: "slow", ...known, ms, reasons };
}

function sizeOf({ trail, toolTrail }: Talk): number {
  return (trail?.size ?? 0) + (toolTrail?.size ?? 0);
}

/** Forgets what the oldest tasks of a tree were seen to do, all but one, until no more than so much is left. */
function trim(tree: Tree, except: Node, most: number): void {
  for (const node of tree.nodes.values()) {
    if (tree.things <= most) return;
    if (node === except) continue;
    tree.things -= sizeOf(node);
    node.trail = null;
    node.toolTrail = null;
  }
}

/** The nearest stop: its own, or one above it. */
function stopOver(node: Node): Stop | null {
  for (let at: Node | null = node; at !== null; at = at.parent) if (at.stop !== null) return at.stop;
  return null;
}

/** The nearest task above that makes calls, and so can hear of it; else the parent. */
function tell(node: Node, stop: Stop): void {
  let hearer = node.parent;
  for (let at = hearer; at !== null; at = at.parent)
    if (at.calls > 0) {
      hearer = at;
      break;
    }
  if (hearer === null || hearer.deaths.some(({ task, code }) => task === stop.task && code === stop.code)) return;
  hearer.deaths.push(stop);
  if (hearer.deaths.length > deathsMax) hearer.deaths.shift();
}

function latest(trees: Map<string, Tree>, most: number): Tree[] {
  return most <= 0 ? [] : [...trees.values()].slice(-most).toReversed();
}

function oldest(trees: Map<string, Tree>, except: Tree | null): Tree | null {
  for (const tree of trees.values()) if (tree !== except) return tree;
  return null;
}

function standingOf(tree: Tree): TreeStanding {
  const { root, agent, type, nodes, calls, fromMs, lastMs, progress } = tree;
  const stops: Stop[] = [];
  if (tree.stops > 0) for (const { stop } of nodes.values()) if (stop !== null && stops.length < stopsShownMax) stops.push(stop);
  return {
    root: root.id,
    agent,
    type,
    tasks: nodes.size,
    calls,
    fromMs,
    lastMs,
    idlePico: progress.idle,
    progressMs: progress.atMs,
    stops,
  };
}
