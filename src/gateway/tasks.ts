// What was said of tasks when they were begun by name, for their calls, which need not say it again. In memory: of late, and what the journal's last
// segment has. Not here: what a call says itself, which goes first (identify.ts). Invariants: of a task what was said first stands; bounded,
// however long what is said.

import type { Attribution } from "../core/call.ts";
import type { TaskBegun } from "../core/outcome.ts";
import { topOf } from "../core/root.ts";

export interface Begun {
  readonly attribution: Attribution;
  /** Its team is that of the key that began it: nobody said another. */
  readonly isKeysTeam: boolean;
}

const tasksMax = 20_000;
const charactersMax = 16 * 1024 * 1024;

export class Tasks {
  readonly #begun = new Map<string, Begun>();
  #characters = 0;

  /** @param keyTeam of the key that began it; null: it has none, or there was no key. */
  keep({ attribution }: TaskBegun, keyTeam: string | null): void {
    const { task } = attribution;
    if (task === null || this.#begun.has(task)) return;
    this.#begun.set(task, { attribution, isKeysTeam: keyTeam !== null && attribution.team === keyTeam });
    this.#characters += charactersOf(attribution);
    for (const [name, oldest] of this.#begun) {
      if (this.#begun.size <= tasksMax && this.#characters <= charactersMax) break;
      this.#begun.delete(name);
      this.#characters -= charactersOf(oldest.attribution);
    }
  }

  /** undefined: it was not begun by name, or long ago. */
  of(task: string): Begun | undefined {
    return this.#begun.get(task);
  }

  /** What is said to be above a task, as far up as it was begun by name; null: nothing is. */
  topOf(task: string): string | null {
    return topOf(task, (at) => this.#begun.get(at)?.attribution);
  }
}

function charactersOf({ tags, ...fields }: Attribution): number {
  let characters = 0;
  for (const value of Object.values(fields)) characters += value?.length ?? 0;
  for (const [name, value] of Object.entries(tags)) characters += name.length + value.length;
  return characters;
}
