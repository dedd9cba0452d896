// A world to wait in: a clock that is moved by hand, a plain book of rates, and callers that do what a gateway does. Not here: expectations.

import { type Attempt, FairQueue, type Refuser, type Waited } from "./queue.ts";
import { Shares } from "./shares.ts";

/** A limit on calls at once (`windowMs` null), or on what is taken in each window. */
export interface Rate {
  readonly id: string;
  readonly limit: bigint;
  readonly windowMs: number | null;
}

export interface Ask {
  readonly flow: string;
  readonly priority?: number;
  readonly takes: Readonly<Record<string, bigint>>;
  /** How long the call lasts once it is admitted. */
  readonly lastsMs?: number;
  readonly patienceMs?: number;
  readonly goneAfterMs?: number;
  /** Its value at every gate that has shares. */
  readonly value?: string;
}

export interface Asked extends Ask {
  readonly id: number;
  readonly atMs: number;
  startMs: number | null;
  tries: number;
  ended: Waited | null;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

export class World {
  nowMs = 0;
  readonly shares = new Shares();
  readonly queue: FairQueue;
  readonly asked: Asked[] = [];
  /** In the order in which they began. */
  readonly started: Asked[] = [];
  /** Called after every event. */
  check: () => void = () => undefined;
  /** Called when all that happens at one time has happened. */
  rest: () => void = () => undefined;
  timers = 0;
  /** What is added to the time that the queue is told. */
  skewMs = 0;
  readonly #rates: ReadonlyMap<string, Rate>;
  readonly #used = new Map<string, { window: number; amount: bigint }>();
  readonly #events: Event[] = [];
  #order = 0;

  constructor(rates: readonly Rate[], waitingMax = 10_000) {
    this.#rates = new Map(rates.map((rate) => [rate.id, rate]));
    this.queue = new FairQueue({
      waitingMax,
      now: () => this.nowMs + this.skewMs,
      shares: this.shares,
      setTimer: (act, afterMs) => {
        this.timers += 1;
        let isOn = true;
        const off = (): void => {
          if (isOn) this.timers -= 1;
          isOn = false;
        };
        this.at(this.nowMs + afterMs, () => {
          if (!isOn) return;
          off();
          act();
        });
        return off;
      },
    });
  }

  at(atMs: number, act: () => void): void {
    const event = { atMs, order: (this.#order += 1), act };
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1] as Event).atMs <= atMs) index -= 1;
    this.#events.splice(index, 0, event);
  }

  /** Up to and including that time. */
  run(toMs: number): void {
    for (let event = this.#events.at(-1); event !== undefined && event.atMs <= toMs; event = this.#events.at(-1)) {
      this.#events.pop();
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.act();
      this.check();
      if (this.#events.at(-1)?.atMs !== event.atMs) this.rest();
    }
    this.nowMs = toMs;
  }

  left(id: string): bigint {
    const rate = this.#rates.get(id) as Rate;
    const window = this.#window(rate);
    const used = this.#used.get(id);
    return used === undefined || used.window !== window ? rate.limit : rate.limit - used.amount;
  }

  fits({ takes }: Ask): boolean {
    return Object.entries(takes).every(([id, amount]) => amount <= this.left(id));
  }

  /** As the gateway asks: at once where nobody is before it, else by waiting. */
  ask(ask: Ask): Asked {
    const call: Asked = { ...ask, id: this.asked.length, atMs: this.nowMs, startMs: null, tries: 0, ended: null };
    this.asked.push(call);
    const gates = Object.keys(call.takes);
    const values = new Map(call.value === undefined ? [] : gates.map((gate) => [gate, call.value as string] as const));
    const claim = { flow: call.flow, priority: call.priority ?? 0, gates, takes: (gate: string) => call.takes[gate] ?? 1n, values };
    if (!this.queue.mustWait(claim) && this.#try(call).admitted) {
      this.queue.passed(claim);
      call.ended = "admitted";
      return call;
    }
    const leaving = new AbortController();
    if (call.goneAfterMs !== undefined) this.at(this.nowMs + call.goneAfterMs, () => leaving.abort());
    const deadlineMs = this.nowMs + this.skewMs + (call.patienceMs ?? 1e9);
    const waited = this.queue.wait({ ...claim, call: `${call.id}`, attempt: () => this.#try(call), deadlineMs, signal: leaving.signal });
    void waited.then((ended) => (call.ended = ended));
    return call;
  }

  /** Who waits, and where. */
  asleep(): { readonly call: Asked; readonly gate: string }[] {
    return this.queue.list(1e6).map(({ call, gate }) => ({ call: this.asked[Number(call)] as Asked, gate }));
  }

  #try(call: Asked): Attempt {
    call.tries += 1;
    if (call.startMs !== null) throw new Error(`call ${call.id} was tried after it was admitted`);
    const by: Refuser[] = [];
    for (const [gate, amount] of Object.entries(call.takes)) {
      const left = this.left(gate);
      const rate = this.#rates.get(gate) as Rate;
      const retryAtMs = rate.windowMs === null ? Infinity : (this.#window(rate) + 1) * rate.windowMs + this.skewMs;
      if (amount > left) by.push({ gate, left, retryAtMs });
    }
    if (by.length > 0) return { admitted: false, by };
    call.startMs = this.nowMs;
    this.started.push(call);
    for (const [gate, amount] of Object.entries(call.takes)) this.#take(gate, amount);
    if (call.value !== undefined) {
      const value = call.value;
      this.shares.opened(`${call.id}`, new Map(Object.keys(call.takes).map((gate) => [gate, value])));
    }
    this.at(this.nowMs + (call.lastsMs ?? 10), () => this.#end(call));
    return { admitted: true };
  }

  #take(gate: string, amount: bigint): void {
    const rate = this.#rates.get(gate) as Rate;
    const before = rate.limit - this.left(gate);
    this.#used.set(gate, { window: this.#window(rate), amount: before + amount });
  }

  #end({ id, takes }: Asked): void {
    const gates = Object.keys(takes).filter((gate) => this.#rates.get(gate)?.windowMs === null);
    for (const gate of gates) this.#take(gate, -(takes[gate] ?? 0n));
    this.shares.closed(`${id}`);
    this.queue.poke(gates);
  }

  #window({ windowMs }: Rate): number {
    return windowMs === null ? 0 : Math.floor(this.nowMs / windowMs);
  }
}
