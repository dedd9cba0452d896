// Progress of a task tree: the money it spent since it last showed something new. Not here: how much is too much (cap.ts), what a result says
// (it comes as a hash). Invariant: what counts as new is a tool result that this tree has not had before, an outcome, or a mark set by
// somebody; nothing else.

import type { ToolRound } from "./loop.ts";

/** Results remembered of one tree: after so many others, one counts as new once more. */
export const resultsMax = 256;

export interface ProgressSnapshot {
  /** Picodollars, digits. */
  readonly idle: string;
  readonly atMs: number;
  readonly results: readonly string[];
}

export class Progress {
  readonly #results = new Set<string>();
  #idle = 0n;
  #atMs: number;

  constructor(atMs: number) {
    this.#atMs = atMs;
  }

  /** Picodollars spent since the last progress. */
  get idle(): bigint {
    return this.#idle;
  }

  /** When there was progress last; the tree's beginning when there was none. */
  get atMs(): number {
    return this.#atMs;
  }

  get size(): number {
    return this.#results.size;
  }

  spend(pico: bigint): void {
    this.#idle += pico;
  }

  /** An outcome, an artefact, or a mark. */
  mark(atMs: number): void {
    this.#idle = 0n;
    this.#atMs = atMs;
  }

  /** Looks at the tool results that a request adds for one that is new. */
  look(rounds: readonly ToolRound[], atMs: number): void {
    let isNew = false;
    for (const { result } of rounds) if (this.#add(result)) isNew = true;
    if (isNew) this.mark(atMs);
  }

  /** Of another part of the same tree, as it turns out. */
  join(other: Progress): void {
    this.#idle += other.#idle;
    if (other.#atMs > this.#atMs) this.#atMs = other.#atMs;
    for (const result of other.#results) this.#add(result);
  }

  snapshot(): ProgressSnapshot {
    return { idle: String(this.#idle), atMs: this.#atMs, results: [...this.#results] };
  }

  static restore({ idle, atMs, results }: ProgressSnapshot): Progress {
    const progress = new Progress(atMs);
    progress.#idle = BigInt(idle);
    for (const result of results) progress.#results.add(result);
    return progress;
  }

  /** @returns whether it was not known. */
  #add(result: string): boolean {
    if (this.#results.has(result)) return false;
    this.#results.add(result);
    if (this.#results.size > resultsMax) this.#results.delete(this.#results.values().next().value as string);
    return true;
  }
}
