// Those who wait at one rate, and whose turn it is: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) of classes, and of flows in
// a class, by what their calls take. Not here: whether a call fits (the guard's book says so), time. Invariants: in a flow the first to come is
// the first to go; of two flows of a class that wait, neither gets more than the other by more than four of the largest calls.

import { Line } from "./line.ts";
import type { Shares } from "./shares.ts";

/** What a call says of itself to the queue. */
export interface Claim {
  /** Who is to be treated fairly: a key, an agent, a customer. Flows have one name at all gates. */
  readonly flow: string;
  /** Its class, a whole number; 0 goes first. While both wait, a class gets eight times what the next one gets: none starves. */
  readonly priority: number;
  /** Names of all rates that the call is under: what it takes may be short at any of them. */
  readonly gates: readonly string[];
  /** What it takes there, in that rate's measure: its hold. */
  readonly takes: (gate: string) => bigint;
  /** By gate, the value of the field that the gate's guaranteed shares are of. */
  readonly values?: ReadonlyMap<string, string>;
}

/** A call that waits, at one gate at a time. */
export interface Waiter {
  readonly claim: Claim;
  /** In the order of arrival. */
  readonly order: number;
  /** What it takes at the gate where it waits. */
  size: bigint;
  /** Its flow's start at gates it waited at before: a call that had to go on to another gate comes back to its old turn. */
  readonly starts: Map<string, bigint>;
  flow: Flow | null;
  before: Waiter | null;
  after: Waiter | null;
}

/** Of one class and one share at one gate. A flow that has nobody waiting is remembered while it is ahead of its class. */
interface Flow {
  readonly name: string;
  readonly group: Group;
  /** Of the next call. Virtual time: what every flow of the class that had something to send has taken. */
  start: bigint;
  finish: bigint;
  head: Waiter | null;
  tail: Waiter | null;
  waiting: number;
}

interface Class {
  readonly priority: number;
  readonly factor: bigint;
  start: bigint;
  finish: bigint;
  /** The virtual time of its flows. */
  at: bigint;
  waiting: number;
}

/** Flows of one class with one guaranteed share, or with none. */
interface Group {
  readonly class: Class;
  readonly value: string | null;
  readonly flows: Map<string, Flow>;
  /** Those in which somebody waits. */
  readonly line: Line<Flow>;
  sweepAt: number;
}

interface Turn {
  /** What the value has of what is guaranteed to it; null: nothing is due to it. */
  readonly filled: number | null;
  readonly class: { readonly priority: number; readonly factor: bigint; readonly start: bigint };
  readonly start: bigint;
  readonly order: number;
}

/** Lower classes are one. */
export const prioritiesMax = 8;
const classFactor = 8n;
/** Flows of one group that are remembered though nobody of theirs waits. */
export const flowsMax = 10_000;

export class Gate {
  readonly id: string;
  readonly order: number;
  /** What takes as much as this, or more, does not fit, until somebody says that there is more room. null: not known. */
  below: bigint | null = null;
  /** When its room next grows by itself. */
  wakeMs = Infinity;
  waiting = 0;
  readonly #shares: Shares;
  readonly #classes = new Map<number, Class>();
  readonly #groups = new Map<string, Group>();
  /** The virtual time of its classes. */
  #at = 0n;

  constructor(id: string, order: number, shares: Shares) {
    this.id = id;
    this.order = order;
    this.#shares = shares;
  }

  add(waiter: Waiter): void {
    const { claim } = waiter;
    const flow = this.#flow(claim);
    const { group } = flow;
    if (flow.head !== null) group.line.remove(flow);
    waiter.size = claim.takes(this.id);
    if (flow.head === null) {
      const left = waiter.starts.get(this.id);
      const now = later(group.class.at, flow.finish);
      flow.start = left !== undefined && left < now && left >= flow.finish ? left : now;
    }
    link(flow, waiter);
    group.line.add(flow);
    const { class: own } = group;
    if (own.waiting === 0) own.start = later(this.#at, own.finish);
    own.waiting += 1;
    this.waiting += 1;
  }

  remove(waiter: Waiter): void {
    const { flow } = waiter;
    if (flow === null) return;
    const { group } = flow;
    group.line.remove(flow);
    if (flow.head === waiter) waiter.starts.set(this.id, flow.start);
    unlink(flow, waiter);
    if (flow.head !== null) group.line.add(flow);
    else sweep(group);
    group.class.waiting -= 1;
    this.waiting -= 1;
  }

  /** The call was admitted, whether it waited here or not: it counts for its flow and its class. A call that waits here is taken out after. */
  charge(claim: Claim): void {
    const flow = this.#flow(claim);
    const { group } = flow;
    const { class: own } = group;
    const taken = atLeastOne(claim.takes(this.id));
    const classStart = own.waiting > 0 ? own.start : later(this.#at, own.finish);
    own.finish = classStart + taken * own.factor;
    this.#at = later(this.#at, classStart);
    if (own.waiting > 0) own.start = own.finish;
    const start = flow.head !== null ? flow.start : later(own.at, flow.finish);
    flow.finish = start + taken;
    own.at = later(own.at, start);
    if (flow.head === null) return sweep(group);
    group.line.remove(flow);
    flow.start = flow.finish;
    group.line.add(flow);
  }

  /**
   * Who is to be tried next; null: nobody whom what is known of the room allows.
   * A call that does not fit is passed by calls that do, as long as their flows (and classes) are not ahead of it by more than it takes itself.
   * After that the gate is kept for it, and so its turn comes.
   */
  next(): Waiter | null {
    const first = this.#best(null, null);
    const { below } = this;
    if (first === null || below === null || sizeOf(first) < below) return first?.head ?? null;
    return this.#best(below, first)?.head ?? null;
  }

  /** Whether somebody waits whose turn is before that of a call that comes now. */
  isBusyFor(claim: Claim): boolean {
    const first = this.#best(null, null);
    if (first === null) return false;
    const value = this.#valueOf(claim);
    const priority = priorityOf(claim);
    const group = this.#groups.get(groupKey(priority, value));
    const flow = group?.flows.get(claim.flow);
    const own = this.#classes.get(priority);
    const start = own === undefined ? this.#at : own.waiting > 0 ? own.start : later(this.#at, own.finish);
    const turn: Turn = {
      filled: value === null ? null : this.#shares.filled(this.id, value),
      class: { priority, factor: factorOf(priority), start },
      start: later(own?.at ?? 0n, flow?.finish ?? 0n),
      order: Infinity,
    };
    return !isBefore(turn, this.#turnOf(first));
  }

  /** Of the flows that fit, and may pass `first`, the one whose turn it is. */
  #best(below: bigint | null, first: Flow | null): Flow | null {
    let best: Flow | null = null;
    let bestTurn: Turn | null = null;
    const firstTurn = first === null ? null : this.#turnOf(first);
    for (const group of this.#groups.values()) {
      const flow = group.line.first(below);
      if (flow === null) continue;
      const turn = this.#turnOf(flow);
      if (first !== null && firstTurn !== null) {
        const own = group.line.first();
        if (own !== null && turn.start > own.start + sizeOf(own)) continue;
        if (!mayPass(turn, firstTurn, sizeOf(first))) continue;
      }
      if (bestTurn === null || isBefore(turn, bestTurn)) [best, bestTurn] = [flow, turn];
    }
    return best;
  }

  #turnOf({ group, start, head }: Flow): Turn {
    const filled = group.value === null ? null : this.#shares.filled(this.id, group.value);
    return { filled, class: group.class, start, order: head?.order ?? Infinity };
  }

  #flow(claim: Claim): Flow {
    const priority = priorityOf(claim);
    const value = this.#valueOf(claim);
    const key = groupKey(priority, value);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { class: this.#class(priority), value, flows: new Map(), line: new Line(startsBefore, sizeOf), sweepAt: 64 };
      this.#groups.set(key, group);
    }
    let flow = group.flows.get(claim.flow);
    if (flow === undefined) {
      flow = { name: claim.flow, group, start: 0n, finish: 0n, head: null, tail: null, waiting: 0 };
      group.flows.set(claim.flow, flow);
    }
    return flow;
  }

  #class(priority: number): Class {
    let own = this.#classes.get(priority);
    if (own === undefined) {
      own = { priority, factor: factorOf(priority), start: 0n, finish: 0n, at: 0n, waiting: 0 };
      this.#classes.set(priority, own);
    }
    return own;
  }

  /** Only values to which something is guaranteed stand apart: they are as many as the settings name. */
  #valueOf({ values }: Claim): string | null {
    const value = values?.get(this.id);
    return value !== undefined && this.#shares.has(this.id, value) ? value : null;
  }
}

/** Guaranteed calls go first, the emptiest share before others; then the class, then the flow that has got less. */
function isBefore(one: Turn, other: Turn): boolean {
  if (one.filled !== other.filled) {
    if (one.filled === null || other.filled === null) return other.filled === null;
    return one.filled < other.filled;
  }
  if (one.class.start !== other.class.start) return one.class.start < other.class.start;
  if (one.class.priority !== other.class.priority) return one.class.priority < other.class.priority;
  if (one.start !== other.start) return one.start < other.start;
  return one.order < other.order;
}

function mayPass(turn: Turn, first: Turn, firstTakes: bigint): boolean {
  if (first.filled !== null && turn.filled === null) return false;
  if (turn.class.priority === first.class.priority) return turn.start <= first.start + firstTakes;
  return turn.class.start <= first.class.start + firstTakes * first.class.factor;
}

function startsBefore(one: Flow, other: Flow): boolean {
  if (one.start !== other.start) return one.start < other.start;
  return (one.head?.order ?? 0) < (other.head?.order ?? 0);
}

function sizeOf({ head, group, name }: Flow): bigint {
  if (head === null) throw new Error(`nobody of flow ${name} waits (class ${group.class.priority})`);
  return head.size;
}

/** In the order of arrival: who comes from another gate may be older than those who are here. */
function link(flow: Flow, waiter: Waiter): void {
  let after = flow.head;
  if (flow.tail !== null && flow.tail.order < waiter.order) after = null;
  else while (after !== null && after.order < waiter.order) after = after.after;
  const before = after === null ? flow.tail : after.before;
  waiter.flow = flow;
  waiter.before = before;
  waiter.after = after;
  if (before === null) flow.head = waiter;
  else before.after = waiter;
  if (after === null) flow.tail = waiter;
  else after.before = waiter;
  flow.waiting += 1;
}

function unlink(flow: Flow, waiter: Waiter): void {
  if (waiter.before === null) flow.head = waiter.after;
  else waiter.before.after = waiter.after;
  if (waiter.after === null) flow.tail = waiter.before;
  else waiter.after.before = waiter.before;
  waiter.flow = waiter.before = waiter.after = null;
  flow.waiting -= 1;
}

/** Forgets flows that are no longer ahead of the others; it looks at each about once. */
function sweep(group: Group): void {
  if (group.flows.size < group.sweepAt) return;
  for (const [name, flow] of group.flows) if (flow.head === null && flow.finish <= group.class.at) group.flows.delete(name);
  if (group.flows.size > flowsMax) for (const [name, flow] of group.flows) if (flow.head === null) group.flows.delete(name);
  group.sweepAt = 2 * group.flows.size + 64;
}

function groupKey(priority: number, value: string | null): string {
  return value === null ? `${priority}` : `${priority}:${value}`;
}

function priorityOf({ priority }: Claim): number {
  return Math.min(Math.max(0, priority), prioritiesMax - 1);
}

function factorOf(priority: number): bigint {
  return classFactor ** BigInt(priority);
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** A call that takes nothing there costs its flow something, or it would go for ever. */
function atLeastOne(takes: bigint): bigint {
  return takes > 0n ? takes : 1n;
}
