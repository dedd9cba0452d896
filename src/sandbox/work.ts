// Work that outlasts a request, as the sandbox keeps it: files, batches, fine-tuning jobs. Not here: their paths, and how they are done.
// Invariant: bounded in number and in bytes of files; the oldest go first.

import type { Controls } from "./controls.ts";
import type { Exchange } from "./exchange.ts";
import type { WitnessedCall } from "./witness.ts";

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly bytes: Buffer;
  readonly createdS: number;
}

/** One request of a batch; `exchange` is the refusal's text where the request is none. */
export interface Line {
  readonly customId: string;
  readonly url: string;
  readonly exchange: Exchange | { readonly refused: string };
  readonly controls: Readonly<Controls>;
}

/** A batch of OpenAI's or Anthropic's; `pollsLeft` looks still find it under way. */
export interface Batch {
  readonly id: string;
  readonly createdMs: number;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: unknown;
  /** Wrong lines of the input file. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
  readonly total: number;
  state: "created" | "under way" | "done" | "cancelling" | "cancelled" | "failed";
  endedMs: number | null;
  pollsLeft: number;
  lines: readonly Line[];
  /** The results, a JSON text each. */
  results: readonly string[];
  completed: number;
  failed: number;
  outputFileId: string | null;
  /** What the whole batch says it used, once it is done. */
  usage: object | null;
  errorFileId: string | null;
}

export interface Job {
  readonly id: string;
  readonly createdS: number;
  readonly model: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The call that began it: it serves the training once that is done. */
  readonly row: WitnessedCall;
  readonly trainedTokens: number;
  state: "validating_files" | "queued" | "running" | "succeeded" | "cancelled";
  pollsLeft: number;
  finishedS: number | null;
}

/** Things by their id, oldest first. */
export class Shelf<Thing extends { readonly id: string }> {
  readonly #things = new Map<string, Thing>();
  readonly #max: number;
  readonly #bytesOf: (thing: Thing) => number;
  #bytes = 0;

  constructor(max: number, bytesOf: (thing: Thing) => number = () => 0) {
    this.#max = max;
    this.#bytesOf = bytesOf;
  }

  put(thing: Thing): void {
    this.#things.set(thing.id, thing);
    this.#bytes += this.#bytesOf(thing);
    for (const oldest of this.#things.values()) {
      if (this.#things.size <= this.#max && this.#bytes <= bytesMax) break;
      this.remove(oldest.id);
    }
  }

  read(id: string): Thing | null {
    return this.#things.get(id) ?? null;
  }

  list(): readonly Thing[] {
    return [...this.#things.values()];
  }

  remove(id: string): boolean {
    const thing = this.#things.get(id);
    if (thing !== undefined) this.#bytes -= this.#bytesOf(thing);
    return this.#things.delete(id);
  }
}

const bytesMax = 256 * 1024 * 1024;

export class Work {
  readonly files = new Shelf<StoredFile>(10_000, (file) => file.bytes.length);
  readonly batches = new Shelf<Batch>(1000);
  readonly messageBatches = new Shelf<Batch>(1000);
  readonly jobs = new Shelf<Job>(1000);
}
