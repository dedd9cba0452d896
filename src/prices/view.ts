// What people and pages are told of prices: the questions the price book answers beyond those of a call, and the shapes of the answers.
// Not here: the answers themselves (desk.ts). Invariant: amounts are exact decimal text or exact rates; a price that is not known is absent.

import type { PriceBook } from "../core/price.ts";
import type { UsageClass } from "../core/usage.ts";
import type { PriceList } from "./list.ts";

export interface PriceQuery {
  readonly provider: string;
  readonly model: string;
  readonly atMs: number;
  /** As known then; null: as known now. */
  readonly knownMs: number | null;
  /** null: the standard tier. */
  readonly tier: string | null;
  readonly region: string | null;
}

/** One rate of one class: `ratePico` picodollars for every `ratePer` units. */
export interface PriceLine {
  readonly class: UsageClass;
  /** The rate holds for requests of more input tokens than this; 0 for the base. */
  readonly aboveTokens: number;
  readonly ratePico: bigint;
  readonly ratePer: bigint;
  readonly version: string;
  readonly source: string;
}

export interface PriceFound {
  /** Whose list it is of, and the model of the price book that the asked name resolved to. */
  readonly provider: string;
  readonly model: string;
  /** The rule that matched, in words. */
  readonly rule: string;
  readonly tier: string;
  readonly contextWindow: number | null;
  readonly lines: readonly PriceLine[];
}

/** The prices of one model between two changes: `fromMs` inclusive, `toMs` exclusive, null where it is open. */
export interface PriceSpan {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Times of day in UTC, ms after midnight; null: all day. */
  readonly window: { readonly fromMs: number; readonly toMs: number } | null;
  readonly lines: readonly PriceLine[];
}

/** What each source says of one class of one model, at its standard price: dollars per `per` units, exact. */
export interface Dispute {
  readonly class: UsageClass;
  readonly per: number;
  /** In order of precedence: the first is in force. */
  readonly said: readonly { readonly source: string; readonly version: string; readonly usd: string }[];
  readonly lowest: string;
  readonly highest: string;
}

export interface ListedModel {
  readonly provider: string;
  readonly model: string;
  /** Sources that name it, the one in force first. */
  readonly sources: readonly string[];
  readonly tiers: readonly string[];
  readonly contextWindow: number | null;
  /** Standard price at the time asked for, smallest step, exact dollars per million tokens (per thousand of what is no token). */
  readonly prices: { readonly [name in UsageClass]?: string };
  /** Classes on which sources disagree. */
  readonly disputed: readonly UsageClass[];
  /** A change that is announced and not yet in force, ms UTC. */
  readonly changesMs: number | null;
}

export interface ListedPrices {
  readonly source: string;
  readonly version: string;
  readonly origin: string;
  readonly own: boolean;
  /** null: it waits to be taken, and is not in force. */
  readonly taken: { readonly takenMs: number; readonly knownMs: number } | null;
  /** Whether a newer list of its source stands in its place. */
  readonly superseded: boolean;
  readonly records: number;
}

/** One price that differs between two books. A rate that is null is not there. */
export interface PriceChange {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly region: string | null;
  readonly class: UsageClass;
  readonly aboveTokens: number;
  /** Exact dollars per million tokens (per thousand of what is no token). */
  readonly before: string | null;
  readonly after: string | null;
  /** When the price that is new begins, ms UTC; null: always was. */
  readonly fromMs: number | null;
}

/** What is odd about a list, and may be a mistake: it does not stop the list from being taken. */
export interface ListWarning {
  readonly provider: string;
  readonly model: string;
  readonly class: UsageClass | null;
  readonly detail: string;
}

export interface ListPreview {
  readonly list: PriceList;
  /** Against the book in force now. */
  readonly changes: readonly PriceChange[];
  readonly warnings: readonly ListWarning[];
  /** What of the file is left out, and why. */
  readonly skipped: readonly { readonly what: string; readonly why: string; readonly count: number }[];
}

/** How a file of prices is read. */
export interface ListOptions {
  /** null: told from the file. */
  readonly format: "pennyworth" | "litellm" | "models.dev" | "genai-prices" | "changes" | null;
  /** null: the format's own name. */
  readonly source: string | null;
  /** ISO day; null: not known. */
  readonly published: string | null;
}

/** What of one's own list is meant: a name as it was written, wildcards and all. */
export interface OwnPlace {
  readonly provider: string;
  readonly model: string;
  readonly tier: string | null;
  readonly region: string | null;
  /** The day from which it holds, ms UTC. */
  readonly fromMs: number | null;
}

/** How much of one's own list was taken back. */
export interface Undone {
  readonly prices: number;
  readonly discounts: number;
  readonly choices: number;
}

export interface PricesAccess {
  /** The rates in force at a time; null when the book has none. */
  find(query: PriceQuery): PriceFound | null;
  /** All spans of a model's prices, announced ones too, the earliest first; null when the book does not know it. */
  history(query: Omit<PriceQuery, "atMs">): readonly PriceSpan[] | null;
  /** The same by the lists alone: without the user's own prices and discounts. `knownMs` of the queries is not looked at. */
  listed(knownMs: number | null): Pick<PricesAccess, "find" | "history">;
  /** What the sources say of a model at a time, class by class; only classes of which at least two speak. */
  disputes(query: PriceQuery): readonly Dispute[];
  /** Every model of the book, by provider and name. */
  models(query: {
    readonly atMs: number;
    readonly knownMs: number | null;
    readonly provider: string | null;
    readonly search: string | null;
  }): readonly ListedModel[];
  /** Where a price version came from, in words; null when the book does not know it any more. */
  source(version: string): string | null;
  /** Every list that was taken, and those that wait, the newest first. */
  lists(): readonly ListedPrices[];
  /** A list of Pennyworth's own that waits. @throws PennyworthError `list_unknown`. */
  readWaiting(name: string): PriceList;
  /** Reads a file of prices and compares it. Nothing is taken. @throws PennyworthError `prices_invalid` with line and reason. */
  preview(text: string, options: ListOptions): Promise<ListPreview>;
  /** What a list of Pennyworth's own that waits would change. @throws PennyworthError `list_unknown`. */
  previewWaiting(name: string): Promise<ListPreview>;
  /** Lets a list take effect. `knownMs` null: from now. @throws PennyworthError `prices_invalid`, `journal_unwritable`. */
  take(list: PriceList, knownMs: number | null): Promise<ListedPrices>;
  /** The same of what a file of prices says; what it says of one's own is added to them. */
  takeFile(text: string, options: ListOptions, knownMs: number | null): Promise<ListedPrices>;
  /** Adds to the user's own list, or replaces what is for the same model, tier, region, window and start. `text`: a price file (docs/prices.md). */
  set(text: string): Promise<ListPreview>;
  /**
   * Takes back what the user's own list says of a place, from now on: null narrows nothing, so that without tier, region and start all of it goes.
   * @throws PennyworthError `own_unknown` when it says nothing of it.
   */
  unset(place: OwnPlace): Promise<ListPreview & { readonly undone: Undone }>;
  /** Leaves a source out from now on. @throws PennyworthError `list_unknown`. */
  drop(source: string): Promise<void>;
  /** The book itself, as known at a time; null: now. */
  book(knownMs: number | null): PriceBook;
}
