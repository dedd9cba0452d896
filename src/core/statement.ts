// A statement: what a provider says it counted and charged, line by line, whatever file it came in. Not here: reading files (ingest/), and how
// it compares with the ledger (reconcile.ts). Invariant: what a file does not say is null, never 0.

import type { Pico } from "./money.ts";
import type { UsageClass } from "./usage.ts";

export interface StatementLine {
  /** The time it is about, ms UTC: from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** As the provider names it; null: the line is about no model, or about all. */
  readonly model: string | null;
  /** What the line is filed under; null: it is not told apart by class. */
  readonly class: UsageClass | null;
  /** Our classes that are in it; null: all there are; none: it is no usage of a model (storage, tax, support). */
  readonly holds: readonly UsageClass[] | null;
  readonly tier: string | null;
  /** Whole units of the class. */
  readonly quantity: number | null;
  /** In units of 10⁻¹² of `currency`, which for all but USD are no picodollars. */
  readonly costPico: Pico | null;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** Smallest step of the file's amounts: a cent is 10¹⁰. A line may be off by half of it. */
  readonly stepPico: Pico;
  readonly account: string | null;
  readonly key: string | null;
  readonly region: string | null;
  /** The provider's own words for what is charged. */
  readonly item: string | null;
  /** Where in its file: `line 12`, `data[3].results[0]`. */
  readonly place: string;
}

export interface Statement {
  /** Name of the format that was read: one of `statementFormats`. */
  readonly format: string;
  /** What the format is, in words. */
  readonly title: string;
  /** Whose it is by its format; null: any provider's. */
  readonly provider: string | null;
  /** The time the file is about, also where nothing was used in it, ms UTC; null: it has no line. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly lines: readonly StatementLine[];
  /** Which of the two the file states. */
  readonly complete: { readonly quantity: boolean; readonly cost: boolean };
  /** What a reader should know: how figures were split, what was left out. */
  readonly notes: readonly string[];
}

/** What is asked of the ledger for a comparison: sums of one day, model, class, tier and source of quantities. */
export interface LedgerLine {
  /** Midnight UTC, ms. */
  readonly dayMs: number;
  /** The model that answered; null: not known. */
  readonly model: string | null;
  /** null: calls without any usage. */
  readonly class: UsageClass | null;
  readonly tier: string | null;
  /** Whether the quantities are the provider's own final ones, estimates, or the bound of calls nobody saw the end of. */
  readonly source: "reported" | "partial" | "estimated" | "presumed" | null;
  readonly quantity: number;
  readonly costPico: Pico;
  readonly calls: number;
  /** Of `quantity`, what has no price. */
  readonly unpriced: number;
  /** Of `calls`, those that were sent and of which no usage is known. */
  readonly unmetered: number;
}

/** Classes of text input, cached or not: what a provider counts as prompt tokens when it does not tell them apart. */
export const promptClasses: readonly UsageClass[] = [
  "input",
  "cache_read",
  "cache_write",
  "cache_write_5m",
  "cache_write_1h",
  "input_audio",
  "cache_read_audio",
  "input_image",
  "cache_read_image",
  "input_video",
];

/** Classes of output: what a provider counts as completion tokens when it does not tell them apart. */
export const completionClasses: readonly UsageClass[] = ["output", "reasoning", "output_audio", "output_image", "output_video"];
