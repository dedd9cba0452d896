// Kinds: what a step of a task does, and what of it was wasted. Not here: what each cost (steps.ts). Invariant: a call is of one kind at most, and in
// one waste at most.

export const stepKinds = ["plan", "act", "observe", "check"] as const;

export type StepKind = (typeof stepKinds)[number];

/**
 * `failed`: a call that brought no answer. `repeated`: the same again as a call before it that had brought one. `idle`: a call after the last change,
 * save for checks and the last call of the run, which tells. `resent`: context that was sent before and not read from the cache.
 */
export const wasteKinds = ["failed", "repeated", "idle", "resent"] as const;

export type WasteKind = (typeof wasteKinds)[number];
