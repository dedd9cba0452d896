// Responses that can be fetched, cancelled or deleted by their id after they were made. Bounded: the oldest go first.
// Invariant: an answer is seen finished no earlier than its time; one that was cancelled stays cancelled and has no usage.

export interface Kept {
  /** The call that made it, for the witness. */
  readonly call: number;
  readonly background: boolean;
  readonly startMs: number;
  readonly readyMs: number;
  /** The finished answer, JSON. */
  readonly done: string;
  readonly pending: (state: "queued" | "in_progress" | "cancelled") => string;
}

type State = "queued" | "in_progress" | "done" | "cancelled";

const charactersMax = 128 * 1024 * 1024;

export class KeptResponses {
  readonly #kept = new Map<string, Kept>();
  readonly #cancelled = new Set<string>();
  readonly #max: number;
  #characters = 0;

  constructor(max = 20_000) {
    this.#max = max;
  }

  put(id: string, kept: Kept): void {
    this.#kept.set(id, kept);
    this.#characters += kept.done.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#max && this.#characters <= charactersMax) break;
      this.remove(oldest);
    }
  }

  /** The response's JSON at this time, or null when it is not here. */
  read(id: string, nowMs: number): string | null {
    const kept = this.#kept.get(id);
    return kept === undefined ? null : toText(kept, this.#state(id, kept, nowMs));
  }

  /** Cancels a background response under way. `changed` is null when it was too late, or the kept response that was stopped. */
  cancel(id: string, nowMs: number): { readonly text: string; readonly changed: Kept | null } | "absent" | "foreground" {
    const kept = this.#kept.get(id);
    if (kept === undefined) return "absent";
    if (!kept.background) return "foreground";
    const state = this.#state(id, kept, nowMs);
    const changed = state === "queued" || state === "in_progress";
    if (changed) this.#cancelled.add(id);
    return { text: toText(kept, changed ? "cancelled" : state), changed: changed ? kept : null };
  }

  remove(id: string): boolean {
    this.#cancelled.delete(id);
    this.#characters -= this.#kept.get(id)?.done.length ?? 0;
    return this.#kept.delete(id);
  }

  #state(id: string, kept: Kept, nowMs: number): State {
    if (this.#cancelled.has(id)) return "cancelled";
    if (nowMs >= kept.readyMs) return "done";
    return nowMs - kept.startMs < (kept.readyMs - kept.startMs) / 2 ? "queued" : "in_progress";
  }
}

function toText(kept: Kept, state: State): string {
  return state === "done" ? kept.done : kept.pending(state);
}
