// What the API answers about re-rating, closed months and reconciliation. Not here: how it is asked (api.ts), what the words mean
// (docs/closing.md, docs/reconcile.md). Invariant: amounts of money stay the decimal strings that the API gave.

export interface RerateDay {
  readonly provider: string;
  readonly model: string | null;
  readonly day: string;
  readonly calls: number;
  /** Calls that had something without a price, and have none by now; and the other way round. */
  readonly priced: number;
  readonly lost: number;
  readonly before: string;
  readonly after: string;
  readonly difference: string;
}

export interface RerateJob {
  readonly id: string;
  readonly state: "running" | "done" | "failed";
  readonly problem: string | null;
  readonly dryRun: boolean;
  /** Differences of calls before it are booked at the time of the re-rating. */
  readonly closedUntilMs: number | null;
  /** Whether it waits for the store to have all that is on record, and how far that is behind; null: not known. */
  readonly waiting: boolean;
  readonly lagBytes: number | null;
  /** Calls looked at, and those of the span. */
  readonly done: number;
  readonly total: number;
  /** Calls that come to something else, or at another version of their price. */
  readonly calls: number;
  /** null: it is still under way. */
  readonly days: readonly RerateDay[] | null;
}

export interface Closing {
  /** `2026-10`, UTC. */
  readonly month: string;
  readonly atMs: number;
  readonly cost: string;
  readonly calls: number;
  /** SHA-256, hex, of its statement. */
  readonly statement: string;
  /** Whether the month's report still gives this statement; null: not asked. */
  readonly holds: boolean | null;
}

export interface Closings {
  readonly closedUntilMs: number | null;
  readonly closings: readonly Closing[];
}

export interface ClosedMonth {
  readonly closing: Closing;
  /** false: a dry run. */
  readonly closed: boolean;
  readonly unsure: {
    readonly unpriced: number;
    readonly unmetered: number;
    readonly presumed: number;
    readonly doubtful: number;
    readonly periodUnpriced: number;
  };
}

export interface StatedMeasure {
  /** null: not said, or its units cannot be added. */
  readonly quantity: number | null;
  readonly cost: string | null;
}

export interface ReconciledRow {
  /** Days, UTC; `to` is the day after the last. */
  readonly from: string;
  readonly to: string;
  readonly model: string | null;
  readonly class: string | null;
  /** The provider's words, where it is no usage of a model. */
  readonly item: string | null;
  readonly stated: StatedMeasure;
  readonly ledger: StatedMeasure;
  /** Stated less ledger. */
  readonly gap: StatedMeasure;
}

export interface ReconciledCause {
  readonly kind: string;
  readonly title: string;
  /** Its part of the gap: above zero where the statement has more. All of them add up to the gap. */
  readonly amount: string;
  readonly why: readonly string[];
}

interface Gap {
  /** null: the statement has no amounts. */
  readonly stated: string | null;
  readonly ledger: string;
  readonly gap: string | null;
  /** Of what is stated, or of what it is valued at. */
  readonly gapPercent: string | null;
  /** Without amounts: what its quantities come to at the ledger's prices. */
  readonly valued: string | null;
}

export interface ReconciledSums extends Gap {
  readonly id: string;
  readonly atMs: number;
  readonly provider: string;
  readonly from: string;
  readonly to: string;
}

export interface Reconciliations {
  readonly reconciliations: readonly ReconciledSums[];
}

export interface Reconciliation extends Gap {
  readonly id: string | null;
  readonly provider: string;
  /** What the files were found to be. */
  readonly title: string;
  readonly files: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly causes: readonly ReconciledCause[];
  readonly rows: readonly ReconciledRow[];
  readonly rowCount: number;
  readonly models: { readonly statedOnly: readonly string[]; readonly ledgerOnly: readonly string[] };
  readonly foreign: readonly { readonly currency: string; readonly amount: string; readonly ledger: string }[];
  readonly notes: readonly string[];
}
