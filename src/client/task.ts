// A task that is under way: what its calls say, and what is said of how it ends. Not here: sending. Invariant: nothing of this throws into the
// work that is measured, save what the work itself throws.

import {
  type AnyHeaders,
  clean,
  detailNames,
  type Details,
  type Name,
  type Place,
  readHeader,
  toBaggage,
  toHeaders,
  toPlace,
  toRecord,
} from "./details.ts";
import { type Origin, toFetch } from "./origin.ts";
import type { Statement } from "./outbox.ts";
import { tellStrangers, Trouble } from "./trouble.ts";

export type Result = "success" | "failure" | "unknown";
/** Who says so, by how much it weighs: a person outweighs a check, and a check what the task says of itself. */
export type Judge = "person" | "check" | "self";

export interface Ending {
  /** What it was worth, in dollars. As a string it is exact. */
  readonly value?: number | string | undefined;
  /** What a person spent checking. */
  readonly reviewMinutes?: number | undefined;
  /** Which check, which person, which program. */
  readonly source?: Name;
  /** Why, in a word: `tests_failed`, `reverted`. */
  readonly reason?: Name;
}

/** What somebody says of how a task ended. Later, it may be revised: of one judge and source, what was said last stands. */
export interface Outcome extends Ending {
  readonly result?: Result | undefined;
  /** The task itself, unless it says otherwise. */
  readonly judge?: Judge | undefined;
  /** When it was so; now, unless it says otherwise. */
  readonly at?: Date | string | number | undefined;
  /** Of the statement: said twice, it counts once. */
  readonly id?: Name;
}

export type Work<R> = (task: Task) => R | Promise<R>;

/** Runs the work as a task, and gives back what it gives back. */
export interface RunTask {
  <R>(type: string, work: Work<R>): Promise<R>;
  <R>(type: string, details: Details | null | undefined, work: Work<R>): Promise<R>;
}

export interface Task {
  readonly id: string;
  /** What its calls say, for whatever is not given `fetch`: `x-pennyworth-…` and the same as W3C `baggage`. No key is among it. */
  readonly headers: Readonly<Record<string, string>>;
  /** `fetch` whose requests to Pennyworth say that they are this task's; all others go as they are. */
  readonly fetch: typeof fetch;
  /** A part of this task. */
  readonly task: RunTask;
  /** `headers` for another process, added to those that are on their way there. */
  readonly carry: (headers?: AnyHeaders) => Record<string, string>;
  readonly succeed: (ending?: Ending) => void;
  readonly fail: (ending?: Ending) => void;
  /** For checks, people, and what is known later. */
  readonly outcome: (outcome: Outcome) => void;
}

/** What a task needs of its client. */
export interface Home {
  readonly origin: Origin;
  readonly key: string | undefined;
  readonly fetch: typeof fetch;
  readonly put: (statement: Statement) => void;
  readonly tell: (trouble: Trouble) => void;
  /** Runs the work so that what it calls finds the task. */
  readonly within: <R>(task: RunningTask, work: () => R) => R;
}

export class RunningTask implements Task {
  readonly id: string;
  readonly place: Place;
  readonly #home: Home;
  #said: Readonly<Record<string, string>> | null = null;
  #headers: Readonly<Record<string, string>> | null = null;
  #fetch: typeof fetch | null = null;
  /** Of the last statement, ms: of two of the same moment nobody could say which was last. */
  #lastMs = 0;
  #failed = false;
  #source: Name;

  constructor(home: Home, place: Place) {
    this.#home = home;
    this.place = place;
    this.id = place.fields.task;
  }

  /** Whether it is this client's: of another one neither its key nor its tasks are known here. */
  isOf(home: Home): boolean {
    return this.#home === home;
  }

  /** What requests to Pennyworth say. */
  get said(): Readonly<Record<string, string>> {
    const { key } = this.#home;
    return (this.#said ??= { ...toHeaders(this.place), ...(key === undefined ? {} : { "x-pennyworth-key": key }) });
  }

  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= Object.freeze(this.carry()));
  }

  get fetch(): typeof fetch {
    return (this.#fetch ??= toFetch(this.#home.origin, this.#home.fetch, () => this.said));
  }

  // Functions of their own, so that they can be handed on without the task.

  readonly task: RunTask = <R>(type: string, ...rest: readonly unknown[]): Promise<R> => runTask<R>(this.#home, this.place, type, rest);

  readonly carry = (headers: AnyHeaders = {}): Record<string, string> => {
    const baggage = toBaggage(this.place, readHeader(headers, "baggage"));
    return { ...toRecord(headers), ...toHeaders(this.place), baggage };
  };

  readonly succeed = (ending: Ending = {}): void => this.#end("success", ending);

  readonly fail = (ending: Ending = {}): void => this.#end("failure", ending);

  readonly outcome = (outcome: Outcome): void => {
    const atMs = Math.max(Date.now(), this.#lastMs + 1);
    this.#lastMs = atMs;
    say(this.#home, this.id, outcome, atMs);
  };

  /** The work threw, and that goes on as it is. */
  broke(cause: unknown): void {
    // It had said so itself, and knows better why.
    if (!this.#failed) this.fail({ source: this.#source, reason: nameOf(cause) });
  }

  #end(result: "success" | "failure", ending: Ending): void {
    this.#failed = result === "failure";
    this.#source = ending?.source;
    this.outcome({ ...ending, result, judge: "self" });
  }
}

/** @param above null: it is a root. @param rest of `RunTask`: details, if any, and the work. */
export async function runTask<R>(home: Home, above: Place | null, type: string, rest: readonly unknown[]): Promise<R> {
  const work = rest.at(-1) as Work<R>;
  const details = ((rest.length > 1 ? rest[0] : null) ?? {}) as Details;
  const task = begin(home, above, type, details);
  try {
    return await home.within(task, () => work(task));
  } catch (cause) {
    task.broke(cause);
    throw cause;
  }
}

/** What `Outcome` may say. */
const outcomeNames: ReadonlySet<string> = new Set(["result", "judge", "at", "id", "value", "reviewMinutes", "source", "reason"]);

/** Says how a task ended, wherever that is known. */
export function say({ put, tell }: Pick<Home, "put" | "tell">, task: string, outcome: Outcome, nowMs = Date.now()): void {
  try {
    const { id, result, judge = "self", at, value, reviewMinutes, source, reason } = outcome;
    tellStrangers(tell, `What was said of how the task ${task} ended`, outcome, outcomeNames);
    const body = {
      id: clean(id) ?? makeId(),
      task: clean(task),
      result,
      judge,
      at: toNumber(at instanceof Date ? at.getTime() : (at ?? nowMs)),
      value: value === undefined || value === null ? undefined : toDollars(value),
      reviewMinutes: toNumber(reviewMinutes),
      source: clean(source),
      reason: clean(reason),
    };
    put({ kind: "outcomes", text: JSON.stringify(body) });
  } catch (cause) {
    tell(new Trouble("refused", `What was said of the task ${task} cannot be sent: ${String(cause)}`, 1, null, cause));
  }
}

export function makeId(): string {
  // Browsers have it on secure pages alone.
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function begin(home: Home, above: Place | null, type: string, details: Details): RunningTask {
  const place = toPlace(type, details, above, makeId);
  tellStrangers(home.tell, `The task ${place.fields.type ?? place.fields.task}`, details, detailNames);
  const { task: id, ...fields } = place.fields;
  // A step is a call's, and no task's.
  const body = { id, ...fields, step: undefined, tags: place.tags ?? undefined, reworkOf: clean(details.reworkOf), began: Date.now() };
  home.put({ kind: "tasks", text: JSON.stringify(body) });
  return new RunningTask(home, place);
}

/** What is no number is said as it is, so that it is refused: JSON would make nothing of it. */
function toNumber<Said>(value: Said): Said | string {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** Dollars as a decimal string, where a number has no more digits than there are picodollars: 0.1 + 0.2 is 0.3. */
function toDollars(value: number | string): string {
  const text = String(value);
  if (typeof value !== "number" || !/^-?\d+\.\d{13,}$/.test(text)) return text;
  return value.toFixed(12);
}

/** `error:` and the error's class: its message may hold anything. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "error";
  const made = cause.constructor?.name;
  // What browsers throw is all of one class.
  const name = made === "DOMException" ? cause.name : made;
  return typeof name === "string" && /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]{0,63}$/u.test(name) ? `error:${name}` : "error";
}
