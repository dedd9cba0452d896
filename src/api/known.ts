// Which ids were said of late, and what under them: so that a repeat is told from something else. In memory, since the start. Not here: what
// counts; of an id the first in the journal stands. Invariant: bounded, whatever is said.

import { createHash } from "node:crypto";

const knownMax = 50_000;

export class Known {
  /** Hashes of id and content: how long an id is must not matter. The oldest first. */
  readonly #known = new Map<string, string>();

  look(id: string, content: unknown): "new" | "same" | "other" {
    const before = this.#known.get(hashOf(id));
    return before === undefined ? "new" : before === hashOf(content) ? "same" : "other";
  }

  keep(id: string, content: unknown): void {
    this.#known.set(hashOf(id), hashOf(content));
    if (this.#known.size > knownMax) this.#known.delete(this.#known.keys().next().value as string);
  }
}

/** Of what was said, whatever the order of its fields. */
function hashOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content, inOrder)).digest("base64url").slice(0, 22);
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
