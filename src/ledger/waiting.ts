// Statements of how tasks ended that nobody has heard of: they wait for their task, and a slip of the keyboard waits for ever. Not here: what
// statements come to (core/outcome.ts). Invariant: all of them together are the `waiting` of what a success costs.

import type { Position } from "../core/entry.ts";
import type { Outcome } from "../core/outcome.ts";

export interface WaitingPage {
  /** The one of which something was said last comes first. */
  readonly tasks: readonly { readonly task: string; readonly statements: readonly Outcome[] }[];
  readonly truncated: boolean;
  readonly position: Position | null;
}
