// What is said of tasks, on its way to Pennyworth: gathered, sent in the background, tried again where that can help. Not here: what is said.
// Invariants: `put` neither throws nor waits; no more than `waitingMax` statements are kept, and what is not sent is counted and told; the key
// goes to the configured address and nowhere else.

import { Trouble } from "./trouble.ts";

export type Kind = "tasks" | "outcomes";

export interface Statement {
  readonly kind: Kind;
  /** As the control API takes it, in JSON. Its `id` makes it count once, however often it is sent. */
  readonly text: string;
}

export interface OutboxOptions {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
  readonly fetch: typeof fetch;
  readonly tell: (trouble: Trouble) => void;
  readonly limits: Limits;
}

export interface Limits {
  /** Statements that wait, beside the batch that is under way. */
  readonly waitingMax: number;
  /** Statements sent at once. */
  readonly batchMax: number;
  /** How long the first one waits for others. */
  readonly gatherMs: number;
  /** How long an answer may take. */
  readonly silenceMsMax: number;
  /** Before the second try, and twice as long before each one after it. */
  readonly retryMsFirst: number;
  readonly retryMsMax: number;
}

export const usualLimits: Limits = {
  waitingMax: 10_000,
  batchMax: 500,
  gatherMs: 50,
  silenceMsMax: 10_000,
  retryMsFirst: 250,
  retryMsMax: 30_000,
};

type Answer =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly status: number; readonly why: string }
  | {
      readonly kind: "unreached";
      readonly status: number | null;
      readonly why: string;
      /** How long it is asked to wait. */
      readonly waitMs: number;
      readonly cause?: unknown;
    };

const kinds: readonly Kind[] = ["tasks", "outcomes"];
const paths: Readonly<Record<Kind, string>> = { tasks: "/api/v1/tasks/begun", outcomes: "/api/v1/outcomes" };
/** Statuses that time may mend: too slow, too early, too many; and whatever goes wrong over there. */
const passing = new Set([408, 425, 429]);
/** Whoever asks is at fault, not what it says: no part of a batch fares better. */
const ofAll = new Set([401, 403, 404, 405]);

export class Outbox {
  readonly #options: OutboxOptions;
  /** From `#first` on; what is before it has gone. */
  #waiting: (Statement | undefined)[] = [];
  #first = 0;
  #put = 0;
  /** Of those put, how many have been taken, refused or dropped. */
  #done = 0;
  #dropped = 0;
  #running = false;
  /** Ends the pause under way. */
  #wake: (() => void) | null = null;
  /** Lets the program end before the pause does, where the runtime asks. */
  #release: (() => void) | null = null;
  #gathering = false;
  readonly #flushes = new Set<{ readonly upTo: number; readonly resolve: () => void }>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  put(statement: Statement): void {
    const { waitingMax, batchMax } = this.#options.limits;
    if (this.#length >= waitingMax) {
      this.#take(1);
      this.#dropped += 1;
      this.#done += 1;
    }
    this.#waiting.push(statement);
    this.#put += 1;
    if (!this.#running) void this.#run();
    else if (this.#gathering && this.#length >= batchMax) this.#wake?.();
  }

  /**
   * Waits until all that was said so far has been taken or refused.
   * @returns how many statements are still on their way when `withinMs` is over.
   */
  async flush(withinMs: number): Promise<number> {
    const upTo = this.#put;
    if (this.#done >= upTo) return 0;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#flushes.delete(flush);
        if (this.#flushes.size === 0 && !this.#gathering) this.#release?.();
        resolve();
      };
      const timer = setTimeout(end, withinMs);
      const flush = { upTo, resolve: end };
      this.#flushes.add(flush);
      this.#wake?.();
    });
    return Math.max(0, upTo - this.#done);
  }

  get #length(): number {
    return this.#waiting.length - this.#first;
  }

  #take(count: number): Statement[] {
    const taken = this.#waiting.slice(this.#first, this.#first + count) as Statement[];
    this.#waiting.fill(undefined, this.#first, this.#first + taken.length);
    this.#first += taken.length;
    if (this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }

  async #run(): Promise<void> {
    const { batchMax, gatherMs } = this.#options.limits;
    this.#running = true;
    while (this.#length > 0) {
      if (this.#length < batchMax && this.#flushes.size === 0) {
        this.#gathering = true;
        await this.#pause(gatherMs, true);
        this.#gathering = false;
      }
      const batch = this.#take(batchMax);
      for (const kind of kinds) {
        const part = batch.filter((statement) => statement.kind === kind);
        if (part.length > 0) await this.#deliver(kind, part);
      }
      this.#done += batch.length;
      this.#tellDropped();
      for (const flush of this.#flushes) if (this.#done >= flush.upTo) flush.resolve();
    }
    this.#running = false;
  }

  /** Until it is taken or refused, however long that takes. */
  async #deliver(kind: Kind, statements: readonly Statement[]): Promise<void> {
    const { tell, url, limits } = this.#options;
    for (let tries = 0; ; tries += 1) {
      const answer = await this.#post(kind, statements);
      if (answer.kind === "taken") return;
      if (answer.kind === "refused") {
        if (statements.length > 1 && !ofAll.has(answer.status)) {
          // All or none are taken: those that are in order must not suffer for the others.
          const half = statements.length >> 1;
          await this.#deliver(kind, statements.slice(0, half));
          return this.#deliver(kind, statements.slice(half));
        }
        const what = statements.length === 1 ? "a statement" : `${statements.length} statements`;
        const message = `Pennyworth at ${url} does not take ${what} about tasks (${answer.status}): ${answer.why}`;
        return tell(new Trouble("refused", message, statements.length, answer.status));
      }
      if (tries === 0) {
        const message = `Pennyworth at ${url} cannot be reached (${answer.why}): what is said of tasks waits, and is sent again.`;
        tell(new Trouble("unreached", message, 0, answer.status, answer.cause));
      }
      this.#tellDropped();
      const longest = Math.min(limits.retryMsFirst * 2 ** tries, limits.retryMsMax);
      // At random, so that many programs do not come back at once. It keeps no program from ending, unless that waits for it.
      await this.#pause(Math.max(answer.waitMs, longest * (0.5 + Math.random() / 2)), this.#flushes.size > 0);
    }
  }

  async #post(kind: Kind, statements: readonly Statement[]): Promise<Answer> {
    const { url, key, fetch: send, limits } = this.#options;
    try {
      const response = await send(url + paths[kind], {
        method: "POST",
        headers: { "content-type": "application/json", ...(key === undefined ? {} : { "x-pennyworth-key": key }) },
        body: `{"${kind}":[${statements.map(({ text }) => text).join(",")}]}`,
        // The key would go along.
        redirect: "manual",
        signal: AbortSignal.timeout(limits.silenceMsMax),
      });
      const { status, ok } = response;
      const text = await response.text();
      if (ok) return { kind: "taken" };
      const why =
        reasonIn(text) ?? (status === 0 || (status >= 300 && status < 400) ? "it sends elsewhere, where nothing is sent" : "no reason");
      if (!passing.has(status) && status < 500) return { kind: "refused", status, why };
      const waitMs = Math.min(Number(response.headers.get("retry-after")) * 1_000 || 0, limits.retryMsMax);
      return { kind: "unreached", status, why: `${status}: ${why}`, waitMs };
    } catch (cause) {
      return { kind: "unreached", status: null, why: wordsOf(cause), waitMs: 0, cause };
    }
  }

  /** @param holds whether the program may not end before it is over. */
  #pause(ms: number, holds: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = this.#release = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
      this.#release = () => (timer as { unref?: () => void }).unref?.();
      if (!holds) this.#release();
    });
  }

  #tellDropped(): void {
    const count = this.#dropped;
    if (count === 0) return;
    this.#dropped = 0;
    const { tell, limits } = this.#options;
    tell(
      new Trouble("dropped", `${count} statements about tasks were dropped, the oldest: no more than ${limits.waitingMax} wait.`, count),
    );
  }
}

/** What Pennyworth's own errors say; null: it is something else's answer. */
function reasonIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === "string" ? error.message : null;
  } catch {
    return null;
  }
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node says why one level below.
  const below = cause.cause instanceof Error ? `: ${cause.cause.message}` : "";
  return `${cause.message}${below}`;
}
