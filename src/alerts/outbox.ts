// What waits for one receiver, and is sent one after another, with tries. Not here: how it is sent (receiver.ts). Invariants: the queue is bounded,
// and drops the oldest; nobody waits for a receiver; what went wrong can be seen, without what is secret.

import { minuteMs } from "../core/time.ts";
import type { Alert, Delivery, ReceiverStanding } from "./alert.ts";

/** Alerts that wait for one receiver. */
export const waitingMax = 100;
/** Before each further try, ms: seven tries over three quarters of an hour. */
export const waitsMs: readonly number[] = [1_000, 5_000, 30_000, 2 * minuteMs, 10 * minuteMs, 30 * minuteMs];
/** However long a receiver asks us to wait. */
const askedMsMax = 30 * minuteMs;
/** For one try, ms. */
export const tryMsMax = 10_000;

/** It was not taken. `isFinal`: nor will it be, however often it is tried. */
export class Untaken extends Error {
  readonly isFinal: boolean;
  /** How long the receiver wants us to wait, ms; null: it did not say. */
  readonly waitMs: number | null;

  constructor(message: string, isFinal: boolean, waitMs: number | null = null) {
    super(message);
    this.name = "Untaken";
    this.isFinal = isFinal;
    this.waitMs = waitMs;
  }
}

export interface Receiver {
  readonly name: string;
  readonly kind: ReceiverStanding["kind"];
  readonly to: string | null;
  readonly problem: string | null;
  /** What of an alert is for it; null: nothing. */
  pick(alert: Alert): Alert | null;
  /** @throws Untaken, without secrets in its message. */
  send(alert: Alert, signal: AbortSignal): Promise<void>;
}

export interface OutboxEffects {
  /** ms UTC. */
  readonly now: () => number;
  /** @returns what stops it. */
  readonly setTimer: (act: () => void, ms: number) => () => void;
  /** An alert is with the receiver, or given up. */
  readonly settled: (alert: Alert, delivery: Exclude<Delivery, "waiting">) => void;
}

export class Outbox {
  readonly receiver: Receiver;
  readonly #effects: OutboxEffects;
  readonly #queue: Alert[] = [];
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #isClosed = false;
  #sent = 0;
  #failed = 0;
  #dropped = 0;
  #lastSentMs: number | null = null;
  #lastFailedMs: number | null = null;
  #lastError: string | null = null;

  constructor(receiver: Receiver, effects: OutboxEffects) {
    this.receiver = receiver;
    this.#effects = effects;
  }

  get standing(): ReceiverStanding {
    const { name, kind, to, problem } = this.receiver;
    return {
      name,
      kind,
      to,
      problem,
      waiting: this.#queue.length,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      lastSentMs: this.#lastSentMs,
      lastFailedMs: this.#lastFailedMs,
      lastError: this.#lastError,
    };
  }

  put(alert: Alert): void {
    if (this.#isClosed) return;
    this.#queue.push(alert);
    if (this.#queue.length > waitingMax) {
      // The first one is under way.
      const [oldest] = this.#queue.splice(1, 1);
      this.#dropped += 1;
      this.#effects.settled(oldest as Alert, "failed");
    }
    this.#running ??= this.#run();
  }

  /** Sends one past the queue, once. @throws Untaken */
  async try(alert: Alert): Promise<void> {
    try {
      await this.#send(alert);
      this.#lastSentMs = this.#effects.now();
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  /** What is being sent gets a moment; what waits goes on waiting for the next start. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    const stop = this.#effects.setTimer(() => this.#closing.abort(), graceMs);
    await this.#running;
    stop();
  }

  async #run(): Promise<void> {
    // Whoever puts something in does not wait for it.
    await Promise.resolve();
    while (!this.#isClosed) {
      const [alert] = this.#queue;
      if (alert === undefined) break;
      const delivery = await this.#deliver(alert);
      if (delivery === null) break;
      this.#queue.shift();
      if (delivery === "sent") this.#sent += 1;
      else this.#failed += 1;
      this.#effects.settled(alert, delivery);
    }
    this.#running = null;
  }

  /** @returns null: it was closed before that was known. */
  async #deliver(alert: Alert): Promise<"sent" | "failed" | null> {
    for (let tried = 0; ; tried += 1) {
      try {
        await this.#send(alert);
        this.#lastSentMs = this.#effects.now();
        return "sent";
      } catch (error) {
        if (this.#closing.signal.aborted) return null;
        this.#note(error);
        const waitMs = waitsMs[tried];
        if (waitMs === undefined || (error instanceof Untaken && error.isFinal)) return "failed";
        const askedMs = error instanceof Untaken ? (error.waitMs ?? 0) : 0;
        await this.#sleep(Math.max(waitMs, Math.min(askedMs, askedMsMax)));
        if (this.#isClosed) return null;
      }
    }
  }

  async #send(alert: Alert): Promise<void> {
    const tooLong = new AbortController();
    const stop = this.#effects.setTimer(() => tooLong.abort(), tryMsMax);
    try {
      await this.receiver.send(alert, AbortSignal.any([tooLong.signal, this.#closing.signal]));
    } catch (error) {
      throw tooLong.signal.aborted ? new Untaken(`no answer within ${tryMsMax} ms`, false) : error;
    } finally {
      stop();
    }
  }

  #note(error: unknown): void {
    this.#lastFailedMs = this.#effects.now();
    this.#lastError = error instanceof Untaken ? error.message : "it could not be sent";
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#effects.setTimer(resolve, ms);
      this.#wake = () => {
        stop();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
  }
}
