// Lines of a batch's results as they pass, to us or to a client: each one is a call at batch tier, seen by a witness.
// Not here: files and who reads them. Invariant: a line has the same id whoever reads it, so that it is one call; memory holds one line.

import type { Attribution, Observation } from "../core/call.ts";
import type { PriceBook } from "../core/price.ts";
import type { Work } from "../core/work.ts";
import type { AnswerFacts, AnswerHead, Format, FormatName } from "../providers/format.ts";
import type { Fate, Reader } from "../providers/frames.ts";
import { unread } from "../providers/opaque.ts";
import { readResult, type Result } from "../providers/results.ts";
import { toObservation } from "./observe.ts";

/** The batch that lines belong to. */
export interface Source {
  readonly provider: { readonly name: string; readonly region: string | null };
  /** The batch's id; of a file of an unknown batch the file's. */
  readonly ref: string;
  readonly startMs: number;
  readonly attribution: Attribution;
  readonly key: string | null;
  readonly endpoint: string;
  readonly model: string | null;
}

export interface LineEffects {
  readonly book: PriceBook;
  readonly formats: ReadonlyMap<FormatName, Format>;
  readonly now: () => number;
  readonly observe: (observation: Observation) => void;
  /** Told of bugs, which must not reach a passing answer. */
  readonly internal: (error: unknown) => unknown;
}

export const batchTier = "batch";

/** Of the lines of a batch: a task of its own below the creator's. */
export function batchAttribution(attribution: Attribution, ref: string): Attribution {
  return {
    ...attribution,
    task: ref,
    parent: attribution.task,
    root: attribution.root ?? attribution.task ?? ref,
    type: attribution.type ?? "batch",
  };
}

export function sourceOf(work: Work, region: string | null): Source {
  return {
    provider: { name: work.provider, region },
    ref: work.ref,
    startMs: work.startMs,
    attribution: batchAttribution(work.attribution, work.ref),
    key: work.key,
    endpoint: work.path.split("?")[0]?.replace(/\/[^/]+$/, "") ?? work.path,
    model: work.model,
  };
}

/** Counts of what was read. */
export interface Tally {
  lines: number;
  failed: number;
  /** Too large to be read, or no lines of results. */
  unread: number;
}

/** One line. @param index in its file, for lines that name no id. */
export function observeLine(
  result: Result,
  source: Source,
  witness: "fetch" | "follow",
  index: number,
  { book, formats, now, observe }: LineEffects,
): void {
  const format = result.format === null ? undefined : formats.get(result.format);
  const facts = format === undefined || result.body === null ? null : format.answer(result.body, headOf(result));
  observe(
    toObservation(
      book,
      {
        witness,
        observedMs: now(),
        startMs: source.startMs,
        provider: source.provider,
        format: result.format ?? batchTier,
        endpoint: source.endpoint,
        key: source.key,
        attribution: source.attribution,
        responseId: facts?.responseId ?? result.lineId ?? `${source.ref}:${result.customId ?? index}`,
        modelSent: source.model,
        tier: batchTier,
        status: result.error === null && (facts === null || facts.error === null) ? "complete" : "failed",
      },
      facts,
    ),
  );
}

function headOf({ status }: Result): AnswerHead {
  return { status, type: "application/json", header: () => null };
}

/** Follows lines as they pass; the first one that is none of a batch's results switches it off. */
export class LineReader implements Reader {
  readonly started = true;
  readonly outputBytes = 0;
  readonly tally: Tally = { lines: 0, failed: 0, unread: 0 };
  readonly #source: Source;
  readonly #witness: "fetch" | "follow";
  readonly #effects: LineEffects;
  readonly #whole: (tally: Tally) => void;
  #index = 0;
  #isOff: boolean;

  /** @param whole told once every line has been read. `isKnown`: they are on record already, and pass unread. */
  constructor(source: Source, witness: "fetch" | "follow", effects: LineEffects, isKnown: boolean, whole: (tally: Tally) => void) {
    this.#source = source;
    this.#witness = witness;
    this.#effects = effects;
    this.#isOff = isKnown;
    this.#whole = whole;
  }

  /** @param data latin1 of the line's bytes. */
  event(data: string): Fate {
    if (this.#isOff) return "pass";
    try {
      this.#take(Buffer.from(data, "latin1"));
    } catch (bug) {
      this.#effects.internal(bug);
    }
    return "pass";
  }

  /** Lines of results are never cut: what they cost was spent before. */
  cut(): null {
    return null;
  }

  missed(): void {
    this.tally.unread++;
    this.#index++;
  }

  end(): void {
    if (!this.#isOff) this.#whole(this.tally);
    this.#isOff = true;
  }

  facts(): AnswerFacts {
    return unread;
  }

  #take(bytes: Buffer): void {
    const result = readResult(bytes);
    if (result === null) {
      this.tally.unread++;
      if (this.#index === 0) this.#isOff = true;
    } else {
      this.tally.lines++;
      if (result.error !== null) this.tally.failed++;
      observeLine(result, this.#source, this.#witness, this.#index, this.#effects);
    }
    this.#index++;
  }
}
