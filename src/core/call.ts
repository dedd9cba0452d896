// A call: one request to one model. What is known at its start, what is known at its end, and how observations of it resolve.
// No text of prompts or answers is in here. Times are milliseconds since 1970 in UTC; bytes and tokens are whole numbers.

import type { Charge } from "./charge.ts";
import type { Quantities, Usage, UsageClass } from "./usage.ts";

/** What a cost is attributed to. A null was not said. Names of people and customers are tokens (see ledger/names.ts). */
export interface Attribution {
  readonly task: string | null;
  readonly parent: string | null;
  readonly root: string | null;
  readonly type: string | null;
  readonly step: string | null;
  readonly customer: string | null;
  readonly user: string | null;
  readonly feature: string | null;
  readonly agent: string | null;
  readonly team: string | null;
  readonly session: string | null;
  readonly project: string | null;
  readonly branch: string | null;
  readonly prompt: string | null;
  readonly environment: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

export const attributionFields = [
  "task",
  "parent",
  "root",
  "type",
  "step",
  "customer",
  "user",
  "feature",
  "agent",
  "team",
  "session",
  "project",
  "branch",
  "prompt",
  "environment",
] as const satisfies readonly (keyof Attribution)[];

/** What a part has of the task that it is a part of: all but which task it is, and what kind of work. */
export const inheritedFields = attributionFields.filter((field) => !["task", "parent", "root", "type", "step"].includes(field));

/** Characters of one value, and how many tags there may be: whoever says it, and wherever. */
export const attributionLimits = { valueLengthMax: 1_024, tagsMax: 64 } as const;

/** Nothing was said. */
export const unattributed: Attribution = {
  task: null,
  parent: null,
  root: null,
  type: null,
  step: null,
  customer: null,
  user: null,
  feature: null,
  agent: null,
  team: null,
  session: null,
  project: null,
  branch: null,
  prompt: null,
  environment: null,
  tags: {},
};

/** Bytes of the prompt by part. Tokens by part are scaled from these and are always `estimated`. */
export interface PromptBytes {
  readonly system: number;
  readonly tools: number;
  /** The last user turn. */
  readonly user: number;
  readonly earlier: number;
  readonly toolResults: number;
}

/** Why a try was made. */
export type AttemptReason = "first" | "retry" | "fallback";

/** What a call may cost at most. A null bound is not known. Costs are decimal strings of dollars. */
export interface Hold {
  readonly inputTokens: number;
  readonly outputTokens: number | null;
  readonly cost: string | null;
  /** Why the bound is not known; null when it is. */
  readonly unbounded: string | null;
  /** Uses of the provider's tools that are in it, at most; absent: none. */
  readonly uses?: Quantities;
  /** The prices of input it was reckoned at; absent: all that there are. */
  readonly reads?: InputKinds;
  /** Tiers at which it was reckoned beside the one asked for and the standard one; absent: none. */
  readonly tiers?: readonly string[];
}

/** Which prices of input a call can meet. `media`: not of text alone. `writes`: into which of the provider's caches it can write. */
export interface InputKinds {
  readonly media: boolean;
  readonly writes: "none" | "5m" | "any";
}

/** What the guard had to say of a call that was let in. */
export interface GuardMark {
  /** Budgets that it holds on: `id`, or `id` and the values of its `each` fields. */
  readonly budgets: readonly string[];
  /** Budgets that let it in without a bound: they do not cover it. */
  readonly uncovered: readonly string[];
  /** Budgets that would have refused it, were they hard. */
  readonly warned: readonly string[];
}

export interface CallStart {
  readonly id: string;
  /** The client's one request: shared by all its tries. */
  readonly request: string;
  readonly attempt: number;
  readonly reason: AttemptReason;
  /** What the reason was made of: `429`, `503`, `timeout`, `connect`; null on the first try. */
  readonly cause: string | null;
  readonly startMs: number;
  readonly attribution: Attribution;
  /** Its root was not said, but taken: that of its tree, as it stood when the call was let in. Absent: it was said, or there is none above it. */
  readonly isRootTaken?: true | undefined;
  /** Id of the Pennyworth key; null on keyless loopback. */
  readonly key: string | null;
  readonly provider: string;
  readonly format: string;
  readonly endpoint: string;
  readonly pool: string;
  readonly region: string | null;
  readonly modelAsked: string | null;
  /** The model sent upstream: differs from the asked one only by a stated route. */
  readonly modelSent: string | null;
  readonly tierAsked: string | null;
  readonly capAsked: number | null;
  readonly capInForce: number | null;
  readonly effort: string | null;
  readonly streamed: boolean;
  readonly trace: string | null;
  readonly span: string | null;
  readonly requestBytes: number;
  readonly promptBytes: PromptBytes;
  readonly toolNames: readonly string[];
  /** Keyed, chained hashes of the prompt's prefix blocks, 16 hex digits each: equal prefixes give equal chains. */
  readonly prefix: readonly string[];
  /**
   * Bytes at the beginning of this prompt, in the measure of `prefix`, that a prompt before it began with, too: one for the same model, in its
   * task or its conversation, that had been answered. 0: it begins anew. Absent: not known, as where the provider holds what came before.
   */
  readonly sharedBytes?: number | undefined;
  /** Such a prompt of its task, else of its conversation, was the same word for word, and had been answered whole. Absent: not as far as is known. */
  readonly repeats?: true | undefined;
  /** Policy edits of the request, in words, e.g. `stream_options.include_usage`; empty when bytes went unchanged. */
  readonly edits: readonly string[];
  readonly hold: Hold;
  /** Absent: it is under no budget. */
  readonly guard?: GuardMark | undefined;
}

/**
 * How a call ended. `complete`: the whole answer came. `failed`: the provider answered with an error, or its stream ended in one.
 * `cut`: the answer broke off. `aborted`: the client went away and the provider was cancelled. `unreached`: nothing was sent.
 * `presumed`: sent, and nobody knows how it ended.
 */
export type CallStatus = "complete" | "failed" | "cut" | "aborted" | "unreached" | "presumed";

export interface CallEnd {
  readonly id: string;
  readonly endMs: number;
  readonly firstByteMs: number | null;
  readonly firstTokenMs: number | null;
  readonly status: CallStatus;
  readonly httpStatus: number | null;
  /** The provider's error code or a transport cause; null when there was none. */
  readonly error: string | null;
  /** The client had gone away before the end, whatever the status. */
  readonly clientGone: boolean;
  readonly finish: string | null;
  readonly modelAnswered: string | null;
  readonly tierServed: string | null;
  readonly responseId: string | null;
  /** The provider's own request id, from its answer's headers. */
  readonly providerRequest: string | null;
  readonly answerBytes: number;
  /** Tools that the answer has asked the client to call; those that the provider runs are usage. Absent: not known. */
  readonly tools?: number | undefined;
  /** What the provider itself says the call cost: exact decimal text of dollars. It stands beside our own, and is never added to it. */
  readonly costReported?: string | undefined;
  /** The capacity that served it, where the provider says so; another one than was meant is a spill. */
  readonly poolServed?: string | undefined;
  /** null: there is nothing to charge (nothing was sent, or the provider refused without usage). */
  readonly usage: Usage | null;
  readonly charges: readonly Charge[];
  readonly unpriced: readonly UsageClass[];
  /** The most it can have been, where the provider has not said what it was, or not yet: dollars as exact decimal text, and tokens. */
  readonly atMost?: { readonly cost: string; readonly tokens: number } | undefined;
}

/**
 * What a later witness says of a call made elsewhere or before, e.g. a response fetched by its id. Joined by provider and response id.
 */
export interface Observation {
  readonly id: string;
  readonly witness: string;
  readonly observedMs: number;
  readonly startMs: number;
  readonly provider: string;
  readonly format: string;
  readonly endpoint: string;
  readonly key: string | null;
  readonly attribution: Attribution;
  readonly responseId: string;
  readonly modelAnswered: string | null;
  readonly tierServed: string | null;
  readonly finish: string | null;
  readonly status: CallStatus;
  readonly usage: Usage | null;
  readonly charges: readonly Charge[];
  readonly unpriced: readonly UsageClass[];
}
