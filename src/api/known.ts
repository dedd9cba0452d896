// Which ids were said of late, and what under them: so that a repeat is told from something else. In memory, since the start. Not here: what
// counts; of an id the first in the journal stands. Invariant: bounded, whatever is said.

import { hash } from "node:crypto";
import { Recent } from "../core/recent.ts";

const knownMax = 50_000;

export class Known {
  /** Marks of ids and of what was said: how long either is must not matter. */
  readonly #known = new Recent<string, string>(knownMax);

  /** @param mark of what is said now: `markOf`. */
  look(id: string, mark: string): "new" | "same" | "other" {
    const before = this.#known.get(markOf(id));
    return before === undefined ? "new" : before === mark ? "same" : "other";
  }

  keep(id: string, mark: string): void {
    this.#known.set(markOf(id), mark);
  }
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
