// The client: tasks as a program runs them, what they are worth, and whose each call is. The one file that is imported from outside.
// Not here: the calls themselves, which go as they always did. Invariant: work goes on as if this were not there, whether Pennyworth answers or not.

import { findStorage, type Storage } from "./current.ts";
import { type AnyHeaders, readPlace } from "./details.ts";
import { toFetch, toOrigin } from "./origin.ts";
import { type Limits, Outbox, usualLimits } from "./outbox.ts";
import { type Home, type Outcome, RunningTask, runTask, type RunTask, say, type Task } from "./task.ts";
import { type Listener, toTeller } from "./trouble.ts";

export type { Storage } from "./current.ts";
export type { AnyHeaders, Details, Name } from "./details.ts";
export type { Limits } from "./outbox.ts";
export type { Ending, Judge, Outcome, Result, RunTask, Task, Work } from "./task.ts";
export { Trouble, type TroubleKind } from "./trouble.ts";

export interface Options {
  /** Pennyworth's address; `http://127.0.0.1:4242`, unless it says otherwise. */
  readonly url?: string;
  /** A Pennyworth key. It goes to `url` and nowhere else. */
  readonly key?: string | undefined;
  /** Told of what could not be said. Without it, it is printed. */
  readonly onError?: Listener;
  readonly fetch?: typeof fetch;
  /** An `AsyncLocalStorage`, where the runtime's own is not found. null: tasks nest by `t.task` alone. */
  readonly storage?: Storage | null;
  readonly limits?: Partial<Limits>;
}

export interface Client {
  /** Within another task, where that is known, a part of it; else a root. */
  readonly task: RunTask;
  /** `fetch` for clients that are made once: its requests to Pennyworth are those of the task that makes them. */
  readonly fetch: typeof fetch;
  /** The task that this code belongs to; null: none, or nobody knows. */
  readonly current: () => Task | null;
  /** The task that the headers of another process name; null: they name none. */
  readonly resume: Resume;
  /** Says how a task ended, wherever that is known: a check, a person, a week later. */
  readonly outcome: (task: string, outcome: Outcome) => void;
  /** Sends what waits. @returns how many statements are on their way still when `withinMs` (10 s) are over. It never throws. */
  readonly flush: (withinMs?: number) => Promise<number>;
}

export interface Resume {
  (headers: AnyHeaders): Task | null;
  /** Runs the work so that it is a part of that task, and gives back what it gives back. It may fail without the task having failed. */
  <R>(headers: AnyHeaders, work: (task: Task | null) => R): R;
}

const flushMs = 10_000;

/** @throws TypeError for a `url` that is no address. Nothing that it returns throws. */
export function pennyworth(options: Options = {}): Client {
  const { url = "http://127.0.0.1:4242", key, onError, storage = findStorage() } = options;
  const origin = toOrigin(url);
  const given = options.fetch ?? fetch;
  // Browsers take it from nobody's hand but the page's own.
  const send: typeof fetch = (input, init) => given(input, init);
  const tell = toTeller(onError);
  const outbox = new Outbox({ url: origin.url, key, fetch: send, tell, limits: { ...usualLimits, ...options.limits } });
  const home: Home = {
    origin,
    key,
    fetch: send,
    tell,
    put: (statement) => outbox.put(statement),
    within: (task, work) => (storage === null ? work() : storage.run(task, work)),
  };
  const current = (): RunningTask | null => {
    const found = storage?.getStore();
    return found instanceof RunningTask && found.isOf(home) ? found : null;
  };
  const keyAlone = key === undefined ? {} : { "x-pennyworth-key": key };
  return {
    task: <R>(type: string, ...rest: readonly unknown[]): Promise<R> => runTask<R>(home, current()?.place ?? null, type, rest),
    fetch: toFetch(origin, send, () => current()?.said ?? keyAlone),
    current,
    resume: (<R>(headers: AnyHeaders, work?: (task: Task | null) => R): Task | null | R => {
      const place = readPlace(headers);
      const task = place === null ? null : new RunningTask(home, place);
      if (work === undefined) return task;
      return task === null ? work(null) : home.within(task, () => work(task));
    }) as Resume,
    outcome: (task, outcome) => say(home, task, outcome),
    flush: (withinMs = flushMs) => outbox.flush(withinMs),
  };
}
