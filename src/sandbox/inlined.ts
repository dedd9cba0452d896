// Gemini's batches of inlined requests, as they are kept: bounded, the oldest go first. Not here: their paths (batching.ts).

import type { Controls } from "./controls.ts";
import type { Exchange } from "./exchange.ts";

export interface Line {
  readonly exchange: Exchange;
  readonly controls: Readonly<Controls>;
  readonly metadata: unknown;
}

export interface Batch {
  readonly name: string;
  readonly model: string;
  readonly displayName: string | null;
  readonly path: string;
  readonly createdMs: number;
  state: "PENDING" | "RUNNING" | "SUCCEEDED" | "CANCELLED";
  updatedMs: number;
  /** Looks that find it unfinished, and those there have been. */
  readonly polls: number;
  looks: number;
  lines: readonly Line[];
  /** The answers, and errors in the place of answers, once it is done. */
  answers: readonly object[];
  failed: number;
}

const batchesMax = 1000;

export class Batches {
  readonly #batches = new Map<string, Batch>();

  put(batch: Batch): void {
    this.#batches.set(batch.name, batch);
    for (const oldest of this.#batches.keys()) {
      if (this.#batches.size <= batchesMax) break;
      this.#batches.delete(oldest);
    }
  }

  read(name: string): Batch | null {
    return this.#batches.get(name) ?? null;
  }

  list(): readonly Batch[] {
    return [...this.#batches.values()];
  }

  remove(name: string): void {
    this.#batches.delete(name);
  }
}
