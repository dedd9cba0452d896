// Where calls wait that a rate has no room for just now, and are let in fairly: whose turn it is stands in gate.ts. Not here: what room there
// is, which the guard's book alone knows: each call tries its own holds. Invariants: a call waits at a gate that has refused it, or where others
// were before it, and is tried when that gate may have room for it and its turn has come; each ends in exactly one way; there is one timer.

import { Crowd } from "./crowd.ts";
import { type Claim, Gate, type Waiter } from "./gate.ts";
import { Line } from "./line.ts";
import { Shares } from "./shares.ts";

/** A rate that has no room for a call. */
export interface Refuser {
  readonly gate: string;
  /** What is left there. */
  readonly left: bigint;
  /** When its room next grows by time alone, whoever asks: the end of its window or bucket. Infinity: only as calls end. */
  readonly retryAtMs: number;
}

export type Attempt =
  | { readonly admitted: true }
  /** Every rate in the way. None: it is refused by what no waiting helps against. */
  | { readonly admitted: false; readonly by: readonly Refuser[] };

export interface Waiting extends Claim {
  /** Its id. */
  readonly call: string;
  /** Tries the call's holds, on all of its budgets or on none. It is not called again after it was admitted. */
  readonly attempt: () => Attempt;
  readonly deadlineMs: number;
  /** The client went away. */
  readonly signal: AbortSignal;
}

/**
 * `admitted`: its holds are taken. `late`: its deadline came first. `full`: too many wait, and of its flow most. `gone`: its client went away.
 * `refused`: waiting would not help any more.
 */
export type Waited = "admitted" | "late" | "full" | "gone" | "refused";

export interface QueueOptions {
  /** Calls that may wait at one time. */
  readonly waitingMax: number;
  /** The clock of the guard's book, in ms. */
  readonly now: () => number;
  /** Acts once after so many ms; what it returns undoes that. */
  readonly setTimer: (act: () => void, afterMs: number) => () => void;
  readonly shares?: Shares;
}

/** A call that waits, as it is shown. */
export interface WaitingView {
  readonly call: string;
  readonly flow: string;
  readonly priority: number;
  /** Where it waits. */
  readonly gate: string;
  readonly takes: bigint;
  readonly sinceMs: number;
  readonly deadlineMs: number;
}

interface Call extends Waiter {
  readonly claim: Waiting;
  readonly sinceMs: number;
  /** In the queue's own time, which does not go back. */
  readonly dueMs: number;
  readonly end: (ended: Waited) => void;
  readonly fail: (cause: unknown) => void;
  readonly leave: () => void;
  gate: Gate;
}

/** The longest that a timer of Node can be set to. */
const timerMsMax = 2 ** 31 - 1;

export class FairQueue {
  readonly #options: QueueOptions;
  readonly #shares: Shares;
  readonly #gates = new Map<string, Gate>();
  readonly #calls = new Set<Call>();
  readonly #crowd = new Crowd<Call>();
  readonly #wakes = new Line<Gate>((a, b) => (a.wakeMs === b.wakeMs ? a.order < b.order : a.wakeMs < b.wakeMs));
  readonly #deadlines = new Line<Call>((a, b) => (a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs));
  /** Gates at which somebody may go. */
  readonly #open = new Set<Gate>();
  #isLetting = false;
  /** The call whose attempt is under way: it may not leave before that is over, or its holds would be nobody's. */
  #trying: Call | null = null;
  #order = 0;
  #timer: { readonly atMs: number; readonly undo: () => void } | null = null;
  #lastMs = -Infinity;
  /** By how much the clock went back: nobody waits longer for it. */
  #backMs = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#shares = options.shares ?? new Shares();
  }

  get waiting(): number {
    return this.#calls.size;
  }

  /** Those that wait, the first to come first. */
  list(limit = 100): WaitingView[] {
    const views: WaitingView[] = [];
    for (const { claim, gate, size, sinceMs } of this.#calls) {
      if (views.length >= limit) break;
      const { call, flow, priority, deadlineMs } = claim;
      views.push({ call, flow, priority, gate: gate.id, takes: size, sinceMs, deadlineMs });
    }
    return views;
  }

  /** Whether a call that comes now has to wait, room or not: the turn of somebody who waits at one of its gates is before its own. */
  mustWait(claim: Claim): boolean {
    return this.#calls.size > 0 && this.#busy(claim) !== null;
  }

  /** Tells that a call was admitted without waiting: it counts for its flow where others wait. */
  passed(claim: Claim): void {
    if (this.#calls.size > 0) for (const id of claim.gates) this.#gates.get(id)?.charge(claim);
  }

  /** Tries the call when its turn comes: at once, if that is now. @throws what `attempt` throws. */
  async wait(claim: Waiting): Promise<Waited> {
    if (claim.signal.aborted) return "gone";
    this.#wake();
    let at = this.#busy(claim);
    let by: readonly Refuser[] = [];
    if (at === null) {
      const tried = claim.attempt();
      if (tried.admitted) {
        this.passed(claim);
        return "admitted";
      }
      ({ by } = tried);
      const last = latest(by);
      if (last === null) return "refused";
      at = last.gate;
    }
    if (claim.deadlineMs <= this.#lastMs) return "late";
    if (!this.#hasRoom(claim)) return "full";
    const id = at;
    return new Promise((end, fail) => this.#enter(claim, this.#gate(id), by, end, fail));
  }

  /** Something came free: at these gates, or nobody knows where. Costs what can go, and one try. */
  poke(gates?: Iterable<string>): void {
    if (this.#calls.size === 0) return;
    if (gates === undefined) for (const gate of this.#gates.values()) this.#reopen(gate);
    else
      for (const id of gates) {
        const gate = this.#gates.get(id);
        if (gate !== undefined) this.#reopen(gate);
      }
    this.#let();
    this.#arm();
  }

  #enter(claim: Waiting, gate: Gate, by: readonly Refuser[], end: Call["end"], fail: Call["fail"]): void {
    const sinceMs = this.#lastMs;
    const gone = (): void => this.#finish(call, "gone");
    const call: Call = {
      claim,
      order: (this.#order += 1),
      starts: new Map(),
      size: 0n,
      flow: null,
      before: null,
      after: null,
      sinceMs,
      dueMs: claim.deadlineMs + this.#backMs,
      end,
      fail,
      leave: () => claim.signal.removeEventListener("abort", gone),
      gate,
    };
    claim.signal.addEventListener("abort", gone);
    this.#calls.add(call);
    this.#crowd.add(claim.flow, call);
    this.#deadlines.add(call);
    gate.add(call);
    this.#note(by, call);
    this.#open.add(gate);
    this.#let();
    this.#arm();
  }

  /** Lets in, at every gate that may have room, those whose turn it is. What is told meanwhile is done in the same go. */
  #let(): void {
    if (this.#isLetting) return;
    this.#isLetting = true;
    for (const gate of this.#open) {
      for (let call = gate.next() as Call | null; call !== null; call = gate.next() as Call | null) this.#try(call, gate);
      this.#open.delete(gate);
      this.#leave(gate);
    }
    this.#isLetting = false;
  }

  #try(call: Call, gate: Gate): void {
    let tried: Attempt;
    this.#trying = call;
    try {
      tried = call.claim.attempt();
    } catch (cause) {
      this.#remove(call);
      call.fail(cause);
      return;
    } finally {
      this.#trying = null;
    }
    if (tried.admitted) {
      for (const id of call.claim.gates) this.#gates.get(id)?.charge(call.claim);
      this.#remove(call);
      call.end("admitted");
      return;
    }
    const last = latest(tried.by);
    if (last === null) {
      this.#remove(call);
      call.end("refused");
      return;
    }
    if (call.claim.signal.aborted) return this.#end(call, "gone");
    // It stays where it is while that gate is in the way; elsewhere it waits for what comes latest.
    if (!tried.by.some((one) => one.gate === gate.id)) {
      gate.remove(call);
      call.gate = this.#gate(last.gate);
      call.gate.add(call);
    }
    this.#note(tried.by, call);
  }

  /** What the book has just said of some gates. */
  #note(by: readonly Refuser[], call: Call): void {
    for (const { gate: id, left, retryAtMs } of by) {
      const gate = this.#gates.get(id);
      if (gate === undefined) continue;
      const takes = call.claim.takes(id);
      // Whatever it says of what is left: what it refused does not fit.
      const below = left + 1n < takes ? left + 1n : takes;
      // More room than when it was last asked, and nobody said so.
      if (gate.below !== null && below > gate.below) this.#open.add(gate);
      gate.below = below;
      this.#setWake(gate, Math.max(retryAtMs, this.#lastMs + 1));
    }
  }

  #reopen(gate: Gate): void {
    gate.below = null;
    this.#open.add(gate);
  }

  /** Time went by: windows that came to their end, calls whose deadline is here. A call that can go at its deadline goes. */
  #wake(): void {
    const nowMs = this.#options.now();
    if (nowMs < this.#lastMs) this.#backMs += this.#lastMs - nowMs;
    this.#lastMs = nowMs;
    for (let gate = this.#wakes.first(); gate !== null && gate.wakeMs <= nowMs; gate = this.#wakes.first()) {
      this.#setWake(gate, Infinity);
      this.#reopen(gate);
    }
    this.#let();
    const ownMs = nowMs + this.#backMs;
    for (let call = this.#deadlines.first(); call !== null && call.dueMs <= ownMs; call = this.#deadlines.first()) this.#end(call, "late");
    this.#let();
    this.#arm();
  }

  #finish(call: Call, ended: Waited): void {
    if (call === this.#trying || !this.#calls.has(call)) return;
    this.#end(call, ended);
    this.#let();
    this.#arm();
  }

  /** Who comes after it in its flow may be smaller. */
  #end(call: Call, ended: Waited): void {
    this.#remove(call);
    this.#open.add(call.gate);
    call.end(ended);
  }

  #remove(call: Call): void {
    call.leave();
    this.#calls.delete(call);
    this.#crowd.remove(call.claim.flow, call);
    this.#deadlines.remove(call);
    call.gate.remove(call);
  }

  /** Room to wait is shared, too: a flow with fewer waiting takes the place of the last of a flow with most. */
  #hasRoom({ flow }: Claim): boolean {
    if (this.#calls.size < this.#options.waitingMax) return true;
    const last = this.#crowd.last();
    if (last === null || last.waiting <= this.#crowd.of(flow) + 1) return false;
    this.#finish(last.item, "full");
    return true;
  }

  /** The gate at which somebody else's turn is before. */
  #busy(claim: Claim): string | null {
    for (const id of claim.gates) if (this.#gates.get(id)?.isBusyFor(claim) === true) return id;
    return null;
  }

  #gate(id: string): Gate {
    let gate = this.#gates.get(id);
    if (gate === undefined) this.#gates.set(id, (gate = new Gate(id, (this.#order += 1), this.#shares)));
    return gate;
  }

  /** Nobody waits there: it is forgotten, and with it who got how much. */
  #leave(gate: Gate): void {
    if (gate.waiting > 0 || this.#gates.get(gate.id) !== gate) return;
    this.#gates.delete(gate.id);
    this.#setWake(gate, Infinity);
  }

  #setWake(gate: Gate, atMs: number): void {
    if (gate.wakeMs !== Infinity) this.#wakes.remove(gate);
    gate.wakeMs = atMs;
    if (atMs !== Infinity) this.#wakes.add(gate);
  }

  /** A timer that is early stays: it looks again. */
  #arm(): void {
    if (this.#isLetting) return;
    const wakeMs = this.#wakes.first()?.wakeMs ?? Infinity;
    const dueMs = (this.#deadlines.first()?.dueMs ?? Infinity) - this.#backMs;
    const atMs = Math.min(wakeMs, dueMs);
    if (this.#timer !== null && atMs !== Infinity && this.#timer.atMs <= atMs) return;
    this.#timer?.undo();
    this.#timer = null;
    if (atMs === Infinity) return;
    const nowMs = this.#options.now();
    const afterMs = Math.min(Math.max(1, atMs - nowMs), timerMsMax);
    const undo = this.#options.setTimer(() => {
      this.#timer = null;
      // So much went by at least, whatever the clock says.
      this.#lastMs = Math.max(this.#lastMs, nowMs + afterMs);
      this.#wake();
    }, afterMs);
    this.#timer = { atMs, undo };
  }
}

function latest(by: readonly Refuser[]): Refuser | null {
  let last: Refuser | null = null;
  for (const one of by) if (last === null || one.retryAtMs > last.retryAtMs) last = one;
  return last;
}
