// What whoever says something of finished work names: tasks, and responses of providers, looked for all at once. Not here: what is said of them.
// Invariant: an answer names only what was asked for, each once.

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
