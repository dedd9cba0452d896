// What the guard is asked before every try of a call, and what it answers. Not here: how it decides (guard.ts). Invariant: a try that is let in
// has its holds on all its budgets, and a try that is not has none.

import type { Attribution, GuardMark, Hold } from "../core/call.ts";
import type { CallScope } from "../core/budget.ts";
import type { ToolRound } from "../core/loop.ts";

/** Who asks for what, as a refusal has it. */
export interface Caller {
  /** Id of the try, which is a call of its own; and of the client's one request. */
  readonly call: string;
  readonly request: string;
  readonly attribution: Attribution;
  readonly key: string | null;
  readonly provider: string;
  readonly model: string | null;
}

export interface Asking extends Caller {
  readonly attempt: number;
  readonly atMs: number;
  /** The client's own cap on the output tokens of one answer; null: none. 0: nothing is generated. */
  readonly cap: number | null;
  /** How many answers are asked for. */
  readonly choices: number;
  /** Output tokens that go on thinking, which a cap must exceed. */
  readonly thinking: number;
  /** Whether a cap can be put into the request, or made lower. */
  readonly canCap: () => boolean;
  /** Whether another model of the same provider can be named in the request. */
  readonly canRename: boolean;
  /** Whether the provider can be asked how many tokens the request has. */
  readonly canCount: () => boolean;
  /** Whether a stream that is ended early costs less. */
  readonly canCut: boolean;
  /** Input tokens as learnt from earlier calls: no bound. */
  readonly inputGuess: number;
  /** The prompt and its parameters, hashed: equal requests have equal ones. null: nothing is known of it. */
  readonly fingerprint: string | null;
  /** The last rounds of its history, the oldest first. */
  readonly toolRounds: readonly ToolRound[];
  /** The provider holds the earlier turns. */
  readonly isHeld: boolean;
  /** Its format is known: what it uses can be read. */
  readonly isMetered: boolean;
  /** The most it can cost at any target it can reach, with this cap. `inputTokens` null: as many as its bytes. */
  bound(cap: number | null, inputTokens: number | null, model: string | null): Hold;
  /** The largest cap with which it costs no more than so much; 0 when not even the input fits. */
  capFor(money: bigint, inputTokens: number | null, model: string | null): number;
}

/** What a try that is let in is to be sent as. One that is not is a `GuardRefusal` (words.ts). */
export interface Admitted {
  readonly kind: "admitted";
  /** When its holds were taken, ms UTC: the try begins then. */
  readonly atMs: number;
  readonly scope: CallScope;
  readonly hold: Hold;
  /** The cap to put into the request; null: as it came. */
  readonly cap: number | null;
  /** The model to ask instead; null: as asked. */
  readonly model: string | null;
  /** Absent: it is under no budget. */
  readonly mark: GuardMark | undefined;
  /** What was changed, and what it is warned of, in words. */
  readonly edits: readonly string[];
  readonly warnings: readonly string[];
  /** Whether its stream has to be watched: see `Guard.isOver`. */
  readonly watched: boolean;
}
