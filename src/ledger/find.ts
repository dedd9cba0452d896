// What whoever says something of finished work names: tasks, responses of providers and ids of what was said before, looked for all at once.
// Invariant: an answer names only what was asked for, each once.

import type { Outcome, TaskBegun } from "../core/outcome.ts";

export interface FindQuery {
  readonly tasks: readonly string[];
  /** Providers' response ids. */
  readonly responses: readonly string[];
}

export interface Found {
  /** Those that are on record: named by a call, or begun. */
  readonly tasks: readonly string[];
  /** Those that a call on record brought, with the root task that it belongs to; null: it names none. */
  readonly responses: readonly { readonly response: string; readonly task: string | null }[];
}

/** Names under which tasks began, and ids of statements. */
export interface SaidQuery {
  readonly tasks: readonly string[];
  readonly outcomes: readonly string[];
}

/** What stands under them: of each what was said first. */
export interface Said {
  readonly tasks: readonly TaskBegun[];
  readonly outcomes: readonly Outcome[];
}
