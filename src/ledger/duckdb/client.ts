// The store as the server sees it: questions go to a process of its own, which is started again when it dies.
// Invariant: nothing here waits for the store but the one who asks; the gateway only tells how far the journal is.

import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Position, comparePositions } from "../../core/entry.ts";
import type { Outcome } from "../../core/outcome.ts";
import { PennyworthError } from "../../error.ts";
import type {
  BusyPage,
  BusyQuery,
  CallRecord,
  CallsPage,
  CallsQuery,
  ChargeRecord,
  ChargesPage,
  ChargesQuery,
  IncidentsPage,
  Report,
  ReportQuery,
  Rework,
  Run,
  RunsPage,
  RunsQuery,
  Span,
  SuccessPage,
  SuccessQuery,
  Totals,
  UnpricedPage,
  UnpricedQuery,
} from "../store.ts";
import type { DriverSums, DriversQuery } from "../drivers.ts";
import type { FindQuery, Found, Said, SaidQuery } from "../find.ts";
import type { WaitingPage } from "../waiting.ts";
import type { MarginQuery, MarginSums, RevenuePage, RevenueQuery } from "../margin.ts";
import type { ShapePage, ShapeQuery } from "../shape.ts";
import type { Trend, TrendQuery } from "../trend.ts";
import type { OddsPage, OddsQuery, TriesPage, TriesQuery } from "../tries.ts";
import type { ReratePage, RerateQuery, Rerating } from "../rerate.ts";
import { dropStore } from "./place.ts";
import { type Answer, type Message, type News, type Question, defaultOptions } from "./wire.ts";

export interface StoreOptions {
  readonly threads?: number;
  /** As DuckDB takes it, e.g. `1GB`. */
  readonly memory?: string;
  /** What an operator should know: a rebuild, an entry set aside, a full disk, a process that died. */
  readonly log?: (message: string, level: "info" | "error") => void;
}

export interface StoreStatus {
  /** Up to where the journal is in the store. */
  readonly applied: Position | null;
  /** Entries that could not be turned into a row. */
  readonly refused: number;
  /** What keeps the store from taking in more, and is being tried again: a full disk, damage in the journal. null when nothing does. */
  readonly trouble: string | null;
}

/** Questions throw PennyworthError: `store_busy` while the process is not there, `query_invalid`, `store_failed`. */
export interface StoreClient {
  report(query: ReportQuery): Promise<Report>;
  totals(spans: readonly Span[]): Promise<Totals>;
  calls(query: CallsQuery): Promise<CallsPage>;
  call(id: string): Promise<CallRecord | null>;
  scan(after: string | null, limit: number): Promise<readonly CallRecord[]>;
  charges(query: ChargesQuery): Promise<ChargesPage>;
  charge(id: string): Promise<ChargeRecord | null>;
  runs(query: RunsQuery): Promise<RunsPage>;
  run(id: string, limit: number): Promise<Run | null>;
  success(query: SuccessQuery): Promise<SuccessPage>;
  drivers(query: DriversQuery): Promise<DriverSums>;
  tries(query: TriesQuery): Promise<TriesPage>;
  odds(query: OddsQuery): Promise<OddsPage>;
  shape(query: ShapeQuery): Promise<ShapePage>;
  revenue(query: RevenueQuery): Promise<RevenuePage>;
  margin(query: MarginQuery): Promise<MarginSums>;
  outcomes(task: string): Promise<readonly Outcome[]>;
  rework(task: string): Promise<Rework>;
  waiting(limit: number): Promise<WaitingPage>;
  said(query: SaidQuery): Promise<Said>;
  find(query: FindQuery): Promise<Found>;
  chargesOf(ids: readonly string[]): Promise<readonly ChargeRecord[]>;
  incidents(query: ChargesQuery): Promise<IncidentsPage>;
  unpriced(query: UnpricedQuery): Promise<UnpricedPage>;
  trend(query: TrendQuery): Promise<Trend>;
  busy(query: BusyQuery): Promise<BusyPage>;
  chargesNamed(prefix: string, limit: number): Promise<readonly ChargeRecord[]>;
  /** Begins a pass over the calls, one at a time. @throws PennyworthError `store_busy` where one is under way. */
  rerate(query: RerateQuery): Promise<Rerating>;
  status(): Promise<StoreStatus>;
  /** Up to where the journal is in the store, as it last told: asks nobody. */
  readonly applied: Position | null;
  /** Tells that the journal is written up to here. Cheap: news is passed on at most every few milliseconds. */
  advance(position: Position): void;
  /**
   * Resolves when the store has this position, its process started again as often as it takes.
   * @throws PennyworthError `store_busy` after `timeoutMs` (null: never), and when the store is closed.
   */
  caughtUp(position: Position, timeoutMs: number | null): Promise<void>;
  /** Drops the projection and makes it anew. Resolves when it has `until`. `onProgress` is told each position reached. */
  rebuild(until: Position | null, onProgress?: (applied: Position) => void): Promise<void>;
  /** The process's id; null while it is being started. */
  readonly pid: number | null;
  close(): Promise<void>;
}

const startsMax = 5;
const startsWindowMs = 60_000;
const advanceEveryMs = 20;

/**
 * Starts the store's process on a data folder. Does not wait for it, since a file with a long log takes seconds to open: questions wait
 * instead, or throw `store_busy` when it dies.
 */
export function openStore(folder: string, options: StoreOptions = {}): Promise<StoreClient> {
  const client = new Client(folder, options);
  void client.start();
  return Promise.resolve(client);
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PennyworthError) => void;
}

class Client implements StoreClient {
  readonly #folder: string;
  readonly #options: StoreOptions;
  readonly #asked = new Map<number, Asked>();
  readonly #listeners = new Set<(applied: Position) => void>();
  readonly #waiting = new Set<(error: PennyworthError) => void>();
  #child: ChildProcess | null = null;
  #ready: Promise<void> = Promise.resolve();
  #applied: Position | null = null;
  #written: Position | null = null;
  #advancing: NodeJS.Timeout | null = null;
  #next = 0;
  #starts: number[] = [];
  #closing = false;
  /** For good; `#closing` ends with a rebuild. */
  #closed = false;

  constructor(folder: string, options: StoreOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): Promise<void> {
    this.#ready = this.#spawn();
    this.#ready.catch(() => undefined);
    return this.#ready;
  }

  report(query: ReportQuery): Promise<Report> {
    return this.#ask({ method: "report", query }) as Promise<Report>;
  }

  totals(spans: readonly Span[]): Promise<Totals> {
    return this.#ask({ method: "totals", spans }) as Promise<Totals>;
  }

  calls(query: CallsQuery): Promise<CallsPage> {
    return this.#ask({ method: "calls", query }) as Promise<CallsPage>;
  }

  call(id: string): Promise<CallRecord | null> {
    return this.#ask({ method: "call", id }) as Promise<CallRecord | null>;
  }

  scan(after: string | null, limit: number): Promise<readonly CallRecord[]> {
    return this.#ask({ method: "scan", after, limit }) as Promise<readonly CallRecord[]>;
  }

  charges(query: ChargesQuery): Promise<ChargesPage> {
    return this.#ask({ method: "charges", query }) as Promise<ChargesPage>;
  }

  charge(id: string): Promise<ChargeRecord | null> {
    return this.#ask({ method: "charge", id }) as Promise<ChargeRecord | null>;
  }

  runs(query: RunsQuery): Promise<RunsPage> {
    return this.#ask({ method: "runs", query }) as Promise<RunsPage>;
  }

  run(id: string, limit: number): Promise<Run | null> {
    return this.#ask({ method: "run", id, limit }) as Promise<Run | null>;
  }

  success(query: SuccessQuery): Promise<SuccessPage> {
    return this.#ask({ method: "success", query }) as Promise<SuccessPage>;
  }

  drivers(query: DriversQuery): Promise<DriverSums> {
    return this.#ask({ method: "drivers", query }) as Promise<DriverSums>;
  }

  tries(query: TriesQuery): Promise<TriesPage> {
    return this.#ask({ method: "tries", query }) as Promise<TriesPage>;
  }

  odds(query: OddsQuery): Promise<OddsPage> {
    return this.#ask({ method: "odds", query }) as Promise<OddsPage>;
  }

  shape(query: ShapeQuery): Promise<ShapePage> {
    return this.#ask({ method: "shape", query }) as Promise<ShapePage>;
  }

  revenue(query: RevenueQuery): Promise<RevenuePage> {
    return this.#ask({ method: "revenue", query }) as Promise<RevenuePage>;
  }

  margin(query: MarginQuery): Promise<MarginSums> {
    return this.#ask({ method: "margin", query }) as Promise<MarginSums>;
  }

  rework(task: string): Promise<Rework> {
    return this.#ask({ method: "rework", task }) as Promise<Rework>;
  }

  outcomes(task: string): Promise<readonly Outcome[]> {
    return this.#ask({ method: "outcomes", task }) as Promise<readonly Outcome[]>;
  }

  waiting(limit: number): Promise<WaitingPage> {
    return this.#ask({ method: "waiting", limit }) as Promise<WaitingPage>;
  }

  said(query: SaidQuery): Promise<Said> {
    return this.#ask({ method: "said", query }) as Promise<Said>;
  }

  find(query: FindQuery): Promise<Found> {
    return this.#ask({ method: "find", query }) as Promise<Found>;
  }

  chargesOf(ids: readonly string[]): Promise<readonly ChargeRecord[]> {
    return this.#ask({ method: "chargesOf", ids }) as Promise<readonly ChargeRecord[]>;
  }

  incidents(query: ChargesQuery): Promise<IncidentsPage> {
    return this.#ask({ method: "incidents", query }) as Promise<IncidentsPage>;
  }

  unpriced(query: UnpricedQuery): Promise<UnpricedPage> {
    return this.#ask({ method: "unpriced", query }) as Promise<UnpricedPage>;
  }

  busy(query: BusyQuery): Promise<BusyPage> {
    return this.#ask({ method: "busy", query }) as Promise<BusyPage>;
  }

  chargesNamed(prefix: string, limit: number): Promise<readonly ChargeRecord[]> {
    return this.#ask({ method: "chargesNamed", prefix, limit }) as Promise<readonly ChargeRecord[]>;
  }

  trend(query: TrendQuery): Promise<Trend> {
    return this.#ask({ method: "trend", query }) as Promise<Trend>;
  }

  get applied(): Position | null {
    return this.#applied;
  }

  async rerate(query: RerateQuery): Promise<Rerating> {
    await this.#ask({ method: "rerate", query });
    return {
      next: () => this.#ask({ method: "rerate.next" }) as Promise<ReratePage>,
      close: () => this.#ask({ method: "rerate.close" }).then(() => undefined),
    };
  }

  status(): Promise<StoreStatus> {
    return this.#ask({ method: "status" }) as Promise<StoreStatus>;
  }

  advance(position: Position): void {
    this.#written = position;
    if (this.#advancing !== null) return;
    this.#advancing = setTimeout(() => {
      this.#advancing = null;
      if (this.#written !== null) this.#send({ kind: "advance", position: this.#written });
    }, advanceEveryMs);
    this.#advancing.unref();
  }

  async caughtUp(position: Position, timeoutMs: number | null): Promise<void> {
    if (this.#closed) throw busy("it is closed");
    // A process that is started again is told how far to go.
    if (this.#written === null || comparePositions(this.#written, position) < 0) this.#written = position;
    this.#send({ kind: "advance", position });
    let timer: NodeJS.Timeout | undefined;
    let [check, refuse]: [(applied: Position | null) => void, (error: PennyworthError) => void] = [() => {}, () => {}];
    try {
      await new Promise<void>((resolve, reject) => {
        refuse = reject;
        check = (applied) => {
          if (applied !== null && comparePositions(applied, position) >= 0) resolve();
        };
        this.#listeners.add(check);
        this.#waiting.add(refuse);
        if (timeoutMs !== null) timer = setTimeout(() => reject(busy(`it did not catch up within ${timeoutMs} ms`)), timeoutMs);
        check(this.#applied);
      });
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(check);
      this.#waiting.delete(refuse);
    }
  }

  async rebuild(until: Position | null, onProgress?: (applied: Position) => void): Promise<void> {
    await this.#stop();
    dropStore(this.#folder);
    this.#applied = null;
    this.#closing = false;
    if (onProgress !== undefined) this.#listeners.add(onProgress);
    try {
      await this.start();
      if (until !== null) await this.caughtUp(until, null);
    } finally {
      if (onProgress !== undefined) this.#listeners.delete(onProgress);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const refuse of this.#waiting) refuse(busy("it is being closed"));
    if (this.#advancing !== null) clearTimeout(this.#advancing);
    await this.#stop();
  }

  async #stop(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.#send({ kind: "close" });
    // The file is safe at any moment: what is not committed is read from the journal again.
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(timer);
  }

  #spawn(): Promise<void> {
    const typescript = import.meta.url.endsWith(".ts");
    const file = fileURLToPath(new URL(typescript ? "../child.ts" : "../child.js", import.meta.url));
    const loader = typescript ? ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href] : [];
    const child = fork(file, [], {
      serialization: "advanced",
      execArgv: loader,
      // DuckDB waits on this pool, and so does reading the journal.
      env: { ...process.env, UV_THREADPOOL_SIZE: "16" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    this.#starts.push(Date.now());
    const { threads = defaultOptions.threads, memory = defaultOptions.memory } = this.#options;
    return new Promise((resolve, reject) => {
      child.on("message", (message: Answer | News) => {
        if (message.kind === "opened") {
          this.#learn(message.applied);
          resolve();
        } else this.#hear(message);
      });
      child.once("error", (cause) => reject(new PennyworthError("store_failed", { detail: "its process could not be started" }, cause)));
      child.once("exit", (code, signal) => {
        reject(new PennyworthError("store_failed", { detail: `its process ended at once (${signal ?? String(code)})` }));
        if (this.#child === child) this.#lost(signal ?? `exit ${code}`);
      });
      this.#send({ kind: "setup", setup: { folder: this.#folder, threads, memory } });
    });
  }

  #hear(message: Exclude<Answer | News, { kind: "opened" }>): void {
    switch (message.kind) {
      case "applied":
        this.#learn(message.applied);
        return;
      case "trouble":
        this.#options.log?.(message.detail, message.level);
        return;
      case "answer":
        this.#asked.get(message.number)?.resolve(message.value);
        this.#asked.delete(message.number);
        return;
      case "failure":
        this.#asked.get(message.number)?.reject(restore(message.code, message.message));
        this.#asked.delete(message.number);
    }
  }

  #learn(applied: Position | null): void {
    this.#applied = applied;
    if (applied !== null) for (const listener of this.#listeners) listener(applied);
  }

  #lost(why: string): void {
    this.#child = null;
    for (const asked of this.#asked.values()) asked.reject(busy("its process is being started again"));
    this.#asked.clear();
    if (this.#closing) return;
    const nowMs = Date.now();
    this.#starts = this.#starts.filter((ms) => nowMs - ms < startsWindowMs);
    if (this.#starts.length >= startsMax) {
      this.#options.log?.(`the store's process died ${startsMax} times within a minute (${why}); it is left off for a minute`, "error");
      setTimeout(() => void this.#revive(), startsWindowMs).unref();
      return;
    }
    this.#options.log?.(`the store's process died (${why}) and is started again`, "error");
    void this.#revive();
  }

  async #revive(): Promise<void> {
    if (this.#closing) return;
    try {
      await this.start();
      if (this.#written !== null) this.#send({ kind: "advance", position: this.#written });
    } catch {
      // Its exit has been seen, and is being dealt with.
    }
  }

  #ask(question: Question): Promise<unknown> {
    const child = this.#child;
    if (child === null || !child.connected || this.#closing) return Promise.reject(busy("its process is not running"));
    const number = this.#next++;
    return new Promise((resolve, reject) => {
      this.#asked.set(number, { resolve, reject });
      this.#send({ kind: "ask", number, ...question });
    });
  }

  #send(message: Message): void {
    const child = this.#child;
    // A process that is going away says so by its exit.
    if (child?.connected) child.send(message, () => undefined);
  }
}

function busy(detail: string): PennyworthError {
  return new PennyworthError("store_busy", { detail });
}

/** An error as the process had it: its message is complete already. */
function restore(code: PennyworthError["code"], message: string): PennyworthError {
  const error = new PennyworthError(code);
  error.message = message;
  return error;
}
