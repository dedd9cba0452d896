// Which ids were said before, and what under them: so that a repeat is told from something else. What was said since the start is remembered, and older
// is asked of the store. Not here: what counts; of an id the first in the journal stands. Invariants: memory is bounded, whatever is said; and where the
// store cannot tell, an id is taken as new, so that nobody waits for it.

import { hash } from "node:crypto";
import type { Outcome, TaskBegun } from "../core/outcome.ts";
import { Recent } from "../core/recent.ts";
import { turns } from "../turn.ts";
import type { ApiContext } from "./context.ts";

const knownMax = 50_000;
/** How long a store that is behind is waited for, ms. */
const behindMsMax = 250;

export type Seen = "new" | "same" | "other";

export class Known {
  /** Marks of ids and of what was said: how long either is must not matter. */
  readonly #known = new Recent<string, string>(knownMax);

  /** Since the start. @param mark of what is said now: `markOf`. */
  look(id: string, mark: string): Seen {
    const before = this.#known.get(markOf(id));
    return before === undefined ? "new" : before === mark ? "same" : "other";
  }

  keep(id: string, mark: string): void {
    this.#known.set(markOf(id), mark);
  }
}

/** What is on record under ids; those of which the store knows nothing are left out. */
export interface Recalled {
  readonly tasks: ReadonlyMap<string, TaskBegun>;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** Asks the store for ids, all that come while it answers in one question. */
export class Recall {
  readonly #ledger: Pick<ApiContext["ledger"], "said" | "caughtUp">;
  readonly #inTurn = turns();
  #next: { readonly tasks: Set<string>; readonly outcomes: Set<string>; readonly answer: Promise<Recalled> } | null = null;
  /** Whether the store has had all that was on record at the start. */
  #isWhole = false;

  constructor(ledger: Pick<ApiContext["ledger"], "said" | "caughtUp">) {
    this.#ledger = ledger;
  }

  ask(ids: { readonly tasks?: Iterable<string>; readonly outcomes?: Iterable<string> }): Promise<Recalled> {
    if (this.#next === null) {
      const [tasks, outcomes] = [new Set<string>(), new Set<string>()];
      const answer = this.#inTurn(() => {
        this.#next = null;
        return this.#answer(tasks, outcomes);
      });
      this.#next = { tasks, outcomes, answer };
    }
    for (const id of ids.tasks ?? []) this.#next.tasks.add(id);
    for (const id of ids.outcomes ?? []) this.#next.outcomes.add(id);
    return this.#next.answer;
  }

  async #answer(tasks: ReadonlySet<string>, outcomes: ReadonlySet<string>): Promise<Recalled> {
    if (tasks.size + outcomes.size === 0) return nothing;
    try {
      if (!this.#isWhole) this.#isWhole = await this.#ledger.caughtUp(behindMsMax);
      const found = await this.#ledger.said({ tasks: [...tasks], outcomes: [...outcomes] });
      return {
        tasks: new Map(found.tasks.flatMap((task) => (task.attribution.task === null ? [] : [[task.attribution.task, task] as const]))),
        outcomes: new Map(found.outcomes.map((outcome) => [outcome.id, outcome])),
      };
    } catch {
      // Said again it counts once all the same; what a program says of its work does not wait for the store.
      return nothing;
    }
  }
}

const nothing: Recalled = { tasks: new Map(), outcomes: new Map() };

/** How a task that is said to begin stands to what is on record. @param now as it is read now, and `later` as it would be a moment later. */
export function seenTask(before: TaskBegun | undefined, now: TaskBegun, later: TaskBegun): Seen {
  // A time that moves with the clock, an age or none, is no time that was said.
  const isFixed = now.beganMs === later.beganMs;
  const mark = (one: TaskBegun): string => markOf({ ...one, key: null, beganMs: isFixed ? one.beganMs : null });
  return before === undefined ? "new" : mark(before) === mark(now) ? "same" : "other";
}

/** As `seenTask`. */
export function seenOutcome(before: Outcome | undefined, now: Outcome, later: Outcome): Seen {
  const isFixed = now.atMs === later.atMs;
  const mark = (one: Outcome): string => markOf({ ...one, key: null, atMs: isFixed ? one.atMs : null });
  return before === undefined ? "new" : mark(before) === mark(now) ? "same" : "other";
}

/** Of what was said, whatever the order of its fields. */
export function markOf(said: unknown): string {
  return hash("sha256", JSON.stringify(said, inOrder) ?? "", "base64").slice(0, 22);
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
