// The alerts of one server: looks at the budgets every few seconds and at what agents are worth every few minutes, takes what the guard did, keeps what
// was told, and hands alerts to the receivers. Not here: what must be told (judge.ts, worth.ts, gather.ts), how it is sent. Invariants: nothing here is
// waited for by a call; a failure here is a line in the log, and the next look goes on.

import { hourMs, minuteMs } from "../core/time.ts";
import type { Config } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { setTimer } from "../timer.ts";
import {
  actionKinds,
  type Alert,
  type AlertEvent,
  type AlertsAccess,
  type AlertStanding,
  type Draft,
  type ListedAlert,
  type Worth,
  type WorthStanding,
} from "./alert.ts";
import { Gatherer } from "./gather.ts";
import { Judge } from "./judge.ts";
import { readKept, type Recent, recentMax, writeKept } from "./kept.ts";
import { Outbox, Untaken } from "./outbox.ts";
import { createReceivers } from "./receiver.ts";
import { toWords, type Words } from "./words.ts";
import { WorthJudge } from "./worth.ts";

/** Between two looks at the budgets, ms. */
export const lookMs = 5_000;
/** Between two looks at what agents are worth, ms; the first is after a fifth of it. */
export const worthLookMs = 5 * minuteMs;
/** Budgets looked at before others get their turn. */
const sliceMax = 250;
/** What waited longer than this when a server starts is not sent any more. */
const ageMsMax = 24 * hourMs;
/** What is being sent when the server stops gets so long, ms. */
const graceMs = 3_000;

export interface AlertEffects {
  /** ms UTC: the clock of the budgets' windows. */
  readonly now: () => number;
  /** Acts once, later. @returns what stops it. Does not keep the process alive. */
  readonly setTimer?: (act: () => void, ms: number) => () => void;
  readonly createId: (nowMs: number) => string;
  /** The name that a token stands for; null: not known. */
  readonly nameOf: (token: string) => Promise<string | null>;
  readonly warn: (message: string) => void;
  readonly version: string;
  /** In place of the usual one, ms. */
  readonly worthLookMs?: number;
}

export interface Alerts extends AlertsAccess {
  /** Something the guard did. Costs a look-up in a map; never fails and never waits. */
  tell(event: AlertEvent): void;
  /**
   * Looks at the budgets every `lookMs` from now on, at what agents are worth every `worthLookMs`, one look at a time, and sends what waited when the
   * last server stopped.
   * @param standings all budgets, as of now.
   * @param worths all agents that are not worth it, as of now; null: none is watched.
   */
  watch(standings: () => Iterable<AlertStanding>, worths?: (() => Promise<readonly WorthStanding[]>) | null): void;
  close(): Promise<void>;
}

export function openAlerts(config: Config, effects: AlertEffects): Alerts {
  return new Desk(config, { setTimer, worthLookMs, ...effects });
}

class Desk implements Alerts {
  readonly #folder: string;
  readonly #effects: Required<AlertEffects>;
  readonly #judge: Judge;
  readonly #worthJudge: WorthJudge;
  readonly #gatherer: Gatherer;
  readonly #recent: Recent[];
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  #stopLook: () => void = () => {};
  #stopWorth: () => void = () => {};
  #stopSoon: (() => void) | null = null;
  #isWatching = false;
  #isClosed = false;
  #isChanged = false;
  #isUnwritable = false;
  #writing: Promise<void> = Promise.resolve();

  constructor({ settings: { data, alerts: settings }, secret }: Config, effects: Required<AlertEffects>) {
    this.#folder = data;
    this.#effects = effects;
    const { told, recent } = readKept(data, effects.warn);
    const pairs = settings.burn.map(({ shortMinutes, longMinutes, factor }) => ({
      shortMs: shortMinutes * 60_000,
      longMs: longMinutes * 60_000,
      factorTenths: Math.round(factor * 10),
    }));
    this.#judge = new Judge(pairs, told);
    this.#worthJudge = new WorthJudge(told.worths);
    this.#gatherer = new Gatherer(told.actions);
    this.#recent = recent.map(({ alert, deliveries }) => ({ alert, deliveries: { ...deliveries } }));
    const words = (alert: Alert): Promise<Words> => this.#words(alert, settings.names);
    const receivers = createReceivers(settings, { ...effects, secret, toWords: words });
    const settled = (alert: Alert, name: string, delivery: "sent" | "failed"): void => {
      const kept = this.#recent.findLast((one) => one.alert.id === alert.id);
      if (kept !== undefined) kept.deliveries[name] = delivery;
      if (delivery === "failed")
        effects.warn(`an alert did not reach ${name}: ${this.#outboxes.get(name)?.standing.lastError ?? "it was dropped"}`);
      this.#isChanged = true;
      this.#save();
    };
    const { now, setTimer } = effects;
    this.#outboxes = new Map(
      receivers.map((one) => [
        one.name,
        new Outbox(one, { now, setTimer, settled: (alert, delivery) => settled(alert, one.name, delivery) }),
      ]),
    );
  }

  tell(event: AlertEvent): void {
    if (this.#isClosed) return;
    this.#gatherer.add(event);
    if (actionKinds[event.kind].isUrgent) this.#stopSoon ??= this.#effects.setTimer(() => this.#tellSoon(), 0);
  }

  watch(standings: () => Iterable<AlertStanding>, worths: (() => Promise<readonly WorthStanding[]>) | null = null): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    for (const { receiver } of this.#outboxes.values())
      if (receiver.problem !== null) this.#effects.warn(`no alert can be sent to ${receiver.name}: ${receiver.problem}`);
    const nowMs = this.#effects.now();
    for (const { alert, deliveries } of this.#recent)
      for (const [name, delivery] of Object.entries(deliveries)) {
        if (delivery !== "waiting") continue;
        const outbox = nowMs - alert.atMs > ageMsMax ? undefined : this.#outboxes.get(name);
        const picked = outbox?.receiver.pick(alert) ?? null;
        if (picked === null) deliveries[name] = "failed";
        else outbox?.put(picked);
      }
    const look = (): void => {
      void this.#look(standings)
        .catch((error: unknown) => this.#effects.warn(`the budgets could not be looked at for alerts: ${String(error)}`))
        .then(() => {
          if (!this.#isClosed) this.#stopLook = this.#effects.setTimer(look, lookMs);
        });
    };
    look();
    if (worths !== null) this.#watchWorth(worths, this.#effects.worthLookMs / 5);
  }

  receivers() {
    return [...this.#outboxes.values()].map((outbox) => outbox.standing);
  }

  losing(): readonly Worth[] {
    return this.#worthJudge.losing;
  }

  async recent(): Promise<readonly ListedAlert[]> {
    const newest = this.#recent.toReversed();
    return Promise.all(
      newest.map(async ({ alert, deliveries }) => Object.assign({ alert, deliveries: { ...deliveries } }, await this.#words(alert, true))),
    );
  }

  async test(name: string) {
    const outbox = this.#outboxes.get(name);
    if (outbox === undefined) {
      const known = [...this.#outboxes.keys()].join(", ") || "none; alerts: in the settings names them";
      throw new PennyworthError("receiver_unknown", { name, known });
    }
    const { now, createId } = this.#effects;
    const atMs = now();
    const started = performance.now();
    const problem = await outbox.try({ kind: "test", id: createId(atMs), atMs, severity: "info" }).then(
      () => null,
      (error: unknown) => (error instanceof Untaken ? error.message : "it could not be sent"),
    );
    return { receiver: name, sent: problem === null, tookMs: Math.round(performance.now() - started), problem };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopLook();
    this.#stopWorth();
    this.#stopSoon?.();
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.close(graceMs)));
    // Who only looked has nothing to keep.
    if (this.#isWatching) this.#save();
    await this.#writing;
  }

  async #look(standings: () => Iterable<AlertStanding>): Promise<void> {
    const nowMs = this.#effects.now();
    let looked = 0;
    for (const standing of standings()) {
      for (const draft of this.#judge.look(standing, nowMs)) this.#deliver(draft);
      looked += 1;
      if (looked % sliceMax === 0) await new Promise<void>((resolve) => void this.#effects.setTimer(resolve, 0));
      if (this.#isClosed) return;
    }
    if (this.#judge.sweep(nowMs)) this.#isChanged = true;
    for (const draft of this.#gatherer.due(nowMs)) this.#deliver(draft);
    this.#save();
  }

  /** The next look waits until this one has its answer, so that there is never more than one. */
  #watchWorth(worths: () => Promise<readonly WorthStanding[]>, afterMs: number): void {
    const { now, setTimer, warn, worthLookMs: everyMs } = this.#effects;
    const look = async (): Promise<void> => {
      try {
        const standings = await worths();
        if (this.#isClosed) return;
        const { drafts, isChanged } = this.#worthJudge.look(standings, now());
        for (const draft of drafts) this.#deliver(draft);
        if (isChanged) this.#isChanged = true;
        this.#save();
      } catch (error) {
        if (this.#isClosed) return;
        warn(`what agents are worth could not be looked at for alerts: ${String(error)}`);
      }
      this.#watchWorth(worths, everyMs);
    };
    this.#stopWorth = setTimer(() => void look(), afterMs);
  }

  #tellSoon(): void {
    this.#stopSoon = null;
    for (const draft of this.#gatherer.due(this.#effects.now())) this.#deliver(draft);
    this.#save();
  }

  #deliver(draft: Draft): void {
    const alert: Alert = { id: this.#effects.createId(draft.atMs), ...draft };
    const deliveries: Recent["deliveries"] = {};
    this.#recent.push({ alert, deliveries });
    if (this.#recent.length > recentMax) this.#recent.shift();
    this.#isChanged = true;
    for (const [name, outbox] of this.#outboxes) {
      const picked = outbox.receiver.pick(alert);
      if (picked === null) continue;
      deliveries[name] = "waiting";
      outbox.put(picked);
    }
  }

  /** One write after another, and none where nothing changed. */
  #save(): void {
    if (!this.#isChanged || !this.#isWatching) return;
    this.#writing = this.#writing
      .then(async () => {
        if (!this.#isChanged) return;
        this.#isChanged = false;
        await writeKept(this.#folder, {
          told: { ...this.#judge.told, actions: this.#gatherer.told, worths: this.#worthJudge.told },
          recent: this.#recent,
        });
        this.#isUnwritable = false;
      })
      .catch((cause: unknown) => {
        this.#isChanged = true;
        if (this.#isUnwritable) return;
        this.#isUnwritable = true;
        this.#effects.warn(`alerts.json cannot be written (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`);
      });
  }

  async #words(alert: Alert, named: boolean): Promise<Words> {
    if (!named) return toWords(alert, () => null);
    const about = "of" in alert ? alert.of : "values" in alert ? [alert] : [];
    const tokens = new Set(about.flatMap(({ values, subject }) => values.concat(subject ?? [])));
    const names = new Map<string, string | null>();
    for (const token of tokens) names.set(token, await this.#effects.nameOf(token));
    return toWords(alert, (token) => names.get(token) ?? null);
  }
}
