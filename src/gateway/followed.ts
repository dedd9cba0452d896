// What following work needs and gives: its limits, its effects on the world, a request that passes, work as it stands. Types alone.

import type { Attribution } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import type { Work, WorkStatus } from "../core/work.ts";
import type { Format } from "../providers/format.ts";
import type { Kept, Reading, Wanted } from "./read.ts";
import type { LineEffects, Tally } from "./results.ts";
import type { Turn } from "./rounds.ts";

export interface WorkLimits {
  /** Between two looks at the same work: doubled each time. */
  readonly workPollMsMin: number;
  readonly workPollMsMax: number;
  /** Looks at the same time. */
  readonly workPollsMax: number;
  /** Work that has not ended by then is given up. */
  readonly workAgeMsMax: number;
  readonly worksMax: number;
  readonly answerKeptBytesMax: number;
  readonly eventBytesMax: number;
}

export interface WorkEffects extends Omit<LineEffects, "observe"> {
  readonly limits: WorkLimits;
  readonly regionOf: (provider: string) => string | null;
  /** Puts an entry on record, now or as soon as the journal can be written. Never throws. */
  readonly note: (entry: Entry) => void;
  /** @throws PennyworthError `journal_unwritable` while entries wait for the journal. */
  readonly requireWritable: () => void;
  readonly canRead: (provider: string, kept: Kept | null) => boolean;
  readonly read: (wanted: Wanted) => Promise<Reading>;
  readonly internal: (error: unknown) => unknown;
  readonly warn: (message: string) => void;
}

/** A request to an endpoint of kind `work`. */
export interface Passing {
  readonly method: string;
  /** At Pennyworth, without `/to/<provider>` and query. */
  readonly path: string;
  /** Without a credential. */
  readonly query: string;
  readonly provider: { readonly name: string; readonly region: string | null };
  /** Whose errors and requests it has. */
  readonly format: Format;
  readonly attribution: Attribution;
  readonly key: string | null;
  readonly kept: Kept | null;
}

export interface OpenWork {
  readonly work: Work;
  readonly lookedMs: number | null;
  readonly nextMs: number | null;
  /** Why it cannot be followed, or what went wrong last; null when all is well. */
  readonly problem: string | null;
}

export interface EndedWork {
  readonly work: Work;
  readonly endedMs: number;
  readonly status: WorkStatus;
  readonly lines: number;
  readonly failed: number;
  readonly unread: number;
  readonly problem: string | null;
}

export interface Followed extends Turn {
  work: Work;
  kept: Kept | null;
  lookedMs: number | null;
  problem: string | null;
  /** Looks in a row that did not find it. */
  missing: number;
  readonly tally: Tally;
}
